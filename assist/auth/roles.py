"""PURE: what each role may do, and with whose calls.

One table.  `own`: the calls of the agent of that name; `team`: the calls of the supervisor's team
(all, where the supervisor belongs to none); `all`: every call of the tenant.  Other tenants' calls
do not exist for anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reach = Literal["own", "team", "all"]

PERMISSIONS: dict[str, dict[str, Reach]] = {
    "agent": {
        "calls.open": "own", "calls.write": "own", "calls.read": "own", "feedback": "own",
        "customer": "own", "after_call": "own", "knowledge": "own",
    },
    "supervisor": {
        "calls.read": "team", "customer": "team", "knowledge": "team", "after_call": "team",
        "whisper": "team", "live": "team",
    },
    "designer": {"knowledge": "all"},
    "operator": {
        "calls.open": "all", "calls.write": "all", "calls.read": "all", "feedback": "all",
        "live": "all", "tokens": "all",
    },
}  # fmt: skip
"""role → what it may do → with whose calls."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.  `session`: the hash of the browser's session, None for a machine with a token;
    `generation`: that of the user when this was given out."""

    tenant_id: str
    name: str
    role: str
    team: str | None = None
    generation: int = 0
    session: str | None = None

    def reach(self, permission: str) -> Reach | None:
        """With whose calls this one may do it; None: not at all."""
        return PERMISSIONS.get(self.role, {}).get(permission)

    def may(self, permission: str, agent_id: str, agent_team: str | None) -> bool:
        """Whether this one may do it with a call of that agent (of the same tenant)."""
        match self.reach(permission):
            case "all":
                return True
            case "team":
                return self.team is None or self.team == agent_team
            case "own":
                return self.name == agent_id
        return False
