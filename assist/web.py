"""The web server of live assist: API, feeds and pages.  `python -m assist.web --host … --port …`.

Any number of these processes may run side by side: what is live is in Redis, who may come in is in
SQL.  Plain HTTP is served on loopback only; elsewhere give certificate files, or say that a proxy
in front of it ends TLS.  Prints `ready HOST:PORT`.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import logging
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from assist.auth.directory import Directory
from assist.feed_hub import Hub
from assist.web_api import bridges, feeds, guard, headers, login, parts, problems, routes
from assist.web_api.bodies import MAX_BYTES
from assist.web_api.limits import Buckets, LoginLimits
from assist.web_api.search import ScriptSearch
from bot.bus import BusError, connect
from bot.bus.assisted import AssistedCalls
from bot.bus.tasks import end
from bot.data_folder import DataFolderError
from bot.dialogue.script_files import script_names
from bot.processes import child
from bot.processes.assist_workers import RegisteredWorkers
from bot.store.database import Database, StoreError
from bot.store.keys import KeyFileError, Keys
from bot.store.sealing import Sealer

PAGES = Path(__file__).parent / "page"
STOP_S = 5.0
_log = logging.getLogger(__name__)


class WebServerError(Exception):
    """The server cannot be started; says why and what to do."""


def application(
    redis: Redis,
    database: Database,
    calls: AssistedCalls,
    settings: parts.Settings,
    scripts: parts.Scripts,
    buckets: Buckets | None = None,
) -> web.Application:
    """The application; whoever runs it closes `redis` and `database`."""
    app = web.Application(middlewares=[problems.problems], client_max_size=MAX_BYTES)
    app[parts.SETTINGS] = settings
    app[parts.REDIS] = redis
    app[parts.DATABASE] = database
    app[parts.CALLS] = calls
    app[parts.DIRECTORY] = Directory(database)
    app[parts.HUB] = Hub(redis)
    app[parts.BUCKETS] = buckets or Buckets()
    app[parts.LOGIN_LIMITS] = LoginLimits(redis)
    app[parts.SCRIPTS] = scripts
    app[guard.TOKENS] = guard.Tokens()
    app[guard.FRESH] = guard.FreshMetas()
    app[login.CHECKS] = login.Checks()
    app[bridges.PENDING] = bridges.Pending()
    app[feeds.OPEN] = {}
    routes.add_routes(app)
    app.router.add_static("/static/", settings.pages / "static")
    app.on_response_prepare.append(headers.add_headers)
    app.on_shutdown.append(feeds.close_all)
    app.cleanup_ctx.append(_background)
    return app


async def _background(app: web.Application) -> AsyncIterator[None]:
    """What runs beside the requests: hearing the feeds, keeping up with users and sessions."""
    await app[parts.DIRECTORY].refresh()
    tasks = [
        asyncio.create_task(app[parts.HUB].run(), name="hub"),
        asyncio.create_task(app[parts.DIRECTORY].refresh_for_ever(), name="directory"),
    ]
    yield
    await end(*tasks)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the server, for `huashu web` too."""
    parser.add_argument("--host", default="127.0.0.1", help="监听地址 / address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="端口,0 为任意 / port, 0 for any")
    parser.add_argument("--origin", action="append", default=[], metavar="https://HOST",
                        help="浏览器用的网址,可重复 / origin of the browsers (repeatable)")  # fmt: skip
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="TLS 证书 / certificate chain, PEM")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="TLS 私钥 / private key, PEM")
    parser.add_argument("--behind-proxy", action="store_true",
                        help="前面有代理做 TLS / a proxy in front ends TLS")  # fmt: skip


async def serve(options: argparse.Namespace, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
    """Serve until `stop`.  Raises WebServerError, StoreError, KeyFileError, DataFolderError, BusError."""
    tls = check_options(options)
    listening = _bind(options.host, options.port)
    port = listening.getsockname()[1]
    database = await asyncio.to_thread(Database.open, options.database)
    keys = Keys.load()
    redis = connect(options.redis)
    settings = parts.Settings(
        origins=origins(options, port, tls is not None), secret=keys.derive("web", "*"), pages=PAGES,
        behind_proxy=options.behind_proxy, secure=tls is not None or options.behind_proxy,
    )  # fmt: skip
    scripts = parts.Scripts(script_names, ScriptSearch().search)
    calls = AssistedCalls(redis, Sealer(keys), RegisteredWorkers(redis))
    runner = web.AppRunner(
        application(redis, database, calls, settings, scripts), access_log=None, shutdown_timeout=STOP_S
    )
    try:
        await runner.setup()
        await web.SockSite(runner, listening, ssl_context=tls).start()
        host = f"[{options.host}]" if ":" in options.host else options.host
        ready(f"{host}:{port}")
        await stop.wait()
    finally:
        await runner.cleanup()
        await redis.aclose()
        database.close()


def check_options(options: argparse.Namespace) -> ssl.SSLContext | None:
    """The TLS context, None for plain HTTP.  Raises WebServerError."""
    if not options.redis:
        raise WebServerError("which Redis? --redis URL or REDIS_URL / 请用 --redis 或 REDIS_URL 指明 Redis")
    if bool(options.tls_cert) != bool(options.tls_key):
        raise WebServerError("--tls-cert and --tls-key go together / --tls-cert 与 --tls-key 要一起给")
    if options.tls_cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(options.tls_cert, options.tls_key)
        except (OSError, ssl.SSLError) as error:
            raise WebServerError(f"{options.tls_cert}: no usable certificate and key: {error}") from error
        return context
    if not options.behind_proxy and not is_loopback(options.host):
        raise WebServerError(
            f"plain HTTP on {options.host} would show passwords to the network: give --tls-cert and"
            f" --tls-key, or --behind-proxy where a proxy ends TLS / {options.host} 上不能用明文 HTTP，"
            "请给证书，或在代理之后加 --behind-proxy"
        )
    if options.behind_proxy and not options.origin:
        raise WebServerError("behind a proxy say what browsers call it: --origin https://HOST"
                             " / 在代理之后请用 --origin 指明网址")  # fmt: skip
    return None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origins(options: argparse.Namespace, port: int, tls: bool) -> frozenset[str]:
    """The exact origins of our own pages: those named, else the address listened on."""
    if options.origin:
        return frozenset(origin.rstrip("/") for origin in options.origin)
    scheme = "https" if tls else "http"
    hosts = ["127.0.0.1", "localhost", "[::1]"] if is_loopback(options.host) else [options.host]
    return frozenset(f"{scheme}://{host}:{port}" for host in hosts)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise WebServerError(
            f"{host}:{port} cannot be listened on: {error.strerror}; choose another --port"
            f" / {host}:{port} 无法监听，请换一个 --port"
        ) from error
    return listening


FAULTS: tuple[type[Exception], ...] = (WebServerError, StoreError, KeyFileError, DataFolderError, BusError)
"""What `serve` raises where it cannot start."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the process; 1 where it cannot start."""
    parser = child.arguments("the web server of live assist")
    add_arguments(parser)
    options = parser.parse_args(argv)
    faults: list[Any] = []

    async def run(stop: asyncio.Event) -> None:
        try:
            await serve(options, stop, child.ready)
        except FAULTS as error:
            faults.append(error)

    child.run(run)
    for fault in faults:
        print(f"huashu web: {fault}", file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
