"""The agent's phone in a real browser: it rings, is answered, talks, mutes, hangs up, waits for the next."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.call.ports import DtmfIn, HungUpIn
from bot.phone.browser.access import Ticket
from tests.phone.browser.conftest import OpenPage, Serve
from tests.phone.browser.peer import share_at

pytestmark = pytest.mark.asyncio(loop_scope="session")
SECOND = 8000 * 2


async def test_the_softphone_rings_answers_and_waits_for_the_next(serve: Serve, open_page: OpenPage) -> None:
    server = await serve(ears="sphinx")
    ticket = server.tickets.issue(Ticket(kind="softphone", agent_id="a7"))
    page = await open_page(f"{server.base}/softphone#ticket={ticket}")
    assert ticket not in page.url
    await page.click("#online")
    line = await server.line()
    assert line.arrival.parameters == {"kind": "softphone", "agent_id": "a7"}
    await page.wait_for_selector("body[data-state=waiting]")
    ringing = line.leg.ring("138****8000")
    await answered(page, ringing)
    await line.until(lambda: len(line.sound) > SECOND)
    assert share_at(line.sound[-SECOND // 2 :], 1000) > 0.5
    await page.click("#mute")
    before = len(line.sound)
    await line.until(lambda: len(line.sound) > before + SECOND)
    assert line.sound[-SECOND // 4 :] == bytes(SECOND // 4)
    await page.click("#keys button:has-text('5')")
    await page.click("#hang-up")
    assert await line.until_hung_up() == HungUpIn("agent")
    assert line.rest == [DtmfIn("5"), HungUpIn("agent")]
    following = await server.line(1)
    assert following.arrival.parameters["agent_id"] == "a7"
    await page.wait_for_selector("body[data-state=waiting]")


async def answered(page: Any, ringing: Any) -> None:
    """The agent answers what rings."""
    task = asyncio.create_task(ringing)
    await page.wait_for_selector("body[data-state=ringing]")
    assert await page.inner_text("#caller") == "138****8000"
    await page.click("#answer")
    assert await task is True
    await page.wait_for_selector("body[data-state=talking]")


async def test_a_softphone_without_a_ticket_says_what_to_do(serve: Serve, open_page: OpenPage) -> None:
    server = await serve()
    page = await open_page(f"{server.base}/softphone")
    assert "坐席页面" in await page.inner_text("#fault")
    assert await page.is_disabled("#online")
