"""A line of the script as a card that could be shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from assist.suggest.conditions import holds_all
from assist.suggest.model import Candidate, CardKind
from assist.suggest.picture import Picture
from assist.suggest.script import Node
from assist.suggest.situation import Situation
from assist.suggest.texts import spoken

STEP: Final = 0.15
"""What the script's own prediction adds to a card."""
CARD_TTL: Final[Mapping[CardKind, int]] = {
    "question": 20_000,
    "rebuttal": 15_000,
    "offer": 25_000,
    "answer": 15_000,
    "close": 20_000,
    "compliance": 30_000,
    "action": 20_000,
}


def card_of(
    picture: Picture,
    node: Node,
    kind: CardKind,
    text: str,
    prior: float,
    *,
    why: str,
    asks: str | None = None,
    objection: str | None = None,
    evidence: tuple[str, ...] | None = None,
    pinned: bool = False,
    fixed: bool = False,
) -> Candidate:
    features = {f"technique={node.technique}": 1.0} if node.technique else {}
    if node.stage:
        features[f"stage={node.stage}"] = 1.0
    return Candidate(
        key=node.name, kind=kind, text=text, prior=max(0.0, min(prior, 0.99)), title=node.title, why=why[:24],
        evidence=evidence_of(picture) if evidence is None else evidence, node=node.name,
        asks=asks or (node.asks if kind == "question" else None), objection=objection,
        technique=node.technique,
        product=node.product, ttl_ms=CARD_TTL[kind], pinned=pinned, fixed=fixed, features=features,
    )  # fmt: skip


def fits(picture: Picture, now: Situation, node: Node) -> bool:
    return holds_all(node.when, now.values) is not False


def text_of(picture: Picture, now: Situation, node: Node | None) -> str | None:
    """The line's words for this customer now, None where it cannot be said (a person is no machine)."""
    if node is None or "robot" in node.discloses:
        return None
    slots = {**now.values, "customer_type": picture.customer_type}
    return spoken(node, now.variables, slots, picture.texts)


def evidence_of(picture: Picture) -> tuple[str, ...]:
    line: Any = picture.customer
    return (line.utterance_id,) if line is not None else ()
