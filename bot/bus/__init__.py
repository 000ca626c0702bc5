"""What is live, in Redis: event logs of calls, leases and fences, requests and replies, trackers.

log       the event log of each call: one Lua append, sequence numbers, resuming
journal   the voice process's own file of each call, so that a dead Redis loses nothing
lease     exclusive ownership with fencing tokens
streams   requests to brains and replies to voices, with dead letters
trackers  a call's dialogue, append-only, so that another brain can rebuild it
"""

from bot.bus.connection import connect
from bot.bus.errors import BusDown, BusError, CallClosed, Fenced, LeaseHeld

__all__ = ["BusDown", "BusError", "CallClosed", "Fenced", "LeaseHeld", "connect"]
