"""A process is killed in the middle of a call: nothing is lost, nothing comes twice, advice goes on."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import WSMsgType

from bot import events as ev
from tests.whole.conftest import LogIn
from tests.whole.stage import Stage
from tests.whole.talk import DEAR, PITCH, Talk, after, card_up, cards, of, reactions

pytestmark = pytest.mark.asyncio(loop_scope="session")


def each_once(log: list[ev.AnyEvent], count: int) -> None:
    """All `count` utterances are in the log and answered, each once; cards are numbered in one row."""
    wanted = [f"u{number}" for number in range(1, count + 1)]
    assert [event.utterance_id for event in of(log, ev.UtteranceFinal)] == wanted
    assert after(log) == wanted
    meant = Counter(event.utterance_id for event in of(log, ev.MeaningEvent))
    assert set(meant.values()) == {1}
    own = [card["id"] for card in cards(log)]
    assert [int(name.rpartition(".")[2]) for name in own] == list(range(1, len(own) + 1))
    decided = [event.number for event in of(log, ev.DecisionEvent)]
    assert decided == list(range(1, len(decided) + 1))
    assert all(one.seq + 1 == other.seq for one, other in pairwise(log))


async def lines(page: Any) -> list[str]:
    """The utterances that the page shows."""
    return list(
        await page.evaluate("[...document.querySelectorAll('#lines .line')].map((li) => li.dataset.id)")
    )


async def test_a_killed_worker_is_started_again_and_goes_on_where_it_was(stage: Stage, log_in: LogIn) -> None:
    page = await log_in(stage.fronts[0], "wang")
    talk, other = await Talk.begin(stage, "wang"), await Talk.begin(stage, "wu")
    await talk.asked_and_told()
    await talk.says("agent", PITCH)
    before = await talk.answered(await talk.says("customer", DEAR))
    card = card_up(before)
    await talk.machine.post(f"/api/suggestions/{card['id']}/feedback", {"action": "dismissed"})
    await stage.until(talk.call_id, lambda log: (card["id"], "dismissed") in reactions(log))
    await other.says("agent", "您好")

    await stage.kill(stage.worker)
    for party, text in (("agent", "您听我说"), ("customer", "你说"), ("agent", "这个保证划算")):
        await talk.says(party, text)
    again = await talk.post(talk.words("customer", "你说", key="u6"))
    assert (again.status, again.data["outcome"]) == (202, "repeat")
    told = await other.says("customer", DEAR)
    await page.wait_for_selector("[data-id=u7].final")  # words go on while there is no advice
    await stage.back(stage.worker)

    log = await talk.answered(f"u{talk.count}")
    assert log[: len(before)] == before
    assert [event.evidence for event in of(log, ev.Compliance)] == [["u7", "保证"]]
    await talk.says("agent", "您看办58档可以吗?")
    log = await talk.answered(await talk.says("customer", "那怎么退?"))
    each_once(log, talk.count)
    fresh = card_up(log)
    assert fresh["id"] not in {each["id"] for each in cards(before)}
    await page.wait_for_selector(f'.card:not(.leaving)[data-id="{fresh["id"]}"]')
    assert await lines(page) == [f"u{number}" for number in range(1, talk.count + 1)]
    each_once(await other.answered(told), other.count)
    kept = (await talk.snapshot())["suggestions"]
    assert kept[card["id"]]["feedback"] == "dismissed"
    assert all(kept[each["id"]]["text"] == each["text"] for each in cards(before))


async def test_a_killed_web_server_loses_and_repeats_nothing(stage: Stage, log_in: LogIn) -> None:
    first, second = stage.fronts
    page, other_page = await log_in(first, "li"), await log_in(second, "wu")
    talk, other = await Talk.begin(stage, "li"), await Talk.begin(stage, "wu", front=1)
    feed = await talk.machine.call_feed(talk.call_id, after=0)
    log = await talk.asked_and_told()
    got = [(await feed.next())["seq"] for _ in log]
    await page.wait_for_selector("[data-id=u2].final .tag")

    await stage.kill(stage.webs[0])
    while (message := await feed.socket.receive()).type == WSMsgType.TEXT:
        got.append(json.loads(message.data)["seq"])
    assert message.type in (WSMsgType.CLOSED, WSMsgType.ERROR)
    await page.wait_for_selector("#strip[data-connection=lost]")
    assert await page.locator("[data-id=u2]").count() == 1  # what is on the screen stays
    to_second = talk.through(second)
    await talk.says("agent", PITCH, to=to_second)
    log = await talk.answered(await talk.says("customer", DEAR, to=to_second))
    resumed = await to_second.call_feed(talk.call_id, after=got[-1])
    got += [(await resumed.next())["seq"] for _ in log[len(got) :]]
    assert got == [event.seq for event in log]
    await other.asked_and_told()
    await other_page.wait_for_selector("[data-id=u2].final .tag")  # who is at the other notices nothing

    await stage.back(stage.webs[0])
    await page.wait_for_selector("#strip[data-connection=open]")
    await page.wait_for_selector(f'.card:not(.leaving)[data-id="{card_up(log)["id"]}"]')
    told = await talk.says("customer", "那我考虑考虑")
    each_once(await talk.answered(told), talk.count)
    await page.wait_for_selector(f"[data-id={told}].final .tag")
    assert await lines(page) == [f"u{number}" for number in range(1, talk.count + 1)]
