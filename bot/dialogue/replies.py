"""Turns the Rasa events of one turn into the reply for the voice.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rasa.shared.core.events import ActionExecuted, BotUttered, Event

from bot.turn import Expects, Line, Part

SILENT_ACTIONS = {"action_listen", "action_extract_slots", "action_session_start"}


def spoken_lines(events: Sequence[Event]) -> list[tuple[Line, dict[str, Any]]]:
    """The lines said in these events, in order, each with its metadata."""
    lines = []
    for event in events:
        if not isinstance(event, BotUttered) or not event.text:
            continue
        metadata = dict(event.metadata.get("metadata") or {})
        line = Line(
            node=str(event.metadata.get("utter_action") or ""),
            text=event.text,
            variant=int(metadata.get("variant", 0)),
            parts=tuple(Part(text=text, variable=name) for text, name in event.metadata.get("parts") or ()),
            interruptible=bool(metadata.get("interruptible", True)),
            guarded=tuple((begin, end) for begin, end in event.metadata.get("guarded") or ()),
            discloses=tuple(metadata.get("discloses") or ()),
        )
        lines.append((line, metadata))
    return lines


def executed(events: Sequence[Event]) -> list[str]:
    """Names of the actions that ran, in order, without the silent ones."""
    return [
        event.action_name
        for event in events
        if isinstance(event, ActionExecuted) and event.action_name and event.action_name not in SILENT_ACTIONS
    ]


def with_results(names: Sequence[str], results: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The actions in order, each with what its effect gave where it had one."""
    by_name = {str(result["name"]): result for result in results}
    return tuple(by_name.get(name, {"name": name}) for name in names)


def last_value(lines: Sequence[tuple[Line, dict[str, Any]]], key: str) -> Any:
    """The metadata value of the last line that has `key`, None where none has."""
    for _, metadata in reversed(lines):
        if metadata.get(key) is not None:
            return metadata[key]
    return None


def expected_after(lines: Sequence[tuple[Line, dict[str, Any]]], before: Expects) -> Expects:
    """What the lines expect next; what was expected before where they do not say."""
    value: Expects | None = last_value(lines, "expects")
    return value or before
