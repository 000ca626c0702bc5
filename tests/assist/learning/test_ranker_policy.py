"""What a choice must be: exactly probable, repeatable, bounded in its exploration, silent on fixed cards."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.learning.decision import NOTHING, Decision, LearningError, Scored, draw, seed_of, uniform
from assist.learning.policy import Parameters, Policy
from assist.learning.update import learn

NAMES = ("ask_use", "anchor", "empathy", "offer", "must_say", NOTHING)
CONTEXTS = st.dictionaries(st.sampled_from(["type=exact", "stage=objections"]), st.floats(-2, 2), max_size=2)
CANDIDATES = st.lists(
    st.builds(
        Scored,
        key=st.sampled_from(NAMES),
        kind=st.sampled_from(["rebuttal", "question"]),
        prior=st.floats(0, 1),
        features=st.dictionaries(
            st.sampled_from(["technique=anchor", "fresh"]), st.floats(-1, 1), max_size=2
        ),
        fixed=st.booleans(),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one.key,
)
SEEDS = st.integers(0, 2**64 - 1)


def decisions(
    policy: Policy, candidates: list[Scored], rewards: dict[str, float], count: int
) -> list[Decision]:
    """A log of one context in which each key earns its reward."""
    log = []
    for seq in range(count):
        choice = policy.choose(candidates, {"type=exact": 1.0}, seed_of("c", seq))
        log.append(
            Decision(
                call_id="c",
                seq=seq,
                candidates=tuple(candidates),
                context={"type=exact": 1.0},
                choice=choice,
                reward=rewards[choice.key],
            )
        )
    return log


def experienced() -> Policy:
    """A policy that has learned, so that it explores."""
    policy = Policy.initial(Parameters(exploration=0.3, margin=0.5))
    cards = [Scored(key=name, kind="rebuttal", prior=0.5) for name in NAMES]
    for _ in range(5):
        policy = learn(
            policy, decisions(policy, cards, {name: 0.1 * at for at, name in enumerate(NAMES)}, 20)
        )
    return policy


EXPERIENCED = experienced()


@given(CANDIDATES, CONTEXTS, SEEDS)
def test_probabilities_sum_to_one_and_the_propensity_is_the_chosen_ones(candidates, context, seed):
    choice = EXPERIENCED.choose(candidates, context, seed)
    assert set(choice.probabilities) == {one.key for one in candidates}
    assert math.isclose(sum(choice.probabilities.values()), 1.0, abs_tol=1e-9)
    assert all(0.0 <= p <= 1.0 for p in choice.probabilities.values())
    assert choice.propensity == choice.probabilities[choice.key] > 0
    assert choice.policy_version == EXPERIENCED.version


@given(CANDIDATES, CONTEXTS, SEEDS, st.randoms())
def test_the_same_seed_gives_the_same_choice_in_whatever_order_the_candidates_come(
    candidates, context, seed, random
):
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert EXPERIENCED.choose(candidates, context, seed) == EXPERIENCED.choose(shuffled, context, seed)


@given(CANDIDATES, CONTEXTS, SEEDS)
def test_ranking_is_a_permutation_that_leaves_fixed_cards_where_their_priors_put_them(
    candidates, context, seed
):
    before = Policy.initial().choose(candidates, context, seed).ranked
    choice = EXPERIENCED.choose(candidates, context, seed)
    assert sorted(choice.ranked) == sorted(one.key for one in candidates)
    for one in candidates:
        if one.fixed:
            assert choice.ranked.index(one.key) == before.index(one.key)
            assert choice.probabilities[one.key] in (0.0, 1.0)


@given(CANDIDATES, CONTEXTS, SEEDS)
def test_a_fixed_card_with_the_best_prior_is_always_the_choice(candidates, context, seed):
    must = Scored(key="disclose_price", kind="compliance", prior=1.0, fixed=True)
    choice = EXPERIENCED.choose([*(one for one in candidates if one.prior < 1.0), must], context, seed)
    assert (choice.key, choice.propensity, choice.ranked[0]) == ("disclose_price", 1.0, "disclose_price")


@given(CANDIDATES, CONTEXTS, SEEDS)
def test_without_data_the_priors_order_everything(candidates, context, seed):
    choice = Policy.initial(Parameters(exploration=0.5)).choose(candidates, context, seed)
    priors = {one.key: one.prior for one in candidates}
    assert [priors[key] for key in choice.ranked] == sorted(priors.values(), reverse=True)
    assert choice.key == choice.ranked[0] and choice.propensity == 1.0


@given(CANDIDATES, CONTEXTS)
def test_chance_takes_at_most_the_exploration_and_only_within_the_margin(candidates, context):
    free = [one for one in candidates if not one.fixed]
    possible = EXPERIENCED.distribution(candidates, context)
    parameters = EXPERIENCED.parameters
    assert possible.probabilities[possible.greedy] >= 1 - parameters.exploration - 1e-9
    for one in free:
        if one.prior < max(each.prior for each in free) - parameters.margin:
            assert possible.probabilities[one.key] == 0.0


def test_every_candidate_within_the_margin_has_its_share_of_the_floor():
    cards = [Scored(key=name, kind="rebuttal", prior=0.5) for name in NAMES]
    probabilities = EXPERIENCED.distribution(cards, {"type=exact": 1.0}).probabilities
    parameters = EXPERIENCED.parameters
    least = parameters.exploration * parameters.floor / len(cards)
    assert min(probabilities.values()) == pytest.approx(least, abs=2e-6)
    assert len(set(probabilities.values())) > 2  # the posterior tells them apart


def test_draws_follow_the_probabilities():
    probabilities = {"a": 0.5, "b": 0.3, "c": 0.2, "never": 0.0}
    count = 20_000
    drawn = [draw(probabilities, seed_of("call", seq)) for seq in range(count)]
    for key, probability in probabilities.items():
        assert drawn.count(key) / count == pytest.approx(probability, abs=0.015)
    other_order = dict(reversed(probabilities.items()))
    assert drawn == [draw(other_order, seed_of("call", seq)) for seq in range(count)]


def test_seeds_and_their_numbers_never_change():
    assert seed_of("call-1", 7) == 0xCE7B42339C4273ED  # b2sum -l 64
    assert seed_of("call-1", 7) != seed_of("call-17", 0)
    assert 0.0 <= uniform(seed_of("call-1", 7)) < 1.0


@pytest.mark.parametrize(
    ("candidates", "context", "named"),
    [
        ([], {}, "no candidates"),
        ([Scored(key="a", kind="k", prior=0.1)] * 2, {}, "'a' is given twice"),
        ([Scored(key="a", kind="k", prior=float("nan"))], {}, "'a': prior"),
        ([Scored(key="a", kind="k", prior=0.1, features={"f": float("inf")})], {}, "feature 'f'"),
        ([Scored(key="a", kind="k", prior=0.1)], {"stage": float("nan")}, "context 'stage'"),
    ],
)
def test_unusable_input_is_named(candidates, context, named):
    with pytest.raises(LearningError, match=named):
        Policy.initial().choose(candidates, context, 1)


@pytest.mark.parametrize(
    ("name", "value"), [("exploration", 0.6), ("floor", -0.1), ("noise_sd", 0.0), ("margin", float("nan"))]
)
def test_parameters_out_of_range_are_refused(name, value):
    with pytest.raises(LearningError, match=name):
        Parameters(**{name: value})
