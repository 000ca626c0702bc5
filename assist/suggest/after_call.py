"""The after-call form, filled in: what was said, how it ended, the tier and why, who calls again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from assist.suggest.names import ACT_NAMES
from assist.suggest.picture import Picture
from bot.grading import grade

_FOLLOW_UP_DAYS: Final = {"A": 1, "B": 3, "C": 7, "D": 30}


def after_call(picture: Picture, ended_at: datetime, disposition: str | None = None) -> dict[str, Any]:
    """The form as it stands; the agent corrects it.  `ended_at`: wall time with offset."""
    how = disposition or disposition_of(picture)
    tier, reasons = grade(how, picture.seen_acts, bool(picture.pitched))
    return {
        "summary": _summary(picture, how),
        "disposition": how,
        "grade": tier,
        "reasons": list(reasons),
        "follow_up": _follow_up(picture, how, tier, ended_at),
        "facts": {
            name: _plain(fact.value)
            for name, fact in sorted(picture.facts.items())
            if fact.source == "speech"
        },
        "missing": [item.title for item in picture.checklist.values() if item.due and item.at_ms is None],
    }


def disposition_of(picture: Picture) -> str:
    """How the call ended, by what was said."""
    acts = picture.seen_acts
    if "request_dnc" in acts:
        return "do_not_call"
    if "wrong_person" in acts and not picture.asked:
        return "wrong_person"
    if picture.accepted and not picture.over:
        return "accepted"
    if "request_callback" in acts or (picture.objection in ("object_busy", "object_unable")):
        return "callback"
    if picture.over or picture.refusals:
        return "declined"
    if picture.objection in ("object_think_over", "object_decider"):
        return "callback"
    return "declined" if picture.objection is not None else "hung_up"


def _summary(picture: Picture, how: str) -> list[str]:
    lines = []
    stated = [fact for fact in picture.facts.values() if fact.source == "speech"]
    if stated:
        rules = picture.script.facts
        told = [
            f"{rules[fact.name].title.zh} {_spoken(fact.value)}{rules[fact.name].unit}"
            for fact in stated
            if fact.name in rules
        ]
        if told:
            lines.append("客户说到:" + "、".join(told[:6]))
    products = [picture.script.catalogue.product(key) for key in sorted(picture.pitched)]
    names = [product.name.zh for product in products if product is not None]
    if names:
        lines.append("介绍了:" + "、".join(names))
    objections = [ACT_NAMES[act] for act in ACT_NAMES if act in picture.seen_acts]
    if objections:
        lines.append("异议:" + "、".join(objections))
    lines.append(_ENDINGS.get(how, "通话结束"))
    return lines


_ENDINGS: Final[Mapping[str, str]] = {
    "accepted": "客户同意办理",
    "declined": "客户没有办理",
    "callback": "约好再联系",
    "do_not_call": "客户要求不再来电",
    "wrong_person": "不是本人",
    "hung_up": "通话中断",
}


def _follow_up(picture: Picture, how: str, tier: str, ended_at: datetime) -> dict[str, Any] | None:
    if how in ("do_not_call", "wrong_person", "declined") or tier == "E":
        return None
    days = _FOLLOW_UP_DAYS.get(tier, 7)
    about = {"accepted": "回访开通情况", "callback": "按约定再联系"}.get(how, "再问问客户的想法")
    if picture.objection == "object_decider":
        about = "问问家人商量得怎么样"
    return {"at": (ended_at + timedelta(days=days)).replace(microsecond=0).isoformat(), "about": about}


def _spoken(value: Any) -> Any:
    return ("是" if value else "否") if isinstance(value, bool) else _plain(value)


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, str)) else str(value)
