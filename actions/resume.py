"""action_resume: brings the call back to its pending question, in other words (see `state.resume`)."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.state import from_slots, resume


class Resume(Action):  # type: ignore[misc]
    """Says `utter_again_<pending>`; where the introduction or the read-back was cut off, that."""

    def name(self) -> str:
        return "action_resume"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        for response in resume(from_slots(tracker.current_slot_values())):
            dispatcher.utter_message(response=response)
        return []
