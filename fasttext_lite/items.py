"""What is clustered or drawn: words of a model, or the rows of an array, with their vectors."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fasttext_lite.arguments import decode, whole
from fasttext_lite.errors import (
    InputTypeError,
    InputValueError,
    NotANumberError,
    UnknownWordError,
)
from fasttext_lite.lines import read_words
from fasttext_lite.loading import load
from fasttext_lite.vectors import WordVectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from numpy.typing import ArrayLike, NDArray

    from fasttext_lite.arguments import PathType

    Source: TypeAlias = WordVectors | PathType | ArrayLike
    Names: TypeAlias = int | PathType | Iterable[str | bytes] | None

__all__ = ["Items", "read_items"]

# Rows that are checked at a time.
_CHECKED = 8192
# Unknown words that an error names.
_NAMED = 5


class Items(NamedTuple):
    """Things with names and vectors.

    Attributes
    ----------
    names : sequence of str, or range
        Words, or the numbers of the rows of an array that has no names.
    vectors : ndarray
        float32, shape (n, dim), finite.
    model : WordVectors or None
        Where the vectors come from.
    ids : ndarray or None
        The id of each word, or -1: int32, shape (n,). None if there is no model.
    """

    names: Sequence[str] | range
    vectors: NDArray[np.float32]
    model: WordVectors | None
    ids: NDArray[np.int32] | None


def read_items(source: Source, words: Names, *, default: int | None = None) -> Items:
    """Read what to cluster from a model or an array.

    Parameters
    ----------
    source : Model, path or array_like
        A model, the path of one, or vectors of shape (n, dim).
    words : int, path, iterable of str or bytes, or None
        Of a model: the first so many words, these words (a file has one per line), or all. Of an
        array: the names of its rows. A word of a model counts once.
    default : int, optional
        The value of `words` that says nothing about an array.

    Raises
    ------
    InputTypeError, InputValueError, UnknownWordError, NotANumberError
        As for `fasttext_lite.cluster`.
    """
    if isinstance(source, (str, bytes, os.PathLike)):
        source = load(source)
    if not isinstance(source, WordVectors):
        return _of_array(source, None if words is default else words)
    if words is None or hasattr(words, "__index__"):
        count = len(source)
        if words is not None:
            count = min(whole("words", words, 1), count)
        if not count:
            raise InputValueError(f"{source.info.path}: this model has no words")
        ids = np.arange(count, dtype=np.int32)
        items = Items(source.words[:count], _first_vectors(source, count), source, ids)
    else:
        items = _of_words(source, read_words(words))
    wrong = _first_wrong(items.vectors)
    if wrong >= 0:
        raise NotANumberError(
            f"{source.info.path}: the vector of {items.names[wrong]!r} holds NaN or infinity: "
            "leave this word out of words"
        )
    return items


def _first_vectors(model: WordVectors, count: int) -> NDArray[np.float32]:
    if model.holds_vectors:
        held = model._parts.vectors
        if held is not None and held.view is not None:
            return held.view[:count]
    return model.vectors(model.words[:count]) if count < len(model) else model.word_vectors()


def _of_words(model: WordVectors, words: list[bytes]) -> Items:
    texts = list(dict.fromkeys(words))
    if not texts:
        raise InputValueError("words is empty: there is nothing to cluster")
    ids = np.array([model.word_id(text) for text in texts], np.int32)
    unknown = np.flatnonzero(ids < 0)
    if len(unknown) and model.unknown_words == "error":
        named = ", ".join(repr(decode(texts[i])) for i in unknown[:_NAMED])
        raise UnknownWordError(
            f"{model.info.path} has no vectors for {len(unknown):,} of the {len(texts):,} words, "
            f"and no n-grams to compute them from: {named}"
            f"{', …' if len(unknown) > _NAMED else ''}; leave them out of words"
        )
    return Items([decode(text) for text in texts], model.vectors(texts), model, ids)


def _of_array(source: Any, words: Any) -> Items:
    try:
        array = np.asarray(source)
    except (TypeError, ValueError):
        array = np.empty(0, object)
    if array.dtype.kind not in "fiu":
        raise InputTypeError(
            "give a model, the path of one, or an array of real numbers, not "
            f"{type(source).__name__}{f' of {array.dtype}' if source is array else ''}"
        )
    if array.ndim != 2 or not array.shape[1]:
        raise InputValueError(f"vectors must have shape (n, dim), not {array.shape}")
    if not len(array):
        raise InputValueError("vectors is empty: there is nothing to cluster")
    with np.errstate(over="ignore"):
        vectors = np.ascontiguousarray(array, np.float32)
    wrong = _first_wrong(vectors)
    if wrong >= 0:
        raise InputValueError(f"vectors: row {wrong} holds NaN or infinity (as float32)")
    if words is None:
        return Items(range(len(vectors)), vectors, None, None)
    if hasattr(words, "__index__"):
        raise InputTypeError(
            "words must hold the names of the rows of an array; to take fewer rows, give a slice"
        )
    names = [decode(word) for word in read_words(words)]
    if len(names) != len(vectors):
        raise InputValueError(f"{len(names)} words do not name {len(vectors)} vectors")
    return Items(names, vectors, None, None)


def _first_wrong(vectors: NDArray[np.float32]) -> int:
    """Return the first row that is not finite, or -1."""
    for start in range(0, len(vectors), _CHECKED):
        finite = np.isfinite(vectors[start : start + _CHECKED]).all(axis=1)
        if not finite.all():
            return start + int(np.argmin(finite))
    return -1
