"""One loaded version of a script: it understands lines and runs turns.

Versions live side by side, each with its own Rasa model, found by content hash.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from actions.script import AssistSettings, Script, load_settings
from bot.dialogue.meaning import Meaning, meaning_of
from bot.dialogue.processor import ScriptProcessor
from bot.dialogue.script_files import ScriptError
from bot.dialogue.training import TrainedScript, trained
from bot.typed_yaml import YamlError


class ScriptVersion:
    """A trained script in memory.  Loading takes about half a second once Rasa is imported."""

    def __init__(self, trained_script: TrainedScript) -> None:
        self.files = trained_script.files
        self.name = trained_script.files.name
        self.version = trained_script.files.version
        self._settings = self._read_settings()
        self.processor = ScriptProcessor(trained_script.archive)

    @classmethod
    def load(cls, name: str, *, root: Path | None = None) -> ScriptVersion:
        """The version of script `name` as its files stand; trains it where that was not done.

        Raises ScriptError for an unknown script or one with faults.
        """
        return cls(trained(name, root=root))

    @property
    def settings(self) -> Script:
        """What script.yml of a bot's script decides; raises ScriptError for an assisted script."""
        if isinstance(self._settings, AssistSettings):
            path = self.files.folder / "script.yml"
            remedy = f"huashu assist --script {self.name}"
            raise ScriptError(f"{path}: '{self.name}' is for assisted calls → {remedy}")
        return self._settings

    def _read_settings(self) -> Script | AssistSettings:
        try:
            return load_settings(self.files.folder / "script.yml")
        except YamlError as error:
            raise ScriptError(str(error)) from error

    def understand(self, text: str, after: str | None, now: datetime | None = None) -> Meaning:
        """The meaning of a line.  `after`: what was asked before (CONTRACT, parse); `now` with zone."""
        metadata = {"after": after, "now": now.isoformat() if now else None}
        return meaning_of(self.processor.parse(text, metadata))
