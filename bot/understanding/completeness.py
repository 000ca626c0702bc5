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
from bot.understanding.completeness_rules import digits_done, goes_on, plain_answer, rounded
from bot.understanding.interrupts import fold

FORMAT = 1
_LINES = 4500  # training lines used: more cost time
_EPOCHS = 3
_RATE = 0.03  # a small step keeps the many rare features from being learned by heart
_SEEN = 3  # a feature seen less often is left out

_CLAUSE = re.compile(r"[,，、;；。!！?？\s]+")
_MARKUP = re.compile(r"\[([^\]]*)\](?:\{[^}]*\}|\([^)]*\))")  # entities in training lines


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
        if expects == "digits" and (dictated := digits_done(folded, bot_line)) is not None:
            return dictated
        if goes_on(folded, expects):
            return 0.03
        answer = plain_answer(folded, expects)
        if answer is not None:
            return answer
        score = sum(self.weights.get(name, 0.0) for name in features(folded)) + rounded(folded, expects)
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))


def train(lines: Iterable[str], seed: int = 0) -> Completeness:
    """The model trained from whole utterances; spaces and commas in them part clauses.

    Rasa's entity marks are taken off.
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
        samples.append(
            (features(folded), 1.0, 6.0 if size <= 2 else 4.0 if size <= 4 else 2.0 if size <= 6 else 1.0)
        )
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
