"""`phones.yml`: the lines of one machine, typed, read once.

    listen: 0.0.0.0:8765          # media WebSockets of Twilio, FreeSWITCH and Asterisk
    web: 127.0.0.1:8766           # TwiML and status callbacks, the page to talk from a browser
    callers: ["+8610…"]           # numbers this installation may call from
    inbound: {routes: [...]}      # who answers which number (bot/phone/inbound.py)
    twilio: {...}                 # bot/phone/twilio/settings.py
    asterisk: {ari: {...}, audiosocket: {...}, media: {...}}
    freeswitch: {...}
    browser: {...}

Secrets are never in it: settings that end in `_env` name environment variables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

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
    twilio: TwilioSettings | None = None
    asterisk: AsteriskSettings | None = None
    freeswitch: FreeSwitchSettings | None = None
    browser: BrowserSettings | None = None


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
