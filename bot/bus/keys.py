"""The names of all keys in Redis, in one place.  Each starts with `huashu:`."""

from __future__ import annotations

DEAD_LETTERS = "huashu:dead"
WEB_ANCHOR = "huashu:web"
"""A channel on which nothing is said: every web process listens to it, so that it always listens."""
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


def members(kind: str) -> str:
    """The names of all processes of a kind (brain, assist)."""
    return f"huashu:{kind}s"


def member(kind: str, name: str) -> str:
    """What one process of a kind says of itself (JSON, expires)."""
    return f"huashu:{kind}:{name}"


def feed(call_id: str) -> str:
    """The channel on which each event of a call is published as it is appended: `seq event`."""
    return f"huashu:call:{call_id}:feed"


def utterances(call_id: str) -> str:
    """The hash of a call's final utterances: utterance id → seq."""
    return f"huashu:call:{call_id}:utterances"


def call_meta(call_id: str) -> str:
    """Who holds an assisted call, and of which script it is (JSON)."""
    return f"huashu:call:{call_id}:meta"


def call_contact(call_id: str) -> str:
    """The customer's file of an assisted call, sealed."""
    return f"huashu:call:{call_id}:contact"


def snapshot(call_id: str) -> str:
    """An assisted call as it stood after its last final line (JSON)."""
    return f"huashu:call:{call_id}:snapshot"


def agent_call(tenant_id: str, agent_id: str) -> str:
    """The id of the call that an agent has now."""
    return f"huashu:agent:{tenant_id}:{agent_id}"


def agent_channel(tenant_id: str, agent_id: str) -> str:
    """The channel on which the id of each new call of an agent is published."""
    return f"huashu:agent:{tenant_id}:{agent_id}:calls"


def live(tenant_id: str) -> str:
    """The hash of live assisted calls: call id → row for the supervisor (JSON)."""
    return f"huashu:live:{tenant_id}"


def ticket(digest: str) -> str:
    """What a one-time ticket for a feed is good for (JSON, expires), by the ticket's hash."""
    return f"huashu:ticket:{digest}"


def log_in_failures(who: str) -> str:
    """How often logging in failed lately, from an address, or (a hash) of one name from it."""
    return f"huashu:login:{who}"


def assist_inbox(worker: str) -> str:
    """The stream of what happens in the calls of one assist worker."""
    return f"huashu:assist:{worker}:inbox"


def assist_calls(worker: str) -> str:
    """The set of calls that one assist worker holds."""
    return f"huashu:assist:{worker}:calls"


def taken(voice: str) -> str:
    """The hash of calls that one voice process took and has not finished: call id → asker."""
    return f"huashu:taken:{voice}"


def results(asker: str) -> str:
    """The stream of what became of the calls that somebody asked for."""
    return f"huashu:results:{asker}"


def script_data(script: str, version: str) -> str:
    """What voice processes need of a script version (JSON)."""
    return f"huashu:script:{script}:{version}"


def expected(token: str) -> str:
    """A call that is about to come up on a line (JSON, expires), by the token that claims it."""
    return f"huashu:expected:{token}"
