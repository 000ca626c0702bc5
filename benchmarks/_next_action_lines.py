"""Reads what benchmarks.next_action is given: lines of dialogues, and folders of tasks.

Every fault is a BadInput that reads `file:line: what → what to do`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.dialogue.next_action.lines import Flow, Line, flow_of

WANTED = '{"dialog_id", "task", "history": [["agent" or "customer", text], …], "prev_action", "action"}'


class BadInput(ValueError):
    """A file cannot be used; the message names file, line and remedy."""


def line_of(item: Any, *, gold: bool) -> Line:
    """One line from plain data.  Raises ValueError, KeyError or TypeError that says what is wrong."""
    if not isinstance(item, dict):
        raise TypeError("not an object")
    history = item["history"]
    if not isinstance(history, list):
        raise TypeError("history is not a list")
    turns = []
    for turn in history:
        if not (isinstance(turn, list) and len(turn) == 2 and all(isinstance(part, str) for part in turn)):
            raise ValueError(f"a turn of the history is {turn!r}")
        if turn[0] not in ("agent", "customer"):
            raise ValueError(f"{turn[0]!r} is neither agent nor customer")
        turns.append((turn[0], turn[1]))
    action = item["action"] if gold else item.get("action")
    task, previous = item.get("task"), item["prev_action"]
    for name, value in (("action", action), ("task", task), ("prev_action", previous)):
        if not isinstance(value, str | None) or (gold and name == "action" and not value):
            raise TypeError(f"{name} is {value!r}")
    return Line(
        dialog_id=str(item["dialog_id"]),
        task=task,
        history=tuple(turns),
        prev_action=previous or "START",
        action=action or None,
    )


def read_lines(paths: Sequence[Path], *, gold: bool) -> list[Line]:
    """Every line of `paths`; with `gold` each must have its action.  Raises BadInput."""
    found: list[Line] = []
    for path in paths:
        try:
            text = path.read_bytes().decode("utf-8")
        except OSError as error:
            raise BadInput(
                f"{path}:1: cannot be read ({error.strerror}) → give a file of JSON lines"
            ) from error
        except UnicodeDecodeError as error:
            raise BadInput(f"{path}:1: not UTF-8 → save the file as UTF-8") from error
        before = len(found)
        for number, raw in enumerate(text.split("\n"), 1):
            if not raw.strip():
                continue
            try:
                found.append(line_of(json.loads(raw), gold=gold))
            except KeyError as error:
                raise BadInput(f"{path}:{number}: no {error} → each line must be {WANTED}") from error
            except (ValueError, TypeError, RecursionError) as error:
                raise BadInput(f"{path}:{number}: {error} → each line must be {WANTED}") from error
        if len(found) == before:
            raise BadInput(f"{path}:1: no lines → give JSON lines of {WANTED}")
    return found


def read_flows(folder: Path) -> dict[str, Flow]:
    """The flow of each `TASK.json` in `folder`, by the file's name.  Raises BadInput."""
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not files:
        raise BadInput(f"{folder}:1: no task in it → give a folder of TASK.json with replies and graph")
    found = {}
    for path in files:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(data, dict):
                raise ValueError("not an object")
            found[path.stem] = flow_of({**data, "task": path.stem})
        except json.JSONDecodeError as error:
            raise BadInput(f"{path}:{error.lineno}: {error.msg} → write valid JSON") from error
        except (OSError, ValueError, RecursionError) as error:
            raise BadInput(
                f"{path}:1: {error} → give replies (node to text) and graph (node to next)"
            ) from error
    return found
