"""Reduction of dimensions by a principal component analysis of rows in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Projection", "fit_projection", "principal_directions"]


@dataclass(frozen=True, slots=True)
class Projection:
    """A linear map to fewer dimensions, for rows that are not centred.

    Attributes
    ----------
    basis : ndarray
        float32, shape (dim, target dim), orthonormal columns.
    variance : float
        The share of the variance that is kept.
    """

    basis: NDArray[np.float32]
    variance: float


def principal_directions(
    products: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the eigenvalues and the leading eigenvectors of a symmetric matrix of products.

    Parameters
    ----------
    products : ndarray
        float64, shape (dim, dim).
    count : int
        Number of eigenvectors.

    Returns
    -------
    values : ndarray
        float64, shape (dim,): all eigenvalues, largest first.
    directions : ndarray
        float64, shape (dim, count): the eigenvectors of the largest eigenvalues, as columns.
    """
    values, vectors = np.linalg.eigh(products)
    return values[::-1], vectors[:, ::-1][:, :count]


def fit_projection(blocks: Iterable[NDArray[np.float32]], dim: int, target: int) -> Projection:
    """Find the directions of greatest variance.

    Pearson 1901, "On lines and planes of closest fit to systems of points in space".

    Parameters
    ----------
    blocks : iterable of ndarray
        float32, shape (n, dim); at least two rows in total.
    dim, target : int
        Number of dimensions before and after.
    """
    count = 0
    total = np.zeros(dim)
    products = np.zeros((dim, dim))
    for block in blocks:
        exact = block.astype(np.float64)
        count += len(exact)
        total += exact.sum(axis=0)
        products += exact.T @ exact
    mean = total / count
    values, directions = principal_directions(products / count - np.outer(mean, mean), target)
    values = values.clip(min=0)
    basis = np.ascontiguousarray(directions, np.float32)
    whole = values.sum()
    return Projection(basis, float(values[:target].sum() / whole) if whole else 1.0)
