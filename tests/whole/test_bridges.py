"""Other vendors' systems at the same processes: their events in, our advice out, their feedback back."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from bot import events as ev
from tests.whole.stage import Stage
from tests.whole.talk import ASK, CONTACT, DEAR, TELL, Talk, card_up, cards, of, reactions

pytestmark = pytest.mark.asyncio(loop_scope="session")


def lca(call_id: str, number: int, channel: str, text: str, **more: Any) -> dict[str, Any]:
    """A transcript segment as LCA writes it; times in seconds, some as strings."""
    return {
        "EventType": "ADD_TRANSCRIPT_SEGMENT", "CallId": call_id, "SegmentId": f"ch-{number}",
        "Channel": channel, "StartTime": f"{number * 4}.25", "EndTime": number * 4 + 2.5,
        "Transcript": text, "IsPartial": False,
    } | more  # fmt: skip


async def test_lca_events_make_a_call_and_advice_goes_out_in_googles_shape(stage: Stage) -> None:
    machine = await stage.fronts[0].machine()
    call_id = f"lca-{secrets.token_hex(4)}"
    talk = Talk(stage, machine, call_id)
    start = {"EventType": "START", "CallId": call_id, "CustomerPhoneNumber": "+8613800138000"}
    assert (await machine.post("/api/bridges/lca?script=bundle&agent_id=wu", start)).status == 202
    events = [
        lca(call_id, 1, "AGENT", ASK), lca(call_id, 2, "CALLER", "电信的", IsPartial=True),
        lca(call_id, 2, "CALLER", TELL), lca(call_id, 2, "CALLER", TELL), lca(call_id, 3, "CALLER", DEAR),
    ]  # fmt: skip
    taken = [(await machine.post("/api/bridges/lca", event)).data["taken"][0]["outcome"] for event in events]
    assert taken == ["new", "new", "new", "repeat", "new"]
    log = await talk.answered("ch-1", "ch-2", "ch-3")
    assert [(event.party, event.text, event.begin_ms) for event in of(log, ev.UtteranceFinal)] == [
        ("agent", ASK, 4250), ("customer", TELL, 8250), ("customer", DEAR, 12250),
    ]  # fmt: skip
    card = card_up(log)
    await talk.snapshot()
    given = (await machine.get(f"/api/calls/{call_id}/human-agent-assistant")).data
    first = given["suggestionResults"][0]
    (answer,) = (
        first.get("generateSuggestionsResponse", {}).get("generatorSuggestionAnswers")
        or first["suggestFaqAnswersResponse"]["faqAnswers"]
    )
    assert answer["answerRecord"].endswith(f"/answerRecords/{card['id']}") and card["text"] in str(answer)

    for feedback in ({"displayed": True}, {"clicked": True, "correctnessLevel": "FULLY_CORRECT"}):
        record = {"name": answer["answerRecord"], "answerFeedback": feedback}
        assert (await machine.post("/api/bridges/answer-records", record)).status == 202
    wanted = [(card["id"], "shown"), (card["id"], "used")]
    await stage.until(call_id, lambda log: reactions(log) == wanted)
    assert (await machine.post("/api/bridges/lca", {"EventType": "END", "CallId": call_id})).data["ended"]
    [last] = of(await talk.ended(), ev.CallEnded)
    assert last.by == "system"


async def test_contact_lens_pieces_and_lines_are_heard(stage: Stage) -> None:
    talk = await Talk.begin(stage, "wu", contact=CONTACT)

    def segments(*items: dict[str, Any]) -> dict[str, Any]:
        head = {"Version": "1.0.0", "Channel": "VOICE", "ContactId": talk.call_id, "EventType": "SEGMENTS"}
        return head | {"Segments": list(items)}

    def words(role: str, begin: int, **fields: Any) -> dict[str, Any]:
        times = {"BeginOffsetMillis": begin, "EndOffsetMillis": begin + 1500}
        return {"ParticipantId": role, "ParticipantRole": role} | times | fields

    payloads = [
        segments({"Transcript": words("AGENT", 1000, Id="t1", Content=ASK)}),
        segments(
            {"Utterance": words("CUSTOMER", 4000, Id="p1", TranscriptId="t2", PartialContent="电信的,")}
        ),
        segments({"Utterance": words("CUSTOMER", 5600, Id="p2", TranscriptId="t2", PartialContent="宽带")}),
        segments({"Transcript": words("CUSTOMER", 4000, Id="t2", Content=TELL)}, {"Categories": {}}),
    ]
    for payload in payloads:
        answer = await talk.machine.post("/api/bridges/contact-lens", payload)
        assert answer.status == 202, answer.data
    log = await talk.answered("t1", "t2")
    assert [event.text for event in of(log, ev.UtterancePartial)] == ["电信的,", "电信的,宽带"]
    assert cards(log) and {"t2"} & set(card_up(log)["evidence"])
    done = {"Version": "1.0.0", "Channel": "VOICE", "ContactId": talk.call_id, "EventType": "COMPLETED"}
    assert (await talk.machine.post("/api/bridges/contact-lens", done)).data["ended"] is True
    await talk.ended()
    late = await talk.machine.post("/api/bridges/contact-lens", payloads[0])
    assert late.status == 409
