"""Product quantisation of rows, trained and encoded by faiss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.errors import InputValueError, MissingExtraError
from fasttext_lite.parallel import chunks_in_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SAMPLE", "ProductQuantizer", "RowQuantizer"]

CENTROIDS = 256
# Number of rows that the centroids are trained on; more rows change little.
SAMPLE = 64 * CENTROIDS
# 25 iterations in total, the default of faiss.
_ROUNDS = 5
_ITERATIONS = 5


def _faiss() -> Any:
    try:
        import faiss
    except ImportError:
        raise MissingExtraError("faiss-cpu", "quantize") from None
    return faiss


def _faiss_on_one_thread() -> Any:
    """Return faiss, set to start no threads when it is called on this thread.

    Its threads wait by spinning, which is slow on busy cores.
    """
    faiss = _faiss()
    faiss.omp_set_num_threads(1)
    return faiss


class ProductQuantizer:
    """Product quantiser: codes each part of a row as the number of one of 256 centroids.

    Jégou, Douze and Schmid 2011, "Product quantization for nearest neighbor search".

    Parameters
    ----------
    rows : ndarray
        float32, shape (n, dim), n at least 1: the rows to train the centroids on. Up to 256 rows
        are themselves the centroids.
    dsub : int
        Dimensions of a part, 1 to dim; the last part has the rest.
    threads : int or None
        Number of threads; None for one per core available to this process.

    Attributes
    ----------
    dim, dsub : int
    centroids : ndarray
        float32, shape (dim * 256,): the centroids of all parts, concatenated.
    """

    def __init__(self, rows: NDArray[np.float32], dsub: int, threads: int | None) -> None:
        faiss = _faiss()
        self.dim = rows.shape[1]
        self.dsub = dsub
        # Repeat rows, so that there are at least as many as centroids.
        rows = np.resize(rows, (max(len(rows), CENTROIDS), self.dim))

        def train(part: int, _: int) -> NDArray[np.float32]:
            columns = np.ascontiguousarray(rows[:, part * dsub : (part + 1) * dsub])
            trained = _faiss_on_one_thread().ProductQuantizer(columns.shape[1], 1, 8)
            # Avoid the warning of faiss about few rows.
            trained.cp.min_points_per_centroid = 1
            trained.cp.niter = _ITERATIONS
            if found:
                faiss.copy_array_to_vector(found[part], trained.centroids)
                trained.train_type = trained.Train_hot_start
            trained.train(columns)
            centroids: NDArray[np.float32] = faiss.vector_to_array(trained.centroids)
            return centroids

        parts = -(-self.dim // dsub)
        # Each round continues the previous one. Interrupts are handled between rounds.
        found: list[NDArray[np.float32]] = []
        for _ in range(_ROUNDS):
            found = list(chunks_in_order(train, parts, threads, 1))
        self.centroids = np.concatenate(found)
        # One coder for the parts of size dsub, one for a shorter last part.
        whole = self.dim // dsub * dsub
        self._coders = []
        for start, stop in ((0, whole), (whole, self.dim)):
            if start < stop:
                coder = faiss.ProductQuantizer(stop - start, -(-(stop - start) // dsub), 8)
                centroids = self.centroids[start * CENTROIDS : stop * CENTROIDS]
                faiss.copy_array_to_vector(centroids, coder.centroids)
                self._coders.append((start, stop, coder))

    def encode(self, rows: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the codes of rows: uint8, shape (n, ceil(dim / dsub)).

        Safe to call from several threads at once.
        """
        _faiss_on_one_thread()
        return np.hstack(
            [
                coder.compute_codes(np.ascontiguousarray(rows[:, start:stop]))
                for start, stop, coder in self._coders
            ]
        )


@dataclass(frozen=True, slots=True)
class RowQuantizer:
    """Codes for rows, and optionally for their norms.

    Attributes
    ----------
    rows : ProductQuantizer
        Codes the rows; with `norms`, the rows divided by their norms.
    norms : ProductQuantizer or None
        Codes the norms.
    """

    rows: ProductQuantizer
    norms: ProductQuantizer | None

    @classmethod
    def train(
        cls, rows: NDArray[np.float32], dsub: int, *, qnorm: bool, threads: int | None
    ) -> RowQuantizer:
        """Train the centroids on a sample of rows, float32 of shape (n, dim).

        Raises
        ------
        InputValueError
            A number is infinite or NaN.
        MissingExtraError
            faiss is not installed.
        """
        _check_finite(rows)
        if not qnorm:
            return cls(ProductQuantizer(rows, dsub, threads), None)
        directions, norms = _normalize(rows)
        return cls(ProductQuantizer(directions, dsub, threads), ProductQuantizer(norms, 1, threads))

    def encode(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the codes of rows, and of their norms: shape (n, 1), or (n, 0) without norms.

        Raises
        ------
        InputValueError
            A number is infinite or NaN.
        """
        _check_finite(rows)
        if self.norms is None:
            return self.rows.encode(rows), np.empty((len(rows), 0), np.uint8)
        directions, norms = _normalize(rows)
        return self.rows.encode(directions), self.norms.encode(norms)


def _check_finite(rows: NDArray[np.float32]) -> None:
    if not np.isfinite(rows).all():
        raise InputValueError("the matrix holds infinite numbers or NaN and cannot be quantised")


def _normalize(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    # In float32, as in the official program.
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    directions = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    return directions, norms
