"""Twilio's callbacks: who may send them, what they tell, and what a call that comes in is answered."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode
from xml.etree import ElementTree

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from bot.phone.dialling import LineHistory, LineNews, LineState
from bot.phone.twilio.outcomes import line_news
from bot.phone.twilio.settings import TwilioSettings, problems
from bot.phone.twilio.signature import signature
from bot.phone.twilio.status import routes

TOKEN = "s3cret"
PUBLIC = "https://bot.example.com/hooks"
SETTINGS = TwilioSettings(
    stream_url="wss://bot.example.com/twilio", public_url=PUBLIC, assist={"+15550003": "client:lina"}
)
Form = list[tuple[str, str]]


@dataclass
class Hooks:
    """Our web server as a proxy calls it, without the public prefix."""

    session: aiohttp.ClientSession
    server: TestServer
    news: list[LineNews] = field(default_factory=list)
    dialled: list[tuple[str, str]] = field(default_factory=list)
    full: list[str] = field(default_factory=list)

    async def post(
        self, path: str, form: Form, *, sign: Form | None = None, token: str = TOKEN
    ) -> tuple[int, str]:
        mac = signature(token, PUBLIC + path, form if sign is None else sign)
        return await self.send(path, urlencode(form).encode(), "application/x-www-form-urlencoded", mac)

    async def send(self, path: str, body: bytes, kind: str, mac: str) -> tuple[int, str]:
        headers = {"X-Twilio-Signature": mac, "Content-Type": kind}
        async with self.session.post(self.server.make_url(path), data=body, headers=headers) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def hooks(settings: TwilioSettings = SETTINGS) -> AsyncIterator[Hooks]:
    news: list[LineNews] = []
    dialled: list[tuple[str, str]] = []
    full: list[str] = []
    app = web.Application()
    app.add_routes(
        routes(
            settings,
            TOKEN,
            LineHistory(news.append),
            lambda: full[0] if full else None,
            dialled=lambda call_id, line_id: dialled.append((call_id, line_id)),
        )
    )
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession() as session:
        try:
            yield Hooks(session, server, news, dialled, full)
        finally:
            await server.close()


def told(status: str, **more: str) -> Form:
    return [("CallSid", "CA1"), ("CallStatus", status), *more.items()]


async def test_a_call_that_comes_in_is_connected_to_the_bot_with_its_numbers() -> None:
    async with hooks() as h:
        status, text = await h.post(
            "/twilio/voice", [("CallSid", "CA1"), ("From", "+1<555>"), ("To", "+15550002")]
        )
        stream = ElementTree.fromstring(text).find("./Connect/Stream")
        assert status == 200 and stream is not None and stream.get("url") == "wss://bot.example.com/twilio"
        given = {p.get("name"): p.get("value") for p in stream}
        assert given == {"direction": "inbound", "from": "+1<555>", "to": "+15550002"}


async def test_a_call_for_an_agent_is_dialled_on_and_both_sides_are_heard() -> None:
    async with hooks() as h:
        _, text = await h.post(
            "/twilio/voice", [("CallSid", "CA1"), ("From", "+15550001"), ("To", "+15550003")]
        )
        root = ElementTree.fromstring(text)
        assert root.findtext("./Dial/Client") == "lina"
        stream = root.find("./Start/Stream")
        assert stream is not None and stream.get("track") == "both_tracks"


async def test_above_the_load_limit_the_caller_hears_busy() -> None:
    async with hooks() as h:
        h.full.append("full")
        _, text = await h.post("/twilio/voice", [("From", "+15550001"), ("To", "+15550002")])
        assert ElementTree.fromstring(text).find("Reject") is not None


async def test_a_very_long_caller_is_cut_and_answered() -> None:
    async with hooks() as h:
        status, _ = await h.post("/twilio/voice", [("From", "sip:" + "a" * 5000), ("To", "+15550002")])
        assert status == 200


@pytest.mark.parametrize("path", ["/twilio/voice", "/twilio/status"])
async def test_a_wrong_signature_is_refused_and_tells_nothing(path: str) -> None:
    async with hooks() as h:
        form = told("completed")
        assert (await h.post(path, form, token="another"))[0] == 403
        assert (await h.post(path, form, sign=told("ringing")))[0] == 403
        assert (await h.send(path, b"", "application/x-www-form-urlencoded", ""))[0] == 403
        mac = signature(TOKEN, PUBLIC + path, form)
        assert (await h.post(path + "?call_id=c-1", form, sign=[]))[0] == 403
        body = urlencode(form).encode()
        assert (await h.send(path + "?call_id=c-1", body, "application/x-www-form-urlencoded", mac))[0] == 403
        assert h.news == [] and h.dialled == []


@pytest.mark.parametrize("body", [b"\xff", b"a&b", b"&".join(b"a%d=1" % n for n in range(300))])
async def test_a_body_that_is_no_form_is_refused(body: bytes) -> None:
    async with hooks() as h:
        assert (await h.send("/twilio/status", body, "application/x-www-form-urlencoded", "x"))[0] == 400


async def test_a_body_that_is_huge_is_refused() -> None:
    async with hooks() as h:
        body = b"a=" + b"x" * 2_000_000
        assert (await h.send("/twilio/status", body, "application/x-www-form-urlencoded", "x"))[0] == 413


async def test_a_json_body_is_verified_by_its_hash() -> None:
    async with hooks() as h:
        body = json.dumps(dict(told("ringing"))).encode()
        path = "/twilio/status?bodySHA256=" + hashlib.sha256(body).hexdigest()
        mac = signature(TOKEN, PUBLIC + path)
        assert (await h.send(path, body, "application/json", mac))[0] == 204
        assert h.news == [LineNews("CA1", LineState.RINGING)]
        assert (await h.send(path, body + b" ", "application/json", mac))[0] == 403
        broken = b"[1]"
        path = "/twilio/status?bodySHA256=" + hashlib.sha256(broken).hexdigest()
        assert (await h.send(path, broken, "application/json", signature(TOKEN, PUBLIC + path)))[0] == 400


async def test_a_status_tells_its_call_even_where_the_answer_to_the_dial_was_lost() -> None:
    async with hooks() as h:
        assert (await h.post("/twilio/status?call_id=c%201", told("initiated")))[0] == 204
        assert h.dialled == [("c 1", "CA1")]
        assert h.news == [LineNews("CA1", LineState.SENT)]


STEPS = ["initiated", "ringing", "in-progress", "completed"]


@pytest.mark.parametrize("order", list(itertools.permutations(STEPS)), ids="-".join)
async def test_callbacks_in_any_order_and_twice_only_go_forward(order: tuple[str, ...]) -> None:
    async with hooks() as h:
        for status in (*order, *order):
            assert (await h.post("/twilio/status", told(status)))[0] == 204
        states = [news.state for news in h.news]
        assert states == sorted(set(states)), "forward only, each once"
        assert h.news[-1] == LineNews("CA1", LineState.ENDED, "normal")


async def test_a_status_that_is_not_known_is_ignored_and_one_without_its_call_refused() -> None:
    async with hooks() as h:
        assert (await h.post("/twilio/status", told("on-the-moon")))[0] == 204
        assert (await h.post("/twilio/status", [("CallStatus", "ringing")]))[0] == 400
        assert h.news == []


@pytest.mark.parametrize(
    ("status", "sip", "cause"),
    [
        ("busy", "", "busy"),
        ("no-answer", "", "no_answer"),
        ("canceled", "", "cancelled"),
        ("failed", "", "failed"),
        ("failed", "404", "unreachable"),
        ("failed", "503", "congestion"),
        ("failed", "603", "rejected"),
        ("failed", "999", "failed"),
        ("completed", "404", "normal"),
    ],
)
def test_every_end_has_its_cause(status: str, sip: str, cause: str) -> None:
    assert line_news("CA1", status, sip) == LineNews("CA1", LineState.ENDED, cause)  # type: ignore[arg-type]


@given(st.text(max_size=12), st.text(max_size=5))
def test_only_an_end_has_a_cause(status: str, sip: str) -> None:
    news = line_news("CA1", status, sip)
    assert news is None or (news.cause is not None) == (news.state == LineState.ENDED)


def test_settings_that_cannot_work_say_what_to_do() -> None:
    assert problems(SETTINGS) == []
    wrong = TwilioSettings(
        dialect="plivo",
        path="twilio",
        timeout_s=0,
        stream_url="https://x/?a=1",
        public_url="bot",
        api_url="http://[x",
        auth_token_env="T",
        assist={"+1": "lina"},
    )
    found = problems(wrong)
    assert len(found) == 7 and all(" → " in line for line in found)


def test_a_token_is_read_from_the_environment_alone() -> None:
    assert TwilioSettings().auth_token({}) is None
    named = TwilioSettings(auth_token_env="TWILIO_TOKEN")
    assert named.auth_token({"TWILIO_TOKEN": "x"}) == "x"
    for environ in ({}, {"TWILIO_TOKEN": ""}):
        with pytest.raises(ValueError, match="TWILIO_TOKEN"):
            named.auth_token(environ)
