"""Progress on anything longer than two seconds: what is being done, and for how long already."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

FIRST_S = 2.0
NOT_A_TERMINAL_EVERY_S = 15.0


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show `what` with the seconds that went by, on standard error, until the block ends.

    A terminal sees one line that counts; a log gets a line every 15 s.  Work under two seconds
    shows nothing.
    """
    done = threading.Event()
    thread = threading.Thread(target=_show, args=(what, done, sys.stderr.isatty()), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _show(what: str, done: threading.Event, terminal: bool) -> None:
    started = time.monotonic()
    if done.wait(FIRST_S):
        return
    while True:
        seconds = time.monotonic() - started
        if terminal:
            print(f"\r话术 · {what} … {seconds:.0f} s ", end="", file=sys.stderr, flush=True)
        else:
            print(f"话术 · {what} … {seconds:.0f} s", file=sys.stderr, flush=True)
        if done.wait(1.0 if terminal else NOT_A_TERMINAL_EVERY_S):
            break
    if terminal:
        print(f"\r话术 · {what} · {time.monotonic() - started:.0f} s   ", file=sys.stderr, flush=True)
