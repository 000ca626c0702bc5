"""Raw values: back only with the key, only in their own place, gone when erased."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store.database import Database
from bot.store.do_not_call import DoNotCallRegister
from bot.store.keys import KeyFileError, Keys
from bot.store.schema import do_not_call, vault
from bot.store.vault import Vault, VaultError
from store.conftest import NOW


def test_a_value_comes_back_and_does_not_stand_in_the_table(database: Database, keys: Keys) -> None:
    with database.write() as connection:
        token = Vault(keys).put(connection, "t", "13800138000", NOW)
        sealed = connection.execute(sa.select(vault.c.sealed)).scalar_one()
        assert Vault(keys).get(connection, "t", token) == "13800138000"
    assert b"13800138000" not in sealed


def test_another_key_or_another_place_opens_nothing(database: Database, keys: Keys) -> None:
    with database.write() as connection:
        token = Vault(keys).put(connection, "t", "13800138000", NOW)
        with pytest.raises(VaultError, match="key"):
            Vault(Keys(b"x" * 32)).get(connection, "t", token)
        connection.execute(sa.update(vault).values(tenant_id="other"))
        with pytest.raises(VaultError, match="key"):
            Vault(keys).get(connection, "other", token)


def test_erasing_a_call_erases_its_values_only(database: Database, keys: Keys) -> None:
    with database.write() as connection:
        mine = Vault(keys).put(connection, "t", "a", NOW, call_id="c1")
        other = Vault(keys).put(connection, "t", "b", NOW, call_id="c2")
        assert Vault(keys).erase_call(connection, "t", "c1") == 1
        with pytest.raises(VaultError, match="erased"):
            Vault(keys).get(connection, "t", mine)
        assert Vault(keys).get(connection, "t", other) == "b"


def test_the_key_file_is_made_once_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    made: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: made.append(Keys.load(path).derive("vault", "t"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_file_that_others_read_or_that_is_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    Keys.load(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        Keys.load(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(KeyFileError, match="backup"):
        Keys.load(path)


def test_uses_and_tenants_have_keys_of_their_own(keys: Keys) -> None:
    derived = {keys.derive(use, tenant) for use in ("vault", "do_not_call") for tenant in ("a", "b")}
    assert len(derived) == 4


@pytest.mark.parametrize("written", ["13800138000", "+86 138 0013 8000", "008613800138000", "138-0013-8000"])
def test_a_blocked_number_is_blocked_however_it_is_written(
    database: Database, keys: Keys, written: str
) -> None:
    register = DoNotCallRegister(keys)
    with database.write() as connection:
        register.add(connection, "t", NOW, phone="13800138000")
        register.add(connection, "t", NOW, phone=written)
        assert register.blocks(connection, "t", phone=written)
        assert not register.blocks(connection, "t", phone="13800138001")
        assert not register.blocks(connection, "other", phone=written)
        [row] = connection.execute(sa.select(do_not_call)).mappings()
    assert "138" not in str(dict(row) | {"hash": ""})


def test_a_contact_without_a_number_can_be_blocked_and_nobody_cannot(database: Database, keys: Keys) -> None:
    register = DoNotCallRegister(keys)
    with database.write() as connection:
        register.add(connection, "t", NOW, contact_id="42")
        assert register.blocks(connection, "t", phone="13800138000", contact_id="42")
        with pytest.raises(ValueError, match="nobody"):
            register.add(connection, "t", NOW)
        with pytest.raises(ValueError, match="not one"):
            register.add(connection, "t", NOW, phone="打我电话")
