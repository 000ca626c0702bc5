"""Follows one human call in the script: every line of either side in, advice out.

The customer's lines are understood by the script's Rasa pipeline, the agent's are recognised as lines of
the script; a shadow tracker follows; facts, stage, objection, duties and cards come from it.  Runs in
one thread, without I/O and without a clock: times come with the lines, so a log replays to the same
advice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal

import msgspec

from assist.hearing import duties, facts, tone
from assist.hearing.agent_lines import SPOKEN, AgentLines, is_question
from assist.learning.decision import Scored
from assist.learning.policy import Policy
from assist.panel import changed, panel_of
from assist.steering import Steering, sale_variables, steering_for
from assist.suggest import after_call, ranking, stage
from assist.suggest.candidates import candidates
from assist.suggest.card import text_of
from assist.suggest.model import STAGES, Alarm, Candidate, CheckItem, Said, Suggestion
from assist.suggest.pace import Screen
from assist.suggest.picture import Picture
from assist.suggest.script import AssistScript
from assist.suggest.situation import situation
from assist.turning import note_objections, note_pitches, prices_known, reread
from bot.dialogue.shadow import ShadowTracker
from bot.dialogue.version import ScriptVersion
from bot.understanding.acts import steering_act
from bot.understanding.normalize import clean
from bot.understanding.values import extract

Party = Literal["customer", "agent"]
KEPT_LINES: Final = 200
FIRM: Final = 0.3
"""Confidence from which an objection or a refusal counts."""
WHOLE_LINE: Final = 16
"""Characters from which an agent's line is an answer of its own, not 好的好的我明白."""
NO_ACT: Final = "no_match"
READING: Final = 0.62
"""Likeness of the agent's words so far to the card's first words from which it is being read."""
_FAREWELL: Final = re.compile(r"再见|拜拜|先这样(啊|吧|了)|挂了(啊|吧)?$|bye", re.IGNORECASE)


@dataclass
class Heard:
    """What one line led to.  `panel`: the parts of the panel that changed; `cards`: new cards, best
    first; `spoken`: ids of cards that the agent's words were; `decision`: for the ranker's log."""

    said: Said | None = None
    alarms: list[Alarm] = field(default_factory=list)
    cards: list[Suggestion] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    panel: dict[str, Any] = field(default_factory=dict)
    decision: Decided | None = None


@dataclass(frozen=True)
class Decided:
    """A decision of the ranker with all that it was made from."""

    seq: int
    candidates: tuple[Scored, ...]
    context: Mapping[str, float]
    key: str
    propensity: float
    policy_version: str
    suggestion_id: str | None


class Shadow:
    """One assisted call.  `started`: wall time with offset; `policy`: the ranker's version."""

    def __init__(
        self,
        version: ScriptVersion,
        script: AssistScript,
        lines: AgentLines,
        policy: Policy,
        *,
        call_id: str,
        contact: Mapping[str, Any],
        started: datetime,
    ) -> None:
        self._version = version
        self._lines = lines
        self._policy = policy
        self._started = started
        self._tracker = ShadowTracker(version, call_id)
        self._steering: Steering = steering_for(version, script)
        self.picture = Picture(
            call_id=call_id, script=script, variables=sale_variables(version, contact, started)
        )
        self.picture.facts = facts.file_facts(contact, script.facts, facts.FROM_FILE)
        self.picture.checklist = {
            item.key: CheckItem(key=item.key, title=item.title.zh, text="") for item in script.must_say
        }
        self.screen = Screen()
        self.cards: dict[str, Suggestion] = {}
        self._number = 0
        self._decisions = 0
        self._situation = situation(self.picture, self._today)
        self._panel: dict[str, Any] = {}
        self._texts_of_duties()

    @property
    def _today(self) -> date:
        return self._started.date()

    def begin(
        self, earlier: Sequence[Mapping[str, Any]] = (), known: Mapping[str, Any] | None = None
    ) -> Heard:
        """The call begins: the brief.  `earlier`: what was said before a handover; `known`: facts then."""
        for name, value in (known or {}).items():
            self.picture.facts.setdefault(
                name, facts.known_fact(name, value, self.picture.script.facts.get(name))
            )
        heard = Heard()
        for line in earlier:
            party: Party = "customer" if line["party"] == "customer" else "agent"
            acts = tuple(line["acts"]) if line.get("acts") else None
            self.utterance(
                str(line["utterance_id"]), party, str(line["text"]), int(line.get("begin_ms", 0)),
                int(line.get("end_ms", 0)), acts=acts, entities=tuple(line.get("entities") or ()),
                quiet=True,
            )  # fmt: skip
        self._panel = {}  # the brief is the whole panel, whatever the earlier lines changed
        heard.panel = self._changes()
        return heard

    def partial(self, utterance_id: str, party: Party, text: str, at_ms: int) -> Heard:
        """Words so far: alarms at the word, a card being read aloud; never a new card."""
        heard = Heard()
        self.picture.now_ms = max(self.picture.now_ms, at_ms)
        if party == "customer":
            self.picture.speaking = (utterance_id, at_ms)
            return heard
        heard.alarms = duties.forbidden(self.picture.script, text, utterance_id, at_ms, self.picture.alarms)
        self.picture.alarms += heard.alarms
        primary = self.screen.primary
        if primary is not None and self._reads(text, primary.text):
            self.screen.begin_reading(at_ms)
        if heard.alarms:
            heard.panel = self._changes()
        return heard

    def utterance(
        self,
        utterance_id: str,
        party: Party,
        text: str,
        begin_ms: int,
        end_ms: int,
        *,
        acts: tuple[dict[str, Any], ...] | None = None,
        entities: tuple[dict[str, Any], ...] = (),
        quiet: bool = False,
    ) -> Heard:
        """A final line.  `acts`: its meaning where it is known already; `quiet`: no cards, it is past."""
        picture = self.picture
        picture.now_ms = max(picture.now_ms, end_ms)
        text = clean(facts.with_pauses(text))
        picture.farewell = bool(_FAREWELL.search(text))
        if party == "customer":
            heard = self._customer(utterance_id, text, begin_ms, end_ms, acts, entities)
        else:
            heard = self._agent(utterance_id, text, begin_ms, end_ms)
        assert heard.said is not None
        picture.said = [*picture.said, heard.said][-KEPT_LINES:]
        picture.stage = stage.stage_of(picture)
        picture.layer = stage.layer_of(picture)
        self._due()
        self._situation = situation(picture, self._today)
        self._texts_of_duties()
        if party == "customer":
            slots = self._steering.slots(picture, self._situation.ready)
            self._tracker.customer(text, picture.acts[0], heard.said.entities, slots)
            picture.steps = self._steering.steps(self._tracker.next_steps())
            if not quiet:
                self._advise(heard, end_ms)
        else:
            self._tracker.agent(heard.said.nodes)
            self._steering.agent(heard.said.nodes)
            if not quiet:
                self._after_agent(heard, end_ms)
        heard.panel = self._changes()
        return heard

    def feedback(self, suggestion_id: str, action: str, at_ms: int) -> Heard:
        """The agent marked a card: used and dismissed take it down."""
        heard = Heard()
        card = self.cards.get(suggestion_id)
        if card is not None and action in ("used", "edited", "dismissed", "spoken"):
            if action == "dismissed":
                self.picture.rejected.add(_key_of(card))
            self.screen.remove(suggestion_id)
        heard.panel = self._changes()
        return heard

    def whisper(self, card: Suggestion) -> Heard:
        """A supervisor's card: it stands before all others until it is dealt with."""
        self.cards[card.id] = card
        self.screen.whisper(card, self.picture.now_ms)
        return Heard(panel=self._changes())

    def tick(self, now_ms: int) -> Heard:
        """Time has passed: cards whose time is over go."""
        self.picture.now_ms = max(self.picture.now_ms, now_ms)
        return Heard(panel=self._changes() if self.screen.expire(now_ms) else {})

    def end(self, ended_at: datetime, disposition: str | None = None) -> dict[str, Any]:
        """The call is over: the after-call form, filled in."""
        self.screen.show((), self.picture.now_ms)
        self._changes()
        return after_call.after_call(self.picture, ended_at, disposition)

    def panel(self) -> dict[str, Any]:
        """The whole panel as it stands (reckoned when something changed)."""
        return dict(self._panel)

    def _customer(
        self,
        utterance_id: str,
        text: str,
        begin_ms: int,
        end_ms: int,
        acts: tuple[dict[str, Any], ...] | None,
        entities: tuple[dict[str, Any], ...],
    ) -> Heard:
        picture = self.picture
        if acts is None:
            meaning = self._version.understand(text, picture.expects, self._started)
            acts, entities = (meaning.acts if meaning.understood else ()), meaning.entities
        names = tuple(str(act["name"]) for act in acts)
        firm = tuple(str(act["name"]) for act in acts if act.get("confidence", 1.0) >= FIRM)
        steering = steering_act(acts, entities, picture.pending) if acts else NO_ACT
        if not acts and (picture.pending is not None or picture.expects == "open_question"):
            steering = "inform"  # what nobody taught the classifier is, after a question, an answer
        said = Said(
            utterance_id=utterance_id, party="customer", text=text, begin_ms=begin_ms, end_ms=end_ms,
            acts=acts, entities=entities, sentiment=tone.sentiment(text, names),
        )  # fmt: skip
        picture.customer_lines += 1
        picture.customer_ms += max(0, end_ms - begin_ms)
        if picture.speaking is not None and picture.speaking[0] == utterance_id:
            picture.speaking = None
        asked, before = picture.pending, picture.agent
        words = before.text if before is not None else ""
        line = facts.Line(utterance_id, text, end_ms, names, entities, words, self._today)
        news = facts.from_line(
            picture.script.facts, line, picture.pending, picture.offered, late=bool(picture.pitched)
        )
        if tone.leaving_words(picture.script, text):
            news.append(facts.known_fact("leaving", True, None, "speech", utterance_id, end_ms))
        picture.facts = facts.merged(picture.facts, news)
        told = any(fact.name == asked for fact in news)
        instead = reread(picture, steering, acts, asked, told=told and not is_question(text))
        firm = tuple(instead if name == steering else name for name in firm)
        names = tuple(instead if name == steering else name for name in names)
        if instead != steering:
            told_acts = ({**act, "name": instead} if act["name"] == steering else act for act in acts)
            said = msgspec.structs.replace(said, acts=tuple(told_acts))
        steering = instead
        for kind, points in tone.type_points(picture.script.types, text).items():
            picture.type_points[kind] = picture.type_points.get(kind, 0) + points
        picture.customer_type = tone.strongest_type(picture.type_points)
        note_objections(picture, utterance_id, firm, steering)
        signals = tone.buying_signals(picture.script, text, firm)
        if signals and picture.objection is None and not picture.over:
            picture.signals += [signal for signal in signals if signal not in picture.signals]
            picture.signal_evidence.append(utterance_id)
        took = "accept_offer" in firm or (picture.expects == "offer" and "affirm" in firm)
        if took and picture.objection is None and picture.pitched and not picture.over:
            picture.accepted = True
        picture.acts = (steering, *(name for name in names if name != steering))
        picture.seen_acts.update(firm)
        picture.offered = {}  # the question stands until the agent speaks again
        return Heard(said=said)

    def _agent(self, utterance_id: str, text: str, begin_ms: int, end_ms: int) -> Heard:
        picture, script = self.picture, self.picture.script
        meaning = self._lines.understand(text)
        entities = tuple(dict(entity) for entity in extract(text, self._started))
        heard = Heard()
        picture.agent_ms += max(0, end_ms - begin_ms)
        picture.expects, picture.pending = meaning.expects, meaning.asks
        line = facts.Line(utterance_id, text, end_ms, (), entities)
        picture.offered = facts.put_to_customer(script.facts, line)
        if meaning.asks is not None:
            picture.asked[meaning.asks] = picture.customer_lines
        for name in meaning.nodes:
            picture.done.setdefault(name, utterance_id)
            if picture.objection is not None and picture.objection in script.nodes[name].rebuts:
                picture.rebutted.setdefault(picture.objection, []).append(name)
        note_pitches(picture, self._situation, self._lines, line, meaning)
        done = {key for key, item in picture.checklist.items() if item.at_ms is not None}
        says = duties.said_now(script, text, meaning.nodes, done)
        for item in says:
            picture.checklist[item.key] = msgspec.structs.replace(
                picture.checklist[item.key], at_ms=end_ms, evidence=utterance_id, due=False
            )
        heard.alarms = duties.forbidden(script, text, utterance_id, end_ms, picture.alarms)
        if script.catalogue.products:
            price = duties.wrong_price(
                text, entities, prices_known(picture, self._situation), utterance_id, end_ms
            )
            heard.alarms += [price] if price is not None else []
            may_have = [(offer.source.charge, offer.eligible != "no") for offer in self._situation.offers]
            discount = duties.wrong_discount(entities, may_have, utterance_id, end_ms)
            heard.alarms += [discount] if discount is not None else []
        if picture.over or "decline_offer" in picture.acts:
            pushed = duties.pressing(
                script, text, meaning.nodes, meaning.expects, utterance_id, end_ms, over=picture.over
            )
            heard.alarms += [pushed] if pushed is not None else []
        picture.alarms += heard.alarms
        heard.said = Said(
            utterance_id=utterance_id, party="agent", text=text, begin_ms=begin_ms, end_ms=end_ms,
            entities=entities, nodes=meaning.nodes,
            does=tuple([f"asks:{meaning.asks}"] * bool(meaning.asks) + [f"says:{item.key}" for item in says]),
        )  # fmt: skip
        return heard

    def _advise(self, heard: Heard, at_ms: int) -> None:
        picture = self.picture
        possible = candidates(picture, self._situation)
        self._decisions += 1
        chosen, choice, scored = ranking.choose(self._policy, picture, possible, self._decisions)
        cards = [self._suggestion(card, number, at_ms, choice.policy_version, choice.propensity)
                 for number, card in enumerate(chosen, start=1)]  # fmt: skip
        heard.decision = Decided(
            self._decisions, scored, ranking.features_of(picture), choice.key, choice.propensity,
            choice.policy_version, cards[0].id if cards else None,
        )  # fmt: skip
        self._put(heard, cards, at_ms)

    def _after_agent(self, heard: Heard, at_ms: int) -> None:
        """Cards that were spoken go; a correction comes up at an alarm."""
        assert heard.said is not None
        for card in self.screen.cards():
            if self._lines.likeness(heard.said.text, card.text) >= SPOKEN or card.node in heard.said.nodes:
                heard.spoken.append(card.id)
        risen = self.screen.end_reading(at_ms)
        corrections = [
            alarm
            for alarm in self.picture.alarms
            if alarm.utterance_id == heard.said.utterance_id and alarm.remedy
        ]
        if corrections:
            self._number += 1
            alarm = corrections[0]
            card = Suggestion(
                id=f"{self.picture.call_id}.{self._number}", call_id=self.picture.call_id, kind="compliance",
                text=alarm.remedy, title="更正", why=f"刚才说了「{alarm.words}」"[:24], score=1.0,
                evidence=(alarm.utterance_id,), ttl_ms=30_000, t_utterance_end_ms=at_ms, t_sent_ms=at_ms,
            )  # fmt: skip
            self._put(heard, [card], at_ms)
            return
        for suggestion_id in heard.spoken:
            self.screen.remove(suggestion_id)
        said = heard.said
        moved_on = said.nodes or said.does or is_question(said.text) or len(said.text) >= WHOLE_LINE
        pinned = self.screen.primary is not None and self.screen.primary.pinned
        if (heard.spoken or moved_on) and not risen and not pinned:
            self.screen.show((), at_ms)

    def _put(self, heard: Heard, cards: list[Suggestion], at_ms: int) -> None:
        before = self.screen.primary
        if before is not None and cards:
            cards[0] = msgspec.structs.replace(cards[0], supersedes=before.id)
        self.screen.show(cards, at_ms)
        for card in cards:
            self.cards[card.id] = card
        if cards:
            self.picture.shown[_key_of(cards[0])] = self.picture.customer_lines
            self.picture.texts.add(cards[0].text)
        heard.cards = cards

    def _suggestion(
        self, card: Candidate, rank: int, at_ms: int, policy: str, propensity: float
    ) -> Suggestion:
        self._number += 1
        return Suggestion(
            id=f"{self.picture.call_id}.{self._number}", call_id=self.picture.call_id, kind=card.kind,
            text=card.text, title=card.title, why=card.why, evidence=card.evidence, node=card.node,
            asks=card.asks, objection=card.objection, technique=card.technique, product=card.product,
            score=round(card.prior, 3), rank=rank, ttl_ms=card.ttl_ms, pinned=card.pinned,
            t_utterance_end_ms=at_ms, t_sent_ms=at_ms, policy_version=policy,
            propensity=propensity if rank == 1 else None,
        )  # fmt: skip

    def _reads(self, text: str, card: str) -> bool:
        heard = clean(text)
        return len(heard) >= 5 and self._lines.likeness(heard, card[: len(heard) + 2]) >= READING

    def _due(self) -> None:
        """Mark what should be said by now: by the furthest stage that the call has reached."""
        picture = self.picture
        reached = STAGES.index(picture.stage)
        if picture.stage == "objections":
            reached = STAGES.index("introduction") if picture.pitched else STAGES.index("discovery")
        for rule in picture.script.must_say:
            item = picture.checklist[rule.key]
            late = reached >= (STAGES.index(rule.by) if rule.by in STAGES else len(STAGES))
            sold = not picture.over or rule.by in ("opening", "discovery")
            due = item.at_ms is None and late and sold
            if due != item.due:
                picture.checklist[rule.key] = msgspec.structs.replace(item, due=due)

    def _texts_of_duties(self) -> None:
        for rule in self.picture.script.must_say:
            node = self.picture.script.nodes.get(rule.node)
            item = self.picture.checklist[rule.key]
            text = text_of(self.picture, self._situation, node) or item.text
            self.picture.checklist[rule.key] = msgspec.structs.replace(item, text=text)

    def _changes(self) -> dict[str, Any]:
        now = panel_of(self.picture, self._situation, self.screen)
        changes = changed(self._panel, now)
        self._panel = now
        return changes


def _key_of(card: Suggestion) -> str:
    """The key of the candidate that the card was."""
    return card.node or (f"offer:{card.product}" if card.product else card.id)
