"""What is wrong with a request is its sender's alone: the right status or close code, and nobody else
notices: another agent's call goes on, its cards come, no process dies or complains."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from bot import events as ev
from tests.web.conftest import Browser, refused
from tests.whole.conftest import LogIn
from tests.whole.stage import LIMIT_S, Stage
from tests.whole.talk import (
    ASK,
    CONTACT,
    DEAR,
    TELL,
    Talk,
    after,
    card_up,
    nobody_else_notices,
    of,
    reactions,
)  # fmt: skip

pytestmark = pytest.mark.asyncio(loop_scope="session")
ESTABLISHED = "01"


def holds_open(port: int, other: int) -> bool:
    """Whether whoever listens on `port` still holds its end of the connection from port `other` (Linux)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = (f":{port:04X}", f":{other:04X}")
    return any((row[1][8:], row[2][8:], row[3]) == (*ends, ESTABLISHED) for row in rows)


async def test_utterances_out_of_order_doubled_late_and_after_the_end(stage: Stage) -> None:
    async with nobody_else_notices(stage):
        talk = await Talk.begin(stage, "li")
        first, second = talk.words("agent", ASK), talk.words("customer", TELL)
        answers = [await talk.post(each) for each in (second, first, second, first)]
        outcomes = [(answer.status, answer.data["outcome"]) for answer in answers]
        assert outcomes == [(202, "new"), (202, "new"), (202, "repeat"), (202, "repeat")]
        late = await talk.post(second | {"text": "电信", "final": False})
        assert (late.status, late.data["outcome"]) == (202, "dropped")
        other_words = await talk.post(second | {"text": "换了一句"})
        assert (other_words.data["outcome"], other_words.data["seq"]) == ("repeat", answers[0].data["seq"])
        several = await talk.post(
            [first, talk.words("customer", DEAR), talk.words("customer", "嗯", key="u3")]
        )
        assert [each["outcome"] for each in several.data] == ["repeat", "new", "repeat"]
        backwards = await talk.post(talk.words("customer", DEAR) | {"end_ms": 0})
        assert (backwards.status, backwards.data["field"]) == (422, "end_ms")
        log = await talk.answered("u1", "u2", "u3")
        assert after(log) == ["u2", "u1", "u3"]
        assert [event.text for event in of(log, ev.UtteranceFinal)] == [TELL, ASK, DEAR]
        lines = [line["utterance_id"] for line in (await talk.snapshot())["transcript"]]
        assert sorted(lines) == ["u1", "u2", "u3"]

        end = f"/api/calls/{talk.call_id}/end"
        assert [(await talk.machine.post(end)).data["outcome"] for _ in range(2)] == ["new", "repeat"]
        for late_words in (talk.words("customer", "喂"), talk.words("customer", "喂", final=False), first):
            refusal = await talk.post(late_words)
            assert (refusal.status, refusal.data["code"]) == (409, "call_ended")
        card = f"/api/suggestions/{card_up(log)['id']}/feedback"
        assert (await talk.machine.post(card, {"action": "used"})).status == 409
        assert len(of(await talk.ended(), ev.CallEnded)) == 1


async def test_scripts_calls_and_cards_that_nobody_knows(stage: Stage) -> None:
    async with nobody_else_notices(stage):
        machine = await stage.fronts[0].machine()
        unknown = await machine.post("/api/calls", {"script": "bundel", "agent_id": "li"})
        assert (unknown.status, unknown.data["field"]) == (422, "script")
        assert "bundle" in unknown.data["detail"]
        unserved = await machine.post("/api/calls", {"script": "retention", "agent_id": "li"})
        assert (unserved.status, unserved.data["code"]) == (503, "no_worker")
        words = {"utterance_id": "u1", "party": "customer", "text": "喂", "begin_ms": 0, "end_ms": 9}
        for path in ("utterances", "end", "after-call"):
            gone = await machine.post(f"/api/calls/nobody/{path}", words | {"final": True})
            assert gone.status in (403, 404), path
        assert (await machine.post("/api/suggestions/nobody.1/feedback", {"action": "used"})).status == 404
        talk = await Talk.begin(stage, "li")
        feedback = await talk.machine.post(f"/api/suggestions/{talk.call_id}.99/feedback", {"action": "used"})
        assert feedback.status == 202  # of a card that never was: kept, and changes nothing
        assert card_up(await talk.asked_and_told())["text"]


async def test_bodies_and_frames_that_are_too_large_or_no_json(stage: Stage) -> None:
    async with nobody_else_notices(stage):
        talk = await Talk.begin(stage, "li")
        path = f"/api/calls/{talk.call_id}/utterances"
        for raw, status in ((b"x" * 65_537, 413), (b"{", 400), (b"\xff\xfe", 400), (b"[" * 60_000, 422)):
            assert (await talk.machine.request("POST", path, raw=raw)).status == status
        for text, status in (("话" * 16_384, 202), ("话" * 16_385, 422)):
            raw = json.dumps(talk.words("customer", text), ensure_ascii=False).encode()
            assert (await talk.machine.request("POST", path, raw=raw)).status == status
        for number, text in enumerate(("👍😀🈶", "\u200b\u202e", "？！。", "\u0000", "a" * 16_000)):
            answer = await talk.post(talk.words("customer", text, key=f"odd{number}"))
            assert answer.status == 202, text
        li = await stage.fronts[0].login("li")
        loud, quiet = await li.call_feed(talk.call_id), await li.call_feed(talk.call_id)
        await loud.socket.send_str("x" * 65_537)
        # the close frame may be lost where the connection is reset under a peer that still sends
        assert await loud.closed() in (1009, 1006)
        await quiet.socket.send_str("x" * 65_535)
        log = await talk.asked_and_told()
        assert card_up(log)["text"]
        seqs = [(await quiet.next())["seq"]]
        while seqs[-1] < log[-1].seq:
            seqs.append((await quiet.next())["seq"])
        assert seqs == sorted(set(seqs))


async def test_a_client_that_never_reads_is_cut(stage: Stage) -> None:
    async with nobody_else_notices(stage):
        front = stage.fronts[0]
        talk = await Talk.begin(stage, "li")
        li = await front.login("li")
        ticket = await li.ticket(f"call:{talk.call_id}")
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        port = int(front.url.rpartition(":")[2])
        deaf.connect(("127.0.0.1", port))
        deaf.sendall(
            f"GET /api/calls/{talk.call_id}/feed?ticket={ticket} HTTP/1.1\r\nHost: x\r\n"
            f"Origin: {front.origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        reads = await li.call_feed(talk.call_id)
        async with asyncio.timeout(LIMIT_S):
            while holds_open(port, deaf.getsockname()[1]):
                told = await talk.says("agent", "说" * 10_000)
                while (await reads.next()).get("utterance_id") != told:
                    pass
        deaf.close()
        assert card_up(await talk.asked_and_told())["text"]


async def test_who_may_not_is_told_so(stage: Stage) -> None:
    front = stage.fronts[0]
    async with nobody_else_notices(stage) as neighbour:
        talk = await Talk.begin(stage, "li")
        feed = f"/api/calls/{talk.call_id}/feed"
        forged = Browser(front, talk.machine.http, token=f"{talk.machine.token}x")
        words = talk.words("customer", DEAR)
        assert (await talk.post(words, forged)).status == 401
        assert (await front.stranger().get(f"/api/calls/{talk.call_id}")).status == 401
        li, wang = await front.login("li"), await front.login("wang")
        for path in ("", "/customer"):
            assert (await wang.get(f"/api/calls/{talk.call_id}{path}")).status == 403
            assert (await li.get(f"/api/calls/{neighbour.call_id}{path}")).status == 403
        assert (await talk.post(words, wang)).status == 403
        assert (await wang.post(f"/api/calls/{talk.call_id}/end")).status == 403
        assert (
            await wang.post(f"/api/suggestions/{talk.call_id}.1/feedback", {"action": "used"})
        ).status == 403
        assert (await wang.post("/api/calls", {"script": "bundle", "agent_id": "li"})).status == 403
        taken = {"script": "bundle", "agent_id": "wang", "call_id": talk.call_id}
        assert (await talk.machine.post("/api/calls", taken)).status == 409
        wrong_origin = await li.request(
            "POST", "/api/feed-tickets", {"target": "agent:li"}, Origin="http://evil"
        )
        assert wrong_origin.status == 403
        ticket = await li.ticket(f"call:{talk.call_id}")
        await refused(front, f"{feed}?ticket={ticket}", 403, Origin="http://evil.example")
        await refused(front, f"{feed}?ticket=made-up", 401, Origin=front.origin)
        other = await li.ticket("agent:li")
        await refused(front, f"{feed}?ticket={other}", 401, Origin=front.origin)
        used = await li.ticket(f"call:{talk.call_id}")
        await (await li.http.ws_connect(f"{front.url}{feed}?ticket={used}", origin=front.origin)).close()
        await refused(front, f"{feed}?ticket={used}", 401, Origin=front.origin)
        log = await talk.asked_and_told()
        assert reactions(log) == [] and after(log) == ["u2", "u3"]


async def test_what_a_customer_says_is_text_whatever_it_looks_like(stage: Stage, log_in: LogIn) -> None:
    async with nobody_else_notices(stage):
        page = await log_in(stage.fronts[0], "li")
        talk = await Talk.begin(stage, "li")
        evil = "<img src=x onerror=alert(1)><script>window.evil=1</script>&amp;{{7*7}}"
        await talk.says("customer", evil, final=False, key="x1")
        await page.wait_for_selector("[data-id=x1].partial")
        await talk.answered(await talk.says("customer", evil, key="x1"))
        await talk.says("customer", "\u202e正\u200b常\u0007的\u2066")
        await page.wait_for_selector("[data-id=u1].final")
        first = "(id) => document.querySelector(`[data-id=${id}] p`).firstChild.textContent"
        assert await page.evaluate(first, "x1") == evil and await page.evaluate(first, "u1") == "正常的"
        found = "[window.evil, document.querySelectorAll('img, #lines script').length]"
        assert await page.evaluate(found) == [None, 0]
        card = card_up(await talk.asked_and_told())
        await page.wait_for_selector(f'.card:not(.leaving)[data-id="{card["id"]}"]')


NONSENSE: list[dict[str, Any]] = [
    {"monthly_bill": "abc", "data_used_gb": "很多", "age": "四十", "tenure_months": "x"},
    {"monthly_bill": -5, "data_used_gb": -1, "plan_data_gb": -10, "age": -3, "tenure_months": -1},
    {"monthly_bill": [1, 2], "plan": {"a": 1}, "family_numbers": ["1", "2"], "age": [], "name": ["张伟"]},
    {"monthly_bill": 1e308, "data_used_gb": 10**30, "tenure_months": True, "contract_end": "明年", "name": 7},
    {"monthly_bill": None, "name": "", "city": "x" * 5000, "timezone": "Mars/Base", "complaints": "<b>"},
]


async def test_a_file_of_nonsense_costs_its_own_call_no_advice(stage: Stage) -> None:
    async with nobody_else_notices(stage):
        for file in NONSENSE:
            talk = await Talk.begin(stage, "li", contact=CONTACT | file)
            await talk.asked_and_told()
            await talk.says("agent", "给您推荐融合套餐58档。")
            log = await talk.answered(await talk.says("customer", DEAR))
            assert card_up(log)["text"], file
            shot = await talk.snapshot()
            facts = {fact["name"]: fact["value"] for fact in shot["panel"]["facts"]}
            assert facts["monthly_bill"] is None, file  # not a figure: unknown
            await talk.machine.post(f"/api/calls/{talk.call_id}/end", {"at_ms": talk.at_ms})
            await talk.ended()
