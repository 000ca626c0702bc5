"""One Asterisk's REST interface over HTTP: requests with a time limit and typed errors.

The password goes into the Authorization header (Basic, which res_ari takes before `api_key`), so it
stands in no address and in no log; numbers go into the body.  Raises AriRefused where Asterisk said
no and AriNoAnswer where it said nothing.
"""

from __future__ import annotations

import asyncio
import binascii
import logging
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import aiohttp
import msgspec

from bot.phone.asterisk.settings import AriSettings
from bot.understanding.masking import mask

LARGEST_REPLY = 4 * 1024 * 1024
"""Bytes; a list of a thousand channels is about 700 kB."""

KEPT_ALIVE_S = 5.0
"""An idle connection is kept so long: less than Asterisk's session_keep_alive (15 s), lest a dial go
out on one that is just being closed."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


class AriFault(Exception):
    """A request to Asterisk that did not do what it should."""


class AriRefused(AriFault):
    """Asterisk answered with an error.  `status`: of HTTP."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(f"{what}: HTTP {status}")
        self.status = status


class AriNoAnswer(AriFault):
    """No whole answer came.  `sent`: the request may have been carried out all the same."""

    def __init__(self, what: str, why: str, *, sent: bool) -> None:
        super().__init__(f"{what}: {why}")
        self.sent = sent


class _Why(msgspec.Struct):
    message: str = ""


class AriClient:
    """A keep-alive session to one Asterisk.  Call `start` first and `close` at the end."""

    def __init__(self, settings: AriSettings, password: str) -> None:
        self.settings = settings
        pair = f"{settings.user}:{password}".encode()
        self._headers = {"Authorization": "Basic " + binascii.b2a_base64(pair, newline=False).decode()}
        self._session: aiohttp.ClientSession | None = None
        self._chores: set[asyncio.Task[None]] = set()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, which carries the password.  Raises AriNoAnswer before start and after close."""
        if self._session is None:
            raise AriNoAnswer("Asterisk", "the client is closed", sent=False)
        return self._session

    async def start(self) -> None:
        """Open the session; nothing is sent yet."""
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=self.settings.timeout_s),
            connector=aiohttp.TCPConnector(limit=64, keepalive_timeout=KEPT_ALIVE_S),
        )

    async def drain(self) -> None:
        """Wait until what is done in the background is done."""
        while self._chores:
            await asyncio.wait(set(self._chores))

    async def close(self) -> None:
        """Let what is under way end, then close."""
        await self.drain()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> bytes:
        """One request below the base address; the body of the reply.  Raises AriFault."""
        what = f"{method} {path}"
        try:
            async with self.session.request(
                method,
                self.settings.url.rstrip("/") + path,
                params=query,
                data=msgspec.json.encode(body) if body is not None else None,
                headers={"Content-Type": "application/json"} if body is not None else None,
                allow_redirects=False,
            ) as reply:
                content = await reply.content.read(LARGEST_REPLY + 1)
                while len(content) <= LARGEST_REPLY and not reply.content.at_eof():
                    content += await reply.content.read(LARGEST_REPLY + 1 - len(content))
                status = reply.status
        except aiohttp.ClientConnectorError as error:
            raise AriNoAnswer(what, "cannot connect", sent=False) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise AriNoAnswer(what, "no connection in time", sent=False) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise AriNoAnswer(what, type(error).__name__, sent=True) from error
        if len(content) > LARGEST_REPLY:
            raise AriNoAnswer(what, "a reply over 4 MB", sent=True)
        if not 200 <= status < 300:
            _log.info("Asterisk refused %s: HTTP %d %s", method, status, _reason(content))
            raise AriRefused(what, status)
        return content

    async def read(self, what: type[T], method: str, path: str, body: Mapping[str, Any] | None = None) -> T:
        """A request whose reply is an object.  Raises AriFault, also where the reply is not one."""
        content = await self.request(method, path, body=body)
        try:
            return msgspec.json.decode(content, type=what)
        except msgspec.DecodeError as error:
            raise AriNoAnswer(f"{method} {path}", "a reply of an unknown shape", sent=True) from error

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do in the background; a failure is logged."""
        task = asyncio.ensure_future(work)
        self._chores.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._chores.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, AriFault):
            _log.warning("Asterisk: %s", error)
        elif error is not None:
            _log.error("work on a line of Asterisk broke", exc_info=error)


def _reason(content: bytes) -> str:
    """Asterisk's own words of an error; some of them name what was dialled."""
    try:
        return mask(msgspec.json.decode(content, type=_Why).message[:100])
    except msgspec.DecodeError:
        return "(no reason given)"
