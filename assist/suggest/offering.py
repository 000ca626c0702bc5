"""Cards that put the product and close the sale, with the customer's own sums. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from assist.suggest.arithmetic import money
from assist.suggest.card import CARD_TTL, STEP, card_of, evidence_of, fits, text_of
from assist.suggest.model import LAYERS, Candidate
from assist.suggest.offers import Offer
from assist.suggest.picture import Picture
from assist.suggest.script import Node, Wording
from assist.suggest.situation import SUMS, Situation, sums_of
from assist.suggest.texts import spoken

TOLD_ENOUGH: Final = 3
"""Facts that the customer told before an offer comes first."""


def offers(picture: Picture, now: Situation, names: tuple[str, ...]) -> Iterable[Candidate]:
    """The product, with the customer's own sums."""
    if picture.accepted:
        return
    predicted = STEP * ("advise_offer" in picture.steps)
    layer = LAYERS.index(picture.layer)
    told = sum(
        fact.source == "speech" and fact.name in picture.script.facts for fact in picture.facts.values()
    )
    for number, offer in enumerate(offer for offer in now.offers if offer.recommended):
        if number > 1 or offer.product in picture.pitched:
            continue
        prior = 0.45 + predicted + 0.06 * max(0, layer - 1) - 0.1 * number
        prior += (0.1 + 0.15 * (told >= TOLD_ENOUGH)) * now.ready - 0.2 * bool(picture.pitched)
        if picture.objection is not None:
            prior -= 0.2
        if {"ask_details", "ask_benefit", "ask_price"} & set(names):
            prior += 0.15
        if picture.signals:
            prior += 0.1
        base = {name: text for name, text in now.variables.items() if name not in SUMS}
        variables = {**base, **sums_of(offer, now.values, now.today)}
        yield from _pitches(picture, now, offer, variables, prior)


def _pitches(
    picture: Picture, now: Situation, offer: Offer, variables: Mapping[str, str], prior: float
) -> Iterable[Candidate]:
    """The ways to put one offer: the product's own, and the script's lines about it."""
    saving = offer.arithmetic.saving
    why = offer.why or (f"每月省{money(saving)}元" if saving is not None and saving > 0 else "最适合")
    nodes = [Node(name=f"offer:{offer.product}", wordings=tuple(Wording(text) for text in offer.source.say))]
    nodes += [
        node
        for node in picture.script.nodes.values()
        if node.card == "offer" and node.product in (None, offer.product) and node.name not in picture.done
        and fits(picture, now, node)
    ]  # fmt: skip
    slots = {**now.values, "customer_type": picture.customer_type}
    for number, node in enumerate(nodes):
        text = spoken(node, variables, slots, picture.texts)
        if text is None:
            continue
        yield Candidate(
            key=node.name, kind="offer", text=text, prior=prior - 0.03 * (number > 0), title=offer.name.zh,
            why=(node.why or why)[:24], product=offer.product, ttl_ms=CARD_TTL["offer"],
            node=node.name if number else None, technique=node.technique, evidence=evidence_of(picture),
            features={f"product={offer.product}": 1.0},
        )  # fmt: skip


def closes(picture: Picture, now: Situation, names: tuple[str, ...]) -> Iterable[Candidate]:
    """Closing, when the signals are there."""
    eager = "accept_offer" in names or (picture.pitched and "affirm" in names and picture.expects == "offer")
    if not (picture.signals or eager or "advise_close" in picture.steps) or picture.objection is not None:
        return
    if now.likely is None and picture.script.catalogue.products and not picture.pitched:
        return
    predicted = STEP * ("advise_close" in picture.steps)
    for node in picture.script.nodes.values():
        if node.card != "close" or node.name in picture.done or not fits(picture, now, node):
            continue
        text = text_of(picture, now, node)
        if text is None:
            continue
        prior = 0.6 + predicted + 0.1 * bool(picture.signals) + 0.02 * (node.technique == "either_or")
        prior -= 0.2 * (not picture.pitched) + 0.05 * (node.technique == "time_limit")
        if any(act.startswith("ask_") for act in names):
            prior -= 0.15
        signal = picture.signals[-1] if picture.signals else "客户有意"
        why = node.why or f"购买信号:{signal}" if not signal.startswith("ask_") else node.why or "购买信号"
        yield card_of(
            picture, node, "close", text, prior, why=why, evidence=tuple(picture.signal_evidence[-2:])
        )
