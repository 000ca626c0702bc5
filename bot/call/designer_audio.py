"""Designers' own recordings of a script's lines: `stories/<script>/audio/`.

`<node>.<variant>.wav` is a whole line, `<node>.<variant>.<part>.wav` one fixed part of a line with
variables (parts count from 0, variables included).  Beside each lies a `.txt` with the words that
were spoken: where it is missing or no longer says what the line says, the recording is not used and
a warning names it.  Parts are joined with spoken variables by pydub: trimmed, brought to one
loudness, cross-faded over 15 ms.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from pydub import AudioSegment
from pydub.exceptions import CouldntDecodeError

from bot.call.pcm import at_level, pcm_of, trim
from bot.call.ports import SAMPLE_RATE_HZ
from bot.turn import Line

log = logging.getLogger(__name__)

CROSS_FADE_MS = 15
LINE_DBFS = -20.0


class RecordingError(ValueError):
    """A recording that cannot be used; says which file and what to do."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a line: a recording, or text for the voice to say."""

    text: str
    recording: Path | None = None


class DesignerAudio:
    """The recordings of one script's audio folder (which need not exist)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._warned: set[Path] = set()

    def pieces(self, line: Line) -> tuple[Piece, ...]:
        """What to make the line of; () where it is not recorded and the voice must say all of it.

        A line with variables needs a recording of every fixed part; two voices in one sentence
        where one part is missing would be worse than none.
        """
        stem = f"{line.node}.{line.variant}"
        whole = self._usable(self._folder / f"{stem}.wav", line.text)
        if whole is not None:
            return (Piece(line.text, whole),)
        if not any(part.variable for part in line.parts):
            return ()
        found: list[Piece] = []
        for number, part in enumerate(line.parts):
            if part.variable:
                found.append(Piece(part.text))
            elif any(c.isalnum() for c in part.text):
                recording = self._usable(self._folder / f"{stem}.{number}.wav", part.text)
                if recording is None:
                    return ()
                found.append(Piece(part.text, recording))
        return tuple(found) if any(piece.recording for piece in found) else ()

    def _usable(self, path: Path, text: str) -> Path | None:
        if not path.is_file():
            return None
        sidecar = path.with_suffix(".txt")
        spoken = sidecar.read_text(encoding="utf-8") if sidecar.is_file() else None
        if spoken is not None and _bare(spoken) == _bare(text):
            return path
        if path not in self._warned:
            self._warned.add(path)
            reason = "it has no text file" if spoken is None else "the line's text has changed"
            log.warning(
                "recording %s is not used: %s; record it anew or correct %s", path, reason, sidecar.name
            )
        return None


def read_recording(path: Path) -> bytes:
    """A recording as PCM 8000 Hz mono, trimmed, at LINE_DBFS.  Any rate, channels and width that pydub reads.

    Raises RecordingError where the file is no sound or is silent.
    """
    try:
        segment = AudioSegment.from_file(path)
    except (CouldntDecodeError, OSError, EOFError, IndexError) as error:
        raise RecordingError(f"{path}: no readable sound → save it as WAV, 16-bit") from error
    segment = segment.set_channels(1).set_sample_width(2)
    samples = np.frombuffer(segment.raw_data, dtype=np.int16)
    if segment.frame_rate != SAMPLE_RATE_HZ:
        samples = soxr.resample(samples, segment.frame_rate, SAMPLE_RATE_HZ, quality="HQ")
    sound = trim(pcm_of(samples))
    if not sound:
        raise RecordingError(f"{path}: nothing but silence → record it again")
    return at_level(sound, LINE_DBFS)


def splice(pieces: Sequence[bytes]) -> bytes:
    """Pieces of PCM 8000 Hz as one sound: trimmed, of one loudness, cross-faded."""
    joined: AudioSegment | None = None
    for pcm in pieces:
        sound = at_level(trim(pcm), LINE_DBFS)
        if not sound:
            continue
        segment = AudioSegment(data=sound, sample_width=2, frame_rate=SAMPLE_RATE_HZ, channels=1)
        if joined is None:
            joined = segment
        else:
            joined = joined.append(segment, crossfade=min(CROSS_FADE_MS, len(joined), len(segment)))
    return bytes(joined.raw_data) if joined is not None else b""


def _bare(text: str) -> str:
    return "".join(c for c in text if c.isalnum())
