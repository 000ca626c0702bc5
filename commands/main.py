"""`huashu`: finds the subcommand and runs it.

Each subcommand is a module of this package with SUMMARY (zh, en), add_arguments(parser) and
run(arguments) -> exit code.  Only the one that runs is imported, so `--help` stays fast.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("十几位模拟客户同时来电,看机器人打完", "a dozen simulated customers, live, to the end"),
    "up": ("启动全部服务并一直运行", "run everything, and keep it running"),
    "call": ("和一位模拟客户打一通电话", "one call with one simulated customer"),
    "voice": ("在真实电话线路上接听", "the bot on real phone lines"),
    "talk": ("用网页麦克风和机器人通话", "talk to the bot from a web page"),
    "chat": ("在终端里和话术对话", "talk to a script in the terminal"),
    "parse": ("听懂一句话:每行一个 JSON", "understand lines: one JSON each"),
    "interrupts": ("这句话会不会打断机器人", "would these words stop the bot"),
    "assist": ("在终端里试坐席辅助:每行一句话", "advice for an agent: one line each"),
    "web": ("只启动网页服务", "run a web server only"),
    "users": ("登录用户:添加、列出、停用", "people who log in: add, list, disable"),
    "screenshots": ("给网页截图", "make the pages' screenshots"),
    "learn": ("从打完的通话里学排序", "learn the ranking of cards from ended calls"),
    "lint": ("检查话术文件", "check script files"),
    "train": ("训练话术版本", "train a script version"),
    "models": ("下载识别与合成模型", "download speech models"),
    "test": ("跑全部检查与测试", "run all checks and tests"),
}


def build_parser(chosen: str | None) -> argparse.ArgumentParser:
    """The parser; only the chosen subcommand's own arguments are known."""
    parser = argparse.ArgumentParser(
        prog="huashu",
        description="话术:开源、自托管的电话销售与客户维系引擎 / open, self-hosted telephone sales",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (zh, en) in COMMANDS.items():
        sub = commands.add_parser(name, help=f"{zh} / {en}", description=f"{zh} / {en}")
        if name == chosen:
            module = importlib.import_module(f"commands.{name}")
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the process's exit code."""
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    arguments = sys.argv[1:] if argv is None else argv
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    if chosen is not None and chosen not in COMMANDS:
        near = difflib.get_close_matches(chosen, COMMANDS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "see huashu --help"
        print(f"huashu: 没有这个命令 / unknown command '{chosen}' → {hint}", file=sys.stderr)
        return 2
    parser = build_parser(chosen)
    parsed = parser.parse_args(arguments)
    if chosen is None:
        parser.print_help()
        return 0
    try:
        return int(parsed.run(parsed) or 0)
    except KeyboardInterrupt:
        print("\nhuashu: 已停止 / stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
