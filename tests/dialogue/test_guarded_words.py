"""【…】 in a wording: spans that cannot be stopped, marks that nobody hears, faults at their place."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rasa.shared.core.events import BotUttered

from bot.dialogue.faults import Fault
from bot.dialogue.guarded_words import CLOSE, OPEN, VARIABLE, mark_faults, unmarked
from bot.dialogue.importer import inherit_metadata
from bot.dialogue.linting import lint
from bot.dialogue.replies import spoken_lines
from bot.dialogue.running import RunningTurn
from bot.dialogue.script_files import find_script, scripts_root
from bot.dialogue.voice_data import _fixed_lines
from bot.dialogue.wording import Wording
from bot.turn import Line

templates = st.lists(st.sampled_from(["【", "】", "{price}", "{months}", "用", "一年", ",", "{", "}"])).map(
    "".join
)


def line_of(template: str, **slots: Any) -> Line:
    """The line that a wording becomes on its way through Rasa."""
    wording = Wording({"utter_x": inherit_metadata([{"text": template}])})
    message = wording._choose("utter_x", slots, RunningTurn(seed=0, said={}), {})
    [(line, _)] = spoken_lines(
        [BotUttered(message.pop("text"), metadata={**message, "utter_action": "utter_x"})]
    )
    return line


def guarded_words(line: Line) -> list[str]:
    return [line.text[begin:end] for begin, end in line.guarded]


def test_guarded_words_are_found_in_the_final_text() -> None:
    line = line_of(
        "跟您说,【一次交{price}块,用{months}个月】,{price}块,【随时能退】。", price=30, months="12"
    )
    assert line.text == "跟您说,一次交30块,用12个月,30块,随时能退。"
    assert guarded_words(line) == ["一次交30块,用12个月", "随时能退"]


def test_a_variable_alone_can_be_guarded_however_long_its_value_is() -> None:
    for price in ("", "5", "一千二百三十四点五"):
        line = line_of("{price}【{price}】{price}块", price=price)
        assert guarded_words(line) == ([price] if price else [])


def test_parts_are_those_of_the_line_without_marks() -> None:
    marked, plain = line_of("一共【{price}块,先】交", price="30"), line_of("一共{price}块,先交", price="30")
    assert marked.parts == plain.parts and marked.text == plain.text
    assert "".join(part.text for part in marked.parts) == marked.text


def test_a_line_without_marks_guards_nothing() -> None:
    assert line_of("随时能退").guarded == ()


def test_marks_in_a_value_are_words_of_the_customer_not_the_designers() -> None:
    line = line_of("您是{price}吗", price="【张三】")
    assert (line.text, line.guarded) == ("您是【张三】吗", ())


@given(templates, st.text("块12", max_size=3), st.text("块12", max_size=9))
def test_whatever_was_written_the_marks_are_gone_and_the_spans_lie_in_the_text(
    template: str, price: str, months: str
) -> None:
    assume(set(VARIABLE.findall(template)) <= {"price", "months"})  # another one has no value
    line = line_of(template + "。", price=price, months=months)
    assert OPEN not in line.text and CLOSE not in line.text
    before = 0
    for begin, end in line.guarded:
        assert before <= begin < end <= len(line.text)
        before = end
    assert line.text == line_of(unmarked(template)[0] + "。", price=price, months=months).text


@given(templates)
def test_what_lint_lets_pass_is_spoken_and_guarded_as_it_was_written(template: str) -> None:
    if any(found.code.startswith("E") for found in mark_faults(template)):
        return
    pieces = template.split(OPEN)
    assert len(unmarked(template)[1]) == len(pieces) - 1 == template.count(CLOSE)
    assert [piece.split(CLOSE)[0] for piece in pieces[1:]] == [
        unmarked(template)[0][begin:end] for begin, end in unmarked(template)[1]
    ]


FAULTS = [
    ("一共【30块,先交", "E404", "【30", "never closed"),
    ("一共30块】,先交", "E404", "】", "without 【"),
    ("一共【30【块】,先交", "E404", "【块", "inside"),
    ("一共【30块】】,先交", "E404", "】,", "without 【"),
    ("一共【】30块", "E405", "【】", "around no word"),
    ("一共【,。】30块", "E405", "【,", "around no word"),
    ("【一共30块】。", "E406", "【", "interruptible: false"),
    ("【一共30块】,【先交】。", "E406", "【一", "interruptible: false"),
    ("好的,【" + "一共三十块" * 7 + "】。", "W407", "【", "35 characters"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the scripts to write faults into."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(scripts_root(), folder / "stories")
    for part in ("nlu_data", "config.yml"):
        (folder / part).symlink_to(scripts_root().parent / part)
    return folder / "stories"


def linted(home: Path, script: str, text: str) -> tuple[list[Fault], Path, int]:
    """The faults of one wording that is put at the end of the script's domain; its file and line."""
    path = home / script / "domain.yml"
    before = path.read_text("utf-8")
    try:
        path.write_text(before.rstrip("\n") + f'\n  utter_marked:\n  - text: "{text}"\n', "utf-8")
        line = path.read_text("utf-8").count("\n")
        return [fault for fault in lint(script, home) if fault.line == line], path, line
    finally:
        path.write_text(before, "utf-8")


@pytest.mark.parametrize(("text", "code", "at", "says"), FAULTS)
def test_lint_names_the_place_of_the_mark_and_the_fix(
    home: Path, text: str, code: str, at: str, says: str
) -> None:
    found, path, line = linted(home, "ringback", text)
    assert [(f.path, f.line, f.column, f.code) for f in found] == [
        (path, line, len('  - text: "') + text.index(at) + 1, code)
    ]
    assert says in str(found[0]) and "utter_marked" in str(found[0])


def test_lint_lets_a_good_span_pass(home: Path) -> None:
    assert linted(home, "ringback", "一共【30块,用{months}个月】,您看行吗?")[0] == []


def test_lint_refuses_marks_in_an_agents_line(home: Path) -> None:
    found, _, _ = linted(home, "bundle", "一共【30块】,您看行吗?")
    assert "E404" in [fault.code for fault in found]


def test_a_place_in_a_folded_text_is_that_of_its_key(home: Path) -> None:
    path = home / "ringback" / "domain.yml"
    before = path.read_text("utf-8")
    try:
        path.write_text(
            before.rstrip("\n") + "\n  utter_marked:\n  - text: >-\n      一共\n      【30块\n", "utf-8"
        )
        found = [fault for fault in lint("ringback", home) if fault.code == "E404"]
    finally:
        path.write_text(before, "utf-8")
    assert [(f.line, f.column) for f in found] == [(before.rstrip("\n").count("\n") + 3, 5)]


def test_lines_that_are_rendered_in_advance_hold_no_marks(home: Path) -> None:
    path = home / "ringback" / "domain.yml"
    before = path.read_text("utf-8")
    try:
        path.write_text(before.rstrip("\n") + '\n  utter_marked:\n  - text: "您看【随时能退】吧"\n', "utf-8")
        lines = _fixed_lines(find_script("ringback", home))
    finally:
        path.write_text(before, "utf-8")
    assert "您看随时能退吧" in lines and not [line for line in lines if OPEN in line or CLOSE in line]
