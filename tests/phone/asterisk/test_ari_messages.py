"""What ARI says, read: events of the real shapes, causes, parameters; what cannot be read is refused."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phone.asterisk import ari_messages as said
from bot.phone.asterisk.ari_leftovers import Leftovers, Pair, leftovers
from bot.phone.asterisk.ari_leg import dial_string
from bot.phone.asterisk.ari_media import media_url
from bot.phone.asterisk.ari_messages import Bridge, Channel, Dialplan
from bot.phone.asterisk.settings import AriSettings, AudioSocketSettings, MediaSettings
from bot.phone.dialling import Cause, LineState

CHANNEL = """{"id":"huashu-1","name":"PJSIP/trunk-00000001","state":"Up","protocol_id":"a@b","caller":
{"name":"","number":"13800138000"},"connected":{"name":"","number":""},"accountcode":"","dialplan":{
"context":"from-trunk","exten":"4008001000","priority":2,"app_name":"Stasis","app_data":"huashu,queue=1"},
"creationtime":"2026-11-22T10:00:00.000+0800","language":"en"}"""


def event(kind: str, rest: str) -> said.Event | None:
    return said.event_of(
        f'{{"type":"{kind}","timestamp":"2026-11-22T10:00:00.000+0800","application":"huashu",{rest},'
        '"asterisk_id":"00:15:5d:01:02:03"}'
    )


def test_events_of_the_documented_shapes_are_read() -> None:
    start = event("StasisStart", f'"args":["queue=1"],"channel":{CHANNEL}')
    assert isinstance(start, said.StasisStart) and start.args == ["queue=1"]
    assert (start.channel.dialplan.exten, start.channel.caller.number) == ("4008001000", "13800138000")
    over = event("ChannelDestroyed", f'"cause":17,"cause_txt":"User busy","channel":{CHANNEL}')
    assert isinstance(over, said.ChannelDestroyed) and over.cause == 17
    request = event("ChannelHangupRequest", f'"soft":true,"channel":{CHANNEL}')
    assert isinstance(request, said.ChannelHangupRequest) and request.cause == said.NO_CAUSE
    dial = event("Dial", f'"dialstatus":"RINGING","forward":"","dialstring":"","peer":{CHANNEL}')
    assert isinstance(dial, said.Dial) and (dial.dialstatus, dial.peer.id) == ("RINGING", "huashu-1")
    key = event("ChannelDtmfReceived", f'"digit":"#","duration_ms":90,"channel":{CHANNEL}')
    assert isinstance(key, said.ChannelDtmfReceived) and key.digit == "#"


def test_events_that_are_not_used_are_ignored() -> None:
    for kind in ("ChannelVarset", "BridgeCreated", "ChannelTalkingStarted", "SomethingNew", ""):
        assert event(kind, f'"channel":{CHANNEL}') is None


@given(st.one_of(st.text(), st.binary()))
def test_any_text_is_an_event_or_ignored_or_a_bad_event(text: str | bytes) -> None:
    try:
        said.event_of(text)
    except said.BadEvent:
        return


@given(
    st.sampled_from(["StasisStart", "Dial", "ChannelDestroyed", "ChannelDtmfReceived"]),
    st.recursive(st.none() | st.integers() | st.text(), lambda one: st.dictionaries(st.text(), one)),
)
def test_an_event_with_anything_in_its_fields_is_read_or_refused(kind: str, anything: Any) -> None:
    fields = {"type": kind, "channel": anything, "peer": anything, "cause": anything, "digit": anything}
    try:
        said.event_of(msgspec.json.encode(fields))
    except said.BadEvent:
        return


@given(st.integers(), st.booleans(), st.booleans(), st.text())
def test_every_cause_has_an_outcome(code: int, answered: bool, cancelled: bool, status: str) -> None:
    outcome = said.cause_of(code, answered=answered, cancelled=cancelled, dialstatus=status)
    assert outcome in get_args(Cause)
    assert answered or outcome != "normal"


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=20))
def test_parameters_come_back_as_they_were_sent(parameters: dict[str, str]) -> None:
    args = said.args_of(parameters)
    assert not set(args) & set("\"'\\;()|&$ \n")
    assert said.parameters_of(args.split(",") if args else []) == parameters


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("Down", LineState.SENT),
        ("Dialing", LineState.SENT),
        ("Ring", LineState.RINGING),
        ("Ringing", LineState.RINGING),
        ("Up", LineState.ANSWERED),
        ("Unknown", LineState.SENT),
    ],
)
def test_how_far_a_channel_has_come(state: str, expected: LineState) -> None:
    assert said.line_state(state) == expected


@given(st.text())
def test_only_a_plain_number_goes_into_a_dial_string(number: str) -> None:
    try:
        made = dial_string("PJSIP/{number}@trunk", number)
    except ValueError:
        return
    assert made == f"PJSIP/{number}@trunk" and not set(number) & set("/&@,|;: \n{}$")


def test_media_waits_beside_ari() -> None:
    assert media_url("http://10.0.0.5:8088/ari", "a b") == "ws://10.0.0.5:8088/media/a%20b"
    assert media_url("https://pbx.example/asterisk/ari/", "x") == "wss://pbx.example/asterisk/media/x"


def test_what_is_left_of_a_dead_process_is_sorted_and_other_applications_are_not_touched() -> None:
    def channel(name: str, kind: str, app: str = "a") -> Channel:
        return Channel(name, kind, dialplan=Dialplan(app_name="Stasis", app_data=f"{app},x=1"))

    there = [
        channel("huashu-1", "PJSIP/t-1"),
        channel("huashu-agent-1", "PJSIP/1001-1"),
        channel("huashu-2", "PJSIP/t-2"),
        channel("huashu-media-2", "AudioSocket/h-u"),
        channel("huashu-agent-3", "PJSIP/1002-1"),
        channel("huashu-media-b", "AudioSocket/h-v", "a-b"),
        Channel("1763.1", "PJSIP/1009-1"),
    ]
    bridges = [
        Bridge("huashu-a~1", ["huashu-1", "huashu-agent-1"]),
        Bridge("huashu-a~2", ["huashu-2", "huashu-media-2"]),
        Bridge("huashu-a~3", []),
        Bridge("huashu-a-b~4", ["huashu-media-b"]),
        Bridge("theirs", ["1763.1"]),
    ]
    assert leftovers("a", there, bridges) == Leftovers(
        pairs=(Pair("huashu-a~1", "huashu-1", "huashu-agent-1"),),
        channels=("huashu-media-2", "huashu-agent-3"),
        bridges=("huashu-a~2", "huashu-a~3"),
    )


GOOD: dict[str, Any] = {
    "url": "http://10.0.0.5:8088/ari",
    "app": "huashu",
    "user": "huashu",
    "password_env": "ARI_PASSWORD",
    "trunk": "PJSIP/{number}@trunk",
    "external_host": "10.0.0.7:9092",
}


def test_settings_that_can_work_are_taken() -> None:
    assert msgspec.convert(GOOD, AriSettings).transport == "audiosocket"
    rest = {key: value for key, value in GOOD.items() if key != "external_host"}
    assert msgspec.convert(rest | {"transport": "websocket"}, AriSettings).external_host is None
    assert msgspec.convert(GOOD | {"external_host": "[::1]:9092"}, AriSettings).external_host == "[::1]:9092"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "10.0.0.5:8088"),
        ("url", "http://u:p@10.0.0.5/ari"),
        ("url", "http://10.0.0.5/ari?api_key=u:p"),
        ("app", "a,b"),
        ("app", "a~b"),
        ("user", "a:b"),
        ("trunk", "PJSIP/trunk"),
        ("agent", "{number}"),
        ("external_host", None),
        ("external_host", "10.0.0.7"),
        ("external_host", "10.0.0.7:99999"),
        ("setup_s", 0),
        ("ring_s", 10_000),
        ("password", "secret"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert(GOOD | {field: value}, AriSettings)


def test_media_settings_that_cannot_work_are_refused() -> None:
    for kind, field, value in (
        (AudioSocketSettings, "port", 70_000),
        (AudioSocketSettings, "idle_s", 0),
        (MediaSettings, "start_s", -1),
        (MediaSettings, "format", "g729"),
    ):
        with pytest.raises(msgspec.ValidationError, match=field):
            msgspec.convert({field: value}, kind)
