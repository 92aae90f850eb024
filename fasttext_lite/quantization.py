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
# Rows that the centroids are found from; more of them change little.
SAMPLE = 64 * CENTROIDS
# 25 iterations in all, as faiss has them.
_ROUNDS = 5
_ITERATIONS = 5


def _faiss() -> Any:
    try:
        import faiss
    except ImportError:
        raise MissingExtraError("faiss-cpu", "quantize") from None
    return faiss


def _faiss_on_one_thread() -> Any:
    """Return faiss, which will not start threads of its own when it is called on this thread.

    It would wait for them by spinning, which is slow where the cores are busy.
    """
    faiss = _faiss()
    faiss.omp_set_num_threads(1)
    return faiss


class ProductQuantizer:
    """Parts of rows as one of 256 centroids each.

    Jégou, Douze and Schmid 2011, "Product quantization for nearest neighbor search".

    Parameters
    ----------
    rows : ndarray
        float32, shape (n, dim), n at least 1: what the centroids are found from; up to 256 rows
        are themselves the centroids.
    dsub : int
        Dimensions of a part, 1 to dim; the last part has what is left.
    threads : int or None

    Attributes
    ----------
    dim, dsub : int
    centroids : ndarray
        float32, shape (dim * 256,), those of a part after those of the part before.
    """

    def __init__(self, rows: NDArray[np.float32], dsub: int, threads: int | None) -> None:
        faiss = _faiss()
        self.dim = rows.shape[1]
        self.dsub = dsub
        # Not fewer rows than there are centroids, each of which then is a row.
        rows = np.resize(rows, (max(len(rows), CENTROIDS), self.dim))

        def train(part: int, _: int) -> NDArray[np.float32]:
            columns = np.ascontiguousarray(rows[:, part * dsub : (part + 1) * dsub])
            trained = _faiss_on_one_thread().ProductQuantizer(columns.shape[1], 1, 8)
            # It warns of few rows on stderr otherwise.
            trained.cp.min_points_per_centroid = 1
            trained.cp.niter = _ITERATIONS
            if found:
                faiss.copy_array_to_vector(found[part], trained.centroids)
                trained.train_type = trained.Train_hot_start
            trained.train(columns)
            centroids: NDArray[np.float32] = faiss.vector_to_array(trained.centroids)
            return centroids

        parts = -(-self.dim // dsub)
        # Each round goes on where the one before ended, and between them an interrupt is answered.
        found: list[NDArray[np.float32]] = []
        for _ in range(_ROUNDS):
            found = list(chunks_in_order(train, parts, threads, 1))
        self.centroids = np.concatenate(found)
        # The parts of one size, and what is left.
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

        Meant for several threads at once, each with rows of its own.
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
    """Rows as codes, and where their norms are coded apart those too.

    Attributes
    ----------
    rows : ProductQuantizer
        Of the rows, divided by their norms if those are coded apart.
    norms : ProductQuantizer or None
    """

    rows: ProductQuantizer
    norms: ProductQuantizer | None

    @classmethod
    def train(
        cls, rows: NDArray[np.float32], dsub: int, *, qnorm: bool, threads: int | None
    ) -> RowQuantizer:
        """Find the centroids from a sample of rows.

        Raises
        ------
        InputValueError
            There is a number that is not finite.
        MissingExtraError
            faiss is not installed.
        """
        _check_finite(rows)
        if not qnorm:
            return cls(ProductQuantizer(rows, dsub, threads), None)
        directions, norms = _normalize(rows)
        return cls(ProductQuantizer(directions, dsub, threads), ProductQuantizer(norms, 1, threads))

    def encode(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the codes of rows, and of their norms, shape (n, 1), or (n, 0) without those.

        Raises
        ------
        InputValueError
            There is a number that is not finite.
        """
        _check_finite(rows)
        if self.norms is None:
            return self.rows.encode(rows), np.empty((len(rows), 0), np.uint8)
        directions, norms = _normalize(rows)
        return self.rows.encode(directions), self.norms.encode(norms)


def _check_finite(rows: NDArray[np.float32]) -> None:
    if not np.isfinite(rows).all():
        raise InputValueError("the matrix holds numbers that are not finite: no codes for them")


def _normalize(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    directions = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    return directions, norms
