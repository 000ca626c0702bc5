"""Telnyx and Plivo on the same socket code, by the messages of their documentation."""

from __future__ import annotations

import audioop
import base64
import json
from typing import Any

from bot.call.ports import AudioIn, DtmfIn, HungUpIn, MarkIn
from bot.phone.twilio.settings import TwilioSettings
from tests.phone.twilio.harness import serving

PAYLOAD = base64.b64encode(bytes(160)).decode()
SOUND = audioop.ulaw2lin(bytes(160), 2)

TELNYX_START = {
    "event": "start",
    "sequence_number": "1",
    "start": {
        "user_id": "3E6F995F-85F7-4705-9741-53B116D28237",
        "call_control_id": "v3:abc",
        "from": "+15550001",
        "to": "+15550002",
        "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
    },
    "stream_id": "32DE0DEA",
}
PLIVO_START = {
    "event": "start",
    "sequenceNumber": 1,
    "start": {
        "callId": "call-1",
        "streamId": "stream-1",
        "accountId": "MA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
    },
    "extra_headers": "call_id=c-9;direction=outbound",
}


def _telnyx_media(chunk: int, payload: bytes) -> dict[str, Any]:
    body = {
        "track": "inbound",
        "chunk": str(chunk),
        "timestamp": "5",
        "payload": base64.b64encode(payload).decode(),
    }
    return {"event": "media", "sequence_number": str(chunk + 1), "media": body, "stream_id": "32DE0DEA"}


async def test_a_telnyx_call_from_start_to_stop_with_media_out_of_order() -> None:
    async with serving(TwilioSettings(dialect="telnyx", path="/telnyx")) as place:
        peer = place.peer()
        await peer.open()
        await peer.send({"event": "connected", "version": "1.0.0"})
        await peer.send(TELNYX_START)
        heard = await place.arrived()
        arrival = heard.arrival
        assert (arrival.line_id, arrival.caller, arrival.called) == ("v3:abc", "+15550001", "+15550002")
        for chunk in (1, 3, 2, 4):
            await peer.send(_telnyx_media(chunk, bytes([chunk]) * 160))
        told = [await heard.next() for _ in range(4)]
        assert told == [AudioIn(audioop.ulaw2lin(bytes([chunk]) * 160, 2)) for chunk in (1, 2, 3, 4)]
        await peer.send(
            {"event": "dtmf", "stream_id": "32DE0DEA", "occurred_at": "…", "dtmf": {"digit": "1"}}
        )
        assert await heard.next() == DtmfIn("1")
        await peer.send({"event": "error", "stream_id": "32DE0DEA", "payload": {"code": 100004}})
        arrival.leg.mark("said")
        name = (await peer.socket.receive_json())["mark"]["name"]
        await peer.send({"event": "mark", "stream_id": "32DE0DEA", "mark": {"name": name}})
        assert await heard.next() == MarkIn("said")
        await peer.send({"event": "stop", "stream_id": "32DE0DEA", "stop": {"call_control_id": "v3:abc"}})
        assert await heard.until_over() == [HungUpIn("customer")]


async def test_a_telnyx_stream_in_another_codec_is_refused() -> None:
    start = json.loads(json.dumps(TELNYX_START))
    start["start"]["media_format"]["encoding"] = "G722"
    async with serving(TwilioSettings(dialect="telnyx")) as place:
        peer = place.peer()
        await peer.open()
        await peer.send(start)
        assert await peer.closed() == 1003


async def test_a_plivo_call_begins_with_start_and_ends_with_its_socket() -> None:
    async with serving(TwilioSettings(dialect="plivo", path="/plivo")) as place:
        peer = place.peer()
        await peer.open()
        await peer.send(PLIVO_START)
        heard = await place.arrived()
        leg = heard.arrival.leg
        assert heard.arrival.line_id == "call-1" and heard.arrival.direction == "outbound"
        assert heard.arrival.parameters["call_id"] == "c-9"
        assert leg.capabilities.dtmf_out
        media = {"track": "inbound", "timestamp": "1", "chunk": 1, "payload": PAYLOAD}
        await peer.send({"event": "media", "sequenceNumber": 2, "streamId": "stream-1", "media": media})
        assert await heard.next() == AudioIn(SOUND)
        leg.send(SOUND)
        leg.mark("said")
        leg.send_digits("1#")
        sent = [await peer.socket.receive_json() for _ in range(3)]
        assert [message["event"] for message in sent] == ["playAudio", "checkpoint", "sendDTMF"]
        await peer.send({"event": "playedStream", "streamId": "stream-1", "name": sent[1]["name"]})
        assert await heard.next() == MarkIn("said")
        leg.flush()
        assert (await peer.socket.receive_json())["event"] == "clearAudio"
        await peer.send({"event": "clearedAudio", "streamId": "stream-1"})
        await peer.socket.close()
        assert await heard.until_over() == [HungUpIn("customer")]
