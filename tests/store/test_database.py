"""Opening and migrating: the tables are those of the schema, once, whoever comes first."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot.store.database import Database, StoreError, insert_once
from bot.store.schema import do_not_call, metadata
from store.conftest import NOW


def test_the_migrations_make_exactly_the_tables_of_the_schema(database: Database) -> None:
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_migrations_can_be_undone(database: Database) -> None:
    from alembic import command
    from alembic.config import Config

    import bot.store.database as module

    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert sa.inspect(database.engine).get_table_names() == ["alembic_version"]


def test_opening_again_keeps_what_is_there(url: str, database: Database) -> None:
    row = {"tenant_id": "t", "hash": "h", "at": NOW, "wish": {"text": "别打了"}}
    with database.write() as connection:
        assert insert_once(connection, do_not_call, row)
        assert not insert_once(connection, do_not_call, row)
    again = Database.open(url)
    with again.read() as connection:
        [found] = connection.execute(sa.select(do_not_call)).mappings()
    again.close()
    assert dict(found) == {**row, "call_id": None}


def test_many_processes_may_open_a_new_database_at_once(url: str) -> None:
    failures: list[BaseException] = []

    def open_it() -> None:
        try:
            Database.open(url).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    row = {"tenant_id": "t", "hash": "h", "at": NOW, "wish": {}}
    with pytest.raises(RuntimeError), database.write() as connection:
        insert_once(connection, do_not_call, row)
        raise RuntimeError
    with database.read() as connection:
        assert connection.execute(sa.select(do_not_call)).all() == []


def test_a_time_without_offset_is_refused(database: Database) -> None:
    row = {"tenant_id": "t", "hash": "h", "at": datetime(2026, 11, 22), "wish": {}}
    with pytest.raises(sa.exc.StatementError, match="no offset"), database.write() as connection:
        insert_once(connection, do_not_call, row)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("mysql://root@localhost/x", "mysql"),
        ("nonsense", "DATABASE_URL"),
        ("sqlite:////nowhere/at/all/x.db", "does not answer"),
    ],
)
def test_a_bad_address_is_told(address: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        Database.open(address)


def test_the_default_is_a_file_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path / "data"))
    Database.open().close()
    assert (tmp_path / "data" / "huashu.db").exists()
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
