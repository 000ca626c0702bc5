"""Twilio's REST API: place a call, look it up, end it, give it to another number.

A call is placed only with a permit, once, and never tried again by itself: Twilio takes no id of
ours, so an answer that was lost may hide a call.  `find` looks such a call up.  Asking and hanging up
are tried up to three times.  Errors never name a number in the clear.
Source: https://www.twilio.com/docs/voice/api/call-resource
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from bot.phone.dialling import Dial, DialFailed, LineNews, LineState, Permits
from bot.phone.twilio import twiml
from bot.phone.twilio.outcomes import line_news
from bot.phone.twilio.settings import STATUS_PATH, TwilioSettings
from bot.understanding.masking import mask_partial

EVENTS = ("initiated", "ringing", "answered", "completed")
ATTEMPTS = 3
FIRST_PAUSE_S = 0.5
CLOCKS_DIFFER = timedelta(minutes=2)
"""So far Twilio's clock may be from ours where a call is looked up by its time."""

NOT_FOUND = 20404
NOT_IN_PROGRESS = 21220

Fields = list[tuple[str, str]]
T = TypeVar("T")


class _Call(msgspec.Struct):
    sid: str
    status: str
    date_created: str | None = None
    direction: str = ""
    queue_time: str | int | None = None


class _Calls(msgspec.Struct):
    calls: list[_Call]


class _Problem(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Refused(DialFailed):
    """Twilio answered with an error; `code` is Twilio's own, 0 where the body had none."""

    def __init__(self, status: int, code: int, message: str) -> None:
        reason = mask_partial(message)[:200] or "without a reason"
        super().__init__(f"Twilio answered {status}, code {code}: {reason}", certain=400 <= status < 500)
        self.status, self.code = status, code


class TwilioOriginator:
    """The Originator and the LineControl of one Twilio account.  The session is the caller's."""

    def __init__(
        self,
        settings: TwilioSettings,
        token: str,
        permits: Permits,
        session: aiohttp.ClientSession,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings, self._permits, self._session = settings, permits, session
        self._now, self._pause = now, pause
        self._calls = f"/2010-04-01/Accounts/{quote(settings.account_sid, safe='')}/Calls"
        login = b64encode(f"{settings.account_sid}:{token}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"}
        wait_s = settings.timeout_s
        self._timeout = aiohttp.ClientTimeout(total=3 * wait_s, connect=wait_s, sock_read=wait_s)

    async def originate(self, dial: Dial) -> str:
        """Place a call whose audio comes to our media socket: the callSid.

        Raises DialRefused, DialFailed.
        """
        fields = self._fields(dial)
        self._permits.use(dial.permit, self._now())
        call = await self._ask("POST", ".json", _Call, fields)
        starts = self._now() + timedelta(milliseconds=_queue_ms(call))
        if starts > dial.permit.not_after:
            await self.end(call.sid)
            raise DialFailed("Twilio would have dialled after the permit's time: ended", certain=False)
        return call.sid

    async def state(self, line_id: str) -> LineNews | None:
        """What became of a call; None where Twilio does not know it.  Raises DialFailed."""
        try:
            call = await self._insist("GET", _of(line_id), _Call)
        except _Refused as refused:
            if refused.status == 404 and refused.code == NOT_FOUND:
                return None
            raise
        return line_news(call.sid, call.status)

    async def find(self, dial: Dial) -> LineNews | None:
        """The call that a dial led to whose answer was lost; None where there is none (yet).

        Twilio lists no address of ours with a call, so it is known by the two numbers and the time:
        the newest call of ours between them since the permit began.
        """
        since = dial.permit.not_before - CLOCKS_DIFFER
        query = [("To", dial.permit.callee), ("From", dial.permit.caller), ("PageSize", "50")]
        found = await self._insist("GET", ".json", _Calls, query)
        ours = [
            (created, call)
            for call in found.calls
            if call.direction == "outbound-api"
            and (created := _created(call)) is not None
            and created >= since
        ]
        if not ours:
            return None
        newest = max(ours, key=lambda item: item[0])[1]
        return line_news(newest.sid, newest.status)

    async def end(self, line_id: str) -> None:
        """Hang up; one that is over already is success.  Raises DialFailed."""
        try:
            await self._insist("POST", _of(line_id), _Call, [("Status", "completed")])
        except _Refused as refused:
            if refused.status == 404 and refused.code == NOT_FOUND:
                return
            if refused.code != NOT_IN_PROGRESS:
                raise
            news = await self.state(line_id)
            if news is not None and news.state != LineState.ENDED:
                raise

    async def transfer(self, line_id: str, target: str, caller_id: str | None) -> None:
        """Give a call that is up to another number.  Raises DialFailed; ValueError for a bad target."""
        await self._ask("POST", _of(line_id), _Call, [("Twiml", twiml.dial(target, caller_id))])

    def _fields(self, dial: Dial) -> Fields:
        permit, settings = dial.permit, self._settings
        given = {
            **dial.parameters,
            "call_id": dial.call_id,
            "direction": "outbound",
            "from": permit.caller,
            "to": permit.callee,
        }
        try:
            document = twiml.connect_stream(settings.stream_url, given)
        except ValueError as error:
            raise DialFailed(str(error), certain=True) from error
        if len(document) > twiml.LONGEST_TWIML:
            raise DialFailed("the dial's parameters are over Twilio's 4000 characters", certain=True)
        fields = [
            ("To", permit.callee),
            ("From", permit.caller),
            ("Twiml", document),
            ("Timeout", str(dial.ring_s)),
        ]
        if settings.public_url:
            told = f"{settings.public_url.rstrip('/')}{STATUS_PATH}?call_id={quote(dial.call_id, safe='')}"
            fields += [("StatusCallback", told), ("StatusCallbackMethod", "POST")]
            fields += [("StatusCallbackEvent", event) for event in EVENTS]
        return fields

    async def _insist(self, method: str, path: str, kind: type[T], fields: Fields | None = None) -> T:
        """Ask again where that does no harm: no answer, too many requests, a fault at Twilio."""
        for attempt in range(1, ATTEMPTS):
            try:
                return await self._ask(method, path, kind, fields)
            except _Refused as refused:
                if refused.status != 429 and refused.status < 500:
                    raise
            except DialFailed:
                pass
            await self._pause(FIRST_PAUSE_S * 2 ** (attempt - 1))
        return await self._ask(method, path, kind, fields)

    async def _ask(self, method: str, path: str, kind: type[T], fields: Fields | None = None) -> T:
        url = self._settings.api_url.rstrip("/") + self._calls + path
        asks = method == "GET"
        try:
            async with self._session.request(
                method,
                url,
                params=fields if asks else None,
                data=None if asks else aiohttp.FormData(fields or []),
                headers=self._headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                status, body = answer.status, await answer.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise DialFailed(f"Twilio cannot be reached: {type(error).__name__}", certain=True) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DialFailed(f"Twilio gave no answer: {type(error).__name__}", certain=False) from error
        if not 200 <= status < 300:
            problem = _read(body, _Problem) or _Problem()
            raise _Refused(status, problem.code, problem.message)
        found = _read(body, kind)
        if found is None:
            raise DialFailed(f"Twilio answered {status} with something unreadable", certain=False)
        return found


def _of(line_id: str) -> str:
    return f"/{quote(line_id, safe='')}.json"


def _read(body: bytes, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _queue_ms(call: _Call) -> int:
    try:
        return max(0, int(call.queue_time or 0))
    except ValueError:
        return 0


def _created(call: _Call) -> datetime | None:
    try:
        found = parsedate_to_datetime(call.date_created or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
