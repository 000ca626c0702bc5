"""A scripted state of the pages: one bundle call at the moment that matters, and forty live calls.

Plain data in the shapes that the feeds send (snapshot, rows); for screenshots and for tests of the
pages.  Nothing here is advice: the words are written, the figures agree with stories/bundle.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

CALL = "demo-zhang"
AGENT = "lina"
Json = dict[str, Any]

CONTACT: Json = {
    "id": "c-1027", "name": "张伟", "sex": "male", "age": 41, "phone": "13800138000", "city": "杭州",
    "occupation": "货运司机", "plan": "畅享88", "monthly_bill": "128", "data_used_gb": "18.4",
    "plan_data_gb": "10", "tenure_months": 62, "contract_end": "2026-12-31", "value_tier": "gold",
    "complaints": 1, "contacts_30d": 1,
}  # fmt: skip

_FACTS: tuple[tuple[str, str, str, str, str], ...] = (
    ("owner", "机主本人", "account holder", "yes_no", ""),
    ("permission_granted", "同意交谈", "leave to talk", "yes_no", ""),
    ("decider", "谁做主", "who decides", "choice", ""),
    ("monthly_bill", "月话费", "monthly bill", "money", "元"),
    ("plan", "现用套餐", "current plan", "text", ""),
    ("data_used_gb", "月用流量", "data used a month", "data", "GB"),
    ("plan_data_gb", "套餐流量", "data in the plan", "data", "GB"),
    ("tenure_months", "在网月数", "months with us", "months", "个月"),
    ("contract_end", "手机合约到期", "end of contract", "date", ""),
    ("family_numbers", "家庭号码数", "family numbers", "count", "个"),
    ("home_users", "几人上网", "people online", "count", "人"),
    ("broadband", "有没有宽带", "has broadband", "yes_no", ""),
    ("broadband_provider", "哪家宽带", "broadband of", "choice", ""),
    ("broadband_price", "宽带月费", "broadband a month", "money", "元"),
    ("broadband_speed", "现有带宽", "present speed", "choice", ""),
    ("broadband_months_left", "老宽带剩余", "left on old line", "months", "个月"),
    ("tv_use", "看电视", "watches TV", "yes_no", ""),
    ("elder_phone", "老人用手机", "parents have phone", "yes_no", ""),
    ("child_study", "孩子上网课", "child studies online", "yes_no", ""),
    ("rooms", "几个房间", "rooms", "choice", ""),
    ("call_minutes", "月通话分钟", "minutes a month", "minutes", "分钟"),
    ("data_need", "流量够不够", "data enough", "choice", ""),
    ("satisfaction", "对现有网满意", "content with line", "choice", ""),
    ("complaints", "未了的投诉", "open complaints", "text", ""),
    ("broadband_trouble", "网的毛病", "trouble with line", "choice", ""),
    ("night_use", "晚上卡", "slow at night", "yes_no", ""),
    ("wifi_trouble", "无线有死角", "room without Wi-Fi", "yes_no", ""),
    ("bills_separate", "嫌两头交费", "minds two bills", "yes_no", ""),
    ("work_from_home", "居家办公", "works at home", "yes_no", ""),
    ("interest", "最看重", "what matters most", "choice", ""),
    ("budget", "心理价位", "budget", "money", "元"),
    ("moving_soon", "要搬家", "about to move", "yes_no", ""),
    ("rival_offer", "别家的条件", "a rival's offer", "text", ""),
    ("install_area", "装机小区", "where to install", "text", ""),
    ("port_available", "有没有端口", "a port is there", "yes_no", ""),
    ("install_time", "上门时间", "installation time", "text", ""),
)

_KNOWN: dict[str, Json] = {
    "owner": {"value": True, "source": "speech", "evidence": "u2", "at_ms": 6_100},
    "permission_granted": {"value": True, "source": "speech", "evidence": "u4", "at_ms": 15_000},
    "monthly_bill": {"value": 128.0, "source": "file", "evidence": "monthly_bill"},
    "plan": {"value": "畅享88", "source": "file", "evidence": "plan"},
    "data_used_gb": {"value": 18.4, "source": "file", "evidence": "data_used_gb"},
    "plan_data_gb": {"value": 10.0, "source": "file", "evidence": "plan_data_gb"},
    "tenure_months": {"value": 62, "source": "file", "evidence": "tenure_months"},
    "contract_end": {"value": "2026-12-31", "source": "file", "evidence": "contract_end"},
    "family_numbers": {"value": 3, "source": "speech", "evidence": "u6", "at_ms": 31_000, "was": 2},
    "broadband": {"value": True, "source": "speech", "evidence": "u8", "at_ms": 48_000},
    "broadband_price": {"value": 90.0, "source": "speech", "evidence": "u8", "at_ms": 48_000},
    "night_use": {"value": True, "source": "speech", "evidence": "u8", "at_ms": 48_000, "guessed": True},
}

_LINES: tuple[tuple[str, str, str, str | None, str | None], ...] = (
    ("u1", "agent", "您好,请问是张先生吗?我是华声通信的客户经理,工号二零六,本次通话有录音。", None, None),
    ("u2", "customer", "嗯对,是我,什么事", "affirm", None),
    ("u3", "agent", "您是五年的老客户了,想花两分钟看看您的话费有没有更划算的用法,现在方便吗?", None, None),
    ("u4", "customer", "行吧你说快点", "hurry_up", "negative"),
    ("u5", "agent", "家里一共几个手机号在用?", None, None),
    ("u6", "customer", "三个吧,我爱人一个我妈一个", "inform", None),
    ("u7", "agent", "家里宽带是哪家的,一个月多少钱?", None, None),
    ("u8", "customer", "别家的,一个月九十吧,到晚上孩子上课老卡", "object_competitor", "negative"),
    ("u9", "agent", "换成融合套餐保证不卡,宽带和话费一张账单。", None, None),
    ("u10", "customer", "那太贵了吧,我现在这样也能用", "object_price", "negative"),
)


KNOWLEDGE: list[Json] = [
    {"node": "utter_moving", "title": "搬家", "text": "搬家可以迁,先查新地址有没有端口,有就迁过去。"},
    {"node": "utter_no_port", "title": "没端口", "text": "新地址没有端口的装不了,我先给您登记上。"},
]  # fmt: skip


def call_snapshot(now: datetime) -> Json:
    """The call with its card, an open objection, an alarm, a contradiction and two products."""
    return {
        "kind": "snapshot",
        "seq": 60,
        "call": _about(now - timedelta(minutes=3, seconds=41)),
        "panel": _panel(),
        "transcript": [_line(number, *line) for number, line in enumerate(_LINES)],
        "suggestions": {card["id"]: card for card in cards()},
    }


def before_snapshot(now: datetime) -> Json:
    """The same call before anybody has spoken."""
    unasked: Json = {
        "now": "128.00", "then": "128.00", "saving": "0.00", "sums": [], "why": "五年老客户,流量每月超8.4GB",
        "missing": ["broadband", "broadband_price", "port_available"],
    }  # fmt: skip
    panel = _panel() | {
        "offers": [offer | unasked for offer in _panel()["offers"]],
        "stage": "opening", "objection": None, "alarms": [], "card": f"{CALL}.1", "folded": [], "signals": [],
        "talk": None, "customer_type": None, "facts": facts(spoken=False),
        "checklist": [item | {"at_ms": None, "due": item["key"] == "identity"} for item in _checklist()],
    }  # fmt: skip
    opening = card(1, "action", "您好,请问是张先生吗?我是华声通信的客户经理。", "开场", "先确认姓名,再说来意")
    return {
        "kind": "snapshot", "seq": 1, "call": _about(now - timedelta(seconds=2)), "panel": panel,
        "transcript": [], "suggestions": {opening["id"]: opening},
    }  # fmt: skip


def ended_snapshot(now: datetime) -> Json:
    """The same call after its end, with the form filled in."""
    tomorrow = (now + timedelta(days=1)).replace(hour=10, minute=30, second=0, microsecond=0)
    panel = _panel() | {
        "card": None,
        "folded": [],
        "stage": "closing",
        "objection": None,
        "after_call": {
            "summary": [
                "客户说到:家庭号码数 3个、宽带月费 90元、晚上卡",
                "介绍了:融合套餐58档",
                "异议:价格异议、竞争对手",
                "约好再联系:和爱人商量",
            ],
            "disposition": "callback",
            "grade": "B",
            "reasons": ["问了价格", "约了回访"],
            "missing": ["怎么退"],
            "follow_up": {"at": tomorrow.isoformat(), "about": "融合套餐58档:和爱人商量的结果"},
        },
    }
    snapshot = call_snapshot(now)
    about = snapshot["call"] | {"ended": True, "duration_ms": 312_000}
    return snapshot | {"seq": 99, "call": about, "panel": panel}


def card(number: int, kind: str, text: str, title: str, why: str, **more: Any) -> Json:
    """One suggestion in CONTRACT's shape."""
    return {
        "id": f"{CALL}.{number}", "call_id": CALL, "kind": kind, "text": text, "title": title, "why": why,
        "evidence": [], "node": None, "asks": None, "objection": None, "technique": None, "score": 0.8,
        "rank": 1, "ttl_ms": 600_000, "pinned": False, "t_utterance_end_ms": 0, "t_sent_ms": 0,
        "supersedes": None, "feedback": None,
    } | more  # fmt: skip


def cards() -> list[Json]:
    """The three cards that are up: the rebuttal, and two folded."""
    return [
        card(7, "rebuttal", "话费加宽带您现在是218块,合成一张每月128块,少90块。", "价格",
             "宽带90元并进来,月费不变", technique="price_anchor", objection="object_price",
             evidence=["u8", "u10"]),
        card(8, "rebuttal", "理解,谁的钱都不是大风刮来的,咱先看现在花多少。", "同理",
             "先接住情绪", technique="empathy", objection="object_price"),
        card(9, "question", "您家晚上卡的时候,大概几个人一起在上网?", "几人上网",
             "定48还是58档", asks="home_users"),
    ]  # fmt: skip


def facts(spoken: bool = True) -> list[Json]:
    """The customer file as the panel shows it."""
    rows = []
    for name, zh, en, kind, unit in _FACTS:
        known = _KNOWN.get(name, {})
        if not spoken and known.get("source") == "speech":
            known = {}
        rows.append(
            {
                "name": name, "title": {"zh": zh, "en": en}, "layer": "facts", "kind": kind, "unit": unit,
                "value": None, "source": None, "evidence": None, "at_ms": 0, "guessed": False, "was": None,
                "next": name == ("home_users" if spoken else "broadband"),
            } | known
        )  # fmt: skip
    return rows


def live_rows(now: datetime, count: int = 40) -> list[Json]:
    """Rows of live calls: an alarm, some angry customers, some objections, most calls calm."""
    agents = ("hejing", "wangfang", "zhaolei", "chenyu", "sunqian", "zhoumin", "wuhao", "zhengyi")
    calm = ("嗯,你说", "那要多少钱一个月", "我现在就是八十八的", "行,你帮我看看", "家里三个人用")
    rows = []
    for number in range(count):
        row: Json = {
            "call_id": f"live-{number:02d}",
            "agent_id": agents[number % 8] + (str(number // 8) if number >= 8 else ""),
            "script": "retention" if number % 3 == 0 else "bundle",
            "title": {"zh": "客户挽留", "en": "Retention"} if number % 3 == 0 else _about(now)["title"],
            "started": (now - timedelta(seconds=37 + number * 23)).isoformat(),
            "customer": {
                "city": ("杭州", "成都", "西安")[number % 3],
                "value_tier": ("gold", "silver", "standard", "diamond")[number % 4],
                "age": 24 + number,
            },
            "stage": ("discovery", "introduction", "objections", "intent")[number % 4],
            "objection": None, "sentiment": "neutral", "alarms": [], "trouble": None, "trouble_level": 0,
            "last": {"party": "customer", "text": calm[number % 5]},
        }  # fmt: skip
        if number % 7 == 3:
            row |= {"objection": "object_price", "trouble": "客户有异议", "trouble_level": 1}
        if number in (12, 25):
            row |= {"sentiment": "negative", "objection": "object_bad_service", "trouble_level": 2}
            row["last"] = {"party": "customer", "text": "上次也是这么说的,到现在都没人来修"}
        if number == 17:
            alarm = {"rule": "guarantee", "words": "保证", "title": "打包票"}
            row |= {"call_id": CALL, "agent_id": AGENT, "objection": "object_price", "sentiment": "negative"}
            row |= {"customer": _about(now)["customer"], "title": _about(now)["title"], "stage": "objections"}
            row |= {"alarms": [alarm], "trouble": "打包票「保证」", "trouble_level": 3}
            row |= {"started": (now - timedelta(seconds=221)).isoformat()}
            row["last"] = {"party": "customer", "text": "那太贵了吧,我现在这样也能用"}
        if number == 31:
            alarm = {"rule": "pressing", "words": "今天不办就没了", "title": "逼单"}
            row |= {
                "alarms": [alarm],
                "objection": None,
                "trouble": "逼单「今天不办就没了」",
                "trouble_level": 3,
            }
            row |= {"started": (now - timedelta(seconds=95)).isoformat()}
            row["last"] = {"party": "customer", "text": "你别催我,我说了不要"}
        rows.append(row)
    return rows


def speaking(now: datetime) -> Json:
    """The customer in the middle of a sentence."""
    return {
        "v": 1, "call_id": CALL, "tenant_id": "default", "seq": 62, "at_ms": 74_000, "wall": now.isoformat(),
        "kind": "utterance.partial", "party": "customer", "utterance_id": "u11", "text": "而且我那个合约",
        "begin_ms": 72_000, "end_ms": 74_000, "asr_confidence": None,
    }  # fmt: skip


def measured(now: datetime) -> Json:
    """Where the milliseconds of the last turn went."""
    return {
        "v": 1, "call_id": CALL, "tenant_id": "default", "seq": 61, "at_ms": 71_000, "kind": "panel",
        "wall": now.isoformat(), "changes": {}, "ms": {"queue": 1.2, "think": 8.6},
    }  # fmt: skip


def _about(started: datetime) -> Json:
    return {
        "call_id": CALL, "agent_id": AGENT, "script": "bundle", "script_version": "1",
        "direction": "outbound", "started": started.isoformat(), "ended": False,
        "customer": {"age": 41, "city": "杭州", "value_tier": "gold", "tenure_months": 62},
        "title": {"zh": "全业务融合套餐", "en": "Bundle"},
    }  # fmt: skip


def _line(number: int, key: str, party: str, text: str, act: str | None, feeling: str | None) -> Json:
    return {
        "utterance_id": key, "party": party, "text": text, "sentiment": feeling,
        "acts": [{"name": act, "confidence": 0.91}] if act else [],
        "begin_ms": number * 7_000, "end_ms": number * 7_000 + 5_000,
    }  # fmt: skip


def _checklist() -> list[Json]:
    items = (
        ("identity", "报明身份", 1_200, False), ("recording", "告知录音", 4_000, False),
        ("price", "价格(最低消费)", None, True), ("term", "合约期", None, True),
        ("leaving_early", "提前离开的代价", None, False), ("cancel", "怎么退", None, False),
        ("port", "先查端口", None, False), ("devices", "设备要归还", None, False),
        ("one_line", "一号一条宽带", None, False), ("consent", "明确同意", None, False),
    )  # fmt: skip
    return [
        {"key": key, "title": title, "text": "", "at_ms": at, "evidence": "u1" if at else None, "due": due}
        for key, title, at, due in items
    ]


def _panel() -> Json:
    conditions = [
        "每月最低消费58元,超出的按实际收",
        "合约24个月",
        "提前离开按剩余月数,每月20元",
        "先查地址有没有端口",
    ]
    offer: Json = {
        "product": "bundle58", "name": {"zh": "融合套餐58档", "en": "Bundle 58"}, "now": "218.00",
        "then": "128.00", "saving": "90.00", "months": 24, "why": "晚上卡、孩子上课,要300兆",
        "sums": ["话费128 + 宽带90 = 218", "合并后128"], "conditions": conditions, "say": [], "rank": 1,
        "eligible": "unknown", "missing": ["port_available", "home_users"], "guard": None,
    }  # fmt: skip
    return {
        "stage": "objections",
        "objection": "object_price",
        "card": f"{CALL}.7",
        "folded": [f"{CALL}.8", f"{CALL}.9"],
        "facts": facts(),
        "checklist": _checklist(),
        "alarms": [
            {
                "rule": "guarantee", "words": "保证", "utterance_id": "u9", "at_ms": 61_000,
                "title": "打包票", "remedy": "刚才说满了,我更正:以短信和系统里的为准。",
            }
        ],
        "offers": [
            offer,
            offer | {
                "product": "bundle48", "name": {"zh": "融合套餐48档", "en": "Bundle 48"}, "months": 12,
                "why": "合约短,一百兆", "rank": 2, "missing": ["port_available"],
            },
        ],
        "talk": {"customer_ms": 31_000, "agent_ms": 58_000, "share": 0.35},
        "customer_type": "dominant",
        "signals": ["ask_price"],
        "way_in": [
            "先问家里怎么上网、话费和宽带各多少,再算一笔总账",
            "流量每月超8.4GB:问在家是不是也用流量",
            "在网5年的老客户:先谢谢,再请教用得怎么样",
        ],
    }  # fmt: skip
