"""The timers of one call: commands go out only where something changes."""

from __future__ import annotations

from bot.call.signals import CancelTimer, Command, SetTimer


class Timers:
    """Names and the moments (ms of the call's clock) they are set to."""

    def __init__(self, out: list[Command]) -> None:
        self._out = out
        self._set: dict[str, int] = {}

    def set(self, name: str, at_ms: int) -> None:
        """Ring at that moment; replaces a timer of that name."""
        if self._set.get(name) != at_ms:
            self._set[name] = at_ms
            self._out.append(SetTimer(name, at_ms))

    def cancel(self, *names: str) -> None:
        """Forget these, where they are set."""
        for name in names:
            if self._set.pop(name, None) is not None:
                self._out.append(CancelTimer(name))

    def cancel_all(self) -> None:
        """Forget all."""
        self.cancel(*list(self._set))

    def fired(self, name: str, now_ms: int) -> bool:
        """A timer says it ran out: whether it is still set, and due."""
        if name not in self._set or now_ms < self._set[name]:
            return False
        del self._set[name]
        return True
