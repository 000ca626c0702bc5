"""A server with the browser's routes and a recorder in place of the bot; pages' peers; a browser."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from bot.call.ports import AudioIn, HungUpIn, LegInput
from bot.phone.arrivals import Arrival
from bot.phone.browser.access import Tickets
from bot.phone.browser.app import talk_routes
from bot.phone.browser.page_leg import PageLeg
from bot.phone.browser.settings import USUAL_FIELDS, BrowserSettings, ScriptChoice
from commands.screenshots import chromium_path
from tests.phone.browser.peer import PagePeer, tone

SCRIPTS = (
    ScriptChoice(name="ringback", zh="彩铃包年", en="Ringback tone, a year", fields=USUAL_FIELDS),
    ScriptChoice(name="survey", zh="满意度回访", en="Satisfaction survey"),
)
WAIT_S = 10.0


@dataclass
class Line:
    """One arrived leg and all that came from it."""

    arrival: Arrival
    heard: list[LegInput] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def leg(self) -> PageLeg:
        """The leg, as its own class."""
        assert isinstance(self.arrival.leg, PageLeg)
        return self.arrival.leg

    @property
    def sound(self) -> bytes:
        """All sound so far."""
        return b"".join(item.pcm for item in self.heard if isinstance(item, AudioIn))

    @property
    def rest(self) -> list[LegInput]:
        """All that is no sound."""
        return [item for item in self.heard if not isinstance(item, AudioIn)]

    def take(self, item: LegInput) -> None:
        """What the leg gives."""
        self.heard.append(item)
        self.news.set()

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds of what was heard."""
        async with asyncio.timeout(WAIT_S):
            while not holds():
                self.news.clear()
                await self.news.wait()

    async def until_hung_up(self) -> HungUpIn:
        """The end."""
        await self.until(lambda: self.heard and isinstance(self.heard[-1], HungUpIn))
        last = self.heard[-1]
        assert isinstance(last, HungUpIn)
        return last


@dataclass
class Server:
    """The routes and what arrived.  `refusal`: why no new line is taken."""

    settings: BrowserSettings
    base: str = ""
    refusal: str | None = None
    listens: bool = True
    lines: list[Line] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    on_arrival: Callable[[Line], None] = lambda line: None
    tickets: Tickets = field(default_factory=lambda: Tickets(asyncio.get_running_loop().time))

    def arrived(self, arrival: Arrival) -> None:
        """What the routes call."""
        line = Line(arrival)
        if self.listens:
            arrival.leg.listen(line.take)
        self.lines.append(line)
        self.came.set()
        self.on_arrival(line)

    async def line(self, number: int = 0) -> Line:
        """The line of that number, when it has come."""
        async with asyncio.timeout(WAIT_S):
            while len(self.lines) <= number:
                self.came.clear()
                await self.came.wait()
        return self.lines[number]


Serve = Callable[..., Awaitable[Server]]
OpenPage = Callable[..., Awaitable[Any]]
NewPage = Callable[[Server], PagePeer]


@pytest_asyncio.fixture(loop_scope="session")
async def serve() -> AsyncIterator[Serve]:
    """Starts servers, on free ports of this machine."""
    runners = []

    async def serve(**settings: Any) -> Server:
        server = Server(BrowserSettings(scripts=SCRIPTS, **settings))
        app = web.Application()
        routes = talk_routes(server.arrived, lambda: server.refusal, server.settings, tickets=server.tickets)
        app.add_routes(routes)
        runner = web.AppRunner(app, shutdown_timeout=1.0)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        server.base = f"http://{host}:{port}"
        return server

    yield serve
    for runner in runners:
        await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def new_page() -> AsyncIterator[NewPage]:
    """Makes peers."""
    peers: list[PagePeer] = []

    def new_page(server: Server) -> PagePeer:
        peers.append(PagePeer(server.base))
        return peers[-1]

    yield new_page
    for peer in peers:
        await peer.leave()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """A headless Chromium whose microphone hears a tone of 1000 Hz for ever."""
    api = pytest.importorskip("playwright.async_api")
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium here")
    sound = tmp_path_factory.mktemp("microphone") / "tone.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(tone(1000, 48000, 1000))
    microphone = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
    ]
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *microphone])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(chromium: Any) -> AsyncIterator[OpenPage]:
    """Opens a page of a server; what goes wrong in its scripts fails the test."""
    contexts, faults = [], []

    def watch(said: Any) -> None:
        if "Content Security" in said.text:
            faults.append(said.text)

    async def open_page(
        url: str, *, language: str = "zh", scheme: str = "light", size: tuple[int, int] = (1280, 800),
        microphone: bool = True,
    ) -> Any:  # fmt: skip
        context = await chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            reduced_motion="reduce",
            permissions=["microphone"] if microphone else [],
        )
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", watch)
        await page.add_init_script(f"localStorage.setItem('huashu.language', '{language}')")
        if not microphone:
            await page.add_init_script("navigator.mediaDevices.getUserMedia = () => Promise.reject()")
        await page.goto(url)
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert faults == []
