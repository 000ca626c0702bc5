"""Training utterances, read by the C parser: Rasa's own reader takes seconds for a thousand lines.

A file of plain lines under intents is read here; one with entity mark-up, synonyms, look-ups or
regexes is left to Rasa.  A test holds both readings equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.dialogue.script_files import ScriptError, read_mapping

_MARK_UP = ("[", "]", "{", "}")


@dataclass(frozen=True)
class Utterance:
    """One training line.  `metadata` is that of its block: `after`, `lang`."""

    text: str
    intent: str
    metadata: dict[str, Any] | None

    @property
    def after(self) -> tuple[str, ...]:
        """What was asked before; () where the context does not matter."""
        value = (self.metadata or {}).get("after") or ()
        return (value,) if isinstance(value, str) else tuple(value)


def read_utterances(path: Path) -> list[Utterance] | None:
    """The lines of an NLU file, None where it needs Rasa's reader.

    Raises ScriptError where it cannot be read or a block holds no intent and examples.
    """
    found: list[Utterance] = []
    blocks = read_mapping(path).get("nlu") or []
    if not isinstance(blocks, list):
        raise ScriptError(f"{path}: 'nlu' must be a list → one '- intent: …' a block")
    for block in blocks:
        if not isinstance(block, dict):
            raise ScriptError(f"{path}: a block under 'nlu' holds no keys → begin it with '- intent: …'")
        if "intent" not in block:
            return None
        lines = list(_lines(path, block))
        if any(mark in line for line in lines for mark in _MARK_UP):
            return None
        intent, metadata = str(block["intent"]), block.get("metadata")
        found += [Utterance(line, intent, metadata) for line in lines]
    return found


def _lines(path: Path, block: dict[str, Any]) -> Iterator[str]:
    examples = block.get("examples")
    if not isinstance(examples, str):
        raise ScriptError(
            f"{path}: intent '{block['intent']}' has no examples → examples: | and '- line' each"
        )
    for line in examples.splitlines():
        stripped = line.strip()
        if not stripped:
            continue
        if not stripped.startswith("- "):
            raise ScriptError(f"{path}: '{stripped[:30]}' is no example → begin it with '- '")
        yield stripped[2:].strip()
