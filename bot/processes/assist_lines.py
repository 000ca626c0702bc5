"""Lines with two tracks: people talk, and assist listens.  Nothing is said on them.

Each is an assisted call on the bus: opened for its agent, both sides recognised (or their words taken
from the line), recorded, ended when the line is gone.  The people's call is never touched: whatever
fails ends the listening of that call alone, with the reason in the log.  While the bus is away words
wait; a recogniser that dies leaves the agent with the page, the call with its recording.

A line's parameters: `agent_id` and `script` where phones.yml does not tell, `contact` (JSON),
`assist_call` (the id of a call that was opened over HTTP, which is then joined), or `call` (the token
of bot/processes/expected.py, by which a contact comes that must not travel with the line).
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import uuid4

import msgspec
from redis.asyncio import Redis

from bot.bus import BusDown, BusError
from bot.bus.assisted import AssistedCalls, CallMeta, NoWorker, OpenCall, Posted, Utterance
from bot.bus.errors import Fenced, LeaseHeld
from bot.bus.lease import Lease, acquire, release, renew
from bot.bus.tasks import end
from bot.call.ports import Recogniser, VoiceDetector
from bot.call.recorder import safe_name
from bot.listening.two_ears import TwoEars
from bot.phone.arrivals import Arrival
from bot.phone.assist import AssistSettings, agent_of, customer_number
from bot.phone.two_tracks import TwoTrackLine
from bot.processes.assist_workers import RegisteredWorkers
from bot.processes.calls import CallRefused, Shared
from bot.processes.expected import ExpectedCall, claim
from bot.processes.line_calls import contact_of
from bot.processes.listener import CallGone, Listener
from bot.processes.overheard import Recorded, Shifted, overhear
from bot.speech.vad_silero import SileroDetector
from bot.store.keys import KeyFileError, Keys
from bot.store.sealing import Sealer
from bot.understanding.masking import mask

RETRY_S = 1.0
WORKER_WITHIN_S = 15.0
"""An assist worker that was killed serves again by then; a script that nobody serves is refused."""
ENDS_WITHIN_S = 60.0
"""So long the bus is told again that a call is over."""
CLOSING_S = 5.0
QUIET_S = 120.0
"""A line on which nothing came for so long is gone.  Some send nothing while the agent's phone rings."""
LEASE_MS = 30_000
BEAT_S = 10.0

T = TypeVar("T")
_CALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_log = logging.getLogger(__name__)


class Bus(Protocol):
    """As much of AssistedCalls as lines need."""

    async def open(self, call: OpenCall) -> CallMeta: ...
    async def post(self, call_id: str, utterances: Sequence[Utterance]) -> list[Posted]: ...
    async def end(self, call_id: str, by: str, at_ms: int) -> Posted: ...
    async def fresh_meta(self, call_id: str) -> CallMeta | None: ...
    async def ended(self, call_id: str) -> bool: ...


class AssistLines:
    """Listens to such lines until they end."""

    def __init__(
        self, redis: Redis, calls: Bus, settings: AssistSettings, *,
        recogniser: Recogniser | None, detector: Callable[[], VoiceDetector], retry_s: float = RETRY_S,
    ) -> None:  # fmt: skip
        """`recogniser`: None where the lines deliver the words.  `detector`: makes a voice detector."""
        self._redis, self._calls, self._settings = redis, calls, settings
        self._recogniser, self._detector, self._retry_s = recogniser, detector, retry_s
        self._lines: dict[asyncio.Task[None], TwoTrackLine] = {}
        self._closing = False

    @property
    def held(self) -> int:
        """How many lines are listened to."""
        return len(self._lines)

    def arrived(self, arrival: Arrival) -> None:
        """A line with two tracks is up (the Arrived port)."""
        line = TwoTrackLine(arrival.leg, words=arrival.leg.capabilities.words)
        task = asyncio.create_task(self._whole(arrival, line), name=f"assist {arrival.provider}")
        self._lines[task] = line
        task.add_done_callback(self._lines.pop)

    async def stop(self) -> None:
        """Listen no more, and to no new line; the calls are ended on the bus."""
        self._closing = True
        tasks = list(self._lines)
        for line in list(self._lines.values()):
            await line.hang_up("shutdown")
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSING_S)
        await end(*tasks)

    async def _whole(self, arrival: Arrival, line: TwoTrackLine) -> None:
        try:
            await self._held(arrival, line)
        except (CallRefused, BusError) as error:
            _log.error("a line of %s is not listened to: %s", arrival.provider, error)
        except Exception:
            _log.exception("listening to a line of %s broke", arrival.provider)
        finally:
            await line.hang_up("refused")

    async def _held(self, arrival: Arrival, line: TwoTrackLine) -> None:
        if self._closing:
            raise CallRefused("the voice process is stopping")
        expected = await self._expected(arrival, line)
        call_id = _call_id(arrival, expected)
        lease = await self._alone(line, call_id)
        beating = asyncio.create_task(self._beat(lease, line), name=f"beat {call_id}")
        try:
            meta, shift_ms = await self._opened(arrival, line, call_id, expected)
            await self._listened(meta.call_id, line, shift_ms)
        finally:
            await end(beating)
            try:
                await release(self._redis, lease)
            except BusError as error:
                _log.warning("call %s: its lease goes with time: %s", call_id, error)

    async def _expected(self, arrival: Arrival, line: TwoTrackLine) -> ExpectedCall | None:
        """The call of the line's token; None where it has none."""
        token = arrival.parameters.get("call")
        if token is None:
            return None
        expected = await self._insist(line, lambda: claim(self._redis, token))
        if expected is None:
            raise CallRefused("its token is unknown, or another socket has claimed the call")
        return expected

    async def _alone(self, line: TwoTrackLine, call_id: str) -> Lease:
        """The right to listen to a call, which one socket of all processes has."""
        unsure = False

        async def take() -> Lease:
            nonlocal unsure
            try:
                return await acquire(self._redis, f"listens:{call_id}", uuid4().hex, LEASE_MS)
            except BusDown:
                unsure = True  # it may have been given to us all the same: then it goes with time
                raise
            except LeaseHeld as held:
                if unsure:
                    raise BusDown("the lease of a lost answer has not gone yet") from held
                raise CallRefused(f"another socket listens to call {call_id}") from held

        return await self._insist(line, take)

    async def _opened(
        self, arrival: Arrival, line: TwoTrackLine, call_id: str, expected: ExpectedCall | None
    ) -> tuple[CallMeta, int]:
        """The call on the bus, and how long it ran before its line came up, in ms."""
        meta = await self._insist(line, lambda: self._calls.fresh_meta(call_id))
        if meta is None and "assist_call" in arrival.parameters and expected is None:
            meta = await self._announced(line, call_id)
        if meta is None:
            opening = self._opening(arrival, call_id, expected)
            return await self._insist(line, lambda: self._calls.open(opening)), 0
        if await self._insist(line, lambda: self._calls.ended(call_id)):
            raise CallRefused(f"call {call_id} is over")
        return meta, max(0, int(time.time() * 1000) - meta.started_ms - line.now_ms)

    async def _announced(self, line: TwoTrackLine, call_id: str) -> CallMeta:
        """A call that is being opened over HTTP; its line may be quicker.  Raises CallRefused."""
        until_s = time.monotonic() + WORKER_WITHIN_S
        while time.monotonic() < until_s and line.over is None:
            meta = await self._insist(line, lambda: self._calls.fresh_meta(call_id))
            if meta is not None:
                return meta
            await asyncio.sleep(self._retry_s)
        raise CallRefused(f"no assisted call with the id {call_id} was opened over HTTP")

    def _opening(self, arrival: Arrival, call_id: str, expected: ExpectedCall | None) -> OpenCall:
        """How a call begins that is not there yet.  Raises CallRefused where nobody has it."""
        given = arrival.parameters
        agent_id = given.get("agent_id") or agent_of(self._settings, arrival)
        if not agent_id:
            number = arrival.called if arrival.direction == "inbound" else arrival.caller
            raise CallRefused(
                f"it has no agent: its number {mask(number or 'unknown')} is not in assist.agents of "
                "phones.yml, and it brought no agent_id"
            )
        script = expected.script if expected is not None else given.get("script") or self._settings.script
        if not script:
            raise CallRefused("it has no script: name one in phones.yml (assist.script)")
        contact = dict(expected.contact) if expected is not None else _contact(given.get("contact"))
        if (number := customer_number(arrival)) is not None:
            contact.setdefault("phone", number)
        return OpenCall(
            call_id=call_id, script=script, agent_id=agent_id, contact=contact, direction=arrival.direction,
            at=datetime.now().astimezone().isoformat(timespec="milliseconds"),
            tenant_id=expected.tenant_id if expected is not None else self._settings.tenant_id,
        )  # fmt: skip

    async def _listened(self, call_id: str, line: TwoTrackLine, shift_ms: int) -> None:
        """Listen to the end of the line, or of the call, and tell the bus."""
        listener = Listener(Shifted(self._calls, shift_ms), call_id)
        ears = TwoEars(call_id, self._recogniser, self._detector) if self._recogniser is not None else None
        try:
            with Recorded(line, call_id) as recorded:
                cause = await overhear(call_id, recorded, ears, listener)
        except CallGone as gone:
            _log.info("call %s is not listened to any more: it is %s", call_id, gone.outcome)
            return
        by = cause if cause in ("customer", "agent") else "system"
        if by == "system":
            _log.warning("call %s: the line ended: %s", call_id, cause)
        at_ms = line.now_ms + shift_ms
        try:
            async with asyncio.timeout(ENDS_WITHIN_S):
                await self._again(lambda: self._calls.end(call_id, by, at_ms))
        except TimeoutError:
            _log.error("call %s is over, and the bus does not know: end it on the agent's page", call_id)

    async def _beat(self, lease: Lease, line: TwoTrackLine) -> None:
        """Hold the lease; give up a line that has fallen silent without an end."""
        while True:
            await asyncio.sleep(BEAT_S)
            if line.quiet_s > QUIET_S:
                await line.hang_up("line_lost")
            try:
                await renew(self._redis, lease, LEASE_MS)
            except BusDown:
                continue
            except Fenced as error:
                _log.error("another process listens to the same call: %s", error)
                await line.hang_up("line_lost")

    async def _insist(self, line: TwoTrackLine, work: Callable[[], Awaitable[T]]) -> T:
        """Have the bus do it: again while it is away and the line is up.  Raises BusError."""
        return await self._again(work, lambda: line.over is None)

    async def _again(self, work: Callable[[], Awaitable[T]], more: Callable[[], bool] = lambda: True) -> T:
        began_s, told = time.monotonic(), False
        while True:
            try:
                return await work()
            except (BusDown, NoWorker) as error:
                late = isinstance(error, NoWorker) and time.monotonic() - began_s > WORKER_WITHIN_S
                if late or not more():
                    raise
                if not told:
                    told = True
                    _log.warning("a line waits for the bus: %s", error)
            await asyncio.sleep(self._retry_s)


def assist_lines(shared: Shared, settings: AssistSettings, script: str | None) -> AssistLines:
    """Those of a voice process; `script`: of all lines.  Raises ValueError for a bad key file."""
    try:
        sealer = Sealer(Keys.load())
    except KeyFileError as error:
        raise ValueError(str(error)) from error
    calls = AssistedCalls(shared.redis, sealer, RegisteredWorkers(shared.redis))
    settings = msgspec.structs.replace(settings, script=settings.script or script)
    return AssistLines(shared.redis, calls, settings, recogniser=shared.recogniser, detector=SileroDetector)


def _call_id(arrival: Arrival, expected: ExpectedCall | None) -> str:
    """Our id of the call: the token's, the announced one, else the line's with `-assist` behind it, for
    the bot's own call on the same line has the line's.  Raises CallRefused for what is no id."""
    if expected is not None:
        return expected.call_id
    announced = arrival.parameters.get("assist_call")
    if announced is None:
        return safe_name(arrival.line_id or uuid4().hex).replace(".", "-")[:57] + "-assist"
    if not _CALL_ID.fullmatch(announced):
        raise CallRefused("its assist_call is no call id")
    return announced


def _contact(text: str | None) -> dict[str, Any]:
    """The contact that came along; without one that can be read the call is assisted all the same."""
    try:
        return contact_of(text)
    except CallRefused as error:
        _log.warning("a line's contact is left out: %s", error)
        return {}
