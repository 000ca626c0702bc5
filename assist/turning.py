"""What a line changes in the picture beyond its facts: acts read in their place, objections, pitches.

Plain decisions over the picture; `assist.shadow` says when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from assist.hearing import duties
from assist.hearing.agent_lines import SPOKEN, AgentLines, AgentMeaning, is_question
from assist.hearing.facts import Line
from assist.suggest.picture import MAX_REFUSALS, Picture, amounts_known
from assist.suggest.situation import Situation

SURE: Final = 0.6
"""Confidence below which an answer to a question of fact is no objection."""
_REFUSALS: Final = frozenset({"decline_offer"})
_FOR_GOOD: Final = frozenset({"request_dnc"})
_ANSWERS: Final = frozenset(
    {
        "object_already_have", "object_competitor", "object_decider", "relative_or_other", "done_already",
        "chitchat", "out_of_scope", "greet", "unsure", "backchannel", "hold_on", "wrong_person",
    }
)  # fmt: skip
"""Acts that a line loses where it tells the fact that was asked."""
_MOVES_ON: Final = frozenset(
    {
        "affirm", "accept_offer", "inform", "ask_price", "ask_details", "ask_benefit", "ask_how_to",
        "ask_effective",
    }
)  # fmt: skip


def reread(
    picture: Picture, act: str, acts: Sequence[Mapping[str, Any]], asked: str | None, *, told: bool
) -> str:
    """The act in the light of what was asked: 装的是移动的 tells what was asked and is no objection,
    装了呀 is no order where nothing was offered."""
    sure = max((float(item["confidence"]) for item in acts if item["name"] == act), default=0.0)
    weak = act.startswith("object_") and act not in ("object_busy", "object_unable")
    answers = act in _ANSWERS or act.startswith("ask_") or sure < SURE
    if asked is not None and ((told and answers) or (weak and sure < SURE)):
        return "inform"
    if act == "accept_offer" and not picture.pitched and picture.expects != "offer":
        return "affirm"
    return act


def note_objections(picture: Picture, utterance_id: str, firm: tuple[str, ...], steering: str) -> None:
    """Raise, keep or close the open objection; count refusals."""
    raised = [name for name in firm if name.startswith("object_")]
    refused = bool(_REFUSALS & set(firm)) or (steering == "deny" and picture.expects == "offer")
    if refused or (raised and picture.refusals and raised[0] == "object_no_need"):
        picture.refusals = min(picture.refusals + 1, MAX_REFUSALS)
        picture.accepted = False
    if _FOR_GOOD & set(firm) or picture.refusals >= MAX_REFUSALS:
        picture.over = True
    if raised:
        if picture.objection != raised[0]:
            picture.signals = []
        picture.objection, picture.objection_evidence = raised[0], utterance_id
        picture.accepted = False
    elif picture.objection is not None and steering in _MOVES_ON and not refused:
        picture.objection = picture.objection_evidence = None


def note_pitches(
    picture: Picture, now: Situation, lines: AgentLines, line: Line, meaning: AgentMeaning
) -> None:
    """A product counts as named when its card, its line, its name or its price was spoken."""
    script, text = picture.script, line.text
    nodes = [script.nodes[name] for name in meaning.nodes]
    asks = is_question(text) and meaning.expects != "offer"
    for product in script.catalogue.products:
        if (
            product.name.zh in text
            or (not asks and duties.names_price(line, product.charge))
            or lines.nearness(text, product.say) >= SPOKEN
            or any(node.product == product.key and node.card == "offer" for node in nodes)
        ):
            picture.pitched.add(product.key)
            picture.talked_of = product.key
    for node in nodes:
        best = now.likely
        if node.card == "offer" or node.asks == "offer" or "offer_heard" in node.discloses:
            picture.talked_of = node.product or (best.product if best is not None else script.name)
            picture.pitched.add(picture.talked_of)


def prices_known(picture: Picture, now: Situation) -> set[Decimal]:
    """The sums of money that an agent may name in this call."""
    found: list[Decimal | None] = []
    for offer in now.offers:
        sums, product = offer.arithmetic, offer.source
        found += [sums.now, sums.then, sums.saving, sums.saving_year, sums.saving_term]
        found += [product.charge.yuan, product.charge.per_gb, product.leaving_early_yuan_per_month]
        found += [worth.yuan for worth in product.worth]
    return amounts_known(picture, tuple(found))
