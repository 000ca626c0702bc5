"""GET /api/openapi.json: what this API is, from `assist/openapi.yml` (tests hold it to the code)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from assist.web_api.bodies import raw_answer
from bot.typed_yaml import read_yaml

PATH = Path(__file__).parents[1] / "openapi.yml"


@cache
def description() -> dict[str, Any]:
    """The file's content.  Raises YamlError."""
    return dict(read_yaml(PATH))


async def describe(request: web.Request) -> web.Response:
    """The description as JSON."""
    return raw_answer(msgspec.json.encode(description()))
