"""action_book_callback: promises a call at a time, by the bot or (after a failure) by a person.

The time is the one that the customer named; without one, the same hour tomorrow, within the hours
in which we may call.  Sets `callback` to booked or failed, and `callback_time` to how it is said.
"""

from __future__ import annotations

import logging
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.context import CallContext, current
from actions.ports import CallbackRequest, EffectFailed
from actions.times import named_time, same_hour_tomorrow, spoken

logger = logging.getLogger(__name__)
AGREED = frozenset({"request_callback", "object_busy", "inform", "affirm", "accept_offer"})
STRANGERS = frozenset({"stranger", "queued"})
"""Callers (slot `caller`) whom only a person can help when calling back."""
BY_PERSON = frozenset({"action_failed", "transfer_failed", "ask_human", "complain"})


class BookCallback(Action):  # type: ignore[misc]
    """`asked_for` is true only where the customer asked for it or agreed to it in words."""

    def name(self) -> str:
        return "action_book_callback"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        call = current.get()
        if refused := _refused(call):
            call.report(self.name(), "refused", reason=refused)
            return [SlotSet("callback", "failed")]
        hours = call.script.callback_hours
        when = named_time(call.entities, call.local_now, hours) or same_hour_tomorrow(call.local_now, hours)
        intent = tracker.get_intent_of_latest_message()
        stranger = tracker.get_slot("caller") in STRANGERS
        by_person = stranger or intent in BY_PERSON or tracker.get_slot("order") == "failed"
        request = CallbackRequest(
            **call.origin("callback"),
            when=when,
            by_person=by_person,
            asked_for=call.act in AGREED and (stranger or not by_person),
            wish=call.wish,
        )
        said = SlotSet("callback_time", spoken(when, call.local_now))
        try:
            await call.effects.callbacks.book(request)
        except EffectFailed as failure:
            logger.error("call %s: callback failed: %s", call.call_id, failure)
            call.report(self.name(), "failed", reason=str(failure))
            return [said, SlotSet("callback", "failed")]
        call.report(self.name(), "booked", when=when.isoformat(), by_person=request.by_person)
        return [said, SlotSet("callback", "booked")]


def _refused(call: CallContext) -> str | None:
    """Why no call may be promised; None where one may."""
    if call.act == "request_dnc":
        return "the customer wants no more calls"
    if call.direction == "inbound" and call.contact.get("do_not_call") is True:
        return "the caller is on the do-not-call list"
    if call.direction == "inbound" and not call.contact.get("phone"):
        return "the caller withheld his number"
    return None
