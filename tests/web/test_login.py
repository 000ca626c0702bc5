"""Logging in, cookies, CSRF, tokens, limits and security headers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.auth.passwords import WeakPassword, check_strength, hash_password, verify_password
from assist.auth.roles import PERMISSIONS, Principal
from assist.auth.sessions import COOKIE
from assist.auth.tokens import BadToken, make_token, read_token
from assist.web_api.limits import FAILURES_OF_ONE, Bucket, Buckets
from assist.web_api.parts import DIRECTORY
from assist.web_api.routes import API
from bot.store.users import ROLES
from tests.web.conftest import KEYS, PASSWORD, PEOPLE, Server, running, said

KEY = KEYS.derive("web", "*")
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


async def test_logging_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(server: Server) -> None:
    browser = server.stranger()
    answer = await browser.post("/api/login", {"name": "li", "password": PASSWORD})
    assert answer.status == 200 and answer.data["role"] == "agent" and answer.data["csrf_token"]
    cookie = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]
    assert COOKIE.startswith("__Host-")
    assert (cookie["path"], cookie["samesite"], cookie["domain"]) == ("/", "Strict", "")
    assert cookie["secure"] and cookie["httponly"]
    with server.database.read() as connection:
        kept = connection.exec_driver_sql("SELECT id_hash FROM web_sessions").scalar_one()
    assert cookie.value not in kept


async def test_who_one_is_is_told_to_who_has_logged_in(server: Server) -> None:
    li = await server.login("li")
    me = (await li.get("/api/me")).data
    assert (me["name"], me["role"], me["team"], me["csrf_token"]) == ("li", "agent", "north", li.csrf)
    assert (await (await server.machine()).get("/api/me")).data["csrf_token"] is None


async def test_a_wrong_name_and_a_wrong_password_are_told_alike(server: Server) -> None:
    browser = server.stranger()
    answers = [
        await browser.post("/api/login", {"name": name, "password": password})
        for name, password in (("li", "wrong"), ("nobody", PASSWORD), ("li" * 50, "x"), ("", ""))
    ]
    assert {answer.status for answer in answers} == {401}
    assert len({str(answer.data) for answer in answers}) == 1
    assert (await browser.post("/api/login", {"name": "li"})).data["field"] == "password"


async def test_failed_log_ins_are_limited_by_name_and_address_in_all_processes(server: Server) -> None:
    wrong = {"name": "li", "password": "wrong"}
    for _ in range(FAILURES_OF_ONE):
        assert (await server.stranger().post("/api/login", wrong)).status == 401
    async with running(server.redis, server.database, server.calls) as second:
        blocked = await second.stranger().post("/api/login", {"name": "li", "password": PASSWORD})
        assert blocked.status == 429 and int(blocked.headers["Retry-After"]) > 0
        assert (
            await second.stranger().post("/api/tokens", {"name": "li", "password": PASSWORD})
        ).status == 429
        await second.login("wang")  # others at the same address still come in


async def test_logging_out_ends_the_session_everywhere(server: Server) -> None:
    li = await server.login("li")
    [cookie] = [cookie.value for cookie in li.http.cookie_jar]
    assert (await li.post("/api/logout")).status == 204
    stolen = server.stranger()
    assert (await stolen.request("GET", "/api/me", Cookie=f"{COOKIE}={cookie}")).status == 401


async def test_a_session_made_by_one_process_holds_in_another_at_once(server: Server) -> None:
    async with running(server.redis, server.database, server.calls) as second:
        li = await server.login("li")
        [cookie] = [cookie.value for cookie in li.http.cookie_jar]
        asked = [second.stranger().request("GET", "/api/me", Cookie=f"{COOKIE}={cookie}") for _ in range(5)]
        assert {answer.status for answer in await asyncio.gather(*asked)} == {200}


async def test_a_write_with_a_cookie_needs_the_sessions_own_csrf_token(server: Server) -> None:
    await server.call("c1", "li")
    li, wang = await server.login("li"), await server.login("wang")
    path, body = "/api/calls/c1/utterances", said("u1")
    assert (await li.post(path, body)).status == 202
    for token in ("", "wrong", "错", wang.csrf):
        li.csrf = token
        answer = await li.post(path, body)
        assert (answer.status, answer.data["code"]) == (403, "csrf"), token
    li.csrf = None
    assert (await li.post(path, body)).data["code"] == "csrf"


async def test_every_writing_route_refuses_a_cookie_without_csrf_token(server: Server) -> None:
    li = await server.login("li")
    li.csrf = None
    for method, path, _ in API:
        if method == "POST" and path not in ("/api/login", "/api/tokens"):
            concrete = path.replace("{call_id}", "c1").replace("{suggestion_id}", "c1.1")
            assert (await li.post(concrete, {})).data["code"] == "csrf", path


async def test_a_write_from_another_site_is_refused_even_with_the_token(server: Server) -> None:
    await server.call("c1", "li")
    li = await server.login("li")
    answer = await li.request("POST", "/api/calls/c1/utterances", said("u1"), Origin="https://evil.example")
    assert (answer.status, answer.data["code"]) == (403, "wrong_origin")
    credentials = {"name": "li", "password": PASSWORD}
    answer = await server.stranger().request("POST", "/api/login", credentials, Origin="https://evil.example")
    assert answer.status == 403


async def test_operators_make_tokens_from_their_session_and_agents_do_not(server: Server) -> None:
    zhou, li = await server.login("zhou"), await server.login("li")
    made = await zhou.post("/api/tokens", {"ttl_s": 60})
    assert made.status == 201 and made.data["scopes"] == sorted(PERMISSIONS["operator"])
    machine = server.stranger()
    machine.token = made.data["token"]
    assert (await machine.get("/api/me")).data["name"] == "zhou"
    assert (await li.post("/api/tokens", {})).status == 403
    assert (await server.stranger().post("/api/tokens", {})).status == 401
    assert (await server.stranger().post("/api/tokens", {"name": "zhou"})).data["field"] == "password"
    assert (await zhou.post("/api/tokens", {"ttl_s": 10**9})).data["field"] == "ttl_s"


async def test_wrong_tokens_are_refused(server: Server) -> None:
    good = make_token(KEY, "default", "zhou", 1, datetime.now(UTC), 60)
    old = make_token(KEY, "default", "zhou", 1, datetime.now(UTC) - timedelta(hours=1), 60)
    earlier = make_token(KEY, "default", "zhou", 0, datetime.now(UTC), 60)
    nobody = make_token(KEY, "default", "nobody", 1, datetime.now(UTC), 60)
    foreign = make_token(bytes(32), "default", "zhou", 1, datetime.now(UTC), 60)
    unsigned = jwt.encode(jwt.decode(good, options={"verify_signature": False}), None, algorithm="none")
    header, _, rest = good.partition(".")
    tampered = f"{header}.{'A' + rest[1:]}"
    browser = server.stranger()
    for token in (old, earlier, nobody, foreign, unsigned, tampered, "", "x", "a.b.c", "é"):
        answer = await browser.request("GET", "/api/me", Authorization=f"Bearer {token}")
        assert answer.status == 401 and "WWW-Authenticate" in answer.headers, token
    assert (await browser.request("GET", "/api/me", Authorization=f"Basic {good}")).status == 401
    assert (await browser.request("GET", "/api/me", Authorization=f"Bearer {good}")).status == 200


async def test_a_token_of_somebody_shut_out_no_longer_works(server: Server) -> None:
    machine = await server.machine()
    assert (await machine.get("/api/me")).status == 200
    await server.shut_out("zhou")
    await server.app[DIRECTORY].refresh()
    assert (await machine.get("/api/me")).status == 401
    assert (await server.stranger().post("/api/login", {"name": "zhou", "password": PASSWORD})).status == 401


async def test_who_asks_too_often_is_told_when_to_come_back(server: Server) -> None:
    slow = Buckets({"operator": (0.001, 3.0)})
    async with running(server.redis, server.database, server.calls, slow) as strict:
        machine = await strict.machine()
        statuses = [(await machine.get("/api/me")).status for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert (await machine.get("/api/me")).headers["Retry-After"]
        assert (await (await strict.machine("li")).get("/api/me")).status == 200


@given(
    st.floats(0.1, 100), st.floats(1, 50), st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=60)
)
def test_a_bucket_lets_no_more_through_than_burst_and_rate(
    rate: float, burst: float, waits: list[float]
) -> None:
    bucket, now, taken = Bucket(rate, burst, burst, 0.0), 0.0, 0
    for wait in waits:
        now += wait
        refused_for = bucket.take(now)
        taken += not refused_for
        assert taken <= burst + rate * now + 1e-6
        if refused_for:
            assert Bucket(rate, burst, bucket.tokens, now).take(now + refused_for + 1e-9) == 0.0


async def test_every_answer_has_the_security_headers_and_pages_a_fresh_nonce(server: Server) -> None:
    li = await server.login("li")
    policies = []
    for path in ("/login", "/agent", "/agent", "/api/me", "/api/nothing", "/static/base.css", "/"):
        answer = await li.get(path)
        policy = answer.headers["Content-Security-Policy"]
        nonce = policy.partition("'nonce-")[2].partition("'")[0]
        assert policy == (
            f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
            "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "aiohttp" not in answer.headers["Server"]
        if path in ("/login", "/agent"):
            policies.append(policy)
            assert answer.status == 200 and b"{nonce}" not in answer.data
            assert answer.headers["Cache-Control"] == "no-store"
    assert len(set(policies)) == len(policies)


async def test_pages_are_for_their_role_and_others_are_sent_where_they_belong(server: Server) -> None:
    people = {name: await server.login(name) for name in ("li", "zhao", "sun")}
    people["stranger"] = server.stranger()
    where = {
        (name, path): (await browser.get(path)).headers.get("Location", "here")
        for name, browser in people.items()
        for path in ("/", "/agent", "/supervisor")
    }
    assert where == {
        ("li", "/"): "/agent", ("li", "/agent"): "here", ("li", "/supervisor"): "/agent",
        ("zhao", "/"): "/supervisor", ("zhao", "/agent"): "/supervisor", ("zhao", "/supervisor"): "here",
        ("sun", "/"): "/login", ("sun", "/agent"): "/login", ("sun", "/supervisor"): "/login",
        ("stranger", "/"): "/login", ("stranger", "/agent"): "/login", ("stranger", "/supervisor"): "/login",
    }  # fmt: skip


async def test_static_files_stay_in_their_folder(server: Server) -> None:
    browser = server.stranger()
    script = await browser.get("/static/api.js")
    assert script.status == 200 and "javascript" in script.headers["Content-Type"]
    for path in ("/static/../login.html", "/static/%2e%2e/login.html", "/static//etc/passwd", "/static/"):
        assert (await browser.get(path)).status in (403, 404), path


def test_passwords_verify_and_nothing_else_does() -> None:
    kept = hash_password("客户说贵怎么办", cost=4)
    assert verify_password("客户说贵怎么办", kept) and "客户" not in kept
    assert hash_password("客户说贵怎么办", cost=4) != kept
    for password, other in (
        ("客户说贵怎么", kept),
        ("", kept),
        ("x", "plain"),
        ("x", "scrypt$4$8$1$!$!"),
        ("x", ""),
    ):
        assert not verify_password(password, other)
    assert not verify_password("\ud800", kept)


@pytest.mark.parametrize("password", ["short", "x" * 201, "aaaaaaaaaaaa", "Longusername"])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        check_strength(password, "longusername")


@given(st.text(max_size=40))
def test_no_text_is_a_token_by_chance(token: str) -> None:
    with pytest.raises(BadToken):
        read_token(KEY, token)


def test_roles_are_those_of_the_store_and_only_tenants_own_calls_are_in_reach() -> None:
    assert set(PERMISSIONS) == set(ROLES) == {role for role, _ in PEOPLE.values()}
    agent = Principal("t", "li", "agent", "north")
    assert agent.may("calls.read", "li", "north") and not agent.may("calls.read", "wang", "north")
    assert not agent.may("whisper", "li", "north")
    supervisor = Principal("t", "zhao", "supervisor", "north")
    assert supervisor.may("whisper", "li", "north") and not supervisor.may("whisper", "wang", "south")
    assert Principal("t", "qian", "supervisor").may("whisper", "nobody", None)
    assert not Principal("t", "x", "no such role").may("calls.read", "x", None)
