"""Fetching a speech model: the work behind `huashu models pull NAME`.  Never done by itself.

Each file is fetched to `<file>.part`, resumed where the server allows it, checked by SHA-256, then
moved into place.  A file without a published checksum is trusted at the first fetch: its checksum is
recorded in `<models>/checksums.json` and any later fetch must give the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import aiohttp

from bot.speech.models import Model, ModelFile

CHUNK_BYTES = 256 * 1024
TIMEOUT_S = 60
ATTEMPTS = 3

Progress = Callable[[str, int, int | None], None]
"""Called with the file's path, the bytes so far and the bytes in all (None where unknown)."""
Say = Callable[[str], None]
"""Called with a line for the user."""


class PullError(Exception):
    """A model could not be fetched; says which file, why, and what to do."""


async def pull(model: Model, root: Path, *, progress: Progress, say: Say) -> Path:
    """Fetch all files of `model` into `root/<folder>` that are not there yet; the folder.

    Raises PullError where a file cannot be fetched or is not what it should be; what was fetched
    before stays, and another pull goes on from there.
    """
    folder = root / model.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PullError(
            f"{folder} cannot be made ({error.strerror}): set HUASHU_MODELS to a writable folder"
        ) from error
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT_S, sock_read=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        for file in model.files:
            if not (folder / file.path).is_file():
                await _one(session, model, file, folder, root, progress, say)
    return folder


async def _one(
    session: aiohttp.ClientSession,
    model: Model,
    file: ModelFile,
    folder: Path,
    root: Path,
    progress: Progress,
    say: Say,
) -> None:
    name = file.url.rsplit("/", 1)[-1] if file.archive else file.path
    part = folder / f"{name}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    await _download(session, file.url, part, lambda done, whole: progress(name, done, whole))
    found = await asyncio.to_thread(_sha256, part)
    _check(file, found, part, root, say)
    if file.archive:
        await asyncio.to_thread(_unpack, part, folder, model.folder)
        part.unlink()
        if not (folder / file.path).is_file():
            raise PullError(f"{file.url} holds no {file.path}: its publisher changed it; report this")
    else:
        part.replace(folder / file.path)


async def _download(
    session: aiohttp.ClientSession, url: str, part: Path, progress: Callable[[int, int | None], None]
) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        done = part.stat().st_size if part.is_file() else 0
        try:
            async with session.get(url, headers={"Range": f"bytes={done}-"} if done else {}) as answer:
                if answer.status == 416:  # nothing is left to fetch
                    return
                if answer.status not in (200, 206):
                    raise PullError(
                        f"{url} answered {answer.status}: check the network or a proxy, then pull again"
                    )
                done = done if answer.status == 206 else 0
                whole = done + answer.content_length if answer.content_length is not None else None
                with part.open("ab" if answer.status == 206 else "wb") as out:
                    async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                        out.write(chunk)
                        done += len(chunk)
                        progress(done, whole)
                return
        except (aiohttp.ClientError, TimeoutError) as error:
            if attempt == ATTEMPTS:
                raise PullError(
                    f"{url} cannot be fetched ({error or type(error).__name__}): "
                    "check the network, then pull again; "
                    "it goes on where it stopped / 下载中断，请检查网络后再次运行，会接着下载"
                ) from error


def _check(file: ModelFile, found: str, part: Path, root: Path, say: Say) -> None:
    record = root / "checksums.json"
    known: dict[str, str] = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    wanted = file.sha256 or known.get(file.url)
    if wanted is None:
        say(
            f"no checksum is published for {file.url}; trusted at this first fetch, "
            f"SHA-256 {found} recorded in {record}"
            f" / 该文件没有公布校验值，首次下载按此记录"
        )
        record.write_text(json.dumps({**known, file.url: found}, indent=1) + "\n", encoding="utf-8")
    elif wanted != found:
        part.unlink()
        raise PullError(
            f"{file.url} is not what it should be: SHA-256 {found}, wanted {wanted}. "
            "It was deleted; pull again, "
            "and report it if it happens twice / 校验失败，文件已删除，请重新下载"
        )


def _unpack(archive: Path, folder: Path, top: str) -> None:
    """The archive's files into `folder`; its one top folder `top` is left out.  Nothing may lead outside."""
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                inner = Path(member.name)
                if inner.parts[:1] == (top,):
                    inner = Path(*inner.parts[1:])
                if not member.isfile() or inner.is_absolute() or ".." in inner.parts:
                    continue
                source = tar.extractfile(member)
                assert source is not None  # isfile() says so
                target = folder / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                with source, target.open("wb") as out:
                    while chunk := source.read(CHUNK_BYTES):
                        out.write(chunk)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise PullError(f"{archive} cannot be unpacked ({error}): delete it and pull again") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
