"""Event socket framing: packets come out whole wherever the bytes were cut; nonsense is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phone.freeswitch.esl_frames import EslProtocolError, Packet, PacketReader, event_of

BODIES = st.lists(st.binary(max_size=60), min_size=1, max_size=6)


def packet(body: bytes, kind: bytes = b"api/response") -> bytes:
    return b"Content-Type: " + kind + b"\nContent-Length: %d\n\n" % len(body) + body


@given(bodies=BODIES, data=st.data())
def test_packets_are_whole_wherever_the_bytes_are_cut(bodies: list[bytes], data: st.DataObject) -> None:
    stream = b"Content-Type: auth/request\n\n" + b"".join(packet(body) for body in bodies)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    reader = PacketReader()
    found = [
        one
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for one in reader.feed(stream[start:end])
    ]
    assert found[0].kind == "auth/request"
    assert [one.body for one in found[1:]] == bodies


@given(st.binary(max_size=300))
def test_whatever_comes_is_read_or_refused(noise: bytes) -> None:
    try:
        for one in PacketReader().feed(noise + b"\n\n"):
            assert isinstance(one.reply, str)
    except EslProtocolError:
        pass


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999", "٣", "10485761", ""])
def test_a_length_that_is_no_length_is_refused(length: str) -> None:
    with pytest.raises(EslProtocolError, match=r"Content-Length|bytes"):
        PacketReader().feed(f"Content-Length: {length}\n\n".encode())


def test_headers_without_end_are_refused() -> None:
    reader = PacketReader()
    with pytest.raises(EslProtocolError, match="longer"):
        for _ in range(70):
            reader.feed(b"x" * 1024)


def test_a_line_without_a_colon_is_refused() -> None:
    with pytest.raises(EslProtocolError, match="colon"):
        PacketReader().feed(b"GET / HTTP/1.1\n\n")


def test_a_json_event_keeps_its_text_headers_and_body() -> None:
    fields = {"Event-Name": "DTMF", "DTMF-Digit": "#", "list": ["a"], "_body": "{}"}
    event = event_of(Packet({"content-type": "text/event-json"}, json.dumps(fields).encode()))
    assert event == {"Event-Name": "DTMF", "DTMF-Digit": "#", "_body": "{}"}


def test_a_plain_event_is_decoded() -> None:
    body = b"Event-Name: CHANNEL_ANSWER\nCaller-Name: %E5%BC%A0%20x%3A%0A\nContent-Length: 2\n\nhi"
    event = event_of(Packet({"content-type": "text/event-plain"}, body))
    assert event["Caller-Name"] == "张 x:\n"
    assert event["_body"] == "hi"


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff"])
def test_an_event_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(EslProtocolError):
        event_of(Packet({"content-type": "text/event-json"}, body))
