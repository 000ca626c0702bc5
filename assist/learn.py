"""From the logs of ended calls to the ranker's next policy, and what it is worth.  Pure.

A decision's reward comes from reward.py alone, from the feedback on the primary card and the call's end;
where the drawn card was not the primary one (what the law wants stood before it) nothing is known of it.
The policy is learned from the beginning, from all calls that are given, so the same calls give the same
version.  Its worth is estimated honestly: a trial policy learned from the earlier half of the calls is
weighed, off-policy, on the later half, beside what those calls really earned.  Rewards in [0, 1].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from assist.learning.decision import NOTHING, Choice, Decision, LearningError, Scored, seed_of
from assist.learning.off_policy import Estimate, Evaluation, Sample, evaluate, ips
from assist.learning.policy import Parameters, Policy
from assist.learning.reward import reward_of
from assist.learning.update import learn
from bot import events as ev


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """What calls taught.  `rewarded`: decisions whose reward is known; `replayed`: those that their
    policy made again exactly, `differing` those that it did not (their policy is known, yet they came out
    otherwise), the rest are of policies that are not kept.  `logged`: what the later half earned;
    `estimate`: what a policy learned from the earlier half would have earned there; None where too
    little is known.  `policy`: learned from all."""

    calls: int
    decisions: int
    rewarded: int
    replayed: int
    differing: int
    logged: Estimate | None
    estimate: Evaluation | None
    policy: Policy


def decisions_of(log: Sequence[ev.AnyEvent], policies: Mapping[str, Policy]) -> list[Decision]:
    """The decisions of one call's log, in order, each with its reward where that is known.

    `policies`: version → policy.  The odds of what was not drawn are not in the log: they are computed
    again by the policy; a decision that does not come out as logged has no probabilities.
    """
    reactions: defaultdict[str, list[str]] = defaultdict(list)
    shown: dict[str, str] = {}
    disposition = grade = None
    for event in log:
        if isinstance(event, ev.FeedbackEvent):
            reactions[event.suggestion_id].append(event.action)
        elif isinstance(event, ev.SuggestionEvent):
            shown[str(event.suggestion["id"])] = _key(event.suggestion)
        elif isinstance(event, ev.CallEnded):
            disposition, grade = event.disposition, event.grade
    found = {}
    for event in log:
        if isinstance(event, ev.DecisionEvent):
            card = event.suggestion_id
            primary = NOTHING if card is None else shown.get(card)
            reward = None
            if primary == event.key:
                reward = reward_of(
                    event.key, reactions.get(card or "", ()), disposition=disposition, grade=grade
                )
            found[event.number] = _decision(event, policies.get(event.policy_version), reward)
    return [found[number] for number in sorted(found)]


def study(
    calls: Sequence[Sequence[Decision]],
    policies: Mapping[str, Policy],
    parameters: Parameters | None = None,
) -> Study:
    """What these calls teach, oldest first.  Raises LearningError where a log cannot be used."""
    everything = [decision for call in calls for decision in call]
    later = [one for call in calls[len(calls) // 2 :] for one in call if one.reward is not None]
    start = Policy.initial(parameters)
    trial = learn(start, [one for call in calls[: len(calls) // 2] for one in call])
    weighable = [one for one in later if one.choice.probabilities]
    return Study(
        calls=len(calls),
        decisions=len(everything),
        rewarded=sum(one.reward is not None for one in everything),
        replayed=sum(bool(one.choice.probabilities) for one in everything),
        differing=sum(
            not one.choice.probabilities and one.choice.policy_version in policies for one in everything
        ),
        logged=_earned(weighable),
        estimate=_worth(weighable, trial),
        policy=learn(start, everything),
    )


def _decision(event: ev.DecisionEvent, policy: Policy | None, reward: float | None) -> Decision:
    candidates = msgspec.convert(tuple(event.candidates), tuple[Scored, ...])
    choice = Choice(
        key=event.key, propensity=event.propensity, policy_version=event.policy_version, probabilities={},
        ranked=(event.key,), greedy=event.key,
    )  # fmt: skip
    if policy is not None:
        again = policy.choose(candidates, event.context, seed_of(event.call_id, event.number))
        if (again.key, again.propensity) == (event.key, event.propensity):
            choice = again
    return Decision(
        call_id=event.call_id, seq=event.number, candidates=candidates, context=event.context, choice=choice,
        reward=reward,
    )  # fmt: skip


def _key(card: Mapping[str, object]) -> str:
    """The key of the candidate that a card was."""
    return str(card.get("node") or f"offer:{card.get('product')}")


def _earned(log: Sequence[Decision]) -> Estimate | None:
    """The mean reward of what was really shown."""
    if not log:
        return None
    numbers: dict[str, int] = {}
    calls = np.array([numbers.setdefault(one.call_id, len(numbers)) for one in log], dtype=np.int64)
    ones = np.ones(len(log))
    rewards = np.array([one.reward for one in log], dtype=np.float64)
    return ips(Sample(rewards, ones, ones, calls))


def _worth(log: Sequence[Decision], policy: Policy) -> Evaluation | None:
    """What the policy would have earned; None where the log cannot tell."""
    if not policy.observations or not log:
        return None
    try:
        return evaluate(log, policy, policy)
    except LearningError:
        return None
