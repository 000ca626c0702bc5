"""Ears and a voice in a process of their own (bot/processes/recogniser.py), reached over the network.

Recognition: a WebSocket at `/recognise?call=ID&language=zh`.  To the recogniser go binary messages
(PCM frames) and text messages `{"expect": [phrases]}`, `{"end": true}`; from it come text messages
`{"text", "final", "utterance_id", "confidence"}` or `{"error", "retryable"}`.
Voice: `POST /synthesize` `{"text"}`, answered by PCM 8000 Hz, or an error as `{"error", "retryable"}`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp

from bot.call.ports import RecogniserError, RecogniserStream, VoiceError, WordsIn

CONNECT_S = 3.0
SYNTHESIZE_S = 20.0


class RemoteRecogniser:
    """The Recogniser port over a recogniser process at `address` (HOST:PORT)."""

    def __init__(self, address: str, language: str = "zh") -> None:
        self.name = f"remote:{address}:{language}"
        self._address, self._language = address, language
        self._session: aiohttp.ClientSession | None = None

    async def open(self, call_id: str) -> RecogniserStream:
        """A stream for one call.  Raises RecogniserError (retryable) where nobody listens there."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        url = f"ws://{self._address}/recognise"
        try:
            socket = await asyncio.wait_for(
                self._session.ws_connect(url, params={"call": call_id, "language": self._language}), CONNECT_S
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise RecogniserError(
                f"no recogniser process at {self._address} ({error or type(error).__name__}): start one with "
                f"`python -m bot.processes.recogniser --listen {self._address}`",
                retryable=True,
            ) from error
        return RemoteStream(socket)

    async def close(self) -> None:
        """Close the connections; idempotent."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class RemoteStream:
    """One call's side.  A lost connection raises RecogniserError (retryable) at the next use."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def feed(self, pcm: bytes) -> None:
        """20 ms of audio."""
        await self._send(self._socket.send_bytes(pcm))

    async def expect(self, phrases: Sequence[str]) -> None:
        """Likely answers in the state that follows."""
        await self._send(self._socket.send_str(json.dumps({"expect": list(phrases)}, ensure_ascii=False)))

    async def end_utterance(self) -> None:
        """Ask for the final text."""
        await self._send(self._socket.send_str('{"end": true}'))

    async def words(self) -> AsyncIterator[WordsIn]:
        """Partial and final texts; ends when this side closes the stream."""
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            item: dict[str, Any] = json.loads(message.data)
            if "error" in item:
                raise RecogniserError(str(item["error"]), retryable=bool(item.get("retryable")))
            yield WordsIn(item["text"], item["final"], item["utterance_id"], item.get("confidence"))
        if self._socket.close_code not in (1000, None):
            raise RecogniserError(
                f"the recogniser went away (code {self._socket.close_code})", retryable=True
            )

    async def close(self) -> None:
        """Close the connection; idempotent."""
        await self._socket.close()

    async def _send(self, sending: Any) -> None:
        try:
            await sending
        except (ConnectionError, aiohttp.ClientError, RuntimeError) as error:
            raise RecogniserError(f"the recogniser went away ({error})", retryable=True) from error


class RemoteVoice:
    """The Voice port over a recogniser process at `address`.  `voice` is that process's voice name."""

    def __init__(self, address: str, voice: str) -> None:
        self.name = f"remote:{voice}"
        self._url = f"http://{address}/synthesize"
        self._session: aiohttp.ClientSession | None = None

    async def synthesize(self, text: str) -> bytes:
        """`text` as PCM 8000 Hz.  Raises VoiceError, retryable where the process is not there."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SYNTHESIZE_S))
        try:
            async with self._session.post(self._url, json={"text": text}) as answer:
                if answer.status == 200:
                    return await answer.read()
                fault = await answer.json()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise VoiceError(
                f"no voice at {self._url} ({error or type(error).__name__})", retryable=True
            ) from error
        raise VoiceError(str(fault.get("error")), retryable=bool(fault.get("retryable")))

    async def close(self) -> None:
        """Close the connections; idempotent."""
        if self._session is not None:
            await self._session.close()
            self._session = None
