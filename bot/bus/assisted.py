"""Assisted calls on the bus: opened, listened to, ended; what any web process or listener may do.

An utterance goes, by one Lua script, into the call's log, to those who watch the call, and into the
inbox of the assist worker that holds it.  The same utterance id again is not a second utterance.
Personal data is masked here, before anything is kept; the customer's file is kept sealed.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from redis.asyncio import Redis

from bot import events as ev
from bot.bus import assisted_scripts as scripts
from bot.bus import keys
from bot.bus.assisted_shapes import CallMeta, NoWorker, OpenCall, Posted, Utterance
from bot.bus.connection import command
from bot.bus.script import Call
from bot.bus.together import Together
from bot.understanding.masking import mask, mask_partial

__all__ = [
    "AssistedCalls",
    "CallMeta",
    "NoWorker",
    "OpenCall",
    "Posted",
    "Seal",
    "Utterance",
    "Workers",
    "masked_customer",
]

KEPT_S = 172_800
"""What nobody archives goes after two days."""
REMEMBERED_CALLS = 4096
TELL_MS = 1000
"""How often the worker hears that the customer goes on talking."""


class Seal(Protocol):
    """Keeps personal data unreadable outside the process (bot.store.sealing.Sealer)."""

    def seal(self, tenant_id: str, place: str, value: bytes) -> bytes: ...

    def open(self, tenant_id: str, place: str, sealed: bytes) -> bytes: ...


class Workers(Protocol):
    """Which assist workers live, and which should take a call of a script."""

    async def choose(self, script: str) -> tuple[str, str]:
        """(worker, script version).  Raises NoWorker."""

    async def alive(self, worker: str) -> bool:
        """Whether it lives."""


_meta_decoder = msgspec.json.Decoder(CallMeta)
_contact_decoder = msgspec.json.Decoder(OpenCall)


class AssistedCalls:
    """The assisted calls of one Redis, as seen by a web process or a listener."""

    def __init__(self, redis: Redis, seal: Seal, workers: Workers) -> None:
        self._redis = redis
        self._seal = seal
        self._workers = workers
        self._metas: OrderedDict[str, CallMeta] = OrderedDict()
        self._names: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._pinned: dict[str, str] = {}
        self._told: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._together: Together[Call] = Together(lambda calls: scripts.POST.run_many(redis, calls))

    async def open(self, call: OpenCall) -> CallMeta:
        """Begin a call; one of the same id that is there already is given back as it is.

        Raises NoWorker, BusDown.
        """
        worker, version = await self._workers.choose(call.script)
        meta = CallMeta(
            call_id=call.call_id, tenant_id=call.tenant_id, agent_id=call.agent_id, script=call.script,
            script_version=version, direction=call.direction, started=call.at,
            started_ms=int(time.time() * 1000), worker=worker, handed_over=call.handed_over,
        )  # fmt: skip
        event = ev.CallStarted(
            call_id=call.call_id, tenant_id=call.tenant_id, at_ms=0, wall=call.at,
            direction=call.direction, mode="assist", script=call.script, script_version=version,
            customer=masked_customer(call.contact), agent_id=call.agent_id,
        )  # fmt: skip
        row = {"call_id": call.call_id, "agent_id": call.agent_id, "script": call.script, "started": call.at}
        sealed = self._seal.seal(call.tenant_id, call.call_id, msgspec.json.encode(call))
        outcome, _ = await scripts.OPEN.run(
            self._redis,
            [
                keys.log(call.call_id), keys.log_state(call.call_id), keys.call_meta(call.call_id),
                keys.call_contact(call.call_id), keys.agent_call(call.tenant_id, call.agent_id),
                keys.live(call.tenant_id), keys.assist_inbox(worker), keys.assist_calls(worker),
            ],
            call.call_id, msgspec.json.encode(meta), sealed, ev.encode(event), keys.feed(call.call_id),
            keys.agent_channel(call.tenant_id, call.agent_id), worker, KEPT_S, msgspec.json.encode(row),
        )  # fmt: skip
        if outcome == b"repeat":
            there = await self.meta(call.call_id)
            return there or meta
        return meta

    async def post(self, call_id: str, utterances: Sequence[Utterance]) -> list[Posted]:
        """Take utterances in, in order, in one round trip.  Raises BusDown."""
        meta = await self.meta(call_id)
        if meta is None:
            return [Posted("unknown")] * len(utterances)
        names = await self._names_of(meta)
        wall = _wall_of(meta)
        return await self._append(
            meta,
            [
                (u.utterance_id, u.final, _event(meta, u, names, wall), self._telling(call_id, u))
                for u in utterances
            ],
        )

    async def feedback(
        self, call_id: str, suggestion_id: str, action: str, at_ms: int, text: str | None
    ) -> Posted:
        """The agent did something with a card; shown a second time (a reload) is no second event.

        Raises BusDown.
        """
        meta = await self.meta(call_id)
        if meta is None:
            return Posted("unknown")
        names = await self._names_of(meta)
        event = ev.FeedbackEvent(
            call_id=call_id, tenant_id=meta.tenant_id, at_ms=at_ms, wall=_wall_of(meta),
            suggestion_id=suggestion_id, action=action, text=mask(text, names) if text else None,  # type: ignore[arg-type]
        )  # fmt: skip
        once = f"\0shown {suggestion_id}" if action == "shown" else ""
        [posted] = await self._append(meta, [(once, action == "shown", ev.encode(event), True)])
        return posted

    async def whisper(self, call_id: str, text: str, by: str, number: str) -> Posted:
        """A supervisor's card for the agent.  `number` makes its id: `call_id.w<number>`."""
        meta = await self.meta(call_id)
        if meta is None:
            return Posted("unknown")
        at_ms = max(0, int(time.time() * 1000) - meta.started_ms)
        card: dict[str, Any] = {
            "id": f"{call_id}.w{number}", "call_id": call_id, "kind": "action", "text": text, "title": "班长",
            "why": by, "evidence": [], "node": None, "asks": None, "objection": None, "technique": None,
            "score": 1.0, "rank": 1, "ttl_ms": 60_000, "pinned": True, "t_utterance_end_ms": at_ms,
            "t_sent_ms": at_ms, "supersedes": None,
        }  # fmt: skip
        event = ev.SuggestionEvent(
            call_id=call_id, tenant_id=meta.tenant_id, at_ms=at_ms, wall=_wall_of(meta), suggestion=card
        )
        [posted] = await self._append(meta, [("", False, ev.encode(event), True)])
        return posted

    async def end(self, call_id: str, by: str, at_ms: int, disposition: str | None = None) -> Posted:
        """The call is over; its worker sums it up.  Raises BusDown."""
        meta = await self.meta(call_id)
        if meta is None:
            return Posted("unknown")
        worker = await self._worker_of(meta)
        how = msgspec.json.encode(
            {"by": by, "at_ms": at_ms, "disposition": disposition, "wall": _wall_of(meta)}
        )
        outcome, seq = await scripts.END.run(
            self._redis, [keys.log_state(call_id), keys.assist_inbox(worker)], call_id, how
        )
        return Posted(outcome.decode(), int(seq))

    async def reassign(self, call_id: str, agent_id: str) -> CallMeta | None:
        """Give the call to another agent; None where there is no such call.  Raises BusDown."""
        meta = await self.fresh_meta(call_id)
        if meta is None:
            return None
        after = msgspec.structs.replace(meta, agent_id=agent_id)
        await scripts.REASSIGN.run(
            self._redis,
            [
                keys.call_meta(call_id), keys.agent_call(meta.tenant_id, meta.agent_id),
                keys.agent_call(meta.tenant_id, agent_id),
            ],
            call_id, msgspec.json.encode(after), KEPT_S,
        )  # fmt: skip
        await command(self._redis, "PUBLISH", keys.agent_channel(meta.tenant_id, agent_id), call_id)
        self._metas.pop(call_id, None)
        return after

    async def meta(self, call_id: str) -> CallMeta | None:
        """Who holds the call, remembered for as long as this process lives; None: no such call."""
        found = self._metas.get(call_id)
        return found if found is not None else await self.fresh_meta(call_id)

    async def fresh_meta(self, call_id: str) -> CallMeta | None:
        """Who holds the call now.  Raises BusDown."""
        data = await command(self._redis, "GET", keys.call_meta(call_id))
        if data is None:
            return None
        meta = _meta_decoder.decode(data)
        _remember(self._metas, call_id, meta)
        return meta

    async def ended(self, call_id: str) -> bool:
        """Whether the call is over."""
        ended, closed = await command(self._redis, "HMGET", keys.log_state(call_id), "ended", "closed")
        return bool(ended or closed)

    async def contact(self, call_id: str) -> dict[str, Any] | None:
        """The customer's file, raw: for the call's own agent only.  None where it is gone."""
        call = await self.opening(call_id)
        return None if call is None else call.contact

    async def opening(self, call_id: str) -> OpenCall | None:
        """How the call began, contact and all; None where it is gone."""
        meta = await self.meta(call_id)
        sealed = await command(self._redis, "GET", keys.call_contact(call_id))
        if meta is None or sealed is None:
            return None
        return _contact_decoder.decode(self._seal.open(meta.tenant_id, call_id, sealed))

    async def snapshot(self, call_id: str) -> bytes | None:
        """The call as its worker last stored it (JSON); None before that."""
        data: bytes | None = await command(self._redis, "GET", keys.snapshot(call_id))
        return data

    async def call_of_agent(self, tenant_id: str, agent_id: str) -> str | None:
        """The id of the call that the agent has, or had last."""
        data = await command(self._redis, "GET", keys.agent_call(tenant_id, agent_id))
        return data.decode() if data else None

    async def live(self, tenant_id: str) -> list[bytes]:
        """The rows of all live calls (JSON objects)."""
        rows: list[bytes] = await command(self._redis, "HVALS", keys.live(tenant_id))
        return rows

    async def _append(self, meta: CallMeta, records: Sequence[tuple[str, bool, bytes, bool]]) -> list[Posted]:
        call_id, worker = meta.call_id, await self._worker_of(meta)
        names = [
            keys.log(call_id), keys.log_state(call_id), keys.utterances(call_id), keys.assist_inbox(worker),
        ]  # fmt: skip
        channel = keys.feed(call_id)
        results = await asyncio.gather(
            *(
                self._together.submit(
                    (names, (call_id, utterance_id, int(final), data, channel, KEPT_S, int(tell)))
                )
                for utterance_id, final, data, tell in records
            )
        )
        return [Posted(result[0].decode(), int(result[1])) for result in results]

    async def _worker_of(self, meta: CallMeta) -> str:
        """The worker that holds the call; where that one is dead, another takes it."""
        worker = self._pinned.get(meta.call_id, meta.worker)
        if await self._workers.alive(worker):
            return worker
        current = await command(self._redis, "HGET", keys.log_state(meta.call_id), "worker")
        if current is not None and current.decode() != worker:
            worker = current.decode()
        if not await self._workers.alive(worker):
            try:
                after, _ = await self._workers.choose(meta.script)
            except NoWorker:
                return worker  # it waits in the inbox for the one that is started again
            moved = await scripts.MOVE.run(
                self._redis,
                [
                    keys.log_state(meta.call_id), keys.assist_calls(worker), keys.assist_calls(after),
                    keys.assist_inbox(after),
                ],
                meta.call_id, worker, after,
            )  # fmt: skip
            worker = moved.decode()
        if len(self._pinned) > REMEMBERED_CALLS:
            self._pinned.clear()
        self._pinned[meta.call_id] = worker
        return worker

    def _telling(self, call_id: str, utterance: Utterance) -> bool:
        """Whether the worker must hear of words: all but a customer's partial ones, of which it needs
        to know only, once a second, that the customer goes on talking."""
        if utterance.final or utterance.party == "agent":
            return True
        told = self._told.get(call_id)
        if told is not None and told[0] == utterance.utterance_id and utterance.end_ms - told[1] < TELL_MS:
            return False
        _remember(self._told, call_id, (utterance.utterance_id, utterance.end_ms))
        return True

    async def _names_of(self, meta: CallMeta) -> tuple[str, ...]:
        found = self._names.get(meta.call_id)
        if found is None:
            contact = await self.contact(meta.call_id) or {}
            name = str(contact.get("name") or "")
            found = (name,) if name else ()
            _remember(self._names, meta.call_id, found)
        return found


def masked_customer(contact: dict[str, Any]) -> dict[str, Any]:
    """What a log may hold of a customer's file: no name, number, ID or address."""
    kept = ("id", "sex", "age", "city", "plan", "value_tier", "tenure_months", "language", "timezone")
    return {key: contact[key] for key in kept if contact.get(key) is not None}


def _event(meta: CallMeta, utterance: Utterance, names: tuple[str, ...], wall: str) -> bytes:
    masked = mask(utterance.text, names)
    kind: type[ev.UtteranceFinal] | type[ev.UtterancePartial] = ev.UtteranceFinal
    if not utterance.final:
        masked, kind = mask_partial(masked), ev.UtterancePartial
    return ev.encode(
        kind(
            call_id=meta.call_id, tenant_id=meta.tenant_id, at_ms=utterance.end_ms, wall=wall,
            party=utterance.party, utterance_id=utterance.utterance_id, text=masked,
            begin_ms=utterance.begin_ms, end_ms=utterance.end_ms, asr_confidence=utterance.asr_confidence,
        )
    )  # fmt: skip


def _wall_of(meta: CallMeta) -> str:
    """Wall time now, in the offset of the call's start."""
    from datetime import datetime

    zone = datetime.fromisoformat(meta.started).tzinfo
    return datetime.now(zone).isoformat(timespec="milliseconds")


def _remember(store: OrderedDict[str, Any], key: str, value: Any) -> None:
    store[key] = value
    while len(store) > REMEMBERED_CALLS:
        store.popitem(last=False)
