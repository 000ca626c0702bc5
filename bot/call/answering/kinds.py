"""What a verdict about the far end says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["person", "machine", "assistant", "announcement", "beep", "busy_tone", "fax", "unknown"]
"""machine: a voicemail box or answering machine, by its words.  assistant: a call assistant speaks for
the owner.  announcement: the network speaks.  beep: long speech, then a beep, and no words were
recognised at all: likely a machine, not surely."""

Reason = Literal[
    "",
    "invalid_number",  # 空号, 号码不存在, 已改号
    "powered_off",  # 关机
    "suspended",  # 停机, 暂停服务, 欠费
    "busy",  # 正在通话中, 占线
    "unreachable",  # 无法接通, 不在服务区, 网络忙
    "no_answer",  # 无人接听
    "restricted",  # 呼入限制, 防骚扰
    "forwarded",  # 呼叫转移, 请稍候: someone may still answer
    "voicemail",
    "assistant",
    "unspecified",  # an announcement whose reason was not understood
]

PEOPLE: frozenset[Kind] = frozenset({"person", "unknown"})
"""The kinds with which the dialogue goes on as if nothing had been heard."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`confidence` 0 to 1; `at_ms`: when it was certain enough."""

    kind: Kind
    reason: Reason
    confidence: float
    at_ms: int
