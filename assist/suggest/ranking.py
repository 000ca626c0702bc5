"""Which of the possible cards come up, and whether none does: priors, then what was learned. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from assist.learning.decision import NOTHING, Choice, Scored, seed_of
from assist.learning.policy import Policy
from assist.suggest.model import Candidate
from assist.suggest.picture import Picture

SILENT_ACTS: Final = frozenset(
    {"backchannel", "greet", "thank", "chitchat", "hold_on", "check_audio", "voicemail"}
)
MAX_CARDS: Final = 3
MAX_CANDIDATES: Final = 10
"""So many of the best by prior are weighed; the rest never come up."""


def silence_prior(picture: Picture) -> float:
    """How good it looks to say nothing: small talk, a listener's noise, the agent has done it."""
    line = picture.customer
    if picture.mid_sentence:
        return 0.97
    if line is None:
        return 0.5
    prior = 0.35
    if picture.acts and set(picture.acts) <= SILENT_ACTS:
        prior = 0.85 if "chitchat" in picture.acts or "hold_on" in picture.acts else 0.75
    if "advise_nothing" in picture.steps:
        prior = max(prior, 0.7)
    if picture.last is not None and picture.last.party == "agent" and picture.last.nodes:
        prior = max(prior, 0.8)
    return prior


def features_of(picture: Picture) -> dict[str, float]:
    """The context that the ranker learns in."""
    found = {f"stage={picture.stage}": 1.0}
    if picture.customer_type:
        found[f"type={picture.customer_type}"] = 1.0
    if picture.objection:
        found[f"objection={picture.objection}"] = 1.0
    tier = picture.facts.get("value_tier")
    if tier is not None:
        found[f"tier={tier.value}"] = 1.0
    line = picture.customer
    if line is not None and line.sentiment == "negative":
        found["upset"] = 1.0
    return found


def choose(
    policy: Policy, picture: Picture, possible: Sequence[Candidate], seq: int
) -> tuple[list[Candidate], Choice, tuple[Scored, ...]]:
    """The cards to show, best first (none: say nothing), and the decision for the log."""
    by_key = {card.key: card for card in possible[:MAX_CANDIDATES]}
    scored = [
        Scored(key=card.key, kind=card.kind, prior=card.prior, features=card.features, fixed=card.fixed)
        for card in by_key.values()
    ]
    scored.append(Scored(key=NOTHING, kind=NOTHING, prior=silence_prior(picture)))
    choice = policy.choose(scored, features_of(picture), seed_of(picture.call_id, seq))
    shown = []
    for key in choice.ranked:
        if key == NOTHING:
            break
        shown.append(by_key[key])
    return shown[:MAX_CARDS], choice, tuple(scored)
