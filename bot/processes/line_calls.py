"""Calls that come up on real phone lines: whose they are, which script answers, and holding them.

A call that we dialled, or were told of, is found by the token that its line carries (`call`); any
other one by the inbound routes.  Whatever is wrong with one call ends that call alone, with its
reason in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from redis.asyncio import Redis

from bot.bus import BusError
from bot.bus.journal import JournalError
from bot.bus.tasks import end
from bot.call.journal import CallFacts
from bot.call.ports import SpeechError
from bot.call.recorder import safe_name
from bot.phone.arrivals import Arrival
from bot.processes.call_facts import OPEN_FACTS
from bot.processes.calls import CallRefused, Calls, Wishes
from bot.processes.expected import ExpectedCall, claim
from bot.processes.script_data import ScriptDataError

MOST_CONTACT_BYTES = 16 * 1024
_log = logging.getLogger(__name__)


Remember = Callable[[CallFacts], Coroutine[Any, Any, None]]


class Versions(Protocol):
    """Which version of a script a call would get now (bot/processes/remote_brain.py)."""

    def version(self, script: str) -> str | None: ...


class Inbound(Protocol):
    """Who answers a call that nobody here dialled."""

    async def answer(self, arrival: Arrival) -> ExpectedCall:
        """The script and the contact.  Raises CallRefused."""
        ...


class LineCalls:
    """Takes arrivals, holds their calls."""

    def __init__(
        self, redis: Redis, calls: Calls, brain: Versions, inbound: Inbound,
        *, wishes: Callable[[Arrival, CallFacts], Wishes], remember: Remember | None = None,
    ) -> None:  # fmt: skip
        """`remember`: told of each call that we made, so that the customer is known when he rings back."""
        self._redis, self._calls, self._brain = redis, calls, brain
        self._inbound, self._wishes, self._remember = inbound, wishes, remember
        self._tasks: set[asyncio.Task[None]] = set()
        self.coming = 0
        """Lines that are up, and whose calls have not begun yet."""

    def arrived(self, arrival: Arrival) -> None:
        """A line is up (the Arrived port)."""
        self.coming += 1
        self._begin(self._whole(arrival), f"line {arrival.provider}")

    async def stop(self) -> None:
        """End those that have not ended with their calls."""
        await end(*self._tasks)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _whole(self, arrival: Arrival) -> None:
        try:
            facts = await self._facts(arrival)
        except (CallRefused, BusError) as error:
            _log.error("a call on a %s line is refused: %s", arrival.provider, error)
            await arrival.leg.hang_up("refused")
            return
        except Exception:
            _log.exception("a call on a %s line cannot be begun", arrival.provider)
            await arrival.leg.hang_up("fault")
            return
        finally:
            self.coming -= 1
        if self._remember is not None and "call" in arrival.parameters and facts.direction == "outbound":
            self._begin(self._remember(facts), "remember")
        try:
            await self._calls.hold(facts, arrival.leg, self._wishes(arrival, facts))
        except (CallRefused, SpeechError, BusError, JournalError, ScriptDataError) as error:
            _log.error("call %s cannot be held: %s", facts.call_id, error)
        except Exception:
            _log.exception("call %s broke", facts.call_id)

    async def _facts(self, arrival: Arrival) -> CallFacts:
        token = arrival.parameters.get("call")
        if token is not None:
            expected = await claim(self._redis, token)
            if expected is None:
                raise CallRefused("its token is unknown, or another socket has claimed the call")
        else:
            expected = await self._inbound.answer(arrival)
        version = expected.script_version or self._brain.version(expected.script)
        if version is None:
            raise CallRefused(f"no brain serves the script '{expected.script}'")
        contact = expected.contact
        name = str(contact.get("name") or "")
        return CallFacts(
            call_id=expected.call_id, tenant_id=expected.tenant_id, started=datetime.now(_zone(contact)),
            script=expected.script, script_version=version, contact=contact,
            customer={key: contact[key] for key in OPEN_FACTS if key in contact}, campaign=expected.campaign,
            direction=expected.direction, names=(name,) if name else (), seed=expected.seed,
        )  # fmt: skip


class OneScript:
    """Every call gets the same script, and the contact that its line brought along as JSON
    (customParameters.contact): `huashu voice --listen`, tests, evaluation.  It speaks as one who calls,
    unless the parameter `direction` is inbound."""

    def __init__(self, script: str) -> None:
        self._script = script

    async def answer(self, arrival: Arrival) -> ExpectedCall:
        """Raises CallRefused for a contact that is none."""
        contact = contact_of(arrival.parameters.get("contact"))
        if arrival.caller and "phone" not in contact:
            contact["phone"] = arrival.caller
        seed = arrival.parameters.get("seed", "0")
        return ExpectedCall(
            call_id=call_id_of(arrival), script=self._script, contact=contact,
            seed=int(seed) if seed.isdecimal() and len(seed) < 10 else 0,
            direction="inbound" if arrival.parameters.get("direction") == "inbound" else "outbound",
        )  # fmt: skip


def contact_of(text: str | None) -> dict[str, Any]:
    """A contact from JSON, {} where there is none.  Raises CallRefused where it is no JSON object."""
    if not text:
        return {}
    try:
        data = text.encode()
        if len(data) > MOST_CONTACT_BYTES:
            raise CallRefused(f"its contact has over {MOST_CONTACT_BYTES} bytes")
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise CallRefused("its contact is no JSON object") from error


def call_id_of(arrival: Arrival) -> str:
    """Our id of a call that has none yet: the switch's own, made safe."""
    return safe_name(arrival.line_id or "call")


def _zone(contact: dict[str, Any]) -> ZoneInfo:
    try:
        return ZoneInfo(str(contact.get("timezone") or "Asia/Shanghai"))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: "Asia", a name too long for a file
        return ZoneInfo("Asia/Shanghai")
