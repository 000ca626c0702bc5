"""Off-policy evaluation: unbiased where all can be counted, honest about calls and support; replay."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from msgspec.structs import replace

from assist.learning.decision import Choice, Decision, LearningError, Scored, seed_of
from assist.learning.off_policy import Sample, doubly_robust, evaluate, ips, replay, snips
from assist.learning.policy import Parameters, Policy
from assist.learning.update import learn

CARDS = (
    Scored(key="a", kind="rebuttal", prior=0.5),
    Scored(key="b", kind="rebuttal", prior=0.45),
    Scored(key="c", kind="rebuttal", prior=0.4),
)


def decide(policy: Policy, call: str, seq: int, rewards: dict[str, float]) -> Decision:
    """One decision, made and rewarded."""
    choice = policy.choose(CARDS, {}, seed_of(call, seq))
    return Decision(
        call_id=call, seq=seq, candidates=CARDS, context={}, choice=choice, reward=rewards[choice.key]
    )


def explorer() -> Policy:
    """A policy that has learned a little and explores much."""
    start = Policy.initial(Parameters(exploration=0.5, floor=0.5))
    return learn(start, [decide(start, "first", 0, {"a": 0.4, "b": 0.4, "c": 0.4})])


REWARDS = {"a": 0.2, "b": 0.9, "c": 0.5}


def outcomes(policy: Policy, target: Policy, length: int):
    """Every log of `length` decisions: (its probability, rewards, weights, squares, chosen)."""
    logged = policy.distribution(CARDS, {}).probabilities
    wanted = target.distribution(CARDS, {}).probabilities
    square = sum(wanted[key] ** 2 / logged[key] for key in logged)
    for keys in itertools.product(logged, repeat=length):
        sample = Sample(
            np.array([REWARDS[key] for key in keys]),
            np.array([wanted[key] / logged[key] for key in keys]),
            np.full(length, square),
            np.arange(length),
        )
        yield float(np.prod([logged[key] for key in keys])), sample, keys


def target_policy() -> Policy:
    """A policy that learned to prefer b."""
    policy = explorer()
    return learn(policy, [decide(policy, "teach", seq, REWARDS) for seq in range(200)])


def truth_of(target: Policy) -> float:
    """The target's mean reward."""
    return sum(p * REWARDS[key] for key, p in target.distribution(CARDS, {}).probabilities.items())


def test_ips_is_unbiased_over_every_log_that_could_be():
    policy, target = explorer(), target_policy()
    mean = sum(chance * ips(sample).value for chance, sample, _ in outcomes(policy, target, 3))
    assert mean == pytest.approx(truth_of(target), abs=1e-9)


def test_doubly_robust_is_unbiased_whatever_the_model_says():
    policy, target = explorer(), target_policy()
    wrong = {"a": 0.9, "b": 0.0, "c": 0.3}
    wanted = target.distribution(CARDS, {}).probabilities
    by_model = sum(wanted[key] * wrong[key] for key in wrong)
    mean = sum(
        chance
        * doubly_robust(sample, np.array([wrong[key] for key in keys]), np.full(len(keys), by_model)).value
        for chance, sample, keys in outcomes(policy, target, 3)
    )
    assert mean == pytest.approx(truth_of(target), abs=1e-9)


def test_doubly_robust_with_a_true_model_has_no_error_at_all():
    policy, target = explorer(), target_policy()
    for _, sample, _ in outcomes(policy, target, 2):
        estimate = doubly_robust(sample, sample.rewards, np.full(2, truth_of(target)))
        assert estimate.value == pytest.approx(truth_of(target))


def test_snips_stays_within_the_rewards_and_is_right_when_they_are_all_the_same():
    policy, target = explorer(), target_policy()
    for _, sample, _ in outcomes(policy, target, 3):
        assert 0.2 <= snips(sample).value <= 0.9
        level = Sample(np.full(3, 0.6), sample.weights, sample.squares, sample.calls)
        assert snips(level).value == pytest.approx(0.6)


def test_the_policy_that_ran_is_worth_what_it_earned():
    policy = explorer()
    log = [decide(policy, f"c{at}", 0, REWARDS) for at in range(400)]
    judged = evaluate(log, policy, Policy.initial())
    earned = sum(one.reward or 0.0 for one in log) / len(log)
    assert judged.ips.value == pytest.approx(earned) == judged.snips.value
    assert judged.effective == pytest.approx(400) and judged.unsupported == 0.0
    assert judged.ips.low < truth_of(policy) < judged.ips.high


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    policy, target = explorer(), target_policy()
    held = {"ips": 0, "snips": 0, "doubly_robust": 0}
    for repetition in range(100):
        log = [decide(policy, f"r{repetition}", seq, REWARDS) for seq in range(100)]
        log = [replace(one, call_id=f"r{repetition}-{at}") for at, one in enumerate(log)]
        judged = evaluate(log, target, policy)
        for name in held:
            estimate = getattr(judged, name)
            held[name] += estimate.low <= truth_of(target) <= estimate.high
    assert all(count >= 88 for count in held.values()), held  # 95 expected; 88 is 3 sd below


def test_an_interval_is_never_narrower_than_the_known_propensities_allow():
    """Rewards and weights that happen to be all alike have no spread; the propensities know better."""
    alike = Sample(np.full(50, 0.5), np.ones(50), np.full(50, 9.0), np.arange(50))
    half = 1.959964 * np.sqrt((9.0 * 0.5**2 - 0.5**2) / 50)
    estimate = ips(alike)
    assert (estimate.low, estimate.high) == pytest.approx((0.5 - half, 0.5 + half))


def test_evaluating_a_log_is_estimating_from_its_weights():
    policy, target = explorer(), target_policy()
    log = [decide(policy, f"c{at}", 0, REWARDS) for at in range(60)]
    logged = policy.distribution(CARDS, {}).probabilities
    wanted = target.distribution(CARDS, {}).probabilities
    keys = [one.choice.key for one in log]
    sample = Sample(
        np.array([REWARDS[key] for key in keys]),
        np.array([wanted[key] / logged[key] for key in keys]),
        np.full(60, sum(wanted[key] ** 2 / logged[key] for key in logged)),
        np.arange(60),
    )
    modelled = {one.key: policy.expected(one, {})[0] for one in CARDS}
    by_model = np.full(60, sum(wanted[key] * modelled[key] for key in wanted))
    judged = evaluate(log, target, policy)
    robust = doubly_robust(sample, np.array([modelled[key] for key in keys]), by_model)
    pairs = ((judged.ips, ips(sample)), (judged.snips, snips(sample)), (judged.doubly_robust, robust))
    for got, right in pairs:
        assert (got.value, got.low, got.high) == pytest.approx((right.value, right.low, right.high))


def test_decisions_of_one_call_count_as_one():
    """The same log told twice inside each call is no more evidence than told once."""
    policy, target = explorer(), target_policy()
    log = [decide(policy, f"c{at}", 0, REWARDS) for at in range(2000)]
    once = evaluate(log, target, policy)
    twice = evaluate(log + log, target, policy)
    assert (twice.calls, twice.decisions) == (2000, 4000)
    assert twice.ips.value == pytest.approx(once.ips.value)
    assert twice.ips.high - twice.ips.low > 0.9 * (once.ips.high - once.ips.low)


def test_what_the_log_could_never_show_is_reported():
    quiet = Policy.initial()  # always a
    log = [decide(quiet, f"c{at}", 0, REWARDS) for at in range(10)]
    target = target_policy()
    judged = evaluate(log, target, quiet)
    wanted = target.distribution(CARDS, {}).probabilities
    assert judged.unsupported == pytest.approx(wanted["b"] + wanted["c"])


def test_one_call_gives_no_interval():
    policy = explorer()
    judged = evaluate([decide(policy, "c", seq, REWARDS) for seq in range(5)], policy, policy)
    assert (judged.ips.low, judged.ips.high) == (float("-inf"), float("inf"))


def test_logs_that_cannot_be_used_are_refused():
    policy = explorer()
    unrewarded = replace(decide(policy, "c", 0, REWARDS), reward=None)
    with pytest.raises(LearningError, match="no decision of the log has a reward"):
        evaluate([unrewarded], policy, policy)
    made = decide(policy, "c", 0, REWARDS)
    with pytest.raises(LearningError, match=r"c:0: propensity 0\.0"):
        evaluate([replace(made, choice=replace(made.choice, propensity=0.0))], policy, policy)


def test_replay_makes_every_decision_again_and_shows_one_that_was_tampered_with():
    policy = explorer()
    log = [decide(policy, f"c{at}", at, REWARDS) for at in range(100)]
    assert len({one.choice.key for one in log}) > 1
    assert replay(log, policy).differences == () and replay(log, policy).replayed == 100
    choice: Choice = log[7].choice
    other = next(key for key in choice.probabilities if key != choice.key)
    log[7] = replace(log[7], choice=replace(choice, key=other))
    (difference,) = replay(log, policy).differences
    assert (difference.call_id, difference.seq) == ("c7", 7)
    assert (difference.logged[0], difference.replayed[0]) == (other, choice.key)


def test_replay_leaves_other_versions_alone():
    policy = explorer()
    log = [decide(Policy.initial(), "old", 0, REWARDS), decide(policy, "new", 0, REWARDS)]
    replayed = replay(log, policy)
    assert (replayed.replayed, replayed.other_versions, replayed.differences) == (1, 1, ())
