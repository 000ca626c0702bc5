"""An assisted call as lines of a terminal: the words, the cards with their milliseconds, alarms.  Pure."""

from __future__ import annotations

from bot import events as ev
from commands.call import clock

KINDS = {
    "question": "提问",
    "rebuttal": "异议",
    "offer": "推荐",
    "answer": "解答",
    "close": "促成",
    "compliance": "必说",
    "action": "动作",
}
PARTIES = {"customer": "客", "agent": "坐", "bot": "机"}


class AssistLines:
    """The lines of one call, event by event; each alarm is told once.  `latencies`: of each line that
    brought cards, ms from its final text to their sending."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self._alarms: set[tuple[str, str]] = set()
        self._cards = 0

    def take(self, event: ev.AnyEvent) -> list[str]:
        """The lines that this event adds."""
        match event:
            case ev.UtteranceFinal(party=party, text=text, end_ms=end_ms) if text:
                return [f"{clock(end_ms)} {PARTIES[party]}  {text}"]
            case ev.MeaningEvent(acts=acts) if acts:
                shown = ", ".join(f"{act['name']} {act['confidence']:.2f}" for act in acts)
                return [f"{'':9}[{shown}]"]
            case ev.SuggestionEvent(suggestion=card):
                return [self._card(card)]
            case ev.PanelEvent(changes=changes, ms=ms):
                if self._cards and ms:
                    self.latencies.append(sum(ms.values()))
                self._cards = 0
                return [*self._alarm_lines(changes.get("alarms") or []), *_budget(ms)]
            case ev.CallEnded(disposition=disposition, grade=grade, reasons=reasons):
                return [f"—— {disposition} · {grade or '-'} {' '.join(reasons)}".rstrip()]
        return []

    def _card(self, card: dict[str, object]) -> str:
        self._cards += 1
        sign = "▶" if card.get("rank") == 1 else "▸"
        why = f"   ({card['why']})" if card.get("why") else ""
        kind = KINDS.get(str(card["kind"]), str(card["kind"]))
        return f"{'':6}{sign} {kind}  {card['text']}{why}"

    def _alarm_lines(self, alarms: list[dict[str, object]]) -> list[str]:
        lines = []
        for alarm in alarms:
            key = (str(alarm["utterance_id"]), str(alarm["rule"]))
            if key not in self._alarms:
                self._alarms.add(key)
                lines.append(f"{'':6}● 警示 {alarm['title']}「{alarm['words']}」 → {alarm['remedy']}")
        return lines


def _budget(ms: dict[str, float]) -> list[str]:
    """Where the time of a turn went."""
    spent = " ".join(f"{name} {value:.1f}" for name, value in ms.items() if value >= 0.05)
    return [f"{'':9}{sum(ms.values()):.1f} ms: {spent}"] if spent else []
