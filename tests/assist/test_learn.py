"""Learning from stored calls: rewards, odds by exact replay, worth on calls not learned from."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assist.learn import decisions_of, study
from assist.learning.decision import NOTHING, Scored, seed_of
from assist.learning.policy import Parameters, Policy
from assist.learning.reward import reward_of
from assist.policy_file import current_policy, policy_path
from bot import events as ev
from bot.store.calls import archive
from bot.store.database import Database
from commands.main import main

START = datetime.fromisoformat("2026-11-22T10:00:00+08:00")
EXPLORING = Policy.of(Parameters(exploration=0.5, floor=1.0), observations=1, blocks={})
POLICIES = {EXPLORING.version: EXPLORING}
CANDIDATES = (
    Scored(key="utter_a", kind="rebuttal", prior=0.62, features={"technique=empathy": 1.0}),
    Scored(key="utter_b", kind="rebuttal", prior=0.60, features={"technique=guide": 1.0}),
    Scored(key=NOTHING, kind=NOTHING, prior=0.35),
)


def call(number: int, likes: dict[str, float], decisions: int = 2, policy: Policy = EXPLORING) -> list[Any]:
    """A call's log in which the customer likes each card with its own probability."""
    call_id = f"c{number}"
    chance = random.Random(number)
    wall = (START + timedelta(hours=number)).isoformat()
    stamp: dict[str, Any] = {"call_id": call_id, "at_ms": 0, "wall": wall}
    log: list[Any] = [
        ev.CallStarted(**stamp, direction="outbound", mode="assist", script="small", script_version="v1")
    ]
    for at in range(1, decisions + 1):
        choice = policy.choose(CANDIDATES, {}, seed_of(call_id, at))
        card = None if choice.key == NOTHING else f"{call_id}.{at}"
        if card is not None:
            log.append(ev.SuggestionEvent(**stamp, suggestion={"id": card, "node": choice.key}))
            log.append(ev.FeedbackEvent(**stamp, suggestion_id=card, action="shown"))
            liked = chance.random() < likes[choice.key]
            log.append(
                ev.FeedbackEvent(**stamp, suggestion_id=card, action="spoken" if liked else "dismissed")
            )
        log.append(
            ev.DecisionEvent(
                **stamp, number=at, candidates=msgspec.to_builtins(list(CANDIDATES)), context={},
                key=choice.key, propensity=choice.propensity, policy_version=policy.version,
                suggestion_id=card,
            )
        )  # fmt: skip
    log.append(ev.CallEnded(**stamp, by="agent", cause="hung_up", disposition="declined", grade="D"))
    return [ev.numbered(event, seq) for seq, event in enumerate(log, start=1)]


def changed(log: list[Any], kind: type[ev.Event], **fields: Any) -> list[Any]:
    return [msgspec.structs.replace(event, **fields) if isinstance(event, kind) else event for event in log]


B_IS_BETTER = {"utter_a": 0.1, "utter_b": 0.9}


def test_a_decision_s_reward_is_that_of_its_card_s_feedback_and_of_the_call_s_end():
    log = call(1, {"utter_a": 1.0, "utter_b": 1.0}, decisions=6)
    for decision in decisions_of(log, POLICIES):
        assert decision.reward == reward_of(
            decision.choice.key, ["shown", "spoken"], disposition="declined", grade="D"
        )


def test_a_card_that_no_screen_showed_teaches_nothing_and_silence_does():
    log = [event for event in call(1, B_IS_BETTER, decisions=6) if not isinstance(event, ev.FeedbackEvent)]
    for decision in decisions_of(log, POLICIES):
        assert (decision.reward is None) == (decision.choice.key != NOTHING)
    silent = changed(log, ev.DecisionEvent, key=NOTHING, suggestion_id=None)
    assert all(decision.reward is not None for decision in decisions_of(silent, POLICIES))


def test_only_the_primary_card_counts():
    log = call(1, {"utter_a": 1.0, "utter_b": 1.0}, decisions=4)
    other = changed(log, ev.SuggestionEvent, suggestion={"id": "c1.1", "node": "utter_say_price"})
    [first, *_] = [one for one in decisions_of(other, POLICIES) if one.seq == 1]
    assert first.reward is None
    pinned_before_silence = changed(log, ev.DecisionEvent, key=NOTHING)
    rewards = [one.reward for one in decisions_of(pinned_before_silence, POLICIES)]
    assert all(reward is None for reward in rewards)


def test_an_offer_is_known_by_its_product():
    log = call(1, {"utter_a": 1.0, "utter_b": 1.0}, decisions=1)
    key = "offer:b58"
    log = changed(log, ev.SuggestionEvent, suggestion={"id": "c1.1", "node": None, "product": "b58"})
    [decision] = decisions_of(changed(log, ev.DecisionEvent, key=key), POLICIES)
    assert decision.reward is not None and decision.choice.key == key


def test_the_odds_come_from_the_policy_that_made_the_choice_or_are_unknown():
    log = call(1, B_IS_BETTER)
    for decision in decisions_of(log, POLICIES):
        assert decision.choice == EXPLORING.choose(CANDIDATES, {}, seed_of("c1", decision.seq))
    assert not any(one.choice.probabilities for one in decisions_of(log, {}))
    tampered = changed(log, ev.DecisionEvent, propensity=0.123)
    assert not any(one.choice.probabilities for one in decisions_of(tampered, POLICIES))
    found = study([decisions_of(tampered, POLICIES)], POLICIES)
    assert (found.replayed, found.differing) == (0, 2)
    assert study([decisions_of(log, {})], {}).differing == 0


def test_the_better_card_is_found_and_the_estimate_says_so():
    calls = [decisions_of(call(number, B_IS_BETTER), POLICIES) for number in range(150)]
    found = study(calls, POLICIES)
    assert (found.calls, found.decisions, found.replayed, found.differing) == (150, 300, 300, 0)
    greedy = found.policy.distribution(CANDIDATES, {}).greedy
    assert greedy == "utter_b"
    assert found.logged is not None and found.estimate is not None
    worth = found.estimate.doubly_robust
    truth = 0.8 * (0.9 * 1.0 + 0.1 * 0.0) + 0.2 * 0.4
    assert found.logged.value < worth.value
    assert worth.low - 0.1 <= truth <= worth.high + 0.1
    assert found.estimate.calls == 75


def test_the_same_calls_give_the_same_version_and_more_calls_another():
    calls = [decisions_of(call(number, B_IS_BETTER), POLICIES) for number in range(12)]
    assert study(calls, POLICIES).policy == study(calls, POLICIES).policy
    assert study(calls, POLICIES).policy.version != study(calls[:6], POLICIES).policy.version


def test_without_calls_there_is_nothing_to_learn():
    found = study([], {})
    assert (found.calls, found.logged, found.estimate) == (0, None, None)
    assert found.policy == Policy.initial()


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database with forty assisted calls, and a data folder of our own."""
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path / "data"))
    url = f"sqlite:///{tmp_path / 'huashu.db'}"
    database = Database.open(url)
    with database.write() as connection:
        for number in range(40):
            archive(connection, call(number, B_IS_BETTER))
    database.close()
    path = policy_path()
    path.with_name(f"{EXPLORING.version}.json").write_bytes(msgspec.json.encode(EXPLORING))
    return url


def learn(url: str, *words: str) -> int:
    return main(["learn", "--database", url, *words])


def test_the_command_learns_from_the_database_and_puts_the_policy_in_force(stored, capsys):
    assert learn(stored, "--json") == 0
    found = msgspec.json.decode(capsys.readouterr().out)
    assert (found["calls"], found["decisions"], found["replayed"]) == (40, 80, 80)
    assert found["before"] == Policy.initial().version
    assert current_policy().version == found["policy"]
    assert current_policy().distribution(CANDIDATES, {}).greedy == "utter_b"
    assert found["logged"]["low"] <= found["logged"]["value"] <= found["logged"]["high"]


def test_a_second_run_over_the_same_calls_changes_nothing(stored, capsys):
    assert learn(stored) == 0
    version = current_policy().version
    capsys.readouterr()
    assert learn(stored) == 0
    assert current_policy().version == version
    assert "the same as in force" in capsys.readouterr().out


def test_a_dry_run_puts_nothing_in_force(stored, capsys):
    assert learn(stored, "--dry-run") == 0
    assert "not put in force" in capsys.readouterr().out
    assert current_policy() == Policy.initial()


def test_only_calls_since_then_count(stored, capsys):
    assert learn(stored, "--since", (START + timedelta(hours=30)).isoformat(), "--json", "--dry-run") == 0
    assert msgspec.json.decode(capsys.readouterr().out)["calls"] == 10


@pytest.mark.parametrize("since", ["gestern", "2026-11-22T10:00:00"])
def test_a_moment_that_is_none_is_told_with_its_remedy(stored, capsys, since):
    assert learn(stored, "--since", since) == 1
    assert "2026-11-01T00:00:00+08:00" in capsys.readouterr().err


def test_an_empty_database_is_no_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path / "data"))
    assert learn(f"sqlite:///{tmp_path / 'none.db'}") == 0
    assert "nothing to learn yet" in capsys.readouterr().out
