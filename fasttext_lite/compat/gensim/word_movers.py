"""Word Mover's Distance of two texts."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import flag
from fasttext_lite.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fasttext_lite.compat.gensim.similarity import Similarity

__all__ = ["distance"]

# A sum of distances below this counts as zero.
_NOTHING = 1e-8


def distance(
    vectors: Similarity, document1: Iterable[Any], document2: Iterable[Any], norm: bool = True
) -> float:
    """Return the Word Mover's Distance of two lists of words.

    Kusner, Sun, Kolkin and Weinberger 2015, "From word embeddings to document distances".

    Parameters
    ----------
    vectors : Similarity
    document1, document2 : iterable of str
        Words without a vector are left out.
    norm : bool
        Divide each vector by its length first.

    Returns
    -------
    float
        Infinity if a list has no word with a vector, or if different words have the same vectors,
        as in gensim.

    Raises
    ------
    MissingExtraError
        POT, which computes the optimal transport, is not installed: ``pip install
        'fasttext-lite[wmd]'``.
    """
    norm = flag("norm", norm)
    try:
        transport = import_module("ot")
    except ImportError:
        raise MissingExtraError("POT", "wmd") from None
    counts = [
        Counter(word for word in words if word in vectors) for words in (document1, document2)
    ]
    if not all(counts):
        return float("inf")
    if len(counts[0] | counts[1]) == 1:
        return 0.0
    points = [
        np.array([vectors.get_vector(word, norm=norm) for word in count], np.float64)
        for count in counts
    ]
    distances = np.linalg.norm(points[0][:, np.newaxis] - points[1], axis=2)
    if distances.sum() < _NOTHING:
        return float("inf")
    shares = [np.array(list(count.values())) / count.total() for count in counts]
    return float(transport.emd2(*shares, distances))
