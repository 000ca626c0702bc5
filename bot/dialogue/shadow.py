"""Follows a conversation that others hold: what the script would do next, nothing is executed.

The customer's acts and the lines that the agent really said go onto a Rasa tracker; the policies say
what they would do.  Slots that steer are given from outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rasa.shared.core.events import ActionExecuted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.dialogue.version import ScriptVersion

MAX_STEPS: Final = 4
LISTEN: Final = "action_listen"
_ENDLESS: Final = frozenset({LISTEN, "action_default_fallback"})


class ShadowTracker:
    """One call's tracker in a script version.  Not to be shared between tasks."""

    def __init__(self, version: ScriptVersion, call_id: str) -> None:
        self._processor = version.processor
        self._domain = version.processor.domain
        self._names: frozenset[str] = frozenset(self._domain.action_names_or_texts)
        self._tracker: DialogueStateTracker = self._processor.new_tracker(call_id)
        self._listening = True

    def customer(
        self,
        text: str,
        act: str,
        entities: Sequence[Mapping[str, Any]],
        slots: Mapping[str, Any],
    ) -> None:
        """The customer did `act` (masked `text`); the slots as they are now."""
        self._listen()
        self._tracker = self._processor.compacted(self._tracker)
        intent = {"name": act, "confidence": 1.0}
        data = {"intent": intent, "entities": list(entities), "text": text}
        self._tracker.update(UserUttered(text, intent, list(entities), data), self._domain)
        self.steer(slots)
        self._listening = False

    def steer(self, slots: Mapping[str, Any]) -> None:
        """Set slots; names that the script does not know are left out."""
        for name, value in slots.items():
            if name in self._tracker.slots and self._tracker.get_slot(name) != value:
                self._tracker.update(SlotSet(name, value), self._domain)

    def agent(self, nodes: Sequence[str]) -> None:
        """The agent said these lines of the script."""
        for node in nodes:
            if node in self._names:
                self._tracker.update(ActionExecuted(node), self._domain)
                self._listening = False

    def next_steps(self) -> tuple[str, ...]:
        """The actions that the policies would take now, in order, before listening again."""
        fork = self._tracker.copy()
        steps: list[str] = []
        while len(steps) < MAX_STEPS:
            prediction = self._processor._predict_next_with_tracker(fork)
            action = str(self._domain.action_names_or_texts[prediction.max_confidence_index])
            if action in _ENDLESS or action in steps:
                break
            steps.append(action)
            fork.update(ActionExecuted(action), self._domain)
        return tuple(steps)

    def _listen(self) -> None:
        if not self._listening:
            self._tracker.update(ActionExecuted(LISTEN), self._domain)
            self._listening = True
