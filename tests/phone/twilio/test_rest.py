"""The REST client against an API that answers as Twilio's does, and fails as Twilio's may."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from bot.phone.dialling import Dial, DialFailed, DialPermit, DialRefused, LineNews, LineState, Permits
from bot.phone.twilio.rest import ATTEMPTS, TwilioOriginator
from bot.phone.twilio.settings import TwilioSettings
from tests.phone.twilio.rest_peer import ACCOUNT, TOKEN, TwilioRest, moment

CALLER, CALLEE = "+15550001111", "+15550002222"


def permit(**changes: Any) -> DialPermit:
    fields: dict[str, Any] = {
        "intent_id": "i-1",
        "tenant_id": "t",
        "callee": CALLEE,
        "caller": CALLER,
        "not_before": moment(0),
        "not_after": moment(4),
        "rules": (("hours", "allow"),),
    }
    return DialPermit(**{**fields, **changes})


def dial(**changes: Any) -> Dial:
    return Dial(permit=permit(**changes), call_id="c 1&x", ring_s=25, parameters={"contact_id": "k<9>"})


@dataclass
class Bench:
    """The client, the API, the clock, and how long the client paused (in seconds, not really)."""

    client: TwilioOriginator
    rest: TwilioRest
    paused: list[float] = field(default_factory=list)

    def posts(self) -> list[dict[str, Any]]:
        return [dict(form) for method, _, form in self.rest.asked if method == "POST"]


@asynccontextmanager
async def bench(
    now: Callable[[], datetime] = lambda: moment(1), *, token: str = TOKEN, url: str = "", wait_s: float = 20
) -> AsyncIterator[Bench]:
    rest = TwilioRest(moment(1))
    server = TestServer(rest.app())
    await server.start_server()
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    settings = TwilioSettings(
        account_sid=ACCOUNT,
        api_url=url or str(server.make_url("")).rstrip("/"),
        stream_url="wss://bot.example.com/twilio",
        public_url="https://bot.example.com",
        timeout_s=wait_s,
    )
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        permits = Permits(frozenset({CALLER}))
        client = TwilioOriginator(settings, token, permits, session, now=now, pause=pause)
        try:
            yield Bench(client, rest, paused)
        finally:
            rest.silent.set()
            await server.close()


async def test_a_dial_posts_what_twilio_needs_and_gives_its_call_sid() -> None:
    async with bench() as b:
        sid = await b.client.originate(dial())
        assert b.rest.calls[sid]["to"] == CALLEE
        method, path, form = b.rest.asked[0]
        assert (method, path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json")
        fields = dict(form)
        assert (fields["To"], fields["From"], fields["Timeout"]) == (CALLEE, CALLER, "25")
        assert fields["StatusCallback"] == "https://bot.example.com/twilio/status?call_id=c%201%26x"
        told = [value for name, value in form if name == "StatusCallbackEvent"]
        assert told == ["initiated", "ringing", "answered", "completed"]
        stream = ElementTree.fromstring(fields["Twiml"]).find("./Connect/Stream")
        assert stream is not None and stream.get("url") == "wss://bot.example.com/twilio"
        assert {p.get("name"): p.get("value") for p in stream} == {
            "contact_id": "k<9>",
            "call_id": "c 1&x",
            "direction": "outbound",
            "from": CALLER,
            "to": CALLEE,
        }


@pytest.mark.parametrize(
    ("changes", "minute"),
    [({}, 5), ({"caller": "+15559999999"}, 1), ({"rules": (("hours", "deny"),)}, 1)],
    ids=["too late", "not our number", "a rule says no"],
)
async def test_without_a_permit_that_holds_nothing_is_sent(changes: dict[str, Any], minute: int) -> None:
    async with bench(lambda: moment(minute)) as b:
        with pytest.raises(DialRefused):
            await b.client.originate(dial(**changes))
        assert b.rest.asked == []


async def test_a_permit_dials_once() -> None:
    async with bench() as b:
        await b.client.originate(dial())
        with pytest.raises(DialRefused):
            await b.client.originate(dial())
        assert len(b.rest.calls) == 1


async def test_parameters_that_twilio_would_refuse_leave_the_permit_unused() -> None:
    async with bench() as b:
        for given in ({"contact": "x" * 600}, {f"p{n}": "x" * 400 for n in range(12)}):
            with pytest.raises(DialFailed) as failed:
                await b.client.originate(Dial(permit=permit(), call_id="c", parameters=given))
            assert failed.value.certain
        assert b.rest.asked == []
        await b.client.originate(dial())


async def test_where_nobody_listens_it_is_certain_that_nobody_was_called() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with bench(url=f"http://127.0.0.1:{port}") as b:
        with pytest.raises(DialFailed) as failed:
            await b.client.originate(dial())
        assert failed.value.certain


@pytest.mark.parametrize(
    ("fault", "certain"),
    [(400, True), (429, True), (302, False), (500, False), (503, False), ("garbled", False), ("lost", False)],
)
async def test_a_failed_dial_says_whether_somebody_may_have_been_called(
    fault: int | str, certain: bool
) -> None:
    async with bench() as b:
        b.rest.faults.append(fault)
        with pytest.raises(DialFailed) as failed:
            await b.client.originate(dial())
        assert failed.value.certain is certain
        assert len(b.posts()) == 1, "a dial is never sent twice by itself"


async def test_an_answer_that_never_comes_is_not_certain() -> None:
    async with bench(wait_s=0.2) as b:
        b.rest.faults.append("silent")
        with pytest.raises(DialFailed) as failed:
            await b.client.originate(dial())
        assert not failed.value.certain


async def test_errors_never_show_a_number_or_the_token() -> None:
    async with bench() as b:
        with pytest.raises(DialFailed) as failed:
            await b.client.originate(dial(callee="15550002222"))
        assert "code 21211" in str(failed.value)
        assert "5550002222" not in str(failed.value)
    async with bench(token="wrong-secret") as b:
        with pytest.raises(DialFailed) as failed:
            await b.client.originate(dial())
        assert failed.value.certain and "wrong-secret" not in str(failed.value)


async def test_a_call_that_twilio_would_place_after_the_permit_is_ended() -> None:
    async with bench() as b:
        b.rest.queue_ms = str(10 * 60 * 1000)
        with pytest.raises(DialFailed, match="permit"):
            await b.client.originate(dial())
        assert [call["status"] for call in b.rest.calls.values()] == ["completed"]


async def test_a_call_whose_answer_was_lost_is_found_by_its_numbers_and_time() -> None:
    async with bench() as b:
        assert await b.client.find(dial()) is None
        b.rest.add("CA-old", CALLEE, CALLER, "busy", moment(1) - timedelta(hours=3))
        b.rest.add("CA-else", "+15557770000", CALLER, "ringing")
        b.rest.add("CA-transfer", CALLEE, CALLER, "in-progress", direction="outbound-dial")
        assert await b.client.find(dial()) is None
        b.rest.faults.append("lost")
        with pytest.raises(DialFailed) as failed:
            await b.client.originate(dial())
        assert not failed.value.certain
        found = await b.client.find(dial())
        assert found is not None and found.state == LineState.SENT
        assert b.rest.calls[found.line_id]["to"] == CALLEE


@pytest.mark.parametrize(
    ("status", "news"),
    [
        ("queued", LineNews("CA1", LineState.SENT)),
        ("ringing", LineNews("CA1", LineState.RINGING)),
        ("in-progress", LineNews("CA1", LineState.ANSWERED)),
        ("completed", LineNews("CA1", LineState.ENDED, "normal")),
        ("no-answer", LineNews("CA1", LineState.ENDED, "no_answer")),
    ],
)
async def test_a_line_is_asked_after(status: str, news: LineNews) -> None:
    async with bench() as b:
        b.rest.add("CA1", CALLEE, CALLER, status)
        assert await b.client.state("CA1") == news


async def test_a_line_that_twilio_does_not_know_is_none() -> None:
    async with bench() as b:
        assert await b.client.state("CA-none") is None
        assert await b.client.state("../../Accounts") is None


async def test_hanging_up_ends_the_call() -> None:
    async with bench() as b:
        b.rest.add("CA1", CALLEE, CALLER, "in-progress")
        await b.client.end("CA1")
        assert b.posts() == [{"Status": "completed"}]
        assert b.rest.calls["CA1"]["status"] == "completed"


async def test_hanging_up_on_a_call_that_is_over_is_success() -> None:
    async with bench() as b:
        await b.client.end("CA-none")  # 404 with code 20404
        b.rest.add("CA1", CALLEE, CALLER, "completed")
        await b.client.end("CA1")  # 400 with code 21220


async def test_a_404_that_is_not_twilios_is_no_success() -> None:
    async with bench() as b:
        b.rest.faults.append(404)
        with pytest.raises(DialFailed):
            await b.client.end("CA1")


async def test_asking_and_hanging_up_are_tried_again_with_growing_pauses() -> None:
    async with bench() as b:
        b.rest.add("CA1", CALLEE, CALLER, "in-progress")
        b.rest.faults += [429, 503]
        await b.client.end("CA1")
        assert b.paused == [0.5, 1.0]
        b.rest.faults += ["lost", "garbled"]
        assert await b.client.state("CA1") == LineNews("CA1", LineState.ENDED, "normal")
        b.rest.faults += [500] * ATTEMPTS
        with pytest.raises(DialFailed):
            await b.client.state("CA1")
        assert not b.rest.faults, "three attempts, not more and not fewer"


async def test_a_transfer_replaces_what_the_call_does() -> None:
    async with bench() as b:
        b.rest.add("CA1", CALLEE, CALLER, "in-progress")
        await b.client.transfer("CA1", "+15550009999", CALLER)
        root = ElementTree.fromstring(b.posts()[0]["Twiml"])
        assert root.findtext("./Dial/Number") == "+15550009999"
        with pytest.raises(ValueError, match="target"):
            await b.client.transfer("CA1", "not a number", None)
        with pytest.raises(DialFailed):
            await b.client.transfer("CA-none", "+15550009999", None)
