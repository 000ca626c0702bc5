"""The whole of advice over any call: what must hold for every card, whatever is said."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assist.learning.policy import Parameters, Policy
from assist.shadow import Heard
from assist.suggest.model import MAX_CARD_CHARACTERS, Suggestion
from bot.dialogue.version import ScriptVersion
from tests.assist.small_script import CONTACTS, LINES_OF_A_CALL, SMALL, Talk, small_shadow

SELLING = {"question", "rebuttal", "offer", "close"}
CORRECTION = "更正"
EXPLORING = Policy.of(Parameters(exploration=0.5), observations=9, blocks={})
"""A policy that lets chance choose often."""
some_calls = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def played(
    version: ScriptVersion, contact: dict[str, Any], lines: Any, policy: Policy | None = None
) -> list[tuple[Talk, Heard]]:
    talk = Talk(small_shadow(version, contact, policy=policy))
    return [(talk, talk.say(party, text, _acts(names) if party == "customer" else None))
            for party, text, names in lines]  # fmt: skip


def _acts(names: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    return tuple({"name": name, "confidence": 0.9} for name in names)


@given(CONTACTS, LINES_OF_A_CALL)
@some_calls
def test_every_card_can_be_spoken_at_a_glance_and_has_its_reason(ringback, contact, lines):
    for _, heard in played(ringback, contact, lines):
        for card in heard.cards:
            assert 0 < len(card.text) <= MAX_CARD_CHARACTERS, card.text
            assert "{" not in card.text, card.text
            assert card.why, card
            assert "张伟" not in card.text


@given(CONTACTS, LINES_OF_A_CALL)
@some_calls
def test_no_primary_card_comes_twice_in_a_call(ringback, contact, lines):
    texts = [heard.cards[0].text for _, heard in played(ringback, contact, lines)
             if heard.cards and heard.cards[0].title != CORRECTION]  # fmt: skip
    assert len(texts) == len(set(texts)), texts


@given(CONTACTS, LINES_OF_A_CALL)
@some_calls
def test_at_most_one_primary_and_two_folded_cards_all_different(ringback, contact, lines):
    talk = Talk(small_shadow(ringback, contact))
    for party, text, names in lines:
        heard = talk.say(party, text, _acts(names) if party == "customer" else None)
        assert len(heard.cards) <= 3
        assert len({card.text for card in heard.cards}) == len(heard.cards)
        assert len(talk.shadow.screen.folded) <= 2
        assert len({card.id for card in talk.shadow.screen.cards()}) == len(talk.shadow.screen.cards())


@given(CONTACTS, LINES_OF_A_CALL)
@some_calls
def test_what_is_known_is_never_asked(ringback, contact, lines):
    talk = Talk(small_shadow(ringback, contact))
    for party, text, names in lines:
        heard = talk.say(party, text, _acts(names) if party == "customer" else None)
        for card in heard.cards:
            asks = SMALL.nodes[card.node].asks if card.node else None
            assert asks is None or asks not in talk.shadow.picture.facts, (card.text, asks)


@given(CONTACTS, LINES_OF_A_CALL, st.booleans(), LINES_OF_A_CALL)
@some_calls
def test_after_a_refusal_for_good_nothing_is_sold(ringback, contact, before, do_not_call, after):
    talk = Talk(small_shadow(ringback, contact))
    refusal: list[tuple[str, str, tuple[str, ...]]] = [("customer", "别再打了", ("request_dnc",))]
    if not do_not_call:
        refusal = [("customer", "算了不办", ("decline_offer",)), ("customer", "不要", ("decline_offer",))]
    for party, text, names in (*before, *refusal[:-1]):
        talk.say(party, text, _acts(names) if party == "customer" else None)
    for party, text, names in (refusal[-1], *after):
        heard = talk.say(party, text, _acts(names) if party == "customer" else None)
        assert not SELLING & {card.kind for card in heard.cards}, heard.cards
        up = talk.shadow.screen.cards()
        assert not SELLING & {card.kind for card in up}, up


@pytest.mark.parametrize("steps", [("utter_ask_bill", "utter_close_direct", "utter_price_anchor")])
def test_what_the_policies_name_sells_nothing_after_a_refusal_and_asks_nothing_known(ringback, steps):
    talk = Talk(small_shadow(ringback, {"monthly_bill": 88}))
    talk.shadow._steering.steps = lambda predicted: steps  # the script's own prediction
    heard = talk.customer("那怎么付", "ask_how_to")
    possible = {candidate.key for candidate in heard.decision.candidates}
    assert "utter_ask_bill" not in possible and "utter_close_direct" in possible
    heard = talk.customer("别再打了", "request_dnc")
    assert not SELLING & {card.kind for card in heard.cards}


@given(CONTACTS, LINES_OF_A_CALL)
@some_calls
def test_the_same_lines_give_the_same_advice_to_the_byte(ringback, contact, lines):
    once, again = (
        [msgspec.json.encode([heard.cards, heard.panel, heard.spoken]) for _, heard in calls]
        for calls in [played(ringback, contact, lines, EXPLORING) for _ in range(2)]
    )
    assert once == again


@given(CONTACTS, LINES_OF_A_CALL)
@some_calls
def test_the_panel_s_changes_add_up_to_the_panel(ringback, contact, lines):
    shadow = small_shadow(ringback, contact)
    shown = copy.deepcopy(shadow.panel())
    talk = Talk(shadow)
    for party, text, names in lines:
        heard = talk.say(party, text, _acts(names) if party == "customer" else None)
        shown.update(copy.deepcopy(heard.panel))
        assert shown == shadow.panel()


@given(LINES_OF_A_CALL, st.lists(st.text(max_size=60), max_size=5))
@some_calls
def test_no_words_at_all_can_break_a_call(ringback, lines, noise):
    talk = Talk(small_shadow(ringback))
    for party, text, names in lines[:3]:
        talk.say(party, text, _acts(names) if party == "customer" else None)
    for text in noise:
        talk.words(text)
        talk.agent(text)
        talk.customer(text)
    assert len(talk.shadow.picture.said) == len(lines[:3]) + 2 * len(noise)


def test_the_script_s_own_understanding_is_used_where_no_acts_are_given(ringback):
    talk = Talk(small_shadow(ringback))
    heard = talk.say("customer", "太贵了,能不能便宜点", None)
    assert heard.said is not None and "object_price" in {act["name"] for act in heard.said.acts}
    assert talk.shadow.picture.objection == "object_price"


def test_a_fact_s_evidence_is_the_line_that_stated_it(ringback):
    talk = Talk(small_shadow(ringback, {"monthly_bill": 99}))
    talk.agent("您一个月话费大概多少钱?")
    heard = talk.customer("话费每个月一百二", "inform")
    fact = talk.shadow.picture.facts["monthly_bill"]
    assert (fact.value, fact.was, fact.source, fact.evidence) == (120, 99, "speech", "u2")
    row = next(row for row in heard.panel["facts"] if row["name"] == "monthly_bill")
    assert (row["value"], row["was"], row["evidence"]) == (120, 99, "u2")


def test_an_objection_is_open_until_the_customer_moves_on(ringback):
    talk = Talk(small_shadow(ringback, {"monthly_bill": 129, "broadband_price": 80}))
    assert talk.customer("太贵了吧", "object_price").panel["objection"] == "object_price"
    talk.agent("谁都想省钱,您的想法我很理解。")
    assert talk.customer("嗯", "backchannel").panel.get("objection", "same") == "same"
    assert talk.customer("那多少钱", "ask_price").panel["objection"] is None


def test_an_objection_gets_two_rebuttals_and_no_more(ringback):
    talk = Talk(small_shadow(ringback))
    talk.agent("您好,我是华声通信的客户经理小李。")
    heard = talk.customer("太贵了吧", "object_price")
    for spoken in ("谁都想省钱,您的想法我很理解。", "算下来一天不到两块钱,全家都能用。"):
        assert heard.cards[0].kind == "rebuttal", heard.cards
        talk.agent(spoken)
        heard = talk.customer("还是太贵了", "object_price")
    assert "rebuttal" not in {card.kind for card in heard.cards}


def test_a_spoken_card_goes_and_is_told(ringback):
    talk = Talk(small_shadow(ringback))
    card = talk.customer("太贵了吧", "object_price").cards[0]
    heard = talk.agent(card.text)
    assert heard.spoken == [card.id]
    assert talk.shadow.screen.cards() == ()
    assert heard.panel["card"] is None


def test_a_card_in_other_words_counts_as_spoken(ringback):
    talk = Talk(small_shadow(ringback))
    card = talk.customer("要不要押金", "ask_condition").cards[0]
    assert card.node == "utter_answer_fee"
    assert card.id in talk.agent("没有初装费的,光猫也是免费用,押金不用交").spoken


def test_a_card_being_read_aloud_is_not_replaced_and_what_waited_comes_after(ringback):
    talk = Talk(small_shadow(ringback))
    card = talk.customer("太贵了吧", "object_price").cards[0]
    talk.words(card.text[:12])
    heard = talk.customer("要不要押金", "ask_condition")
    assert talk.shadow.screen.primary == card
    assert "card" not in heard.panel
    after = talk.agent(card.text)
    assert talk.shadow.screen.primary is not None
    assert talk.shadow.screen.primary.node == "utter_answer_fee"
    assert after.panel["card"] == heard.cards[0].id


def test_a_whisper_stands_before_all_until_it_is_dealt_with(ringback):
    talk = Talk(small_shadow(ringback))
    talk.customer("太贵了吧", "object_price")
    whisper = Suggestion(
        id="call-1.w1", call_id="call-1", kind="action", text="先道歉", title="班长", why="班长", pinned=True,
        ttl_ms=60_000, t_sent_ms=3000,
    )  # fmt: skip
    assert talk.shadow.whisper(whisper).panel["card"] == "call-1.w1"
    talk.customer("多少钱啊", "ask_price")
    assert talk.shadow.screen.primary == whisper
    talk.agent("嗯嗯您说")
    assert talk.shadow.screen.primary == whisper
    assert talk.shadow.feedback("call-1.w1", "used", 9000).panel["card"] is None


def test_a_whisper_waits_while_the_agent_reads(ringback):
    talk = Talk(small_shadow(ringback))
    card = talk.customer("太贵了吧", "object_price").cards[0]
    talk.words(card.text[:12])
    whisper = Suggestion(
        id="call-1.w1", call_id="call-1", kind="action", text="先道歉", title="班长", why="班长", pinned=True,
        ttl_ms=60_000, t_sent_ms=3000,
    )  # fmt: skip
    talk.shadow.whisper(whisper)
    assert talk.shadow.screen.primary == card
    talk.agent(card.text)
    assert talk.shadow.screen.primary == whisper


def test_a_dismissed_card_never_comes_again_whatever_its_words(ringback):
    contact = {"monthly_bill": 129, "broadband_price": 80, "owner": True, "data_used_gb": 30}
    talk = Talk(small_shadow(ringback, contact))
    first = talk.customer("你说吧什么套餐", "ask_details").cards
    offer = next(card for card in first if card.kind == "offer")
    talk.shadow.feedback(offer.id, "dismissed", 4000)
    for _ in range(3):
        again = talk.customer("你说吧什么套餐", "ask_details").cards
        assert offer.product not in {card.product for card in again}


def test_an_alarm_sounds_at_the_word_once_and_the_correction_follows_the_line(ringback):
    talk = Talk(small_shadow(ringback))
    talk.customer("多少钱啊", "ask_price")
    assert talk.words("这个我").alarms == []
    [alarm] = talk.words("这个我保证").alarms
    assert (alarm.rule, alarm.words, alarm.utterance_id) == ("guarantee", "保证", "u2")
    assert talk.words("这个我保证不涨").alarms == []
    heard = talk.agent("这个我保证不涨价")
    assert heard.alarms == []
    assert [card.text for card in heard.cards] == ["我更正一下,以合同写的为准。"]
    assert len(talk.shadow.picture.alarms) == 1


def test_the_correction_is_the_same_whether_partial_words_came_or_not(ringback):
    cards = []
    for partials in (["我保证"], []):
        talk = Talk(small_shadow(ringback))
        talk.customer("多少钱啊", "ask_price")
        for words in partials:
            talk.words(words)
        cards.append([talk.agent("我保证不涨价").cards, talk.customer("哦", "backchannel").cards])
    assert cards[0] == cards[1]


def test_pressing_on_after_a_refusal_is_an_alarm(ringback):
    talk = Talk(small_shadow(ringback))
    talk.customer("别再打了", "request_dnc")
    heard = talk.agent("那我现在就给您办上,好吗?")
    assert "pressing" in {alarm.rule for alarm in heard.alarms}


def test_a_price_that_no_offer_has_is_an_alarm_and_our_own_never_is(ringback):
    talk = Talk(small_shadow(ringback))
    assert [alarm.rule for alarm in talk.agent("融合套餐每月只要37块").alarms] == ["wrong_price"]
    for line in (text for one in SMALL.nodes.values() for text in (wording.text for wording in one.wordings)):
        if "{" not in line:
            assert talk.agent(line).alarms == [], line


def test_must_says_are_ticked_off_with_their_evidence(ringback):
    talk = Talk(small_shadow(ringback))
    first = talk.customer("喂", "greet")
    assert next(item for item in talk.shadow.panel()["checklist"] if item["key"] == "identity")["due"]
    assert first.panel
    heard = talk.agent("您好,我是华声通信的客户经理小李。")
    item = next(item for item in heard.panel["checklist"] if item["key"] == "identity")
    assert (item["at_ms"], item["evidence"], item["due"]) == (6000, "u2", False)


def test_what_must_be_said_is_worded_with_the_figures_as_they_become_known(ringback):
    talk = Talk(small_shadow(ringback))

    def text() -> str:
        return next(item["text"] for item in talk.shadow.panel()["checklist"] if item["key"] == "price")

    assert text() == "跟您说明一下,每月最低消费五十八块。"
    talk.customer("话费128块,宽带一个月80块", "inform")
    assert text() == "跟您说明一下,以后每月128块。"


def test_expired_cards_go_with_time(ringback):
    talk = Talk(small_shadow(ringback))
    card = talk.customer("太贵了吧", "object_price").cards[0]
    assert talk.shadow.tick(card.t_sent_ms + card.ttl_ms).panel == {}
    assert talk.shadow.tick(card.t_sent_ms + card.ttl_ms + 1).panel["card"] is None


def test_what_was_said_before_a_handover_counts_but_brings_no_cards(ringback):
    shadow = small_shadow(ringback)
    earlier = [
        {"utterance_id": "b1", "party": "bot", "text": "您一个月话费大概多少钱?", "end_ms": 2000},
        {"utterance_id": "b2", "party": "customer", "text": "一百二", "end_ms": 4000,
         "acts": [{"name": "inform", "confidence": 0.9}]},
        {"utterance_id": "b3", "party": "customer", "text": "太贵了", "end_ms": 6000,
         "acts": [{"name": "object_price", "confidence": 0.9}]},
    ]  # fmt: skip
    heard = shadow.begin(earlier, {"leaving": True})
    assert heard.cards == [] and shadow.cards == {}
    assert shadow.picture.facts["monthly_bill"].value == 120
    assert shadow.picture.facts["leaving"].value is True
    assert heard.panel["objection"] == "object_price"


def test_the_end_takes_the_cards_down_and_fills_the_form(ringback):
    talk = Talk(small_shadow(ringback))
    talk.customer("太贵了吧", "object_price")
    form = talk.shadow.end(talk.shadow._started)
    assert talk.shadow.screen.cards() == ()
    assert form["disposition"] == "declined" and form["summary"]
