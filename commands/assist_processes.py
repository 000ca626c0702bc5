"""The processes of live assist on this machine, and the people who log in to its demo."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from assist.auth.passwords import hash_password
from bot.call.ports import SpeechError
from bot.processes.supervisor import Other
from bot.store.database import Database, StoreError
from bot.store.keys import KeyFileError
from bot.store.users import add_user, set_disabled, set_password
from commands import simulated_calls

FAULTS = (*simulated_calls.FAULTS, SpeechError, StoreError, KeyFileError)
"""What may stop a command that runs assisted calls; each says what, where and the remedy."""


def assist_processes(scripts: Sequence[str], *, workers: int = 1, web: Sequence[str] = ()) -> list[Other]:
    """Workers that advise on `scripts` (none where there are none), and the web server, whose own
    options are `web`."""
    found = [
        Other(f"assist-{number}", "assist.worker", ("--scripts", *scripts))
        for number in range(1, workers + 1 if scripts else 1)
    ]
    return [*found, Other("web-1", "assist.web", tuple(web))]


def faults_of(error: Exception) -> list[Exception]:
    """The faults that people can mend, out of one error or a group of them.

    Raises the error where it holds anything else: that is a defect, and needs its traceback.
    """
    if not isinstance(error, ExceptionGroup):
        return [error]
    ours, others = error.split(FAULTS)
    if ours is None or others is not None:
        raise error
    return [fault for part in ours.exceptions for fault in faults_of(part)]


def check_port(host: str, port: int) -> None:
    """Raises ValueError where somebody listens there already: a page that is another's helps nobody."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ValueError(
                f"{host}:{port} 不能用 / cannot be used ({error.strerror}) → take another with --port"
            ) from error


def people_for_demo(roles: Mapping[str, str], database_url: str | None = None) -> dict[str, str]:
    """Give each name its role and a new random password; the passwords by name.

    Whoever had the demo open before logs in anew.  Raises StoreError.
    """
    passwords = {name: secrets.token_urlsafe(9) for name in roles}
    database = Database.open(database_url)
    try:
        for name, role in roles.items():
            kept = hash_password(passwords[name])
            with database.write() as connection:
                if not add_user(connection, name, role, kept, datetime.now(UTC)):
                    set_password(connection, "default", name, kept)
                    set_disabled(connection, "default", name, False)
    finally:
        database.close()
    return passwords
