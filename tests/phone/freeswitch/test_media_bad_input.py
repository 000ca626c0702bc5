"""Bad input on media sockets: that socket is closed, its call ends, and no other notices."""

from __future__ import annotations

import aiohttp
import pytest

from bot.call.ports import AudioIn
from tests.phone.freeswitch.conftest import Open

FRAMES = [bytes([1, 0]) * 160, bytes([2, 0]) * 160]

BAD: dict[str, tuple[str | bytes, int]] = {
    "odd audio": (bytes(321), 1007),
    "malformed JSON": ("{not json", 1002),
    "a mark without data": ('{"type":"mark"}', 1002),
    "a megabyte": (bytes(1 << 20), 1009),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_message_ends_its_own_call_and_no_other(site: Open, name: str) -> None:
    here = await site()
    message, code = BAD[name]
    bad_channel, bad, _, bad_heard = await here.call()
    _, good, _, good_heard = await here.call()
    await (bad.socket.send_str(message) if isinstance(message, str) else bad.socket.send_bytes(message))
    assert await bad_heard.over() == "bad_data"
    await bad.until(lambda: bad.close_code is not None)
    assert bad.close_code == code
    await here.peer.until(lambda: bad_channel.uuid in here.peer.gone)
    await good.caller_says(FRAMES[0])
    await good_heard.until(lambda items: items == [AudioIn(FRAMES[0])])


async def test_texts_of_the_switchs_own_applications_do_no_harm(site: Open) -> None:
    here = await site()
    _, module, _, heard = await here.call()
    await module.socket.send_str('{"type":"unheard of","data":[1,2]}')
    await module.caller_says(FRAMES[0])
    await heard.until(lambda items: items == [AudioIn(FRAMES[0])])


async def test_a_second_socket_for_one_line_is_closed_and_the_first_goes_on(site: Open) -> None:
    here = await site()
    channel, module, _, heard = await here.call()
    thief = here.peer.module(channel.uuid)
    await thief.connect(here.url, f'{{"uuid":"{channel.uuid}"}}')
    await thief.until(lambda: thief.close_code is not None)
    assert thief.close_code == 1008
    await module.caller_says(FRAMES[0])
    await heard.until(lambda items: items == [AudioIn(FRAMES[0])])
    assert len(here.arrivals) == 1 and channel.uuid in here.peer.channels


async def test_audio_that_overtakes_the_metadata_is_kept(site: Open) -> None:
    here = await site()
    channel = here.peer.new_channel()
    module = await here.module(channel, None)
    await module.caller_says(FRAMES[0])
    await module.socket.send_str(f'{{"uuid":"{channel.uuid}"}}')
    arrival = await here.arrival()
    found: list[object] = []
    arrival.leg.listen(found.append)
    await module.caller_says(FRAMES[1])
    await module.close()
    assert found[:1] == [AudioIn(FRAMES[0])]


@pytest.mark.parametrize("first", ["hello", "{}", '{"uuid":"1"}', "x" * 9000])
async def test_a_socket_without_metadata_of_ours_is_closed(site: Open, first: str) -> None:
    here = await site()
    module = await here.module(here.peer.new_channel(), first)
    await module.until(lambda: module.close_code is not None)
    assert module.close_code == 1002 and here.arrivals == []


async def test_audio_and_never_metadata_is_closed(site: Open) -> None:
    here = await site()
    module = await here.module(here.peer.new_channel(), None)
    for _ in range(26):
        await module.caller_says(FRAMES[0])
    await module.until(lambda: module.close_code is not None)
    assert module.close_code == 1002 and here.arrivals == []


async def test_a_silent_socket_is_closed_after_a_while(site: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.phone.freeswitch.media.FIRST_TEXT_S", 0.01)
    here = await site()
    module = await here.module(here.peer.new_channel(), None)
    await module.until(lambda: module.close_code is not None)
    assert module.close_code == 1002


async def status_of(url: str) -> int:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url)
        return refused.value.status


async def test_without_the_token_nobody_comes_in(site: Open) -> None:
    here = await site(token="w0rd")
    assert await status_of(here.url) == 403
    assert await status_of(here.url + "?token=w0rdx") == 403
    channel = here.peer.new_channel()
    await here.module(channel, f'{{"uuid":"{channel.uuid}"}}', "?token=w0rd")
    assert (await here.arrival()).line_id == channel.uuid


async def test_above_the_limit_or_without_control_no_line_is_taken(site: Open) -> None:
    here = await site()
    here.refusal = "full"
    assert await status_of(here.url) == 503
    here.refusal = None
    await here.peer.drop_connections()
    here.peer.greeting = "Content-Type: text/rude-rejection\nContent-Length: 0\n\n"
    assert await status_of(here.url) == 503
