"""What we ask of an Asterisk, one function for each operation; the words of rest-api/api-docs.

All raise AriFault.  Ending something that is over already is success.  Numbers, keys and what came
with a call go in the JSON body (each operation of Asterisk reads its parameters there too), so that
they stand in no access log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from bot.phone.asterisk.ari_client import AriClient, AriFault, AriNoAnswer, AriRefused
from bot.phone.asterisk.ari_messages import Bridge, Channel

HANG_UP_TRIES = 4
_log = logging.getLogger(__name__)


class Operations:
    """The operations on channels and bridges of one Asterisk."""

    def __init__(self, client: AriClient) -> None:
        self.client = client
        self.settings = client.settings

    async def channel(self, channel_id: str) -> Channel | None:
        """A channel as it stands; None where Asterisk knows none of that id."""
        try:
            return await self.client.read(Channel, "GET", f"/channels/{channel_id}")
        except AriRefused as refused:
            if refused.status == 404:
                return None
            raise

    async def channels(self) -> list[Channel]:
        """All channels of the switch."""
        return await self.client.read(list[Channel], "GET", "/channels")

    async def bridges(self) -> list[Bridge]:
        """All bridges of the switch."""
        return await self.client.read(list[Bridge], "GET", "/bridges")

    async def originate(
        self,
        channel_id: str,
        endpoint: str,
        *,
        ring_s: int,
        args: str,
        caller: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Dial `endpoint` as the channel of that id, 409 where it exists.  The channel comes to our
        application when it is answered."""
        body: dict[str, object] = {
            "endpoint": endpoint,
            "app": self.settings.app,
            "appArgs": args,
            "timeout": ring_s,
            "variables": dict(variables or {}),
        }
        if caller is not None:
            body["callerId"] = caller
        await self.client.request("POST", f"/channels/{channel_id}", body=body)

    async def answer(self, channel_id: str) -> None:
        """Take an incoming call."""
        await self.client.request("POST", f"/channels/{channel_id}/answer")

    async def hang_up(self, channel_id: str, reason: str = "normal") -> None:
        """End a channel; tried again where no answer came, since a line that stays up costs money."""
        for attempt in range(1, HANG_UP_TRIES + 1):
            try:
                await self.client.request("DELETE", f"/channels/{channel_id}", {"reason": reason})
                return
            except AriRefused as refused:
                if refused.status == 404:
                    return
                raise
            except AriNoAnswer:
                if attempt == HANG_UP_TRIES:
                    raise
                await asyncio.sleep(0.25 * 2**attempt)

    async def send_digits(self, channel_id: str, digits: str) -> None:
        """Play keys to the far end."""
        await self.client.request("POST", f"/channels/{channel_id}/dtmf", body={"dtmf": digits})

    async def redirect(self, channel_id: str, endpoint: str) -> None:
        """Tell the far end to call somewhere else (SIP REFER); how that ends is not in the reply."""
        await self.client.request("POST", f"/channels/{channel_id}/redirect", body={"endpoint": endpoint})

    async def snoop(self, channel_id: str, snoop_id: str, spy: str) -> None:
        """A channel that hears what comes from (`in`) or goes to (`out`) another."""
        query = {"spy": spy, "app": self.settings.app, "appArgs": f"snoop={spy}"}
        await self.client.request("POST", f"/channels/{channel_id}/snoop/{snoop_id}", query)

    async def external_media(self, channel_id: str, **words: str) -> Channel:
        """A channel whose audio is ours."""
        body = {"channelId": channel_id, "app": self.settings.app, **words}
        return await self.client.read(Channel, "POST", "/channels/externalMedia", body)

    async def make_bridge(self, bridge_id: str) -> None:
        """A bridge that mixes and tells keys."""
        query = {"type": "mixing,proxy_media,dtmf_events"}
        await self.client.request("POST", f"/bridges/{bridge_id}", query)

    async def end_bridge(self, bridge_id: str) -> None:
        """Take a bridge down; its channels stay."""
        try:
            await self.client.request("DELETE", f"/bridges/{bridge_id}")
        except AriRefused as refused:
            if refused.status != 404:
                raise

    async def add(self, bridge_id: str, channel_ids: Sequence[str]) -> None:
        """Put channels into a bridge."""
        query = {"channel": ",".join(channel_ids)}
        await self.client.request("POST", f"/bridges/{bridge_id}/addChannel", query)

    async def remove(self, bridge_id: str, channel_id: str) -> None:
        """Take a channel out of a bridge."""
        await self.client.request("POST", f"/bridges/{bridge_id}/removeChannel", {"channel": channel_id})

    def undo(self, *, bridges: Sequence[str] = (), channels: Sequence[str] = ()) -> None:
        """Take down in the background, whatever of it is left; faults are logged."""
        self.client.later(self._undo(bridges, channels))

    async def _undo(self, bridges: Sequence[str], channels: Sequence[str]) -> None:
        for channel_id in channels:
            try:
                await self.hang_up(channel_id)
            except AriFault as fault:
                _log.error("a channel may be left over: %s", fault)
        for bridge_id in bridges:
            try:
                await self.end_bridge(bridge_id)
            except AriFault as fault:
                _log.warning("a bridge is left over: %s", fault)
