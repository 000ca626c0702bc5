"""Cards that answer the customer: to a question, and to the open objection. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from assist.hearing.agent_lines import is_question
from assist.hearing.tone import compiled
from assist.suggest.card import STEP, card_of, fits, text_of
from assist.suggest.model import Candidate, Said
from assist.suggest.names import ACT_NAMES, NO_PRESSING, TECHNIQUES
from assist.suggest.picture import Picture
from assist.suggest.situation import Situation


def answers(
    picture: Picture, now: Situation, line: Said | None, names: tuple[str, ...]
) -> Iterable[Candidate]:
    """Answers to what the customer asks: by the act, by the words, by the product in question."""
    if line is None:
        return
    asks = {name for name in names if name.startswith("ask_")}
    questioning = bool(asks) or is_question(line.text)
    predicted = STEP if "advise_answer" in picture.steps else 0.0
    for node in picture.script.nodes.values():
        if not node.answers and not node.about:
            continue
        by_act = bool(asks & set(node.answers))
        by_words = [match.group() for word in node.about if (match := compiled(word).search(line.text))]
        if not (by_act or (by_words and questioning)) or not fits(picture, now, node):
            continue
        text = text_of(picture, now, node)
        if text is None:
            continue
        prior = 0.4 + 0.2 * by_act + (0.3 + 0.01 * min(len(max(by_words, key=len)), 9) if by_words else 0.0)
        if by_act and node.about and not by_words:
            prior -= 0.15  # about something else that this act may ask
        if node.product and now.likely is not None and node.product != now.likely.product:
            prior -= 0.2
        why = f"客户问「{by_words[0]}」" if by_words else "客户在问"
        yield card_of(picture, node, "answer", text, min(0.95, prior + predicted / 2), why=node.why or why)


def rebuttals(picture: Picture, now: Situation) -> Iterable[Candidate]:
    """Answers to the open objection, each technique once."""
    objection = picture.objection
    if objection is None or not picture.may_rebut or objection in NO_PRESSING:
        return
    spoken_nodes = picture.rebutted.get(objection, [])
    used = {picture.script.nodes[name].technique for name in spoken_nodes}
    for node in picture.script.nodes.values():
        if objection not in node.rebuts or node.name in picture.done or not fits(picture, now, node):
            continue
        if set(node.avoid_after) & picture.seen_acts:
            continue
        text = text_of(picture, now, node)
        if text is None:
            continue
        prior = 0.72 + STEP * ("advise_rebuttal" in picture.steps)
        prior += _technique_prior(node.technique, picture, bool(used)) + 0.02 * any(map(str.isdigit, text))
        if node.technique in used:
            prior -= 0.3
        technique = node.technique or ""
        why = f"{ACT_NAMES.get(objection, objection)} → {TECHNIQUES.get(technique, technique)}"
        yield card_of(
            picture, node, "rebuttal", text, prior, why=why, objection=objection,
            evidence=(picture.objection_evidence,) if picture.objection_evidence else (),
        )  # fmt: skip


def _technique_prior(technique: str | None, picture: Picture, second: bool) -> float:
    """Sense before data: an upset customer is first understood, a think-over is first asked why."""
    objection, kind = picture.objection, picture.customer_type
    line = picture.customer
    upset = line is not None and line.sentiment == "negative"
    points = 0.0
    if technique == "empathy":
        points += 0.08 if upset and not second else 0.0
    if technique == "guide":
        points += 0.08 if objection in ("object_think_over", "object_decider", "object_no_need") else 0.0
    if technique == "price_anchor":
        points += 0.07 if objection == "object_price" else 0.0
        points += 0.04 if kind == "exact" else 0.0
    if technique == "authority":
        points += 0.08 if objection == "object_distrust" else 0.0
    if technique == "humour":
        points -= 0.1 if upset or kind in ("exact", "dominant") else 0.03
    if technique == "social_proof":
        points += 0.03 if kind == "talker" else 0.0
    if technique == "trial":
        points += 0.03 if kind == "patient" else 0.0
    return points
