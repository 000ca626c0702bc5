"""AWS Live Call Analytics events (its Kinesis Data Stream), as input.

START, END, and ADD_TRANSCRIPT_SEGMENT in its three bodies: the fields of LCA itself (Channel, SegmentId,
StartTime, EndTime in seconds or strings of seconds, Transcript, IsPartial), an Amazon Transcribe
`TranscriptEvent`, or a Call Analytics `UtteranceEvent`.  Partials keep the SegmentId of their final line
and hold the words so far, as ours do.  Source of the shapes, at commit b375717:
https://github.com/aws-samples/amazon-transcribe-live-call-analytics/blob/main/utilities/lca-client/lca/entities-lca.ts
https://github.com/aws-samples/amazon-transcribe-live-call-analytics/blob/main/lca-ai-stack/TranscriptLambdaHookFunction.md
(lca-ai-stack: call_event_processor.py, schema.graphql for the channels; lca.js for string times.)

Other events of LCA and channels that hold no words of customer or agent are counted, not taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from assist.bridges.model import BridgeError, BridgeInput, Fields, ordered, utterance

_CHANNELS: dict[str, str | None] = {
    "CALLER": "customer",
    "CUSTOMER": "customer",
    "AGENT": "agent",
    "AGENT_ASSISTANT": None,
    "AGENT_VOICETONE": None,
    "CALLER_VOICETONE": None,
    "CATEGORY_MATCH": None,
}
_TRACKS = {"ch_0": "customer", "ch_1": "agent"}
_ROLES = {"CUSTOMER": "customer", "AGENT": "agent"}
_OTHER_EVENTS = (
    "UPDATE_AGENT",
    "ADD_SUMMARY",
    "ADD_AGENT_ASSIST",
    "ADD_CALL_CATEGORY",
    "ADD_S3_RECORDING_URL",
    "ADD_PCA_URL",
    "CALL_ANALYTICS_METADATA",
)
_EVENTS = {
    name: name for name in ("START", "END", "ERROR", "CONTINUE", "ADD_TRANSCRIPT_SEGMENT", *_OTHER_EVENTS)
}


def utterances(payload: Mapping[str, Any]) -> BridgeInput:
    """What one event says.  Raises BridgeError where it is not in the shape of LCA."""
    fields = Fields(payload)
    event = fields.one_of("EventType", _EVENTS)
    call_id = fields.identifier("CallId")
    lines: list[dict[str, Any]] = []
    ignored: Counter[str] = Counter()
    if event == "ADD_TRANSCRIPT_SEGMENT":
        if fields.has("UtteranceEvent"):
            _from_utterance(fields.inner("UtteranceEvent"), lines, ignored)
        elif fields.has("TranscriptEvent"):
            for result in fields.inner("TranscriptEvent").inner("Transcript").items("Results"):
                _from_result(result, lines, ignored)
        else:
            _from_segment(fields, lines, ignored)
    elif event not in ("START", "END"):
        ignored[event] += 1
    return BridgeInput(
        call_id=call_id,
        started=event == "START",
        ended=event == "END",
        utterances=tuple(lines),
        ignored=dict(ignored),
    )


def _from_segment(fields: Fields, lines: list[dict[str, Any]], ignored: Counter[str]) -> None:
    party = fields.one_of("Channel", _CHANNELS)
    if party is None:
        ignored[f"channel {fields.raw('Channel')}"] += 1
        return
    begin, end = ordered(fields, "EndTime", fields.seconds("StartTime"), fields.seconds("EndTime"))
    final = not fields.flag("IsPartial")
    _add(
        fields.identifier("SegmentId"), party, fields.text("Transcript"), (begin, end), final, lines, ignored
    )


def _from_utterance(fields: Fields, lines: list[dict[str, Any]], ignored: Counter[str]) -> None:
    party = fields.one_of("ParticipantRole", _ROLES)
    begin, end = fields.milliseconds("BeginOffsetMillis"), fields.milliseconds("EndOffsetMillis")
    times = ordered(fields, "EndOffsetMillis", begin, end)
    final = not fields.flag("IsPartial")
    _add(fields.identifier("UtteranceId"), party, fields.text("Transcript"), times, final, lines, ignored)


def _from_result(fields: Fields, lines: list[dict[str, Any]], ignored: Counter[str]) -> None:
    party = fields.one_of("ChannelId", _TRACKS)
    times = ordered(fields, "EndTime", fields.seconds("StartTime"), fields.seconds("EndTime"))
    final = not fields.flag("IsPartial")
    alternatives = fields.items("Alternatives")
    if not alternatives:
        raise BridgeError(fields.at("Alternatives"), "at least one alternative", None)
    text = alternatives[0].text("Transcript")
    _add(fields.identifier("ResultId"), party, text, times, final, lines, ignored)


def _add(
    utterance_id: str,
    party: str,
    text: str,
    times: tuple[int, int],
    final: bool,
    lines: list[dict[str, Any]],
    ignored: Counter[str],
) -> None:
    if text:
        lines.append(utterance(utterance_id, party, text, *times, final=final))
    else:
        ignored["segment without words"] += 1
