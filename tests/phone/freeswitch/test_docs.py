"""docs/phones/freeswitch.md: what it gives to paste is read, parsed and run."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bot.phone.freeswitch.stream_messages import metadata_of
from bot.phone.settings import read_phones
from tests.phone.freeswitch.conftest import Open

PAGE = (Path(__file__).parents[3] / "docs/phones/freeswitch.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
STARTS = re.findall(r"api_result=\$\{(uuid_audio_\w+)\((.*?)\)\}'", PAGE)


def test_the_settings_are_read(tmp_path: Path) -> None:
    (text,) = [text for kind, text in BLOCKS if kind == "yaml"]
    commented = re.sub(r"^(  )# (\w+:)", r"\1\2", text, flags=re.MULTILINE)
    for number, yaml in enumerate((text, commented)):
        path = tmp_path / f"{number}.yml"
        path.write_text(yaml, "utf-8")
        phones = read_phones(path)
        assert phones.freeswitch is not None and phones.freeswitch.module == "fork"


@pytest.mark.parametrize("xml", [text for kind, text in BLOCKS if kind == "xml"])
def test_the_xml_is_well_formed(xml: str) -> None:
    ElementTree.fromstring(xml)


@pytest.mark.parametrize(("command", "arguments"), STARTS)
async def test_the_dialplans_start_brings_a_call(site: Open, command: str, arguments: str) -> None:
    stream = command == "uuid_audio_stream"
    here = await site("community" if stream else "jambonz", token="change-me")
    channel = here.peer.new_channel()
    for name, value in (("${uuid}", channel.uuid), ("${huashu_caller}", "+8613800138000"), ("$1", "95588")):
        arguments = arguments.replace(name, value)
    arguments = arguments.replace("ws://10.0.0.5:8765", here.url.rsplit("/freeswitch", 1)[0])
    words = arguments.split(" ")
    assert metadata_of(words[5 if stream else 6].encode()).uuid == channel.uuid
    here.peer.dialplan(command, words)
    arrival = await here.arrival()
    assert (arrival.caller, arrival.called) == ("+8613800138000", "95588")
    assert arrival.leg.capabilities.two_tracks == ("stereo" in words)


def test_every_way_to_start_a_stream_is_there() -> None:
    assert [command for command, _ in STARTS] == ["uuid_audio_fork", "uuid_audio_stream", "uuid_audio_fork"]
