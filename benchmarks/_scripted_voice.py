"""Our voice process with a dialogue that says given prompts in order, at once: for comparisons.

    python -m benchmarks._scripted_voice --port PORT --prompts FILE

Everything but the brain is the product's: media server, voice detection, turn-taking, recording,
event log in a private Redis, archive in SQLite.  FILE is a JSON list of {"text", "expects"}; turn n of
a call gets prompt n, round and round.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from bot.bus import connect
from bot.data_folder import data_folder
from bot.phone.settings import evaluation_phones
from bot.processes import child, script_data
from bot.processes.voice import VoiceProcess
from bot.redis_server import PrivateRedis
from bot.store.database import Database
from bot.turn import Line, Reply, TurnRequest

SCRIPT, VERSION = "ringback", "scripted"
_BUILD = (
    "import sys; from pathlib import Path; from bot.dialogue.script_files import find_script; "
    "from bot.dialogue.voice_data import write_voice_data; "
    "write_voice_data(find_script(sys.argv[1]), Path(sys.argv[2]))"
)


class ScriptedBrain:
    """The Brain port, and as much of RemoteBrain as a voice process uses."""

    def __init__(self, prompts: Path) -> None:
        self._prompts: list[dict[str, Any]] = msgspec.json.decode(prompts.read_bytes())

    async def start(self) -> None:
        """Nothing to meet."""

    async def stop(self) -> None:
        """Nothing to leave."""

    def version(self, script: str) -> str | None:
        """The one version."""
        return VERSION if script == SCRIPT else None

    async def ask(self, request: TurnRequest) -> Reply:
        """The prompt of this turn."""
        prompt = self._prompts[(request.turn - 1) % len(self._prompts)]
        line = Line(node=f"prompt_{request.turn}", text=prompt["text"])
        return Reply(
            call_id=request.call_id, turn=request.turn, node=line.node, lines=(line,),
            expects=prompt["expects"], speculation="ready" if request.speculative else None,
        )  # fmt: skip


async def main(options: argparse.Namespace, stop: asyncio.Event) -> None:
    """Serve until stopped."""
    data = data_folder() / "voice.json"
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", _BUILD, SCRIPT, str(data)], check=True)
    server = PrivateRedis()
    await asyncio.to_thread(server.start)
    redis = connect(server.url)
    built = msgspec.json.decode(data.read_bytes()) | {"version": VERSION}
    await script_data.publish(redis, SCRIPT, VERSION, msgspec.json.encode(built))
    database = await asyncio.to_thread(Database.open, options.database)
    phones = evaluation_phones(f"127.0.0.1:{options.port}", SCRIPT, None, "script")
    voice = VoiceProcess(
        redis, "voice-1", database, recogniser=None, calls=options.calls, phones=phones,
        brain=ScriptedBrain(options.prompts),
    )  # fmt: skip
    try:
        await voice.start()
        child.ready("voice-1")
        await voice.serve(stop)
    finally:
        database.close()
        await redis.aclose()
        await asyncio.to_thread(server.stop)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--prompts", type=Path, required=True)
    parser.add_argument("--database", help="URL of the database, default SQLite in the data folder")
    parser.add_argument("--calls", type=int, default=1000)
    arguments = parser.parse_args()
    child.run(lambda stop: main(arguments, stop))
