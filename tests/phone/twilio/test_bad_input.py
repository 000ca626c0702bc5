"""Bad input ends that socket alone, with its reason; the other calls never notice."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.call.ports import AudioIn, DtmfIn, HungUpIn
from bot.phone.twilio.settings import TwilioSettings
from bot.phone.twilio.signature import signature
from tests.phone.twilio.harness import serving
from tests.phone.twilio.peer import SILENCE, TwilioPeer

START: dict[str, Any] = {
    "event": "start",
    "streamSid": "MZ0001",
    "start": {"streamSid": "MZ0001", "callSid": "CA0001", "tracks": ["inbound"]},
}

WRONG = {
    "no JSON": ("hello", 1007),
    "cut-off JSON": ('{"event":"media","media":{"payl', 1007),
    "empty": ("", 1007),
    "an array": ("[]", 1002),
    "a number": ("17", 1002),
    "null": ("null", 1002),
    "no event": ("{}", 1002),
    "an event that is a number": ('{"event":1}', 1002),
    "nested very deep": ('{"event":"media","media":' + "[" * 30_000 + "]" * 30_000 + "}", 1002),
    "a deep field that nobody reads": ('{"event":"stop","x":' + "[" * 30_000 + "]" * 30_000 + "}", 1002),
    "media without a body": ('{"event":"media"}', 1002),
    "a payload that is a number": ('{"event":"media","media":{"payload":5}}', 1002),
    "a payload that is not base64": ('{"event":"media","media":{"payload":"!!!!"}}', 1002),
    "base64 cut short": ('{"event":"media","media":{"payload":"AAA"}}', 1002),
    "an unknown track": ('{"event":"media","media":{"payload":"","track":"sideways"}}', 1002),
    "a counter that is an object": ('{"event":"media","media":{"payload":"","chunk":{}}}', 1002),
    "over a second of audio": (json.dumps({"event": "media", "media": {"payload": "AAAA" * 4000}}), 1009),
    "another stream": ('{"event":"stop","streamSid":"MZ9999"}', 1002),
    "a key of no telephone": ('{"event":"dtmf","dtmf":{"digit":"x"}}', 1002),
    "two keys at once": ('{"event":"dtmf","dtmf":{"digit":"12"}}', 1002),
    "a second connected": ('{"event":"connected"}', 1002),
    "a second start": (json.dumps(START), 1002),
}


@pytest.mark.parametrize(("message", "code"), WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_message_ends_its_call_as_bad_data_and_no_other(message: str, code: int) -> None:
    async with serving() as place:
        other, other_heard = await place.call(call_sid="CA-other")
        peer, heard = await place.call()
        await peer.socket.send_str(message)
        assert await peer.closed() == code
        assert await heard.until_over() == [HungUpIn("bad_data")]
        await other.press("7")
        assert await other_heard.next() == DtmfIn("7")


BAD_STARTS: dict[str, Any] = {
    "no body": None,
    "no callSid": {"streamSid": "MZ0001"},
    "an empty callSid": {"streamSid": "MZ0001", "callSid": ""},
    "no tracks": {"streamSid": "MZ0001", "callSid": "CA1", "tracks": []},
    "an unknown track": {"streamSid": "MZ0001", "callSid": "CA1", "tracks": ["sideways"]},
    "another streamSid inside": {"streamSid": "MZ2", "callSid": "CA1"},
    "a parameter that is no text": {"streamSid": "MZ0001", "callSid": "CA1", "customParameters": {"a": 1}},
    "a rate as text": {"streamSid": "MZ0001", "callSid": "CA1", "mediaFormat": {"sampleRate": "8000"}},
}


@pytest.mark.parametrize("body", BAD_STARTS.values(), ids=BAD_STARTS.keys())
async def test_a_start_that_does_not_fit_is_no_arrival(body: Any) -> None:
    async with serving() as place:
        peer = place.peer()
        await peer.open()
        await peer.connected()
        await peer.send({"event": "start", "streamSid": "MZ0001", "start": body})
        assert await peer.closed() == 1002
        assert place.arrivals.empty()


@pytest.mark.parametrize(
    "form",
    [{"encoding": "audio/x-l16"}, {"sampleRate": 16000}, {"channels": 2}],
    ids=["codec", "rate", "stereo"],
)
async def test_audio_that_is_not_mu_law_8000_mono_is_refused(form: dict[str, Any]) -> None:
    async with serving() as place:
        peer = place.peer()
        await peer.open()
        await peer.send({**START, "start": {**START["start"], "mediaFormat": form}})
        assert await peer.closed() == 1003


async def _media(peer: TwilioPeer) -> None:
    await peer.media(SILENCE)


async def _twice(peer: TwilioPeer) -> None:
    await peer.connected()
    await peer.connected()


@pytest.mark.parametrize("first", [_media, TwilioPeer.stop, _twice], ids=["media", "stop", "connected twice"])
async def test_nothing_may_come_before_start(first: Any) -> None:
    async with serving() as place:
        peer = place.peer()
        await peer.open()
        await first(peer)
        assert await peer.closed() == 1002
        assert place.arrivals.empty()


async def test_media_after_stop_reaches_nobody() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        await peer.stop()
        await peer.media(SILENCE)
        assert await heard.until_over() == [HungUpIn("customer")]
        await peer.closed()
        assert heard.inputs.empty()


async def test_a_frame_of_a_megabyte_closes_with_1009() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        await peer.socket.send_str("x" * 1_000_000)
        assert await peer.closed() == 1009
        assert await heard.until_over() == [HungUpIn("bad_data")]


async def test_binary_frames_close_with_1003() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        await peer.socket.send_bytes(SILENCE)
        assert await peer.closed() == 1003
        assert await heard.until_over() == [HungUpIn("bad_data")]


async def test_text_that_is_not_utf8_closes_with_1007() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        await peer.socket.send_frame(b'{"event":"\xff"}', aiohttp.WSMsgType.TEXT)
        assert await peer.closed() == 1007
        assert await heard.until_over() == [HungUpIn("bad_data")]


async def test_audio_of_no_length_is_nothing() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        await peer.media(b"")
        await peer.media(SILENCE)
        assert await heard.next() == AudioIn(bytes(320))


async def test_a_second_socket_for_a_call_is_closed_and_the_first_never_notices() -> None:
    async with serving() as place:
        peer, heard = await place.call(call_sid="CA1")
        thief = place.peer(call_sid="CA1", stream_sid="MZ-thief")
        await thief.start()
        assert await thief.closed() == 1008
        assert place.arrivals.empty()
        await peer.press("3")
        assert await heard.next() == DtmfIn("3")
        again = place.peer(call_sid="CA1", stream_sid="MZ-thief")
        await again.start()
        assert await again.closed() == 1008, "the refused socket must not free the call's place"


async def test_a_listener_with_both_tracks_may_stand_beside_the_bots_own_stream() -> None:
    async with serving() as place:
        await place.call(call_sid="CA1")
        _, listener = await place.call(call_sid="CA1", stream_sid="MZ2", tracks=("inbound", "outbound"))
        assert listener.arrival.leg.capabilities.two_tracks


async def test_a_socket_that_is_cut_in_mid_word_is_a_lost_line() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        await peer.media(SILENCE[:80])
        peer.cut()
        assert await heard.until_over() == [HungUpIn("line_lost")]


async def test_a_socket_that_never_starts_is_closed() -> None:
    async with serving(start_within_s=0) as place:
        peer = place.peer()
        await peer.open()
        assert await peer.closed() == 1002


SIGNED = TwilioSettings(stream_url="wss://bot.example.com/twilio", auth_token_env="X")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Twilio-Signature": ""},
        {"X-Twilio-Signature": "bm9uc2Vuc2U="},
        {"X-Twilio-Signature": signature("another-token", "wss://bot.example.com/twilio")},
        {"X-Twilio-Signature": signature("s3cret", "wss://evil.example.com/twilio")},
    ],
    ids=["none", "empty", "nonsense", "another token", "another url"],
)
async def test_an_upgrade_with_a_wrong_signature_is_refused_with_403(headers: dict[str, str]) -> None:
    async with serving(SIGNED, "s3cret") as place:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await place.peer().open(**headers)
        assert refused.value.status == 403


async def test_an_upgrade_with_the_right_signature_is_taken() -> None:
    async with serving(SIGNED, "s3cret") as place:
        peer = place.peer()
        await peer.start(**{"X-Twilio-Signature": signature("s3cret", "wss://bot.example.com/twilio")})
        assert (await place.arrived()).arrival.line_id == "CA0001"


async def test_above_the_load_limit_an_upgrade_is_refused_with_503_and_calls_go_on() -> None:
    full: list[str] = []
    async with serving(refuse=lambda: full[0] if full else None) as place:
        peer, heard = await place.call()
        full.append("full")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await place.peer(call_sid="CA2").open()
        assert refused.value.status == 503
        await peer.press("1")
        assert await heard.next() == DtmfIn("1")


async def test_a_receiver_that_breaks_ends_its_call_alone() -> None:
    async with serving() as place:
        other, other_heard = await place.call(call_sid="CA-other")
        peer = place.peer()
        await peer.start()
        arrival = await place.arrivals.get()
        arrival.leg.listen(_break)
        await peer.press("1")
        assert await peer.closed() == 1011
        await other.press("7")
        assert await other_heard.next() == DtmfIn("7")


def _break(item: object) -> None:
    if isinstance(item, DtmfIn):
        raise ZeroDivisionError


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
messages = st.fixed_dictionaries(
    {"event": st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop", "words", "other"])},
    optional=dict.fromkeys(("start", "media", "dtmf", "mark", "text", "final", "streamSid"), json_values),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(messages | json_values, max_size=6))
def test_whatever_is_sent_a_call_ends_once_and_the_server_lives(sent: list[Any]) -> None:
    async def run() -> None:
        async with serving(words=True) as place:
            peer, heard = await place.call()
            try:
                for message in sent:
                    await peer.socket.send_str(json.dumps(message))
                await peer.socket.close()
            except (ConnectionError, aiohttp.ClientError):
                pass  # the server closed first
            inputs = await heard.until_over()
            assert sum(isinstance(item, HungUpIn) for item in inputs) == 1
            assert heard.inputs.empty()
            _, after = await place.call(call_sid="CA-after")
            assert after.arrival.line_id == "CA-after"

    asyncio.run(run())


async def test_a_far_end_that_does_not_read_is_a_lost_line() -> None:
    async with serving() as place:
        _, heard = await place.call()
        while heard.inputs.empty():
            for _ in range(200):
                heard.arrival.leg.send(bytes(320))
            await asyncio.sleep(0)  # the loop's turn
        assert await heard.until_over() == [HungUpIn("line_lost")]
