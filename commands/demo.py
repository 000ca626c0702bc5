"""`huashu demo`: a dozen simulated customers at once, live in the terminal, then the outcomes.

`huashu demo assist` is commands/demo_assist.py.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from typing import TYPE_CHECKING

from commands import demo_assist
from commands.json_lines import complain

if TYPE_CHECKING:
    from rich.table import Table

    from commands.call_rows import CallRow

CUSTOMERS = (
    "eager",
    "haggler",
    "distrustful",
    "distrustful_refuses",
    "busy",
    "driving",
    "do_not_call",
    "wrong_person",
    "elderly",
    "interrupter",
    "murmurer",
    "think_over",
    "angry",
    "voicemail",
    "wrong_id",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu demo`."""
    parser.add_argument("what", nargs="?", choices=("assist",), help="实时辅助坐席的演示 / live assist")
    parser.add_argument("--persona", action="append", default=[], help="只要这几位 / only these (repeatable)")
    parser.add_argument("--all", action="store_true", help="所有模拟客户 / all simulated customers")
    parser.add_argument("--by-ear", action="store_true", help="用识别器听 / through a recogniser, not text")
    demo_assist.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; 0 where every call ended as its customer's file expects."""
    from commands.simulated_calls import FAULTS, check_ears, choose_personas

    if arguments.what == "assist":
        return demo_assist.run(arguments)
    try:
        names = [] if arguments.all else arguments.persona or list(CUSTOMERS)
        chosen = choose_personas(names)
        check_ears(arguments.by_ear)
        return asyncio.run(_demo([persona.name for persona in chosen], arguments.by_ear))
    except FAULTS as error:
        complain(str(error))
        return 1


async def _demo(names: list[str], by_ear: bool) -> int:
    from rich.console import Console
    from rich.live import Live

    from bot.dialogue.training import trained
    from commands.call_rows import CallRow
    from commands.outcomes import as_expected, outcome_table
    from commands.progress import working
    from commands.simulated_calls import choose_personas, processes

    console = Console()
    personas = choose_personas(names)
    scripts = sorted({persona.script for persona in personas})
    for script in scripts:
        with working(f"训练话术 / training {script}"):
            await asyncio.to_thread(trained, script)
    ears = "pocketsphinx 识别" if by_ear else "文字(没有识别器,客户的话按声音的时间给出)"
    console.print(f"耳朵 / ears: {ears} · {'pocketsphinx' if by_ear else 'hears text'}")
    with working("启动进程 / starting the processes: Redis, brain, voice"):
        running = processes(scripts, by_ear=by_ear)
        calls = await running.__aenter__()
    try:
        started = time.monotonic()
        await calls.place(personas)
        rows = {call_id: CallRow(persona.name) for call_id, persona in calls.calls.items()}
        shown = sys.stdout.isatty()
        with Live(console=console, auto_refresh=False, transient=True) as live:
            drawn = 0.0
            async for event in calls.events():
                if event is not None:
                    rows[event.call_id].take(event)
                if shown and time.monotonic() - drawn > 0.15:
                    drawn = time.monotonic()
                    live.update(live_table(rows, time.monotonic() - started, console.width), refresh=True)
        results = dict(calls.results)
    finally:
        await running.__aexit__(*sys.exc_info())
    right = {}
    for call_id, persona in calls.calls.items():
        row, result = rows[call_id], results[call_id]
        row.disposition, row.grade, row.reasons = result.disposition, result.grade, tuple(result.reasons)
        right[call_id] = as_expected(persona, result, row.orders)
        if result.error:
            complain(f"{persona.name}: {result.error}")
    console.print(outcome_table(rows, right))
    latencies = sorted(ms for row in rows.values() for ms in row.latencies[1:])
    if latencies:
        p50, p95 = statistics.median(latencies), latencies[int(len(latencies) * 0.95)]
        spread = f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, {len(latencies)} turns"
        console.print(f"回应 / response (caller stops → first sound): {spread}")
    recordings = {str(result.recording).rpartition("/")[0] for result in results.values() if result.recording}
    console.print(f"录音 / recordings: {', '.join(sorted(recordings))}")
    wrong = [calls.calls[call_id].name for call_id, fine in right.items() if not fine]
    console.print(
        f"{len(right) - len(wrong)} / {len(right)} 如期 / as expected · {time.monotonic() - started:.0f} s"
    )
    return int(bool(wrong))


def live_table(rows: dict[str, CallRow], seconds: float, width: int) -> Table:
    """All calls as they stand: state, stage, last words of both, latency of the last turn."""
    from rich.table import Table

    from commands.call_rows import STAGES, outcome_words

    talking = sum(row.disposition is None for row in rows.values())
    table = Table(
        title=f"话术 · {talking} 通进行中 / live · {seconds:.0f} s", title_justify="left", expand=True
    )
    for heading, wide in (
        ("客户", 14),
        ("阶段", 6),
        ("客户说 / customer", None),
        ("机器人 / bot", None),
        ("ms", 5),
    ):
        table.add_column(heading, width=wide, no_wrap=True, overflow="ellipsis", ratio=None if wide else 1)
    for row in rows.values():
        ended = row.disposition is not None
        table.add_row(
            row.persona,
            outcome_words(row.disposition).split()[0]
            if ended
            else STAGES.get(row.stage, row.state.split()[0]),
            row.customer,
            row.bot,
            f"{row.latencies[-1]:.0f}" if row.latencies else "",
            style="dim" if ended else "",
        )
    return table
