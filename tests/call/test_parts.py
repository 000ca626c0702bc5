"""The small parts of a call: transcript, ledger of what was heard, speaker, voice gate, phases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.call.parameters import Parameters
from bot.call.phases import TRANSITIONS, IllegalStep, Phase, Step, step
from bot.call.playback import Ledger
from bot.call.ports import FRAME_BYTES
from bot.call.signals import VoiceStarted, VoiceStopped, Words
from bot.call.transcript import Transcript
from bot.call.voice_gate import VoiceGate
from bot.turn import Line

P = Parameters()
FRAME = b"\x00\x40" * (FRAME_BYTES // 2)


def words(text: str, final: bool = False, name: str = "") -> Words:
    return Words(at_ms=0, text=text, final=final, utterance_id=name)


def test_utterances_of_one_turn_are_put_together() -> None:
    transcript = Transcript()
    transcript.add(words("我想"))
    transcript.add(words("我想问", final=True))
    transcript.add(words("多少钱"))
    assert transcript.text == "我想问多少钱" and transcript.open
    english = Transcript()
    english.add(words("how much", final=True))
    english.add(words("is it"))
    assert english.text == "how much is it"


def test_an_utterance_that_goes_on_after_the_turn_gives_only_what_is_new() -> None:
    transcript = Transcript()
    transcript.add(words("好的", name="a"))
    assert transcript.take() == "好的"
    assert not transcript.add(words("好的。", name="a"))
    assert transcript.add(words("好的,那多少钱", name="a"))
    assert transcript.text == "那多少钱"


@given(
    st.lists(st.tuples(st.text("好的多少钱ab ", max_size=6), st.booleans(), st.sampled_from(["", "a", "b"])))
)
def test_what_was_taken_is_never_there_again(made: list[tuple[str, bool, str]]) -> None:
    transcript = Transcript()
    for text, final, name in made:
        transcript.add(words(text, final, name))
        transcript.take()
        assert transcript.text == "" and not transcript.open


@given(st.integers(0, 9000), st.integers(0, 9000))
def test_heard_text_is_a_beginning_that_grows(one: int, other: int) -> None:
    text = "原来一年60,现在交30块 one year, 相当于省了30块。"
    found = []
    for heard_ms in sorted((one, other)):
        ledger = Ledger(1, 1, (Line(node="n", text=text),))
        ledger.begin((9000,))
        ledger.at(0, heard_ms)
        found.append(ledger.heard[0].heard_text)
    assert text.startswith(found[1]) and found[1].startswith(found[0])


def test_a_short_gap_does_not_end_a_voice() -> None:
    chances = [0.1, 0.9, 0.9, 0.1, 0.1, 0.9, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1]
    gate = VoiceGate(P)
    found = [gate.step(chance, 20 * (n + 1)) for n, chance in enumerate(chances)]
    assert [f for f in found if f] == [
        VoiceStarted(at_ms=40, since_ms=20),
        VoiceStopped(at_ms=240, since_ms=140),
    ]


@given(st.sampled_from(Phase), st.sampled_from(Step))
def test_only_steps_of_the_table_are_legal(phase: Phase, taken: Step) -> None:
    if taken in TRANSITIONS[phase]:
        assert step(phase, taken) is TRANSITIONS[phase][taken]
    else:
        with pytest.raises(IllegalStep, match=phase.value):
            step(phase, taken)


def test_every_phase_leads_to_the_end_and_nothing_leads_out_of_it() -> None:
    assert not TRANSITIONS[Phase.ENDED]
    assert all(
        steps[Step.END] is Phase.ENDED for phase, steps in TRANSITIONS.items() if phase is not Phase.ENDED
    )
