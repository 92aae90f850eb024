"""The functions of the official ``fasttext.util``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import whole
from fasttext_lite.conversion import convert
from fasttext_lite.errors import InputValueError, UnsupportedError
from fasttext_lite.formats import open_parts
from fasttext_lite.model import Model

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from fasttext_lite.compat.fasttext.FastText import _FastText
    from fasttext_lite.parts import Parts

__all__ = ["download_model", "find_nearest_neighbor", "reduce_model", "test"]


def test(
    predictions: Iterable[Collection[str]], labels: Iterable[Collection[str]], k: int = 1
) -> tuple[float, float]:
    """Return the precision and recall of predicted labels.

    Parameters
    ----------
    predictions, labels : iterable of collections of str
        The predicted labels of each text, and its true labels.
    k : int
        Number of requested labels per text, the denominator of precision.

    Returns
    -------
    precision, recall : float
        NaN if the divisor is zero.
    """
    examples = hits = true = 0
    for predicted, expected in zip(predictions, labels, strict=False):
        examples += 1
        hits += sum(label in expected for label in predicted)
        true += len(expected)
    return (
        hits / (k * examples) if examples else float("nan"),
        hits / true if true else float("nan"),
    )


def find_nearest_neighbor(
    query: NDArray[Any],
    vectors: NDArray[Any],
    ban_set: Iterable[int],
    cossims: NDArray[Any] | None = None,
) -> np.intp:
    """Return the index of the row with the greatest dot product with a query.

    Parameters
    ----------
    query : ndarray
        Shape (dim,).
    vectors : ndarray
        Shape (n, dim).
    ban_set : iterable of int
        Rows to leave out.
    cossims : ndarray, optional
        Shape (n,): filled with the products, instead of a new array.

    Raises
    ------
    InputValueError
        All rows are left out.
    """
    products = np.matmul(vectors, query, out=cossims)
    allowed = np.ones(len(products), bool)
    allowed[[i for i in ban_set if 0 <= i < len(products)]] = False
    rows = np.flatnonzero(allowed)
    if not len(rows):
        raise InputValueError("ban_set leaves no row")
    nearest: np.intp = rows[np.argmax(products[rows])]
    return nearest


def reduce_model(ft_model: _FastText, target_dim: int) -> _FastText:
    """Reduce the dimensions of a model by a principal component analysis of its word vectors.

    All rows are projected and kept in memory; ``fasttext_lite.convert(path, target, dim=)`` writes
    them to a file, which opens at once.

    Parameters
    ----------
    ft_model : _FastText
        The model, which is changed in place.
    target_dim : int
        The new number of dimensions.

    Returns
    -------
    _FastText
        The same model.

    Raises
    ------
    InputTypeError, InputValueError
        `target_dim` is not a whole number between 1 and the current dimensions of the model.
    """
    dim = whole("target_dim", target_dim, 1, ft_model.lite_model.dim)
    ft_model._use(_reduced(ft_model.lite_model, dim))
    return ft_model


def _reduced(source: Model, dim: int) -> Model:
    if isinstance(source, _ReducedModel):
        source = source.source
    with TemporaryDirectory() as directory:
        target = Path(directory, "reduced.safetensors")
        convert(source, target, dim=dim)
        parts = open_parts(target, map_file=False)
    parts = parts.replace(info=parts.info._replace(path=source.info.path), file=None)
    return _ReducedModel(parts, source, dim)


class _ReducedModel(Model):
    """A model with fewer dimensions than its file; unpickling reduces it again."""

    def __init__(self, parts: Parts, source: Model, dim: int) -> None:
        super().__init__(parts)
        self.source = source
        self._dim = dim

    def __reduce__(self) -> tuple[Any, ...]:
        return _reduced, (self.source, self._dim)


def download_model(
    lang_id: str, if_exists: str = "strict", dimension: int | None = None
) -> str | None:
    """Return the name of the model file of a language, if it is in the working directory.

    Parameters
    ----------
    lang_id : str
        The language, as in ``cc.en.300.bin``.
    if_exists : {"strict", "ignore", "overwrite"}
        For an existing file: return None, return its name, or download it again.
    dimension : int, optional
        Has no effect, as in the official package.

    Raises
    ------
    UnsupportedError
        The call would download a file, which this library does not do.
    """
    name = f"cc.{lang_id}.300.bin"
    if if_exists != "overwrite" and Path(name).is_file():
        return name if if_exists == "ignore" else None
    raise UnsupportedError(
        f"this library does not download files: download {name}.gz from "
        "https://fasttext.cc/docs/en/crawl-vectors.html and unpack it, or convert it directly with "
        "fasttext_lite.convert"
    )
