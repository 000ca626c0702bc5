"""The page's state is a pure fold: it never loses, repeats or mixes what the feed says."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from commands import page_state
from tests.pages.conftest import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOLD = """async (runs) => {
  const { fold, noCall } = await import('/static/state.js');
  return runs.map((messages) => messages.reduce((call, message) => fold(call, message, 1000), noCall()));
}"""
SCREEN = """async ([messages, steps, density, now]) => {
  const { fold, noCall } = await import('/static/state.js');
  const desk = await import('/static/desk.js');
  const call = messages.reduce((call, message) => fold(call, message, 1000), noCall());
  let mine = desk.newDesk();
  for (const [step, id] of steps) {
    if (step === 'pin') mine = desk.pin(mine, call, call.cards[id]);
    else if (step === 'choose') mine = desk.choose(mine, call, id);
    else mine = desk[step](mine, id);
  }
  const view = desk.onScreen(call, mine, density, now);
  return [view.primary?.id ?? null, view.folded.map((card) => card.id), view.waiting, view.asked];
}"""


def events(count: int, chance: random.Random) -> list[dict[str, Any]]:
    """A call's events, numbered from the snapshot on."""
    made: list[dict[str, Any]] = []
    for seq in range(61, 61 + count):
        head = {"call_id": page_state.CALL, "seq": seq, "at_ms": seq, "wall": "2026-11-22T10:00:00+08:00"}
        key = f"n{chance.randrange(6)}"
        kinds: list[dict[str, Any]] = [
            {"kind": "utterance.partial", "party": "customer", "utterance_id": key, "text": f"p{seq}"},
            {"kind": "utterance.final", "party": "agent", "utterance_id": key, "text": f"f{seq}"},
            {"kind": "meaning", "utterance_id": key, "acts": [{"name": "affirm", "confidence": 0.9}]},
            {"kind": "panel", "changes": {"stage": f"s{seq}"}, "ms": {}},
            {"kind": "suggestion", "suggestion": page_state.card(seq, "question", "问", "问", "因")},
            {"kind": "feedback", "suggestion_id": f"{page_state.CALL}.{seq - 2}", "action": "used"},
            {"kind": "speech.started", "party": "customer"},
        ]
        made.append(head | {"begin_ms": 9_000 - 1_000 * int(key[1]), "end_ms": 9_000} | chance.choice(kinds))
    return made


async def test_repeats_and_overlaps_after_a_reconnection_change_nothing(open_page: OpenPage) -> None:
    page = await open_page("/login")
    chance = random.Random(7)
    snapshot = page_state.call_snapshot(datetime.now(UTC))
    runs = []
    for _ in range(60):
        straight = [snapshot, *events(40, chance)]
        broken = [snapshot]
        at = 1
        while at < len(straight):
            to = min(len(straight), at + chance.randrange(1, 9))
            broken += straight[max(1, at - chance.randrange(6)) : to]
            at = to
        other = dict(straight[-1], call_id="another-call", seq=9_999)
        late = chance.sample(straight[1:], 5)
        runs += [straight, [*broken, *late, other]]
    folded = await page.evaluate(FOLD, runs)
    for straight, broken in zip(folded[::2], folded[1::2], strict=True):
        assert straight == broken
    assert len({str(state["lines"]) for state in folded[::2]}) > 50


async def test_final_words_are_never_overwritten_and_lines_stand_in_the_order_spoken(
    open_page: OpenPage,
) -> None:
    page = await open_page("/login")
    chance = random.Random(11)
    snapshot = page_state.call_snapshot(datetime.now(UTC)) | {"transcript": []}
    runs = [[snapshot, *events(60, chance)] for _ in range(60)]
    for messages, state in zip(runs, await page.evaluate(FOLD, runs), strict=True):
        begins = [line["begin_ms"] for line in state["lines"]]
        assert begins == sorted(begins) != []
        first: dict[str, str] = {}
        for message in messages[1:]:
            if message["kind"] == "utterance.final":
                first.setdefault(message["utterance_id"], message["text"])
        shown = {line["utterance_id"]: line["text"] for line in state["lines"] if line["final"]}
        assert shown == first


async def test_a_call_that_begins_without_a_snapshot_starts_clean(open_page: OpenPage) -> None:
    page = await open_page("/login")
    begun = {
        "kind": "call.started", "call_id": "c2", "seq": 1, "at_ms": 0, "wall": "2026-11-22T10:00:00+08:00",
        "script": "bundle", "direction": "outbound", "mode": "assist", "agent_id": "lina",
        "customer": {"city": "杭州"},
    }  # fmt: skip
    [state] = await page.evaluate(FOLD, [[page_state.call_snapshot(datetime.now(UTC)), begun]])
    assert (state["callId"], state["seq"], state["lines"], state["cards"]) == ("c2", 1, [], {})
    [idle, ended] = await page.evaluate(
        FOLD,
        [
            [page_state.call_snapshot(datetime.now(UTC)), {"kind": "no_call"}],
            [page_state.ended_snapshot(datetime.now(UTC)), {"kind": "no_call"}],
        ],
    )
    assert (idle["phase"], ended["phase"]) == ("idle", "ended")


@pytest.mark.parametrize(
    ("steps", "density", "now", "expected"),
    [
        ([], "novice", 2_000, ["7", ["8", "9"], False, False]),
        ([["choose", "9"]], "novice", 2_000, ["9", ["7", "8"], False, False]),
        ([["dismiss", "7"]], "novice", 2_000, [None, ["8", "9"], False, False]),
        ([["choose", "8"], ["dismiss", "8"]], "novice", 2_000, ["7", ["9"], False, False]),
        ([["pin", "8"]], "novice", 2_000, ["8", ["7", "9"], False, False]),
        ([], "novice", 700_000, [None, [], False, False]),
        ([["pin", "7"]], "novice", 700_000, ["7", [], False, False]),
        ([["use", "7"]], "expert", 2_000, ["7", ["8", "9"], False, False]),
    ],
)
async def test_what_is_on_the_screen_follows_from_call_desk_and_time(
    open_page: OpenPage, steps: list[list[str]], density: str, now: int, expected: list[Any]
) -> None:
    page = await open_page("/login")
    whole = [[step, f"{page_state.CALL}.{number}"] for step, number in steps]
    messages = [page_state.call_snapshot(datetime.now(UTC))]
    primary, folded, waiting, asked = await page.evaluate(SCREEN, [messages, whole, density, now])
    short = [None if primary is None else primary[-1], [card[-1] for card in folded], waiting, asked]
    assert short == expected


async def test_waiting_before_an_attempt_doubles_up_to_a_limit(open_page: OpenPage) -> None:
    page = await open_page("/login")
    waits = await page.evaluate(
        """async () => { const { waitBefore } = await import('/static/feed.js');
        return [1, 2, 3, 4, 5, 6, 20].map((attempt) => [waitBefore(attempt, 0), waitBefore(attempt, 1)]); }"""
    )
    assert [longest for _, longest in waits] == [400, 800, 1600, 3200, 6400, 8000, 8000]
    assert all(shortest == round(longest * 2 / 3) for shortest, longest in waits)


async def test_times_money_and_facts_read_as_people_read_them(open_page: OpenPage) -> None:
    page = await open_page("/login")
    shown = await page.evaluate(
        """async () => { const { duration, number, factValue } = await import('/static/format.js');
        return [duration(221000), duration(3723000), duration(-5),
          number('128.00'), number('18.40'), number('100'),
          factValue(null, 'money', '元'), factValue(true, 'yes_no', ''), factValue('128.50', 'money', ''),
          factValue(3, 'count', '个'), factValue('联通', 'choice', '')]; }"""
    )
    assert shown == ["3:41", "1:02:03", "0:00", "128", "18.4", "100", "?", "是", "128.5 元", "3 个", "联通"]
