"""Whole calls on audio alone with the real script: voice → line → recogniser → Rasa → voice.

The customer's words reach the dialogue through the Mandarin recogniser only (marker `speech`).
Four spoken ID digits are beyond the small model, so these contacts have none and are asked whether
they are the owner.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from actions.memory import MemoryEffects
from bot.call.adapters import Adapters
from bot.call.clock import run_virtual
from bot.call.driver import CallDriver
from bot.call.journal import CallFacts
from bot.call.pacer import Pacer
from bot.call.parameters import Parameters
from bot.call.prompts import LinePrompts
from bot.call.session import CallSession
from bot.dialogue.engine import Engine
from bot.dialogue.version import ScriptVersion
from bot.events import CallEnded, UtteranceFinal
from bot.phone.persona import load_persona
from bot.phone.simulated import SimulatedLeg
from bot.speech.asr_pocketsphinx import PocketsphinxRecogniser
from bot.speech.phrases import phrases_after
from bot.speech.tts_espeak import EspeakSettings, EspeakVoice
from bot.speech.vad_batch import SileroDetection
from bot.understanding.completeness import Completeness
from tests.phone.test_audio_call import ROOT, ListLog
from tests.speech.sounds import MODELS
from tests.speech.test_pocketsphinx import needs_mandarin


async def call_by_ear(name: str, version: ScriptVersion, effects: MemoryEffects) -> tuple[CallEnded, ListLog]:
    persona = load_persona(ROOT / "personas" / f"{name}.yml")
    contact = {key: value for key, value in persona.contact.items() if key != "id_last4"}
    style = persona.voice
    settings = EspeakSettings(speed=style.speed, pitch=style.pitch, variant=style.variant)
    leg = SimulatedLeg(persona, EspeakVoice(settings, inline=True), words=False)
    await leg.ring()
    engine = Engine(effects=effects)
    engine.add(version)
    facts = CallFacts(
        call_id="by-ear",
        started=datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("Asia/Shanghai")),
        script="ringback",
        script_version=version.version,
        contact=contact,
        names=(str(contact["name"]),),
    )
    log, parameters, voices = ListLog(), Parameters(), SileroDetection()
    adapters = Adapters(
        leg=leg,
        brain=engine,
        prompts=LinePrompts(EspeakVoice(inline=True)),
        voices=voices,
        pacer=Pacer(voices.run),
        log=log,
        recogniser=PocketsphinxRecogniser("zh", folder=MODELS / "pocketsphinx-zh-tdt-8k"),
        phrases=phrases_after("zh", ROOT / "stories" / "ringback"),
        line_started=leg.bot_speaks,
    )
    session = CallSession(facts, parameters, Completeness({}), final_on_demand=True)
    return await CallDriver("by-ear", session, adapters, parameters).run(), log


@pytest.mark.speech
@needs_mandarin
@pytest.mark.parametrize(
    ("name", "disposition", "orders"), [("eager", "accepted", 1), ("do_not_call", "do_not_call", 0)]
)
def test_the_script_is_sold_and_refused_by_ear(
    ringback: ScriptVersion, name: str, disposition: str, orders: int
) -> None:
    effects = MemoryEffects()
    ended, log = run_virtual(call_by_ear(name, ringback, effects))
    heard = [event.text for event in log.events if isinstance(event, UtteranceFinal)]
    assert ended.disposition == disposition, heard
    assert len(effects.orders.done) == orders
    assert len(effects.do_not_call.done) == (disposition == "do_not_call")
