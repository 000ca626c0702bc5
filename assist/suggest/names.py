"""Acts that end all pressing, and what objections and techniques are called on a card. Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NO_PRESSING: Final = frozenset(
    {"object_busy", "object_unable", "request_dnc", "wrong_person", "relative_or_other"}
)
"""After these nothing is sold and nothing argued."""
ACT_NAMES: Final[Mapping[str, str]] = {
    "object_price": "嫌贵",
    "object_no_need": "不需要",
    "object_distrust": "不信任",
    "object_already_have": "已经有了",
    "object_competitor": "提到别家",
    "object_bad_service": "服务不满",
    "object_decider": "要商量",
    "object_think_over": "要考虑",
    "object_frequency": "电话太多",
    "object_busy": "没空",
    "object_unable": "不方便",
}
TECHNIQUES: Final[Mapping[str, str]] = {
    "empathy": "同理",
    "price_anchor": "价格锚点",
    "shift_focus": "转移焦点",
    "social_proof": "客户见证",
    "authority": "官方权威",
    "pre_empt": "提前化解",
    "guide": "引导提问",
    "humour": "轻松一下",
    "trial": "先试用",
    "direct": "直接促成",
    "either_or": "二选一",
    "time_limit": "限时",
    "testimony": "客户见证",
}
