"""What mod_audio_stream and mod_audio_fork and we say to each other on a media socket.  Pure.

From the module: first a text frame with the metadata it was started with, then binary frames of
signed 16-bit little-endian PCM, and (jambonz's mod_audio_fork) `mark` texts.  To the module:
streamAudio, playAudio, mark, killAudio texts, or raw PCM.  Read from the modules' sources
(amigniter/mod_audio_stream ec2a781, drachtio 88e1465 and jambonz 30f2189 mod_audio_fork).
Raises BadMetadata and BadText for what does not fit.
"""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Literal

import msgspec

from bot.phone.freeswitch.settings import Mix, Module

KILL_AUDIO = b'{"type":"killAudio"}'
PLAY_EVENTS = {"stream": "mod_audio_stream::play", "fork": "mod_audio_fork::play_audio"}
CONNECT_FAILED_EVENTS = {"stream": "mod_audio_stream::error", "fork": "mod_audio_fork::connect_failed"}

LONGEST_METADATA = 8000
"""Bytes: the modules keep 8192 and cut without a word."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class BadMetadata(ValueError):
    """The first text is no metadata of ours; says what is wrong, not what it holds."""


class BadText(ValueError):
    """A later text that the module does not send."""


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a media socket says of its line first.

    `uuid`: the channel.  `caller`, `called`: numbers as the switch has them.  `direction`: inbound
    where the dialplan started the stream.  `mix`: None is what the settings say.  `parameters`: sent
    along with the dial, or set in the dialplan: data of strangers.
    """

    uuid: str
    caller: str | None = None
    called: str | None = None
    direction: Literal["inbound", "outbound"] = "inbound"
    mix: Mix | None = None
    parameters: dict[str, str] = {}

    def __post_init__(self) -> None:
        if not _UUID.fullmatch(self.uuid):
            raise ValueError("uuid is not a channel's UUID")


class _MarkData(msgspec.Struct, frozen=True):
    name: str
    event: Literal["playout", "cleared"]


class _Text(msgspec.Struct, frozen=True):
    """`data` is read only of a mark: other texts are the switch's own applications' (send_text)."""

    type: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Written(msgspec.Struct, frozen=True):
    file: str
    piece: int = 0


_METADATA = msgspec.json.Decoder(Metadata)
_TEXT = msgspec.json.Decoder(_Text)
_MARK = msgspec.json.Decoder(_MarkData)
_WRITTEN = msgspec.json.Decoder(_Written)


def metadata_word(metadata: Metadata) -> str:
    """Metadata as one word that no command line splits or unquotes: base64url of its JSON.

    Raises BadMetadata where it is longer than the modules keep.
    """
    word = urlsafe_b64encode(msgspec.json.encode(metadata)).rstrip(b"=").decode("ascii")
    if len(word) > LONGEST_METADATA - 100:
        raise BadMetadata(f"the parameters of a call are longer than {LONGEST_METADATA} bytes")
    return word


def metadata_of(text: bytes) -> Metadata:
    """The metadata in a first text: JSON as a dialplan writes it, or a word of `metadata_word`."""
    if len(text) > LONGEST_METADATA:
        raise BadMetadata(f"metadata of more than {LONGEST_METADATA} bytes")
    try:
        plain = text if text.lstrip()[:1] == b"{" else urlsafe_b64decode(text + b"=" * (-len(text) % 4))
        return _METADATA.decode(plain)
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError) as error:
        raise BadMetadata(f"metadata that cannot be read: {_reason(error)}") from None


def played_mark(text: bytes) -> str | None:
    """The name of the mark that a text says was played; None for a cleared one and other texts."""
    try:
        message = _TEXT.decode(text)
        if message.type != "mark":
            return None
        mark = _MARK.decode(message.data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadText(f"a text that cannot be read: {_reason(error)}") from None
    return mark.name if mark.event == "playout" else None


def written_file(body: str) -> tuple[str, int] | None:
    """The file that the module wrote for one of our pieces, and the piece's number; None where an
    event's body says neither."""
    try:
        written = _WRITTEN.decode(body)
    except msgspec.DecodeError:
        return None
    return written.file, written.piece


def mark_text(name: str) -> bytes:
    """Ask jambonz's mod_audio_fork to tell when what was sent before has been played."""
    return b'{"type":"mark","data":{"name":"%s"}}' % name.encode("ascii")


def audio_text(module: Module, pcm: bytes, piece: int) -> bytes:
    """PCM of 8000 Hz as a streamAudio or playAudio text.  The module's event gives `piece` back."""
    audio = binascii.b2a_base64(pcm, newline=False)
    if module == "stream":
        return (
            b'{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":8000,"piece":%d,"audioData":"%s"}}'
            % (piece, audio)
        )
    return (
        b'{"type":"playAudio","data":{"audioContentType":"raw","sampleRate":8000,"piece":%d,"audioContent":"%s"}}'
        % (piece, audio)
    )


def _reason(error: Exception) -> str:
    """Without the text itself, which may hold a customer's number."""
    return str(error)[:120] if isinstance(error, msgspec.ValidationError) else "not JSON in UTF-8"
