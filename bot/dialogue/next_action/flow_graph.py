"""A flow made ready for ranking: what kind of line each node is, and how far each is from each.

Kinds come from the node's name and its reply text, English or Chinese, so they hold for a task that
was never seen.  A condition is a node that nothing leads to (`available`, `yes`): never said, it
stands for what a system or the customer answered.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.dialogue.next_action.lines import name_words, words

KINDS = (
    "query", "commit", "hello", "more", "bye", "custom", "outside", "ask", "inform", "confirm",
    "negative", "positive", "nothing", "failed", "condition", "own", "entered", "leaves", "twin", "slots",
    "sibling", "possible", "completed", "usual", "renamed",
)  # fmt: skip
FAR = 15
"""Farther than this in steps counts as this."""

_SLOT = re.compile(r"\{([A-Za-z0-9_]+)[^{}]*\}")
_NEGATIVE = re.compile(
    r"\b(sorry|unfortunately|not|no|n't|unable|unavailable|fail\w*|incorrect|wrong|cannot|none|denied)\b|n't\b"
    r"|抱歉|对不起|不能|无法|没有|失败|不可|已满"
)
_POSITIVE = re.compile(
    r"\b(great|success\w*|succeed\w*|confirmed|available|correct|excellent|granted|approved|done|booked|yes"
    r"|scheduled|see you|perfect)\b|成功|好的|可以|有货|已为您|办好|恭喜"
)
_POSSIBLE = re.compile(r"\b(un)?available\b|confirm|possible")
_COMPLETED = re.compile(r"succe|success|booked|submitted|confirmed|failed|failure|scheduled|completed")
_CONFIRM = re.compile(
    r"(should|shall|can|may|could) i (book|reserve|proceed|go|place|make|confirm)|would you like me"
    r"|确认|给您办|为您办|可以吗|要办"
)
_MORE = re.compile(r"anything else|something else|还有什么|还有别的|其他问题|别的需要")
_BYE = re.compile(r"\b(good ?bye|bye)\b|再见|祝您")
_HELLO = re.compile(r"^(hello|hi|good (morning|afternoon|evening)|welcome)\b|^(您好|你好|喂)")
_OUTSIDE = re.compile(r"don't (quite )?understand|没听(懂|明白)|不太明白")
_NOTHING = re.compile(r"no \w+ that match|nothing|could not find|didn't find|没有找到|查不到")


def negative(text: str) -> bool:
    """Whether a text refuses, regrets or reports a failure."""
    return bool(_NEGATIVE.search(text.lower()))


def positive(text: str) -> bool:
    """Whether a text reports a success, and no failure."""
    return bool(_POSITIVE.search(text.lower())) and not negative(text)


def is_farewell(text: str) -> bool:
    """Whether a text says good-bye."""
    return bool(_BYE.search(text.lower()))


class FlowGraph:
    """Nodes in order with their `kinds` (node x KINDS), `steps` (node x node), `slots` and word bags."""

    def __init__(
        self,
        replies: Mapping[str, str],
        graph: Mapping[str, Sequence[str]],
        shared: Mapping[str, float] | None = None,
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        """`renamed`: own nodes whose reply is known under another name, which then takes their place."""
        shared, renamed = shared or {}, renamed or {}
        if renamed:
            graph = {
                renamed.get(node, node): [renamed.get(name, name) for name in after]
                for node, after in graph.items()
            }
            replies = {**replies, **{name: replies[node] for node, name in renamed.items()}}
        named = [*replies, *graph, *(node for after in graph.values() for node in after)]
        own = dict.fromkeys(named)
        self.nodes: tuple[str, ...] = tuple(dict.fromkeys([*own, *shared]))
        self.at = {node: number for number, node in enumerate(self.nodes)}
        self.replies = {node: replies.get(node, "") for node in self.nodes}
        self.after = {node: tuple(graph.get(node, ())) for node in self.nodes}
        self.entered = {node for after in graph.values() for node in after}
        self.slots = {
            node: frozenset("".join(name_words(slot)) for slot in _SLOT.findall(self.replies[node]))
            for node in self.nodes
        }
        self.bare = {node: _SLOT.sub(" ", self.replies[node]) for node in self.nodes}
        family = name_words(next((node for node in own if "_" in node and node not in shared), ""))[:1]
        self.about = {
            node: frozenset(word for word in name_words(node) if [word] != family) - _GENERIC
            for node in self.nodes
        }
        self.own = own.keys()
        self.stems = {node.rstrip("_0123456789") for node in own if node[-1:].isdigit()}
        kinds = np.array([self._kinds(node) for node in self.nodes], dtype=np.float64)
        self.kinds = kinds.reshape(len(self.nodes), len(KINDS))
        ends = self.kinds[:, KINDS.index("bye")] * self.kinds[:, KINDS.index("own")]
        self.kinds[:, KINDS.index("twin")] = (ends.sum() - ends) > 0
        self.kinds[:, KINDS.index("usual")] = [shared.get(node, 0.0) for node in self.nodes]
        self.kinds[:, KINDS.index("renamed")] = [node in renamed for node in self.nodes]
        self.conditions = [
            node
            for node in self.nodes
            if self.kinds[self.at[node], KINDS.index("condition")] and self.after[node]
        ]
        self.onward = self._onward()
        self.steps = self._steps()

    def _kinds(self, node: str) -> list[float]:
        name, text = name_words(node), self.bare[node].lower().strip()
        joined = " ".join(name)
        query = bool(name) and name[0] in ("query", "action") and not {"success", "failure"} & set(name)
        hello = (
            "hello" in name or "greet" in name or (not self.own_or_empty(node) and bool(_HELLO.search(text)))
        )
        more = "anything else" in joined or bool(_MORE.search(text))
        bye = "bye" in joined or bool(_BYE.search(text))
        outside = "out of scope" in joined or bool(_OUTSIDE.search(text))
        asks = ("ask" in name and bool(text)) or "?" in text or "？" in text
        ask = asks and not (query or hello or more)
        short = len(words(text)) <= 3
        condition = node in self.own and node not in self.entered and not query and not hello and short
        failed = bool({"failed", "failure", "unavailable", "unable"} & set(name)) or negative(text)
        return [
            query, query and not {"book", "submit", "commit"}.isdisjoint(name), hello, more, bye,
            "custom" in name, outside, ask,
            not (query or hello or more or bye or outside or ask or condition),
            bool(_CONFIRM.search(text)) or ("confirm" in name and ask), negative(text),
            positive(joined) or positive(text), "nothing" in name or bool(_NOTHING.search(text)),
            failed, condition, node in self.own, node in self.entered, bool(self.after[node]), False,
            bool(self.slots[node]), node not in self.own and node.rstrip("_0123456789") in self.stems,
            bool(_POSSIBLE.search(joined)), bool(_COMPLETED.search(joined)), 0.0, 0.0,
        ]  # fmt: skip

    def own_or_empty(self, node: str) -> bool:
        """Whether something leads to `node`, or it says nothing."""
        return node in self.entered or not self.bare[node].strip()

    def _onward(self) -> dict[str, tuple[str, ...]]:
        """`after`, and where the flow breaks off: what follows the conditions that can answer there.

        A system answers a query, so any condition but yes and no; the customer the rest.
        """
        agreed = {node for node in self.conditions if words(self.bare[node])[:1] in _AGREEMENT}
        by_customer = [name for node in self.conditions if node in agreed for name in self.after[node]]
        by_system = [name for node in self.conditions if node not in agreed for name in self.after[node]]
        found = dict(self.after)
        for node in self.nodes:
            query = self.kind(node, "query")
            if not self.after[node] and (query or node in self.entered):
                found[node] = tuple(dict.fromkeys(by_system if query else by_customer))
        return found

    def _steps(self) -> NDArray[np.int8]:
        steps = np.full((len(self.nodes), len(self.nodes)), FAR, dtype=np.int8)
        for node, row in self.at.items():
            seen, waiting = {node: 0}, deque([node])
            while waiting:
                here = waiting.popleft()
                for following in self.onward[here]:
                    if following not in seen and seen[here] < FAR - 1:
                        seen[following] = seen[here] + 1
                        waiting.append(following)
            for other, distance in seen.items():
                steps[row, self.at[other]] = distance
        return steps

    def kind(self, node: str, kind: str) -> bool:
        """Whether `node` is of `kind`; False for a node that is not in the flow."""
        return node in self.at and bool(self.kinds[self.at[node], KINDS.index(kind)])


_AGREEMENT = (["yes"], ["no"], ["是"], ["好"], ["不"], ["否"])
_GENERIC = frozenset(["ask", "inform", "utter", "query", "confirm", "the", "a", "of", "to"])
