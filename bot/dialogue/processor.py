"""Rasa's message processor, run turn by turn on trackers that we hold.

Rasa's own loop logs, predicts and runs actions; ours keeps each call's tracker in memory (no
store, no lock poll) and short: before a turn it is compacted to the slots and the last turns, so
that a turn costs the same at turn 1 and at turn 100.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.dialogue import tensorflow_free

tensorflow_free.install()

from rasa.core.actions.action import Action
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.events import ActionExecuted, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

import bot.dialogue.components  # noqa: F401  (registers our graph components)
from bot.dialogue.in_process import ActionRegistry
from bot.dialogue.running import running_turn
from bot.dialogue.wording import Wording

CHANNEL = "phone"
KEPT_TURNS = 2
"""How many turns a tracker holds while one runs, itself included: the policies look no further back."""
MAX_PREDICTIONS = 100_000
"""Predictions kept in memory; a script of ours has some thousands of states."""


class _PhoneChannel(CollectingOutputChannel):  # type: ignore[misc]
    @classmethod
    def name(cls) -> str:
        return CHANNEL


class ScriptProcessor(MessageProcessor):  # type: ignore[misc]
    """One loaded version of a script."""

    def __init__(self, archive: Path) -> None:
        super().__init__(
            model_path=str(archive),
            tracker_store=InMemoryTrackerStore(None),
            lock_store=InMemoryLockStore(),
            generator=Wording({}),
            max_number_of_predictions=12,
        )
        self.actions = ActionRegistry()
        self._stock_taking = sorted(
            {
                mapping["action"]
                for slot in self.domain.slots
                for mapping in slot.mappings
                if "action" in mapping
            }
        )
        self.nlg = Wording(self.domain.responses)
        self._steering = {slot.name for slot in self.domain.slots if slot.has_features()}
        self._predictions: dict[tuple[Any, ...], PolicyPrediction] = {}

    def predict_next_with_tracker_if_should(
        self, tracker: DialogueStateTracker
    ) -> tuple[Action, PolicyPrediction]:
        """The next action and why; custom actions are our own, run in this process."""
        action, prediction = super().predict_next_with_tracker_if_should(tracker)
        if action.name() in self.actions.names:
            action = self.actions.action(action.name())
        return action, prediction

    async def _run_action(
        self,
        action: Action,
        tracker: DialogueStateTracker,
        output_channel: Any,
        nlg: Any,
        prediction: PolicyPrediction,
    ) -> bool:
        """Run one action; whether another follows.  Unlike Rasa's, it hides no exception, and a
        failed action ends the chain."""
        events = await action.run(output_channel, nlg, tracker, self.domain)
        self._log_action_on_tracker(tracker, action, events, prediction)
        if running_turn.get().failed is not None:
            return False
        return bool(self.should_predict_another_action(action.name()))

    def _log_action_on_tracker(
        self,
        tracker: DialogueStateTracker,
        action: Action,
        events: list[Event] | None,
        prediction: PolicyPrediction,
    ) -> None:
        """Put an action and what it did on the tracker; Rasa's copies all of it for its debug log."""
        tracker.update_with_events(prediction.events, self.domain)
        tracker.update(action.event_for_successful_execution(prediction))
        tracker.update_with_events(events or [], self.domain)

    async def run_action_extract_slots(
        self, output_channel: Any, tracker: DialogueStateTracker
    ) -> DialogueStateTracker:
        """Fill the slots with custom mappings: each action that such a mapping names runs once."""
        for name in self._stock_taking:
            events = await self.actions.action(name).run(output_channel, self.nlg, tracker, self.domain)
            tracker.update_with_events(events, self.domain)
        return tracker

    def parse(self, text: str, metadata: dict[str, Any]) -> dict[str, Any]:
        """What the NLU pipeline makes of `text`: intent, intent_ranking, acts, entities."""
        message = UserMessage(text, sender_id="-", metadata=metadata)
        empty = DialogueStateTracker("-", [])
        parsed: dict[str, Any] = self._parse_message_with_graph(message, empty, only_output_properties=True)
        return parsed

    def new_tracker(self, call_id: str) -> DialogueStateTracker:
        """An empty tracker for a call."""
        tracker = DialogueStateTracker(call_id, self.domain.slots)
        tracker.update(ActionExecuted("action_session_start"), self.domain)
        tracker.update(ActionExecuted("action_listen"), self.domain)
        return tracker

    def compacted(self, tracker: DialogueStateTracker) -> DialogueStateTracker:
        """The same state with the last turns only: slots first, then the events since."""
        events = list(tracker.events)
        starts = [index for index, event in enumerate(events) if isinstance(event, UserUttered)]
        if len(starts) < KEPT_TURNS:
            return tracker
        cut = starts[1 - KEPT_TURNS]
        slots = {event.key: event.value for event in events[:cut] if isinstance(event, SlotSet)}
        kept: list[Event] = [ActionExecuted("action_session_start")]
        kept += [SlotSet(name, value) for name, value in slots.items() if value is not None]
        kept.append(ActionExecuted("action_listen"))
        return self.rebuilt(tracker.sender_id, kept + events[cut:])

    def rebuilt(self, call_id: str, events: list[Event]) -> DialogueStateTracker:
        """The tracker that these events make."""
        return DialogueStateTracker.from_events(call_id, events, self.domain.slots, domain=self.domain)

    def _predict_next_with_tracker(self, tracker: DialogueStateTracker) -> PolicyPrediction:
        """What the policies predict; a script is a finite machine, so each state is computed once."""
        if tracker.followup_action:
            return super()._predict_next_with_tracker(tracker)
        key = self._state_key(tracker)
        known = self._predictions.get(key)
        if known is None:
            known = super()._predict_next_with_tracker(tracker)
            if len(self._predictions) >= MAX_PREDICTIONS:
                self._predictions.clear()
            if not known.events:
                self._predictions[key] = known
        return known

    def _state_key(self, tracker: DialogueStateTracker) -> tuple[Any, ...]:
        """All that the policies see of a tracker: acts with the kinds of their entities, actions, and
        slots that steer."""
        key: list[Any] = []
        for event in tracker.events:
            if isinstance(event, SlotSet):
                if event.key in self._steering:
                    key.append((event.key, event.value))
            elif isinstance(event, ActionExecuted):
                key.append(event.action_name)
            elif isinstance(event, UserUttered):
                kinds = sorted({str(entity.get("entity")) for entity in event.entities})
                key.append(("say", event.intent_name, *kinds))
        return tuple(key)

    async def run(
        self,
        tracker: DialogueStateTracker,
        text: str,
        act: str,
        parse_data: dict[str, Any],
        metadata: dict[str, Any],
    ) -> list[Event]:
        """One turn on `tracker`: the act goes in, the actions that follow run; all new events."""
        before = len(tracker.events)
        channel = _PhoneChannel()
        intent = {"name": act, "confidence": parse_data["intent"].get("confidence", 1.0)}
        data = {**parse_data, "intent": intent}
        tracker.update(
            UserUttered(text, intent, parse_data["entities"], data, input_channel=CHANNEL, metadata=metadata),
            self.domain,
        )
        await self.run_action_extract_slots(channel, tracker)
        await self._run_prediction_loop(channel, tracker)
        return list(tracker.events)[before:]
