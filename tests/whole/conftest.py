"""One stage and one browser for all tests of the whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.browser import headless_chromium
from tests.web.conftest import PASSWORD, Server
from tests.whole.stage import LIMIT_S, Stage

LogIn = Callable[..., Awaitable[Any]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """All processes, started once."""
    async with Stage(tmp_path_factory.mktemp("stage"), ["bundle"]) as stage:
        yield stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Any]:
    """One headless browser."""
    async with headless_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def log_in(chromium: Any) -> AsyncIterator[LogIn]:
    """Opens the page of a person who logs in; what goes wrong in its scripts fails the test."""
    contexts, faults = [], []

    async def log_in(front: Server, name: str) -> Any:
        context = await chromium.new_context(
            locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1280, "height": 720},
            reduced_motion="reduce",
        )  # fmt: skip
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(LIMIT_S * 1000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.extend([said.text] * ("Content Security" in said.text)))
        await page.goto(f"{front.url}/")
        await page.fill("#name", name)
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await page.wait_for_selector("#strip[data-connection=open]")
        return page

    yield log_in
    for context in contexts:
        await context.close()
    assert faults == []
