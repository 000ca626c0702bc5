"""The names of all keys in Redis, in one place.  Each starts with `huashu:`."""

from __future__ import annotations

BRAINS = "huashu:brains"
DEAD_LETTERS = "huashu:dead"
LAST_TOKEN = "huashu:token"


def log(call_id: str) -> str:
    """The stream of a call's events."""
    return f"huashu:call:{call_id}:log"


def log_state(call_id: str) -> str:
    """The hash beside a call's log: last seq, fences, last number of each writer, closed."""
    return f"huashu:call:{call_id}:state"


def tracker(call_id: str) -> str:
    """The list of a call's dialogue, item by item."""
    return f"huashu:call:{call_id}:tracker"


def tracker_fence(call_id: str) -> str:
    """The fencing token of the brain that owns a call."""
    return f"huashu:call:{call_id}:brain"


def lease(name: str) -> str:
    """Who holds a lease: `owner token`."""
    return f"huashu:lease:{name}"


def inbox(brain: str) -> str:
    """The stream of requests for one brain."""
    return f"huashu:inbox:{brain}"


def replies(voice: str) -> str:
    """The stream of replies for one voice process."""
    return f"huashu:replies:{voice}"


def jobs(voice: str) -> str:
    """The stream of calls to be made by one voice process."""
    return f"huashu:jobs:{voice}"


def brain(name: str) -> str:
    """What one brain says of itself (JSON, expires)."""
    return f"huashu:brain:{name}"


def taken(voice: str) -> str:
    """The hash of calls that one voice process took and has not finished: call id → asker."""
    return f"huashu:taken:{voice}"


def results(asker: str) -> str:
    """The stream of what became of the calls that somebody asked for."""
    return f"huashu:results:{asker}"


def script_data(script: str, version: str) -> str:
    """What voice processes need of a script version (JSON)."""
    return f"huashu:script:{script}:{version}"
