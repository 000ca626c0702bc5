"""How much a page may send: so much a second, and a burst at once.  Pure: the caller owns the clock."""

from __future__ import annotations

from bot.phone.browser.messages import PageFault


class Allowance:
    """Refills with time, is used up by what comes."""

    def __init__(self, what: str, *, a_second: float, burst: float, now_s: float) -> None:
        """`what`: of what, for the message; `burst`: so much may come at once."""
        self._what = what
        self._a_second = a_second
        self._burst = burst
        self._left = burst
        self._at_s = now_s

    def use(self, amount: float, now_s: float) -> None:
        """Take `amount`.  Raises PageFault where there is not so much left."""
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._a_second)
        self._at_s = now_s
        if amount > self._left:
            raise PageFault(f"too much {self._what}: {self._a_second:g} a second are taken")
        self._left -= amount
