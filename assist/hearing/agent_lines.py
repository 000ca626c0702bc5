"""What an agent's words amount to: the nearest lines of the script, the fact they ask, what they expect.

Agents say the script in their own words, several clauses in one breath; every clause is compared with
every wording by its character n-grams (TF-IDF, cosine).  Pure; the index is built once for a script.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from assist.hearing.likeness import LikenessIndex, Vector, cosine
from assist.suggest.script import AssistScript

SURE: Final = 0.46
"""Cosine from which a clause counts as the script's line."""
SPOKEN: Final = 0.5
"""Cosine from which an agent's words count as the card's."""
ASKED: Final = 0.22
"""Cosine from which a question with the fact's cue in it asks that fact."""
MIN_CHARACTERS: Final = 4
OWNER: Final = "owner"
"""The fact that a question for the name settles (stories/common_assist)."""
MAX_CARDS: Final = 2000
"""Card texts whose vectors are kept."""

_CLAUSES: Final = re.compile(r"[，。？！、；,.?!;~…—\s]+")
_SENTENCES: Final = re.compile(r"(?<=[。？！?!；;])")
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_NUMBERS: Final = re.compile(r"\{\w+\}|[0-9]+(?:\.[0-9]+)?|[零〇一二两三四五六七八九十百千万]{2,}")
_NOISE: Final = re.compile(r"[\W_]|呃|嗯|哎|那个|就是说|这个|您好|好的")
_QUESTION: Final = re.compile(
    r"[吗呢么]|多少|几|什么|哪|怎么|怎样|是不是|有没有|能不能|可不可以|要不要|行不行|好不好|对吧|谁|咋|为啥|还是|[?？]"
)
_OPEN: Final = re.compile(r"多少|几[个口号点部台家]|什么|哪|怎么|怎样|谁|咋|为啥|为什么")
_OFFER: Final = re.compile(
    r"(给|帮|替)您.{0,6}(办|开|登记|安排|换|升).{0,8}[吗?？]|办.{0,4}(吗|好吗|行吗|一个)|要不要(办|试)|(现在|今天|这就)(就)?(给您|帮您)?办"
)
_NAME: Final = re.compile(
    r"(请问|您)?是.{0,6}(先生|女士|小姐|老师|本人|机主|叔叔?|阿姨|大爷|大妈|[大老]?[哥姐]|师傅).{0,4}(吗|吧|[?？])|<NAME>"
)


@dataclass(frozen=True)
class AgentMeaning:
    """What the agent just did.  `nodes`: lines of the script, most certain first; `asks`: the fact
    asked for; `expects`: what is asked before the customer's next words (CONTRACT, parse: after)."""

    nodes: tuple[str, ...] = ()
    asks: str | None = None
    expects: str | None = None


class AgentLines:
    """All wordings of a script, to compare an agent's words with."""

    def __init__(self, script: AssistScript) -> None:
        self._script = script
        self._names: list[str] = []
        texts: list[str] = []
        for node in script.nodes.values():
            for wording in node.wordings:
                whole = _PLACEHOLDER.sub(
                    lambda name: script.variables.get(name.group(1), name.group()), wording.text
                )
                for text in dict.fromkeys((whole, *_long_sentences(whole))):
                    self._names.append(node.name)
                    texts.append(_folded(text))
        self._index = LikenessIndex(texts)
        self._cards: dict[str, Vector] = {}
        self._heard: tuple[str, list[Vector]] = ("", [])
        self._cues = {
            rule.name: re.compile("|".join(f"(?:{cue})" for cue in rule.cues))
            for rule in script.facts.values()
            if rule.cues
        }

    def understand(self, text: str) -> AgentMeaning:
        """The meaning of one agent's line."""
        scores: dict[str, float] = {}
        for clause in _folded_clauses(text):
            for name, score in self._nearest(clause):
                if score > scores.get(name, 0.0):
                    scores[name] = score
        sure = tuple(
            name for name, score in sorted(scores.items(), key=lambda item: -item[1]) if score >= SURE
        )
        expects = expectation(text)
        asks = self._asks(text, scores, sure)
        if asks is None and expects == "identity_check" and OWNER in self._script.facts:
            asks = OWNER
        return AgentMeaning(nodes=sure[:3], asks=asks, expects=expects)

    def likeness(self, text: str, card: str) -> float:
        """How like an agent's words are to a card's text, by the clause that is most so; 0 to 1."""
        return self.nearness(text, (card,))

    def nearness(self, text: str, cards: Iterable[str]) -> float:
        """The same for the most like of several cards."""
        wanted = [self._card(card) for card in cards]
        if self._heard[0] != text:
            self._heard = (text, [self._index.vector(folded) for folded in _folded_clauses(text)])
        clauses = self._heard[1]
        return max((cosine(clause, card) for clause in clauses for card in wanted), default=0.0)

    def _card(self, text: str) -> Vector:
        if text not in self._cards:
            if len(self._cards) >= MAX_CARDS:
                self._cards.clear()
            self._cards[text] = self._index.vector(_folded(text))
        return self._cards[text]

    def _nearest(self, folded: str, count: int = 4) -> list[tuple[str, float]]:
        scores = self._index.scores(self._index.vector(folded))
        few = min(count * 4, len(scores))
        best: dict[str, float] = {}
        for at in sorted(np.argpartition(-scores, few - 1)[:few], key=lambda row: -scores[row]):
            best.setdefault(self._names[at], float(scores[at]))
        return list(best.items())[:count]

    def _asks(self, text: str, scores: dict[str, float], sure: tuple[str, ...]) -> str | None:
        """The fact that the line asks: that of the line it amounts to, else by cue words in a question."""
        for name in sure:
            node = self._script.nodes[name]
            if node.asks and _QUESTION.search(text):
                return node.asks
        if not _QUESTION.search(text):
            return None
        question = [clause for clause in _CLAUSES.split(text) if clause]
        likely: list[tuple[float, str]] = []
        for name, cue in self._cues.items():
            rule = self._script.facts[name]
            hits = [clause for clause in question if cue.search(clause)]
            if hits:
                like = scores.get(rule.ask or "", 0.0)
                asked = any(_QUESTION.search(clause) for clause in hits)
                likely.append((like + 0.15 * asked, name))
        best = max(likely, default=(0.0, ""))
        return best[1] if best[0] >= ASKED or (len(likely) == 1 and best[0] > 0) else None


def expectation(text: str) -> str | None:
    """What the agent's last words ask: yes_no_question, offer, pitch, identity_check, open_question."""
    tail = [clause for clause in _SENTENCES.split(text) if clause.strip()][-1:] or [text]
    last = tail[0]
    if _NAME.search(last) and len(last) <= 24:
        return "identity_check"
    if _OFFER.search(last):
        return "offer"
    if _OPEN.search(last):
        return "open_question"
    return "yes_no_question" if _QUESTION.search(last) else "pitch"


def is_question(text: str) -> bool:
    """Whether the words ask something."""
    return bool(_QUESTION.search(text))


def _folded(text: str) -> str:
    return _NOISE.sub("", _NUMBERS.sub("#", text.lower()).replace("#", "号数"))


def _clauses(text: str) -> list[str]:
    """The whole line, its sentences, its longer clauses, and neighbouring clauses in pairs."""
    clauses = [clause for clause in _CLAUSES.split(text) if clause]
    pairs = [a + b for a, b in pairwise(clauses)]
    return list(dict.fromkeys([text, *_long_sentences(text), *clauses, *pairs]))[:12]


def _folded_clauses(text: str) -> list[str]:
    folded = dict.fromkeys(_folded(clause) for clause in _clauses(text))
    return [clause for clause in folded if len(clause) >= MIN_CHARACTERS]


def _long_sentences(text: str) -> list[str]:
    return [part for part in _SENTENCES.split(text) if len(part) >= MIN_CHARACTERS]
