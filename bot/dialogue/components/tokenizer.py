"""Splits a line into words: spaCy's blank Chinese pipeline, cut by jieba with the trade's lexicon.

English words, numbers and placeholders stay whole; spaces that a recogniser puts between hanzi are
gone already (`normalize.clean`).  The segmenter is an instance of its own: the one global jieba,
which other scripts share, never learns our words.  The lexicon and the table of recognisers'
homophone mistakes (彩铃 heard as 才领) are stored in the model, so a model does not change when
the files do.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import jieba
import spacy
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.nlu.constants import TEXT, TEXT_TOKENS
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.tokens import Doc
from spacy.vocab import Vocab

from bot.understanding import normalize
from bot.understanding.normalize import HANZI, clean

LEXICON: Final = Path(__file__).resolve().parents[3] / "nlu_data" / "lexicon"
HOMOPHONES: Final = "homophones.tsv"
_PIECE: Final = re.compile(rf"[{HANZI}]+|[a-z]+(?:'[a-z]+)*|[0-9]+(?:[.:][0-9]+)*|<[A-Z]+>|\s+|.", re.DOTALL)
_FREQUENT: Final = 20_000
"""The frequency given to a word of the lexicon, so that it wins over its parts."""
jieba.setLogLevel(logging.WARNING)


class LexiconError(ValueError):
    """A file of the lexicon cannot be read; the message names file and line."""


def read_lexicon(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The words of all *.txt of `folder` and its table of homophones; empty where there is none.

    Raises LexiconError for a line of the table that is not "mistake<TAB>meant".
    """
    words = [word for path in sorted(folder.glob("*.txt")) for _, word in _lines(path)]
    homophones = {}
    table = folder / HOMOPHONES
    if table.is_file():
        for number, line in _lines(table):
            mistake, tab, meant = line.partition("\t")
            if not (mistake and tab and meant.strip()):
                raise LexiconError(f"{table}:{number}: expected 'mistake<TAB>meant', found {line!r}")
            homophones[mistake] = meant.strip()
    return words, homophones


def _lines(path: Path) -> list[tuple[int, str]]:
    numbered = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    return [(number, line.strip()) for number, line in numbered if line.strip() and line[0] != "#"]


class Segmenter:
    """spaCy's tokenizer protocol: text → Doc.  `words` may not be known to jieba; `homophones`
    replaces what a recogniser mishears before anything is cut."""

    def __init__(
        self, vocab: Vocab, words: Iterable[str] = (), homophones: Mapping[str, str] | None = None
    ) -> None:
        self._vocab = vocab
        self._jieba = jieba.Tokenizer()
        self._jieba.initialize()
        for word in words:
            self._jieba.add_word(word.lower(), _FREQUENT)
        self._homophones = dict(homophones or {})
        longest_first = sorted(self._homophones, key=len, reverse=True)
        self._misheard = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def heard(self, text: str) -> str:
        """`text` cleaned, with the recogniser's known mistakes put right."""
        text = clean(text)
        if self._misheard is None:
            return text
        return self._misheard.sub(lambda found: self._homophones[found[0]], text)

    def __call__(self, text: str) -> Doc:
        words: list[str] = []
        spaces: list[bool] = []
        for piece in _PIECE.findall(text):
            if piece.isspace() and spaces:
                spaces[-1] = True
                continue
            cut = self._jieba.lcut(piece) if piece[0] > "\u2fff" else [piece]
            words += cut
            spaces += [False] * len(cut)
        return Doc(self._vocab, words, spaces)


def segmenter(words: Iterable[str] = (), homophones: Mapping[str, str] | None = None) -> Segmenter:
    """A segmenter upon spaCy's blank Chinese pipeline."""
    nlp = spacy.blank("zh")
    cut = Segmenter(nlp.vocab, words, homophones)
    nlp.tokenizer = cut
    return cut


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=True)
class TradeTokenizer(GraphComponent):  # type: ignore[misc]
    """Sets `text_tokens`; offsets are into the cleaned text, which goes to `heard_text`."""

    def __init__(
        self, storage: ModelStorage, resource: Resource, words: list[str], homophones: dict[str, str]
    ) -> None:
        self._storage = storage
        self._resource = resource
        self._lexicon = {"words": words, "homophones": homophones}
        self.segmenter = segmenter(words, homophones)

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`lexicon`: folder of word lists, null for nlu_data/lexicon."""
        return {"lexicon": None}

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """The lexicon's files and this code: training read them from disk."""
        folder = Path(config.get("lexicon") or LEXICON)
        return files_hash([Path(__file__), Path(normalize.__file__), *sorted(folder.glob("*.t*"))])

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TradeTokenizer:
        """With the lexicon as it is on disk now."""
        return cls(model_storage, resource, *read_lexicon(Path(config["lexicon"] or LEXICON)))

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TradeTokenizer:
        """With the lexicon as it was when the model was trained."""
        with model_storage.read_from(resource) as folder:
            stored = json.loads((folder / "lexicon.json").read_text(encoding="utf-8"))
        return cls(model_storage, resource, stored["words"], stored["homophones"])

    def train(self, training_data: TrainingData) -> Resource:
        """Nothing is learned; the lexicon is stored."""
        with self._storage.write_to(self._resource) as folder:
            text = json.dumps(self._lexicon, ensure_ascii=False)
            (folder / "lexicon.json").write_text(text, encoding="utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Tokens for each message that has a text."""
        for message in messages:
            text = message.get(TEXT)
            if isinstance(text, str):
                heard = self.segmenter.heard(text)
                tokens = [Token(word.text, word.idx) for word in self.segmenter(heard)] if heard else []
                message.set("heard_text", heard)
                message.set(TEXT_TOKENS, tokens)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Tokens for every training utterance."""
        self.process(training_data.training_examples)
        return training_data


def files_hash(paths: Iterable[Path]) -> str:
    """SHA-256 over names and contents, hex."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
