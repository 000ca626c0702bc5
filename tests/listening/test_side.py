"""One side's utterances: begun by the voice, ended by quiet, each final exactly once."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.call.ports import WordsIn
from bot.call.signals import EndUtterance, VoiceStarted, VoiceStopped
from bot.listening.ports import Heard
from bot.listening.side import Output, SideOfCall, SideParameters

P = SideParameters(quiet_ms=300, longest_ms=5000, final_wait_ms=600, partial_every_ms=300)


def side() -> SideOfCall:
    return SideOfCall("customer", P)


def began(at_ms: int, since_ms: int) -> VoiceStarted:
    return VoiceStarted(at_ms=at_ms, since_ms=since_ms)


def stopped(at_ms: int, since_ms: int) -> VoiceStopped:
    return VoiceStopped(at_ms=at_ms, since_ms=since_ms)


def finals(outputs: list[Output]) -> list[Heard]:
    return [output for output in outputs if isinstance(output, Heard) and output.final]


def test_an_utterance_has_the_times_of_its_sound_and_ends_after_the_quiet() -> None:
    one = side()
    out = one.voice(began(1040, 1000))
    out += one.tick(1300)
    out += one.words(WordsIn("太贵", False))
    out += one.voice(stopped(2100, 2000))
    out += one.tick(2280)
    assert EndUtterance() not in out
    out += one.tick(2300)
    assert out[-1] == EndUtterance()
    out += one.words(WordsIn("太贵了吧", True, confidence=0.8))
    assert [item for item in out if isinstance(item, Heard)] == [
        Heard("customer", "c1", "太贵", 1000, 1300, False),
        Heard("customer", "c1", "太贵了吧", 1000, 2000, True, 0.8),
    ]


def test_a_pause_shorter_than_the_quiet_does_not_cut() -> None:
    one = side()
    out = one.voice(began(40, 0)) + one.voice(stopped(1100, 1000)) + one.tick(1280)
    out += one.voice(began(1290, 1250)) + one.tick(2000)
    assert out == []
    out = one.voice(stopped(2100, 2000)) + one.tick(2300) + one.words(WordsIn("是，不过多少钱", True))
    assert [(heard.begin_ms, heard.end_ms) for heard in finals(out)] == [(0, 2000)]


def test_noise_without_words_is_no_utterance() -> None:
    one = side()
    out = one.voice(began(40, 0)) + one.voice(stopped(500, 400)) + one.tick(800)
    out += one.words(WordsIn("", True))
    assert out == [EndUtterance()]


def test_the_next_sentence_may_begin_before_the_last_ones_final_text_came() -> None:
    one = side()
    one.voice(began(40, 0))
    one.voice(stopped(1000, 900))
    one.tick(1200)
    one.voice(began(1300, 1260))
    out = one.words(WordsIn("第一句", True)) + one.words(WordsIn("第二", False))
    one.voice(stopped(2100, 2000))
    out += one.tick(2300) + one.words(WordsIn("第二句", True))
    assert [(heard.utterance_id, heard.text, heard.begin_ms) for heard in finals(out)] == [
        ("c1", "第一句", 0),
        ("c2", "第二句", 1260),
    ]


def test_a_final_text_that_does_not_come_is_replaced_once_by_the_last_partial() -> None:
    one = side()
    one.voice(began(40, 0))
    out = one.words(WordsIn("我要取消", False))
    one.voice(stopped(1000, 900))
    out += one.tick(1200) + one.tick(1900) + one.tick(2500)
    out += one.words(WordsIn("我要取消宽带", True))
    assert [heard.text for heard in finals(out)] == ["我要取消"]


def test_a_monologue_is_cut_and_goes_on_as_the_next_utterance() -> None:
    one = side()
    out = one.voice(began(40, 0)) + one.tick(5000)
    assert out == [EndUtterance()]
    out = one.words(WordsIn("前一半", True))
    one.voice(stopped(7000, 6900))
    out += one.tick(7300) + one.words(WordsIn("后一半", True))
    assert [(heard.text, heard.begin_ms, heard.end_ms) for heard in finals(out)] == [
        ("前一半", 0, 5000),
        ("后一半", 5000, 6900),
    ]


def test_an_end_that_the_recogniser_finds_by_itself_ends_the_utterance_and_the_voice_begins_the_next() -> (
    None
):
    one = side()
    one.voice(began(40, 0))
    one.tick(2000)
    out = one.words(WordsIn("先说到这", True))
    one.voice(stopped(3100, 3000))
    out += one.tick(3300) + one.words(WordsIn("再说一句", True))
    assert [(heard.utterance_id, heard.text, heard.begin_ms, heard.end_ms) for heard in finals(out)] == [
        ("c1", "先说到这", 0, 2000),
        ("c2", "再说一句", 2000, 3000),
    ]


def test_words_without_a_detected_voice_are_not_lost() -> None:
    one = side()
    one.tick(1000)
    out = one.words(WordsIn("喂", False)) + one.tick(1300)
    assert EndUtterance() in out
    out += one.words(WordsIn("喂", True))
    assert [heard.text for heard in finals(out)] == ["喂"]


def test_partials_come_at_most_three_a_second() -> None:
    one = side()
    out = one.voice(began(40, 0))
    for step in range(50):
        out += one.tick(100 + step * 20) + one.words(WordsIn("字" * (step + 1), False))
    shown = [heard.end_ms for heard in out if isinstance(heard, Heard)]
    assert 3 <= len(shown) <= 5
    assert all(after - before >= 300 for before, after in pairwise(shown))


def test_the_end_of_the_call_ends_the_utterance_and_nothing_half_heard_is_lost() -> None:
    one = side()
    one.voice(began(40, 0))
    one.words(WordsIn("那就这样", False))
    assert one.end() == [EndUtterance()]
    assert one.waits
    assert [heard.text for heard in one.give_up()] == ["那就这样"]
    assert not one.waits


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("tick"), st.integers(0, 900)),
            st.tuples(st.just("voice"), st.integers(0, 400)),
            st.tuples(st.just("partial"), st.sampled_from(["", "嗯", "嗯好", "多少钱"])),
            st.tuples(st.just("final"), st.sampled_from(["", "嗯好", "多少钱"])),
        ),
        max_size=60,
    )
)
def test_whatever_happens_each_utterance_is_final_once_and_last(script: list[tuple[str, object]]) -> None:
    """Recognisers answer each EndUtterance with one final text, in order, at any time after it."""
    one, now, voice, owed = side(), 0, False, 0
    out: list[Output] = []
    for kind, value in script:
        before = len(out)
        if kind == "tick":
            now += int(str(value))
            out += one.tick(now)
        elif kind == "voice":
            voice = not voice
            now += int(str(value))
            out += one.voice(began(now, max(0, now - 40)) if voice else stopped(now, max(0, now - 100)))
        elif kind == "partial":
            out += one.words(WordsIn(str(value), False))
        elif owed:
            owed -= 1
            out += one.words(WordsIn(str(value), True))
        owed += sum(isinstance(item, EndUtterance) for item in out[before:])
    out += one.end()
    out += one.give_up()
    heard = [item for item in out if isinstance(item, Heard)]
    ended: set[str] = set()
    for item in heard:
        assert item.text and item.begin_ms <= item.end_ms <= now
        assert item.utterance_id not in ended, "nothing comes after an utterance's final text"
        if item.final:
            ended.add(item.utterance_id)
    assert {item.utterance_id for item in heard} == ended, "what was shown is made final at last"
