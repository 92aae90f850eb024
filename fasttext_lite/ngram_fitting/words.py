"""Which words take part in a fit, with which weights, and which are held out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.arguments import decode, real
from fasttext_lite.errors import InputTypeError, InputValueError, NotANumberError
from fasttext_lite.lines import read_words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.source import Source

    HeldOut: TypeAlias = float | PathType | Iterable[str | bytes]

__all__ = ["WEIGHTINGS", "check_vectors", "hold_out", "is_broken", "parse_held_out", "weights_of"]

WEIGHTINGS = ("count", "log", "uniform")
# A digit or a mark of an address or of a path; a part that begins an address; a domain; no letter.
_BROKEN = re.compile(r"[\d/\\@_#=&%<>|~^*+]|:.|^www\.|\w\.(com|org|net|edu|gov|info)\b|^[\W\d_]*$")
_LONGEST = 40


def is_broken(word: str) -> bool:
    """Return whether a word of a vocabulary is an address, a number or another piece of text.

    Such a word has a digit, a mark of addresses and paths, no letter at all, or more than 40
    characters.

    Examples
    --------
    >>> [is_broken(word) for word in ["rock-and-roll", "u.s.", "l'été", "don't"]]
    [False, False, False, False]
    >>> [is_broken(word) for word in ["3rd", "...", "a@b.org", "http://a", "example.com"]]
    [True, True, True, True, True]
    """
    return len(word) > _LONGEST or _BROKEN.search(word) is not None


def weights_of(source: Source, weighting: str) -> tuple[NDArray[np.float64], str]:
    """Return the weight of each word of a source, and what the weights are made of.

    Returns
    -------
    weights : ndarray
        float64, shape (words,).
    frequencies : {"counts", "ranks", "none"}
        Counts in the file. Or the ranks: the word of rank r counts as words / r, by Zipf's law,
        since files list words by falling frequency. Or nothing, for equal weights, which are used
        instead of ranks where the words are in alphabetical order.
    """
    count, vocabulary = source.word_count, source.vocabulary
    if weighting == "uniform":
        return np.ones(count), "none"
    counts = np.frombuffer(vocabulary.counts(0, count), np.int64).astype(np.float64)
    frequencies = "counts"
    if counts.max(initial=0) <= 1:
        if _is_alphabetical(source):
            return np.ones(count), "none"
        frequencies = "ranks"
        counts = count / np.arange(1, count + 1)
    counts = np.maximum(counts, 1)
    return (np.log1p(counts) if weighting == "log" else counts), frequencies


def _is_alphabetical(source: Source) -> bool:
    """Return whether the words ascend, of which a sample of neighbors is compared."""
    count = source.word_count
    places = np.unique(np.linspace(0, max(count - 2, 0), 1000).astype(np.int64)).tolist()
    words = source.vocabulary.bytes
    ascending = sum(words(i) < words(i + 1) for i in places if i + 1 < count)
    return count > 2 and ascending > 0.9 * len(places)


def check_vectors(source: Source, ids: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the square of the norm of each vector.

    Raises
    ------
    NotANumberError
        A vector holds NaN or an infinite number.
    """

    def measure(start: int, stop: int) -> NDArray[np.float64]:
        vectors = source.vectors(ids[start:stop])
        with np.errstate(invalid="ignore", over="ignore"):
            found: NDArray[np.float64] = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
        return found

    found = [np.empty(0), *source.blocks("vectors", measure, len(ids))]
    squares = np.concatenate(found)
    wrong = np.flatnonzero(~np.isfinite(squares))
    if len(wrong):
        first = int(ids[wrong[0]])
        word = decode(source.vocabulary.bytes(first))
        raise NotANumberError(
            f"the vector of {word!r} (row {first}) holds NaN or an infinite number, and so do "
            f"{len(wrong) - 1} others: leave these words out with convert(words=…) first"
        )
    return squares


def parse_held_out(held_out: HeldOut) -> float | list[bytes]:
    """Return the share of the words to hold out, or the words.

    Raises
    ------
    FileError
        The list of words cannot be read.
    InputTypeError, InputValueError
        It is neither a number below 1 nor a list of words.
    """
    if not isinstance(held_out, (int, float)) and not hasattr(held_out, "__float__"):
        try:
            return read_words(held_out)
        except InputTypeError as error:
            raise InputTypeError(f"held_out: {error}") from None
    share = real("held_out", held_out, least=0)
    if share >= 1:
        raise InputValueError(f"held_out must be a share below 1, not {share:g}")
    return share


def hold_out(
    source: Source, held_out: float | list[bytes], usable: NDArray[np.int32], seed: int
) -> NDArray[np.int32]:
    """Return the ids of the words that the fit does not see, ascending.

    Parameters
    ----------
    source : Source
    held_out : float or list of bytes
        A share of the usable words, which is drawn, and rounded to at least one; or words.
    usable : ndarray
        int32, ascending: ids of the words that have n-grams and a vector other than zero.
    seed : int

    Raises
    ------
    InputValueError
        A word is not in the vocabulary or not usable, or no word would be left.
    """
    if isinstance(held_out, list):
        ids = [source.vocabulary.id(word) for word in held_out]
        found = np.unique(np.array(ids, np.int32))
        odd = ~np.isin(np.array(ids, np.int32), usable)
        if odd.any():
            word = decode(held_out[int(np.argmax(odd))])
            raise InputValueError(
                f"held_out: {int(odd.sum())} of {len(ids)} words are not in the vocabulary, have "
                f"no n-grams or a vector of zeros, or are left out; the first is {word!r}"
            )
    elif held_out == 0:
        return np.empty(0, np.int32)
    else:
        size = max(round(held_out * len(usable)), 1)
        found = np.sort(np.random.default_rng(seed).permutation(usable)[:size])
    if len(found) >= len(usable):
        raise InputValueError(
            f"{len(usable)} of {source.word_count} words can be fitted, so none would be left if "
            f"{len(found)} were held out: use held_out=0 and a number for regularization"
        )
    return found
