"""Meanings before anything keeps them: personal numbers are gone, the identity check still works."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actions.state import Said, Stock, take_stock
from bot.dialogue.journal import decode_record, encode_record
from bot.dialogue.meaning import ID_LAST4_TOKEN, Meaning, keypad_meaning, tokenised
from bot.turn import TurnRequest

digits = st.text("0123456789", min_size=1, max_size=18)
last4 = st.text("0123456789", min_size=3, max_size=3).flatmap(
    lambda head: st.sampled_from("0123456789X").map(lambda tail: head + tail)
)


def dictated(value: str) -> Meaning:
    entity = {"entity": "digits", "value": value, "text": value, "start": 0, "end": len(value)}
    return Meaning(({"name": "inform", "confidence": 1.0},), (entity,))


@given(said=digits, own=last4)
def test_the_identity_check_on_tokens_equals_the_one_on_digits(said: str, own: str) -> None:
    before = Stock(asked="id", name_confirmed=True, id_known=True)
    token = "".join(filter(str.isalnum, tokenised(dictated(said), own).entities[0]["value"])) or None
    raw = take_stock(before, [], Said("inform", ["inform"], said), id_last4=own)
    masked = take_stock(before, [], Said("inform", ["inform"], token), id_last4=ID_LAST4_TOKEN.strip("<>"))
    assert masked == raw


@given(said=st.text("0123456789", min_size=2, max_size=18), own=last4)
def test_no_dictated_digit_reaches_a_record(said: str, own: str) -> None:
    meaning = tokenised(dictated(said), own)
    request = TurnRequest(call_id="c", turn=3, kind="say", at="2000-01-01T00:00:00+08:00", text="x")
    record = encode_record(request, meaning, "<DIGITS>")
    shown = str([entity["value"] + entity["text"] for entity in decode_record(record)[1].entities])
    assert said not in shown or said == "4"  # the 4 of <ID4> is no digit of theirs


def test_a_record_gives_back_request_and_meaning() -> None:
    meaning = Meaning(({"name": "affirm", "confidence": 0.9},), ({"entity": "money", "value": "30"},))
    request = TurnRequest(call_id="c", turn=1, kind="say", at="2000-01-01T00:00:00+08:00", text="好")
    assert decode_record(encode_record(request, meaning, "好")) == (request, meaning)


def test_keys_mean_what_was_asked() -> None:
    assert keypad_meaning("1", "yes_no_question").acts[0]["name"] == "affirm"
    assert keypad_meaning("2", "offer").acts[0]["name"] == "deny"
    assert keypad_meaning("1234", "digits").entities[0]["value"] == "1234"
    assert keypad_meaning("7", "pitch").acts[0]["name"] == "dtmf"
