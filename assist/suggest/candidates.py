"""What could be shown now, each with its reason and how good it looks before any learning. Pure.

Families: answers to the customer's question, rebuttals to the open objection, the next question, the
offer, the close, what must still be said, and the lines that the script's own policies name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from assist.suggest import questions
from assist.suggest.card import STEP, card_of, fits, text_of
from assist.suggest.model import Candidate, CardKind
from assist.suggest.names import NO_PRESSING
from assist.suggest.offering import closes, offers
from assist.suggest.picture import Picture
from assist.suggest.replying import answers, rebuttals
from assist.suggest.script import Node
from assist.suggest.situation import Situation

SELLING: Final[frozenset[CardKind]] = frozenset({"question", "rebuttal", "offer", "close"})
"""Not one of these once the customer has refused for good."""
ASK_AGAIN_AFTER: Final = 5
"""Customer lines after which a question that got no answer may be asked once more."""
MAX_QUESTIONS: Final = 4


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
    yield from _steps(picture, now)
    yield from _duties(picture, now)
    yield from answers(picture, now, line, names)
    if picture.over or NO_PRESSING & set(names):
        return
    yield from rebuttals(picture, now)
    yield from _questions(picture, now, names)
    yield from offers(picture, now, names)
    yield from closes(picture, now, names)


def _steps(picture: Picture, now: Situation) -> Iterable[Candidate]:
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
        yield card_of(
            picture,
            node,
            kind,
            text,
            0.8 - 0.08 * number,
            why=node.why or "话术的下一步",
        )


def _timely(picture: Picture, now: Situation, node: Node) -> bool:
    """Whether a line that the policies name makes sense now: they know acts, not all that was said."""
    if not fits(picture, now, node) or (node.asks is not None and now.values.get(node.asks) is not None):
        return False
    if node.rebuts and picture.objection not in node.rebuts:
        return False
    if node.card == "close" and not (picture.pitched or picture.signals):
        return False
    said = {key for key, item in picture.checklist.items() if item.at_ms is not None}
    return not (node.discloses and set(node.discloses) <= said)


def _duties(picture: Picture, now: Situation) -> Iterable[Candidate]:
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
        yield card_of(
            picture, node, "compliance", text, prior, why=f"必说:{rule.title.zh}", pinned=True, fixed=urgent
        )


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
        if node is None or text is None or not fits(picture, now, node):
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
        yield card_of(picture, node, "question", text, prior, why=node.why or why, asks=name)


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
