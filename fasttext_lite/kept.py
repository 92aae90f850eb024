"""The selection of words, buckets and dimensions that a conversion keeps."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.lookup.ngrams import mark_entry_rows, mark_rows
from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.arguments import decode, whole
from fasttext_lite.errors import InputValueError
from fasttext_lite.lines import read_words
from fasttext_lite.reduction import Projection, fit_projection

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.source import Source

    Words: TypeAlias = PathType | Iterable[str | bytes]

__all__ = ["SUBWORDS", "Kept", "choose"]

SUBWORDS = ("all", "used", "none", "only")
# Words whose n-grams are marked at a time.
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Kept:
    """The selection to keep of a model.

    Attributes
    ----------
    words : ndarray
        int32, ascending: ids of the words.
    buckets : ndarray or None
        int32, ascending: numbers of the buckets; None for all buckets.
    rows : ndarray
        int64: the rows of the buckets in the input matrix of the source.
    projection : Projection or None
        The map to fewer dimensions, which is not applied yet.
    """

    words: NDArray[np.int32]
    buckets: NDArray[np.int32] | None
    rows: NDArray[np.int64]
    projection: Projection | None


def choose(
    source: Source,
    *,
    max_words: int | None,
    min_count: int | None,
    words: Words | None,
    subwords: str,
    extra_words: Words | None,
    dim: int | None,
) -> Kept:
    """Choose what to keep; the parameters are those of `fasttext_lite.convert`.

    Raises
    ------
    FileError
        A list of words cannot be read, or the file of the model changes during the call.
    InputTypeError, InputValueError
        An option is invalid, or does not fit the model.
    """
    kept = choose_words(source, max_words, min_count, words, subwords)
    buckets, rows = choose_buckets(source, kept, subwords, extra_words)
    return Kept(kept, buckets, rows, choose_dimensions(source, kept, dim))


def choose_words(
    source: Source,
    max_words: int | None,
    min_count: int | None,
    words: Words | None,
    subwords: str,
) -> NDArray[np.int32]:
    """Return the ids of the words to keep, ascending."""
    count, vocabulary = source.word_count, source.vocabulary
    keep = np.ones(count, bool)
    if max_words is not None:
        keep[whole("max_words", max_words, least=1) :] = False
    if min_count is not None:
        least = whole("min_count", min_count, least=1)
        keep &= np.frombuffer(vocabulary.counts(0, count), np.int64) >= least
    if words is not None:
        keep &= _named(source, read_words(words))
    if subwords == "only":
        if source.supervised:
            raise InputValueError("a supervised model needs its words")
        if max_words is not None or min_count is not None or words is not None:
            raise InputValueError(
                'subwords="only" keeps no words: leave out max_words, min_count and words'
            )
        keep[:] = False
    elif not keep.any() and count:
        raise InputValueError("no word would be kept: relax max_words, min_count or words")
    end = vocabulary.id("</s>")
    if source.supervised and 0 <= end < count:
        # Every prediction uses the row of the end token.
        keep[end] = True
    if source.supervised and source.parts.subwords.hash_count:
        # Of all words only the first takes part with its own row, so it has to stay the first.
        keep[:1] = True
    return np.flatnonzero(keep).astype(np.int32)


def _named(source: Source, words: list[bytes]) -> NDArray[np.bool_]:
    """Return which words of the model are in a list, all of which must be known."""
    count = source.word_count
    ids = [source.vocabulary.id(word) for word in words]
    unknown = [word for word, i in zip(words, ids, strict=True) if not 0 <= i < count]
    if unknown:
        raise InputValueError(
            f"{len(unknown)} of the {len(words)} words to keep are not in the vocabulary; the "
            f"first is {decode(unknown[0])!r}"
        )
    named = np.zeros(count, bool)
    named[ids] = True
    return named


def choose_buckets(
    source: Source, words: NDArray[np.int32], subwords: str, extra_words: Words | None
) -> tuple[NDArray[np.int32] | None, NDArray[np.int64]]:
    """Return the numbers of the buckets to keep (None for all), and their rows in the source."""
    table = source.parts.subwords
    if extra_words is not None and subwords != "used":
        raise InputValueError('extra_words requires subwords="used"')
    if subwords == "none":
        if source.supervised:
            raise InputValueError("a supervised model needs its n-grams")
        return np.empty(0, np.int32), np.empty(0, np.int64)
    if subwords == "only" and not table.has_ngrams:
        raise InputValueError("this model has no n-grams to keep")
    buckets: NDArray[np.int32] | None = None
    if table.prune is None:
        rows = np.arange(table.bucket, dtype=np.int64)
    else:
        numbers, moved = table.prune.pairs()
        buckets = np.asarray(numbers)
        rows = np.arange(len(buckets), dtype=np.int64)
        if moved is not None:
            rows = np.asarray(moved).astype(np.int64)
    if subwords == "used":
        used = _used_rows(source, words, extra_words)
        if buckets is None:
            rows = np.flatnonzero(used).astype(np.int64)
            buckets = rows.astype(np.int32)
        else:
            buckets, rows = buckets[used[rows]], rows[used[rows]]
    return buckets, rows + table.first_row


def _used_rows(
    source: Source, words: NDArray[np.int32], extra_words: Words | None
) -> NDArray[np.bool_]:
    """Return which n-gram rows these words use."""
    table, info = source.parts.subwords, source.parts.info
    if source.supervised and info.parameters.word_ngrams > 1:
        raise InputValueError(
            'subwords="used" does not apply to a model with word n-grams: any text may use any of '
            "its buckets"
        )
    marks = np.zeros(info.subword_rows, np.uint8)
    for start in range(0, len(words), _BLOCK):
        mark_entry_rows(table, source.vocabulary, words[start : start + _BLOCK], marks)
    if extra_words is not None:
        mark_rows(table, WordBatch(read_words(extra_words)), marks)
    used: NDArray[np.bool_] = marks != 0
    return used


def choose_dimensions(
    source: Source, words: NDArray[np.int32], dim: int | None
) -> Projection | None:
    """Find the map to fewer dimensions from the vectors of the words; None to keep them all."""
    if dim is None:
        return None
    dim = whole("dim", dim)
    if not 1 <= dim <= source.dim:
        raise InputValueError(f"dim must be between 1 and {source.dim}, not {dim}")
    if len(words) < 2:
        raise InputValueError("dim needs at least two words, whose vectors determine the reduction")
    if dim == source.dim:
        return None
    blocks = source.blocks("analysis", lambda a, b: source.vectors(words[a:b]), len(words))
    # Closing the generator ends its threads when it is interrupted.
    with closing(blocks):
        return fit_projection(blocks, source.dim, dim)
