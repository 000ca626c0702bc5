"""Dialling: a permit once, our own line id, outcomes forward only, media on answer, hang-ups that race."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.phone.dialling import Cause, Dial, DialFailed, DialPermit, DialRefused, LineNews, LineState, Permits
from bot.phone.freeswitch.origination import FreeSwitchOriginator, line_id_of
from tests.phone.freeswitch.conftest import Heard, Open, Site

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
US = "+861012345678"


def permit(intent: str = "i-1", *, callee: str = "+8613800138000", caller: str = US) -> DialPermit:
    return DialPermit(
        intent_id=intent,
        tenant_id="t",
        callee=callee,
        caller=caller,
        not_before=NOON,
        not_after=NOON + timedelta(minutes=2),
        rules=(("hours", "allow"),),
    )


class Dialler:
    """An originator at a site, and its news."""

    def __init__(self, site: Site) -> None:
        self.news: list[LineNews] = []
        self.now = NOON
        self._told = asyncio.Event()
        self.originator = FreeSwitchOriginator(
            site.switch, Permits(frozenset({US, "+86101234567x"})), self._tell, lambda: self.now
        )

    def _tell(self, news: LineNews) -> None:
        self.news.append(news)
        self._told.set()

    async def until(self, holds: Callable[[list[LineNews]], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds(self.news):
                self._told.clear()
                await self._told.wait()

    async def dial(self, site: Site, one: DialPermit | None = None) -> str:
        """A dial that has reached the switch."""
        dial = Dial(permit=one or permit(), call_id="c-1", ring_s=25, parameters={"script": "ringback"})
        line = await self.originator.originate(dial)
        await site.peer.until(lambda: line in site.peer.channels)
        return line

    def states(self) -> list[str]:
        return [news.state.name for news in self.news]


async def test_a_call_is_dialled_answered_and_arrives(site: Open) -> None:
    here = await site("jambonz", token="w0rd")
    dialler = Dialler(here)
    line = await dialler.dial(here)
    assert line == line_id_of(permit())
    assert here.peer.channels[line].dial_string == "sofia/gateway/trunk/+8613800138000"
    here.peer.progress(line)
    here.peer.progress(line)
    here.peer.answer(line)
    arrival = await here.arrival()
    assert (arrival.line_id, arrival.direction) == (line, "outbound")
    assert (arrival.caller, arrival.called) == (US, "+8613800138000")
    assert arrival.parameters == {"script": "ringback", "call_id": "c-1"}
    here.peer.hang_up(line, "NORMAL_CLEARING")
    await dialler.until(lambda news: len(news) == 4)
    assert dialler.states() == ["SENT", "RINGING", "ANSWERED", "ENDED"]
    assert dialler.news[-1].cause == "normal"
    assert len(here.peer.ran("originate")) == 1 and len(here.peer.ran("uuid_audio_fork")) == 1


@pytest.mark.parametrize(
    ("hangup_cause", "cause"),
    [("USER_BUSY", "busy"), ("NO_ANSWER", "no_answer"), ("CALL_REJECTED", "rejected"), ("X", "failed")],
)
async def test_an_end_is_told_once_with_its_cause(site: Open, hangup_cause: str, cause: Cause) -> None:
    here = await site()
    dialler = Dialler(here)
    line = await dialler.dial(here)
    here.peer.hang_up(line, hangup_cause)
    await dialler.until(lambda news: news[-1].state is LineState.ENDED)
    assert await dialler.originator.state(line) == LineNews(line, LineState.ENDED, cause)
    assert dialler.states() == ["SENT", "ENDED"] and dialler.news[-1].cause == cause


async def test_a_dial_that_makes_no_channel_ends_by_its_job(site: Open) -> None:
    here = await site()
    here.peer.refuse["originate"] = "-ERR GATEWAY_DOWN\n"
    dialler = Dialler(here)
    line = await dialler.originator.originate(Dial(permit=permit(), call_id="c"))
    await dialler.until(lambda news: news[-1].state is LineState.ENDED)
    assert dialler.news[-1] == LineNews(line, LineState.ENDED, "congestion")


async def test_a_permit_dials_once_and_only_in_its_time(site: Open) -> None:
    here = await site()
    dialler = Dialler(here)
    line = await dialler.dial(here)
    here.peer.hang_up(line, "NO_ANSWER")
    with pytest.raises(DialRefused, match="used before"):
        await dialler.originator.originate(Dial(permit=permit(), call_id="c-2"))
    dialler.now = NOON + timedelta(minutes=3)
    with pytest.raises(DialRefused, match="does not hold"):
        await dialler.originator.originate(Dial(permit=permit("i-2"), call_id="c-3"))
    dialler.now = NOON
    with pytest.raises(DialRefused, match="list"):
        await dialler.originator.originate(Dial(permit=permit("i-3", caller="+8610999999"), call_id="c-4"))
    assert len(here.peer.ran("originate")) == 1


async def test_the_same_intent_is_not_dialled_beside_a_line_that_lives(site: Open) -> None:
    here = await site()
    await Dialler(here).dial(here)
    restarted = Dialler(here)
    with pytest.raises(DialFailed) as failed:
        await restarted.originator.originate(Dial(permit=permit(), call_id="c-1"))
    assert not failed.value.certain
    assert len(here.peer.ran("originate")) == 1


async def test_a_line_that_another_process_dialled_in_between_is_not_told_as_ended(site: Open) -> None:
    here = await site()
    dialler = Dialler(here)
    here.peer.refuse["uuid_exists"] = "false"
    line = line_id_of(permit())
    here.peer.new_channel(line, "ringing")
    await dialler.originator.originate(Dial(permit=permit(), call_id="c-1"))
    del here.peer.refuse["uuid_exists"]
    await here.peer.until(lambda: len(here.peer.ran("uuid_exists")) == 2)
    here.peer.progress(line)
    await dialler.until(lambda news: news[-1].state is LineState.RINGING)
    assert await dialler.originator.state(line) == LineNews(line, LineState.RINGING)
    assert dialler.states() == ["SENT", "RINGING"]


@pytest.mark.parametrize(
    "bad", [permit(callee="+86138|user/1000"), permit(callee="x,y"), permit(caller="+86101234567x")]
)
async def test_a_number_that_is_more_than_a_number_is_never_sent(site: Open, bad: DialPermit) -> None:
    here = await site()
    with pytest.raises(DialFailed) as failed:
        await Dialler(here).originator.originate(Dial(permit=bad, call_id="c"))
    assert failed.value.certain and here.peer.commands == []


async def test_without_the_event_socket_it_is_certain_that_nobody_was_called(site: Open) -> None:
    here = await site()
    dialler = Dialler(here)
    await here.switch.stop()
    with pytest.raises(DialFailed) as failed:
        await dialler.originator.originate(Dial(permit=permit(), call_id="c"))
    assert failed.value.certain


async def test_hanging_up_what_is_over_is_success(site: Open) -> None:
    here = await site()
    dialler = Dialler(here)
    line = await dialler.dial(here)
    here.peer.answer(line)
    await dialler.until(lambda news: news[-1].state is LineState.ANSWERED)
    await dialler.originator.end(line)
    await dialler.originator.end(line)
    await dialler.until(lambda news: news[-1].state is LineState.ENDED)
    assert dialler.news[-1].cause == "normal"
    here.peer.refuse["uuid_kill"] = "-ERR permission denied\n"
    with pytest.raises(DialFailed):
        await dialler.originator.end(line)


async def test_a_hang_up_before_the_channel_is_there_still_cancels_it(site: Open) -> None:
    here = await site()
    dialler = Dialler(here)
    here.peer.hold_channels = True
    line = await dialler.originator.originate(Dial(permit=permit(), call_id="c-1"))
    await dialler.originator.end(line)
    here.peer.release_channels()
    await dialler.until(lambda news: news[-1].state is LineState.ENDED)
    assert dialler.news[-1].cause == "cancelled"


async def test_an_answered_line_whose_media_cannot_start_is_hung_up(site: Open) -> None:
    here = await site()
    here.peer.refuse["uuid_audio_fork"] = "-ERR Operation Failed\n"
    dialler = Dialler(here)
    line = await dialler.dial(here)
    here.peer.answer(line)
    await dialler.until(lambda news: news[-1].state is LineState.ENDED)
    assert dialler.states() == ["SENT", "ANSWERED", "ENDED"]


async def test_a_module_that_cannot_reach_us_has_its_line_hung_up(site: Open) -> None:
    here = await site("community")
    here.refusal = "shutting down"
    dialler = Dialler(here)
    line = await dialler.dial(here)
    here.peer.answer(line)
    await dialler.until(lambda news: news[-1].state is LineState.ENDED)
    assert line in here.peer.gone and here.arrivals == []


async def test_what_happened_while_the_event_socket_was_down_is_asked_for(site: Open) -> None:
    here = await site()
    dialler = Dialler(here)
    lost = await dialler.dial(here)
    answered = await dialler.dial(here, permit("i-2"))
    await here.peer.drop_connections()
    here.peer.hang_up(lost, "USER_BUSY")
    here.peer.answer(answered)
    arrival = await here.arrival()
    assert arrival.line_id == answered
    await dialler.until(lambda news: LineNews(lost, LineState.ENDED, "failed") in news)
    assert LineNews(answered, LineState.ANSWERED) in dialler.news
    assert len(here.peer.ran("originate")) == 2


async def test_the_state_of_a_line_is_the_switchs(site: Open) -> None:
    here = await site()
    dialler = Dialler(here)
    assert await dialler.originator.state(line_id_of(permit("unheard"))) is None
    line = await dialler.dial(here)
    restarted = Dialler(here)
    assert await restarted.originator.state(line) == LineNews(line, LineState.RINGING)
    here.peer.channels[line].answer_state = "answered"
    assert await restarted.originator.state(line) == LineNews(line, LineState.ANSWERED)
    with pytest.raises(DialFailed):
        await restarted.originator.state("no uuid")


async def test_a_dialled_leg_talks(site: Open) -> None:
    here = await site("two_way")
    dialler = Dialler(here)
    line = await dialler.dial(here)
    here.peer.answer(line)
    leg = (await here.arrival()).leg
    heard = Heard(leg)  # type: ignore[arg-type]
    await leg.hang_up("completed")
    assert await heard.over() == "completed"
    await dialler.until(lambda news: news[-1].state is LineState.ENDED)
    assert len(here.peer.ran("uuid_kill")) == 1
