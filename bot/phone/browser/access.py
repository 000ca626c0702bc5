"""Who may open a line from a page: the page's own origin, and a ticket that works once.

A WebSocket carries no header of the page's and any site may open one: the Origin must be ours, and
the ticket was fetched (or given to an agent) a minute ago at most.  Tickets are kept as hashes.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit

import msgspec

Kind = Literal["talk", "softphone"]
MOST_OPEN = 1000
"""Tickets not used yet; the oldest is forgotten for a new one."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What a ticket opens: a caller's line, or the softphone of `agent_id`."""

    kind: Kind
    agent_id: str = ""


class Tickets:
    """Tickets of one process.  `now` gives seconds that only rise."""

    def __init__(self, now: Callable[[], float], *, good_for_s: float = 60.0) -> None:
        self._now = now
        self._good_for_s = good_for_s
        self._open: dict[bytes, tuple[float, Ticket]] = {}

    def issue(self, ticket: Ticket) -> str:
        """The secret of a new ticket.  Raises ValueError for a softphone without an agent."""
        if ticket.kind == "softphone" and not ticket.agent_id:
            raise ValueError("a softphone's ticket names its agent: agent_id is empty")
        secret = secrets.token_urlsafe(24)
        while len(self._open) >= MOST_OPEN:
            del self._open[next(iter(self._open))]
        self._open[_hash(secret)] = (self._now() + self._good_for_s, ticket)
        return secret

    def redeem(self, secret: str, kind: Kind) -> Ticket | None:
        """What the ticket opens, and from now on nothing; None where used, too old or another's kind."""
        until, ticket = self._open.pop(_hash(secret), (0.0, None))
        if ticket is None or ticket.kind != kind or self._now() > until:
            return None
        return ticket


def own_origin(origin: str | None, host: str | None, origins: tuple[str, ...]) -> bool:
    """Whether a page of ours asks: an origin that is configured, else that of the address itself.

    Without configured origins the address must be this machine: a page of another site that has its
    name point here (DNS rebinding) would else look like ours.
    """
    if not origin:
        return False
    if origins:
        return origin in origins
    parts = urlsplit(origin)
    return parts.netloc == host and parts.hostname in ("127.0.0.1", "::1", "localhost")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
