"""Contact Lens and LCA in: recorded shapes give our utterances; every fault names its field."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.bridges import contact_lens, lca
from assist.bridges.model import BridgeError, BridgeInput

FIXTURES = Path(__file__).parent / "fixtures"
CONTACT = "a1b2c3d4-5678-90ab-cdef-EXAMPLE22222"
LINE = "121d1581-905f-4169-9804-b841bb4df04a"
CALL = "888660e1-70a6-410e-a765-1d20517db270"
BODY = {"utterance_id", "party", "text", "begin_ms", "end_ms", "final"}


def recorded(name: str) -> Any:
    """A payload in the vendor's shape."""
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def stream() -> list[BridgeInput]:
    """The Contact Lens stream, the pending pieces handed on."""
    given: list[BridgeInput] = []
    for payload in recorded("contact_lens_stream"):
        given.append(contact_lens.utterances(payload, earlier=given[-1].pending if given else None))
    return given


def test_contact_lens_starts_and_ends_the_call():
    given = stream()
    assert {one.call_id for one in given} == {CONTACT}
    assert [(one.started, one.ended) for one in given] == [
        (True, False),
        (False, False),
        (False, False),
        (False, True),
    ]
    failed = {**recorded("contact_lens_stream")[-1], "EventType": "FAILED"}
    assert contact_lens.utterances(failed).ended


def test_contact_lens_pieces_grow_into_the_line_that_the_transcript_makes_final():
    lines = [line for one in stream() for line in one.utterances]
    agent = [line for line in lines if line["utterance_id"] == LINE]
    assert [(line["text"], line["begin_ms"], line["end_ms"], line["final"]) for line in agent] == [
        ("您好,请问是张先生吗?", 1010, 2480, False),
        ("您好,请问是张先生吗?我是客户经理小李。", 1010, 4100, False),
        ("您好,请问是张先生吗?我是客户经理小李。现在方便吗?", 1010, 5000, False),
        ("您好,请问是张先生吗?我是客户经理小李。现在方便吗?", 1010, 5000, True),
    ]
    assert lines[-1] == {
        "utterance_id": "9d2a1a3c-0000-4c21-9745-1881648ecfc8",
        "party": "customer",
        "text": "嗯嗯你说,不过我这个套餐太贵了",
        "begin_ms": 5400,
        "end_ms": 8020,
        "final": True,
    }


def test_contact_lens_counts_what_it_does_not_take():
    given = stream()
    assert given[2].ignored == {"Transcript of SYSTEM": 1, "Categories": 1}
    assert given[1].pending.keys() == {LINE} and not given[2].pending


def test_a_piece_told_again_replaces_itself_and_english_pieces_get_a_space():
    payload = recorded("contact_lens_stream")[1]
    first, second = (segment["Utterance"] for segment in payload["Segments"])
    first["PartialContent"], second["PartialContent"] = "hello there.", "is this Mr Zhang?"
    once = contact_lens.utterances(payload)
    again = contact_lens.utterances(payload, earlier=once.pending)
    assert once.utterances[-1]["text"] == again.utterances[-1]["text"] == "hello there. is this Mr Zhang?"


def test_lines_that_never_become_final_do_not_pile_up():
    payload = recorded("contact_lens_stream")[1]
    template = payload["Segments"][0]["Utterance"]
    payload["Segments"] = [{"Utterance": {**template, "TranscriptId": f"t{at}"}} for at in range(200)]
    pending = contact_lens.utterances(payload).pending
    assert len(pending) == contact_lens.MAX_OPEN and "t199" in pending


def test_the_answer_of_list_segments_needs_the_contact_from_the_caller():
    answer = recorded("contact_lens_list")
    given = contact_lens.utterances(answer, call_id="c-1")
    assert given.call_id == "c-1" and not given.started and not given.ended
    assert [line["text"] for line in given.utterances] == ["喂,你哪里啊"]
    assert given.ignored == {"PostContactSummary": 1}
    with pytest.raises(BridgeError, match="ContactId"):
        contact_lens.utterances(answer)


def test_our_own_name_of_the_call_stands_before_the_vendors():
    started = recorded("contact_lens_stream")[0]
    assert contact_lens.utterances(started, call_id="c-1").call_id == "c-1"
    with pytest.raises(BridgeError, match="ContactId"):
        contact_lens.utterances({**started, "ContactId": 5}, call_id="c-1")


def test_lca_gives_the_same_call_from_each_of_its_three_bodies():
    given = [lca.utterances(event) for event in recorded("lca_stream")]
    assert {one.call_id for one in given} == {CALL}
    assert [one.started for one in given] == [True] + [False] * 8
    assert [one.ended for one in given] == [False] * 8 + [True]
    lines = [line for one in given for line in one.utterances]
    assert [tuple(line.values()) for line in lines] == [
        ("ch_0-27.42", "customer", "你这个", 27420, 28100, False),
        ("ch_0-27.42", "customer", "你这个一个月多少钱啊", 27420, 30955, True),
        ("ch_1-31.2", "agent", "一个月四十八块", 31200, 33000, True),
        ("u-5", "customer", "太贵了吧", 34000, 35500, True),
        ("r-6", "agent", "我给您算一下", 36000, 37250, True),
    ]
    assert all(set(line) == BODY for line in lines)
    assert [one.ignored for one in given if one.ignored] == [
        {"channel AGENT_VOICETONE": 1},
        {"ADD_CALL_CATEGORY": 1},
    ]


def changed(payload: Any, path: str, value: Any) -> Any:
    """A copy of the payload with one field set, or removed where the value is ..."""
    payload = copy.deepcopy(payload)
    *way, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    at = payload
    for step in way:
        at = at[step]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return payload


SEGMENT = "Segments/1/Transcript"


@pytest.mark.parametrize(
    ("path", "value", "field", "expected"),
    [
        ("EventType", "BEGUN", "EventType", "one of STARTED"),
        ("Channel", "CHAT", "Channel", "one of VOICE"),
        ("ContactId", "", "ContactId", "1 to 256"),
        ("ContactId", "a\u202eb", "ContactId", "printable"),
        ("Segments", ..., "Segments", "an array"),
        ("Segments", [{}] * 1001, "Segments", "at most 1000"),
        ("Segments/1", 7, "Segments[1]", "an object"),
        ("Segments/1", {}, "Segments[1]", "exactly one of"),
        (f"{SEGMENT}/ParticipantRole", "PARROT", "Segments[1].Transcript.ParticipantRole", "one of CUSTOMER"),
        (f"{SEGMENT}/Content", 5, "Segments[1].Transcript.Content", "a Unicode string"),
        (f"{SEGMENT}/Content", "贵" * 16385, "Segments[1].Transcript.Content", "16384"),
        (f"{SEGMENT}/Content", "\ud800", "Segments[1].Transcript.Content", "a Unicode string"),
        (
            f"{SEGMENT}/BeginOffsetMillis",
            -1,
            "Segments[1].Transcript.BeginOffsetMillis",
            "whole milliseconds",
        ),
        (f"{SEGMENT}/BeginOffsetMillis", 1.5, "Segments[1].Transcript.BeginOffsetMillis", "whole"),
        (f"{SEGMENT}/EndOffsetMillis", 3, "Segments[1].Transcript.EndOffsetMillis", "not before the begin"),
        (f"{SEGMENT}/Id", None, "Segments[1].Transcript.Id", "a string"),
        ("Segments/0/Utterance/TranscriptId", ..., "Segments[0].Utterance.TranscriptId", "a string"),
    ],
)
def test_contact_lens_faults_name_the_field_and_what_is_right(path, value, field, expected):
    with pytest.raises(BridgeError) as caught:
        contact_lens.utterances(changed(recorded("contact_lens_stream")[2], path, value))
    assert caught.value.field == field
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("at", "path", "value", "field"),
    [
        (0, "EventType", ..., "EventType"),
        (0, "CallId", 5, "CallId"),
        (1, "Channel", "LEFT", "Channel"),
        (1, "StartTime", "soon", "StartTime"),
        (1, "StartTime", "nan", "StartTime"),
        (1, "EndTime", 1e300, "EndTime"),
        (1, "EndTime", True, "EndTime"),
        (1, "EndTime", "9" * 5000, "EndTime"),
        (1, "EndTime", 2.0, "EndTime"),
        (1, "IsPartial", "false", "IsPartial"),
        (1, "SegmentId", ..., "SegmentId"),
        (1, "Transcript", None, "Transcript"),
        (5, "UtteranceEvent/ParticipantRole", "X", "UtteranceEvent.ParticipantRole"),
        (6, "TranscriptEvent/Transcript", [], "TranscriptEvent.Transcript"),
        (6, "TranscriptEvent/Transcript/Results/0/Alternatives", [],
         "TranscriptEvent.Transcript.Results[0].Alternatives"),
    ],
)  # fmt: skip
def test_lca_faults_name_the_field(at, path, value, field):
    with pytest.raises(BridgeError) as caught:
        lca.utterances(changed(recorded("lca_stream")[at], path, value))
    assert caught.value.field == field


def test_numbers_of_any_size_are_refused_by_name():
    """Python itself refuses to print an integer this long."""
    with pytest.raises(BridgeError, match="EndTime"):
        lca.utterances(changed(recorded("lca_stream")[1], "EndTime", 10**5000))
    with pytest.raises(BridgeError, match=r"Segments\[1\]\.Transcript\.BeginOffsetMillis"):
        payload = recorded("contact_lens_stream")[2]
        contact_lens.utterances(changed(payload, f"{SEGMENT}/BeginOffsetMillis", 10**5000))


def test_an_error_never_repeats_what_was_said():
    spoilt = changed(recorded("lca_stream")[2], "Channel", "我的身份证是")
    with pytest.raises(BridgeError) as caught:
        lca.utterances(spoilt)
    assert "身份证" not in str(caught.value) and "a string of 6 characters" in str(caught.value)


def test_seconds_become_the_nearest_millisecond():
    event = changed(changed(recorded("lca_stream")[1], "StartTime", "1.001"), "EndTime", 2.0029)
    (line,) = lca.utterances(event).utterances
    assert (line["begin_ms"], line["end_ms"]) == (1001, 2003)


def test_blank_lines_are_counted_not_taken():
    given = lca.utterances(changed(recorded("lca_stream")[2], "Transcript", "  \n"))
    assert not given.utterances and given.ignored == {"segment without words": 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
SHAPES: list[tuple[Callable[[Any], BridgeInput], Any]] = [
    *((contact_lens.utterances, payload) for payload in recorded("contact_lens_stream")),
    *((lca.utterances, payload) for payload in recorded("lca_stream")),
]


def paths(payload: Any, above: str = "") -> list[str]:
    """Every place in a payload."""
    steps = (
        payload.items()
        if isinstance(payload, dict)
        else enumerate(payload)
        if isinstance(payload, list)
        else ()
    )
    found = []
    for step, inner in steps:
        path = f"{above}/{step}" if above else str(step)
        found += [path, *paths(inner, path)]
    return found


@given(st.data(), st.sampled_from(range(len(SHAPES))), JSON)
def test_whatever_stands_in_any_place_gives_utterances_or_a_bridge_error(data, shape, value):
    bridge, payload = SHAPES[shape]
    path = data.draw(st.sampled_from(paths(payload)))
    try:
        given_input = bridge(changed(payload, path, value))
    except BridgeError as error:
        assert error.expected and str(error).startswith(error.field)
    else:
        for line in given_input.utterances:
            assert set(line) == BODY and line["text"] and 0 <= line["begin_ms"] <= line["end_ms"]


@given(JSON)
def test_any_json_at_all_gives_an_input_or_a_bridge_error(value):
    for bridge in (contact_lens.utterances, lca.utterances):
        with pytest.raises(BridgeError):
            bridge(value)
