"""What other tasks teach: names without a task's words, habits, and the flow where it breaks off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.next_action.candidates import RELATIONS, SIGNALS
from bot.dialogue.next_action.flow_graph import KINDS, FlowGraph
from bot.dialogue.next_action.habits import Habits, KindGuess, answer_state, class_of, cues, generic
from bot.dialogue.next_action.lines import Flow, Line, situation
from bot.dialogue.next_action.reply_texts import TemplateActions
from bot.dialogue.next_action.transfer import Background, TaskView
from tests.next_action.dialogues import flow, lines, talk


def test_a_generic_name_has_neither_the_tasks_word_nor_a_number() -> None:
    assert generic("ride_bye", "ride_book") == "bye"
    assert generic("goodbye_2", "ride_book") == "goodbye"
    assert generic("query", "query") == "query"


NAMES = st.text("aB_1 中-", max_size=12)


@given(NAMES, NAMES)
def test_any_name_has_a_generic_one(action: str, task: str) -> None:
    """And taking the task's word off again from a name of one word changes nothing."""
    found = generic(action, task)
    assert "_" in found or generic(found, task) == found


@pytest.mark.parametrize(
    ("result", "state"),
    [
        ("[RESULT] NO RESULT", "result empty"),
        ("[RESULT] APIName = a ; Message = The request failed", "result negative few"),
        ("[RESULT] APIName = a ; Message = Booking confirmed", "result positive few"),
    ],
)
def test_a_systems_answer_is_read_by_its_mood(result: str, state: str) -> None:
    now = situation([("customer", "x"), ("agent", result)], "query", TemplateActions(flow("taxi")))
    assert answer_state(now) == state


def _taught(*tasks: str) -> Habits:
    return Habits(
        [
            (
                situation(line.history, line.prev_action, TemplateActions(flow(task))),
                line.prev_action,
                task,
                line.action or "",
            )
            for task in tasks
            for line in lines(task)
        ]
    )


def test_what_followed_in_other_tasks_is_expected_in_a_new_one() -> None:
    """After `anything_else` and the customer's answer came `goodbye`, never a question."""
    last = talk("hotel", 0)[-1]
    now = situation(last.history, last.prev_action, TemplateActions(flow("hotel")))
    rates = _taught("taxi", "pizza").rates(now, last.prev_action, "hotel", ["goodbye", "hello", "ask_city"])
    assert rates[0, 1] > 0.5 > rates[1, 1]
    assert rates[:, 3].tolist() == [1, 1, 0]


def test_habits_that_saw_nothing_expect_nothing() -> None:
    now = situation([("customer", "x")], "START", TemplateActions(flow("taxi")))
    assert Habits([]).rates(now, "START", "taxi", ["hello"]).tolist() == [[0, 0, 0, 0]]


def test_the_kind_of_the_next_action_is_learned_from_words() -> None:
    actions = TemplateActions(flow("taxi"))

    def read(said: str) -> list[str]:
        return cues(situation([("customer", said)], "START", actions), "other", "other")

    texts = ["book it please", "book that one", "bye now", "bye then"] * 3
    guess = KindGuess([read(text) for text in texts], ["commit", "commit", "bye", "bye"] * 3, [1.0] * 12)
    margins = guess.margins(read("please book"))
    assert margins["commit"] > margins["bye"]
    assert KindGuess([["a"]], ["bye"], [1.0]).margins(["a"]) == {}


FOUND = {
    "hello": "Hello", "ask_confirm": "Shall I book it?", "query_check": "Query", "query_book": "Query Book",
    "inform_offer": "I found one.", "inform_nothing": "Unfortunately there is none.",
    "yes": "Yes", "no": "No", "available": "Available", "unavailable": "Unavailable",
}  # fmt: skip
BROKEN = {
    "hello": ["query_check"], "available": ["ask_confirm"], "unavailable": ["inform_nothing"],
    "yes": ["query_book"], "no": ["hello"],
}  # fmt: skip


def test_where_a_flow_breaks_off_the_conditions_that_can_answer_go_on() -> None:
    """A system's answer after a query, the customer's yes or no after a question."""
    graph = FlowGraph(FOUND, BROKEN)
    assert graph.onward["query_check"] == ("ask_confirm", "inform_nothing")
    assert graph.onward["ask_confirm"] == ("query_book", "hello")
    assert graph.steps[graph.at["hello"], graph.at["ask_confirm"]] == 2


def test_a_reply_known_under_another_name_takes_its_nodes_place() -> None:
    graph = FlowGraph(
        {"a": "Hello", "x_ask": "Where from?"}, {"a": ["x_ask"]}, {"ask": 0.1}, {"x_ask": "ask"}
    )
    assert graph.after["a"] == ("ask",)
    assert graph.kinds[graph.at["x_ask"], KINDS.index("renamed")] == 1
    assert class_of(graph, "ask") == "ask"


def test_a_candidate_has_a_finite_number_for_each_column() -> None:
    tasks = ("taxi", "pizza")
    known = Background(lines(*tasks), {task: flow(task) for task in tasks})
    for task in (flow("hotel"), Flow("empty", {"hello": ""}, {})):
        view = TaskView(task.task, task, known)
        for line in [*talk("hotel", 1), Line("d", None, (), "START")]:
            table = view.numbers(line)
            assert table.shape == (len(view.graph.nodes), len(RELATIONS) + len(KINDS) + len(SIGNALS))
            assert abs(table).max() < 100
