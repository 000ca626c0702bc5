"""What callers do to a phone line in a soak: most talk, some hang up, cut, stay silent, flood or rave.

Each behaviour is a coroutine over one Caller that ends when the caller has had enough, or raises
CallFailed when the engine ended the call.  What they send that is no Twilio message is meant to be so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import msgspec
from picows import WSMsgType

from benchmarks._talks import QUIET_S
from benchmarks._turns_of_callers import speech_of
from benchmarks._twilio_caller import Caller
from benchmarks.call_density import SAID

LISTENS_S = 40.0
SILENT_S = 90.0
KEYS = "0123456789*#"


class RoughCaller(Caller):
    """A caller who may also do what no switch does."""

    def send_text(self, message: bytes) -> None:
        """Any text message."""
        self._send(message)

    def send_binary(self, message: bytes) -> None:
        """A binary message, which Twilio never sends."""
        transport = self._transport
        if transport is not None and not transport.is_disconnected:
            transport.send(WSMsgType.BINARY, message)

    def cut(self) -> None:
        """Gone without a word: no stop, no close frame."""
        if self._transport is not None:
            self._transport.disconnect(False)

    def key(self, digit: str) -> None:
        """Press a key."""
        message = {"event": "dtmf", "sequenceNumber": str(self._next()), "streamSid": self.stream_sid}
        self._send(msgspec.json.encode({**message, "dtmf": {"track": "inbound_track", "digit": digit}}))


async def talks(caller: RoughCaller, random: Random) -> None:
    """Answers whatever the bot says until it hangs up, or until he has had enough."""
    for text in random.choices(SAID, k=random.randint(2, 2 * len(SAID))):
        await caller.until(lambda now: caller.play_out.quiet_s(now) >= QUIET_S or None, LISTENS_S)
        await asyncio.sleep(random.uniform(0.1, 0.8))
        speech = speech_of([text])
        caller.speak(speech)
        await asyncio.sleep(speech.sound_s + 1.0)


async def hangs_up(caller: RoughCaller, random: Random) -> None:
    """Leaves at any moment, the first included."""
    if random.random() < 0.5:
        caller.speak(speech_of([random.choice(SAID)]))
    await asyncio.sleep(random.choice((0.0, random.uniform(0.0, 2.0), random.uniform(0.0, 20.0))))


async def is_silent(caller: RoughCaller, random: Random) -> None:
    """Never says a word; the bot has to end it."""
    await caller.until(lambda now: None, SILENT_S)


async def cuts(caller: RoughCaller, random: Random) -> None:
    """The socket is gone in mid-word."""
    await asyncio.sleep(random.uniform(1.0, 10.0))
    speech = speech_of([random.choice(SAID)])
    caller.speak(speech)
    await asyncio.sleep(random.uniform(0.0, speech.sound_s))
    caller.cut()


async def floods_keys(caller: RoughCaller, random: Random) -> None:
    """Presses hundreds of keys at once, and again."""
    for _ in range(5):
        await asyncio.sleep(random.uniform(0.5, 2.0))
        for _ in range(200):
            caller.key(random.choice(KEYS))
    await asyncio.sleep(random.uniform(0.5, 3.0))


async def raves(caller: RoughCaller, random: Random) -> None:
    """Sends unknown events, which are to be ignored, then what no switch sends: the call is to end."""
    await asyncio.sleep(random.uniform(0.0, 6.0))
    for number in range(random.randint(0, 50)):
        caller.send_text(b'{"event":"weather","degrees":%d}' % number)
    stream = caller.stream_sid.encode()
    message = random.choice(
        (
            b"{",
            b"[]",
            b"\xff\xfe",
            b'{"event":"media","streamSid":"%b","media":{"payload":"%%%%"}}' % stream,
            b'{"event":"media","streamSid":"%b","media":7}' % stream,
            b'{"event":"start","streamSid":"%b"}' % stream,
            b'{"event":"connected","protocol":"Call","version":"1.0.0"}',
            b'{"event":"dtmf","streamSid":"%b","dtmf":{"digit":"Q"}}' % stream,
            b'{"event":"media","streamSid":"MZ0","media":{"payload":"//8="}}',
            b'{"event":"media","streamSid":"%b","media":{"payload":"%b"}}' % (stream, b"/" * 200_000),
            b"",
        )
    )
    if message:
        caller.send_text(message)
    else:
        caller.send_binary(random.randbytes(320))
    await caller.until(lambda now: None, 5.0)


Behaviour = Callable[[RoughCaller, Random], Awaitable[None]]
ROUGH: tuple[Behaviour, ...] = (hangs_up, is_silent, cuts, floods_keys, raves)
