"""Whole dialogues: real Rasa policies and actions, the customer's acts given instead of words.

The script is trained once a run with the project's policies and no utterances: what the acts of a
line are is tested elsewhere (tests/nlu).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions.memory import MemoryEffects
from bot.dialogue.engine import Engine
from bot.dialogue.script_files import PROJECT
from bot.dialogue.text_call import TextCall
from bot.dialogue.version import ScriptVersion
from bot.turn import HeardLine, Reply

NOW = "2026-11-23T10:00:00+08:00"
CONTACT: dict[str, Any] = {
    "id": "c1",
    "name": "张伟",
    "sex": "男",
    "phone": "13800000000",
    "monthly_fee_ringback": "5",
    "id_last4": "1234",
}


class ActCall(TextCall):
    """A text call whose customer speaks in acts."""

    effects: MemoryEffects

    async def act(
        self, *names: str, heard_lines: int | None = None, text: str = "好的", **entities: str
    ) -> Reply:
        """The customer's acts, best first, with entities by kind.  `heard_lines` of the reply
        before were heard to the end, the next one was cut off in the middle (None: all heard)."""
        heard = None
        if heard_lines is not None:
            heard = tuple(
                HeardLine(
                    node=line.node, finished=index < heard_lines, heard_ms=500 if index <= heard_lines else 0
                )
                for index, line in enumerate(self.lines)
            )
        return await self._ask(
            "say",
            text=text,
            utterance_id=f"u{self.turn}",
            heard=heard,
            acts=tuple({"name": name, "confidence": 0.9} for name in names),
            entities=tuple(
                {"entity": kind, "value": value, "text": value, "start": 0, "end": len(value)}
                for kind, value in entities.items()
            ),
        )

    async def signal(self, kind: Any) -> Reply:
        """A turn that is no speech."""
        return await self._ask(kind)

    async def acts(self, *turns: str) -> Reply:
        """Several acts in turn, one a turn; the last reply."""
        for name in turns:
            reply = await self.act(name)
        return reply


@pytest.fixture(scope="session")
def version(tmp_path_factory: pytest.TempPathFactory) -> ScriptVersion:
    root = tmp_path_factory.mktemp("ringback")
    (root / "stories").symlink_to(PROJECT / "stories")
    acts = root / "nlu_data" / "acts"
    acts.mkdir(parents=True)
    for name in ("affirm.yml", "ask_price.yml"):  # enough for what a training wants of utterances
        (acts / name).symlink_to(PROJECT / "nlu_data" / "acts" / name)
    config = yaml.safe_load((PROJECT / "config.yml").read_text())
    (root / "config.yml").write_text(yaml.safe_dump({**config, "pipeline": [], "language": "en"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUASHU_DATA", str(root / "data"))
        return ScriptVersion.load("ringback", root=root / "stories")


@pytest.fixture
def ring(version: ScriptVersion) -> Callable[..., ActCall]:
    """Makes a call that is about to be answered."""

    def make(
        *, now: str = NOW, seed: int = 0, effects: Any = None, caller: dict[str, Any] | None = None,
        **contact: Any,
    ) -> ActCall:  # fmt: skip
        """`caller`: the whole contact of a customer who calls us."""
        effects = effects or MemoryEffects()
        engine = Engine(effects=effects)
        engine.add(version)
        values = {key: value for key, value in {**CONTACT, **contact}.items() if value is not None}
        values = values if caller is None else caller
        call = ActCall(
            engine, "ringback", values, now=datetime.fromisoformat(now), seed=seed, call_id=f"call-{seed}",
            direction="outbound" if caller is None else "inbound",
        )  # fmt: skip
        call.effects = effects
        return call

    return make


@pytest.fixture
def stories() -> Path:
    return PROJECT / "stories"
