"""A customer's line and whose matters each part of it tells.  Pure.

A line is cut at pauses and wherever somebody else comes up (我妹的套餐, 人家移动, 你们那个48的) or the
customer comes back to themselves (我这个).  Every part knows whose it is, whether it tells of the past
(以前, 原来), supposes (要是), or asks.  What a part says of somebody else, of the past, of a case that is
only supposed, or as a question, states no fact of this customer's today.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

Who = Literal["own", "family", "other", "agent"]


@dataclass(frozen=True)
class Line:
    """A line with its meaning, for filling facts.  `before`: the agent's words that it answers;
    `today`: the day of the call, for 一八年办的 and 明年三月到期."""

    utterance_id: str
    text: str
    at_ms: int
    acts: tuple[str, ...]
    entities: tuple[Mapping[str, Any], ...] = ()
    before: str = ""
    today: date | None = None


@dataclass(frozen=True)
class Part:
    """A stretch of a line.  `clause`: the number of the pause-bounded clause that it lies in; `mine`:
    the customer names themselves in it (我家, 我这个); `marked`: it begins with the word that tells whose."""

    start: int
    end: int
    clause: int
    who: Who
    past: bool = False
    supposes: bool = False
    asks: bool = False
    mine: bool = False
    marked: bool = False


@dataclass(frozen=True)
class Parts:
    """The parts of a line in order; `turns`: where the customer corrects themselves (哎不对, 应该是)."""

    text: str
    parts: tuple[Part, ...]
    turns: tuple[int, ...] = ()
    _starts: tuple[int, ...] = field(default=())

    def at(self, position: int) -> Part:
        """The part in which a character lies."""
        return self.parts[max(0, bisect_right(self._starts, position) - 1)]

    def names(self, start: int, end: int, who: str) -> bool:
        """Whether words name somebody of that sort themselves (移动那边, 你们)."""
        return any(part.marked and part.who == who and start <= part.start < end for part in self.parts)

    def corrected(self, start: int, end: int) -> bool:
        """Whether the customer takes back, between the two places, what was said at the first."""
        return any(start <= turn < end for turn in self.turns)


OF_OTHERS: Final = "rival_"
"""How the names of facts begin that are about another company's offer."""
WORDS_APART: Final = 2.3
"""Characters between two spaces, on average, below which spaces stand between words and are no pauses."""
_SPACE_AT_HANZI: Final = re.compile(
    r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff0-9])|(?<=[0-9A-Za-z])\s+(?=[\u4e00-\u9fff])"
)
_PAUSES: Final = re.compile(
    r"[,，。;；、!！?？…\s]+|(?=但是|不过|可是|然后|还有一个|另外|再加上?|(?<!主)(?<!不)就是(?!说))"
)
_KIN: Final = (
    r"老[婆公伴]儿?|爱人|媳妇儿?|先生|太太|对象|爸妈|父母|[爸妈](?!的?天)|婆婆|公公|岳[父母]|孩子|儿子|女儿|闺女"
    r"|孙[子女]|爷爷|奶奶|外公|外婆|姥[姥爷]|老人|小孩"
)
_OUTSIDERS: Final = (
    r"朋友|同事|同学|邻居|隔壁|亲戚|妹妹?|姐姐?|哥哥?|弟弟?|兄弟|姐妹|舅舅?|[大小]?姨|叔叔?|姑姑?|表[哥弟姐妹]"
    r"|堂[哥弟姐妹]|丈母娘|老丈人|领导|老乡|工友|战友|室友|闺蜜|哥们儿?"
)
_RIVALS: Final = "移动|一动|电信|点信|联通|连通|广电"
_MARKS: Final = re.compile(
    rf"(?P<agent>[你您]们?(?:刚才|刚刚|上次|那边|这边)?(?:不是)?(?:说|讲|那个?|这个?|给(?!我)|推荐|介绍|广告|短信|才给|最高)"
    rf"|您那|广告上)"
    rf"|(?P<other>我?们?(?:家|的)?(?:{_OUTSIDERS})(?!爱看|要看)|(?:我|他|她)?(?:{_KIN})家(?!里)|(?<!老)人家|别人|别家|[他她][们家]"
    rf"|听说|听人|网上|大家|对方|对面|(?<![\u4e00-\u9fff])那边"
    rf"|(?:{_RIVALS})(?=那边|那儿|他们|(?:的人)?.{{0,3}}(?:给我|说|打电话|才|只要|便宜|同样))"
    rf"|同样的)"
    rf"|(?P<family>(?:我|咱)?(?:{_KIN}))"
    rf"|(?P<own>(?<![给送帮跟叫扣和替让返问加找是到收嫌要])(?:我|俺|咱|自己)(?!的?(?:{_OUTSIDERS}|{_KIN}))"
    rf"|(?<=[扣收])了?我)"
)
_BELONGS: Final = re.compile(r"(的|那个?|这个?)?(的|号|手机|套餐|卡|话费|那个?|这个?)")
_TAKEN_BACK: Final = re.compile(
    r"(哎|啊|哦|诶|呃|唉)?(不对|说错了?|记错了?|不是(?=[,，\s]|[0-9一二两三四五六七八九十])|搞错了?)|(?<![\u4e00-\u9fff])(啊|哦|呃)不(?![要用行好])"
    r"|[,，\s]不[,，\s]"
)
_THAT_IS: Final = re.compile(r"[哦啊哎]?[那这]个?是$")
_PAST: Final = re.compile(r"以前|之前|原来|原先|那时候|那会儿|早先|过去|头几年|前几年")
_STILL: Final = re.compile(r"(就|都)?(是)?.{0,5}(办|签|装|定|开)的")
_NOW: Final = re.compile(r"现在|如今|目前|后来|这两年|平常|平时|(换|改|升|涨|调|降)(成|到|为)?了?|今年|去年")
_SUPPOSES: Final = re.compile(r"(?<!主)(?<!只)要是|如果|假如|万一|假设|(?<!我)(?<!刚)(?<!都)换成(?!.{0,6}了)")
_RHETORICAL: Final = re.compile(
    r"怎么了|咋了|干嘛|干啥|干什么|还能(为|在|有)?(啥|什么|哪)|能咋|有(啥|什么)(?!条件|要求|优惠|区别|好处)|没(啥|什么)|[看搬]啥|满意啥|啥[呀啊]$"
    r"|不是.{0,12}吗|我还.{0,4}[吗么]|哪有|谁还|怎么(?=老|还|这么|那么|也得|扣)|什么(的|样)都?|几乎|没几|[十百千好]几"
)
_QUESTION: Final = re.compile(
    r"[吗么]($|[?？])|[吗么](?=[,，\s])|呢[?？]|多少|(?<![了过前这那哪没不])几(?![十百千乎])|什么|啥|哪|是不是|能不能|有没有|要不要|可不可以"
    r"|行不行|[^也都又就说对是]不[?？]?$|怎么|咋|为何|谁|差在|[0-9一二两三四五六七八九十].{0,6}是.{0,12}还是|[那个档]是?.{0,6}(吧|呢)[?？]$"
)
_N: Final = "[0-9一二两三四五六七八九十百千]"
_EITHER: Final = re.compile(rf"不是{_N}.{{0,5}}就是{_N}+|{_N}.{{0,3}}还是{_N}+")
"""不是一百就是两百: the customer does not know."""
_NAMED: Final = re.compile(r"(我们?|咱|俺)(家|这|的|自己|那|现在|一个月|每|用|才|就|有|都)|扣了?我")


def with_pauses(text: str) -> str:
    """A line as the recogniser wrote it, with a comma where a space between Chinese words is a pause:
    `normalize.clean` drops such spaces.  Not where the recogniser writes a space after every word."""
    pieces = text.split()
    if len(pieces) > 2 and sum(map(len, pieces)) / len(pieces) < WORDS_APART:
        return text
    return _SPACE_AT_HANZI.sub("，", text)


def parts_of(line: Line, *, agent: bool = False) -> Parts:
    """The parts of a line; an agent's (`agent`) is one part, about the customer."""
    text = line.text
    if agent:
        return Parts(text, (Part(0, len(text), 0, "own", mine=True),), (), (0,))
    clauses = _clauses(text)
    either = _EITHER.search(text)
    asks = [
        _asks(text[start:end]) or (either is not None and start < either.end() and either.start() < end)
        for start, end in clauses
    ]
    cuts: list[tuple[int, Who, bool]] = []
    for match in _MARKS.finditer(text):
        kind = match.lastgroup
        who: Who = "own" if kind == "own" else "family" if kind == "family" else "agent"
        who = "other" if kind == "other" else who
        lasts = who == "other" or (who == "family" and bool(_BELONGS.match(text, match.end())))
        cuts.append((match.start(), who, lasts))
    parts: list[Part] = []
    who, lasts, past, number = "own", False, False, 0
    for clause, (start, end) in enumerate(clauses):
        if not lasts:
            who = "own"
        said = text[start:end]
        supposed = _SUPPOSES.search(said)
        inside = [cut for cut in cuts[number:] if cut[0] < end]
        number += len(inside)
        bounds = [(start, who, lasts), *inside]
        for index, (at, owner, keeps) in enumerate(bounds):
            until = bounds[index + 1][0] if index + 1 < len(bounds) else end
            who, lasts = owner, keeps
            if at >= until and until != end:
                continue
            piece = text[at:until]
            was, now = _PAST.search(piece), _NOW.search(piece)
            if now and not (was and was.start() > now.start()):
                past = False
            elif was and not _STILL.match(piece, was.end()):
                past = True
            if who == "own" and index and not was and past and "现在" in piece:
                past = False
            parts.append(
                Part(
                    at, until, clause, who, past,
                    supposed is not None and until > start + supposed.start(), asks[clause],
                    bool(_NAMED.search(text[start:until])) and who == "own", index > 0,
                )
            )  # fmt: skip
        past = past and clause + 1 < len(clauses)
    parts = _given_back(text, clauses, parts)
    turns = tuple(match.start() for match in _TAKEN_BACK.finditer(text))
    return Parts(text, tuple(parts), turns, tuple(part.start for part in parts))


def _clauses(text: str) -> list[tuple[int, int]]:
    """Where the clauses lie; the pauses themselves belong to the clause before."""
    starts = [0]
    starts += [match.end() for match in _PAUSES.finditer(text) if 0 < match.end() < len(text)]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def _asks(clause: str) -> bool:
    return bool(_QUESTION.search(_RHETORICAL.sub("　", clause)))


def _given_back(text: str, clauses: list[tuple[int, int]], parts: list[Part]) -> list[Part]:
    """What 那是我妹的 says of the clause before it: that was hers."""
    for index, part in enumerate(parts):
        start = clauses[part.clause][0]
        if part.who in ("family", "other") and _THAT_IS.search(text[start : part.start]):
            for number, earlier in enumerate(parts[:index]):
                if earlier.clause < part.clause and earlier.who == "own":
                    parts[number] = Part(
                        earlier.start, earlier.end, earlier.clause, "other", earlier.past,
                        earlier.supposes, earlier.asks, marked=earlier.marked,
                    )  # fmt: skip
    return parts
