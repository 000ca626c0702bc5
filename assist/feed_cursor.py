"""PURE: what one client of a feed has, what it must get next, and what waits to be sent to it.

Events of a call are numbered 1, 2, 3 …  They come live (published, each once or, when a connection
broke, not at all) and from the log (all, but asked for).  A client gets each number once, in order:

    state      live event seq                      a page of the log, and the last number ever written
    current    seq = last + 1 → give it            (none is asked for)
               seq <= last    → drop it
               seq > last + 1 → behind
    behind     remember seq as the newest seen     give what follows last; current again once the page
                                                   is empty and nothing newer was seen; a gap, or a log
                                                   that ends elsewhere than at last: Trimmed

`last` counts partial words too; they alone may be left out where a client is slow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

Numbered = tuple[int, bytes]
"""An event's number in its call's log, and the event as it is stored there (seq 0)."""

PARTIAL = b'{"kind":"utterance.partial"'
MAX_MESSAGES = 400
MAX_BYTES = 4 << 20


class Trimmed(Exception):
    """The log no longer holds what follows the cursor: begin again with a snapshot."""


@dataclass(slots=True)
class Cursor:
    """Where a client stands: `last` is the number it has; `behind`: the log must be asked; `again`:
    once more than was asked already, since something may have been missed meanwhile."""

    last: int
    behind: bool = True
    newest: int = 0
    again: bool = False

    def live(self, seq: int) -> bool:
        """An event was published: whether to give it to the client now."""
        if self.behind or seq > self.last + 1:
            self.behind = True
            self.newest = max(self.newest, seq)
            return False
        if seq <= self.last:
            return False
        self.last = seq
        return True

    def disturbed(self) -> None:
        """Some published events may have been missed."""
        self.behind = self.again = True

    def asked(self) -> int:
        """The log is asked now for what follows the number given."""
        self.again = False
        return self.last

    def filled(self, page: Sequence[Numbered], written: int) -> list[Numbered]:
        """A page of the log after `last` came, with the number of the last event ever written at that
        moment: what to give.  Raises Trimmed where the page leaves a gap, or the log does not reach
        `last` or goes on beyond it without us."""
        given: list[Numbered] = []
        for seq, data in page:
            if seq <= self.last:
                continue
            if seq != self.last + 1:
                raise Trimmed(f"the log goes on at {seq}, the client has {self.last}")
            self.last = seq
            given.append((seq, data))
        if not page:
            if written != self.last:
                raise Trimmed(f"the log ended with {written}, the client has {self.last}")
            self.behind = self.again or self.newest > self.last
        return given


@dataclass(slots=True)
class Outbox:
    """What waits to be sent to one client: bounded; partial words go first, all else is kept."""

    max_messages: int = MAX_MESSAGES
    max_bytes: int = MAX_BYTES
    size: int = 0
    dropped: int = 0
    _waiting: deque[bytes] = field(default_factory=deque)

    def push(self, message: bytes) -> bool:
        """Put a message at the end; False where there is no room even without partials: cut the client."""
        if not self._room_for(message):
            if message.startswith(PARTIAL):
                self.dropped += 1
                return True
            self._drop_partials()
            if not self._room_for(message):
                return False
        self._waiting.append(message)
        self.size += len(message)
        return True

    def pop(self) -> bytes | None:
        """The next message, None where nothing waits."""
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        self.size -= len(message)
        return message

    def _room_for(self, message: bytes) -> bool:
        fits = self.size + len(message) <= self.max_bytes or not self._waiting
        return fits and len(self._waiting) < self.max_messages

    def _drop_partials(self) -> None:
        kept = [message for message in self._waiting if not message.startswith(PARTIAL)]
        self.dropped += len(self._waiting) - len(kept)
        self._waiting = deque(kept)
        self.size = sum(map(len, kept))


def numbered(seq: int, stored: bytes) -> bytes:
    """The event as clients see it: its own number in place of the 0 that the log stores."""
    return stored.replace(b'"seq":0', b'"seq":%d' % seq, 1)


def published(message: bytes) -> Numbered:
    """A message of a feed's channel: `seq event`.  Raises ValueError where it is none."""
    seq, _, stored = message.partition(b" ")
    return int(seq), stored


def resume_point(after: str | None, *, with_call: bool) -> tuple[str, int] | None:
    """The cursor that a client sends: SEQ, or CALL_ID:SEQ where it follows an agent; None for none.

    Raises ValueError.
    """
    if after is None or after == "":
        return None
    call_id, colon, seq = after.rpartition(":")
    if bool(colon) != with_call or not (seq.isascii() and seq.isdigit() and len(seq) <= 15):
        shape = "CALL_ID:SEQ" if with_call else "SEQ"
        raise ValueError(
            f"after='{after[:100]}' is no cursor: it reads {shape}, as in the last event received"
        )
    return call_id, int(seq)
