"""A Twilio media stream from the first message to the last, with a peer that speaks it from Twilio's side."""

from __future__ import annotations

import asyncio
import audioop

import pytest

from bot.call.ports import AudioIn, DtmfIn, HungUpIn, MarkIn, TransferFailed, WordsIn
from bot.phone.dialling import DialFailed
from tests.phone.twilio.harness import serving
from tests.phone.twilio.peer import FRAME_BYTES, SILENCE

TONE = bytes(range(160))
LOUD = audioop.ulaw2lin(TONE, 2)


class Control:
    """The REST API: remembers what it was asked, fails where told so."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.failure = failure
        self.called = asyncio.Event()
        self.answer = asyncio.Event()
        self.answer.set()

    async def end(self, line_id: str) -> None:
        self.asked.append(("end", line_id))
        if self.failure:
            raise self.failure

    async def transfer(self, line_id: str, target: str, caller_id: str | None) -> None:
        self.asked.append(("transfer", line_id, target, caller_id or ""))
        self.called.set()
        await self.answer.wait()
        if self.failure:
            raise self.failure


async def test_a_start_makes_an_arrival_with_all_that_the_switch_told() -> None:
    async with serving() as place:
        told = {"from": "+15550001", "to": "+15550002", "direction": "outbound", "call_id": "c-7"}
        _, heard = await place.call(call_sid="CA77", parameters=told)
        arrival = heard.arrival
        assert (arrival.provider, arrival.line_id, arrival.direction) == ("twilio", "CA77", "outbound")
        assert (arrival.caller, arrival.called) == ("+15550001", "+15550002")
        assert arrival.parameters == told


async def test_a_call_without_parameters_came_in_from_nobody_known() -> None:
    async with serving() as place:
        _, heard = await place.call()
        assert heard.arrival.direction == "inbound"
        assert heard.arrival.caller is None and heard.arrival.called is None


async def test_the_callers_sound_comes_in_frames_of_320_bytes() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        await peer.media(TONE)
        assert await heard.next() == AudioIn(LOUD, "customer")


async def test_sound_in_pieces_of_any_length_is_cut_into_the_same_frames() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        sound = TONE * 5
        for begin, end in ((0, 1), (1, 200), (200, 200), (200, 480), (480, 800)):
            await peer.media(sound[begin:end])
        assert [await heard.next() for _ in range(5)] == [AudioIn(LOUD)] * 5
        await peer.stop()
        assert await heard.until_over() == [HungUpIn("customer")]


async def test_what_came_before_somebody_listened_comes_first() -> None:
    async with serving() as place:
        peer = place.peer()
        await peer.start()
        await peer.media(TONE)
        await peer.press("5")
        await peer.stop()
        assert await peer.closed() == 1000
        heard = await place.arrived()
        assert await heard.until_over() == [AudioIn(LOUD), DtmfIn("5"), HungUpIn("customer")]


async def test_our_sound_reaches_the_far_end_in_mu_law() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        for _ in range(3):
            heard.arrival.leg.send(LOUD)
        assert await peer.take(3) == ["media"] * 3
        await peer.advance(60)
        assert bytes(peer.played) == audioop.lin2ulaw(LOUD, 2) * 3


async def test_a_mark_is_told_when_what_was_sent_before_it_has_been_played() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        leg = heard.arrival.leg
        leg.send(LOUD)
        leg.mark("first")
        leg.send(LOUD)
        leg.mark("second")
        await peer.take(4)
        await peer.advance(20)
        assert await heard.but_audio() == MarkIn("first")
        assert len(peer.played) == FRAME_BYTES
        await peer.advance(20)
        assert await heard.but_audio() == MarkIn("second")


async def test_marks_that_a_flush_sends_back_are_not_taken_for_played() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        leg = heard.arrival.leg
        leg.send(LOUD)
        leg.mark("unplayed")
        leg.flush()
        leg.send(LOUD)
        leg.mark("after")
        assert await peer.take(5) == ["media", "mark", "clear", "media", "mark"]
        await peer.advance(20)
        assert peer.cleared_bytes == FRAME_BYTES
        assert await heard.but_audio() == MarkIn("after")


async def test_two_marks_of_one_name_are_told_apart() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        leg = heard.arrival.leg
        leg.send(LOUD)
        leg.mark("same")
        leg.flush()
        leg.send(LOUD)
        leg.mark("same")
        await peer.take(5)
        await peer.press("1")
        await peer.advance(20)
        assert await heard.but_audio() == DtmfIn("1")
        assert await heard.but_audio() == MarkIn("same")


async def test_a_mark_that_we_never_sent_is_ignored() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        await peer.send({"event": "mark", "streamSid": "MZ0001", "mark": {"name": "99"}})
        await peer.press("#")
        assert await heard.next() == DtmfIn("#")


@pytest.mark.parametrize("key", [*"0123456789*#ABCD"])
async def test_every_key_is_told(key: str) -> None:
    async with serving() as place:
        peer, heard = await place.call()
        await peer.press(key)
        assert await heard.next() == DtmfIn(key)


async def test_unknown_events_are_ignored_and_the_call_goes_on() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        await peer.send({"event": "weather", "rain": [1, {"a": None}]})
        await peer.press("1")
        assert await heard.next() == DtmfIn("1")


async def test_words_come_only_where_they_are_allowed() -> None:
    async with serving(words=True) as place:
        peer, heard = await place.call()
        assert heard.arrival.leg.capabilities.words
        for text, final in (("你", False), ("你好", True), ("再见", False)):
            await peer.words(text, final)
        told = [await heard.next() for _ in range(3)]
        assert told == [WordsIn("你", False, "c1"), WordsIn("你好", True, "c1"), WordsIn("再见", False, "c2")]
    async with serving() as place:
        peer, heard = await place.call()
        assert not heard.arrival.leg.capabilities.words
        await peer.words("你好", True)
        await peer.press("2")
        assert await heard.next() == DtmfIn("2")


async def test_a_stop_is_the_customers_hang_up_and_closes_the_socket() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        await peer.stop()
        assert await heard.until_over() == [HungUpIn("customer")]
        assert await peer.closed() == 1000


async def test_our_hang_up_closes_the_socket_and_ends_the_call_by_rest_once() -> None:
    control = Control()
    async with serving(control=control) as place:
        peer, heard = await place.call(call_sid="CA5")
        leg = heard.arrival.leg
        await asyncio.gather(leg.hang_up("bot"), leg.hang_up("again"))
        leg.send(LOUD)
        leg.mark("late")
        leg.flush()
        assert await heard.until_over() == [HungUpIn("bot")]
        assert await peer.closed() == 1000
        assert control.asked == [("end", "CA5")]
        assert heard.inputs.empty()


async def test_a_hang_up_never_fails_where_rest_does() -> None:
    async with serving(control=Control(DialFailed("no answer", certain=False))) as place:
        peer, heard = await place.call()
        await heard.arrival.leg.hang_up("bot")
        assert await heard.until_over() == [HungUpIn("bot")]
        assert await peer.closed() == 1000


async def test_both_tracks_are_heard_side_by_side_and_nothing_is_ever_sent() -> None:
    control = Control()
    async with serving(control=control) as place:
        peer, heard = await place.call(tracks=("inbound", "outbound"))
        leg, can = heard.arrival.leg, heard.arrival.leg.capabilities
        assert can.two_tracks and not (can.marks or can.flush or can.transfer)
        await peer.media(TONE, "outbound")
        await peer.media(SILENCE, "inbound")
        assert await heard.next() == AudioIn(LOUD, "agent")
        assert await heard.next() == AudioIn(bytes(320), "customer")
        leg.send(LOUD)
        leg.mark("m")
        leg.flush()
        await leg.hang_up("done")
        with pytest.raises(TransferFailed):
            await leg.transfer("+15550009")
        assert await peer.closed() == 1000
        assert control.asked == []


async def test_each_track_keeps_its_own_left_over_bytes() -> None:
    async with serving() as place:
        peer, heard = await place.call(tracks=("inbound", "outbound"))
        await peer.media(TONE[:100], "inbound")
        await peer.media(TONE, "outbound")
        await peer.media(TONE[100:], "inbound")
        assert await heard.next() == AudioIn(LOUD, "agent")
        assert await heard.next() == AudioIn(LOUD, "customer")


async def test_a_track_that_start_did_not_name_is_ignored() -> None:
    async with serving() as place:
        peer, heard = await place.call()
        await peer.media(TONE, "outbound")
        await peer.media(TONE, "inbound")
        assert await heard.next() == AudioIn(LOUD, "customer")


async def test_a_transfer_gives_the_call_away_with_our_number_and_ends_the_leg() -> None:
    control = Control()
    async with serving(control=control) as place:
        told = {"direction": "outbound", "from": "+15550001", "to": "+15550002"}
        peer, heard = await place.call(call_sid="CA6", parameters=told)
        assert heard.arrival.leg.capabilities.transfer
        await heard.arrival.leg.transfer("+15550009")
        assert control.asked == [("transfer", "CA6", "+15550009", "+15550001")]
        assert await heard.until_over() == [HungUpIn("transferred")]
        assert await peer.closed() == 1000
        await heard.arrival.leg.hang_up("bot")
        assert len(control.asked) == 1, "a hang-up after a transfer would cut the customer off"


async def test_a_stream_that_twilio_stops_during_a_transfer_was_transferred() -> None:
    control = Control()
    control.answer.clear()
    async with serving(control=control) as place:
        peer, heard = await place.call()
        transfer = asyncio.create_task(heard.arrival.leg.transfer("+15550009"))
        await control.called.wait()
        await peer.stop()
        assert await peer.closed() == 1000
        control.answer.set()
        await transfer
        assert await heard.until_over() == [HungUpIn("transferred")]


async def test_a_transfer_that_fails_leaves_the_call_as_it_was() -> None:
    async with serving(control=Control(DialFailed("refused", certain=True))) as place:
        peer, heard = await place.call()
        with pytest.raises(TransferFailed, match="refused"):
            await heard.arrival.leg.transfer("+15550009")
        await peer.press("1")
        assert await heard.next() == DtmfIn("1")


async def test_a_customer_who_hangs_up_during_a_transfer_that_fails_hung_up() -> None:
    control = Control(DialFailed("refused", certain=True))
    control.answer.clear()
    async with serving(control=control) as place:
        peer, heard = await place.call()
        transfer = asyncio.create_task(heard.arrival.leg.transfer("+15550009"))
        await control.called.wait()
        await peer.stop()
        assert await peer.closed() == 1000
        control.answer.set()
        with pytest.raises(TransferFailed):
            await transfer
        assert await heard.until_over() == [HungUpIn("customer")]


async def test_a_leg_is_listened_to_once() -> None:
    async with serving() as place:
        _, heard = await place.call()
        with pytest.raises(RuntimeError):
            heard.arrival.leg.listen(lambda item: None)


async def test_a_call_may_have_another_stream_when_the_first_has_stopped() -> None:
    async with serving() as place:
        peer, heard = await place.call(call_sid="CA8")
        await peer.stop()
        await heard.until_over()
        _, again = await place.call(call_sid="CA8", stream_sid="MZ0002")
        assert again.arrival.line_id == "CA8"
