"""Opening a database, bringing its tables up to date, and its transactions.

SQLite runs in WAL mode with foreign processes waiting for each other; a writing transaction takes
the write lock at its start, so it never fails half way for lack of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from bot.data_folder import data_folder

BUSY_MS = 10_000
"""How long a writer waits for another process to finish."""


class StoreError(Exception):
    """The database cannot be used: says which, why and what to do."""


class Database:
    """One database.  Methods block: call them from a thread where an event loop runs."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str | None = None) -> Database:
        """The database at `url` (sqlite:///PATH, postgresql://…; default: huashu.db in the data
        folder), its tables up to date.  Raises StoreError."""
        url = url or f"sqlite:///{data_folder() / 'huashu.db'}"
        database = cls(_engine(url))
        try:
            database.migrate()
        except OperationalError as error:
            database.close()
            shown = sa.make_url(url).render_as_string(hide_password=True)
            reason = f"the database {shown} does not answer: {error.orig}; check DATABASE_URL"
            raise StoreError(reason) from error
        return database

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables to `revision`, one process at a time."""
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.write(serial="huashu migrations") as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, serial: str = "") -> Iterator[sa.Connection]:
        """A transaction: all of it or, after an exception, nothing.  Those with the same `serial`
        run one after another (on SQLite all do)."""
        with self.engine.connect().execution_options(huashu_write=True) as connection, connection.begin():
            if serial and connection.dialect.name == "postgresql":
                lock = "SELECT pg_advisory_xact_lock(hashtextextended(:serial, 0))"
                connection.execute(sa.text(lock), {"serial": serial})
            yield connection

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def insert_once(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> bool:
    """Insert a row; False, and nothing changed, where one with the same key is there."""
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert
    once = insert(table).values(**row).on_conflict_do_nothing().returning(sa.literal(1))
    return connection.execute(once).first() is not None


def _engine(url: str) -> sa.Engine:
    try:
        address = sa.make_url(url)
        if address.drivername in ("postgresql", "postgres"):
            address = address.set(drivername="postgresql+psycopg")
        if address.get_backend_name() not in ("sqlite", "postgresql"):
            name = address.drivername
            raise StoreError(f"DATABASE_URL: {name} is not supported; use sqlite:/// or postgresql://")
        engine = sa.create_engine(address, pool_pre_ping=address.get_backend_name() == "postgresql")
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreError(f"DATABASE_URL: {error}; it looks like sqlite:////path/to/huashu.db") from error
    except ModuleNotFoundError as error:
        raise StoreError(
            "PostgreSQL needs the package psycopg: uv sync --extra postgresql"
            " / 使用 PostgreSQL 需要先运行 uv sync --extra postgresql"
        ) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _configure_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite alone
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    immediate = connection.get_execution_options().get("huashu_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
