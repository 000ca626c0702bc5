"""A Pipecat 1.14 phone bot for benchmarks.versus_pipecat, in Pipecat's environment; imports nothing of ours.

    python _pipecat_bot.py --port PORT --turns vad|smart_turn|min_words --prompts FILE

FastAPI, TwilioFrameSerializer and FastAPIWebsocketTransport as in Pipecat's Twilio examples, 8 kHz both
ways, its own Silero voice detection and turn strategies with their defaults.  Stubbed, always in
Pipecat's favour: the recogniser (the caller's `words` messages become transcription frames as they
arrive, the last of a stretch marked finalized, so that no safety time is waited), the language model
(the next prompt of FILE at once), the voice (the prompt's sound at once, with the start of each
character, as services with word times give it).  Metrics, RTVI and turn tracking are off, logging is at
WARNING, the loop is uvloop.  GET /kept tells what it keeps of each thing it said.
FILE: JSON list of {"text", "pcm" (base64, 8 kHz), "words" ([[character, second it begins at], ..])}.
"""
# mypy: disable-error-code="import-not-found,import-untyped,no-untyped-call"

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    Frame,
    InterimTranscriptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMRunFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_start import MinWordsUserTurnStartStrategy
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy, TurnAnalyzerUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner

RATE_HZ = 8000
CHUNK_BYTES = RATE_HZ  # half a second: what Pipecat's TTSService.chunk_size recommends


class WordsSerializer(TwilioFrameSerializer):
    """Twilio's messages, and beside them the stub recogniser's words."""

    async def deserialize(self, data: str | bytes) -> Frame | None:
        """One message of the caller."""
        if not str(data[:16]).startswith('{"event":"words"'):
            return await super().deserialize(data)
        words = json.loads(data)
        if words["final"]:
            return TranscriptionFrame(words["text"], "caller", time_now_iso8601(), finalized=True)
        return InterimTranscriptionFrame(words["text"], "caller", time_now_iso8601())


class FixedReplies(FrameProcessor):
    """The language model's stub: the prompts in order, each at once."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self._texts = texts
        self._turns = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """A context asks for the next reply."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        text = self._texts[self._turns % len(self._texts)]
        self._turns += 1
        await self.push_frame(LLMFullResponseStartFrame())
        await self.push_frame(LLMTextFrame(text))
        await self.push_frame(LLMFullResponseEndFrame())


class FixedVoice(TTSService):
    """The voice's stub: the sound of a prompt, and when each of its characters begins."""

    def __init__(self, sounds: dict[str, tuple[bytes, list[tuple[str, float]]]]) -> None:
        super().__init__(
            push_text_frames=False,
            push_start_frame=True,
            push_stop_frames=True,
            sample_rate=RATE_HZ,
            settings=TTSSettings(model=None, voice=None, language=None),
        )
        self._sounds = sounds

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """The whole sound, in pieces of half a second."""
        pcm, starts = self._sounds[text]
        await self.add_word_timestamps(starts, context_id, includes_inter_frame_spaces=True)
        for at in range(0, len(pcm), CHUNK_BYTES):
            yield TTSAudioRawFrame(pcm[at : at + CHUNK_BYTES], RATE_HZ, 1, context_id=context_id)


def strategies(turns: str) -> UserTurnStrategies:
    """How turns are taken, all other parameters Pipecat's own."""
    if turns == "vad":
        return UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()])
    smart = [TurnAnalyzerUserTurnStopStrategy(turn_analyzer=LocalSmartTurnAnalyzerV3())]
    if turns == "min_words":
        return UserTurnStrategies(start=[MinWordsUserTurnStartStrategy(min_words=3)], stop=smart)
    return UserTurnStrategies(stop=smart)


class Bot:
    """All calls of one process."""

    def __init__(self, turns: str, prompts: list[dict[str, Any]]) -> None:
        self.kept: list[dict[str, Any]] = []
        self._turns = turns
        self._texts = [prompt["text"] for prompt in prompts]
        self._sounds = {
            prompt["text"]: (
                base64.b64decode(prompt["pcm"]),
                [(word, start_s) for word, start_s in prompt["words"]],
            )
            for prompt in prompts
        }

    async def call(self, socket: WebSocket) -> None:
        """One call from its first message to its end."""
        await socket.accept()
        await socket.receive_text()  # connected
        start = json.loads(await socket.receive_text())["start"]
        sid = start["callSid"]
        serializer = WordsSerializer(
            start["streamSid"], params=TwilioFrameSerializer.InputParams(auto_hang_up=False)
        )
        transport = FastAPIWebsocketTransport(
            websocket=socket,
            params=FastAPIWebsocketParams(
                audio_in_enabled=True, audio_out_enabled=True, serializer=serializer
            ),
        )
        pair = LLMContextAggregatorPair(
            LLMContext([]),
            user_params=LLMUserAggregatorParams(
                user_turn_strategies=strategies(self._turns), vad_analyzer=SileroVADAnalyzer()
            ),
        )
        worker = PipelineWorker(
            Pipeline(
                [
                    transport.input(),
                    pair.user(),
                    FixedReplies(self._texts),
                    FixedVoice(self._sounds),
                    transport.output(),
                    pair.assistant(),
                ]
            ),
            params=PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ),
            enable_rtvi=False,
            enable_turn_tracking=False,
        )

        async def begin(_transport: Any, _socket: Any) -> None:
            await worker.queue_frames([LLMRunFrame()])

        async def end(_transport: Any, _socket: Any) -> None:
            await worker.cancel()

        async def keep(_aggregator: Any, message: Any) -> None:
            self.kept.append(
                {
                    "sid": sid,
                    "at": time.time(),
                    "text": message.content,
                    "interrupted": message.interrupted,
                }
            )

        transport.add_event_handler("on_client_connected", begin)
        transport.add_event_handler("on_client_disconnected", end)
        pair.assistant().add_event_handler("on_assistant_turn_stopped", keep)
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(worker)
        await runner.run()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--turns", choices=("vad", "smart_turn", "min_words"), required=True)
    parser.add_argument("--prompts", type=Path, required=True)
    options = parser.parse_args()
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    bot = Bot(options.turns, json.loads(options.prompts.read_text(encoding="utf-8")))
    strategies(options.turns)  # loads the model's code before the first call
    app = FastAPI()
    app.add_api_websocket_route("/twilio", bot.call)
    app.add_api_route("/kept", lambda: bot.kept)
    uvicorn.run(app, host="127.0.0.1", port=options.port, loop="uvloop", log_level="warning")


if __name__ == "__main__":
    main()
