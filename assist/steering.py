"""The slots that steer a script's policies in an assisted call, and what its predictions mean.

An assisted script steers by phase, objection and signals; a bot's script by the stock that its own
actions take, so a call that was handed over goes on in the script it began in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from actions.offers import ContactError, variables
from actions.state import Said as StockSaid
from actions.state import Stock, as_slots, resume, take_stock
from assist.suggest import stage
from assist.suggest.picture import Picture
from assist.suggest.script import AssistScript, Node
from bot.dialogue.call_state import SpokenLine
from bot.dialogue.version import ScriptVersion


class Steering(Protocol):
    """How a kind of script is steered."""

    def slots(self, picture: Picture, ready: bool) -> Mapping[str, Any]:
        """The slots after the customer's line."""

    def steps(self, predicted: Sequence[str]) -> tuple[str, ...]:
        """The predicted actions as lines and families of advice."""

    def agent(self, nodes: Sequence[str]) -> None:
        """The agent said these lines."""


class AssistedSteering:
    """Of a script for assisted calls (stories/common_assist)."""

    def slots(self, picture: Picture, ready: bool) -> Mapping[str, Any]:
        """Phase, objection, signals."""
        return stage.slots_of(picture, ready)

    def steps(self, predicted: Sequence[str]) -> tuple[str, ...]:
        """As they are: utter_… and advise_…."""
        return tuple(predicted)

    def agent(self, nodes: Sequence[str]) -> None:
        """Nothing: the picture knows it."""


class BotSteering:
    """Of a bot's script, followed by a person."""

    def __init__(self, script: AssistScript) -> None:
        self._nodes = script.nodes
        self._stock = Stock()
        self._spoken: list[SpokenLine] = []

    def slots(self, picture: Picture, ready: bool) -> Mapping[str, Any]:
        """The stock as the bot's own actions take it; a person calls the customer by name already."""
        acts = picture.acts
        said = StockSaid(act=acts[0] if acts else "no_match", acts=acts[1:])
        self._stock = take_stock(self._stock, self._spoken, said, id_last4=None)
        self._spoken = []
        return {**as_slots(self._stock), "sale": "open"}

    def steps(self, predicted: Sequence[str]) -> tuple[str, ...]:
        """`action_resume` becomes the lines that it would say."""
        found: list[str] = []
        for step in predicted:
            found += resume(self._stock) if step == "action_resume" else (step,)
        return tuple(dict.fromkeys(found))

    def agent(self, nodes: Sequence[str]) -> None:
        """Keep what was said until the customer answers."""
        for name in nodes[:1]:
            if name in self._nodes:
                self._spoken.append(SpokenLine(name, _metadata(self._nodes[name]), True, True))


def steering_for(version: ScriptVersion, script: AssistScript) -> Steering:
    """The steering that fits the script's mode."""
    return AssistedSteering() if version.files.mode == "assist" else BotSteering(script)


def sale_variables(version: ScriptVersion, contact: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """The figures of a bot's offer for this contact; none where its file lacks what they need."""
    if version.files.mode == "assist":
        return {}
    try:
        return variables(version.settings, {"name": "", **contact}, now)
    except ContactError:
        return {}


def _metadata(node: Node) -> dict[str, Any]:
    return {
        "asks": node.asks,
        "discloses": list(node.discloses),
        "rebuts": node.rebuts[0] if node.rebuts else None,
    }
