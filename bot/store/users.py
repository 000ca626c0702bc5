"""People who log in: their role, team and password hash; their sessions in browsers.

A user's `generation` grows whenever what was given out to them must stop to work (disabled, a new
password): tokens carry the generation they were made in.  A session is known by the hash of its
id, so that nobody reads a session out of the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.store.database import insert_once
from bot.store.schema import users, web_sessions

ROLES = ("agent", "supervisor", "designer", "operator")


@dataclass(frozen=True, slots=True)
class User:
    """One person.  `name` is also the agent id of an agent; `password` is a hash; `team` None:
    belongs to none (of a supervisor: sees all teams)."""

    tenant_id: str
    name: str
    role: str
    team: str | None
    password: str
    generation: int
    disabled: bool


@dataclass(frozen=True, slots=True)
class WebSession:
    """One browser that has logged in."""

    tenant_id: str
    id_hash: str
    name: str
    expires_at: datetime


def add_user(
    connection: sa.Connection,
    name: str,
    role: str,
    password: str,
    at: datetime,
    tenant_id: str = "default",
    team: str | None = None,
) -> bool:
    """Add a person; False, and nothing changed, where the name is taken."""
    row = {
        "tenant_id": tenant_id, "name": name, "role": role, "team": team, "password": password,
        "generation": 1, "disabled": False, "created_at": at,
    }  # fmt: skip
    return insert_once(connection, users, row)


def find_user(connection: sa.Connection, tenant_id: str, name: str) -> User | None:
    """One person, None where there is none of that name."""
    mine = (users.c.tenant_id == tenant_id) & (users.c.name == name)
    row = connection.execute(sa.select(*_COLUMNS).where(mine)).one_or_none()
    return None if row is None else User(*row)


def all_users(connection: sa.Connection) -> list[User]:
    """Everybody, of all tenants, by tenant and name."""
    query = sa.select(*_COLUMNS).order_by(users.c.tenant_id, users.c.name)
    return [User(*row) for row in connection.execute(query)]


def set_password(connection: sa.Connection, tenant_id: str, name: str, password: str) -> bool:
    """A new password hash; sessions and tokens given out before end.  False: no such person."""
    return _change(connection, tenant_id, name, password=password)


def set_disabled(connection: sa.Connection, tenant_id: str, name: str, disabled: bool) -> bool:
    """Shut a person out, or let them in again; what was given out before ends.  False: no such person."""
    return _change(connection, tenant_id, name, disabled=disabled)


def add_session(connection: sa.Connection, session: WebSession, now: datetime) -> None:
    """Keep a session; those that have expired go."""
    connection.execute(sa.delete(web_sessions).where(web_sessions.c.expires_at < now))
    row = {"tenant_id": session.tenant_id, "id_hash": session.id_hash, "name": session.name}
    connection.execute(sa.insert(web_sessions).values(**row, expires_at=session.expires_at))


def end_session(connection: sa.Connection, id_hash: str) -> None:
    """The browser logs out."""
    connection.execute(sa.delete(web_sessions).where(web_sessions.c.id_hash == id_hash))


def all_sessions(connection: sa.Connection, now: datetime) -> list[WebSession]:
    """The sessions that have not expired."""
    query = sa.select(
        web_sessions.c.tenant_id, web_sessions.c.id_hash, web_sessions.c.name, web_sessions.c.expires_at
    ).where(web_sessions.c.expires_at >= now)
    return [WebSession(*row) for row in connection.execute(query)]


_COLUMNS = (
    users.c.tenant_id, users.c.name, users.c.role, users.c.team, users.c.password,
    users.c.generation, users.c.disabled,
)  # fmt: skip


def _change(connection: sa.Connection, tenant_id: str, name: str, **values: object) -> bool:
    mine = (users.c.tenant_id == tenant_id) & (users.c.name == name)
    change = sa.update(users).where(mine).values(generation=users.c.generation + 1, **values)
    if not connection.execute(change).rowcount:
        return False
    theirs = (web_sessions.c.tenant_id == tenant_id) & (web_sessions.c.name == name)
    connection.execute(sa.delete(web_sessions).where(theirs))
    return True
