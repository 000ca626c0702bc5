"""What speaks for each node of a flow as the next one: numbers that mean the same in every task.

Three blocks a candidate: its kind (flow_graph.KINDS); the situation's signals, the same for all
candidates; and what relates the two: steps in the flow from where the dialogue stands, done
already, asked for what is known, how like its reply is to what was said, whether the last result
has the values that its reply needs, what habits.py learned.  Nothing here knows a task's name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from math import fsum, log

import numpy as np
from numpy.typing import NDArray

from bot.dialogue.next_action.flow_graph import FAR, KINDS, FlowGraph, negative, positive
from bot.dialogue.next_action.habits import class_of
from bot.dialogue.next_action.lines import START, Situation, grams, name_words, words

SIGNALS = (
    "at_start", "after_customer", "after_result", "after_query", "no_agent_line", "yes", "no", "thanks",
    "bye", "greets", "question", "long", "result_negative", "result_positive", "result_empty", "result_rich",
    "queried", "answer_in_result", "lines",
    *(f"previous_{kind}" for kind in KINDS[:14]), *(f"latest_{kind}" for kind in KINDS[:14]), "free_line",
    "open_questions", "open_share", "known_share", "turns", "facts_now", "fresh_facts", "answered",
)  # fmt: skip
RELATIONS = (
    "follows_previous", "follows_latest", "steps", "two_steps", "steps_back", "is_previous", "is_latest",
    "done", "times_done", "order_gap", "open_before", "next_open", "behind", "known", "known_query",
    "like_customer", "like_result", "slots_filled", "condition_met", "place", "waiting",
    "like_all", "slots_told", "known_now", "guess", "guess_gap", "usual_share", "after_previous",
    "after_latest", "heard_of",
)  # fmt: skip

MAX_FIELDS = 2000
"""Names of fields to remember; more than any script has."""

_YES = re.compile(
    r"\b(yes|yeah|yep|sure|ok|okay|please do|correct|go ahead|proceed)\b|^(好|行|可以|对|嗯|是)"
)
_NO = re.compile(r"\b(no|nope|not|don't|nothing|that's all|that is all)\b|不|没")
_THANKS = re.compile(r"\b(thank|thanks|thx|great|perfect|awesome)\b|谢")
_BYE = re.compile(r"\b(bye|goodbye|see you|that's all|that is all)\b|再见|拜拜|就这样")
_GREETS = re.compile(r"^\s*(hello|hi|hey|good (morning|afternoon|evening))\b|^(喂|你好|您好)")
_QUESTION = re.compile(r"[?？]|\b(what|when|where|which|how|who|can you|could you)\b|吗|什么|怎么|多少|哪")


def _like(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one) * len(other)) ** 0.5 if one and other else 0.0


class Describer:
    """Turns situations into numbers for the candidates of one flow."""

    def __init__(self, flow: FlowGraph) -> None:
        self.flow = flow
        self._bags = [grams(flow.bare[node]) for node in flow.nodes]
        seen = Counter(word for bag in self._bags for word in bag)
        self._rarity = {word: log((1 + len(self._bags)) / count) for word, count in seen.items()}
        self._size = [fsum(self._rarity[word] ** 2 for word in bag) ** 0.5 for bag in self._bags]
        self._classes = [class_of(flow, node) for node in flow.nodes]
        self._place = self._places()
        self._asks = flow.kinds[:, KINDS.index("ask")] > 0
        self._asked: dict[str, NDArray[np.float64]] = {}

    def _places(self) -> NDArray[np.float64]:
        """How far along the flow each node stands, 0 to 1; 0 where it is not on it."""
        order = [node for node in self.flow.after if self.flow.after[node] or node in self.flow.entered]
        places = np.zeros(len(self.flow.nodes))
        for number, node in enumerate(order):
            places[self.flow.at[node]] = (number + 1) / len(order)
        return places

    def signals(
        self, now: Situation, previous: str, given: Mapping[str, float], open_questions: float
    ) -> NDArray[np.float64]:
        """The situation's own numbers, in the order of SIGNALS."""
        said = now.said.lower()
        after = now.last == "customer"
        told = " ".join(value for key, value in now.result.items() if key != "APIName")
        result = now.last == "result"
        answer = set(words(now.result.get("Answer", "")))
        latest = now.chain[-1]
        kinds = self.flow.kinds
        none = np.zeros(len(KINDS))
        own = [
            now.last == "start", after, result, now.last == "query", not now.agent and not now.query,
            after and bool(_YES.search(said)), after and bool(_NO.search(said)),
            after and bool(_THANKS.search(said)), after and bool(_BYE.search(said)),
            after and bool(_GREETS.search(said)), after and bool(_QUESTION.search(said)),
            after and len(words(said)) > 6, result and negative(told), result and positive(told),
            result and (not now.result or "NO RESULT" in now.result), result and len(now.result) > 4,
            bool(now.query), bool(answer) and answer <= set(words(said)), min(now.length, 8) / 8,
        ]  # fmt: skip
        questions = max(float((self._asks & (self._place > 0)).sum()), 1.0)
        facts = min(sum(value > 0.5 for value in given.values()) / 5, 1.0)
        more = (open_questions / 5, open_questions / questions, facts, min(len(now.customer), 4) / 4)
        of_previous = kinds[self.flow.at[previous]] if previous in self.flow.at else none
        of_latest = kinds[self.flow.at[latest]] if latest in self.flow.at else none
        return np.array(
            [*own, *of_previous[:14], *of_latest[:14], latest == "[free]", *more], dtype=np.float64
        )

    def known(self, now: Situation, given: Mapping[str, float]) -> NDArray[np.float64]:
        """Per node: how surely what it asks was given (`given`: field name → probability), and queried."""
        table = np.zeros((len(self.flow.nodes), 2))
        sure = {key: value for key, value in given.items() if value > 0.05}
        for column, values in enumerate((sure, dict.fromkeys(now.query, 1.0))):
            for key, value in values.items():
                np.maximum(table[:, column], self._about(key) * value, out=table[:, column])
        return table

    def _about(self, key: str) -> NDArray[np.float64]:
        """How much each node's question is about the field `key`, by their names; remembered."""
        if key not in self._asked:
            if len(self._asked) > MAX_FIELDS:
                self._asked.clear()
            named = frozenset(name_words(key))
            likeness = [_like(self.flow.about[node], named) for node in self.flow.nodes]
            self._asked[key] = np.array(likeness) * self._asks
        return self._asked[key]

    def relations(
        self,
        now: Situation,
        previous: str,
        given: Mapping[str, float],
        given_now: Mapping[str, float],
        margins: Mapping[str, float],
        rates: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Candidates x RELATIONS."""
        flow, count = self.flow, len(self.flow.nodes)
        columns = np.zeros((count, len(RELATIONS)))
        latest = now.chain[-1] if now.chain[-1] in flow.at else previous
        times = np.zeros(count)
        for node in now.chain:
            if node in flow.at:
                times[flow.at[node]] += 1
        if previous in flow.at:
            at = flow.at[previous]
            columns[:, 0] = flow.steps[at] == 1
            columns[:, 4] = (flow.steps[:, at] < FAR) & (flow.steps[:, at] > 0)
            columns[at, 5] = 1
            times[at] = max(times[at], 1)
        if latest in flow.at:
            at = flow.at[latest]
            columns[:, 1] = flow.steps[at] == 1
            columns[:, 2] = 1 / (1 + flow.steps[at].astype(float)) * (flow.steps[at] > 0)
            columns[:, 3] = flow.steps[at] == 2
            columns[at, 6] = 1
        known = self.known(now, given)
        done = times > 0
        on_way = self._place > 0
        furthest = self._place[done].max() if done.any() else 0.0
        settled = done | (known.max(axis=1) > 0.5)
        waiting = on_way & ~settled & self._asks
        order = np.argsort(self._place, kind="stable")
        before = np.zeros(count)
        before[order] = np.cumsum(waiting[order]) - waiting[order]
        columns[:, 7], columns[:, 8] = done, np.minimum(times, 3)
        columns[:, 9] = (self._place - furthest) * on_way
        columns[:, 10] = np.minimum(before, 5) * on_way
        columns[:, 11] = self._next_open(latest if previous != START else START, settled)
        columns[:, 12] = on_way & (self._place <= furthest)
        columns[:, 13:15] = known
        columns[:, 15:17] = self._likeness(now)
        have = {"".join(name_words(key)) for key in now.result}
        for number, node in enumerate(flow.nodes):
            slots = flow.slots[node]
            if slots and have:
                filled = sum(any(slot in key or key in slot for key in have) for slot in slots)
                columns[number, 17] = filled / len(slots)
                columns[number, 22] = min(filled, 6) / 6
        columns[:, 18] = self._conditions(now)
        columns[:, 19], columns[:, 20] = self._place, waiting
        columns[:, 21] = self._rare_likeness(" ".join(now.customer))
        columns[:, 23] = self.known(now, given_now)[:, 0]
        columns[:, 24:26] = self._guessed(margins)
        columns[:, 26:] = rates
        return columns

    def _guessed(self, margins: Mapping[str, float]) -> NDArray[np.float64]:
        """Per node: the margin of its class, and how far that is behind the best class."""
        own = np.array([margins.get(kind, -2.0) for kind in self._classes])
        return np.stack([own, own - max(margins.values(), default=0.0)], axis=1)

    def _rare_likeness(self, text: str) -> NDArray[np.float64]:
        """How much of each node's rare words a text has; what most replies have counts little."""
        said = grams(text)
        if not said:
            return np.zeros(len(self._bags))
        shares: NDArray[np.float64] = np.array(
            [
                fsum(self._rarity[word] ** 2 for word in bag & said) / (size or 1.0)
                for bag, size in zip(self._bags, self._size, strict=True)
            ]
        )
        return shares / float(len(said) ** 0.5)

    def _next_open(self, latest: str, settled: NDArray[np.bool_]) -> NDArray[np.float64]:
        """1 for the first node on the way from `latest` that is not a settled question."""
        found = np.zeros(len(self.flow.nodes))
        here = self.flow.onward.get(latest, ())
        if latest == START:
            here = tuple(node for node in self.flow.nodes if self.flow.kind(node, "hello"))[:1]
        seen: set[str] = set()
        while here:
            ahead: list[str] = []
            for node in here:
                if node in seen:
                    continue
                seen.add(node)
                at = self.flow.at[node]
                if settled[at] and (self._asks[at] or self.flow.kind(node, "hello")):
                    ahead.extend(self.flow.onward[node])
                else:
                    found[at] = 1
            here = tuple(ahead)
        return found

    def _likeness(self, now: Situation) -> NDArray[np.float64]:
        said = grams(now.said)
        told = grams(" ".join(value for key, value in now.result.items() if key != "APIName"))
        fresh = now.last == "result"
        return np.array([[_like(bag, said), _like(bag, told) if fresh else 0.0] for bag in self._bags])

    def _conditions(self, now: Situation) -> NDArray[np.float64]:
        """How well the condition before a node fits what was just answered."""
        met = np.zeros(len(self.flow.nodes))
        text = " ".join(now.result.values()) if now.last == "result" else now.said
        bag = frozenset(words(text))
        no, yes = negative(text), positive(text)
        for node in self.flow.conditions:
            words_of = frozenset([*words(self.flow.bare[node]), *name_words(node)])
            fits = _like(words_of, bag) + 0.5 * (negative(self.flow.bare[node]) == no) + 0.3 * yes * (not no)
            for following in self.flow.after[node]:
                at = self.flow.at[following]
                met[at] = max(met[at], fits)
        return met

    def numbers(
        self,
        now: Situation,
        previous: str,
        given: Mapping[str, float],
        given_now: Mapping[str, float],
        margins: Mapping[str, float],
        rates: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Candidates x (relations, kinds, signals).

        `given`, `given_now`: field → how surely any, or the last, customer's line gave it; `margins`
        of the classes (habits.KindGuess), `rates` of the nodes' names (habits.Habits).
        """
        relations = self.relations(now, previous, given, given_now, margins, rates)
        open_questions = float(relations[:, RELATIONS.index("waiting")].sum())
        signals = self.signals(now, previous, given, open_questions)
        after = now.last == "customer"
        sure = {key for key, value in given_now.items() if value > 0.5} if after else set()
        at = self.flow.at.get(previous)
        answered = 0.0 if at is None or not after else relations[at, RELATIONS.index("known_now")]
        more = (min(len(sure), 4) / 4, min(len(sure - now.query.keys()), 4) / 4, answered)
        signals = np.concatenate([signals, more])
        spread = np.broadcast_to(signals, (len(self.flow.nodes), len(signals)))
        return np.hstack([relations, self.flow.kinds, spread])
