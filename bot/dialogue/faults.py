"""A fault in a script: where it is, what it is, and the fix.  One line each, as compilers write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Fault:
    """One fault.  `line` and `column` count from 1; `code` is E… for errors, W… for warnings."""

    path: Path
    line: int
    column: int
    code: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.code} {self.message} → {self.fix}"

    @property
    def is_error(self) -> bool:
        """Errors stop a training; warnings do not."""
        return self.code.startswith("E")
