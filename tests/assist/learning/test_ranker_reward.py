"""The reward: on its scale, in the order that reward.py's table gives, and strict about unknown words."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.learning.decision import NOTHING, LearningError
from assist.learning.reward import GRADES, REACTIONS, outcome_of, reward_of
from bot.events import DISPOSITIONS


@given(
    st.sampled_from([NOTHING, "card"]),
    st.sets(st.sampled_from(sorted(REACTIONS))),
    st.sampled_from([None, *DISPOSITIONS]),
    st.sampled_from([None, *GRADES]),
)
def test_every_reward_is_on_the_scale(key, reactions, disposition, grade):
    reward = reward_of(key, reactions, disposition=disposition, grade=grade)
    assert (reward is None) == (key != NOTHING and not reactions)
    assert reward is None or 0.0 <= reward <= 1.0


def test_a_better_reaction_always_earns_more_whatever_else_is_equal():
    cases = [("card", ["shown", "spoken"]), ("card", ["shown", "used"]), ("card", ["shown", "edited"])]
    cases += [(NOTHING, []), ("card", ["shown"]), ("card", ["shown", "dismissed"])]
    rewards = [reward_of(key, reactions, disposition="declined") for key, reactions in cases]
    for better, worse in itertools.pairwise(rewards):
        assert better is not None and worse is not None and better > worse


def test_of_several_reactions_the_best_counts():
    assert reward_of("card", ["shown", "used", "spoken"]) == reward_of("card", ["spoken"])
    assert reward_of("card", ["dismissed", "used"]) == reward_of("card", ["used"])


def test_a_card_that_was_never_on_the_screen_has_no_reward():
    assert reward_of("card", [], disposition="accepted") is None


@pytest.mark.parametrize("grade", [None, "A", "E"])
def test_what_decides_a_call_outweighs_its_grade(grade):
    assert outcome_of("do_not_call", grade) == 0.0
    assert outcome_of("accepted", grade) == 1.0


def test_the_grade_stands_before_the_disposition_and_no_outcome_is_neutral():
    assert outcome_of("declined", "B") == GRADES["B"] > outcome_of("declined", None)
    assert outcome_of(None, None) == outcome_of("no_answer", None) == 0.5


@pytest.mark.parametrize(
    ("reactions", "disposition", "grade", "named"),
    [(["liked"], None, None, "liked"), ([], "sold", None, "sold"), ([], None, "F", "'F'")],
)
def test_unknown_words_are_refused_by_name(reactions, disposition, grade, named):
    with pytest.raises(LearningError, match=named):
        reward_of("card", reactions, disposition=disposition, grade=grade)
