"""What could be shown now, each with its reason and how good it looks before any learning. Pure.

Families: answers to the customer's question, rebuttals to the open objection, the next question, the
offer, the close, what must still be said, and the lines that the script's own policies name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from assist.hearing.agent_lines import is_question
from assist.hearing.tone import compiled
from assist.suggest import questions
from assist.suggest.arithmetic import money
from assist.suggest.conditions import holds_all
from assist.suggest.model import LAYERS, Candidate, CardKind, FactValue, Said
from assist.suggest.offers import Offer, placeholders, recommend
from assist.suggest.picture import Picture
from assist.suggest.script import Node, Wording
from assist.suggest.stage import READY_SHARE
from assist.suggest.texts import fact_variables, spoken

NO_PRESSING: Final = frozenset(
    {"object_busy", "object_unable", "request_dnc", "wrong_person", "relative_or_other"}
)
"""After these nothing is sold and nothing argued."""
SELLING: Final[frozenset[CardKind]] = frozenset({"question", "rebuttal", "offer", "close"})
"""Not one of these once the customer has refused for good."""
ASK_AGAIN_AFTER: Final = 5
"""Customer lines after which a question that got no answer may be asked once more."""
SUMS: Final = frozenset({"now", "then", "saving", "saving_year", "saving_term", "price", "product", "months"})
MAX_QUESTIONS: Final = 4
TOLD_ENOUGH: Final = 3
"""Facts that the customer told before an offer comes first."""
STEP: Final = 0.15
"""What the script's own prediction adds to a card."""
ACT_NAMES: Final[Mapping[str, str]] = {
    "object_price": "嫌贵",
    "object_no_need": "不需要",
    "object_distrust": "不信任",
    "object_already_have": "已经有了",
    "object_competitor": "提到别家",
    "object_bad_service": "服务不满",
    "object_decider": "要商量",
    "object_think_over": "要考虑",
    "object_frequency": "电话太多",
    "object_busy": "没空",
    "object_unable": "不方便",
}
TECHNIQUES: Final[Mapping[str, str]] = {
    "empathy": "同理",
    "price_anchor": "价格锚点",
    "shift_focus": "转移焦点",
    "social_proof": "客户见证",
    "authority": "官方权威",
    "pre_empt": "提前化解",
    "guide": "引导提问",
    "humour": "轻松一下",
    "trial": "先试用",
    "direct": "直接促成",
    "either_or": "二选一",
    "time_limit": "限时",
    "testimony": "客户见证",
}
_CARD_TTL: Final[Mapping[CardKind, int]] = {
    "question": 20_000,
    "rebuttal": 15_000,
    "offer": 25_000,
    "answer": 15_000,
    "close": 20_000,
    "compliance": 30_000,
    "action": 20_000,
}


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture amounts to for this moment: figures for texts, products, the value of questions."""

    values: dict[str, FactValue]
    offers: tuple[Offer, ...]
    gains: dict[str, float]
    shares: dict[str, float]
    variables: dict[str, str]
    today: date
    talked_of: str | None = None

    @property
    def best(self) -> Offer | None:
        """The product that may be offered now."""
        return next((offer for offer in self.offers if offer.recommended), None)

    @property
    def likely(self) -> Offer | None:
        """The product to talk about: the one talked of, the recommended one, the likeliest still possible."""
        named = next((offer for offer in self.offers if offer.product == self.talked_of), None)
        if named is not None and named.eligible != "no":
            return named
        if self.best is not None:
            return self.best
        return next(
            (offer for offer in self.offers if offer.eligible == "unknown" and offer.guard is None), None
        )

    @property
    def ready(self) -> bool:
        """Whether a product can be recommended surely."""
        best = self.best
        return best is not None and self.shares.get(best.product, 1.0) >= READY_SHARE


def situation(picture: Picture, today: date) -> Situation:
    """Weigh the products and the questions for what is known now."""
    script = picture.script
    values = picture.values()
    offers = recommend(script.catalogue, values, today)
    gains = questions.information_gain(script.catalogue, script.facts, values, today)
    shares = questions.best_shares(script.catalogue, script.facts, values, today)
    draft = Situation(values=values, offers=offers, gains=gains, shares=shares, variables={}, today=today,
        talked_of=picture.talked_of,
    )  # fmt: skip
    variables = {**script.variables, **picture.variables, **fact_variables(values)}
    if draft.likely is not None:
        variables |= _sums(draft.likely, values, today)
    return msgspec.structs.replace(draft, variables=variables)


def _sums(offer: Offer, values: Mapping[str, FactValue], today: date) -> dict[str, str]:
    """The figures of an offer; what it costs now and then only where that is a gain."""
    found = placeholders(offer, values, today)
    if "saving" not in found:
        found.pop("now", None)
        found.pop("then", None)
    return found


def candidates(picture: Picture, now: Situation) -> list[Candidate]:
    """All cards that could be shown after the customer's last line, each key once, best prior first."""
    found: dict[str, Candidate] = {}
    for card in _all(picture, now):
        known = found.get(card.key)
        if card.key in picture.rejected or card.text in picture.texts:
            continue
        if known is None or known.prior < card.prior:
            found[card.key] = card
    by_text: dict[str, Candidate] = {}
    for card in sorted(found.values(), key=lambda card: (-card.prior, card.key)):
        by_text.setdefault(card.text, card)
    return list(by_text.values())


def next_question(picture: Picture, now: Situation) -> str | None:
    """The fact worth asking next."""
    return next(iter(_open_questions(picture, now)), None)


def _all(picture: Picture, now: Situation) -> Iterable[Candidate]:
    line = picture.customer
    acts = line.acts if line is not None else ()
    names = tuple(act["name"] for act in acts)
    yield from _steps(picture, now, line)
    yield from _duties(picture, now, line)
    yield from _answers(picture, now, line, names)
    if picture.over or NO_PRESSING & set(names):
        return
    yield from _rebuttals(picture, now)
    yield from _questions(picture, now, names)
    yield from _offers(picture, now, names)
    yield from _closes(picture, now, names)


def _steps(picture: Picture, now: Situation, line: Said | None) -> Iterable[Candidate]:
    """The lines that the script's policies name."""
    for number, step in enumerate(picture.steps):
        node = picture.script.nodes.get(step)
        if node is None or step in picture.done or not _timely(picture, now, node):
            continue
        kind = node.card or _kind(node, picture)
        if kind in SELLING and (picture.over or (kind != "question" and NO_PRESSING & set(picture.acts))):
            continue
        text = text_of(picture, now, node)
        if text is None:
            continue
        yield _card(
            picture,
            node,
            kind,
            text,
            0.8 - 0.08 * number,
            why=node.why or "话术的下一步",
        )


def _timely(picture: Picture, now: Situation, node: Node) -> bool:
    """Whether a line that the policies name makes sense now: they know acts, not all that was said."""
    if not _fits(picture, now, node) or (node.asks is not None and now.values.get(node.asks) is not None):
        return False
    if node.rebuts and picture.objection not in node.rebuts:
        return False
    if node.card == "close" and not (picture.pitched or picture.signals):
        return False
    said = {key for key, item in picture.checklist.items() if item.at_ms is not None}
    return not (node.discloses and set(node.discloses) <= said)


def _duties(picture: Picture, now: Situation, line: Said | None) -> Iterable[Candidate]:
    """What must be said and is due."""
    for number, item in enumerate(
        item for item in picture.checklist.values() if item.due and item.at_ms is None
    ):
        rule = next(rule for rule in picture.script.must_say if rule.key == item.key)
        node = picture.script.nodes.get(rule.node)
        text = text_of(picture, now, node) if node is not None else None
        if node is None or text is None:
            continue
        urgent = picture.stage in ("details", "closing") or picture.accepted
        prior = (0.9 if urgent else 0.74 if rule.by in ("opening", "discovery") else 0.6) - 0.03 * number
        if picture.over:
            prior = 0.1
        yield _card(
            picture, node, "compliance", text, prior, why=f"必说:{rule.title.zh}", pinned=True, fixed=urgent
        )


def _answers(
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
        if not (by_act or (by_words and questioning)) or not _fits(picture, now, node):
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
        yield _card(picture, node, "answer", text, min(0.95, prior + predicted / 2), why=node.why or why)


def _rebuttals(picture: Picture, now: Situation) -> Iterable[Candidate]:
    """Answers to the open objection, each technique once."""
    objection = picture.objection
    if objection is None or not picture.may_rebut or objection in NO_PRESSING:
        return
    spoken_nodes = picture.rebutted.get(objection, [])
    used = {picture.script.nodes[name].technique for name in spoken_nodes}
    for node in picture.script.nodes.values():
        if objection not in node.rebuts or node.name in picture.done or not _fits(picture, now, node):
            continue
        if set(node.avoid_after) & picture.seen_acts:
            continue
        text = text_of(picture, now, node)
        if text is None:
            continue
        prior = 0.72 + STEP * ("advise_rebuttal" in picture.steps)
        prior += _technique_prior(node.technique, picture, bool(used)) + 0.02 * ("{" in _raw(node, text, now))
        if node.technique in used:
            prior -= 0.3
        technique = node.technique or ""
        why = f"{ACT_NAMES.get(objection, objection)} → {TECHNIQUES.get(technique, technique)}"
        yield _card(
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


def _open_questions(picture: Picture, now: Situation) -> list[str]:
    tried = {name for name, at in picture.asked.items() if picture.customer_lines - at < ASK_AGAIN_AFTER}
    rejected = {
        node.asks for key in picture.rejected if (node := picture.script.nodes.get(key)) and node.asks
    }
    reached = picture.layer
    return questions.order(
        picture.script.facts, now.values, now.gains, reached=reached, asked=tried, refused=frozenset(rejected)
    )


def _questions(picture: Picture, now: Situation, names: tuple[str, ...]) -> Iterable[Candidate]:
    """The next questions, in the order of four-layer questioning."""
    if picture.accepted:
        return
    predicted = STEP * ("advise_question" in picture.steps)
    number = -1
    for name in _open_questions(picture, now):
        rule = picture.script.facts[name]
        node = picture.script.nodes.get(rule.ask or "")
        text = text_of(picture, now, node) if node is not None else None
        if node is None or text is None or not _fits(picture, now, node):
            continue
        number += 1
        if number == MAX_QUESTIONS:
            break
        prior = 0.55 + predicted - 0.05 * number + 0.05 * min(now.gains.get(name, 0.0), 1.0)
        if picture.objection is not None:
            prior -= 0.25
        if any(act.startswith("ask_") for act in names):
            prior -= 0.2
        if picture.pitched:
            prior -= 0.1
        gain = now.gains.get(name, 0.0)
        why = f"问清{rule.title.zh}才好定方案" if gain >= 0.05 else f"还不知道{rule.title.zh}"
        yield _card(picture, node, "question", text, prior, why=node.why or why, asks=name)


def _offers(picture: Picture, now: Situation, names: tuple[str, ...]) -> Iterable[Candidate]:
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
        variables = {**base, **_sums(offer, now.values, now.today)}
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
        and _fits(picture, now, node)
    ]  # fmt: skip
    slots = {**now.values, "customer_type": picture.customer_type}
    for number, node in enumerate(nodes):
        text = spoken(node, variables, slots, picture.texts)
        if text is None:
            continue
        yield Candidate(
            key=node.name, kind="offer", text=text, prior=prior - 0.03 * (number > 0), title=offer.name.zh,
            why=(node.why or why)[:24], product=offer.product, ttl_ms=_CARD_TTL["offer"],
            node=node.name if number else None, technique=node.technique, evidence=_evidence_of(picture),
            features={f"product={offer.product}": 1.0},
        )  # fmt: skip


def _closes(picture: Picture, now: Situation, names: tuple[str, ...]) -> Iterable[Candidate]:
    """Closing, when the signals are there."""
    eager = "accept_offer" in names or (picture.pitched and "affirm" in names and picture.expects == "offer")
    if not (picture.signals or eager or "advise_close" in picture.steps) or picture.objection is not None:
        return
    if now.likely is None and picture.script.catalogue.products and not picture.pitched:
        return
    predicted = STEP * ("advise_close" in picture.steps)
    for node in picture.script.nodes.values():
        if node.card != "close" or node.name in picture.done or not _fits(picture, now, node):
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
        yield _card(
            picture, node, "close", text, prior, why=why, evidence=tuple(picture.signal_evidence[-2:])
        )


def _card(
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
        evidence=_evidence_of(picture) if evidence is None else evidence, node=node.name,
        asks=asks or (node.asks if kind == "question" else None), objection=objection,
        technique=node.technique,
        product=node.product, ttl_ms=_CARD_TTL[kind], pinned=pinned, fixed=fixed, features=features,
    )  # fmt: skip


def _kind(node: Node, picture: Picture) -> CardKind:
    """The kind of a bot's line, which does not say it itself."""
    if node.rebuts:
        return "rebuttal"
    if node.asks == "offer" or node.asks == "order":
        return "close"
    if node.asks:
        return "question"
    if node.discloses:
        return "compliance"
    return "answer" if any(act.startswith("ask_") for act in picture.acts) else "action"


def _fits(picture: Picture, now: Situation, node: Node) -> bool:
    return holds_all(node.when, now.values) is not False


def text_of(picture: Picture, now: Situation, node: Node | None) -> str | None:
    """The line's words for this customer now, None where it cannot be said (a person is no machine)."""
    if node is None or "robot" in node.discloses:
        return None
    slots = {**now.values, "customer_type": picture.customer_type}
    return spoken(node, now.variables, slots, picture.texts)


def _raw(node: Node, text: str, now: Situation) -> str:
    """Whether the text holds a figure of the customer: "{" where it does."""
    return "{" if any(character.isdigit() for character in text) else ""


def _evidence_of(picture: Picture) -> tuple[str, ...]:
    line: Any = picture.customer
    return (line.utterance_id,) if line is not None else ()
