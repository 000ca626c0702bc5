"""Real browsers of the assist benchmark, in a process of their own: each an agent's page in Chromium.

    python -m benchmarks._browsers CONFIG.json

Reads {"pages": [{"url", "name", "password"}], "report"}, prints `ready`, writes for each page the time at
which each card stood in the DOM (ms since 1970) when stdin closes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"


def main(config: dict[str, Any]) -> None:
    """Log in, open the pages, wait for the end."""
    with sync_playwright() as playwright:
        pages = []
        for wanted in config["pages"]:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(f"{wanted['url']}/login")
            page.fill("#name", wanted["name"])
            page.fill("#password", wanted["password"])
            page.click("#submit")
            page.wait_for_url("**/agent")
            page.wait_for_timeout(1500)
            pages.append(page)
        print("ready", flush=True)
        while True:
            for page in pages:
                page.wait_for_timeout(200)
            if _closed():
                break
        Path(config["report"]).write_text(json.dumps([page.evaluate("window.__cards") for page in pages]))


def _closed() -> bool:
    import select

    readable, _, _ = select.select([sys.stdin], [], [], 0)
    return bool(readable)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
