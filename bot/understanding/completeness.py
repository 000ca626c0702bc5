"""How likely is the customer done, given his words so far?  A small linear model and a few rules.

Turn-taking by text works because speakers stop at points of possible completion [Sacks, Schegloff
and Jefferson 1974]; the end of the text tells most of them apart.  The model sees the suffix (last
characters or words), the length, and marks such as an open condition; it is trained from whole
utterances (done) and from their beginnings cut where people pause (not done).  Rules stand above it
where language leaves no doubt: a trailing 因为 is never an end, a yes after a yes-no question is one,
a dictated number has as many digits as it has.

Training takes about 1.5 s for 4500 lines; the weights are a plain dict for JSON.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.understanding.completeness_features import HAN, features
from bot.understanding.interrupts import fold, is_answer

FORMAT = 1
_LINES = 4500  # training lines used: more cost time
_EPOCHS = 3
_RATE = 0.03  # a small step keeps the many rare features from being learned by heart
_SEEN = 3  # a feature seen less often is left out

_CLAUSE = re.compile(r"[,，、;；。!！?？\s]+")
_MARKUP = re.compile(r"\[([^\]]*)\](?:\{[^}]*\}|\([^)]*\))")  # entities in training lines
_NUMERAL = re.compile(r"[0-9零一二三四五六七八九幺两]")

HANGING_ZH = (
    "因为 所以 但是 可是 不过 而且 如果 要是 假如 虽然 除非 或者 还是说 然后 就是 就是说 那个 这个 我是说 我的意思是 "
    "我想 我想问 我想问一下 我想知道 我觉得 我感觉 我记得 我就想 我主要是 主要是 你们那个 我那个 的话 一个 几个 "
    "这种 那种 呃 额 比如 比如说 关于 对于 跟我 给我 帮我 把 被 让 跟 和 从 在 向 往 比 我的 你们的 你的 我们 你们 "
    "他们 咱们 想要 打算 准备 能不能 可不可以 是不是 有没有 会不会 要不要 我要 我还 我就 我也 我都 我又 他就 还有就是 "
    "包括 尤其 特别是 其实 其实我 反正 反正我 最好 至于 例如 不是说 也就是说 怎么说呢 结果 我现在 我家 我家里 "
    "大概 差不多是 应该是 好像 可能 可能是 除了 以及 只要 只有 无论 不管 当时 本来 原来 一直 已经 正在 刚刚 非常 特别 比较 我妈那个 上次那个"
).split()
HANGING_EN = (
    "and but or so because if when that the a an to of for with my your i i'm i'd can could would "
    "should want need well um uh er like about from at in on what's how's this we you they think mean just really "
    "also then maybe which who where our his her its into than until unless though although whether in the"
).split()
# these stand at the end of whole utterances as well, so the rule must not take them for hanging
_MAY_END_EN = frozenset("this that so then maybe you really on in about though it".split())
_THINKING = re.compile(r"(^|我|你|让我|稍)(等一下|等等|等一等|等会儿?)$|(^|嗯|呃|我|等我)(想一下|想想|想一想|看一下|看看|查一下|找一下)$")
_CONCESSION = re.compile(r"([\u3400-\u9fff]{1,3})(是|倒是)\1$")
_IT_IS_ME = re.compile(r"(是我|我就是|就是我|本人|speaking|this is (he|she|him|her|me))$")
_BARE_NO = frozenset({"不是", "不是不是", "不", "啊不是", "没有", "no", "nope", "不是我"})
_TIME_END = re.compile(
    r"([点半号天末刻分底]|左右|以后|之后|以前|之前|之间|上午|下午|晚上|中午|早上|傍晚|再说|都行|都可以"
    r"|morning|afternoon|evening|noon|tomorrow|[ap]m|(after|before|around|at) \w+)$"
)
_ASKING = re.compile(r"(什么|怎么|多少|哪|谁|几|为啥|啥|咋|能不能|可不可以|是不是|有没有|会不会|要不要)(.+)$")
_ASKING_EN = re.compile(r"^(who|what|how|when|where|why|which|is|are|do|does|can|could|will|would)\b.* (\w+)$")
_WONDERING = re.compile(r"(不知道|没弄明白|不明白|不清楚|看看|我想问|说)(什么|怎么|多少|哪|谁|几|是不是|有没有)")
_NEEDS_DIGITS = (
    (re.compile(r"后四位|末四位|最后四位|四位|last four|four digits", re.I), 4),
    (re.compile(r"后六位|六位|six digits", re.I), 6),
    (re.compile(r"手机号|电话号码|phone number", re.I), 11),
    (re.compile(r"身份证号", re.I), 18),
)


def digits_wanted(bot_line: str) -> int | None:
    """How many digits the bot's line asks for, None where it does not say."""
    for pattern, count in _NEEDS_DIGITS:
        if pattern.search(bot_line):
            return count
    return None


def digits_in(text: str) -> int:
    """How many digits the text dictates: 四零八六 has 4, 是 has none."""
    return len(_NUMERAL.findall(text))


@dataclass(frozen=True, slots=True)
class Completeness:
    """The trained model: `weights` by feature.  An empty one knows the rules only."""

    weights: Mapping[str, float]

    def probability(self, text: str, expects: str = "open_question", bot_line: str = "") -> float:
        """How likely, 0 to 1, `text` is all that the customer wants to say now.

        `expects`: what the last bot line expects (bot.turn.Expects); `bot_line`: that line, which may
        tell how many digits it asked for.
        """
        folded = fold(text)
        if not folded:
            return 0.0
        if expects == "digits":
            return _digits_done(folded, digits_wanted(bot_line))
        if hangs(folded) or _THINKING.search(folded) or _CONCESSION.search(folded):
            return 0.03
        if expects in ("yes_no_question", "offer", "identity_check"):
            if expects == "identity_check" and folded in _BARE_NO:
                return 0.35
            if is_answer(folded) or _IT_IS_ME.search(folded):
                return 0.97
        score = sum(self.weights.get(name, 0.0) for name in features(folded))
        if _asks(folded) or (expects == "time" and _TIME_END.search(folded)):
            score += 1.5
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))


def hangs(folded: str) -> bool:
    """Whether a text (folded) ends in a word that no one stops at."""
    if HAN.match(folded[-1]):
        for word in HANGING_ZH:
            if folded.endswith(word) and not _is_whole(folded, word):
                return True
        return False
    words = folded.split()
    return words[-1] in HANGING_EN and words[-1] not in _MAY_END_EN


def _asks(folded: str) -> bool:
    """Whether the text is a direct question with its question word followed by something."""
    if _ASKING_EN.search(folded):
        return True
    found = _ASKING.search(folded)
    if found is None or _WONDERING.search(folded):
        return False
    return len(found.group(2)) >= (3 if "不" in found.group(1) or "没" in found.group(1) else 1)


def _is_whole(folded: str, word: str) -> bool:
    """Endings that look like a hanging word and are not: 原来这样就是, 办一个, 为了什么在."""
    before = folded[: -len(word)]
    if word in ("一个", "几个"):
        return bool(re.search(r"(办|开|来|要|给我|换|弄|装|买|送|试|有)$", before))
    if word in ("我们", "你们", "他们", "咱们"):
        return bool(re.search(r"(是|找|给|骗|怪|信|又是|谢谢)$", before))
    if word in ("这个", "那个"):
        return bool(re.search(r"(要|办|用|过|是|要的|不要|说的|懂|道|需要|开)$", before)) and len(before) >= 2 or (
            before.endswith("的") and len(before) >= 8
        )
    if word in ("在", "和"):
        return before.endswith(("不", "我", "他不", "人"))
    if word in ("我的", "你的", "你们的", "可能", "就是", "一直", "已经", "原来", "大概"):
        return bool(re.search(r"(是|不|像|有)$", before)) or (word == "就是" and before.endswith(("我", "本人")))
    if word in ("要不要", "是不是", "有没有", "会不会", "能不能", "可不可以"):
        return len(before) >= 2
    return False


def train(lines: Iterable[str], seed: int = 0) -> Completeness:
    """The model trained from whole utterances (Rasa's entity marks are taken off), with marks of clauses (spaces, commas) where they have them.

    Raises ValueError where there are fewer than 50 lines: nothing can be learned from so few.
    """
    whole = sorted({_MARKUP.sub(r"\1", line).strip() for line in lines} - {""})
    if len(whole) < 50:
        raise ValueError(f"{len(whole)} utterances to train completeness from; at least 50 are needed")
    rng = random.Random(seed)
    rng.shuffle(whole)
    samples = _samples(whole[:_LINES], rng)
    seen = Counter(name for names, _, _ in samples for name in names)
    names = sorted(name for name, count in seen.items() if count >= _SEEN)
    number = {name: place for place, name in enumerate(names)}
    encoded = [([number[n] for n in has if n in number], done, weight) for has, done, weight in samples]
    values = _descend(encoded, len(names), rng)
    return Completeness({name: round(v, 3) for name, v in zip(names, values, strict=True) if abs(v) >= 0.01})


def _descend(samples: list[tuple[list[int], float, float]], size: int, rng: random.Random) -> list[float]:
    """Logistic regression by AdaGrad [Duchi, Hazan and Singer 2011]: the weights."""
    values = [0.0] * size
    squares = [0.1] * size
    for _ in range(_EPOCHS):
        rng.shuffle(samples)
        for has, done, weight in samples:
            score = 0.0
            for place in has:
                score += values[place]
            error = (done - 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))) * weight
            square = error * error
            step = _RATE * error
            for place in has:
                squares[place] += square
                values[place] += step / math.sqrt(squares[place])
    return values


def dump(model: Completeness) -> dict[str, Any]:
    """The model as a dict that JSON can hold."""
    return {"format": FORMAT, "kind": "completeness", "weights": dict(model.weights)}


def load(data: Mapping[str, Any]) -> Completeness:
    """The model of such a dict; raises ValueError where it is not one."""
    if data.get("kind") != "completeness" or data.get("format") != FORMAT:
        raise ValueError(
            f"not a completeness model of format {FORMAT}: kind {data.get('kind')!r}, format "
            f"{data.get('format')!r}; train the script again"
        )
    weights = data.get("weights")
    if not isinstance(weights, dict) or not all(isinstance(v, int | float) for v in weights.values()):
        raise ValueError("the completeness model's weights are not numbers by name; train the script again")
    return Completeness({str(name): float(value) for name, value in weights.items()})


def _digits_done(folded: str, wanted: int | None) -> float:
    """A dictation is done when its digits are there; without digits it is talk like any other."""
    found = digits_in(folded)
    if wanted is not None and found >= wanted:
        return 0.97
    if found == 0:
        return 0.5 if not hangs(folded) else 0.03
    return 0.05 if wanted is not None else 0.5


def _samples(lines: list[str], rng: random.Random) -> list[tuple[list[str], float, float]]:
    """(features, 1.0 done or 0.0 not, weight): the lines whole, and their beginnings.

    Lines are types; in calls the short ones carry most turns, so they weigh more.  A beginning that
    is also a whole line weighs less: it may be either.
    """
    wholes = {fold(line) for line in lines} - {""}
    inner = _inside_words(wholes)
    samples: list[tuple[list[str], float, float]] = []
    for line in lines:
        folded = fold(line)
        if not folded:
            continue
        size = len(folded) if HAN.match(folded[-1]) else 2 * len(folded.split())
        samples.append((features(folded), 1.0, 6.0 if size <= 2 else 4.0 if size <= 4 else 2.0 if size <= 6 else 1.0))
        ends = _clause_ends(line)
        for cut in {*_cuts(folded, inner, rng), *ends}:
            start = folded[:cut].strip()
            if 0 < len(start) < len(folded):
                samples.append((features(start), 0.0, 0.3 if start in wholes else 1.0))
    return samples


def _clause_ends(line: str) -> set[int]:
    """Lengths of the folded beginnings that end with a clause: people may stop there."""
    parts = _CLAUSE.split(line)
    return {len(fold(" ".join(parts[: n + 1]))) for n in range(len(parts) - 1)}


def _inside_words(wholes: Iterable[str]) -> set[str]:
    """Pairs of hanzi that stand together so often that they are one word: nobody pauses in them."""
    single: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for text in wholes:
        single.update(text)
        pairs.update(text[i : i + 2] for i in range(len(text) - 1))
    return {p for p, n in pairs.items() if n >= 3 and n / min(single[p[0]], single[p[1]]) > 0.35}


def _cuts(folded: str, inner: set[str], rng: random.Random) -> list[int]:
    """Up to four places in the text where a speaker may pause."""
    places = [
        i
        for i in range(1, len(folded))
        if (folded[i] == " " or HAN.match(folded[i - 1])) and folded[i - 1 : i + 1] not in inner
    ]
    return rng.sample(places, min(4, len(places)))
