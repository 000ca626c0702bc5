"""The load generator of the assist benchmark: many calls that talk, posted as CONTRACT says.

HTTP/1.1 by hand over kept connections: what the generator takes must be small beside what it measures.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

PARTIALS_PER_S = 3.0
FINAL_EVERY_S = 5.0
MS_PER_CHARACTER = 210


class Connection:
    """One kept HTTP connection; where the server dies, the next of `ports` is tried."""

    def __init__(self, ports: Sequence[int], token: str, first: int = 0) -> None:
        self._ports, self._token, self._at = list(ports), token, first
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._lock = asyncio.Lock()
        self.retries = 0

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """(status, answer) of one POST; sent again elsewhere where the connection broke."""
        data = json.dumps(body, ensure_ascii=False).encode()
        async with self._lock:
            while True:
                try:
                    return await self._once(path, data)
                except (OSError, asyncio.IncompleteReadError, ValueError):
                    self._writer = None
                    self._at += 1
                    self.retries += 1
                    await asyncio.sleep(0.02)

    async def _once(self, path: str, data: bytes) -> tuple[int, Any]:
        if self._writer is None or self._reader is None:
            port = self._ports[self._at % len(self._ports)]
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        self._writer.write(head.encode() + data)
        status, length = 0, 0
        raw = await self._reader.readuntil(b"\r\n\r\n")
        for line in raw.split(b"\r\n"):
            if line.startswith(b"HTTP/1.1"):
                status = int(line.split()[1])
            elif line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = await self._reader.readexactly(length)
        return status, json.loads(body) if body else None


@dataclass
class Sent:
    """A final line: when it was sent (s since 1970), and whose it was."""

    at: float
    party: str
    text: str


@dataclass
class Call:
    """One talking call."""

    call_id: str
    lines: Sequence[tuple[str, str]]
    connection: Connection
    finals: dict[int, Sent] = field(default_factory=dict)
    """end_ms of the line → what was sent."""
    partials: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)


async def talk(call: Call, offset_s: float, seconds: float) -> None:
    """Talk for `seconds`: a final line every FINAL_EVERY_S, partials before it PARTIALS_PER_S."""
    path = f"/api/calls/{call.call_id}/utterances"
    loop = asyncio.get_running_loop()
    begin = loop.time() + offset_s
    steps = int(FINAL_EVERY_S * PARTIALS_PER_S)
    number = 0
    while loop.time() < begin + seconds - FINAL_EVERY_S:
        party, text = call.lines[number % len(call.lines)]
        line_begin = number * FINAL_EVERY_S
        for step in range(1, steps):
            await _until(loop, begin + line_begin + step / PARTIALS_PER_S)
            words = text[: max(1, len(text) * step // steps)]
            await _send(call, path, number, party, words, line_begin, step / PARTIALS_PER_S, final=False)
            call.partials += 1
        await _until(loop, begin + line_begin + FINAL_EVERY_S)
        call.delays.append(loop.time() - (begin + line_begin + FINAL_EVERY_S))
        end_ms = int((line_begin + FINAL_EVERY_S) * 1000)
        call.finals[end_ms] = Sent(time.time(), party, text)
        await _send(call, path, number, party, text, line_begin, FINAL_EVERY_S, final=True)
        number += 1


async def _send(
    call: Call, path: str, number: int, party: str, text: str, begin_s: float, long_s: float, *, final: bool
) -> None:
    body = {
        "utterance_id": f"u{number}", "party": party, "text": text, "begin_ms": int(begin_s * 1000),
        "end_ms": int((begin_s + long_s) * 1000), "final": final,
    }  # fmt: skip
    status, _ = await call.connection.post(path, body)
    call.statuses[status] = call.statuses.get(status, 0) + 1


async def _until(loop: asyncio.AbstractEventLoop, when: float) -> None:
    left = when - loop.time()
    if left > 0:
        await asyncio.sleep(left)
