"""A headless Chromium for tests of pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from commands.screenshots import chromium_path


@asynccontextmanager
async def headless_chromium() -> AsyncIterator[Any]:
    """The browser that is installed here; without one, or without playwright, the test is skipped."""
    playwright_api = pytest.importorskip("playwright.async_api")
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium here")
    async with playwright_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()
