"""Our reading of training utterances equals Rasa's; what is not plain is left to Rasa."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.dialogue import tensorflow_free

tensorflow_free.install()

from rasa.shared.nlu.training_data import loading

from bot.dialogue.importer import ScriptImporter
from bot.dialogue.script_files import ScriptError, find_script
from bot.dialogue.utterances import read_utterances


def test_a_shipped_file_reads_as_rasa_reads_it() -> None:
    [path] = [path for path in find_script("ringback").nlu if path.name == "affirm.yml"]
    ours = read_utterances(path)
    assert ours is not None
    rasa = loading.load_data(str(path)).training_examples
    assert [line.text for line in ours] == [message.get("text") for message in rasa]
    assert [line.metadata for line in ours] == [message.get("metadata")["intent"] for message in rasa]
    assert {line.intent for line in ours} == {message.get("intent") for message in rasa}


def test_the_importer_gives_every_line() -> None:
    files = find_script("ringback")
    counted = sum(len(read_utterances(path) or ()) for path in files.nlu)
    assert len(ScriptImporter(files).get_nlu_data().training_examples) == counted > 5000


def test_mark_up_is_left_to_rasa(tmp_path: Path) -> None:
    path = tmp_path / "nlu.yml"
    path.write_text('version: "3.1"\nnlu:\n- intent: inform\n  examples: |\n    - [三十](money)块\n')
    assert read_utterances(path) is None


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("- intent: affirm\n", "no examples"),
        ("- intent: affirm\n  examples: |\n    对\n", "no example"),
        ("- affirm\n", "no keys"),
    ],
)
def test_a_faulty_block_is_named(tmp_path: Path, body: str, what: str) -> None:
    path = tmp_path / "nlu.yml"
    path.write_text(f'version: "3.1"\nnlu:\n{body}')
    with pytest.raises(ScriptError, match=what):
        read_utterances(path)
