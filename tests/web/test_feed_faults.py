"""Feeds under fault: floods, deaf clients, malformed frames, a Redis that dies, a server that stops."""

from __future__ import annotations

import asyncio
import os
import signal
import socket as sockets

import pytest
from redis.asyncio import Redis

import assist.feed
import assist.web_api.feeds
from assist.web_api.parts import HUB
from bot.bus import connect
from bot.bus.assisted import AssistedCalls
from bot.redis_server import PrivateRedis
from bot.store.sealing import Sealer
from tests.web.conftest import KEYS, OneWorker, Server, refused, running, suggestion

pytestmark = pytest.mark.usefixtures("soon")


async def test_a_message_over_64_kib_closes_that_socket_alone(server: Server) -> None:
    await server.call("c1", "li")
    li = await server.login("li")
    loud, other = await li.call_feed("c1", after=1), await li.call_feed("c1", after=1)
    await loud.socket.send_str("x" * 70_000)
    assert await loud.closed() == 1009
    await other.socket.send_str("x" * 60_000)
    await server.meanings("c1", 1)
    assert (await other.next())["seq"] == 2


async def test_malformed_frames_close_that_socket_alone(server: Server) -> None:
    await server.call("c1", "li")
    li = await server.login("li")
    other = await li.call_feed("c1", after=1)
    for frame, code in ((b"\x81\x82\x00\x00\x00\x00\xff\xfe", 1007), (b"\xc1\x80\x00\x00\x00\x00", 1002)):
        broken = await li.call_feed("c1", after=1)
        transport = broken.socket._response.connection.transport  # type: ignore[union-attr]
        transport.write(frame)
        assert await broken.closed() == code
    await server.meanings("c1", 1)
    assert (await other.next())["seq"] == 2


async def test_a_client_that_never_reads_is_cut_and_the_others_get_everything(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assist.feed, "SEND_S", 0.2)
    await server.call("c1", "li")
    li = await server.login("li")
    ticket = await li.ticket("call:c1")
    deaf = sockets.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))
    deaf.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 2048)
    deaf.sendall(
        f"GET /api/calls/c1/feed?ticket={ticket}&after=1 HTTP/1.1\r\nHost: x\r\nOrigin: {server.origin}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    other = await li.call_feed("c1", after=1)
    count = 400
    for number in range(2, 2 + count):
        await server.worker_says(suggestion("c1", number, why="因" * 8000))
        assert (await other.next())["seq"] == number
    async with asyncio.timeout(10):
        while len(server.app[assist.web_api.feeds.OPEN]) > 1:
            await asyncio.sleep(0)
    deaf.close()
    again = await li.call_feed("c1", after=1)
    assert [event["seq"] for event in await again.take(count)] == list(range(2, 2 + count))


async def test_nobody_opens_feeds_without_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assist.web_api.feeds, "MOST_OPEN_OF_ONE", 2)
    await server.call("c1", "li")
    li, zhao = await server.login("li"), await server.login("zhao")
    feeds = [await li.call_feed("c1") for _ in range(2)]
    ticket = await li.ticket("call:c1")
    await refused(server, f"/api/calls/c1/feed?ticket={ticket}", 429, Origin=server.origin)
    assert (await (await zhao.call_feed("c1")).next())["kind"] == "snapshot"
    await feeds[0].socket.close()
    while len(server.app[assist.web_api.feeds.OPEN]) > 2:
        await asyncio.sleep(0)
    assert (await (await li.call_feed("c1")).next())["kind"] == "snapshot"


async def test_feeds_of_two_web_processes_are_the_same(server: Server) -> None:
    await server.call("c1", "li")
    async with running(server.redis, server.database, server.calls) as second:
        first_feed = await (await server.login("li")).call_feed("c1", after=1)
        second_feed = await (await second.login("li")).call_feed("c1", after=1)
        await server.meanings("c1", 3)
        for feed in (first_feed, second_feed):
            assert [event["seq"] for event in await feed.take(3)] == [2, 3, 4]


async def test_a_server_that_stops_tells_its_clients_to_come_back(server: Server) -> None:
    await server.call("c1", "li")
    async with running(server.redis, server.database, server.calls) as second:
        feed = await (await second.login("li")).call_feed("c1", after=1)
        stopping = asyncio.create_task(second.app.shutdown())
        assert await feed.closed() == 1012
        await stopping


async def test_a_redis_that_falls_silent_is_connected_to_again(
    server: Server, own_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assist.feed_hub.PING_S", 0.1)
    redis: Redis = connect(own_server.url)
    calls = AssistedCalls(redis, Sealer(KEYS), OneWorker())
    async with running(redis, server.database, calls) as one:
        await one.call("c1", "li")
        feed = await (await one.login("li")).call_feed("c1", after=1)
        await one.meanings("c1", 1)
        assert (await feed.next())["seq"] == 2
        before, pid = one.app[HUB]._pubsub, own_server.pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            while one.app[HUB]._pubsub is before:
                await asyncio.sleep(0)
        finally:
            os.kill(pid, signal.SIGCONT)
        await one.meanings("c1", 1)
        assert (await feed.next())["seq"] == 3
    await redis.aclose()


async def test_a_redis_that_dies_and_comes_back_costs_no_event(
    server: Server, own_server: PrivateRedis
) -> None:
    redis: Redis = connect(own_server.url)
    calls = AssistedCalls(redis, Sealer(KEYS), OneWorker())
    async with running(redis, server.database, calls) as one:
        await one.call("c1", "li")
        feed = await (await one.login("li")).call_feed("c1", after=1)
        await one.meanings("c1", 2)
        assert [event["seq"] for event in await feed.take(2)] == [2, 3]
        os.kill(own_server.pid(), signal.SIGKILL)
        await asyncio.to_thread(own_server.restart)
        await one.meanings("c1", 2)
        assert [event["seq"] for event in await feed.take(2)] == [4, 5]
    await redis.aclose()
