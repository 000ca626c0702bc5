"""Chooses the wording of a line: by seed, never one already said while another is left.

A response's variations are the designers' wordings.  A variation is open when its Rasa conditions
hold and the slots that its `needs` name are true.  Conditional variations come before plain ones,
as Rasa has it, but never the same text twice running.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from rasa.core.nlg.generator import NaturalLanguageGenerator
from rasa.shared.core.trackers import DialogueStateTracker

from bot.dialogue.guarded_words import VARIABLE, filled_spans, unmarked
from bot.dialogue.running import RunningTurn, running_turn


class LineError(ValueError):
    """A line cannot be said: no wording is open, or a variable has no value."""


class Wording(NaturalLanguageGenerator):  # type: ignore[misc]
    """Rasa's generator for our lines.  `responses` as in the domain, metadata inherited."""

    def __init__(self, responses: dict[str, list[dict[str, Any]]]) -> None:
        self.responses = responses

    async def generate(
        self, utter_action: str, tracker: DialogueStateTracker, output_channel: str, **kwargs: Any
    ) -> dict[str, Any] | None:
        """The message of one line: text, parts, guarded spans, metadata of the wording.

        A fault is kept in the running turn, where the engine sees it.
        """
        turn = running_turn.get()
        try:
            return self._choose(utter_action, tracker.current_slot_values(), turn, kwargs)
        except LineError as error:
            turn.failed = turn.failed or error
            return None

    def _choose(
        self, node: str, slots: dict[str, Any], turn: RunningTurn, extra: dict[str, Any]
    ) -> dict[str, Any]:
        variations = self.responses.get(node)
        if not variations:
            raise LineError(f"response '{node}' does not exist → add it to the responses of domain.yml")
        values = {**slots, **extra}
        open_ones = [one for one in variations if _is_open(one, slots)]
        if not open_ones:
            raise LineError(f"no wording of '{node}' may be said now → add one without conditions or needs")
        conditional = [one for one in open_ones if one.get("condition")]
        candidates = conditional or open_ones
        chosen = min(
            candidates,
            key=lambda one: (
                fill(one["text"], values, node) == turn.last_text,
                turn.said.get((node, one["metadata"]["variant"]), 0),
                _draw(turn.seed, node, one["metadata"]["variant"]),
            ),
        )
        key = (node, chosen["metadata"]["variant"])
        turn.said[key] = turn.said.get(key, 0) + 1
        words, spans = unmarked(chosen["text"])
        text = fill(words, values, node)
        turn.last_text = text
        return {
            "text": text,
            "parts": _parts(words, values),
            "guarded": filled_spans(words, spans, values),
            "metadata": chosen["metadata"],
        }


def _is_open(variation: dict[str, Any], slots: dict[str, Any]) -> bool:
    for condition in variation.get("condition") or []:
        if slots.get(condition["name"]) != condition["value"]:
            return False
    return all(slots.get(name) is True for name in variation["metadata"].get("needs") or ())


def _draw(seed: int, node: str, variant: int) -> bytes:
    return hashlib.blake2b(f"{seed}/{node}/{variant}".encode(), digest_size=8).digest()


def fill(template: str, values: dict[str, Any], node: str = "") -> str:
    """The words of a template, its {variables} replaced; LineError names a variable without a value."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match.group(1))
        if found is None:
            raise LineError(
                f"'{node}' needs {{{match.group(1)}}}, which has no value → "
                "give the contact that key, or write a wording without it"
            )
        return str(found)

    return VARIABLE.sub(value, unmarked(template)[0])


def _parts(words: str, values: dict[str, Any]) -> list[tuple[str, str | None]]:
    """The line in pieces: (text, None) for fixed words, (value, name) for variables."""
    pieces: list[tuple[str, str | None]] = []
    for index, piece in enumerate(VARIABLE.split(words)):
        if index % 2:
            pieces.append((str(values[piece]), piece))
        elif piece:
            pieces.append((piece, None))
    return pieces
