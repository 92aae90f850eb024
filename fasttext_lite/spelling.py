"""Vectors of the spelling of texts, which do not depend on a model.

The vector of a text is the sum of a vector for each of its character n-grams, of one to three
characters, in the words with their boundaries, in lower case and without punctuation. The vector of
an n-gram consists of random signs, so
the cosine of two texts is about the cosine of their counts of n-grams: the random projection of
Achlioptas 2003, "Database-friendly random projections". Texts that differ by one edit in a word
share most n-grams.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import shake_128
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.labels.line import LineReader
from fasttext_lite._core.labels.tokens import Tokenizer
from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DIM", "letters", "reader", "signs"]

# Dimensions of the vectors, and buckets of n-grams.
DIM, BUCKETS = 128, 1 << 15
# Shortest and longest n-gram.
_SHORTEST, _LONGEST = 1, 3
_SEED = b"fasttext-lite spelling"
# What is neither a letter nor a digit.
_BETWEEN = re.compile(r"[\W_]+")


def letters(text: str) -> str:
    """Return the letters and digits of a text in lower case; spaces stand for all else.

    Examples
    --------
    >>> letters("Godfather, The")
    'godfather the'
    """
    return _BETWEEN.sub(" ", text.lower())


def signs() -> NDArray[np.int8]:
    """Return the vectors of the buckets: int8, shape (buckets, dim), each number 1 or -1."""
    stream = np.frombuffer(shake_128(_SEED).digest(BUCKETS * DIM // 8), np.uint8)
    bits = np.unpackbits(stream, bitorder="little").view(np.int8)
    bits *= 2
    bits -= 1
    return bits.reshape(BUCKETS, DIM)


@lru_cache(maxsize=1)
def reader() -> LineReader:
    """Return the reader of texts, whose means of rows are the directions of the vectors.

    The rows take 4 MB, and are made once per process.

    Examples
    --------
    >>> import numpy as np
    >>> a, b, c = (reader().vector(text) for text in ("godfather", "godfahter", "casablanca"))
    >>> bool(a @ b > a @ c)
    True
    """
    none = np.zeros(0, np.uint8)
    words = Vocabulary.stored(none.data, np.zeros(1, np.uint64), np.zeros(0, np.int64), 0, 0)
    rows = DenseRows(
        signs().reshape(-1).view(np.uint8).data, BUCKETS, DIM, "int8", np.ones(BUCKETS, np.float32)
    )
    # No word begins with a space, so none is taken for a label.
    tokens = Tokenizer(words, b" ", False)
    return LineReader(tokens, Subwords(_SHORTEST, _LONGEST, BUCKETS, 0), rows, 1, False)
