"""A human-like Mandarin test voice: syllables recorded by people (Debian's gcin-voice), one after another."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pypinyin import Style, lazy_pinyin

from bot.call.designer_audio import read_recording
from bot.call.pcm import at_level

_TONES = {"ˊ": "2", "ˇ": "3", "ˋ": "4", "˙": "1"}


def syllables(text: str, folder: Path) -> bytes:
    """`text` as PCM; b"" where a syllable was never recorded."""
    sound = b""
    for zhuyin in lazy_pinyin(text, style=Style.BOPOMOFO):
        tone = next((number for mark, number in _TONES.items() if mark in zhuyin), "")
        bare = "".join(c for c in zhuyin if c not in _TONES)
        found = [
            path
            for name in (bare + tone, bare, bare + "1", bare + "4", bare + "2")
            for path in (folder / name / "3.ogg", folder / name / "5.ogg")
            if path.is_file()
        ]
        if not found:
            return b""
        sound += _syllable(found[0])
    return at_level(sound, -20.0)


@lru_cache
def _syllable(path: Path) -> bytes:
    return read_recording(path)
