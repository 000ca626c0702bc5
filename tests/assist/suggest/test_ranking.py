"""Which cards come up, and when none does: good sense first, then what was learned; all of it logged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.learning.decision import NOTHING, Decision
from assist.learning.policy import Parameters, Policy
from assist.learning.update import learn
from assist.suggest.model import Candidate, Said
from assist.suggest.ranking import MAX_CARDS, choose, features_of, silence_prior
from tests.assist.small_script import customer_said, picture

FREE = Policy.of(Parameters(exploration=0.5), observations=5, blocks={})


def card(key: str, prior: float, **more: object) -> Candidate:
    return Candidate(key=key, kind="answer", text=key, prior=prior, **more)  # type: ignore[arg-type]


def keys(chosen: list[Candidate]) -> list[str]:
    return [one.key for one in chosen]


def test_without_learning_the_priors_rule():
    possible = [card("a", 0.9), card("b", 0.8), card("c", 0.5), card("d", 0.4)]
    asks = picture(customer_said("多少钱", "ask_price"))
    shown, choice, scored = choose(Policy.initial(), asks, possible, 1)
    assert keys(shown) == ["a", "b", "c"]
    assert (choice.key, choice.propensity) == ("a", 1.0)
    assert {one.key for one in scored} == {"a", "b", "c", "d", NOTHING}


def test_what_looks_worse_than_silence_is_not_shown_not_even_folded():
    noise = picture(customer_said("嗯", "backchannel"), acts=("backchannel",))
    shown, choice, _ = choose(Policy.initial(), noise, [card("a", 0.7), card("b", 0.6)], 1)
    assert shown == [] and choice.key == NOTHING


def test_nothing_is_always_among_what_could_be_done():
    shown, choice, scored = choose(Policy.initial(), picture(), [], 1)
    assert shown == [] and choice.key == NOTHING and [one.key for one in scored] == [NOTHING]


@pytest.mark.parametrize(
    ("line", "fields", "least"),
    [
        (customer_said("今天天气不错", "chitchat"), {"acts": ("chitchat",)}, 0.85),
        (customer_said("你等一下", "hold_on"), {"acts": ("hold_on",)}, 0.85),
        (customer_said("嗯嗯", "backchannel"), {"acts": ("backchannel",)}, 0.75),
        (customer_said("多少钱", "ask_price"), {"acts": ("ask_price",), "speaking": ("u9", 0)}, 0.97),
        (customer_said("多少钱", "ask_price"), {"acts": ("ask_price",), "steps": ("advise_nothing",)}, 0.7),
    ],
)
def test_silence_wins_in_small_talk_noise_and_mid_sentence(line, fields, least):
    assert silence_prior(picture(line, **fields)) >= least
    asks = picture(customer_said("多少钱", "ask_price"), acts=("ask_price",))
    assert silence_prior(asks) < 0.5


def test_silence_wins_when_the_agent_has_just_said_it():
    asks = customer_said("多少钱", "ask_price")
    answered = Said(utterance_id="u2", party="agent", text="五十八", nodes=("utter_answer_price",))
    assert silence_prior(picture(asks, answered, acts=("ask_price",))) >= 0.8


@given(st.lists(st.tuples(st.floats(0, 0.99), st.booleans()), max_size=30), st.integers(0, 500))
def test_whatever_chance_does_the_choice_is_one_of_the_candidates_and_its_odds_are_logged(priors, seq):
    possible = [card(f"k{at}", prior, fixed=fixed) for at, (prior, fixed) in enumerate(priors)]
    shown, choice, scored = choose(FREE, picture(), possible, seq)
    assert len(shown) <= MAX_CARDS
    assert len(set(keys(shown))) == len(shown)
    assert 0 < choice.propensity <= 1
    assert choice.key in {one.key for one in scored}
    assert NOTHING not in keys(shown)
    again = choose(FREE, picture(), possible, seq)
    assert (keys(again[0]), again[1]) == (keys(shown), choice)


def test_the_context_says_stage_objection_type_tier_and_mood():
    upset = Said(utterance_id="u1", party="customer", text="气死我了", sentiment="negative")
    known = picture(upset, contact={"value_tier": "gold"}, objection="object_price", stage="objections")
    known.customer_type = "exact"
    assert features_of(known) == dict.fromkeys(
        ("stage=objections", "type=exact", "objection=object_price", "tier=gold", "upset"), 1.0
    )
    assert features_of(picture()) == {"stage=opening": 1.0}


def test_what_was_learned_turns_two_cards_that_look_alike():
    possible = [card("a", 0.72), card("b", 0.7)]
    here = picture(customer_said("太贵了", "object_price"))
    _, choice, scored = choose(FREE, here, possible, 1)
    log = [
        Decision(
            call_id="c", seq=at, candidates=scored, context=features_of(here), reward=reward,
            choice=choice.__class__(
                key=key, propensity=0.5, policy_version=FREE.version, probabilities={key: 0.5}, ranked=(key,),
                greedy=key,
            ),
        )
        for at, (key, reward) in enumerate([("a", 0.05), ("b", 0.95)] * 40)
    ]  # fmt: skip
    learned = learn(Policy.initial(Parameters(exploration=0.0)), log)
    assert keys(choose(Policy.initial(), here, possible, 1)[0])[0] == "a"
    assert keys(choose(learned, here, possible, 1)[0])[0] == "b"
