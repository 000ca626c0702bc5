"""POST /api/calls/{call_id}/utterances: what was said, partial or final, one object or a list.

The busiest route: one decoding, one round trip to Redis, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web

from assist.web_api.bodies import Milliseconds, answer, read, visible
from assist.web_api.guard import call_of
from assist.web_api.parts import CALLS
from assist.web_api.problems import Problem, call_ended, unknown_call
from bot.bus.assisted import Posted, Utterance

MAX_AT_ONCE = 200


class Words(msgspec.Struct, frozen=True):
    """CONTRACT, POST utterances."""

    utterance_id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    party: Literal["customer", "agent"]
    text: Annotated[str, msgspec.Meta(max_length=16_384)]
    begin_ms: Milliseconds
    end_ms: Milliseconds
    final: bool
    asr_confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


WordsList = Annotated[list[Words], msgspec.Meta(min_length=1, max_length=MAX_AT_ONCE)]
_decoder: msgspec.json.Decoder[Words | list[Words]] = msgspec.json.Decoder(Words | WordsList)


async def post(request: web.Request) -> web.Response:
    """202 with `seq` and `outcome` (new, repeat, dropped); for a list, a list of them."""
    _, meta = await call_of(request, "calls.write")
    said = await read(request, _decoder)
    if isinstance(said, Words):
        [posted] = await take_in(request, meta.call_id, [said])
        return answer(_shown(posted), 202)
    return answer([_shown(each) for each in await take_in(request, meta.call_id, said)], 202)


async def take_in(request: web.Request, call_id: str, said: Sequence[Words]) -> list[Posted]:
    """Into the call's log, in order; lines of no visible character are dropped.

    Raises Problem: 404, 409 where the call has ended, 422 where a line ends before it begins.
    """
    lines = [_utterance(words, f"[{at}]." if len(said) > 1 else "") for at, words in enumerate(said)]
    kept = [line for line in lines if line is not None]
    results = iter(await request.app[CALLS].post(call_id, kept) if kept else [])
    posted = [Posted("dropped") if line is None else next(results) for line in lines]
    if any(each.outcome == "ended" for each in posted):
        raise call_ended(call_id)
    if any(each.outcome == "unknown" for each in posted):
        raise unknown_call(call_id)
    return posted


def _utterance(words: Words, where: str) -> Utterance | None:
    if words.end_ms < words.begin_ms:
        detail = f"end_ms {words.end_ms} lies before begin_ms {words.begin_ms}"
        raise Problem(422, "invalid", detail, field=f"{where}end_ms")
    text = visible(words.text)
    if not text.strip():
        return None
    return Utterance(
        utterance_id=words.utterance_id, party=words.party, text=text, begin_ms=words.begin_ms,
        end_ms=words.end_ms, final=words.final, asr_confidence=words.asr_confidence,
    )  # fmt: skip


def _shown(posted: Posted) -> dict[str, Any]:
    return {"seq": posted.seq, "outcome": posted.outcome}
