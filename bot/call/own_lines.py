"""The few lines that the voice says by itself when the brain, or the line, fails; by language.

They promise nothing and name no product, so that they fit every script.
"""

from __future__ import annotations

from bot.turn import Line

FILLER = "filler"
APOLOGY = "apology"
CLOSING = "closing_time"
HOLDING = "holding"

_TEXTS = {
    "zh": {
        FILLER: ("您稍等一下。", "马上,我看一下。"),
        HOLDING: ("正在为您接通,请稍等。", "还在接,麻烦您再等一下。"),
        APOLOGY: ("不好意思,系统这会儿出了点问题,先不打扰您了,再见。",),
        CLOSING: ("今天耽误您不少时间了,先聊到这里,谢谢您,再见。",),
    },
    "en": {
        FILLER: ("One moment, please.", "Just a second."),
        HOLDING: ("I am putting you through, please hold.", "Still connecting you, one moment."),
        APOLOGY: ("I'm sorry, we have a technical problem, so I will let you go. Goodbye.",),
        CLOSING: ("I have taken enough of your time. Thank you, goodbye.",),
    },
}


def own_line(node: str, language: str, number: int = 0) -> Line:
    """The line of that node; `number` turns through the wordings.

    Raises ValueError for a language that is neither zh nor en.
    """
    if language not in _TEXTS:
        raise ValueError(f"the voice has no lines in {language!r}; it has zh and en")
    wordings = _TEXTS[language][node]
    variant = number % len(wordings)
    return Line(node=node, text=wordings[variant], variant=variant, interruptible=node in (FILLER, HOLDING))


def own_lines(language: str) -> tuple[Line, ...]:
    """All of them, to have their sound ready before a call."""
    return tuple(
        own_line(node, language, number)
        for node, wordings in _TEXTS[language].items()
        for number in range(len(wordings))
    )
