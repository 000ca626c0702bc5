"""The shim is held to Rasa 3.6.21: it imports, trains and answers with no TensorFlow installed."""

from __future__ import annotations

import asyncio
import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.dialogue import tensorflow_free
from bot.dialogue.tensorflow_free import LeftOut, TensorFlowNeeded, refuse_tensorflow

PROJECT = Path(__file__).parents[2]


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False
    )


def test_it_is_written_for_the_rasa_that_is_locked() -> None:
    assert importlib.metadata.version("rasa") == "3.6.21"
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("tensorflow")


def test_rasa_imports_quietly_and_without_what_a_telephone_never_uses() -> None:
    done = run(
        "from bot.dialogue import tensorflow_free\n"
        "tensorflow_free.install(); tensorflow_free.install()\n"
        "import rasa.core.agent, rasa.model_training, sys, os, numpy\n"
        "import rasa.engine.recipes.default_components\n"
        "assert os.environ['RASA_TELEMETRY_ENABLED'] == 'false'\n"
        "assert numpy.VisibleDeprecationWarning\n"
        "print(*[m for m in ('twilio', 'slack_sdk', 'matplotlib') if m in sys.modules])\n"
    )
    assert done.returncode == 0, done.stderr
    assert (done.stdout.strip(), done.stderr.strip()) == ("", "")


def test_install_after_rasa_is_refused() -> None:
    done = run(
        "import sys, types; sys.modules['rasa.core.channels'] = types.ModuleType('rasa.core.channels')\n"
        "from bot.dialogue import tensorflow_free; tensorflow_free.install()\n"
    )
    assert "call install() first" in done.stderr


def test_hollow_names_behave_as_rasa_needs_them() -> None:
    tensorflow_free.install()
    import tensorflow as tf
    from tensorflow.keras.utils import Sequence as Base

    class Data(Base):  # type: ignore[misc]
        pass

    @tf.function
    def answer() -> int:
        return 42

    assert Data() is not None and answer() == 42
    assert list(tf.anything) == [] and tf.anything["x"] is not None
    assert tf.Tensor is tf.Tensor


def test_a_left_out_part_of_rasa_says_so_when_called() -> None:
    tensorflow_free.install()
    from rasa.utils import plotting

    with pytest.raises(LeftOut, match="plot_histogram"):
        plotting.plot_histogram([], "title")


@pytest.mark.parametrize("section", ["pipeline", "policies"])
@pytest.mark.parametrize("name", ["DIETClassifier", "rasa.core.policies.ted_policy.TEDPolicy"])
def test_a_tensorflow_component_is_refused_by_name(section: str, name: str) -> None:
    with pytest.raises(TensorFlowNeeded, match=name.rpartition(".")[2]):
        refuse_tensorflow({section: [{"name": name}]}, "config.yml")


def test_the_projects_own_configuration_is_accepted() -> None:
    import yaml

    refuse_tensorflow(yaml.safe_load((PROJECT / "config.yml").read_text(encoding="utf-8")))


def test_a_trained_bot_follows_its_rule(agent: Any) -> None:
    replies = asyncio.run(agent.handle_text("这个彩铃多少钱"))
    assert [reply["text"] for reply in replies] == ["一年三十块。"]
