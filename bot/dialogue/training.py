"""Train a script version, or find the one already trained.

A version is stored under its content hash as `<version>.tar.gz` with a small JSON beside it that
holds the SHA-256 of the archive; only archives that our own trainer made, by their hash, are ever
loaded (CVE-2024-49375 came from loading others).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import logging
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.data_folder import DataFolderError, data_folder
from bot.dialogue.script_files import ScriptError, ScriptFiles, find_script

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedScript:
    """A trained version on disk.  `seconds` is what its training took; `voice_data` is the JSON
    that voice processes read (`bot.dialogue.voice_data`)."""

    files: ScriptFiles
    archive: Path
    sha256: str
    seconds: float

    @property
    def voice_data(self) -> Path:
        """Path of the voice's JSON."""
        return self.archive.with_name(f"{self.files.version}.voice.json")


def models_folder() -> Path:
    """Where trained versions are kept: HUASHU_DATA/versions, else .huashu/versions.

    Raises ScriptError where the data folder cannot be used.
    """
    try:
        return data_folder("versions")
    except DataFolderError as error:
        raise ScriptError(str(error)) from error


def trained(name: str, *, root: Path | None = None) -> TrainedScript:
    """The trained version of script `name` as its files stand now; trains where there is none.

    Two processes that ask at once train once.  Raises ScriptError for a script with faults.
    """
    from bot.dialogue.voice_data import write_voice_data

    files = find_script(name, root)
    folder = models_folder() / name
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / ".lock"):
        found = _stored(files, folder)
        if found is None:
            found = _train(files, folder)
        write_voice_data(files, found.voice_data)
    return found


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _stored(files: ScriptFiles, folder: Path) -> TrainedScript | None:
    archive, note = folder / f"{files.version}.tar.gz", folder / f"{files.version}.json"
    if not (archive.is_file() and note.is_file()):
        return None
    stored = json.loads(note.read_text())
    if hashlib.sha256(archive.read_bytes()).hexdigest() != stored["sha256"]:
        logger.warning("%s does not match its recorded hash; training anew", archive)
        return None
    return TrainedScript(files, archive, stored["sha256"], stored["seconds"])


def _train(files: ScriptFiles, folder: Path) -> TrainedScript:
    started = time.monotonic()
    archive = train_archive(files, folder, files.version)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    seconds = round(time.monotonic() - started, 2)
    note = folder / f"{files.version}.json"
    note.write_text(json.dumps({"sha256": digest, "seconds": seconds, "script": files.name}))
    return TrainedScript(files, archive, digest, seconds)


def train_archive(files: ScriptFiles, folder: Path, name: str) -> Path:
    """Train with Rasa's own graph trainer; the archive's path.  Raises ScriptError on faults."""
    os.environ.setdefault("RASA_CACHE_DIRECTORY", str(folder.parent / "cache"))
    from bot.dialogue import tensorflow_free

    tensorflow_free.install()
    import rasa.model_training
    from rasa.core.policies.rule_policy import InvalidRule
    from rasa.shared.exceptions import RasaException

    import bot.dialogue.components  # noqa: F401  (registers our graph components)
    from bot.dialogue.importer import ScriptImporter

    script = ScriptImporter(files)
    check_names(files)
    # not wrapped in Rasa's own importers: they put a script's responses and actions into the NLU data,
    # and what is equal for all scripts would be trained again for each
    quiet = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(quiet):
            warnings.simplefilter("ignore")
            result = rasa.model_training._train_graph(
                script, rasa.model_training.TrainingType.BOTH, str(folder), f"{name}.tar.gz"
            )
    except InvalidRule as error:
        raise ScriptError(f"{files.folder / 'rules.yml'}: {error}") from error
    except RasaException as error:
        raise ScriptError(f"{files.folder}: {error} → correct the script") from error
    return Path(result.model)


def check_names(files: ScriptFiles) -> None:
    """Every name that rules and stories use must exist; Rasa only warns.

    Raises ScriptError with the file, the line, and the nearest right name.
    """
    from bot.dialogue.names import unknown_names

    errors = [fault for fault in unknown_names(files) if fault.is_error]
    if errors:
        raise ScriptError("\n".join(map(str, errors)))
