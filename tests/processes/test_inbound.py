"""Calls that customers make to us: who answers, as whom the caller comes, and words where nobody answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from redis.asyncio import Redis

from bot.call.journal import CallFacts
from bot.call.ports import FRAME_BYTES, HungUpIn, LegCapabilities, Receive, VoiceError
from bot.phone.arrivals import Arrival
from bot.phone.inbound import InboundSettings, Route
from bot.phone.settings import PhoneSettings
from bot.processes.calls import CallRefused, Calls, Wishes
from bot.processes.expected import ExpectedCall, expect
from bot.processes.inbound_calls import CallerBook, RoutedCalls
from bot.processes.line_calls import LineCalls
from bot.store.database import Database
from bot.store.do_not_call import DoNotCallRegister
from bot.store.keys import Keys

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PHONE = "13800138000"
CONTACT: dict[str, Any] = {"id": "c-1", "name": "张伟", "phone": PHONE, "monthly_fee_ringback": "5"}
OUT = CallFacts(call_id="out-1", started=NOW, script="ringback", script_version="v1", contact=CONTACT)
ROUTES = InboundSettings(
    routes=(Route(number="10123", script="ringback"), Route(number="4001", queue="billing"))
)
THREE_FRAMES = b"\x01" * (3 * FRAME_BYTES)
UNKNOWN = {"phone": PHONE, "do_not_call": False}


class Leg:
    """A line that keeps what it is told; its caller hangs up after `patience` frames."""

    capabilities = LegCapabilities()

    def __init__(self, patience: int = 10_000) -> None:
        self.patience = patience
        self.sent: list[bytes] = []
        self.ended: asyncio.Queue[str] = asyncio.Queue()
        self.receive: Receive | None = None

    def listen(self, receive: Receive) -> None:
        self.receive = receive

    def send(self, pcm: bytes) -> None:
        self.sent.append(pcm)
        if len(self.sent) == self.patience and self.receive is not None:
            self.receive(HungUpIn("customer"))

    async def hang_up(self, cause: str) -> None:
        self.ended.put_nowait(cause)


class Said:
    """A voice of three frames for whatever it says; it keeps what that was."""

    name = "said"

    def __init__(self, broken: bool = False) -> None:
        self.texts: list[str] = []
        self.broken = broken

    async def synthesize(self, text: str) -> bytes:
        if self.broken:
            raise VoiceError("no voice here")
        self.texts.append(text)
        return THREE_FRAMES


class Served:
    """Brains that serve these scripts."""

    def __init__(self, *scripts: str) -> None:
        self.scripts = scripts

    def version(self, script: str) -> str | None:
        return "v1" if script in self.scripts else None


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database.open(f"sqlite:///{tmp_path / 'huashu.db'}")
    yield found
    found.close()


@pytest.fixture
def keys() -> Keys:
    return Keys(b"k" * 32)


@pytest.fixture
def book(database: Database, keys: Keys) -> CallerBook:
    return CallerBook(database, keys)


def arrival(
    called: str | None = "10123", caller: str | None = PHONE, leg: Any = None, **told: str
) -> Arrival:
    return Arrival(
        leg=cast(Any, leg or Leg()),
        provider="twilio",
        line_id="CA1",
        called=called,
        caller=caller,
        parameters=told,
    )


def routed(book: CallerBook, *served: str, **settings: Any) -> RoutedCalls:
    phones = PhoneSettings(**{"inbound": ROUTES, **settings})
    return RoutedCalls(phones, book, Served(*(served or ("ringback",))), {"zh": Said(), "en": Said()})


async def test_whom_we_called_comes_with_his_contact_and_the_time(book: CallerBook) -> None:
    await book.remember(OUT)
    call = await routed(book).answer(arrival(caller="+8613800138000"))
    assert (call.script, call.tenant_id, call.call_id) == ("ringback", "default", "CA1")
    told = {"phone": "+8613800138000", "called_at": NOW.isoformat(), "do_not_call": False}
    assert call.contact == {**CONTACT, **told}


async def test_he_gets_the_script_that_called_him_where_a_brain_serves_it(book: CallerBook) -> None:
    await book.remember(replace(OUT, script="fibre"))
    served = await routed(book, "ringback", "fibre").answer(arrival())
    assert (served.script, served.contact["name"]) == ("fibre", "张伟")
    not_served = await routed(book, "ringback").answer(arrival())
    assert (not_served.script, not_served.contact) == ("ringback", UNKNOWN)


@pytest.mark.parametrize("caller", [None, "anonymous", "+266696687", "sip:bob@x"])
async def test_who_shows_no_number_is_nobody(book: CallerBook, caller: str | None) -> None:
    await book.remember(OUT)
    assert (await routed(book).answer(arrival(caller=caller))).contact == {"do_not_call": False}


async def test_what_a_line_says_about_its_caller_is_not_believed(book: CallerBook) -> None:
    told = {"contact": '{"name": "张伟", "monthly_fee_ringback": 5, "id_last4": "0000"}', "seed": "3"}
    assert (await routed(book).answer(arrival(**told))).contact == UNKNOWN


async def test_who_is_on_the_do_not_call_list_comes_as_such(
    database: Database, keys: Keys, book: CallerBook
) -> None:
    await book.remember(OUT)
    with database.write() as connection:
        DoNotCallRegister(keys).add(connection, "default", NOW, contact_id="c-1")
        DoNotCallRegister(keys).add(connection, "default", NOW, phone="13900139000")
    for caller in (PHONE, "13900139000"):
        assert (await routed(book).answer(arrival(caller=caller))).contact["do_not_call"] is True
    assert (await routed(book).answer(arrival(caller="13700137000"))).contact["do_not_call"] is False


async def test_a_route_s_tenant_knows_only_its_own_customers(book: CallerBook) -> None:
    await book.remember(OUT)
    routes = InboundSettings(routes=(Route(number="*", script="ringback", tenant_id="t2"),))
    call = await routed(book, inbound=routes).answer(arrival())
    assert (call.tenant_id, call.contact) == ("t2", UNKNOWN)


async def test_a_queue_s_caller_is_greeted_by_a_script_and_goes_to_people(book: CallerBook) -> None:
    await book.remember(OUT)
    call = await routed(book).answer(arrival(called="4001"))
    assert (call.script, call.contact["queue"], call.contact["name"]) == ("ringback", "billing", "张伟")


def test_a_queue_without_any_script_is_refused_at_the_start(book: CallerBook) -> None:
    only = InboundSettings(routes=(Route(number="*", queue="billing"),))
    with pytest.raises(ValueError, match="script"):
        routed(book, inbound=only)


async def test_the_one_script_of_the_lines_answers_what_no_route_names(book: CallerBook) -> None:
    assert (await routed(book, script="fibre").answer(arrival(called="999"))).script == "fibre"


async def test_where_no_route_answers_the_caller_hears_so_in_both_languages(book: CallerBook) -> None:
    voices = {"zh": Said(), "en": Said()}
    calls = RoutedCalls(PhoneSettings(inbound=ROUTES), book, Served(), dict(voices))
    leg = Leg()
    with pytest.raises(CallRefused, match=r"no route answers \+<PHONE>.*inbound\.routes"):
        await calls.answer(arrival(called="+8613911112222", leg=leg))
    assert leg.ended.get_nowait() == "no_route"
    assert "再见" in voices["zh"].texts[0] and "Goodbye" in voices["en"].texts[0]
    assert b"".join(leg.sent).count(THREE_FRAMES) == 2
    assert {len(frame) for frame in leg.sent} == {FRAME_BYTES}


async def test_a_caller_who_hangs_up_is_spoken_to_no_longer(book: CallerBook) -> None:
    leg = Leg(patience=2)
    with pytest.raises(CallRefused):
        await routed(book).answer(arrival(called="999", leg=leg))
    assert len(leg.sent) == 2 and leg.ended.get_nowait() == "no_route"


async def test_without_a_voice_the_line_is_hung_up_all_the_same(book: CallerBook) -> None:
    calls = RoutedCalls(PhoneSettings(inbound=ROUTES), book, Served(), {"zh": Said(broken=True)})
    leg = Leg()
    with pytest.raises(CallRefused):
        await calls.answer(arrival(called="999", leg=leg))
    assert (leg.sent, leg.ended.get_nowait()) == ([], "no_route")


async def test_a_database_that_fails_makes_a_stranger_of_the_caller(
    database: Database, book: CallerBook, caplog: pytest.LogCaptureFixture
) -> None:
    await book.remember(OUT)
    with database.write() as connection:
        connection.execute(sa.text("DROP TABLE callers"))
    assert (await routed(book).answer(arrival())).contact == UNKNOWN
    await book.remember(replace(OUT, started=NOW + timedelta(hours=1)))
    assert len(caplog.records) == 2 and PHONE not in caplog.text


async def test_a_stranger_s_line_that_claims_to_be_one_of_ours_is_refused(book: CallerBook) -> None:
    with pytest.raises(CallRefused, match="token"):
        await routed(book).answer(replace(arrival(), direction="outbound"))


class Holding:
    """The calls that would be held."""

    def __init__(self) -> None:
        self.facts: asyncio.Queue[CallFacts] = asyncio.Queue()

    async def hold(self, facts: CallFacts, leg: Any, wishes: Wishes) -> None:
        self.facts.put_nowait(facts)


async def test_whom_a_line_reaches_is_known_when_he_rings_back(redis: Redis, book: CallerBook) -> None:
    held = Holding()
    kept: asyncio.Queue[str] = asyncio.Queue()

    async def remember(facts: CallFacts) -> None:
        await book.remember(facts)
        kept.put_nowait(facts.call_id)

    calls = LineCalls(
        redis, cast(Calls, held), Served("ringback"), routed(book),
        wishes=lambda *_: Wishes(), remember=remember,
    )  # fmt: skip
    await expect(redis, ExpectedCall(call_id="out-1", script="ringback", contact=CONTACT), "token")
    calls.arrived(replace(arrival(caller="10123", called=PHONE, call="token"), direction="outbound"))
    assert (await held.facts.get()).direction == "outbound"
    assert await kept.get() == "out-1"
    calls.arrived(arrival())
    back = await held.facts.get()
    assert (back.direction, back.contact["name"], back.names) == ("inbound", "张伟", ("张伟",))
    await calls.stop()
    assert kept.empty()


async def test_a_call_without_a_route_ends_alone_with_its_reason_in_the_log(
    redis: Redis, book: CallerBook, caplog: pytest.LogCaptureFixture
) -> None:
    held, leg = Holding(), Leg()
    calls = LineCalls(redis, cast(Calls, held), Served("ringback"), routed(book), wishes=lambda *_: Wishes())
    with caplog.at_level(logging.ERROR):
        calls.arrived(arrival(called="999", leg=leg))
        calls.arrived(arrival())
        assert (await held.facts.get()).script == "ringback"
        assert [await leg.ended.get(), await leg.ended.get()] == ["no_route", "refused"]
    assert "no route answers 999" in caplog.text
    await calls.stop()
