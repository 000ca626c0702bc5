"""What a text so far shows of being complete: its end, its length, its parts of speech, what was asked.

Names of features, for the linear model of `completeness`.  The end is seen as characters (words in
English), with and without final particles.  The rest generalises over words: how far from the end
stand the last negator, question word, verb, number and so on, and in which order; the last parts of
speech (completeness_lexicon); whether the clause has a predicate; and these by what the bot asked.
"""

from __future__ import annotations

import re

from bot.understanding.completeness_lexicon import tagged

Tagged = tuple[tuple[str, str], ...]

HAN = re.compile(r"[\u3400-\u9fff]")
_PARTICLES = re.compile(r"[吗呢吧啊了呀嘛啦哈哦的]+$")
_CLAUSE_STARTS = frozenset(["link", "if", "when", "final"])
_PREDICATES = frozenset(["verb", "whole", "adj", "be", "have", "say", "ask"])
_OPENERS = re.compile(r"(如果|要是|假如|因为|虽然|既然|除非|只要|等我)")
_CLOSERS = re.compile(r"(就|那|所以|但|也|还|怎么|吗|呢|才|都|再)")
_MARKS = {
    "neg": "不没别无未莫冇甭",
    "que": "哪什谁吗呢几怎多啥咋",
    "de": "的",
    "le": "了",
    "pro": "我你他她您俺",
    "be": "是",
    "con": "但所因如要虽而且还就那",
    "verb": "办用开打说讲给来去看听想知换买交扣收送发退查问找帮修弄装搞取试卡断",
    "adj": "好行对贵忙慢快少贱烦便懂清楚白差",
    "mod": "能会可该得想愿需",
    "adv": "很太都也再又才老挺蛮真最更",
    "loc": "上下里边外前后",
    "unit": "个张块点次年月天号份条",
}
_MARK_OF: dict[str, tuple[str, ...]] = {}
for _name, _chars in _MARKS.items():
    for _char in _chars:
        _MARK_OF[_char] = (*_MARK_OF.get(_char, ()), _name)


GROUPS = {
    "yes_no_question": "y",
    "offer": "y",
    "identity_check": "i",
    "time": "t",
    "digits": "o",
    "open_question": "o",
    "pitch": "o",
    "none": "o",
}


def features(folded: str, expects: str = "") -> list[str]:
    """Names of the features of a folded text that is not empty; each counts 1.

    `expects`: what the bot's line expects (bot.turn.Expects), "" where that is not known.
    """
    chinese = bool(HAN.match(folded[-1]))
    names = ["bias"]
    names += _chinese(folded) if chinese else _english(folded.split())
    names += _grammar(tagged(folded), GROUPS.get(expects, ""), "z" if chinese else "e")
    if _OPENERS.search(folded) and not _CLOSERS.search(_OPENERS.split(folded)[-1]):
        names.append("open condition")
    return names


def _grammar(words: Tagged, group: str, language: str) -> list[str]:
    """The last parts of speech, whether the clause has a predicate, and what was asked."""
    tags = [tag for _, tag in words]
    while len(tags) > 1 and tags[-1] == "final":
        tags.pop()
    stripped = "+" if len(tags) < len(words) else "-"
    one, two = tags[-1], tags[-2] if len(tags) > 1 else "^"
    three = tags[-3] if len(tags) > 2 else "^"
    last = words[len(tags) - 1][0]
    start = 0
    for place, tag in enumerate(tags[:-1]):
        if tag in _CLAUSE_STARTS:
            start = place + 1
    clause = tags[start:]
    predicate = "p" if any(tag in _PREDICATES for tag in clause) else "-"
    inner = "p" if any(tag in _PREDICATES for tag in clause[:-1]) else "-"
    size = bucket(len(clause))
    names = [
        f"{language}t1:{one}{stripped}",
        f"{language}t2:{two} {one}{stripped}",
        f"{language}t3:{three} {two} {one}",
        f"{language}tw:{two} {last}",
        f"{language}w:{last}{stripped}",
        f"{language}c:{predicate}{inner}{one}{stripped}",
        f"{language}cs:{predicate}{inner}{size}{stripped}",
        f"{language}f1:{clause[0]}{predicate}{one}",
    ]
    if len(tags) <= 5:
        names.append(f"{language}all:{' '.join(tags)}{stripped}")
    if group:
        names += [
            f"{group}",
            f"{group}1:{one}{stripped}",
            f"{group}p:{predicate}{inner}{one}",
            f"{group}n:{min(len(tags), 6)}",
        ]
        if len(tags) <= 3:
            names.append(f"{group}all:{' '.join(tags)}")
    return names


def _chinese(text: str) -> list[str]:
    size = bucket(len(text))
    names = [f"{n}<{text[-n:]}" for n in range(1, min(4, len(text)) + 1)]
    names += [f"zh:{size}", f"1@{size}<{text[-1]}", f"first:{text[:2]}@{size}"]
    if len(text) <= 4:
        names.append(f"all:{text}")
    bare = _PARTICLES.sub("", text)
    names.append(f"part:{text[len(bare) :][-2:]}@{bucket(len(bare))}")
    names += [f"b{n}<{bare[-n:]}" for n in range(1, min(3, len(bare)) + 1)]
    last: dict[str, int] = {}
    for place, char in enumerate(text):
        for mark in _MARK_OF.get(char, ()):
            last[mark] = place
    names += [f"{mark}@{_distance(len(text) - 1 - last[mark]) if mark in last else '-'}" for mark in _MARKS]
    order = sorted(last, key=lambda mark: last[mark])
    names.append("order:" + " ".join(order[-3:]))
    if order:
        names.append(f"order2:{' '.join(order[-2:])}@{_distance(len(text) - 1 - last[order[-1]])}")
    return names


def _english(words: list[str]) -> list[str]:
    size = bucket(len(words))
    names = [f"w{n}<{' '.join(words[-n:])}" for n in range(1, min(3, len(words)) + 1)]
    return [*names, f"en:{size}", f"ending:{words[-1][-2:]}", f"wfirst:{words[0]}@{size}"]


def bucket(size: int) -> str:
    """A length, coarsely."""
    for limit in (0, 1, 2, 3, 4, 6, 8, 11, 15, 20, 30):
        if size <= limit:
            return str(limit)
    return "more"


def _distance(chars: int) -> str:
    return str(chars) if chars < 4 else "4-5" if chars < 6 else "6-8" if chars < 9 else "9"
