"""Every number that turn-taking uses, in one frozen dataclass, each explained.

All times are milliseconds on the call's clock.  Where a value rests on a measurement or a
publication, its comment says so; the others were chosen on `python -m benchmarks.turn_latency`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Parameters:
    """The settings of one call.  Raises ValueError where they contradict each other."""

    # -- voice detection (hysteresis over the detector's probability, 20 ms frames)
    voice_on: float = 0.4  # a frame at least this likely counts towards the start of a voice
    voice_off: float = 0.25  # a frame less likely than this counts towards its end
    voice_start_ms: int = 20  # so much voice in a row starts speech; a click gives the network less
    voice_stop_ms: int = 100  # so much quiet in a row ends it: plosives' closures are shorter

    # -- end of the customer's turn
    words_lag_ms: int = 200  # how far the recogniser's words trail the sound: no decision before
    complete_ms: int = 200  # quiet that ends a turn whose text is surely complete
    uncertain_ms: int = 360  # quiet that ends a turn whose text may or may not be complete
    doubtful_ms: int = 1250  # quiet that ends a turn whose text more likely goes on than not
    unfinished_ms: int = 1400  # quiet that ends a turn whose text clearly goes on
    digits_ms: int = 1600  # quiet that ends a dictated number with digits missing
    complete_at: float = 0.96  # completeness from which a text is surely complete
    uncertain_at: float = 0.75  # completeness below which a text is doubtful
    unfinished_at: float = 0.3  # completeness below which a text clearly goes on
    settle_ms: int = 250  # words without detected voice: so long unchanged before they may count as quiet
    slow_pause_ms: int = 250  # a pause this long inside a turn marks one who speaks slowly in it
    slow_extra_ms: int = 150  # added after such a pause to the two longest waits
    least_lag_ms: int = 100  # no recogniser is trusted to be quicker than this
    lag_margin_ms: int = 10  # added to the slowest lag that was seen in this call
    patience: float = 0.5  # share of a caller's pauses beyond 250 ms that is added to the waits
    most_patience_ms: int = 300  # and at most so much
    final_wait_ms: int = 150  # how long a recogniser may take for the final text after it was asked for

    # -- the customer's voice while the bot speaks
    duck_db: float = -12.0  # the bot's voice is lowered by this at the first sound
    raise_ms: int = 450  # quiet after a sound that brought no words: raise the voice again
    noise_ms: int = 2500  # voice so long without one word is not speech to us: raise, do not stop
    answer_zone_ms: int = 900  # in the last part of a question an answer may come already

    resume_back_ms: int = 1500  # a line that goes on after a false start goes back at most so far

    # -- sound without words
    no_match_voice_ms: int = 700  # voice at least this long that brought no words was an attempt to speak
    no_match_wait_ms: int = 1200  # how long after it to wait for words
    endless_voice_ms: int = 8000  # voice that goes on so long without a word (a television) is answered too
    slow_ears_ms: int = 600  # a recogniser this far behind is slow: its words are waited for
    slow_ears_wait_ms: int = 5000  # how long; a filler is said meanwhile

    # -- silence, counted from the end of the bot's last line
    silence_ms: int = 6000  # Asterisk's and most IVRs' waits lie at 5 s; CONTRACT's example is 6 s
    silence_digits_ms: int = 9000  # the customer looks for a card or a letter
    silence_pitch_ms: int = 2500  # after a statement that expects nothing

    # -- keys
    key_gap_ms: int = 2000  # pause that ends a row of keys; '#' ends it at once

    # -- speculation
    stable_ms: int = 120  # a partial unchanged for so long may be understood in advance

    # -- the brain
    filler_ms: int = 1500  # after so long without a reply the bot says one moment please
    give_up_ms: int = 10_000  # after so long it apologises and ends
    deadline_ms: int = 4000  # how long one request waits before it is repeated

    # -- a message for a machine that records
    message_quiet_ms: int = 1500  # no beep was heard: so much quiet after the greeting will do
    message_wait_ms: int = 15_000  # nor quiet: after so long it begins whatever is heard

    # -- giving the call to a person
    hold_every_ms: int = 8000  # so often the customer hears that he is being put through
    move_ms: int = 45_000  # after so long nobody takes it

    # -- the whole call
    longest_call_ms: int = 600_000  # a bot call that takes longer is ended politely

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "duck_db" and value < 0:
                raise ValueError(f"call parameter {field.name} is {value}; it must not be negative")
        if not self.voice_off <= self.voice_on:
            raise ValueError(f"voice_off {self.voice_off} must not exceed voice_on {self.voice_on}")
        if not self.unfinished_at <= self.uncertain_at <= self.complete_at:
            raise ValueError("unfinished_at <= uncertain_at <= complete_at must hold")
        if not self.complete_ms <= self.uncertain_ms <= self.doubtful_ms <= self.unfinished_ms:
            raise ValueError("complete_ms <= uncertain_ms <= doubtful_ms <= unfinished_ms must hold")
        if not self.filler_ms < self.give_up_ms:
            raise ValueError(f"filler_ms {self.filler_ms} must be less than give_up_ms {self.give_up_ms}")
