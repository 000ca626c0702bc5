"""`huashu talk`: where it serves, what it offers, the lines' settings that it writes; the docs' settings."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from bot.phone.settings import read_phones
from commands.main import build_parser
from commands.talk import check_host, choice_of, run, write_phones

DOCS = Path(__file__).parents[3] / "docs" / "phones" / "browser.md"


def arguments(*words: str) -> argparse.Namespace:
    """The command line."""
    return build_parser("talk").parse_args(["talk", *words])


@pytest.mark.parametrize(
    ("host", "origins", "remedy"),
    [
        ("127.0.0.1", [], None),
        ("::1", [], None),
        ("0.0.0.0", ["https://talk.example.com"], None),
        ("127.0.0.1", ["https://talk.example.com:8443/"], None),
        ("0.0.0.0", [], "--origin https://"),
        ("0.0.0.0", ["http://talk.example.com"], "https://HOST"),
        ("0.0.0.0", ["https://talk.example.com/talk"], "nothing after"),
    ],
)
def test_voices_never_cross_a_network_in_the_clear(host: str, origins: list[str], remedy: str | None) -> None:
    if remedy is None:
        check_host(host, origins)
    else:
        with pytest.raises(ValueError, match=remedy):
            check_host(host, origins)


def test_the_page_offers_the_facts_that_the_script_needs() -> None:
    choice = choice_of("ringback")
    values = {field.key: field.value for field in choice.fields}
    assert values["name"] and values["monthly_fee_ringback"] == "5"
    assert choice.zh and choice.en


def test_a_script_that_only_assists_or_does_not_exist_is_refused_with_the_remedy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(arguments("--script", "retention", "--port", "0")) == 1
    assert "assists a person" in capsys.readouterr().err
    assert run(arguments("--script", "ringbak", "--port", "0")) == 1
    assert "ringback" in capsys.readouterr().err


@pytest.mark.parametrize("ears", [True, False])
def test_the_settings_that_it_writes_are_those_that_the_voice_process_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ears: bool
) -> None:
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path))
    given = arguments("--port", "9000", "--origin", "https://talk.example.com/")
    phones = read_phones(write_phones(given, choice_of("ringback"), ears))
    assert phones.web == "127.0.0.1:9000" and phones.script == "ringback"
    assert phones.listen is None
    assert phones.browser is not None
    assert phones.browser.origins == ("https://talk.example.com",)
    assert (phones.browser.ears == "text") is not ears
    assert [script.name for script in phones.browser.scripts] == ["ringback"]


def test_the_settings_of_the_docs_can_be_read(tmp_path: Path) -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", DOCS.read_text("utf-8"), re.S)
    path = tmp_path / "phones.yml"
    path.write_text(block, "utf-8")
    browser = read_phones(path).browser
    assert browser is not None and browser.scripts[0].fields[0].key == "name"
