"""action_do_not_call: the customer wants no more calls.  In force before the call ends, for all campaigns.

Sets `dnc` to recorded or failed; the line that follows promises only what is true.
"""

from __future__ import annotations

import logging
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.context import current
from actions.ports import DoNotCallRequest, EffectFailed

logger = logging.getLogger(__name__)


class DoNotCall(Action):  # type: ignore[misc]
    """Its evidence is the customer's own words (`request_dnc`)."""

    def name(self) -> str:
        return "action_do_not_call"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        call = current.get()
        if "request_dnc" not in {call.act, *call.act_names}:
            raise PermissionError(
                "nobody asked not to be called → call action_do_not_call on request_dnc only"
            )
        origin = call.origin("do_not_call")
        if origin["phone"] is None and origin["contact_id"] is None:
            call.report(self.name(), "failed", reason="the caller withheld his number: nobody to record")
            return [SlotSet("dnc", "failed")]
        try:
            await call.effects.do_not_call.add(DoNotCallRequest(**origin, wish=call.wish))
        except EffectFailed as failure:
            logger.error("call %s: do-not-call failed: %s", call.call_id, failure)
            call.report(self.name(), "failed", reason=str(failure))
            return [SlotSet("dnc", "failed")]
        call.report(self.name(), "recorded")
        return [SlotSet("dnc", "recorded")]
