"""Ears by pocketsphinx: small, for tests and quiet machines; hears only what the script expects.

Mandarin: the 8000 Hz model tdt_sc_8k with a closed grammar made from the state's phrases
(`expect`).  English: hub4wsj_sc_8k with such a grammar, or pocketsphinx's own language model where
nothing is expected.  A closed grammar takes any sound for some phrase and gives no confidence, so
consequential answers need confirming.  Settings were measured on 32 phrases in three voices:
without `bestpath` and with wider beams 96 of 96 are heard (66 with the defaults), 85 at 15 dB of
noise, at 0.009 of real time.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from bot.call.pcm import level_dbfs, pad_to_frames
from bot.call.ports import FRAME_BYTES, FRAME_MS, SAMPLE_RATE_HZ, RecogniserError, RecogniserStream, WordsIn
from bot.speech.grammar import Grammar, Lexicon, grammar_of, read_lexicon
from bot.speech.models import model_folder

log = logging.getLogger(__name__)

PREROLL_MS = 300
ONSET_DB = 8.0
ONSET_FLOOR_DBFS = -50.0
PARTIAL_EVERY_MS = 60
LONGEST_UTTERANCE_MS = 30_000
_SETTINGS = {
    "samprate": SAMPLE_RATE_HZ, "bestpath": False, "beam": 1e-60, "wbeam": 1e-40, "pbeam": 1e-60,
    "loglevel": "FATAL", "dither": True, "seed": 1,
}  # fmt: skip


class PocketsphinxRecogniser:
    """The Recogniser port.  `phrases` are listened for in every state, besides what is expected."""

    def __init__(
        self, language: str = "zh", *, folder: Path | None = None, phrases: Sequence[str] = ()
    ) -> None:
        """Raises RecogniserError where the package or the model is missing; names the remedy."""
        if language not in ("zh", "en"):
            raise RecogniserError(f"pocketsphinx knows zh and en, not '{language}'")
        self.name = f"pocketsphinx-{language}"
        self._language = language
        self._folder = folder or model_folder(self.name)
        self._phrases = tuple(phrases)
        self._english_model = _bundled() if language == "en" else None
        words = (
            _english_dictionary(self._english_model) if self._english_model else self._mandarin_dictionary()
        )
        self._lexicon: Lexicon = read_lexicon(words)

    def _mandarin_dictionary(self) -> Path:
        return self._folder / "mandarin_notone.dic"

    async def open(self, call_id: str) -> RecogniserStream:
        """A stream with a decoder of its own (10 ms to load, some 30 MB)."""
        return PocketsphinxStream(call_id, self._decoder(), self._lexicon, self._phrases, self._language)

    def _decoder(self) -> Any:
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise RecogniserError(
                "pocketsphinx is not installed: run `uv sync` / 请运行 uv sync 安装 pocketsphinx"
            ) from error
        settings: dict[str, Any] = {**_SETTINGS, "hmm": str(self._folder / "hmm"), "lm": None}
        with tempfile.NamedTemporaryFile("w", suffix=".dic", encoding="utf-8") as seed:
            if self._english_model:
                settings["dict"] = str(_english_dictionary(self._english_model))
                settings["lm"] = str(self._english_model / "en-us.lm.bin")
            else:
                word = next(iter(self._lexicon))
                seed.write(f"{word} {self._lexicon[word][0]}\n")
                seed.flush()
                settings |= {"dict": seed.name, "remove_noise": True}
            try:
                return Decoder(**settings)
            except (RuntimeError, ValueError) as error:
                raise RecogniserError(
                    f"pocketsphinx cannot load the model in {self._folder} ({error}); fetch it again with "
                    f"`huashu models pull {self.name}` / 请重新下载模型"
                ) from error


class PocketsphinxStream:
    """One customer's side.  Decoding takes some 0.2 ms a frame and runs where it is called: keep many
    streams in the recogniser process, away from the 20 ms loop."""

    def __init__(
        self, call_id: str, decoder: Any, lexicon: Lexicon, phrases: tuple[str, ...], language: str
    ) -> None:
        self._call_id, self._decoder, self._lexicon, self._language = call_id, decoder, lexicon, language
        self._always = phrases
        self._known: set[str] = set()
        self._results: asyncio.Queue[WordsIn | None] = asyncio.Queue()
        self._preroll: deque[bytes] = deque(maxlen=PREROLL_MS // FRAME_MS)
        self._floor_dbfs, self._loud = -60.0, 0
        self._number, self._frames = 1, 0
        self._speaking = self._closed = False
        self._shown = self._seen = ""
        self._grammars = 0
        self._next: Grammar | None = None
        self._ready = language == "en"
        if phrases:
            self._next = grammar_of(phrases, lexicon)

    async def feed(self, pcm: bytes) -> None:
        """20 ms of audio; a frame of odd or short length is filled up, a longer one is cut by frames."""
        if self._closed:
            return
        whole = pad_to_frames(pcm)
        for start in range(0, len(whole), FRAME_BYTES):
            self._frame(whole[start : start + FRAME_BYTES])

    async def expect(self, phrases: Sequence[str]) -> None:
        """Listen for these and the phrases of every state, from the next utterance on."""
        wanted = dict.fromkeys((*phrases, *self._always))
        self._next = grammar_of(wanted, self._lexicon) if wanted else None

    async def end_utterance(self) -> None:
        """The final text now, "" where nothing was heard; the next sound begins a new utterance."""
        text = ""
        if self._speaking:
            self._decoder.end_utt()
            text = self._hypothesis()
        self._speaking, self._loud = False, 0
        self._results.put_nowait(WordsIn(text, True, f"{self._call_id}-{self._number}"))
        self._number += 1

    async def words(self) -> AsyncIterator[WordsIn]:
        """Partial and final texts as they come, until the stream is closed."""
        while (result := await self._results.get()) is not None:
            yield result

    async def close(self) -> None:
        """Free the decoder; idempotent."""
        if not self._closed:
            self._closed = True
            if self._speaking:
                self._decoder.end_utt()
            self._results.put_nowait(None)

    def _frame(self, frame: bytes) -> None:
        if not self._speaking:
            self._listen_for_onset(frame)
            return
        self._decoder.process_raw(frame, False, False)
        self._frames += 1
        if self._frames * FRAME_MS % PARTIAL_EVERY_MS == 0:
            text = self._hypothesis()
            if text and text == self._seen and text != self._shown:
                self._shown = text
                self._results.put_nowait(WordsIn(text, False, f"{self._call_id}-{self._number}"))
            self._seen = text
        if self._frames * FRAME_MS >= LONGEST_UTTERANCE_MS:
            self._decoder.end_utt()
            self._begin()

    def _listen_for_onset(self, frame: bytes) -> None:
        level = level_dbfs(frame)
        self._preroll.append(frame)
        if level > max(self._floor_dbfs + ONSET_DB, ONSET_FLOOR_DBFS):
            self._loud += 1
            self._floor_dbfs = min(self._floor_dbfs + 0.05, -30.0)
        else:
            self._loud = 0
            self._floor_dbfs += 0.1 * (level - self._floor_dbfs)
        if self._loud >= 2 and self._use_grammar():
            self._begin()
            for earlier in self._preroll:
                self._decoder.process_raw(earlier, False, False)
            self._preroll.clear()

    def _begin(self) -> None:
        self._decoder.start_utt()
        self._speaking, self._frames, self._shown, self._seen = True, 0, "", ""

    def _use_grammar(self) -> bool:
        """Bring the decoder to the newest grammar; False where there is nothing to listen for."""
        grammar, self._next = self._next, None
        if grammar is None:
            return self._ready
        if not grammar.words:
            return self._ready
        for word in sorted(grammar.words - self._known):
            self._learn(word)
        name = f"g{self._grammars + 1}"
        self._decoder.add_jsgf_string(name, grammar.jsgf)
        self._decoder.activate_search(name)
        if self._grammars:
            self._decoder.remove_search(f"g{self._grammars}")
        self._grammars += 1
        self._ready = True
        return True

    def _learn(self, word: str) -> None:
        self._known.add(word)
        if self._decoder.lookup_word(word) is None:
            for number, phones in enumerate(self._lexicon[word], start=1):
                self._decoder.add_word(word if number == 1 else f"{word}({number})", phones, False)

    def _hypothesis(self) -> str:
        found = self._decoder.hyp()
        if found is None:
            return ""
        return str(found.hypstr).strip() if self._language == "en" else str(found.hypstr).replace(" ", "")


def _bundled() -> Path:
    try:
        import pocketsphinx
    except ImportError as error:
        raise RecogniserError("pocketsphinx is not installed: run `uv sync`") from error
    return Path(str(pocketsphinx.get_model_path("en-us")))


def _english_dictionary(model: Path) -> Path:
    return model / "cmudict-en-us.dict"
