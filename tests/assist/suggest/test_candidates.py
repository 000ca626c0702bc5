"""What could be shown: each family comes when it should, with its reason, and not when it must not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assist.suggest.candidates import SELLING, candidates, next_question
from assist.suggest.model import Candidate, CheckItem
from assist.suggest.picture import Picture
from assist.suggest.situation import situation
from tests.assist.small_script import NOW, SMALL, customer_said, picture

RICH = {"monthly_bill": 129, "broadband_price": 80, "data_used_gb": 30}


def cards_of(made: Picture) -> list[Candidate]:
    if not made.checklist:
        made.checklist = {
            item.key: CheckItem(key=item.key, title=item.title.zh, text="") for item in SMALL.must_say
        }
    return candidates(made, situation(made, NOW.date()))


def of_kind(kind: str, made: Picture) -> list[Candidate]:
    return [card for card in cards_of(made) if card.kind == kind]


def said(text: str, *acts: str, **fields: Any) -> Picture:
    contact = fields.pop("contact", {})
    return picture(customer_said(text, *acts), contact=contact, acts=acts, seen_acts=set(acts), **fields)


def test_best_prior_first_and_each_line_once():
    cards = cards_of(said("太贵了,多少钱", "object_price", "ask_price", objection="object_price"))
    assert [card.prior for card in cards] == sorted((card.prior for card in cards), reverse=True)
    assert len({card.key for card in cards}) == len(cards)
    assert len({card.text for card in cards}) == len(cards)
    assert all(0 <= card.prior < 1 for card in cards)


def test_a_question_is_answered_by_the_line_about_its_words():
    cards = of_kind("answer", said("要不要押金啊", "ask_condition"))
    assert cards[0].key == "utter_answer_fee"
    assert cards[0].why == "客户问「押金」"
    assert cards[0].evidence == ("u1",)


def test_words_alone_answer_nothing_unless_something_is_asked():
    assert of_kind("answer", said("押金我知道", "inform")) == []


def test_an_answer_whose_condition_is_false_is_not_given_and_an_unknown_one_does_not_hinder():
    assert "utter_rich" in {card.key for card in of_kind("answer", said("什么套餐", "ask_details"))}
    poor = said("什么套餐", "ask_details", contact={"monthly_bill": 29})
    assert "utter_rich" not in {card.key for card in of_kind("answer", poor)}


def test_a_rebuttal_has_the_customer_s_own_figures_and_names_its_technique():
    cards = of_kind("rebuttal", said("太贵了", "object_price", objection="object_price", contact=RICH))
    anchor = next(card for card in cards if card.technique == "price_anchor")
    assert anchor.text == "您现在一个月209块,合起来反而省80块。"
    assert anchor.why == "嫌贵 → 价格锚点"
    assert anchor.objection == "object_price"
    assert {card.technique for card in cards} == {"price_anchor", "empathy", "trial"}


def test_a_technique_that_must_not_follow_an_act_does_not():
    driving = said("太贵了", "object_price", objection="object_price")
    driving.seen_acts = {"object_price", "object_unable"}
    assert "trial" not in {card.technique for card in of_kind("rebuttal", driving)}


def test_an_upset_customer_is_first_understood():
    calm = said("有点贵", "object_price", objection="object_price")
    upset = said("气死我了太贵了", "object_price", objection="object_price")
    upset.said[0] = msgspec.structs.replace(upset.said[0], sentiment="negative")

    def gain(made: Picture) -> float:
        priors = {card.technique: card.prior for card in of_kind("rebuttal", made)}
        return priors["empathy"] - priors["trial"]

    assert gain(upset) > gain(calm)


@pytest.mark.parametrize("act", ["object_busy", "object_unable", "wrong_person", "relative_or_other"])
def test_nothing_is_sold_or_argued_to_somebody_who_cannot_talk(act):
    here = said("我在开车呢", act, objection=act if act.startswith("object_") else None, contact=RICH,
                signals=["怎么付"], steps=("utter_close_direct", "utter_price_empathy"))  # fmt: skip
    assert {card.kind for card in cards_of(here)} <= {"compliance", "action", "question"}


def test_after_the_end_of_selling_no_family_sells():
    steps = ("utter_close_direct", "utter_ask_data", "utter_price_empathy", "utter_bye")
    over = said("别打了", "request_dnc", over=True, contact=RICH, signals=["怎么付"], steps=steps)
    cards = cards_of(over)
    assert not SELLING & {card.kind for card in cards}
    assert "utter_bye" in {card.key for card in cards}


def test_the_next_question_asks_what_is_not_known_in_the_order_of_the_layers():
    assert of_kind("question", said("你说", "affirm"))[0].asks == "owner"
    known = {"owner": True, **RICH}
    here = said("你说", "affirm", contact=known)
    assert [card.asks for card in of_kind("question", here)] == ["leaving"]
    assert next_question(here, situation(here, NOW.date())) == "leaving"


def test_a_question_that_got_no_answer_is_asked_once_more_only_after_a_while():
    just = said("你说", "affirm", asked={"owner": 1}, customer_lines=2)
    assert "owner" not in {card.asks for card in of_kind("question", just)}
    later = said("你说", "affirm", asked={"owner": 1}, customer_lines=9)
    assert "owner" in {card.asks for card in of_kind("question", later)}


def test_a_dismissed_question_is_not_put_in_other_words():
    here = said("你说", "affirm", rejected={"utter_ask_owner"})
    assert "owner" not in {card.asks for card in of_kind("question", here)}
    assert next_question(here, situation(here, NOW.date())) != "owner"


def test_the_offer_shows_the_customer_s_own_sums():
    [offer, *_] = of_kind("offer", said("什么套餐", "ask_details", contact=RICH))
    assert offer.product == "b58"
    assert offer.text == "您现在209块,换融合58每月129块,省80块。"
    assert "80" in offer.why or "省" in offer.why


def test_a_product_that_was_named_is_not_offered_again():
    here = said("什么套餐", "ask_details", contact=RICH, pitched={"b58"})
    assert "b58" not in {card.product for card in of_kind("offer", here)}


def test_closing_comes_with_the_signs_of_buying_and_never_over_an_open_objection():
    eager = said("怎么付", "ask_how_to", contact=RICH, pitched={"b58"}, signals=["怎么付"])
    assert {card.technique for card in of_kind("close", eager)} == {"direct", "either_or"}
    assert all("怎么付" in card.why for card in of_kind("close", eager))
    assert of_kind("close", said("哦", "backchannel", contact=RICH, pitched={"b58"})) == []
    eager.objection = "object_price"
    assert of_kind("close", eager) == []


def test_once_the_offer_is_taken_nothing_more_is_asked_or_offered():
    taken = said("行办吧", "accept_offer", contact=RICH, pitched={"b58"}, accepted=True, stage="details")
    assert not {"question", "offer"} & {card.kind for card in cards_of(taken)}


def test_what_must_be_said_is_urgent_once_the_offer_is_taken():
    taken = said("行办吧", "accept_offer", contact=RICH, accepted=True, stage="details")
    taken.checklist = {
        "identity": CheckItem(key="identity", title="身份", text="", at_ms=1),
        "price": CheckItem(key="price", title="价格", text="", due=True),
    }
    [duty] = of_kind("compliance", taken)
    assert (duty.key, duty.pinned, duty.fixed, duty.why) == ("utter_say_price", True, True, "必说:价格")
    assert duty.prior >= max(card.prior for card in cards_of(taken))


def test_a_line_of_the_script_that_asks_what_is_known_is_not_put_up():
    known = said("你说", "affirm", contact=RICH, steps=("utter_ask_bill",))
    assert "utter_ask_bill" not in {card.key for card in cards_of(known)}
    unknown = said("你说", "affirm", steps=("utter_ask_bill",))
    assert "utter_ask_bill" in {card.key for card in cards_of(unknown)}


def test_a_line_that_was_spoken_is_not_predicted_again():
    here = said("你说", "affirm", steps=("utter_bye",), done={"utter_bye": "u0"})
    assert "utter_bye" not in {card.key for card in cards_of(here)}
