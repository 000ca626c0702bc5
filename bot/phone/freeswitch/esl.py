"""Client of FreeSWITCH's event socket (inbound mode: we connect to the switch).

Keeps one connection: logs in, subscribes, answers commands in order, tells events, and connects
again when it is lost.  A command that was under way when the connection went raises EslLost with
`sent` true: the switch may have carried it out.  Nothing that a command carries is logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections import deque
from collections.abc import Callable, Sequence

from bot.phone.freeswitch.esl_frames import EslProtocolError, Event, Packet, PacketReader, event_of

REPLY_S = 5.0
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
_CHUNK = 65536
_FORBIDDEN = ("\n", "\r", "\0")

_log = logging.getLogger(__name__)


class EslLost(Exception):
    """There is no connection.  `sent`: the command had gone out, and may have been carried out."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class EslRefused(Exception):
    """The switch answered -ERR or -USAGE; the message is its answer."""


class EslClient:
    """One connection to one switch, kept up until `stop`."""

    def __init__(
        self,
        host: str,
        port: int,
        password: str,
        *,
        events: Sequence[str],
        on_event: Callable[[Event], None],
        on_connected: Callable[[], None] = lambda: None,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        """`events`: names to subscribe to, custom subclasses last after "CUSTOM".
        `on_event`, `on_connected` are called on the event loop and must not block.
        `first_wait_s`: before a second try to connect; doubled each time, at most 5 s."""
        if any(bad in password for bad in _FORBIDDEN):
            raise ValueError("the event socket's password holds a line break")
        self._host, self._port, self._password = host, port, password
        self._events = tuple(events)
        self._on_event, self._on_connected = on_event, on_connected
        self._first_wait_s = first_wait_s
        self._writer: asyncio.StreamWriter | None = None
        self._replies: deque[asyncio.Future[str]] = deque()
        self._jobs: dict[str, asyncio.Future[str]] = {}
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect, on the running loop."""
        self._task = asyncio.create_task(self._keep_up())

    async def ready(self) -> None:
        """Returns once the switch has been logged in to."""
        await self._ready.wait()

    @property
    def connected(self) -> bool:
        """Whether commands can be sent now."""
        return self._ready.is_set()

    async def stop(self) -> None:
        """Close; commands under way raise EslLost."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def api(self, command: str) -> str:
        """Run a command in the switch, at once; its answer.  Raises EslLost, EslRefused."""
        return _accepted(await self._reply(self._send(f"api {command}")))

    def post(self, command: str, answered: Callable[[], None] = lambda: None) -> None:
        """Run a command without waiting.  Never fails; a refusal is logged.

        `answered` is called with any answer of the switch, not where the connection is gone.
        """
        name = command.split(" ", 1)[0]
        try:
            reply = self._send(f"api {command}")
        except EslLost:
            _log.warning("freeswitch: %s was not sent, the event socket is down", name)
            return
        reply.add_done_callback(lambda done: _posted(name, done, answered))

    async def bgapi(self, command: str) -> asyncio.Future[str]:
        """Run a command in the background: returns once the switch has taken it.

        The future gives its answer, +OK or -ERR, or raises EslLost where the connection goes first.
        Raises EslLost, EslRefused (not taken).
        """
        job = str(uuid.uuid4())
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        done.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._jobs[job] = done
        try:
            _accepted(await self._reply(self._send(f"bgapi {command}", f"Job-UUID: {job}")))
        except BaseException:
            self._jobs.pop(job, None)
            raise
        return done

    # -- sending

    def _send(self, *lines: str) -> asyncio.Future[str]:
        if any(bad in line for line in lines for bad in _FORBIDDEN):
            raise ValueError("a command for the event socket holds a line break")
        if self._writer is None or not self._ready.is_set():
            raise EslLost("the event socket is not connected", sent=False)
        return self._write(*lines)

    def _write(self, *lines: str) -> asyncio.Future[str]:
        assert self._writer is not None
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._replies.append(reply)
        self._writer.write(("\n".join(lines) + "\n\n").encode())
        return reply

    async def _reply(self, reply: asyncio.Future[str]) -> str:
        """Shielded: the place of a reply in the order must stay, whoever stopped waiting for it."""
        try:
            return await asyncio.wait_for(asyncio.shield(reply), REPLY_S)
        except TimeoutError:
            raise EslLost(f"the switch did not answer within {REPLY_S:g} s", sent=True) from None

    # -- the connection

    async def _keep_up(self) -> None:
        wait_s = self._first_wait_s
        while True:
            try:
                await self._connect()
                wait_s = self._first_wait_s
                await self._read()
            except (OSError, EslProtocolError, EslRefused, TimeoutError) as error:
                _log.warning("freeswitch: event socket at %s:%d: %s", self._host, self._port, error)
            finally:
                self._drop()
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _connect(self) -> None:
        async with asyncio.timeout(REPLY_S):
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
            self._packets = PacketReader()
            self._waiting: deque[Packet] = deque()
            if (kind := (await self._next()).kind) != "auth/request":
                raise EslProtocolError(
                    f"greeted with {kind[:40]!r}; allow this host: event_socket.conf.xml, apply-inbound-acl"
                )
            await self._log_in(f"auth {self._password}")
            await self._log_in("event json " + " ".join(self._events))
        self._ready.set()
        _log.info("freeswitch: event socket at %s:%d is up", self._host, self._port)
        self._on_connected()

    async def _log_in(self, command: str) -> None:
        reply = self._write(command)
        while not reply.done():
            self._take(await self._next())
        _accepted(reply.result())

    async def _next(self) -> Packet:
        while not self._waiting:
            data = await self._reader.read(_CHUNK)
            if not data:
                raise EslProtocolError("closed by the switch")
            self._waiting.extend(self._packets.feed(data))
        return self._waiting.popleft()

    async def _read(self) -> None:
        while True:
            self._take(await self._next())

    def _take(self, packet: Packet) -> None:
        kind = packet.kind
        if kind in ("command/reply", "api/response"):
            if not self._replies:
                raise EslProtocolError("an answer that nothing asked for")
            reply = self._replies.popleft()
            if not reply.done():
                reply.set_result(packet.reply)
        elif kind.startswith("text/event-"):
            self._event(event_of(packet))
        elif kind in ("text/disconnect-notice", "text/rude-rejection"):
            raise EslProtocolError(f"{kind}: the switch closes the connection")

    def _event(self, event: Event) -> None:
        if event.get("Event-Name") == "BACKGROUND_JOB":
            job = self._jobs.pop(event.get("Job-UUID", ""), None)
            if job is not None and not job.done():
                job.set_result(event.get("_body", "").strip())
            return
        try:
            self._on_event(event)
        except Exception:
            _log.exception("freeswitch: an event could not be handled")

    def _drop(self) -> None:
        self._ready.clear()
        if self._writer is not None:
            with contextlib.suppress(RuntimeError):
                self._writer.close()
            self._writer = None
        for future in (*self._replies, *self._jobs.values()):
            if not future.done():
                future.set_exception(EslLost("the event socket was lost", sent=True))
                future.exception()
        self._replies.clear()
        self._jobs.clear()


def _accepted(reply: str) -> str:
    if reply.startswith("-"):
        raise EslRefused(reply[:200])
    return reply


def _posted(command: str, reply: asyncio.Future[str], answered: Callable[[], None]) -> None:
    if reply.cancelled() or reply.exception() is not None:
        _log.warning("freeswitch: no answer to %s", command)
        return
    if reply.result().startswith("-") and "No such channel" not in reply.result():
        _log.warning("freeswitch: %s was refused: %s", command, reply.result()[:80])
    answered()
