"""Searching the lines of a script by words: what an agent looks up in a call.

Lines are read from the script's domain files as plain YAML (a web process holds no Rasa) and kept
until the files change.  A line counts by how much of the query stands in its words (pairs of
neighbouring characters, which needs no word segmentation), most where it stands as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from bot.dialogue.script_files import COMMON_ASSIST, ScriptError, scripts_root
from bot.typed_yaml import YamlError, read_yaml

MOST = 8
LEAST_SHARE: Final = 0.34
_NO_WORD: Final = re.compile(r"[\W_]+")


class Line(msgspec.Struct, frozen=True):
    """One line that can be said: its node, words, and what it is about."""

    node: str
    text: str
    title: str = ""
    why: str = ""
    about: tuple[str, ...] = ()


class ScriptSearch:
    """The lines of all scripts."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = root
        self._read: dict[str, tuple[tuple[int, ...], list[Line]]] = {}

    def search(self, script: str, words: str) -> list[dict[str, Any]]:
        """The lines of a script that answer the words, best first.  Blocks.  Raises ScriptError."""
        return [
            {"node": line.node, "title": line.title, "text": line.text, "why": line.why}
            for line in best(self._lines(script), words)
        ]

    def _lines(self, script: str) -> list[Line]:
        root = self._root or scripts_root()
        paths = [root / folder / "domain.yml" for folder in (COMMON_ASSIST, script)]
        paths = [path for path in paths if path.is_file()]
        state = tuple(path.stat().st_mtime_ns for path in paths)
        before = self._read.get(script)
        if before is not None and before[0] == state:
            return before[1]
        responses: dict[str, Any] = {}
        for path in paths:
            try:
                data = read_yaml(path)
            except YamlError as error:
                raise ScriptError(str(error)) from error
            found = data.get("responses") if isinstance(data, dict) else None
            responses |= found if isinstance(found, dict) else {}
        lines = lines_of(responses)
        self._read[script] = (state, lines)
        return lines


def lines_of(responses: Mapping[str, Any]) -> list[Line]:
    """PURE: the lines of a domain's responses that are cards and can be said as they stand."""
    lines = []
    for node, variations in responses.items():
        said = [each for each in variations or [] if isinstance(each, dict) and each.get("text")]
        metadata: dict[str, Any] = next(
            (each["metadata"] for each in said if isinstance(each.get("metadata"), dict)), {}
        )
        plain = [
            str(each["text"]) for each in said if "{" not in str(each["text"]) and not each.get("condition")
        ]
        if not plain or not metadata.get("card"):
            continue
        about = metadata.get("about") or ()
        about = (about,) if isinstance(about, str) else tuple(map(str, about))
        title, why = str(metadata.get("title") or ""), str(metadata.get("why") or "")
        lines.append(Line(str(node), plain[0], title, why, about))
    return lines


def best(lines: Sequence[Line], words: str) -> list[Line]:
    """PURE: the lines that the words look for, best first, at most MOST."""
    query = _letters(words)
    if not query:
        return []
    scored = [(score, line) for line in lines if (score := _score(line, query)) >= LEAST_SHARE]
    scored.sort(key=lambda pair: (-pair[0], pair[1].node))
    return [line for _, line in scored[:MOST]]


def _score(line: Line, query: str) -> float:
    about = [_letters(word) for word in line.about]
    text = _letters(line.text)
    whole = "\n".join([*about, _letters(line.title), _letters(line.why), text])
    pairs = _pairs(query)
    share = len(pairs & _pairs(whole)) / len(pairs) if pairs else float(query in whole)
    meant = any(word and (word in query or query in word) for word in (*about, _letters(line.title)))
    return share + 1.0 * meant + 0.5 * (query in text)


def _letters(text: str) -> str:
    return _NO_WORD.sub("", text.casefold())


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)}
