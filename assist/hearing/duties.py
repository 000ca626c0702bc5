"""What the agent must say and must not say, found in the agent's words. Pure.

A must-say is done when the words match one of its patterns or the line is its node (or discloses it).
A must-not-say is an alarm at the word; what stands in `unless` around it makes it harmless.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from assist.hearing.tone import compiled
from assist.suggest.model import Alarm
from assist.suggest.script import AssistScript, MustSay

AROUND: Final = 8
"""Characters before and after the words in which `unless` is looked for."""

_PRICE_TALK: Final = re.compile(r"套餐|月租|宽带|融合|一个月|每月|月费|办|档|费用|价|流量包|预缴|包年")
_SELLING: Final = frozenset({"offer", "rebuttal", "close"})


def said_now(script: AssistScript, text: str, nodes: Collection[str], done: Collection[str]) -> list[MustSay]:
    """The must-says that an agent's line does, of those not done yet."""
    disclosed = {what for name in nodes for what in script.nodes[name].discloses}
    found = []
    for item in script.must_say:
        if item.key in done:
            continue
        if item.key in disclosed or any(compiled(word).search(text) for word in item.words):
            found.append(item)
    return found


def forbidden(
    script: AssistScript, text: str, utterance_id: str, at_ms: int, known: Iterable[Alarm]
) -> list[Alarm]:
    """New alarms in an agent's words, partial ones too: each rule once for an utterance."""
    had = {(alarm.rule, alarm.utterance_id) for alarm in known}
    alarms = []
    for rule in script.must_not_say:
        if (rule.rule, utterance_id) in had:
            continue
        for word in rule.words:
            match = next(
                (found for found in compiled(word).finditer(text) if not _harmless(rule.unless, text, found)),
                None,
            )
            if match is not None:
                alarms.append(
                    Alarm(
                        rule=rule.rule, words=match.group(), utterance_id=utterance_id, at_ms=at_ms,
                        title=rule.title.zh, remedy=rule.say,
                    )
                )  # fmt: skip
                break
    return alarms


def wrong_price(
    text: str,
    entities: Sequence[Mapping[str, Any]],
    allowed: Collection[Decimal],
    utterance_id: str,
    at_ms: int,
) -> Alarm | None:
    """An alarm where an agent names a price that no offer and no known figure has."""
    if not _PRICE_TALK.search(text):
        return None
    for entity in entities:
        if entity["entity"] != "money":
            continue
        try:
            value = Decimal(str(entity["value"]))
        except ArithmeticError:
            continue
        if value not in allowed:
            return Alarm(
                rule="wrong_price", words=str(entity.get("text") or value), utterance_id=utterance_id,
                at_ms=at_ms, title="价格对不上", remedy="不好意思,我更正一下,价格以系统里的为准。",
            )  # fmt: skip
    return None


def pressing(
    script: AssistScript,
    text: str,
    nodes: Collection[str],
    expects: str | None,
    utterance_id: str,
    at_ms: int,
) -> Alarm | None:
    """An alarm where the agent goes on selling after the customer has refused for good."""
    if expects == "offer" or any(script.nodes[name].card in _SELLING for name in nodes):
        return Alarm(
            rule="pressing", words=text[:12], utterance_id=utterance_id, at_ms=at_ms,
            title="客户已拒绝,别再推销", remedy="好的,尊重您的意思,就不打扰您了。",
        )  # fmt: skip
    return None


def _harmless(unless: Sequence[str], text: str, found: re.Match[str]) -> bool:
    around = text[max(0, found.start() - AROUND) : found.end() + AROUND]
    return any(compiled(pattern).search(around) for pattern in unless)
