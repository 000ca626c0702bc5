"""The event socket: lost and back, missed news made up for, garbage and strangers without harm."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.call.ports import DtmfIn, HungUpIn
from bot.phone.asterisk.ari_calls import line_id_of
from bot.phone.asterisk.ari_client import AriClient
from bot.phone.asterisk.ari_events import LONGEST_PAUSE_S, AriEvents
from bot.phone.dialling import LineNews, LineState
from tests.phone.asterisk.ari_harness import TONE, Heard, bench, dial, permit
from tests.phone.asterisk.ari_peer import Fault
from tests.phone.asterisk.ari_peer_world import PeerBridge
from tests.phone.asterisk.media_waiting import Collected

LINE = line_id_of(permit())


async def test_an_answer_missed_while_the_socket_was_lost_is_found_again() -> None:
    async with bench() as b:
        switch = await b.switch()
        await switch.originator.originate(dial())
        await b.peer.drop_events("huashu")
        b.world.answer(b.world.dialled[0])
        assert "StasisStart" in b.peer.lost
        [arrival] = await b.arrivals.count(1)
        assert arrival.parameters["call_id"] == "call-i-1"
        heard = Heard(arrival.leg)
        b.world.dialled[0].speak(TONE)
        await heard.until_audio(TONE)


async def test_an_end_missed_while_the_socket_was_lost_is_found_again() -> None:
    async with bench() as b:
        switch = await b.switch()
        _, heard = await b.call(switch)
        await b.peer.drop_events("huashu")
        b.world.hang_up(b.world.dialled[0], 16)
        await heard.until_other(HungUpIn("customer"))
        await b.nothing_left()
        await b.news.until(lambda news: news[-1].state == LineState.ENDED)


async def test_a_ringing_line_that_ended_unseen_has_no_invented_outcome() -> None:
    async with bench() as b:
        switch = await b.switch()
        await switch.originator.originate(dial())
        b.world.ring(b.world.dialled[0])
        await b.news.until(lambda news: news[-1].state == LineState.RINGING)
        await b.peer.drop_events("huashu")
        b.world.hang_up(b.world.dialled[0], 17)
        await b.news.until(lambda news: news[-1].state == LineState.ENDED)
        assert b.news[-1] == LineNews(LINE, LineState.ENDED, None)


async def test_an_inbound_call_missed_while_the_socket_was_lost_is_taken() -> None:
    async with bench() as b:
        await b.switch()
        await b.peer.drop_events("huashu")
        b.world.call_in("02155550000", "13900139000", "huashu", "queue=sales")
        [arrival] = await b.arrivals.count(1)
        assert arrival.parameters == {"queue": "sales"}


async def test_a_call_that_goes_on_while_the_socket_is_lost_does_not_notice() -> None:
    async with bench() as b:
        switch = await b.switch()
        _, heard = await b.call(switch)
        await b.peer.drop_events("huashu")
        b.world.dialled[0].speak(TONE)
        await heard.until_audio(TONE)
        await b.world.until(lambda: "huashu" in b.peer.queues)
        await switch.events.connected.wait()
        assert heard.others() == [] and len(b.arrivals) == 1


async def test_events_twice_and_late_change_nothing() -> None:
    async with bench() as b:
        switch = await b.switch()
        await b.call(switch)
        channel = b.world.dialled[0]
        b.world.enter(channel)
        b.world.answer(channel)
        b.world.hang_up(channel, 16)
        await b.nothing_left()
        fields = {"channel": channel.shape(), "cause": 17, "cause_txt": "", "args": []}
        for late in ("ChannelDestroyed", "StasisEnd", "StasisStart", "ChannelStateChange"):
            b.peer.emit(late, "huashu", fields)
        await b.call(switch, "i-2")
        states = [one.state for one in b.news if one.line_id == LINE]
        assert states == [LineState.SENT, LineState.ANSWERED, LineState.ENDED]
        assert [one.line_id for one in b.arrivals] == [LINE, line_id_of(permit("i-2"))]


async def test_a_call_that_breaks_on_an_event_does_not_cost_the_others_theirs() -> None:
    async with bench() as b:
        switch = await b.switch()
        await b.call(switch)
        arrival = b.arrivals[0]

        def broken(digit: str) -> None:
            raise ZeroDivisionError

        arrival.leg.channel.pressed = broken
        b.world.press(b.world.dialled[0], "1")
        _, heard = await b.call(switch, "i-2")
        b.world.press(b.world.dialled[1], "2")
        await heard.until_other(DtmfIn("2"))


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "{",
        "[]",
        "null",
        '{"type":5}',
        '{"type":"StasisStart"}',
        '{"type":"ChannelDestroyed","channel":{"id":"x"},"cause":"no"}',
        '{"type":"TextMessageReceived","message":{"body":"你好"}}',
        '{"type":"Dial","peer":{}}',
        "[" * 5000,
    ],
)
async def test_what_is_no_event_is_left_out(garbage: str) -> None:
    async with bench() as b:
        switch = await b.switch()
        b.peer.raw_event("huashu", garbage)
        _, heard = await b.call(switch)
        b.world.dialled[0].speak(TONE)
        await heard.until_audio(TONE)


async def test_media_that_a_dead_process_left_behind_is_ended_and_its_calls_come_again() -> None:
    async with bench() as b:
        line = b.world.make(LINE, "PJSIP/trunk-1", state="Up", app="huashu", args=["call_id=call-7"])
        media = b.world.make("huashu-x-media", "AudioSocket/h:1-u", state="Up", app="huashu")
        other = b.world.make("huashu-y-media", "AudioSocket/h:1-v", state="Up", app="another")
        for channel in (line, media, other):
            channel.in_stasis = True
        await b.switch()
        [arrival] = await b.arrivals.count(1)
        assert (arrival.line_id, arrival.direction) == (LINE, "outbound")
        assert arrival.parameters == {"call_id": "call-7"}
        await b.world.until(lambda: media.ended)
        assert not other.ended and not line.ended


async def test_two_people_whom_a_dead_process_joined_go_on_and_end_together() -> None:
    async with bench() as b:
        customer = b.world.make(LINE, "PJSIP/trunk-1", state="Up", app="huashu", args=["call_id=call-7"])
        agent = b.world.make("huashu-agent-1", "PJSIP/1001-1", state="Up", app="huashu")
        alone = b.world.make("huashu-agent-2", "PJSIP/1002-1", state="Up", app="huashu")
        bridge = b.world.bridges["huashu-huashu~1"] = PeerBridge("huashu-huashu~1", "mixing")
        empty = b.world.bridges["huashu-huashu~2"] = PeerBridge("huashu-huashu~2", "mixing")
        for channel in (customer, agent, alone):
            channel.in_stasis = True
        b.world.join(bridge, customer)
        b.world.join(bridge, agent)
        await b.switch()
        await b.world.until(lambda: alone.ended and empty.id not in b.world.bridges)
        agent.speak(TONE)
        assert customer.heard == TONE and not b.arrivals
        b.world.hang_up(agent, 16)
        await b.nothing_left()
        assert customer.ended


async def test_a_lookup_that_fails_when_the_socket_is_back_is_made_again() -> None:
    async with bench() as b:
        switch = await b.switch()
        await switch.originator.originate(dial())
        b.peer.faults.append(Fault("GET", "/channels", 500))
        await b.peer.drop_events("huashu")
        b.world.answer(b.world.dialled[0])
        await b.arrivals.count(1)


async def test_pauses_grow_to_a_limit_and_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with bench() as b:
        client = AriClient(b.settings, "wrong-password")
        await client.start()
        pauses = Collected()
        enough = asyncio.Event()

        async def pause(seconds: float) -> None:
            pauses(seconds)
            if len(pauses) == 10:
                enough.set()
                await asyncio.Event().wait()

        async def opened() -> None:
            raise AssertionError("a wrong password opened the socket")

        events = AriEvents(client, lambda event: None, opened, pause=pause)
        with caplog.at_level(logging.DEBUG):
            events.start()
            await asyncio.wait_for(enough.wait(), 10)
        await events.stop()
        await client.close()
        assert list(pauses) == sorted(pauses) and pauses[-1] == LONGEST_PAUSE_S and pauses[0] < 0.2
        assert "check user and password" in caplog.text and "wrong-password" not in caplog.text


async def test_a_second_process_with_the_same_application_is_not_fought(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with bench() as b:
        client = AriClient(b.settings, b.peer.password)
        await client.start()
        pauses = Collected()

        async def pause(seconds: float) -> None:
            pauses(seconds)
            await asyncio.Event().wait()

        async def opened() -> None:
            pass

        events = AriEvents(client, lambda event: None, opened, pause=pause)
        events.start()
        await events.connected.wait()
        await b.switch()
        assert await pauses.count(1) == [LONGEST_PAUSE_S]
        assert "an `app` of its own" in caplog.text
        await events.stop()
        await client.close()
