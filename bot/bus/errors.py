"""What can go wrong on the bus, as types."""

from __future__ import annotations


class BusError(Exception):
    """Any failure of the bus.  `retryable` tells whether the same call may succeed later."""

    retryable = False


class BusDown(BusError):
    """Redis does not answer: dead, restarting or out of reach."""

    retryable = True


class Fenced(BusError):
    """The writer's fencing token is old: another process has taken over.  Stop writing."""


class LeaseHeld(BusError):
    """Another owner holds the lease."""

    retryable = True


class CallClosed(BusError):
    """The log of this call is archived; nothing can be added to it."""
