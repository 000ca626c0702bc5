"""The form after a call: filled in, corrected, saved, never lost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from commands import page_state
from tests.pages.conftest import OpenPage, until
from tests.pages.peer import Peer

pytestmark = pytest.mark.asyncio(loop_scope="session")


def end(peer: Peer) -> None:
    """The call is over."""
    peer.begin(page_state.ended_snapshot(datetime.now(UTC)))


async def test_the_form_is_filled_in_and_saved_with_what_was_corrected(
    peer: Peer, open_page: OpenPage
) -> None:
    end(peer)
    page = await open_page("/agent")
    await page.wait_for_selector("#after textarea")
    assert "融合套餐58档" in await page.input_value("#after-summary")
    assert await page.input_value("#after-disposition") == "callback"
    assert await page.inner_text("#after-disposition option:checked") == "约回访"
    assert "怎么退" in await page.inner_text("#after .missing")
    await page.fill("#after-summary", "第一行\n\n 第二行 ")
    await page.select_option("#after-grade", "A")
    await page.fill("#after-at", "2026-11-25T09:30")
    await page.press("#after-summary", "Control+Enter")
    await page.wait_for_selector("#after[data-state=saved]")
    [form] = peer.forms
    assert form == {
        "call_id": page_state.CALL,
        "summary": ["第一行", "第二行"],
        "disposition": "callback",
        "grade": "A",
        "reasons": ["问了价格", "约了回访"],
        "follow_up": {"at": "2026-11-25T09:30:00+08:00", "about": "融合套餐58档:和爱人商量的结果"},
    }


async def test_a_form_that_could_not_be_saved_keeps_its_words_and_can_be_saved_again(
    peer: Peer, open_page: OpenPage
) -> None:
    end(peer)
    page = await open_page("/agent")
    await page.fill("#after-summary", "客户要先问爱人")
    peer.failing["form"] = 503
    await page.click("#after button[type=submit]")
    await page.wait_for_selector("#after[data-state=failed]")
    await page.click("#language")
    await page.wait_for_selector("text=After the call")
    assert await page.input_value("#after-summary") == "客户要先问爱人"
    peer.failing.clear()
    await page.click("#after button[type=submit]")
    await page.wait_for_selector("#after[data-state=saved]")
    assert [form["summary"] for form in peer.forms] == [["客户要先问爱人"]]


async def test_the_next_call_saves_an_unsaved_form_as_it_stands(peer: Peer, open_page: OpenPage) -> None:
    end(peer)
    page = await open_page("/agent")
    await page.fill("#after-summary", "写到一半")
    snapshot = page_state.before_snapshot(datetime.now(UTC))
    snapshot["call"] |= {"call_id": "next-call"}
    peer.begin(snapshot)
    await peer.send(snapshot)
    await until(page, "() => document.querySelector('#notice').textContent.includes('已按屏幕内容保存')")
    assert [(form["call_id"], form["summary"]) for form in peer.forms] == [(page_state.CALL, ["写到一半"])]
    assert not await page.is_visible("#after")


async def test_a_live_call_that_ends_turns_into_its_form_and_takes_no_more_keys(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/agent")
    await page.wait_for_selector(".card")
    form = page_state.ended_snapshot(datetime.now(UTC))["panel"]["after_call"]
    await peer.event("call.ended", by="customer", cause="hangup", disposition="callback", duration_ms=312_000)
    await page.wait_for_selector("#after h2")
    assert await page.text_content("#timer") == "5:12"
    await peer.panel(after_call=form)
    await page.wait_for_selector("#after textarea")
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("1")
    await page.keyboard.press("/")
    assert not await page.is_visible("#search")
    assert "used" not in [body["action"] for _, body in peer.feedback]


async def test_without_advice_from_the_server_the_form_can_be_filled_by_hand(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/agent", clock=True)
    await page.wait_for_selector(".card")
    await peer.event("call.ended", by="agent", cause="hangup", disposition="hung_up", duration_ms=60_000)
    await page.wait_for_selector("#after h2")
    assert await page.locator("#after textarea").count() == 0
    await page.clock.fast_forward(7_000)
    await page.fill("#after-summary", "手工填写")
    await page.click("#after button[type=submit]")
    await page.wait_for_selector("#after[data-state=saved]")
    assert peer.forms[0]["summary"] == ["手工填写"]
