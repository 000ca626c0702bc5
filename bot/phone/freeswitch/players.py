"""How a leg's audio gets to the line: by files, by frames that cannot be taken back, or by a buffer.

FilePlayer: the module writes each piece to a file and says so on the event socket, and we have the
switch play it.  FramePlayer: the module plays each message, and nothing stops what it has.
BufferPlayer: jambonz's mod_audio_fork, raw PCM with marks and killAudio.  NoPlayer: a line that is
only listened to.  PCM 8000 Hz, 320 bytes a frame.  Nothing here fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from bot.call.ports import FRAME_BYTES, FRAME_MS, LegCapabilities
from bot.phone.freeswitch.commands import UnsafeValue, play, stop_playing
from bot.phone.freeswitch.settings import FreeSwitchSettings, Module
from bot.phone.freeswitch.stream_messages import KILL_AUDIO, audio_text, mark_text

Write = Callable[[bytes], None]

REST_S = 0.04
"""No frame for so long: nothing follows soon, and what was gathered goes out."""

MOST_UNWRITTEN = 100
"""Pieces that wait for the module to write them; the oldest are given up."""

_ALL_EVEN = int.from_bytes(b"\xfe\xff" * (FRAME_BYTES // 2), "little")
_MINUS_ONE = b"\xff\xff"


class Player(Protocol):
    """One way out."""

    capabilities: LegCapabilities

    def send(self, pcm: bytes) -> None: ...

    def mark(self, name: str) -> None: ...

    def flush(self) -> None: ...

    def file_written(self, file: str, piece: int) -> None: ...

    def mark_played(self, name: str) -> str | None: ...

    def close(self) -> None: ...


class _Player:
    """What the ways have in common: there are no marks and no files."""

    def mark(self, name: str) -> None:
        """Capabilities say that there are none."""

    def file_written(self, file: str, piece: int) -> None:
        """The module wrote a file for a piece of ours."""

    def mark_played(self, name: str) -> str | None:
        """The leg's name of a mark that came back; None for one that is not waited for."""
        return None

    def close(self) -> None:
        """Nothing more is sent."""


class NoPlayer(_Player):
    """Both sides are heard, and nothing is played."""

    capabilities = LegCapabilities(two_tracks=True, dtmf=True, continuous=False)

    def send(self, pcm: bytes) -> None:
        """Nobody speaks on this leg."""

    def flush(self) -> None:
        """There is nothing to drop."""


class FramePlayer(_Player):
    """Each frame at its moment; there is no way to stop one that was sent."""

    capabilities = LegCapabilities(dtmf=True, dtmf_out=True, transfer=True, continuous=False)

    def __init__(self, write: Write) -> None:
        self._write = write

    def send(self, pcm: bytes) -> None:
        self._write(pcm)

    def flush(self) -> None:
        """Capabilities say that there is none."""


class _PiecePlayer(_Player):
    """Gathers frames to pieces; what is gathered goes out when no frame follows for REST_S."""

    def __init__(self, frames_a_piece: int) -> None:
        self._frames: list[bytes] = []
        self._frames_a_piece = frames_a_piece
        self._moving = False
        self._timer: asyncio.TimerHandle | None = None

    def send(self, pcm: bytes) -> None:
        self._frames.append(pcm)
        self._moving = True
        if len(self._frames) >= self._frames_a_piece:
            self._gathered()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(REST_S, self._look)

    def close(self) -> None:
        self._frames.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._moving:
            self._moving = False
            self._timer = asyncio.get_running_loop().call_later(REST_S, self._look)
        else:
            self._pause()

    def _gathered(self) -> None:
        if self._frames:
            pcm = b"".join(self._frames)
            self._frames.clear()
            self._out(pcm)

    def _out(self, pcm: bytes) -> None:
        raise NotImplementedError

    def _pause(self) -> None:
        """Nothing follows for now."""
        self._gathered()


class FilePlayer(_PiecePlayer):
    """Pieces become files in the switch's temporary folder, played one after the other.

    Two pieces are sent ahead: while one plays, the next is written.
    """

    def __init__(
        self, module: Module, write_text: Write, post: Callable[[str], None], line_id: str, piece_ms: int
    ) -> None:
        super().__init__(piece_ms // FRAME_MS)
        self.capabilities = LegCapabilities(
            flush=True, dtmf=True, dtmf_out=True, transfer=True, continuous=False, lead_ms=2 * piece_ms
        )
        self._module, self._write, self._post, self._line_id = module, write_text, post, line_id
        self._lengths: dict[int, float] = {}
        self._sent = 0
        self._plays_until = 0.0

    def file_written(self, file: str, piece: int) -> None:
        length_s = self._lengths.pop(piece, None)
        if length_s is None:
            return
        try:
            command = play(self._line_id, file)
        except UnsafeValue:
            return
        now = asyncio.get_running_loop().time()
        self._plays_until = max(now, self._plays_until) + length_s
        self._post(command)

    def flush(self) -> None:
        """Files that are not written yet are never played; uuid_break stops those that were queued.

        With nothing playing it must not be sent: the switch would keep it for the next file.
        """
        self._frames.clear()
        self._lengths.clear()
        if asyncio.get_running_loop().time() < self._plays_until:
            self._plays_until = 0.0
            self._post(stop_playing(self._line_id))

    def _out(self, pcm: bytes) -> None:
        self._sent += 1
        self._lengths[self._sent] = len(pcm) / FRAME_BYTES * FRAME_MS / 1000
        self._lengths.pop(self._sent - MOST_UNWRITTEN, None)
        self._write(audio_text(self._module, pcm, self._sent))


class BufferPlayer(_PiecePlayer):
    """Raw PCM into the module's buffer.

    The module holds PCM back until it has 640 samples (before the first sound 1280), so pieces are of
    80 ms, two are sent ahead, and silence pushes out what is left when a line ends.  A mark takes its
    place with the next PCM, so one sample follows it.  In the buffer a mark is a sample of -1, so
    samples with that value are made even.  After killAudio the module may lose marks that follow (its
    list of cleared ones is not emptied): whoever waits for one needs a limit.
    """

    FRAMES_A_PIECE = 4
    PUSH = bytes(FRAMES_A_PIECE * FRAME_BYTES)
    PLACE = bytes(2)

    capabilities = LegCapabilities(
        marks=True, flush=True, dtmf=True, dtmf_out=True, transfer=True, continuous=False, lead_ms=160
    )

    def __init__(self, write_text: Write, write_binary: Write) -> None:
        super().__init__(self.FRAMES_A_PIECE)
        self._text, self._binary = write_text, write_binary
        self._marks: dict[str, str] = {}
        self._numbered = 0
        self._primed = False

    def send(self, pcm: bytes) -> None:
        if _MINUS_ONE in pcm:
            pcm = (int.from_bytes(pcm, "little") & _ALL_EVEN).to_bytes(FRAME_BYTES, "little")
        super().send(pcm)

    def mark(self, name: str) -> None:
        self._gathered()
        self._numbered += 1
        number = f"m{self._numbered}"
        self._marks[number] = name
        self._text(mark_text(number))
        self._binary(self.PLACE)

    def mark_played(self, name: str) -> str | None:
        return self._marks.pop(name, None)

    def flush(self) -> None:
        self._frames.clear()
        self._marks.clear()
        self._text(KILL_AUDIO)

    def _out(self, pcm: bytes) -> None:
        self._binary(pcm)

    def _pause(self) -> None:
        self._gathered()
        self._binary(self.PUSH if self._primed else self.PUSH * 2)
        self._primed = True


def player_of(
    settings: FreeSwitchSettings,
    line_id: str,
    *,
    write_text: Write,
    write_binary: Write,
    post: Callable[[str], None],
) -> Player:
    """The way out that the settings name, for one line.  `post`: run an API command."""
    module, playback = settings.module, settings.playback
    if playback == "files":
        return FilePlayer(module, write_text, post, line_id, settings.piece_ms)
    if module == "fork":
        return BufferPlayer(write_text, write_binary)
    if playback == "binary":
        return FramePlayer(write_binary)
    return FramePlayer(lambda pcm: write_text(audio_text(module, pcm, 0)))
