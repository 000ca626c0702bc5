"""A job for a simulated call → what its driver knows of it; and the records of one that broke."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bot import events as ev
from bot.call.journal import CallFacts
from bot.phone.persona import Persona
from bot.processes.jobs import SimulatedCall

OPEN_FACTS = ("city", "timezone", "occupation", "language", "plan", "value_tier", "sim_type", "service")
"""Keys of a contact that tell nothing of who it is: these go to the log, the others do not."""


def call_facts(job: SimulatedCall, persona: Persona, version: str) -> CallFacts:
    """What is known of a call as it is answered, now."""
    contact = {**persona.contact, **(job.contact or {})}
    name = str(contact.get("name") or "")
    return CallFacts(
        call_id=job.call_id,
        tenant_id=job.tenant_id,
        started=datetime.now(ZoneInfo(str(contact.get("timezone") or "Asia/Shanghai"))),
        script=job.script or persona.script,
        script_version=version,
        contact=contact,
        customer={key: contact[key] for key in OPEN_FACTS if key in contact},
        campaign=job.campaign,
        direction=persona.direction,
        names=(name,) if name else (),
        seed=job.seed or persona.seed,
    )


def started(facts: CallFacts) -> ev.CallStarted:
    """call.started, for a call that ended before its driver began."""
    return ev.CallStarted(
        call_id=facts.call_id, tenant_id=facts.tenant_id, at_ms=0, wall=facts.wall(0),
        direction=facts.direction, mode="bot", script=facts.script, script_version=facts.script_version,
        customer=facts.customer,
    )  # fmt: skip


def broken(facts: CallFacts) -> ev.CallEnded:
    """The final record of a call that a fault ended."""
    at_ms = round((datetime.now(facts.started.tzinfo) - facts.started).total_seconds() * 1000)
    return ev.CallEnded(
        call_id=facts.call_id, tenant_id=facts.tenant_id, at_ms=at_ms, wall=facts.wall(at_ms),
        by="system", cause="fault", disposition="failed",
    )  # fmt: skip
