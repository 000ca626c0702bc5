"""What machines say in English: North American and British carriers, the English halves of Chinese
announcements, voicemail boxes, call screening.

Patterns are for lower-case words with single spaces.  Weights as in `lexicon_zh`.  Source: the
announcements that callers hear and write down.
"""

from __future__ import annotations

import re

from bot.call.answering.cues import Cue, Lexicon, any_of

_DIALLED = (
    r"you(?: are|'re| have|'ve)?(?: just)? "
    r"(?:dial(?:l?ed|ing)?|call(?:ed|ing)?|reached|trying to (?:reach|call))"
)
_SUBJECT = r"(?:number|subscriber|phone|customer|person|party|mobile|user|line|extension|telephone)"
_NOT = r"(?:cannot|can't|can not|could not|couldn't|unable to|did not)"
_FAMILY = r"(?:wife|husband|son|daughter|mom|dad|mother|father|boss|brother|sister)"
_NO_LETTERS = re.compile("[^a-z' ]+")
_SPACES = re.compile(" +")


def words_of(text: str) -> str:
    """Only the words of lower-case `text`, one space between them."""
    return _SPACES.sub(" ", _NO_LETTERS.sub(" ", text.replace("’", "'"))).strip()


LEXICON = Lexicon(
    heard_as=words_of,
    near=48,
    openings=(
        Cue(0.7, any_of(rf"{_SUBJECT}(?: number)?(?: that| which)? {_DIALLED}")),
        Cue(
            0.7,
            any_of(
                rf"your call (?:{_NOT}|is not) (?:be )?(?:\w+ )?(?:completed|connected|go through|allowed)"
            ),
        ),
        Cue(
            0.5,
            any_of(
                r"all (?:circuits|lines) are (?:\w+ )?busy",
                r"wireless customer|due to network|vodafone|verizon|t-mobile",
            ),
        ),
    ),
    reasons=(
        ("unreachable", any_of(r"circuits are (?:\w+ )?busy")),
        (
            "invalid_number",
            any_of(
                r"not in service|(?:does not|doesn't|not) exist|disconnected|no longer in (?:service|use)",
                r"not (?:a )?(?:valid|working|recogni[sz]ed)|invalid|incorrect|vacant|unallocated",
                r"has been changed|as dialed",
            ),
        ),
        ("powered_off", any_of(r"power(?:ed)? ?off", r"(?:switched|turned) off")),
        (
            "suspended",
            any_of(r"suspended|temporarily disconnected|service barred", r"out of service(?! area)"),
        ),
        (
            "busy",
            any_of(
                r"(?:is|are)(?: currently| now)? (?:busy|engaged)",
                r"another call",
                r"busy (?:now|at the moment)",
            ),
        ),
        (
            "restricted",
            any_of(
                r"(?:not accepting|restrict\w*|barred|blocked)(?: \w+){0,2} calls?", r"calls? restrict\w*"
            ),
        ),
        ("no_answer", any_of(r"(?:is not|isn't|not|no one is|nobody is|no) answer(?:ing)?")),
        (
            "unreachable",
            any_of(
                rf"{_NOT} be (?:connected|reached|completed)|unreachable|not reachable",
                r"out of (?:range|reach|coverage)|service area",
                r"unavailable|not (?:currently )?available",
            ),
        ),
    ),
    reason_weight=0.5,
    tails=(
        Cue(
            0.4,
            any_of(
                r"(?:try|dial|call)(?: your call| it| the number)? again",
                r"redial|call (?:back )?later|check (?:the|it|your|the listing)",
            ),
        ),
    ),
    hold=any_of(
        r"please (?:hold|wait)|stay on the line|do not hang up|don't hang up|one moment",
        r"connecting your call|transferring",
        r"being (?:transferred|connected|forwarded)(?! to (?:an? )?(?:\w+ )?voice)",
    ),
    voicemail=(
        Cue(1.0, any_of(r"(?:after|at|following|for|hear) the (?:\w+ )?(?:tone|beep|signal)"), own=True),
        Cue(1.0, any_of(r"forwarded to (?:an? |the )?(?:automat\w+ )?voice"), own=True),
        Cue(
            0.6,
            any_of(
                r"(?:leave|record)(?! you\b)(?: (?:me|us|him|her|them))?(?: (?:your|a|the|an))?"
                r"(?: \w+){0,3} ?(?:message|name|number|voicemail|details)"
            ),
            own=True,
        ),
        Cue(0.5, any_of(r"you(?:'ve| have)? reached(?! the number| the wrong)"), own=True),
        Cue(0.5, any_of(r"voice ?mail|answering (?:machine|service)|mailbox"), own=True),
        Cue(0.6, any_of(r"box (?:\w+ ){0,8}(?:full|set up)"), own=True),
        Cue(0.6, any_of(r"(?:accept|accepting)(?: any)?(?: new| more)? messages"), own=True),
        Cue(
            0.8,
            any_of(
                r"finished recording|hang up or press|press (?:the )?(?:pound|hash)",
                r"(?:leave|send) a callback number|record(?:ed|ing)? your message",
            ),
            own=True,
        ),
        Cue(
            0.3,
            any_of(
                r"(?:can't|cannot|can not|not able to|unable to) (?:come to|get to|answer|take|pick up)",
                r"(?:not|isn't|aren't) (?:available|here|home|around|in)\b",
                r"away from (?:the|my)|missed your call",
            ),
        ),
        Cue(
            0.3,
            any_of(
                r"get (?:right )?back to you|return your call|as soon as (?:i|we|possible)",
                r"(?:call|ring|phone) you (?:right )?back",
            ),
        ),
    ),
    assistant=(
        Cue(
            1.0,
            any_of(
                r"screening service|(?:using|by) (?:\w+ )?(?:call )?screening|using call assist",
                r"(?:i'm|i am|this is|reached)(?: [a-z']+){0,2} "
                r"(?:virtual|digital|automated|a ?i|call|screening) assistant",
                r"google assistant",
            ),
            own=True,
        ),
        Cue(
            1.0,
            any_of(
                r"(?:state|say|record|give)(?: me)? your name and (?:the )?(?:reason|purpose|why)",
                r"see if (?:this|the) person is available",
            ),
            own=True,
        ),
        Cue(
            0.4,
            any_of(
                r"(?:let|tell) (?:him|her|them) know (?:you|who|why)",
                r"pass (?:it|your message|this) (?:on|along)",
            ),
        ),
    ),
    asks=any_of(
        r"can i help|may i help|how can i|help you|(?:can|may|shall|could) i (?:take|ask|have|tell)",
        r"who(?:'s| is) (?:this|it|calling|that)",
    ),
    lively=any_of(
        r"what do you want|what is it|what's (?:up|this|going on|happening|new|the matter)",
        r"\w+ speaking$|this is \w+ speaking(?! after)|hear me|you there|go ahead$",
        r"ha ?ha|\blol\b|kidding|joking|joke|gotcha|got you\b|wrong number|\bha\b",
        rf"my {_FAMILY}",
        r"\b(?:do not|don't|didn't|did you|never) (?:\w+ ){0,2}(?:leave|get|listen|check)\b",
        r"(?<!reached )\bmy mailbox",
        r"text me|e?mail me|whatsapp|your (?:voice ?mail|mailbox)|are you (?:a|an|the) ",
        r"^(?:oh )?(?:yeah|nope|sure|okay|ok)\b|\bdude\b",
    ),
    no_carrier=any_of(
        r"\bi(?:'ve|'ll|'d)?\b(?!'m| am|')",
        r"\bi(?:'m| am)(?! sorry)",
        r"\b(?:my|me|he|she|yeah|yes|hey|dude|man|what|who|why|how|was|did)\b(?! not)",
    ),
)
