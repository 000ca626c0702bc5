"""Everybody who may come in and every session, in memory, at most REFRESH_S old.

So a request costs no SQL, and whoever is disabled or logs out is out everywhere within seconds.
While the database is away, what was known last holds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from assist.auth.roles import Principal
from assist.auth.tokens import BadToken, Claims
from bot.store.database import Database
from bot.store.users import User, WebSession, add_session, all_sessions, all_users, end_session

REFRESH_S = 2.0
LOOK_AGAIN_S = 0.1
_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Wall time."""
    return datetime.now(UTC)


class Directory:
    """Who is who."""

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self.database = database
        self.now = now
        self._users: dict[tuple[str, str], User] = {}
        self._sessions: dict[str, WebSession] = {}
        self._read_at = 0.0
        self._changes = 0
        self._turn = asyncio.Lock()

    async def look_again(self) -> None:
        """Refresh for somebody whom another process may have let in; those who ask at once share one.

        Raises SQLAlchemyError.
        """
        asked = time.monotonic()
        async with self._turn:
            if self._read_at >= asked:
                return  # somebody else has looked since
            await asyncio.sleep(max(0.0, self._read_at + LOOK_AGAIN_S - asked))
            await self._refresh()

    async def refresh(self) -> None:
        """Look again now.  Raises SQLAlchemyError."""
        async with self._turn:
            await self._refresh()

    async def _refresh(self) -> None:
        def read() -> tuple[list[User], list[WebSession]]:
            with self.database.read() as connection:
                return all_users(connection), all_sessions(connection, self.now())

        while True:
            self._read_at, changes = time.monotonic(), self._changes
            users, sessions = await asyncio.to_thread(read)
            if changes == self._changes:  # else what was read may be older than what is known
                break
        self._users = {(user.tenant_id, user.name): user for user in users}
        self._sessions = {session.id_hash: session for session in sessions}

    async def refresh_for_ever(self) -> None:
        """Look again every REFRESH_S; a database that is away is said once and waited for."""
        away = False
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                await self.refresh()
                away = False
            except SQLAlchemyError as error:
                if not away:
                    _log.error("users are as they were last known, the database is away: %s", error)
                away = True

    def user(self, tenant_id: str, name: str) -> User | None:
        """One who may come in; None where there is none of that name, or it is disabled."""
        found = self._users.get((tenant_id, name))
        return None if found is None or found.disabled else found

    def team_of(self, tenant_id: str, agent_id: str) -> str | None:
        """The team of an agent."""
        found = self._users.get((tenant_id, agent_id))
        return None if found is None else found.team

    def of_session(self, id_hash: str) -> Principal | None:
        """Who has that session, None where nobody has it any more."""
        session = self._sessions.get(id_hash)
        if session is None or session.expires_at <= self.now():
            return None
        user = self.user(session.tenant_id, session.name)
        return None if user is None else principal_of(user, id_hash)

    def of_claims(self, claims: Claims) -> Principal:
        """Whom a token stands for.  Raises BadToken where it no longer holds."""
        user = self.user(claims.tenant_id, claims.name)
        if user is None or user.generation != claims.generation or claims.expires_at <= self.now():
            raise BadToken("the token no longer holds: ask for a new one (POST /api/tokens)")
        return principal_of(user)

    def still(self, principal: Principal) -> Principal | None:
        """The same principal as of now; None where they have logged out or were shut out."""
        if principal.session is not None:
            return self.of_session(principal.session)
        user = self.user(principal.tenant_id, principal.name)
        return principal_of(user) if user and user.generation == principal.generation else None

    async def begin_session(self, session: WebSession) -> None:
        """Somebody has logged in.  Raises SQLAlchemyError."""
        await asyncio.to_thread(self._add, session)
        self._changes += 1
        self._sessions = {**self._sessions, session.id_hash: session}

    async def end_session(self, id_hash: str) -> None:
        """Somebody has logged out.  Raises SQLAlchemyError."""
        await asyncio.to_thread(self._end, id_hash)
        self._changes += 1
        self._sessions = {key: kept for key, kept in self._sessions.items() if key != id_hash}

    def _add(self, session: WebSession) -> None:
        with self.database.write() as connection:
            add_session(connection, session, self.now())

    def _end(self, id_hash: str) -> None:
        with self.database.write() as connection:
            end_session(connection, id_hash)


def principal_of(user: User, session: str | None = None) -> Principal:
    """A user as somebody who asks."""
    return Principal(user.tenant_id, user.name, user.role, user.team, user.generation, session)
