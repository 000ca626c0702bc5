"""The speech models that huashu knows, where they lie, and where they come from.

A model is a folder `<models>/<folder>`; `<models>` is HUASHU_MODELS, else `models` in the data
folder.  Nothing is ever fetched by itself: `huashu models pull NAME` does it (bot/speech/pull.py).
Checksums are SHA-256; a file whose publisher gives none is marked None and trusted at the first
fetch, which `pull` says and records.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bot.call.ports import RecogniserError
from bot.data_folder import data_folder

_SPHINX = "https://raw.githubusercontent.com/cmusphinx/pocketsphinx/9e3a5ea6444eae9c0bae96ffa0a1fecadc181f1e"
_SHERPA = "https://github.com/k2-fsa/sherpa-onnx/releases/download"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file to fetch.  `path` is where it goes within the model's folder; an archive (.tar.bz2)
    is unpacked there and `path` names one file that must be in it afterwards."""

    url: str
    path: str
    sha256: str | None = None
    archive: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its name for people, its folder, what it is, its licence, its files."""

    name: str
    folder: str
    kind: str
    title: str
    licence: str
    files: tuple[ModelFile, ...]


def _sphinx(base: str, sums: dict[str, str]) -> tuple[ModelFile, ...]:
    return tuple(
        ModelFile(f"{_SPHINX}/{base}/{file}", f"hmm/{file}", sha256) for file, sha256 in sums.items()
    )


CATALOGUE: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "pocketsphinx-zh", "pocketsphinx-zh-tdt-8k", "recogniser",
            "普通话小模型,只听话术预期的短语 / small Mandarin 8 kHz, expected phrases only", "BSD-2-Clause",
            (
                *_sphinx("model/hmm/zh/tdt_sc_8k", {
                    "feat.params": "4a6d2b73e03ee01fba914c78375ed3730800a65222054b9dee037ae66c2feb04",
                    "mdef": "ff5c3fca8c64a4951bee20782a9ee2f9660b3272dea14236debff88dd54aa050",
                    "means": "2a9b89adab74695318781000f84b5ef519c1c05c4f703dedd21ab289ffaf21b9",
                    "noisedict": "5fa071647f771803feccbe31dc7fb6d8f2e468f97186792db26dad429e59732f",
                    "sendump": "d6d2ac84a7aa7c020114267d6fba9df710f6075fbe02ff7ec98e84765fd38779",
                    "transition_matrices": "0e697ddb2f1a4204615db1d73bdce5d81f30ce3b8fb55de23a2ced2d20fa2eb4",
                    "variances": "50a279dde94da2e742113aae9aed03526dddd66bf48a64bed7579e5092f7b53b",
                }),
                ModelFile(
                    f"{_SPHINX}/model/lm/zh_CN/mandarin_notone.dic", "mandarin_notone.dic",
                    "35db87512760602b5849dd5e8b34302e5fc56110159a6bca1dd901a4ecc390ef",
                ),
            ),
        ),
        Model(
            "pocketsphinx-en", "pocketsphinx-en-hub4wsj-8k", "recogniser",
            "英语小模型 / small English 8 kHz", "BSD-2-Clause",
            _sphinx("model/hmm/en_US/hub4wsj_sc_8k", {
                    "feat.params": "fadbb554fa96020a349f55dea2a09bb3d393d647ab64d64b489009b03c3756f9",
                    "mdef": "b3717ece153eaafeae5c03fb5b9a1397880c4baa44ad04be30a8cad3667c1977",
                    "means": "d260b59ca2a562e4fb39350bbecaf20b04c0e57a9a8ee3e9e83e4abdd0799ad6",
                    "noisedict": "8f80d9ecdab37a490f259a58ec527fbcaa59d2ff60935b062e6dd96003880bb9",
                    "sendump": "8af0fa4abc6854bcb7d63a1a881d68737a6f3716a1c9aa1e65ca5e193ea3e789",
                    "transition_matrices": "b7acc51d0e199f3f7f8071741b780d1936ebfa174632e2bd70305322dd947715",
                    "variances": "898f723eec791489d87c5323e683615d6cc3cab57995431b7e6bd0a34990e4db",
                }),
        ),
        Model(
            "zipformer-zh-en", "sherpa-onnx-streaming-zipformer-bilingual-zh-en-2023-02-20", "recogniser",
            "中英流式识别,正式使用 / streaming Chinese and English, for production (≈ 490 MB)", "Apache-2.0",
            (
                ModelFile(
                    f"{_SHERPA}/asr-models/sherpa-onnx-streaming-zipformer-bilingual-zh-en-2023-02-20.tar.bz2",
                    "tokens.txt", None, archive=True,
                ),
            ),
        ),
        Model(
            "melo-zh-en", "vits-melo-tts-zh_en", "voice",
            "中英合成语音,正式使用 / Chinese and English voice, for production (≈ 160 MB)", "MIT",
            (
                ModelFile(
                    f"{_SHERPA}/tts-models/vits-melo-tts-zh_en.tar.bz2", "tokens.txt", None, archive=True
                ),
            ),
        ),
    )
}  # fmt: skip


def models_root() -> Path:
    """The folder that holds the models: HUASHU_MODELS, else `models` in the data folder."""
    named = os.environ.get("HUASHU_MODELS")
    return Path(named).expanduser() if named else data_folder("models")


def installed(name: str) -> bool:
    """Are all files of this model there?"""
    model = CATALOGUE[name]
    folder = models_root() / model.folder
    return all((folder / file.path).is_file() for file in model.files)


def model_folder(name: str) -> Path:
    """The folder of an installed model.  Raises RecogniserError naming the remedy where it is not there."""
    model = CATALOGUE[name]
    folder = models_root() / model.folder
    missing = next((file.path for file in model.files if not (folder / file.path).is_file()), None)
    if missing is None:
        return folder
    raise RecogniserError(
        f"the model {name} is not installed ({folder / missing} is missing): "
        f"run `huashu models pull {name}`, "
        f"or set HUASHU_MODELS to the folder that holds {model.folder}"
        f" / 没有识别模型 {name}：请运行 huashu models pull {name}，或把 HUASHU_MODELS 指向放模型的目录"
    )
