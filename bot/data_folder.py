"""Where this machine keeps its data: HUASHU_DATA, else .huashu in the project.

What is made in it belongs to one user: folders get mode 0700.
"""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


class DataFolderError(Exception):
    """The data folder cannot be used; says which and what to do."""


def data_folder(part: str = "") -> Path:
    """The data folder, or the folder `part` within it; made where missing, mode 0700.

    Raises DataFolderError where it cannot be made or written to.
    """
    named = os.environ.get("HUASHU_DATA")
    folder = (Path(named).expanduser() if named else PROJECT / ".huashu") / part
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise DataFolderError(
            f"the data folder {folder} cannot be made: {error.strerror}. Set HUASHU_DATA to a folder "
            f"that you may write to / 数据目录 {folder} 无法创建，请把 HUASHU_DATA 设为可写的目录"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DataFolderError(
            f"the data folder {folder} is not writable. Set HUASHU_DATA to a folder that you may write to"
            f" / 数据目录 {folder} 不可写，请把 HUASHU_DATA 设为可写的目录"
        )
    return folder
