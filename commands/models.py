"""`huashu models list` and `huashu models pull NAME`: speech models, fetched only when asked for."""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu models`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|pull")
    actions.add_parser("list", help="有哪些模型,装了没有 / the models and whether they are installed")
    pull = actions.add_parser("pull", help="下载一个模型 / fetch a model")
    pull.add_argument("name", help="模型名,见 list / its name, see list")


def run(arguments: argparse.Namespace) -> int:
    """List or pull; 1 where a model cannot be fetched, 2 for an unknown name."""
    from bot.data_folder import DataFolderError
    from bot.speech.models import CATALOGUE, installed, models_root

    try:
        root = models_root()
    except DataFolderError as error:
        print(f"huashu models: {error}", file=sys.stderr)
        return 1
    if arguments.action == "list":
        print(f"模型目录 / models folder: {root}")
        for model in CATALOGUE.values():
            state = "已安装 / installed" if installed(model.name) else "未安装 / not installed"
            print(f"{model.name:16} {model.kind:10} {state}  {model.title}  [{model.licence}]")
        return 0
    return _pull(arguments.name)


def _pull(name: str) -> int:
    import asyncio
    import difflib

    from bot.speech.models import CATALOGUE, models_root
    from bot.speech.pull import PullError, pull

    if name not in CATALOGUE:
        near = difflib.get_close_matches(name, CATALOGUE, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "known: " + ", ".join(CATALOGUE)
        print(f"huashu models: 没有这个模型 / unknown model '{name}' → {hint}", file=sys.stderr)
        return 2

    def progress(file: str, done: int, whole: int | None) -> None:
        if sys.stderr.isatty():
            share = f" {done * 100 // whole}%" if whole else ""
            print(f"\r{file} {done / 1e6:.1f} MB{share}   ", end="", file=sys.stderr, flush=True)

    def say(text: str) -> None:
        print(text, file=sys.stderr)

    try:
        folder = asyncio.run(pull(CATALOGUE[name], models_root(), progress=progress, say=say))
    except PullError as error:
        print(f"\nhuashu models: {error}", file=sys.stderr)
        return 1
    print(f"\n已安装 / installed: {folder}")
    return 0
