"""One file opened by gensim and by the gensim layer, and how their answers are compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose

import fasttext_lite as ftl
from fasttext_lite.compat import gensim as face

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "NEARLY", "SAMPLE", "STRANGE", "Pair", "answer", "assert_same", "first", "open_both",
]  # fmt: skip

gensim_fasttext = pytest.importorskip("gensim.models.fasttext")

SAMPLE = Path(ftl.__file__).parent / "data" / "sample.bin"
NEARLY = 2e-6
# Words that are in none of the models.
STRANGE = ["", "x", "日本語", "zzyzx quux", "naïveté", "</S>", "<", "a" * 300]


class Pair(NamedTuple):
    """One file, opened by gensim and by the gensim layer."""

    theirs: Any
    ours: face.FastTextKeyedVectors
    words: list[str]


def open_both(path: Path | str, encoding: str = "utf-8") -> Pair:
    theirs = gensim_fasttext.load_facebook_vectors(str(path), encoding=encoding)
    return Pair(theirs, face.load_facebook_vectors(path, encoding), theirs.index_to_key)


def is_tied(i: int, scores: list[float]) -> bool:
    """Return whether a score is tied with a neighbour; the last may tie with an unseen one."""
    near = [abs(scores[i] - scores[j]) for j in (i - 1, i + 1) if 0 <= j < len(scores)]
    return i == len(scores) - 1 or min(near) < NEARLY


def assert_same(ours: Any, theirs: Any) -> None:
    """Compare answers of any kind: numbers within a tolerance, all else exactly."""
    if isinstance(theirs, list) and theirs and isinstance(theirs[0], tuple):
        assert_same([score for _, score in ours], [score for _, score in theirs])
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert a[0] == b[0] or is_tied(i, [score for _, score in theirs])
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b)
    elif isinstance(theirs, (np.ndarray, float, np.floating)):
        assert np.result_type(ours) == np.result_type(theirs)
        assert_allclose(ours, theirs, rtol=1e-5, atol=NEARLY)
    else:
        assert ours == theirs
        assert type(ours) is type(theirs)


def first(words: list[str], count: int) -> list[str]:
    """Return the most frequent words without "</s>"."""
    return [word for word in words if word != "</s>"][:count]


def answer(call: Callable[[Any, list[str]], Any], kv: Any, words: list[str]) -> Any:
    try:
        return call(kv, words)
    except Exception as error:
        return error
