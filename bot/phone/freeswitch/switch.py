"""One FreeSWITCH as the adapter sees it: its event socket, and who is told of which line's events.

Several processes may hold an event socket of the same switch: each hears all lines and acts only on
its own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Protocol

from bot.phone.freeswitch import commands
from bot.phone.freeswitch.esl import EslClient
from bot.phone.freeswitch.esl_frames import Event
from bot.phone.freeswitch.settings import FreeSwitchSettings
from bot.phone.freeswitch.stream_messages import CONNECT_FAILED_EVENTS, PLAY_EVENTS, written_file

MOST_DOOMED = 1000

_KEYS = "0123456789*#ABCD"


class LineOwner(Protocol):
    """Who is told what the switch says of a line."""

    def key(self, digit: str) -> None: ...

    def file_written(self, file: str, piece: int) -> None: ...


class Switch:
    """The event socket of one switch.  See EslClient for what `api`, `post` and `bgapi` raise."""

    def __init__(self, settings: FreeSwitchSettings, password: str, media_token: str | None = None) -> None:
        self.settings = settings
        self.media_token = media_token
        module = settings.module
        self._client = EslClient(
            settings.esl_host,
            settings.esl_port,
            password,
            events=(
                "BACKGROUND_JOB CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER "
                f"CHANNEL_HANGUP_COMPLETE DTMF CUSTOM {PLAY_EVENTS[module]} {CONNECT_FAILED_EVENTS[module]}"
            ).split(),
            on_event=self._event,
            on_connected=self._connected,
        )
        self.api, self.post, self.bgapi = self._client.api, self._client.post, self._client.bgapi
        self.start, self.stop, self.ready = self._client.start, self._client.stop, self._client.ready
        self._owners: dict[str, LineOwner] = {}
        self._listeners: list[Callable[[Event], None]] = []
        self._reconnected: list[Callable[[], None]] = []
        self._to_kill: dict[str, str] = {}
        self._doomed: dict[str, None] = {}

    @classmethod
    def of_environment(cls, settings: FreeSwitchSettings) -> Switch:
        """With the secrets that the settings name.  Raises KeyError where a variable is not set."""
        token = settings.media_token_env
        return cls(settings, os.environ[settings.esl_password_env], os.environ[token] if token else None)

    @property
    def connected(self) -> bool:
        """Whether commands can be sent now."""
        return self._client.connected

    def own(self, line_id: str, owner: LineOwner) -> bool:
        """Tell `owner` of a line's keys and files; False where the line has an owner already."""
        return self._owners.setdefault(line_id, owner) is owner

    def disown(self, line_id: str) -> None:
        """Tell nobody of it any more; idempotent."""
        self._owners.pop(line_id, None)

    def kill(self, line_id: str, cause: str = "NORMAL_CLEARING") -> None:
        """Hang a line up, for certain: where the event socket is down, as soon as it is up again."""
        self._to_kill[line_id] = cause
        self._post_kill(line_id)

    def doom(self, line_id: str) -> None:
        """A line that was dialled a moment ago is given up: hang it up too if its channel comes now."""
        self._doomed[line_id] = None
        if len(self._doomed) > MOST_DOOMED:
            del self._doomed[next(iter(self._doomed))]

    def _post_kill(self, line_id: str) -> None:
        command = commands.kill(line_id, self._to_kill[line_id])
        self.post(command, lambda: self._killed(line_id))

    def _killed(self, line_id: str) -> None:
        self._to_kill.pop(line_id, None)

    def listen(self, event: Callable[[Event], None], connected: Callable[[], None] = lambda: None) -> None:
        """Tell of all channel events, and each time that the event socket is up (again)."""
        self._listeners.append(event)
        self._reconnected.append(connected)

    def _connected(self) -> None:
        for line_id in list(self._to_kill):
            self._post_kill(line_id)
        for connected in self._reconnected:
            connected()

    def _event(self, event: Event) -> None:
        name, line_id = event.get("Event-Name"), event.get("Unique-ID", "")
        owner = self._owners.get(line_id)
        if name == "CHANNEL_CREATE" and line_id in self._doomed:
            del self._doomed[line_id]
            self.kill(line_id, "ORIGINATOR_CANCEL")
        if name == "DTMF":
            digit = event.get("DTMF-Digit", "").upper()
            if owner is not None and len(digit) == 1 and digit in _KEYS:
                owner.key(digit)
        elif name == "CUSTOM" and event.get("Event-Subclass") == PLAY_EVENTS[self.settings.module]:
            written = written_file(event.get("_body", ""))
            if owner is not None and written is not None:
                owner.file_written(*written)
        else:
            for listener in self._listeners:
                listener(event)


async def job_answer(job: asyncio.Future[str], limit_s: float) -> str:
    """A background command's answer.  Raises TimeoutError, EslLost."""
    return await asyncio.wait_for(asyncio.shield(job), limit_s)
