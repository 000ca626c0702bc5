"""action_place_order: the one place where an order is made, and only with consent.

Sets `order` to placed, failed (the order book cannot) or no_consent (the guard refused: the
rules should not have come here, so the details are read back again).
"""

from __future__ import annotations

import logging
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.context import current
from actions.evidence import NoConsent, order_consent
from actions.offers import availability, first_of_next_month
from actions.ports import EffectFailed, Order

logger = logging.getLogger(__name__)


class PlaceOrder(Action):  # type: ignore[misc]
    """Refuses without `evidence.order_consent`, and once the offer is no longer open."""

    def name(self) -> str:
        return "action_place_order"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        call = current.get()
        try:
            consent = order_consent(call.evidence, call.act_names, call.wish)
            if (state := availability(call.script, call.contact, call.local_now)) != "open":
                raise EffectFailed(f"the offer is {state}")
            offer = call.script.offer
            order = Order(
                **call.origin("order"),
                product=offer.product,
                price_yuan=offer.price_yuan,
                months=offer.months,
                starts=first_of_next_month(call.local_now.date()),
                consent=consent,
            )
            number = await call.effects.orders.place(order)
        except NoConsent as refusal:
            logger.error("call %s: %s", call.call_id, refusal)
            call.report(self.name(), "no_consent", missing=list(refusal.missing))
            return [SlotSet("order", "no_consent")]
        except EffectFailed as failure:
            logger.error("call %s: order failed: %s", call.call_id, failure)
            call.report(self.name(), "failed", reason=str(failure))
            return [SlotSet("order", "failed")]
        call.report(self.name(), "placed", number=number)
        return [SlotSet("order", "placed")]
