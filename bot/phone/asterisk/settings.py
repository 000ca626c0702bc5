"""What one Asterisk needs to be told in phones.yml: ARI, AudioSocket and WebSocket media.

Times are seconds.  Secrets are never written here: `password_env` is the NAME of an environment
variable.  A value that cannot work raises ValueError when the settings are read, naming the field.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

import msgspec

_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/]+):([0-9]{1,5})")
_APP = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ENDPOINT = re.compile(r"[A-Za-z0-9]+/[^\s,&|]*\{number\}[^\s,&|]*")

Transport = Literal["audiosocket", "websocket"]


class AudioSocketSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where we listen for Asterisk's AudioSocket connections.

    `host`, `port`: ours; the port is meant for the switch alone, since AudioSocket knows no password.
    `first_message_s`: so long a connection may take to say its UUID.  `idle_s`: a line that sends
    nothing for so long is lost (Asterisk itself sends 50 frames a second).
    """

    host: str = "127.0.0.1"
    port: int = 9092
    first_message_s: float = 3.0
    idle_s: float = 10.0

    def __post_init__(self) -> None:
        _port(self.port, "audiosocket.port")
        _positive(self.first_message_s, "audiosocket.first_message_s")
        _positive(self.idle_s, "audiosocket.idle_s")


class MediaSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """WebSocket media (chan_websocket of Asterisk 20.16, 21.11, 22.6, 23 and later).

    `format`: the codec asked for: slin and ulaw are 8 kHz, slin16 16 kHz.  `start_s`: so long the
    first message of the channel may take.
    """

    format: Literal["slin", "slin16", "ulaw", "alaw"] = "slin"
    start_s: float = 3.0

    def __post_init__(self) -> None:
        _positive(self.start_s, "media.start_s")


class AriSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Asterisk, driven by its REST interface.

    `url`: base, with /ari at its end where the switch has no prefix, e.g. http://10.0.0.5:8088/ari.
    `app`: name of the Stasis application.  `user`, `password_env`: of ari.conf; the second names an
    environment variable.  `trunk`: the dial string of a number, with {number} where it goes.
    `transfer_to`: the same for a cold transfer (a SIP URI or a dial string; same technology as the
    customer's channel).  `agent`: the same for an agent's extension.
    `plus`: the trunk wants the + of E.164.
    `transport`: how audio comes; `external_host`: HOST:PORT at which Asterisk reaches our AudioSocket
    port (for `audiosocket` only).  `ring_s`: an agent's phone rings so long.  `timeout_s`: one REST
    request.  `setup_s`: from an answer to audio.  `transfer_s`: so long a cold transfer may take.
    `longest_call_s`: the switch itself ends a dialled call after so long, should we be gone.
    """

    url: str
    app: str
    user: str
    password_env: str
    trunk: str
    transfer_to: str = "PJSIP/{number}"
    agent: str = "PJSIP/{number}"
    plus: bool = False
    transport: Transport = "audiosocket"
    external_host: str | None = None
    ring_s: int = 25
    timeout_s: float = 5.0
    setup_s: float = 5.0
    transfer_s: float = 20.0
    longest_call_s: int = 3600

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or "@" in parts.netloc:
            raise ValueError("ari.url: an address like http://10.0.0.5:8088/ari without user or query")
        if not _APP.fullmatch(self.app):
            raise ValueError("ari.app: letters, digits, _ . - only, up to 64")
        if not self.user or ":" in self.user:
            raise ValueError("ari.user: a user of ari.conf, without a colon")
        for name in ("trunk", "transfer_to", "agent"):
            if not _ENDPOINT.fullmatch(getattr(self, name)):
                raise ValueError(f"ari.{name}: TECHNOLOGY/… with {{number}} where the number goes")
        if self.transport == "audiosocket":
            found = _HOST_PORT.fullmatch(self.external_host or "")
            if found is None:
                raise ValueError(
                    "ari.external_host: HOST:PORT at which Asterisk reaches our AudioSocket port"
                )
            _port(int(found[2]), "ari.external_host")
        for name in ("ring_s", "timeout_s", "setup_s", "transfer_s"):
            _positive(getattr(self, name), f"ari.{name}")
        if not 60 <= self.longest_call_s <= 14_400:
            raise ValueError("ari.longest_call_s: seconds from 60 to 14400")


def _positive(value: float, name: str) -> None:
    if not 0 < value <= 600:
        raise ValueError(f"{name}: seconds above 0 and up to 600")


def _port(value: int, name: str) -> None:
    if not 0 <= value <= 65535:
        raise ValueError(f"{name}: a port from 0 (any free one) to 65535")
