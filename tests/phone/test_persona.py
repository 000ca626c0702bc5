"""Persona files: faults name their place and the remedy; the shipped ones are sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.phone.persona import filled, load_persona, load_personas, stretches
from bot.typed_yaml import YamlError

FOLDER = Path(__file__).resolve().parents[2] / "personas"
GOOD = """\
name: test
zh: 试
en: test
script: ringback
contact: {name: 张伟, id_last4: "0527"}
expected:
  disposition: [accepted]
  order: true
rules:
  - hears: 后四位
    say: ["{id_spoken}"]
default: [好的]
"""


def written(tmp_path: Path, old: str, new: str) -> Path:
    assert old in GOOD
    path = tmp_path / "test.yml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("script:", "scrpt:", 4, "did you mean 'script'"),
        ("    say:", "    sya:", 11, "did you mean 'say'"),
        ("  order:", "  oder:", 8, "did you mean 'order'"),
        ("后四位", "'后(四位'", 10, "no regular expression"),
        ("{id_spoken}", "{nickname}", 5, "needs 'nickname'"),
        ("[accepted]", "[bought]", 7, "no disposition is called 'bought'"),
        ('    say: ["{id_spoken}"]', "    times: 1", 10, "a rule that does nothing"),
        ("default: [好的]", "default: []", 12, "default"),
        ("zh: 试", "zh: 试\nreaction_ms: 20", 3, "reaction_ms"),
        ("zh: 试", "zh: 试\nnoise: {kind: rain}", 3, "'rain' is not known"),
        ("en: test\n", "", 1, "en"),
    ],
)
def test_a_fault_names_its_line_and_the_remedy(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    path = written(tmp_path, old, new)
    with pytest.raises(YamlError) as caught:
        load_persona(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}:")


def test_the_name_must_be_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(YamlError, match="call it 'other'"):
        load_personas(tmp_path)


def test_pauses_cut_a_line_into_stretches() -> None:
    assert stretches("那个[500]多少钱[80]一年") == [(0, "那个"), (500, "多少钱"), (80, "一年")]
    assert stretches("好的") == [(0, "好的")]


def test_digits_are_spoken_one_by_one_and_wrong_ones_are_wrong() -> None:
    contact = {"id_last4": "0527"}
    assert filled("是{id_spoken}", contact) == "是零五二七"
    assert all(a != b for a, b in zip(filled("{id_wrong}", contact), "零五二七", strict=True))


def test_the_shipped_personas_cover_the_ends_a_call_can_have() -> None:
    personas = load_personas(FOLDER)
    assert len(personas) >= 14
    ends = {disposition for persona in personas.values() for disposition in persona.expected.disposition}
    assert {
        "accepted",
        "declined",
        "callback",
        "do_not_call",
        "transferred",
        "wrong_person",
        "voicemail",
    } <= ends
    assert len({persona.contact["phone"] for persona in personas.values()}) == len(personas)
    for persona in personas.values():
        assert persona.expected.order == ("accepted" in persona.expected.disposition)
