"""The customer's acts, and which ONE act steers the dialogue where an utterance carries two.

`PRECEDENCE` is the one place where this order is written down: an act of an earlier row beats
every act of a later row.  Within a row the more confident act wins, then the one given first.

Thoughts behind the order:
- A wish not to be called and an inability (driving, ill) beat everything: law and decency.
- A yes together with a question or an objection is never consent: the question or objection
  wins, is answered, and the bot asks again.  A yes together with any no is a no.
- An explicit refusal (`decline_offer`) beats a question, an objection and 以后再说: if the
  question won, the bot would answer it and ask again, and so sell on past a refusal.  What is
  lost is small: a refusal is met with at most one clarifying question, where it can be asked again.
- `deny` is a no to a question of fact.  Where a no to what was asked ends or changes the sale
  (`NO_DECIDES`) it ranks as a refusal does; elsewhere ("any questions?" "没有,多少钱") a question
  or the value that was asked for is worth more.
- Who is calling, why, a machine, whence the number: an honest answer is owed before a rebuttal.
  Any other question gives way to an objection, whose rebuttal goes to the heart of it.
- A value that was asked for (digits, a time) beats a plain yes or no: 对,幺二三四 informs;
  不行,明天吧 names the time.  It counts even where the classifier did not name `inform`.
- 好的再见 ends the call and agrees to nothing.
- Noises and courtesies lose to anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

ACTS: Final[dict[str, str]] = {
    "affirm": "yes to the question that was asked",
    "deny": "no to a question of fact",
    "accept_offer": "takes the offer",
    "decline_offer": "refuses the offer outright",
    "unsure": "does not know, cannot say",
    "ask_identity": "who are you, which company",
    "ask_purpose": "what is this call about",
    "ask_robot": "are you a machine",
    "ask_number_source": "where did you get my number",
    "ask_price": "what does it cost",
    "ask_details": "what is it, how does it differ",
    "ask_benefit": "what is in it for me, how is it better",
    "ask_condition": "contract, catch, limits, what if",
    "ask_cancel": "can it be cancelled; cancel it now",
    "ask_effective": "from when and until when does it hold",
    "ask_how_to": "how do I get, use or pay it",
    "ask_repeat": "say it again",
    "ask_sms": "send it to me as a message",
    "ask_human": "wants a person, a manager",
    "ask_account": "about the own account: balance, number, bill",
    "object_no_need": "no need, no interest, no use",
    "object_distrust": "takes it for fraud, does not believe it",
    "object_price": "too dear, can it be cheaper",
    "object_already_have": "has the product or the like",
    "object_competitor": "has it from a rival, or names one",
    "object_bad_service": "bad service as the reason not to buy",
    "object_decider": "another person decides",
    "object_think_over": "wants to think it over",
    "object_busy": "cannot talk now",
    "object_unable": "driving, ill, abroad, in hospital",
    "object_frequency": "you call too often",
    "greet": "hello, alone",
    "thank": "thanks",
    "goodbye": "takes leave",
    "backchannel": "a listener's noise",
    "check_audio": "can you hear me, I cannot hear you",
    "hurry_up": "get to the point",
    "hold_on": "wait a second",
    "request_callback": "call another time, with or without a time",
    "request_dnc": "do not call again",
    "wrong_person": "is not the person asked for",
    "relative_or_other": "a relative or other person answers for the customer",
    "complain": "demands that something be put right, lodges a complaint",
    "abuse": "insults",
    "chitchat": "small talk",
    "inform": "gives a fact: a date, time, number, name",
    "done_already": "has done this very thing",
    "voicemail": "an answering machine, call assistant or network announcement",
    "out_of_scope": "nothing of the above, talk to others in the room",
}
"""Every customer act of CONTRACT.md, with what it means."""

PSEUDO_ACTS: Final = (
    "call_start",
    "silence",
    "no_match",
    "interrupted",
    "action_failed",
    "transfer_failed",
    "dtmf",
)
"""Inputs of the dialogue that no words carry; they never go through `steering_act`."""

PRECEDENCE: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("do not call", ("request_dnc",)),
    ("unable", ("object_unable",)),
    ("machine", ("voicemail",)),
    ("not the customer", ("wrong_person", "relative_or_other")),
    ("grievance", ("abuse", "complain")),
    ("a person wanted", ("ask_human",)),
    ("refusal", ("decline_offer",)),  # and deny, where asked is in NO_DECIDES: next row
    ("deciding no", ()),
    ("later", ("request_callback",)),
    ("busy", ("object_busy",)),
    ("disclosure", ("ask_identity", "ask_purpose", "ask_robot", "ask_number_source")),
    (
        "objection",
        (
            "object_no_need",
            "object_distrust",
            "object_price",
            "object_already_have",
            "object_competitor",
            "object_bad_service",
            "object_decider",
            "object_think_over",
            "object_frequency",
            "done_already",
        ),
    ),
    (
        "question",
        (
            "ask_price",
            "ask_details",
            "ask_benefit",
            "ask_condition",
            "ask_cancel",
            "ask_effective",
            "ask_how_to",
            "ask_sms",
            "ask_account",
        ),
    ),
    ("value asked for", ()),  # inform, where the entities hold what was asked
    ("no", ("deny",)),
    ("doubt", ("unsure",)),
    ("flow of talk", ("ask_repeat", "check_audio", "hold_on", "hurry_up")),
    ("leave", ("goodbye",)),
    ("acceptance", ("accept_offer",)),
    ("yes", ("affirm",)),
    ("fact not asked for", ("inform",)),
    ("beside the point", ("out_of_scope",)),
    ("courtesy", ("chitchat", "thank")),
    ("greeting", ("greet",)),
    ("noise", ("backchannel",)),
)
"""Rows of acts, strongest first.  The two empty rows are where `deny` and `inform` go when what
was asked makes them count for more."""

QUESTIONS: Final = frozenset(act for act in ACTS if act.startswith("ask_"))
OBJECTIONS: Final = frozenset(act for act in ACTS if act.startswith("object_"))
YES: Final = frozenset({"affirm", "accept_offer"})
"""The acts that may count as consent; only where `steering_act` itself returns one of them."""

NO_DECIDES: Final = frozenset({"name", "permission", "offer", "owner", "order", "person"})
"""Pending questions (`asks` of a bot line) where a bare no ends or changes the sale."""

TIME_ENTITIES: Final = frozenset({"date", "time", "datetime", "part_of_day", "vague_time"})

ASKED_ENTITIES: Final[dict[str, frozenset[str]]] = {
    "id": frozenset({"digits", "id_number"}),
    "phone": frozenset({"digits", "phone"}),
    "callback_time": TIME_ENTITIES | {"duration"},
}
"""Pending question → the kinds of entity (bot.understanding.values) that answer it."""

_ROW: Final = {name: row for row, (name, _) in enumerate(PRECEDENCE)}
_RANK: Final = {act: row for row, (_, acts) in enumerate(PRECEDENCE) for act in acts}


def answers_what_was_asked(entities: Sequence[Mapping[str, Any]], asked: str | None) -> bool:
    """Whether the entities hold a value of the kind that the pending question asks for."""
    wanted = ASKED_ENTITIES.get(asked or "", frozenset())
    return any(entity["entity"] in wanted for entity in entities)


def steering_act(
    acts: Sequence[Mapping[str, Any]],
    entities: Sequence[Mapping[str, Any]] = (),
    asked: str | None = None,
) -> str:
    """The one act of an utterance that the dialogue goes by.

    `acts` are what the classifier gave, best first: {"name", "confidence"}; `entities` the typed
    values ({"entity", …}); `asked` the pending question (`asks` of the bot's line), or None.
    No act at all is `out_of_scope`.  Raises ValueError for a name that is no customer act.
    """
    valued = answers_what_was_asked(entities, asked)
    candidates: list[tuple[int, float, int, str]] = []
    for place, act in enumerate(acts):
        name = str(act["name"])
        if name not in _RANK:
            raise ValueError(f"unknown act {name!r}: expected a customer act of bot.understanding.acts.ACTS")
        row = _RANK[name]
        if name == "deny" and asked in NO_DECIDES:
            row = _ROW["deciding no"]
        candidates.append((row, -float(act.get("confidence", 0.0)), place, name))
    if valued:
        candidates.append((_ROW["value asked for"], 0.0, len(candidates), "inform"))
    return min(candidates)[3] if candidates else "out_of_scope"
