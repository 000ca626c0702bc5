"""The server as a process, its options, and the commands `huashu users` and `huashu web`."""

from __future__ import annotations

import argparse
import io
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import commands.users
from assist.auth.passwords import hash_password
from assist.web import WebServerError, check_options, is_loopback, main, origins
from bot.redis_server import PrivateRedis
from bot.store.database import Database
from bot.store.users import WebSession, add_session, add_user, all_sessions, all_users, end_session, find_user
from tests.web.conftest import PASSWORD

ROOT = Path(__file__).parents[2]


def options(**given: object) -> argparse.Namespace:
    usual = {"redis": "redis://x", "host": "127.0.0.1", "port": 0, "origin": [], "behind_proxy": False}
    return argparse.Namespace(**{**usual, "tls_cert": None, "tls_key": None, "database": None, **given})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"redis": None}, "REDIS_URL"),
        ({"host": "0.0.0.0"}, "--tls-cert"),
        ({"host": "192.168.1.5"}, "--behind-proxy"),
        ({"host": "example.com"}, "plain HTTP"),
        ({"tls_cert": Path("a.pem")}, "--tls-key"),
        ({"tls_cert": Path("/nothing.pem"), "tls_key": Path("/nothing.key")}, "/nothing.pem"),
        ({"behind_proxy": True}, "--origin"),
    ],
)
def test_an_unsafe_or_impossible_way_to_serve_is_refused_with_the_remedy(
    wrong: dict[str, object], says: str
) -> None:
    with pytest.raises(WebServerError, match=says):
        check_options(options(**wrong))


def test_plain_http_is_for_loopback_and_origins_are_exact() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.evil.example"))
    assert origins(options(), 8080, False) == {
        f"http://{h}:8080" for h in ("127.0.0.1", "localhost", "[::1]")
    }
    assert origins(options(origin=["https://assist.example/"]), 8080, True) == {"https://assist.example"}


def test_a_port_in_use_is_said_in_one_line(
    own_server: PrivateRedis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        database = f"sqlite:///{tmp_path / 'h.db'}"
        assert main(["--redis", own_server.url, "--database", database, "--port", port]) == 1
    assert f"127.0.0.1:{port}" in capsys.readouterr().err


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    encoding, shape = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "key.pem").write_bytes(key.private_bytes(encoding, shape, plain))
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return tmp_path / "cert.pem", tmp_path / "key.pem"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    url = f"sqlite:///{tmp_path / 'huashu.db'}"
    return {**os.environ, "HUASHU_DATA": str(tmp_path / "data"), "DATABASE_URL": url, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def https_server(
    own_server: PrivateRedis, environment: dict[str, str], certificate: tuple[Path, Path]
) -> Iterator[str]:
    command = [
        sys.executable, "-m", "assist.web", "--redis", own_server.url, "--port", "0",
        "--tls-cert", str(certificate[0]), "--tls-key", str(certificate[1]),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=ROOT)
    assert process.stdout is not None
    word, address = process.stdout.readline().decode().split()
    assert word == "ready"
    yield f"https://{address.replace('127.0.0.1', 'localhost')}"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0, "SIGTERM ends it cleanly"


async def test_the_process_serves_tls_and_a_new_user_logs_in_at_once(
    https_server: str, environment: dict[str, str], certificate: tuple[Path, Path]
) -> None:
    with Database.open(environment["DATABASE_URL"]).write() as connection:
        add_user(connection, "zhao", "supervisor", hash_password(PASSWORD, cost=4), datetime.now(UTC))
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    async with aiohttp.ClientSession() as http:
        login = f"{https_server}/api/login"
        async with http.post(login, json={"name": "zhao", "password": PASSWORD}, ssl=trust) as answer:
            assert answer.status == 200 and (await answer.json())["role"] == "supervisor"
            assert "max-age" in answer.headers["Strict-Transport-Security"]
        async with http.get(f"{https_server}/supervisor", ssl=trust) as page:
            assert page.status == 200


def users(database: str, *words: str, password: str = PASSWORD) -> int:
    """`huashu users …`, with a password on standard input."""
    parser = argparse.ArgumentParser()
    commands.users.add_arguments(parser)
    before, sys.stdin = sys.stdin, io.StringIO(password + "\n")
    try:
        return commands.users.run(parser.parse_args([*words, "--database", database]))
    finally:
        sys.stdin = before


def test_users_are_added_listed_shut_out_and_let_in_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'h.db'}"
    assert users(url, "list") == 0 and "no users yet" in capsys.readouterr().out
    assert users(url, "add", "张三", "--role", "agent", "--team", "north") == 0
    assert users(url, "add", "张三", "--role", "agent") == 1
    assert users(url, "disable", "张三") == 0
    assert users(url, "disable", "nobody") == 1
    capsys.readouterr()
    assert users(url, "list") == 0
    listed = capsys.readouterr().out
    assert "张三" in listed and "north" in listed and "disabled" in listed
    assert users(url, "enable", "张三") == 0
    database = Database.open(url)
    with database.read() as connection:
        user = find_user(connection, "default", "张三")
    database.close()
    assert user is not None and not user.disabled and user.generation == 3


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [("a b", PASSWORD, "not a name"), ("a:b", PASSWORD, "not a name"), ("li", "short", "10")],
)
def test_bad_names_and_weak_passwords_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, password: str, says: str
) -> None:
    url = f"sqlite:///{tmp_path / 'h.db'}"
    assert users(url, "add", name, "--role", "agent", password=password) == 1
    assert says in capsys.readouterr().err
    database = Database.open(url)
    with database.read() as connection:
        assert all_users(connection) == []
    database.close()


def test_a_new_password_ends_what_was_given_out_before(tmp_path: Path) -> None:
    url, now = f"sqlite:///{tmp_path / 'h.db'}", datetime.now(UTC)
    assert users(url, "add", "li", "--role", "agent") == 0
    database = Database.open(url)
    with database.write() as connection:
        add_session(connection, WebSession("default", "h1", "li", now + timedelta(hours=1)), now)
        add_session(connection, WebSession("default", "h2", "wang", now + timedelta(hours=1)), now)
    assert users(url, "password", "li", password="另一个也很长的密码1") == 0
    with database.read() as connection:
        assert [session.name for session in all_sessions(connection, now)] == ["wang"]
        user = find_user(connection, "default", "li")
        assert user is not None and user.generation == 2
    database.close()


def test_sessions_expire_and_end(tmp_path: Path) -> None:
    database, now = Database.open(f"sqlite:///{tmp_path / 'h.db'}"), datetime.now(UTC)
    with database.write() as connection:
        add_session(connection, WebSession("default", "old", "li", now - timedelta(seconds=1)), now)
        assert all_sessions(connection, now) == []
        add_session(connection, WebSession("default", "new", "li", now + timedelta(hours=1)), now)
        assert [session.id_hash for session in all_sessions(connection, now)] == ["new"]
        end_session(connection, "new")
        assert all_sessions(connection, now) == []
    database.close()


def test_passwords_never_come_as_arguments() -> None:
    parser = argparse.ArgumentParser()
    commands.users.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["add", "li", "--role", "agent", "--password", PASSWORD])
