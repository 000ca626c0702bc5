"""Archiving: a whole call, once, and its log comes back as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import events as ev
from bot.store.calls import archive, archived_events, call_outcomes, call_turns, is_archived
from bot.store.database import Database
from bot.store.summary import IncompleteCall, summarise

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def whole_call(call_id: str = "c1", tenant_id: str = "t") -> list[ev.AnyEvent]:
    log: list[ev.AnyEvent] = []

    def add(kind: type[ev.Event], at_ms: int, **fields: object) -> None:
        wall = (START + timedelta(milliseconds=at_ms)).isoformat()
        event = kind(call_id=call_id, tenant_id=tenant_id, at_ms=at_ms, wall=wall, **fields)
        log.append(ev.numbered(event, len(log) + 1))  # type: ignore[arg-type]

    add(ev.CallStarted, 0, direction="outbound", mode="bot", script="ringback", script_version="v1",
        customer={"name": "<NAME>"})  # fmt: skip
    add(ev.CallAnswered, 900)
    add(ev.ReplyEvent, 1000, node="utter_open", text="您好，", turn=0, stage="opening", ms={"decide": 3.0})
    add(
        ev.Playback,
        3000,
        node="utter_open",
        heard_text="您好，",
        heard_ms=2000,
        outcome="interrupted",
        turn=0,
    )
    add(ev.UtterancePartial, 3100, party="customer", utterance_id="u1", text="你", begin_ms=3000, end_ms=3100)
    add(
        ev.UtteranceFinal,
        3500,
        party="customer",
        utterance_id="u1",
        text="你是谁",
        begin_ms=3000,
        end_ms=3500,
    )
    add(ev.MeaningEvent, 3510, utterance_id="u1", acts=[{"name": "ask_identity", "confidence": 0.9}])
    add(ev.ReplyEvent, 3600, node="utter_identity", text="我是客服。", turn=1, stage="opening")
    add(ev.ReplyEvent, 3600, node="utter_again_name", text="请问是张先生吗？", turn=1, stage="opening")
    add(ev.UtteranceFinal, 7000, party="customer", utterance_id="u2", text="不是", begin_ms=6500, end_ms=7000)
    add(ev.CallEnded, 8000, by="customer", cause="hangup", disposition="hung_up", grade="D",
        reasons=["no_offer"], duration_ms=7100)  # fmt: skip
    return log


def test_a_kept_call_comes_back_event_by_event(database: Database) -> None:
    log = whole_call()
    with database.write() as connection:
        assert archive(connection, log)
    with database.read() as connection:
        assert archived_events(connection, "t", "c1") == log
        assert archived_events(connection, "t", "c1", after=9) == log[9:]
        assert archived_events(connection, "other", "c1") == []
        assert is_archived(connection, "t", "c1")
        assert not is_archived(connection, "other", "c1")


def test_a_call_is_kept_once(database: Database) -> None:
    with database.write() as connection:
        assert archive(connection, whole_call())
    with database.write() as connection:
        assert not archive(connection, whole_call())
        assert len(call_outcomes(connection, "t")) == 1


def test_the_same_call_id_of_two_tenants_is_two_calls(database: Database) -> None:
    with database.write() as connection:
        assert archive(connection, whole_call(tenant_id="t"))
        assert archive(connection, whole_call(tenant_id="u"))
        assert [row["tenant_id"] for row in call_outcomes(connection, "u")] == ["u"]


def test_turns_join_what_was_said_with_what_was_answered(database: Database) -> None:
    with database.write() as connection:
        archive(connection, whole_call())
        rows = call_turns(connection, "t", "c1")
    assert [(row["turn"], row["customer_text"], row["bot_text"]) for row in rows] == [
        (0, None, "您好，"),
        (1, "你是谁", "我是客服。 请问是张先生吗？"),
        (2, "不是", None),
    ]
    assert rows[0]["heard"] == "interrupted"
    assert rows[0]["ms"] == {"decide": 3.0}
    assert rows[1]["acts"] == ["ask_identity"]
    assert rows[1]["node"] == "utter_identity"


def test_outcomes_tell_what_became_of_calls(database: Database) -> None:
    with database.write() as connection:
        archive(connection, whole_call("c1"))
        archive(connection, whole_call("c2"))
        [row] = call_outcomes(connection, "t", ["c2"])
        assert call_outcomes(connection, "t", []) == []
    assert (row["call_id"], row["disposition"], row["grade"], row["reasons"]) == (
        "c2",
        "hung_up",
        "D",
        ["no_offer"],
    )
    assert row["ended_at"] - row["started_at"] == timedelta(seconds=8)


@given(st.integers(0, 10))
def test_part_of_a_call_is_no_call(length: int) -> None:
    with pytest.raises(IncompleteCall):
        summarise(whole_call()[:length])
