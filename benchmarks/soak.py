"""Many calls for a long time: does memory grow, is a task left over, has every call its one record.

    python -m benchmarks.soak [--minutes 20] [--calls 20] [--rough 0.4] [--contacts 0]

A Supervisor runs what `huashu voice --listen … --script ringback --ears script` runs: Redis, a brain, one
voice process; its data folder is a new one.  On each of so many lines call follows call over real
WebSockets (_twilio_caller), to somebody new each time (or to so many --contacts in turn, to tell what grows
with names); a share of callers is rough
(_rough_callers).  RSS of the three processes is read every 10 s after a warm-up of a tenth of the time and
fitted by a straight line: growth is the line's rise over its beginning.  When all calls have ended: tasks,
CallDrivers, sockets and call files in the voice process against those before the first call, and each call
that was dialled against SQL: one row, one outcome, one final event.  What is refused at the door (503) was
no call.

The last line is one JSON.  Exit 1 where memory grew by 2 % or more, anything is left over, a record is
missing or double, or a process had to be started again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvloop

from benchmarks._report import finish, machine
from benchmarks._soak_callers import Callers, Dialled
from benchmarks._soak_processes import (
    SoakFailed,
    counts,
    growth,
    left_over,
    python_running,
    redis_pid,
    rss_mb,
)
from bot import events as ev
from bot.data_folder import data_folder
from bot.processes.managed import ProcessFailed
from bot.processes.supervisor import Other, Supervisor
from bot.redis_server import RedisServerError
from bot.store import schema
from bot.store.database import Database

MOST_GROWTH = 0.02
WARM_UP = 0.1
SAMPLE_S = 10.0
SETTLES_S = 30.0
"""So long calls may take to end and to be archived once nobody calls any more."""
VOICE = "voice-1"


# -- SQL


def records(database: Database, dialled: Dialled) -> dict[str, Any]:
    """Each call that was dialled against what SQL keeps."""
    ended = ev.CallEnded.__struct_config__.tag
    with database.read() as connection:
        kept = Counter(connection.execute(sa.select(schema.calls.c.call_id)).scalars())
        rows = connection.execute(sa.select(schema.outcomes.c.call_id, schema.outcomes.c.cause)).all()
        finals = sa.select(schema.events.c.call_id).where(schema.events.c.kind == ended)
        last = Counter(connection.execute(finals).scalars())
    outcomes = Counter(row.call_id for row in rows)
    causes: dict[str, Counter[str]] = {}
    for row in rows:
        causes.setdefault(dialled.kinds.get(row.call_id, "?"), Counter())[row.cause] += 1
    each = (kept, outcomes, last)
    return {
        "dialled": len(dialled.kinds),
        "archived": len(kept),
        "missing": [f"{dialled.kinds[sid]} {sid}" for sid in dialled.kinds if not all(n[sid] for n in each)],
        "double": [sid for sid in dialled.kinds if any(n[sid] > 1 for n in each)],
        "unknown": [call_id for call_id in kept if call_id not in dialled.kinds],
        "causes": causes,
    }


# -- the run


@contextmanager
def _data_folder_of_its_own() -> Iterator[Path]:
    """A new data folder; scripts that are trained already need not be trained again."""
    trained = data_folder("versions").resolve()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        before = os.environ.get("HUASHU_DATA")
        os.environ["HUASHU_DATA"] = name
        try:
            (Path(name) / "versions").symlink_to(trained)
            yield Path(name)
        finally:
            os.environ.pop("HUASHU_DATA")
            if before is not None:
                os.environ["HUASHU_DATA"] = before


async def soak(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The whole run; its figures.  Raises ProcessFailed, RedisServerError, SoakFailed."""
    url = f"sqlite:///{folder / 'soak.db'}"
    words = ("--listen", "127.0.0.1:0", "--script", "ringback", "--ears", "script", "--calls", "1000")
    voice = Other(VOICE, "benchmarks._counted_voice", words)
    async with AsyncExitStack() as stack:
        brain = await stack.enter_async_context(Supervisor(["ringback"], database_url=url))
        here = Supervisor([], brains=0, database_url=url, redis_url=brain.redis_url, others=[voice])
        await stack.enter_async_context(here)  # as in `huashu voice`: lines come up when a brain serves
        pids = {
            "voice": python_running("benchmarks._counted_voice"),
            "brain": python_running("bot.processes.brain"),
            "redis": redis_pid(brain.redis_url),
        }
        port = int(here.processes[VOICE].ready_words[1].rpartition(":")[2])
        log = here.logs / f"{VOICE}.log"
        before = await counts(pids["voice"], log)
        callers = Callers(port, options.calls, options.rough, options.contacts)
        await callers.start()
        sizes = await _watch(callers, pids, options.minutes * 60)
        await callers.stop()
        database = Database.open(url)
        try:
            found = await _settled(database, callers.dialled, pids["voice"], log, before)
        finally:
            database.close()
        both = {**brain.processes, **here.processes}
        starts = {name: process.starts for name, process in both.items()}
        logged = log.read_text(encoding="utf-8", errors="replace")
    return {
        "memory": {name: growth(samples) for name, samples in sizes.items()},
        **found,
        "refused": callers.dialled.refused,
        "kinds": Counter(callers.dialled.kinds.values()),
        "errors_logged": logged.count(" ERROR "),
        "exceptions_logged": logged.count("Traceback (most recent"),
        "first_errors": [line[24:200] for line in logged.splitlines() if " ERROR " in line][:5],
        "starts": starts,
    }


async def _watch(
    callers: Callers, pids: dict[str, int], seconds: float
) -> dict[str, list[tuple[float, float]]]:
    """RSS by process, sampled after the warm-up.  Raises SoakFailed where one is gone."""
    sizes: dict[str, list[tuple[float, float]]] = {name: [] for name in pids}
    begun = time.monotonic()
    await asyncio.sleep(seconds * WARM_UP)
    while (at_s := time.monotonic() - begun) <= seconds:
        callers.check()
        for name, pid in pids.items():
            try:
                sizes[name].append((at_s, rss_mb(pid)))
            except OSError as error:
                raise SoakFailed(f"{name} ended after {at_s:.0f} s:\n{_tail(name)}") from error
        shown = ", ".join(f"{name} {samples[-1][1]:.1f} MB" for name, samples in sizes.items())
        print(f"  {at_s:5.0f} s  {len(callers.dialled.kinds)} calls  {shown}", file=sys.stderr, flush=True)
        await asyncio.sleep(SAMPLE_S)
    return sizes


def _tail(name: str) -> str:
    """How the log of a process ends; Redis keeps its own."""
    path = data_folder("logs") / f"{name}-1.log"
    return path.read_text(encoding="utf-8", errors="replace")[-2000:] if path.is_file() else ""


async def _settled(
    database: Database, dialled: Dialled, pid: int, log: Path, before: dict[str, Any]
) -> dict[str, Any]:
    """What is left over and on record once everything had time to end."""
    give_up = time.monotonic() + SETTLES_S
    while True:
        kept = await asyncio.to_thread(records, database, dialled)
        now = await counts(pid, log)
        left = left_over(now, before, data_folder("journal"))
        if (not left and not kept["missing"]) or time.monotonic() > give_up:
            return {"left_over": left, "records": kept, "spoken_lines_mb": now["spoken_lines_mb"]}
        await asyncio.sleep(2.0)


def faults(figures: dict[str, Any]) -> list[str]:
    """What must not be."""
    found = [
        f"{name} grew by {100 * memory['growth']:.1f} %"
        for name, memory in figures["memory"].items()
        if memory["growth"] >= MOST_GROWTH
    ]
    found += [f"left over: {count} {name}" for name, count in figures["left_over"].items()]
    for kind in ("missing", "double", "unknown"):
        if calls := figures["records"][kind]:
            found.append(f"{len(calls)} {kind} records: {', '.join(calls[:3])}")
    found += [f"{name} was started {n} times" for name, n in figures["starts"].items() if n != 1]
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--calls", type=int, default=20, help="calls at once")
    parser.add_argument("--rough", type=float, default=0.4, help="share of rough callers, 0 to 1")
    parser.add_argument("--contacts", type=int, default=0, help="so many different ones; 0: always a new one")
    options = parser.parse_args()
    if options.minutes < 1 or options.calls < 1 or options.contacts < 0 or not 0 <= options.rough <= 1:
        parser.error("--minutes and --calls are 1 at least, --contacts 0, --rough lies between 0 and 1")
    print(f"machine: {machine()}")
    try:
        with _data_folder_of_its_own() as folder:
            figures = uvloop.run(soak(options, folder))
    except (ProcessFailed, RedisServerError, LookupError, SoakFailed) as failure:
        print(f"soak: {failure}", file=sys.stderr)
        return 1
    kept = figures["records"]
    print(f"{options.calls} calls at once for {options.minutes:g} minutes")
    for name, memory in figures["memory"].items():
        print(
            f"{name:6} {memory['mb']:7.1f} MB, at most {memory['most_mb']:.1f},"
            f" growth {100 * memory['growth']:+.2f} % ({memory['mb_an_hour']:+.1f} MB an hour)"
        )
    print(f"voice: of that its bounded store of spoken lines at the end: {figures['spoken_lines_mb']} MB")
    print(f"callers: {dict(figures['kinds'])}; refused at the door: {sum(figures['refused'].values())}")
    for kind, causes in kept["causes"].items():
        print(f"  {kind:12} ended by {dict(causes)}")
    print(
        f"dialled {kept['dialled']}, archived {kept['archived']}, missing {len(kept['missing'])},"
        f" double {len(kept['double'])}; left over: {figures['left_over'] or 'nothing'}"
    )
    print(f"logged: {figures['errors_logged']} errors, {figures['exceptions_logged']} exceptions")
    wrong = faults(figures)
    print("\n".join(f"FAULT: {fault}" for fault in wrong) or "no fault")
    run = {name: getattr(options, name) for name in ("minutes", "calls", "rough", "contacts")}
    finish({"benchmark": "soak", **run, **figures, "faults": wrong})
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
