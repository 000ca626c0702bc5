"""A FreeSWITCH from the other side: an event socket server with its framing, channels, media modules.

Written from mod_event_socket.c, mod_commands.c and the modules' sources; knows nothing of our code.
`Peer` answers API commands, fires events (JSON), and starts a module on a channel when told to, which
connects to the media server for real.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shlex
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

import aiohttp

from tests.phone.freeswitch.module_peer import Channel, ForkModule, Module, StreamModule


class Peer:
    """The switch.  `edition`: of the media module, as `module` builds it."""

    def __init__(self, password: str = "ClueCon", edition: str = "jambonz") -> None:
        self.password, self.edition = password, edition
        self.channels: dict[str, Channel] = {}
        self.gone: dict[str, Channel] = {}
        self.commands: list[str] = []
        self.refuse: dict[str, str] = {}
        self.greeting = "Content-Type: auth/request\n\n"
        self.changed = asyncio.Event()
        self.logins = 0
        self.hold_channels = False
        self._held: list[tuple[str, str]] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._subscribed: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._jobs: dict[str, str] = {}

    async def start(self, port: int = 0) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        self._server.close()
        await self.drop_connections()
        for channel in [*self.channels.values(), *self.gone.values()]:
            if channel.module is not None:
                await channel.module.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def drop_connections(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()
        await self.until(lambda: not self._writers)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for a command or a connection to change something."""
        async with asyncio.timeout(10):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    def ran(self, start: str) -> list[str]:
        """The API commands that begin so."""
        return [command for command in self.commands if command.startswith(start)]

    # -- what happens on the line

    def new_channel(self, uuid: str | None = None, state: str = "answered") -> Channel:
        channel = Channel(uuid or str(uuid4()), answer_state=state)
        self.channels[channel.uuid] = channel
        return channel

    def dialplan(self, command: str, words: list[str]) -> None:
        """`${command(words)}` in the dialplan of the channel words[0]."""
        assert getattr(self, f"_{command}")(self.channels[words[0]], words[1:]).startswith("+OK")

    def release_channels(self) -> None:
        """The originates that were held back make their channels now."""
        self.hold_channels = False
        while self._held:
            self._background(*self._held.pop())

    def progress(self, uuid: str) -> None:
        self.fire(uuid, "CHANNEL_PROGRESS")

    def answer(self, uuid: str) -> None:
        channel = self.channels[uuid]
        channel.answer_state = "answered"
        self.fire(uuid, "CHANNEL_ANSWER")
        self._job_done(uuid, f"+OK {uuid}\n")

    def hang_up(self, uuid: str, cause: str) -> None:
        channel = self.channels.pop(uuid)
        channel.hangup_cause = cause
        self.gone[uuid] = channel
        self.fire(uuid, "CHANNEL_HANGUP_COMPLETE", {"Hangup-Cause": cause})
        if channel.answer_state != "answered":
            self._job_done(uuid, f"-ERR {cause}\n")
        if channel.module is not None:
            self._spawn(channel.module.close())
        self.changed.set()

    def press(self, uuid: str, digit: str) -> None:
        self.fire(uuid, "DTMF", {"DTMF-Digit": digit, "DTMF-Duration": "2000"})

    def play_queued(self, uuid: str) -> bytes:
        """The channel plays what was broadcast to it."""
        channel = self.channels[uuid]
        assert channel.module is not None
        sound = b"".join(channel.module.files[name] for name in channel.queued)
        channel.queued.clear()
        channel.played += sound
        return sound

    def fire(
        self, uuid: str, name: str, headers: dict[str, str] | None = None, body: str | None = None
    ) -> None:
        event: dict[str, object] = {"Event-Name": name, "Unique-ID": uuid, "variable_x": ["a", "b"]}
        event |= headers or {}
        if body is not None:
            event |= {"Content-Length": str(len(body.encode())), "_body": body}
        text = json.dumps(event).encode()
        packet = b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(text) + text
        for writer in self._subscribed:
            writer.write(packet)

    def raw(self, data: bytes) -> None:
        """Bytes to every connection, whatever they are."""
        for writer in self._writers:
            writer.write(data)

    # -- the event socket

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.changed.set()
        writer.write(self.greeting.encode())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                request = (await reader.readuntil(b"\n\n")).decode().strip("\n")
                line, *headers = request.split("\n")
                verb, _, rest = line.partition(" ")
                self._command(writer, verb, rest, headers)
                self.changed.set()
        self._writers.discard(writer)
        self._subscribed.discard(writer)
        self.changed.set()
        writer.close()

    def _command(self, writer: asyncio.StreamWriter, verb: str, rest: str, headers: list[str]) -> None:
        def reply(text: str, more: str = "") -> None:
            writer.write(f"Content-Type: command/reply\nReply-Text: {text}\n{more}\n".encode())

        if verb == "auth":
            good = rest == self.password
            self.logins += good
            reply("+OK accepted" if good else "-ERR invalid")
        elif verb == "event":
            assert rest.split()[0] == "json"
            self._subscribed.add(writer)
            reply("+OK event listener enabled json")
        elif verb == "bgapi":
            job = next(line.split(": ", 1)[1] for line in headers if line.startswith("Job-UUID"))
            reply(f"+OK Job-UUID: {job}", f"Job-UUID: {job}\n")
            self._background(job, rest)
        elif verb == "api":
            answer = self._api(rest).encode()
            writer.write(b"Content-Type: api/response\nContent-Length: %d\n\n" % len(answer) + answer)
        else:
            reply("-ERR command not found")

    def _background(self, job: str, command: str) -> None:
        self.commands.append(command)
        match = re.fullmatch(r"originate \{(.*?)\}(\S+) &park\(\)", command)
        assert match is not None, f"no originate of ours: {command}"
        if self.hold_channels:
            self._held.append((job, command))
            return
        variables = dict(pair.split("=", 1) for pair in match[1].split(","))
        uuid = variables["origination_uuid"]
        if uuid in self.channels:
            self.fire("", "BACKGROUND_JOB", {"Job-UUID": job}, "-ERR DESTINATION_OUT_OF_ORDER\n")
            return
        if (refusal := self.refuse.get("originate")) is not None:
            self.fire("", "BACKGROUND_JOB", {"Job-UUID": job}, refusal)
            return
        channel = self.new_channel(uuid, "ringing")
        channel.dial_string, channel.variables = match[2], variables
        self._jobs[uuid] = job
        self.fire(uuid, "CHANNEL_CREATE")

    def _job_done(self, uuid: str, answer: str) -> None:
        if (job := self._jobs.pop(uuid, None)) is not None:
            self.fire("", "BACKGROUND_JOB", {"Job-UUID": job}, answer)

    def _api(self, command: str) -> str:
        self.commands.append(command)
        words = shlex.split(command)
        if (refusal := self.refuse.get(words[0])) is not None:
            return refusal
        channel = self.channels.get(words[1])
        if words[0] == "uuid_exists":
            return "true" if channel is not None else "false"
        if channel is None:
            return "-ERR No such channel!\n"
        return str(getattr(self, f"_{words[0]}")(channel, words[2:]))

    def _uuid_dump(self, channel: Channel, words: list[str]) -> str:
        assert words == ["json"]
        return json.dumps({"Event-Name": "CHANNEL_DATA", "Answer-State": channel.answer_state})

    def _uuid_kill(self, channel: Channel, words: list[str]) -> str:
        self.hang_up(channel.uuid, words[0] if words else "NORMAL_CLEARING")
        return "+OK\n"

    def _uuid_break(self, channel: Channel, words: list[str]) -> str:
        assert words == ["all"]
        channel.queued.clear()
        return "+OK\n"

    def _uuid_broadcast(self, channel: Channel, words: list[str]) -> str:
        assert words[1] == "aleg"
        channel.queued.append(words[0])
        return "+OK Message sent\n"

    def _uuid_send_dtmf(self, channel: Channel, words: list[str]) -> str:
        channel.keys += words[0]
        return f"+OK {channel.uuid} sent DTMF {words[0]}.\n"

    def _uuid_transfer(self, channel: Channel, words: list[str]) -> str:
        channel.transferred_to = " ".join(words)
        return "+OK\n"

    def _uuid_bridge(self, channel: Channel, words: list[str]) -> str:
        if words[0] not in self.channels:
            return "-ERR Invalid uuid\n"
        channel.bridged_to = words[0]
        return f"+OK {words[0]}\n"

    def _uuid_audio_stream(self, channel: Channel, words: list[str]) -> str:
        return self._media(channel, words, words[4] if len(words) > 4 else None)

    def _uuid_audio_fork(self, channel: Channel, words: list[str]) -> str:
        return self._media(channel, words, words[5] if len(words) > 5 else None)

    def _media(self, channel: Channel, words: list[str], metadata: str | None) -> str:
        if words[0] == "stop":
            if channel.module is None:
                return "-ERR Operation Failed\n"
            self._spawn(channel.module.close())
            channel.module = None
            return "+OK Success\n"
        if channel.module is not None:
            return "-ERR Operation Failed\n"
        assert words[2] in ("mono", "stereo") and words[3] in ("8k", "16k")
        channel.module = self.module(channel.uuid, words[6:] == ["true", "true", "8000"])
        self._spawn(self._connect(channel.module, words[1], metadata))
        return "+OK Success\n"

    def module(self, uuid: str, bidirectional: bool = True) -> Module:
        """A module as this switch has it, for a channel."""

        def fire(name: str, body: dict[str, object]) -> None:
            self.fire(uuid, "CUSTOM", {"Event-Subclass": name}, json.dumps(body))

        if self.edition in ("community", "two_way"):
            return StreamModule(uuid, fire, self.edition)
        return ForkModule(uuid, fire, bidirectional and self.edition == "jambonz")

    async def _connect(self, module: Module, url: str, metadata: str | None) -> None:
        try:
            await module.connect(url, metadata)
        except aiohttp.ClientError as error:
            module.fire(
                "mod_audio_stream::error"
                if isinstance(module, StreamModule)
                else "mod_audio_fork::connect_failed",
                {"reason": str(error)},
            )
        self.changed.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
