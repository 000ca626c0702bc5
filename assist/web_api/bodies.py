"""Requests and answers as JSON, typed and capped; what is wrong is named by its field.

Text that people or recognisers send loses its control and bidirectional characters here.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, TypeVar

import msgspec
from aiohttp import web

from assist.web_api.problems import Problem

MAX_BYTES = 64 * 1024
DAY_MS = 86_400_000

CallId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[\w.@-]{1,64}$")]
"""A user's name, which is the agent id of an agent."""
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=DAY_MS)]
ShortText = Annotated[str, msgspec.Meta(max_length=500)]

T = TypeVar("T")

_UNSEEN: Final = dict.fromkeys(
    [
        *(code for code in range(0x20) if code not in (0x09, 0x0A)),
        *range(0x7F, 0xA0),
        0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF,
    ]
)  # fmt: skip
_PATH: Final = re.compile(r"`\$(?P<path>[^`]*)`|`(?P<name>\w+)`")


def visible(text: str) -> str:
    """The text without control, zero-width and bidirectional characters."""
    return text if text.isalnum() else text.translate(_UNSEEN)


async def read(request: web.Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The request's body.  Raises Problem: 400 not JSON, 413 too large, 422 a wrong field."""
    return decode(await request.read(), decoder)


def decode(data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """JSON of a known shape.  Raises Problem."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise Problem(422, "invalid", str(error), field=_field(str(error))) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Problem(400, "not_json", f"the body is not JSON: {error}", field="$") from error


def answer(data: Any, status: int = 200) -> web.Response:
    """An answer in JSON."""
    return raw_answer(msgspec.json.encode(data), status)


def raw_answer(data: bytes, status: int = 200) -> web.Response:
    """An answer that is JSON already."""
    return web.Response(body=data, status=status, content_type="application/json")


def _field(message: str) -> str:
    """Which field a message of the decoder is about, as in `[0].text`."""
    path, missing = "", ""
    for found in _PATH.finditer(message):
        if found["path"] is not None:
            path = found["path"]
        elif "required field" in message:
            missing = found["name"]
    return ".".join(part for part in (path.lstrip("."), missing) if part) or "$"
