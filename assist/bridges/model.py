"""What every bridge gives back, and how it reads foreign JSON: typed, bounded, each fault named.

`BridgeInput` holds bodies of `POST /api/calls/{id}/utterances` (CONTRACT): utterance_id, party, text,
begin_ms, end_ms, final; times are milliseconds of the call's own clock.  Whatever a payload holds that
is no words of customer or agent is counted in `ignored`, not dropped in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec

MAX_TEXT = 16_384
"""Longest text of one utterance, characters (Contact Lens' own limit)."""
MAX_ID = 256
MAX_NAME = 4_096
"""Longest resource name, characters: several identifiers, escaped."""
MAX_ITEMS = 1_000
"""Most segments in one payload."""
MAX_MS = 7 * 24 * 3600 * 1000

_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: cannot be written as UTF-8
Value = TypeVar("Value")


class BridgeError(ValueError):
    """A payload not in the vendor's shape.  `field` is the path to the fault, `expected` what is right.

    The message never repeats a text: it may be what a customer said.
    """

    def __init__(self, field: str, expected: str, got: object) -> None:
        shown = type(got).__name__
        if got is None or isinstance(got, float) or (isinstance(got, int) and abs(got) < 10**18):
            shown = repr(got)
        if isinstance(got, str):
            shown = f"a string of {len(got)} characters"
        super().__init__(f"{field}: {expected} expected, got {shown}")
        self.field = field
        self.expected = expected


class Piece(msgspec.Struct, frozen=True):
    """A part of a line that is not final yet."""

    piece_id: str
    text: str
    begin_ms: int
    end_ms: int


class BridgeInput(msgspec.Struct, frozen=True, kw_only=True):
    """What a payload says of one call.  `pending` holds, by utterance, the pieces of lines not yet final."""

    call_id: str
    started: bool = False
    ended: bool = False
    utterances: tuple[dict[str, Any], ...] = ()
    ignored: dict[str, int] = {}
    pending: dict[str, tuple[Piece, ...]] = {}


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """CONTRACT's Feedback.  `at_ms` is None where the vendor tells no time on the call's clock."""

    suggestion_id: str
    action: Literal["shown", "used", "edited", "dismissed", "spoken"]
    at_ms: int | None = None
    text: str | None = None


def utterance(
    utterance_id: str, party: str, text: str, begin_ms: int, end_ms: int, *, final: bool
) -> dict[str, Any]:
    """The body of one utterance."""
    return {
        "utterance_id": utterance_id,
        "party": party,
        "text": text,
        "begin_ms": begin_ms,
        "end_ms": end_ms,
        "final": final,
    }


class Fields:
    """A JSON object of the vendor, read field by field; every method raises BridgeError with the path."""

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, Mapping):
            raise BridgeError(path or "payload", "an object", value)
        self._value = value
        self.path = path

    def at(self, name: str) -> str:
        """The path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._value.get(name) is not None

    def raw(self, name: str) -> object:
        """The field as it is; None where it is not there."""
        return self._value.get(name)

    def inner(self, name: str) -> Fields:
        """The object in a field."""
        return Fields(self._value.get(name), self.at(name))

    def items(self, name: str) -> list[Fields]:
        """The objects of the array in a field."""
        value = self._value.get(name)
        if not isinstance(value, Sequence) or isinstance(value, str | bytes) or len(value) > MAX_ITEMS:
            raise BridgeError(self.at(name), f"an array of at most {MAX_ITEMS} objects", value)
        return [Fields(item, f"{self.at(name)}[{at}]") for at, item in enumerate(value)]

    def strings(self, name: str) -> list[str]:
        """The identifiers of the array in a field."""
        value = self._value.get(name)
        if not isinstance(value, Sequence) or isinstance(value, str | bytes) or len(value) > MAX_ITEMS:
            raise BridgeError(self.at(name), f"an array of at most {MAX_ITEMS} strings", value)
        each = Fields(dict(zip(map(str, range(len(value))), value, strict=True)), self.at(name))
        return [each.identifier(str(at)) for at in range(len(value))]

    def identifier(self, name: str, most: int = MAX_ID) -> str:
        """A string of 1 to `most` printable characters that is not blank."""
        value = self._value.get(name)
        right = isinstance(value, str) and value.strip() and len(value) <= most and value.isprintable()
        if not isinstance(value, str) or not right:
            raise BridgeError(self.at(name), f"a string of 1 to {most} printable characters", value)
        return value

    def text(self, name: str) -> str:
        """A string of at most MAX_TEXT characters, without the white space around it; may be empty."""
        value = self._value.get(name)
        if not isinstance(value, str) or len(value) > MAX_TEXT or _SURROGATE.search(value):
            raise BridgeError(self.at(name), f"a Unicode string of at most {MAX_TEXT} characters", value)
        return value.strip()

    def flag(self, name: str, default: bool | None = None) -> bool:
        """A boolean; `default` where the field is not there (None: it must be there)."""
        value = self._value.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, bool):
            raise BridgeError(self.at(name), "true or false", value)
        return value

    def one_of(self, name: str, choices: Mapping[str, Value]) -> Value:
        """What `choices` has for the string in a field."""
        value = self._value.get(name)
        if not isinstance(value, str) or value not in choices:
            raise BridgeError(self.at(name), f"one of {', '.join(choices)}", value)
        return choices[value]

    def milliseconds(self, name: str) -> int:
        """A whole number of milliseconds, 0 to a week."""
        value = self._value.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_MS:
            raise BridgeError(self.at(name), f"whole milliseconds, 0 to {MAX_MS}", value)
        return value

    def seconds(self, name: str) -> int:
        """Milliseconds from seconds, given as a number or a string of one."""
        value = self._value.get(name)
        expected = f"seconds as a number or a numeric string, 0 to {MAX_MS // 1000}"
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise BridgeError(self.at(name), expected, value)
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise BridgeError(self.at(name), expected, value) from None
        if not math.isfinite(number) or not 0 <= number * 1000 <= MAX_MS:
            raise BridgeError(self.at(name), expected, value)
        return round(number * 1000)

    def number(self, name: str, default: float) -> float:
        """A finite number; `default` where the field is not there."""
        value = self._value.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BridgeError(self.at(name), "a finite number", value)
        return float(value)


def ordered(fields: Fields, end: str, begin_ms: int, end_ms: int) -> tuple[int, int]:
    """Both times, checked.  Raises BridgeError at the field `end` where it lies before the begin."""
    if end_ms < begin_ms:
        raise BridgeError(fields.at(end), f"a time not before the begin at {begin_ms} ms", end_ms)
    return begin_ms, end_ms
