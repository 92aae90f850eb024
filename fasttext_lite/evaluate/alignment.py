"""Alignment of two models by an orthogonal map."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.arguments import flag, path_name
from fasttext_lite.errors import InputTypeError, InputValueError, MissingExtraError
from fasttext_lite.evaluate.lines import read_lines
from fasttext_lite.loading import load
from fasttext_lite.model import Model

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType

    Pair: TypeAlias = Sequence[str | bytes]

__all__ = ["align"]

_WORDS = 2


def align(
    source: Model | PathType,
    target: Model | PathType,
    pairs: Iterable[Pair] | PathType,
    *,
    normalize: bool = False,
) -> NDArray[np.float64]:
    """Find the orthogonal map from the vectors of one model to those of another.

    With the vectors of the pairs as the rows of X and Y, it is the orthogonal matrix W that
    minimises the Frobenius norm of X W - Y: W = U V, where U S V is the singular value
    decomposition of the transpose of X times Y (Schönemann 1966, "A generalized solution of the
    orthogonal Procrustes problem", by ``scipy.linalg.orthogonal_procrustes``).
    ``source.mapped(W)`` is then comparable with `target`. W is unique only if there are at least
    `dim` pairs with linearly independent vectors; bilingual dictionaries for this use have about
    5000 pairs (Conneau and others 2018, "Word Translation Without Parallel Data").

    Parameters
    ----------
    source, target : Model or path
        Two models of the same number of dimensions.
    pairs : iterable of (str, str), or path
        Words of `source` with the words of `target` that correspond to them. A file is UTF-8 and
        has two words per line, separated by a tab or by spaces, as the dictionaries of MUSE.
        Pairs with a word that is not in the vocabulary, or whose vector holds an infinite number
        or NaN, are left out.
    normalize : bool
        Divide each vector by its norm first, so that W maximises the sum of the cosines of the
        pairs (Xing, Wang, Liu and Lin 2015, "Normalized Word Embedding and Orthogonal Transform
        for Bilingual Word Translation").

    Returns
    -------
    ndarray
        float64, shape (dim, dim): the map for `Model.mapped` and `fasttext_lite.convert`.

    Raises
    ------
    FileError, FormatError
        A file cannot be read, or a line does not have two words.
    InputTypeError
        An item of `pairs` is not a pair of words.
    InputValueError
        The dimensions differ, or no pair is left.
    MissingExtraError
        SciPy is not installed: ``pip install 'fasttext-lite[evaluate]'``.

    Examples
    --------
    >>> import numpy as np
    >>> import fasttext_lite as ftl
    >>> model = ftl.load("sample")
    >>> turned = model.mapped(np.roll(np.eye(model.dim), 1, axis=1))
    >>> found = align(model, turned, [(word, word) for word in model.words[:1000]])
    >>> bool(np.allclose(model.mapped(found)["king"], turned["king"], atol=1e-4))
    True
    """
    normalize = flag("normalize", normalize)
    try:
        linalg = import_module("scipy.linalg")
    except ImportError:
        raise MissingExtraError("SciPy", "evaluate") from None
    if isinstance(pairs, (str, bytes, os.PathLike)):
        given = _read_pairs(path_name(pairs))
    else:
        given = _checked(pairs)
    a, b = (model if isinstance(model, Model) else load(model) for model in (source, target))
    if a.dim != b.dim:
        raise InputValueError(
            f"the models have {a.dim} and {b.dim} dimensions: an orthogonal map needs the same; "
            "convert(dim=...) reduces the larger one"
        )
    known = [pair for pair in given if pair[0] in a and pair[1] in b]
    x, y = a.vectors([pair[0] for pair in known]), b.vectors([pair[1] for pair in known])
    finite = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
    if not finite.any():
        raise InputValueError(
            f"none of the {len(given)} pairs has two words that the models know; the first pair is "
            f"{given[0]!r:.80}: `source` must know the first word and `target` the second"
            if given
            else "there are no pairs of words"
        )
    left, right = (vectors[finite].astype(np.float64) for vectors in (x, y))
    if normalize:
        for vectors in (left, right):
            norms = np.linalg.norm(vectors, axis=1, keepdims=True)
            np.divide(vectors, norms, out=vectors, where=norms > 0)
    found: NDArray[np.float64] = linalg.orthogonal_procrustes(left, right)[0]
    return found


def _checked(pairs: Iterable[Pair]) -> list[Pair]:
    if not isinstance(pairs, Iterable):
        raise InputTypeError(
            f"pairs must be an iterable of pairs of words or a path, not {type(pairs).__name__}"
        )
    found = pairs.tolist() if isinstance(pairs, np.ndarray) else list(pairs)
    for i, pair in enumerate(found):
        if (
            not isinstance(pair, (tuple, list))
            or len(pair) != _WORDS
            or not all(isinstance(word, (str, bytes)) for word in pair)
        ):
            raise InputTypeError(f"pairs[{i}] is not a pair of words: {pair!r:.80}")
    return found


def _read_pairs(path: str) -> list[Pair]:
    pairs: list[Pair] = []
    for line in read_lines(path):
        separator = "\t" if "\t" in line.text else " "
        words = [word for word in line.text.split(separator) if word]
        if len(words) != _WORDS:
            raise line.error(f"a pair has two words, but this line has {len(words)}")
        pairs.append(words)
    return pairs
