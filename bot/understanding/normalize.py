"""Text as recognisers deliver it → text that the rest can rely on.

`clean` makes one spelling of one text (for everything that follows, the log included).
`fold` goes further, for features of a classifier only: it drops what carries no meaning.
Both are idempotent and linear in time; both keep the placeholders of `masking` as they are.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

RAW_LIMIT: Final = 2000
"""Characters looked at; what lies beyond is dropped unread (99 % of real lines have under 73)."""
KEPT_LIMIT: Final = 500
"""Characters kept of the cleaned text."""

HANZI: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f〇"
_WIDE: Final = HANZI + "\u3001-\u3003\u3008-\u3011\u2014\u2018-\u201d\u2026"
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_VARIATION_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\u180b-\u180d\u034f\u115f\u1160\u3164\uffa0]")
_SPACES: Final = re.compile(r"\s+")
_SPACE_AT_HANZI: Final = re.compile(f" (?=[{_WIDE}])|(?<=[{_WIDE}]) ")
_PLACEHOLDER: Final = re.compile("<(?:id|card|phone|name|digits)>")
_CUT_PLACEHOLDER: Final = re.compile("<[A-Z]+$")
_PLAIN: Final = re.compile(f"[a-z0-9{HANZI}，。？！、,.?!]*")

_PUNCTUATION: Final = re.compile(
    r"(?<![0-9])[,.:]|[,.:](?![0-9])|[!?;~\"()\[\]{}…—。、《》〈〉「」『』【】·“”‘’`|\\/*_^=]+"
)
_CLAUSE_END: Final = r"(?=[,.!?;~…—。、 ]|$)"
_CLAUSE_START: Final = r"(?:(?<=[,.!?;~…—。、 ])|^)"
_FILLERS: Final = re.compile(
    r"呃+|嗯+|哎[呀哟]?|唉+|诶+|欸+"
    rf"|{_CLAUSE_START}(?:额+|(?:那个|这个|就是说|怎么说呢)+){_CLAUSE_END}"
    r"|(?<![a-z'])(?:u+h+|u+m+|e+rm*|h+m+)(?![a-z'])(?![ -]?hu[hm])"
)
_PARTICLES: Final = "啊呀哦噢哟咯喽嘞"
_END_PARTICLES: Final = re.compile(rf"(?<=[^{_PARTICLES},.!?;~…—。、 ])[{_PARTICLES}]+{_CLAUSE_END}")
_MEANINGFUL: Final = re.compile(rf"[^{_PARTICLES}\W_]")
_DOUBLES: Final = "谢拜妈爸哥姐弟妹爷奶叔看听想试问说刚常天慢喂哈"
_TOKEN: Final = re.compile(
    r"<(?:ID|CARD|PHONE|NAME|DIGITS)>"
    rf"|([{_DOUBLES}])\1+"
    r"|[a-z0-9]+(?:['.,:\-][a-z0-9]+)*%?"
    r"|\S"
)
_NUMERAL: Final = frozenset("0123456789零〇一二两三四五六七八九十百千万亿幺")
_LONGEST_REPEAT: Final = 8


def _visible(text: str) -> str:
    """Without control, zero-width, bidirectional and unassigned characters; spaces are kept."""
    kept = (
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) not in _INVISIBLE
    )
    return _VARIATION_SELECTORS.sub("", "".join(kept))


def clean(text: str) -> str:
    """One spelling of `text`: NFKC (so full width becomes half), nothing invisible, lower case,
    no spaces beside hanzi, at most KEPT_LIMIT characters.  Placeholders such as <PHONE> stay.

    Only the first RAW_LIMIT characters are read, so any input is fast.
    """
    text = text[:RAW_LIMIT]
    if not _PLAIN.fullmatch(text) or not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", _visible(text))
        text = unicodedata.normalize("NFKC", _visible(text).lower())
        text = _SPACES.sub(" ", text).strip()
        text = _SPACE_AT_HANZI.sub("", text)
        text = _PLACEHOLDER.sub(lambda found: found[0].upper(), text)
    if len(text) > KEPT_LIMIT:
        text = _CUT_PLACEHOLDER.sub("", text[:KEPT_LIMIT]).rstrip()
    return text


def fold(text: str) -> str:
    """`text` for features: cleaned, fillers out, immediate repeats once, end particles thinned.

    Never folds words to nothing: a line that is all filler (嗯) keeps one of each.  Punctuation
    goes, since recognisers print it or not.  Repeats are units of up to 8 characters or words;
    numbers never collapse (幺幺零), reduplicated words stay double (谢谢, and 喂喂, which checks
    the line where 喂 greets).
    """
    folded = clean(text)
    while (shorter := _fold_once(folded)) != folded:
        folded = shorter
    return folded


def _fold_once(cleaned: str) -> str:
    """One round of folding; never longer than what it was given.  A second round is rare: where
    what went stood between two halves of a repeat."""
    thinned = _END_PARTICLES.sub("", _FILLERS.sub("", cleaned))
    if not _MEANINGFUL.search(thinned):
        thinned = cleaned
    return _collapse(_SPACE_AT_HANZI.sub("", _SPACES.sub(" ", _PUNCTUATION.sub(" ", thinned)).strip()))


def _collapse(text: str) -> str:
    """`text` without a unit of one to eight tokens that stands twice in a row."""
    tokens: list[str] = []
    spaced: list[bool] = []
    for found in _TOKEN.finditer(text):
        token = found[0]
        if found[1]:
            token = found[1] * 2
        tokens.append(token)
        spaced.append(found.start() > 0 and text[found.start() - 1] == " ")
        for size in range(1, min(_LONGEST_REPEAT, len(tokens) // 2) + 1):
            if token != tokens[-1 - size] or tokens[-size:] != tokens[-2 * size : -size]:
                continue
            if all(_NUMERAL.issuperset(unit) for unit in tokens[-size:]):
                continue
            del tokens[-size:], spaced[-size:]
            break
    return "".join(f" {token}" if space else token for token, space in zip(tokens, spaced, strict=True))
