"""Which action an agent's text stands for: learned from dialogues, and read off a flow's reply templates.

`learn` aligns consecutive lines of a dialogue: what stands in the later history and not in the
earlier one was said for the earlier line's action.  `TextActions` looks a text up, numbers aside;
`TemplateActions` takes the template with the greatest share of common words.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from bot.dialogue.next_action.lines import Flow, Line, grams, is_system, name_words, plain

_SLOT = re.compile(r"\{[^{}]*\}")
MIN_COMMON = 0.6


def conversations(lines: Sequence[Line]) -> list[list[tuple[str, str]]]:
    """Each dialogue's whole text, put together from the histories of its lines (in order)."""
    grouped: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        grouped[line.dialog_id].append(line)
    found = []
    for group in grouped.values():
        whole: list[tuple[str, str]] = []
        for line in group:
            whole.extend(line.history[_common(whole, line.history) :])
        found.append(whole)
    return found


def _common(before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> int:
    """The length of the longest end of `before` that `after` begins with."""
    for length in range(min(len(before), len(after)), -1, -1):
        if tuple(before[len(before) - length :]) == tuple(after[:length]):
            return length
    return 0


class TextActions:
    """The action of a text that was seen in training."""

    def __init__(self, lines: Sequence[Line]) -> None:
        seen: dict[str, Counter[str]] = defaultdict(Counter)
        for line, later in pairwise(lines):
            if line.dialog_id != later.dialog_id or line.action is None or later.prev_action != line.action:
                continue
            new = later.history[_common(line.history, later.history) :]
            said = next((text for party, text in new if party == "agent"), None)
            if said is not None:
                seen[plain(said)][line.action] += 1
        self._actions = {text: counts.most_common(1)[0][0] for text, counts in seen.items()}

    def __call__(self, text: str) -> str | None:
        """The action, None where the text is new."""
        return self._actions.get(plain(text))


class TemplateActions:
    """The node of a flow whose reply an agent's text follows."""

    def __init__(self, flow: Flow) -> None:
        self._queries = [node for node in flow.replies if name_words(node)[:1] == ["query"]]
        self._bags = {}
        for node, template in flow.replies.items():
            bag = grams(_SLOT.sub(" ", template))
            if bag and node not in self._queries:
                self._bags[node] = bag
        self._known: dict[str, str | None] = {}

    def __call__(self, text: str) -> str | None:
        """The node with the most common words (Jaccard, at least 0.6); None below."""
        if is_system(text):
            kind = text.partition("RequestType")[2].strip(' ="').lower()[:4]
            fitting = [node for node in self._queries if kind and kind in node.lower()]
            return next(iter(fitting or self._queries), None)
        if text not in self._known:
            if len(self._known) > 4096:
                self._known.clear()
            asked, best, found = grams(text), MIN_COMMON, None
            for node, bag in self._bags.items():
                share = len(bag & asked) / len(bag | asked)
                if share >= best:
                    best, found = share, node
            self._known[text] = found
        return self._known[text]
