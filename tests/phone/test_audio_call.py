"""Whole calls on audio alone, frame by frame: persona → line → voice detection → recogniser → a walk through
the offer → voice → line, with both sides recorded.  Virtual time; needs the Mandarin model (marker `speech`).

The brain here is a bare walk (what is asked next, by what was heard), so that ears, voice and leg are
tested and not the script.
"""

from __future__ import annotations

import json
import re
import wave
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from bot.call.adapters import Adapters
from bot.call.clock import run_virtual
from bot.call.driver import CallDriver
from bot.call.journal import CallFacts
from bot.call.pacer import Pacer
from bot.call.parameters import Parameters
from bot.call.prompts import LinePrompts
from bot.call.recorder import Recorder
from bot.call.session import CallSession
from bot.events import AnyEvent, CallEnded, UtteranceFinal
from bot.phone.persona import Persona, load_persona
from bot.phone.simulated import SimulatedLeg
from bot.speech.asr_pocketsphinx import PocketsphinxRecogniser
from bot.speech.phrases import phrases_after
from bot.speech.tts_espeak import EspeakSettings, EspeakVoice
from bot.speech.vad_batch import SileroDetection
from bot.turn import Line, Reply, TurnRequest
from bot.understanding.completeness import Completeness
from tests.speech.sounds import MODELS
from tests.speech.test_pocketsphinx import needs_mandarin

ROOT = Path(__file__).resolve().parents[2]
WALK = {
    "name": ("identity_check", "您好，请问是张先生吗？"),
    "permission": ("yes_no_question", "我是华声通信的智能语音，您彩铃一年能省三十块，说一下好吗？"),
    "offer": ("offer", "一次交三十块，就可以用一年，您需要办理吗？"),
    "owner": ("yes_no_question", "请问您是机主本人吗？"),
    "order": ("yes_no_question", "确认办理的话，请您说同意。"),
    "accepted": ("none", "好的，给您办好了，谢谢您，再见。"),
    "do_not_call": ("none", "好的，以后不会再打给您，再见。"),
}
NEXT = {"name": "permission", "permission": "offer", "offer": "owner", "owner": "order", "order": "accepted"}
YES = re.compile("是|对|行|好|说|可以|办|同意|本人")
STOP = re.compile("不要再|别再打|不想接")


@dataclass
class Walk:
    """Asks the next thing after a yes, the same again after anything else, ends at a do-not-call."""

    at: str = ""
    asked: list[TurnRequest] = field(default_factory=list)

    async def ask(self, request: TurnRequest) -> Reply:
        after = self.at
        if request.kind == "open":
            after = "name"
        elif request.text and STOP.search(request.text):
            after = "do_not_call"
        elif request.text and YES.search(request.text):
            after = NEXT.get(self.at, self.at)
        if not request.speculative:
            self.at = after
            self.asked.append(request)
        expects, text = WALK[after]
        ended = expects == "none"
        return Reply(
            call_id=request.call_id,
            turn=request.turn,
            node=after,
            lines=(Line(node=after, text=text, interruptible=not ended),),
            expects=expects,  # type: ignore[arg-type]
            ended=ended,
            disposition=after if ended else None,
            speculation="ready" if request.speculative else None,
        )


class ListLog:
    def __init__(self) -> None:
        self.events: list[AnyEvent] = []

    async def append(self, event: AnyEvent) -> int:
        self.events.append(event)
        return len(self.events)


def audio_call(persona: Persona, folder: Path) -> tuple[CallEnded, ListLog, SimulatedLeg, Path]:
    async def scenario() -> tuple[CallEnded, ListLog, SimulatedLeg, Path]:
        style = persona.voice
        settings = EspeakSettings(speed=style.speed, pitch=style.pitch, variant=style.variant)
        leg = SimulatedLeg(persona, EspeakVoice(settings, inline=True), words=False)
        await leg.ring()
        log, parameters, voices = ListLog(), Parameters(), SileroDetection()
        facts = CallFacts(
            call_id="audio-1",
            started=datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("Asia/Shanghai")),
            script="walk",
            script_version="1",
        )
        with Recorder(folder, "audio-1") as recorder:
            adapters = Adapters(
                leg=leg,
                brain=Walk(),
                prompts=LinePrompts(EspeakVoice(inline=True)),
                voices=voices,
                pacer=Pacer(voices.run),
                log=log,
                recogniser=PocketsphinxRecogniser("zh", folder=MODELS / "pocketsphinx-zh-tdt-8k"),
                recording=recorder,
                phrases=phrases_after("zh"),
                line_started=leg.bot_speaks,
            )
            session = CallSession(facts, parameters, Completeness({}), final_on_demand=True)
            ended = await CallDriver("audio-1", session, adapters, parameters).run()
        return ended, log, leg, recorder.path

    return run_virtual(scenario())


@pytest.mark.speech
@needs_mandarin
@pytest.mark.parametrize(("name", "disposition"), [("eager", "accepted"), ("do_not_call", "do_not_call")])
def test_a_call_by_ear_comes_to_its_true_end(name: str, disposition: str, tmp_path: Path) -> None:
    persona = load_persona(ROOT / "personas" / f"{name}.yml")
    ended, log, leg, path = audio_call(persona, tmp_path)
    heard = [event.text for event in log.events if isinstance(event, UtteranceFinal)]
    assert ended.disposition == disposition, json.dumps(
        [heard, [one.text for one in leg.said]], ensure_ascii=False
    )

    with wave.open(str(path)) as sound:
        both = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2").reshape(-1, 2)
    assert abs(len(both) / 8 - ended.at_ms) < 1500
    for one in leg.said:
        stretch = both[one.at_ms * 8 : one.end_ms * 8, 0].astype(float)
        assert np.sqrt(np.mean(stretch**2)) > 500, f"'{one.text}' is not where it was said"
