"""YAML that people write by hand: every fault names its place and the remedy."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bot.typed_yaml import MAX_DEPTH, YamlError, load_typed, read_yaml, read_yaml_with_places


class Inner(msgspec.Struct):
    colour: str
    size: int = 1


class Outer(msgspec.Struct):
    name: str
    parts: list[Inner] = []
    by_name: dict[str, Inner] = {}
    best: Inner | None = None


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "file.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def fault(folder: Path, text: str | bytes) -> YamlError:
    with pytest.raises(YamlError) as caught:
        load_typed(write(folder, text), Outer)
    return caught.value


def test_a_right_file_becomes_its_type(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\nparts:\n- colour: red\n  size: 2\nby_name:\n  x: {colour: blue}\n")
    assert load_typed(path, Outer) == Outer("a", [Inner("red", 2)], {"x": Inner("blue")})


@pytest.mark.parametrize(
    ("text", "line", "column", "what", "remedy"),
    [
        ("nmae: a\n", 1, 1, "nmae", "'name'"),
        ("name: a\nparts:\n- colour: red\n- color: red\n", 4, 3, "color", "'colour'"),
        ("name: a\nby_name:\n  x:\n    siez: 1\n", 4, 5, "siez", "'size'"),
        ("name: a\nbest:\n  siez: 1\n", 3, 3, "siez", "'size'"),
        ("name: a\nparts:\n- colour: red\n  size: many\n", 4, 3, "size", "correct"),
        ("name: a\nname: b\n", 2, 1, "twice", "remove"),
        ("name: a\nparts:\n\t- colour: red\n", 3, 1, "found character", "tabs"),
        ("name: &x a\nparts: *x\n", 2, 1, "anchors", "write the value out"),
        ("", 1, 1, "empty", "keys"),
    ],
)
def test_a_fault_names_its_place_and_the_remedy(
    tmp_path: Path, text: str, line: int, column: int, what: str, remedy: str
) -> None:
    error = fault(tmp_path, text)
    assert (error.line, error.column) == (line, column)
    assert what in error.what
    assert remedy in error.remedy
    assert str(error).startswith(f"{tmp_path / 'file.yml'}:{line}:{column}: ")


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    assert "name" in fault(tmp_path, "parts: []\n").what


def test_bytes_that_are_not_utf8_are_refused_with_their_line(tmp_path: Path) -> None:
    assert fault(tmp_path, "name: 话\nbest: ".encode() + "术".encode("gb18030")).line == 2


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    text = "".join("  " * depth + "a:\n" for depth in range(MAX_DEPTH + 2))
    with pytest.raises(YamlError, match="nested"):
        read_yaml(write(tmp_path, text))


def test_tags_that_would_build_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(YamlError):
        read_yaml(write(tmp_path, "a: !!python/object/apply:os.system ['true']\n"))


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(YamlError, match="cannot be read"):
        read_yaml(tmp_path / "none.yml")


def test_places_point_at_the_keys(tmp_path: Path) -> None:
    _, places = read_yaml_with_places(write(tmp_path, "a:\n  b:\n  - c: 1\n"))
    assert places[("a", "b", 0, "c")] == (3, 5)
