"""The training utterances: every act is there, in both languages, and no line pulls two ways.

Each act of CONTRACT.md has its file nlu_data/acts/<act>.yml; nlu_data/two_acts.yml holds utterances of
two acts, whose label is "first+second" in the order spoken.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from bot.understanding.acts import ACTS

DATA: Final = Path(__file__).resolve().parents[2] / "nlu_data"
AFTER: Final = {"yes_no_question", "offer", "pitch", "identity_check", "open_question"}
FREQUENT: Final = {
    *("affirm", "deny", "accept_offer", "decline_offer", "ask_price", "ask_identity", "ask_purpose"),
}
HANZI: Final = re.compile(r"[\u4e00-\u9fff]")
ACT_FILES: Final = sorted(DATA.glob("acts/*.yml"))
FILES: Final = [*ACT_FILES, DATA / "two_acts.yml"]


@dataclass(frozen=True)
class Line:
    """One training utterance; `after` is what was asked before, empty where that does not matter."""

    where: str
    label: str
    after: tuple[str, ...]
    lang: str
    text: str

    @property
    def bare(self) -> str:
        """The words alone: no spaces, no punctuation, no capitals."""
        return re.sub(r"[\W_]", "", self.text.lower())


def blocks(path: Path) -> list[dict[str, Any]]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(content) == {"version", "nlu"}, f"{path}: only version and nlu belong here"
    found = content["nlu"]
    assert isinstance(found, list)
    return found


def lines(path: Path) -> list[Line]:
    found = []
    for block in blocks(path):
        metadata = block.get("metadata", {})
        for example in block["examples"].splitlines():
            assert example.startswith("- "), f"{path.name}: {block['intent']}: not a list item: {example!r}"
            found.append(
                Line(
                    where=path.name,
                    label=block["intent"],
                    after=tuple(metadata.get("after", ())),
                    lang=metadata.get("lang", ""),
                    text=example[2:].strip(),
                )
            )
    return found


@pytest.fixture(scope="module")
def corpus() -> list[Line]:
    return [line for path in FILES for line in lines(path)]


def test_there_is_one_file_for_each_act_and_no_other() -> None:
    assert {path.stem for path in ACT_FILES} == set(ACTS)


@pytest.mark.parametrize("act", sorted(ACTS))
def test_an_act_has_enough_lines_in_both_languages(act: str) -> None:
    found = lines(DATA / "acts" / f"{act}.yml")
    assert {line.label for line in found} == {act}
    distinct = {(line.lang, line.bare) for line in found}
    count = Counter(lang for lang, _ in distinct)
    assert count["zh"] >= (100 if act in FREQUENT else 40)
    assert count["en"] >= 15


def test_two_acts_are_two_known_acts_in_many_combinations() -> None:
    found = lines(DATA / "two_acts.yml")
    for label in {line.label for line in found}:
        first, plus, second = label.partition("+")
        assert plus, f"{label} names one act"
        assert first != second, f"{label} names one act twice"
        assert {first, second} <= set(ACTS), f"{label} names an act that CONTRACT.md does not have"
    assert len({line.label for line in found}) >= 60
    count = Counter(line.lang for line in found)
    assert count["zh"] >= 250
    assert count["en"] >= 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_metadata_say_the_language_and_what_came_before(path: Path) -> None:
    for block in blocks(path):
        assert set(block) == {"intent", "metadata", "examples"}, block["intent"]
        metadata = block["metadata"]
        assert set(metadata) <= {"after", "lang"}, metadata
        assert metadata["lang"] in {"zh", "en"}, metadata
        if "after" in metadata:
            after = metadata["after"]
            assert isinstance(after, list) and after, metadata
            assert set(after) <= AFTER, metadata
            assert len(set(after)) == len(after), metadata


def test_no_line_stands_under_two_labels_in_the_same_context(corpus: list[Line]) -> None:
    labels: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in corpus:
        for after in line.after or ("any",):
            labels[line.bare, after].add(line.label)
    assert {key: found for key, found in labels.items() if len(found) > 1} == {}


def test_no_line_is_written_twice_for_a_label_and_context(corpus: list[Line]) -> None:
    count = Counter((line.label, after, line.bare) for line in corpus for after in line.after or ("any",))
    assert [key for key, times in count.items() if times > 1] == []


def test_a_line_is_in_the_language_of_its_block(corpus: list[Line]) -> None:
    assert [line for line in corpus if (line.lang == "en") == bool(HANZI.search(line.text))] == []


def test_lines_look_as_recognisers_print_them(corpus: list[Line]) -> None:
    """No question or exclamation marks, no Rasa mark-up, words in every line."""
    assert [line for line in corpus if re.search(r"[?？!！\[\]{}]", line.text) or not line.bare] == []


def test_no_line_holds_what_could_be_a_phone_or_identity_number(corpus: list[Line]) -> None:
    assert [line for line in corpus if re.search(r"\d{5}", re.sub(r"[\s-]", "", line.text))] == []


def test_lines_run_on_as_customers_do(corpus: list[Line]) -> None:
    """DOMAIN.md: 10 characters at the median, 18 at three quarters, 32 at nine tenths of real lines."""
    lengths = sorted(len(line.bare) for line in corpus if line.lang == "zh")
    assert 7 <= lengths[len(lengths) // 2] <= 14
    assert lengths[len(lengths) * 3 // 4] >= 13
    assert lengths[len(lengths) * 9 // 10] >= 20
    assert lengths[-1] >= 55


def test_rasa_reads_every_line_and_finds_no_mark_up(corpus: list[Line]) -> None:
    from bot.dialogue.tensorflow_free import install

    install()
    from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader

    read = [example for path in FILES for example in RasaYAMLReader().read(str(path)).training_examples]
    assert not any(example.get("entities") for example in read)
    heard = {(example.get("intent"), example.get("text")) for example in read}
    assert heard == {(line.label, line.text) for line in corpus}
