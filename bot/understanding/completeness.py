"""How likely is the customer done, given his words so far?  A small linear model and a few rules.

Turn-taking by text works because speakers stop at points of possible completion [Sacks, Schegloff
and Jefferson 1974]; the end of the text tells most of them apart.  The model sees the suffix (last
characters or words), the last parts of speech, whether the clause has a predicate, the length, and
what the bot's line expects.  Rules stand beside it where language leaves little doubt: a trailing 因为
is hardly an end, a yes after a yes-no question is one, a dictated number has as many digits as it has.

The weights are a plain dict for JSON.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.understanding.completeness_features import features
from bot.understanding.completeness_rules import certainty, digits_done
from bot.understanding.interrupts import fold

FORMAT = 2


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
        known = self.weights.get
        score = sum([known(name, 0.0) for name in features(folded, expects)]) + certainty(folded, expects)
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))


def train(lines: Iterable[str], seed: int = 0) -> Completeness:
    """The model trained from whole utterances; spaces and commas in them part clauses.

    Rasa's entity marks are taken off.  Takes some 2.5 s for 8000 lines.
    Raises ValueError where there are fewer than 50 lines: nothing can be learned from so few.
    """
    # only who trains needs the lines that are learned from, and scipy
    from bot.understanding.completeness_training import learn, whole_lines

    whole = whole_lines(lines)
    if len(whole) < 50:
        raise ValueError(f"{len(whole)} utterances to train completeness from; at least 50 are needed")
    return Completeness(learn(whole, seed))


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
