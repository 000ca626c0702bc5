"""The words of a card: the wording that fits the customer, figures filled in, at most 40 characters. Pure.

A wording whose figure is not known is passed over; one made for the customer's type comes first, then
one with the customer's own figures in it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from assist.suggest.model import MAX_CARD_CHARACTERS
from assist.suggest.script import Node, Wording

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def spoken(
    node: Node,
    variables: Mapping[str, str],
    slots: Mapping[str, Any],
    used: Collection[str] = (),
    longest: int = MAX_CARD_CHARACTERS,
) -> str | None:
    """The best wording of a line, filled in; None where none can be said now.

    `slots`: customer_type and whatever conditions name; `used`: texts that were shown already.  A
    wording that is too long (a bot's) gives its first sentences.
    """
    best: tuple[tuple[bool, bool, int, int, int], str] | None = None
    for number, wording in enumerate(node.wordings):
        if any(slots.get(name) != value for name, value in wording.slots):
            continue
        text = filled(wording, variables)
        whole = text is not None and len(text) <= longest
        if text is not None and not whole:
            text = _first_sentences(text, longest)
        if text is None:
            continue
        figures = len(_PLACEHOLDER.findall(wording.text))
        rank = (text not in used, whole, len(wording.slots), figures, -number)
        if best is None or rank > best[0]:
            best = (rank, text)
    return None if best is None or not best[0][0] else best[1]


def _first_sentences(text: str, longest: int) -> str | None:
    """As many whole sentences (else clauses) as fit; None where not even one does."""
    for marks in ("。!?！？", "。!?！？,，;；"):
        ends = [at + 1 for at, character in enumerate(text[:longest]) if character in marks]
        if ends and ends[-1] >= 8:
            return text[: ends[-1]].rstrip(",，;；")
    return None


def filled(wording: Wording, variables: Mapping[str, str]) -> str | None:
    """The wording with its variables, None where one is unknown."""
    names = _PLACEHOLDER.findall(wording.text)
    if any(name not in variables for name in names):
        return None
    return _PLACEHOLDER.sub(lambda match: variables[match.group(1)], wording.text)


def fact_variables(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts as they are spoken: 128, 18.4, 中国电信."""
    found = {}
    for name, value in values.items():
        if isinstance(value, bool) or (name == "over_gb" and not value):
            continue
        if isinstance(value, (int, float, Decimal)):
            text = f"{Decimal(str(value)):f}"
            found[name] = text.rstrip("0").rstrip(".") if "." in text else text
        elif isinstance(value, str) and 0 < len(value) <= 16:
            found[name] = value
    return found
