"""What is listened for fits the state, can be pronounced, and holds what the audio-only personas say."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from bot.phone.persona import all_lines, load_persona
from bot.speech.grammar import grammar_of, read_lexicon
from bot.speech.phrases import Phrases, phrases_after
from bot.turn import Expects, Reply
from bot.typed_yaml import YamlError
from tests.speech.sounds import MODELS

ROOT = Path(__file__).resolve().parents[2]


def reply(expects: Expects) -> Reply:
    return Reply(call_id="c", turn=1, expects=expects)


def test_every_state_has_its_own_phrases_and_those_of_all_states() -> None:
    assert set(get_args(Expects)) | {"always"} == set(Phrases.__struct_fields__)
    for language in ("zh", "en"):
        expected = phrases_after(language)
        common = set(expected(reply("pitch")))
        for expects in get_args(Expects):
            assert len(common & set(expected(reply(expects)))) >= 20
    assert "{digits:4}" in phrases_after("zh")(reply("digits"))
    assert "{digits:4}" not in phrases_after("zh")(reply("offer"))


def test_a_script_adds_its_own_and_a_wrong_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "phrases_zh.yml").write_text("offer: [来一年的]\n", encoding="utf-8")
    assert "来一年的" in phrases_after("zh", tmp_path)(reply("offer"))
    (tmp_path / "phrases_zh.yml").write_text("ofer: [来一年的]\n", encoding="utf-8")
    with pytest.raises(YamlError, match=r"phrases_zh\.yml:1:1: unknown key 'ofer' → did you mean 'offer'"):
        phrases_after("zh", tmp_path)


@pytest.mark.speech
@pytest.mark.skipif(not (MODELS / "pocketsphinx-zh-tdt-8k").is_dir(), reason="no Mandarin model")
def test_all_chinese_phrases_can_be_pronounced() -> None:
    lexicon = read_lexicon(MODELS / "pocketsphinx-zh-tdt-8k" / "mandarin_notone.dic")
    for expects in get_args(Expects):
        assert grammar_of(phrases_after("zh")(reply(expects)), lexicon).dropped == ()


@pytest.mark.parametrize("name", ["eager", "do_not_call"])
def test_what_the_audio_only_personas_say_is_listened_for(name: str) -> None:
    listened = {phrase for expects in get_args(Expects) for phrase in phrases_after("zh")(reply(expects))}
    persona = load_persona(ROOT / "personas" / f"{name}.yml")
    unheard = {"喂", "嗯行", "嗯{digits:4}", "喂听得到吗"}  # too short for a closed grammar, and needless
    for line in all_lines(persona):
        bare = "".join(c for c in line.replace("{id_spoken}", "{digits:4}") if c not in "，。 ")
        assert bare in listened | unheard, line
