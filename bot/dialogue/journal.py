"""The record of a call's turns, from which another process can rebuild its state.

A record holds the request without the raw words, and the meaning that was computed once.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from bot.dialogue.meaning import Meaning
from bot.turn import TurnRequest


class Turns(Protocol):
    """Where records are kept, in order of turns."""

    async def append(self, tenant_id: str, call_id: str, record: bytes) -> None:
        """Add one record."""
        ...

    async def load(self, tenant_id: str, call_id: str) -> list[bytes]:
        """All records of a call, in order; empty where there is none."""
        ...


class MemoryTurns:
    """Keeps nothing beyond this process: chat, play and verify run in one."""

    async def append(self, tenant_id: str, call_id: str, record: bytes) -> None:
        """The call's state is in this process's memory already."""

    async def load(self, tenant_id: str, call_id: str) -> list[bytes]:
        """Nothing: no other process had the call."""
        return []


class _Record(msgspec.Struct, frozen=True):
    request: TurnRequest
    acts: tuple[dict[str, Any], ...]
    entities: tuple[dict[str, Any], ...]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Record)


def encode_record(request: TurnRequest, meaning: Meaning, masked_text: str) -> bytes:
    """One turn as JSON bytes; its words masked."""
    masked = msgspec.structs.replace(request, text=masked_text or None, acts=None, entities=())
    return _encoder.encode(_Record(masked, meaning.acts, meaning.entities))


def decode_record(data: bytes) -> tuple[TurnRequest, Meaning]:
    """The request and the meaning of a record; msgspec.ValidationError where it is none."""
    record = _decoder.decode(data)
    return record.request, Meaning(record.acts, record.entities)
