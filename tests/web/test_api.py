"""The HTTP API: each request gets the right status and a problem that says what is wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assist.web_api.bodies import visible
from assist.web_api.openapi import description
from assist.web_api.routes import API
from tests.web.conftest import Server, form, said, suggestion
from tests.web.openapi_check import Draft202012Validator


def test_every_route_is_described_and_every_description_has_a_route() -> None:
    described = {
        (method.upper(), path)
        for path, item in description()["paths"].items()
        for method in item
        if method in ("get", "post", "put", "delete", "patch")
    }
    assert described == {(method, path) for method, path, _ in API}


def test_the_description_names_each_path_parameter_and_its_schemas_are_schemas() -> None:
    document = description()
    for path, item in document["paths"].items():
        named = {
            (document["components"]["parameters"][p["$ref"].rpartition("/")[2]] if "$ref" in p else p)["name"]
            for p in item.get("parameters", [])
        }
        assert set(re.findall(r"\{(\w+)\}", path)) <= named, path
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


async def test_the_description_is_served_to_anybody(server: Server) -> None:
    answer = await server.stranger().get("/api/openapi.json")
    assert answer.status == 200 and answer.data == description()


async def test_every_route_but_the_public_ones_refuses_a_stranger(server: Server) -> None:
    public = {"/api/login", "/api/openapi.json"}
    stranger = server.stranger()
    for method, path, _ in API:
        if path in public:
            continue
        concrete = (
            path.replace("{call_id}", "c1").replace("{agent_id}", "li").replace("{suggestion_id}", "c1.1")
        )
        answer = await stranger.request(method, concrete, {} if method == "POST" else None)
        assert answer.status == 401, (method, path, answer.data)


async def test_a_call_begins_is_fed_and_ends(server: Server) -> None:
    machine = await server.machine()
    contact = {"name": "张伟", "phone": "13800138000", "monthly_bill": 128}
    new = {"script": "bundle", "agent_id": "li", "direction": "outbound", "contact": contact}
    begun = await machine.post("/api/calls", new)
    assert begun.status == 201 and begun.data["agent_id"] == "li"
    path = f"/api/calls/{begun.data['call_id']}"
    first = await machine.post(f"{path}/utterances", said("u1", final=False))
    assert (first.status, first.data["outcome"]) == (202, "new")
    final = await machine.post(f"{path}/utterances", said("u1", "太贵了吧"))
    assert final.data == {"seq": first.data["seq"] + 1, "outcome": "new"}
    assert (await machine.post(f"{path}/end", {"by": "customer"})).data["outcome"] == "new"
    assert (await machine.post(f"{path}/end")).data["outcome"] == "repeat"


async def test_the_same_utterance_twice_is_one_and_a_late_partial_is_dropped(server: Server) -> None:
    machine, call_id = await server.machine(), await server.call()
    path = f"/api/calls/{call_id}/utterances"
    many = await machine.post(path, [said("u1"), said("u1"), said("u1", final=False), said("u2")])
    outcomes = [each["outcome"] for each in many.data]
    assert many.status == 202 and outcomes == ["new", "repeat", "dropped", "new"]
    assert many.data[1]["seq"] == many.data[0]["seq"]


async def test_what_cannot_be_seen_is_taken_out_of_words_and_empty_lines_are_dropped(server: Server) -> None:
    machine, call_id = await server.machine(), await server.call()
    path = f"/api/calls/{call_id}/utterances"
    await machine.post(path, said("u1", "太\u202e贵\x00了\u200b"))
    stored = await server.redis.xrange(f"huashu:call:{call_id}:log")
    assert "太贵了" in stored[-1][1][b"e"].decode()
    assert (await machine.post(path, said("u2", "\u200b \x07"))).data == {"seq": 0, "outcome": "dropped"}


async def test_personal_data_in_words_is_masked_before_it_is_kept(server: Server) -> None:
    machine, call_id = await server.machine(), await server.call()
    await machine.post(f"/api/calls/{call_id}/utterances", said("u1", "我叫张伟,电话13800138000"))
    stored = (await server.redis.xrange(f"huashu:call:{call_id}:log"))[-1][1][b"e"].decode()
    assert "张伟" not in stored and "13800138000" not in stored


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, "$"),
        (b"{", 400, "$"),
        (b"\xff\xfe", 400, "$"),
        (b"[" * 30_000, 422, "[0]"),
        (b"7", 422, "$"),
        (b"[]", 422, "$"),
        (b"{}", 422, "utterance_id"),
        ({"utterance_id": ""}, 422, "utterance_id"),
        ({"party": "bot"}, 422, "party"),
        ({"text": 7}, 422, "text"),
        ({"text": "x" * 16_385}, 422, "text"),
        ({"begin_ms": -1}, 422, "begin_ms"),
        ({"begin_ms": 1.5}, 422, "begin_ms"),
        ({"end_ms": 10**30}, 422, "end_ms"),
        ({"begin_ms": 901}, 422, "end_ms"),
        ({"final": "yes"}, 422, "final"),
        ({"asr_confidence": 2}, 422, "asr_confidence"),
        ({"text": "x" * 65_536}, 413, None),
    ],
)
async def test_a_bad_utterance_is_refused_and_the_field_is_named(
    server: Server, body: Any, status: int, field: str | None
) -> None:
    machine, call_id = await server.machine(), await server.call()
    path = f"/api/calls/{call_id}/utterances"
    if isinstance(body, dict):
        answer = await machine.post(path, said("u1") | body)
    else:
        answer = await machine.request("POST", path, raw=body)
    assert (answer.status, answer.data.get("field")) == (status, field), answer.data


async def test_a_bad_line_in_a_list_is_named_by_its_place_and_none_is_taken(server: Server) -> None:
    machine, call_id = await server.machine(), await server.call()
    path = f"/api/calls/{call_id}/utterances"
    answer = await machine.post(path, [said("u1"), said("u2") | {"party": "bot"}])
    assert (answer.status, answer.data["field"]) == (422, "[1].party")
    answer = await machine.post(path, [said("u1"), said("u2") | {"begin_ms": 5000}])
    assert (answer.status, answer.data["field"]) == (422, "[1].end_ms")
    assert (await machine.post(path, said("u1"))).data["outcome"] == "new"


async def test_json_nested_without_end_is_refused(server: Server) -> None:
    machine = await server.machine()
    body = b'{"script":"bundle","agent_id":"li","contact":{"a":' + b"[" * 30_000
    answer = await machine.request("POST", "/api/calls", raw=body)
    assert (answer.status, answer.data["code"]) == (400, "not_json")


async def test_unknown_ended_and_foreign_calls_have_their_own_status(server: Server) -> None:
    machine, li = await server.machine(), await server.machine("li")
    await server.call("c1", "li")
    await server.call("c2", "wang")
    for path, body in (("utterances", said("u1")), ("end", {}), ("after-call", form())):
        assert (await li.post(f"/api/calls/c2/{path}", body)).status == 403
        assert (await li.post(f"/api/calls/nope/{path}", body)).status == 404
    for path in ("", "/customer", "/after-call", "/human-agent-assistant"):
        assert (await li.get(f"/api/calls/c2{path}")).data["code"] == "not_yours"
        assert (await li.get(f"/api/calls/nope{path}")).data["code"] == "unknown_call"
    await machine.post("/api/calls/c1/end", {})
    late = await machine.post("/api/calls/c1/utterances", said("u9"))
    assert (late.status, late.data["code"]) == (409, "call_ended")
    late = await li.post("/api/suggestions/c1.1/feedback", {"action": "used"})
    assert (late.status, late.data["code"]) == (409, "call_ended")


async def test_an_unknown_script_is_refused_and_the_nearest_is_named(server: Server) -> None:
    machine = await server.machine()
    answer = await machine.post("/api/calls", {"script": "bundel", "agent_id": "li"})
    assert (
        answer.status == 422
        and answer.data["code"] == "unknown_script"
        and "'bundle'" in answer.data["detail"]
    )


async def test_a_call_id_of_ones_own_is_kept_and_cannot_be_taken_twice(server: Server) -> None:
    machine = await server.machine()
    new = {"script": "bundle", "agent_id": "li", "call_id": "pbx-7"}
    assert (await machine.post("/api/calls", new)).status == 201
    again = await machine.post("/api/calls", new)
    assert again.status == 200 and again.data["call_id"] == "pbx-7"
    other = await machine.post("/api/calls", new | {"agent_id": "wang"})
    assert (other.status, other.data["code"]) == (409, "id_taken")
    bad = await machine.post("/api/calls", new | {"call_id": "a:b"})
    assert (bad.status, bad.data["field"]) == (422, "call_id")


async def test_an_agent_begins_calls_for_nobody_else(server: Server) -> None:
    li = await server.machine("li")
    assert (await li.post("/api/calls", {"script": "bundle", "agent_id": "li"})).status == 201
    assert (await li.post("/api/calls", {"script": "bundle", "agent_id": "wang"})).status == 403


async def test_roles_see_only_what_is_theirs(server: Server) -> None:
    await server.call("c1", "li")
    await server.call("c2", "wang")
    seen = {}
    for name in ("li", "wang", "zhao", "qian", "zhou"):
        rows = (await (await server.machine(name)).get("/api/calls")).data["calls"]
        seen[name] = {row["call_id"] for row in rows}
    assert seen == {"li": {"c1"}, "wang": {"c2"}, "zhao": {"c1"}, "qian": {"c1", "c2"}, "zhou": {"c1", "c2"}}
    assert (await (await server.machine("sun")).get("/api/calls")).status == 403
    assert (await (await server.machine("zhao")).get("/api/calls/c2")).status == 403


async def test_the_customers_name_is_for_the_calls_agent_and_supervisors_only(server: Server) -> None:
    await server.call("c1", "li")
    shown = await (await server.machine("li")).get("/api/calls/c1/customer")
    assert shown.data["contact"]["name"] == "张伟" and shown.headers["Cache-Control"] == "no-store"
    assert (await (await server.machine("qian")).get("/api/calls/c1/customer")).status == 200
    for name in ("wang", "zhou", "sun"):
        assert (await (await server.machine(name)).get("/api/calls/c1/customer")).status == 403
    assert "张伟" not in str((await (await server.machine("li")).get("/api/calls/c1")).data)


async def test_calls_of_other_tenants_do_not_exist(server: Server) -> None:
    await server.call("c1", "li", tenant_id="other")
    for name in ("li", "qian", "zhou"):
        assert (await (await server.machine(name)).get("/api/calls/c1")).status == 404
    taken = await (await server.machine()).post(
        "/api/calls", {"script": "bundle", "agent_id": "li", "call_id": "c1"}
    )
    assert taken.status == 409


async def test_feedback_goes_into_the_log_of_its_call(server: Server) -> None:
    await server.call("c1", "li")
    await server.worker_says(suggestion("c1", 1))
    li = await server.machine("li")
    answer = await li.post("/api/suggestions/c1.1/feedback", {"action": "used", "at_ms": 900})
    assert answer.status == 202
    stored = (await server.redis.xrange("huashu:call:c1:log"))[-1][1][b"e"].decode()
    assert '"suggestion_id":"c1.1"' in stored and '"used"' in stored
    assert (await li.post("/api/suggestions/nonsense/feedback", {"action": "used"})).status == 404
    assert (await li.post("/api/suggestions/c1.1/feedback", {"action": "loved"})).data["field"] == "action"
    other = {"action": "used", "suggestion_id": "c1.2"}
    assert (await li.post("/api/suggestions/c1.1/feedback", other)).data["field"] == "suggestion_id"
    assert (await (await server.machine("wang")).post("/api/suggestions/c1.1/feedback", other)).status == 403


async def test_wrong_paths_and_methods_say_what_is_right(server: Server) -> None:
    machine = await server.machine()
    assert (await machine.get("/api/cals")).data["code"] == "not_found"
    wrong = await machine.request("PUT", "/api/calls/c1/end", {})
    assert wrong.status == 405 and wrong.headers["Allow"] == "POST"


def test_visible_text_keeps_words_and_loses_what_hides_among_them() -> None:
    assert visible("太贵了吧?") == "太贵了吧?"
    assert visible("a\u202eb\u0000c\u2066d\ufeff") == "abcd"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_no_body_makes_the_server_fail(server: Server, data: st.DataObject) -> None:
    """Whatever is sent, the answer is a described one and never 500."""
    if "c1" not in server.writers:
        await server.call("c1", "li")
    machine = await server.machine()
    posts = [
        path for method, path, _ in API if method == "POST" and path not in ("/api/login", "/api/tokens")
    ]
    path = data.draw(st.sampled_from(posts)).replace("{call_id}", "c1").replace("{suggestion_id}", "c1.1")
    known = [
        "target",
        "script",
        "agent_id",
        "contact",
        "text",
        "action",
        "summary",
        "EventType",
        "CallId",
        "by",
    ]
    body = data.draw(_json | st.dictionaries(st.sampled_from(known), _json, max_size=5))
    answer = await machine.post(path, body)
    assert answer.status < 500, (path, body, answer.data)
