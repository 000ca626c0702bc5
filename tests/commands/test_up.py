"""`huashu up` and `huashu demo assist`: what they start, and how they refuse what cannot work."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import pytest

from bot.processes.managed import ProcessFailed
from bot.store.database import Database
from bot.store.users import find_user
from commands.assist_processes import assist_processes, check_port, faults_of, people_for_demo
from commands.main import main
from commands.up import _web_words, add_arguments


def test_the_web_servers_own_options_are_handed_on_as_they_were_given() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    given = ["--host", "127.0.0.1", "--port", "8123", "--origin", "https://a", "--origin", "https://b"]
    given += ["--behind-proxy"]
    arguments = parser.parse_args(given)
    again = parser.parse_args(_web_words(arguments))
    assert vars(again) == vars(arguments)


def test_there_is_a_web_server_also_where_no_script_is_for_agents() -> None:
    assert [other.module for other in assist_processes([])] == ["assist.web"]
    names = [other.name for other in assist_processes(["bundle"], workers=2)]
    assert names == ["assist-1", "assist-2", "web-1"]


def test_a_taken_port_is_refused_in_words_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match="--port"):
            check_port("127.0.0.1", port)
        assert main(["up", "--port", str(port)]) == 1
        assert main(["demo", "assist", "--port", str(port)]) == 1
    assert capsys.readouterr().err.count(str(port)) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["demo", "assist", "--call", "bundel"], "bundle_data_over"),
        (["demo", "assist", "--calls", "0"], "at least 1"),
        (["demo", "assist", "--agents", "0"], "at least 1"),
        (["up", "--workers", "0"], "at least 1"),
        (["up", "--host", "0.0.0.0"], "--tls-cert"),
    ],
)
def test_what_cannot_work_is_refused_with_the_remedy(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    assert says in capsys.readouterr().err


def test_demo_people_get_new_passwords_each_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'd.db'}"
    first = people_for_demo({"demo-1": "agent", "demo-lead": "supervisor"}, url)
    second = people_for_demo({"demo-1": "agent", "demo-lead": "supervisor"}, url)
    assert first["demo-1"] != second["demo-1"] != second["demo-lead"]
    database = Database.open(url)
    try:
        with database.read() as connection:
            user = find_user(connection, "default", "demo-1")
            lead = find_user(connection, "default", "demo-lead")
    finally:
        database.close()
    assert user is not None and lead is not None
    assert (user.role, lead.role) == ("agent", "supervisor")
    assert user.password not in (first["demo-1"], second["demo-1"])


def test_of_a_group_of_faults_each_is_told_and_a_defect_is_not_hidden() -> None:
    one, other = ProcessFailed("web-1 ended"), ValueError("bad")
    assert faults_of(ExceptionGroup("", [one, ExceptionGroup("", [other])])) == [one, other]
    with pytest.raises(ExceptionGroup):
        faults_of(ExceptionGroup("", [one, KeyError("a defect")]))
