"""The agent's page: what must hold while a call runs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from commands import page_state
from tests.pages.conftest import OpenPage, until
from tests.pages.peer import Peer

pytestmark = pytest.mark.asyncio(loop_scope="session")

CARD = "#card-place .card:not(.leaving)"
SAY = f"{CARD} .say"


def card(number: int, text: str, kind: str = "question", **more: Any) -> dict[str, Any]:
    return page_state.card(number, kind, text, "标题", "原因") | more


async def card_text(page: Any, text: str) -> None:
    """Wait for the card to read so."""
    await until(page, "([at, text]) => document.querySelector(at)?.textContent === text", [SAY, text])


async def sent(page: Any, peer: Peer, action: str, card_id: str) -> None:
    """Wait for a piece of feedback to have reached the server."""
    async with asyncio.timeout(10):
        while (card_id, action) not in [(key, body["action"]) for key, body in peer.feedback]:
            await page.evaluate("() => new Promise(requestAnimationFrame)")


async def test_a_card_is_in_the_page_in_the_task_in_which_its_message_arrives(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/agent")
    await page.wait_for_selector(CARD)
    await page.evaluate(
        """() => { window.addEventListener('huashu:card', (event) => {
             const shown = document.querySelector('#card-place .card:not(.leaving)');
             window.__seen = [event.detail.id, shown.dataset.id, shown.querySelector('.say').textContent];
        }); }"""
    )
    await peer.advise(card(20, "您家几口人上网?"))
    await card_text(page, "您家几口人上网?")
    assert await page.evaluate("window.__seen") == [f"{page_state.CALL}.20"] * 2 + ["您家几口人上网?"]
    assert await page.evaluate(f"window.__cards['{page_state.CALL}.20'] > performance.timeOrigin")
    await sent(page, peer, "shown", f"{page_state.CALL}.20")


async def test_shown_is_said_once_and_only_when_it_could_be_seen(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/agent")
    await sent(page, peer, "shown", f"{page_state.CALL}.7")
    see = """(state) => {
        Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
        document.dispatchEvent(new Event('visibilitychange')); }"""
    await page.evaluate(see, "hidden")
    await peer.advise(card(20, "没人看见的话"))
    await card_text(page, "没人看见的话")
    await peer.advise(card(21, "回来时看见的话"), (page_state.cards()[0],))
    await card_text(page, "回来时看见的话")
    await page.evaluate(see, "visible")
    await sent(page, peer, "shown", f"{page_state.CALL}.21")
    await page.keyboard.press("3")
    await card_text(page, page_state.cards()[0]["text"])
    await page.keyboard.press("1")
    await sent(page, peer, "used", f"{page_state.CALL}.7")
    said = [(key.rpartition(".")[2], body["action"]) for key, body in peer.feedback]
    assert said == [("7", "shown"), ("21", "shown"), ("7", "used")]


async def test_the_keys_mark_used_and_not_right_and_bring_another(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/agent")
    await page.wait_for_selector(CARD)
    await peer.advise(card(20, "第一句"), (card(21, "第二句"), card(22, "第三句")))
    await card_text(page, "第一句")
    await page.keyboard.press("3")
    await card_text(page, "第二句")
    await sent(page, peer, "shown", f"{page_state.CALL}.21")
    await page.keyboard.press("1")
    await page.wait_for_selector(f"{CARD}.used")
    await sent(page, peer, "used", f"{page_state.CALL}.21")
    await page.keyboard.press("2")
    await card_text(page, "第一句")
    await sent(page, peer, "dismissed", f"{page_state.CALL}.21")
    await page.keyboard.press("2")
    await page.wait_for_selector(".card-none")
    actions = [(key[-2:], body["action"]) for key, body in peer.feedback if body["action"] != "shown"]
    assert actions == [("21", "used"), ("21", "dismissed"), ("20", "dismissed")]


async def test_a_used_card_can_still_be_read_when_the_server_takes_it_down(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/agent")
    await peer.advise(card(20, "第一句"))
    await card_text(page, "第一句")
    await page.keyboard.press("1")
    await peer.panel(card=None)
    await page.wait_for_selector(f"{CARD}.used")
    await peer.event("feedback", suggestion_id=f"{page_state.CALL}.20", action="spoken", text=None)
    await page.wait_for_selector(".card-none")


async def test_a_pinned_card_stays_until_it_is_unpinned(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/agent")
    await peer.advise(card(20, "留着这句"))
    await card_text(page, "留着这句")
    await page.keyboard.press("Space")
    await page.wait_for_selector(f"{CARD}.pinned")
    await peer.advise(card(21, "新的一句"))
    await page.wait_for_selector(f"{CARD} .waiting")
    assert await page.text_content(SAY) == "留着这句"
    assert "+1" in await page.text_content(f"{CARD} .waiting")
    await page.keyboard.press("Space")
    await card_text(page, "新的一句")


async def test_a_card_goes_when_its_time_is_over_but_not_while_it_is_read(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/agent", clock=True)
    await page.wait_for_selector(CARD)
    await peer.advise(card(20, "读到一半的话", ttl_ms=8_000))
    await card_text(page, "读到一半的话")
    await page.clock.fast_forward(7_000)
    await peer.says("agent", "a9", "读到一半", final=False)
    await page.wait_for_selector(".line.partial")
    await page.clock.fast_forward(3_000)
    assert await page.text_content(SAY) == "读到一半的话"
    await peer.says("agent", "a9", "读到一半的话")
    await page.wait_for_selector("[data-id=a9].final")
    await page.clock.fast_forward(1_000)
    await page.wait_for_selector(".card-none")


async def test_the_place_of_the_card_never_moves(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/agent", motion="no-preference")
    await page.wait_for_selector(CARD)
    place = await page.locator("#card-place").bounding_box()
    boxes = [await page.locator(CARD).bounding_box()]
    long = "话费加宽带您现在是两百一十八块,合成一张每月一百二十八块,每月少九十块"
    for number, text in enumerate(("短", long, "中等长度的一句话,您看行吗?"), start=20):
        await peer.advise(card(number, text, "compliance" if number == 21 else "question"))
        await card_text(page, text)
        boxes.append(await page.locator(CARD).bounding_box())
    await peer.panel(alarms=[], checklist=[], offers=[], facts=[], objection=None)
    await page.wait_for_selector(".alarms:not(.on)")
    boxes.append(await page.locator(CARD).bounding_box())
    await peer.cut()
    peer.failing["ticket"] = 503
    await page.wait_for_selector("#strip[data-connection=lost]")
    boxes.append(await page.locator(CARD).bounding_box())
    assert boxes == [place] * len(boxes)


async def test_what_people_say_is_text_whatever_it_looks_like(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/agent")
    await page.wait_for_selector(CARD)
    evil = "<img src=x onerror=alert(1)><script>window.evil=1</script>&amp; {{7*7}}"
    await peer.says("customer", "x1", evil)
    await peer.advise(card(20, evil[:38], why=evil, title=evil))
    await page.wait_for_selector("[data-id=x1]")
    assert await page.text_content("[data-id=x1] p") == evil
    await card_text(page, evil[:38])
    assert await page.evaluate("[window.evil, document.querySelectorAll('img, #lines script').length]") == [
        None,
        0,
    ]
    await peer.says("customer", "x2", "正\u202e常\u0007的")
    await page.wait_for_selector("[data-id=x2]")
    assert await page.text_content("[data-id=x2] p") == "正常的"


async def test_partial_words_are_marked_as_unsure_and_become_final_in_place(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/agent")
    await page.wait_for_selector(CARD)
    await peer.says("customer", "p1", "我觉", final=False)
    await peer.says("agent", "p2", "嗯", begin=95_000)
    await peer.says("customer", "p1", "我觉得还", final=False)
    await page.wait_for_selector("[data-id=p1].partial")
    await peer.says("customer", "p1", "我觉得还行")
    await peer.event(
        "meaning", utterance_id="p1", acts=[{"name": "accept_offer", "confidence": 0.9}], entities=[]
    )
    await page.wait_for_selector("[data-id=p1].final .tag")
    order = await page.evaluate(
        "[...document.querySelectorAll('#lines li')].slice(-2).map((li) => li.dataset.id)"
    )
    assert order == ["p1", "p2"]
    assert await page.text_content("[data-id=p1] .tag") == "同意办理"


async def test_a_lost_connection_shows_the_bar_keeps_the_screen_and_resumes_without_loss_or_repeat(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/agent")
    await page.wait_for_selector("#strip[data-connection=open]")
    await peer.says("customer", "r1", "断线之前")
    await page.wait_for_selector("[data-id=r1]")
    seen = peer.seq
    peer.failing["ticket"] = 503
    await peer.cut()
    await page.wait_for_selector("#strip[data-connection=lost]")
    assert "连接断开" in await page.text_content("#strip .connection")
    assert await page.locator("[data-id=r1]").count() == 1
    for number in range(5):
        await peer.says("customer", f"r2-{number}", f"断线期间第{number}句", begin=100_000 + number)
    await peer.advise(card(30, "断线期间的建议"))
    del peer.failing["ticket"]
    await card_text(page, "断线期间的建议")
    await page.wait_for_selector("#strip[data-connection=open]")
    assert peer.handshakes[-1].endswith(f"after={page_state.CALL}%3A{seen}")
    lines = await page.evaluate("[...document.querySelectorAll('#lines li')].map((li) => li.dataset.id)")
    assert lines[-6:] == ["r1", *(f"r2-{number}" for number in range(5))]
    assert len(lines) == len(set(lines))


async def test_feedback_that_could_not_be_sent_goes_out_after_the_connection_is_back(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/agent")
    await sent(page, peer, "shown", f"{page_state.CALL}.7")
    peer.failing |= {"ticket": 503, "feedback": 503}
    await peer.cut()
    await page.wait_for_selector("#strip[data-connection=lost]")
    await page.keyboard.press("1")
    await page.wait_for_selector("#notice:not(:empty)")
    peer.failing.clear()
    await sent(page, peer, "used", f"{page_state.CALL}.7")
    assert [body["action"] for _, body in peer.feedback] == ["shown", "used"]


async def test_a_reload_brings_the_same_screen_back(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/agent")
    await peer.says("customer", "z1", "那装机要多久")
    await peer.advise(card(40, "一般三天内上门装好。"))
    await card_text(page, "一般三天内上门装好。")
    parts = ("#lines", ".card .say", "#must-say", "#alarms", "#file", "#offers")
    before = [await page.inner_text(part) for part in parts]
    await page.reload()
    await card_text(page, "一般三天内上门装好。")
    await page.wait_for_selector("[data-id=z1]")
    assert [await page.inner_text(part) for part in parts] == before


async def test_the_next_call_takes_the_place_of_the_one_before(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/agent")
    await card_text(page, page_state.cards()[0]["text"])
    snapshot = page_state.before_snapshot(datetime.now(UTC))
    snapshot["call"] |= {"call_id": "next-call"}
    peer.begin(snapshot)
    await peer.send(snapshot)
    await until(page, "() => document.documentElement.dataset.call === 'next-call'")
    assert await page.locator("#lines li.line").count() == 0
    await page.wait_for_selector("#brief dl")
    assert "先问家里怎么上网" in await page.inner_text("#brief")


async def test_no_call_and_ended_and_error_are_pages_too(peer: Peer, open_page: OpenPage) -> None:
    peer.snapshot = None
    page = await open_page("/agent")
    await page.wait_for_selector("[data-phase=idle]")
    assert "现在没有通话" in await page.inner_text("#empty")
    peer.begin(page_state.ended_snapshot(datetime.now(UTC)))
    assert peer.snapshot is not None
    await peer.send(peer.snapshot)
    await page.wait_for_selector("#after textarea")
    await peer.cut(4401)
    await page.wait_for_url("**/login")


async def test_knowledge_is_searched_and_put_on_the_card_without_a_mouse(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/agent")
    await page.wait_for_selector(CARD)
    await page.keyboard.press("/")
    await page.keyboard.type("端口")
    await page.wait_for_selector("#search li[aria-selected=true]")
    await page.keyboard.press("Enter")
    await card_text(page, page_state.KNOWLEDGE[1]["text"])
    assert not await page.is_visible("#search")
    await page.keyboard.press("2")
    await card_text(page, page_state.cards()[0]["text"])
    await page.keyboard.press("/")
    await page.keyboard.type("123 ")
    assert await page.input_value("#search input") == "123 "
    await page.keyboard.press("Escape")
    assert not await page.is_visible("#search")
    assert await page.is_visible("#lines")
    assert {body["action"] for _, body in peer.feedback} == {"shown"}


async def test_an_expert_sees_the_card_alone_and_an_answer_only_when_asked(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/agent", density="expert")
    await peer.advise(card(20, "直接说的话"), (card(21, "另一句"),))
    await card_text(page, "直接说的话")
    assert await page.text_content(f"{CARD} .why") == ""
    assert await page.locator(".fold").count() == 0
    await peer.advise(card(22, "退订随时打客服热线。", "answer"))
    await page.wait_for_selector(".card-none")
    assert "按 3" in await page.text_content(".card-none")
    assert f"{page_state.CALL}.22" not in [key for key, _ in peer.feedback]
    await page.keyboard.press("3")
    await card_text(page, "退订随时打客服热线。")
    await sent(page, peer, "shown", f"{page_state.CALL}.22")
    await page.click("[data-density=novice]")
    await page.reload()
    await page.wait_for_selector(f"{CARD} .why:not(:empty)")


async def test_a_fact_tells_where_it_came_from_on_hover_and_on_focus(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/agent")
    await page.wait_for_selector("[data-fact]")
    await page.hover("[data-fact=broadband_price]")
    assert "0:49 说的:别家的,一个月九十吧" in await page.text_content("#evidence")
    await page.focus("[data-fact=monthly_bill]")
    assert "来自客户档案" in await page.text_content("#evidence")
    await page.focus("[data-fact=family_numbers]")
    assert "与原来的 2 个 不一致" in await page.text_content("#evidence")
    assert await page.text_content("[data-fact=home_users].next .value") == " ?"
    await peer.panel(facts=page_state.facts())
    await until(page, "() => document.activeElement.dataset.fact === 'family_numbers'")


async def test_must_says_and_alarms_stand_in_words_and_signs(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/agent")
    await page.wait_for_selector("#must-say li.done")
    assert (await page.text_content("[data-key=identity]")).split() == ["✓", "报明身份", "已说"]
    assert (await page.text_content("[data-key=price]")).split() == ["!", "价格(最低消费)", "该说了"]
    assert "刚才说了「保证」" in await page.text_content("#alarms")
    assert await page.get_attribute("#alarms", "role") == "alert"
    assert await page.text_content("[data-id=u9] mark") == "保证"
    loud = "[...document.querySelectorAll('[aria-live], [role=alert]')].map((element) => element.id)"
    assert await page.evaluate(loud) == ["alarms"]
