"""An agent's line: it rings, is answered, declined or left; its sound counts from the answer on."""

from __future__ import annotations

import asyncio

import pytest

from bot.call.ports import DtmfIn, HungUpIn
from bot.phone.browser.access import Ticket
from tests.phone.browser.conftest import Line, NewPage, Serve, Server
from tests.phone.browser.peer import PagePeer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def logged_in(server: Server, page: PagePeer) -> Line:
    """An agent's page that waits."""
    ticket = server.tickets.issue(Ticket(kind="softphone", agent_id="a1"))
    await page.call(kind="softphone", ticket=ticket)
    return await server.line()


async def test_its_sound_counts_from_the_answer_on(serve: Serve, new_page: NewPage) -> None:
    server = await serve(ears="sphinx")
    page = new_page(server)
    line = await logged_in(server, page)
    await page.sound(b"\1" * 320)
    await page.tell({"digit": "1"})
    await line.until(lambda: line.rest)
    ringing = asyncio.create_task(line.leg.ring("<PHONE>"))
    await page.read_until(lambda: page.rings)
    assert page.rings == [{"caller": "<PHONE>"}]
    await page.tell({"answer": True})
    assert await ringing is True
    await page.sound(b"\2" * 320)
    await line.until(lambda: line.sound)
    assert line.sound == b"\2" * 320
    with pytest.raises(ValueError, match="waits"):
        await line.leg.ring("<PHONE>")


async def test_nobody_answers_and_it_stops_ringing(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    page = new_page(server)
    line = await logged_in(server, page)
    assert await line.leg.ring("<PHONE>", seconds=0) is False
    await page.read_until(lambda: len(page.rings) == 2)
    assert page.rings == [{"caller": "<PHONE>"}, None]
    await page.tell({"answer": True})  # too late: nothing rings any more
    await page.tell({"digit": "1"})
    await line.until(lambda: line.rest)
    assert line.rest == [DtmfIn("1")]
    again = asyncio.create_task(line.leg.ring("<PHONE>"))
    await page.read_until(lambda: len(page.rings) == 3)
    await page.tell({"answer": True})
    assert await again is True


async def test_declined_the_line_ends_and_a_new_ticket_brings_the_agent_back(
    serve: Serve, new_page: NewPage
) -> None:
    server = await serve()
    page, back = new_page(server), new_page(server)
    line = await logged_in(server, page)
    ringing = asyncio.create_task(line.leg.ring("<PHONE>"))
    await page.read_until(lambda: page.rings)
    await page.tell({"hang_up": True})
    assert await ringing is False
    assert await line.until_hung_up() == HungUpIn("agent")
    await page.read_to_close()
    assert page.end is not None
    await back.call(kind="softphone", ticket=page.end["ticket"])
    assert (await server.line(1)).arrival.parameters["agent_id"] == "a1"


async def test_a_page_that_breaks_the_protocol_gets_no_new_ticket(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    page = new_page(server)
    line = await logged_in(server, page)
    await page.tell("{")
    await page.read_to_close()
    assert page.end is not None and "ticket" not in page.end
    assert await line.leg.ring("<PHONE>") is False


async def test_a_softphone_is_shown_no_call_of_others(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    page = new_page(server)
    line = await logged_in(server, page)
    line.leg.show({"kind": "reply", "text": "…"})
    await line.leg.hang_up("customer")
    await page.read_to_close()
    assert page.events == []


async def test_a_callers_line_cannot_ring(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    page = new_page(server)
    await page.call()
    with pytest.raises(ValueError, match="softphone"):
        await (await server.line()).leg.ring("<PHONE>")
