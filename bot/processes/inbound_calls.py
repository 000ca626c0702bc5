"""Calls that customers make to us: which script answers, who the caller is, and words where nobody does.

A known caller is one whom we called (bot/store/callers.py): he comes with his contact and with the
script that called him.  Anybody else comes with his number at most.  What a line brings along about a
caller is never believed: only the number counts.  A queue's caller is given to people by the script
that greets for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from bot.call.journal import CallFacts
from bot.call.pcm import SILENT_FRAME, pad_to_frames
from bot.call.ports import FRAME_BYTES, FRAME_MS, HungUpIn, LegInput, PhoneLeg, SpeechError, Voice
from bot.phone.arrivals import Arrival
from bot.phone.inbound import Route, number_in, route
from bot.phone.settings import PhoneSettings
from bot.processes.calls import CallRefused
from bot.processes.expected import ExpectedCall
from bot.processes.line_calls import Versions, call_id_of
from bot.store.callers import Callers, KnownCaller
from bot.store.database import Database
from bot.store.do_not_call import DoNotCallRegister
from bot.store.keys import Keys
from bot.store.vault import VaultError
from bot.understanding.masking import mask

NOBODY = (
    ("zh", "您好,您拨打的号码现在没有人接听,请您稍后再拨,谢谢,再见。"),
    ("en", "Hello, nobody can answer this number at the moment. Please call again later. Goodbye."),
)
"""What a caller of a number without a route hears."""

TAIL_FRAMES = 20
"""Silence after the last word, so that hanging up does not cut it off."""

_log = logging.getLogger(__name__)


class CallerBook:
    """Who was called, and who must not be: asked and written in threads, never failing a call."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._callers, self._register = Callers(keys), DoNotCallRegister(keys)

    async def remember(self, facts: CallFacts) -> None:
        """An outbound call goes to this contact's number; the log says where it cannot be kept."""
        phone = str(facts.contact.get("phone") or "")
        if facts.direction == "outbound" and phone:
            await asyncio.to_thread(self._remember, facts, phone)

    async def find(self, tenant_id: str, number: str) -> tuple[KnownCaller | None, bool]:
        """The caller, and whether he is on the do-not-call list.  Where the database fails nobody is
        known: such a caller is helped, and never sold anything."""
        return await asyncio.to_thread(self._find, tenant_id, number)

    def _remember(self, facts: CallFacts, phone: str) -> None:
        try:
            with self._database.write() as connection:
                self._callers.remember(
                    connection, facts.tenant_id, facts.started, phone=phone, contact=facts.contact,
                    script=facts.script, call_id=facts.call_id,
                )  # fmt: skip
        except SQLAlchemyError as error:
            _log.error("call %s: its caller will not be known: %s", facts.call_id, type(error).__name__)

    def _find(self, tenant_id: str, number: str) -> tuple[KnownCaller | None, bool]:
        try:
            with self._database.read() as connection:
                known = self._callers.find(connection, tenant_id, number)
                contact_id = str(known.contact.get("id") or "") if known else ""
                listed = self._register.blocks(
                    connection, tenant_id, phone=number, contact_id=contact_id or None
                )
                return known, listed
        except (SQLAlchemyError, VaultError, ValueError) as error:
            _log.error("a caller is not looked up: %s", type(error).__name__)
            return None, False


class RoutedCalls:
    """The Inbound port by the routes of phones.yml."""

    def __init__(
        self, settings: PhoneSettings, book: CallerBook, brain: Versions, voices: dict[str, Voice]
    ) -> None:
        """`voices` by language speak where no route answers.  Raises ValueError for a queue that no
        script can greet for."""
        self._settings, self._book, self._brain = settings, book, brain
        self._nobody = Announcement(
            [(voices[language], text) for language, text in NOBODY if language in voices]
        )
        routes = settings.inbound.routes
        scripts = [settings.script, *(one.script for one in routes)]
        self._greeter = next((name for name in scripts if name), None)
        if self._greeter is None and any(one.queue for one in routes):
            raise ValueError("a queue needs a script that greets for it → phones.yml: add `script: NAME`")

    async def answer(self, arrival: Arrival) -> ExpectedCall:
        """The script and the contact.  Raises CallRefused; where no route answers, after the caller was
        told so."""
        if arrival.direction == "outbound":
            raise CallRefused("a line that says that we dialled it came without the token of its call")
        found = route(self._settings.inbound, arrival.called)
        if found is None and self._settings.script is not None:
            found = Route(number="*", script=self._settings.script)
        if found is None:
            await self._nobody.say(arrival.leg)
            await arrival.leg.hang_up("no_route")
            called = mask(number_in(arrival.called) or "no number")
            raise CallRefused(f"no route answers {called} → phones.yml: inbound.routes")
        script = found.script or self._greeter
        assert script is not None
        number = number_in(arrival.caller)
        known, listed = await self._book.find(found.tenant_id, number) if number else (None, False)
        contact: dict[str, Any] = {"phone": number} if number else {}
        if known is not None and (known.script == script or self._brain.version(known.script) is not None):
            script = known.script
            contact = {**known.contact, "phone": number, "called_at": known.at.isoformat()}
        contact["do_not_call"] = listed
        if found.queue is not None:
            contact["queue"] = found.queue
        return ExpectedCall(
            call_id=call_id_of(arrival), script=script, contact=contact, tenant_id=found.tenant_id,
            direction="inbound",
        )  # fmt: skip


class Announcement:
    """Fixed words that a line hears before it is hung up on; no dialogue, nothing is recorded."""

    def __init__(self, words: Sequence[tuple[Voice, str]]) -> None:
        self._words = words
        self._sound: bytes | None = None

    async def say(self, leg: PhoneLeg) -> None:
        """Play them, each frame at its moment; ends early where the caller hangs up."""
        gone = asyncio.Event()

        def receive(heard: LegInput) -> None:
            if isinstance(heard, HungUpIn):
                gone.set()

        leg.listen(receive)
        sound = await self._rendered()
        loop = asyncio.get_running_loop()
        due = loop.time()
        for start in range(0, len(sound), FRAME_BYTES):
            if gone.is_set():
                return
            leg.send(sound[start : start + FRAME_BYTES])
            due += FRAME_MS / 1000
            await asyncio.sleep(due - loop.time())

    async def _rendered(self) -> bytes:
        if self._sound is None:
            try:
                spoken = [pad_to_frames(await voice.synthesize(text)) for voice, text in self._words]
            except SpeechError as error:
                _log.error("a caller is hung up on without a word: %s", error)
                return b""
            self._sound = b"".join(sound + SILENT_FRAME * TAIL_FRAMES for sound in spoken)
        return self._sound
