"""action_hang_up: ends the call without a word, as at an answering machine.

A line that ends a call says so in its metadata (`ends`); here there is no line, so the engine is
told through the call's context.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.context import current


class HangUp(Action):  # type: ignore[misc]
    """The disposition is voicemail: nobody else is left without a word."""

    def name(self) -> str:
        return "action_hang_up"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        current.get().ends = "voicemail"
        return []
