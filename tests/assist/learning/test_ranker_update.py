"""What learning must do: converge to the truth, carry over by feature, keep versions and JSON exact."""

from __future__ import annotations

import random

import numpy as np
import pytest
from msgspec.structs import replace

from assist.learning.decision import Choice, Decision, LearningError, Scored, seed_of
from assist.learning.policy import Parameters, Policy
from assist.learning.update import from_json, learn, to_json


def card(key: str, technique: str, prior: float = 0.5, fixed: bool = False) -> Scored:
    """A rebuttal."""
    features = {f"technique={technique}": 1.0}
    return Scored(key=key, kind="rebuttal", prior=prior, features=features, fixed=fixed)


def logged(candidate: Scored, context: dict[str, float], reward: float | None, seq: int) -> Decision:
    """A decision that could only come out one way."""
    choice = Choice(
        key=candidate.key,
        propensity=1.0,
        policy_version="ranker-before",
        probabilities={candidate.key: 1.0},
        ranked=(candidate.key,),
        greedy=candidate.key,
    )
    return Decision(
        call_id=f"c{seq}", seq=seq, candidates=(candidate,), context=context, choice=choice, reward=reward
    )


ANCHOR, EMPATHY = card("price/anchor", "anchor"), card("price/empathy", "empathy", prior=0.55)
EXACT, TALKER = {"type=exact": 1.0}, {"type=talker": 1.0}


def taught() -> Policy:
    """Anchor serves the exact customer, empathy the talker."""
    log, draw = [], random.Random(3)
    for seq in range(300):
        candidate, context = draw.choice([ANCHOR, EMPATHY]), draw.choice([EXACT, TALKER])
        serves = (candidate is ANCHOR) == (context is EXACT)
        log.append(logged(candidate, context, float(draw.random() < (0.8 if serves else 0.3)), seq))
    return learn(Policy.initial(), log)


def test_what_serves_whom_is_learned_and_the_order_follows():
    policy = taught()
    assert policy.expected(ANCHOR, EXACT)[0] == pytest.approx(0.8, abs=0.1)
    assert policy.expected(ANCHOR, TALKER)[0] == pytest.approx(0.3, abs=0.1)
    assert policy.distribution([ANCHOR, EMPATHY], EXACT).greedy == ANCHOR.key
    assert policy.distribution([ANCHOR, EMPATHY], TALKER).greedy == EMPATHY.key


def test_the_loop_of_choosing_and_learning_finds_the_card_that_its_priors_hide():
    truth = {"price/anchor": 0.7, "price/empathy": 0.45}
    policy, draw = Policy.initial(), random.Random(5)
    for batch in range(30):
        log = []
        for at in range(20):
            seq = batch * 20 + at
            choice = policy.choose([ANCHOR, EMPATHY], EXACT, seed_of("loop", seq))
            reward = float(draw.random() < truth[choice.key])
            log.append(
                Decision(
                    call_id="loop",
                    seq=seq,
                    candidates=(ANCHOR, EMPATHY),
                    context=EXACT,
                    choice=choice,
                    reward=reward,
                )
            )
        policy = learn(policy, log)
    possible = policy.distribution([ANCHOR, EMPATHY], EXACT)
    assert possible.greedy == ANCHOR.key
    assert possible.probabilities[EMPATHY.key] < policy.parameters.exploration / 2


def test_a_card_never_shown_gains_from_others_of_its_technique():
    policy = taught()
    unseen_anchor, unseen_empathy = card("trust/anchor", "anchor"), card("trust/empathy", "empathy")
    assert policy.expected(unseen_anchor, EXACT)[0] > policy.expected(unseen_empathy, EXACT)[0] + 0.1


def test_a_feature_teaches_as_much_as_it_is_present():
    faint = Scored(key="price/faint", kind="rebuttal", prior=0.5, features={"technique=anchor": 0.1})
    strong = Scored(key="price/faint", kind="rebuttal", prior=0.5, features={"technique=anchor": 1.0})

    def carried_over(shown: Scored) -> float:
        policy = learn(Policy.initial(), [logged(shown, {}, 1.0, 0)])
        other = Scored(key="other", kind="offer", prior=0.5, features={"technique=anchor": 1.0})
        return policy.expected(other, {})[0] - 0.5

    assert 0 < carried_over(faint) < 0.2 * carried_over(strong)


def test_each_reward_narrows_what_is_believed_of_the_card():
    policy = Policy.initial()
    spreads = [policy.expected(ANCHOR, EXACT)[1]]
    for seq in range(5):
        policy = learn(policy, [logged(ANCHOR, EXACT, 0.5, seq)])
        spreads.append(policy.expected(ANCHOR, EXACT)[1])
    assert spreads == sorted(spreads, reverse=True) and spreads[-1] < spreads[0]


def test_the_first_reward_gives_the_textbook_posterior_and_later_ones_stay_near_it():
    parameters = Parameters(prior_sd=0.2, noise_sd=0.3)
    rewards = [0.9, 0.4, 0.7, 0.8]
    prior_variance = 3 * parameters.prior_sd**2  # the sum of three weights: kind, technique, arm
    for count, tolerance in ((1, 1e-12), (4, 0.05)):  # later steps drop the terms between groups
        log = [logged(ANCHOR, {}, reward, at) for at, reward in enumerate(rewards[:count])]
        precision = 1 / prior_variance + count / parameters.noise_sd**2
        gain = sum(reward - ANCHOR.prior for reward in rewards[:count]) / parameters.noise_sd**2 / precision
        mean, sd = learn(Policy.initial(parameters), log).expected(ANCHOR, {})
        assert mean == pytest.approx(ANCHOR.prior + gain, abs=tolerance)
        if count == 1:  # three blocks each shrink by their share of the gain; their terms in between are lost
            share = parameters.prior_sd**4 / (prior_variance + parameters.noise_sd**2)
            assert sd**2 == pytest.approx(3 * (parameters.prior_sd**2 - share))


def test_new_context_features_leave_what_was_known_untouched():
    policy = learn(Policy.initial(), [logged(ANCHOR, EXACT, 1.0, 0)])
    before = policy.expected(ANCHOR, EXACT)
    blocks = learn(policy, [logged(EMPATHY, {"stage=close": 1.0}, 0.5, 1)]).blocks
    arm = blocks[f"arm:{ANCHOR.key}"]
    assert arm == policy.blocks[f"arm:{ANCHOR.key}"]
    grown = learn(policy, [logged(ANCHOR, {"stage=close": 0.5}, before[0], 1)]).blocks[f"arm:{ANCHOR.key}"]
    assert grown.names == ("", "type=exact", "stage=close")
    assert np.allclose(np.array(grown.covariance).reshape(3, 3), np.array(grown.covariance).reshape(3, 3).T)


def test_decisions_without_a_reward_or_with_a_fixed_card_teach_nothing():
    policy = taught()
    unknown = logged(ANCHOR, EXACT, None, 1)
    must = logged(card("recording", "notice", fixed=True), EXACT, 1.0, 2)
    assert learn(policy, [unknown, must]) == policy


def test_the_version_is_the_content():
    policy = taught()
    assert policy == taught()
    assert policy.version not in (
        Policy.initial().version,
        learn(policy, [logged(ANCHOR, EXACT, 1.0, 9)]).version,
    )
    assert Policy.initial().version != Policy.initial(Parameters(exploration=0.2)).version


def test_json_gives_back_the_same_policy_and_the_same_choices():
    policy = taught()
    again = from_json(to_json(policy))
    assert again == policy and to_json(again) == to_json(policy)
    for seq in range(50):
        seed = seed_of("x", seq)
        assert again.choose([ANCHOR, EMPATHY], EXACT, seed) == policy.choose([ANCHOR, EMPATHY], EXACT, seed)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda text: text[:-5], "not a ranker policy"),
        (lambda text: b"\xff" + text, "not a ranker policy"),
        (lambda text: text.replace(b'"observations":300', b'"observations":301'), "changed by hand"),
        (lambda text: text.replace(b'"names":["",', b'"names":['), "names"),
        (lambda text: text.replace(b'"exploration":0.1', b'"exploration":0.9'), "exploration"),
    ],
)
def test_a_spoiled_policy_file_is_refused_by_name(spoil, named):
    spoiled = spoil(to_json(taught()))
    assert spoiled != to_json(taught())
    with pytest.raises(LearningError, match=named):
        from_json(spoiled)


@pytest.mark.parametrize("reward", [-0.1, 1.1, float("nan")])
def test_a_reward_off_the_scale_is_refused(reward):
    with pytest.raises(LearningError, match=r"c4:4: reward"):
        learn(Policy.initial(), [logged(ANCHOR, EXACT, reward, 4)])


def test_a_log_whose_choice_is_no_candidate_is_refused():
    broken = replace(logged(ANCHOR, EXACT, 0.5, 1), candidates=(EMPATHY,))
    with pytest.raises(LearningError, match="is not a candidate"):
        learn(Policy.initial(), [broken])
