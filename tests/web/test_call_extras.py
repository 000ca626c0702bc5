"""Beside a call: whispers, the form after it, knowledge, other vendors' events."""

from __future__ import annotations

from tests.web.conftest import Server, form, said


async def test_a_supervisor_whispers_a_card_that_can_be_read_at_a_glance(server: Server) -> None:
    await server.call("c1", "li")
    zhao = await server.machine("zhao")
    answer = await zhao.post("/api/calls/c1/whisper", {"text": "先问合约什么时候到期"})
    assert answer.status == 202
    stored = (await server.redis.xrange("huashu:call:c1:log"))[-1][1][b"e"].decode()
    assert answer.data["suggestion_id"] in stored and "先问合约" in stored
    for text in ("", "\u200b", "话" * 41):
        assert (await zhao.post("/api/calls/c1/whisper", {"text": text})).data["field"] == "text"
    assert (await (await server.machine("li")).post("/api/calls/c1/whisper", {"text": "嗨"})).status == 403


async def test_the_form_after_a_call_is_kept_masked_and_a_later_one_replaces_it(server: Server) -> None:
    await server.call("c1", "li")
    li = await server.machine("li")
    assert (await li.get("/api/calls/c1/after-call")).data["code"] == "no_form"
    saved = await li.post("/api/calls/c1/after-call", form())
    assert saved.status == 200 and saved.data["form"]["summary"] == ["客户<NAME>觉得贵"]
    await li.post("/api/calls/c1/after-call", form() | {"grade": "A"})
    kept = (await (await server.machine("zhao")).get("/api/calls/c1/after-call")).data["form"]
    assert kept["grade"] == "A" and "张伟" not in str(kept)
    for at in ("soon", "2026-11-23T10:00:00"):
        wrong = await li.post("/api/calls/c1/after-call", form() | {"follow_up": {"at": at}})
        assert (wrong.status, wrong.data["field"]) == (422, "follow_up.at")


async def test_knowledge_is_searched_in_the_script_of_the_call(server: Server) -> None:
    await server.call("c1", "li")
    li = await server.machine("li")
    found = await li.get("/api/knowledge?call=c1&q=%E4%BB%B7%E6%A0%BC")
    assert found.data["results"][0]["text"] == "bundle: 价格"
    assert (await li.get("/api/knowledge?call=c1&q=")).data["field"] == "q"
    assert (await li.get("/api/knowledge?q=x")).data["field"] == "call"
    assert (await (await server.machine("wang")).get("/api/knowledge?call=c1&q=x")).status == 403


async def test_vendors_events_come_in_and_our_advice_goes_out_in_anothers_shape(server: Server) -> None:
    machine = await server.machine()
    start = {"EventType": "START", "CallId": "lca-1"}
    begun = await machine.post("/api/bridges/lca?script=bundle&agent_id=li", start)
    assert begun.status == 202, begun.data
    segment = {
        "EventType": "ADD_TRANSCRIPT_SEGMENT", "CallId": "lca-1", "SegmentId": "s1", "Channel": "CALLER",
        "StartTime": 0.5, "EndTime": 1.5, "Transcript": "太贵了", "IsPartial": False,
    }  # fmt: skip
    taken = await machine.post("/api/bridges/lca", segment)
    assert [each["outcome"] for each in taken.data["taken"]] == ["new"]
    wrong = await machine.post("/api/bridges/lca", segment | {"StartTime": "soon"})
    assert (wrong.status, wrong.data["field"]) == (422, "StartTime")
    late = await machine.post("/api/bridges/lca", segment | {"StartTime": 90_000, "EndTime": 90_001})
    assert late.status == 422
    unknown = await machine.post("/api/bridges/lca", segment | {"CallId": "lca-2"})
    assert unknown.status == 404
    event = await machine.get("/api/calls/lca-1/human-agent-assistant")
    assert event.status == 200 and event.data["suggestionResults"] == []
    record = {"name": "projects/default/answerRecords/lca-1.1", "answerFeedback": {"clicked": True}}
    given_back = await machine.post("/api/bridges/answer-records", record)
    assert given_back.status == 202, given_back.data


async def test_contact_lens_segments_come_in(server: Server) -> None:
    machine = await server.machine()
    await server.call("contact-1", "li")
    transcript = {
        "Id": "t1", "ParticipantId": "CUSTOMER", "ParticipantRole": "CUSTOMER", "Content": "太贵了",
        "BeginOffsetMillis": 0, "EndOffsetMillis": 900,
    }  # fmt: skip
    payload = {"Version": "1.0.0", "Channel": "VOICE", "ContactId": "contact-1", "EventType": "SEGMENTS"}
    payload |= {"Segments": [{"Transcript": transcript}]}  # type: ignore[dict-item]
    taken = await machine.post("/api/bridges/contact-lens", payload)
    assert taken.status == 202 and [each["outcome"] for each in taken.data["taken"]] == ["new"]
    done = {"Version": "1.0.0", "Channel": "VOICE", "ContactId": "contact-1", "EventType": "COMPLETED"}
    assert (await machine.post("/api/bridges/contact-lens", done)).data["ended"] is True
    late = await machine.post("/api/calls/contact-1/utterances", said("u9"))
    assert late.status == 409
