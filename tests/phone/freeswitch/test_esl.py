"""The event socket client: log-in, answers in order, background jobs, loss and return."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.phone.freeswitch.esl import EslClient, EslLost, EslRefused
from bot.phone.freeswitch.esl_frames import Event
from tests.phone.freeswitch.peer import Peer


class Client:
    """A client and what it was told."""

    def __init__(self, port: int, password: str = "ClueCon") -> None:
        self.events: list[Event] = []
        self.ups = 0
        self.esl = EslClient(
            "127.0.0.1",
            port,
            password,
            events=["DTMF"],
            on_event=self.events.append,
            on_connected=self._up,
            first_wait_s=0.01,
        )

    def _up(self) -> None:
        self.ups += 1


@pytest_asyncio.fixture
async def peer() -> AsyncIterator[Peer]:
    switch = Peer()
    await switch.start()
    yield switch
    await switch.stop()


@pytest_asyncio.fixture
async def client(peer: Peer) -> AsyncIterator[Client]:
    found = Client(peer.port)
    found.esl.start()
    await found.esl.ready()
    yield found
    await found.esl.stop()


async def test_answers_come_in_the_order_of_the_commands(peer: Peer, client: Client) -> None:
    lines = [peer.new_channel().uuid for _ in range(3)]
    asked = [lines[0], "0" * 8 + lines[0][8:], lines[1], lines[2]]
    answers = await asyncio.gather(*(client.esl.api(f"uuid_exists {line}") for line in asked))
    assert answers == ["true", "false", "true", "true"]


async def test_a_refusal_is_raised_with_what_the_switch_says(client: Client) -> None:
    with pytest.raises(EslRefused, match="No such channel"):
        await client.esl.api("uuid_kill 00000000-0000-0000-0000-000000000000")


async def test_a_background_job_gives_its_answer_by_its_own_id(peer: Peer, client: Client) -> None:
    command = "originate {{origination_uuid={}}}user/1 &park()"
    one, two = (f"{number}0000000-0000-0000-0000-000000000000" for number in "12")
    jobs = [await client.esl.bgapi(command.format(line)) for line in (one, two)]
    peer.hang_up(two, "USER_BUSY")
    peer.answer(one)
    assert await jobs[1] == "-ERR USER_BUSY"
    assert await jobs[0] == f"+OK {one}"


async def test_a_line_break_never_goes_out(peer: Peer, client: Client) -> None:
    for bad in ("uuid_kill x\n\napi shutdown", "uuid_kill x\r", "a\0b"):
        with pytest.raises(ValueError, match="line break"):
            await client.esl.api(bad)
        with pytest.raises(ValueError, match="line break"):
            client.esl.post(bad)
    with pytest.raises(ValueError, match="line break"):
        Client(peer.port, "secret\n\napi shutdown")
    assert peer.commands == []


async def test_a_wrong_password_is_not_logged_in(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    stranger = Client(peer.port, "guess")
    stranger.esl.start()
    await peer.until(lambda: "-ERR invalid" in caplog.text)
    assert not stranger.esl.connected
    assert "guess" not in caplog.text
    with pytest.raises(EslLost) as lost:
        await stranger.esl.api("uuid_exists x")
    assert not lost.value.sent
    await stranger.esl.stop()


async def test_a_connection_that_is_lost_comes_back(peer: Peer, client: Client) -> None:
    await peer.drop_connections()
    await peer.until(lambda: peer.logins == 2)
    await client.esl.ready()
    line = peer.new_channel().uuid
    assert await client.esl.api(f"uuid_exists {line}") == "true"
    peer.fire(line, "DTMF", {"DTMF-Digit": "1"})
    await client.esl.api(f"uuid_exists {line}")
    assert [event["DTMF-Digit"] for event in client.events] == ["1"]
    assert client.ups == 2


async def test_what_was_under_way_is_lost_and_may_have_happened(peer: Peer, client: Client) -> None:
    line = "10000000-0000-0000-0000-000000000000"
    job = await client.esl.bgapi(f"originate {{origination_uuid={line}}}user/1 &park()")
    await peer.drop_connections()
    with pytest.raises(EslLost) as lost:
        await job
    assert lost.value.sent


@pytest.mark.parametrize(
    "bytes_",
    [
        b"Content-Type: text/disconnect-notice\nContent-Length: 3\n\nbye",
        b"Content-Length: nonsense\n\n",
        b"Content-Type: api/response\nContent-Length: 2\n\nhi",
        b"Content-Type: text/event-json\nContent-Length: 1\n\n{",
    ],
    ids=["notice", "length", "answer to nothing", "broken event"],
)
async def test_after_a_notice_or_nonsense_it_connects_anew(peer: Peer, client: Client, bytes_: bytes) -> None:
    peer.raw(bytes_)
    await peer.until(lambda: peer.logins == 2)
    await client.esl.ready()
    assert await client.esl.api("uuid_exists x") == "false"


async def test_a_host_that_is_not_allowed_is_told_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    peer = Peer()
    peer.greeting = "Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
    await peer.start()
    stranger = Client(peer.port)
    stranger.esl.start()
    await peer.until(lambda: "apply-inbound-acl" in caplog.text)
    assert not stranger.esl.connected
    await stranger.esl.stop()
    await peer.stop()


async def test_an_event_that_cannot_be_handled_does_not_end_the_connection(peer: Peer) -> None:
    def fails(event: Event) -> None:
        raise RuntimeError("broken listener")

    esl = EslClient("127.0.0.1", peer.port, "ClueCon", events=["DTMF"], on_event=fails)
    esl.start()
    await esl.ready()
    peer.fire("x", "DTMF")
    assert await esl.api("uuid_exists x") == "false"
    assert peer.logins == 1
    await esl.stop()
