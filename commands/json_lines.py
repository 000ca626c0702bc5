"""Commands that read and write one JSON object a line, for people's pipes and outside harnesses."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

MAX_LINE = 1_000_000


class BadLine(ValueError):
    """A line that is no JSON object; says which and why."""


def lines_in() -> Iterator[dict[str, Any] | BadLine]:
    """The JSON objects of standard input; a BadLine in place of each line that is none."""
    for number, raw in enumerate(iter(sys.stdin.buffer.readline, b""), start=1):
        if not raw.strip():
            continue
        if len(raw) > MAX_LINE:
            yield BadLine(f"line {number}: longer than {MAX_LINE} bytes → send less at once")
            continue
        try:
            item = json.loads(raw)
        except (ValueError, RecursionError) as error:
            yield BadLine(f"line {number}: not JSON ({error}) → one JSON object a line")
            continue
        if isinstance(item, dict):
            yield item
        else:
            yield BadLine(f"line {number}: not an object → write {{…}}")


def line_out(item: dict[str, Any]) -> None:
    """One JSON object to standard output, at once."""
    sys.stdout.write(json.dumps(item, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """One line to standard error."""
    print(f"huashu: {message}", file=sys.stderr)
