"""Sums, dates, forms of address, and which offers may be made."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.offers import (
    ContactError,
    availability,
    first_of_next_month,
    form_of_address,
    sums,
    variables,
    yuan,
)
from actions.script import Script, load_script
from bot.dialogue.script_files import PROJECT
from bot.typed_yaml import YamlError

SCRIPT_FILE = PROJECT / "stories" / "ringback" / "script.yml"
NOW = datetime.fromisoformat("2026-11-23T10:00:00+08:00")


@pytest.fixture(scope="module")
def script() -> Script:
    return load_script(SCRIPT_FILE)


def test_the_sums_of_the_documents(script: Script) -> None:
    values = variables(script, {"name": "张伟", "sex": "男", "monthly_fee_ringback": 5}, NOW)
    wanted = {"monthly_fee": "5", "year_cost": "60", "price": "30", "saving": "30", "per_month": "2.5"}
    assert wanted.items() <= values.items()
    assert values["title"] == "张先生" and values["effective_date"] == "12月1号"


@given(st.decimals(min_value=0, max_value=1000, places=2))
def test_saving_is_the_year_at_the_contacts_own_fee_less_the_price(fee: Decimal) -> None:
    script = load_script(SCRIPT_FILE)
    found = sums(script, {"name": "张", "monthly_fee_ringback": str(fee)})
    assert found.saving == fee * 12 - 30
    state = availability(script, {"name": "张", "monthly_fee_ringback": str(fee)}, NOW)
    assert state == ("open" if fee * 12 > 30 else "no_saving")


@pytest.mark.parametrize("missing", ["name", "monthly_fee_ringback"])
def test_a_missing_key_is_named_with_the_script(script: Script, missing: str) -> None:
    contact = {"name": "张伟", "monthly_fee_ringback": "5"}
    del contact[missing]
    with pytest.raises(ContactError, match=rf"'{missing}'.*'ringback'"):
        variables(script, contact, NOW)


@pytest.mark.parametrize("fee", ["five", "NaN", "-1", "inf", "5块"])
def test_a_fee_that_is_no_amount_is_refused(script: Script, fee: str) -> None:
    with pytest.raises(ContactError, match="monthly_fee_ringback"):
        sums(script, {"name": "张伟", "monthly_fee_ringback": fee})


@pytest.mark.parametrize(
    ("now", "age", "state"),
    [
        ("2025-12-31T23:59:59+08:00", None, "not_yet"),
        ("2026-01-01T00:00:00+08:00", None, "open"),
        ("2027-12-31T23:59:59+08:00", None, "open"),
        ("2028-01-01T00:00:00+08:00", None, "expired"),
        ("2026-11-23T10:00:00+08:00", 17, "minor"),
        ("2026-11-23T10:00:00+08:00", "18", "open"),
    ],
)
def test_an_offer_is_open_within_its_dates_and_for_adults(
    script: Script, now: str, age: object, state: str
) -> None:
    contact = {"name": "张伟", "monthly_fee_ringback": "5", "age": age}
    assert availability(script, contact, datetime.fromisoformat(now)) == state


@pytest.mark.parametrize(
    ("name", "sex", "title"),
    [
        ("张伟", "男", "张先生"),
        ("李娜", "female", "李女士"),
        ("欧阳锋", "m", "欧阳先生"),
        ("王芳", None, "王老师"),
        ("王芳", "未知", "王老师"),
        ("Smith", "M", "Smith"),
    ],
)
def test_form_of_address(name: str, sex: str | None, title: str) -> None:
    assert form_of_address(name, sex) == title


@given(st.dates(date(2020, 1, 1), date(2100, 1, 1)))
def test_an_order_starts_on_the_first_of_the_month_after(day: date) -> None:
    starts = first_of_next_month(day)
    assert starts.day == 1 and 0 < (starts - day).days <= 31


@pytest.mark.parametrize(
    ("amount", "text"), [("5.00", "5"), ("5.50", "5.5"), ("30", "30"), ("100", "100"), ("0.05", "0.05")]
)
def test_amounts_are_written_as_said(amount: str, text: str) -> None:
    assert yuan(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('price_yuan: "30"', 'prise_yuan: "30"', "price_yuan"),
        ("valid_to: 2027-12-31", "valid_to: 2025-12-31", "valid_to"),
        ("months: 12", "months: 0", "months"),
        ("do: hang_up ", "do: sing ", "voicemail"),
    ],
)
def test_a_fault_in_script_yml_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = SCRIPT_FILE.read_text()
    assert old in text
    path = tmp_path / "script.yml"
    path.write_text(text.replace(old, new))
    with pytest.raises(YamlError, match=said):
        load_script(path)
