"""Pages, server and Redis together: cookies, tickets, feeds and writes as they really are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from bot.bus import keys
from bot.events import PanelEvent, decode
from tests.browser import headless_chromium
from tests.web.conftest import NOW, PASSWORD, Server, said, server, suggestion  # noqa: F401  (a fixture)


@pytest_asyncio.fixture
async def chromium() -> AsyncIterator[Any]:
    """A browser in the loop of the server."""
    async with headless_chromium() as browser:
        yield browser


async def log_in(chromium: Any, url: str, name: str) -> Any:
    """A page of its own context in which `name` has logged in."""
    context = await chromium.new_context(locale="zh-CN", viewport={"width": 1280, "height": 720})
    page = await context.new_page()
    await page.goto(f"{url}/")
    await page.fill("#name", name)
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_selector("#strip[data-connection=open]")
    return page


async def advise(server: Server, call_id: str, number: int, text: str) -> None:  # noqa: F811
    """What the worker would append."""
    panel = {"card": f"{call_id}.{number}", "folded": []}
    await server.worker_says(
        suggestion(call_id, number, text=text, ttl_ms=60_000),
        PanelEvent(call_id=call_id, at_ms=1000, wall=NOW, changes=panel),
    )


async def test_two_agents_see_only_their_own_call_and_the_supervisor_both(
    chromium: Any,
    server: Server,  # noqa: F811
) -> None:
    li, wang = await log_in(chromium, server.url, "li"), await log_in(chromium, server.url, "wang")
    qian = await log_in(chromium, server.url, "qian")
    assert [page.url.rpartition("/")[2] for page in (li, wang, qian)] == ["agent", "agent", "supervisor"]
    await server.call("c1", "li")
    await server.call("c2", "wang", contact={"id": "k-2", "name": "李娜", "city": "成都"})
    machine = await server.machine()
    await machine.post("/api/calls/c1/utterances", said("u1", "<b>太贵了</b>吧"))
    await machine.post("/api/calls/c2/utterances", said("u1", "我想先问问"))
    await advise(server, "c1", 1, "您一个月大概用多少流量?")
    await li.wait_for_selector("text=您一个月大概用多少流量?")
    await wang.wait_for_selector("text=我想先问问")
    assert "张伟" in await li.text_content("#who") and "李娜" in await wang.text_content("#who")
    assert await li.text_content("[data-id=u1] p") == "<b>太贵了</b>吧"
    assert await wang.locator("text=太贵了").count() == 0
    await qian.wait_for_selector("[data-call=c1]")
    assert await qian.locator(".row").count() == 2

    await li.keyboard.press("1")
    await li.wait_for_selector(".card.used")
    await qian.click("[data-call=c2]")
    await qian.wait_for_selector("text=我想先问问")
    await qian.fill("#whisper", "先问她家几口人")
    await qian.press("#whisper", "Enter")
    await qian.wait_for_selector(".result[data-state=sent]")
    log = await server.redis.execute_command("XRANGE", keys.log("c1"), "-", "+")
    feedback = [
        event for _, fields in log if (event := decode(fields[b"e"])).__class__.__name__ == "FeedbackEvent"
    ]
    assert [(event.suggestion_id, event.action) for event in feedback] == [
        ("c1.1", "shown"),
        ("c1.1", "used"),
    ]

    await li.reload()
    await li.wait_for_selector("text=您一个月大概用多少流量?")
    await server.shut_out("li")
    await li.wait_for_url("**/login")
    await wang.click("#logout")
    await wang.wait_for_url("**/login")
    await wang.goto(f"{server.url}/agent")
    await wang.wait_for_url("**/login")
