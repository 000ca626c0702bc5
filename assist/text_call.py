"""One assisted call held in text: for the evaluation command, checks and tests.  No Redis, no web.

Time passes as it would be spoken: a line takes MS_PER_CHARACTER for each character.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from assist.hearing.agent_lines import AgentLines
from assist.learning.policy import Policy
from assist.loading import load_assist_script, read_assist_script
from assist.panel import plain_value
from assist.shadow import Shadow
from assist.suggest.script import AssistScript
from bot.dialogue.version import ScriptVersion
from bot.understanding.masking import mask

MS_PER_CHARACTER = 210
PAUSE_MS = 400


_WARM_LINES = (
    ("agent", "您好,这里是客户经理,您现在方便吗?"),
    ("customer", "方便你说"),
    ("agent", "您一个月话费多少钱?"),
    ("customer", "一百二十八块吧,流量十八个G"),
    ("customer", "太贵了"),
    ("agent", "现在四十八块一个月,您看给您办一个好吗?"),
    ("customer", "那多少钱啊,怎么退"),
    ("customer", "好的给我办吧"),
)


class AssistedScript:
    """A script loaded for advice: Rasa's version of it, its lines, the index of the agent's words."""

    def __init__(self, version: ScriptVersion, script: AssistScript | None = None) -> None:
        self.version = version
        self.script = script or read_assist_script(version.files)
        self.lines = AgentLines(self.script)
        self._warm()

    def _warm(self) -> None:
        """The first turn of a model takes a third of a second: have it now."""
        call = TextAssist(self, {}, now=datetime(2026, 1, 1, tzinfo=UTC))
        for party, text in _WARM_LINES:
            call.line(party, text)

    @classmethod
    def load(cls, name: str, root: Path | None = None) -> AssistedScript:
        """The script as its files stand; trains it where that was not done.  Raises ScriptError."""
        script = load_assist_script(name, root)  # what is wrong in it is said before any training
        return cls(ScriptVersion.load(name, root=root), script)


class TextAssist:
    """A call of `script` with a customer's file.  `now` has a zone."""

    def __init__(
        self,
        loaded: AssistedScript,
        contact: Mapping[str, Any],
        *,
        now: datetime,
        policy: Policy | None = None,
    ) -> None:
        self.shadow = Shadow(
            loaded.version, loaded.script, loaded.lines, policy or Policy.initial(),
            call_id="text", contact=contact, started=now,
        )  # fmt: skip
        self._names = (str(contact["name"]),) if contact.get("name") else ()
        self._at_ms = 0
        self._count = 0
        self.shadow.begin()

    @classmethod
    def load(cls, name: str, contact: Mapping[str, Any], *, now: datetime) -> TextAssist:
        """A call of the script as its files stand.  Raises ScriptError."""
        return cls(AssistedScript.load(name), contact, now=now)

    def line(self, party: str, text: str) -> dict[str, Any]:
        """Take one line in; the advice after it."""
        masked = mask(text, self._names)
        self._count += 1
        begin = self._at_ms + PAUSE_MS
        self._at_ms = begin + len(masked) * MS_PER_CHARACTER
        self.shadow.tick(begin)
        heard = self.shadow.utterance(
            f"u{self._count}", "agent" if party == "agent" else "customer", masked, begin, self._at_ms
        )
        cards = heard.cards or list(self.shadow.screen.cards())
        return {
            "suggestions": [msgspec.to_builtins(card) for card in cards],
            **self.state(),
            "alarms": [msgspec.to_builtins(alarm) for alarm in heard.alarms],
            "acts": list(heard.said.acts) if heard.said is not None else [],
            "nodes": list(heard.said.nodes) if heard.said is not None else [],
        }

    def state(self) -> dict[str, Any]:
        """Where the call stands: facts, stage, objection, duties, offers."""
        picture, panel = self.shadow.picture, self.shadow.panel()
        return {
            "facts": {name: plain_value(fact.value) for name, fact in picture.facts.items()},
            "stage": picture.stage,
            "objection": picture.objection,
            "due": [item["key"] for item in panel["checklist"] if item["due"]],
            "done": [item["key"] for item in panel["checklist"] if item["at_ms"] is not None],
            "offers": panel["offers"],
            "customer_type": picture.customer_type,
        }
