"""What a page sees that opens in mid-call, and the supervisor's row: complete, masked, worst first."""

from __future__ import annotations

import msgspec

from assist.snapshot import MAX_SUGGESTIONS, live_row, snapshot_of
from bot.bus.assisted import CallMeta
from tests.assist.small_script import Talk, small_shadow

META = CallMeta(
    call_id="call-1", tenant_id="default", agent_id="li", script="small", script_version="v1",
    direction="outbound", started="2026-11-22T10:00:00+08:00", started_ms=0, worker="assist-1",
)  # fmt: skip
CUSTOMER = {"id": "k-1", "city": "杭州"}


def test_a_snapshot_is_the_call_as_it_stands(ringback):
    talk = Talk(small_shadow(ringback, {"name": "张伟", "phone": "13800138000", "monthly_bill": 129}))
    talk.agent("请问您是机主本人吗?")
    card = talk.customer("太贵了吧", "object_price").cards[0]
    shot = snapshot_of(META, CUSTOMER, talk.shadow, 7, {card.id: "shown"}, None)
    assert (shot["kind"], shot["seq"], shot["call_id"]) == ("snapshot", 7, "call-1")
    assert shot["call"]["customer"] == CUSTOMER and shot["call"]["ended"] is False
    assert shot["panel"] == talk.shadow.panel()
    assert [line["utterance_id"] for line in shot["transcript"]] == ["u1", "u2"]
    assert shot["transcript"][1]["acts"][0]["name"] == "object_price"
    assert shot["panel"]["card"] == card.id
    assert shot["suggestions"][card.id]["feedback"] == "shown"
    assert shot["suggestions"][card.id]["text"] == card.text
    encoded = msgspec.json.encode(shot).decode()
    assert "张伟" not in encoded and "13800138000" not in encoded


def test_every_card_on_the_screen_is_in_the_snapshot_after_a_long_call(ringback):
    talk = Talk(small_shadow(ringback))
    for number in range(40):
        talk.customer(f"太贵了吧{number}", "object_price")
        talk.customer("我想想", "object_think_over")
        shot = snapshot_of(META, {}, talk.shadow, 1, {}, None)
        up = {card.id for card in talk.shadow.screen.cards()}
        assert up <= shot["suggestions"].keys()
        assert len(shot["suggestions"]) <= MAX_SUGGESTIONS


def test_an_ended_call_has_its_form(ringback):
    shot = snapshot_of(META, {}, small_shadow(ringback), 1, {}, {"disposition": "declined"})
    assert shot["call"]["ended"] is True
    assert shot["panel"]["after_call"] == {"disposition": "declined"}


def test_the_row_tells_the_worst_trouble_in_words(ringback):
    talk = Talk(small_shadow(ringback))

    def trouble():
        row = live_row(META, CUSTOMER, talk.shadow)
        return row["trouble_level"], row["trouble"]

    assert trouble() == (0, None)
    talk.customer("太贵了吧", "object_price")
    assert trouble() == (1, "客户有异议")
    talk.customer("气死我了我要投诉", "complain")
    assert trouble() == (2, "客户情绪不好")
    talk.agent("我保证以后不会")
    level, words = trouble()
    assert level == 3 and "保证" in words
    talk.at_ms += 61_000
    talk.customer("行吧", "affirm")
    assert trouble()[0] < 3


def test_the_row_says_who_where_and_the_last_words(ringback):
    talk = Talk(small_shadow(ringback))
    talk.customer("太贵了吧", "object_price")
    row = live_row(META, CUSTOMER, talk.shadow)
    assert (row["agent_id"], row["stage"], row["customer"]) == ("li", "objections", CUSTOMER)
    assert row["last"] == {"party": "customer", "text": "太贵了吧"}
    assert msgspec.json.decode(msgspec.json.encode(row)) == row
