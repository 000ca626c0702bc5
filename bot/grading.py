"""The tier of a contact after a call, A to E, with its reasons.  Pure.

A a deal within a week, B within a month, C interested, D possible, E ordinary (DOMAIN: tiers).
Reasons are short codes; the pages and reports hold their words in Chinese and English.
"""

from __future__ import annotations

from collections.abc import Collection

INTEREST = {
    "ask_price",
    "ask_details",
    "ask_benefit",
    "ask_condition",
    "ask_effective",
    "ask_how_to",
    "ask_sms",
    "object_think_over",
    "object_decider",
    "unsure",
}
CLOSED = {"do_not_call", "wrong_person", "unreachable", "no_answer", "voicemail"}


def grade(disposition: str, acts: Collection[str], heard_offer: bool) -> tuple[str, tuple[str, ...]]:
    """(tier, reasons) from how the call ended, the acts of the customer, and whether the offer was heard."""
    if disposition == "accepted":
        return "A", ("order_placed",)
    if disposition in CLOSED:
        return "E", (disposition,)
    shown = tuple(sorted(INTEREST.intersection(acts)))
    accepted = {"accept_offer"} & set(acts)
    if disposition in {"transferred", "callback"}:
        if heard_offer and (accepted or shown):
            return "B", (disposition, *shown)
        return ("C", (disposition, *shown)) if heard_offer or shown else ("D", (disposition,))
    if disposition in {"completed"}:
        return "E", (disposition,)
    if accepted:
        return "B", ("accepted_then_stopped", disposition)
    if shown:
        return ("C" if disposition != "declined" else "D"), (disposition, *shown)
    if disposition in {"busy", "hung_up", "not_understood", "failed"} and not heard_offer:
        return "D", (disposition, "offer_not_heard")
    return "E", (disposition,)
