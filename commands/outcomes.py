"""Did a simulated call end as its persona's file expects?  And the table that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.table import Table

from commands.call_rows import CallRow, outcome_words, reason_words

if TYPE_CHECKING:
    from bot.phone.persona import Persona
    from bot.processes.jobs import CallResult


def as_expected(persona: Persona, result: CallResult, orders: int | None = None) -> bool:
    """Whether disposition and tier (and, where given, the orders) are what the file expects."""
    expected = persona.expected
    return (
        result.error is None
        and result.disposition in expected.disposition
        and (not expected.grade or result.grade in expected.grade)
        and (orders is None or bool(orders) == expected.order)
    )


def outcome_table(rows: dict[str, CallRow], right: dict[str, bool]) -> Table:
    """Persona, outcome, tier with reasons, turns, length; marked where it is not as expected."""
    table = Table(title="结果 / outcomes", title_justify="left", pad_edge=False, padding=(0, 0), box=SIMPLE)
    for heading, justify in (
        ("客户\ncustomer", "left"),
        ("结果\noutcome", "left"),
        ("级\ntier", "center"),
        ("原因\nreasons", "left"),
        ("单\norder", "center"),
        ("轮\nturns", "right"),
        ("时长\nlength", "right"),
        ("如期\nright", "center"),
    ):
        fixed = heading.startswith(("客户", "结果"))
        table.add_column(heading, justify=justify, no_wrap=fixed)  # type: ignore[arg-type]
    for call_id, row in rows.items():
        seconds = row.since_ms // 1000
        table.add_row(
            row.persona,
            outcome_words(row.disposition),
            row.grade or "",
            reason_words(row.reasons),
            "✓" if row.orders else "",
            str(row.turns),
            f"{seconds // 60}:{seconds % 60:02d}",
            "[green]✓[/green]" if right.get(call_id) else "[bold red]✗[/bold red]",
        )
    return table
