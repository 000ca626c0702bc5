"""Lines turned to sound, each rendered once: designers' recordings first, else the synthetic voice.

Keys are hashes of what is said, by which voice in which settings, from which recordings; so a
changed text or recording is a new sound.  Sounds are kept in bounded memory, and on disk where the
line holds no variable (what is said to one customer only is not written down).  Concurrent requests
for one line wait for one rendering.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from bot.call.designer_audio import DesignerAudio, Piece, RecordingError, read_recording, splice
from bot.call.pcm import pad_to_frames
from bot.call.ports import FRAME_BYTES, Voice
from bot.call.spoken_time import text_at
from bot.turn import Line

log = logging.getLogger(__name__)

MEMORY_BYTES = 64 * 1024 * 1024
"""Enough for an hour of speech."""


class LinePrompts:
    """The Prompts port.

    `folder` is where sounds are kept on disk (None: memory only); `recordings` a script's audio
    folder; `memory_bytes` bounds what is kept in memory, the least recently used goes first.
    """

    def __init__(
        self,
        voice: Voice,
        *,
        folder: Path | None = None,
        recordings: DesignerAudio | None = None,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._voice, self._folder, self._recordings = voice, folder, recordings
        self._limit, self._held = memory_bytes, 0
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._rendering: dict[str, asyncio.Task[bytes]] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def audio(self, line: Line) -> bytes:
        """The whole line as PCM 8000 Hz, a multiple of 320 bytes; b"" for a line without words.

        Raises VoiceError where the voice cannot say it.  A broken recording is named in the log and
        the voice says the line: a call in progress must not die of it.
        """
        pieces = self._recordings.pieces(line) if self._recordings else ()
        key = self._key(line, pieces)
        if (sound := self._memory.get(key)) is not None:
            self._memory.move_to_end(key)
            return sound
        task = self._rendering.get(key)
        if task is None:
            task = asyncio.ensure_future(self._produce(key, line, pieces))
            self._rendering[key] = task
            task.add_done_callback(lambda _: self._rendering.pop(key, None))
        return await asyncio.shield(task)

    async def prepare(self, lines: Iterable[Line]) -> None:
        """Have these ready: before the call, while it rings, or while the bot still speaks."""
        await asyncio.gather(*(self.audio(line) for line in lines))

    def text_at(self, line: Line, heard_ms: int, total_ms: int) -> str:
        """The part of the line that was heard in the first `heard_ms` of its `total_ms`."""
        return text_at(line.text, heard_ms, total_ms)

    async def _produce(self, key: str, line: Line, pieces: tuple[Piece, ...]) -> bytes:
        shared = self._folder is not None and not any(part.variable for part in line.parts)
        path = self._folder / f"{key}.pcm" if shared and self._folder else None
        sound = _read(path) if path else None
        if sound is None:
            sound = pad_to_frames(await self._render(line, pieces))
            if path:
                _write(path, sound)
        self._keep(key, sound)
        return sound

    async def _render(self, line: Line, pieces: tuple[Piece, ...]) -> bytes:
        try:
            recorded = [read_recording(piece.recording) if piece.recording else None for piece in pieces]
        except RecordingError as error:
            log.error("a recording is not used, the voice says the line: %s", error)
            recorded, pieces = [], ()
        if not pieces:
            return await self._voice.synthesize(line.text)
        sounds = [
            await self._voice.synthesize(piece.text) if sound is None else sound
            for piece, sound in zip(pieces, recorded, strict=True)
        ]
        return sounds[0] if len(sounds) == 1 else splice(sounds)

    def _keep(self, key: str, sound: bytes) -> None:
        self._memory[key] = sound
        self._held += len(sound)
        while self._held > self._limit and len(self._memory) > 1:
            _, oldest = self._memory.popitem(last=False)
            self._held -= len(oldest)

    def _key(self, line: Line, pieces: tuple[Piece, ...]) -> str:
        parts = [self._voice.name, line.text]
        for piece in pieces:
            if piece.recording:
                stat = piece.recording.stat()
                parts += [str(piece.recording), str(stat.st_size), str(stat.st_mtime_ns)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _read(path: Path) -> bytes | None:
    """A kept sound; None where there is none or it was cut short."""
    try:
        sound = path.read_bytes()
    except FileNotFoundError:
        return None
    return sound if len(sound) % FRAME_BYTES == 0 else None


def _write(path: Path, sound: bytes) -> None:
    """Whole or not at all: another process may read it at any time."""
    draft = path.with_suffix(f".{os.getpid()}.new")
    draft.write_bytes(sound)
    draft.replace(path)
