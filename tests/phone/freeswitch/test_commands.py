"""Commands: what goes in is a value and nothing more; causes in everybody's terms."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phone.freeswitch import commands
from bot.phone.freeswitch.commands import UnsafeValue
from bot.phone.freeswitch.settings import FreeSwitchSettings

LINE = "7dd5e34e-5db4-4edb-a166-757e5d29b941"
SETTINGS = FreeSwitchSettings(media_url="ws://10.0.0.5:8080")
HOSTILE = st.text(st.sampled_from(list("ab1+*#.,|{}[]<>()&'\"\\$^:;=/ \t\n\r\0-_～１")), max_size=20)

WITH_VALUE: list[Callable[[str], str]] = [
    lambda value: commands.exists(value),
    lambda value: commands.kill(value),
    lambda value: commands.play(LINE, value),
    lambda value: commands.send_digits(LINE, value),
    lambda value: commands.transfer(LINE, value, "default"),
    lambda value: commands.bridge(LINE, value),
    lambda value: commands.originate(SETTINGS, LINE, value, "+861012345678", 30),
    lambda value: commands.originate(SETTINGS, LINE, "+8613800138000", value, 30),
    lambda value: commands.originate_agent(SETTINGS, LINE, value, "1000"),
    lambda value: commands.originate_agent(SETTINGS, LINE, "1000", value),
    lambda value: commands.start_media(SETTINGS, LINE, value, "mono", None),
    lambda value: commands.start_media(SETTINGS, LINE, "e30", "mono", value),
]


@given(value=HOSTILE, which=st.sampled_from(WITH_VALUE))
def test_a_value_is_refused_or_stays_one_word(value: str, which: Callable[[str], str]) -> None:
    try:
        command = which(value)
    except UnsafeValue as refused:
        assert not value.strip() or len(value) < 4 or value not in str(refused)
        return
    assert not set(value) & set(" \t\n\r\0,|{}[]<>'\"\\$")
    assert value in command


def test_a_customer_is_called_under_our_id_without_early_media() -> None:
    command = commands.originate(SETTINGS, LINE, "+8613800138000", "+861012345678", 25)
    assert command == (
        f"originate {{origination_uuid={LINE},origination_caller_id_number=+861012345678,"
        "effective_caller_id_number=+861012345678,ignore_early_media=true,originate_timeout=25,"
        "send_silence_when_idle=-1}sofia/gateway/trunk/+8613800138000 &park()"
    )


def test_a_trunk_that_wants_bare_digits_gets_them() -> None:
    digits = msgspec.structs.replace(SETTINGS, number_format="digits")
    command = commands.originate(digits, LINE, "+8613800138000", "+861012345678", 25)
    assert "trunk/8613800138000 " in command and "number=861012345678," in command


@pytest.mark.parametrize(
    ("module", "playback", "end"),
    [
        (
            "fork",
            "binary",
            "uuid_audio_fork {} start {}/freeswitch/fork mono 8k audio_fork e30 true true 8000",
        ),
        ("fork", "files", "uuid_audio_fork {} start {}/freeswitch/fork mono 8k audio_fork e30"),
        ("stream", "files", "uuid_audio_stream {} start {}/freeswitch/stream mono 8k e30"),
        ("stream", "json", "uuid_audio_stream {} start {}/freeswitch/stream mono 8k e30"),
    ],
)
def test_each_module_is_started_in_its_own_words(module: str, playback: str, end: str) -> None:
    settings = msgspec.structs.replace(SETTINGS, module=module, playback=playback)
    assert commands.start_media(settings, LINE, "e30", "mono", None) == end.format(LINE, settings.media_url)


@pytest.mark.parametrize(
    ("cause", "meaning"),
    [
        ("NORMAL_CLEARING", "normal"),
        ("USER_BUSY", "busy"),
        ("NO_ANSWER", "no_answer"),
        ("CALL_REJECTED", "rejected"),
        ("UNALLOCATED_NUMBER", "unreachable"),
        ("SUBSCRIBER_ABSENT", "unreachable"),
        ("NORMAL_CIRCUIT_CONGESTION", "congestion"),
        ("ORIGINATOR_CANCEL", "cancelled"),
        ("SRTP_READ_ERROR", "failed"),
        ("", "failed"),
    ],
)
def test_causes_are_told_in_the_terms_of_all_switches(cause: str, meaning: str) -> None:
    assert commands.cause_of(cause) == meaning


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"media_url": "http://x"}, "media_url"),
        ({"media_url": "ws://x/path"}, "media_url"),
        ({"module": "fork", "playback": "json"}, "module fork"),
        ({"piece_ms": 30}, "piece_ms"),
        ({"dial_string": "sofia/gateway/a/{number}|user/1"}, "dial_string"),
        ({"dial_string": "sofia/gateway/a"}, "dial_string"),
        ({"agent_dial_string": "{x=1}user/{number}"}, "agent_dial_string"),
        ({"transfer_context": "a b"}, "transfer_context"),
        ({"agent_ring_s": 0}, "agent_ring_s"),
        ({"rate_hz": 44100}, "rate_hz"),
        ({"esl_password": "secret"}, "esl_password"),
    ],
)
def test_settings_that_do_not_fit_say_which(changes: dict[str, object], what: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=what):
        msgspec.convert({"media_url": "ws://10.0.0.5:8080", **changes}, FreeSwitchSettings)
