"""Where the files of a script are, and which version they make.

A script is the acts of stories/common, a shared part (stories/common for a bot's, common_assist for
an assisted one) and stories/<name>, understood with nlu_data and run by config.yml.  Its version is
the hash of all that a training reads, so equal files are the same version.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from bot.typed_yaml import YamlError, read_yaml

PROJECT = Path(__file__).resolve().parents[2]
COMMON = "common"
COMMON_ASSIST = "common_assist"
SHARED = (COMMON, COMMON_ASSIST)


class ScriptError(ValueError):
    """A script that cannot be used; the message says what, where and the remedy."""


@dataclass(frozen=True)
class ScriptFiles:
    """The files of one script.  `version` is 16 hex digits of a SHA-256 over their content;
    `assists` are those that only live assist reads (assist.yml, catalogue.yml)."""

    name: str
    folder: Path
    config: Path
    domains: tuple[Path, ...]
    stories: tuple[Path, ...]
    nlu: tuple[Path, ...]
    lexicons: tuple[Path, ...]
    assists: tuple[Path, ...]
    version: str
    mode: str = "bot"


def scripts_root() -> Path:
    """The folder that holds the scripts: HUASHU_STORIES, else stories/ of the project."""
    return Path(os.environ.get("HUASHU_STORIES") or PROJECT / "stories")


def script_names(root: Path | None = None) -> list[str]:
    """Names of all scripts, in order."""
    root = root or scripts_root()
    return sorted(path.parent.name for path in root.glob("*/domain.yml") if path.parent.name not in SHARED)


def find_script(name: str, root: Path | None = None) -> ScriptFiles:
    """The files of script `name`.

    Raises ScriptError where there is no such script, naming the nearest that exists.
    """
    root = root or scripts_root()
    folder = root / name
    known = script_names(root)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        remedy = f"did you mean '{near[0]}'?" if near else f"scripts here: {', '.join(known) or 'none'}"
        raise ScriptError(f"{root}: no script '{name}' → {remedy}")
    nlu_root = root.parent / "nlu_data" if (root.parent / "nlu_data").is_dir() else PROJECT / "nlu_data"
    config = root.parent / "config.yml" if (root.parent / "config.yml").is_file() else PROJECT / "config.yml"
    mode = _mode(folder / "script.yml")
    shared = root / (COMMON_ASSIST if mode == "assist" else COMMON)
    domains = _existing(root / COMMON / "acts.yml", shared / "domain.yml", folder / "domain.yml")
    stories = tuple(
        path for place in (shared, folder) for path in _existing(place / "rules.yml", place / "stories.yml")
    )
    nlu = (
        *sorted((nlu_root / "acts").glob("*.yml")),
        *_existing(nlu_root / "two_acts.yml", nlu_root / f"{name}.yml", folder / "nlu.yml"),
    )
    lexicons = tuple(sorted((nlu_root / "lexicon").glob("*")))
    assists = _existing(root / COMMON_ASSIST / "assist.yml", folder / "assist.yml", folder / "catalogue.yml")
    other = _existing(folder / "script.yml")
    code = sorted((Path(__file__).parent / "components").glob("*.py"))
    code += [PROJECT / "bot" / "understanding" / "normalize.py"]
    code += [Path(__file__).parent / "importer.py", Path(__file__).parent / "training.py"]
    version = _hash((config, *domains, *stories, *nlu, *lexicons, *other, *code))
    return ScriptFiles(name, folder, config, domains, stories, nlu, lexicons, assists, version, mode)


def _mode(script: Path) -> str:
    """bot or assist, as script.yml says; bot where it says nothing readable (lint tells what is wrong)."""
    try:
        data = read_yaml(script)
    except YamlError:
        return "bot"
    return str(data.get("mode")) if isinstance(data, dict) else "bot"


def _existing(*paths: Path) -> tuple[Path, ...]:
    return tuple(path for path in paths if path.is_file())


def _hash(paths: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.parent.name}/{path.name}".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def read_mapping(path: Path) -> dict[str, object]:
    """The YAML file as a mapping; raises ScriptError with file, line and remedy."""
    try:
        data = read_yaml(path)
    except YamlError as error:
        raise ScriptError(str(error)) from error
    if not isinstance(data, dict):
        raise ScriptError(f"{path}:1:1: must hold keys and values → start with 'version: \"3.1\"'")
    return data
