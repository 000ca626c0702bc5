"""Read a YAML file into a typed object; every fault names its place and the remedy.

Safe loader only, no anchors or aliases, no duplicate keys, size and depth capped: what designers
and operators write is data.  An unknown key is an error that names the key and the nearest right
one.  `YamlError` reads `path:line:column: what → what to do`.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec
import yaml

MAX_BYTES = 2_000_000
MAX_DEPTH = 24

T = TypeVar("T")

Place = tuple[int, int]
"""Line and column, both from 1."""


class YamlError(ValueError):
    """A YAML file that cannot be used.  `path`, `line` and `column` (from 1) say where."""

    def __init__(self, path: Path, line: int, column: int, what: str, remedy: str) -> None:
        self.path, self.line, self.column, self.what, self.remedy = path, line, column, what, remedy
        super().__init__(f"{path}:{line}:{column}: {what} → {remedy}")


def read_yaml(path: Path) -> Any:
    """The plain data of a YAML file (None for an empty one).

    Raises YamlError for anything that is not plain, small, tab-free YAML in UTF-8, and for a file
    that cannot be read.
    """
    return read_yaml_with_places(path)[0]


def read_yaml_with_places(path: Path) -> tuple[Any, dict[tuple[str | int, ...], Place]]:
    """The data of a YAML file and, for each key path within it, the place where it stands."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise YamlError(path, 1, 1, f"cannot be read ({error.strerror})", "check the path") from error
    if len(raw) > MAX_BYTES:
        raise YamlError(path, 1, 1, f"{len(raw)} bytes, over {MAX_BYTES}", "split the file")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise YamlError(path, line, 1, "not UTF-8", "save the file as UTF-8") from error
    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = error.problem or "not YAML"
        source = text.splitlines()[line - 1] if line <= text.count("\n") + 1 and text else ""
        remedy = (
            "indent with spaces, never tabs" if "\t" in source else "check quotes, colons and indentation"
        )
        raise YamlError(path, line, column, what, remedy) from error
    except yaml.YAMLError as error:
        raise YamlError(path, 1, 1, str(error).splitlines()[0], "remove the special characters") from error
    places: dict[tuple[str | int, ...], Place] = {}
    if root is None:
        return None, places
    return _construct(path, root, (), places, 0, set()), places


def _construct(
    path: Path,
    node: yaml.Node,
    at: tuple[str | int, ...],
    places: dict[tuple[str | int, ...], Place],
    depth: int,
    seen: set[int],
) -> Any:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    places.setdefault(at, (line, column))
    if depth > MAX_DEPTH:
        raise YamlError(path, line, column, f"nested deeper than {MAX_DEPTH}", "flatten it")
    if node.tag not in _PLAIN_TAGS:
        raise YamlError(path, line, column, f"tag {node.tag} is not allowed", "write plain data")
    if id(node) in seen:
        line, column = places[at]
        raise YamlError(path, line, column, "anchors and aliases are not allowed", "write the value out")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        data: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key_line, key_column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlError(path, key_line, key_column, "a key must be one word", "use a plain key")
            key = _scalar(key_node)
            if key in data:
                raise YamlError(path, key_line, key_column, f"key '{key}' stands twice", "remove one of them")
            places[(*at, key)] = (key_line, key_column)
            data[key] = _construct(path, value_node, (*at, key), places, depth + 1, seen)
        return data
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(path, item, (*at, index), places, depth + 1, seen)
            for index, item in enumerate(node.value)
        ]
    try:
        return _scalar(node)
    except (ValueError, yaml.YAMLError) as error:
        raise YamlError(path, line, column, str(error).splitlines()[0], "use a plain value") from error


_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")
}


class _Scalars(yaml.SafeLoader):
    """Turns one scalar node into its plain value."""

    def __init__(self) -> None:
        super().__init__("")


def _scalar(node: yaml.Node) -> Any:
    if node.tag == "tag:yaml.org,2002:str":
        return node.value
    return _Scalars().construct_object(node, deep=True)  # type: ignore[no-untyped-call]


def load_typed(path: Path, kind: type[T]) -> T:
    """The file as a `kind` (a msgspec.Struct).

    Raises YamlError naming the key's own line for an unknown key (with the nearest right one), a
    missing one, or a value of a wrong type.
    """
    data, places = read_yaml_with_places(path)
    if data is None:
        raise YamlError(path, 1, 1, "the file is empty", f"write the keys of a {kind.__name__}")
    _check_keys(path, data, kind, (), places)
    try:
        return msgspec.convert(data, kind, strict=False, dec_hook=None)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at ")
        key_path = _key_path(where)
        while key_path and key_path not in places:
            key_path = key_path[:-1]
        line, column = places.get(key_path, (1, 1))
        shown = ".".join(str(part) for part in key_path) or "the file"
        raise YamlError(path, line, column, f"{shown}: {message}", "correct the value") from error


def _key_path(where: str) -> tuple[str | int, ...]:
    parts: list[str | int] = []
    for piece in where.strip("`").removeprefix("$").replace("[", ".[").split("."):
        if piece.startswith("["):
            inner = piece.strip("[]")
            if inner.isdigit():
                parts.append(int(inner))
        elif piece:
            parts.append(piece)
    return tuple(parts)


def _check_keys(
    path: Path, data: Any, kind: Any, at: tuple[str | int, ...], places: dict[tuple[str | int, ...], Place]
) -> None:
    for option in get_args(kind) if get_origin(kind) in (Union, UnionType) else ():
        if isinstance(data, dict) and isinstance(option, type) and issubclass(option, msgspec.Struct):
            kind = option
            break
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(data, dict):
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        for key, value in data.items():
            if key not in fields:
                line, column = places.get((*at, key), (1, 1))
                near = difflib.get_close_matches(str(key), fields, n=1)
                remedy = f"did you mean '{near[0]}'?" if near else "known keys: " + ", ".join(sorted(fields))
                raise YamlError(path, line, column, f"unknown key '{key}'", remedy)
            _check_keys(path, value, fields[key], (*at, key), places)
        return
    arguments = get_args(kind)
    if isinstance(data, list) and arguments:
        for index, item in enumerate(data):
            _check_keys(path, item, arguments[0], (*at, index), places)
    elif isinstance(data, dict) and get_origin(kind) is dict and len(arguments) == 2:
        for key, value in data.items():
            _check_keys(path, value, arguments[1], (*at, key), places)
