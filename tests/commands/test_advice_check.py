"""The check of a played call: each marked line's advice, from the events of the call alone."""

from __future__ import annotations

from typing import Any

import pytest

from bot import events as ev
from bot.listening.ports import Side
from bot.phone.conversation import Conversation, ConversationLine
from commands.advice_check import AdviceCheck
from commands.assist_lines import AssistLines

CALL = Conversation(
    name="t", zh="测", en="test", script="bundle", contact={},
    lines=[
        ConversationLine(agent="您好，保证便宜", alarm="保证"),
        ConversationLine(customer="太贵了", card=["rebuttal"]),
        ConversationLine(agent="理解您"),
        ConversationLine(customer="今天天气好", quiet=True),
        ConversationLine(agent="是啊"),
    ],
)  # fmt: skip


def event(kind: type[ev.Event], at_ms: int, **fields: Any) -> Any:
    return kind(call_id="c", at_ms=at_ms, wall="2026-11-22T10:00:00+08:00", **fields)


def line_at(side: Side, begin_ms: int, end_ms: int) -> int | None:
    """Line n sounds from n to n + 1 seconds."""
    number = begin_ms // 1000
    return number if 0 <= number < len(CALL.lines) and CALL.lines[number].side == side else None


def said(number: int) -> Any:
    line = CALL.lines[number]
    return event(
        ev.UtteranceFinal, number * 1000 + 900, party=line.side, utterance_id=f"u{number}", text=line.text,
        begin_ms=number * 1000, end_ms=number * 1000 + 900,
    )  # fmt: skip


def card(name: str, kind: str, at_ms: int = 0) -> Any:
    suggestion = {
        "id": name, "kind": kind, "text": "这句话可以说", "why": "客户嫌贵", "rank": 1,
        "t_utterance_end_ms": at_ms, "t_sent_ms": at_ms + 31,
    }  # fmt: skip
    return event(ev.SuggestionEvent, at_ms, suggestion=suggestion)


def panel(**changes: Any) -> Any:
    return event(ev.PanelEvent, 0, changes=changes, ms={"understand": 4.0})


ALARM = panel(
    alarms=[{"rule": "promise", "words": "保证", "utterance_id": "u0", "title": "不能保证", "remedy": "改口"}]
)
ENDED = event(ev.CallEnded, 6000, by="customer", cause="hung_up", disposition="declined", grade="C")


def missing(*events: Any) -> list[str]:
    check = AdviceCheck(CALL, line_at)
    for one in (*events, ENDED):
        check.take(one)
    return check.missing()


RIGHT = (said(0), ALARM, said(1), card("c1", "rebuttal"), said(2), said(3), said(4), card("c2", "question"))


def test_a_call_with_all_its_advice_lacks_nothing() -> None:
    assert missing(*RIGHT) == []


@pytest.mark.parametrize(
    ("without", "says"),
    [(ALARM, "no alarm at '保证'"), (RIGHT[3], "no card of rebuttal")],
)
def test_what_does_not_come_is_named_with_its_line(without: Any, says: str) -> None:
    [found] = missing(*(one for one in RIGHT if one is not without))
    assert says in found
    assert "t line" in found


def test_advice_after_the_customers_next_line_is_too_late() -> None:
    [found] = missing(said(0), ALARM, said(1), said(2), said(3), said(4), card("c1", "rebuttal"))
    assert "line 2" in found


def test_a_card_that_is_still_on_the_screen_counts() -> None:
    assert (
        missing(
            card("c0", "rebuttal"),
            panel(card="c0", folded=[]),
            said(0),
            ALARM,
            said(1),
            said(2),
            said(3),
            said(4),
        )
        == []
    )


def test_a_card_in_small_talk_is_named_but_what_the_law_wants_said_is_not() -> None:
    noisy = [*RIGHT[:6], card("c9", "question"), *RIGHT[6:]]
    [found] = missing(*noisy)
    assert "line 4" in found and "a card came" in found
    assert missing(*[*RIGHT[:6], card("c9", "compliance"), *RIGHT[6:]]) == []


def test_an_alarm_of_another_line_does_not_count_and_is_a_fault_there() -> None:
    other = panel(
        alarms=[{"rule": "promise", "words": "保证", "utterance_id": "u2", "title": "", "remedy": ""}]
    )
    wrong = missing(said(0), said(1), card("c1", "rebuttal"), said(2), other, said(3), said(4))
    assert ["no alarm" in wrong[0], "an alarm came" in wrong[1]] == [True, True]


def test_the_terminal_shows_words_cards_with_their_time_and_each_alarm_once() -> None:
    lines = AssistLines()
    shown = [
        text for one in (said(1), card("c1", "rebuttal", 1900), ALARM, ALARM) for text in lines.take(one)
    ]
    assert shown[0] == "0:01.9 客  太贵了"
    assert "▶ 异议  这句话可以说   (客户嫌贵)" in shown[1]
    assert sum("警示" in text for text in shown) == 1
    assert any("4.0 ms: understand 4.0" in text for text in shown)
    assert lines.latencies == [4.0], "a panel without a card before it is no card's latency"
