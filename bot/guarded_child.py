"""Child processes that never outlive their parent, however that one ends (kill -9 too).

Between the two stands a small shell that reads its own stdin, a pipe from the parent: when the
pipe closes it sends SIGTERM to the child.  It ends when the child ends, with the child's code.
"""

from __future__ import annotations

from collections.abc import Sequence

_GUARD = """
exec 3<&0
"$@" 3<&- & child=$!
( read _ <&3; kill -TERM $child 2>/dev/null ) >/dev/null 2>&1 & guard=$!
exec 3<&-
wait $child; code=$?
kill $guard 2>/dev/null
exit $code
"""


def guarded(command: Sequence[str]) -> list[str]:
    """`command`, guarded.  Start it with a pipe as stdin and in a session of its own (so that Ctrl-C
    reaches the parent only); closing the pipe ends it."""
    return ["/bin/sh", "-c", _GUARD, "huashu", *command]
