"""The customer's feeling, and the signs of buying, of leaving and of the type, in the words. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

from assist.suggest.script import AssistScript, TypeCues

Sentiment = Literal["negative", "neutral", "positive"]

_ANGRY: Final = frozenset({"complain", "abuse", "object_bad_service", "object_frequency", "request_dnc"})
_COOL: Final = frozenset({"object_distrust", "object_price", "decline_offer", "wrong_person"})
_WARM: Final = frozenset({"accept_offer", "thank"})
_BAD: Final = re.compile(
    r"烦|气死|什么破|垃圾|坑|骗|投诉|差劲|太差|恼火|受不了|无语|离谱|忽悠|乱扣|扣我|恶心|失望|生气|老是|总是.{0,4}断|慢死|卡死|不讲理|糊弄"
    r"|够呛|闹心|憋屈|窝火|咋回事|搞什么|terrible|awful|ridiculous|rip.?off|fed up|angry",
    re.IGNORECASE,
)
_GOOD: Final = re.compile(
    r"挺好|不错|可以啊|行啊|太好了|划算|合适|满意|谢谢|感谢|蛮好|中啊|得劲|巴适|要得"
    r"|great|good deal|sounds good|perfect",
    re.IGNORECASE,
)
_NEGATED: Final = re.compile(r"不(太|怎么|是很|大)?(好|错|划算|合适|满意|可以|行)|没(什么)?好")


def sentiment(text: str, acts: Sequence[str]) -> Sentiment:
    """The feeling in a customer's line."""
    score = 0
    score -= 2 * bool(_ANGRY & set(acts[:2])) + bool(_COOL & set(acts[:2]))
    score += bool(_WARM & set(acts[:2]))
    score -= 2 * bool(_BAD.search(text))
    if _GOOD.search(text) and not _NEGATED.search(text.replace("不错", "")):
        score += 1
    return "negative" if score <= -2 else "positive" if score >= 1 else "neutral"


def buying_signals(script: AssistScript, text: str, acts: Collection[str]) -> tuple[str, ...]:
    """The signs of buying in a customer's line: acts, and the words that match."""
    found = [act for act in acts if act in script.signals.acts]
    return (*found, *_matches(script.signals.words, text))


def leaving_words(script: AssistScript, text: str) -> tuple[str, ...]:
    """The words that say that the customer is about to leave."""
    return _matches(script.leaving.words, text)


def type_points(types: Sequence[TypeCues], text: str) -> dict[str, int]:
    """For each customer type, how many of its cues stand in the words."""
    return {kind.type: len(_matches(kind.cues, text)) for kind in types}


def _matches(patterns: Sequence[str], text: str) -> tuple[str, ...]:
    return tuple(found.group() for pattern in patterns if (found := compiled(pattern).search(text)))


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled once."""
    return re.compile(pattern, re.IGNORECASE)


def strongest_type(points: dict[str, int]) -> str | None:
    """The type with the most cues so far, None on a tie or without any."""
    ordered: list[tuple[str, Any]] = sorted(points.items(), key=lambda item: -item[1])
    if not ordered or ordered[0][1] == 0:
        return None
    return None if len(ordered) > 1 and ordered[1][1] == ordered[0][1] else ordered[0][0]
