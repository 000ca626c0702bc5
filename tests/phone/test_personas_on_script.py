"""Customers who mean to order understand every question the ringback script asks, in all its wordings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.phone.behaviour import Behaviour
from bot.phone.persona import Persona, load_persona
from bot.typed_yaml import read_yaml

ROOT = Path(__file__).resolve().parents[2]
VALUES = {
    "title": "张先生",
    "price": "30",
    "saving": "30",
    "monthly_fee": "5",
    "year_cost": "60",
    "company": "华声通信",
}
ANSWERS = {
    "id": "^.{0,3}[零一二三四五六七八九]{4}$",
    "order": "同意",
    "owner": "本人|自己",
    "offer": "办",
    "name": "是",
    "permission": "说",
}
"""What the script asks (`asks` of a response) → what the answer must hold."""


def questions() -> list[tuple[str, str]]:
    """(asks, wording) of every response of common and ringback, variables filled."""
    found = []
    for script in ("common", "ringback"):
        responses: dict[str, Any] = read_yaml(ROOT / "stories" / script / "domain.yml").get("responses", {})
        for variations in responses.values():
            asks = (variations[0].get("metadata") or {}).get("asks")
            for variation in variations:
                asked = (variation.get("metadata") or {}).get("asks", asks)
                text = re.sub(r"\{(\w+)\}", lambda match: VALUES.get(match.group(1), "十"), variation["text"])
                found.append((asked, text))
    return found


def answer(persona: Persona, text: str) -> str:
    """What the persona says to this line once it is over."""
    behaviour = Behaviour(persona)
    behaviour.bot_line(0, text)
    for now in range(20, 1000, 20):
        behaviour.bot_sound(now, 20)
    for now in range(1000, 4000, 20):
        act = behaviour.tick(now)
        if act is not None and not act.backchannel:
            return act.text
    return ""


def test_the_script_asks_what_this_test_knows() -> None:
    assert set(ANSWERS) <= {asks for asks, _ in questions()}


@pytest.mark.parametrize("name", ["eager", "murmurer", "interrupter", "noisy_line"])
def test_who_wants_to_order_answers_every_question_to_the_point(name: str) -> None:
    persona = load_persona(ROOT / "personas" / f"{name}.yml")
    persona = msgspec.structs.replace(persona, greeting=[], murmur=None)
    missed = {
        text: answer(persona, text)
        for asks, text in questions()
        if asks in ANSWERS and not re.search(ANSWERS[asks], answer(persona, text))
    }
    assert missed == {}


def test_everybody_is_silent_after_goodbye() -> None:
    for path in sorted((ROOT / "personas").glob("*.yml")):
        persona = load_persona(path)
        quiet = msgspec.structs.replace(persona, greeting=[], murmur=None)
        assert answer(quiet, "好的，给您办好了。谢谢您，祝您生活愉快，再见。") == "", path.name
