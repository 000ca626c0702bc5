"""Did the advice come that a conversation asks for?  Judged from the events of the call.  Pure.

A line's advice may come from its final text on until the customer's next line is final; a card
that is still on the screen then counts.  An alarm belongs to the line whose words it names; where
none is asked for, one that comes is a fault too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from bot import events as ev
from bot.listening.ports import Side
from bot.phone.conversation import Conversation, ConversationLine

LineAt = Callable[[Side, int, int], int | None]
"""side, begin and end in ms → number of the line."""

ALWAYS_ALLOWED = ("compliance",)
"""Cards that may come even where the conversation wants quiet: what the law wants said."""


class AdviceCheck:
    """Follows one call; `missing` tells at its end what did not come."""

    def __init__(self, conversation: Conversation, line_at: LineAt) -> None:
        self._conversation, self._line_at = conversation, line_at
        self._lines: dict[str, int] = {}
        self._open: list[int] = []
        self._quiet: int | None = None
        self._kinds: dict[str, str] = {}
        self._on_screen: list[str] = []
        self._got: defaultdict[int, set[str]] = defaultdict(set)
        self._noise: defaultdict[int, list[str]] = defaultdict(list)
        self._alarms: defaultdict[int, str] = defaultdict(str)
        self.cards = 0

    def take(self, event: ev.AnyEvent) -> None:
        """Go on with one event of the call, in order."""
        match event:
            case ev.UtterancePartial() | ev.UtteranceFinal() if event.party != "bot":
                number = self._line_at(event.party, event.begin_ms, max(event.end_ms, event.begin_ms + 1))
                if number is not None:
                    self._lines[event.utterance_id] = number
                    if isinstance(event, ev.UtteranceFinal):
                        self._final(number)
            case ev.SuggestionEvent(suggestion=card):
                self._card(str(card["id"]), str(card["kind"]), str(card["text"]))
            case ev.PanelEvent(changes=changes):
                if "card" in changes or "folded" in changes:
                    shown = [changes.get("card"), *(changes.get("folded") or [])]
                    self._on_screen = [str(card) for card in shown if card]
                for alarm in changes.get("alarms") or []:
                    number = self._lines.get(str(alarm["utterance_id"]))
                    if number is not None:
                        self._alarms[number] += str(alarm["words"])
            case ev.CallEnded():
                self._close()

    def missing(self) -> list[str]:
        """What did not come, or came and should not have, line by line."""
        found = []
        for number, line in enumerate(self._conversation.lines):
            where = f"{self._conversation.name} line {number + 1} ({line.side}: {line.text})"
            if line.card and not self._got[number] & set(line.card):
                got = ", ".join(sorted(self._got[number])) or "none"
                found.append(f"{where}: no card of {', '.join(line.card)}; got {got}")
            if line.alarm is not None and not _names(line, self._alarms[number]):
                found.append(f"{where}: no alarm at '{line.alarm}'")
            if line.alarm is None and self._alarms[number]:
                found.append(f"{where}: an alarm came at '{self._alarms[number]}', and nothing is wrong")
            if line.quiet and self._noise[number]:
                found.append(f"{where}: a card came: {'; '.join(self._noise[number])}")
        return found

    def _final(self, number: int) -> None:
        line = self._conversation.lines[number]
        self._quiet = number if line.quiet else None
        if number in self._open:
            return
        if line.side == "customer":
            self._close()
        self._open.append(number)

    def _card(self, name: str, kind: str, text: str) -> None:
        self.cards += 1
        self._kinds[name] = kind
        for number in self._open:
            self._got[number].add(kind)
        if self._quiet is not None and kind not in ALWAYS_ALLOWED:
            self._noise[self._quiet].append(text)

    def _close(self) -> None:
        for number in self._open:
            self._got[number].update(self._kinds[card] for card in self._on_screen if card in self._kinds)
        self._open.clear()


def _names(line: ConversationLine, words: str) -> bool:
    """Whether the alarm's words and those expected share what was said."""
    return bool(words) and line.alarm is not None and (line.alarm in words or words in line.alarm)
