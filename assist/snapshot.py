"""An assisted call as one JSON value: what a page shows that opens in the middle of it.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from assist.shadow import Shadow
from assist.suggest.model import Said
from bot.bus.assisted import CallMeta

MAX_SUGGESTIONS = 24
"""So many of the last cards are kept in the snapshot."""

_LEVELS = ("", "客户有异议", "客户情绪不好", "违规用语")


def snapshot_of(
    meta: CallMeta,
    customer: Mapping[str, Any],
    shadow: Shadow,
    seq: int,
    reactions: Mapping[str, str],
    after_call: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The call up to `seq`.  `customer`: masked; `reactions`: card id → last feedback."""
    cards = list(shadow.cards.items())[-MAX_SUGGESTIONS:]
    panel = shadow.panel()
    if after_call is not None:
        panel["after_call"] = dict(after_call)
    return {
        "kind": "snapshot",
        "seq": seq,
        "call_id": meta.call_id,
        "call": {
            "call_id": meta.call_id,
            "agent_id": meta.agent_id,
            "script": meta.script,
            "script_version": meta.script_version,
            "direction": meta.direction,
            "started": meta.started,
            "customer": dict(customer),
            "ended": after_call is not None,
            "handed_over": meta.handed_over,
            "title": {"zh": shadow.picture.script.title.zh, "en": shadow.picture.script.title.en},
        },
        "panel": panel,
        "transcript": [line_of(said) for said in shadow.picture.said],
        "suggestions": {
            number: {**msgspec.to_builtins(card), "feedback": reactions.get(number)} for number, card in cards
        },
    }


def line_of(said: Said) -> dict[str, Any]:
    """A line of the transcript."""
    return {
        "utterance_id": said.utterance_id,
        "party": said.party,
        "text": said.text,
        "acts": list(said.acts),
        "begin_ms": said.begin_ms,
        "end_ms": said.end_ms,
        "sentiment": said.sentiment,
    }


def live_row(meta: CallMeta, customer: Mapping[str, Any], shadow: Shadow) -> dict[str, Any]:
    """The supervisor's row of a call: what burns first, in words."""
    picture = shadow.picture
    last, line = picture.last, picture.customer
    level, trouble = 0, None
    if picture.objection is not None:
        level, trouble = 1, _LEVELS[1]
    if line is not None and line.sentiment == "negative":
        level, trouble = 2, _LEVELS[2]
    recent = [alarm for alarm in picture.alarms if picture.now_ms - alarm.at_ms < 60_000]
    if recent:
        level, trouble = 3, f"{recent[-1].title}「{recent[-1].words}」"
    return {
        "call_id": meta.call_id,
        "agent_id": meta.agent_id,
        "script": meta.script,
        "title": {"zh": picture.script.title.zh, "en": picture.script.title.en},
        "started": meta.started,
        "customer": dict(customer),
        "stage": picture.stage,
        "objection": picture.objection,
        "sentiment": line.sentiment if line is not None else None,
        "alarms": [{"rule": alarm.rule, "words": alarm.words, "title": alarm.title} for alarm in recent],
        "trouble": trouble,
        "trouble_level": level,
        "last": {"party": last.party, "text": last.text} if last is not None else None,
        "talk": {"customer_ms": picture.customer_ms, "agent_ms": picture.agent_ms},
        "at_ms": picture.now_ms,
    }
