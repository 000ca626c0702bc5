"""The voice process's own record of each call: one append-only file, one event a line.

An event is in the file before anything else is done with it, so neither a dead Redis nor a killed
process loses it.  The file goes when the call is archived; a file that no living process holds is
a call that was cut off, to be ended and archived by whoever finds it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self
from urllib.parse import quote, unquote

_SUFFIX = ".events"


class JournalError(Exception):
    """The journal cannot be written (disk full, no right to): the call cannot be recorded."""


class Journal:
    """One call's file.  `records` holds what it holds, in order."""

    def __init__(self, path: Path, descriptor: int, records: list[bytes]) -> None:
        self.path = path
        self.records = records
        self._descriptor = descriptor

    @classmethod
    def create(cls, folder: Path, call_id: str) -> Self:
        """A new file for `call_id`.  Raises JournalError, also where there is one already."""
        path = folder / (quote(call_id, safe="") + _SUFFIX)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(f"{path}: the call cannot be recorded: {error.strerror}") from error
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(path, descriptor, [])

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """The file of a process that died, with what it holds; None where its process lives.

        A last line that was cut off is dropped.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        os.ftruncate(descriptor, whole)
        return cls(path, descriptor, data[:whole].split(b"\n")[:-1])

    @property
    def call_id(self) -> str:
        """Whose file it is."""
        return unquote(self.path.name.removesuffix(_SUFFIX))

    def append(self, record: bytes) -> int:
        """Write one record (no newline in it), give its number, from 1.  Raises JournalError."""
        line = record + b"\n"
        try:
            written = os.write(self._descriptor, line)
            if written != len(line):
                os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)
                raise JournalError(f"{self.path}: the disk is full; free some space")
        except OSError as error:
            raise JournalError(f"{self.path}: cannot be written: {error.strerror}") from error
        self.records.append(record)
        return len(self.records)

    def close(self) -> None:
        """Let go of the file; it stays."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """The call is archived: the file goes."""
        self.path.unlink(missing_ok=True)
        self.close()


def left_over(folder: Path) -> Iterator[Journal]:
    """The files in `folder` of processes that died, each now held by this one."""
    for path in sorted(folder.glob("*" + _SUFFIX)):
        journal = Journal.adopt(path)
        if journal is not None:
            yield journal
