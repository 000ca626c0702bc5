"""A row of blocks → SIT, busy tone, fax answer, or one single beep.

A run is one tone that a generator makes: frequency and level do not wander, as they do when somebody
whistles or plays a flute.  Sources: Bellcore GR-674 and ITU-T E.180 (special information tones),
E.180 Supplement 2 (busy tones: China 450 Hz, Europe 425, North America 480+620), T.30 (fax 2100 Hz).
DTMF keys, dial and ringback tones are none of these and give nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from bot.call.answering.kinds import Reason
from bot.call.answering.parameters import AnsweringParameters
from bot.call.answering.tones import BLOCK_MS, Block

_SIT_BANDS = ((880.0, 1010.0), (1340.0, 1460.0), (1740.0, 1840.0))
_SIT_MS = (160, 480)
_SIT_GAP_MS = 120
_BUSY_SINGLE = (380.0, 500.0)
_BUSY_PAIR = ((460.0, 500.0), (600.0, 640.0))
_FAX_HZ = (2080.0, 2120.0)
_EDGE_DB = 10.0  # a pause of a busy tone is so much quieter than the tone
_KEEP = 12


@dataclass(slots=True)
class Run:
    """One tone; times of its first block's begin and last block's end."""

    start_ms: int
    end_ms: int
    hz: list[float] = field(default_factory=list)
    second_hz: float = 0.0
    levels: list[float] = field(default_factory=list)
    gap_dbfs: float = -96.0  # how loud it was between the run before and this one

    @property
    def length_ms(self) -> int:
        """How long it sounded, within a block at each end."""
        return self.end_ms - self.start_ms

    @property
    def pitch(self) -> float:
        """Its frequency, the middle of what was measured."""
        inner = sorted(self.hz[1:-1] or self.hz)
        return inner[len(inner) // 2]

    def steady(self, p: AnsweringParameters) -> bool:
        """Whether a generator made it; the blocks at both ends hold only a part of the tone."""
        hz, levels = self.hz[1:-1] or self.hz, self.levels[1:-1] or self.levels
        return max(hz) - min(hz) <= p.steady_hz and max(levels) - min(levels) <= p.steady_db


class _Gap:
    """The loudest block between two runs, without its first and last, which hold a part of a tone."""

    def __init__(self) -> None:
        self.loudest_dbfs = -96.0
        self._last = -96.0
        self._blocks = 0

    def hear(self, level_dbfs: float) -> None:
        """One more block without a tone."""
        if self._blocks > 1:
            self.loudest_dbfs = max(self.loudest_dbfs, self._last)
        self._last = level_dbfs
        self._blocks += 1


@dataclass(frozen=True, slots=True)
class Signal:
    """What a row of tones means; a `beep` only where the speech before it fits."""

    what: Literal["sit", "busy", "fax", "beep"]
    start_ms: int
    end_ms: int
    reason: Reason = ""


class Cadence:
    """Takes blocks in order, says when one of the signals is complete."""

    def __init__(self, parameters: AnsweringParameters) -> None:
        self._p = parameters
        self._runs: deque[Run] = deque(maxlen=_KEEP)
        self._run: Run | None = None
        self._gap = _Gap()

    @property
    def sounding(self) -> bool:
        """Whether a tone goes on that is more than a chance."""
        return self._run is not None and len(self._run.hz) > 2

    @property
    def last_ms(self) -> int | None:
        """When the last tone ended, or the present one was last heard; None before the first."""
        if self._run is not None and self.sounding:
            return self._run.end_ms
        return self._runs[-1].end_ms if self._runs else None

    def hear(self, block: Block) -> Signal | None:
        """The signal that this block completes."""
        run = self._run
        if run is not None and _same(run, block):
            run.hz.append(block.hz)
            run.levels.append(block.level_dbfs)
            run.end_ms = block.at_ms
            return self._fax(run)
        found = self._close(run) if run is not None else None
        if block.hz:
            self._run = Run(
                block.at_ms - BLOCK_MS,
                block.at_ms,
                [block.hz],
                block.second_hz,
                [block.level_dbfs],
                self._gap.loudest_dbfs,
            )
        else:
            self._run = None
            self._gap.hear(block.level_dbfs)
        return found

    def _close(self, run: Run) -> Signal | None:
        """The run is over: what it completes.  One or two blocks are chance, and part of the gap."""
        if len(run.hz) < 3:
            for level in run.levels:
                self._gap.hear(level)
            return None
        self._runs.append(run)
        self._gap = _Gap()
        return self._sit() or self._busy() or self._beep(run)

    def _sit(self) -> Signal | None:
        """Three rising tones on each other's heels; which ones tells why (GR-674)."""
        three = list(self._runs)[-3:]
        if len(three) < 3:
            return None
        for run, (low, high) in zip(three, _SIT_BANDS, strict=True):
            if run.second_hz or not low <= run.pitch <= high or not _SIT_MS[0] <= run.length_ms <= _SIT_MS[1]:
                return None
            if max(run.hz[1:-1]) - min(run.hz[1:-1]) > 2 * self._p.steady_hz:
                return None
        gaps = [after.start_ms - before.end_ms for before, after in pairwise(three)]
        if max(gaps) > _SIT_GAP_MS:
            return None
        return Signal("sit", three[0].start_ms, three[2].end_ms, _sit_reason(three[0].pitch, three[1].pitch))

    def _busy(self) -> Signal | None:
        """Equal tones, equal pauses, nothing in the pauses."""
        p = self._p
        row = list(self._runs)[-p.busy_cycles :]
        if len(row) < p.busy_cycles or not all(_busy_pitch(run) and run.steady(p) for run in row):
            return None
        on = [run.length_ms for run in row]
        off = [after.start_ms - before.end_ms for before, after in pairwise(row)]
        if max(on) - min(on) > p.busy_slack_ms or max(off) - min(off) > p.busy_slack_ms:
            return None
        if not p.busy_min_ms <= min(on) <= max(on) <= p.busy_max_ms:
            return None
        if not 0.5 <= (sum(off) / len(off)) / (sum(on) / len(on)) <= 2.0:
            return None
        if any(run.gap_dbfs > run.levels[1] - _EDGE_DB for run in row[1:]):
            return None
        if max(run.pitch for run in row) - min(run.pitch for run in row) > p.steady_hz:
            return None
        return Signal("busy", row[0].start_ms, row[-1].end_ms)

    def _fax(self, run: Run) -> Signal | None:
        """One steady 2100 Hz tone, while it sounds."""
        if run.length_ms < self._p.fax_ms or run.second_hz or not _FAX_HZ[0] <= run.pitch <= _FAX_HZ[1]:
            return None
        return Signal("fax", run.start_ms, run.end_ms) if run.steady(self._p) else None

    def _beep(self, run: Run) -> Signal | None:
        """One steady tone, of a beep's pitch and length, with no other tone before it."""
        p = self._p
        before = self._runs[-2] if len(self._runs) > 1 else None
        if run.second_hz or not p.beep_low_hz <= run.pitch <= p.beep_high_hz or not run.steady(p):
            return None
        if not p.beep_min_ms <= run.length_ms <= p.beep_max_ms:
            return None
        if before is not None and run.start_ms - before.end_ms < p.beep_quiet_ms:
            return None
        return Signal("beep", run.start_ms, run.end_ms)


def _same(run: Run, block: Block) -> bool:
    """Whether the tone of the run goes on; a whistle that slides slowly does, and is found unsteady."""
    if not block.hz or bool(block.second_hz) != bool(run.second_hz):
        return False
    return abs(block.hz - run.hz[-1]) <= 25.0 and abs(block.second_hz - run.second_hz) <= 25.0


def _busy_pitch(run: Run) -> bool:
    if run.second_hz:
        (low, high), (second_low, second_high) = _BUSY_PAIR
        return low <= run.pitch <= high and second_low <= run.second_hz <= second_high
    return _BUSY_SINGLE[0] <= run.pitch <= _BUSY_SINGLE[1]


def _sit_reason(first_hz: float, second_hz: float) -> Reason:
    """GR-674: first tone 914 or 985 Hz, second 1371 or 1429; ITU's 950 and 1400 leave it open."""
    high_first, high_second = first_hz > 970.0, second_hz > 1415.0
    if not high_second and second_hz < 1385.0 and (high_first or first_hz < 930.0):
        return "invalid_number"  # vacant code, intercept
    if high_second and (high_first or first_hz < 930.0):
        return "unreachable"  # no circuit, reorder
    return "unspecified"
