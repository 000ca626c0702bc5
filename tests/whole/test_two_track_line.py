"""People talk on a Twilio line with both tracks: a real voice process listens, the agent gets a card."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from bot import events as ev
from bot.processes.managed import Managed
from tests.phone.twilio.peer import TwilioPeer
from tests.whole.stage import LIMIT_S, Stage
from tests.whole.talk import ASK, TELL, of

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONES = """
listen: 127.0.0.1:0
ears: script
assist:
  script: bundle
  agents: {"+15550003": li}
twilio: {}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def voice(stage: Stage) -> AsyncIterator[Managed]:
    """A voice process with that line."""
    phones = stage.folder / "phones.yml"
    phones.write_text(PHONES)
    process = stage.process(
        "bot.processes.voice", "voice-1", "--name", "voice-1", "--phones", str(phones),
        HUASHU_DATA=str(stage.folder),
    )  # fmt: skip
    await process.start()
    yield process
    await process.stop()


async def test_a_card_comes_while_two_people_talk_on_a_line(stage: Stage, voice: Managed) -> None:
    async with asyncio.timeout(LIMIT_S), aiohttp.ClientSession() as session:
        line = TwilioPeer(
            session, f"http://{voice.ready_words[1]}/twilio", call_sid=f"CA{secrets.token_hex(8)}",
            tracks=("inbound", "outbound"),
            parameters={"direction": "inbound", "from": "+15550001", "to": "+15550003"},
        )  # fmt: skip

        async def says(track: str, text: str) -> None:
            words = {"event": "words", "streamSid": line.stream_sid, "text": text, "final": True}
            await line.send(words | {"track": track})

        await line.start()
        await line.advance(400)
        await says("outbound", ASK)
        await says("inbound", TELL)
        call_id = f"{line.call_sid}-assist"
        log = await stage.until(call_id, lambda log: of(log, ev.SuggestionEvent))
        said = [(str(one.party), one.text) for one in of(log, ev.UtteranceFinal)]
        assert said == [("agent", ASK), ("customer", TELL)]
        assert of(log, ev.CallStarted)[0].agent_id == "li"

        # the agent's own page is told
        agent = await stage.fronts[0].login("li")
        feed = await agent.call_feed(call_id, after=0)
        kinds = []
        while "suggestion" not in kinds:
            kinds.append(json.loads((await feed.socket.receive()).data)["kind"])
        await feed.socket.close()

        await line.stop()
        assert await line.closed() == aiohttp.WSCloseCode.OK
        ended = await stage.until(call_id, lambda log: of(log, ev.CallEnded))
        [last] = of(ended, ev.CallEnded)
        assert last.by == "customer"
    recording = stage.folder / "recordings" / f"{call_id}.wav"
    assert recording.stat().st_size > 44
