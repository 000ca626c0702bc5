"""A bot call handed to a person: its log → what the assisted call opens with.

The lines come in the order in which they sounded: the customer's with acts and values, the bot's as
far as they were heard.  The assisted call's clock begins with the handover, so what was said before
it has negative times.  What the bot established (who confirmed the name, what was disclosed, what
was refused, an order) goes as facts under the names of its slots; facts of the customer follow from
the lines.  Texts are those of the log, masked.  Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from bot import events as ev
from bot.bus.assisted import OpenCall

ESTABLISHED = (
    "name_confirmed",
    "introduced",
    "disclosed",
    "terms_heard",
    "id_check",
    "rebuttals",
    "refusals",
    "selling_over",
    "order",
    "callback_time",
    "sms",
    "dnc",
)
"""Slots of a bot call that tell the person what is settled (actions/state.py)."""


class EarlierLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the bot's part.  `acts`, `entities`, `sentiment` are the customer's, `node` the bot's."""

    utterance_id: str
    party: ev.Party
    text: str
    begin_ms: int
    end_ms: int
    acts: list[dict[str, Any]] = []
    entities: list[dict[str, Any]] = []
    sentiment: str | None = None
    node: str | None = None


class NotHandedOver(ValueError):
    """The log is not that of a bot call; says why."""


def handed_over(
    events: Sequence[ev.AnyEvent],
    *,
    call_id: str,
    script: str,
    agent_id: str,
    contact: dict[str, Any],
    at: str | None = None,
) -> OpenCall:
    """The assisted call `call_id` that goes on where the bot's log `events` ends.

    `at`: wall time of its beginning (ISO 8601 with offset), default that of the handover.  Raises
    NotHandedOver for a log without its beginning, or of an assisted call.
    """
    started = next((event for event in events if isinstance(event, ev.CallStarted)), None)
    if started is None:
        raise NotHandedOver("the log has no call.started → read the call's log from its first event")
    if started.mode != "bot":
        raise NotHandedOver(f"call {started.call_id} is a call with mode {started.mode}, not a bot's")
    given = next((event for event in reversed(events) if isinstance(event, ev.Handover)), None)
    cut = given or events[-1]
    facts = _established(events)
    if given is not None:
        facts["handover_reason"] = given.reason
    return OpenCall(
        call_id=call_id,
        tenant_id=started.tenant_id,
        script=script,
        agent_id=agent_id,
        contact=contact,
        at=at or cut.wall,
        direction=started.direction,
        earlier=tuple(msgspec.to_builtins(line) for line in earlier_lines(events, cut.at_ms)),
        facts=facts,
        handed_over=started.call_id,
    )


def earlier_lines(events: Sequence[ev.AnyEvent], zero_ms: int) -> list[EarlierLine]:
    """Who said what, in the order in which it began; times count from `zero_ms`.

    An utterance whose final text never came stands with its last partial one.
    """
    words: dict[str, ev.UtteranceFinal | ev.UtterancePartial] = {}
    meanings: dict[str, ev.MeaningEvent] = {}
    lines: list[EarlierLine] = []
    for number, event in enumerate(events):
        match event:
            case ev.UtteranceFinal():
                words[event.utterance_id] = event
            case ev.UtterancePartial() if not isinstance(words.get(event.utterance_id), ev.UtteranceFinal):
                words[event.utterance_id] = event
            case ev.MeaningEvent():
                meanings[event.utterance_id] = event
            case ev.Playback() if event.heard_text:
                lines.append(
                    EarlierLine(
                        utterance_id=f"bot-{number}",
                        party="bot",
                        text=event.heard_text,
                        begin_ms=event.at_ms - event.heard_ms - zero_ms,
                        end_ms=event.at_ms - zero_ms,
                        node=event.node,
                    )
                )
    for said in words.values():
        if said.text:
            meaning = meanings.get(said.utterance_id)
            lines.append(
                EarlierLine(
                    utterance_id=f"bot-{said.utterance_id}",
                    party=said.party,
                    text=said.text,
                    begin_ms=said.begin_ms - zero_ms,
                    end_ms=said.end_ms - zero_ms,
                    acts=meaning.acts if meaning else [],
                    entities=meaning.entities if meaning else [],
                    sentiment=meaning.sentiment if meaning else None,
                )
            )
    return sorted(lines, key=lambda line: (line.begin_ms, line.end_ms))


def _established(events: Sequence[ev.AnyEvent]) -> dict[str, Any]:
    """The last values of the slots that count; those that were never set are left out."""
    slots = {event.name: event.value for event in events if isinstance(event, ev.SlotEvent)}
    return {name: slots[name] for name in ESTABLISHED if slots.get(name) not in (None, "")}
