"""What is on the screen: never more than three cards, and never torn from under the agent's eyes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from assist.suggest.model import Suggestion
from assist.suggest.pace import FOLDED, READING_MS, Screen


def card(name: str, at_ms: int = 0, ttl_ms: int = 20_000, **more: object) -> Suggestion:
    fields = {"kind": "answer", "text": name, **more}
    return Suggestion(id=name, call_id="c", ttl_ms=ttl_ms, t_sent_ms=at_ms, **fields)  # type: ignore[arg-type]


WHISPER = card("w", kind="action", pinned=True, ttl_ms=60_000)


def test_the_best_comes_up_and_two_more_are_folded():
    screen = Screen()
    assert screen.show([card("a"), card("b"), card("c"), card("d")], 0)
    assert [one.id for one in screen.cards()] == ["a", "b", "c"]


def test_showing_the_same_again_changes_nothing():
    screen = Screen()
    screen.show([card("a")], 0)
    assert not screen.show([card("a")], 1)


def test_no_cards_clear_the_screen():
    screen = Screen()
    screen.show([card("a"), card("b")], 0)
    assert screen.show([], 1)
    assert screen.cards() == ()


def test_what_comes_while_the_agent_reads_waits_for_the_end_of_the_line():
    screen = Screen()
    screen.show([card("a")], 0)
    screen.begin_reading(100)
    assert not screen.show([card("b"), card("c")], 200)
    assert [one.id for one in screen.cards()] == ["a"]
    assert screen.end_reading(300)
    assert [one.id for one in screen.cards()] == ["b", "c"]


def test_a_reading_that_stops_half_way_ends_by_itself():
    screen = Screen()
    screen.show([card("a")], 0)
    screen.begin_reading(100)
    screen.show([card("b")], 200)
    assert not screen.expire(100 + READING_MS)
    assert screen.expire(101 + READING_MS)
    assert [one.id for one in screen.cards()] == ["b"]


def test_what_waited_never_comes_up_after_something_newer():
    screen = Screen()
    screen.show([card("a")], 0)
    screen.begin_reading(0)
    screen.show([card("stale")], 10)
    screen.show([card("new")], READING_MS + 1)
    assert screen.remove("new")
    assert screen.cards() == ()


def test_a_card_is_not_expired_while_it_is_read():
    screen = Screen()
    screen.show([card("a", ttl_ms=1000)], 0)
    screen.begin_reading(900)
    assert not screen.expire(2000)
    assert screen.expire(900 + READING_MS + 1)


def test_a_card_that_was_dealt_with_goes_and_what_waited_comes():
    screen = Screen()
    screen.show([card("a"), card("f")], 0)
    screen.begin_reading(0)
    screen.show([card("b")], 10)
    assert screen.remove("a")
    assert [one.id for one in screen.cards()] == ["b"]


def test_a_folded_card_goes_alone():
    screen = Screen()
    screen.show([card("a"), card("b"), card("c")], 0)
    assert screen.remove("b")
    assert [one.id for one in screen.cards()] == ["a", "c"]
    assert not screen.remove("nobody")


def test_a_whisper_stays_until_it_is_dealt_with_or_its_time_is_over():
    screen = Screen()
    screen.show([card("a")], 0)
    screen.whisper(WHISPER, 0)
    screen.show([card("b")], 10)
    assert [one.id for one in screen.cards()] == ["w", "b"]
    screen.show([card("c")], 60_001)
    assert [one.id for one in screen.cards()] == ["c"]


def test_a_whisper_that_waits_for_a_reading_is_not_lost_to_newer_cards():
    screen = Screen()
    screen.show([card("a")], 0)
    screen.begin_reading(0)
    screen.whisper(WHISPER, 5)
    screen.show([card("b")], 10)
    assert screen.primary is not None and screen.primary.id == "a"
    screen.end_reading(20)
    assert [one.id for one in screen.cards()] == ["w", "b"]


@given(st.integers(0, 100_000), st.integers(0, 100_000))
def test_a_card_is_over_just_after_its_time(sent_ms, ttl_ms):
    one = card("a", at_ms=sent_ms, ttl_ms=ttl_ms)
    assert not Screen.expired(one, sent_ms + ttl_ms)
    assert Screen.expired(one, sent_ms + ttl_ms + 1)


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens, in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.screen = Screen()
        self.now_ms = 0
        self.number = 0

    def cards(self, count: int) -> list[Suggestion]:
        self.number += count
        return [card(f"n{self.number - at}", at_ms=self.now_ms) for at in range(count)]

    @rule(count=st.integers(0, 5))
    def show(self, count: int) -> None:
        before, reading = self.screen.primary, self.screen.reading(self.now_ms)
        self.screen.show(self.cards(count), self.now_ms)
        if reading and before is not None:
            assert self.screen.primary == before

    @rule()
    def whisper(self) -> None:
        before, reading = self.screen.primary, self.screen.reading(self.now_ms)
        self.number += 1
        self.screen.whisper(card(f"w{self.number}", self.now_ms, kind="action", pinned=True), self.now_ms)
        if reading and before is not None:
            assert self.screen.primary == before

    @rule(ms=st.integers(1, 15_000))
    def time_passes(self, ms: int) -> None:
        self.now_ms += ms
        self.screen.expire(self.now_ms)
        up = self.screen.primary
        assert up is None or self.screen.reading(self.now_ms) or not Screen.expired(up, self.now_ms)

    @rule()
    def begin_reading(self) -> None:
        self.screen.begin_reading(self.now_ms)

    @rule()
    def end_reading(self) -> None:
        self.screen.end_reading(self.now_ms)
        assert not self.screen.reading(self.now_ms)

    @precondition(lambda self: self.screen.cards())
    @rule(data=st.data())
    def dealt_with(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(self.screen.cards()))
        assert self.screen.remove(gone.id)
        assert gone.id not in {one.id for one in self.screen.cards()}

    @invariant()
    def one_primary_and_at_most_two_folded(self) -> None:
        assert len(self.screen.folded) <= FOLDED
        ids = [one.id for one in self.screen.cards()]
        assert len(ids) == len(set(ids))


TestAnyOrder = AnyOrder.TestCase
