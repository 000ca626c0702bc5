"""Fake callers on Twilio's side of Media Streams: real WebSockets, many calls on one core.

Each call sends its 50 mu-law frames a second on absolute deadlines, the recogniser's words as
`{"event":"words","streamSid":..,"text":..,"final":..}` on the same socket, and plays what comes as
Twilio does (_play_out): marks are echoed once played, `clear` empties and echoes them at once.  What is
measured is what plays.  A Clock ticks all calls, spread over the 20 ms; `late` tells how late it was
itself, so that a figure can be trusted.  Source: Twilio's documentation of Media Streams.
"""

from __future__ import annotations

import asyncio
import binascii
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks._play_out import FRAME_S, PlayOut
from benchmarks._turns_of_callers import Speech

_PHASES = 10
_SILENCE = binascii.b2a_base64(b"\xff" * 160, newline=False)
_MEDIA = (
    b'{"event":"media","sequenceNumber":"%d","streamSid":"%b",'
    b'"media":{"track":"inbound","chunk":"%d","timestamp":"%d","payload":"%b"}}'
)
_Found = TypeVar("_Found")


class CallFailed(Exception):
    """The engine did not take the call, or ended it; says how."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """When an utterance was spoken, seconds of time.monotonic: its first sample and its last."""

    begin_s: float
    end_s: float


class Clock:
    """Ticks every call each 20 ms."""

    def __init__(self) -> None:
        self.late = [0] * 101
        """Ticks by how late they were, whole ms; the last holds all that were later."""
        self._groups: list[list[Caller]] = [[] for _ in range(_PHASES)]
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """From now on."""
        self._task = asyncio.create_task(self._run(), name="callers' clock")

    async def stop(self) -> None:
        """No more ticks."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def join(self, caller: Caller) -> None:
        """This call is ticked too, in the emptiest part of the 20 ms."""
        min(self._groups, key=len).append(caller)

    def leave(self, caller: Caller) -> None:
        """And no more; one that never joined is no fault."""
        for group in self._groups:
            if caller in group:
                group.remove(caller)

    async def _run(self) -> None:
        step_s, begun = FRAME_S / _PHASES, time.monotonic()
        ticks = 0
        while True:
            due = begun + ticks * step_s
            wait_s = due - time.monotonic()
            await asyncio.sleep(max(0.0, wait_s))
            if group := self._groups[ticks % _PHASES]:
                self.late[min(100, max(0, int((time.monotonic() - due) * 1000)))] += 1
                for caller in tuple(group):
                    caller.tick(due)
            ticks += 1


class Caller(WSListener):  # type: ignore[misc]
    """One call."""

    def __init__(self, clock: Clock, sid: str, parameters: dict[str, str], whole: frozenset[int]) -> None:
        self.sid = sid
        self.stream_sid = "MZ" + sid[2:]
        self.play_out = PlayOut(whole)
        self.ended = ""
        """Why the engine's side is gone; empty while it is there."""
        self.frames_sent = 0
        self._clock = clock
        self._parameters = parameters
        self._transport: WSTransport | None = None
        self._stream = self.stream_sid.encode()
        self._sequence = 1
        self._frames: deque[bytes] = deque()
        self._tick_s = time.monotonic()
        self._waits: list[tuple[Callable[[float], Any], asyncio.Future[Any]]] = []
        self._timers: list[asyncio.TimerHandle] = []

    @classmethod
    async def dial(
        cls,
        clock: Clock,
        url: str,
        sid: str,
        parameters: dict[str, str] | None = None,
        whole: frozenset[int] = frozenset(),
    ) -> Caller:
        """Call the engine at `url`.  `sid`: CA and 32 hex digits; `whole`: see PlayOut.

        Raises CallFailed.
        """
        caller = cls(clock, sid, parameters or {}, whole)
        try:
            await ws_connect(lambda: caller, url)
        except Exception as error:  # picows raises what the socket or the handshake met
            raise CallFailed(f"{url} took no call: {error!r}") from error
        return caller

    # -- what a caller does

    def speak(self, speech: Speech) -> Spoken:
        """Say this from the next frame on; its words follow by themselves."""
        begin = self._tick_s  # a frame is sent when its last sample was spoken
        self._frames.extend(speech.frames)
        loop, now = asyncio.get_running_loop(), time.monotonic()
        self._timers = [
            timer
            for timer in self._timers
            if isinstance(timer, asyncio.TimerHandle) and timer.when() > loop.time()
        ]
        for offset_s, text, final in speech.words:
            message = {"event": "words", "streamSid": self.stream_sid, "text": text, "final": final}
            self._timers.append(
                loop.call_later(begin + offset_s - now, self._send, msgspec.json.encode(message))
            )
        return Spoken(begin, begin + speech.sound_s)

    async def until(self, found: Callable[[float], _Found | None], longest_s: float) -> _Found | None:
        """The first answer of `found`, which is asked each 20 ms with the time; None after so long.

        Raises CallFailed where the call ends meanwhile.
        """
        if self.ended:
            raise CallFailed(self.ended)
        wait: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        entry = (found, wait)
        self._waits.append(entry)
        try:
            result: _Found | None = await asyncio.wait_for(wait, longest_s)
            return result
        except TimeoutError:
            return None
        finally:
            if entry in self._waits:
                self._waits.remove(entry)

    async def hang_up(self) -> None:
        """Say stop and go."""
        self._clock.leave(self)
        for timer in self._timers:
            timer.cancel()
        transport = self._transport
        if transport is not None and not transport.is_disconnected:
            self._send(
                b'{"event":"stop","sequenceNumber":"%d","streamSid":"%b","stop":{"accountSid":"AC0","callSid":"%b"}}'
                % (self._next(), self._stream, self.sid.encode())
            )
            transport.send_close()
            transport.disconnect()
            await transport.wait_disconnected()

    # -- the clock

    def tick(self, due: float) -> None:
        """20 ms have passed: send a frame, play on."""
        self._tick_s = due
        sent = self.frames_sent
        payload = self._frames.popleft() if self._frames else _SILENCE
        self._send(_MEDIA % (self._next(), self._stream, sent + 1, sent * 20, payload))
        self.frames_sent = sent + 1
        now = time.monotonic()
        for name in self.play_out.advance(now):
            self._echo(name)
        for entry in tuple(self._waits):
            result = entry[0](now)
            if result is not None:
                self._waits.remove(entry)
                if not entry[1].done():
                    entry[1].set_result(result)

    # -- picows

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._send(b'{"event":"connected","protocol":"Call","version":"1.0.0"}')
        start = {
            "event": "start",
            "sequenceNumber": str(self._next()),
            "streamSid": self.stream_sid,
            "start": {
                "streamSid": self.stream_sid,
                "accountSid": "AC" + "0" * 32,
                "callSid": self.sid,
                "tracks": ["inbound"],
                "customParameters": self._parameters,
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            },
        }
        self._send(msgspec.json.encode(start))
        self._clock.join(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            if frame.msg_type == WSMsgType.CLOSE:
                self._end(f"the engine closed the socket: {frame.get_close_code()}")
                transport.disconnect()
            return
        try:
            self._message(frame.get_payload_as_bytes())
        except (ValueError, KeyError, msgspec.MsgspecError) as error:
            self._end(f"the engine sent what is no message of Twilio's: {error!r}")
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._end("the socket is gone")

    # -- the wire

    def _message(self, message: bytes) -> None:
        """One message of the engine; media is found without decoding the JSON."""
        key = message.find(b'"payload"')
        if key >= 0:
            begin = message.index(b'"', key + 9) + 1
            ulaw = binascii.a2b_base64(message[begin : message.index(b'"', begin)])
            self.play_out.arrive(ulaw, time.monotonic())
            return
        said = msgspec.json.decode(message)
        if said["event"] == "mark":
            self.play_out.mark(said["mark"]["name"])
        elif said["event"] == "clear":
            for name in self.play_out.clear(time.monotonic()):
                self._echo(name)
        else:
            raise ValueError(f"event {said['event']!r}")

    def _end(self, why: str) -> None:
        self.ended = self.ended or why
        self._clock.leave(self)
        for _, wait in self._waits:
            if not wait.done():
                wait.set_exception(CallFailed(self.ended))
        self._waits.clear()

    def _echo(self, name: str) -> None:
        message = {"event": "mark", "sequenceNumber": str(self._next()), "streamSid": self.stream_sid}
        self._send(msgspec.json.encode({**message, "mark": {"name": name}}))

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence - 1

    def _send(self, message: bytes) -> None:
        transport = self._transport
        if transport is not None and not transport.is_disconnected and not transport.is_close_frame_sent:
            transport.send(WSMsgType.TEXT, message)
