"""action_take_stock: at the start of each turn, sets every slot that steers (see `state.py`).

Also notes in the call's evidence what the lines before have proven.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.context import CallContext, current
from actions.evidence import Proof, is_noise
from actions.inbound import opening_slots, opening_stock
from actions.state import Said, Stock, as_slots, from_slots, take_stock
from actions.times import named_time

DIGIT_ENTITIES = ("digits", "id_number")


class TakeStock(Action):  # type: ignore[misc]
    """Runs as the custom mapping of the slot `asked`, before any rule."""

    def name(self) -> str:
        return "action_take_stock"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        call = current.get()
        before = from_slots(tracker.current_slot_values())
        opening: dict[str, str] = {}
        if tracker.get_slot("sale") is None:
            opening = opening_slots(call.script, call.contact, call.direction, call.local_now)
            before = opening_stock(before, opening)
        said = Said(
            act=tracker.get_intent_of_latest_message() or call.act,
            acts=call.act_names,
            digits=_digits(call),
            time_named=named_time(call.entities, call.local_now, call.script.callback_hours) is not None,
            noise=is_noise(call.text),
        )
        after = take_stock(
            before,
            call.heard,
            said,
            id_last4=_text(call.contact.get("id_last4")),
            clarify_refusal=call.script.clarify_refusal,
        )
        call.evidence.extend(_proofs(call, before, after))
        if opening.get("caller") == "listed":
            call.evidence.append(Proof("refused", "selling", "do_not_call", call.now))
        return [SlotSet(name, value) for name, value in (as_slots(after) | opening).items()]


def _digits(call: CallContext) -> str | None:
    for entity in call.entities:
        if entity["entity"] in DIGIT_ENTITIES:
            return "".join(sign for sign in str(entity["value"]) if sign.isalnum())
    return None


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def _proofs(call: CallContext, before: Stock, after: Stock) -> list[Proof]:
    """What this turn shows beyond what was shown before."""
    proofs = []
    for line in call.heard:
        if line.begun and line.metadata.get("asks"):
            proofs.append(Proof("asked", str(line.metadata["asks"]), line.node, call.now))
        if line.finished:
            proofs += [
                Proof("heard", what, line.node, call.now) for what in line.metadata.get("discloses") or ()
            ]
    source = call.wish.utterance_id
    if after.name_confirmed and not before.name_confirmed:
        proofs.append(Proof("confirmed", "name", source, call.now))
    if after.id_check == "pass" and before.id_check != "pass":
        proofs.append(Proof("confirmed", "identity", source, call.now))
    if after.selling_over and not before.selling_over:
        proofs.append(Proof("refused", "selling", source, call.now))
    return proofs
