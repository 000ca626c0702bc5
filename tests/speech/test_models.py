"""Models are fetched from a real HTTP server: checked, resumed, unpacked, and never trusted blindly."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from bot.call.ports import RecogniserError
from bot.speech.models import CATALOGUE, Model, ModelFile, installed, model_folder
from bot.speech.pull import PullError, pull

CONTENT = bytes(range(256)) * 4096


class Server:
    """Serves CONTENT at /model, an archive at /archive; understands ranges; remembers what was asked."""

    def __init__(self, archive: bytes = b"", break_after: int | None = None) -> None:
        self.ranges: list[str | None] = []
        self._archive, self._break_after = archive, break_after

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        data = self._archive if request.path == "/archive" else CONTENT
        if request.path == "/gone":
            raise web.HTTPNotFound
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        answer = web.StreamResponse(status=206 if asked else 200)
        answer.content_length = len(data) - start
        await answer.prepare(request)
        if self._break_after is not None and not asked:
            await answer.write(data[: self._break_after])
            assert request.transport is not None
            request.transport.close()
            return answer
        await answer.write(data[start:])
        return answer

    async def run(self, work: Callable[[str], Awaitable[None]]) -> None:
        app = web.Application()
        app.router.add_get("/{tail:.*}", self.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            await work(f"http://127.0.0.1:{runner.addresses[0][1]}")
        finally:
            await runner.cleanup()


def fetch(server: Server, root: Path, make: Callable[[str], tuple[ModelFile, ...]]) -> list[str]:
    """Pull a model of these files; what the user was told."""
    told: list[str] = []

    async def work(base: str) -> None:
        model = Model("m", "m-folder", "recogniser", "t", "MIT", make(base))
        await pull(model, root, progress=lambda *_: None, say=told.append)

    asyncio.run(server.run(work))
    return told


SHA = hashlib.sha256(CONTENT).hexdigest()


def test_a_file_with_the_right_checksum_is_put_in_place(tmp_path: Path) -> None:
    told = fetch(Server(), tmp_path, lambda base: (ModelFile(f"{base}/model", "hmm/means", SHA),))
    assert (tmp_path / "m-folder/hmm/means").read_bytes() == CONTENT
    assert told == []
    assert not list(tmp_path.rglob("*.part"))


def test_a_wrong_checksum_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(PullError, match="wanted 0000"):
        fetch(Server(), tmp_path, lambda base: (ModelFile(f"{base}/model", "means", "0" * 64),))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path) -> None:
    server = Server(break_after=300_000)
    fetch(server, tmp_path, lambda base: (ModelFile(f"{base}/model", "means", SHA),))
    assert (tmp_path / "m-folder/means").read_bytes() == CONTENT
    assert server.ranges[0] is None
    assert server.ranges[1] is not None
    assert 0 < int(server.ranges[1].removeprefix("bytes=").rstrip("-")) <= 300_000


def test_without_a_published_checksum_the_first_is_recorded_and_told(tmp_path: Path) -> None:
    urls: list[str] = []

    def files(base: str) -> tuple[ModelFile, ...]:
        urls.append(f"{base}/model")
        return (ModelFile(urls[-1], "means"),)

    told = fetch(Server(), tmp_path, files)
    assert SHA in told[0]
    assert json.loads((tmp_path / "checksums.json").read_text()) == {urls[0]: SHA}


def test_a_recorded_checksum_binds_later_fetches(tmp_path: Path) -> None:
    def files(base: str) -> tuple[ModelFile, ...]:
        (tmp_path / "checksums.json").write_text(json.dumps({f"{base}/model": "f" * 64}))
        return (ModelFile(f"{base}/model", "means"),)

    with pytest.raises(PullError, match="wanted ffff"):
        fetch(Server(), tmp_path, files)


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:bz2") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 3
            tar.addfile(info, io.BytesIO(b"abc"))
    return out.getvalue()


def test_an_archive_is_unpacked_without_its_top_folder_and_never_outside(tmp_path: Path) -> None:
    packed = archive(
        "m-folder/tokens.txt", "m-folder/dict/a", "../evil", "m-folder/../../evil2", "/tmp/evil3"
    )
    fetch(Server(packed), tmp_path, lambda base: (ModelFile(f"{base}/archive", "tokens.txt", archive=True),))
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"m-folder/tokens.txt", "m-folder/dict/a", "checksums.json"}
    assert not (tmp_path.parent / "evil").exists()


def test_an_archive_without_the_file_it_should_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PullError, match=r"holds no tokens\.txt"):
        fetch(
            Server(archive("m-folder/x")), tmp_path,
            lambda base: (ModelFile(f"{base}/archive", "tokens.txt", archive=True),),
        )  # fmt: skip


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PullError, match="/gone answered 404"):
        fetch(Server(), tmp_path, lambda base: (ModelFile(f"{base}/gone", "x", SHA),))


def test_what_is_installed_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "m-folder").mkdir()
    (tmp_path / "m-folder/means").write_bytes(b"mine")
    server = Server()
    fetch(server, tmp_path, lambda base: (ModelFile(f"{base}/model", "means", SHA),))
    assert server.ranges == []


def test_every_catalogue_entry_is_whole() -> None:
    for name, model in CATALOGUE.items():
        assert name == model.name
        assert model.files
        for file in model.files:
            assert file.url.startswith("https://")
            assert file.sha256 is None or len(file.sha256) == 64
            assert file.sha256 or file.archive, f"{file.url} is small enough to have its checksum here"


def test_a_model_that_is_not_there_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUASHU_MODELS", str(tmp_path))
    assert not installed("zipformer-zh-en")
    with pytest.raises(RecogniserError, match="huashu models pull zipformer-zh-en"):
        model_folder("zipformer-zh-en")
