"""The configurations of benchmarks.versus_pipecat: how each engine is started, and what both of them say."""

from __future__ import annotations

import base64
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from benchmarks._engines import Engine
from benchmarks._pipecat_env import pipecat_python
from benchmarks._turns_of_callers import Prompt, prompt_of
from bot.call.spoken_time import moments
from bot.events import Playback
from bot.store.calls import archived_events
from bot.store.database import Database

PIPECAT = ("smart_turn", "min_words", "vad")
ARCHIVED_S = 10.0
"""So long after their end calls may take to be archived."""
QUESTIONS = {
    "identity_check": "您好，请问是张先生吗？",
    "yes_no_question": "现在方便说两句吗？",
    "offer": "您看给您办一个好吗？",
    "open_question": "您平时用得怎么样呢？",
    "time": "那什么时候方便再打给您？",
    "digits": "请说一下您身份证的后四位。",
    "pitch": "这是一个免费活动。",
}
STORY = (
    "我们这次的活动是这样的我给您简单地介绍一下就是说您现在用的这个号码从这个月开始可以免费领取"
    "十个月的流量每个月都会自动到账不需要您另外办理任何手续也不会影响您现在的套餐和话费"
    "而且到期以后会自动取消不会再收您一分钱"
)


class Kept(msgspec.Struct, frozen=True):
    """What an engine keeps as said in the call `sid`, and when (time.time) it wrote that down."""

    sid: str
    at: float
    text: str
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Config:
    """One engine to be measured, and what it says.  `folder`: for what it reads and writes."""

    name: str
    prompts: tuple[Prompt, ...]
    folder: Path

    def engine(self, port: int) -> Engine:
        """The process, not started yet."""
        file = self.folder / f"{self.name}.json"
        log = self.folder / f"{self.name}.log"
        if self.name in PIPECAT:
            file.write_bytes(msgspec.json.encode([_for_pipecat(prompt) for prompt in self.prompts]))
            script = Path(__file__).with_name("_pipecat_bot.py")
            command = [str(pipecat_python()), str(script), "--port", str(port), "--turns", self.name]
            return Engine([*command, "--prompts", str(file)], port, log)
        file.write_bytes(msgspec.json.encode([{"text": p.text, "expects": p.expects} for p in self.prompts]))
        command = [sys.executable, "-m", "benchmarks._scripted_voice", "--port", str(port)]
        command += ["--prompts", str(file), "--database", self._database()]
        return Engine(command, port, log, {"HUASHU_DATA": str(self.folder / "data")})

    def kept(self, port: int, sids: Sequence[str]) -> list[Kept]:
        """What the engine has kept of what it said in these calls."""
        if self.name in PIPECAT:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/kept", timeout=10) as answer:
                return msgspec.json.decode(answer.read(), type=list[Kept])
        database = Database.open(self._database())
        try:
            give_up = time.monotonic() + ARCHIVED_S
            return [kept for sid in sids for kept in _played(database, sid, give_up)]
        finally:
            database.close()

    def _database(self) -> str:
        return f"sqlite:///{self.folder / 'calls.db'}"


def _played(database: Database, call_id: str, give_up: float) -> list[Kept]:
    """The playback events of a call, once it is archived; nothing where it is not in time."""
    while True:
        with database.read() as connection:
            events = archived_events(connection, "default", call_id)
        if events or time.monotonic() > give_up:
            break
        time.sleep(0.2)
    found: list[Kept] = []
    for said in events:
        if isinstance(said, Playback):
            at = datetime.fromisoformat(said.wall).timestamp()
            found.append(Kept(call_id, at, said.heard_text, said.outcome == "interrupted"))
    return found


def _for_pipecat(prompt: Prompt) -> dict[str, Any]:
    """A prompt with the moment at which each character begins; a mark belongs to the one before it."""
    ends = [0, *moments(prompt.text, prompt.frames * 20)]
    words: list[tuple[str, float]] = []
    for character, start_ms in zip(prompt.text, ends, strict=False):
        if words and not character.isalnum():
            words[-1] = (words[-1][0] + character, words[-1][1])
        else:
            words.append((character, start_ms / 1000))
    return {"text": prompt.text, "pcm": base64.b64encode(prompt.pcm).decode(), "words": words}


def questions(seed: int) -> tuple[Prompt, ...]:
    """The questions in an order of chance, the greeting first; callers tell them by their lengths."""
    prompts = [prompt_of(text, expects) for expects, text in QUESTIONS.items()]
    order = [prompts[0]]
    random = Random(seed)
    for _ in range(6):
        order += random.sample(prompts, len(prompts))
    return tuple(order)


def story() -> Prompt:
    """The long line that callers speak into; without a pause, so that every silence is a stop."""
    return prompt_of(STORY, "pitch")
