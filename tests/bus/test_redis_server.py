"""The private Redis: starts, comes back with its data, ends with its owner however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from bot.bus import BusError, connect
from bot.redis_server import PrivateRedis, RedisServerError


def test_it_answers_only_its_own_user_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with PrivateRedis(tmp_path) as server:
        assert redis.Redis.from_url(server.url).ping()
        assert server.socket.stat().st_mode & 0o077 == 0
        assert server.folder.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == []


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    with PrivateRedis(tmp_path) as one, PrivateRedis(tmp_path) as two:
        redis.Redis.from_url(one.url).set("k", "one")
        assert redis.Redis.from_url(two.url).get("k") is None


def test_killed_and_restarted_it_still_holds_what_it_held(tmp_path: Path) -> None:
    with PrivateRedis(tmp_path) as server:
        redis.Redis.from_url(server.url).set("k", "v")
        os.kill(server.pid(), signal.SIGKILL)
        assert server._process is not None
        server._process.wait()
        assert not server.running
        server.restart()
        assert redis.Redis.from_url(server.url).get("k") == b"v"


def test_a_long_path_still_gives_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("很长的目录" * 8)
    deep.mkdir()
    with PrivateRedis(deep) as server:
        assert redis.Redis.from_url(server.url).ping()


def test_it_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", "import sys, pathlib; from bot.redis_server import PrivateRedis\n"
         "server = PrivateRedis(pathlib.Path(sys.argv[1])).start()\n"
         "print(server.url, server._process.pid, flush=True); sys.stdin.read()", str(tmp_path)],
        stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert owner.stdout is not None
    url, _ = owner.stdout.readline().split()
    client = redis.Redis.from_url(url)
    subscription = client.pubsub()
    subscription.subscribe("nothing")
    subscription.get_message(timeout=None)
    owner.kill()
    owner.wait()
    with pytest.raises(redis.ConnectionError):  # the server closes the connection as it ends
        while True:
            subscription.connection.read_response()
    with PrivateRedis(tmp_path) as server:
        assert [server.folder] == list(tmp_path.iterdir())  # what the dead one left is gone


def test_without_redis_server_the_error_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RedisServerError, match=r"apt install redis-server.*REDIS_URL"):
        PrivateRedis(tmp_path).start()


def test_a_server_that_cannot_start_shows_its_own_log(tmp_path: Path) -> None:
    server = PrivateRedis(tmp_path)
    (server.folder / "appendonlydir").mkdir()
    (server.folder / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(RedisServerError, match="its log"):
        server.start()
    server.stop()


@pytest.mark.parametrize("address", ["localhost:6379", "http://localhost", ""])
def test_an_address_that_is_none_is_told(address: str) -> None:
    with pytest.raises(BusError, match="REDIS_URL"):
        connect(address)
