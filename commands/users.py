"""`huashu users`: who may log in to the pages and the API.

The first administrator is made here, on the machine, never by a default password.  A password comes
from a prompt, or from standard input where that is no terminal; never from an argument, which others
on the machine could read.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING

from commands.json_lines import complain

if TYPE_CHECKING:
    from bot.store.database import Database

NAME = re.compile(r"[\w.@-]{1,64}")
ROLES = ("agent", "supervisor", "designer", "operator")
TITLES = {
    "agent": "坐席 / agent",
    "supervisor": "班长 / supervisor",
    "designer": "话术设计 / designer",
    "operator": "运营与机器 / operator, machines",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu users`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="add|list|password|disable|enable")
    add = actions.add_parser("add", help="新建用户 / add a user")
    add.add_argument("--role", required=True, choices=ROLES, help="角色 / role")
    add.add_argument("--team", help="班组;班长没有班组则看全部 / team; a supervisor without one sees all")
    for name, what in (
        ("password", "改密码,之前的登录全部失效 / set a password; earlier log-ins end"),
        ("disable", "停用,数秒内全部断开 / shut out, everywhere within seconds"),
        ("enable", "恢复 / let in again"),
    ):
        actions.add_parser(name, help=what)
    actions.add_parser("list", help="有哪些用户 / the users")
    for name, sub in actions.choices.items():
        if name != "list":
            sub.add_argument("name", metavar="NAME", help="登录名,坐席即工号 / log-in name, an agent's id")
        sub.add_argument("--tenant", default="default", help="租户 / tenant")
        sub.add_argument("--database", help="数据库地址 / URL of the database (default: DATABASE_URL)")


def run(arguments: argparse.Namespace) -> int:
    """Do it; 1 where it cannot be done, with the reason."""
    import os

    from assist.auth.passwords import WeakPassword
    from bot.data_folder import DataFolderError
    from bot.store.database import Database, StoreError

    try:
        database = Database.open(arguments.database or os.environ.get("DATABASE_URL"))
    except (StoreError, DataFolderError) as error:
        complain(str(error))
        return 1
    try:
        return _ACTIONS[arguments.action](database, arguments)
    except WeakPassword as error:
        complain(str(error))
        return 1
    finally:
        database.close()


def _add(database: Database, arguments: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from bot.store.users import add_user

    if not NAME.fullmatch(arguments.name):
        complain(f"登录名 '{arguments.name}' 不行 / not a name: up to 64 letters, digits, . _ @ - 汉字也可以")
        return 1
    hashed = _asked_password(arguments.name)
    with database.write() as connection:
        row = (arguments.name, arguments.role, hashed, datetime.now(UTC), arguments.tenant, arguments.team)
        made = add_user(connection, *row)
    if not made:
        complain(f"已有用户 / there is already a user '{arguments.name}' → huashu users list")
        return 1
    print(f"已新建 / added: {arguments.name} · {TITLES[arguments.role]}")
    return 0


def _list(database: Database, arguments: argparse.Namespace) -> int:
    from bot.store.users import all_users

    with database.read() as connection:
        users = [user for user in all_users(connection) if user.tenant_id == arguments.tenant]
    for user in users:
        state = "已停用 / disabled" if user.disabled else ""
        print("  ".join((f"{user.name:20}", f"{TITLES[user.role]:32}", user.team or "", state)).rstrip())
    if not users:
        print("还没有用户 / no users yet → huashu users add NAME --role supervisor")
    return 0


def _password(database: Database, arguments: argparse.Namespace) -> int:
    from bot.store.users import set_password

    hashed = _asked_password(arguments.name)
    with database.write() as connection:
        found = set_password(connection, arguments.tenant, arguments.name, hashed)
    return _said(found, arguments.name, "密码已改 / password set")


def _disable(database: Database, arguments: argparse.Namespace) -> int:
    from bot.store.users import set_disabled

    with database.write() as connection:
        found = set_disabled(connection, arguments.tenant, arguments.name, arguments.action == "disable")
    return _said(
        found, arguments.name, "已停用 / disabled" if arguments.action == "disable" else "已恢复 / enabled"
    )


_ACTIONS = {"add": _add, "list": _list, "password": _password, "disable": _disable, "enable": _disable}


def _asked_password(name: str) -> str:
    """The hash of a password that is typed in twice, or read from standard input.  Raises WeakPassword."""
    from assist.auth.passwords import WeakPassword, check_strength, hash_password

    if sys.stdin.isatty():
        import getpass

        password = getpass.getpass("密码 / password: ")
        if password != getpass.getpass("再输一次 / again: "):
            raise WeakPassword("两次不一样 / the two are not the same")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    check_strength(password, name)
    return hash_password(password)


def _said(found: bool, name: str, what: str) -> int:
    if not found:
        complain(f"没有用户 / no user '{name}' → huashu users list")
        return 1
    print(f"{what}: {name}")
    return 0
