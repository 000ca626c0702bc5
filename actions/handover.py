"""action_handover: gives the call to a person, with what that person must know.

Sets `handover` to accepted (a person takes it now) or none (nobody is free, or it failed).
"""

from __future__ import annotations

import logging
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.context import current
from actions.ports import EffectFailed, HandoverRequest
from actions.state import STEERING

logger = logging.getLogger(__name__)
REASONS = {"ask_human": "customer_asked", "complain": "complaint", "call_start": "inbound"}


class Handover(Action):  # type: ignore[misc]
    """The context holds the steering slots and what was heard; no personal data."""

    def name(self) -> str:
        return "action_handover"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        call = current.get()
        slots = tracker.current_slot_values()
        reason = REASONS.get(call.act, "not_understood")
        context = {
            name: slots.get(name) for name in (*STEERING, "pending", "disclosed", "rebuttals", "order")
        }
        request = HandoverRequest(**call.origin("handover"), reason=reason, context=context, wish=call.wish)
        try:
            accepted = await call.effects.handovers.request(request)
        except EffectFailed as failure:
            logger.error("call %s: handover failed: %s", call.call_id, failure)
            call.report(self.name(), "failed", reason=str(failure))
            return [SlotSet("handover", "none")]
        call.report(self.name(), "accepted" if accepted else "none", reason=reason)
        if accepted:
            to = str(call.contact.get("queue") or "agent")
            call.handover = {"to": to, "reason": reason, "context": context}
        return [SlotSet("handover", "accepted" if accepted else "none")]
