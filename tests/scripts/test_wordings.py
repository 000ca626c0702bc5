"""What the lines of the ringback script must hold, whichever wording is drawn."""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions.offers import variables
from actions.script import Script, load_script
from bot.understanding.acts import ACTS, PSEUDO_ACTS

STORIES = Path(__file__).resolve().parents[2] / "stories"
NOW = datetime.fromisoformat("2026-11-23T10:00:00+08:00")
CONTACT = {"name": "张伟", "sex": "男", "monthly_fee_ringback": "5"}
ONE_WORDING = {"utter_voicemail_message"}
"""The campaign gives it (script.yml)."""
ACCOUNT = re.compile(r"\{(monthly_fee|year_cost|saving|per_month)\}|彩铃")
REBUTTED = [act for act in ACTS if act.startswith("object_") and act not in ("object_busy", "object_unable")]


def _read(*path: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(STORIES.joinpath(*path).read_text())
    return data


COMMON, RING = _read("common", "domain.yml"), _read("ringback", "domain.yml")
RESPONSES: dict[str, list[dict[str, Any]]] = {**COMMON["responses"], **RING["responses"]}
RULES = _read("common", "rules.yml")["rules"] + _read("ringback", "rules.yml")["rules"]


def meta(name: str, variation: dict[str, Any]) -> dict[str, Any]:
    return {**(RESPONSES[name][0].get("metadata") or {}), **(variation.get("metadata") or {})}


def wordings() -> list[tuple[str, dict[str, Any]]]:
    return [(name, one) for name, variations in RESPONSES.items() for one in variations]


@pytest.fixture(scope="module")
def script() -> Script:
    return load_script(STORIES / "ringback" / "script.yml")


def hanzi(text: str) -> int:
    """Syllables spoken: hanzi, and numbers as they are read (30 is 三十)."""
    numbers = re.findall(r"\d+", text)
    read = sum(
        len(n) if len(n) == 1 else {2: 2 if n.endswith("0") else 3}.get(len(n), 2 * len(n)) for n in numbers
    )
    return len(re.findall(r"[\u4e00-\u9fff]", text)) + read


def test_the_whole_opening_fits_its_seconds(script: Script) -> None:
    values = variables(script, CONTACT, NOW)
    openings = itertools.product(RESPONSES["utter_ask_name"], RESPONSES["utter_introduce"])
    for first, second in openings:
        text = (first["text"] + second["text"]).format_map(values)
        assert hanzi(text) / script.hanzi_per_s <= script.opening_limit_s, text


def test_opening_asks_the_name_then_says_who_why_machine_and_asks_leave() -> None:
    assert all("{title}" in one["text"] for one in RESPONSES["utter_ask_name"])
    for one in RESPONSES["utter_introduce"]:
        assert all(part in one["text"] for part in ("{company}", "智能语音", "{saving}"))
        assert one["text"].endswith("?")
        assert meta("utter_introduce", one)["asks"] == "permission"


def test_the_pitch_of_the_documents(script: Script) -> None:
    text = RESPONSES["utter_pitch"][0]["text"].format_map(variables(script, CONTACT, NOW))
    assert (
        text
        == "您用的彩铃每个月5块钱,一年就是60。现在一次交30块,就可以用一年,相当于为您节省30块钱。您需要办理吗?"
    )


@pytest.mark.parametrize("name", sorted(RESPONSES))
def test_no_line_that_names_the_account_is_open_before_the_name(name: str) -> None:
    for one in RESPONSES[name]:
        if ACCOUNT.search(one["text"]):
            needs, ends = meta(name, one).get("needs") or [], meta(name, one).get("ends")
            assert "name_confirmed" in needs or ends == "accepted", one["text"]


def test_every_line_has_wordings_to_choose_from() -> None:
    for name, variations in RESPONSES.items():
        assert len({one["text"] for one in variations}) == len(variations)
        if name not in ONE_WORDING:
            plain = [one for one in variations if not one.get("condition")]
            assert len(plain) >= (3 if name.startswith("utter_again_") else 2), name


def test_pending_questions_can_be_asked_in_other_words() -> None:
    asked = {meta(name, one).get("asks") for name, one in wordings()} - {None, "reason", "concern", "person"}
    assert {f"utter_again_{question}" for question in asked} <= set(RESPONSES)


@pytest.mark.parametrize("act", REBUTTED)
def test_each_objection_has_three_rebuttals_of_named_techniques(act: str) -> None:
    techniques = [
        meta(name, one)["technique"]
        for name, one in wordings()
        if meta(name, one).get("rebuts") == act and name.startswith("utter_rebut_")
    ]
    assert len(techniques) >= 3 and len(set(techniques)) == len(techniques)


def test_every_closing_thanks_cannot_be_cut_off_and_names_its_outcome() -> None:
    closings = [(name, one) for name, one in wordings() if "ends" in meta(name, one) and one["text"]]
    for name, one in closings:
        assert "谢" in one["text"] or name == "utter_voicemail_message", one["text"]
        assert meta(name, one)["interruptible"] is False and meta(name, one)["stage"] == "closing"
    assert {meta(name, one)["ends"] for name, one in closings} >= {
        "accepted", "declined", "callback", "do_not_call", "transferred", "wrong_person", "voicemail",
        "not_understood", "busy", "failed",
    }  # fmt: skip


def test_all_seven_stages_are_there() -> None:
    stages = {meta(name, one).get("stage") for name, one in wordings()} - {None}
    assert stages == {"opening", "introduction", "objections", "intent", "identity", "details", "closing"}


def test_no_forbidden_promise(script: Script) -> None:
    texts = [one["text"] for _, one in wordings()] + [
        script.voicemail.message,
        script.sms.order,
        script.sms.details,
    ]
    assert [text for text in texts for word in script.forbidden_words if word in text] == []


def test_lines_use_only_variables_that_exist(script: Script) -> None:
    known = set(variables(script, CONTACT, NOW)) | {"callback_time", "called"}
    for name, one in wordings():
        assert set(re.findall(r"\{(\w+)\}", one["text"])) <= known, name
    for text in (script.sms.order, script.sms.details):
        assert "{" not in text.format_map(variables(script, CONTACT, NOW))


def test_the_machine_says_that_it_is_one() -> None:
    assert all("机器人" in one["text"] or "自动语音" in one["text"] for one in RESPONSES["utter_robot"])
    assert all(one["text"].startswith(("是", "对", "没错")) for one in RESPONSES["utter_robot"])


def test_every_act_has_an_answer_without_condition() -> None:
    unconditional = {
        rule["steps"][0]["intent"]
        for rule in RULES
        if "intent" in rule["steps"][0] and not rule.get("condition")
    }
    assert unconditional == {*ACTS, *PSEUDO_ACTS} == set(_read("common", "acts.yml")["intents"])


def test_steering_slots_are_finite_and_never_preset() -> None:
    for name, slot in COMMON["slots"].items():
        assert "initial_value" not in slot, name
        if slot.get("influence_conversation", True):
            assert slot["type"] in ("bool", "categorical"), name
