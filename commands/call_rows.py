"""What a live view shows of each call, kept up to date from its events.  Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot import events as ev

STAGES = {
    "opening": "开场",
    "introduction": "介绍",
    "objections": "异议",
    "intent": "意愿",
    "identity": "核身",
    "details": "确认",
    "closing": "结束",
}
OUTCOMES = {
    "accepted": "办理成功",
    "declined": "谢绝",
    "callback": "约好回拨",
    "do_not_call": "勿再来电",
    "transferred": "转人工",
    "wrong_person": "不是本人",
    "busy": "正忙",
    "no_answer": "无人接听",
    "voicemail": "语音信箱",
    "unreachable": "打不通",
    "hung_up": "客户挂断",
    "completed": "完成",
    "not_understood": "没听懂",
    "failed": "故障",
}
REASONS = {
    "order_placed": "已下单",
    "accepted_then_stopped": "同意后中断",
    "offer_not_heard": "没听到优惠",
    "ask_price": "问价",
    "ask_details": "问详情",
    "ask_benefit": "问好处",
    "ask_condition": "问条件",
    "ask_effective": "问生效",
    "ask_how_to": "问怎么办",
    "ask_sms": "要短信",
    "object_think_over": "要考虑",
    "object_decider": "要商量",
    "unsure": "犹豫",
    **OUTCOMES,
}


@dataclass
class CallRow:
    """One line of the view.  `latencies` are the milliseconds of each bot turn, from the end of the
    caller's words to the first sound."""

    persona: str
    state: str = "响铃 ringing"
    stage: str = ""
    customer: str = ""
    bot: str = ""
    since_ms: int = 0
    turns: int = 0
    latencies: list[float] = field(default_factory=list)
    disposition: str | None = None
    grade: str | None = None
    reasons: tuple[str, ...] = ()
    orders: int = 0

    def take(self, event: ev.AnyEvent) -> None:
        """Go on with one event of this call."""
        self.since_ms = max(self.since_ms, event.at_ms)
        match event:
            case ev.CallAnswered():
                self.state = "通话 talking"
            case (
                ev.UtterancePartial(party="customer", text=text)
                | ev.UtteranceFinal(party="customer", text=text)
            ):
                self.customer = text
            case ev.ReplyEvent():
                self.bot, self.turns = event.text, self.turns + 1
                self.stage = event.stage or self.stage
                if event.ms:
                    self.latencies.append(sum(event.ms.values()))
            case ev.Playback(outcome="interrupted"):
                self.bot = event.heard_text + "⋯"
            case ev.ActionEvent(name="action_place_order", result=result):
                self.orders += placed(result)
            case ev.CallEnded():
                self.state = "结束 ended"
                self.disposition, self.grade = event.disposition, event.grade
                self.reasons = tuple(event.reasons)


def placed(result: object) -> int:
    """1 where an order action's result says that an order was placed."""
    text = result.get("result") if isinstance(result, dict) else result
    return int(text == "placed")


def outcome_words(disposition: str | None) -> str:
    """A disposition in Chinese with its code."""
    return f"{OUTCOMES.get(disposition or '', '?')} {disposition or '?'}"


def reason_words(reasons: tuple[str, ...]) -> str:
    """Reasons in Chinese where there are words for them."""
    return "、".join(REASONS.get(reason, reason) for reason in reasons)
