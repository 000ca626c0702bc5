"""TwiML says what was meant, whatever texts are put into it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phone.twilio.twiml import connect_stream, dial, is_target, listen_and_dial, reject

URL = "wss://bot.example.com/twilio"


def test_the_bots_stream() -> None:
    root = ElementTree.fromstring(connect_stream(URL, {"call_id": "c-1", "to": "+15550002"}))
    stream = root.find("./Connect/Stream")
    assert root.tag == "Response" and stream is not None and stream.attrib == {"url": URL}
    assert [p.attrib for p in stream] == [
        {"name": "call_id", "value": "c-1"},
        {"name": "to", "value": "+15550002"},
    ]


def test_assist_hears_both_sides_and_the_agent_is_dialled_after_that() -> None:
    root = ElementTree.fromstring(listen_and_dial(URL, {}, "client:lina"))
    assert [child.tag for child in root] == ["Start", "Dial"]
    stream = root.find("./Start/Stream")
    assert stream is not None and stream.attrib == {"url": URL, "track": "both_tracks"}
    assert root.findtext("./Dial/Client") == "lina"


@pytest.mark.parametrize(
    ("target", "noun", "text"),
    [
        ("+8613800138000", "Number", "+8613800138000"),
        ("sip:lina@pbx.example.com;transport=tls?X-Id=1&b=<2>", "Sip", None),
        ("client:lina.wang", "Client", "lina.wang"),
    ],
)
def test_a_transfer_names_its_target_and_our_number(target: str, noun: str, text: str | None) -> None:
    assert is_target(target)
    found = ElementTree.fromstring(dial(target, "+15550001")).find("Dial")
    assert found is not None and found.attrib == {"callerId": "+15550001"}
    assert found.findtext(noun) == (text or target)


@pytest.mark.parametrize(
    "target", ["", "13800138000", "+1", "sip:x", "client:", "client:a b", "+1555</Dial>"]
)
def test_what_cannot_be_dialled_is_refused(target: str) -> None:
    assert not is_target(target)
    with pytest.raises(ValueError, match="target"):
        dial(target)


def test_a_refused_call_hears_busy() -> None:
    root = ElementTree.fromstring(reject())
    assert [(child.tag, child.attrib) for child in root] == [("Reject", {"reason": "busy"})]


def _kept(text: str) -> str:
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=40), max_size=4))
def test_parameters_come_back_as_they_were_but_for_what_xml_cannot_hold(given: dict[str, str]) -> None:
    stream = ElementTree.fromstring(connect_stream(URL, given)).find("./Connect/Stream")
    assert stream is not None
    assert [(p.get("name"), p.get("value")) for p in stream] == [
        (_kept(n), _kept(v)) for n, v in given.items()
    ]


def test_a_parameter_that_twilio_would_cut_is_refused() -> None:
    connect_stream(URL, {"contact": "x" * 493})
    with pytest.raises(ValueError, match="500"):
        connect_stream(URL, {"contact": "x" * 494})
