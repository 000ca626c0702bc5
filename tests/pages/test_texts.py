"""The pages' files: every word has both languages and is used; nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.events import DISPOSITIONS
from bot.understanding.acts import ACTS
from tests.pages.peer import PAGES

STATIC = PAGES / "static"
MODULES = sorted(path for path in STATIC.glob("*.js") if not path.name.startswith("texts."))
_ENTRY = re.compile(r'^  "([\w.]+)": "((?:[^"\\]|\\.)*)",$', re.MULTILINE)


def texts(language: str) -> dict[str, str]:
    """All texts of a language."""
    source = (STATIC / f"texts.{language}.js").read_text(encoding="utf-8")
    entries = _ENTRY.findall(source)
    assert len(entries) == source.count('": "'), "a line of the file is not read by this test"
    assert len(dict(entries)) == len(entries), "a key stands twice"
    return dict(entries)


def used() -> tuple[set[str], set[str]]:
    """The keys that stand in the pages' files, and the groups that are looked up by name."""
    sources = [path.read_text(encoding="utf-8") for path in (*MODULES, *PAGES.glob("*.html"))]
    whole = "\n".join(sources)
    keys = set(re.findall(r'"([a-z_]+(?:\.[\w.]+)?)"', whole))
    groups = set(re.findall(r'(?:named|option)\("(\w+)"', whole))
    groups |= set(re.findall(r"t\(`([\w.]+)\.\$\{", whole))
    return keys, groups


def test_both_languages_have_the_same_keys_and_the_same_places_for_values() -> None:
    zh, en = texts("zh"), texts("en")
    assert list(zh) == list(en)
    for key, text in zh.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", en[key])), key


def test_every_text_is_used_and_every_key_that_is_used_has_a_text() -> None:
    zh = texts("zh")
    keys, groups = used()
    unused = [key for key in zh if key not in keys and key.rpartition(".")[0] not in groups]
    assert unused == []
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (*MODULES, *PAGES.glob("*.html")))
    asked = set(re.findall(r'\bt\("([\w.]+)"', sources))
    asked |= set(re.findall(r'data-(?:text|label|placeholder)="([\w.]+)"', sources))
    assert sorted(asked - set(zh)) == []
    assert len(asked) > 80


def test_every_act_disposition_and_stage_has_a_name() -> None:
    from assist.suggest.model import CARD_KINDS, CUSTOMER_TYPES, STAGES

    zh = texts("zh")
    named = {
        "act": ACTS, "disposition": DISPOSITIONS, "stage": STAGES, "kind": CARD_KINDS, "type": CUSTOMER_TYPES,
    }  # fmt: skip
    for group, names in named.items():
        assert [name for name in names if f"{group}.{name}" not in zh] == []


def test_no_words_for_people_stand_outside_the_text_files() -> None:
    for path in MODULES:
        code = re.sub(r"//.*|/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        code = re.sub(r"(?s)/\*.*?\*/", "", code)
        words = re.findall(r"[\u4e00-\u9fff]+", code)
        assert words == [], path.name


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.html")), ids=lambda path: path.name)
def test_pages_hold_nothing_inline_and_nothing_from_elsewhere(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page) == []
    for address in re.findall(r'(?:src|href)="([^"]*)"', page):
        assert address.startswith("/static/")
        assert (STATIC / address.removeprefix("/static/")).is_file()


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_modules_make_no_markup_from_text_and_import_only_our_files(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", code)
        == []
    )
    for name in re.findall(r'from "([^"]+)"', code):
        assert name.startswith("./") and (STATIC / name).is_file()
