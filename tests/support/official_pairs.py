"""Models opened by the official package and by the fasttext layer."""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from fasttext_lite.compat import fasttext as face
from support.text import language_lines, plain_lines, unknown_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fasttext_lite.compat.fasttext.FastText import _FastText

__all__ = ["MODELS", "UNKNOWN", "Pair", "assert_same", "lines", "make_pairs"]

official = pytest.importorskip("fasttext")

UNKNOWN = [
    text for word in unknown_words(300) if "\udc80" not in (text := word.decode(errors="replace"))
]
MODELS = {
    "cbow": {"model": "cbow", "minn": 2, "maxn": 4, "bucket": 3000, "dim": 20},
    "skipgram": {"model": "skipgram", "minn": 0, "maxn": 0, "dim": 30},
    "softmax": {
        "model": "supervised", "text": "language", "minn": 2, "maxn": 4, "bucket": 3000,
        "dim": 10, "wordNgrams": 2, "epoch": 20,
    },
    "hs": {"model": "supervised", "text": "topic", "loss": "hs", "dim": 10, "epoch": 20},
    "ova": {
        "model": "supervised", "text": "language", "loss": "ova", "dim": 10, "minn": 2, "maxn": 3,
        "bucket": 1000, "epoch": 20,
    },
    "quantized": {
        "model": "supervised", "text": "topic", "minn": 2, "maxn": 4, "bucket": 3000, "dim": 10,
        "quantize": {"qnorm": True},
    },
    "pruned": {
        "model": "supervised", "text": "language", "minn": 2, "maxn": 4, "bucket": 3000, "dim": 10,
        "quantize": {"cutoff": 500},
    },
}  # fmt: skip


class Pair(NamedTuple):
    """One file, opened by the official package and by the fasttext layer."""

    official: Any
    ours: _FastText


def lines() -> list[str]:
    source = random.Random(5)
    made = [*plain_lines(60), *language_lines(60, seed=9), "", " ", "</s> a", "a\0b\tc", "a\r"]
    return made + [" ".join(source.choices(UNKNOWN, k=5)).replace("\n", " ") for _ in range(40)]


def assert_same(actual: Any, desired: Any) -> None:
    """Assert that two results are equal and have the same types, also within containers."""
    assert type(actual) is type(desired)
    if isinstance(desired, np.ndarray):
        assert actual.dtype == desired.dtype
        assert_array_equal(actual, desired)
    elif isinstance(desired, (tuple, list)):
        assert len(actual) == len(desired)
        for one, other in zip(actual, desired, strict=True):
            assert_same(one, other)
    else:
        assert actual == desired


def make_pairs(trained: Callable[..., Path]) -> Callable[[str], Pair]:
    """Return a function that opens a model of MODELS, each one once."""

    @cache
    def open_once(name: str) -> Pair:
        path = str(trained(**MODELS[name]))
        return Pair(official.load_model(path), face.load_model(path))

    return open_once
