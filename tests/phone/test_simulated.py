"""The simulated leg on the virtual clock: frames each 20 ms, words behind the sound, faults as written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from bot.call.clock import run_virtual
from bot.call.pcm import SILENT_FRAME, frames, level_dbfs, pcm_of, samples_of
from bot.call.ports import FRAME_BYTES, AudioIn, DtmfIn, HungUpIn, LegInput, WordsIn
from bot.phone.persona import LineFaults, NoiseAround, Persona, Rule
from bot.phone.simulated import SimulatedLeg
from bot.speech.tts_espeak import EspeakVoice
from bot.turn import Line
from tests.phone.test_behaviour import persona
from tests.speech.sounds import said

GREETING = "喂，你好"


def call(
    who: Persona, until_ms: int, *, words: bool = True, lag_ms: int = 200, bot: dict[int, str] | None = None
) -> tuple[list[tuple[int, LegInput]], SimulatedLeg]:
    """All that arrives in `until_ms`, with its time on the loop's clock; the bot says `bot`'s lines."""

    async def scenario() -> tuple[list[tuple[int, LegInput]], SimulatedLeg]:
        leg = SimulatedLeg(who, EspeakVoice(inline=True), words=words, lag_ms=lag_ms)
        await leg.prepare()
        loop = asyncio.get_running_loop()
        started = loop.time()
        got: list[tuple[int, LegInput]] = []
        queue: list[bytes] = []
        over = asyncio.Event()

        def receive(item: LegInput) -> None:
            now_ms = round((loop.time() - started) * 1000)
            got.append((now_ms, item))
            if isinstance(item, AudioIn):
                if bot and now_ms in bot:
                    leg.bot_speaks(Line(node="n", text=bot[now_ms]))
                    queue.extend(frames(said(bot[now_ms])))
                if queue:
                    leg.send(queue.pop(0))
            if isinstance(item, HungUpIn):
                over.set()

        leg.listen(receive)
        await asyncio.sleep(until_ms / 1000)
        await leg.hang_up("test is over")
        await over.wait()
        return got, leg

    return run_virtual(scenario())


def talking(**changes: object) -> Persona:
    return persona(greeting=[GREETING], greeting_after_ms=300, **changes)


def audio(got: list[tuple[int, LegInput]]) -> list[tuple[int, bytes]]:
    return [(at, item.pcm) for at, item in got if isinstance(item, AudioIn)]


def test_a_frame_arrives_each_20_ms_and_a_hang_up_is_last() -> None:
    got, _ = call(talking(), 2000)
    sound = audio(got)
    assert [at for at, _ in sound] == [i * 20 for i in range(len(sound))]
    assert all(len(pcm) == FRAME_BYTES for _, pcm in sound)
    assert got[-1][1] == HungUpIn("test is over")
    assert sum(isinstance(item, HungUpIn) for _, item in got) == 1


def test_the_sound_is_where_the_record_of_what_was_said_puts_it() -> None:
    got, leg = call(talking(), 3000)
    (one,) = leg.said
    loud = [at for at, pcm in audio(got) if level_dbfs(pcm) > -45]
    assert one.text == GREETING
    assert abs(loud[0] - one.at_ms) <= 40
    assert abs(loud[-1] + 20 - one.end_ms) <= 60


@pytest.mark.parametrize("lag_ms", [0, 200, 500])
def test_words_grow_behind_the_sound_and_end_with_the_whole_text(lag_ms: int) -> None:
    got, leg = call(talking(), 4000, lag_ms=lag_ms)
    words = [(at, item) for at, item in got if isinstance(item, WordsIn)]
    texts = [item.text for _, item in words]
    assert texts[-1] == "喂你好"
    assert [item.final for _, item in words] == [False] * (len(words) - 1) + [True]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert abs(words[-1][0] - (leg.said[0].end_ms + lag_ms)) <= 20
    assert words[0][0] >= 300 + lag_ms


def test_a_pause_within_a_turn_ends_an_utterance_and_tells_nothing_of_more_to_come() -> None:
    got, leg = call(persona(greeting=["那个[900]多少钱"]), 4000)
    finals = [(at, item) for at, item in got if isinstance(item, WordsIn) and item.final]
    assert [item.text for _, item in finals] == ["那个", "多少钱"]
    assert finals[0][1].utterance_id != finals[1][1].utterance_id
    quiet = [
        at for at, pcm in audio(got) if leg.said[0].at_ms < at < leg.said[0].end_ms and pcm == SILENT_FRAME
    ]
    assert abs(len(quiet) * 20 - 900) <= 60


def test_audio_only_gives_no_words() -> None:
    got, _ = call(talking(), 3000, words=False)
    assert not any(isinstance(item, WordsIn) for _, item in got)


def test_it_answers_the_bot_after_the_bots_sound_ends() -> None:
    who = persona(rules=[Rule(hears="张先生", say=["是我"])], reaction_ms=600)
    _, leg = call(who, 8000, bot={500: "您好，请问是张先生吗？"})
    bot_end_ms = 500 + len(said("您好，请问是张先生吗？")) // 16
    assert [one.text for one in leg.said] == ["是我"]
    assert 560 <= leg.said[0].at_ms - bot_end_ms <= 700


def test_keys_are_pressed_and_the_customer_hangs_up() -> None:
    who = persona(rules=[Rule(hears="请按", dtmf="12"), Rule(hears="", say=["再见"], hang_up=True)])
    got, leg = call(who, 20_000, bot={200: "要办理请按一", 4000: "谢谢您"})
    assert [item.digit for _, item in got if isinstance(item, DtmfIn)] == ["1", "2"]
    assert got[-1][1] == HungUpIn("customer")
    assert got[-1][0] > leg.said[-1].end_ms


def test_flush_is_not_heard() -> None:
    """Frames dropped before they are played do not count as the bot's speech: nobody answers them."""

    async def scenario() -> list[str]:
        leg = SimulatedLeg(persona(), EspeakVoice(inline=True), words=True)
        over = asyncio.Event()
        leg.listen(lambda item: over.set() if isinstance(item, HungUpIn) else None)
        await asyncio.sleep(0.11)
        for frame in frames(said("您好您好您好")):
            leg.send(frame)
        leg.flush()
        await asyncio.sleep(4)
        await leg.hang_up("done")
        await leg.hang_up("again")
        await over.wait()
        return [one.text for one in leg.said]

    assert run_virtual(scenario()) == []


@pytest.mark.parametrize(
    ("faults", "holds"),
    [
        (LineFaults(loss=0.2), lambda got: 0.7 < len(audio(got)) / 150 < 0.9),
        (LineFaults(odd_every=10), lambda got: sum(len(pcm) == 319 for _, pcm in audio(got)) == 15),
        (LineFaults(cut_ms=1000), lambda got: got[-1] == (1000, HungUpIn("line_cut"))),
        (LineFaults(clip_db=30), lambda got: max(samples_of(b"".join(pcm for _, pcm in audio(got)))) > 31000),
    ],
)
def test_a_faulty_line(faults: LineFaults, holds: Callable[[list[tuple[int, LegInput]]], bool]) -> None:
    got, _ = call(talking(line=faults), 2980)
    assert holds(got)


@pytest.mark.parametrize("kind", ["white", "babble"])
def test_noise_lies_its_ratio_under_the_voice(kind: str) -> None:
    got, leg = call(persona(noise=NoiseAround(kind=kind, snr_db=15)), 4000)
    heard = b"".join(pcm for _, pcm in audio(got))
    assert leg.said == []
    assert level_dbfs(heard) == pytest.approx(-35, abs=1.5)


def test_the_bots_own_voice_comes_back_as_an_echo() -> None:
    who = persona(line=LineFaults(echo_db=-20, echo_ms=200, codec="none"), reaction_ms=5000)
    got, _ = call(who, 2500, bot={500: "您好，请问是张先生吗？"})
    loud = [at for at, pcm in audio(got) if level_dbfs(pcm) > -55]
    assert 700 <= loud[0] <= 780
    assert level_dbfs(b"".join(pcm for at, pcm in audio(got) if loud[0] <= at)) == pytest.approx(-40, abs=3)


def test_the_same_seed_gives_the_same_call_frame_by_frame() -> None:
    who = talking(noise=NoiseAround(snr_db=20), line=LineFaults(loss=0.05))
    assert call(who, 3000)[0] == call(who, 3000)[0]


def test_a_sender_that_does_not_pace_itself_loses_the_oldest_sound() -> None:
    async def scenario() -> int:
        leg = SimulatedLeg(persona(), EspeakVoice(inline=True), words=True)
        for _ in range(500):
            leg.send(pcm_of(samples_of(SILENT_FRAME) + 1))
        return len(leg._to_play)

    assert run_virtual(scenario()) == 50
