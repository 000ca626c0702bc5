"""What the pages look like: contrast, sizes, nothing cut off, both languages, both schemes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from commands import page_state
from tests.pages.conftest import OpenPage
from tests.pages.peer import Peer

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Every visible piece of text whose contrast with what lies behind it is below WCAG AA.
FAINT = """() => {
  const parse = (text) => {
    const numbers = text.match(/[\\d.]+/g).map(Number);
    return { rgb: numbers.slice(0, 3), alpha: numbers.length > 3 ? numbers[3] : 1 };
  };
  const light = ({ rgb }) => {
    const linear = (part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgb.map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.alpha === 1) return colour;
      if (colour.alpha !== 0) throw new Error(`half-transparent background on ${at.className}`);
    }
    throw new Error('no background');
  };
  const faint = [];
  let counted = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (node.data.trim() === '' || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.closest('.unseen, option')) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const [one, other] = [light(parse(style.color)), light(behind(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    counted += 1;
    if (contrast < (large ? 3 : 4.5)) faint.push(`${node.data.trim().slice(0, 20)}: ${contrast.toFixed(2)}`);
  }
  return { faint, counted };
}"""

# Elements of a selector whose text does not fit into them.
CUT = """(selectors) => [...document.querySelectorAll(selectors)]
  .filter((box) => box.checkVisibility())
  .filter((box) => box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 2)
  .map((box) => `${box.className || box.id || box.tagName}: ${box.textContent.slice(0, 30)}`)"""

STATES = {
    "call": page_state.call_snapshot,
    "before": page_state.before_snapshot,
    "ended": page_state.ended_snapshot,
}


async def open_agent(peer: Peer, open_page: OpenPage, state: str, **looks: Any) -> Any:
    """The agent's page in a state."""
    peer.begin(STATES[state](datetime.now(UTC)))
    page = await open_page("/agent", **looks)
    await page.wait_for_selector({"call": ".card", "before": "#brief dl", "ended": "#after textarea"}[state])
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_meets_wcag_aa(peer: Peer, open_page: OpenPage, scheme: str) -> None:
    pages = {
        state: await open_agent(peer, open_page, state, scheme=scheme)
        for state in ("before", "ended", "call")
    }
    await pages["call"].keyboard.press("1")
    await pages["call"].keyboard.press("Space")
    pages["login"] = await open_page("/login", scheme=scheme)
    await pages["login"].press("#name", "Enter")
    pages["supervisor"] = await open_page("/supervisor", scheme=scheme)
    await pages["supervisor"].click(".row >> nth=0")
    await pages["supervisor"].wait_for_selector(".ear .line")
    least = {"before": 40, "ended": 60, "call": 80, "login": 6, "supervisor": 200}
    for name, page in pages.items():
        found = await page.evaluate(FAINT)
        assert (name, found["faint"]) == (name, [])
        assert found["counted"] >= least[name], name
    peer.failing["ticket"] = 503
    await peer.cut()
    await pages["call"].wait_for_selector("#strip[data-connection=lost]")
    assert (await pages["call"].evaluate(FAINT))["faint"] == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("state", ["call", "before", "ended"])
async def test_at_1280_by_720_nothing_is_cut_off(
    peer: Peer, open_page: OpenPage, state: str, language: str
) -> None:
    page = await open_agent(peer, open_page, state, language=language)
    whole = await page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert whole == [1280, 720]
    must_fit = (
        ".card .say, .card .keys, #alarms, #must-say, #who, #who h1, #strip, #after, .key, #after button"
    )
    assert await page.evaluate(CUT, must_fit) == []


async def test_the_longest_card_fits_and_is_read_at_arms_length(peer: Peer, open_page: OpenPage) -> None:
    page = await open_agent(peer, open_page, "call")
    for text in ("一二三四五六七八九十" * 4, "您看,行吗?好," * 5):
        await peer.advise(page_state.card(50, "offer", text[:40], "推荐", "为什么") | {"id": text[:3]})
        await page.wait_for_selector(f".card[data-id='{text[:3]}']")
        assert await page.evaluate(CUT, ".card .say") == []
    size = await page.evaluate("parseFloat(getComputedStyle(document.querySelector('.say')).fontSize)")
    assert 28 <= size <= 32


@pytest.mark.parametrize("path", ["/agent", "/supervisor", "/login"])
async def test_one_switch_changes_the_language_and_is_remembered(
    peer: Peer, open_page: OpenPage, path: str
) -> None:
    page = await open_page(path)
    await page.wait_for_selector({"/agent": ".card", "/supervisor": ".row", "/login": "#name"}[path])
    chinese = await page.inner_text("body")
    await page.click("#language")
    assert await page.get_attribute("html", "lang") == "en"
    english = await page.inner_text("body")
    ours = {
        "/agent": ("坐席台", "Agent", "用了", "Used"),
        "/supervisor": ("班长台", "Supervisor", "要看", "to look at"),
        "/login": ("密码", "Password", "登录", "Sign in"),
    }[path]
    for zh, en in zip(ours[::2], ours[1::2], strict=True):
        assert zh in chinese and en not in chinese
        assert en in english and zh not in english
    await page.reload()
    await page.wait_for_selector("html[lang=en]")


async def test_the_old_card_fades_for_150_ms_and_not_at_all_where_motion_is_unwanted(
    peer: Peer, open_page: OpenPage
) -> None:
    watch = """() => { window.__left = []; new MutationObserver(() => {
        const old = document.querySelector('.card.leaving');
        if (old) window.__left.push([getComputedStyle(old).animationDuration, old.inert]);
    }).observe(document.querySelector('#card-place'),
        {childList: true, subtree: true, attributes: true}); }"""
    for motion, expected in (("no-preference", [["0.15s", True]]), ("reduce", [])):
        page = await open_agent(peer, open_page, "call", motion=motion)
        await page.evaluate(watch)
        await peer.advise(page_state.card(60, "question", f"新的{motion}", "问", "为什么") | {"id": motion})
        await page.wait_for_selector(f".card[data-id='{motion}']")
        await page.wait_for_selector(".card.leaving", state="detached")
        assert (await page.evaluate("window.__left"))[:1] == expected
