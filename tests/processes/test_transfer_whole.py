"""A customer on Twilio goes from the bot to an agent at a browser's softphone: real sockets, a real bus.

The peers send a frame for each frame they get, so that the process's own pacer is their clock.
"""

from __future__ import annotations

import asyncio
import audioop
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
from aiohttp import web
from redis.asyncio import Redis

from bot import events as ev
from bot.bus.log import EventLog
from bot.call.ports import WordsIn
from bot.phone.arrivals import Arrival
from bot.phone.browser.access import Ticket, Tickets
from bot.phone.browser.app import talk_routes
from bot.phone.browser.settings import BrowserSettings
from bot.phone.media_server import MediaServer
from bot.phone.twilio.server import twilio_endpoint
from bot.phone.twilio.settings import TwilioSettings
from tests.bus.test_assisted import calls_of
from tests.phone.browser.peer import PagePeer, share_at, tone
from tests.phone.twilio.peer import TwilioPeer
from tests.processes.office import Office, Voice

LIMIT_S = 30.0
CUSTOMER_HZ, AGENT_HZ = 1000.0, 600.0
FRAMES = 60


class Ears:
    """A recogniser that knows the agent's line as soon as it has heard ten frames of a tone."""

    name = "scripted"

    async def open(self, call_id: str) -> Ears.Stream:
        return Ears.Stream(call_id)

    class Stream:
        def __init__(self, call_id: str) -> None:
            self._agent = call_id.endswith("-agent")
            self._frames = 0
            self._out: asyncio.Queue[WordsIn] = asyncio.Queue()

        async def feed(self, pcm: bytes) -> None:
            self._frames += audioop.rms(pcm, 2) > 1000
            if self._frames == 10 and self._agent:
                self._out.put_nowait(WordsIn("您好我是", False))

        async def expect(self, phrases: Sequence[str]) -> None:
            return

        async def end_utterance(self) -> None:
            self._out.put_nowait(WordsIn("您好我是客户经理" if self._agent else "", True))

        async def words(self) -> AsyncIterator[WordsIn]:
            while True:
                yield await self._out.get()

        async def close(self) -> None:
            return


class Loud:
    """A voice detector: what is loud is a voice."""

    def probability(self, pcm: bytes) -> float:
        return float(audioop.rms(pcm, 2) > 1000)


class Customer:
    """Sounds a tone for each frame that comes; keeps what he hears."""

    def __init__(self, peer: TwilioPeer, news: asyncio.Event) -> None:
        self.peer, self._news = peer, news
        self.reading = asyncio.create_task(self._read())
        self._sent = 0

    async def sound(self, frames: int = 1) -> None:
        for _ in range(frames):
            pcm = tone(CUSTOMER_HZ, 8000, 20, start=160 * self._sent)
            self._sent += 1
            await self.peer.advance(20, audioop.lin2ulaw(pcm, 2))

    async def _read(self) -> None:
        while True:
            if await self.peer.take() == ["media"]:
                await self.sound()
            self._news.set()


class BridgedPage(PagePeer):
    """`bridged`: the agent has begun to talk."""

    bridged = False


class Agent:
    """Answers the ring, plays what comes, sounds a tone for each frame."""

    def __init__(self, page: BridgedPage, news: asyncio.Event) -> None:
        self.page, self._news = page, news
        self.reading = asyncio.create_task(self._read())
        self._sent = 0

    async def sound(self, frames: int = 1) -> None:
        for _ in range(frames):
            await self.page.sound(tone(AGENT_HZ, 8000, 20, start=160 * self._sent))
            self._sent += 1

    async def _read(self) -> None:
        page = self.page
        rings = len(page.rings)
        while await page.read():
            frames = sum(isinstance(item, bytes) for item in page.queue)
            await page.play()
            if len(page.rings) > rings:
                rings = len(page.rings)
                await page.tell({"answer": True})
            if page.bridged:
                await self.sound(frames)
            self._news.set()


async def test_from_the_bot_to_the_agent_with_both_sides_words_and_sound(
    redis: Redis, tmp_path: Path
) -> None:
    assisted = calls_of(redis)
    office = Office(tmp_path, assist=assisted, voice=Voice(0.3), recogniser=Ears(), detector=Loud)
    came: asyncio.Queue[Arrival] = asyncio.Queue()

    def arrived(arrival: Arrival) -> None:
        if arrival.provider == "browser":
            office.softphones.arrived(arrival)
        came.put_nowait(arrival)

    tickets = Tickets(asyncio.get_running_loop().time)
    app = web.Application()
    app.add_routes(talk_routes(arrived, lambda: None, BrowserSettings(), tickets=tickets))
    pages = web.AppRunner(app, shutdown_timeout=1.0)
    await pages.setup()
    await web.TCPSite(pages, "127.0.0.1", 0).start()
    page = BridgedPage(f"http://127.0.0.1:{pages.addresses[0][1]}")
    endpoint = twilio_endpoint(TwilioSettings(), None, arrived, lambda: None, words=True, control=None)
    media = MediaServer({"/twilio": endpoint})
    url = f"http://127.0.0.1:{await media.start('127.0.0.1', 0)}/twilio"
    async with asyncio.timeout(LIMIT_S), aiohttp.ClientSession() as session:
        await page.call(kind="softphone", ticket=tickets.issue(Ticket(kind="softphone", agent_id="li")))
        await came.get()
        news = asyncio.Event()
        agent = Agent(page, news)
        peer = TwilioPeer(session, url)
        await peer.start()
        call = office.call((await came.get()).leg)
        customer = Customer(peer, news)
        ended = await call.over
        assert (ended.cause, ended.disposition) == ("transferred", "transferred")
        assert page.rings == [{"caller": "138****8000"}]
        call_id = await assisted.call_of_agent("default", "li")
        assert call_id is not None, "the agent's page was filled before they talk"
        page.played, before = b"", len(peer.played)
        page.bridged = True
        await customer.sound(6)
        while len(page.played) < FRAMES * 320 or len(peer.played) < before + FRAMES * 160:
            await news.wait()
            news.clear()
        assert share_at(page.played[10 * 320 :], CUSTOMER_HZ) > 0.9
        assert share_at(audioop.ulaw2lin(bytes(peer.played[before + 1600 :]), 2), AGENT_HZ) > 0.9
        await peer.words("多少钱", True)
        await peer.stop()
        await agent.reading
        assert page.end is not None and page.end["cause"] == "customer" and "ticket" in page.end
        customer.reading.cancel()
        await office.transfers.stop()
    words = [event for event in await EventLog(redis).read(call_id) if isinstance(event, ev.UtteranceFinal)]
    assert {(one.party, one.text) for one in words} == {
        ("customer", "多少钱"), ("agent", "您好我是客户经理"),
    }  # fmt: skip
    assert await assisted.ended(call_id)
    [recording] = office.recordings
    assert recording.stem == call_id
    opening = await assisted.opening(call_id)
    assert opening is not None and opening.handed_over == "bot-1"
    await page.leave()
    await media.stop()
    await pages.cleanup()
