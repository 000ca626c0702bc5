"""What the agent's page shows of a call, as plain JSON data: the panel, and what changed of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from assist.suggest.candidates import next_question
from assist.suggest.offers import describe
from assist.suggest.pace import Screen
from assist.suggest.picture import Picture
from assist.suggest.situation import Situation


def panel_of(picture: Picture, now: Situation, screen: Screen) -> dict[str, Any]:
    """All parts of the panel."""
    heard = picture.customer_ms + picture.agent_ms
    return {
        "stage": picture.stage,
        "objection": picture.objection,
        "card": screen.primary.id if screen.primary is not None else None,
        "folded": [card.id for card in screen.folded],
        "facts": _facts(picture, now),
        "checklist": [
            {
                "key": item.key, "title": item.title, "text": item.text, "at_ms": item.at_ms,
                "evidence": item.evidence, "due": item.due,
            }
            for item in picture.checklist.values()
        ],
        "alarms": [
            {
                "rule": alarm.rule, "words": alarm.words, "utterance_id": alarm.utterance_id,
                "at_ms": alarm.at_ms, "title": alarm.title, "remedy": alarm.remedy,
            }
            for alarm in picture.alarms
        ],
        "offers": [{**describe(offer), "rank": rank} for rank, offer in enumerate(now.offers[:4], start=1)],
        "talk": {
            "customer_ms": picture.customer_ms,
            "agent_ms": picture.agent_ms,
            "share": round(picture.customer_ms / heard, 2) if heard else None,
        },
        "customer_type": picture.customer_type,
        "signals": picture.signals[-3:],
        "way_in": list(picture.script.way_in[:3]),
    }  # fmt: skip


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The parts that differ, whole."""
    return {key: value for key, value in after.items() if key not in before or before[key] != value}


def _facts(picture: Picture, now: Situation) -> list[dict[str, Any]]:
    wanted = next_question(picture, now) if not picture.over else None
    rows = []
    for rule in picture.script.facts.values():
        fact = picture.facts.get(rule.name)
        rows.append(
            {
                "name": rule.name,
                "title": {"zh": rule.title.zh, "en": rule.title.en},
                "layer": rule.layer,
                "kind": rule.kind,
                "unit": rule.unit,
                "value": None if fact is None else plain_value(fact.value),
                "source": None if fact is None else fact.source,
                "evidence": None if fact is None else fact.evidence,
                "at_ms": 0 if fact is None else fact.at_ms,
                "guessed": fact is not None and fact.guessed,
                "was": None if fact is None or fact.was is None else plain_value(fact.was),
                "next": rule.name == wanted,
            }
        )
    return rows


def plain_value(value: Any) -> Any:
    """A fact's value as JSON knows it."""
    return float(value) if isinstance(value, Decimal) else value
