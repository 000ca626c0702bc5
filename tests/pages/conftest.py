"""A browser for all page tests, a peer and a page for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio

from commands import page_state
from tests.browser import headless_chromium
from tests.pages.peer import Peer

OpenPage = Callable[..., Awaitable[Any]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Any]:
    """One headless Chromium for all."""
    async with headless_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def peer() -> AsyncIterator[Peer]:
    """The server, with the scripted call."""
    peer = Peer()
    peer.begin(page_state.call_snapshot(datetime.now(UTC)))
    peer.rows = page_state.live_rows(datetime.now(UTC))
    await peer.start()
    yield peer
    await peer.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Any, peer: Peer) -> AsyncIterator[OpenPage]:
    """Opens a page of the peer; what goes wrong in its scripts fails the test."""
    contexts, faults = [], []

    async def open_page(
        path: str,
        *,
        language: str = "zh",
        scheme: str = "light",
        size: tuple[int, int] = (1280, 720),
        density: str = "novice",
        motion: str = "reduce",
        clock: bool = False,
    ) -> Any:
        viewport = {"width": size[0], "height": size[1]}
        context = await browser.new_context(
            viewport=viewport, color_scheme=scheme, reduced_motion=motion, timezone_id="Asia/Shanghai"
        )
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: "Content Security" in said.text and faults.append(said.text))
        await page.add_init_script(
            "for (const [name, value] of "
            f"[['huashu.language', '{language}'], ['huashu.density', '{density}']])"
            "  localStorage.getItem(name) ?? localStorage.setItem(name, value);"
        )
        if clock:
            await page.clock.install()
        await page.goto(f"{peer.url}{path}")
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert faults == []


async def until(page: Any, expression: str, argument: Any = None) -> None:
    """Wait until a JavaScript expression is true on the page."""
    await page.wait_for_function(expression, arg=argument)
