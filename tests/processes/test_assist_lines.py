"""A line with two tracks becomes an assisted call; whatever goes wrong with one leaves the others alone.

Redis is real; lines, recognisers and the assist worker are scripted.  Where
time matters (recording, ten minutes of drift) it is virtual.
"""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot import events as ev
from bot.bus.assisted import AssistedCalls, CallMeta, NoWorker, OpenCall, Posted, Utterance
from bot.bus.errors import BusDown
from bot.bus.lease import Lease, acquire
from bot.bus.log import EventLog
from bot.call.clock import run_virtual
from bot.call.pcm import SILENT_FRAME
from bot.call.ports import AudioIn, HungUpIn, LegCapabilities, LegInput, Recogniser, WordsIn
from bot.listening.two_ears import TwoEars
from bot.phone.arrivals import Arrival
from bot.phone.assist import AssistSettings
from bot.phone.two_tracks import OverheardLeg, TwoTrackLine
from bot.processes import assist_lines, overheard
from bot.processes.assist_lines import AssistLines
from bot.processes.expected import ExpectedCall, expect
from bot.processes.listener import Listener
from bot.store.keys import Keys
from bot.store.sealing import Sealer
from tests.listening.test_two_ears import Broken, Stream, Streams

SETTINGS = AssistSettings(script="bundle", agents={"+15550003": "li", "1001": "wang"})
LOUD_FRAME = b"\x00\x40" * 160
LIMIT_S = 30
"""A test that waits for what never comes fails instead of hanging."""


class Loudness:
    """A voice detector: what is not silent is a voice."""

    def probability(self, pcm: bytes) -> float:
        return 0.0 if pcm == SILENT_FRAME else 1.0


class Leg(OverheardLeg):
    """A line with two tracks, on which people do as they are told."""

    def __init__(self, *, words: bool = True) -> None:
        super().__init__(self)
        self.capabilities = LegCapabilities(two_tracks=True, words=words)
        self.let_go: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._receive: Callable[[LegInput], None] = lambda item: None

    def listen(self, receive: Callable[[LegInput], None]) -> None:
        self._receive = receive

    async def hang_up(self, cause: str) -> None:
        if not self.let_go.done():
            self.let_go.set_result(cause)

    async def gone(self) -> str:
        """With which cause it was let go."""
        async with asyncio.timeout(LIMIT_S):
            return await self.let_go

    def says(self, text: str, side: str = "customer", *, final: bool = True) -> None:
        self._receive(WordsIn(text, final, side=side))  # type: ignore[arg-type]

    def sounds(self, side: str = "customer", frames: int = 50) -> None:
        for pcm in [LOUD_FRAME] * frames + [SILENT_FRAME] * frames:
            self._receive(AudioIn(pcm, side))  # type: ignore[arg-type]

    def hangs_up(self, cause: str = "customer") -> None:
        self._receive(HungUpIn(cause))


class Workers:
    """An assist worker that serves the script bundle."""

    async def choose(self, script: str) -> tuple[str, str]:
        if script != "bundle":
            raise NoWorker(f"no assist worker serves '{script}' → served: bundle")
        return "assist-1", "v1"

    async def alive(self, worker: str) -> bool:
        return True


class Calls(AssistedCalls):
    """The real ones, over a bus that is away when it is told to be; counts its refusals."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, Sealer(Keys(bytes(range(32)))), Workers())
        self.away: set[str] = set()
        self.refused: asyncio.Queue[str] = asyncio.Queue()
        self.over: asyncio.Queue[str] = asyncio.Queue()

    def _there(self, what: str) -> None:
        if what in self.away:
            self.refused.put_nowait(what)
            raise BusDown("Redis does not answer")

    async def refuses(self, what: str) -> None:
        """Wait until this has been asked for in vain."""
        async with asyncio.timeout(LIMIT_S):
            while await self.refused.get() != what:
                pass

    async def fresh_meta(self, call_id: str) -> CallMeta | None:
        self._there("meta")
        return await super().fresh_meta(call_id)

    async def open(self, call: OpenCall) -> CallMeta:
        self._there("open")
        return await super().open(call)

    async def post(self, call_id: str, utterances: Sequence[Utterance]) -> list[Posted]:
        self._there("post")
        return await super().post(call_id, utterances)

    async def end(self, call_id: str, by: str, at_ms: int, disposition: str | None = None) -> Posted:
        self._there("end")
        posted = await super().end(call_id, by, at_ms, disposition)
        self.over.put_nowait(f"{call_id} {by} {posted.outcome}")
        return posted


class Place:
    """Where lines arrive."""

    def __init__(self, redis: Redis, folder: Path) -> None:
        self.redis, self.folder = redis, folder
        self.calls = Calls(redis)
        self.all: list[AssistLines] = []
        self.lines = self.another()

    def another(self, recogniser: Recogniser | None = None) -> AssistLines:
        """A voice process more on the same Redis."""
        self.all.append(
            AssistLines(
                self.redis, self.calls, SETTINGS, recogniser=recogniser, detector=Loudness, retry_s=0.01
            )
        )
        return self.all[-1]

    def comes(
        self, line_id: str, leg: Leg | None = None, to: str | None = "+15550003",
        lines: AssistLines | None = None, **parameters: str,
    ) -> Leg:  # fmt: skip
        """A customer calls that number."""
        leg = leg or Leg()
        arrival = Arrival(
            leg=leg, provider="twilio", line_id=line_id, called=to, caller="+15550001", parameters=parameters
        )
        (lines or self.lines).arrived(arrival)
        return leg

    async def over(self) -> str:
        """The next call whose end is told: its id, by whom, whether that was news."""
        async with asyncio.timeout(LIMIT_S):
            return await self.calls.over.get()

    async def log(self, call_id: str) -> list[ev.AnyEvent]:
        return await EventLog(self.redis).read(call_id)

    async def until_said(self, call_id: str, text: str) -> None:
        async with asyncio.timeout(LIMIT_S):
            while text not in [words for _, words in await self.said(call_id)]:
                await EventLog(self.redis).tail({call_id: len(await self.log(call_id))}, block_ms=200)

    async def said(self, call_id: str) -> list[tuple[str, str]]:
        """Final words by party."""
        log = await self.log(call_id)
        return [(str(one.party), one.text) for one in log if isinstance(one, ev.UtteranceFinal)]


@pytest_asyncio.fixture
async def place(redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path))
    place = Place(redis, tmp_path)
    yield place
    for lines in place.all:
        await lines.stop()
        assert lines.held == 0


async def neighbour(place: Place) -> Leg:
    """A call that goes on meanwhile."""
    leg = place.comes("CA-neighbour")
    leg.says("我想问问")
    await place.until_said("CA-neighbour-assist", "我想问问")
    return leg


async def goes_on(place: Place, leg: Leg) -> None:
    """The neighbour's call still takes words, and ends as it should."""
    leg.says("那好吧")
    leg.hangs_up()
    assert await place.over() == "CA-neighbour-assist customer new"
    assert [text for _, text in await place.said("CA-neighbour-assist")] == ["我想问问", "那好吧"]


# -- as it should be


async def test_the_words_of_both_sides_reach_the_call_of_the_agent_whose_number_it_is(place: Place) -> None:
    leg = place.comes("CA1", contact=json.dumps({"name": "张伟", "plan": "畅享99"}))
    leg.says("您好", "agent", final=False)
    leg.says("您好,请问是张伟吗", "agent")
    leg.says("是我")
    leg.hangs_up()
    assert await place.over() == "CA1-assist customer new"
    [begun, *_] = await place.log("CA1-assist")
    assert isinstance(begun, ev.CallStarted)
    assert (begun.mode, begun.agent_id, begun.script) == ("assist", "li", "bundle")
    assert begun.customer == {"plan": "畅享99"}, "a log holds no name and no number"
    [(agent, asked), (customer, answered)] = await place.said("CA1-assist")
    assert (agent, customer, answered) == ("agent", "customer", "是我")
    assert "张伟" not in asked
    assert await place.calls.contact("CA1-assist") == {
        "name": "张伟", "plan": "畅享99", "phone": "+15550001",
    }  # fmt: skip


async def test_sound_of_both_sides_is_recognised(place: Place) -> None:
    streams = Streams(
        customer=Stream(lambda: WordsIn("太贵了", True)), agent=Stream(lambda: WordsIn("您好", True))
    )
    leg = place.comes("CA1", Leg(words=False), lines=place.another(streams))
    leg.sounds("agent")
    leg.sounds("customer")
    leg.hangs_up()
    await place.over()
    assert sorted(await place.said("CA1-assist")) == [("agent", "您好"), ("customer", "太贵了")]


async def test_a_line_joins_the_call_that_was_opened_over_http_at_its_time(place: Place) -> None:
    begun = OpenCall(
        call_id="crm-1", script="bundle", agent_id="wu", contact={}, at="2026-11-22T10:00:00+08:00"
    )
    meta = await place.calls.open(begun)
    started_ms = meta.started_ms - 60_000  # it was opened a minute ago
    await place.redis.set("huashu:call:crm-1:meta", json.dumps(_plain(meta) | {"started_ms": started_ms}))
    leg = place.comes("CA1", to=None, assist_call="crm-1")
    leg.says("喂")
    leg.hangs_up()
    assert await place.over() == "crm-1 customer new"
    [said] = [one for one in await place.log("crm-1") if isinstance(one, ev.UtteranceFinal)]
    assert 60_000 <= said.begin_ms <= 60_000 + LIMIT_S * 1000
    opened = await place.calls.fresh_meta("crm-1")
    assert opened is not None and opened.agent_id == "wu"


async def test_a_line_may_be_quicker_than_the_call_it_joins(place: Place) -> None:
    leg = place.comes("CA1", assist_call="crm-2")
    leg.says("喂")
    place.calls.away = {"meta"}
    await place.calls.refuses("meta")
    begun = OpenCall(
        call_id="crm-2", script="bundle", agent_id="wu", contact={}, at="2026-11-22T10:00:00+08:00"
    )
    await place.calls.open(begun)
    place.calls.away = set()
    leg.hangs_up()
    assert await place.over() == "crm-2 customer new"
    assert await place.said("crm-2") == [("customer", "喂")]


async def test_a_contact_comes_by_the_token_of_the_line_once(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    call = ExpectedCall(call_id="due-1", script="bundle", contact={"id": "k-1"}, tenant_id="t2")
    await expect(place.redis, call, "secret")
    leg = place.comes("CA1", call="secret")
    leg.says("喂")
    await place.until_said("due-1", "喂")
    second = place.comes("CA2", call="secret")
    assert await second.gone() == "refused"
    assert "another socket has claimed the call" in caplog.text
    leg.hangs_up()
    assert await place.over() == "due-1 customer new"
    assert (await place.calls.contact("due-1") or {})["id"] == "k-1"


# -- what is wrong with one call ends that one alone


@pytest.mark.parametrize(
    ("to", "parameters", "reason"),
    [
        ("+8613800138000", {}, "it has no agent"),
        (None, {}, "it has no agent"),
        ("+15550003", {"script": "nosuch"}, "no assist worker serves 'nosuch'"),
        ("+15550003", {"assist_call": "../../x"}, "its assist_call is no call id"),
        ("+15550003", {"assist_call": "crm-9"}, "no assisted call with the id crm-9"),
        ("+15550003", {"call": "guessed"}, "its token is unknown"),
    ],
)
async def test_a_line_that_cannot_be_assisted_is_let_go_with_its_reason(
    place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
    to: str | None, parameters: dict[str, str], reason: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(assist_lines, "WORKER_WITHIN_S", 0.0)
    other = await neighbour(place)
    leg = place.comes("CA1", to=to, **parameters)
    assert await leg.gone() == "refused"
    assert reason in caplog.text
    assert "13800138000" not in caplog.text
    assert await place.log("CA1-assist") == []
    await goes_on(place, other)


@pytest.mark.parametrize("contact", ["{", "[1]", '"张"', "x" * 20_000])
async def test_a_contact_that_cannot_be_read_is_left_out(place: Place, contact: str) -> None:
    leg = place.comes("CA1", contact=contact)
    leg.says("喂")
    leg.hangs_up()
    assert await place.over() == "CA1-assist customer new"
    assert await place.calls.contact("CA1-assist") == {"phone": "+15550001"}


async def test_a_second_socket_for_a_call_is_let_go_in_whatever_process_it_comes(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    first = place.comes("CA1")
    first.says("喂")
    await place.until_said("CA1-assist", "喂")
    second = place.comes("CA1", lines=place.another())
    second.says("冒充")
    assert await second.gone() == "refused"
    assert "another socket listens to call CA1-assist" in caplog.text
    first.says("在的")
    first.hangs_up()
    assert await place.over() == "CA1-assist customer new"
    assert [text for _, text in await place.said("CA1-assist")] == ["喂", "在的"]


async def test_a_call_that_is_over_is_not_begun_anew(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.comes("CA1").hangs_up()
    assert await place.over() == "CA1-assist customer new"
    await place.lines.stop()
    before = await place.log("CA1-assist")
    recording = (place.folder / "recordings" / "CA1-assist.wav").stat()
    late = place.comes("CA1", lines=place.another())
    assert await late.gone() == "refused"
    assert "call CA1-assist is over" in caplog.text
    assert await place.log("CA1-assist") == before
    assert (place.folder / "recordings" / "CA1-assist.wav").stat().st_mtime_ns == recording.st_mtime_ns


async def test_words_wait_for_a_bus_that_is_away_and_come_once(place: Place) -> None:
    place.calls.away = {"open"}
    leg = place.comes("CA1")
    leg.says("喂")
    await place.calls.refuses("open")
    place.calls.away = {"post"}
    await place.calls.refuses("post")
    leg.says("在吗")
    place.calls.away = {"end"}
    leg.hangs_up()
    await place.calls.refuses("end")
    place.calls.away = set()
    assert await place.over() == "CA1-assist customer new"
    assert await place.said("CA1-assist") == [("customer", "喂"), ("customer", "在吗")]


async def test_a_lease_whose_answer_was_lost_goes_with_time_and_is_taken_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[str] = []

    async def lossy(redis: Redis, name: str, owner: str, ttl_ms: int) -> Lease:
        lease = await acquire(redis, name, owner, 30)
        if not lost:
            lost.append(name)
            raise BusDown("the answer was lost")
        return lease

    monkeypatch.setattr(assist_lines, "acquire", lossy)
    leg = place.comes("CA1")
    leg.says("喂")
    await place.until_said("CA1-assist", "喂")
    assert lost == ["listens:CA1-assist"]


async def test_a_line_that_ends_while_the_bus_is_away_leaves_nothing(place: Place) -> None:
    place.calls.away = {"meta"}
    leg = place.comes("CA1")
    await place.calls.refuses("meta")
    leg.hangs_up()
    assert await leg.gone() == "refused"
    place.calls.away = set()
    assert await place.log("CA1-assist") == []


async def test_a_recogniser_that_dies_leaves_the_call_recorded_and_the_other_side_heard(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    other = await neighbour(place)
    streams = Streams(customer=Broken(lambda: None), agent=Stream(lambda: WordsIn("您好", True)))
    leg = place.comes("CA1", Leg(words=False), lines=place.another(streams))
    leg.sounds("customer")
    leg.sounds("agent")
    leg.hangs_up()
    assert await place.over() == "CA1-assist customer new"
    assert await place.said("CA1-assist") == [("agent", "您好")]
    assert "the customer is not heard any more: the model is gone" in caplog.text
    await goes_on(place, other)


class NoRecogniser:
    """Nobody listens at its address."""

    name = "none"

    async def open(self, call_id: str) -> Stream:
        raise overheard.RecogniserError("no recogniser process at 127.0.0.1:1")


@pytest.mark.parametrize(
    ("recogniser", "reason"), [(None, "without --recogniser"), (NoRecogniser(), "no recogniser process at")]
)
async def test_without_a_recogniser_the_call_is_opened_recorded_and_ended(
    place: Place, caplog: pytest.LogCaptureFixture, recogniser: Recogniser | None, reason: str
) -> None:
    leg = place.comes("CA1", Leg(words=False), lines=place.another(recogniser))
    leg.sounds("customer")
    leg.hangs_up()
    assert await place.over() == "CA1-assist customer new"
    assert "call CA1-assist is recorded and not heard: " in caplog.text and reason in caplog.text
    assert (place.folder / "recordings" / "CA1-assist.wav").stat().st_size > 44


async def test_a_call_that_cannot_be_recorded_is_heard_all_the_same(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    (place.folder / "recordings").write_text("a file where the folder should be")
    leg = place.comes("CA1")
    leg.sounds("customer", 5)
    leg.says("喂")
    leg.hangs_up()
    assert await place.over() == "CA1-assist customer new"
    assert await place.said("CA1-assist") == [("customer", "喂")]
    assert "call CA1-assist is not recorded" in caplog.text


async def test_the_line_is_let_go_when_the_agent_has_ended_the_call(place: Place) -> None:
    leg = place.comes("CA1")
    leg.says("喂")
    await place.until_said("CA1-assist", "喂")
    await place.calls.end("CA1-assist", "agent", 5000)
    assert await place.over() == "CA1-assist agent new"
    leg.says("还有一件事")
    assert await leg.gone() == "refused"
    assert place.calls.over.empty()


async def test_a_process_that_stops_ends_its_calls_and_leaves_the_people_talking(place: Place) -> None:
    leg = place.comes("CA1")
    leg.says("我先", final=False)
    leg.says("您好", "agent")
    await place.until_said("CA1-assist", "您好")
    await place.lines.stop()
    assert await leg.gone() == "shutdown"
    assert await place.over() == "CA1-assist system new"
    assert await place.said("CA1-assist") == [("agent", "您好"), ("customer", "我先")]


async def test_a_line_that_comes_while_the_process_stops_is_let_go(place: Place) -> None:
    await place.lines.stop()
    leg = place.comes("CA1")
    assert await leg.gone() == "refused"
    assert await place.log("CA1-assist") == []


async def test_a_line_that_fell_silent_without_an_end_is_given_up(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assist_lines, "BEAT_S", 0.01)
    monkeypatch.setattr(assist_lines, "QUIET_S", 0.0)
    leg = place.comes("CA1")
    assert await leg.gone() == "line_lost"
    assert await place.over() == "CA1-assist system new"


# -- sound and time


async def sends(leg: Leg, side: str, every_ms: float, ms: int, spoken_ms: list[tuple[int, int]]) -> None:
    """A track for so long, loud where its side speaks."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for number in range(1, int(ms / every_ms) + 1):
        at_ms = number * every_ms
        await asyncio.sleep(began_s + at_ms / 1000 - loop.time())
        loud = any(begin < at_ms <= end for begin, end in spoken_ms)
        leg._receive(AudioIn(LOUD_FRAME if loud else SILENT_FRAME, side))  # type: ignore[arg-type]


def test_both_sides_are_recorded_the_customer_left_the_agent_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path))

    async def main() -> str:
        leg = Leg()
        with overheard.Recorded(TwoTrackLine(leg, words=True), "CA1") as recorded:
            hearing = asyncio.create_task(overheard.overhear("CA1", recorded, None, Listener(Taken(), "CA1")))
            customer = sends(leg, "customer", 20, 3000, [(1000, 1200)])
            await asyncio.gather(customer, sends(leg, "agent", 20, 3000, [(2000, 2100)]))
            leg.hangs_up()
            return await hearing

    assert run_virtual(main()) == "customer"
    with wave.open(str(tmp_path / "recordings" / "CA1.wav")) as recording:
        assert (recording.getnchannels(), recording.getframerate()) == (2, 8000)
        sound = recording.readframes(recording.getnframes())
    for start, (begin_ms, end_ms) in ((0, (1000, 1200)), (2, (2000, 2100))):
        side = b"".join(sound[at : at + 2] for at in range(start, len(sound), 4))
        loud = LOUD_FRAME[:2] * ((end_ms - begin_ms) * 8)
        assert side.find(loud) == begin_ms * 16 and side.count(LOUD_FRAME[:2]) == len(loud) // 2


class Taken:
    """A bus that takes all."""

    def __init__(self) -> None:
        self.finals: list[Utterance] = []

    async def post(self, call_id: str, utterances: Sequence[Utterance]) -> list[Posted]:
        self.finals += [said for said in utterances if said.final]
        return [Posted("new", 1) for _ in utterances]


@pytest.mark.parametrize("pace", [0.98, 1.02])
def test_sides_that_speak_together_after_ten_minutes_of_drift_are_told_so(
    pace: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent's frames come 2 % slower or faster than the customer's; the agent speaks at the same
    moments.  Every utterance is where it was spoken, to 100 ms."""
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path))
    spoken_ms = [(5_000, 6_500), (300_000, 302_000), (595_000, 597_000)]

    async def main() -> list[Utterance]:
        bus, leg = Taken(), Leg(words=False)
        streams = Streams(
            customer=Stream(lambda: WordsIn("太贵", True)), agent=Stream(lambda: WordsIn("您好", True))
        )
        line = TwoTrackLine(leg)
        with overheard.Recorded(line, "CA1") as recorded:
            ears = TwoEars("CA1", streams, Loudness)
            hearing = asyncio.create_task(overheard.overhear("CA1", recorded, ears, Listener(bus, "CA1")))
            customer = sends(leg, "customer", 20, 600_000, spoken_ms)
            await asyncio.gather(customer, sends(leg, "agent", 20 / pace, 600_000, spoken_ms))
            leg.hangs_up()
            assert await hearing == "customer"
        return bus.finals

    finals = run_virtual(main())
    for side in ("customer", "agent"):
        found = [(said.begin_ms, said.end_ms) for said in finals if said.party == side]
        assert len(found) == len(spoken_ms)
        for (begin, end), (wanted_begin, wanted_end) in zip(found, spoken_ms, strict=True):
            assert abs(begin - wanted_begin) <= 100 and abs(end - wanted_end) <= 100
    with wave.open(str(tmp_path / "recordings" / "CA1.wav")) as recording:
        assert abs(recording.getnframes() / 8000 - 600) < 0.2, "the recording drifts as little"


def _plain(meta: CallMeta) -> dict[str, object]:
    return {name: getattr(meta, name) for name in meta.__struct_fields__}
