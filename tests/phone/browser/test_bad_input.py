"""Bad input on a page's WebSocket: that line ends with its reason, no other notices."""

from __future__ import annotations

from typing import Any

import pytest

from bot.call.ports import DtmfIn, HungUpIn
from tests.phone.browser.conftest import NewPage, Serve

pytestmark = pytest.mark.asyncio(loop_scope="session")

BAD: list[Any] = [
    "{",
    "[]",
    "null",
    '"say"',
    "{}",
    {"say": 1},
    {"say": "x" * 1001},
    {"say": "a", "digit": "1"},
    {"digit": "12"},
    {"digit": "E"},
    {"media": "AAAA"},
    {"kind": "talk", "ticket": "again"},
    {"played": "x" * 65},
    "[" * 5000,
    b"",
    b"\0\0\0",
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: repr(bad)[:24])
async def test_a_bad_message_ends_that_line_only(serve: Serve, new_page: NewPage, bad: Any) -> None:
    server = await serve()
    good, page = new_page(server), new_page(server)
    await good.call()
    await page.call()
    line = await server.line(1)
    await (page.sound(bad) if isinstance(bad, bytes) else page.tell(bad))
    assert await line.until_hung_up() == HungUpIn("bad_data")
    await page.read_to_close()
    assert page.close_code == 1008 and page.end is not None and page.end["detail"]
    await good.tell({"digit": "1"})
    other = await server.line(0)
    await other.until(lambda: DtmfIn("1") in other.heard)


@pytest.mark.parametrize("size", [65 * 1024, 1024 * 1024])
async def test_a_message_over_64_kib_ends_that_line(serve: Serve, new_page: NewPage, size: int) -> None:
    server = await serve()
    page = new_page(server)
    await page.call()
    await page.sound(bytes(size))
    assert await (await server.line()).until_hung_up() == HungUpIn("bad_data")
    await page.read_to_close()
    assert page.close_code == 1009


async def test_sound_faster_than_time_ends_the_line(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    page = new_page(server)
    await page.call()
    for _ in range(20):
        await page.sound(bytes(32_000))  # 2 s each
    assert await (await server.line()).until_hung_up() == HungUpIn("bad_data")


async def test_a_mark_that_was_never_sent_is_passed_over(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    page = new_page(server)
    await page.call()
    await page.tell({"played": "99"})
    await page.tell({"digit": "1"})
    line = await server.line()
    await line.until(lambda: line.rest)
    assert line.rest == [DtmfIn("1")]


BAD_HELLOS: list[Any] = [
    "{",
    b"\0\0",
    {"kind": "boss"},
    {"sample_rate": 11025},
    {"sample_rate": "8000"},
    {"ears": "eyes"},
    {"extra": 1},
    {"parameters": {"contact": 5}},
    {"parameters": {f"k{n}": "" for n in range(17)}},
    {"parameters": {"contact": "x" * 9000}},
]


@pytest.mark.parametrize("hello", BAD_HELLOS, ids=lambda hello: repr(hello)[:30])
async def test_a_bad_hello_opens_no_line(serve: Serve, new_page: NewPage, hello: Any) -> None:
    server = await serve()
    page = new_page(server)
    ticket = await page.ticket()
    await page.connect()
    if isinstance(hello, bytes):
        await page.sound(hello)
    elif isinstance(hello, str):
        await page.tell(hello)
    else:
        await page.tell({"kind": "talk", "ticket": ticket, **hello})
    await page.read_to_close()
    assert page.close_code == 1008 and page.end is not None and page.end["cause"] == "bad_data"
    assert server.lines == []
