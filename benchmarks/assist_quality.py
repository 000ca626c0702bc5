"""How right the advice is: transcripts with the right advice at marked points, run through live assist.

    python -m benchmarks.assist_quality [--show] [--only NAME]

Each file of benchmarks/assist_quality is a call: script, contact, turns (a: the agent says, c: the
customer says), and at marked turns `right`: what a good coach would have on the screen after that
line.  Files h*.yml are held out: nobody tunes on them (--show lists their errors too).  Advice is that
of `huashu assist` (assist.text_call), its first card.  Figures by kind of advice, the two halves apart,
a keyword baseline beside them, errors in words.

Keys of `right`: kinds (acceptable kinds of the card, the first is the best, none = nothing shown),
forbid (kinds that would be wrong), asks, technique, product, words (what a card of that sort may be
about, hold or use, where it has such), objection, stage, facts ("*": any value), alarm, done
(must-says done by now).  A file's `facts` are all that was said, `may` what could be inferred.  The
last line is one JSON.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from assist.suggest.conditions import as_number
from assist.suggest.model import MAX_CARD_CHARACTERS
from assist.suggest.script import AssistScript
from assist.text_call import AssistedScript, TextAssist
from benchmarks._report import finish, interval
from bot.typed_yaml import load_typed

HERE: Final = Path(__file__).parent / "assist_quality"
NOW: Final = datetime.fromisoformat("2026-11-22T10:00:00+08:00")
NONE: Final = "none"
SPOKEN_FACTS: Final = frozenset(
    {
        "monthly_bill", "plan_data_gb", "data_used_gb", "call_minutes", "tenure_months", "contract_end",
        "broadband", "family_numbers", "handset", "age", "city", "plan", "data_need", "call_need",
        "broadband_provider", "broadband_price", "rival_offer", "decider", "satisfaction", "reason_to_leave",
        "budget", "home_users", "usage_place", "contract_known", "interest", "leaving",
    }
)  # fmt: skip
"""Facts of CONTRACT.md; a script may have more of its own, which are not counted."""


class Right(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is right after one line; what is not given is not asked of the advice."""

    kinds: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    technique: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    objection: str | tuple[str | None, ...] | msgspec.UnsetType | None = msgspec.UNSET
    stage: tuple[str, ...] = ()
    facts: dict[str, Any] = {}
    alarm: bool = False
    done: tuple[str, ...] = ()


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line: of the agent (`a`) or the customer (`c`)."""

    a: str | None = None
    c: str | None = None
    right: Right | None = None


class Transcript(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One call with its marks."""

    script: str
    contact: dict[str, Any]
    turns: tuple[Turn, ...]
    facts: dict[str, Any]
    may: dict[str, Any] = {}


@dataclass
class Tally:
    """Hits and misses by what was asked of the advice; `errors` in words."""

    hits: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)

    def mark(self, what: str, right: bool, where: str, found: str) -> None:
        """One more judgement."""
        self.hits[what].append(right)
        if not right:
            self.errors.append(f"{where} {what}: {found}")

    def share(self, what: str) -> float | None:
        """The share of right ones; None where there were none."""
        found = self.hits.get(what)
        return round(sum(found) / len(found), 3) if found else None


KEYWORDS: Final = (
    ("rebuttal", "object_price", ("贵", "便宜点", "不划算")),
    ("rebuttal", "object_distrust", ("骗", "诈骗", "真的假的")),
    ("rebuttal", "object_decider", ("商量", "说了算")),
    ("rebuttal", "object_think_over", ("考虑", "再说")),
    ("rebuttal", "object_competitor", ("移动", "联通", "电信")),
    ("rebuttal", "object_bad_service", ("信号", "乱扣")),
    ("rebuttal", "object_no_need", ("不需要", "用不着", "用不上")),
    (NONE, "object_busy", ("开车", "开会", "没空", "别打", "别再打", "打错")),
    ("answer", None, ("多少", "吗", "怎么", "什么", "几年", "呢")),
    ("close", None, ("办吧", "可以", "行吧", "就这个", "那行")),
)


def keyword_card(script: AssistScript, party: str, text: str, asked: set[str]) -> dict[str, Any] | None:
    """The baseline: keyword to card; else the script's next question, three of them, then the first offer."""
    if party == "agent":
        return None
    for kind, objection, words in KEYWORDS:
        if any(word in text for word in words):
            fitting = [
                node
                for node in script.nodes.values()
                if (objection in node.rebuts if kind == "rebuttal" else node.card == kind)
            ]
            spoken = [node for node in fitting if any(word in text for word in node.about)] or fitting
            card = {"text": spoken[0].wordings[0].text, "technique": spoken[0].technique} if spoken else {}
            return None if kind == NONE else {"kind": kind, "objection": objection, "text": "", **card}
    rules = [rule for rule in script.facts.values() if rule.ask in script.nodes and rule.name not in asked]
    if rules and len(asked) < 3:
        asked.add(rules[0].name)
        return {"kind": "question", "asks": rules[0].name, "text": ""}
    products = script.catalogue.products
    return {"kind": "offer", "product": products[0].key if products else None, "text": ""}


def judge_call(
    name: str, transcript: Transcript, loaded: AssistedScript, tally: Tally, simple: Tally
) -> None:
    """Run one call and judge every marked point, and what must hold at all points."""
    call = TextAssist(loaded, transcript.contact, now=NOW)
    shown: set[str] = set()
    asked: set[str] = set()
    for number, turn in enumerate(transcript.turns, start=1):
        party, text = ("agent", turn.a) if turn.a is not None else ("customer", turn.c)
        assert text is not None, f"{name}: turn {number} has no words"
        before = set(call.shadow.cards)
        answer = call.line(party, text)
        right = turn.right or Right()
        where = f"{name}:{number} 「{text[:16]}」"
        screen = call.shadow.screen.cards()
        card = msgspec.to_builtins(screen[0]) if screen else None
        _judge(right, answer, card, where, tally)
        plain = keyword_card(loaded.script, party, text, asked)
        judge_card(right, plain, where, simple)
        _judge_objection(right, plain.get("objection") if plain else None, where, simple)
        if party == "agent":
            tally.mark("alarm", bool(answer["alarms"]) == right.alarm, where, str(answer["alarms"]))
        fresh = [card for key, card in call.shadow.cards.items() if key not in before]
        for item in fresh:
            known = item.asks is not None and item.asks in answer["facts"]
            sound = len(item.text) <= MAX_CARD_CHARACTERS and "{" not in item.text and item.text not in shown
            tally.mark("sound", sound, where, f"{item.text} (long, unfilled or repeated)")
            if item.kind == "question" and item.asks is not None:
                tally.mark("not known yet", not known, where, f"asks {item.asks}, which is known")
        shown |= {item.text for item in fresh[:1]}
    _judge_facts(name, transcript, call, tally)


def _judge(
    right: Right, answer: Mapping[str, Any], card: Mapping[str, Any] | None, where: str, tally: Tally
) -> None:
    judge_card(right, card, where, tally)
    _judge_objection(right, answer["objection"], where, tally)
    if right.stage:
        tally.mark("stage", answer["stage"] in right.stage, where, f"{answer['stage']}, not {right.stage}")
    for key in right.done:
        tally.mark("checklist", key in answer["done"], where, f"{key} is not ticked")
    for name, value in right.facts.items():
        found = answer["facts"].get(name)
        tally.mark("facts at once", found is not None and _same(value, found), where, f"{name} is {found}")


def judge_card(right: Right, card: Mapping[str, Any] | None, where: str, tally: Tally) -> None:
    """Whether the card on the screen is one that a good coach would have there."""
    if not right.kinds and not right.forbid:
        return
    kind = card["kind"] if card else NONE
    ok = kind not in right.forbid and (not right.kinds or kind in right.kinds)
    detail = f"{kind}, not {'/'.join(right.kinds) or 'a card of ' + '/'.join(right.forbid)}"
    if card:
        detail += f" · {card['text']}"
        for part, wanted, kinds in (
            ("asks", right.asks, ("question",)),
            ("technique", right.technique, ("rebuttal",)),
            ("product", right.product, ("offer",)),
        ):
            if wanted and kind in kinds and card.get(part) not in wanted:
                ok, detail = False, f"{part} {card.get(part)}, not {'/'.join(wanted)} · {card['text']}"
        if ok and right.words and kind in ("answer", "offer", "compliance"):
            ok = any(word in card["text"] for word in right.words)
            detail = f"does not answer: {card['text']}"
    family = right.kinds[0] if right.kinds else "restraint"
    tally.mark("silence" if family == NONE else family, ok, where, detail)


def _judge_objection(right: Right, found: str | None, where: str, tally: Tally) -> None:
    if right.objection is not msgspec.UNSET:
        wanted = right.objection if isinstance(right.objection, tuple) else (right.objection,)
        tally.mark("objection", found in wanted, where, f"{found}, not {wanted}")


def _judge_facts(name: str, transcript: Transcript, call: TextAssist, tally: Tally) -> None:
    """Recall of what was said, precision of what was taken as said."""
    spoken = {
        fact.name: fact.value
        for fact in call.shadow.picture.facts.values()
        if fact.source == "speech" and fact.name in SPOKEN_FACTS
    }
    known = {fact.name: fact.value for fact in call.shadow.picture.facts.values()}
    for fact, value in transcript.facts.items():
        tally.mark(
            "facts recall", fact in known and _same(value, known[fact]), name, f"{fact} {known.get(fact)}"
        )
    possible = {**transcript.may, **transcript.facts}
    for fact, value in spoken.items():
        ok = fact in possible and _same(possible[fact], value)
        tally.mark("facts precision", ok, name, f"{fact} = {value} was never said")


def _same(wanted: Any, found: Any) -> bool:
    if wanted == "*":
        return True
    if isinstance(wanted, list):
        return any(_same(one, found) for one in wanted)
    number = as_number(wanted)
    return wanted == found or (number is not None and number == as_number(found))


def report(title: str, tally: Tally, simple: Tally) -> dict[str, Any]:
    """Print one half; its figures."""
    print(f"\n{title}")
    print(f"  {'':<16}{'right':>8}{'of':>6}{'keywords':>10}")
    for what in sorted(tally.hits):
        base = simple.share(what)
        share = f"{tally.share(what):>8.2f}{len(tally.hits[what]):>6}"
        print(f"  {what:<16}{share}{'' if base is None else f'{base:>10.2f}'}")
    cards = _cards(tally)
    low, high = (
        interval(lambda at: float(np.mean(np.asarray(cards)[at])), len(cards)) if cards else (0.0, 0.0)
    )
    mean, plain = float(np.mean(cards or [False])), float(np.mean(_cards(simple) or [False]))
    print(f"  {'cards in all':<16}{mean:>8.2f}{len(cards):>6}{plain:>10.2f}   95 % {low:.2f} to {high:.2f}")
    shares = {what: tally.share(what) for what in sorted(tally.hits)}
    return {**shares, "cards": round(mean, 3), "cards_95": [low, high], "keywords": round(plain, 3)}


def _cards(tally: Tally) -> list[bool]:
    families = ("question", "rebuttal", "offer", "answer", "close", "compliance", "action", "silence")
    return [hit for family in (*families, "restraint") for hit in tally.hits.get(family, ())]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all transcripts; 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.assist_quality")
    parser.add_argument("--only", help="only files whose name holds this")
    parser.add_argument("--show", action="store_true", help="list the errors of the held-out half too")
    options = parser.parse_args(arguments)
    scripts: dict[str, AssistedScript] = {}
    halves = {half: (Tally(), Tally()) for half in ("tuned", "held_out")}
    for path in sorted(HERE.glob("*.yml")):
        if options.only and options.only not in path.stem:
            continue
        transcript = load_typed(path, Transcript)
        if transcript.script not in scripts:
            scripts[transcript.script] = AssistedScript.load(transcript.script)
        half = "held_out" if path.stem.startswith("h") else "tuned"
        judge_call(path.stem, transcript, scripts[transcript.script], *halves[half])
    figures: dict[str, Any] = {"benchmark": "assist_quality"}
    for half, (tally, simple) in halves.items():
        if tally.hits:
            figures[half] = report(half, tally, simple)
            listed = tally.errors if half == "tuned" or options.show else []
            print("".join(f"  ✗ {error}\n" for error in listed), end="")
    finish(figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
