"""What is known when the next action is chosen: one line of a dialogue, a task's flow, and the situation.

A `Line` is a history of (party, text) with the last action; a `Flow` is a task's reply texts and
which node leads to which.  `situation` reads a line once, for every model of this package: who
spoke last, the customer's words, the chain of nodes that the agent's lines stand for, and the
fields of the last `[QUERY]` and `[RESULT]`, which are lines of systems between the agent's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

START = "START"
"""The previous action where there was none."""
HISTORY_KEPT = 8
"""From so many lines of history on, its beginning may be missing."""

_TAG = re.compile(r"^\[([A-Z_]+)\]")
_WORD = re.compile(r"[^\W\d_]+|\d+", re.UNICODE)
_HAN = re.compile(r"[\u3400-\u9fff]")
_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\W]+")


class Line(msgspec.Struct, frozen=True):
    """One choice of an action.  `action` is None where it is to be predicted, `task` where unknown."""

    dialog_id: str
    task: str | None
    history: tuple[tuple[str, str], ...]
    prev_action: str
    action: str | None = None


class Flow(msgspec.Struct, frozen=True):
    """A task: the reply text of each node, and each node's successors."""

    task: str
    replies: dict[str, str]
    graph: dict[str, tuple[str, ...]]


class Situation(msgspec.Struct, frozen=True):
    """A line, read: `last` is start, customer, agent, query or result; `chain` names the agent's actions."""

    last: str
    customer: tuple[str, ...]
    agent: str
    chain: tuple[str, ...]
    query: dict[str, str]
    result: dict[str, str]
    since_result: int
    length: int

    @property
    def said(self) -> str:
        """The customer's last line."""
        return self.customer[-1] if self.customer else ""


def words(text: str) -> list[str]:
    """Lower-case words; a Chinese character counts as one."""
    found: list[str] = []
    for word in _WORD.findall(text.lower()):
        found.extend(word if _HAN.search(word) else [word])
    return found


def grams(text: str) -> frozenset[str]:
    """What texts are compared by: words, Chinese characters and pairs of them that stand together."""
    found = words(text)
    pairs = (one + two for one, two in pairwise(found) if _HAN.match(one) and _HAN.match(two))
    return frozenset([*found, *pairs])


def name_words(name: str) -> list[str]:
    """The words of a node's or field's name: `ask_departure_time`, `DepartureTime` → departure, time."""
    return [part.lower() for part in _JOINT.split(name) if part]


def plain(text: str) -> str:
    """`text` for comparing: one case, one kind of space, every number 0."""
    return " ".join(re.sub(r"\d+", "0", text.lower()).split())


def fields(text: str) -> dict[str, str]:
    """The `key = value ; …` of a system's line, its tag left out."""
    found = {}
    for part in re.split(r"\s;\s", _TAG.sub("", text)):
        key, _, value = part.partition("=")
        if key.strip():
            found[key.strip()] = value.strip()
    return found


def is_system(text: str) -> bool:
    """Whether a line is a system's (`[QUERY] …`, `[RESULT] …`), not spoken."""
    return bool(_TAG.match(text))


def situation(
    history: Sequence[tuple[str, str]], prev_action: str, action_of: Callable[[str], str | None]
) -> Situation:
    """Read a history; `action_of` names the action that an agent's text stands for, None where unknown."""
    customer, chain, agent, last = [], [], "", "start"
    query: dict[str, str] = {}
    result: dict[str, str] = {}
    since = len(history)
    for at, (party, text) in enumerate(history):
        tag = _TAG.match(text)
        if tag and tag[1] == "RESULT":
            result, last, since = fields(text), "result", len(history) - at - 1
            continue
        if party == "customer":
            customer.append(text)
            last = "customer"
            continue
        if tag:
            query, last = fields(text), "query"
        else:
            agent, last = text, "agent"
        chain.append(action_of(text) or ("[system]" if tag else "[free]"))
    before = [START] * 3 if len(history) < HISTORY_KEPT else ["[cut]"] * 3
    if not chain and prev_action != START:
        chain.append(prev_action)
    return Situation(
        last=last,
        customer=tuple(customer),
        agent=agent,
        chain=tuple(before + chain),
        query=query,
        result=result,
        since_result=since,
        length=len(history),
    )


def flow_of(data: Mapping[str, Any]) -> Flow:
    """A Flow from plain data `{"task", "replies", "graph"}`; a node's successor may be a name or a list.

    Raises ValueError that names the faulty part.
    """
    replies, graph = data.get("replies"), data.get("graph", {})
    if not isinstance(replies, dict) or not all(isinstance(text, str) for text in replies.values()):
        raise ValueError('"replies" must map node names to texts')
    if not isinstance(graph, dict):
        raise ValueError('"graph" must map a node to its next node or nodes')
    following = {}
    for node, after in graph.items():
        nodes = [after] if isinstance(after, str) else after
        if not isinstance(nodes, list) or not all(isinstance(name, str) for name in nodes):
            raise ValueError(f'"graph" of {node!r} must be a node name or a list of them')
        following[node] = tuple(nodes)
    return Flow(task=str(data.get("task", "")), replies=dict(replies), graph=following)
