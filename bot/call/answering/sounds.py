"""Chinese text as its sound: one private character a syllable, so that an ordinary regular expression
written in hanzi finds 您波打的永户 where it says 您拨打的用户, in traditional characters too.

Tones are dropped, and what southern speakers and recognisers confuse is made one: zh z, ch c, sh s,
n l at the beginning, n ng at the end.  Everything that is no hanzi stays as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pypinyin import lazy_pinyin

_FIRST_CODE = 0xE000  # Unicode's private use area: 6,400 codes for some 300 folded syllables
_HANZI = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]")
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n"))
_codes: dict[str, str] = {}


@lru_cache(maxsize=8192)
def _code(hanzi: str) -> str:
    """The private character of one hanzi's syllable; the hanzi itself where its sound is unknown."""
    found = lazy_pinyin(hanzi, errors="ignore")
    if not found:
        return hanzi
    syllable = found[0]
    for heard, kept in _INITIALS:
        if syllable.startswith(heard):
            syllable = kept + syllable[len(heard) :]
            break
    if syllable.endswith("ng"):
        syllable = syllable[:-1]
    return _codes.setdefault(syllable, chr(_FIRST_CODE + len(_codes)))


def as_sound(text: str) -> str:
    """`text` with each hanzi as the sign of its sound; as long as `text`."""
    return _HANZI.sub(lambda found: _code(found[0]), text)


def sound_of(*alternatives: str) -> re.Pattern[str]:
    """A pattern of alternatives written in hanzi, for text that went through `as_sound`."""
    return re.compile(as_sound("|".join(alternatives)))
