"""Two-dimensional layouts of a graph of nearest neighbors, and places in such a layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import whole
from fasttext_lite.errors import MissingExtraError
from fasttext_lite.parallel import available_cores
from fasttext_lite.progress import progress_bar
from fasttext_lite.reduction import fit_projection

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["lay_out", "place", "require_layout", "vote"]

# As by default in openTSNE: iterations with exaggerated attraction, and after these.
_EARLY, _LATE, _EXAGGERATION = 250, 500, 12.0
# Iterations between two steps of the bar.
_STEP = 10
# Standard deviation of the first layout (Kobak and Berens 2019); the share of noise in it.
_SPREAD, _NOISE = 1e-4, 1e-2
# Fewer words than this are shown as they are projected.
_FEW = 5
# From so many words on, several threads pay off.
_THREADED = 10_000
# Rows of a block of vectors.
_PROJECTED = 16384
# What a cosine is taken for at least.
_LEAST = 1e-6


def require_layout() -> Any:
    """Return openTSNE.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        import openTSNE
        import openTSNE.affinity
    except ImportError:
        raise MissingExtraError("openTSNE", "map") from None
    return openTSNE


def lay_out(
    units: NDArray[np.float32],
    ids: NDArray[np.int32],
    *,
    seed: int,
    threads: int | None,
    progress: bool,
) -> NDArray[np.float32]:
    """Lay out the rows of a matrix so that neighbors are close, by t-SNE.

    The attraction is the same along all links of the graph; with a dozen neighbors the result is
    that of the perplexity 30 with 90 (Böhm, Berens and Kobak 2022, "Attraction-repulsion spectrum
    in neighbor embeddings"). The first layout is the projection to the two directions of largest
    variance, which keeps the distances between groups meaningful (Kobak and Berens 2019, "The art
    of using t-SNE for single-cell transcriptomics").

    Parameters
    ----------
    units : ndarray
        float32, shape (n, dim): directions of the rows.
    ids : ndarray
        int32, shape (n, k): the neighbors of each row; -1 for one that is missing.
    seed : int
        Of the noise that is added to the first layout.
    threads : int or None
        Number of threads; None for one per core available to this process.
    progress : bool
        Show a progress bar on stderr, if stderr is a terminal.

    Returns
    -------
    ndarray
        float32, shape (n, 2); its mean is 0.

    Raises
    ------
    MissingExtraError
        openTSNE is not installed.
    """
    tsne = require_layout()
    count = len(units)
    first = _projected(units)
    first += np.random.default_rng(seed).normal(0, _NOISE * _SPREAD, first.shape)
    if count < _FEW:
        return _centered(first / _SPREAD)
    workers = available_cores() if threads is None else whole("threads", threads, 1)
    if count < _THREADED:
        workers = 1
    links = tsne.affinity.PrecomputedAffinities(_links(ids))
    layout = tsne.TSNEEmbedding(first, links, n_jobs=workers, random_state=seed)
    with progress_bar("layout", _EARLY + _LATE, "steps", show=progress) as advance:

        def report(step: int, error: float, layout: NDArray[np.float64]) -> None:
            del step, error, layout
            advance(_STEP)

        options = {"inplace": True, "callbacks": report, "callbacks_every_iters": _STEP}
        layout.optimize(_EARLY, exaggeration=_EXAGGERATION, **options)
        layout.optimize(_LATE, **options)
    return _centered(np.asarray(layout))


def _links(ids: NDArray[np.int32]) -> Any:
    """Return the graph as a sparse matrix: 1 where one of two rows is a neighbor of the other."""
    from scipy import sparse

    count = len(ids)
    rows, places = np.nonzero(ids >= 0)
    ones = np.ones(len(rows))
    links = sparse.csr_matrix((ones, (rows, ids[rows, places])), (count, count))
    return links.maximum(links.T)


def _centered(layout: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(layout - layout.mean(axis=0), np.float32)


def _projected(units: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the projection to the two directions of largest variance, scaled."""
    count, dim = units.shape
    found = np.zeros((count, 2))
    if count < 2:
        return found
    blocks = (units[start : start + _PROJECTED] for start in range(0, count, _PROJECTED))
    basis = fit_projection(blocks, dim, min(2, dim)).basis
    # The sign of an eigenvector is arbitrary: its largest number becomes positive.
    basis = basis * np.where(basis[np.abs(basis).argmax(axis=0), range(basis.shape[1])] < 0, -1, 1)
    found[:, : basis.shape[1]] = units @ basis
    found -= found.mean(axis=0)
    spread = found[:, 0].std()
    found *= _SPREAD / spread if spread > 0 else 0
    return found


def place(
    layout: NDArray[np.float32], ids: NDArray[np.int32], cosines: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the weighted mean of the places of neighbors.

    The weight of a neighbor is the fourth power of its cosine: with equal weights, words end up
    between the groups to which their neighbors belong.

    Parameters
    ----------
    layout : ndarray
        float32, shape (rows, 2).
    ids : ndarray
        int32, shape (n, k): the neighbors; each row has at least one, and -1 for those that miss.
    cosines : ndarray
        float32, shape (n, k).

    Returns
    -------
    ndarray
        float32, shape (n, 2).
    """
    weights = np.where(ids >= 0, np.maximum(cosines, _LEAST) ** 4, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("nk,nkx->nx", weights, layout[ids]), np.float32)


def vote(
    labels: NDArray[np.int32], ids: NDArray[np.int32], cosines: NDArray[np.float32]
) -> NDArray[np.int32]:
    """Return for each row the label to which its neighbors are nearest, by the sum of cosines.

    Parameters
    ----------
    labels : ndarray
        int32, shape (rows,); -1 for none.
    ids, cosines : ndarray
        As for `place`.

    Returns
    -------
    ndarray
        int32, shape (n,).
    """
    of_neighbors = np.where(ids >= 0, labels[ids], -1)
    best = np.full(len(ids), -1, np.int32)
    most = np.zeros(len(ids), np.float32)
    for one in of_neighbors.T:
        sums = np.where(of_neighbors == one[:, None], cosines, 0).sum(axis=1)
        better = sums > most
        best[better], most[better] = one[better], sums[better]
    return best
