"""A page's line over WebRTC: real RTP both ways with aiortc as the page, the data channel, the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

pytest.importorskip("aiortc")

from bot.call.ports import DtmfIn, HungUpIn, WordsIn
from bot.phone.browser import webrtc
from tests.phone.browser.conftest import Line, Serve, Server
from tests.phone.browser.peer import PagePeer, share_at, tone
from tests.phone.browser.webrtc_peer import RATE, WebRtcPeer

pytestmark = pytest.mark.asyncio(loop_scope="session")
Pages = Callable[..., WebRtcPeer]
SECOND = 8000 * 2


@pytest_asyncio.fixture(loop_scope="session")
async def pages() -> AsyncIterator[Pages]:
    """Makes peers."""
    made: list[WebRtcPeer] = []

    def pages(server: Server, **options: Any) -> WebRtcPeer:
        made.append(WebRtcPeer(server.base, **options))
        return made[-1]

    yield pages
    for peer in made:
        await peer.leave()


async def test_a_tone_arrives_as_that_tone_both_ways(serve: Serve, pages: Pages) -> None:
    server = await serve(ears="sphinx")
    page = pages(server, hz=440.0)
    sent = [tone(1000, 8000, 20, start=number * 160) for number in range(60)]

    def keep_sending(line: Line) -> None:
        take = line.take

        def each_frame(item: Any) -> None:
            take(item)
            if sent:
                line.leg.send(sent.pop(0))

        line.take = each_frame  # type: ignore[method-assign]

    server.on_arrival = keep_sending
    server.listens = False
    await page.call()
    line = await server.line()
    line.leg.listen(line.take)
    await line.until(lambda: len(line.sound) >= 1.2 * SECOND)
    assert share_at(line.sound[SECOND // 2 : SECOND], 440) > 0.95
    await page.until(lambda: share_at(bytes(page.heard[-RATE:]), 1000, RATE) > 0.9)


async def test_what_was_not_taken_yet_is_flushed(serve: Serve, pages: Pages) -> None:
    server = await serve()
    page = pages(server)
    await page.call()
    line = await server.line()
    for number in range(40):
        line.leg.send(tone(1000, 8000, 20, start=number * 160))
    line.leg.flush()
    before = len(page.heard)
    await page.until(lambda: len(page.heard) - before > RATE)  # half a second more
    assert max(map(abs, memoryview(page.heard[before:]).cast("h"))) < 200


async def test_the_data_channel_carries_words_keys_events_and_the_end(serve: Serve, pages: Pages) -> None:
    server = await serve()
    page = pages(server)
    await page.call(parameters={"script": "ringback"})
    line = await server.line()
    assert line.arrival.parameters == {"script": "ringback", "kind": "talk"}
    page.tell({"say": "不用了"})
    page.tell({"digit": "2"})
    await line.until(lambda: len(line.rest) == 2)
    assert line.rest == [WordsIn("不用了", True, "typed-1", 1.0, typed=True), DtmfIn("2")]
    line.leg.show({"kind": "reply", "text": "好的,再见。"})
    await page.until(lambda: page.said)
    assert page.said == [{"event": {"kind": "reply", "text": "好的,再见。"}}]
    await line.leg.hang_up("bot")
    line.leg.show({"kind": "call.ended", "disposition": "declined"})
    await page.until(lambda: len(page.said) == 3)
    assert page.said[1:] == [
        {"end": {"cause": "bot"}},
        {"event": {"kind": "call.ended", "disposition": "declined"}},
    ]
    assert line.rest[-1] == HungUpIn("bot")


async def test_a_page_that_hangs_up_and_one_that_goes_away(serve: Serve, pages: Pages) -> None:
    server = await serve()
    first, second = pages(server), pages(server)
    await first.call()
    await second.call()
    first.tell({"hang_up": True})
    assert await (await server.line(0)).until_hung_up() == HungUpIn("customer")
    await second.leave()
    assert await (await server.line(1)).until_hung_up() == HungUpIn("line_lost")


async def test_a_page_that_offers_and_never_connects_is_let_go(
    serve: Serve, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webrtc, "CONNECT_S", 0.0)
    server = await serve(most_lines=1)
    status, _ = await pages(server).offer()
    assert status == 200
    monkeypatch.undo()
    page = PagePeer(server.base)
    try:
        async with asyncio.timeout(10):
            while True:  # 503 until the place is free again
                headers = {"Origin": server.base}
                async with page.session.post(f"{server.base}/talk/tickets", headers=headers) as answer:
                    if answer.status == 200:
                        break
    finally:
        await page.leave()
    assert server.lines == []


@pytest.mark.parametrize("bad", ["{", b"\0", {"say": 5}, {"unknown": 1}], ids=repr)
async def test_a_bad_message_ends_that_line_only(serve: Serve, pages: Pages, bad: Any) -> None:
    server = await serve()
    good, page = pages(server), pages(server)
    await good.call()
    await page.call()
    page.tell(bad)
    assert await (await server.line(1)).until_hung_up() == HungUpIn("bad_data")
    good.tell({"digit": "1"})
    line = await server.line(0)
    await line.until(lambda: DtmfIn("1") in line.heard)


NO_SOUND = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
BAD_OFFERS = [
    ("{", 400),
    ({"sdp": 5}, 400),
    ({"sdp": ""}, 422),
    ({"sdp": "v=0"}, 422),
    ({"sdp": "hello\r\nm=audio\r\n"}, 422),
    ({"sdp": NO_SOUND}, 422),
    ({"sdp": NO_SOUND + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"}, 422),
    ({"sdp": "x" * 70_000}, 413),
    ({"sdp": "v=0", "ticket": "forged"}, 403),
]


@pytest.mark.parametrize(("bad", "status"), BAD_OFFERS, ids=lambda value: repr(value)[:40])
async def test_a_bad_offer_is_refused_in_words_and_opens_no_line(serve: Serve, bad: Any, status: int) -> None:
    server = await serve()
    page = PagePeer(server.base)
    try:
        body: Any = bad
        if isinstance(bad, dict):
            body = {"kind": "talk", "ticket": await page.ticket(), **bad}
        form = {"json": body} if isinstance(body, dict) else {"data": body}
        headers = {"Origin": server.base}
        async with page.session.post(f"{server.base}/talk/offer", headers=headers, **form) as answer:
            assert answer.status == status, await answer.text()
            assert (await answer.json())["detail"]
        assert server.lines == []
    finally:
        await page.leave()


async def test_where_webrtc_is_not_offered_the_remedy_is_named(serve: Serve) -> None:
    server = await serve(webrtc=False)
    page = PagePeer(server.base)
    try:
        headers = {"Origin": server.base}
        async with page.session.post(f"{server.base}/talk/offer", headers=headers, json={}) as answer:
            assert answer.status == 501
            assert "--extra webrtc" in (await answer.json())["detail"]
    finally:
        await page.leave()
