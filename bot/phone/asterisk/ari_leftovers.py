"""What a process that died has left on the switch, told from its channels and bridges.  Pure.

Its media, snoops, agents who were only being briefed and bridges are of no use to anybody.  A customer
and an agent who talk to each other go on; a customer left alone comes back as an arrival.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bot.phone.asterisk.ari_messages import Bridge, Channel, in_application

OUR_PREFIX = "huashu-"
"""Begins the id of every channel and bridge that we make."""
AGENT_PREFIX = f"{OUR_PREFIX}agent-"
_MEDIA = ("AudioSocket/", "WebSocket/", "Snoop/", "UnicastRTP/")


def is_useless(channel: Channel) -> bool:
    """Media, a snoop or an agent whom nobody in this process waits for."""
    return channel.name.startswith(_MEDIA) or channel.id.startswith(AGENT_PREFIX)


def bridge_prefix(app: str) -> str:
    """Begins the id of every bridge of one application (whose name has no ~)."""
    return f"{OUR_PREFIX}{app}~"


class Pair(NamedTuple):
    """Two people who talk to each other."""

    bridge_id: str
    customer_id: str
    agent_id: str


class Leftovers(NamedTuple):
    """`pairs` go on; `channels` and `bridges` are to be ended."""

    pairs: tuple[Pair, ...]
    channels: tuple[str, ...]
    bridges: tuple[str, ...]


def leftovers(app: str, channels: Sequence[Channel], bridges: Sequence[Bridge]) -> Leftovers:
    """Of the application `app`, seen by a process of it that has just begun."""
    here = {channel.id: channel for channel in channels if in_application(channel, app) is not None}
    pairs: list[Pair] = []
    useless: list[str] = []
    for bridge in bridges:
        if not bridge.id.startswith(bridge_prefix(app)):
            continue
        members = [here[one] for one in bridge.channels if one in here]
        agents = [one.id for one in members if one.id.startswith(AGENT_PREFIX)]
        customers = [one.id for one in members if not is_useless(one)]
        if len(agents) == len(customers) == 1:
            pairs.append(Pair(bridge.id, customers[0], agents[0]))
        else:
            useless.append(bridge.id)
    talking = {pair.agent_id for pair in pairs}
    ended = tuple(one.id for one in here.values() if is_useless(one) and one.id not in talking)
    return Leftovers(tuple(pairs), ended, tuple(useless))
