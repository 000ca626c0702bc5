"""Warm transfer: the agent's phone rings, the bot tells the agent what it is about, the two are joined.

The agent's channel gets a media stream of its own: it comes as an Arrival (`role` agent in its
parameters), and whoever runs calls whispers through that leg.  Until `join` succeeds the customer
stays with the bot, whatever fails.  Raises TransferFailed.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping

from bot.call.ports import TransferFailed
from bot.phone.freeswitch import commands
from bot.phone.freeswitch.commands import UnsafeValue
from bot.phone.freeswitch.esl import EslLost, EslRefused
from bot.phone.freeswitch.leg import FreeSwitchLeg
from bot.phone.freeswitch.settings import Mix
from bot.phone.freeswitch.stream_messages import BadMetadata, Metadata, metadata_word
from bot.phone.freeswitch.switch import Switch, job_answer

SPARE_S = 5.0
"""The switch's own limit on ringing ends first."""

_FAULTS = (UnsafeValue, BadMetadata, EslLost, EslRefused, TimeoutError)
_log = logging.getLogger(__name__)


class WarmTransfer:
    """Hands customers over to agents of one switch."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    async def ring(self, agent: str, *, shown: str, parameters: Mapping[str, str]) -> str:
        """Call an agent's extension, showing the number `shown`; returns the line's id once the agent
        has answered and the media stream is asked for.  A cancelled `ring` stops ringing."""
        settings, line_id = self._switch.settings, str(uuid.uuid4())
        try:
            command = commands.originate_agent(settings, line_id, agent, shown)
            start = self._media(line_id, "mono", {**parameters, "role": "agent"})
        except _FAULTS as error:
            raise TransferFailed(f"the agent was not called: {error}") from error
        try:
            job = await self._switch.bgapi(command)
            answer = await job_answer(job, settings.agent_ring_s + SPARE_S)
            if not answer.startswith("+OK"):
                raise TransferFailed(f"the agent did not answer: {answer.removeprefix('-ERR ')[:60]}")
            await self._switch.api(start)
        except BaseException as error:
            self._switch.doom(line_id)
            self._switch.kill(line_id, "ORIGINATOR_CANCEL")
            if isinstance(error, _FAULTS):
                raise TransferFailed(f"the agent's line could not be set up: {error}") from error
            raise
        return line_id

    async def join(
        self, customer: FreeSwitchLeg, agent: FreeSwitchLeg, *, listen: Mapping[str, str] | None = None
    ) -> None:
        """Connect the two and step back.  `listen`: go on listening to both sides; the stereo leg
        comes as an Arrival with these parameters and `role` assist."""
        try:
            await self._switch.api(commands.bridge(customer.line_id, agent.line_id))
        except _FAULTS as error:
            raise TransferFailed(f"the customer and the agent were not joined: {error}") from error
        agent.give_away("transferred")
        customer.give_away("transferred")
        if listen is None:
            return
        try:
            await self._switch.api(self._media(customer.line_id, "stereo", {**listen, "role": "assist"}))
        except _FAULTS as error:
            _log.warning("freeswitch: the joined call is not listened to: %s", error)

    def _media(self, line_id: str, mix: Mix, parameters: dict[str, str]) -> str:
        metadata = Metadata(uuid=line_id, direction="outbound", mix=mix, parameters=parameters)
        return commands.start_media(
            self._switch.settings, line_id, metadata_word(metadata), mix, self._switch.media_token
        )
