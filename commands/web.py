"""`huashu web`: one web server of live assist, beside a Redis and assist workers that run already.

`huashu up` starts all of them; this one is for further machines and for service managers.
"""

from __future__ import annotations

import argparse
import os
import sys

from commands.json_lines import complain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu web`."""
    from assist.web import add_arguments as add_server_arguments

    parser.add_argument(
        "--redis", default=os.environ.get("REDIS_URL"), help="Redis (默认 / default: REDIS_URL)"
    )
    parser.add_argument("--database", default=os.environ.get("DATABASE_URL"), help="数据库 / database URL")
    add_server_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C; 1 where it cannot start, with the reason."""
    import asyncio

    from assist.web import FAULTS, serve
    from bot.processes import child

    faults: list[Exception] = []

    def ready(address: str) -> None:
        scheme = "https" if arguments.tls_cert else "http"
        print(f"话术 · 网页 / pages: {scheme}://{address}/  (Ctrl-C 停止 / stops)", file=sys.stderr)
        child.ready(address)

    async def serving(stop: asyncio.Event) -> None:
        try:
            await serve(arguments, stop, ready)
        except FAULTS as error:
            faults.append(error)

    child.run(serving)
    for fault in faults:
        complain(str(fault))
    return int(bool(faults))
