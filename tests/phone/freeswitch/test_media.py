"""Media sockets, spoken to by the modules: audio both ways, marks, keys, transfers and ends."""

from __future__ import annotations

import asyncio
import struct

import pytest

from bot.call.ports import AudioIn, DtmfIn, MarkIn, TransferFailed
from tests.phone.freeswitch.conftest import Open
from tests.phone.freeswitch.module_peer import ForkModule, StreamModule

SOUND = struct.pack("<4000h", *(number % 2000 - 1000 for number in range(4000)))
FRAMES = [SOUND[at : at + 320] for at in range(0, 8000, 320)]
"""Half a second, and every value from -1000 on, -1 among them."""


@pytest.mark.parametrize("edition", ["jambonz", "drachtio", "community", "two_way", "two_way_binary"])
async def test_a_call_arrives_with_what_the_switch_said_and_its_audio(site: Open, edition: str) -> None:
    here = await site(edition)
    channel, module, leg, heard = await here.call({"parameters": {"script": "ringback"}})
    arrival = here.arrivals[0]
    assert (arrival.provider, arrival.direction, arrival.line_id) == ("freeswitch", "inbound", channel.uuid)
    assert (arrival.caller, arrival.called) == ("+8613800138000", "+861012345678")
    assert arrival.parameters == {"script": "ringback"}
    await module.caller_says(SOUND[:320])
    await module.caller_says(SOUND[320:500])
    await module.caller_says(b"")
    await module.caller_says(SOUND[500:])
    await heard.until(lambda items: len(items) == 25)
    assert heard.audio() == SOUND
    here.peer.hang_up(channel.uuid, "NORMAL_CLEARING")
    assert await heard.over() == "customer"
    assert leg.capabilities.transfer and leg.capabilities.dtmf


async def test_what_came_before_somebody_listens_comes_first(site: Open) -> None:
    here = await site()
    channel, _, leg, heard = await here.call()
    here.peer.press(channel.uuid, "7")
    await heard.until(lambda items: items == [DtmfIn("7")])
    other = here.peer.new_channel()
    module = await here.module(other, f'{{"uuid":"{other.uuid}"}}')
    await module.caller_says(SOUND)
    arrival = await here.arrival(2)
    await module.close()
    late: list[object] = []
    arrival.leg.listen(late.append)
    assert b"".join(item.pcm for item in late if isinstance(item, AudioIn)) == SOUND
    assert leg is here.arrivals[0].leg


@pytest.mark.parametrize("edition", ["two_way", "two_way_binary"])
async def test_an_edition_that_plays_by_itself_gets_each_frame(site: Open, edition: str) -> None:
    here = await site(edition)
    _, module, leg, _ = await here.call()
    assert isinstance(module, StreamModule)
    for frame in FRAMES:
        leg.send(frame)
    await module.until(lambda: len(module.played) >= len(SOUND))
    assert module.played == SOUND
    assert not leg.capabilities.flush and leg.capabilities.lead_ms == 0


@pytest.mark.parametrize("edition", ["community", "drachtio"])
async def test_files_are_played_in_order_to_the_last_piece(site: Open, edition: str) -> None:
    here = await site(edition, piece_ms=200)
    channel, _, leg, _ = await here.call()
    for frame in FRAMES:
        leg.send(frame)
    await here.peer.until(lambda: len(channel.queued) == 3)
    assert here.peer.play_queued(channel.uuid) == SOUND
    assert leg.capabilities.flush and leg.capabilities.lead_ms == 400


@pytest.mark.parametrize("edition", ["community", "drachtio"])
async def test_a_flush_stops_what_was_queued_and_what_is_still_written(site: Open, edition: str) -> None:
    here = await site(edition, piece_ms=100)
    channel, module, leg, _ = await here.call()
    for frame in FRAMES[:10]:
        leg.send(frame)
    await here.peer.until(lambda: len(channel.queued) == 2)
    for frame in FRAMES[10:15]:
        leg.send(frame)
    leg.flush()
    leg.send(FRAMES[20])
    await here.peer.until(lambda: len(channel.queued) == 1)
    assert here.peer.play_queued(channel.uuid) == FRAMES[20]
    assert len(module.files) == 4
    assert len(here.peer.ran("uuid_break")) == 1


async def test_a_flush_with_nothing_playing_sends_no_break(site: Open) -> None:
    here = await site("community")
    _, _, leg, _ = await here.call()
    leg.flush()
    leg.send_digits("1")
    await here.peer.until(lambda: bool(here.peer.ran("uuid_send_dtmf")))
    assert here.peer.ran("uuid_break") == []


async def test_a_file_name_with_more_in_it_is_never_run(site: Open) -> None:
    here = await site("community", piece_ms=100)
    channel, module, leg, _ = await here.call()
    module.file_type = ".r8 both && shutdown"
    for frame in FRAMES[:5]:
        leg.send(frame)
    await module.until(lambda: len(module.files) == 1)
    leg.send_digits("1")
    await here.peer.until(lambda: channel.keys == "1")
    assert here.peer.ran("uuid_broadcast") == []


async def play_out(module: ForkModule, frames: int) -> bytes:
    return b"".join([await module.write_frame() for _ in range(frames)])


async def test_the_buffered_module_plays_a_line_whole_and_says_so(site: Open) -> None:
    here = await site("jambonz")
    _, module, leg, heard = await here.call()
    assert isinstance(module, ForkModule)
    for frame in FRAMES:
        leg.send(frame)
    leg.mark("1.0")
    await module.until(lambda: len(module.playout) > 4000)
    played = await play_out(module, 24)
    await module.caller_says(FRAMES[0])
    await heard.until(lambda items: items == [AudioIn(FRAMES[0])])
    played += await play_out(module, 2)
    await heard.until(lambda items: items[1:] == [MarkIn("1.0")])
    wanted = struct.unpack("<4000h", SOUND)
    found = struct.unpack("<4000h", played[:8000])
    assert max(abs(one - two) for one, two in zip(wanted, found, strict=True)) <= 1
    assert leg.capabilities.marks and leg.capabilities.flush and leg.capabilities.lead_ms == 160


async def test_a_mark_comes_after_the_tail_that_the_module_still_holds_back(
    site: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.phone.freeswitch.players.REST_S", 3600.0)
    here = await site("jambonz")
    _, module, leg, heard = await here.call()
    assert isinstance(module, ForkModule)
    for frame in FRAMES[:9]:
        leg.send(frame)
    leg.mark("1.0")
    await module.until(lambda: bool(module.texts) and len(module.prebuffer) + len(module.playout) > 1440)
    await play_out(module, 9)
    await module.caller_says(FRAMES[0])
    await heard.until(lambda items: bool(items))
    assert heard.items == [AudioIn(FRAMES[0])]


async def test_a_mark_that_comes_back_after_a_flush_says_nothing(site: Open) -> None:
    here = await site("jambonz")
    _, module, leg, heard = await here.call()
    leg.send(FRAMES[0])
    leg.mark("1.0")
    leg.flush()
    await module.socket.send_str('{"type": "mark", "data": {"name":"m1", "event": "playout"}}')
    await module.caller_says(FRAMES[0])
    await heard.until(lambda items: bool(items))
    assert heard.items == [AudioIn(FRAMES[0])]


async def test_the_start_of_a_line_is_played_as_soon_as_it_is_sent_ahead(site: Open) -> None:
    here = await site("jambonz")
    _, module, leg, _ = await here.call()
    assert isinstance(module, ForkModule)
    for frame in FRAMES[: leg.capabilities.lead_ms // 20]:
        leg.send(frame)
    await module.until(lambda: len(module.playout) >= 1280)


async def test_a_flush_empties_the_buffer_and_forgets_its_marks(site: Open) -> None:
    here = await site("jambonz")
    _, module, leg, heard = await here.call()
    assert isinstance(module, ForkModule)
    for frame in FRAMES:
        leg.send(frame)
    leg.mark("1.0")
    await module.until(lambda: len(module.playout) > 4000)
    leg.flush()
    await module.until(lambda: module.clear)
    assert await play_out(module, 30) == bytes(30 * 320)
    for frame in FRAMES[:8]:
        leg.send(frame)
    await module.until(lambda: len(module.playout) >= 1280)
    await module.caller_says(FRAMES[0])
    await heard.until(lambda items: bool(items))
    assert heard.items == [AudioIn(FRAMES[0])]


async def test_keys_come_in_and_go_out(site: Open) -> None:
    here = await site()
    channel, _, leg, heard = await here.call()
    for digit in ("1", "#", "a", "", "12", "x"):
        here.peer.press(channel.uuid, digit)
    here.peer.press(here.peer.new_channel().uuid, "9")
    await heard.until(lambda items: len(items) == 3)
    assert heard.items == [DtmfIn("1"), DtmfIn("#"), DtmfIn("A")]
    leg.send_digits("1234#")
    leg.send_digits("1 all\nuuid_kill")
    leg.send_digits("9")
    await here.peer.until(lambda: channel.keys.endswith("9"))
    assert channel.keys == "1234#9"


async def test_both_sides_are_heard_and_the_call_is_left_alone(site: Open) -> None:
    here = await site("jambonz")
    channel, module, leg, heard = await here.call({"mix": "stereo"})
    stereo = struct.pack("<320h", *([5, -5] * 160))
    await module.caller_says(stereo)
    await heard.until(lambda items: len(items) == 2)
    assert heard.audio("customer") == struct.pack("<160h", *[5] * 160)
    assert heard.audio("agent") == struct.pack("<160h", *[-5] * 160)
    assert leg.capabilities.two_tracks and not leg.capabilities.transfer
    leg.send(FRAMES[0])
    await leg.hang_up("done")
    assert await heard.over() == "done"
    await here.peer.until(lambda: bool(here.peer.ran("uuid_audio_fork")))
    assert here.peer.ran("uuid_kill") == [] and channel.uuid in here.peer.channels


async def test_one_hang_up_whatever_races(site: Open) -> None:
    here = await site()
    channel, module, leg, heard = await here.call()
    await asyncio.gather(leg.hang_up("completed"), leg.hang_up("limit"), module.close())
    assert await heard.over() == "completed"
    await here.peer.until(lambda: channel.uuid in here.peer.gone)
    assert len(here.peer.ran("uuid_kill")) == 1
    leg.send(FRAMES[0])
    leg.mark("x")
    leg.flush()
    leg.send_digits("1")
    with pytest.raises(TransferFailed):
        await leg.transfer("1000")


async def test_who_hangs_up_when_told_of_the_end_ends_it_once(site: Open) -> None:
    here = await site()
    _, module, leg, _ = await here.call()
    ends: list[object] = []
    tasks: list[asyncio.Task[None]] = []

    def receive(item: object) -> None:
        ends.append(item)
        leg.end("again")
        tasks.append(asyncio.ensure_future(leg.hang_up("again")))

    leg.listen(receive)
    await module.close()
    await here.peer.until(lambda: bool(here.peer.ran("uuid_kill")))
    await asyncio.gather(*tasks)
    assert len(ends) == 1


async def test_a_hang_up_while_the_event_socket_is_down_is_made_up_for(site: Open) -> None:
    here = await site()
    channel, _, leg, heard = await here.call()
    await here.peer.drop_connections()
    await leg.hang_up("completed")
    assert await heard.over() == "completed"
    await here.peer.until(lambda: channel.uuid in here.peer.gone)
    assert len(here.peer.ran("uuid_kill")) == 1


async def test_a_cut_socket_is_a_lost_line_and_the_channel_is_hung_up(site: Open) -> None:
    here = await site()
    channel, module, _, heard = await here.call()
    await module.caller_says(SOUND[:100])
    await module.cut()
    assert await heard.over() == "line_lost"
    await here.peer.until(lambda: channel.uuid in here.peer.gone)


async def test_a_cold_transfer_gives_the_line_away(site: Open) -> None:
    here = await site()
    channel, _, leg, heard = await here.call()
    await leg.transfer("+861087654321")
    assert channel.transferred_to == "+861087654321 XML default"
    assert await heard.over() == "transferred"
    await here.peer.until(lambda: channel.module is None)
    assert here.peer.ran("uuid_kill") == []


@pytest.mark.parametrize("target", ["1000 XML default", "a\nb", "", "-bleg", "1,2", "x" * 60])
async def test_a_transfer_that_fails_leaves_the_customer_with_the_bot(site: Open, target: str) -> None:
    here = await site()
    here.peer.refuse["uuid_transfer"] = "-ERR\n"
    channel, module, leg, heard = await here.call()
    with pytest.raises(TransferFailed):
        await leg.transfer(target)
    await module.caller_says(FRAMES[0])
    await heard.until(lambda items: items == [AudioIn(FRAMES[0])])
    assert channel.transferred_to == "" and channel.uuid in here.peer.channels
