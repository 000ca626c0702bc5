"""Where a call stands: the slots that steer it, derived turn by turn.  Pure.

A turn's state comes from the state before, the bot lines that were really heard since, and what
the customer now said.  Nothing else changes it, so a call can be replayed and all its paths can be
walked: every field has few values and every counter is bounded.

Words of the metadata of a line that count here: `asks` (the question it puts), `discloses` (what
hearing it to its end proves), `rebuts` (it answers an objection).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from actions.context import HeardLine
from actions.evidence import YES

MAIN_QUESTIONS: Final = (
    "name", "permission", "offer", "id", "owner", "order", "callback_time", "who", "help",
)  # fmt: skip
"""Questions that a call returns to after a digression; others (reason, concern, person) it leaves."""

OFFER_TERMS: Final = frozenset({"identity", "price", "term"})
DISCLOSURES: Final = OFFER_TERMS | {"cancel", "order_question", "robot", "purpose"}
MAX_REBUTTALS: Final = 2
MAX_REFUSALS: Final = 2
MAX_WRONG_IDS: Final = 2
PATIENCE: Final = 3
"""Silences, or lines not understood, running: at the third the call ends."""

UNHEARD: Final = frozenset({"no_match", "out_of_scope"})
SIGNALS: Final = frozenset({"silence", "interrupted", "action_failed", "transfer_failed", "call_start"})
REFUSED_BY_NO: Final = frozenset({"permission", "offer", "reason", "order", "id"})
"""Questions where a plain no refuses the offer."""

NO_REFUSAL: Final = frozenset({"callback_time", "person", "concern", "who", "help"})
"""Questions where 不用了 answers the question itself, not the offer."""


@dataclass(frozen=True)
class Stock:
    """The state.  Fields up to `plain_yes` are Rasa slots that steer; the rest is memory.

    asked: the question that the customer's words answer; pending: the main one to return to.
    """

    asked: str = "none"
    name_confirmed: bool = False
    introduced: bool = False
    may_rebut: bool = True
    may_clarify: bool = False
    id_known: bool = False
    id_check: str = "none"
    terms_heard: str = "none"
    silences: int = 0
    misses: int = 0
    callback_time_known: bool = False
    think_asked: bool = False
    plain_yes: bool = False
    pending: str = "none"
    disclosed: frozenset[str] = frozenset()
    rebuttals: int = 0
    refusals: int = 0
    wrong_ids: int = 0
    selling_over: bool = False


@dataclass(frozen=True)
class Said:
    """What the customer did: the act that steers, all acts, digits dictated (masked nowhere yet),
    whether a time for a callback was named, and whether the words are a mere noise (嗯)."""

    act: str
    acts: Collection[str] = ()
    digits: str | None = None
    time_named: bool = False
    noise: bool = False


def take_stock(
    before: Stock,
    heard: Sequence[HeardLine],
    said: Said,
    *,
    id_last4: str | None,
    clarify_refusal: bool = True,
) -> Stock:
    """The state after this turn's words, before the bot answers.

    `id_last4` is the contact's (None where it has none): digits are compared here and kept nowhere.
    `clarify_refusal` is the rule profile's.
    """
    stock = replace(_after_lines(before, heard), id_known=bool(id_last4))
    stock = _patience(stock, said)
    stock = _answers(stock, said, id_last4)
    stock = _ahead(stock)
    stock = _refusals(stock, said, clarify_refusal)
    if said.act == "accept_offer" and stock.asked in ("reason", "concern") and stock.pending != "order":
        stock = replace(stock, asked=stock.pending)  # "then I take it" answers the main question
    return replace(
        stock,
        introduced={"identity", "robot"} <= stock.disclosed,
        terms_heard=_terms(stock.disclosed),
        callback_time_known=said.time_named,
        plain_yes=said.act in YES and not said.noise,
    )


def asked_after(asked: str | None, heard: Sequence[HeardLine]) -> str:
    """The question that the customer's next words answer: the last one begun, else the one before."""
    for line in reversed(heard):
        if line.begun and line.metadata.get("asks"):
            return str(line.metadata["asks"])
    return asked or "none"


def _after_lines(stock: Stock, heard: Sequence[HeardLine]) -> Stock:
    for line in heard:
        if not line.begun:
            continue
        asks = line.metadata.get("asks")
        if asks:
            stock = replace(stock, asked=asks, pending=asks if asks in MAIN_QUESTIONS else stock.pending)
        if asks == "concern":
            stock = replace(stock, think_asked=True)
        if line.metadata.get("rebuts"):
            stock = replace(stock, rebuttals=min(stock.rebuttals + 1, MAX_REBUTTALS))
        if line.finished:
            stock = replace(stock, disclosed=stock.disclosed | set(line.metadata.get("discloses") or ()))
    return stock


def _patience(stock: Stock, said: Said) -> Stock:
    if said.act == "silence":
        return replace(stock, silences=min(stock.silences + 1, PATIENCE))
    if said.act in SIGNALS:
        return stock
    misses = min(stock.misses + 1, PATIENCE) if said.act in UNHEARD else 0
    return replace(stock, silences=0, misses=misses)


def _answers(stock: Stock, said: Said, id_last4: str | None) -> Stock:
    """Facts that the customer's words settle, even where a question came with them."""
    yes = "affirm" in {said.act, *said.acts} and not {"deny", "wrong_person"} & {said.act, *said.acts}
    if stock.asked == "name" and yes:
        return replace(stock, name_confirmed=True)
    if stock.asked == "owner" and yes:
        return replace(stock, id_check="pass")
    if stock.id_check == "pass":
        return stock
    stock = replace(stock, id_check="none")
    if stock.asked == "id" and id_last4 and said.digits and len(said.digits) >= len(id_last4):
        if said.digits.upper().endswith(id_last4.upper()):
            return replace(stock, id_check="pass")
        wrong = min(stock.wrong_ids + 1, MAX_WRONG_IDS)
        return replace(stock, wrong_ids=wrong, id_check="retry" if wrong < MAX_WRONG_IDS else "fail")
    return stock


def _ahead(stock: Stock) -> Stock:
    """What is settled is not asked again, even where the next question was cut off unheard.

    The turn that settles it still answers the question itself (`asked` stays, rules go by it)."""
    if stock.name_confirmed and stock.pending == "name":
        stock = replace(stock, pending="permission")
    if stock.id_check == "pass" and stock.pending in ("id", "owner"):
        stock = replace(stock, pending="order")
    return stock


def _refusals(stock: Stock, said: Said, clarify_refusal: bool) -> Stock:
    refused = (said.act == "decline_offer" and stock.asked not in NO_REFUSAL) or (
        said.act == "deny" and stock.asked in REFUSED_BY_NO
    )
    again = said.act == "object_no_need" and stock.refusals > 0 and stock.asked != "reason"
    refusals = min(stock.refusals + (refused or again), MAX_REFUSALS)
    over = stock.selling_over or refusals >= MAX_REFUSALS or said.act == "request_dnc"
    return replace(
        stock,
        refusals=refusals,
        selling_over=over,
        may_rebut=not over and stock.rebuttals < MAX_REBUTTALS,
        may_clarify=refused and refusals == 1 and stock.rebuttals == 0 and not over and clarify_refusal,
    )


def _terms(disclosed: Collection[str]) -> str:
    """How much of the read-back was heard: none, price, terms (all but the question), all."""
    if not set(disclosed) >= OFFER_TERMS:
        return "none"
    if "cancel" not in disclosed:
        return "price"
    return "all" if "order_question" in disclosed else "terms"


def resume(stock: Stock) -> tuple[str, ...]:
    """The lines that bring a call back to its pending question after a digression."""
    if stock.pending == "none":
        return ("utter_again_name",)
    if stock.pending == "permission" and not stock.introduced:
        return ("utter_introduce",)
    if stock.pending == "order":
        return read_back(stock.terms_heard) or ("utter_again_order",)
    return (f"utter_again_{stock.pending}",)


def read_back(terms_heard: str) -> tuple[str, ...]:
    """The details not yet heard to their end, and the order question after them."""
    missing = {
        "none": ("utter_terms_price", "utter_terms_cancel", "utter_ask_order"),
        "price": ("utter_terms_cancel", "utter_ask_order"),
    }
    return missing.get(terms_heard, ())


STEERING: Final = (
    "asked",
    "name_confirmed",
    "introduced",
    "may_rebut",
    "may_clarify",
    "id_known",
    "id_check",
    "terms_heard",
    "silences",
    "misses",
    "callback_time_known",
    "think_asked",
    "plain_yes",
)
MEMORY: Final = ("pending", "disclosed", "rebuttals", "refusals", "wrong_ids", "selling_over")


def as_slots(stock: Stock) -> dict[str, Any]:
    """The state as Rasa slots: counters and sets as text."""
    slots: dict[str, Any] = {}
    for name in (*STEERING, *MEMORY):
        value = getattr(stock, name)
        if isinstance(value, frozenset):
            value = ",".join(sorted(value))
        slots[name] = value if isinstance(value, bool) else str(value)
    return slots


def from_slots(slots: Mapping[str, Any]) -> Stock:
    """The state of Rasa slots; slots that are not set have their first value."""
    found: dict[str, Any] = {}
    for name in (*STEERING, *MEMORY):
        value = slots.get(name)
        if value is None:
            continue
        first = getattr(Stock(), name)
        if isinstance(first, frozenset):
            found[name] = frozenset(part for part in str(value).split(",") if part)
        elif isinstance(first, bool):
            found[name] = bool(value)
        else:
            found[name] = type(first)(value)
    return Stock(**found)
