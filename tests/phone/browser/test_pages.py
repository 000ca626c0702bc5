"""The pages in a real browser with a real (scripted) microphone: a call, its captions, its sound, its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.call.ports import DtmfIn, HungUpIn, MarkIn, WordsIn
from tests.pages.test_looks import FAINT
from tests.phone.browser.conftest import Line, OpenPage, Serve, Server
from tests.phone.browser.peer import share_at, tone

pytestmark = pytest.mark.asyncio(loop_scope="session")
SECOND = 8000 * 2
BUDGET = {
    "endpoint": 212.0,
    "recognise": 61.0,
    "understand": 9.0,
    "decide": 14.0,
    "voice": 38.0,
    "network": 22.0,
}

IN_SIGHT = """() => {
  const box = document.querySelector('#call').getBoundingClientRect();
  return box.top >= 0 && box.bottom <= innerHeight && document.documentElement.scrollWidth <= innerWidth;
}"""


async def called(server: Server, page: Any) -> Line:
    """Press the button; the line that came of it."""
    number = len(server.lines)
    await page.wait_for_selector("body[data-state=idle], body[data-state=ended]")
    await page.click("#call")
    line = await server.line(number)
    await page.wait_for_selector("body[data-state=up]")
    return line


async def eventually(page: Any, script: str) -> None:
    """Wait until a script is true, looked at with each picture (the page's policy lets no poller in)."""
    async with asyncio.timeout(10):
        while not await page.evaluate(script):
            await page.evaluate("() => new Promise(requestAnimationFrame)")


def rises(side: str) -> str:
    """Whether a meter shows sound."""
    return f"document.querySelector('#{side} meter-bar').style.getPropertyValue('--level') > 0.5"


async def test_the_microphone_is_heard_and_its_meter_moves(serve: Serve, open_page: OpenPage) -> None:
    server = await serve(ears="sphinx")
    page = await open_page(f"{server.base}/talk?script=survey")
    assert "sphinx" in await page.inner_text("#ears")
    line = await called(server, page)
    assert line.arrival.parameters["script"] == "survey"
    await line.until(lambda: len(line.sound) > 2 * SECOND)
    assert share_at(line.sound[-SECOND:], 1000) > 0.8
    await eventually(page, rises("mine"))
    assert not await page.evaluate(rises("theirs"))


async def test_the_bot_is_heard_marks_come_when_played_and_a_flush_silences(
    serve: Serve, open_page: OpenPage
) -> None:
    server = await serve(ears="sphinx")
    page = await open_page(f"{server.base}/talk")
    line = await called(server, page)
    for number in range(20):
        line.leg.send(tone(440, 8000, 20, start=number * 160))
    line.leg.mark("first")
    await eventually(page, rises("theirs"))
    await page.wait_for_selector("#theirs.speaks")
    await line.until(lambda: MarkIn("first") in line.heard)
    for number in range(150):
        line.leg.send(tone(440, 8000, 20, start=number * 160))
    line.leg.mark("never")
    await eventually(page, rises("theirs"))
    before = len(line.sound)
    line.leg.flush()
    await eventually(page, "!document.querySelector('#theirs').classList.contains('speaks')")
    assert len(line.sound) - before < 2 * SECOND, "three seconds waited; silence must not take them"
    line.leg.mark("after")
    await line.until(lambda: MarkIn("after") in line.heard)
    assert MarkIn("never") not in line.heard


async def test_the_bots_line_is_shown_as_it_is_really_heard(serve: Serve, open_page: OpenPage) -> None:
    server = await serve()
    page = await open_page(f"{server.base}/talk")
    show = (await called(server, page)).leg.show
    show({"kind": "reply", "turn": 1, "text": "您彩铃一年能省20块,说一下好吗?", "audio_ms": 0, "ms": BUDGET})
    unheard = "li.bot .unheard"
    assert await page.inner_text(unheard) == "您彩铃一年能省20块,说一下好吗?"
    show(
        {"kind": "playback", "turn": 1, "heard_text": "您彩铃一年", "heard_ms": 700, "outcome": "interrupted"}
    )
    await page.wait_for_selector("li.bot.cut")
    assert await page.inner_text(unheard) == "能省20块,说一下好吗?"
    struck = f"getComputedStyle(document.querySelector('{unheard}')).textDecorationLine"
    assert await page.evaluate(struck) == "line-through"
    show({"kind": "reply", "turn": 2, "text": "好的。再见。", "audio_ms": 0, "ms": {}})
    show({"kind": "playback", "turn": 2, "heard_text": "好的。", "heard_ms": 500, "outcome": "finished"})
    show({"kind": "playback", "turn": 2, "heard_text": "再见。", "heard_ms": 500, "outcome": "finished"})
    await eventually(page, "document.querySelectorAll('li.bot .unheard').length === 1")


async def test_a_line_turns_from_grey_to_heard_while_its_sound_plays(
    serve: Serve, open_page: OpenPage
) -> None:
    server = await serve()
    page = await open_page(f"{server.base}/talk")
    leg = (await called(server, page)).leg
    leg.show({"kind": "reply", "turn": 1, "text": "十个字的一句话在这里", "audio_ms": 600, "ms": {}})
    for number in range(30):
        leg.send(tone(440, 8000, 20, start=number * 160))
    await eventually(page, "document.querySelector('li.bot .unheard') === null")


async def test_the_callers_words_are_grey_until_they_are_final(serve: Serve, open_page: OpenPage) -> None:
    server = await serve()
    page = await open_page(f"{server.base}/talk")
    show = (await called(server, page)).leg.show
    said = {"party": "customer", "utterance_id": "c1"}
    show({"kind": "utterance.partial", "text": "多少", **said})
    await page.wait_for_selector("li.customer.partial")
    show({"kind": "utterance.final", "text": "多少钱", **said})
    await page.wait_for_selector("li.customer:not(.partial)")
    assert await page.inner_text("li.customer") == "多少钱"
    show({"kind": "speech.started", "party": "customer"})
    await page.wait_for_selector("#mine.speaks")
    show({"kind": "speech.ended", "party": "customer"})
    await page.wait_for_selector("#mine:not(.speaks)")


async def test_where_the_milliseconds_went_is_a_bar_of_their_shares(
    serve: Serve, open_page: OpenPage
) -> None:
    server = await serve()
    page = await open_page(f"{server.base}/talk", language="en")
    show = (await called(server, page)).leg.show
    show({"kind": "reply", "turn": 1, "text": "您好", "ms": {"decide": 80.0, "voice": 40.0}})
    await page.wait_for_selector("#budget:not([hidden])")
    assert await page.inner_text("#budget h2") == "It spoke 120 ms after the answer"
    show({"kind": "utterance.final", "party": "customer", "utterance_id": "c1", "text": "行"})
    show({"kind": "reply", "turn": 2, "text": "好的", "ms": BUDGET})
    await page.wait_for_selector("li.bot >> nth=1")
    assert await page.inner_text("#budget h2") == "It spoke 356 ms after you"
    assert await page.locator("#budget dd").all_inner_texts() == ["212", "61", "9", "14", "38", "22"]
    widths = await page.locator("#budget .part").evaluate_all(
        "parts => parts.map(p => p.getBoundingClientRect().width)"
    )
    for part, width in zip(BUDGET.values(), widths, strict=True):
        assert width / sum(widths) == pytest.approx(part / 356, abs=0.01)


async def test_what_is_said_is_shown_as_text_never_as_markup(serve: Serve, open_page: OpenPage) -> None:
    server = await serve()
    page = await open_page(f"{server.base}/talk")
    text = "<img src=x onerror=alert(1)>\u202e你好"
    said = {"kind": "utterance.final", "party": "customer", "utterance_id": "c1", "text": text}
    (await called(server, page)).leg.show(said)
    assert await page.inner_text("li.customer .words") == text.replace("\u202e", "")
    assert await page.locator("img").count() == 0


async def test_typed_lines_and_keys_reach_the_bot(serve: Serve, open_page: OpenPage) -> None:
    server = await serve()
    page = await open_page(f"{server.base}/talk")
    assert "没有识别器" in await page.inner_text("#ears")
    await page.fill("[name='contact.name']", "李娜")
    await page.select_option("[name='contact.sex']", "女")
    line = await called(server, page)
    assert line.arrival.parameters["contact"] == '{"name":"李娜","sex":"女","id_last4":"0527"}'
    await page.keyboard.type("不需要")  # the cursor is there already
    await page.keyboard.press("Enter")
    await page.click("#keys summary")
    await page.click("#keys button:has-text('#')")
    await line.until(lambda: len(line.rest) == 2)
    assert line.rest == [WordsIn("不需要", True, "typed-1", 1.0, typed=True), DtmfIn("#")]


async def test_the_caller_hangs_up_sees_the_outcome_and_calls_again(
    serve: Serve, open_page: OpenPage
) -> None:
    server = await serve(ears="sphinx")
    page = await open_page(f"{server.base}/talk")
    line = await called(server, page)
    await page.click("#call")
    assert await line.until_hung_up() == HungUpIn("customer")
    line.leg.show({"kind": "call.ended", "disposition": "hung_up", "grade": "C"})
    await page.wait_for_selector(".outcome")
    assert await page.inner_text(".outcome") == "结果：中途挂断 · C"
    again = await called(server, page)
    await again.until(lambda: len(again.sound) > 0)
    assert await page.locator(".note").count() == 0


async def test_without_a_microphone_the_page_says_so_and_listens_to_typing(
    serve: Serve, open_page: OpenPage
) -> None:
    server = await serve(ears="sphinx")
    page = await open_page(f"{server.base}/talk", microphone=False)
    line = await called(server, page)
    assert line.leg.capabilities.words
    assert "没有麦克风" in await page.inner_text("#ears")
    assert "https" in await page.inner_text("#fault")


async def test_why_no_call_came_about_stands_on_the_page(serve: Serve, open_page: OpenPage) -> None:
    server = await serve()
    server.refusal = "above the load limit"
    page = await open_page(f"{server.base}/talk", language="en")
    await page.wait_for_selector("body[data-state=idle]")
    await page.click("#call")
    await page.wait_for_selector("#fault:has-text('above the load limit')")
    assert await page.get_attribute("body", "data-state") == "idle"
    assert server.lines == []


async def test_a_switch_of_the_language_loses_nothing_and_a_lost_line_is_told(
    serve: Serve, open_page: OpenPage
) -> None:
    server = await serve()
    page = await open_page(f"{server.base}/talk")
    line = await called(server, page)
    await page.click("#language")  # the language changes in mid-call and loses nothing
    assert await page.inner_text("#state") == "In the call"
    await line.leg.hang_up("line_lost")
    await page.wait_for_selector("body[data-state=ended]")
    assert "The line was lost" in await page.inner_text("#captions")


async def test_over_webrtc_the_same_call_sounds_both_ways(serve: Serve, open_page: OpenPage) -> None:
    pytest.importorskip("aiortc")
    server = await serve(ears="sphinx")
    page = await open_page(f"{server.base}/talk")
    await page.select_option("[name=via]", "webrtc")
    line = await called(server, page)
    await line.until(lambda: len(line.sound) > 2 * SECOND)
    assert share_at(line.sound[-SECOND:], 1000) > 0.5  # through the browser's own noise suppression
    for number in range(50):
        line.leg.send(tone(440, 8000, 20, start=number * 160))
    await page.wait_for_selector("#theirs.speaks")
    line.leg.show({"kind": "utterance.final", "party": "customer", "utterance_id": "1", "text": "听见了"})
    await page.wait_for_selector("li.customer")
    await page.click("#call")
    assert await line.until_hung_up() == HungUpIn("customer")
    await page.wait_for_selector("body[data-state=ended]")


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_nothing_is_wider_than_the_screen_and_the_button_is_in_sight(
    serve: Serve, open_page: OpenPage, size: tuple[int, int], language: str
) -> None:
    server = await serve(ears="sphinx")
    page = await open_page(f"{server.base}/talk", size=size, language=language)
    await page.wait_for_selector("body[data-state=idle]")
    assert await page.evaluate(IN_SIGHT)
    line = await called(server, page)
    line.leg.show({"kind": "reply", "turn": 1, "text": "没有空格的长句子" * 20 + "x" * 300, "ms": BUDGET})
    await page.wait_for_selector("li.bot")
    assert await page.evaluate(IN_SIGHT)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_words_stand_out_from_what_lies_behind_them(
    serve: Serve, open_page: OpenPage, scheme: str
) -> None:
    server = await serve(ears="sphinx")
    page = await open_page(f"{server.base}/talk", scheme=scheme)
    await page.wait_for_selector("body[data-state=idle]")
    assert (await page.evaluate(FAINT))["faint"] == []
    show = (await called(server, page)).leg.show
    show({"kind": "utterance.partial", "party": "customer", "utterance_id": "1", "text": "多少"})
    show({"kind": "reply", "turn": 1, "text": "三十块", "audio_ms": 0, "ms": BUDGET})
    show({"kind": "playback", "turn": 1, "heard_text": "三", "heard_ms": 100, "outcome": "interrupted"})
    await page.wait_for_selector("li.bot.cut")
    found = await page.evaluate(FAINT)
    assert found["faint"] == [] and found["counted"] > 15
