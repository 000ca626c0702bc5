"""The turn that is running in this task: what its actions did, which wordings it used.

Many calls run their turns concurrently in one process; each turn sees its own record through a
context variable.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class RunningTurn:
    """`said` counts how often each wording (node, variant) was used in the call so far;
    `seed` fixes the choice of wordings; `failed` is the first exception of an action."""

    seed: int
    said: dict[tuple[str, int], int]
    last_text: str = ""
    failed: BaseException | None = None


running_turn: ContextVar[RunningTurn] = ContextVar("running_turn")
