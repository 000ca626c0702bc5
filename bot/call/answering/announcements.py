"""Words → who speaks: the network, a voicemail box, a call assistant, or nobody of these.

The cues of both lexicons are added up, each once.  Words that only a living person says take the
suspicion away, in the utterance where the machine was suspected or after it; an announcement must
begin an utterance, since a person tells about announcements in the midst of his.  Pure; text may be
partial, without punctuation, misheard, in traditional characters.  Never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.call.answering import lexicon_en, lexicon_zh
from bot.call.answering.cues import Cue, Lexicon
from bot.call.answering.kinds import Kind, Reason
from bot.understanding.normalize import HANZI, clean

_SHARED = 0.5  # the most that cues can make up which people share with machines
_UNEXPLAINED = 0.9  # an announcement that says nothing known of the number
_NAMES_ITSELF = 0.8  # a cue of an assistant that says what it is
_AGAIN = 0.7  # an announcement that begins once more, or in the other language
_NO_REASON: tuple[Reason, None] = ("", None)
_LINKS = re.compile(f"[^a-z0-9{HANZI}]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the words make likely.

    `score`: sum of the cues' weights for `kind` (parameters say what is enough).  `hold`: the last
    that was said is that someone may still answer.  `person`: a living person's words followed.
    """

    kind: Kind = "unknown"
    reason: Reason = ""
    score: float = 0.0
    hold: bool = False
    person: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """One utterance's cues, and what else decides; as Lexicon names them."""

    carrier: frozenset[Cue] = frozenset()
    voicemail: frozenset[Cue] = frozenset()
    assistant: frozenset[Cue] = frozenset()
    openings: int = 0
    reason: Reason = ""
    hold: bool = False
    asks: bool = False
    lively: bool = False
    no_carrier: bool = False

    @property
    def any(self) -> bool:
        """Whether a machine is to be suspected at all."""
        return bool(self.carrier or self.voicemail or self.assistant)


def read(utterances: Sequence[str]) -> Reading:
    """Judge what was said so far: the utterances in order, the last one may be unfinished."""
    found = [_search(text) for text in utterances]
    first = next((i for i, one in enumerate(found) if one.any), None)
    if first is None:
        return Reading(
            hold=bool(found) and found[-1].hold, person=any(one.lively or one.asks for one in found)
        )
    found = found[first:]
    lively = any(one.lively for one in found)
    person = lively or any(one.asks for one in found)
    hold = next((one.hold for one in reversed(found) if one.hold or one.reason or one.voicemail), False)
    box, box_own = _weigh(one.voicemail for one in found)
    helper, helper_own = _weigh(one.assistant for one in found)
    named_itself = any(cue.weight >= _NAMES_ITSELF for one in found for cue in one.assistant)
    carrier, _ = _weigh(one.carrier for one in found)
    openings = sum(one.openings for one in found)
    carrier += _AGAIN * max(0, openings - 1)
    recorder = box_own and box >= max(1.0, helper)
    if recorder:
        box += min(helper, _SHARED)
    elif helper_own:
        helper += box
    elif box_own:
        box, helper = box + min(helper, _SHARED), 0.0
    else:
        box, helper = min(box, _SHARED), min(helper, _SHARED)
    if recorder or (box_own and box >= 1.0 and not helper_own):
        return Reading("machine", "voicemail", box + carrier, False, person)
    if helper_own and helper >= (1.0 if named_itself else max(1.0, carrier)):
        return Reading("assistant", "assistant", helper, hold, lively)
    if openings and carrier >= box:
        named: Reason = next((one.reason for one in found if one.reason), "unspecified")
        reason: Reason = "forwarded" if hold else named
        if named == "unspecified" and openings < 2:
            carrier = min(carrier, _UNEXPLAINED)  # 您拨打的用户正在吃饭
        return Reading("announcement", reason, carrier, hold, person or any(one.no_carrier for one in found))
    if helper > box:
        return Reading("assistant", "assistant", helper, hold, lively)
    if box:
        return Reading("machine", "voicemail", box, hold, person)
    return Reading("announcement", "unspecified", min(carrier, _SHARED), hold, person)


def _weigh(groups: Iterable[frozenset[Cue]]) -> tuple[float, bool]:
    """The weights of all cues, each cue once; and whether one of them is a machine's own."""
    cues: frozenset[Cue] = frozenset().union(*groups)
    return sum(cue.weight for cue in cues), any(cue.own for cue in cues)


@lru_cache(maxsize=512)
def _search(text: str) -> _Found:
    """The cues of one utterance, in both languages."""
    cleaned = clean(text)
    hanzi = _LINKS.sub("", cleaned)
    chinese = _search_in(lexicon_zh.LEXICON, hanzi, begun=False)
    english = _search_in(lexicon_en.LEXICON, cleaned, begun=chinese.openings > 0)
    return _Found(
        chinese.carrier | english.carrier,
        chinese.voicemail | english.voicemail,
        chinese.assistant | english.assistant,
        chinese.openings + english.openings,
        chinese.reason or english.reason,
        chinese.hold or english.hold,
        chinese.asks or english.asks,
        chinese.lively or english.lively,
        chinese.no_carrier or english.no_carrier,
    )


def _search_in(lexicon: Lexicon, text: str, *, begun: bool) -> _Found:
    """The cues of one language.  `begun`: an announcement began in the other one, before this."""
    heard = lexicon.heard_as(text)
    if len(heard) < 2:
        return _Found()
    begins = [(found.start(), cue) for cue in lexicon.openings for found in cue.pattern.finditer(heard)]
    if begins and not begun and min(start for start, _ in begins) > lexicon.near:
        begins = []
    strongest = max((cue for _, cue in begins), key=lambda cue: cue.weight, default=None)
    reason, why = next((named for named in lexicon.reasons if named[1].search(heard)), _NO_REASON)
    carrier = {cue for cue in lexicon.tails if cue.pattern.search(heard)}
    hold = lexicon.hold.search(heard) is not None and not carrier
    if strongest is not None:
        carrier.add(strongest)
    if why is not None:
        carrier.add(Cue(lexicon.reason_weight, why))
    spoken = heard if lexicon is lexicon_en.LEXICON else text
    return _Found(
        frozenset(carrier),
        frozenset(cue for cue in lexicon.voicemail if cue.pattern.search(heard)),
        frozenset(cue for cue in lexicon.assistant if cue.pattern.search(heard)),
        sum(cue is strongest for _, cue in begins),
        reason,
        hold,
        lexicon.asks.search(spoken) is not None,
        lexicon.lively.search(spoken) is not None,
        lexicon.no_carrier.search(spoken) is not None,
    )
