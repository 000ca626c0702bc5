"""The WebSocket feeds on a real server: who may watch, what comes, in which order, and how it ends."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.web.conftest import Server, meaning, refused, said, suggestion

pytestmark = pytest.mark.usefixtures("soon")


async def test_a_feed_is_a_snapshot_and_then_every_event_with_its_number(server: Server) -> None:
    await server.call("c1", "li")
    li = await server.login("li")
    feed = await li.call_feed("c1")
    snapshot = await feed.next()
    assert (snapshot["kind"], snapshot["seq"], snapshot["call"]["call_id"]) == ("snapshot", 0, "c1")
    assert [(await feed.next())["kind"]] == ["call.started"]
    machine = await server.machine()
    await machine.post("/api/calls/c1/utterances", [said("u1", final=False), said("u1")])
    await server.worker_says(meaning("c1", "u1"), suggestion("c1", 1))
    events = await feed.take(4)
    assert [(event["seq"], event["kind"]) for event in events] == [
        (2, "utterance.partial"), (3, "utterance.final"), (4, "meaning"), (5, "suggestion"),
    ]  # fmt: skip


async def test_a_feed_goes_on_after_the_snapshot_that_the_worker_stored(server: Server) -> None:
    await server.call("c1", "li")
    await server.meanings("c1", 4)
    stored = {"kind": "snapshot", "seq": 3, "call": {}, "panel": {"stage": "opening"}}
    await server.redis.set("huashu:call:c1:snapshot", json.dumps(stored))
    feed = await (await server.login("li")).call_feed("c1")
    assert (await feed.next())["panel"] == {"stage": "opening"}
    assert [event["seq"] for event in await feed.take(2)] == [4, 5]


async def test_resuming_gives_what_was_missed_once_and_no_snapshot(server: Server) -> None:
    await server.call("c1", "li")
    await server.meanings("c1", 250)
    feed = await (await server.login("li")).call_feed("c1", after=7)
    await server.meanings("c1", 3)
    assert [event["seq"] for event in await feed.take(247)] == list(range(8, 255))


async def test_many_clients_that_join_while_events_come_each_get_all_in_order(server: Server) -> None:
    await server.call("c1", "li")
    qian = await server.login("qian")
    writing = asyncio.create_task(server.meanings("c1", 120))
    feeds = [await qian.call_feed("c1", after=1) for _ in range(5)]
    await writing
    for feed in feeds:
        assert [event["seq"] for event in await feed.take(120)] == list(range(2, 122))


async def test_what_is_no_longer_in_the_log_is_replaced_by_a_snapshot_that_says_so(server: Server) -> None:
    await server.call("c1", "li")
    await server.meanings("c1", 20)
    await server.redis.execute_command("XTRIM", "huashu:call:c1:log", "MINID", "15-0")
    feed = await (await server.login("li")).call_feed("c1", after=3)
    snapshot = await feed.next()
    assert snapshot["kind"] == "snapshot" and snapshot["reset"] is True
    assert [event["seq"] for event in await feed.take(7)] == list(range(15, 22))
    await server.redis.delete("huashu:call:c1:log")
    gone = await (await server.login("li")).call_feed("c1", after=3)
    assert (await gone.next())["reset"] is True
    beyond = await (await server.login("li")).call_feed("c1", after=500)
    assert (await beyond.next())["reset"] is True


async def test_an_agents_feed_follows_to_the_next_call_and_keeps_quiet_without_one(server: Server) -> None:
    feed = await (await server.login("li")).agent_feed("li")
    assert await feed.next() == {"kind": "no_call"}
    await server.call("c1", "li")
    assert [(await feed.next())["call"]["call_id"], (await feed.next())["kind"]] == ["c1", "call.started"]
    await server.calls.end("c1", "customer", 1000)
    await server.call("c2", "li")
    assert [(await feed.next())["call"]["call_id"], (await feed.next())["call_id"]] == ["c2", "c2"]
    await server.meanings("c1", 1)
    await server.meanings("c2", 1)
    last = await feed.next()
    assert (last["call_id"], last["seq"]) == ("c2", 2)


async def test_an_agents_feed_resumes_the_same_call_and_not_another(server: Server) -> None:
    await server.call("c1", "li")
    await server.meanings("c1", 3)
    li = await server.login("li")
    resumed = await li.agent_feed("li", after="c1:2")
    assert [event["seq"] for event in await resumed.take(2)] == [3, 4]
    await server.call("c2", "li")
    other = await li.agent_feed("li", after="c1:4")
    assert [(await other.next())["call"]["call_id"], (await other.next())["seq"]] == ["c2", 1]


async def test_after_a_call_ended_the_socket_stays(server: Server) -> None:
    await server.call("c1", "li")
    feed = await (await server.login("li")).call_feed("c1", after=1)
    await server.calls.end("c1", "agent", 1000)
    await server.meanings("c1", 1)
    assert (await feed.next())["seq"] == 2


async def test_two_agents_see_only_their_own(server: Server) -> None:
    await server.call("c1", "li")
    await server.call("c2", "wang")
    li, wang = await server.login("li"), await server.login("wang")
    feeds = {"c1": await li.agent_feed("li"), "c2": await wang.agent_feed("wang")}
    await server.meanings("c1", 2)
    await server.meanings("c2", 2)
    for call_id, feed in feeds.items():
        snapshot, *events = await feed.take(4)
        assert snapshot["call"]["call_id"] == call_id and {event["call_id"] for event in events} == {call_id}
    for target in ("call:c2", "agent:wang", "live"):
        assert (await li.post("/api/feed-tickets", {"target": target})).status == 403
    assert (await li.post("/api/feed-tickets", {"call_id": "nope"})).status == 404


async def test_a_supervisor_watches_the_own_team_and_one_without_team_everybody(server: Server) -> None:
    await server.call("c1", "li")
    await server.call("c2", "wang")
    zhao, qian = await server.login("zhao"), await server.login("qian")
    assert (await zhao.post("/api/feed-tickets", {"call_id": "c2"})).status == 403
    assert (await (await qian.call_feed("c2")).next())["kind"] == "snapshot"


async def test_a_ticket_works_once_and_only_for_what_it_was_given(server: Server) -> None:
    await server.call("c1", "li")
    li = await server.login("li")
    ticket = await li.ticket("call:c1")
    origin = {"Origin": server.origin}
    await refused(server, f"/api/agents/li/feed?ticket={ticket}", 401, **origin)
    ticket = await li.ticket("call:c1")
    path = f"/api/calls/c1/feed?ticket={ticket}"
    socket = await li.http.ws_connect(server.url + path, headers=origin)
    await refused(server, path, 401, **origin)
    await refused(server, "/api/calls/c1/feed", 401, **origin)
    await refused(server, "/api/calls/c1/feed?ticket=%ED%A0%80%00", 401, **origin)
    assert 0 < await server.redis.ttl(await the_key(server, await li.ticket("call:c1"))) <= 60
    await socket.close()


async def the_key(server: Server, ticket: str) -> bytes:
    """The one ticket that waits in Redis; it is kept under a hash, never as it is."""
    [key] = await server.redis.keys("huashu:ticket:*")
    assert ticket.encode() not in key
    return bytes(key)


async def test_other_sites_cannot_open_a_feed(server: Server) -> None:
    await server.call("c1", "li")
    li, machine = await server.login("li"), await server.machine()
    for origin in ("https://evil.example", "null", server.origin + ".evil.example", server.origin + "/"):
        await refused(server, f"/api/calls/c1/feed?ticket={await li.ticket('call:c1')}", 403, Origin=origin)
    await refused(server, f"/api/calls/c1/feed?ticket={await li.ticket('call:c1')}", 403)
    feed = await machine.call_feed("c1")  # a machine has no origin
    assert (await feed.next())["kind"] == "snapshot"


async def test_a_bad_cursor_is_refused_before_the_ticket_is_spent(server: Server) -> None:
    await server.call("c1", "li")
    li = await server.login("li")
    ticket = await li.ticket("call:c1")
    answer = await li.get(f"/api/calls/c1/feed?ticket={ticket}&after=x")
    assert (answer.status, answer.data["field"]) == (400, "after")
    plain = await li.request("GET", f"/api/calls/c1/feed?ticket={ticket}", Origin=server.origin)
    assert (plain.status, plain.data["code"]) == (426, "not_a_websocket")


async def test_a_call_given_to_another_agent_is_cut_off_from_the_first(server: Server) -> None:
    await server.call("c1", "li")
    li = await server.login("li")
    by_call, by_agent = await li.call_feed("c1"), await li.agent_feed("li")
    assert [(await by_agent.next())["kind"], (await by_agent.next())["kind"]] == ["snapshot", "call.started"]
    await server.calls.reassign("c1", "wang")
    assert await by_call.closed() == 4403
    assert await by_agent.next() == {"kind": "no_call"}
    await server.meanings("c1", 1)
    await server.call("c2", "li")
    assert (await by_agent.next())["call"]["call_id"] == "c2"
    taken = await (await server.login("wang")).agent_feed("wang")
    assert (await taken.next())["call"]["call_id"] == "c1"


async def test_whoever_is_shut_out_or_logs_out_is_cut(server: Server) -> None:
    await server.call("c1", "li")
    li, qian, machine = await server.login("li"), await server.login("qian"), await server.machine()
    feeds = [await li.call_feed("c1"), await qian.feed("/api/live", "live"), await machine.call_feed("c1")]
    await server.shut_out("li")
    assert await feeds[0].closed() == 4401
    assert (await qian.post("/api/logout")).status == 204
    assert await feeds[1].closed() == 4401
    await server.shut_out("zhou")
    assert await feeds[2].closed() == 4401


async def test_supervisors_see_rows_of_live_calls_whenever_one_changes(server: Server) -> None:
    await server.call("c1", "li")
    feed = await (await server.login("zhao")).feed("/api/live", "live")
    assert [row["call_id"] for row in (await feed.next())["rows"]] == ["c1"]
    await server.call("c2", "wang")
    await server.call("c3", "li")
    assert [row["call_id"] for row in (await feed.next())["rows"]] == ["c1", "c3"]
