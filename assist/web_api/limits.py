"""How often somebody may ask.

Requests: a token bucket for each principal, in this process.  Log-ins: failures are counted in
Redis by (address, name) and by address, so that all web processes count together.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.bus import keys
from bot.bus.connection import command

RATES: dict[str, tuple[float, float]] = {"operator": (2000.0, 4000.0)}
"""role → requests a second for good, and at once; machines that feed calls in are operators."""
PEOPLE = (40.0, 200.0)
REMEMBERED = 4096

WINDOW_S = 300
FAILURES_OF_ONE = 10
"""Of one name from one address, in the window."""
FAILURES_OF_ADDRESS = 100
"""Of all names from one address: a call centre may sit behind one."""


@dataclass(slots=True)
class Bucket:
    """PURE: holds up to `burst` tokens, filled with `rate` a second; each request takes one."""

    rate: float
    burst: float
    tokens: float
    at: float

    def take(self, now: float) -> float:
        """0.0 where the request may go on, else the seconds until it may."""
        self.tokens = min(self.burst, self.tokens + max(0.0, now - self.at) * self.rate)
        self.at = now
        if self.tokens >= 1.0:
            self.tokens -= 1.0
            return 0.0
        return (1.0 - self.tokens) / self.rate


class Buckets:
    """The buckets of all principals; those not used for longest are forgotten."""

    def __init__(self, rates: dict[str, tuple[float, float]] | None = None) -> None:
        self._rates = RATES if rates is None else rates
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, key: str, role: str, now: float) -> float:
        """0.0 where `key` may go on, else the seconds until it may."""
        bucket = self._buckets.get(key)
        if bucket is None:
            rate, burst = self._rates.get(role, PEOPLE)
            bucket = self._buckets[key] = Bucket(rate, burst, burst, now)
            if len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket.take(now)


class LoginLimits:
    """Failed log-ins."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def wait_s(self, address: str, name: str) -> int:
        """Seconds until this name may try again from this address; 0: now.  Raises BusDown."""
        one, all_of = self._keys(address, name)
        failed_one, failed_all = await command(self._redis, "MGET", one, all_of)
        for key, failed, most in (
            (one, failed_one, FAILURES_OF_ONE),
            (all_of, failed_all, FAILURES_OF_ADDRESS),
        ):
            if int(failed or 0) >= most:
                return max(1, int(await command(self._redis, "TTL", key)))
        return 0

    async def failed(self, address: str, name: str) -> None:
        """A log-in failed.  Raises BusDown."""
        for key in self._keys(address, name):
            if await command(self._redis, "INCR", key) == 1:
                await command(self._redis, "EXPIRE", key, WINDOW_S)

    async def succeeded(self, address: str, name: str) -> None:
        """A log-in worked: its failures are forgotten.  Raises BusDown."""
        await command(self._redis, "DEL", self._keys(address, name)[0])

    @staticmethod
    def _keys(address: str, name: str) -> tuple[str, str]:
        one = hashlib.sha256(f"{address}\n{name}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return keys.log_in_failures(one), keys.log_in_failures(address)
