"""The phases of a call and how one leads to another.  An illegal step raises and changes nothing.

NEW        the line is not up yet
THINKING   the brain was asked; the bot is silent, or says one moment please
SPEAKING   the bot's lines are played
LISTENING  the customer may speak, or is speaking
ENDING     the last lines are played; then the bot hangs up, or gives the call to a person
MOVING     a person is being called to take it
ENDED      over: nothing comes out any more
"""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """Where a call stands."""

    NEW = "new"
    THINKING = "thinking"
    SPEAKING = "speaking"
    LISTENING = "listening"
    ENDING = "ending"
    MOVING = "moving"
    ENDED = "ended"


class Step(Enum):
    """What leads from phase to phase."""

    ASK = "ask"  # a turn goes to the brain
    SPEAK = "speak"  # lines are to be played
    LISTEN = "listen"  # nothing to play (any more), or the customer took the floor
    FAREWELL = "farewell"  # the last lines are to be played
    MOVE = "move"  # a person is to take the call
    END = "end"


TRANSITIONS: dict[Phase, dict[Step, Phase]] = {
    Phase.NEW: {Step.ASK: Phase.THINKING, Step.END: Phase.ENDED},
    Phase.THINKING: {
        Step.ASK: Phase.THINKING,  # a key, or a machine's beep, overtakes
        Step.SPEAK: Phase.SPEAKING,
        Step.LISTEN: Phase.LISTENING,
        Step.FAREWELL: Phase.ENDING,
        Step.END: Phase.ENDED,
    },
    Phase.SPEAKING: {
        Step.ASK: Phase.THINKING,
        Step.LISTEN: Phase.LISTENING,
        Step.FAREWELL: Phase.ENDING,
        Step.END: Phase.ENDED,
    },
    Phase.LISTENING: {
        Step.ASK: Phase.THINKING,
        Step.SPEAK: Phase.SPEAKING,  # the true reply differs from the speculated one
        Step.LISTEN: Phase.LISTENING,
        Step.FAREWELL: Phase.ENDING,
        Step.END: Phase.ENDED,
    },
    Phase.ENDING: {Step.MOVE: Phase.MOVING, Step.END: Phase.ENDED},
    Phase.MOVING: {Step.ASK: Phase.THINKING, Step.FAREWELL: Phase.ENDING, Step.END: Phase.ENDED},
    Phase.ENDED: {},
}


class IllegalStep(RuntimeError):
    """A signal that cannot come in this phase."""


def step(phase: Phase, taken: Step) -> Phase:
    """The phase that follows; raises IllegalStep where the table has none."""
    following = TRANSITIONS[phase].get(taken)
    if following is None:
        legal = ", ".join(s.value for s in TRANSITIONS[phase]) or "nothing"
        raise IllegalStep(f"'{taken.value}' cannot come while a call is {phase.value}; legal: {legal}")
    return following
