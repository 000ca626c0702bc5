"""Every number of answering-machine detection, in one frozen dataclass, each explained.

The rule behind all of them: a live person must never be dropped, so whatever both a person and a
machine may do decides nothing.  Times are milliseconds, levels dBFS, frequencies Hz.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class AnsweringParameters:
    """Raises ValueError where a value cannot be."""

    # -- words
    certain: float = 1.0  # the cues' weights must sum up to this before words alone decide
    recorded: float = 1.5  # ... a voicemail box's words, where its beep does not: only the beep is in haste
    suspect: float = 0.6  # ... and to this before a beep may decide
    innocent: float = 0.4  # below this, words are a person's
    immediate: float = 2.4  # said twice, or in two languages: nobody jokes that long, decide at once
    confirm_ms: int = 1200  # quiet after certain words before they decide: time for a joker to laugh
    no_words_ms: int = 2200  # ... or so long without new words, where noise is taken for a voice
    talk_on_ms: int = 5000  # or so long since they were certain, whatever else is heard

    # -- a beep after a greeting
    beep_low_hz: float = 580.0  # answering machines beep between 600 and 1100 Hz
    beep_high_hz: float = 1120.0
    beep_min_ms: int = 160  # shorter: a key, a note
    beep_max_ms: int = 2000  # longer: no beep
    beep_quiet_ms: int = 700  # nobody speaks and nothing sounds for so long after it
    beep_alone_ms: int = 2500  # ... and so long where there are no words to go with it: people react
    beep_gap_ms: int = 4000  # the greeting ended at most so long before it
    talk_ms: int = 3500  # without words: at least so much speech before the beep

    # -- rhythm of the speech
    stretch_gap_ms: int = 1000  # a pause that ends a stretch: in a recorded greeting pauses are shorter
    tone_gap_ms: int = 2000  # so soon after a tone nobody is called a person: more of them may follow
    person_after_ms: int = 5000  # so long after the first sound, one who spoke and paused is a person
    horizon_ms: int = 30_000  # so long after the first sound, nothing more is looked for

    # -- tones
    floor_dbfs: float = -48.0  # quieter is not looked at
    crest: float = 2.8  # peak over RMS: one tone 1.41, two tones 2, noise and most speech above
    purity: float = 0.82  # share of the energy (200-3600 Hz) in one or two lines: 0.91 at 10 dB over noise
    second: float = 0.1  # energy of a second line over the first's, from which there are two tones
    steady_hz: float = 14.0  # a generator's tone wanders less, a whistle more
    steady_db: float = 2.0  # ... and its level does too
    busy_cycles: int = 5  # so many equal on-off cycles make a busy tone
    busy_slack_ms: int = 90  # cycles are equal within this (blocks of 40 ms at both ends)
    busy_min_ms: int = 160  # shortest and longest "on" of a busy tone (US reorder 250, China 350 or 700)
    busy_max_ms: int = 860
    sit_ms: int = 5000  # so long after special information tones their reason may come in words
    fax_ms: int = 1500  # 2100 Hz so long is a fax's answer (ITU-T T.30: 2.6-4 s)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "floor_dbfs" and value < 0:
                raise ValueError(f"answering parameter {field.name} is {value}; it must not be negative")
        if not self.innocent <= self.suspect <= self.certain <= self.immediate:
            raise ValueError("innocent <= suspect <= certain <= immediate must hold")
        if not self.beep_low_hz < self.beep_high_hz:
            raise ValueError("beep_low_hz must be below beep_high_hz")
        if self.busy_cycles < 3:
            raise ValueError(f"busy_cycles is {self.busy_cycles}; fewer than 3 are a melody")
