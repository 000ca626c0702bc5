"""Grammars: closed, without loops, of words that the dictionary knows; what cannot be said is dropped."""

from __future__ import annotations

import re

from bot.speech.grammar import grammar_of, words_of

WORDS = ("不要", "不", "要", "再", "打", "了", "同意", "我", "零", "一", "二", "三", "yes")
LEXICON = dict.fromkeys(WORDS, ("x",))


def test_a_phrase_is_cut_into_the_fewest_known_words() -> None:
    assert words_of("不要再打了!", LEXICON) == ["不要", "再", "打", "了"]
    assert words_of("Yes", LEXICON) == ["yes"]


def test_what_cannot_be_pronounced_is_dropped_and_named() -> None:
    grammar = grammar_of(["同意", "彩铃😀"], LEXICON)
    assert grammar.dropped == ("彩铃😀",)
    assert grammar.words == {"同意"}


def test_digits_are_four_choices_in_a_row_and_no_loop() -> None:
    grammar = grammar_of(["我{digits:4}", "同意"], LEXICON)
    assert grammar.jsgf.count("( 零 | 一 | 二 | 三 )") == 4
    assert not re.search(r"\)\s*[+*]", grammar.jsgf)
    assert {"零", "三", "我"} <= grammar.words


def test_nothing_to_say_makes_a_grammar_without_words() -> None:
    assert not grammar_of(["😀", ""], LEXICON).words
