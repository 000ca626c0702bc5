"""Which route answers a called number, and which number a switch means by what it gives."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phone.inbound import WITHHELD, InboundSettings, Route, number_in, route
from bot.phone.settings import read_phones
from bot.typed_yaml import YamlError

SALES = Route(number="+861010123", script="ringback")
PEOPLE = Route(number="4001", queue="billing", tenant_id="t2")
ANY = Route(number="*", script="retention")
NO_NUMBERS = ["anonymous", "Restricted", "", None, "12", "+", "sip:bob@x", *sorted(WITHHELD)]


@pytest.mark.parametrize(
    ("called", "found"),
    [
        ("+861010123", SALES), ("861010123", SALES), ("sip:+861010123@10.0.0.1:5060;user=phone", SALES),
        ("tel:+861010123", SALES), ("+86 10 10123", SALES), ("4001", PEOPLE), ("sip:4001@pbx", PEOPLE),
        ("10123", None), ("", None), (None, None), ("anonymous", None),
    ],
)  # fmt: skip
def test_a_number_finds_its_route_however_the_switch_writes_it(
    called: str | None, found: Route | None
) -> None:
    assert route(InboundSettings(routes=(SALES, PEOPLE)), called) == found


def test_the_first_route_that_matches_answers_and_a_star_matches_all() -> None:
    settings = InboundSettings(routes=(PEOPLE, ANY, SALES))
    assert route(settings, "4001") == PEOPLE
    assert [route(settings, called) for called in ("861010123", "", None, "nonsense")] == [ANY] * 4


@pytest.mark.parametrize("address", NO_NUMBERS)
def test_what_shows_no_number_is_none(address: str | None) -> None:
    assert number_in(address) is None


@given(st.text(max_size=400))
def test_a_number_is_digits_whatever_comes_from_the_line(address: str) -> None:
    found = number_in(address)
    assert found is None or (found.isascii() and found.removeprefix("+").isdigit() and len(found) <= 26)


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": "sales", "script": "a"},
        {"number": "1001"},
        {"number": "1001", "script": "a", "queue": "b"},
    ],
)
def test_a_route_has_a_number_and_either_a_script_or_a_queue(wrong: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Route)


def test_routes_stand_in_the_file_of_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "phones.yml"
    path.write_text('inbound:\n  routes:\n  - {number: "4001", queue: billing, tenant_id: t2}\n')
    assert read_phones(path).inbound.routes == (PEOPLE,)
    path.write_text('inbound:\n  routes:\n  - {number: "4001", que: billing}\n')
    with pytest.raises(YamlError, match=r"phones\.yml:3"):
        read_phones(path)
