"""Our advice in the shape of Google's HumanAgentAssistantEvent, and answerRecords feedback back into ours.

Out: cards of kind `answer` as `suggestFaqAnswersResponse.faqAnswers`; all others as
`generateSuggestionsResponse` with `agentCoachingSuggestion`: what to do (`agentActionSuggestions`), why
(`applicableInstructions`) and what to say (`sampleResponses`; not for kind `action`, which is done, not
said).  Every answer names an `answerRecord`, which ends in our suggestion's id.
https://docs.cloud.google.com/dialogflow/es/docs/reference/rest/v2beta1/HumanAgentAssistantEvent
https://docs.cloud.google.com/dialogflow/es/docs/reference/rest/v2beta1/GenerateSuggestionsResponse
https://docs.cloud.google.com/dialogflow/es/docs/reference/rest/v2beta1/GeneratorSuggestion
https://github.com/googleapis/googleapis/blob/master/google/cloud/dialogflow/v2beta1/participant.proto

Back: an AnswerRecord with `answerFeedback`, as the body of `answerRecords.patch`
https://github.com/googleapis/googleapis/blob/master/google/cloud/dialogflow/v2beta1/answer_record.proto

| answerFeedback | ours |
| --- | --- |
| correctnessLevel NOT_CORRECT, or answerRelevance IRRELEVANT | dismissed |
| clicked, and PARTIALLY_CORRECT | edited |
| clicked, or FULLY_CORRECT | used |
| displayed, or PARTIALLY_CORRECT | shown |
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote, unquote

from assist.bridges.model import MAX_MS, MAX_NAME, BridgeError, Feedback, Fields

_KINDS = {kind: kind for kind in ("question", "rebuttal", "offer", "answer", "close", "compliance", "action")}
_LEVELS = {
    level: level
    for level in ("CORRECTNESS_LEVEL_UNSPECIFIED", "NOT_CORRECT", "PARTIALLY_CORRECT", "FULLY_CORRECT")
}
_RELEVANCE = {name: name for name in ("ANSWER_RELEVANCE_UNSPECIFIED", "IRRELEVANT", "RELEVANT")}
_RECORD = re.compile(r"projects/[^/]+(?:/locations/[^/]+)?/answerRecords/([^/]+)\Z")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(?:Z|[+-]\d\d:\d\d)\Z")
Action = Literal["shown", "used", "edited", "dismissed"]


def event(call: Mapping[str, Any], suggestions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The HumanAgentAssistantEvent for a call's cards, in their order; CONTRACT's Suggestion objects.

    `call`: call_id, and tenant_id and agent_id where known.  Raises BridgeError for a field that is
    missing or of a wrong type.
    """
    about = Fields(call, "call")
    project = _segment(about.identifier("tenant_id") if about.has("tenant_id") else "default")
    conversation = f"projects/{project}/conversations/{_segment(about.identifier('call_id'))}"
    agent = _segment(about.identifier("agent_id") if about.has("agent_id") else "agent")
    cards = Fields({"suggestions": suggestions}).items("suggestions")
    return {
        "conversation": conversation,
        "participant": f"{conversation}/participants/{agent}",
        "suggestionResults": [_result(card, project, conversation) for card in cards],
    }


def feedback(answer_record: Mapping[str, Any], *, call_started: datetime | None = None) -> Feedback:
    """What the agent did, from an AnswerRecord.

    With `call_started` (time zone aware) the vendor's click or display time becomes `at_ms` of the call's
    clock, 0 at the least.  Raises BridgeError where the record names no suggestion or holds no feedback.
    """
    record = Fields(answer_record)
    named = _RECORD.match(record.identifier("name", MAX_NAME))
    if named is None:
        expected = "projects/…/answerRecords/… or projects/…/locations/…/answerRecords/…"
        raise BridgeError("name", expected, record.raw("name"))
    given = record.inner("answerFeedback")
    clicked, displayed = given.flag("clicked", False), given.flag("displayed", False)
    action = _action(given, clicked, displayed)
    time_field = "clickTime" if clicked and given.has("clickTime") else "displayTime"
    return Feedback(
        suggestion_id=unquote(named[1]), action=action, at_ms=_at_ms(given, time_field, call_started)
    )


def _action(given: Fields, clicked: bool, displayed: bool) -> Action:
    level = given.one_of("correctnessLevel", _LEVELS) if given.has("correctnessLevel") else ""
    relevance = ""
    if given.has("agentAssistantDetailFeedback"):
        detail = given.inner("agentAssistantDetailFeedback")
        relevance = detail.one_of("answerRelevance", _RELEVANCE) if detail.has("answerRelevance") else ""
    if level == "NOT_CORRECT" or relevance == "IRRELEVANT":
        return "dismissed"
    if clicked:
        return "edited" if level == "PARTIALLY_CORRECT" else "used"
    if level == "FULLY_CORRECT":
        return "used"
    if displayed or level == "PARTIALLY_CORRECT":
        return "shown"
    raise BridgeError(given.path, "displayed, clicked, a correctnessLevel or IRRELEVANT", None)


def _at_ms(given: Fields, name: str, call_started: datetime | None) -> int | None:
    if not given.has(name):
        return None
    stamp = given.identifier(name)
    shape = _TIMESTAMP.match(stamp)
    if shape is None:
        raise BridgeError(given.at(name), "a time as 2026-11-22T02:00:08.340Z", stamp)
    fraction = (shape[1] or "")[:6].ljust(6, "0")
    zone = "+00:00" if stamp.endswith("Z") else stamp[-6:]
    try:
        moment = datetime.fromisoformat(f"{stamp[:19]}.{fraction}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise BridgeError(given.at(name), "a time as 2026-11-22T02:00:08.340Z", stamp) from None
    if call_started is None:
        return None
    passed = round((moment - call_started).total_seconds() * 1000)
    return min(max(passed, 0), MAX_MS)


def _result(card: Fields, project: str, conversation: str) -> dict[str, Any]:
    kind = card.one_of("kind", _KINDS)
    text, title = card.text("text"), card.text("title") if card.has("title") else ""
    record = f"projects/{project}/answerRecords/{_segment(card.identifier('id'))}"
    latest = _latest_message(card, conversation)
    if kind == "answer":
        metadata = {name: card.text(name) for name in ("node", "why") if card.has(name) and card.text(name)}
        answer = {
            "answer": text,
            "confidence": min(max(card.number("score", 0.0), 0.0), 1.0),
            "question": title,
            "metadata": metadata,
            "answerRecord": record,
        }
        return {"suggestFaqAnswersResponse": {"faqAnswers": [answer], **latest}}
    coaching: dict[str, Any] = {"agentActionSuggestions": [{"agentAction": title or text}]}
    if card.has("why"):
        coaching["applicableInstructions"] = [
            {"displayName": title or kind, "condition": card.text("why"), "agentAction": title or text}
        ]
    if kind != "action":
        coaching["sampleResponses"] = [{"responseText": text}]
    suggestion = {
        "generatorSuggestion": {"agentCoachingSuggestion": coaching},
        "sourceGenerator": f"projects/{project}/generators/huashu-{kind}",
        "answerRecord": record,
    }
    return {"generateSuggestionsResponse": {"generatorSuggestionAnswers": [suggestion], **latest}}


def _latest_message(card: Fields, conversation: str) -> dict[str, str]:
    """The last utterance that the card rests on."""
    if not card.has("evidence"):
        return {}
    evidence = card.strings("evidence")
    return {"latestMessage": f"{conversation}/messages/{_segment(evidence[-1])}"} if evidence else {}


def _segment(name: str) -> str:
    """One segment of a resource name: a slash in an id must not end it."""
    return quote(name, safe="")
