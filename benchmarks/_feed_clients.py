"""WebSocket clients of the assist benchmark, in a process of their own: each watches one call.

    python -m benchmarks._feed_clients CONFIG.json

Reads {"ports", "calls": [{"call_id", "token"}]}, prints `ready`, writes what each client received when
stdin closes: for each call the sequence numbers in order, and when each card came (s since 1970).
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

_SEQ = re.compile(rb'"seq":(\d+)')
_CARD = re.compile(rb'"suggestion":\{"id":"([^"]+)"')


class Client:
    """One agent's screen without a screen."""

    def __init__(
        self, session: aiohttp.ClientSession, ports: list[int], call_id: str, token: str, at: int
    ) -> None:
        self._session, self._ports, self._token, self._at = session, ports, token, at
        self.call_id = call_id
        self.seqs: list[int] = []
        self.cards: dict[str, float] = {}
        self.snapshots: list[int] = []
        self.connections = 0
        self.faults: list[str] = []

    async def run(self, connected: asyncio.Event) -> None:
        """Watch for ever; where the server goes, resume at another."""
        while True:
            try:
                await self._watch(connected)
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                self.faults.append(type(error).__name__)
            self._at += 1
            await asyncio.sleep(0.05)

    async def _watch(self, connected: asyncio.Event) -> None:
        base = f"http://127.0.0.1:{self._ports[self._at % len(self._ports)]}"
        headers = {"Authorization": f"Bearer {self._token}"}
        body = {"target": f"call:{self.call_id}"}
        async with self._session.post(f"{base}/api/feed-tickets", json=body, headers=headers) as answer:
            ticket = (await answer.json())["ticket"]
        last = self.seqs[-1] if self.seqs else self.snapshots[-1] if self.snapshots else None
        after = f"&after={last}" if last is not None else ""
        url = f"{base}/api/calls/{self.call_id}/feed?ticket={ticket}{after}"
        async with self._session.ws_connect(url, origin=base, max_msg_size=0) as socket:
            self.connections += 1
            connected.set()
            async for message in socket:
                now = time.time()
                data = message.data.encode() if isinstance(message.data, str) else message.data
                if data.startswith(b'{"kind":"snapshot"'):
                    self.snapshots.append(json.loads(data)["seq"])
                    continue
                found = _SEQ.search(data)
                if found is not None:
                    self.seqs.append(int(found.group(1)))
                if data.startswith(b'{"kind":"suggestion"'):
                    card = _CARD.search(data)
                    if card is not None:
                        self.cards.setdefault(card.group(1).decode(), now)

    def report(self) -> dict[str, Any]:
        """What it received."""
        return {
            "call_id": self.call_id, "seqs": self.seqs, "cards": self.cards, "snapshots": self.snapshots,
            "connections": self.connections, "faults": self.faults,
        }  # fmt: skip


async def main(config: dict[str, Any]) -> None:
    """Connect all, say so, wait for the end."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        clients = [
            Client(session, config["ports"], call["call_id"], call["token"], number)
            for number, call in enumerate(config["calls"])
        ]
        events = [asyncio.Event() for _ in clients]
        tasks = [
            asyncio.create_task(client.run(event)) for client, event in zip(clients, events, strict=True)
        ]
        await asyncio.gather(*(event.wait() for event in events))
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        Path(config["report"]).write_text(json.dumps([client.report() for client in clients]))


if __name__ == "__main__":
    uvloop.run(main(json.loads(Path(sys.argv[1]).read_text())))
