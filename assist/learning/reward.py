"""The reward of a decision, defined here and nowhere else: a number in [0, 1].

    reward = 0.8 * (what became of the card) + 0.2 * (what became of the call)

The card weighs more because it is near: a call's end is the work of many cards and of the customer.
Of several reactions to one card the best counts (used, then heard in the agent's line: spoken).

| card | value | why |
| --- | --- | --- |
| spoken | 1.00 | the customer heard it |
| used | 0.80 | the agent marked it, the line was not recognised |
| edited | 0.60 | the idea served, the words did not |
| nothing shown | 0.40 | no gain, no distraction: better than a card left lying, worse than one that serves |
| shown, no reaction until it expired | 0.25 | it cost a glance |
| dismissed | 0.00 | it cost a glance and a key |
| expired unseen | none | never on the screen: nothing is known of the card, nothing is learned |

The call counts by its grade A to E (CONTRACT, DOMAIN "Tiers after a call") where there is one, else by its
disposition; an accepted offer or a completed survey is 1 and a customer who wants no more calls is 0,
whatever the grade.  A call that has no outcome yet counts 0.5.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from assist.learning.decision import NOTHING, LearningError
from bot.events import DISPOSITIONS

CARD_WEIGHT = 0.8
OUTCOME_WEIGHT = 0.2

REACTIONS: Mapping[str, float] = MappingProxyType(
    {"spoken": 1.0, "used": 0.8, "edited": 0.6, "shown": 0.25, "dismissed": 0.0}
)
"""Value of a card by CONTRACT's feedback action; `shown` alone means that it expired without a reaction."""

NOTHING_SHOWN = 0.4
UNKNOWN_OUTCOME = 0.5

GRADES: Mapping[str, float] = MappingProxyType({"A": 1.0, "B": 0.8, "C": 0.6, "D": 0.4, "E": 0.2})

_DISPOSITION_VALUES: Mapping[str, float] = MappingProxyType(
    {"callback": 0.6, "transferred": 0.5, "declined": 0.2, "hung_up": 0.1}
)
_DECIDED: Mapping[str, float] = MappingProxyType({"accepted": 1.0, "completed": 1.0, "do_not_call": 0.0})


def reward_of(
    key: str, reactions: Collection[str], *, disposition: str | None = None, grade: str | None = None
) -> float | None:
    """The reward of showing the candidate `key`; None for a card that was never on the screen.

    `reactions`: the actions of CONTRACT's Feedback that came for it.  Raises LearningError for a
    reaction, a disposition or a grade that CONTRACT does not know.
    """
    card = NOTHING_SHOWN if key == NOTHING else _card(reactions)
    outcome = outcome_of(disposition, grade)
    if card is None:
        return None
    return CARD_WEIGHT * card + OUTCOME_WEIGHT * outcome


def outcome_of(disposition: str | None, grade: str | None) -> float:
    """The value of a call's end, in [0, 1].  Raises LearningError as `reward_of`."""
    if disposition is not None and disposition not in DISPOSITIONS:
        raise LearningError(f"disposition {disposition!r} is unknown; one of {', '.join(DISPOSITIONS)}")
    if grade is not None and grade not in GRADES:
        raise LearningError(f"grade {grade!r} is unknown; one of {', '.join(GRADES)}")
    decided = _DECIDED.get(disposition or "")
    if decided is not None:
        return decided
    if grade is not None:
        return GRADES[grade]
    return _DISPOSITION_VALUES.get(disposition or "", UNKNOWN_OUTCOME)


def _card(reactions: Collection[str]) -> float | None:
    for reaction in reactions:
        if reaction not in REACTIONS:
            raise LearningError(f"feedback {reaction!r} is unknown; one of {', '.join(REACTIONS)}")
    answers = [REACTIONS[reaction] for reaction in reactions if reaction != "shown"]
    if answers:
        return max(answers)
    return REACTIONS["shown"] if reactions else None
