"""Custom actions run in this process: no action server, no HTTP hop.

Rasa's RemoteAction serialises the whole tracker and checks every answer against a JSON schema:
nine tenths of a turn's time.  Ours hands the action an SDK tracker and takes its events as they are.
"""

from __future__ import annotations

from typing import Any

from rasa.core.actions.action import Action, RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SlotSet, deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher
from rasa_sdk.interfaces import Tracker

from bot.dialogue.running import running_turn


class ActionRegistry:
    """The actions of the `actions` package, by name."""

    def __init__(self) -> None:
        executor = ActionExecutor()
        executor.register_package("actions")
        self._actions: dict[str, Any] = executor.actions

    @property
    def names(self) -> set[str]:
        """Names of all actions that can run."""
        return set(self._actions)

    def action(self, name: str) -> InProcessAction:
        """The action of that name; raises KeyError where there is none."""
        return InProcessAction(name, self._actions[name])


class InProcessAction(Action):
    """One custom action.

    Rasa would swallow its exception (its events lost, the talk going on as if it had succeeded):
    it is kept in the running turn, later actions of that turn do not run, and the engine decides
    what to say.
    """

    def __init__(self, name: str, run: Any) -> None:
        self._name = name
        self._run = run

    def name(self) -> str:
        """The action's name."""
        return self._name

    async def run(
        self, output_channel: Any, nlg: Any, tracker: DialogueStateTracker, domain: Domain
    ) -> list[Event]:
        """Run it; its events, and the lines it said, as Rasa events."""
        turn = running_turn.get()
        if turn.failed is not None:
            return []
        dispatcher = CollectingDispatcher()
        try:
            told = await self._run(dispatcher, _sdk_tracker(tracker), {})
            said = await RemoteAction._utter_responses(dispatcher.messages, output_channel, nlg, tracker)
        except Exception as error:
            turn.failed = turn.failed or error
            return []
        events = [_event(item) for item in told or []]
        return [*said, *(event for event in events if not _changes_nothing(event, tracker))]


def _sdk_tracker(tracker: DialogueStateTracker) -> Tracker:
    message = tracker.latest_message
    return Tracker(
        sender_id=tracker.sender_id,
        slots=tracker.current_slot_values(),
        latest_message=dict(message.parse_data) if message is not None else {},
        events=[],
        paused=False,
        followup_action=None,
        active_loop={},
        latest_action_name=tracker.latest_action_name,
    )


def _event(item: dict[str, Any]) -> Event:
    if item.get("event") == "slot":
        return SlotSet(item["name"], item.get("value"))
    [event] = deserialise_events([item])
    return event


def _changes_nothing(event: Event, tracker: DialogueStateTracker) -> bool:
    return isinstance(event, SlotSet) and tracker.get_slot(event.key) == event.value
