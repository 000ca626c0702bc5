"""What an operator says of one FreeSWITCH: its event socket, its media module, its dial strings.

Secrets are named by environment variables, never written here.  Raises ValueError (a
msgspec.ValidationError where it is read from a file) for settings that do not fit together.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Module = Literal["stream", "fork"]
Playback = Literal["files", "json", "binary"]
Mix = Literal["mono", "stereo"]

_MEDIA_URL = re.compile(r"wss?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
_DIAL_STRING = re.compile(r"[A-Za-z0-9_./@:;=+-]*\{number\}[A-Za-z0-9_./@:;=+-]*")
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class FreeSwitchSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One FreeSWITCH.

    `esl_host`, `esl_port`: its event socket.  `esl_password_env`: the environment variable with its
    password.  `media_url`: scheme, host and port under which the switch reaches our media server,
    without a path.  `media_token_env`: the variable with a word that each media socket must bring as
    `?token=`; None takes any socket that reaches the port.

    `module`: "stream" is mod_audio_stream, "fork" mod_audio_fork.  `playback`, how audio goes back:
    "files" (the module writes a file, we have the switch play it: mod_audio_stream's community
    edition, drachtio's mod_audio_fork), "json" (mod_audio_stream editions that play streamAudio
    themselves), "binary" (raw PCM: jambonz's mod_audio_fork with marks and killAudio, and
    mod_audio_stream's commercial edition).  `piece_ms`: length of one file, with "files".

    `rate_hz`: of the audio from the switch; 8000 costs nothing, 16000 is resampled.  `mix`, of lines
    whose metadata does not say: "mono" is for the bot, "stereo" only listens, to both sides, and
    never hangs the line up.  `customer_channel`: which stereo channel is the channel's own caller;
    FreeSWITCH puts what it reads from that channel left.

    `dial_string`: of customers, `{number}` in it; `number_format`: with + ("e164") or without
    ("digits").  `agent_dial_string`: of a warm transfer's agents.  `transfer_context`: the dialplan
    context of cold transfers.  `agent_ring_s`: seconds that an agent's phone rings.
    """

    esl_host: str = "127.0.0.1"
    esl_port: int = 8021
    esl_password_env: str = "FREESWITCH_ESL_PASSWORD"
    media_url: str
    media_token_env: str | None = None
    module: Module = "fork"
    playback: Playback = "binary"
    piece_ms: int = 200
    rate_hz: Literal[8000, 16000] = 8000
    mix: Mix = "mono"
    customer_channel: Literal["left", "right"] = "left"
    dial_string: str = "sofia/gateway/trunk/{number}"
    number_format: Literal["e164", "digits"] = "e164"
    agent_dial_string: str = "user/{number}"
    transfer_context: str = "default"
    agent_ring_s: int = 20

    def __post_init__(self) -> None:
        if not _MEDIA_URL.fullmatch(self.media_url):
            raise ValueError("media_url must be ws://host:port or wss://host:port, without a path")
        if self.module == "fork" and self.playback == "json":
            raise ValueError("module fork plays by files or binary; json is of module stream")
        if not (self.piece_ms % 20 == 0 and 40 <= self.piece_ms <= 1000):
            raise ValueError("piece_ms must be a multiple of 20 from 40 to 1000")
        for name in ("dial_string", "agent_dial_string"):
            if not _DIAL_STRING.fullmatch(getattr(self, name)):
                raise ValueError(f"{name} must hold {{number}}, and no space or sign of , | < > [ ] '")
        if not _WORD.fullmatch(self.transfer_context):
            raise ValueError("transfer_context must be one word of letters, digits, _ . -")
        if not 5 <= self.agent_ring_s <= 120:
            raise ValueError("agent_ring_s must be from 5 to 120")
