"""The recogniser process: local ears and voice, away from the voice process's 20 ms loop.

`python -m bot.processes.recogniser --listen 127.0.0.1:8701` prints `ready HOST:PORT` (port 0 takes
a free one) and serves what bot/speech/remote.py describes, until SIGTERM or SIGINT.  Streams fail
one by one: an error in a call's stream closes that stream with a message, the others go on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence

from aiohttp import WSMsgType, web

from bot.call.ports import Recogniser, RecogniserStream, SpeechError, Voice
from bot.speech.providers import RECOGNISERS, VOICES, open_recogniser, open_voice

log = logging.getLogger(__name__)

MOST_TEXT = 2000
MOST_MESSAGE_BYTES = 1 << 20


class RecogniserServer:
    """Serves one recogniser for each language and, where given, a voice."""

    def __init__(self, recognisers: dict[str, Recogniser], voice: Voice | None) -> None:
        self._recognisers, self._voice = recognisers, voice

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=MOST_MESSAGE_BYTES)
        app.router.add_get("/recognise", self._recognise)
        app.router.add_post("/synthesize", self._synthesize)
        return app

    async def _recognise(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=MOST_MESSAGE_BYTES, heartbeat=20)
        await socket.prepare(request)
        language = request.query.get("language", "zh")
        recogniser = self._recognisers.get(language)
        if recogniser is None:
            await _fault(
                socket, f"this process recognises {', '.join(self._recognisers)}, not {language}", False
            )
            return socket
        try:
            stream = await recogniser.open(request.query.get("call", ""))
        except SpeechError as error:
            await _fault(socket, str(error), error.retryable)
            return socket
        sender = asyncio.create_task(_send_words(stream, socket))
        try:
            await _listen(socket, stream)
        except SpeechError as error:
            await _fault(socket, str(error), error.retryable)
        except (ValueError, TypeError, KeyError) as error:
            await _fault(socket, f"not a message of this protocol ({error})", False)
        finally:
            await stream.close()
            await sender
        return socket

    async def _synthesize(self, request: web.Request) -> web.Response:
        if self._voice is None:
            return web.json_response({"error": "this process has no voice", "retryable": False}, status=404)
        try:
            text = str((await request.json())["text"])
        except (ValueError, KeyError, TypeError):
            return web.json_response({"error": 'send {"text": "…"}', "retryable": False}, status=400)
        if len(text) > MOST_TEXT:
            return web.json_response(
                {"error": f"over {MOST_TEXT} characters", "retryable": False}, status=413
            )
        try:
            return web.Response(
                body=await self._voice.synthesize(text), content_type="application/octet-stream"
            )
        except SpeechError as error:
            return web.json_response({"error": str(error), "retryable": error.retryable}, status=500)


async def _listen(socket: web.WebSocketResponse, stream: RecogniserStream) -> None:
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await stream.feed(message.data)
        elif message.type is WSMsgType.TEXT:
            item = json.loads(message.data)
            if "expect" in item:
                await stream.expect([str(phrase) for phrase in item["expect"]])
            elif item.get("end"):
                await stream.end_utterance()
            else:
                raise ValueError("neither expect nor end")


async def _send_words(stream: RecogniserStream, socket: web.WebSocketResponse) -> None:
    async for words in stream.words():
        if socket.closed:
            return
        await socket.send_json(
            {
                "text": words.text,
                "final": words.final,
                "utterance_id": words.utterance_id,
                "confidence": words.confidence,
            }
        )


async def _fault(socket: web.WebSocketResponse, what: str, retryable: bool) -> None:
    log.error("recogniser: %s", what)
    if not socket.closed:
        await socket.send_json({"error": what, "retryable": retryable})
        await socket.close()


async def serve(listen: str, server: RecogniserServer) -> None:
    """Serve at HOST:PORT until SIGTERM or SIGINT; prints `ready HOST:PORT` once it listens."""
    host, _, port = listen.rpartition(":")
    runner = web.AppRunner(server.application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, int(port))
    await site.start()
    bound = runner.addresses[0]
    print(f"ready {bound[0]}:{bound[1]}", flush=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the process; 1 where a model is missing or the address is taken."""
    parser = argparse.ArgumentParser(prog="python -m bot.processes.recogniser", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:8701", metavar="HOST:PORT")
    parser.add_argument("--recogniser", choices=sorted(RECOGNISERS), default="pocketsphinx")
    parser.add_argument("--language", choices=("zh", "en"), action="append", help="may be given twice")
    parser.add_argument("--voice", choices=[*sorted(VOICES), "none"], default="none")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    host, _, port = arguments.listen.rpartition(":")
    if not host or not port.isdigit():
        parser.error(f"--listen is HOST:PORT, not '{arguments.listen}'")
    try:
        recognisers = {
            language: open_recogniser(arguments.recogniser, language)
            for language in arguments.language or ["zh"]
        }
        voice = None if arguments.voice == "none" else open_voice(arguments.voice)
        asyncio.run(serve(arguments.listen, RecogniserServer(recognisers, voice)))
    except (SpeechError, OSError) as error:
        print(f"recogniser: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
