"""Calls run beside each other, the turns of a call one after the other."""

from __future__ import annotations

import asyncio

import pytest

from bot.bus.errors import Fenced
from bot.bus.streams import Message
from bot.processes.actors import CallActors
from bot.turn import Reply, TurnRequest, decode_message, encode_message
from processes.test_brain import turn

NOW_MS = 1_000_000


class SlowEngine:
    """Answers when told to."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.running = 0
        self.most_running = 0
        self.go = asyncio.Event()
        self.forgotten: list[str] = []
        self.error: Exception | None = None

    async def ask(self, request: TurnRequest) -> Reply:
        self.asked.append(request.text)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await self.go.wait()
        for _ in range(3):  # let others run meanwhile
            await asyncio.sleep(0)
        self.running -= 1
        if self.error is not None:
            raise self.error
        return Reply(call_id=request.call_id, turn=request.turn, node=request.text)

    def forget(self, tenant_id: str, call_id: str) -> None:
        self.forgotten.append(call_id)


class Box:
    """Collects what becomes of messages."""

    def __init__(self) -> None:
        self.answers: list[tuple[bytes, str | None]] = []
        self.dropped: list[bytes] = []
        self.failed: list[tuple[bytes, str]] = []

    def answer(self, message: Message, reply: bytes) -> None:
        decoded = decode_message(reply)
        assert isinstance(decoded, Reply)
        self.answers.append((message.id, decoded.node))

    async def drop(self, message: Message) -> None:
        self.dropped.append(message.id)

    async def fail(self, message: Message, reason: str) -> None:
        self.failed.append((message.id, reason))


class Desk:
    """Actors with their engine and box."""

    def __init__(self) -> None:
        self.engine, self.box = SlowEngine(), Box()
        self.freed: list[str] = []
        self.actors = CallActors(
            self.engine,
            self.box,
            forget=lambda tenant, call: self.freed.append(call),
            clock_ms=lambda: NOW_MS,
        )
        self._number = 0

    async def submit(self, request: TurnRequest | bytes, age_ms: int = 0, moved: bool = False) -> bytes:
        self._number += 1
        name = f"{NOW_MS - age_ms}-{self._number}".encode()
        data = request if isinstance(request, bytes) else encode_message(request)
        await self.actors.submit(Message(name, data, "r", moved=moved))
        return name

    async def finish(self) -> None:
        self.engine.go.set()
        await self.actors.idle()


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_one_call_is_serial_and_two_are_not(desk: Desk) -> None:
    for number in range(3):
        await desk.submit(turn(number, f"a{number}", "a"))
    await desk.submit(turn(0, "b0", "b"))
    await desk.finish()
    assert desk.engine.most_running == 2
    assert [node for _, node in desk.box.answers if node != "b0"] == ["a0", "a1", "a2"]


async def test_speculation_that_something_newer_overtook_is_not_run(desk: Desk) -> None:
    await desk.submit(turn(1, "guess", speculative=True))
    overtaken = [await desk.submit(turn(1, "better guess", speculative=True))]
    await desk.submit(turn(1, "real"))
    await desk.submit(turn(2, "newest guess", speculative=True))
    await desk.finish()
    assert desk.engine.asked == ["real", "newest guess"]
    assert desk.box.dropped[1:] == overtaken


async def test_a_turn_that_its_asker_gave_up_is_dropped(desk: Desk) -> None:
    late = await desk.submit(turn(1, "late", deadline_ms=1000), age_ms=1001)
    await desk.submit(turn(1, "in time", deadline_ms=1000), age_ms=1000)
    await desk.finish()
    assert desk.box.dropped == [late]
    assert desk.engine.asked == ["in time"]


async def test_a_repeat_is_remembered_and_asks_nothing(desk: Desk) -> None:
    first = await desk.submit(turn(1, "x"))
    again = await desk.submit(turn(1, "x"))
    await desk.finish()
    late = await desk.submit(turn(1, "x", deadline_ms=10), age_ms=5000)
    await desk.finish()
    assert desk.box.answers == [(first, "x"), (again, "x"), (late, "x")]
    assert desk.engine.asked == ["x"]


async def test_a_call_that_was_elsewhere_is_forgotten_before_it_is_asked(desk: Desk) -> None:
    await desk.submit(turn(1, "x"), moved=True)
    await desk.finish()
    assert desk.engine.forgotten == ["c1"]
    assert desk.freed == ["c1"]


async def test_a_call_that_another_brain_took_gets_no_answer_from_here(desk: Desk) -> None:
    desk.engine.error = Fenced("taken")
    message = await desk.submit(turn(1, "x"))
    await desk.finish()
    assert desk.box.answers == []
    assert desk.box.dropped == [message]
    assert desk.engine.forgotten == ["c1"]


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"type":"turn"}', b"\xff\xfe", encode_message(Reply(call_id="c", turn=1))]
)
async def test_what_cannot_be_read_fails_with_a_reason(desk: Desk, data: bytes) -> None:
    message = await desk.submit(data)
    [(failed, reason)] = desk.box.failed
    assert failed == message
    assert reason
