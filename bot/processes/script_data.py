"""What a voice process needs of a script version, by way of Redis: it holds no Rasa and no scripts.

A brain publishes it for each version it serves; a voice process fetches it once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from bot.bus import keys
from bot.bus.connection import command
from bot.turn import Line, Reply
from bot.understanding.completeness import Completeness, load

KEEP_S = 7 * 86_400


class VoiceData(msgspec.Struct, frozen=True):
    """One version: the completeness model, phrases that are likely after each kind of question, and
    the texts of the fixed lines, which can be rendered before any call."""

    script: str
    version: str
    completeness: dict[str, Any]
    phrases: dict[str, list[str]]
    lines: list[str]

    def model(self) -> Completeness:
        """Has the caller finished?  Raises ValueError for a model of another format."""
        return load(self.completeness)

    def after(self, reply: Reply) -> Sequence[str]:
        """Phrases that are likely after a reply."""
        return self.phrases.get(reply.expects, ())

    def fixed_lines(self) -> list[Line]:
        """The lines to render in advance."""
        return [Line(node="fixed", text=text) for text in self.lines]


_decoder = msgspec.json.Decoder(VoiceData)
_SAFE = re.compile(r"[\w.-]{1,64}")


class ScriptDataError(Exception):
    """No brain has published the version."""


async def publish(redis: Redis, script: str, version: str, data: bytes) -> None:
    """Make a version's data known (the JSON of bot.dialogue.voice_data).  Raises BusDown."""
    await command(redis, "SET", _key(script, version), data, "EX", KEEP_S)


async def fetch(redis: Redis, script: str, version: str) -> VoiceData:
    """A version's data.  Raises ScriptDataError, BusDown."""
    data = await command(redis, "GET", _key(script, version))
    if data is None:
        raise ScriptDataError(f"no brain has published {script}@{version}: start one that serves it")
    return _decoder.decode(data)


def _key(script: str, version: str) -> str:
    if not (_SAFE.fullmatch(script) and _SAFE.fullmatch(version)):
        raise ValueError(f"'{script}@{version}' is no name of a script version")
    return keys.script_data(script, version)
