"""Agents with scripted phones, transfers to them, and calls of a bot that hands over at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bot import events as ev
from bot.bus.assisted import CallMeta, OpenCall, Posted, Utterance
from bot.bus.errors import BusDown
from bot.call.adapters import Adapters
from bot.call.clock import run_virtual
from bot.call.driver import CallDriver
from bot.call.journal import CallFacts
from bot.call.pacer import Pacer
from bot.call.ports import PhoneLeg, Recogniser, VoiceError
from bot.call.session import CallSession
from bot.phone.arrivals import Arrival
from bot.phone.settings import TransferSettings, TransferWay
from bot.processes.calls import Held
from bot.processes.joined_calls import Around
from bot.processes.softphones import Softphones
from bot.processes.transfers import Speaking, Transfers, Way
from bot.turn import Line
from tests.call.one_call import FACTS, GOODBYE, QUESTION, UNSURE, P, reply
from tests.call.test_driver import LOUD, Brain, Log, Loudness, Prompts
from tests.phone.scripted_leg import ScriptedLeg

BRIEFING_S = 6.0
CONTACT = {"name": "张伟", "phone": "13800138000"}
CONNECTING = Line(node="utter_connecting", text="我给您转人工", interruptible=False)


class Phone(ScriptedLeg):
    """A softphone.  `answers_after_s`: None where nobody comes; `declines`: he ends it instead."""

    def __init__(self, answers_after_s: float | None = 2.0, *, declines: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.rung: list[tuple[float, str]] = []
        self._answers_after_s, self._declines = answers_after_s, declines

    async def ring(self, caller: str, seconds: float = 30.0) -> bool:
        self.rung.append((asyncio.get_running_loop().time(), caller))
        after = self._answers_after_s
        await asyncio.sleep(seconds if after is None else min(after, seconds))
        if self._declines:
            self.leaves("agent")
            return False
        return after is not None and after <= seconds


class Assist:
    """The bus of assisted calls.  `down`: it takes nothing; `slow_s`: so long it takes to open a call."""

    def __init__(self) -> None:
        self.opened: list[tuple[float, OpenCall]] = []
        self.words: list[tuple[str, str, str, bool]] = []
        self.ended: list[tuple[str, str]] = []
        self.down = False
        self.slow_s = 0.0
        self.over = asyncio.Event()

    async def open(self, call: OpenCall) -> CallMeta:
        self._check()
        await asyncio.sleep(self.slow_s)
        self.opened.append((asyncio.get_running_loop().time(), call))
        return CallMeta(
            call_id=call.call_id, tenant_id=call.tenant_id, agent_id=call.agent_id, script=call.script,
            script_version="v1", direction=call.direction, started=call.at, started_ms=0, worker="w1",
        )  # fmt: skip

    async def post(self, call_id: str, utterances: Sequence[Utterance]) -> list[Posted]:
        self._check()
        self.words += [(call_id, one.party, one.text, one.final) for one in utterances]
        return [Posted("new", 1) for _ in utterances]

    async def end(self, call_id: str, by: str, at_ms: int, disposition: str | None = None) -> Posted:
        self._check()
        self.ended.append((call_id, by))
        self.over.set()
        return Posted("new", 1)

    def _check(self) -> None:
        if self.down:
            raise BusDown("Redis does not answer")


class Voice:
    """Says everything in `seconds`.  `dumb`: it cannot speak."""

    name = "loud"
    dumb = False

    def __init__(self, seconds: float = BRIEFING_S) -> None:
        self._frames = round(seconds / 0.02)
        self.said: list[str] = []

    async def synthesize(self, text: str) -> bytes:
        self.said.append(text)
        if self.dumb:
            raise VoiceError("no voice")
        return LOUD * self._frames


@dataclass
class Office:
    """Everything around; made on a running loop."""

    folder: Path
    ways: Sequence[Way] | None = None
    ring_s: float = 10.0
    most_s: float = 40.0
    recogniser: Recogniser | None = None
    detector: Callable[[], Any] | None = None
    softphones: Softphones = field(default_factory=Softphones)
    assist: Any = field(default_factory=Assist)
    voice: Voice = field(default_factory=Voice)
    pacer: Pacer = field(default_factory=Pacer)

    def __post_init__(self) -> None:
        settings = TransferSettings(
            ways=(TransferWay(softphone=True),),
            ring_s=self.ring_s,
            most_s=self.most_s,
            assist_script="bundle",
        )
        around = Around(self.pacer, self.folder, self.assist, self.recogniser, self.detector)
        speaking = Speaking(self.voice, Loudness(), P, lambda script, language: "彩铃包年")
        ways = [self.softphones] if self.ways is None else self.ways
        self.transfers = Transfers(settings, ways, around, speaking)

    def agent(self, agent_id: str, phone: Phone | None = None) -> Phone:
        """An agent who waits."""
        phone = phone or Phone()
        parameters = {"kind": "softphone", "agent_id": agent_id}
        self.softphones.arrived(Arrival(phone, "browser", agent_id, parameters=parameters))
        return phone

    def call(self, customer: PhoneLeg) -> BotCall:
        """A customer whom the bot puts through after its first words."""
        return BotCall(self, customer)

    @property
    def recordings(self) -> list[Path]:
        """What was recorded of joined calls."""
        return sorted(self.folder.glob("*.wav"))


class BotCall:
    """One call of the bot.  `over`: its last event."""

    def __init__(self, office: Office, customer: PhoneLeg) -> None:
        facts = CallFacts(
            call_id="bot-1", started=FACTS.started, script="ringback", script_version="v1", contact=CONTACT
        )
        handing = msgspec.structs.replace(
            reply(1, CONNECTING, ended=True, disposition="transferred"),
            handover={"to": "agent", "reason": "customer_asked", "context": {}},
        )
        failed = reply(2, QUESTION, expects="open_question")
        self.brain, self.log = Brain(handing, failed, reply(3, GOODBYE, ended=True)), Log()
        session = CallSession(facts, P, UNSURE, transfers=True)

        async def give(wanted: Any) -> None:
            await office.transfers.give(
                Held(facts, customer, self.driver, lambda: list(self.log.events)), wanted
            )

        adapters = Adapters(
            leg=customer, brain=self.brain, prompts=Prompts(), voices=Loudness(), pacer=office.pacer,
            log=self.log, transfer=give,
        )  # fmt: skip
        self.driver = CallDriver("bot-1", session, adapters, P)
        self.over: asyncio.Task[ev.CallEnded] = asyncio.create_task(self.driver.run())


Scene = Callable[[Office, ScriptedLeg, BotCall], Coroutine[Any, Any, None]]


async def until(holds: Callable[[], Any], limit_s: float = 120.0) -> None:
    """Virtual time goes on until something holds."""
    async with asyncio.timeout(limit_s):
        while not holds():
            await asyncio.sleep(0.02)


def play(folder: Path, scene: Scene, **office: Any) -> None:
    """A scene; afterwards no line is served, no task is left, each line was ended once at most."""

    async def whole() -> None:
        here = Office(folder, **office)
        customer = ScriptedLeg()
        call = here.call(customer)
        await scene(here, customer, call)
        await here.transfers.stop()
        await here.softphones.stop()
        await until(call.over.done)
        await asyncio.sleep(0.1)
        assert here.pacer.lines == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert len(customer.hung_up) <= 1

    run_virtual(whole())


def kinds(call: BotCall) -> list[str]:
    return [request.kind for request in call.brain.asked]


def spoken(phone: ScriptedLeg) -> int:
    """Frames of the briefing that were heard."""
    return sum(pcm == LOUD for _, pcm in phone.sent)


async def joined(office: Office, phone: Phone) -> None:
    await until(lambda: office.transfers.joined)
    assert office.softphones.states["li"] == "talking"
    assert not phone.hung_up
