"""A call in a worker: events of its log in, events out; and rebuilt from the log it is the same call."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assist.learning.policy import Policy
from assist.live_call import LiveCall
from assist.text_call import AssistedScript
from bot import events as ev
from bot.bus.assisted import CallMeta, OpenCall
from bot.dialogue.version import ScriptVersion
from tests.assist.small_script import AGENT_LINES, CUSTOMER_LINES, LINES, SMALL

AT = "2026-11-22T10:00:00+08:00"
META = CallMeta(
    call_id="c1", tenant_id="default", agent_id="li", script="small", script_version="v1",
    direction="outbound", started=AT, started_ms=0, worker="assist-1",
)  # fmt: skip
STAMP: dict[str, Any] = {"call_id": "c1", "wall": AT}


@pytest.fixture(scope="module")
def loaded(ringback: ScriptVersion) -> AssistedScript:
    return cast(AssistedScript, SimpleNamespace(version=ringback, script=SMALL, lines=LINES))


def live(loaded: AssistedScript, **more: Any) -> LiveCall:
    contact = {"name": "张伟", "phone": "13800138000", "monthly_bill": 129}
    opening = OpenCall(call_id="c1", script="small", agent_id="li", contact=contact, at=AT, **more)
    return LiveCall(META, opening, loaded, Policy.initial())


class Log:
    """A call's log as Redis keeps it, and the worker's part in it."""

    def __init__(self, call: LiveCall) -> None:
        self.call = call
        self.events: list[ev.AnyEvent] = []
        self.write(call.begin())

    def write(self, events: list[ev.Event]) -> list[ev.Event]:
        for event in events:
            self.events.append(ev.numbered(ev.decode(ev.encode(event)), len(self.events) + 1))
        return events

    def put(self, event: ev.Event, *, taken: bool = True) -> list[ev.Event]:
        """Somebody else's event; what the worker makes of it where it takes it in."""
        self.write([event])
        numbered = self.events[-1]
        return self.write(self.call.take(numbered)) if taken else []

    def say(
        self, number: int, party: Any, text: str, *, final: bool = True, taken: bool = True
    ) -> list[ev.Event]:
        kind = ev.UtteranceFinal if final else ev.UtterancePartial
        end = number * 3000 + (2000 if final else 500)
        return self.put(
            kind(
                **STAMP, at_ms=end, party=party, utterance_id=f"u{number}", text=text,
                begin_ms=number * 3000, end_ms=end,
            ),
            taken=taken,
        )  # fmt: skip

    def of(self, kind: type[ev.Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def cards(events: list[ev.Event]) -> list[str]:
    return [event.suggestion["id"] for event in events if isinstance(event, ev.SuggestionEvent)]


def panel(call: LiveCall) -> dict[str, Any]:
    return cast(dict[str, Any], msgspec.json.decode(msgspec.json.encode(call.shadow.panel())))


def test_the_first_panel_is_the_whole_brief_also_after_a_handover(loaded):
    for more in ({}, {"earlier": ({"utterance_id": "b1", "party": "customer", "text": "太贵了"},)}):
        [event] = live(loaded, **more).begin()
        assert isinstance(event, ev.PanelEvent)
        assert {"stage", "facts", "checklist", "offers", "way_in", "objection"} <= event.changes.keys()


def test_a_customer_s_line_is_answered_by_its_meaning_cards_panel_and_decision(loaded):
    log = Log(live(loaded))
    out = log.say(1, "customer", "太贵了吧")
    assert [type(event) for event in out if not isinstance(event, ev.SuggestionEvent)] == [
        ev.MeaningEvent, ev.PanelEvent, ev.DecisionEvent,
    ]  # fmt: skip
    shown = log.of(ev.SuggestionEvent)
    decision = log.of(ev.DecisionEvent)[0]
    assert decision.suggestion_id == shown[0].suggestion["id"] == "c1.1"
    assert decision.key in {candidate["key"] for candidate in decision.candidates}
    last = log.of(ev.PanelEvent)[-1]
    assert last.after == "u1" and last.changes["card"] == "c1.1"
    assert {"queue", "think"} == last.ms.keys()


def test_every_final_line_is_answered_by_a_panel_even_where_nothing_changed(loaded):
    log = Log(live(loaded))
    for number in (1, 2):
        log.say(number, "agent", "嗯嗯")
    assert [event.after for event in log.of(ev.PanelEvent)] == [None, "u1", "u2"]


def test_an_alarm_is_a_compliance_event_at_the_word_and_only_once(loaded):
    log = Log(live(loaded))
    out = log.say(1, "agent", "这个我保证", final=False)
    assert [event.rule for event in out if isinstance(event, ev.Compliance)] == ["guarantee"]
    log.say(1, "agent", "这个我保证不涨价")
    [alarm] = log.of(ev.Compliance)
    assert (alarm.verdict, alarm.evidence) == ("alarm", ["u1", "保证"])


def test_a_spoken_card_is_told_as_feedback(loaded):
    log = Log(live(loaded))
    log.say(1, "customer", "太贵了吧")
    card = log.of(ev.SuggestionEvent)[0].suggestion
    log.say(2, "agent", card["text"])
    [feedback] = log.of(ev.FeedbackEvent)
    assert (feedback.suggestion_id, feedback.action) == (card["id"], "spoken")
    assert log.call.reactions == {card["id"]: "spoken"}


def test_the_bot_s_own_words_are_not_judged(loaded):
    log = Log(live(loaded))
    assert log.say(1, "bot", "我保证") == []


def test_the_last_record_says_how_it_ended_and_when(loaded):
    log = Log(live(loaded))
    log.say(1, "customer", "太贵了吧")
    log.write(log.call.end({"by": "customer", "at_ms": 60_000}))
    [ended] = log.of(ev.CallEnded)
    assert (ended.by, ended.disposition) == ("customer", "declined")
    assert ended.duration_ms == ended.at_ms == 60_000
    assert ended.wall == "2026-11-22T10:01:00.000+08:00"
    last = log.of(ev.PanelEvent)[-1].changes
    assert last["card"] is None and last["after_call"]["disposition"] == "declined"


def test_a_call_rebuilt_after_its_end_is_not_ended_twice(loaded):
    log = Log(live(loaded))
    log.say(1, "customer", "太贵了吧")
    log.write(log.call.end({"by": "agent", "at_ms": 9000}))
    again = live(loaded)
    assert again.replay(log.events) == []
    assert again.end({"by": "agent", "at_ms": 9000}) == []
    assert again.after_call == log.call.after_call


def test_what_nobody_answered_is_answered_on_the_rebuild_with_the_ids_it_would_have_had(loaded):
    whole, torn = Log(live(loaded)), Log(live(loaded))
    for log, taken in ((whole, True), (torn, False)):
        log.say(1, "customer", "太贵了吧")
        log.say(2, "agent", "谁都想省钱,您的想法我很理解。")
        log.say(3, "agent", "我保证", final=False, taken=taken)
        log.say(3, "agent", "我保证不涨", taken=taken)
        log.say(4, "customer", "要不要押金", taken=taken)
    again = live(loaded)
    torn.write(again.replay(torn.events))
    assert cards(torn.events) == cards(whole.events)
    assert len(torn.of(ev.Compliance)) == len(whole.of(ev.Compliance)) == 1
    assert panel(again) == panel(whole.call)


def test_an_alarm_on_words_that_the_recogniser_took_back_survives_a_rebuild(loaded):
    log = Log(live(loaded))
    log.say(1, "agent", "我保证", final=False)
    log.say(1, "agent", "我宝镇")
    again = live(loaded)
    assert again.replay(log.events) == []
    assert [alarm.words for alarm in again.shadow.picture.alarms] == ["保证"]


def test_a_card_that_went_with_time_does_not_come_back_on_a_rebuild(loaded):
    log = Log(live(loaded))
    log.say(1, "customer", "太贵了吧")
    call = log.call
    call._clock_ms += 60_000
    log.write(call.tick())
    assert call.shadow.screen.cards() == ()
    again = live(loaded)
    assert again.replay(log.events) == []
    assert again.shadow.screen.cards() == ()


SCRIPTED = st.lists(
    st.one_of(
        st.tuples(st.just("customer"), st.sampled_from([text for text, _ in CUSTOMER_LINES])),
        st.tuples(st.just("agent"), st.sampled_from(AGENT_LINES)),
        st.tuples(st.just("words"), st.sampled_from([line[:9] for line in AGENT_LINES])),
        st.tuples(st.sampled_from(["dismissed", "used", "shown"]), st.just("")),
        st.tuples(st.just("whisper"), st.just("先道歉")),
    ),
    max_size=10,
)


@given(SCRIPTED, st.integers(0, 10))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_killed_anywhere_and_rebuilt_nothing_is_lost_and_nothing_comes_twice(loaded, happened, dies_at):
    whole, torn = Log(live(loaded)), Log(live(loaded))
    for log, stops in ((whole, 99), (torn, dies_at)):
        for number, (what, text) in enumerate(happened, start=1):
            taken = number <= stops
            if what in ("customer", "agent", "words"):
                party = "agent" if what == "words" else what
                log.say(number, party, text, final=what != "words", taken=taken)
            elif what == "whisper":
                card = {"id": f"c1.w{number}", "call_id": "c1", "kind": "action", "text": text}
                card |= {"pinned": True}
                log.put(ev.SuggestionEvent(**STAMP, at_ms=0, suggestion=card), taken=taken)
            elif whole_cards := log.of(ev.SuggestionEvent)[:1]:
                feedback = {"suggestion_id": whole_cards[0].suggestion["id"], "action": what}
                log.put(ev.FeedbackEvent(**STAMP, at_ms=0, **feedback), taken=taken)
    again = live(loaded)
    torn.write(again.replay(torn.events))
    assert again.seq <= len(torn.events)
    shown = cards(torn.events)
    assert len(shown) == len(set(shown))
    after = [event.after for event in torn.of(ev.PanelEvent) if event.after]
    assert len(after) == len(set(after)) == sum(what in ("customer", "agent") for what, _ in happened)
    rules = [(event.rule, event.evidence[0]) for event in torn.of(ev.Compliance)]
    assert len(rules) == len(set(rules)) == len(whole.of(ev.Compliance))
    if not any(what in ("dismissed", "used", "shown") for what, _ in happened):
        assert sorted(shown) == sorted(cards(whole.events))  # a late answer stands after a later whisper
        # a whisper's time runs from the moment that it is taken in; everything else is the same
        assert panel(again)["facts"] == panel(whole.call)["facts"]
        assert panel(again)["stage"] == panel(whole.call)["stage"]
