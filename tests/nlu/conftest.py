"""A small act model of a dozen acts, trained once through Rasa's own graph."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.dialogue import tensorflow_free

tensorflow_free.install()

NLU = """
version: "3.1"
nlu:
- intent: affirm
  metadata: {after: [yes_no_question, identity_check]}
  examples: |
    - 对
    - 是的
    - 嗯对
    - 没错
    - 对的没错
- intent: backchannel
  metadata: {after: [pitch]}
  examples: |
    - 对
    - 嗯
    - 嗯嗯
    - 哦对
    - 哦这样
- intent: ask_price
  examples: |
    - 多少钱
    - 这个彩铃多少钱
    - 彩铃一个月多少钱
    - 那要多少钱啊
    - 几块钱一个月
    - 费用是多少
    - 多少钱
    - 多少钱啊这个
    - 这个多少钱
    - 要多少钱
    - 是多少钱一个月
    - 一年多少钱
    - 你这个要几块钱
    - 怎么收费的
    - 收多少费用
    - 那个彩铃的费用多少
- intent: ask_details
  examples: |
    - 彩铃是什么东西
    - 什么是彩铃
    - 你说的彩铃是啥
    - 彩铃是干什么用的
    - 这是个什么业务
- intent: accept_offer
  examples: |
    - 好的
    - 行那办吧
    - 可以给我办一个
    - 好那就办吧
    - 行 办
    - 好的好的
    - 好
    - 可以的
    - 行吧
    - 可以可以,给我办
- intent: decline_offer
  examples: |
    - 不要
    - 不用了
    - 算了不办
    - 我不要这个
    - 不办不办
- intent: object_busy
  examples: |
    - 我在忙
    - 现在没空
    - 我在开会呢
    - 没时间听你说
    - 正忙着呢
- intent: accept_offer+ask_price
  examples: |
    - 好的,不过多少钱
    - 行那办吧,要多少钱
    - 好,那一个月多少钱
    - 可以,费用是多少
    - 好的 那要多少钱啊
    - 行啊 几块钱一个月
    - 可以给我办一个,多少钱
    - 好那就办吧,费用多少
    - 行 办,这个多少钱
    - 好的好的,彩铃多少钱
    - 可以啊,那几块钱
    - 行,费用是多少啊
"""
DOMAIN = """
version: "3.1"
intents: [affirm, backchannel, ask_price, ask_details, accept_offer, decline_offer, object_busy]
responses:
  utter_price: [{text: 一年三十块。}]
  utter_sorry: [{text: 好的打扰了。}]
"""
RULES = """
version: "3.1"
rules:
- rule: price
  steps:
  - intent: ask_price
  - action: utter_price
- rule: busy
  steps:
  - intent: object_busy
  - action: utter_sorry
"""
Parse = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of a bot trained with the project's own config.yml."""
    import os

    folder = tmp_path_factory.mktemp("bot")
    os.environ["RASA_CACHE_DIRECTORY"] = str(folder / "cache")
    from rasa.model_training import train

    import bot.dialogue.components  # noqa: F401

    for name, text in {"nlu.yml": NLU, "domain.yml": DOMAIN, "rules.yml": RULES}.items():
        (folder / name).write_text(text, encoding="utf-8")
    config = Path(__file__).parents[2].joinpath("config.yml").read_text(encoding="utf-8")
    (folder / "config.yml").write_text(config + "assistant_id: tiny\n", encoding="utf-8")
    files = [str(folder / "nlu.yml"), str(folder / "rules.yml")]
    result = train(str(folder / "domain.yml"), str(folder / "config.yml"), files, output=str(folder))
    assert result.model is not None
    return Path(result.model)


@pytest.fixture(scope="session")
def agent(archive: Path) -> Any:
    """The trained bot, loaded."""
    from rasa.core.agent import Agent

    return Agent.load(str(archive))


@pytest.fixture(scope="session")
def parse(agent: Any) -> Parse:
    """parse(text, after=None, now=None) through the loaded graph."""
    from rasa.core.channels.channel import UserMessage

    def ask(text: str, **metadata: Any) -> dict[str, Any]:
        message = UserMessage(text, metadata=metadata)
        found: dict[str, Any] = asyncio.run(agent.processor.parse_message(message))
        return found

    return ask
