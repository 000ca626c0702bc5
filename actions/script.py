"""script.yml, typed: who calls, what is offered, until when, and what the campaign decides.

`load_script` names file, line and remedy for anything missing, misspelt or of a wrong type.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from bot.typed_yaml import YamlError, load_typed, read_yaml


class Title(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name for people, in both languages."""

    zh: str
    en: str


class Company(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who calls.  `hotline_spoken` is how the hotline is read aloud, digit by digit."""

    name: str
    hotline: str
    hotline_spoken: str
    sms_number: str


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is sold.  Money in yuan; the dates are inclusive, in the callee's zone.

    `payment` and `cancel` are said and written as they stand, so they must be true.
    """

    product: str
    price_yuan: Decimal
    months: int
    normal_monthly_yuan: Decimal
    starts: Literal["next_month"]
    valid_from: date
    valid_to: date
    payment: str
    cancel: str


class Voicemail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do where a machine answers; `message` names no account fact."""

    do: Literal["hang_up", "leave_message"]
    message: str


class SmsTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Text messages, with the variables of `actions.offers.variables` in braces."""

    order: str
    details: str


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One script's own facts.  `opening_limit_s` seconds is all that the two opening lines may take
    at `hanzi_per_s`; `clarify_refusal` is the rule profile's choice whether a first refusal may get
    one clarifying question; `callback_hours` are the hours (from, before) of promised calls."""

    name: str
    version: str
    title: Title
    mode: Literal["bot", "assist"]
    language: Literal["zh", "en"]
    company: Company
    offer: Offer
    opening_limit_s: float
    hanzi_per_s: float
    needs_contact: tuple[str, ...]
    voicemail: Voicemail
    sms: SmsTexts
    forbidden_words: tuple[str, ...]
    callback_hours: tuple[int, int] = (9, 20)
    clarify_refusal: bool = True


class AssistSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """script.yml of a script for assisted calls: a person sells, so nothing is decided about the line."""

    name: str
    version: str
    title: Title
    mode: Literal["assist"]
    language: Literal["zh", "en"]
    company: Company


def load_settings(path: Path) -> Script | AssistSettings:
    """The script.yml at `path`, of a bot's or of an assisted script; YamlError names line and remedy."""
    data = read_yaml(path)
    if isinstance(data, dict) and data.get("mode") == "assist":
        return load_typed(path, AssistSettings)
    return load_script(path)


def load_script(path: Path) -> Script:
    """The script.yml of a bot's script at `path`; YamlError names line and remedy."""
    script = load_typed(path, Script)
    if script.offer.valid_to < script.offer.valid_from:
        raise YamlError(path, 1, 1, "offer.valid_to lies before offer.valid_from", "correct the dates")
    if script.offer.months < 1 or script.offer.price_yuan <= 0:
        raise YamlError(path, 1, 1, "offer.months and offer.price_yuan must be above 0", "correct them")
    return script
