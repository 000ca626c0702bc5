"""The people of one voice process: their softphones and extensions, and the transfers to them.

Joined from the `transfer` part of phones.yml and from what the process's calls share.
"""

from __future__ import annotations

from bot.bus.assisted import AssistedCalls
from bot.call.signals import Transfer
from bot.data_folder import PROJECT, data_folder
from bot.phone.arrivals import Arrival
from bot.phone.settings import TransferSettings, TransferWay
from bot.processes.assist_workers import RegisteredWorkers
from bot.processes.calls import Calls, Held
from bot.processes.extensions import Extension, RingsAgents
from bot.processes.joined_calls import Around, Assist
from bot.processes.softphones import Softphones
from bot.processes.transfers import Number, Speaking, Transfers, Way
from bot.speech.vad_silero import SileroDetector
from bot.store.keys import KeyFileError, Keys
from bot.store.sealing import Sealer
from bot.typed_yaml import YamlError, read_yaml


class People:
    """All of them."""

    def __init__(self, settings: TransferSettings, calls: Calls, assist: Assist | None = None) -> None:
        """`assist`: where the agents' calls are assisted, default the assist workers behind Redis."""
        self.softphones = Softphones()
        self._settings, self._calls, self._assist = settings, calls, assist
        self._transfers: Transfers | None = None

    def reach(self, rings: RingsAgents | None) -> None:
        """Who can be reached.  `rings`: what rings extensions.

        Raises ValueError for a way that leads nowhere, and for a key file that cannot be used."""
        shared = self._calls.shared
        if self._assist is None and self._settings.assist_script is not None:
            try:
                sealer = Sealer(Keys.load())
            except KeyFileError as error:
                raise ValueError(str(error)) from error
            self._assist = AssistedCalls(shared.redis, sealer, RegisteredWorkers(shared.redis))
        ways = [self._way(way, rings) for way in self._settings.ways]
        around = Around(
            pacer=self._calls.pacer, recordings=data_folder("recordings"), assist=self._assist,
            recogniser=shared.recogniser, detector=SileroDetector,
        )  # fmt: skip
        speaking = Speaking(self._calls.voice, shared.voices, shared.parameters, script_title)
        self._transfers = Transfers(self._settings, ways, around, speaking)

    @property
    def joined(self) -> int:
        """How many calls go on between people."""
        return self._transfers.joined if self._transfers is not None else 0

    def take(self, arrival: Arrival) -> bool:
        """An arrival; whether it is a softphone's."""
        if arrival.parameters.get("kind") != "softphone" or arrival.provider != "browser":
            return False
        self.softphones.arrived(arrival)
        return True

    async def give(self, held: Held, wanted: Transfer) -> None:
        """Wishes.transfer.  Raises TransferFailed."""
        assert self._transfers is not None, "reach comes first"
        await self._transfers.give(held, wanted)

    async def stop(self) -> None:
        """End what goes on between people, and the softphones that wait."""
        if self._transfers is not None:
            await self._transfers.stop()
        await self.softphones.stop()

    def _way(self, way: TransferWay, rings: RingsAgents | None) -> Way:
        if way.number is not None:
            return Number(way.number)
        if way.extension is None:
            return self.softphones
        if rings is None:
            raise ValueError(
                f"transfer.ways: extension {way.extension} → needs asterisk.ari or freeswitch in phones.yml"
            )
        return Extension(rings, way.extension, way.agent_id, way.shown)


def script_title(script: str, language: str) -> str | None:
    """What a script is about, from its own file; None where that cannot be read."""
    try:
        data = read_yaml(PROJECT / "stories" / script / "script.yml")
    except YamlError:
        return None
    titles = data.get("title") if isinstance(data, dict) else None
    title = titles.get(language) if isinstance(titles, dict) else None
    return title if isinstance(title, str) else None
