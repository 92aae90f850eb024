"""The functions of the official ``fasttext.util``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import whole
from fasttext_lite.compat.fasttext.derived import reduced
from fasttext_lite.errors import FileError, InputValueError
from fasttext_lite.formats.atomic import check_target
from fasttext_lite.hub import resolve

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from fasttext_lite.compat.fasttext.FastText import _FastText

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
    ft_model._use(reduced(ft_model.lite_model, dim))
    return ft_model


def download_model(
    lang_id: str, if_exists: str = "strict", dimension: int | None = None
) -> str | None:
    """Download the model of a language from fasttext.cc into the working directory.

    The file is a copy of that in the cache; ``fasttext_lite.load("cc.en.300")`` opens it without
    one.

    Parameters
    ----------
    lang_id : str
        The language, as in ``cc.en.300.bin``.
    if_exists : {"strict", "ignore", "overwrite"}
        For an existing file: return None, return its name, or download it again.
    dimension : int, optional
        Has no effect, as in the official package.

    Returns
    -------
    str or None
        The name of the file.

    Raises
    ------
    InputValueError
        There is no such language.
    FileError
        The server cannot be reached, or the disk is full.
    """
    name = f"cc.{lang_id}.300.bin"
    target = Path(name)
    if if_exists != "overwrite" and target.is_file():
        return name if if_exists == "ignore" else None
    found = resolve(f"cc.{lang_id}.300", force=target.is_file())
    check_target(found, name)
    beside = target.with_name(f"{name}.part")
    try:
        shutil.copyfile(found, beside)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise FileError.from_os(error, name) from None
    return name
