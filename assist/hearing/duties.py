"""What the agent must say and must not say, found in the agent's words. Pure.

A must-say is done when the words match one of its patterns or the line is its node (or discloses it).
A must-not-say is an alarm at the word; what stands in `unless` around it makes it harmless.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from assist.hearing.facts import Line, values_in
from assist.hearing.tone import compiled
from assist.suggest.catalogue import Charge
from assist.suggest.conditions import as_number
from assist.suggest.model import Alarm
from assist.suggest.script import AssistScript, MustSay

AROUND: Final = 8
"""Characters before and after the words in which `unless` is looked for."""

_PRICE_TALK: Final = re.compile(r"套餐|月租|宽带|融合|一个月|每月|月费|办|档|费用|价|流量包|预缴|包年")
_A_PIECE: Final = re.compile(r"[这那哪另每]一?块$")
"""这一块, 哪一块: a part of something, no yuan."""
_OFFERING: Final = re.compile(
    r"套餐|融合|档|优惠|打.{0,3}折|[一二三四五六七八九]折|返|给您|帮您|我们(这|有)|宽带|包含|送|方案|办法|权益"
)
_PUSHES: Final = re.compile(
    r"再考虑|真的?亏|亏了|错过|可惜|赶紧|赶快|必须|为什么不|怎么不|过了.{0,4}就没|机会难得|划算.{0,6}(办|定)"
)
"""Words that press a customer who has just refused."""
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
        if entity["entity"] != "money" or _A_PIECE.search(text[: int(entity.get("end", 0))]):
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


def wrong_discount(
    entities: Sequence[Mapping[str, Any]],
    products: Iterable[tuple[Charge, bool]],
    utterance_id: str,
    at_ms: int,
) -> Alarm | None:
    """An alarm where an agent names a share of the bill (七折) that this customer is not entitled to.

    `products`: each product's charge, and whether this customer may have it.
    """
    shares = [(charge.percent, allowed) for charge, allowed in products if charge.kind == "share"]
    for entity in entities if shares else ():
        if entity["entity"] != "percent":
            continue
        percent = Decimal(str(entity["value"]))
        if not any(allowed and percent == share for share, allowed in shares):
            return Alarm(
                rule="above_tier", words=str(entity.get("text") or percent), utterance_id=utterance_id,
                at_ms=at_ms, title="超出客户等级", remedy="不好意思,我更正一下,优惠以系统里您这一级的为准。",
            )  # fmt: skip
    return None


def names_price(line: Line, charge: Charge) -> bool:
    """Whether an agent's words name what a product costs (48块, 够五十八的档, 八折)."""
    if not _OFFERING.search(line.text):
        return False
    if charge.kind == "share":
        return any(
            entity["entity"] == "percent" and Decimal(str(entity["value"])) == charge.percent
            for entity in line.entities
        )
    return bool(charge.yuan) and any(
        "money" in value.kinds and as_number(value.value) == charge.yuan for value in values_in(line)
    )


def pressing(
    script: AssistScript,
    text: str,
    nodes: Collection[str],
    expects: str | None,
    utterance_id: str,
    at_ms: int,
    *,
    over: bool,
) -> Alarm | None:
    """An alarm where the agent goes on selling after the customer has refused for good (`over`), or
    presses one who has just refused."""
    sells = expects == "offer" or any(script.nodes[name].card in _SELLING for name in nodes)
    if (over and sells) or _PUSHES.search(text):
        return Alarm(
            rule="pressing", words=text[:12], utterance_id=utterance_id, at_ms=at_ms,
            title="客户已拒绝,别再推销", remedy="好的,尊重您的意思,就不打扰您了。",
        )  # fmt: skip
    return None


def _harmless(unless: Sequence[str], text: str, found: re.Match[str]) -> bool:
    around = text[max(0, found.start() - AROUND) : found.end() + AROUND]
    return any(compiled(pattern).search(around) for pattern in unless)
