"""What docs/phones/twilio.md gives to paste is what the code reads and answers."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
import yaml

from bot.phone.twilio.settings import STATUS_PATH, VOICE_PATH, TwilioSettings, problems
from bot.phone.twilio.twiml import connect_stream, listen_and_dial

PAGE = Path(__file__).parents[3] / "docs" / "phones" / "twilio.md"


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", PAGE.read_text("utf-8"), re.M | re.S)
    return [re.sub(rf"^{indent}", "", text, flags=re.M) for indent, text in found]


@pytest.mark.parametrize("commented", [False, True], ids=["as it stands", "with all that is optional"])
def test_the_settings_of_the_page_are_read_and_work(commented: bool) -> None:
    (text,) = blocks("yaml")
    if commented:
        text = re.sub(r"^  # ", "  ", text, flags=re.M)
    settings = msgspec.convert(yaml.safe_load(text)["twilio"], TwilioSettings)
    assert problems(settings) == []
    assert bool(settings.assist) is commented


def _shape(element: ElementTree.Element) -> object:
    return element.tag, element.attrib, (element.text or "").strip(), [_shape(child) for child in element]


def test_the_twiml_of_the_page_is_what_we_answer() -> None:
    inbound, assist = (ElementTree.fromstring(text) for text in blocks("xml"))
    url = "wss://bot.example.com/twilio"
    given = {"direction": "inbound", "from": "+15550001", "to": "+15550002"}
    assert _shape(inbound) == _shape(ElementTree.fromstring(connect_stream(url, given)))
    given = {"direction": "outbound", "from": "+15550003", "to": "+15550001"}
    assert _shape(assist) == _shape(ElementTree.fromstring(listen_and_dial(url, given, "client:lina")))


def test_the_page_names_the_paths_that_we_serve() -> None:
    page = PAGE.read_text("utf-8")
    for path in (VOICE_PATH, STATUS_PATH, TwilioSettings().path):
        assert f"https://bot.example.com{path}" in page or f"wss://bot.example.com{path}" in page
