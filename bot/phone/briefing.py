"""What an agent is told before a customer is put through: a few spoken words, made from the call's log.

Who, what it is about, how far it got, what was refused or objected to, what is settled, what he wants
now.  No number of any kind is in it: all words but the name come from the tables here.  Parts that
matter least are left out until it takes less than LONGEST_S to say.  Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot import events as ev

LONGEST_S = 12.0
HANZI_A_SECOND = 4.5
WORDS_A_SECOND = 2.4

_NAME = re.compile(r"[\u4e00-\u9fff·]{1,6}|[A-Za-z][A-Za-z' .-]{0,23}")
_NUMERALS = re.compile(r"[零〇一二三四五六七八九十幺两]{3}")
_SPOKEN = re.compile(r"[\u4e00-\u9fff]|[A-Za-z]+")

_STAGES = {
    "zh": {
        "opening": "刚开场",
        "introduction": "刚介绍完",
        "discovery": "在了解需求",
        "intent": "在问要不要办",
        "objections": "在解答疑问",
        "identity": "在核对身份",
        "details": "在确认办理",
        "closing": "已到收尾",
    },
    "en": {
        "opening": "just begun",
        "introduction": "offer introduced",
        "discovery": "finding the need",
        "intent": "asked to take it",
        "objections": "answering objections",
        "identity": "checking identity",
        "details": "confirming the order",
        "closing": "closing",
    },
}
_OBJECTIONS = {
    "zh": {
        "object_price": "嫌贵",
        "object_no_need": "说不需要",
        "object_distrust": "不信任",
        "object_already_have": "说已经有了",
        "object_competitor": "提到别家",
        "object_bad_service": "对服务不满",
        "object_decider": "要跟家人商量",
        "object_think_over": "要考虑",
        "object_frequency": "嫌电话太多",
        "object_busy": "说没空",
        "object_unable": "说不方便",
        "complain": "在投诉",
        "abuse": "有情绪",
    },
    "en": {
        "object_price": "too dear",
        "object_no_need": "no need",
        "object_distrust": "distrust",
        "object_already_have": "has one already",
        "object_competitor": "named a rival",
        "object_bad_service": "bad service",
        "object_decider": "must ask the family",
        "object_think_over": "wants to think",
        "object_frequency": "too many calls",
        "object_busy": "busy",
        "object_unable": "cannot talk",
        "complain": "complains",
        "abuse": "upset",
    },
}
_QUESTIONS = {
    "zh": {
        "ask_price": "问价格",
        "ask_details": "问详情",
        "ask_benefit": "问好处",
        "ask_condition": "问条件",
        "ask_cancel": "问怎么退",
        "ask_effective": "问何时生效",
        "ask_account": "问账户",
        "ask_identity": "问是哪家公司",
        "ask_number_source": "问号码来源",
    },
    "en": {
        "ask_price": "asks the price",
        "ask_details": "asks for details",
        "ask_benefit": "asks what it brings",
        "ask_condition": "asks the conditions",
        "ask_cancel": "asks how to cancel",
        "ask_effective": "asks when it starts",
        "ask_account": "asks about the account",
        "ask_identity": "asks who we are",
        "ask_number_source": "asks how we got the number",
    },
}
_REASONS = {
    "zh": {
        "customer_asked": "现在要找人工",
        "complaint": "现在要投诉",
        "not_understood": "机器人没听懂",
        "inbound": "回拨找人工",
    },
    "en": {
        "customer_asked": "now wants a person",
        "complaint": "now wants to complain",
        "not_understood": "the bot did not understand",
        "inbound": "called back, wants a person",
    },
}
_WORDS = {
    "zh": {
        "about": "{}",
        "refused": "拒绝过一次",
        "refused_again": "已明确拒绝",
        "no_selling": "请勿再推销",
        "checked": "身份已核对",
        "not_checked": "身份没对上",
        "ordered": "已下单",
        "unknown": "客户姓名未知",
    },
    "en": {
        "about": "about {}",
        "refused": "refused once",
        "refused_again": "refused for good",
        "no_selling": "do not sell any more",
        "checked": "identity checked",
        "not_checked": "identity did not match",
        "ordered": "ordered already",
        "unknown": "name unknown",
    },
}


def briefing(
    events: Sequence[ev.AnyEvent], *, language: str, reason: str, name: str | None, about: str | None
) -> str:
    """The words.  `language`: zh, else en.  `reason`: of the handover.  `about`: the script's title.

    A name or title with anything in it but letters is left out.
    """
    tongue = "zh" if language == "zh" else "en"
    words, slots = _WORDS[tongue], _slots(events)
    acts = _acts(events)
    parts: list[tuple[int, str]] = [(1, _clean(name) or words["unknown"])]
    if title := _clean_title(about):
        parts.append((2, words["about"].format(title)))
    if stage := _STAGES[tongue].get(_stage(events)):
        parts.append((4, stage))
    objections = [said for act in acts if (said := _OBJECTIONS[tongue].get(act))]
    parts += [(3, said) for said in list(dict.fromkeys(reversed(objections)))[:2][::-1]]
    parts += _settled(slots, words)
    questions = [said for act in acts[-3:] if (said := _QUESTIONS[tongue].get(act))]
    parts += [(3, said) for said in questions[-1:]]
    if why := _REASONS[tongue].get(reason):
        parts.append((0, why))
    return _joined(parts, tongue)


def seconds(text: str) -> float:
    """About how long it takes to say."""
    hanzi = sum("\u4e00" <= one <= "\u9fff" for one in text)
    return hanzi / HANZI_A_SECOND + (len(_SPOKEN.findall(text)) - hanzi) / WORDS_A_SECOND


def _settled(slots: dict[str, object], words: dict[str, str]) -> list[tuple[int, str]]:
    parts = []
    refusals = str(slots.get("refusals") or "0")
    if slots.get("selling_over") is True:
        parts += [(0, words["refused_again" if refusals != "0" else "no_selling"])]
    elif refusals != "0":
        parts.append((2, words["refused"]))
    checked = {"pass": "checked", "retry": "not_checked", "fail": "not_checked"}
    if outcome := checked.get(str(slots.get("id_check"))):
        parts.append((3, words[outcome]))
    if slots.get("order") == "placed":
        parts.append((1, words["ordered"]))
    return parts


def _joined(parts: list[tuple[int, str]], tongue: str) -> str:
    """As many of the parts (rank, text) as there is time for; the last of the highest rank goes first."""
    left = list(enumerate(parts))
    comma, stop = ("，", "。") if tongue == "zh" else (", ", ".")
    while True:
        text = comma.join(said for _, (_, said) in left) + stop
        if seconds(text) < LONGEST_S or len(left) == 1:
            return text
        left.remove(max(left, key=lambda one: (one[1][0], one[0])))


def _slots(events: Sequence[ev.AnyEvent]) -> dict[str, object]:
    return {event.name: event.value for event in events if isinstance(event, ev.SlotEvent)}


def _stage(events: Sequence[ev.AnyEvent]) -> str:
    """Where the call was before the bot's last words, which only say that it puts him through."""
    stages = [str(event.stage) for event in events if isinstance(event, ev.ReplyEvent) and event.stage]
    while len(stages) > 1 and stages[-1] == "closing":
        stages.pop()
    return stages[-1] if stages else ""


def _acts(events: Sequence[ev.AnyEvent]) -> list[str]:
    """What the customer did, the surest act of each utterance, in order."""
    return [
        str(event.acts[0].get("name"))
        for event in events
        if isinstance(event, ev.MeaningEvent) and event.acts
    ]


def _clean(name: str | None) -> str:
    name = (name or "").strip()
    return name if _NAME.fullmatch(name) and not _NUMERALS.search(name) else ""


def _clean_title(title: str | None) -> str:
    title = (title or "").strip()
    plain = all(one.isalpha() or one in " ,，、'-" for one in title) and not _NUMERALS.search(title)
    return title if plain and seconds(title) <= 3.0 else ""
