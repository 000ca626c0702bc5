"""A small assisted script built in code, calls of it held in text, and what may happen in a call.

The policies behind a `Shadow` here are those of the ringback script; the lines, facts, duties and products
are these, so a test knows every card that can come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from assist.hearing.agent_lines import AgentLines
from assist.learning.policy import Policy
from assist.shadow import Heard, Shadow
from assist.suggest.catalogue import Catalogue, Charge, Fab, Guard, Product, Text
from assist.suggest.conditions import parse_condition
from assist.suggest.model import Said
from assist.suggest.picture import Picture
from assist.suggest.script import (
    AssistScript,
    FactRule,
    Leaving,
    Likely,
    MustNotSay,
    MustSay,
    Node,
    Signals,
    TypeCues,
    Wording,
)
from bot.dialogue.version import ScriptVersion

NOW = datetime.fromisoformat("2026-11-22T10:00:00+08:00")


def node(name: str, *texts: str, **more: Any) -> Node:
    """A line with wordings for anybody."""
    return Node(name=name, wordings=tuple(Wording(text) for text in texts), **more)


def _title(zh: str) -> Text:
    return Text(zh=zh, en=zh)


def product(key: str, name: str, yuan: int, **more: Any) -> Product:
    """A plan with a lowest monthly price."""
    return Product(
        **{
            "key": key,
            "name": _title(name),
            "charge": Charge(kind="at_least", yuan=Decimal(yuan)),
            "term_months": 12,
            "fab": Fab(feature="宽带", advantage="合并", benefit="每月更省"),
            "say": ("您现在{now}块,换{product}每月{then}块,省{saving}块。", f"给您推荐{name},一个账单全包。"),
            "conditions": (),
            "replaces": ("broadband_price",),
            "leaving_early_yuan_per_month": Decimal(20),
            **more,
        }
    )


NODES = (
    node("utter_identity", "您好,我是华声通信的客户经理小李。", card="compliance", discloses=("identity",)),
    node(
        "utter_ask_owner", "请问您是机主本人吗?", "您就是这个号的机主对吧?",
        card="question", asks="owner", stage="opening",
    ),
    node(
        "utter_ask_bill", "您一个月话费大概多少钱?", "方便说下每个月话费花多少吗?",
        card="question", asks="monthly_bill", stage="discovery",
    ),
    node("utter_ask_data", "您每月流量用多少个G?", card="question", asks="data_used_gb", stage="discovery"),
    node("utter_ask_broadband", "家里宽带一年交多少?", card="question", asks="broadband_price",
         stage="discovery"),
    node("utter_ask_leaving", "您最近有没有想过换别家?", card="question", asks="leaving", stage="discovery"),
    Node(
        name="utter_price_anchor",
        wordings=(
            Wording("您现在一个月{now}块,合起来反而省{saving}块。"),
            Wording("算下来一天不到两块钱,全家都能用。"),
            Wording("一天不到两块,直接说就是省。", (("customer_type", "dominant"),)),
        ),
        card="rebuttal", rebuts=("object_price",), technique="price_anchor",
    ),
    node("utter_price_empathy", "谁都想省钱,您的想法我很理解。", card="rebuttal", rebuts=("object_price",),
         technique="empathy"),
    node("utter_price_trial", "先用一个月试试,不合适随时改回来。", card="rebuttal", rebuts=("object_price",),
         technique="trial", avoid_after=("object_unable",)),
    node("utter_guide", "您是担心哪一块呢,是价格还是用不惯?", card="rebuttal",
         rebuts=("object_think_over", "object_no_need"), technique="guide"),
    node("utter_answer_price", "最低每月五十八块,话费宽带都在里面。", card="answer", answers=("ask_price",)),
    node("utter_answer_fee", "没有初装费,光猫免费用,不用押金。", card="answer",
         answers=("ask_price", "ask_condition"), about=("初装费", "押金", "光猫")),
    node("utter_say_price", "跟您说明一下,每月最低消费五十八块。", "跟您说明一下,以后每月{then}块。",
         card="compliance", discloses=("price",)),
    node("utter_close_direct", "那我现在就给您办上,好吗?", card="close", technique="direct"),
    node("utter_close_choice", "您看安装约这周六还是周日?", card="close", technique="either_or"),
    node("utter_rich", "您用得多,可以看看更高的档。", card="answer", answers=("ask_details",),
         when=(parse_condition("monthly_bill >= 100"),)),
    node("utter_bye", "好的,不打扰您了,祝您生活愉快。", card="action", stage="closing"),
)  # fmt: skip

FACTS = (
    FactRule(name="owner", title=_title("机主"), layer="permission", kind="yes_no", ask="utter_ask_owner",
             cues=("机主", "本人"), choices={"yes": ("本人", "我就是"), "no": ("不是本人",)}, need=0.9),
    FactRule(name="monthly_bill", title=_title("月消费"), layer="facts", kind="money", unit="元",
             ask="utter_ask_bill", cues=("话费", "每个?月.{0,3}(花|交)", "一个月(话费|花)"),
             likely=(Likely(29, 1), Likely(79, 2), Likely(129, 1)), need=0.7),
    FactRule(name="data_used_gb", title=_title("流量"), layer="facts", kind="data", unit="GB",
             ask="utter_ask_data", cues=("流量", "用了"), need=0.4),
    FactRule(name="broadband_price", title=_title("宽带费"), layer="facts", kind="money", unit="元",
             ask="utter_ask_broadband", cues=("宽带",), likely=(Likely(30, 1), Likely(90, 1)), need=0.5),
    FactRule(name="leaving", title=_title("要离网"), layer="problems", kind="yes_no", ask="utter_ask_leaving",
             cues=("换别家", "转网", "携号"), choices={"yes": ("想(转网|换别家)",), "no": ("没想过",)},
             need=0.6),
    FactRule(name="value_tier", title=_title("等级"), layer="facts", kind="choice"),
    FactRule(name="satisfaction", title=_title("满意度"), layer="problems", kind="text", need=0.2),
)  # fmt: skip

SMALL = AssistScript(
    name="small",
    version="v1",
    title=_title("小话术"),
    language="zh",
    nodes={one.name: one for one in NODES},
    facts={rule.name: rule for rule in FACTS},
    must_say=(
        MustSay(key="identity", title=_title("身份"), node="utter_identity", words=("我是.{0,6}客户经理",),
                by="opening"),
        MustSay(key="price", title=_title("价格"), node="utter_say_price", words=("每月最低.{0,8}块",),
                by="details"),
    ),
    must_not_say=(
        MustNotSay(rule="guarantee", title=_title("保证"), words=("保证", "绝对"), unless=("不(能|敢)保证",),
                   say="我更正一下,以合同写的为准。"),
        MustNotSay(rule="rival", title=_title("贬低对手"), words=("(移动|电信).{0,4}垃圾",),
                   say="更正一下,各家各有长处。"),
    ),
    types=(
        TypeCues("exact", _title("精确型"), ("具体", "到底多少", "算一下")),
        TypeCues("dominant", _title("支配型"), ("快点", "直接说")),
    ),
    signals=Signals(acts=("ask_effective", "ask_how_to"), words=("什么时候能装", "怎么付")),
    leaving=Leaving(words=("转到(移动|电信)", "授权码")),
    catalogue=Catalogue(
        products=(
            product("b48", "融合48", 48),
            product("b58", "融合58", 58, prefer=("data_used_gb >= 20",), term_months=24),
        ),
        guard=Guard(max_loss_percent=Decimal(10), unless=("leaving == yes",)),
    ),
    way_in=("先问宽带",),
)  # fmt: skip
LINES = AgentLines(SMALL)


def small_shadow(
    version: ScriptVersion,
    contact: Mapping[str, Any] | None = None,
    *,
    policy: Policy | None = None,
    call_id: str = "call-1",
) -> Shadow:
    """A call of the small script that has begun."""
    shadow = Shadow(
        version, SMALL, LINES, policy or Policy.initial(), call_id=call_id, contact=contact or {}, started=NOW
    )
    shadow.begin()
    return shadow


def acts(*names: str) -> tuple[dict[str, Any], ...]:
    """Customer acts, all certain."""
    return tuple({"name": name, "confidence": 0.9} for name in names)


class Talk:
    """Lines of a call, one after another: 1 s apart, 2 s long."""

    def __init__(self, shadow: Shadow) -> None:
        self.shadow = shadow
        self.at_ms = 0
        self.count = 0

    def customer(self, text: str, *names: str) -> Heard:
        """The customer says it, meaning these acts."""
        return self.say("customer", text, acts(*names))

    def agent(self, text: str) -> Heard:
        """The agent says it."""
        return self.say("agent", text, None)

    def say(self, party: Any, text: str, meaning: tuple[dict[str, Any], ...] | None) -> Heard:
        """One final line."""
        self.count += 1
        begin, self.at_ms = self.at_ms + 1000, self.at_ms + 3000
        return self.shadow.utterance(f"u{self.count}", party, text, begin, self.at_ms, acts=meaning)

    def words(self, text: str) -> Heard:
        """The agent's words so far, of the line that comes next."""
        return self.shadow.partial(f"u{self.count + 1}", "agent", text, self.at_ms + 500)


def picture(*lines: Said, contact: Mapping[str, Any] | None = None, **fields: Any) -> Picture:
    """A picture of the small script with these things in it."""
    from assist.hearing.facts import FROM_FILE, file_facts

    made = Picture(call_id="call-1", script=SMALL)
    made.facts = file_facts(contact or {}, SMALL.facts, FROM_FILE)
    made.said = list(lines)
    made.customer_lines = sum(line.party == "customer" for line in lines)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def customer_said(text: str, *names: str, number: int = 1) -> Said:
    """A customer's line in a picture."""
    return Said(
        utterance_id=f"u{number}", party="customer", text=text, begin_ms=0, end_ms=1000, acts=acts(*names)
    )


CUSTOMER_LINES: Sequence[tuple[str, tuple[str, ...]]] = (
    ("嗯", ("backchannel",)),
    ("我就是本人", ("affirm",)),
    ("话费每个月一百二", ("inform",)),
    ("流量一个月用了30个G", ("inform",)),
    ("宽带一年交九百六十块", ("inform",)),
    ("宽带一个月80块", ("inform",)),
    ("太贵了吧", ("object_price",)),
    ("我要考虑一下", ("object_think_over",)),
    ("不需要", ("object_no_need",)),
    ("算了不办", ("decline_offer",)),
    ("别再打了", ("request_dnc",)),
    ("多少钱啊", ("ask_price",)),
    ("要不要押金", ("ask_condition",)),
    ("什么时候能装", ("ask_effective",)),
    ("行那就办吧", ("accept_offer",)),
    ("我想转网", ("inform",)),
    ("我在开车", ("object_unable",)),
    ("今天天气不错", ("chitchat",)),
    ("对", ("affirm",)),
    ("打错了", ("wrong_person",)),
    ("直接说快点", ("hurry_up",)),
)
"""What customers of the small script may say, with what it means."""
AGENT_LINES: Sequence[str] = (
    "您好,我是华声通信的客户经理小李。",
    "请问您是机主本人吗?",
    "您一个月话费大概多少钱?",
    "您每月流量用多少个G?",
    "谁都想省钱,您的想法我很理解。",
    "算下来一天不到两块钱,全家都能用。",
    "给您推荐融合58,一个账单全包。",
    "那我现在就给您办上,好吗?",
    "我保证以后不涨价",
    "跟您说明一下,每月最低消费五十八块。",
    "嗯嗯您说",
)
LINES_OF_A_CALL = st.lists(
    st.one_of(
        st.sampled_from([("customer", text, names) for text, names in CUSTOMER_LINES]),
        st.sampled_from([("agent", text, ()) for text in AGENT_LINES]),
    ),
    max_size=14,
)
CONTACTS = st.fixed_dictionaries(
    {},
    optional={
        "monthly_bill": st.sampled_from([29, 79, 129.5]),
        "data_used_gb": st.sampled_from([3, 25]),
        "value_tier": st.sampled_from(["gold", "standard"]),
        "name": st.just("张伟"),
    },
)
