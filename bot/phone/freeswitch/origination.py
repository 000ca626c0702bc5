"""Placing calls through FreeSWITCH: `bgapi originate` under a UUID of ours, outcomes from its events.

The UUID is made from the permit's intent, and a line that lives under it is never dialled again;
FreeSWITCH itself refuses a second channel of one UUID.  Once the line is over the switch has
forgotten it: then only the permits and the dial ledger know.  Answered, the line is parked and the
media module is started on it; a line whose media cannot start is hung up.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

import msgspec

from bot.phone.dialling import Dial, DialFailed, DialPermit, LineHistory, LineNews, LineState, News, Permits
from bot.phone.freeswitch import commands
from bot.phone.freeswitch.commands import UnsafeValue, cause_of
from bot.phone.freeswitch.esl import EslLost, EslRefused
from bot.phone.freeswitch.esl_frames import Event
from bot.phone.freeswitch.stream_messages import (
    CONNECT_FAILED_EVENTS,
    BadMetadata,
    Metadata,
    metadata_word,
)
from bot.phone.freeswitch.switch import Switch

REMEMBERED = 10_000

_INTENTS = uuid.UUID("5f0a7f4e-31c5-5d0e-9d2c-6b6d1c9f7a10")
_STATES = {"answered": LineState.ANSWERED, "ringing": LineState.RINGING, "early": LineState.RINGING}
_PROGRESS = ("CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA")

_log = logging.getLogger(__name__)


class _Info(msgspec.Struct, frozen=True):
    answer_state: str = msgspec.field(name="Answer-State", default="")


_INFO = msgspec.json.Decoder(_Info)


def line_id_of(permit: DialPermit) -> str:
    """The UUID under which an intent is dialled: always the same."""
    return str(uuid.uuid5(_INTENTS, f"{permit.tenant_id}/{permit.intent_id}"))


class FreeSwitchOriginator:
    """The Originator port."""

    def __init__(self, switch: Switch, permits: Permits, news: News, now: Callable[[], datetime]) -> None:
        """`now`: the wall clock, aware."""
        self._switch, self._permits, self._tell, self._now = switch, permits, news, now
        self._history = LineHistory(self._told, remembered=REMEMBERED)
        self._last: dict[str, LineNews] = {}
        self._media: dict[str, str] = {}
        self._jobs: dict[str, asyncio.Future[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        switch.listen(self._event, self._catch_up)

    async def originate(self, dial: Dial) -> str:
        permit = dial.permit
        line_id = line_id_of(permit)
        try:
            command = commands.originate(
                self._switch.settings, line_id, permit.callee, permit.caller, dial.ring_s
            )
            start = self._start_media(line_id, dial)
            if await self._switch.api(commands.exists(line_id)) == "true":
                raise DialFailed(f"the line of intent {permit.intent_id} exists already", certain=False)
        except (UnsafeValue, BadMetadata, EslLost, EslRefused) as error:
            raise DialFailed(f"not dialled: {error}", certain=True) from error
        self._permits.use(permit, self._now())
        self._media[line_id] = start
        try:
            job = await self._switch.bgapi(command)
        except (EslLost, EslRefused) as error:
            sent = isinstance(error, EslLost) and error.sent
            if not sent:
                self._media.pop(line_id, None)
            raise DialFailed(f"FreeSWITCH did not take the dial: {error}", certain=not sent) from error
        self._jobs[line_id] = job
        self._history.take(LineNews(line_id, LineState.SENT))
        job.add_done_callback(lambda done: self._job_done(line_id, done))
        return line_id

    async def state(self, line_id: str) -> LineNews | None:
        known = self._last.get(line_id)
        if known is not None and known.state is LineState.ENDED:
            return known
        try:
            if await self._switch.api(commands.exists(line_id)) == "true":
                seen = _INFO.decode(await self._switch.api(commands.dump(line_id)))
                found = LineNews(line_id, _STATES.get(seen.answer_state, LineState.SENT))
                return found if known is None or found.state > known.state else known
        except EslRefused:
            pass  # it ended between the two questions
        except (EslLost, UnsafeValue, msgspec.DecodeError) as error:
            raise DialFailed(f"FreeSWITCH could not be asked: {error}", certain=False) from error
        known = self._last.get(line_id)
        if known is None or known.state is LineState.ENDED or line_id in self._jobs:
            return known
        return LineNews(line_id, LineState.ENDED, "normal" if known.state is LineState.ANSWERED else "failed")

    async def end(self, line_id: str) -> None:
        known = self._last.get(line_id)
        answered = known is not None and known.state is LineState.ANSWERED
        if line_id in self._jobs:
            self._switch.doom(line_id)  # its channel may not be there yet
        try:
            command = commands.kill(line_id, "NORMAL_CLEARING" if answered else "ORIGINATOR_CANCEL")
            await self._switch.api(command)
        except EslRefused as error:
            if "No such channel" not in str(error):
                raise DialFailed(f"FreeSWITCH did not hang up: {error}", certain=False) from error
        except (EslLost, UnsafeValue) as error:
            raise DialFailed(f"FreeSWITCH could not be told to hang up: {error}", certain=False) from error

    # -- news of the switch

    def _event(self, event: Event) -> None:
        line_id = event.get("Unique-ID", "")
        if line_id not in self._media:
            return
        name = event.get("Event-Name")
        if name == "CHANNEL_HANGUP_COMPLETE":
            self._ended(line_id, event.get("Hangup-Cause", ""))
        elif name in _PROGRESS:
            self._history.take(LineNews(line_id, LineState.RINGING))
        elif name == "CHANNEL_ANSWER":
            self._answered(line_id)
        elif event.get("Event-Subclass") == CONNECT_FAILED_EVENTS[self._switch.settings.module]:
            _log.warning("freeswitch: the module could not reach our media server; the line is hung up")
            self._switch.kill(line_id, "NORMAL_TEMPORARY_FAILURE")

    def _answered(self, line_id: str) -> None:
        if self._history.take(LineNews(line_id, LineState.ANSWERED)):
            self._spawn(self._stream(line_id, self._media[line_id]))

    async def _stream(self, line_id: str, start: str) -> None:
        try:
            await self._switch.api(start)
        except (EslLost, EslRefused) as error:
            _log.warning("freeswitch: the media of an answered line did not start: %s", error)
            self._switch.kill(line_id, "NORMAL_TEMPORARY_FAILURE")

    def _ended(self, line_id: str, hangup_cause: str) -> None:
        self._media.pop(line_id, None)
        self._jobs.pop(line_id, None)
        self._history.take(LineNews(line_id, LineState.ENDED, cause_of(hangup_cause)))

    def _job_done(self, line_id: str, job: asyncio.Future[str]) -> None:
        self._jobs.pop(line_id, None)
        if job.cancelled() or job.exception() is not None:
            return
        if job.result().startswith("-ERR") and line_id in self._media:
            self._spawn(self._refused(line_id, job.result().removeprefix("-ERR").strip()))

    async def _refused(self, line_id: str, hangup_cause: str) -> None:
        """The originate failed; a line that lives all the same was dialled by somebody else before."""
        try:
            lives = await self._switch.api(commands.exists(line_id)) == "true"
        except (EslLost, EslRefused):
            lives = False
        if not lives:
            self._ended(line_id, hangup_cause)

    def _catch_up(self) -> None:
        """The event socket is up again: what became of the lines meanwhile?"""
        for line_id in list(self._media):
            self._spawn(self._ask(line_id))

    async def _ask(self, line_id: str) -> None:
        try:
            news = await self.state(line_id)
        except DialFailed:
            return  # the event socket is down again; the next connection asks again
        if news is None or news.state is LineState.ENDED:
            self._media.pop(line_id, None)
        if news is not None and news.state is LineState.ANSWERED:
            self._answered(line_id)
        elif news is not None:
            self._history.take(news)

    # -- small things

    def _start_media(self, line_id: str, dial: Dial) -> str:
        settings = self._switch.settings
        metadata = Metadata(
            uuid=line_id,
            caller=dial.permit.caller,
            called=dial.permit.callee,
            direction="outbound",
            mix="mono",
            parameters={**dial.parameters, "call_id": dial.call_id},
        )
        return commands.start_media(
            settings, line_id, metadata_word(metadata), "mono", self._switch.media_token
        )

    def _told(self, news: LineNews) -> None:
        self._last.pop(news.line_id, None)
        self._last[news.line_id] = news
        while len(self._last) > REMEMBERED:
            del self._last[next(iter(self._last))]
        self._tell(news)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
