"""Who gets a line: origins, tickets that work once, limits, the pages' headers."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from bot.call.ports import HungUpIn
from bot.phone.browser.access import MOST_OPEN, Ticket, Tickets, own_origin
from bot.phone.browser.settings import BrowserSettings
from tests.phone.browser.conftest import NewPage, Serve

pytestmark = pytest.mark.asyncio(loop_scope="session")
PAGES = Path(__file__).parents[3] / "bot" / "phone" / "browser" / "page"


class Clock:
    """Seconds that the test sets."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


async def test_a_ticket_works_once_for_its_kind_and_for_a_minute() -> None:
    clock = Clock()
    tickets = Tickets(clock)
    agent = Ticket(kind="softphone", agent_id="a1")
    once = tickets.issue(agent)
    assert tickets.redeem(once, "softphone") == agent
    assert tickets.redeem(once, "softphone") is None
    assert tickets.redeem(tickets.issue(agent), "talk") is None
    late = tickets.issue(agent)
    clock.s = 61.0
    assert tickets.redeem(late, "softphone") is None
    assert tickets.redeem("", "talk") is None
    with pytest.raises(ValueError, match="agent"):
        tickets.issue(Ticket(kind="softphone"))


async def test_of_too_many_open_tickets_the_oldest_is_forgotten() -> None:
    tickets = Tickets(Clock())
    first, *_, last = [tickets.issue(Ticket(kind="talk")) for _ in range(MOST_OPEN + 1)]
    assert tickets.redeem(first, "talk") is None
    assert tickets.redeem(last, "talk") is not None


@pytest.mark.parametrize(
    ("origin", "host", "origins", "ours"),
    [
        ("http://127.0.0.1:8090", "127.0.0.1:8090", (), True),
        ("http://localhost:8090", "localhost:8090", (), True),
        ("http://127.0.0.1:9999", "127.0.0.1:8090", (), False),
        ("http://evil.example:8090", "evil.example:8090", (), False),  # its name was made to point here
        ("https://talk.example.com", "127.0.0.1:8090", ("https://talk.example.com",), True),
        ("http://127.0.0.1:8090", "127.0.0.1:8090", ("https://talk.example.com",), False),
        ("null", "127.0.0.1:8090", (), False),
        ("", "127.0.0.1:8090", (), False),
        (None, None, (), False),
    ],
)
async def test_only_pages_of_ours_open_lines(
    origin: str | None, host: str | None, origins: tuple[str, ...], ours: bool
) -> None:
    assert own_origin(origin, host, origins) is ours


async def test_another_site_gets_neither_ticket_nor_socket_nor_webrtc(
    serve: Serve, new_page: NewPage
) -> None:
    server = await serve()
    page = new_page(server)
    for path in ("/talk/tickets", "/talk/offer"):
        async with page.session.post(server.base + path, headers={"Origin": "http://evil.example"}) as answer:
            assert answer.status == 403
            assert (await answer.json())["error"] == "wrong_origin"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await page.connect(origin="http://evil.example")
    assert refused.value.status == 403
    assert server.lines == []


async def test_two_sockets_with_one_ticket_the_second_is_turned_away(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    first, second = new_page(server), new_page(server)
    ticket = await first.ticket()
    await first.call(ticket=ticket)
    await second.connect()
    await second.tell({"kind": "talk", "ticket": ticket})
    await second.read_to_close()
    assert second.close_code == 4401
    assert len(server.lines) == 1 and server.lines[0].heard == []


async def test_while_no_lines_are_taken_the_page_is_told_why(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    page = new_page(server)
    ticket = await page.ticket()
    server.refusal = "the load limit is reached"
    async with page.session.post(f"{server.base}/talk/tickets", headers={"Origin": server.base}) as answer:
        assert answer.status == 503
        assert (await answer.json())["detail"] == "the load limit is reached"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await page.connect()
    assert refused.value.status == 503
    server.refusal = None
    await page.call(ticket=ticket)


async def test_no_more_lines_than_allowed_and_an_ended_one_makes_room(
    serve: Serve, new_page: NewPage
) -> None:
    server = await serve(most_lines=1)
    first, second = new_page(server), new_page(server)
    ticket = await first.ticket()
    await first.call(ticket=ticket)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await second.connect()
    await first.tell({"hang_up": True})
    line = await server.line()
    assert await line.until_hung_up() == HungUpIn("customer")
    line.leg.show({"kind": "call.ended"})
    await first.read_to_close()
    await second.call()


async def test_where_lines_are_by_ticket_only_nobody_takes_one(serve: Serve, new_page: NewPage) -> None:
    server = await serve(open_to="nobody")
    page = new_page(server)
    async with page.session.post(f"{server.base}/talk/tickets", headers={"Origin": server.base}) as answer:
        assert answer.status == 403
    await page.call(ticket=server.tickets.issue(Ticket(kind="talk")))


async def test_every_file_of_the_pages_comes_with_a_strict_policy(serve: Serve, new_page: NewPage) -> None:
    server = await serve()
    page = new_page(server)
    names = [path.name for path in PAGES.iterdir()]
    assert "talk.js" in names
    for name in names:
        path = f"/{name.removesuffix('.html')}" if name.endswith(".html") else f"/talk/static/{name}"
        async with page.session.get(server.base + path) as answer:
            assert answer.status == 200, path
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/talk/static/..%2f..%2fapp.py", "/talk/static/talk.html", "/talk/static/none.js"):
        async with page.session.get(URL(server.base + path, encoded=True)) as answer:
            assert answer.status == 404


async def test_the_words_of_the_pages_are_the_same_in_both_languages_and_nowhere_else() -> None:
    text = (PAGES / "texts.js").read_text("utf-8")
    chinese, english = (re.findall(r'^    "([\w.]+)":', part, re.M) for part in text.split("\n  en: {"))
    assert chinese == english
    for path in PAGES.iterdir():
        if path.name not in ("texts.js", "talk.html", "softphone.html"):
            assert not re.search("[一-鿿]", path.read_text("utf-8")), path.name
    used = set()
    for path in PAGES.iterdir():
        used |= set(re.findall(r'(?:data-(?:text|label)=|\bt\(|, )"(\w+\.\w+)"', path.read_text("utf-8")))
    assert used <= set(chinese), used - set(chinese)


async def test_settings_out_of_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="ticket_s"):
        BrowserSettings(ticket_s=0)
    with pytest.raises(ValueError, match="most_lines"):
        BrowserSettings(most_lines=0)
