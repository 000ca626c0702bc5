"""FreeSWITCH API commands as text, safe against values that would be read as more than a value.

The switch splits a command at spaces, `{a=b,c=d}` at commas, dial strings at `,` and `|`, and reads
quotes, backslashes and `${…}`.  So every value is held to a narrow alphabet before it goes in;
UnsafeValue says which was not.  Pure.  Syntax read from mod_commands.c, mod_audio_stream.c and
mod_audio_fork.c.
"""

from __future__ import annotations

import re

from bot.phone.dialling import Cause
from bot.phone.freeswitch.settings import FreeSwitchSettings, Mix

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_EXTENSION = re.compile(r"\+?[A-Za-z0-9_.*#-]{1,40}")
_DIGITS = re.compile(r"[0-9*#A-D]{1,64}")
_FILE = re.compile(r"[A-Za-z0-9_./-]{1,250}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,7900}")

_MODULE_COMMANDS = {"stream": "uuid_audio_stream", "fork": "uuid_audio_fork"}
_BUG = "audio_fork"
_RATE = {8000: "8k", 16000: "16k"}

_CAUSES: dict[str, Cause] = {
    "NORMAL_CLEARING": "normal",
    "BLIND_TRANSFER": "normal",
    "ATTENDED_TRANSFER": "normal",
    "USER_BUSY": "busy",
    "BUSY_EVERYWHERE": "busy",
    "NO_ANSWER": "no_answer",
    "NO_USER_RESPONSE": "no_answer",
    "NO_PICKUP": "no_answer",
    "ALLOTTED_TIMEOUT": "no_answer",
    "PROGRESS_TIMEOUT": "no_answer",
    "CALL_REJECTED": "rejected",
    "DECLINE": "rejected",
    "REJECT_ALL": "rejected",
    "UNWANTED": "rejected",
    "UNALLOCATED_NUMBER": "unreachable",
    "NO_ROUTE_DESTINATION": "unreachable",
    "NO_ROUTE_TRANSIT_NET": "unreachable",
    "INVALID_NUMBER_FORMAT": "unreachable",
    "NUMBER_CHANGED": "unreachable",
    "SUBSCRIBER_ABSENT": "unreachable",
    "USER_NOT_REGISTERED": "unreachable",
    "DOES_NOT_EXIST_ANYWHERE": "unreachable",
    "DESTINATION_OUT_OF_ORDER": "unreachable",
    "NORMAL_CIRCUIT_CONGESTION": "congestion",
    "SWITCH_CONGESTION": "congestion",
    "NORMAL_TEMPORARY_FAILURE": "congestion",
    "REQUESTED_CHAN_UNAVAIL": "congestion",
    "NETWORK_OUT_OF_ORDER": "congestion",
    "GATEWAY_DOWN": "congestion",
    "ORIGINATOR_CANCEL": "cancelled",
    "LOSE_RACE": "cancelled",
    "PICKED_OFF": "cancelled",
    "MANAGER_REQUEST": "cancelled",
}


class UnsafeValue(ValueError):
    """A value that must not go into a command; says which, never what it holds."""


def cause_of(hangup_cause: str) -> Cause:
    """FreeSWITCH's Hangup-Cause in the terms of all switches; what is not known is `failed`."""
    return _CAUSES.get(hangup_cause, "failed")


def exists(line_id: str) -> str:
    return f"uuid_exists {_line(line_id)}"


def dump(line_id: str) -> str:
    return f"uuid_dump {_line(line_id)} json"


def kill(line_id: str, cause: str = "NORMAL_CLEARING") -> str:
    return f"uuid_kill {_line(line_id)} {cause}"


def stop_playing(line_id: str) -> str:
    """Stop what plays and drop what was queued by `play`."""
    return f"uuid_break {_line(line_id)} all"


def play(line_id: str, file: str) -> str:
    """Play a file of the switch to this line, after those queued before."""
    if not _FILE.fullmatch(file) or ".." in file:
        raise UnsafeValue("the file to play has a name that is not taken")
    return f"uuid_broadcast {_line(line_id)} {file} aleg"


def send_digits(line_id: str, digits: str) -> str:
    if not _DIGITS.fullmatch(digits):
        raise UnsafeValue("keys must be of 0-9, *, #, A-D")
    return f"uuid_send_dtmf {_line(line_id)} {digits}"


def transfer(line_id: str, target: str, context: str) -> str:
    if not _EXTENSION.fullmatch(target):
        raise UnsafeValue("the number to transfer to has a sign that no extension has")
    return f"uuid_transfer {_line(line_id)} {target} XML {context}"


def bridge(line_id: str, other: str) -> str:
    return f"uuid_bridge {_line(line_id)} {_line(other)}"


def originate(settings: FreeSwitchSettings, line_id: str, callee: str, caller: str, ring_s: int) -> str:
    """Call a customer: E.164 numbers, `ring_s` seconds; answered, the line waits in `park`."""
    if not _E164.fullmatch(callee):
        raise UnsafeValue("the number to call is not E.164 (+ and 7 to 15 digits)")
    if not _E164.fullmatch(caller):
        raise UnsafeValue("the caller number is not E.164 (+ and 7 to 15 digits)")
    plus = settings.number_format == "e164"
    number, own = (callee, caller) if plus else (callee[1:], caller[1:])
    return _originate(settings, settings.dial_string.format(number=number), line_id, own, ring_s)


def originate_agent(settings: FreeSwitchSettings, line_id: str, agent: str, shown: str) -> str:
    """Call an agent's phone, showing them the number `shown`."""
    if not _EXTENSION.fullmatch(agent):
        raise UnsafeValue("the agent's extension has a sign that no extension has")
    if not _EXTENSION.fullmatch(shown):
        raise UnsafeValue("the number to show the agent has a sign that no number has")
    dial_string = settings.agent_dial_string.format(number=agent)
    return _originate(settings, dial_string, line_id, shown, settings.agent_ring_s)


def start_media(
    settings: FreeSwitchSettings, line_id: str, metadata: str, mix: Mix, media_token: str | None
) -> str:
    """Have the module stream this line to us; `metadata` is one word (stream_messages.metadata_word).

    Nothing is played on a stereo stream, so mod_audio_fork is not asked to.
    """
    if not _TOKEN.fullmatch(metadata):
        raise UnsafeValue("the metadata is too long or no single word")
    query = "" if media_token is None else f"?token={_word(media_token)}"
    url = f"{settings.media_url}/freeswitch/{settings.module}{query}"
    rate = _RATE[settings.rate_hz]
    command = f"{_MODULE_COMMANDS[settings.module]} {_line(line_id)} start {url} {mix} {rate}"
    if settings.module == "stream":
        return f"{command} {metadata}"
    if settings.playback == "files" or mix == "stereo":
        return f"{command} {_BUG} {metadata}"
    return f"{command} {_BUG} {metadata} true true 8000"


def stop_media(settings: FreeSwitchSettings, line_id: str) -> str:
    return f"{_MODULE_COMMANDS[settings.module]} {_line(line_id)} stop"


def _originate(settings: FreeSwitchSettings, dial_string: str, line_id: str, caller: str, ring_s: int) -> str:
    variables = {
        "origination_uuid": _line(line_id),
        "origination_caller_id_number": caller,
        "effective_caller_id_number": caller,
        "ignore_early_media": "true",
        "originate_timeout": str(int(ring_s)),
    }
    if (settings.module, settings.playback) == ("fork", "binary"):
        # the module adds its sound to frames that the channel sends, so a parked one must send some
        variables["send_silence_when_idle"] = "-1"
    inside = ",".join(f"{name}={value}" for name, value in variables.items())
    return f"originate {{{inside}}}{dial_string} &park()"


def _line(line_id: str) -> str:
    if not _UUID.fullmatch(line_id):
        raise UnsafeValue("a line's id is not a UUID")
    return line_id


def _word(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise UnsafeValue("the media token must be of letters, digits, _ and -")
    return text
