"""A message for a machine begins after its beep, or after quiet, never over the greeting; without a message
the call ends at once."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import events as ev
from bot.call import signals as sig
from bot.call.adapters import Adapters
from bot.call.answering.verdict import Answering
from bot.call.clock import run_virtual
from bot.call.driver import CallDriver
from bot.call.pacer import Pacer
from bot.call.pcm import SILENT_FRAME
from bot.call.phases import Phase
from bot.call.ports import AudioIn, LegInput, Receive, WordsIn
from bot.call.session import CallSession
from bot.turn import Line, Reply
from tests.call.one_call import FACTS, QUESTION, STORY, UNSURE, OneCall, P, events, reply, requests
from tests.call.test_driver import FRAME_S, Brain, Leg, Log, Loudness, Prompts

MESSAGE = Line(node="utter_voicemail_message", text="您好,有个优惠想告诉您,再见。", interruptible=False)


def message(turn: int) -> Reply:
    return reply(turn, MESSAGE, expects="none", ended=True, disposition="voicemail")


def greeted(*, speaks: bool = False) -> OneCall:
    """A machine answered, its greeting is heard from 1 s on; the script gave the message at 3 s."""
    call = OneCall().opened(STORY)
    call.at(1000)
    call.voice(True)
    call.at(2900)
    if not speaks:
        call.voice(False)
    call.at(2980)
    call.send(sig.MachineHeard(at_ms=call.now))
    call.at(3000)
    call.brain(message(call.session.turn))
    return call


GREETING_ENDED_MS = 2900 - P.voice_stop_ms


def played(call: OneCall) -> int:
    return sum(play.lines == (MESSAGE,) for play in call.plays)


def ended(call: OneCall) -> ev.CallEnded:
    last = events(call.commands)[-1]
    assert isinstance(last, ev.CallEnded)
    return last


def test_the_message_waits_while_the_greeting_goes_on_and_begins_at_the_beep() -> None:
    call = greeted(speaks=True)
    call.at(6000)
    assert played(call) == 0
    call.send(sig.BeepHeard(at_ms=call.now))
    assert played(call) == 1
    call.sound(3000)
    call.at(call.now + 3000)
    call.done()
    assert (ended(call).by, ended(call).disposition, ended(call).cause) == ("bot", "voicemail", "normal")


def test_a_beep_that_was_heard_before_the_message_was_there_is_enough() -> None:
    call = OneCall().opened(STORY)
    call.at(2000)
    call.send(sig.MachineHeard(at_ms=call.now))
    call.send(sig.BeepHeard(at_ms=call.now))
    call.at(2050)
    call.brain(message(call.session.turn))
    assert played(call) == 1


def test_without_a_beep_the_message_begins_after_so_much_quiet_and_not_before() -> None:
    call = greeted()
    call.at(GREETING_ENDED_MS + P.message_quiet_ms - 1)
    assert played(call) == 0
    call.at(GREETING_ENDED_MS + P.message_quiet_ms)
    assert played(call) == 1


def test_a_pause_in_the_greeting_is_not_its_end() -> None:
    call = greeted()
    call.at(3500)
    call.voice(True)
    call.at(9000)
    assert played(call) == 0
    call.voice(False)
    call.at(9000 - P.voice_stop_ms + P.message_quiet_ms - 1)
    assert played(call) == 0
    call.at(call.now + 1)
    assert played(call) == 1


def test_words_without_a_voice_that_was_detected_are_greeting_too() -> None:
    call = greeted()
    call.at(4000)
    call.words("请在提示音后留言", final=True)
    call.at(4000 + P.message_quiet_ms - 1)
    assert played(call) == 0
    call.at(call.now + 1)
    assert played(call) == 1


def test_a_machine_that_never_stops_hears_the_message_in_the_end() -> None:
    call = greeted(speaks=True)
    call.at(3000 + P.message_wait_ms - 1)
    assert played(call) == 0
    call.at(call.now + 1)
    assert played(call) == 1


def test_a_beep_that_comes_after_all_starts_the_message_again_once() -> None:
    call = greeted()
    call.at(GREETING_ENDED_MS + P.message_quiet_ms)
    call.sound(3000)
    call.at(call.now + 800)
    call.heard(0, 800)
    out = call.send(sig.BeepHeard(at_ms=call.now))
    assert [type(c) for c in out if isinstance(c, sig.Play | sig.StopPlayback)] == [
        sig.StopPlayback,
        sig.Play,
    ]
    assert call.session.phase is Phase.ENDING
    assert call.send(sig.BeepHeard(at_ms=call.now)) == []
    call.sound(3000)
    call.done()
    log = events(call.commands)
    assert ended(call).disposition == "voicemail"
    said = [e.node for e in log if isinstance(e, ev.ReplyEvent)]
    assert said.count(MESSAGE.node) == 1, "one reply, however often it was begun"


def test_a_message_that_waited_for_the_beep_is_not_begun_again_by_another() -> None:
    call = greeted()
    call.send(sig.BeepHeard(at_ms=call.now))
    call.sound(3000)
    assert call.send(sig.BeepHeard(at_ms=call.now)) == []
    assert played(call) == 1


def test_a_script_that_leaves_no_message_hangs_up_at_once() -> None:
    call = OneCall().opened(STORY)
    call.at(2000)
    call.send(sig.MachineHeard(at_ms=call.now))
    call.at(2020)
    out = call.brain(reply(call.session.turn, expects="none", ended=True, disposition="voicemail"))
    assert any(isinstance(c, sig.HangUp) for c in out)
    assert (ended(call).disposition, ended(call).at_ms) == ("voicemail", 2020)


def test_a_greeting_that_the_script_knew_by_its_words_is_waited_for_as_well() -> None:
    """The dialogue understood 请在提示音后留言 before the ears were sure; their verdict asks nothing more."""
    call = OneCall().asked(QUESTION)
    call.say("您好请在提示音后留言", sound_ms=3000)
    call.at(call.now + 400)
    call.brain(message(call.session.turn))
    assert requests(call.commands)[-1].kind == "say" and played(call) == 0
    asked = len(requests(call.commands))
    call.send(sig.MachineHeard(at_ms=call.now))
    assert len(requests(call.commands)) == asked
    call.send(sig.BeepHeard(at_ms=call.now))
    assert played(call) == 1


def test_a_machine_is_not_asked_to_wait() -> None:
    """The brain is slow: no moment please into a recording."""
    call = OneCall().opened(STORY)
    call.at(2000)
    call.send(sig.MachineHeard(at_ms=call.now))
    plays = len(call.plays)
    call.at(2000 + P.filler_ms + 100)
    assert len(call.plays) == plays


@pytest.mark.parametrize("cause", ["ears", "far", "stop"])
def test_whatever_happens_while_the_message_waits_the_call_ends_once(cause: str) -> None:
    call = greeted()
    match cause:
        case "ears":
            call.send(sig.EarsFailed(at_ms=call.now, reason="gone"))
            call.at(GREETING_ENDED_MS + P.message_quiet_ms)
            assert played(call) == 1, "a message needs no ears"
            call.sound(3000)
            call.done()
        case "far":
            call.send(sig.FarHangup(at_ms=call.now, cause="customer"))
        case _:
            call.send(sig.StopAsked(at_ms=call.now, cause="shutdown"))
    log = events(call.commands)
    assert sum(isinstance(e, ev.CallEnded) for e in log) == 1 and isinstance(log[-1], ev.CallEnded)
    assert [e.node for e in log if isinstance(e, ev.ReplyEvent)].count(MESSAGE.node) == 1
    if cause != "ears":
        heard = [e for e in log if isinstance(e, ev.Playback) and e.node == MESSAGE.node]
        assert [e.heard_text for e in heard] == [""], "the log says that nothing of it was heard"


@given(
    st.lists(st.tuples(st.sampled_from(["voice", "quiet", "words", "wait", "machine"]), st.integers(0, 900)))
)
def test_the_message_never_begins_over_a_voice_nor_later_than_its_limit(made: list[tuple[str, int]]) -> None:
    call = greeted()
    voice = False
    for what, ms in made:
        call.at(call.now + ms)
        if call.now >= 3000 + P.message_wait_ms:
            break
        if played(call):
            assert not voice
            return
        match what:
            case "voice" | "quiet":
                voice = what == "voice"
                call.voice(voice)
            case "words":
                call.words("您好")
            case "machine":
                call.send(sig.MachineHeard(at_ms=call.now))
    call.at(3000 + P.message_wait_ms)
    assert played(call) == 1


def carry(leg: Leg, brain: Brain, log: Log) -> ev.CallEnded:
    adapters = Adapters(
        leg=leg, brain=brain, prompts=Prompts(), voices=Loudness(), pacer=Pacer(), log=log,
        answering=Answering(),
    )  # fmt: skip

    async def call() -> ev.CallEnded:
        return await CallDriver("c1", CallSession(FACTS, P, UNSURE), adapters, P).run()

    return run_virtual(call())


class Box(Leg):
    """A voicemail box: its greeting, and where its beep is, 400 ms of 1 kHz."""

    BEEP = b"".join(
        v.to_bytes(2, "little", signed=True) for v in (0, 2828, 4000, 2828, 0, -2828, -4000, -2828) * 20
    )

    def __init__(self, greeting: range, text: str, beep: range) -> None:
        super().__init__([greeting], {greeting.stop + 5: WordsIn(text, True)}, 1500)
        self._beep = beep

    async def _run(self, receive: Receive) -> None:
        ticks = itertools.count()

        def with_beep(item: LegInput) -> None:
            if isinstance(item, AudioIn) and next(ticks) in self._beep:
                item = AudioIn(self.BEEP)
            receive(item)

        await super()._run(with_beep)


@pytest.mark.parametrize("beeps_at", [240, 330, None])
def test_a_box_on_a_line_hears_all_of_the_message_after_its_beep(beeps_at: int | None) -> None:
    """The beep ends the greeting, or comes when the message has begun already, or never comes."""
    beep = range(beeps_at, beeps_at + 20) if beeps_at is not None else range(0)
    leg = Box(range(20, 230), "您好我现在不方便接电话请在提示音后留言录音结束后请挂机", beep)
    brain = Brain(reply(1, QUESTION), *(message(turn) for turn in (2, 3)))
    last = carry(leg, brain, Log())
    assert (last.by, last.disposition) == ("bot", "voicemail")
    loud = [round(at / FRAME_S) for at, pcm in leg.heard if pcm != SILENT_FRAME]
    quiet_enough = 230 + P.message_quiet_ms // 20
    begins = beep.stop or quiet_enough
    early = [tick for tick in loud if 230 <= tick < begins]
    assert not early or (begins > quiet_enough and early[0] >= quiet_enough)
    recorded = [tick for tick in loud if tick >= begins]
    assert begins <= recorded[0] <= begins + 10, "200 ms are enough to know the beep"
    assert len(recorded) >= 5 * len(MESSAGE.text), "all of it is on the recording"
