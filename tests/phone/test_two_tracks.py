"""Both tracks of a line lie on one clock, whatever pace their senders keep; words keep their side."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from bot.call.clock import run_virtual
from bot.call.pcm import SILENT_FRAME
from bot.call.ports import AudioIn, DtmfIn, HungUpIn, LegInput, TransferFailed, WordsIn
from bot.listening.ports import TrackIn
from bot.phone.arrivals import Arrival
from bot.phone.assist import AssistSettings, agent_of, customer_number
from bot.phone.settings import read_phones
from bot.phone.two_tracks import MOST_WAITING, LineWords, OverheardLeg, TrackClock, TwoTrackLine
from bot.typed_yaml import YamlError
from tests.phone.twilio.harness import serving

TEN_MINUTES_MS = 600_000


class Source:
    """A line that gives what it is told to."""

    def __init__(self) -> None:
        self.give: Callable[[LegInput], None] = lambda item: None
        self.hung_up: list[str] = []

    def listen(self, receive: Callable[[LegInput], None]) -> None:
        self.give = receive

    async def hang_up(self, cause: str) -> None:
        self.hung_up.append(cause)
        self.give(HungUpIn(cause))


# -- the clock of a track


@tries(max_examples=12)
@given(pace=st.floats(0.98, 1.02), seed=st.integers(0, 9999), jitter_ms=st.integers(0, 60))
def test_a_frame_is_placed_where_it_was_spoken_after_ten_minutes_of_drift(
    pace: float, seed: int, jitter_ms: int
) -> None:
    """`pace`: of the sender's clock.  At most 22 ms early, and late by no more than its own jitter."""
    chance, clock = random.Random(seed), TrackClock()
    came_ms, before = 0.0, 0
    for number in range(1, int(TEN_MINUTES_MS / 20 * pace)):
        spoken_ms = number * 20 / pace
        came_ms = max(came_ms, spoken_ms + chance.uniform(0, jitter_ms))
        placed = clock.place(came_ms)
        assert -22 <= placed - spoken_ms <= jitter_ms + 1
        assert placed >= before
        before = placed


def test_frames_that_a_stalled_network_brings_at_once_lie_apart_as_they_were_spoken() -> None:
    clock = TrackClock()
    for number in range(1, 101):
        clock.place(number * 20)
    placed = [clock.place(120 * 20) for _ in range(20)]
    assert placed == [number * 20 for number in range(101, 121)]


def test_a_track_that_had_nothing_to_send_goes_on_at_the_present() -> None:
    """A switch gives no frames of a side that is not there."""
    clock = TrackClock()
    for number in range(1, 51):
        clock.place(number * 20)
    assert clock.place(9000) == 9000
    assert clock.place(9020) == 9020


# -- words of the line


def test_words_are_numbered_by_side_and_timed_by_when_they_come() -> None:
    agent = LineWords("agent")
    said = [
        agent.take(WordsIn("您", False), 100),
        agent.take(WordsIn(" 您好 ", True, confidence=0.5), 400),
        agent.take(WordsIn("再见", True), 900),
    ]
    assert [(one.utterance_id, one.text, one.begin_ms, one.end_ms, one.final) for one in said if one] == [
        ("a1", "您", 100, 100, False),
        ("a1", "您好", 100, 400, True),
        ("a2", "再见", 900, 900, True),
    ]
    assert said[1] is not None and said[1].confidence == 0.5


def test_what_was_half_said_stands_at_the_end_and_no_words_are_no_utterance() -> None:
    customer = LineWords("customer")
    assert customer.take(WordsIn("  ", False), 10) is None
    assert customer.take(WordsIn("", True), 20) is None
    customer.take(WordsIn("太贵", False), 30)
    last = customer.end(500)
    assert last is not None
    assert (last.utterance_id, last.text, last.final, last.begin_ms) == ("c1", "太贵", True, 30)
    assert customer.end(600) is None


# -- the line


async def all_of(line: TwoTrackLine) -> list[TrackIn | HungUpIn]:
    return [item async for item in line.tracks()]


def test_what_came_before_anybody_listened_keeps_its_time() -> None:
    async def main() -> list[TrackIn | HungUpIn]:
        source = Source()
        line = TwoTrackLine(source)
        for _ in range(10):
            await asyncio.sleep(0.02)
            source.give(AudioIn(SILENT_FRAME))
            source.give(AudioIn(SILENT_FRAME, "agent"))
            source.give(DtmfIn("1"))
        source.give(HungUpIn("customer"))
        return await all_of(line)

    *frames, last = run_virtual(main())
    assert last == HungUpIn("customer")
    assert [(one.side, one.at_ms) for one in frames if isinstance(one, TrackIn)] == [
        (side, number * 20) for number in range(1, 11) for side in ("customer", "agent")
    ]


def test_nothing_comes_after_the_end_and_the_line_is_hung_up_on_once_told() -> None:
    async def main() -> tuple[list[TrackIn | HungUpIn], list[tuple[str, bool]]]:
        source = Source()
        line = TwoTrackLine(source, words=True)
        source.give(WordsIn("喂", False, side="agent"))
        await line.hang_up("shutdown")
        await line.hang_up("refused")
        source.give(AudioIn(SILENT_FRAME))
        source.give(WordsIn("晚了", True))
        return await all_of(line), [(heard.text, heard.final) async for heard in line.heard()]

    assert run_virtual(main()) == ([HungUpIn("shutdown")], [("喂", False), ("喂", True)])


def test_a_line_that_nobody_hears_keeps_half_a_minute_and_its_end(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> list[TrackIn | HungUpIn]:
        source = Source()
        line = TwoTrackLine(source)
        for _ in range(MOST_WAITING + 500):
            source.give(AudioIn(SILENT_FRAME))
        source.give(HungUpIn("customer"))
        return await all_of(line)

    found = run_virtual(main())
    assert len(found) == MOST_WAITING + 1 and found[-1] == HungUpIn("customer")
    assert len([record for record in caplog.records if "sound is lost" in record.getMessage()]) == 1


def test_two_snoop_channels_are_a_line_on_which_nothing_can_be_said() -> None:
    async def main() -> list[str]:
        source = Source()
        leg = OverheardLeg(source)
        assert leg.capabilities.two_tracks and not leg.capabilities.transfer
        line = TwoTrackLine(leg)
        leg.send(SILENT_FRAME)
        with pytest.raises(TransferFailed):
            await leg.transfer("1001")
        source.give(AudioIn(SILENT_FRAME, "agent"))
        await line.hang_up("refused")
        [frame, over] = await all_of(line)
        assert isinstance(frame, TrackIn) and frame.side == "agent" and over == HungUpIn("refused")
        return source.hung_up

    assert run_virtual(main()) == ["refused"]


# -- whose line it is


def arrival(**what: object) -> Arrival:
    return Arrival(leg=OverheardLeg(Source()), provider="twilio", line_id="CA1", **what)  # type: ignore[arg-type]


AGENTS = AssistSettings(script="bundle", agents={"+15550003": "li", "1001": "wang"})


@pytest.mark.parametrize(
    ("direction", "called", "caller", "agent", "customer"),
    [
        ("inbound", "+15550003", "+15550001", "li", "+15550001"),
        ("inbound", "15550003", None, "li", None),
        ("outbound", "+15550001", "1001", "wang", "+15550001"),
        ("outbound", "+15550003", "+15550001", None, "+15550003"),
        ("inbound", None, "+15550003", None, "+15550003"),
        ("inbound", "1001", "anonymous", "wang", None),
    ],
)
def test_a_call_is_the_agents_whose_number_it_is(
    direction: str, called: str | None, caller: str | None, agent: str | None, customer: str | None
) -> None:
    line = arrival(direction=direction, called=called, caller=caller)
    assert (agent_of(AGENTS, line), customer_number(line)) == (agent, customer)


@pytest.mark.parametrize("agents", [{"lina": "li"}, {"+15550003": " "}])
def test_settings_without_a_number_or_an_agent_are_refused(agents: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"assist\.agents"):
        AssistSettings(agents=agents)


def test_phones_yml_names_the_agents_and_a_fault_in_it_has_its_place(tmp_path: Path) -> None:
    phones = tmp_path / "phones.yml"
    phones.write_text('listen: 127.0.0.1:0\nassist:\n  script: bundle\n  agents: {"+15550003": li}\n')
    assert read_phones(phones).assist == AssistSettings(script="bundle", agents={"+15550003": "li"})
    phones.write_text("listen: 127.0.0.1:0\nassist:\n  agents: {lina: li}\n")
    with pytest.raises(YamlError, match=r"phones\.yml:\d+.*'lina' is no number"):
        read_phones(phones)


# -- words on a Twilio stream


async def test_words_of_the_agents_track_are_the_agents_and_of_no_track_are_nobodys() -> None:
    async with serving(words=True) as place:
        peer, heard = await place.call(tracks=("inbound", "outbound"))
        message = {"event": "words", "streamSid": peer.stream_sid, "final": True}
        await peer.send(message | {"text": "您好", "track": "outbound"})
        await peer.send(message | {"text": "喂"})
        await peer.stop()
        words = [item for item in await heard.until_over() if isinstance(item, WordsIn)]
        assert [(one.side, one.text, one.utterance_id) for one in words] == [
            ("agent", "您好", "a1"), ("customer", "喂", "c1"),
        ]  # fmt: skip
        peer, heard = await place.call(call_sid="CA2")
        await peer.send(message | {"text": "您好", "track": "outbound"})
        await peer.stop()
        assert [item for item in await heard.until_over() if isinstance(item, WordsIn)] == []
