"""Amazon Contact Lens real-time analysis of a voice contact, as input.

Two shapes, told apart by their fields:
- events of the segment stream: EventType STARTED, SEGMENTS, COMPLETED or FAILED, with ContactId
  https://docs.aws.amazon.com/connect/latest/adminguide/real-time-contact-analysis-segment-streams-data-model.html
  https://docs.aws.amazon.com/connect/latest/adminguide/sample-real-time-contact-analysis-segment-stream.html
- the answer of ListRealtimeContactAnalysisSegments: Segments alone, so the caller names the contact
  https://docs.aws.amazon.com/contact-lens/latest/APIReference/API_ListRealtimeContactAnalysisSegments.html

A `Transcript` segment is a final line.  `Utterance` segments are the pieces of the line that their
TranscriptId names, one after another; ours is the words of a line so far, so the pieces are joined.
Pieces of earlier payloads come in as `earlier`: the `pending` of the last BridgeInput of the call.
Categories, summaries, and lines of others than customer and agent are counted, not taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from assist.bridges.model import MAX_TEXT, BridgeError, BridgeInput, Fields, Piece, ordered, utterance

_PARTIES: dict[str, str | None] = {
    "CUSTOMER": "customer",
    "AGENT": "agent",
    "SYSTEM": None,
    "CUSTOM_BOT": None,
    "SUPERVISOR": None,
}
_EVENTS = {"STARTED": "started", "SEGMENTS": "", "COMPLETED": "ended", "FAILED": "ended"}
MAX_OPEN = 50
"""Most lines of a call that wait for their final; the oldest goes first."""
_KINDS = ("Transcript", "Utterance", "Categories", "PostContactSummary")


def utterances(
    payload: Mapping[str, Any],
    *,
    call_id: str | None = None,
    earlier: Mapping[str, tuple[Piece, ...]] | None = None,
) -> BridgeInput:
    """What the payload says.  `call_id` is our name of the call where it is not the vendor's ContactId.

    Raises BridgeError where the payload is not in one of the two shapes, or is of a chat or task.
    """
    fields = Fields(payload)
    if fields.has("Channel"):
        fields.one_of("Channel", {"VOICE": True})
    event = fields.one_of("EventType", _EVENTS) if fields.has("EventType") else ""
    if call_id is None or fields.has("ContactId"):
        contact = fields.identifier("ContactId")
        call_id = call_id or contact
    lines: list[dict[str, Any]] = []
    ignored: Counter[str] = Counter()
    pending = dict(earlier or {})
    needs_segments = not fields.has("EventType") or fields.raw("EventType") == "SEGMENTS"
    for segment in fields.items("Segments") if needs_segments else []:
        _take(segment, lines, ignored, pending)
    return BridgeInput(
        call_id=call_id,
        started=event == "started",
        ended=event == "ended",
        utterances=tuple(lines),
        ignored=dict(ignored),
        pending={} if event == "ended" else pending,
    )


def _take(
    segment: Fields,
    lines: list[dict[str, Any]],
    ignored: Counter[str],
    pending: dict[str, tuple[Piece, ...]],
) -> None:
    kinds = [kind for kind in _KINDS if segment.has(kind)]
    if len(kinds) != 1:
        raise BridgeError(segment.path, f"exactly one of {', '.join(_KINDS)}", ", ".join(kinds) or None)
    if kinds[0] in ("Categories", "PostContactSummary"):
        ignored[kinds[0]] += 1
        return
    words = segment.inner(kinds[0])
    party = words.one_of("ParticipantRole", _PARTIES)
    final = kinds[0] == "Transcript"
    text = words.text("Content" if final else "PartialContent")
    begin, end = words.milliseconds("BeginOffsetMillis"), words.milliseconds("EndOffsetMillis")
    begin, end = ordered(words, "EndOffsetMillis", begin, end)
    piece_id = words.identifier("Id")
    line_id = piece_id if final else words.identifier("TranscriptId")
    if party is None:
        ignored[f"{kinds[0]} of {words.raw('ParticipantRole')}"] += 1
    elif not text:
        ignored[f"{kinds[0]} without words"] += 1
    elif final:
        pending.pop(line_id, None)
        lines.append(utterance(line_id, party, text, begin, end, final=True))
    else:
        others = [one for one in pending.get(line_id, ()) if one.piece_id != piece_id]
        pieces = sorted([*others, Piece(piece_id, text, begin, end)], key=lambda one: one.begin_ms)
        pending[line_id] = tuple(pieces)
        if len(pending) > MAX_OPEN:
            del pending[next(iter(pending))]
        so_far = _joined([one.text for one in pieces])
        last = max(one.end_ms for one in pieces)
        lines.append(utterance(line_id, party, so_far, pieces[0].begin_ms, last, final=False))


def _joined(texts: list[str]) -> str:
    """The pieces in one line; a space between them only where both sides are of a script that has spaces."""
    line = texts[0]
    for text in texts[1:]:
        line += (" " if line[-1].isascii() and text[0].isascii() else "") + text
    return line[:MAX_TEXT]
