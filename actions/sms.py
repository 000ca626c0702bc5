"""action_send_sms: queues a text message from the official number.

After an order it holds what was agreed; otherwise the offer's details, and then only because the
customer asked for them.  Sets `sms` to sent or failed; the line that follows says which.
"""

from __future__ import annotations

import logging
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.context import current
from actions.offers import variables
from actions.ports import EffectFailed, SmsMessage

logger = logging.getLogger(__name__)


class SendSms(Action):  # type: ignore[misc]
    """Refuses where neither an order nor the customer's wish stands behind the message."""

    def name(self) -> str:
        return "action_send_sms"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        call = current.get()
        kind = "order" if tracker.get_slot("order") == "placed" else "details"
        if kind == "details" and "ask_sms" not in {call.act, *call.act_names}:
            raise PermissionError(
                "no message without the customer's wish → call action_send_sms on ask_sms only"
            )
        template = call.script.sms.order if kind == "order" else call.script.sms.details
        message = SmsMessage(
            **call.origin(f"sms/{kind}"),
            kind=kind,
            sender=call.script.company.sms_number,
            body=template.format_map(variables(call.script, call.contact, call.local_now)),
            wish=call.wish,
        )
        try:
            await call.effects.sms.queue(message)
        except EffectFailed as failure:
            logger.error("call %s: message failed: %s", call.call_id, failure)
            call.report(self.name(), "failed", kind=kind, reason=str(failure))
            return [SlotSet("sms", "failed")]
        call.report(self.name(), "sent", kind=kind)
        return [SlotSet("sms", "sent")]
