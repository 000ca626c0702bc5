"""What a voice process needs of a trained version, as plain JSON: it holds no Rasa.

Kept beside the version's archive: the completeness model (has the caller finished?), phrases that
are likely after each kind of question (for recognisers with a closed grammar), and the fixed lines
that can be rendered before any call.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from bot.dialogue.guarded_words import unmarked
from bot.dialogue.importer import merged_domain
from bot.dialogue.script_files import ScriptFiles
from bot.dialogue.utterances import read_utterances
from bot.turn import Expects
from bot.understanding.completeness import dump, train

MAX_PHRASES = 240
_HANZI = re.compile(r"[一-鿿]{2,10}")
_DIGITS_PHRASES = ("{digits:4}", "是{digits:4}", "尾号{digits:4}", "尾号是{digits:4}")
_NEVER_SAID = {"voicemail", "out_of_scope", "backchannel"}


CODE = Path(__file__).parents[1] / "understanding"


def code_mark() -> str:
    """Changes with the code that makes the completeness model: data made by another one is made anew."""
    digest = hashlib.sha256()
    for path in (*sorted(CODE.glob("completeness*.py")), Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def build_voice_data(files: ScriptFiles) -> dict[str, Any]:
    """The data of one script version.  Takes a second or two (trains the completeness model)."""
    examples = list(_examples(files))
    return {
        "script": files.name,
        "version": files.version,
        "code": code_mark(),
        "completeness": dump(train(text for _, _, text in examples)),
        "phrases": {expects: _phrases(examples, expects) for expects in get_args(Expects)},
        "lines": _fixed_lines(files),
    }


def write_voice_data(files: ScriptFiles, path: Path) -> None:
    """Build and store it, unless what is there was built by the code of today."""
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")).get("code") == code_mark():
        return
    path.write_text(json.dumps(build_voice_data(files), ensure_ascii=False), encoding="utf-8")


def _examples(files: ScriptFiles) -> Iterable[tuple[str, tuple[str, ...], str]]:
    """(act, what was asked before, text) of each training line."""
    for path in files.nlu:
        for line in read_utterances(path) or ():
            yield line.intent, line.after, line.text


def _phrases(examples: list[tuple[str, tuple[str, ...], str]], expects: str) -> list[str]:
    """Short Chinese lines that answer this kind of question: those made for it first."""
    made_for: dict[str, None] = {}
    general: dict[str, None] = {}
    for act, after, text in examples:
        compact = re.sub(r"\s", "", text)
        if act in _NEVER_SAID or not _HANZI.fullmatch(compact):
            continue
        if expects in after:
            made_for[compact] = None
        elif not after and "+" not in act:
            general[compact] = None
    step = max(1, len(general) // MAX_PHRASES)
    chosen = [*made_for, *list(general)[::step]][:MAX_PHRASES]
    return [*_DIGITS_PHRASES, *chosen] if expects == "digits" else chosen


def _fixed_lines(files: ScriptFiles) -> list[str]:
    """The texts of all lines without variables, in order of their nodes."""
    return [
        unmarked(variation["text"])[0]
        for _, variations in sorted(merged_domain(files)["responses"].items())
        for variation in variations
        if isinstance(variation.get("text"), str) and "{" not in variation["text"]
    ]
