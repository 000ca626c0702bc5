"""The codec of the three dialects: what is read, what is written, what is put in order."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phone.media_server import BadMessage
from bot.phone.twilio.messages import TWILIO, Connected, Dtmf, Mark, Media, Start, Stop, Words
from bot.phone.twilio.plivo import PLIVO
from bot.phone.twilio.telnyx import TELNYX, WINDOW, Reorder

DIALECTS = [TWILIO, TELNYX, PLIVO]


def packed(message: Any) -> bytes:
    return json.dumps(message).encode()


# The messages of Twilio's documentation.
DOCUMENTED: list[tuple[dict[str, Any], type]] = [
    ({"event": "connected", "protocol": "Call", "version": "1.0.0"}, Connected),
    (
        {
            "event": "start",
            "sequenceNumber": "1",
            "start": {
                "accountSid": "AC1",
                "streamSid": "MZ1",
                "callSid": "CA1",
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": {"FirstName": "Jane"},
            },
            "streamSid": "MZ1",
        },
        Start,
    ),
    (
        {
            "event": "media",
            "sequenceNumber": "3",
            "media": {"track": "outbound", "chunk": "1", "timestamp": "5", "payload": "AAEC"},
            "streamSid": "MZ1",
        },
        Media,
    ),
    (
        {
            "event": "dtmf",
            "streamSid": "MZ1",
            "sequenceNumber": "5",
            "dtmf": {"track": "inbound_track", "digit": "1"},
        },
        Dtmf,
    ),
    ({"event": "mark", "sequenceNumber": "4", "streamSid": "MZ1", "mark": {"name": "my label"}}, Mark),
    (
        {
            "event": "stop",
            "sequenceNumber": "5",
            "stop": {"accountSid": "AC1", "callSid": "CA1"},
            "streamSid": "MZ1",
        },
        Stop,
    ),
]


@pytest.mark.parametrize(("message", "kind"), DOCUMENTED, ids=[kind.__name__ for _, kind in DOCUMENTED])
def test_every_documented_message_is_read(message: dict[str, Any], kind: type) -> None:
    assert type(TWILIO.reader(words=False)(packed(message))) is kind


@pytest.mark.parametrize("dialect", DIALECTS)
@given(payload=st.binary(max_size=400), counter=st.integers(0, 2**40), as_text=st.booleans())
def test_media_is_read_whole_with_counters_of_either_kind(
    dialect: Any, payload: bytes, counter: int, as_text: bool
) -> None:
    count = str(counter) if as_text else counter
    body = {
        "track": "inbound",
        "chunk": count,
        "timestamp": count,
        "payload": base64.b64encode(payload).decode(),
    }
    names = {"sequenceNumber": count, "sequence_number": count}
    read = dialect.reader(words=False)(packed({"event": "media", "media": body, **names}))
    assert isinstance(read, Media)
    assert (read.media.payload, read.media.track, read.media.chunk) == (payload, "inbound", count)


@given(
    st.text(min_size=1).filter(
        lambda name: name not in ("connected", "start", "media", "dtmf", "mark", "stop")
    )
)
def test_an_unknown_event_is_none(name: str) -> None:
    assert TWILIO.reader(words=False)(packed({"event": name, "media": 5})) is None


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_bytes_of_any_kind_are_read_refused_or_unknown(raw: bytes) -> None:
    for dialect in DIALECTS:
        try:
            dialect.reader(words=True)(raw)
        except BadMessage as bad:
            assert bad.code.value in (1002, 1007)


def test_words_are_a_message_only_where_they_are_allowed() -> None:
    message = packed({"event": "words", "streamSid": "MZ1", "text": "喂", "final": True})
    assert TWILIO.reader(words=False)(message) is None
    assert TWILIO.reader(words=True)(message) == Words(stream="MZ1", text="喂", final=True)
    with pytest.raises(BadMessage):
        TWILIO.reader(words=True)(packed({"event": "words", "text": "喂", "final": "yes"}))


@given(st.text(min_size=1, max_size=20), st.binary(max_size=320), st.text(max_size=20))
def test_what_is_written_is_json_whatever_the_ids_are(stream_id: str, sound: bytes, name: str) -> None:
    payload = base64.b64encode(sound).decode()
    twilio, telnyx, plivo = (dialect.encoder(stream_id) for dialect in DIALECTS)
    assert json.loads(twilio.media(sound)) == {
        "event": "media",
        "streamSid": stream_id,
        "media": {"payload": payload},
    }
    assert json.loads(twilio.mark(name)) == {"event": "mark", "streamSid": stream_id, "mark": {"name": name}}
    assert json.loads(twilio.clear()) == {"event": "clear", "streamSid": stream_id}
    assert json.loads(telnyx.media(sound)) == {"event": "media", "media": {"payload": payload}}
    assert json.loads(telnyx.mark(name)) == {"event": "mark", "mark": {"name": name}}
    assert json.loads(telnyx.clear()) == {"event": "clear"}
    played = {"contentType": "audio/x-mulaw", "sampleRate": 8000, "payload": payload}
    assert json.loads(plivo.media(sound)) == {"event": "playAudio", "media": played}
    assert json.loads(plivo.mark(name)) == {"event": "checkpoint", "streamId": stream_id, "name": name}
    assert json.loads(plivo.clear()) == {"event": "clearAudio", "streamId": stream_id}


def test_keys_are_sent_only_where_the_protocol_can() -> None:
    assert TWILIO.encoder("MZ1").digits("12#") is None
    assert TELNYX.encoder("MZ1").digits("12#") is None
    keys = PLIVO.encoder("S1").digits("12#")
    assert keys is not None and json.loads(keys) == {"event": "sendDTMF", "dtmf": "12#"}


@given(st.data(), st.integers(1, 40))
def test_media_that_are_shifted_within_the_window_come_out_in_order(data: st.DataObject, count: int) -> None:
    # Each message is late by less than the window: sorting by (place + delay) is such an order.
    delays = data.draw(st.lists(st.integers(0, WINDOW - 1), min_size=count, max_size=count))
    order = sorted(range(1, count + 1), key=lambda place: (place + delays[place - 1], place))
    reorder = Reorder()
    out = [sound for place in order for sound in reorder.push(str(place), bytes([place]))]
    assert out == [bytes([place]) for place in range(1, count + 1)]


@given(st.lists(st.integers(1, 30), max_size=60))
def test_whatever_order_media_come_in_none_is_played_twice_or_backwards(places: list[int]) -> None:
    reorder = Reorder()
    out = [sound[0] for place in places for sound in reorder.push(place, bytes([place]))]
    assert out == sorted(set(out))


def test_a_lost_message_is_passed_over_after_the_window() -> None:
    reorder = Reorder()
    assert reorder.push(1, b"1") == [b"1"]
    assert [reorder.push(place, bytes([place])) for place in (3, 4, 5)] == [[], [], []]
    assert reorder.push(6, b"\6") == [b"\3", b"\4", b"\5", b"\6"]
    assert reorder.push(2, b"2") == [], "it came too late"


def test_a_stream_that_begins_in_the_middle_is_heard_from_there() -> None:
    assert Reorder().push(500, b"x") == [b"x"]


def test_a_chunk_that_is_no_number_is_a_bad_message() -> None:
    with pytest.raises(BadMessage):
        Reorder().push("first", b"x")
