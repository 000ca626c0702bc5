"""What every process does alike: the same options, logs to stderr, a clean end on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the options that all processes have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--redis", default=os.environ.get("REDIS_URL"), help="URL of Redis (default: REDIS_URL)"
    )
    parser.add_argument("--name", help="name of this process; a restarted one takes the name again")
    parser.add_argument("--database", default=os.environ.get("DATABASE_URL"), help="URL of the database")
    return parser


def run(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run `main(stop)` on uvloop; `stop` is set on SIGTERM and SIGINT."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    for noisy in ("alembic", "rasa", "rasa_sdk", "aiohttp", "picows", "aioice", "aiortc"):
        logging.getLogger(noisy).setLevel(logging.WARNING)

    async def watched() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await main(stop)

    uvloop.run(watched())


def spare_the_collector() -> None:
    """Leave what is loaded so far out of garbage collection, and collect the rest seldom: walking
    loaded scripts stops all turns for 20-40 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def ready(*words: str) -> None:
    """Tell the parent, and keep the garbage collector from what was loaded once for all."""
    gc.collect()
    gc.freeze()
    print("ready", *words, flush=True)
