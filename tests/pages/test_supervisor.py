"""The supervisor's page: trouble first, listening in, whispering; on a telephone too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from commands import page_state
from tests.pages.conftest import OpenPage, until
from tests.pages.peer import Peer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def order(page: Any) -> list[str]:
    """The call ids from top to bottom."""
    ids: list[str] = await page.evaluate(
        "[...document.querySelectorAll('.row')].map((row) => row.dataset.call)"
    )
    return ids


async def live(peer: Peer) -> None:
    """Send the rows as they are now."""
    await peer.send({"kind": "live", "rows": peer.rows}, "/api/live")


async def test_forty_rows_stand_by_trouble_and_say_in_words_what_is_wrong(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/supervisor")
    await page.wait_for_selector(".row")
    assert await page.locator(".row").count() == 40
    levels = {row["call_id"]: row["trouble_level"] for row in peer.rows}
    shown = [levels[call_id] for call_id in await order(page)]
    assert shown == sorted(shown, reverse=True)
    assert (await order(page))[0] == page_state.CALL
    words = await page.inner_text(".row >> nth=0")
    assert "马上看" in words and "打包票" in words and "「保证」" in words and "价格异议" in words
    assert await page.text_content("h1") == "40 通进行中,4 通要看"
    assert "正常" in await page.inner_text(".row >> nth=39")


async def test_a_row_moves_up_when_it_burns_and_the_focus_stays_with_its_call(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/supervisor")
    await page.wait_for_selector(".row")
    calm = (await order(page))[20]
    await page.focus(f"[data-call='{calm}']")
    burning = (await order(page))[30]
    row = next(row for row in peer.rows if row["call_id"] == burning)
    row |= {"trouble_level": 3, "alarms": [{"rule": "pressing", "words": "必须办", "title": "逼单"}] * 2}
    await live(peer)
    await until(page, "(call) => document.querySelector('.row').dataset.call === call", burning)
    assert await page.evaluate("document.activeElement.dataset.call") == calm
    assert "必须办" in await page.text_content("#loud")
    peer.rows.remove(row)
    await live(peer)
    await until(page, "() => document.querySelectorAll('.row').length === 39")
    assert await page.evaluate("document.activeElement.dataset.call") == calm


async def test_listening_in_and_whispering_need_no_mouse(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/supervisor")
    await page.wait_for_selector(".row")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".ear .line")
    assert "旁听 张伟" in await page.text_content("#ear-title")
    assert page_state.cards()[0]["text"] in await page.text_content(".on-screen")
    await peer.says("customer", "s1", "我要投诉你们")
    await page.wait_for_selector(".ear [data-id=s1]")
    await page.keyboard.press("w")
    await page.keyboard.type("先道歉,再问哪天没修好。")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".result[data-state=sent]")
    assert peer.whispers == [(page_state.CALL, {"text": "先道歉,再问哪天没修好。"})]
    assert await page.input_value("#whisper") == ""
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await until(page, "(call) => document.activeElement.dataset.call === call", page_state.CALL)


async def test_a_whisper_has_at_most_forty_characters_and_says_when_it_failed(
    peer: Peer, open_page: OpenPage
) -> None:
    page = await open_page("/supervisor")
    await page.click(".row >> nth=0")
    await page.focus("#whisper")
    await page.keyboard.type("二" * 45)
    assert await page.input_value("#whisper") == "二" * 40
    peer.failing["whisper"] = 409
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".result[data-state=failed]")
    assert "已结束" in await page.text_content(".result")
    assert await page.input_value("#whisper") == "二" * 40


async def test_the_ear_resumes_by_sequence(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/supervisor")
    await page.click(".row >> nth=0")
    await page.wait_for_selector(".ear .line")
    await peer.says("customer", "e1", "第一句")
    await page.wait_for_selector(".ear [data-id=e1]")
    seen = peer.seq
    await peer.cut()
    await peer.says("customer", "e2", "第二句", begin=99_000)
    await page.wait_for_selector(".ear [data-id=e2]")
    assert any(path.startswith("/api/calls/") and path.endswith(f"after={seen}") for path in peer.handshakes)
    ids = await page.evaluate("[...document.querySelectorAll('.ear .line')].map((line) => line.dataset.id)")
    assert ids[-2:] == ["e1", "e2"] and len(ids) == len(set(ids))


async def test_at_390_wide_the_list_and_the_ear_each_fill_the_screen(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/supervisor", size=(390, 844))
    await page.wait_for_selector(".row")
    assert not await page.is_visible("#ear")
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.click(".row >> nth=0")
    await page.wait_for_selector(".ear .line")
    assert not await page.is_visible("#rows")
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    button = await page.locator(".whisper button").bounding_box()
    assert button["x"] + button["width"] <= 390 and button["y"] + button["height"] <= 844
    await page.click(".ear .close")
    assert await page.is_visible("#rows")


async def test_no_calls_and_no_permission_are_said_in_words(peer: Peer, open_page: OpenPage) -> None:
    peer.rows = []
    page = await open_page("/supervisor")
    await page.wait_for_selector(".none")
    assert "现在没有进行中的通话" in await page.inner_text("#rows")
    peer.failing["ticket"] = 403
    page = await open_page("/supervisor", language="en")
    await page.wait_for_selector("#strip[data-connection=refused]")
    assert "You may not see this page" in await page.inner_text("#rows")


async def test_a_row_that_its_worker_has_not_filled_yet_is_shown(peer: Peer, open_page: OpenPage) -> None:
    now = datetime.now(UTC).isoformat()
    peer.rows = [{"call_id": "new", "agent_id": "lina", "script": "bundle", "started": now}]
    page = await open_page("/supervisor")
    await page.wait_for_selector(".row")
    assert "lina" in await page.inner_text(".row") and "正常" in await page.inner_text(".row")
