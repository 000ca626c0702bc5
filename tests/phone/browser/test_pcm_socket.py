"""A page's line over a WebSocket: sound, marks, flush, words, keys, the end."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.call.ports import AudioIn, DtmfIn, HungUpIn, MarkIn, TransferFailed, WordsIn
from tests.phone.browser.conftest import NewPage, Serve
from tests.phone.browser.peer import share_at, tone

pytestmark = pytest.mark.asyncio(loop_scope="session")
FRAME = bytes(320)


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100, 48000])
async def test_a_tone_arrives_as_that_tone_whatever_the_pages_rate(
    serve: Serve, new_page: NewPage, rate: int
) -> None:
    server = await serve(ears="sphinx")
    page = new_page(server)
    await page.call(rate)
    line = await server.line()
    for block in range(30):
        await page.sound(tone(1000, rate, 20, start=block * rate // 50))
    await line.until(lambda: len(line.sound) >= 28 * 320)
    assert all(len(item.pcm) == 320 for item in line.heard if isinstance(item, AudioIn))
    assert share_at(line.sound[3 * 320 : 27 * 320], 1000) > 0.98


async def test_what_a_phone_line_cannot_carry_does_not_fold_into_the_voice(
    serve: Serve, new_page: NewPage
) -> None:
    server = await serve()
    page = new_page(server)
    await page.call(48000)
    line = await server.line()
    for block in range(30):
        await page.sound(tone(5000, 48000, 20, start=block * 960))
    await line.until(lambda: len(line.sound) >= 28 * 320)
    middle = line.sound[3 * 320 : 27 * 320]
    assert (
        max(abs(int.from_bytes(middle[n : n + 2], "little", signed=True)) for n in range(0, len(middle), 2))
        < 160
    )


async def test_frames_come_out_as_they_were_sent(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    page = new_page(server)
    await page.call()
    line = await server.line()
    sent = [bytes([number]) * 320 for number in range(20)]
    for frame in sent:
        line.leg.send(frame)
    await page.read_until(lambda: len(page.queue) == 20)
    assert page.queue == sent


async def test_a_mark_is_told_when_the_page_has_played_what_was_before_it(
    serve: Serve, new_page: NewPage
) -> None:
    server = await serve()
    page = new_page(server)
    await page.call()
    line = await server.line()
    line.leg.send(FRAME)
    line.leg.mark("first line")
    line.leg.send(FRAME)
    line.leg.mark("second line")
    await page.read_until(lambda: len(page.queue) == 4)
    assert line.rest == []
    await page.play()
    await line.until(lambda: len(line.rest) == 2)
    assert line.rest == [MarkIn("first line"), MarkIn("second line")]


async def test_a_flush_drops_what_waits_here_and_there_and_its_marks_never_come(
    serve: Serve, new_page: NewPage
) -> None:
    server = await serve()
    page = new_page(server)
    await page.call()
    line = await server.line()
    line.leg.send(FRAME)
    line.leg.mark("old")
    await page.read_until(lambda: len(page.queue) == 2)
    line.leg.send(FRAME)
    line.leg.flush()
    await page.play()  # it says "played" while the flush is under way
    line.leg.send(b"\1" * 320)
    line.leg.mark("new")
    await page.read_until(lambda: page.flushes == 1 and len(page.queue) == 2)
    assert page.queue[0] == b"\1" * 320
    assert page.frames == 2, "a frame that waited here was sent after the flush was asked for"
    await page.play()
    await line.until(lambda: line.rest)
    assert line.rest == [MarkIn("new")]


async def test_typed_lines_are_words_and_keys_are_keys_in_order(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    page = new_page(server)
    await page.call()
    line = await server.line()
    assert page.words is True and line.leg.capabilities.words
    for message in (
        {"say": " 你好\u202e "},
        {"digit": "#"},
        {"say": "  "},
        {"say": "不需要"},
        {"hang_up": True},
    ):
        await page.tell(message)
    assert await line.until_hung_up() == HungUpIn("customer")
    assert line.rest == [
        WordsIn("你好", True, "typed-1", 1.0, typed=True),
        DtmfIn("#"),
        WordsIn("不需要", True, "typed-2", 1.0, typed=True),
        HungUpIn("customer"),
    ]


@pytest.mark.parametrize(
    ("server_ears", "page_ears", "words"),
    [("sphinx", "sound", False), ("sphinx", "text", True), ("text", "sound", True)],
)
async def test_the_line_brings_words_itself_where_there_is_no_recogniser_or_the_page_wants_none(
    serve: Serve, new_page: NewPage, server_ears: str, page_ears: str, words: bool
) -> None:
    server = await serve(ears=server_ears)
    page = new_page(server)
    await page.call(ears=page_ears)
    assert page.words is words
    assert (await server.line()).leg.capabilities.words is words


async def test_the_arrival_names_what_the_page_sent_but_the_ticket_says_who_it_is(
    serve: Serve, new_page: NewPage
) -> None:
    server = await serve()
    page = new_page(server)
    parameters = {"script": "ringback", "contact": '{"name":"张伟"}', "agent_id": "boss", "kind": "softphone"}
    await page.call(parameters=parameters)
    arrival = (await server.line()).arrival
    assert (arrival.provider, arrival.direction) == ("browser", "outbound")
    assert arrival.parameters == {"script": "ringback", "contact": '{"name":"张伟"}', "kind": "talk"}


async def test_what_came_before_anybody_listened_comes_first(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    server.listens = False
    page = new_page(server)
    await page.call()
    line = await server.line()
    await page.tell({"digit": "1"})
    await page.tell({"digit": "2"})
    line.leg.send(FRAME)
    line.leg.mark("m")
    await page.read_until(lambda: len(page.queue) == 2)
    line.leg.listen(line.take)
    await page.tell({"digit": "3"})
    await line.until(lambda: DtmfIn("3") in line.rest)
    assert line.rest == [DtmfIn("1"), DtmfIn("2"), DtmfIn("3")]


async def test_after_the_end_the_page_learns_the_outcome_then_it_is_closed(
    serve: Serve, new_page: NewPage
) -> None:
    server = await serve()
    page = new_page(server)
    await page.call()
    line = await server.line()
    await line.leg.hang_up("bot")
    await line.leg.hang_up("bot")
    line.leg.send(FRAME)
    line.leg.mark("late")
    line.leg.flush()
    line.leg.send_digits("1")
    line.leg.show({"kind": "call.ended", "disposition": "accepted"})
    await page.read_to_close()
    assert page.end == {"cause": "bot"}
    assert [event["kind"] for event in page.events] == ["call.ended"]
    assert page.queue == [] and page.flushes == 0
    assert line.heard == [HungUpIn("bot")]
    assert page.close_code == 1000


async def test_a_page_that_goes_away_in_mid_word_is_a_lost_line(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    page = new_page(server)
    await page.call(16000)
    line = await server.line()
    await page.sound(tone(300, 16000, 20))
    await page.leave()
    assert await line.until_hung_up() == HungUpIn("line_lost")
    assert line.heard.count(HungUpIn("line_lost")) == 1


async def test_a_page_has_no_number_to_be_given_to(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    page = new_page(server)
    await page.call()
    with pytest.raises(TransferFailed):
        await (await server.line()).leg.transfer("10086")


async def test_a_page_that_does_not_read_is_given_up(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    ticket = await new_page(server).ticket()
    where = server.base.removeprefix("http://")
    host, port = where.split(":")
    _, writer = await asyncio.open_connection(host, int(port), limit=1024)
    upgrade = (
        f"GET /talk/socket HTTP/1.1\r\nHost: {where}\r\nOrigin: {server.base}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    hello = json.dumps({"kind": "talk", "ticket": ticket}).encode()
    writer.write(upgrade.encode() + bytes([0x81, 0x80 | len(hello), 0, 0, 0, 0]) + hello)
    line = await server.line()
    for number in range(100_000):  # 32 MB: more than the sockets' own buffers hold
        line.leg.send(FRAME)
        if line.leg.ended:
            break
        if number % 50 == 0:
            await asyncio.sleep(0)
    assert line.rest == [HungUpIn("line_lost")]
    writer.transport.abort()
