"""A bot's call goes to a person: what was said, meant and known is there at once, and advice goes on."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from bot import events as ev
from tests.whole.conftest import LogIn
from tests.whole.stage import Stage
from tests.whole.talk import CONTACT, DEAR, TELL, Talk, card_up

pytestmark = pytest.mark.asyncio(loop_scope="session")
ACTS = [{"name": "inform", "confidence": 0.93}]
HEARD = "您家里装的是哪家的宽带"
WALL = "2026-11-22T10:00:{:02d}.000+08:00"


async def bots_call(stage: Stage) -> str:
    """The log of a bot's call that ends with a handover, as a bot writes it; its id."""
    call_id = f"bot-{secrets.token_hex(4)}"

    def made(kind: type[ev.Event], at_ms: int, **fields: Any) -> ev.Event:
        return kind(call_id=call_id, at_ms=at_ms, wall=WALL.format(at_ms // 1000), **fields)

    said = {"party": "customer", "begin_ms": 4000, "end_ms": 6000}
    writer = await stage.log.take(call_id, "voice")
    for event in (
        made(ev.CallStarted, 0, direction="outbound", mode="bot", script="ringback", script_version="v1"),
        made(ev.Playback, 3500, node="utter_ask", heard_text=HEARD, heard_ms=3000, outcome="finished"),
        made(ev.UtteranceFinal, 6000, utterance_id="u1", text=TELL, **said),
        made(ev.MeaningEvent, 6000, utterance_id="u1", acts=ACTS, sentiment="neutral"),
        made(ev.SlotEvent, 6100, name="name_confirmed", value=True),
        made(ev.Handover, 9000, to="agent", reason="customer_asked"),
    ):
        await stage.log.append(writer, ev.encode(event))
    return call_id


async def test_all_that_was_said_and_known_is_there_at_once_and_advice_goes_on(
    stage: Stage, log_in: LogIn
) -> None:
    page = await log_in(stage.fronts[0], "wang")
    talk = await Talk.begin(stage, "wang", from_call=await bots_call(stage), contact=CONTACT)
    await page.wait_for_selector("#lines .line >> text=电信的")
    assert await page.locator("#lines .line").count() == 2
    await page.wait_for_selector("#lines .line .tag")
    assert "电信" in await page.text_content("[data-fact=broadband_provider] .value")
    assert "80" in await page.text_content("[data-fact=broadband_price] .value")
    await talk.says("agent", "您好,我是客户经理。")
    card = card_up(await talk.answered(await talk.says("customer", DEAR)))
    await page.wait_for_selector(f'.card:not(.leaving)[data-id="{card["id"]}"]')
    assert card["asks"] not in ("broadband_provider", "broadband_price")
    shot = await talk.snapshot()
    assert [line["text"] for line in shot["transcript"]][:2] == [HEARD, TELL]
    assert shot["transcript"][1]["acts"] == ACTS
    ids = "[...document.querySelectorAll('#lines .line')].map((line) => line.dataset.id)"
    before = await page.evaluate(ids)
    assert len(before) == 4
    await page.reload()
    await page.wait_for_selector(f'.card:not(.leaving)[data-id="{card["id"]}"]')
    assert await page.evaluate(ids) == before
    await talk.machine.post(f"/api/calls/{talk.call_id}/end", {"at_ms": talk.at_ms})
    await talk.ended()


async def test_what_is_no_bots_call_is_refused(stage: Stage) -> None:
    machine = await stage.fronts[0].machine()
    body = {"script": "bundle", "agent_id": "wang", "from_call": "nobody"}
    assert (await machine.post("/api/calls", body)).status == 404
    assisted = await Talk.begin(stage, "wang")
    refusal = await machine.post("/api/calls", body | {"from_call": assisted.call_id})
    assert (refusal.status, refusal.data["field"]) == (422, "from_call")
