"""The weights of the completeness model, learned from whole utterances and from where people pause.

A script's training lines are whole turns (done); their beginnings, cut between words and at the ends
of clauses, are not done.  Beside them stand the lines of completeness_pauses and completeness_turns,
written for pauses and by what was asked.  Logistic regression with an L2 penalty, minimised by L-BFGS
[Liu and Nocedal 1989]; what grammar says for certain (completeness_rules.certainty) is added to its
score and not learned.  Learning takes some 2.5 s for 8000 lines.
"""

from __future__ import annotations

import random
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.understanding.completeness_features import HAN, features
from bot.understanding.completeness_pauses import UNFINISHED
from bot.understanding.completeness_pauses_en import FINISHED_EN, UNFINISHED_EN
from bot.understanding.completeness_rules import certainty
from bot.understanding.completeness_turns import FINISHED
from bot.understanding.interrupts import fold

_LINES = 9000  # a script's lines used: more cost time
_CUT_LINES = 2500  # of them also cut
_SEEN = 3  # a feature seen less often is left out
_L2 = 16.0
_STEPS = 30
_MEMORY = 8  # of L-BFGS
_LEAST = 0.02  # a weight smaller than this is left out
_PAUSE_WEIGHT = 10.0  # of a line written for pauses, beside 1 for a script's line
_ASKED = {  # what lines of completeness_pauses answer; "any" takes turns with the rest
    "any": (("offer", "identity_check"), ("open_question", "time")),
    "yes": (("offer",),),
    "identity": (("identity_check",),),
    "open": (("open_question",),),
    "time": (("time",),),
}

_CLAUSE = re.compile(r"[,，、;；。!！?？\s]+")
_MARKUP = re.compile(r"\[([^\]]*)\](?:\{[^}]*\}|\([^)]*\))")  # entities in training lines

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """A text to learn from: its features, what grammar adds, 1.0 where it is done, and its weight."""

    names: list[str]
    given: float
    done: float
    weight: float


def whole_lines(lines: Iterable[str]) -> list[str]:
    """The different utterances without Rasa's entity marks, in order."""
    return sorted({_MARKUP.sub(r"\1", line).strip() for line in lines} - {""})


def learn(whole: list[str], seed: int) -> dict[str, float]:
    """Weights by feature, from whole utterances; spaces and commas in them part clauses."""
    rng = random.Random(seed)
    rng.shuffle(whole)
    samples = [*_of_lines(whole[:_LINES], rng), *_of_pauses()]
    seen = Counter(name for sample in samples for name in sample.names)
    names = sorted(name for name, count in seen.items() if count >= _SEEN)
    values = _fit(samples, {name: place for place, name in enumerate(names)})
    return {name: round(float(v), 2) for name, v in zip(names, values, strict=True) if abs(v) >= _LEAST}


def _fit(samples: list[Sample], number: dict[str, int]) -> Floats:
    """The weights by number of the feature."""
    from scipy.sparse import csr_matrix  # not needed to use a model: voice processes do without

    places: list[int] = []
    ends = [0]
    for sample in samples:
        places += [number[name] for name in sample.names if name in number]
        ends.append(len(places))
    seen = csr_matrix((np.ones(len(places)), places, ends), shape=(len(samples), len(number)))
    across: Any = seen.T.tocsr()
    given = np.array([sample.given for sample in samples])
    done = np.array([sample.done for sample in samples])
    weight = np.array([sample.weight for sample in samples])

    def loss(values: Floats) -> tuple[float, Floats]:
        score = seen @ values + given
        error = weight * (1.0 / (1.0 + np.exp(-score)) - done)
        cost = float((weight * (np.logaddexp(0.0, score) - done * score)).sum())
        return cost + _L2 / 2 * float(values @ values), across @ error + _L2 * values

    return _minimise(loss, len(number))


def _minimise(loss: Callable[[Floats], tuple[float, Floats]], size: int) -> Floats:
    """L-BFGS from zero.  Sums of products, not BLAS: its threads wait for each other in short vectors."""

    def dot(one: Floats, other: Floats) -> float:
        return float((one * other).sum())

    values = np.zeros(size)
    cost, slope = loss(values)
    steps: deque[tuple[Floats, Floats, float]] = deque(maxlen=_MEMORY)
    for _ in range(_STEPS):
        way = slope.copy()
        shares: list[float] = []
        for step, change, product in reversed(steps):
            shares.append(dot(step, way) / product)
            way -= shares[-1] * change
        if steps:
            _, change, product = steps[-1]
            way *= product / dot(change, change)
        else:
            way /= np.sqrt(dot(slope, slope)) + 1e-12
        for (step, change, product), share in zip(steps, reversed(shares), strict=True):
            way += (share - dot(change, way) / product) * step
        length, fall = 1.0, dot(slope, way)
        while True:
            tried = values - length * way
            tried_cost, tried_slope = loss(tried)
            if tried_cost <= cost - 1e-4 * length * fall or length < 1e-6:
                break
            length /= 2
        step, change = tried - values, tried_slope - slope
        values, cost, slope = tried, tried_cost, tried_slope
        if (product := dot(step, change)) > 1e-10:
            steps.append((step, change, product))
    return values


def _sample(folded: str, expects: str, done: float, weight: float) -> Sample:
    return Sample(features(folded, expects), certainty(folded, expects), done, weight)


def _of_lines(lines: list[str], rng: random.Random) -> list[Sample]:
    """The lines whole, and their beginnings.

    A beginning that is also a whole line weighs less: it may be either.
    """
    wholes = {fold(line) for line in lines} - {""}
    inner = _inside_words(wholes)
    samples: list[Sample] = []
    for place, line in enumerate(lines):
        folded = fold(line)
        if not folded:
            continue
        size = len(folded) if HAN.match(folded[-1]) else 2 * len(folded.split())
        # lines are types; in calls the short ones carry most turns, so they weigh more
        weight = 6.0 if size <= 2 else 4.0 if size <= 4 else 2.0 if size <= 6 else 1.0
        samples.append(_sample(folded, "", 1.0, weight))
        if place >= _CUT_LINES:
            continue
        for cut in sorted({*_cuts(folded, inner, rng), *_clause_ends(line)}):
            start = folded[:cut].strip()
            if 0 < len(start) < len(folded):
                samples.append(_sample(start, "", 0.0, 0.3 if start in wholes else 1.0))
    return samples


def _of_pauses() -> list[Sample]:
    """The lines of completeness_pauses and completeness_turns, Chinese and English."""
    samples: list[Sample] = []
    for place, text in enumerate((*UNFINISHED, *UNFINISHED_EN)):
        samples += _asked(fold(text), "any", place, 0.0)
    for lines in (FINISHED, FINISHED_EN):
        for asked, texts in lines.items():
            for place, text in enumerate(texts):
                start, _, rest = text.partition("|")
                samples += _asked(fold(f"{start} {rest}"), asked, place, 1.0)
                if rest:
                    samples += _asked(fold(start), asked, place, 0.0)
    return samples


def _asked(folded: str, asked: str, place: int, done: float) -> list[Sample]:
    """The text after what it may answer; `place`: its number, by which that takes turns."""
    after = _ASKED[asked][place % len(_ASKED[asked])]
    return [_sample(folded, expects, done, _PAUSE_WEIGHT / len(after)) for expects in after]


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
