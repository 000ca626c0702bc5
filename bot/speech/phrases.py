"""What to listen for after a reply, for recognisers with a closed grammar.

The phrases are data (`phrases_zh.yml`, `phrases_en.yml`) by what the reply expects; a script may
bring its own in `stories/<script>/phrases_<language>.yml` with the same keys, which are added.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from bot.turn import Reply
from bot.typed_yaml import load_typed


class Phrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Phrases by what is expected; `always` in every state."""

    always: list[str] = []
    identity_check: list[str] = []
    yes_no_question: list[str] = []
    offer: list[str] = []
    pitch: list[str] = []
    open_question: list[str] = []
    digits: list[str] = []
    time: list[str] = []
    none: list[str] = []


def phrases_after(language: str = "zh", script_folder: Path | None = None) -> Callable[[Reply], list[str]]:
    """A function from a reply to the phrases to expect.  Raises YamlError for a faulty file."""
    files = [Path(__file__).with_name(f"phrases_{language}.yml")]
    if script_folder is not None and (own := script_folder / f"phrases_{language}.yml").is_file():
        files.append(own)
    tables = [load_typed(path, Phrases) for path in files]

    def expected(reply: Reply) -> list[str]:
        found = [phrase for table in tables for phrase in (*getattr(table, reply.expects), *table.always)]
        return list(dict.fromkeys(found))

    return expected
