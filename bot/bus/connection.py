"""The connection to Redis, and its failures turned into the bus's own types.

The client never retries on its own: callers know what may be sent twice and what may not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
)

from bot.bus.errors import BusDown, BusError, CallClosed, Fenced, LeaseHeld

TIMEOUT_S = 5.0
"""How long one command may take; blocking reads wait less than that."""

CONNECTIONS = 64
"""So many commands of one client are under way at once; more wait for one of these to end."""

BLOCK_MS = 1000
"""How long a blocking read waits before it asks again."""


def connect(url: str) -> Redis:
    """A client for `url` (redis://…, rediss://…, unix://…); connects at the first command.

    Raises BusError where the address is not one.
    """
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT_S,
            protocol=2,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=2.0,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
        )
    except ValueError as error:
        raise BusError(f"REDIS_URL: {error}; it looks like redis://host:6379/0 or unix:///path") from error
    return Redis.from_pool(pool)


def typed(error: RedisError) -> BusError:
    """The bus's own error for one of Redis's."""
    text = str(error)
    if isinstance(error, (ConnectionError, TimeoutError, BusyLoadingError, ReadOnlyError, OutOfMemoryError)):
        return BusDown(f"Redis does not answer: {text or type(error).__name__}")
    if isinstance(error, ResponseError):
        if "HUASHU_FENCED" in text:
            return Fenced(text.partition("HUASHU_FENCED")[2].strip())
        if "HUASHU_CLOSED" in text:
            return CallClosed(text.partition("HUASHU_CLOSED")[2].strip())
        if "HUASHU_HELD" in text:
            return LeaseHeld(text.partition("HUASHU_HELD")[2].strip())
    return BusError(f"Redis: {text or type(error).__name__}")


@contextmanager
def bus_errors() -> Iterator[None]:
    """Raise BusDown, Fenced, LeaseHeld, CallClosed or BusError in place of Redis's own errors."""
    try:
        yield
    except RedisError as error:
        raise typed(error) from error
    except OSError as error:
        raise BusDown(f"Redis does not answer: {error}") from error


async def command(redis: Redis, *words: str | bytes | int) -> Any:
    """One command of Redis, in the shapes of RESP2.  Raises as `bus_errors` says."""
    execute: Callable[..., Awaitable[Any]] = redis.execute_command
    with bus_errors():
        return await execute(*words)
