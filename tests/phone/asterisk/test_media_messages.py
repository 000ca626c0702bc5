"""chan_websocket's control messages: each kind in both forms, and what cannot be read."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phone.asterisk import media_messages as messages
from tests.phone.asterisk.media_channel import MediaChannel


def told(as_json: bool, *commands: str, **channel: object) -> list[bytes]:
    """What the peer says on a start, these commands, and enough ticks to play all."""
    said: list[str] = []
    peer = MediaChannel(said.append, as_json=as_json, **channel)  # type: ignore[arg-type]
    peer.start()
    for command in commands:
        peer.text(command)
    peer.tick(5)
    return [message.encode() for message in said]


@pytest.mark.parametrize("as_json", [False, True])
def test_media_start_tells_the_channel_and_its_format(as_json: bool) -> None:
    [start] = told(as_json, codec="slin16", optimal=640, variables={"who": "7"})
    assert messages.parse_event(start) == messages.MediaStart(
        connection_id="c0ffee",
        channel="WebSocket/c0ffee/0x7f0c",
        channel_id="1763852400.7",
        format="slin16",
        optimal_frame_size=640,
        ptime=20,
        variables={"who": "7"} if as_json else {},
        as_json=as_json,
    )


@pytest.mark.parametrize("as_json", [False, True])
def test_each_event_of_the_peer_is_read(as_json: bool) -> None:
    def command(name: messages.Command, correlation_id: str = "") -> str:
        return messages.command(name, correlation_id=correlation_id, as_json=as_json).decode()

    _, *events = told(
        as_json,
        command("GET_STATUS"),
        command("MARK_MEDIA", "m1"),
        command("START_MEDIA_BUFFERING"),
        command("STOP_MEDIA_BUFFERING", "b 2"),
        command("MARK_MEDIA"),
        command("REPORT_QUEUE_DRAINED"),
    )
    assert [messages.parse_event(event) for event in events] == [
        messages.Status(0, False, False, False),
        messages.MarkProcessed("m1"),
        messages.BufferingCompleted("b 2"),
        messages.MarkProcessed(""),
        messages.QueueDrained(),
    ]


@pytest.mark.parametrize("as_json", [False, True])
def test_keys_errors_and_flow_control_are_read(as_json: bool) -> None:
    said: list[str] = []
    peer = MediaChannel(said.append, as_json=as_json)
    peer.key("#")
    said += [
        peer.event("ERROR", error_text="X: not a 'y' there"),
        peer.event("MEDIA_XOFF"),
        peer.event("MEDIA_XON"),
    ]
    assert [messages.parse_event(event.encode()) for event in said] == [
        messages.DtmfEnd("#"),
        messages.MediaError("X: not a 'y' there"),
        messages.MediaXoff(),
        messages.MediaXon(),
    ]


@pytest.mark.parametrize(
    "unknown", [b"MEDIA_NEW a:b", b"media_xoff", b'{"event":"NEW","digit":[1]}', b"", b"  ", b'{"event":""}']
)
def test_unknown_events_are_none_and_names_are_compared_case_and_all(unknown: bytes) -> None:
    assert messages.parse_event(unknown) is None


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"{}",
        b'{"event":5}',
        b'{"event":"DTMF_END"}',
        b"DTMF_END digit:12",
        b"MEDIA_START",
        b"MEDIA_START channel_id:1 format:slin optimal_frame_size:many",
        b"MEDIA_START channel_id:1 format:slin optimal_frame_size:-320",
        b"MEDIA_START format:slin optimal_frame_size:320",
        b'{"event":"MEDIA_START","channel_id":1,"format":"slin","optimal_frame_size":320}',
        b"STATUS queue_full:perhaps",
        b'{"event":"MEDIA_XOFF","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_what_cannot_be_read_is_a_bad_event(bad: bytes) -> None:
    with pytest.raises(messages.BadEvent):
        messages.parse_event(bad)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(str.encode),
        st.tuples(
            st.sampled_from(["MEDIA_START", "STATUS", "ERROR", "DTMF_END", "MEDIA_MARK_PROCESSED"]),
            st.text(max_size=99),
        ).map(lambda parts: " ".join(parts).encode()),
        st.dictionaries(
            st.sampled_from(
                ["event", "digit", "format", "optimal_frame_size", "channel_id", "channel_variables"]
            ),
            st.one_of(
                st.sampled_from(["MEDIA_START", "DTMF_END"]), st.integers(), st.none(), st.lists(st.none())
            ),
        ).map(lambda fields: json.dumps(fields).encode()),
    )
)
def test_any_message_is_an_event_none_or_a_bad_event(message: bytes) -> None:
    try:
        event = messages.parse_event(message)
    except messages.BadEvent:
        return
    assert event is None or isinstance(event, messages.Event)


@pytest.mark.parametrize("name", get_args(messages.Command))
@pytest.mark.parametrize("as_json", [False, True])
def test_the_peer_knows_each_command(name: messages.Command, as_json: bool) -> None:
    said: list[str] = []
    peer = MediaChannel(said.append, as_json=as_json)
    peer.text(messages.command(name, correlation_id="m1", as_json=as_json).decode())
    assert peer.commands == [name] and not peer.ignored and "ERROR" not in "".join(said)


@given(st.text(max_size=150), st.booleans())
def test_a_command_comes_back_with_the_id_it_was_given_or_cannot_be_made(number: str, as_json: bool) -> None:
    try:
        made = messages.command("MARK_MEDIA", correlation_id=number, as_json=as_json)
    except ValueError:
        return
    assert len(made) <= 128
    _, processed = told(as_json, made.decode())
    assert messages.parse_event(processed) == messages.MarkProcessed(number)


def test_a_command_that_asterisk_would_ignore_for_its_length_cannot_be_made() -> None:
    messages.command("MARK_MEDIA", correlation_id="x" * (128 - len("MARK_MEDIA ")))
    with pytest.raises(ValueError):
        messages.command("MARK_MEDIA", correlation_id="x" * (129 - len("MARK_MEDIA ")))
