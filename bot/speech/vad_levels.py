"""What the level of the frames says beside the network: there is no sound, or the voice has just gone.  Pure.

Levels are RMS on the int16 scale, one for each frame of 20 ms.
"""

from __future__ import annotations

GATE_DBFS = -60.0
"""A frame quieter than this holds no voice: a voice on a telephone line lies above -45 dBFS."""

GATE_RMS = round(32768 * 10 ** (GATE_DBFS / 20))

RESTS_AFTER_MS = 320
"""So much quiet the network hears after a sound; then it rests."""

HUSHED = 28.0
"""A frame so much (29 dB) below the voice just heard is quiet, while the network still wavers: it takes
100 ms to find that a voice is gone."""

FADES = 0.985
"""How the level of that voice is forgotten, a frame: by half in a second."""


class Levels:
    """One stream's levels.  `resting`: nothing but quiet for so long that the network need not hear it.
    `hushed`: the newest frame is quiet beside the voice before it."""

    __slots__ = ("_loud", "_quiet_ms", "hushed", "resting")

    def __init__(self) -> None:
        self.resting = True
        self.hushed = False
        self._loud = 0.0
        self._quiet_ms = 0

    def hear(self, rms: int) -> bool:
        """The next frame's level; whether the network begins to rest with it."""
        self._loud = max(float(rms), self._loud * FADES)
        self.hushed = rms * HUSHED < self._loud
        if rms >= GATE_RMS:
            self._quiet_ms, self.resting = 0, False
            return False
        self._quiet_ms += 20
        begins = self._quiet_ms > RESTS_AFTER_MS and not self.resting
        self.resting = self.resting or begins
        return begins
