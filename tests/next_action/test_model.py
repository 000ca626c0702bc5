"""The trained model, and the one for tasks never seen."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.dialogue.next_action.model import NextActionModel, fit
from bot.dialogue.next_action.transfer import TransferModel, shared_actions, without
from tests.next_action.dialogues import flow, lines, talk

TURNS = st.lists(
    st.tuples(
        st.sampled_from(["agent", "customer"]), st.text(max_size=30) | st.sampled_from(["No", "[RESULT]"])
    ),
    max_size=9,
)


@pytest.fixture(scope="module")
def model() -> NextActionModel:
    return fit(lines("taxi", "pizza"))


@pytest.fixture(scope="module")
def transfer() -> TransferModel:
    return TransferModel(lines("taxi", "pizza"), {task: flow(task) for task in ("taxi", "pizza")})


def test_a_regular_task_is_learned(model: NextActionModel) -> None:
    """Dialogues with facts in a combination that training lacks: the next action is the right one."""
    asked = [line for number in (12, 13, 14, 15) for line in talk("taxi", number)]
    right = [row[0][0] == line.action for row, line in zip(model.rank_lines(asked), asked, strict=True)]
    assert np.mean(right) >= 0.9


@settings(max_examples=25, deadline=None)
@given(history=TURNS, previous=st.sampled_from(["START", "query", "unheard_of"]), task=st.none() | st.text())
def test_a_ranking_is_a_permutation_whose_probabilities_sum_to_one(
    model: NextActionModel, history: list[tuple[str, str]], previous: str, task: str | None
) -> None:
    ranked = model.rank(history, previous, task)
    shares = [share for _, share in ranked]
    assert sorted(action for action, _ in ranked) == sorted(model.actions)
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)


def test_without_a_task_its_name_changes_nothing(model: NextActionModel) -> None:
    line = talk("taxi", 13)[1]
    other = msgspec.structs.replace(line, task="pizza")
    assert model.rank_lines([line], with_task=False) == model.rank_lines([other], with_task=False)


def test_a_line_is_ranked_alike_alone_and_among_others(model: NextActionModel) -> None:
    asked = talk("taxi", 13)
    among = model.rank_lines(asked)[2]
    alone = model.rank_lines([asked[2]])[0]
    assert dict(among) == pytest.approx(dict(alone))


def test_nodes_of_a_flow_can_be_ranked_though_training_lacks_them() -> None:
    found = fit(lines("taxi"), {"hotel": flow("hotel")})
    assert "hotel_ask_city" in dict(found.rank([("customer", "Hi")], "START"))


def test_training_needs_two_actions() -> None:
    with pytest.raises(ValueError, match="two different"):
        fit([line for line in lines("taxi") if line.action == "hello"])


def test_the_held_out_tasks_lines_never_enter_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command removes them, and neither candidates nor facts of that task remain."""
    from benchmarks import next_action

    everything = lines("taxi", "pizza", "hotel")
    flows = {task: flow(task) for task in ("taxi", "pizza", "hotel")}
    taught: list[list[str | None]] = []

    class Watched(TransferModel):
        def __init__(self, given: list, flows: dict) -> None:  # type: ignore[type-arg]
            taught.append([line.task for line in given])
            super().__init__(given, flows)

    monkeypatch.setattr(next_action, "TransferModel", Watched)
    ranked, _ = next_action._held_out("hotel", everything, talk("hotel", 0), flows)
    assert set(taught[0]) == {"taxi", "pizza"}
    allowed = set(flows["hotel"].replies) | set(shared_actions(without(everything, "hotel")))
    assert {action for row in ranked for action in row} <= allowed


def test_a_task_never_seen_is_followed_by_its_flow(transfer: TransferModel) -> None:
    asked = [line for number in range(4) for line in talk("hotel", number)]
    ranked = transfer.rank_lines(asked, flow("hotel"))
    right = [row[0][0] == line.action for row, line in zip(ranked, asked, strict=True)]
    assert transfer.trained_on == {"taxi", "pizza"}
    assert np.mean(right) >= 0.7
    assert all(sum(share for _, share in row) == pytest.approx(1) for row in ranked)


def test_shared_actions_are_those_of_two_families() -> None:
    assert set(shared_actions(lines("taxi", "pizza"))) == {"hello", "query", "anything_else", "goodbye"}
    assert shared_actions(lines("taxi")) == {}
