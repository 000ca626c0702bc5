"""An assisted call from log-in to archive, as the agent and the supervisor see it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot import events as ev
from bot.bus import keys
from bot.store.after_call import find_form
from bot.store.calls import archived_events, is_archived
from tests.whole.conftest import LogIn
from tests.whole.stage import LIMIT_S, Stage
from tests.whole.talk import ASK, DEAR, PITCH, TELL, Talk, card_up, cards, of, reactions

pytestmark = pytest.mark.asyncio(loop_scope="session")
CARD = "#card-place .card:not(.leaving)"


async def shown(page: Any, card: dict[str, Any]) -> None:
    """Wait until the page shows this card."""
    await page.wait_for_selector(f'{CARD}[data-id="{card["id"]}"]')
    assert await page.text_content(f"{CARD} .say") == card["text"]


async def lines(page: Any) -> list[list[str]]:
    """Who said what, as the page shows it."""
    found = "[...document.querySelectorAll('#lines li.line')]"
    parts = "[line.dataset.id, line.querySelector('p').firstChild.textContent]"
    return list(await page.evaluate(f"{found}.map((line) => {parts})"))


async def archived(stage: Stage, call_id: str) -> list[ev.AnyEvent]:
    """What SQL keeps of the call, as soon as its log is closed."""
    async with asyncio.timeout(LIMIT_S):
        while not await stage.redis.hget(keys.log_state(call_id), "closed"):
            await asyncio.sleep(0.02)
    with stage.database.read() as connection:
        assert is_archived(connection, "default", call_id)
        return archived_events(connection, "default", call_id)


async def test_a_call_from_the_brief_to_the_archive(stage: Stage, log_in: LogIn) -> None:
    page = await log_in(stage.fronts[0], "li")
    await page.wait_for_selector("[data-phase=idle]")

    # before anybody has spoken: who it is, and the way in
    talk = await Talk.begin(stage, "li")
    await page.wait_for_selector("#brief dl")
    await page.wait_for_function("() => document.querySelector('#who').textContent.includes('张伟')")
    assert "畅享99" in await page.inner_text("#brief") and "128" in await page.inner_text("#brief")
    assert await page.locator("[data-product]").count() >= 2

    # words as they come; the card; facts with where they came from
    await talk.says("agent", ASK)
    await talk.says("customer", "电信的", final=False)
    await page.wait_for_selector("[data-id=u2].partial")
    log = await talk.answered(await talk.says("customer", TELL, key="u2"))
    card = card_up(log)
    await shown(page, card)
    await page.wait_for_selector("[data-id=u2].final .tag")
    assert len(card["text"]) <= 40 and card["evidence"]
    assert "电信" in await page.text_content("[data-fact=broadband_provider] .value")
    assert "80" in await page.text_content("[data-fact=broadband_price] .value")
    await page.focus("[data-fact=broadband_price]")
    assert TELL in await page.text_content("#evidence")
    await page.evaluate("document.activeElement.blur()")

    # one key for 用了, and the log knows
    await page.keyboard.press("1")
    await page.wait_for_selector(f"{CARD}.used")
    log = await stage.until(talk.call_id, lambda log: (card["id"], "used") in reactions(log))
    assert [action for name, action in reactions(log) if name == card["id"]] == ["shown", "used"]

    # the agent says the next card: it was spoken, and goes
    await talk.says("agent", "明白。")
    card = card_up(await talk.answered(await talk.says("customer", "家里一共四口人上网")))
    await shown(page, card)
    log = await talk.answered(await talk.says("agent", card["text"]))
    assert (card["id"], "spoken") in reactions(log)
    await page.wait_for_selector(f'{CARD}[data-id="{card["id"]}"]', state="detached")

    # an alarm at the word, before the sentence is over; once
    await talk.says("agent", "您放心,这个我保证", final=False, key="u6")
    await page.wait_for_selector("#alarms.on")
    assert "保证" in await page.text_content("#alarms") and await page.locator("[data-id=u6].partial").count()
    talk.count = 6
    log = await talk.answered(await talk.says("agent", "您放心,这个我保证网速。", key="u6"))
    assert [event.evidence for event in of(log, ev.Compliance)] == [["u6", "保证"]]

    # a reload brings the same screen back
    await talk.says("agent", PITCH)
    card = card_up(await talk.answered(await talk.says("customer", DEAR)))
    await shown(page, card)
    await page.wait_for_selector("[data-id=u8].final .tag")
    parts = ("#must-say", "#alarms", "#file", "#offers", "#folded")
    before = [await lines(page)] + [await page.inner_text(part) for part in parts]
    assert [line for line, _ in before[0]] == [f"u{number}" for number in range(1, 9)]
    await page.reload()
    await shown(page, card)
    await page.wait_for_selector("[data-id=u8].final .tag")
    assert [await lines(page)] + [await page.inner_text(part) for part in parts] == before

    # the end: the form is filled in, saved; all is in SQL
    ended = await talk.machine.post(f"/api/calls/{talk.call_id}/end", {"by": "customer", "at_ms": talk.at_ms})
    assert ended.status == 202
    await page.wait_for_selector("#after textarea")
    assert await page.input_value("#after-summary") != ""
    await page.select_option("#after-grade", "C")
    await page.press("#after-summary", "Control+Enter")
    await page.wait_for_selector("#after[data-state=saved]")
    kept = await archived(stage, talk.call_id)
    with stage.database.read() as connection:
        form = find_form(connection, "default", talk.call_id)
    assert form is not None and form["grade"] == "C" and form["summary"]
    [last] = of(kept, ev.CallEnded)
    assert last.by == "customer" and last.duration_ms >= talk.at_ms
    assert [event.utterance_id for event in of(kept, ev.UtteranceFinal)] == [f"u{n}" for n in range(1, 9)]
    assert "张伟" not in str(kept) and "13800138000" not in str(kept)
    names = [each["id"] for each in cards(kept)]
    assert names == [f"{talk.call_id}.{number}" for number in range(1, len(names) + 1)]
    shows = [name for name, action in reactions(kept) if action == "shown"]
    assert len(shows) == len(set(shows))


async def test_a_supervisor_sees_the_alarm_first_listens_in_and_whispers(stage: Stage, log_in: LogIn) -> None:
    chen, lin = await log_in(stage.fronts[0], "chen"), await log_in(stage.fronts[1], "lin")
    qian = await log_in(stage.fronts[1], "qian")
    calm = await Talk.begin(stage, "lin", contact={"id": "k-2", "name": "李娜", "city": "成都"})
    await calm.answered(await calm.says("customer", "我想先问问"))
    hot = await Talk.begin(stage, "chen")
    await hot.says("agent", "这个绝对没问题")
    await hot.answered(await hot.says("customer", DEAR))

    # each agent has their own call, the supervisor both, the one that burns first
    await chen.wait_for_selector("text=太贵了吧")
    await lin.wait_for_selector("text=我想先问问")
    assert "张伟" in await chen.text_content("#who") and "李娜" in await lin.text_content("#who")
    assert await lin.locator(f"text={DEAR}").count() == await chen.locator("text=我想先问问").count() == 0
    await qian.wait_for_selector(f'.row[data-call="{hot.call_id}"] >> text=绝对')
    order = "() => [...document.querySelectorAll('.row')].map((row) => row.dataset.call)"
    assert await qian.evaluate(order) == [hot.call_id, calm.call_id]
    stranger = await stage.fronts[0].login("lin")
    assert (await stranger.get(f"/api/calls/{hot.call_id}")).status == 403
    target = {"target": f"call:{hot.call_id}"}
    assert (await stranger.post("/api/feed-tickets", target)).status == 403
    assert [row["call_id"] for row in (await stranger.get("/api/calls")).data["calls"]] == [calm.call_id]

    # listening in: words as they are spoken; a whispered card arrives and its use is known
    await qian.click(f'.row[data-call="{hot.call_id}"]')
    await qian.wait_for_selector(f".ear >> text={DEAR}")
    await hot.says("customer", "我再", final=False)
    await qian.wait_for_selector(".ear [data-id=u3].partial")
    await qian.fill("#whisper", "先道歉,再问他现在一个月花多少。")
    await qian.press("#whisper", "Enter")
    await qian.wait_for_selector(".result[data-state=sent]")
    await chen.wait_for_selector(f"{CARD} .say >> text=先道歉,再问他现在一个月花多少。")
    whispered = card_up(await stage.until(hot.call_id, lambda log: cards(log)[-1]["title"] == "班长"))
    assert whispered["why"] == "qian"
    await chen.keyboard.press("1")
    await stage.until(hot.call_id, lambda log: (whispered["id"], "used") in reactions(log))
    assert await lin.locator("text=先道歉").count() == 0
    for talk in (hot, calm):
        await talk.machine.post(f"/api/calls/{talk.call_id}/end", {"at_ms": talk.at_ms})
    await qian.wait_for_selector(".row", state="detached")
