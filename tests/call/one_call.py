"""A call under test: signals in by the test, commands out, and what a driver would keep of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot import events as ev
from bot.call import signals as sig
from bot.call.journal import CallFacts
from bot.call.parameters import Parameters
from bot.call.session import CallSession
from bot.turn import Expects, Line, Reply, TurnRequest
from bot.understanding.completeness import Completeness

P = Parameters()
UNSURE = Completeness({"bias": 1.9})
"""Rules only; whatever they leave open is uncertain."""

FACTS = CallFacts(
    call_id="c1",
    started=datetime.fromisoformat("2026-11-22T10:00:00+08:00"),
    script="ringback",
    script_version="v1",
)
STORY = Line(node="utter_offer", text="这次是个优惠,原来彩铃每个月5块钱,一年60,现在一次交30块就可以用一年。")
QUESTION = Line(node="utter_ask_offer", text="您看今天给您开通可以吗?")
GOODBYE = Line(node="utter_bye", text="好的,打扰您了,再见。", interruptible=False)


def reply(
    turn: int,
    *lines: Line,
    expects: Expects = "offer",
    ended: bool = False,
    speculation: str | None = None,
    disposition: str | None = None,
) -> Reply:
    """A reply of the brain."""
    return Reply(
        call_id="c1",
        turn=turn,
        node=lines[0].node if lines else None,
        lines=lines,
        expects=expects,
        ended=ended,
        speculation=speculation,
        disposition=disposition,
        ms={"understand": 3.0, "decide": 2.0},
    )


class OneCall:
    """Feeds a session and keeps its timers as a driver does; `at` moves time, ringing what is due."""

    def __init__(
        self, *, final_on_demand: bool = False, transfers: bool = False, parameters: Parameters = P
    ) -> None:
        self.session = CallSession(
            FACTS, parameters, UNSURE, final_on_demand=final_on_demand, transfers=transfers
        )
        self.now = 0
        self.timers: dict[str, int] = {}
        self.commands: list[sig.Command] = []
        self.plays: list[sig.Play] = []

    def send(self, signal: sig.Signal) -> list[sig.Command]:
        """One signal, now; the commands that follow."""
        out = self.session.handle(signal)
        self.commands += out
        for command in out:
            if isinstance(command, sig.SetTimer):
                self.timers[command.name] = command.at_ms
            elif isinstance(command, sig.CancelTimer):
                self.timers.pop(command.name, None)
            elif isinstance(command, sig.Play):
                self.plays.append(command)
        return out

    def at(self, now: int) -> list[sig.Command]:
        """Time goes on to `now`; timers that are due ring in order."""
        out: list[sig.Command] = []
        while self.timers and min(self.timers.values()) <= now:
            name = min(self.timers, key=lambda n: self.timers[n])
            moment = self.timers.pop(name)
            self.now = max(self.now, moment)
            out += self.send(sig.TimerFired(at_ms=self.now, name=name))
        self.now = max(self.now, now)
        return out

    # -- shorthands for what happens on a line

    def answer(self) -> list[sig.Command]:
        return self.send(sig.Answered(at_ms=self.now))

    def voice(self, on: bool) -> list[sig.Command]:
        kind = sig.VoiceStarted if on else sig.VoiceStopped
        back = P.voice_start_ms if on else P.voice_stop_ms
        return self.send(kind(at_ms=self.now, since_ms=max(0, self.now - back)))

    def words(self, text: str, final: bool = False, utterance_id: str = "") -> list[sig.Command]:
        return self.send(sig.Words(at_ms=self.now, text=text, final=final, utterance_id=utterance_id))

    def brain(self, answer: Reply, text: str | None = None) -> list[sig.Command]:
        return self.send(sig.ReplyReady(at_ms=self.now, reply=answer, text=text))

    def sound(self, *line_ms: int) -> list[sig.Command]:
        """The newest row begins to sound."""
        return self.send(sig.PlaybackStarted(at_ms=self.now, play=self.plays[-1].play, line_ms=line_ms))

    def heard(self, line: int, ms: int) -> list[sig.Command]:
        return self.send(sig.PlaybackAt(at_ms=self.now, play=self.plays[-1].play, line=line, heard_ms=ms))

    def done(self, line: int = 0) -> list[sig.Command]:
        return self.send(sig.LineDone(at_ms=self.now, play=self.plays[-1].play, line=line))

    def say(self, text: str, *, sound_ms: int = 600) -> None:
        """The customer says it: voice, then the words 200 ms behind its end."""
        self.voice(True)
        self.at(self.now + sound_ms)
        self.at(self.now + P.voice_stop_ms)
        self.voice(False)
        self.at(self.now + P.words_lag_ms - P.voice_stop_ms)
        self.words(text, final=True)

    def opened(self, *lines: Line, expects: Expects = "offer", line_ms: int = 4000) -> OneCall:
        """Answered, and the bot is speaking its first lines."""
        self.answer()
        self.at(20)
        self.brain(reply(1, *lines, expects=expects))
        self.at(40)
        self.sound(*[line_ms for _ in lines])
        return self

    def asked(self, *lines: Line, expects: Expects = "offer") -> OneCall:
        """Answered, the lines heard to their end, the customer's turn."""
        self.opened(*lines, expects=expects)
        for number in range(len(lines)):
            self.at(self.now + 4000)
            self.done(number)
        return self


def requests(commands: Iterable[sig.Command], *, speculative: bool = False) -> list[TurnRequest]:
    """The requests among the commands."""
    asked = [c.request for c in commands if isinstance(c, sig.AskBrain)]
    return [request for request in asked if request.speculative == speculative]


def events(commands: Iterable[sig.Command]) -> list[ev.AnyEvent]:
    """The events among the commands."""
    return [c.event for c in commands if isinstance(c, sig.Log)]
