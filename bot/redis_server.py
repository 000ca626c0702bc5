"""A private Redis on a Unix socket: started where REDIS_URL is unset, stopped at the end.

It ends with its owner, however that ends (guarded_child).  Its append-only file lets a Redis that
was killed come back with what it held; the folder goes when the owner stops it, for Redis carries
only what is live.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, Self

import redis

from bot.data_folder import data_folder
from bot.guarded_child import guarded

SOCKET_PATH_LIMIT = 100
"""Bytes that a Unix socket's path may have everywhere (sun_path is 104 on macOS, 108 on Linux)."""


class RedisServerError(Exception):
    """The private Redis cannot be started; says why and the remedy."""


class PrivateRedis:
    """One private redis-server; a context manager.  `url` is its address while it runs."""

    def __init__(self, parent: Path | None = None) -> None:
        """`parent`: the folder that its own folder is made in (default: `redis` in the data folder)."""
        parent = parent or data_folder("redis")
        _remove_orphans(parent)
        self.folder = Path(tempfile.mkdtemp(prefix="r", dir=parent))
        self._lock = _locked(self.folder)
        self._socket_folder: Path | None = None
        self.socket = self.folder / "s"
        if len(os.fsencode(self.socket)) > SOCKET_PATH_LIMIT:
            self._socket_folder = Path(tempfile.mkdtemp(prefix="huashu"))
            self.socket = self._socket_folder / "s"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout_s: float = 10.0) -> Self:
        """Start it and wait until it answers.  Raises RedisServerError."""
        binary = shutil.which("redis-server")
        if binary is None:
            raise RedisServerError(
                "redis-server is not installed. Install it (Debian, Ubuntu: sudo apt install redis-server; "
                "macOS: brew install redis) or set REDIS_URL to a running Redis"
                " / 未安装 redis-server，请先安装，或把 REDIS_URL 指向已有的 Redis"
            )
        log = self.folder / "redis.log"
        options = {
            "port": "0", "unixsocket": str(self.socket), "unixsocketperm": "700", "dir": str(self.folder),
            "appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction",
            "logfile": str(log), "daemonize": "no",
        }  # fmt: skip
        arguments = [binary] + [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            guarded(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        client = redis.Redis.from_url(self.url)
        try:
            self._wait_until_it_answers(client, timeout_s, log)
        finally:
            client.close()
        return self

    def _wait_until_it_answers(self, client: redis.Redis, timeout_s: float, log: Path) -> None:
        assert self._process is not None
        give_up = time.monotonic() + timeout_s
        while True:
            try:
                client.ping()
                return
            except redis.RedisError as error:
                code = self._process.poll()
                if code is None and time.monotonic() < give_up:
                    time.sleep(0.01)
                    continue
                tail = log.read_text("utf-8", "replace")[-400:].strip() if log.exists() else "no log"
                state = f"ended with code {code}" if code is not None else f"silent for {timeout_s:g} s"
                raise RedisServerError(
                    f"the private redis-server did not start ({state}); its log {log} ends: {tail}"
                ) from error

    @property
    def running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    def pid(self) -> int:
        """The process id of the server itself (not of its watchdog)."""
        client = redis.Redis.from_url(self.url)
        try:
            return int(client.info("server")["process_id"])
        finally:
            client.close()

    def restart(self) -> None:
        """Start it again after it died, with what its append-only file holds."""
        self._end_process()
        self.start()

    def stop(self) -> None:
        """Stop it and remove its folder; a second call does nothing."""
        self._end_process()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
        self._lock.close()

    def _end_process(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, 9)
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()


def _locked(folder: Path) -> IO[bytes]:
    """A lock file held while the owner lives."""
    handle = open(folder / "owner.lock", "wb")  # noqa: SIM115  (held as long as the object)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


def _remove_orphans(parent: Path) -> None:
    """Remove the folders of owners that were killed; those in use are locked, and stay."""
    for lock in parent.glob("r*/owner.lock"):
        with open(lock, "ab") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(lock.parent, ignore_errors=True)
