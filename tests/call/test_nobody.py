"""No person answered: announcements and tones end the call as what they are, machines go to the script."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import events as ev
from bot.call import signals as sig
from bot.call.nobody import nobody
from bot.call.phases import Phase
from tests.call.one_call import QUESTION, STORY, OneCall, P, events, reply, requests

MACHINES = ("machine", "assistant", "beep")
REASONS = (
    "invalid_number", "powered_off", "out_of_service", "busy", "no_answer", "unreachable", "forwarded",
    "voicemail", "assistant", "",
)  # fmt: skip
ENDINGS = [
    ("announcement", "powered_off", "unreachable", "powered_off"),
    ("announcement", "invalid_number", "unreachable", "invalid_number"),
    ("announcement", "out_of_service", "unreachable", "out_of_service"),
    ("announcement", "busy", "busy", "busy"),
    ("announcement", "no_answer", "no_answer", "no_answer"),
    ("announcement", "", "unreachable", "announcement"),
    ("announcement", "never heard of", "unreachable", "never heard of"),
    ("busy_tone", "", "busy", "busy_tone"),
    ("fax", "", "unreachable", "fax"),
]


@pytest.mark.parametrize(("what", "reason", "disposition", "cause"), ENDINGS)
def test_nobody_is_there_to_be_spoken_to(what: str, reason: str, disposition: str, cause: str) -> None:
    call = OneCall().opened(STORY)
    call.at(1500)
    out = call.send(sig.MachineHeard(at_ms=call.now, what=what, reason=reason))
    last = events(out)[-1]
    assert isinstance(last, ev.CallEnded)
    assert (last.by, last.disposition, last.cause) == ("system", disposition, cause)
    assert [type(c) for c in out if isinstance(c, sig.StopPlayback | sig.HangUp)] == [
        sig.StopPlayback,
        sig.HangUp,
    ]


def test_the_announcement_is_right_whatever_the_script_believed() -> None:
    """The script took 您拨打的用户已关机 for words and gave the call a disposition of its own."""
    call = OneCall().asked(QUESTION)
    call.say("您拨打的用户已关机")
    call.at(call.now + 300)
    call.brain(reply(call.session.turn, STORY, disposition="declined"))
    out = call.send(sig.MachineHeard(at_ms=call.now, what="announcement", reason="powered_off"))
    last = events(out)[-1]
    assert isinstance(last, ev.CallEnded)
    assert last.disposition == "unreachable"


@pytest.mark.parametrize("what", MACHINES)
def test_a_machine_goes_to_the_script_and_the_bot_stops(what: str) -> None:
    call = OneCall().opened(STORY)
    call.at(1500)
    out = call.send(sig.MachineHeard(at_ms=call.now, what=what))
    assert [r.kind for r in requests(out)] == ["voicemail"]
    assert any(isinstance(c, sig.StopPlayback) for c in out)
    assert call.session.phase is Phase.THINKING


@pytest.mark.parametrize("reason", ["voicemail", "assistant", "forwarded"])
def test_an_announcement_of_a_mailbox_is_a_machine(reason: str) -> None:
    call = OneCall().opened(STORY)
    out = call.send(sig.MachineHeard(at_ms=call.now, what="announcement", reason=reason))
    assert [r.kind for r in requests(out)] == ["voicemail"]


def test_the_greeting_of_a_machine_is_no_turn_and_does_not_hold_back_the_message() -> None:
    call = OneCall().asked(QUESTION)
    call.say("您好我现在不方便接听请在滴声后留言")
    call.send(sig.MachineHeard(at_ms=call.now, what="beep"))
    call.brain(reply(call.session.turn, STORY))
    assert (call.session.phase, call.plays[-1].lines) == (Phase.SPEAKING, (STORY,))
    call.at(call.now + 5000)
    assert [r.kind for r in requests(call.commands)] == ["open", "voicemail"]
    finals = [e.text for e in events(call.commands) if isinstance(e, ev.UtteranceFinal)]
    assert finals == ["您好我现在不方便接听请在滴声后留言"], "the log keeps it"


def test_a_beep_while_the_final_text_is_awaited_is_not_overtaken_by_it() -> None:
    call = OneCall(final_on_demand=True).asked(QUESTION)
    call.voice(True)
    call.at(call.now + 900)
    call.voice(False)
    call.words("请在滴声后留言")
    while not any(isinstance(c, sig.EndUtterance) for c in call.commands):
        call.at(call.now + 20)
    call.send(sig.MachineHeard(at_ms=call.now, what="beep"))
    call.words("请在滴声后留言", final=True)
    call.at(call.now + P.final_wait_ms + 100)
    assert [r.kind for r in requests(call.commands)] == ["open", "voicemail"]


@pytest.mark.parametrize("what", [*MACHINES, "announcement", "busy_tone", "fax"])
def test_the_last_line_and_a_transfer_are_not_disturbed(what: str) -> None:
    call = OneCall()
    call.answer()
    call.brain(reply(1, STORY, ended=True))
    call.sound(4000)
    assert call.send(sig.MachineHeard(at_ms=call.now, what=what)) == []
    assert call.session.phase is Phase.ENDING


@given(st.sampled_from([*MACHINES, "announcement", "busy_tone", "fax", "martians"]), st.sampled_from(REASONS))
def test_whatever_was_found_is_a_disposition_of_the_contract_or_the_scripts_to_decide(
    what: str, reason: str
) -> None:
    found = nobody(what, reason)
    assert found.cause
    assert found.disposition is None or found.disposition in get_args(ev.Disposition)
    assert (found.disposition is None) == (
        what not in ("announcement", "busy_tone", "fax")
        or (what == "announcement" and reason in ("voicemail", "assistant", "forwarded"))
    )
