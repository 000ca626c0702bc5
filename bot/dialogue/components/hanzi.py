"""What jieba's dictionary knows of words: their class, and which characters keep like company.

The dictionary that the segmenter brings along lists some 350,000 words with frequency and class.
From the words in which two characters stand together come vectors for characters (positive
pointwise mutual information, reduced by SVD: Levy and Goldberg 2014), in which 炎 lies by 癌 and
钱 by 费.  So a word that training never showed still leans the right way.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from pathlib import Path
from typing import Final

import jieba
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

DICTIONARY: Final = Path(jieba.__file__).with_name("dict.txt")
_LONGEST: Final = 6


@lru_cache(maxsize=1)
def dictionary_hash() -> str:
    """SHA-256 of the dictionary, hex: part of a component's fingerprint."""
    return hashlib.sha256(DICTIONARY.read_bytes()).hexdigest()


@lru_cache(maxsize=1)
def word_classes() -> dict[str, str]:
    """Word → class (n, v, ns a place, nr a person, …) for every word of the dictionary."""
    classes = {}
    with DICTIONARY.open(encoding="utf-8") as lines:
        for line in lines:
            word, _, tag = line.rstrip().rsplit(" ", 2)
            classes[word] = tag
    return classes


def word_class(word: str) -> str:
    """The class of a word; `en`, `num`, or `u` with the length where the dictionary has none."""
    known = word_classes().get(word)
    if known is not None:
        return known
    if word.isdigit():
        return "num"
    return "en" if word.isascii() else f"u{min(len(word), 4)}"


@lru_cache(maxsize=2)
def character_vectors(size: int) -> tuple[list[str], NDArray[np.float32]]:
    """The characters of the dictionary and their vectors, shape (characters, size), unit length.

    Deterministic.  Takes some seconds; a trained model stores the result.
    """
    number: dict[str, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    weights: list[float] = []
    with DICTIONARY.open(encoding="utf-8") as lines:
        for line in lines:
            word, frequency, _ = line.rstrip().rsplit(" ", 2)
            if not 2 <= len(word) <= _LONGEST or word.isascii():
                continue
            weight = math.log1p(float(frequency)) + 0.3
            ids = [number.setdefault(char, len(number)) for char in word]
            for at, first in enumerate(ids):
                for second in ids[:at] + ids[at + 1 :]:
                    if first != second:
                        rows.append(first)
                        columns.append(second)
                        weights.append(weight)
    counts = coo_matrix((weights, (rows, columns)), shape=(len(number), len(number))).tocsr().tocoo()
    total = np.bincount(counts.row, counts.data, len(number))
    expected = total**0.75 / (total**0.75).sum()
    information = np.log(counts.data / (total[counts.row] * expected[counts.col]))
    positive = csr_matrix((np.maximum(information, 0), (counts.row, counts.col)), shape=counts.shape)
    vectors = _reduced(positive, size)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    return list(number), vectors.astype(np.float32)


def _reduced(matrix: csr_matrix, size: int) -> NDArray[np.float64]:
    """Left singular vectors times the root of the singular values, by subspace iteration
    (Halko, Martinsson and Tropp 2011)."""
    basis = np.random.default_rng(0).standard_normal((matrix.shape[1], size + 16))
    for _ in range(4):
        basis, _ = np.linalg.qr(matrix @ basis)
        basis, _ = np.linalg.qr(matrix.T @ basis)
    left, strength, _ = np.linalg.svd(matrix @ basis, full_matrices=False)
    result: NDArray[np.float64] = left[:, :size] * np.sqrt(strength[:size])
    return result
