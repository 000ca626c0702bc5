"""A call between two people, written in YAML: what agent and customer say, when, over each other.

A line may hold `[600]`: a pause of 600 ms within it.  It begins `after_ms` after the one before has
ended, or `overlap_ms` before that one ends.  `heard` is what a recogniser makes of it.  What advice
must come of a line stands beside it: `card` (a card of one of these kinds), `alarm` (an alarm that
names these words), `quiet: true` (no card at all).  Times are ms.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import msgspec

from bot.listening.ports import Side
from bot.phone.persona import Ms, VoiceStyle, stretches
from bot.typed_yaml import YamlError, load_typed, read_yaml_with_places

LONGEST_LINE = 120
"""Characters of a line: more than half a minute is no line of a conversation."""


class ConversationLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one of the two says, and what advice must follow from it."""

    agent: str | None = None
    customer: str | None = None
    heard: str | None = None
    after_ms: Ms = 350
    overlap_ms: Ms = 0
    card: list[str] = []
    alarm: str | None = None
    quiet: bool = False

    @property
    def side(self) -> Side:
        """Who speaks."""
        return "customer" if self.agent is None else "agent"

    @property
    def text(self) -> str:
        """The words, pauses marked."""
        return (self.customer if self.agent is None else self.agent) or ""

    @property
    def heard_text(self) -> str:
        """The words as recognised, pauses marked."""
        return self.text if self.heard is None else self.heard


class Conversation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole call.  `end`: who hangs up."""

    name: str
    zh: str
    en: str
    script: str
    contact: dict[str, Any]
    lines: list[ConversationLine]
    direction: Literal["outbound", "inbound"] = "outbound"
    agent: VoiceStyle = VoiceStyle(pitch=62, speed=200, variant="f2")
    customer: VoiceStyle = VoiceStyle(pitch=40, speed=190, variant="m3")
    end: Side = "customer"
    disposition: str | None = None


def load_conversation(path: Path, kinds: Collection[str], dispositions: Collection[str]) -> Conversation:
    """The conversation of a YAML file.  `kinds`: the kinds of cards that there are.

    Raises YamlError (path, line, column, what, remedy) for anything wrong in it.
    """
    conversation = load_typed(path, Conversation)
    _, places = read_yaml_with_places(path)

    def fault(at: tuple[str | int, ...], what: str, remedy: str) -> YamlError:
        while at and at not in places:
            at = at[:-1]
        return YamlError(path, *places.get(at, (1, 1)), what, remedy)

    if conversation.name != path.stem:
        raise fault(("name",), f"the name is '{conversation.name}'", f"call it '{path.stem}' like its file")
    known = conversation.disposition is None or conversation.disposition in dispositions
    if not known:
        raise fault(
            ("disposition",), f"no disposition is called '{conversation.disposition}'",
            "one of " + ", ".join(sorted(dispositions)),
        )  # fmt: skip
    if not conversation.lines:
        raise fault(("lines",), "nobody says anything", "write at least one line")
    for number, line in enumerate(conversation.lines):
        wrong = _wrong(line, kinds, first=number == 0)
        if wrong is not None:
            key, what, remedy = wrong
            raise fault(("lines", number, key), what, remedy)
    return conversation


def load_conversations(
    folder: Path, kinds: Collection[str], dispositions: Collection[str]
) -> dict[str, Conversation]:
    """All conversations of a folder by name, in the order of their files.  Raises YamlError."""
    found = (load_conversation(path, kinds, dispositions) for path in sorted(folder.glob("*.yml")))
    return {conversation.name: conversation for conversation in found}


def _wrong(line: ConversationLine, kinds: Collection[str], *, first: bool) -> tuple[str, str, str] | None:
    """The first fault of a line: its key, what, and the remedy."""
    if (line.agent is None) == (line.customer is None):
        return "", "a line is said by one of the two", "give it either agent: or customer:"
    if not any(character.isalnum() for character in line.text):
        return line.side, "nothing is said", "write the words, or leave the line out"
    if len(line.text) > LONGEST_LINE:
        return line.side, f"{len(line.text)} characters, over {LONGEST_LINE}", "make two lines of it"
    if len(stretches(line.heard_text)) != len(stretches(line.text)):
        return "heard", "not as many pauses as in the words", "mark the same pauses in both"
    if first and line.overlap_ms:
        return "overlap_ms", "the first line has none before it to speak over", "take it out"
    if line.quiet and (line.card or line.alarm):
        return "quiet", "quiet, and yet a card or an alarm", "keep one of quiet, card and alarm"
    for kind in line.card:
        if kind not in kinds:
            return "card", f"no card is of the kind '{kind}'", "one of " + ", ".join(kinds)
    if line.alarm is not None and (line.side != "agent" or line.alarm not in line.text):
        return "alarm", f"the agent does not say '{line.alarm}' here", "name words of the agent's line"
    return None
