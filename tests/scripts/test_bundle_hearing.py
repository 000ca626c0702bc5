"""What must be heard in a bundle call: facts, buying signals, what the agent says and must not say."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from assist.hearing.duties import forbidden, said_now
from assist.hearing.facts import Line, from_line
from assist.loading import load_assist_script
from assist.suggest.model import FactValue
from bot.understanding.values import extract

SCRIPT = load_assist_script("bundle")
NOW = datetime.fromisoformat("2026-11-23T10:00:00+08:00")
DUTIES = {"price", "term", "leaving_early", "cancel", "port", "devices", "one_line", "consent"}


def heard(text: str, asked: str | None = None, act: str = "inform") -> dict[str, FactValue]:
    line = Line("u1", text, 0, (act,), tuple(extract(text, NOW)))
    return {fact.name: fact.value for fact in from_line(SCRIPT.facts, line, asked, {})}


@pytest.mark.parametrize(
    ("text", "asked", "fact", "value"),
    [
        ("我手机一个月大概六十多块钱", None, "monthly_bill", 60),
        ("话费五十 宽带八十", None, "monthly_bill", 50),
        ("话费五十 宽带八十", None, "broadband_price", 80),
        ("宽带一个月交八十", None, "broadband_price", 80),
        ("一年九百六吧", "broadband_price", "broadband_year_price", 960),
        ("手机加宽带一共一百四", None, "total_spend", 140),
        ("家里装的是移动的宽带", None, "broadband_provider", "移动"),
        ("我们家款待是连通的一百兆", None, "broadband_provider", "联通"),
        ("我们家款待是连通的一百兆", None, "broadband_speed", "100兆"),
        ("就是你们家的啊", "broadband_provider", "broadband_provider", "本网"),
        ("家里装的是移动的宽带", None, "broadband", True),
        ("没装 就用手机流量", "broadband", "broadband", False),
        ("装了啊电信的一百兆一个月八十", "broadband", "broadband_price", 80),
        ("装了啊电信的一百兆一个月八十", "broadband", "broadband_provider", "电信"),
        ("还有三个月到期", None, "broadband_months_left", 3),
        ("家里四口人 五个号", None, "home_users", 4),
        ("家里四口人 五个号", None, "family_numbers", 5),
        ("电视天天看 老人看", None, "tv_use", True),
        ("不怎么看 都看手机", "tv_use", "tv_use", False),
        ("我儿子天天打游戏", None, "heavy_use", True),
        ("没人打游戏", "heavy_use", "heavy_use", False),
        ("晚上老卡 转圈", None, "night_use", True),
        ("两年太长了", "term_wish", "term_wish", "12"),
        ("两年啊太长了吧", None, "term_wish", "12"),
        ("两年也行", "term_wish", "term_wish", "24"),
        ("我们明年要搬家", None, "moving_soon", True),
        ("自己家的房子不搬", "moving_soon", "moving_soon", False),
        ("这个我得跟我老婆商量", None, "decider", "爱人"),
        ("周六上午来吧", None, "install_time", "2026-11-28"),
        ("阳光小区三号楼", "install_area", "install_area", "阳光小区三号楼"),
        ("我们小区没端口上次说的", None, "port_available", False),
    ],
)
def test_facts_are_heard_as_people_say_them(
    text: str, asked: str | None, fact: str, value: FactValue
) -> None:
    assert heard(text, asked).get(fact) == value


@pytest.mark.parametrize(
    "text", ["宽带挺好的", "话费五十 宽带八十", "手机加宽带一共一百四", "我用的是电信的手机"]
)
def test_data_and_speed_are_not_read_out_of_prices(text: str) -> None:
    assert not {"data_used_gb", "plan_data_gb", "broadband_speed", "broadband_provider"} & set(heard(text))


def test_the_address_answers_the_port_question_and_a_plain_yes_finds_no_port() -> None:
    assert SCRIPT.facts["port_available"].ask is None
    assert "port_available" not in heard("好的你查吧", "install_area", act="affirm")


# What must be said, what must not.


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("identity", "您好我这边是华声通信的客户经理"),
        ("recording", "这次通话有录音哈"),
        ("price", "您每个月手机打够四十八块就行"),
        ("price", "就是最低消费五十八不够也按五十八扣"),
        ("term", "这个要签一年的合约啊"),
        ("term", "58的是二十四个月的协议"),
        ("leaving_early", "您要是中途不用了剩一个月是二十块钱"),
        ("leaving_early", "没到期走的话每个月要补20"),
        ("cancel", "以后想退打幺零幺二三就行"),
        ("cancel", "不想用了您到营业厅办一下"),
        ("port", "我先给您查一下您那儿有没有端口"),
        ("port", "得先看看您那个小区能不能装"),
        ("devices", "光猫到时候不用了得还给我们啊"),
        ("devices", "机顶盒以后是要退的"),
        ("one_line", "您这一个号只能装一条宽带哈"),
        ("consent", "那您确认办理吗"),
        ("consent", "没问题的话您回一声同意"),
    ],
)
def test_agents_say_it_in_their_own_words(key: str, text: str) -> None:
    assert key in [item.key for item in said_now(SCRIPT, text, (), ())]


@pytest.mark.parametrize("text", ["您家几口人上网", "好的我给您记一下", "您宽带一个月多少钱", "您要退什么"])
def test_other_talk_discloses_nothing(text: str) -> None:
    assert not DUTIES & {item.key for item in said_now(SCRIPT, text, (), ())}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("guarantee", "我保证您省钱"),
        ("guarantee", "绝对没问题的"),
        ("forever", "这个价格终身不变"),
        ("superlative", "我们这是全市最便宜的"),
        ("running_down", "移动那个宽带就是垃圾"),
        ("running_down", "电信的网太差了"),
        ("pressing", "您必须今天就决定"),
        ("speed_promise", "网速一定能到三百兆"),
        ("speed_promise", "这个网绝对不卡"),
        ("port_promise", "您那儿肯定能装"),
        ("port_promise", "不用查也能装的"),
        ("free_trap", "宽带免费送给您用"),
        ("free_trap", "白送您一条宽带"),
        ("free_trap", "电视盒子不要钱"),
        ("hides_term", "您随时退都不花钱"),
        ("hides_term", "我们这个没有合约的"),
        ("hides_term", "提前走也不收钱"),
        ("hides_minimum", "没有最低消费您放心"),
        ("wrong_tier", "四十八的带三百兆"),
        ("wrong_tier", "58档签12个月就行"),
        ("break_rival_contract", "那边违约金不用管"),
        ("break_rival_contract", "您先去把那边拆了"),
        ("over_promise_family", "家里人随便打都不要钱"),
    ],
)
def test_what_must_not_be_said_is_heard(rule: str, text: str) -> None:
    assert rule in [alarm.rule for alarm in forbidden(SCRIPT, text, "u", 0, [])]


@pytest.mark.parametrize(
    "text",
    [
        "话费满四十八宽带就不要钱了", "宽带免安装费,每月消费满48", "不能保证一定到三百兆",
        "我不敢说肯定能装,先查端口",
        "亲情号互打免费", "没到期别急着退那边", "48档没有电视盒子,58档才有", "违约金是剩一个月二十块",
        "您现在没有合约吧", "48档100兆,58档300兆",
    ],
)  # fmt: skip
def test_honest_words_set_off_no_alarm(text: str) -> None:
    assert [alarm.rule for alarm in forbidden(SCRIPT, text, "u", 0, [])] == []


@pytest.mark.parametrize(
    "text",
    [
        "师傅什么时候能来装",
        "周六能过来装吗",
        "要带身份证吗",
        "我们小区能装不",
        "那就办这个吧",
        "光猫是送的吗",
    ],
)
def test_buying_signals_are_heard(text: str) -> None:
    assert any(re.search(word, text) for word in SCRIPT.signals.words)
