"""`phones.yml`: the lines of one machine, typed, read once.

    listen: 0.0.0.0:8765          # media WebSockets of Twilio, FreeSWITCH and Asterisk
    web: 127.0.0.1:8766           # TwiML and status callbacks, the page to talk from a browser
    callers: ["+8610…"]           # numbers this installation may call from
    inbound: {routes: [...]}      # who answers which number (bot/phone/inbound.py)
    assist: {...}                 # whose calls with people are listened to (bot/phone/assist.py)
    twilio: {...}                 # bot/phone/twilio/settings.py
    asterisk: {ari: {...}, audiosocket: {...}, media: {...}}
    freeswitch: {...}
    browser: {...}
    transfer: {ways: [{softphone: true}, {extension: "1001", agent_id: li}, {number: "+8610…"}]}

Secrets are never in it: settings that end in `_env` name environment variables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from bot.phone.assist import AssistSettings
from bot.phone.asterisk.settings import AriSettings, AudioSocketSettings, MediaSettings
from bot.phone.browser.settings import BrowserSettings
from bot.phone.freeswitch.settings import FreeSwitchSettings
from bot.phone.inbound import InboundSettings
from bot.phone.twilio.settings import TwilioSettings, problems
from bot.typed_yaml import YamlError, load_typed, read_yaml_with_places


class AsteriskSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Asterisk: `audiosocket` and `media` are where its audio comes, `ari` drives it."""

    audiosocket: AudioSocketSettings | None = None
    media: MediaSettings | None = None
    ari: AriSettings | None = None


class TransferWay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a person may be: exactly one of these.

    `softphone`: whoever waits at the page /softphone.  `extension`: of the switch (ARI, FreeSWITCH), with
    `agent_id`, whose assist page is filled, and `shown`, the number that the phone shows.  `number`: cold.
    """

    softphone: bool = False
    extension: str | None = None
    agent_id: str = ""
    shown: str = "10000"
    number: str | None = None

    def __post_init__(self) -> None:
        if sum((self.softphone, self.extension is not None, self.number is not None)) != 1:
            raise ValueError("a way has exactly one of softphone: true, extension, number")


class TransferSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a call goes to a person.

    `ways`: tried in order.  `ring_s`: so long one agent is rung, `most_s`: all of it, briefing included
    (both in seconds).  `assist_script`: what assists the agents; none where they are not assisted.
    `tickets_env`: the variable with the secret of those who give agents their softphone tickets
    (POST /softphone/tickets); none are given without it.
    """

    ways: tuple[TransferWay, ...]
    ring_s: float = 15.0
    most_s: float = 40.0
    assist_script: str | None = None
    tickets_env: str | None = None

    def __post_init__(self) -> None:
        if not self.ways:
            raise ValueError("ways: at least one of softphone, extension, number")
        if not 1 <= self.ring_s <= self.most_s <= 300:
            raise ValueError("ring_s and most_s: seconds, 1 <= ring_s <= most_s <= 300")


class PhoneSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lines of one machine.

    `listen`, `web`: HOST:PORT, port 0 takes a free one.  `ears`: "script" where the lines deliver the
    words themselves.  `script`: answers every call that no route names.  `tls_certificate`, `tls_key`:
    PEM files for `listen`; without them it serves plain ws, for a proxy in front.
    """

    listen: str | None = None
    web: str | None = None
    ears: Literal["recogniser", "script"] = "recogniser"
    script: str | None = None
    callers: frozenset[str] = frozenset()
    tls_certificate: str | None = None
    tls_key: str | None = None
    inbound: InboundSettings = InboundSettings()
    assist: AssistSettings = AssistSettings()
    twilio: TwilioSettings | None = None
    asterisk: AsteriskSettings | None = None
    freeswitch: FreeSwitchSettings | None = None
    browser: BrowserSettings | None = None
    transfer: TransferSettings | None = None


def read_phones(path: Path) -> PhoneSettings:
    """The settings of a file.  Raises YamlError (path, line, column, what, remedy)."""
    settings = load_typed(path, PhoneSettings)
    _, places = read_yaml_with_places(path)

    def fault(key: str, what: str, remedy: str) -> YamlError:
        return YamlError(path, *places.get((key,), (1, 1)), what, remedy)

    for key in ("listen", "web"):
        address = getattr(settings, key)
        if address is not None and not is_address(address):
            raise fault(key, f"'{address}' is no address", "write HOST:PORT, such as 127.0.0.1:8765")
    if settings.twilio is not None:
        for problem in problems(settings.twilio):
            what, _, remedy = problem.partition(" → ")
            raise fault("twilio", what, remedy)
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise fault("tls_certificate", "certificate and key go together", "give both, or none")
    return settings


def evaluation_phones(
    listen: str | None, script: str | None, web: str | None, ears: str | None
) -> PhoneSettings:
    """What `--listen HOST:PORT --script NAME --web HOST:PORT` stands for: every protocol, one script,
    AudioSocket at the port after.  Raises ValueError for what is no address."""
    audiosocket = None
    for name, address in (("--listen", listen), ("--web", web)):
        if address is not None and not is_address(address):
            raise ValueError(f"{name} is HOST:PORT, not '{address}'")
    if listen is not None:
        host, _, port = listen.rpartition(":")
        audiosocket = AudioSocketSettings(host=host, port=int(port) + 1 if int(port) else 0)
    return PhoneSettings(
        listen=listen,
        web=web,
        script=script,
        ears="script" if ears == "script" else "recogniser",
        twilio=TwilioSettings() if listen else None,
        asterisk=AsteriskSettings(audiosocket=audiosocket, media=MediaSettings()) if listen else None,
        browser=BrowserSettings() if web else None,
    )


def is_address(text: str) -> bool:
    """Whether it is HOST:PORT."""
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdecimal() and int(port) <= 65535
