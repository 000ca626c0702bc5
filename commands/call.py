"""`huashu call --persona NAME`: one call with one simulated customer, with its transcript."""

from __future__ import annotations

import argparse
import asyncio
import sys

from commands.json_lines import complain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu call`."""
    parser.add_argument("--persona", default="eager", help="模拟客户 / the simulated customer")
    parser.add_argument("--list", action="store_true", help="列出模拟客户 / list them")
    parser.add_argument("--by-ear", action="store_true", help="用识别器听 / through a recogniser, not text")
    parser.add_argument("--seed", type=int, default=0, help="固定用语 / fixes the wordings")


def run(arguments: argparse.Namespace) -> int:
    """Hold the call; 0 where it ended as the persona's file expects."""
    from commands.simulated_calls import FAULTS, check_ears, choose_personas

    try:
        if arguments.list:
            for persona in choose_personas([]):
                print(f"{persona.name:22} {persona.zh} / {persona.en}")
            return 0
        [persona] = choose_personas([arguments.persona])
        check_ears(arguments.by_ear)
        return asyncio.run(_call(persona.name, arguments.by_ear, arguments.seed))
    except FAULTS as error:
        complain(str(error))
        return 1


async def _call(name: str, by_ear: bool, seed: int) -> int:
    from bot.dialogue.training import trained
    from commands.call_rows import outcome_words, reason_words
    from commands.outcomes import as_expected
    from commands.progress import working
    from commands.simulated_calls import choose_personas, processes

    [persona] = choose_personas([name])
    with working(f"训练话术 / training {persona.script}"):
        await asyncio.to_thread(trained, persona.script)
    print("耳朵 / ears: " + ("pocketsphinx" if by_ear else "文字 hears text(没有识别器 / no recogniser)"))
    with working("启动进程 / starting the processes"):
        running = processes([persona.script], by_ear=by_ear)
        calls = await running.__aenter__()
    try:
        await calls.place([persona], seed)
        async for event in calls.events():
            if event is not None and (line := transcript_line(event)) is not None:
                print(line, flush=True)
        [result] = calls.results.values()
    finally:
        await running.__aexit__(*sys.exc_info())
    if result.error:
        complain(result.error)
        return 1
    print(f"—— {outcome_words(result.disposition)} · {result.grade} {reason_words(tuple(result.reasons))}")
    print(f"录音 / recording: {result.recording}")
    right = as_expected(persona, result)
    if not right:
        complain(f"expected {persona.expected.disposition}, got {result.disposition}")
    return int(not right)


def transcript_line(event: object) -> str | None:
    """One line of the transcript, None for events that have none."""
    from bot import events as ev

    match event:
        case ev.UtteranceFinal(party="customer", text=text, end_ms=end_ms) if text:
            return f"{clock(end_ms)} 客 {text}"
        case ev.ReplyEvent(text=text) if text:
            spent = " ".join(f"{name} {ms:.0f}" for name, ms in event.ms.items() if ms >= 0.5)
            return (
                f"{clock(event.at_ms)} 机 {text}   [{event.stage} · {sum(event.ms.values()):.0f} ms: {spent}]"
            )
        case ev.Playback(outcome="interrupted", heard_text=text):
            return f"{clock(event.at_ms)}    (被打断,听到 / interrupted, heard: {text}…)"
        case ev.MeaningEvent(acts=acts):
            shown = ", ".join(f"{act['name']} {act['confidence']:.2f}" for act in acts)
            return f"{clock(event.at_ms)}    [{shown}]"
        case ev.Silence(ms=ms):
            return f"{clock(event.at_ms)}    (沉默 / silence {ms / 1000:.1f} s)"
        case ev.Dtmf(digit=_):
            return f"{clock(event.at_ms)}    (按键 / key)"
        case _:
            return None


def clock(ms: int) -> str:
    """3:41.2"""
    return f"{ms // 60_000}:{ms // 1000 % 60:02d}.{ms % 1000 // 100}"
