"""pocketsphinx hears the phrases a script expects, in real 8000 Hz frames.

Needs the models (marker `speech`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bot.call.pcm import frames, silence
from bot.call.ports import RecogniserError, WordsIn
from bot.speech.asr_pocketsphinx import PocketsphinxRecogniser
from tests.speech.sounds import GCIN, MODELS, noisy, said

PHRASES = [
    *("喂你好", "是我", "对是的", "你说吧", "我不需要", "多少钱一年", "你是机器人吗", "哪里来的号码"),
    *("考虑一下", "给我办一个", "同意办理", "以后别打给我了", "我在开车", "打错了", "你找谁", "他不在"),
    *("听不清楚", "太贵了", "便宜一点", "怎么取消", "转人工", "我要投诉", "不方便"),
]

needs_mandarin = pytest.mark.skipif(
    not (MODELS / "pocketsphinx-zh-tdt-8k").is_dir(),
    reason=f"no Mandarin model in {MODELS}: set HUASHU_MODELS",
)


async def _hear(
    recogniser: PocketsphinxRecogniser, phrases: Sequence[str], sounds: Sequence[bytes]
) -> list[list[WordsIn]]:
    """The words heard for each sound, in order."""
    stream = await recogniser.open("call-1")
    await stream.expect(phrases)
    heard: list[list[WordsIn]] = [[]]

    async def listen() -> None:
        async for words in stream.words():
            heard[-1].append(words)
            if words.final:
                heard.append([])

    listener = asyncio.create_task(listen())
    for sound in sounds:
        for frame in frames(silence(300) + sound + silence(400)):
            await stream.feed(frame)
        await stream.end_utterance()
        await asyncio.sleep(0)
    await stream.close()
    await listener
    return heard[:-1]


@pytest.fixture(scope="module")
def mandarin() -> PocketsphinxRecogniser:
    return PocketsphinxRecogniser("zh", folder=MODELS / "pocketsphinx-zh-tdt-8k")


@pytest.mark.speech
@needs_mandarin
def test_expected_phrases_are_heard(mandarin: PocketsphinxRecogniser) -> None:
    heard = asyncio.run(_hear(mandarin, PHRASES, [said(phrase, pitch=60) for phrase in PHRASES]))
    right = [phrase for phrase, words in zip(PHRASES, heard, strict=True) if words[-1].text == phrase]
    assert len(right) >= 0.85 * len(PHRASES), sorted(set(PHRASES) - set(right))


@pytest.mark.speech
@needs_mandarin
def test_most_are_heard_through_noise(mandarin: PocketsphinxRecogniser) -> None:
    heard = asyncio.run(_hear(mandarin, PHRASES, [noisy(said(phrase, pitch=60), 15.0) for phrase in PHRASES]))
    right = sum(words[-1].text == phrase for phrase, words in zip(PHRASES, heard, strict=True))
    assert right >= 0.65 * len(PHRASES)


@pytest.mark.speech
@needs_mandarin
def test_partials_come_before_the_final_text_which_comes_once(mandarin: PocketsphinxRecogniser) -> None:
    (words,) = asyncio.run(_hear(mandarin, PHRASES, [said("以后别打给我了", pitch=60)]))
    assert [item.final for item in words] == [False] * (len(words) - 1) + [True]
    assert len(words) > 1
    assert len({item.utterance_id for item in words}) == 1


@pytest.mark.speech
@needs_mandarin
def test_silence_gives_an_empty_final_text(mandarin: PocketsphinxRecogniser) -> None:
    assert asyncio.run(_hear(mandarin, PHRASES, [silence(800)])) == [[WordsIn("", True, "call-1-1")]]


@pytest.mark.speech
@needs_mandarin
def test_the_grammar_of_the_next_state_replaces_the_one_before(mandarin: PocketsphinxRecogniser) -> None:
    async def two_states() -> list[str]:
        stream = await mandarin.open("call-2")
        heard = []
        for phrases in (["同意办理", "不同意"], ["明天下午", "后天上午"]):
            await stream.expect(phrases)
            for frame in frames(silence(200) + said("同意办理") + silence(300)):
                await stream.feed(frame)
            await stream.end_utterance()
        await stream.close()
        async for words in stream.words():
            if words.final:
                heard.append(words.text)
        return heard

    first, second = asyncio.run(two_states())
    assert first == "同意办理"
    assert second != "同意办理"


@pytest.mark.speech
@needs_mandarin
def test_odd_frames_and_frames_after_the_end_do_no_harm(mandarin: PocketsphinxRecogniser) -> None:
    async def odd() -> list[WordsIn]:
        stream = await mandarin.open("call-3")
        await stream.expect(PHRASES)
        for number, frame in enumerate(frames(silence(300) + said("同意办理", pitch=60) + silence(300))):
            await stream.feed(frame[:-1] if number % 7 == 0 else frame)
        await stream.end_utterance()
        await stream.close()
        await stream.close()
        await stream.feed(silence(20))
        return [words async for words in stream.words() if words.final]

    assert [words.text for words in asyncio.run(odd())] == ["同意办理"]


@pytest.mark.speech
@pytest.mark.skipif(not (MODELS / "pocketsphinx-en-hub4wsj-8k").is_dir(), reason="no English model")
def test_english_phrases_are_heard() -> None:
    english = PocketsphinxRecogniser("en", folder=MODELS / "pocketsphinx-en-hub4wsj-8k")
    phrases = [
        "yes please",
        "no thank you",
        "how much is it",
        "are you a robot",
        "don't call me again",
        "i am driving",
    ]
    sounds = [said(phrase, language="en", speed=160) for phrase in phrases]
    heard = asyncio.run(_hear(english, phrases, sounds))
    assert sum(words[-1].text == phrase for phrase, words in zip(phrases, heard, strict=True)) >= 5


@pytest.mark.speech
@needs_mandarin
@pytest.mark.skipif(
    not GCIN.is_dir(), reason="gcin-voice is not installed: set HUASHU_GCIN to its ogg folder"
)
def test_phrases_of_recorded_human_syllables_are_heard(mandarin: PocketsphinxRecogniser) -> None:
    from tests.speech.gcin import syllables

    sounds = {phrase: syllables(phrase, GCIN) for phrase in PHRASES}
    known = [phrase for phrase, sound in sounds.items() if sound]
    heard = asyncio.run(_hear(mandarin, PHRASES, [sounds[phrase] for phrase in known]))
    right = sum(words[-1].text == phrase for phrase, words in zip(known, heard, strict=True))
    assert right >= 0.8 * len(known)


def test_a_missing_model_names_the_command_and_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("HUASHU_MODELS", str(tmp_path))
    with pytest.raises(RecogniserError, match=r"huashu models pull pocketsphinx-zh.*HUASHU_MODELS"):
        PocketsphinxRecogniser("zh")
