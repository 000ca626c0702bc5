"""The dialogue engine: script versions side by side, calls in memory, one turn in, one reply out.

A turn is answered once: a repeat of (call, turn) gets the remembered reply.  A speculative turn
runs on a fork where effects are forbidden.  A call that another process began is rebuilt by
running its recorded turns again; effects are idempotent by (call, turn), so none happens twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from actions.context import CallContext
from actions.context import current as current_call
from actions.memory import MemoryEffects
from actions.ports import EffectForbidden, Effects, ForbiddenEffects
from actions.state import asked_after
from bot.dialogue import replies
from bot.dialogue.call_state import CallState, SpokenLine, wall_time
from bot.dialogue.journal import MemoryTurns, Turns, decode_record, encode_record
from bot.dialogue.meaning import AFTER, ID_LAST4_TOKEN, Meaning, keypad_meaning, signal_meaning, tokenised
from bot.dialogue.running import RunningTurn, running_turn
from bot.dialogue.script_files import ScriptError
from bot.dialogue.version import ScriptVersion
from bot.grading import grade
from bot.turn import Reply, TurnRequest
from bot.understanding.acts import ACTS, steering_act
from bot.understanding.masking import mask, mask_partial
from bot.understanding.normalize import clean

logger = logging.getLogger(__name__)

MASKED_SLOTS = {"title": "<NAME>"}
"""Slots whose values name the customer, and what is shown instead."""


@lru_cache(maxsize=4096)
def _masked(value: str, names: tuple[str, ...]) -> str:
    """`mask`, once for each value: slots change seldom."""
    return mask(value, names)


class Engine:
    """Answers turns for many calls.  `effects` is the world that actions may change;
    `turns` keeps each call's record so that another engine can go on."""

    def __init__(self, *, effects: Effects | None = None, turns: Turns | None = None) -> None:
        self.effects: Effects = effects or MemoryEffects()
        self.turns: Turns = turns or MemoryTurns()
        self.versions: dict[tuple[str, str], ScriptVersion] = {}
        self._newest: dict[str, ScriptVersion] = {}
        self._calls: dict[tuple[str, str], CallState] = {}

    @classmethod
    async def load(
        cls,
        scripts: Sequence[str],
        *,
        effects: Effects | None = None,
        turns: Turns | None = None,
        root: Path | None = None,
    ) -> Engine:
        """An engine with the newest version of each script.  Raises ScriptError."""
        engine = cls(effects=effects, turns=turns)
        for name in scripts:
            engine.add(ScriptVersion.load(name, root=root))
        return engine

    def add(self, version: ScriptVersion) -> None:
        """Serve a version beside those already there; new calls of its script take it."""
        self.versions[version.name, version.version] = version
        self._newest[version.name] = version

    def version_for(self, script: str, version: str | None = None) -> ScriptVersion:
        """The version asked for, else the newest of the script.  Raises ScriptError."""
        found = self.versions.get((script, version)) if version else self._newest.get(script)
        if found is None:
            have = ", ".join(f"{name}@{number}" for name, number in self.versions)
            raise ScriptError(f"script {script}@{version or 'newest'} is not loaded here → loaded: {have}")
        return found

    async def ask(self, request: TurnRequest) -> Reply:
        """The reply to one turn.  Never raises for a fault of script, contact or request: the
        reply then carries `error` and ends the call."""
        try:
            return await self._ask(request)
        except (ScriptError, ValueError, KeyError) as error:
            logger.error("call %s turn %s: %s", request.call_id, request.turn, error)
            return Reply(
                call_id=request.call_id, turn=request.turn, ended=True, disposition="failed", error=str(error)
            )

    async def _ask(self, request: TurnRequest) -> Reply:
        key = (request.tenant_id, request.call_id)
        if request.kind == "open":
            state = self._calls.get(key)
            if state is None:
                state = self._calls[key] = self._opened(request)
        else:
            state = self._calls.get(key) or await self._rebuilt(request)
        if request.speculative:
            return await self._speculate(state.fork(), request)
        async with state.lock:
            if request.turn in state.answers:
                return state.answers[request.turn]
            if state.ended is not None and request.kind != "transfer_failed":
                return msgspec.structs.replace(state.ended, turn=request.turn)
            meaning, spent = self._understood(state, request)
            record = encode_record(request, meaning, self._masked_words(state, request))
            reply = await self._turn(state, request, meaning, self.effects, spent)
            if not reply.error:
                await self.turns.append(request.tenant_id, request.call_id, record)
            state.remember(reply)
            return reply

    def forget(self, tenant_id: str, call_id: str) -> None:
        """Free the memory of a call that is over."""
        self._calls.pop((tenant_id, call_id), None)

    def _opened(self, request: TurnRequest) -> CallState:
        if request.script is None or request.contact is None:
            raise ValueError("an open turn needs script and contact")
        version = self.version_for(request.script, request.script_version)
        return CallState(
            call_id=request.call_id,
            tenant_id=request.tenant_id,
            version=version,
            tracker=version.processor.new_tracker(request.call_id),
            contact=request.contact,
            campaign=request.campaign or {},
            seed=request.seed,
            direction=request.direction,
        )

    async def _rebuilt(self, request: TurnRequest) -> CallState:
        """The state of a call that began elsewhere, by running its recorded turns again."""
        records = await self.turns.load(request.tenant_id, request.call_id)
        if not records:
            raise ValueError(f"call {request.call_id} is unknown here and has no record")
        state: CallState | None = None
        for data in records:
            past, meaning = decode_record(data)
            if state is None:
                state = self._opened(past)
            reply = await self._turn(state, past, meaning, self.effects, 0.0)
            state.remember(reply)
        assert state is not None
        self._calls[request.tenant_id, request.call_id] = state
        logger.info("call %s rebuilt from %d turns", request.call_id, len(records))
        return state

    async def _speculate(self, fork: CallState, request: TurnRequest) -> Reply:
        meaning, spent = self._understood(fork, request)
        return await self._turn(fork, request, meaning, ForbiddenEffects(), spent)

    def _understood(self, state: CallState, request: TurnRequest) -> tuple[Meaning, float]:
        """(meaning, milliseconds it took)."""
        last4 = str(state.contact.get("id_last4") or "") or None
        if request.acts is not None:
            return tokenised(Meaning(request.acts, request.entities), last4), 0.0
        signal = signal_meaning(request)
        if signal is not None:
            return signal, 0.0
        if request.kind == "dtmf":
            return tokenised(keypad_meaning(request.digits or "", state.expects), last4), 0.0
        started = time.perf_counter()
        text = clean(request.text or "")
        if not text:
            return Meaning(({"name": "no_match", "confidence": 1.0},), ()), 0.0
        meaning = state.version.understand(
            text, AFTER[state.expects], wall_time(request).astimezone(state.zone)
        )
        return tokenised(meaning, last4), (time.perf_counter() - started) * 1000

    async def _turn(
        self, state: CallState, request: TurnRequest, meaning: Meaning, effects: Effects, understand_ms: float
    ) -> Reply:
        started = time.perf_counter()
        heard = state.heard_lines(request)
        act = self._steering(state, request, meaning, heard)
        for line in heard:
            if line.finished:
                state.heard.update(line.metadata.get("discloses") or ())
        running = RunningTurn(seed=state.seed, said=state.said, last_text=state.last_text)
        context = CallContext(
            call_id=state.call_id,
            tenant_id=state.tenant_id,
            turn=request.turn,
            campaign=state.campaign,
            script=state.version.settings,
            contact={
                **state.contact,
                **({"id_last4": ID_LAST4_TOKEN.strip("<>")} if state.contact.get("id_last4") else {}),
            },
            now=wall_time(request),
            effects=effects,
            heard=heard,
            evidence=state.evidence,
            act=act,
            acts=meaning.acts,
            entities=meaning.entities,
            text=self._masked_words(state, request),
            utterance_id=request.utterance_id,
            direction=state.direction,
        )
        turn_token, call_token = running_turn.set(running), current_call.set(context)
        try:
            events = await self._run(state, request, meaning, act, running)
        finally:
            running_turn.reset(turn_token)
            current_call.reset(call_token)
        if isinstance(running.failed, EffectForbidden):
            return Reply(call_id=request.call_id, turn=request.turn, speculation="effect")
        state.acts.update(item["name"] for item in meaning.acts)
        return self._reply(state, request, meaning, context, events, understand_ms, started)

    @staticmethod
    def _masked_words(state: CallState, request: TurnRequest) -> str:
        """The words without personal data; where digits were asked for, without any run of digits."""
        masked = mask(request.text or "", state.names)
        return mask_partial(masked) if state.expects == "digits" else masked

    @staticmethod
    def _steering(
        state: CallState, request: TurnRequest, meaning: Meaning, heard: Sequence[SpokenLine]
    ) -> str:
        """The one act that Rasa's policies see."""
        if not meaning.understood:
            return "no_match"
        if request.kind == "say" and meaning.acts[0]["name"] in ACTS:
            asked = asked_after(state.tracker.get_slot("asked"), heard)
            return steering_act(meaning.acts, meaning.entities, asked)
        return str(meaning.acts[0]["name"])

    async def _run(
        self, state: CallState, request: TurnRequest, meaning: Meaning, act: str, running: RunningTurn
    ) -> list[Any]:
        """Run the act; where an action failed, put the tracker back and run `action_failed`."""
        processor = state.version.processor
        state.tracker = processor.compacted(state.tracker)
        before = list(state.tracker.events)
        parse_data = {
            "text": "",
            "intent": {"name": act, "confidence": meaning.acts[0]["confidence"] if meaning.acts else 0.0},
            "entities": list(meaning.entities),
        }
        events = await processor.run(state.tracker, "", act, parse_data, {})
        if running.failed is None or isinstance(running.failed, EffectForbidden):
            return events
        failure, running.failed = running.failed, None
        if request.kind == "open":
            raise ScriptError(str(failure)) from failure
        logger.error("call %s turn %s: action failed: %r", state.call_id, request.turn, failure)
        state.tracker = processor.rebuilt(state.call_id, before)
        data = {"text": "", "intent": {"name": "action_failed", "confidence": 1.0}, "entities": []}
        events = await processor.run(state.tracker, "", "action_failed", data, {})
        if running.failed is not None:
            raise ScriptError(f"after a failed action: {running.failed}") from running.failed
        return events

    def _reply(
        self,
        state: CallState,
        request: TurnRequest,
        meaning: Meaning,
        context: CallContext,
        events: list[Any],
        understand_ms: float,
        started: float,
    ) -> Reply:
        lines = replies.spoken_lines(events)
        state.turn = request.turn
        state.last_lines = tuple(lines)
        if lines:
            state.last_text = lines[-1][0].text
            state.stage = replies.last_value(lines, "stage") or state.stage
            state.expects = replies.expected_after(lines, state.expects)
        disposition = replies.last_value(lines, "ends") or context.ends
        tier, reasons = grade(disposition or "hung_up", state.acts, "offer_heard" in state.heard)
        reply = Reply(
            call_id=request.call_id,
            turn=request.turn,
            node=lines[0][0].node if lines else None,
            nodes=tuple(line.node for line, _ in lines),
            lines=tuple(line for line, _ in lines),
            stage=state.stage,
            expects=state.expects,
            ended=bool(disposition),
            disposition=disposition,
            grade=tier,
            reasons=reasons,
            slots=self._visible_slots(state),
            acts=meaning.acts,
            entities=meaning.entities,
            actions=replies.with_results(replies.executed(events), context.results),
            handover=context.handover,
            ms={
                "understand": round(understand_ms, 2),
                "decide": round((time.perf_counter() - started) * 1000, 2),
            },
            speculation="ready" if request.speculative else None,
        )
        if reply.ended:
            state.ended = reply
        return reply

    def _visible_slots(self, state: CallState) -> dict[str, Any]:
        return {
            name: MASKED_SLOTS.get(name) or (_masked(value, state.names) if isinstance(value, str) else value)
            for name, value in state.tracker.current_slot_values().items()
            if value is not None and name not in ("requested_slot", "session_started_metadata")
        }
