"""Small synthetic tasks and dialogues: families taxi, pizza and hotel, each asks, queries and tells."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from bot.dialogue.next_action.lines import Flow, Line

FACTS = {
    "taxi": ("destination", "time", ("the airport", "the harbour", "the museum"), ("3 pm", "9 am", "5 pm")),
    "pizza": ("size", "topping", ("a large one", "a small one", "a medium one"), ("ham", "olives", "tuna")),
    "hotel": (
        "city",
        "nights",
        ("in Paris", "in Oslo", "in Rome"),
        ("two nights", "one night", "six nights"),
    ),
}


def flow(task: str) -> Flow:
    """The flow of one task: hello, two questions, query, result, anything else."""
    one, two, _, _ = FACTS[task]
    replies = {
        "hello": "Hello, how can I help?",
        f"{task}_ask_{one}": f"What {one} would you like?",
        f"{task}_ask_{two}": f"Please tell me the {two}.",
        "query": "Query",
        f"{task}_inform_booked": f"Great, your {task} is booked for {{{one}:s}}.",
        "anything_else": "Is there anything else that I can do for you?",
        "goodbye": "Thank you and goodbye.",
    }
    order = list(replies)
    return Flow(task, replies, {node: (after,) for node, after in pairwise(order)})


def talk(task: str, number: int) -> list[Line]:
    """One dialogue's lines; in every other one the customer gives both facts at once."""
    one, two, ones, twos = FACTS[task]
    first, second = ones[number % 3], twos[number // 3 % 3]
    replies = flow(task).replies
    history: list[tuple[str, str]] = []
    lines: list[Line] = []
    previous = "START"

    def agent(action: str, *said: str) -> None:
        nonlocal previous
        lines.append(Line(f"{task}{number}", task, tuple(history[-8:]), previous, action))
        history.extend(("agent", text) for text in said or (replies[action],))
        previous = action

    history.append(("customer", "Hi there"))
    agent("hello")
    if number % 2:
        history.append(("customer", f"I need a {task}, {first}, {second}"))
    else:
        history.append(("customer", f"I need a {task}"))
        agent(f"{task}_ask_{one}")
        history.append(("customer", first))
        agent(f"{task}_ask_{two}")
        history.append(("customer", second))
    found = f"[RESULT] APIName = {task} ; {one.title()} = {first} ; Message = success"
    agent("query", f'[QUERY] {one.title()} = "{first}" ; {two.title()} = "{second}"', found)
    agent(f"{task}_inform_booked", f"Great, your {task} is booked for {first}.")
    history.append(("customer", "Thank you"))
    agent("anything_else")
    history.append(("customer", "No, bye"))
    agent("goodbye")
    return lines


def lines(*tasks: str, count: int = 12) -> list[Line]:
    """The lines of `count` dialogues of each task."""
    return [line for task in tasks for number in range(count) for line in talk(task, number)]


def plain(line: Line) -> dict[str, Any]:
    """A line as the benchmark's files have it."""
    return {
        "dialog_id": line.dialog_id,
        "task": line.task,
        "history": [list(turn) for turn in line.history],
        "prev_action": line.prev_action,
        "action": line.action,
    }


def write(path: Path, items: list[dict[str, Any]]) -> Path:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    return path


def write_flows(folder: Path, *tasks: str) -> Path:
    """Write the flow of each task as the benchmark's --tasks has it."""
    folder.mkdir()
    for task in tasks:
        found = flow(task)
        data = {"task": task, "replies": found.replies, "graph": {k: v[0] for k, v in found.graph.items()}}
        (folder / f"{task}.json").write_text(json.dumps(data), encoding="utf-8")
    return folder
