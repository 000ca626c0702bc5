"""A simulated customer, written in YAML: who it is, how it talks, what it answers to what it hears.

A persona's lines may hold `{id_last4}` (any key of its contact; `{id_spoken}` and `{id_wrong}` are
its last ID digits and wrong ones, spoken one by one) and `[600]`: a pause of 600 ms within the turn.
`hears` is a regular expression over what the bot said since the persona spoke last; the first rule
that matches and is not used up answers.  Times are ms.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from bot.events import DISPOSITIONS
from bot.typed_yaml import YamlError, load_typed, read_yaml_with_places

Ms = Annotated[int, msgspec.Meta(ge=0, le=600_000)]
Texts = Annotated[list[str], msgspec.Meta(min_length=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]

PAUSE = re.compile(r"\[(\d{2,5})\]")
_VARIABLE = re.compile(r"\{(\w+)\}")
_HANZI_DIGITS = "零一二三四五六七八九"


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every part of a persona refuses keys it does not know."""


class VoiceStyle(_Part, frozen=True, kw_only=True):
    """How it sounds: espeak's pitch (0-99), speed (words a minute) and voice variant (f2, m3 …)."""

    pitch: Annotated[int, msgspec.Meta(ge=0, le=99)] = 50
    speed: Annotated[int, msgspec.Meta(ge=80, le=450)] = 190
    variant: str = ""
    language: str = "cmn"


class NoiseAround(_Part, frozen=True, kw_only=True):
    """What is heard behind the voice: white noise or babble, `snr_db` below it."""

    kind: str = "white"
    snr_db: Annotated[float, msgspec.Meta(ge=-10, le=60)] = 20.0


class LineFaults(_Part, frozen=True, kw_only=True):
    """What is wrong with the line.

    `loss` is the share of frames that never arrive; `clip_db` amplifies until it clips; `echo_db`
    (negative) sends the bot's own voice back `echo_ms` later; every `odd_every`th frame is one byte
    short; after `cut_ms` the line is dead.
    """

    loss: Share = 0.0
    clip_db: Annotated[float, msgspec.Meta(ge=0, le=40)] = 0.0
    echo_db: Annotated[float, msgspec.Meta(ge=-60, le=0)] | None = None
    echo_ms: Annotated[int, msgspec.Meta(ge=20, le=1000)] = 120
    odd_every: Annotated[int, msgspec.Meta(ge=0)] = 0
    cut_ms: Ms | None = None
    codec: str = "alaw"


class Murmur(_Part, frozen=True, kw_only=True):
    """Listener's noises while the bot speaks: first after `after_ms`, then every `every_ms`."""

    say: Texts
    after_ms: Ms = 1500
    every_ms: Ms = 3000


class Rule(_Part, frozen=True, kw_only=True):
    """One reaction.  Without `say` and `dtmf` the persona stays silent (`silence: true` says so openly).

    `after_ms` replaces the persona's reaction time.  `interrupt_after_ms` speaks (or hangs up) so long
    after the bot began the line that matches, over it.  `hang_up` ends the call after what is said.
    `times` is how often the rule may be used, 0 without limit.
    """

    hears: str = ""
    say: list[str] = []
    after_ms: Ms | None = None
    interrupt_after_ms: Ms | None = None
    dtmf: Annotated[str, msgspec.Meta(pattern=r"^[0-9*#A-D]*$")] = ""
    silence: bool = False
    hang_up: bool = False
    times: Annotated[int, msgspec.Meta(ge=0)] = 0


class Patience(_Part, frozen=True, kw_only=True):
    """What it does when the bot says nothing for `after_ms`: speaks up to `times` times, then hangs up."""

    after_ms: Ms = 8000
    say: Texts = msgspec.field(default_factory=lambda: ["喂，听得到吗"])
    times: Annotated[int, msgspec.Meta(ge=0)] = 2


class Expected(_Part, frozen=True, kw_only=True):
    """How the call must end.  More than one disposition or grade means any of them."""

    disposition: Annotated[list[str], msgspec.Meta(min_length=1)]
    grade: list[str] = []
    order: bool = False


class Persona(_Part, frozen=True, kw_only=True):
    """A whole simulated customer; inbound: it calls us, and `contact` is what we know of it."""

    name: str
    zh: str
    en: str
    script: str
    contact: dict[str, Any]
    expected: Expected
    direction: Literal["outbound", "inbound"] = "outbound"
    seed: int = 1
    answer_ms: Ms = 1200
    reaction_ms: Annotated[int, msgspec.Meta(ge=200, le=10_000)] = 600
    greeting: list[str] = []
    greeting_after_ms: Ms = 300
    voice: VoiceStyle = msgspec.field(default_factory=VoiceStyle)
    noise: NoiseAround | None = None
    line: LineFaults = msgspec.field(default_factory=LineFaults)
    murmur: Murmur | None = None
    patience: Patience = msgspec.field(default_factory=Patience)
    limit_ms: Ms = 240_000
    rules: list[Rule] = []
    default: Texts


def load_persona(path: Path) -> Persona:
    """The persona of a YAML file.

    Raises YamlError (path, line, column, what, remedy) for anything wrong in it: an unknown key with
    the nearest right one, a bad regular expression, an unknown variable or disposition.
    """
    persona = load_typed(path, Persona)
    _check(path, persona)
    return persona


def load_personas(folder: Path) -> dict[str, Persona]:
    """All personas of a folder by name, in the order of their files.  Raises YamlError."""
    found: dict[str, Persona] = {}
    for path in sorted(folder.glob("*.yml")):
        persona = load_persona(path)
        if persona.name != path.stem:
            raise YamlError(
                path, 1, 1, f"the name is '{persona.name}'", f"call it '{path.stem}' like its file"
            )
        found[persona.name] = persona
    return found


def filled(text: str, contact: dict[str, Any]) -> str:
    """A line with its variables filled in.  Raises KeyError for one that the contact does not have."""
    return _VARIABLE.sub(lambda match: _value(match.group(1), contact), text)


def stretches(text: str) -> list[tuple[int, str]]:
    """A line as (pause before it in ms, words) pairs: `嗯[600]好` is [(0, 嗯), (600, 好)]."""
    pieces = PAUSE.split(text)
    pauses = [0, *(int(ms) for ms in pieces[1::2])]
    return [(pause, words.strip()) for pause, words in zip(pauses, pieces[0::2], strict=True)]


def all_lines(persona: Persona) -> list[str]:
    """Every line that it may say, variables not filled."""
    lines = [*persona.greeting, *persona.default, *persona.patience.say]
    lines += persona.murmur.say if persona.murmur else []
    for rule in persona.rules:
        lines += rule.say
    return list(dict.fromkeys(lines))


def _value(name: str, contact: dict[str, Any]) -> str:
    if name in ("id_spoken", "id_wrong"):
        digits = [int(digit) for digit in str(contact["id_last4"])]
        if name == "id_wrong":
            digits = [(digit + 3) % 10 for digit in digits]
        return "".join(_HANZI_DIGITS[digit] for digit in digits)
    return str(contact[name])


def _check(path: Path, persona: Persona) -> None:
    _, places = read_yaml_with_places(path)

    def fault(at: tuple[str | int, ...], what: str, remedy: str) -> YamlError:
        while at not in places and at:
            at = at[:-1]
        line, column = places.get(at, (1, 1))
        return YamlError(path, line, column, what, remedy)

    for number, rule in enumerate(persona.rules):
        at = ("rules", number)
        try:
            re.compile(rule.hears)
        except re.error as error:
            raise fault(
                (*at, "hears"), f"'{rule.hears}' is no regular expression ({error})", "correct it"
            ) from error
        if not (rule.say or rule.dtmf or rule.silence or rule.hang_up):
            raise fault(at, "a rule that does nothing", "give it say, dtmf, silence: true or hang_up: true")
        if rule.silence and rule.say:
            raise fault((*at, "silence"), "a rule that is silent and speaks", "keep one of silence and say")
    for text in all_lines(persona):
        try:
            filled(text, persona.contact)
        except (KeyError, ValueError) as error:
            raise fault(
                ("contact",), f"'{text}' needs {error} of the contact", "add it to contact"
            ) from error
    for number, disposition in enumerate(persona.expected.disposition):
        if disposition not in DISPOSITIONS:
            raise fault(
                ("expected", "disposition", number), f"no disposition is called '{disposition}'",
                "one of " + ", ".join(DISPOSITIONS),
            )  # fmt: skip
    for section, value, known in (
        ("noise", persona.noise.kind if persona.noise else "white", ("white", "babble")),
        ("line", persona.line.codec, ("alaw", "ulaw", "none")),
    ):
        if value not in known:
            raise fault((section,), f"'{value}' is not known here", "one of " + ", ".join(known))
