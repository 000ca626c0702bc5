"""Two simulated people: conversations load or say why not; their sound and words keep the call's time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from assist.suggest.model import CARD_KINDS
from bot.call.clock import run_virtual
from bot.call.pcm import SILENT_FRAME, level_dbfs
from bot.call.ports import FRAME_MS, HungUpIn
from bot.data_folder import PROJECT
from bot.events import DISPOSITIONS
from bot.listening.ports import Heard, TrackIn
from bot.phone.conversation import Conversation, load_conversation, load_conversations
from bot.phone.two_people import FINAL_LAG_MS, TwoPeople
from bot.speech.tts_espeak import EspeakSettings, EspeakVoice
from bot.typed_yaml import YamlError

CALLS = load_conversations(PROJECT / "assist_calls", CARD_KINDS, DISPOSITIONS)
SHORT = """
name: short
zh: 短
en: short
script: bundle
contact: {name: 张伟}
lines:
  - {agent: "您好，[500]请问是张先生吗", after_ms: 100}
  - {customer: "是我", overlap_ms: 200, heard: "四我", card: [question]}
  - {agent: "保证便宜", alarm: 保证}
"""


def loaded(tmp_path: Path, text: str = SHORT) -> Conversation:
    path = tmp_path / "short.yml"
    path.write_text(text, encoding="utf-8")
    return load_conversation(path, CARD_KINDS, DISPOSITIONS)


def spoken(conversation: Conversation) -> TwoPeople:
    voices = [
        EspeakVoice(EspeakSettings(speed=s.speed, pitch=s.pitch, variant=s.variant), inline=True)
        for s in (conversation.agent, conversation.customer)
    ]
    people = TwoPeople(conversation, *voices)
    asyncio.run(people.prepare())
    return people


def test_the_shipped_conversations_cover_what_the_demo_promises() -> None:
    scripts = [call.script for call in CALLS.values()]
    assert scripts.count("bundle") >= 2
    assert scripts.count("retention") >= 3
    assert any(line.alarm == "保证" for call in CALLS.values() for line in call.lines)
    assert any(line.quiet for line in CALLS["small_talk"].lines)
    assert all(any(line.overlap_ms for line in CALLS[name].lines) for name in ("bundle_data_over",))


@pytest.mark.parametrize("name", sorted(CALLS))
def test_every_shipped_conversation_marks_the_advice_that_must_come(name: str) -> None:
    assert sum(bool(line.card) for line in CALLS[name].lines) >= 3
    assert {"name", "monthly_bill", "value_tier", "consent"} <= set(CALLS[name].contact)


@pytest.mark.parametrize(
    ("before", "after", "line", "says"),
    [
        ("overlap_ms: 200", "overlap: 200", 9, "overlap_ms"),
        ("card: [question]", "card: [qestion]", 9, "question"),
        ("heard: \"四我\"", "heard: \"四[300]我\"", 9, "pauses"),
        ("alarm: 保证", "alarm: 绝对", 10, "绝对"),
        ("customer: \"是我\"", "customer: \"…\"", 9, "words"),
        ("{customer: \"是我\",", "{customer: \"是我\", agent: \"是我\",", 9, "either"),
        ("name: short", "name: long", 2, "short"),
        ("card: [question]", "card: [question], quiet: true", 9, "quiet"),
        ("after_ms: 100", "after_ms: -5", 8, "after_ms"),
        ("script: bundle", "script: bundle\ndisposition: sold", 6, "declined"),
    ],
)  # fmt: skip
def test_a_fault_names_its_line_and_the_remedy(
    tmp_path: Path, before: str, after: str, line: int, says: str
) -> None:
    with pytest.raises(YamlError) as caught:
        loaded(tmp_path, SHORT.replace(before, after))
    assert caught.value.line == line
    assert says in str(caught.value)


def test_lines_follow_each_other_with_the_pauses_and_overlaps_written(tmp_path: Path) -> None:
    people = spoken(loaded(tmp_path))
    hello, asks, answer, promise = people.spoken
    assert hello.begin_ms == 100
    assert asks.begin_ms == hello.end_ms + 500
    assert answer.begin_ms == asks.end_ms - 200
    assert promise.begin_ms == answer.end_ms + 350
    assert people.duration_ms > promise.end_ms


@pytest.mark.parametrize("name", sorted(CALLS))
def test_nobody_speaks_over_himself(name: str) -> None:
    for side in ("agent", "customer"):
        mine = [part for part in spoken(CALLS[name]).spoken if part.side == side]
        assert all(before.end_ms <= after.begin_ms for before, after in pairwise(mine))


def test_words_come_with_their_sound_slips_and_all(tmp_path: Path) -> None:
    people = spoken(loaded(tmp_path))

    async def listen() -> list[tuple[int, Heard]]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        return [(round((loop.time() - started) * 1000), words) async for words in people.heard()]

    came = run_virtual(listen())
    finals = [(at_ms, words) for at_ms, words in came if words.final]
    assert [words.text for _, words in finals] == ["您好", "请问是张先生吗", "四我", "保证便宜"]
    assert all(at_ms == words.end_ms + FINAL_LAG_MS for at_ms, words in finals)
    for at_ms, words in came:
        whole = next(last.text for _, last in finals if last.utterance_id == words.utterance_id)
        assert whole.startswith(words.text)
        assert at_ms > words.begin_ms
    assert [people.line_at(words.side, words.begin_ms, words.end_ms) for _, words in finals] == [0, 0, 1, 2]
    assert people.line_at("customer", 0, people.spoken[0].end_ms) is None


def test_each_side_has_a_track_of_its_own_and_the_line_ends(tmp_path: Path) -> None:
    people = spoken(loaded(tmp_path))

    async def listen() -> list[TrackIn | HungUpIn]:
        return [item async for item in people.tracks()]

    came = run_virtual(listen())
    assert isinstance(came.pop(), HungUpIn)
    frames = [item for item in came if isinstance(item, TrackIn)]
    for side in ("agent", "customer"):
        mine = [frame for frame in frames if frame.side == side]
        assert [frame.at_ms for frame in mine] == list(range(FRAME_MS, people.duration_ms + 1, FRAME_MS))
        said_ms = sum(part.end_ms - part.begin_ms for part in people.spoken if part.side == side)
        loud_ms = sum(FRAME_MS for frame in mine if level_dbfs(frame.pcm) > -50)
        assert loud_ms <= said_ms + 100
        assert loud_ms >= said_ms / 2
        before = min(part.begin_ms for part in people.spoken if part.side == side)
        assert all(frame.pcm == SILENT_FRAME for frame in mine if frame.at_ms <= before)
