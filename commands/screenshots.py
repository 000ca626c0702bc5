"""`huashu screenshots`: draws every page with a scripted state and keeps the pictures in docs/screenshots.

No server runs: the browser's requests are answered from assist/page and `page_state`.  Needs
Playwright (a development dependency) and Chromium; `HUASHU_CHROMIUM` names its path.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from commands import page_state
from commands.json_lines import complain
from commands.progress import working

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route, WebSocketRoute

HOME = Path(__file__).resolve().parent.parent
PAGES = HOME / "assist" / "page"
ORIGIN = "http://127.0.0.1"
DESK = (1280, 720)
PHONE = (390, 844)
CHINA = ZoneInfo("Asia/Shanghai")
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
Scheme = Literal["light", "dark"]


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """One picture.  `keys` are pressed before it is taken; `until` must be on the page."""

    name: str
    page: str
    state: str
    until: str
    scheme: Scheme = "light"
    language: str = "zh"
    size: tuple[int, int] = DESK
    density: str = "novice"
    keys: tuple[str, ...] = ()
    typed: str = ""


SHOTS = (
    Shot(name="login-light-zh", page="login", state="none", until="#login"),
    Shot(name="login-dark-en", page="login", state="none", until="#login", scheme="dark", language="en"),
    Shot(name="agent-light-zh", page="agent", state="call", until=".card"),
    Shot(name="agent-dark-zh", page="agent", state="call", until=".card", scheme="dark"),
    Shot(name="agent-light-en", page="agent", state="call", until=".card", language="en"),
    Shot(name="agent-expert-dark-en", page="agent", state="call", until=".card", scheme="dark",
         language="en", density="expert"),
    Shot(name="agent-pinned-lost-light-zh", page="agent", state="lost", until="[data-connection=lost]",
         keys=(" ",)),
    Shot(name="agent-before-light-zh", page="agent", state="before", until="#brief dl"),
    Shot(name="agent-before-dark-en", page="agent", state="before", until="#brief dl", scheme="dark",
         language="en"),
    Shot(name="agent-after-light-zh", page="agent", state="ended", until="#after textarea"),
    Shot(name="agent-after-dark-en", page="agent", state="ended", until="#after textarea", scheme="dark",
         language="en"),
    Shot(name="agent-search-light-zh", page="agent", state="call", until="#search li",
         keys=("/",), typed="搬家"),
    Shot(name="agent-idle-light-zh", page="agent", state="none", until="[data-phase=idle]"),
    Shot(name="supervisor-light-zh", page="supervisor", state="call", until=".row"),
    Shot(name="supervisor-listening-light-zh", page="supervisor", state="call", until=".ear .line",
         keys=("ArrowDown", "Enter")),
    Shot(name="supervisor-listening-dark-en", page="supervisor", state="call", until=".ear .line",
         scheme="dark", language="en", keys=("ArrowDown", "Enter")),
    Shot(name="supervisor-390-light-zh", page="supervisor", state="call", until=".row", size=PHONE),
    Shot(name="supervisor-390-listening-dark-zh", page="supervisor", state="call", until=".ear .line",
         scheme="dark", size=PHONE, keys=("ArrowDown", "Enter")),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu screenshots`."""
    parser.add_argument("--out", type=Path, default=HOME / "docs" / "screenshots", help="放图的目录 / folder")
    parser.add_argument("--only", default="", help="只画名字含有它的 / only those whose name contains it")


def run(arguments: argparse.Namespace) -> int:
    """Take all pictures; 1 where the browser is missing or a page does not come up."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        complain("没有 playwright / playwright is missing → uv sync --group dev")
        return 1
    chromium = chromium_path()
    if chromium is None:
        complain("没有 Chromium / Chromium is missing → apt-get install chromium, or set HUASHU_CHROMIUM")
        return 1
    shots = [shot for shot in SHOTS if arguments.only in shot.name]
    arguments.out.mkdir(parents=True, exist_ok=True)
    try:
        with working(f"画 {len(shots)} 张图 / taking {len(shots)} pictures"), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for path in take(browser, shots, arguments.out):
                print(path.name, file=sys.stderr)
            browser.close()
    except Error as error:
        complain(f"页面没有画出来 / a page did not come up: {error.message.splitlines()[0]}")
        return 1
    return 0


def chromium_path() -> str | None:
    """Where Chromium is."""
    named = os.environ.get("HUASHU_CHROMIUM")
    return named or next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )


def take(browser: Browser, shots: list[Shot], out: Path) -> Iterator[Path]:
    """The pictures, one after the other."""
    for shot in shots:
        context = browser.new_context(
            viewport={"width": shot.size[0], "height": shot.size[1]},
            color_scheme=shot.scheme,
            reduced_motion="reduce",
            locale="zh-CN",
            timezone_id=CHINA.key,
        )
        page = context.new_page()
        page.add_init_script(
            f"localStorage.setItem('huashu.language', '{shot.language}');"
            f"localStorage.setItem('huashu.density', '{shot.density}');"
        )
        page.route("**/*", answer)
        page.route_web_socket("**/*", lambda socket, state=shot.state: feed(socket, state))  # type: ignore[misc]
        page.goto(f"{ORIGIN}/{shot.page}")
        _use(page, shot)
        page.wait_for_selector(shot.until)
        path = out / f"{shot.name}.png"
        page.screenshot(path=path)
        yield path
        context.close()


def _use(page: Page, shot: Shot) -> None:
    if shot.keys:
        page.wait_for_selector({"agent": ".card, .card-none", "supervisor": ".row"}[shot.page])
        for key in shot.keys:
            page.keyboard.press("Space" if key == " " else key)
    if shot.typed:
        page.keyboard.type(shot.typed)


def answer(route: Route) -> None:
    """The pages' files, and what the API says to them."""
    path = route.request.url.removeprefix(ORIGIN).partition("?")[0]
    if path.startswith("/static/"):
        file = PAGES / "static" / Path(path).name
        route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
    elif not path.startswith("/api/"):
        html = (PAGES / f"{path.strip('/')}.html").read_text(encoding="utf-8")
        route.fulfill(body=html, content_type="text/html; charset=utf-8")
    else:
        said = api(path, supervisor=route.request.frame.url.endswith("/supervisor"))
        route.fulfill(body=json.dumps(said), content_type="application/json")


def api(path: str, supervisor: bool) -> dict[str, Any]:
    """What the server would say."""
    if path == "/api/me":
        return {"name": "wuli" if supervisor else page_state.AGENT, "csrf_token": "-"}
    if path == "/api/feed-tickets":
        return {"ticket": "-"}
    if path == "/api/knowledge":
        return {"results": page_state.KNOWLEDGE}
    if path.endswith("/customer"):
        return {"contact": page_state.CONTACT}
    return {}


def feed(socket: WebSocketRoute, state: str) -> None:
    """The feed of a scripted state; `lost` ends after its snapshot."""
    now = datetime.now(CHINA)
    if "/api/live" in socket.url:
        socket.send(json.dumps({"kind": "live", "rows": page_state.live_rows(now)}))
        return
    resumed = "after=" in socket.url
    states = {
        "call": page_state.call_snapshot,
        "lost": page_state.call_snapshot,
        "before": page_state.before_snapshot,
        "ended": page_state.ended_snapshot,
    }
    if resumed:
        socket.close(code=1012)
        return
    message = states[state](now) if state in states else {"kind": "no_call"}
    socket.send(json.dumps(message))
    if state == "call":
        socket.send(json.dumps(page_state.measured(now)))
        socket.send(json.dumps(page_state.speaking(now)))
    if state == "lost":
        socket.close(code=1012)
