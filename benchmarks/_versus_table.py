"""The table and the ratios of benchmarks.versus_pipecat."""

from __future__ import annotations

from typing import Any

from benchmarks._versus_configs import PIPECAT

AIMS = (
    "aims: p50 at one call 25 % less, p95 at ten at most half; silent 100, lowered 150, false and missed 3 %"
)
TRUSTED_MS = 10
"""Callers that are later than this (p99) measure the machine and not the engine."""


def ratios(results: dict[str, Any], calls: str, point: str) -> dict[str, Any] | None:
    """Ours over the quickest Pipecat that cuts off no more often, at one percentile of the first sound."""
    measured = {
        name: (result[calls]["turns"]["first_sound"].get(point), result[calls]["turns"]["cut_off_rate"])
        for name, result in results.items()
        if calls in result and result[calls]["turns"]["first_sound"].get(point)
    }
    others = {name: figures for name, figures in measured.items() if name in PIPECAT}
    if "ours" not in measured or not others:
        return None
    ours_ms, ours_rate = measured["ours"]
    fair = {name: figures for name, figures in others.items() if figures[1] <= ours_rate}
    least = min(rate for _, rate in others.values())
    best = min(fair or {n: f for n, f in others.items() if f[1] == least}, key=lambda n: others[n][0])
    return {
        "against": best,
        "cuts_off_no_more_often": bool(fair),
        "ours_ms": ours_ms,
        "theirs_ms": others[best][0],
        "ratio": round(ours_ms / others[best][0], 3),
    }


def show(results: dict[str, Any]) -> None:
    """A table for people; times in ms."""
    if not results:
        return
    print(
        f"\n{'':16}{'speech end → first sound':>26}{'cut':>7}{'no':>8}{'silent':>8}{'lowered':>9}{'false':>8}"
        f"{'missed':>8}{'late':>6}{'CPU ms':>8}{'kept = played':>15}"
    )
    print(
        f"{'':16}{'p50 / p95 / p99':>26}{'off':>7}{'answer':>8}{'p95':>8}{'p95':>9}{'stops':>8}"
        f"{'':8}{'p99':>6}{'call-s':>8}{'± 1 hanzi':>15}"
    )
    for name, result in results.items():
        for calls, parts in result.items():
            turns, barge = parts["turns"], parts["barge_in"]
            times = " / ".join(_ms(turns["first_sound"].get(point)) for point in ("p50", "p95", "p99"))
            kept = barge["kept"]
            told = f"{kept['equal']}/{kept['told']}" if kept["told"] else "not told"
            unanswered = len(turns["unanswered"]) / max(1, turns["turns"])
            print(
                f"{name + ' at ' + calls:16}{times:>26}{turns['cut_off_rate']:>7.1%}{unanswered:>8.1%}"
                f"{_ms(barge['silent'].get('p95')):>8}{_ms(barge['lowered'].get('p95')):>9}"
                f"{barge['false_stop_rate']:>8.1%}{barge['missed_rate']:>8.1%}"
                f"{_ms(turns['frames_late'].get('p99')):>6}"
                f"{turns['cpu_ms_a_call_second'] or 0:>8.1f}{told:>15}"
            )
            for part, found in parts.items():
                if found["failed"]:
                    print(f"  {part}: {len(found['failed'])} calls failed: {found['failed'][0]}")
    print(AIMS)
    late = max(
        part["callers_own_lateness"].get("p99", 0)
        for result in results.values()
        for parts in result.values()
        for part in parts.values()
    )
    if late > TRUSTED_MS:
        print(f"the callers themselves were up to {late} ms late (p99): the machine was busy, measure again")


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
