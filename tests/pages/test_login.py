"""The login page: the way in, and every fault in words of either language."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pages.conftest import OpenPage, until
from tests.pages.peer import Peer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def log_in(page: Any, name: str, password: str) -> None:
    """Fill and send the form with the keyboard."""
    await page.fill("#name", name)
    await page.fill("#password", password)
    await page.press("#password", "Enter")


async def fault(page: Any, words: str) -> None:
    """Wait for these words."""
    await until(page, "(words) => document.querySelector('#fault').textContent === words", words)


@pytest.mark.parametrize("role", ["agent", "supervisor"])
async def test_each_role_comes_to_its_page(peer: Peer, open_page: OpenPage, role: str) -> None:
    peer.role, peer.logged_in = role, False
    page = await open_page("/login")
    assert await page.evaluate("document.activeElement.id") == "name"
    await log_in(page, peer.name, "right horse")
    await page.wait_for_url(f"**/{role}")


async def test_faults_are_said_in_words_and_follow_the_language(peer: Peer, open_page: OpenPage) -> None:
    page = await open_page("/login")
    await page.press("#name", "Enter")
    await fault(page, "请填写用户名和密码。")
    await log_in(page, peer.name, "wrong")
    await fault(page, "用户名或密码不对。")
    await page.click("#language")
    await fault(page, "The name or the password is wrong.")
    peer.failing["login"] = 429
    await log_in(page, peer.name, "wrong")
    await fault(page, "Too many attempts. Wait a minute, then try again.")
    peer.failing.clear()
    await page.route("**/api/login", lambda route: route.abort())
    await log_in(page, peer.name, "wrong")
    await fault(page, "The server cannot be reached. Check the network and try again.")
    assert await page.is_enabled("#submit")


async def test_a_role_without_a_page_is_told_so(peer: Peer, open_page: OpenPage) -> None:
    peer.role = "operator"
    page = await open_page("/login")
    await log_in(page, peer.name, "right horse")
    await fault(page, "您的角色还没有可用的页面,请联系管理员。")


@pytest.mark.parametrize("path", ["/agent", "/supervisor"])
async def test_who_is_not_logged_in_comes_to_the_login(peer: Peer, open_page: OpenPage, path: str) -> None:
    peer.logged_in = False
    page = await open_page(path)
    await page.wait_for_url("**/login")
