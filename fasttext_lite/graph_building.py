"""Graphs for approximate search: their construction, and the measurement of their accuracy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import whole
from fasttext_lite.cosines import unit
from fasttext_lite.errors import MissingExtraError
from fasttext_lite.graph import MEASURED, GraphIndex, fingerprint
from fasttext_lite.parallel import available_cores, chunks_with_bar
from fasttext_lite.parts import GraphArrays
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.rows import DenseRows
    from fasttext_lite._core.search.codes import Codes

__all__ = [
    "DEGREE",
    "EFFORTS",
    "GraphReport",
    "RowsOfGraph",
    "build_graph",
    "builder_of",
    "connect",
    "entry_count",
]

# The largest number of neighbors of a row.
DEGREE = 32
# The efforts whose accuracy is measured.
EFFORTS = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640)
# Up to this many rows the graph is made of exact neighbors, without faiss.
FEW = 10_000
# The number of entries: one of so many rows, but not fewer and not more than these.
_ENTRY, _FEWEST, _ENTRIES = 256, 64, 2048
# Candidates for neighbors: of exact neighbors, and of the search during the construction by faiss.
# With fewer of them that search ends in wrong clusters, and searches need several times the effort.
_CANDIDATES, _CONSTRUCTION = 48, 160
# A row of each layer out of this many is in the next one.
_LAYER = 8
# Rows of a block: of exact neighbors, added by faiss (about half a second), and of an exact search.
_EXACT, _ADDED, _SCANNED = 64, 2048, 16384
_SAMPLE = 512
# Bytes of float32 rows that faiss may hold.
_MOST_FLOATS = 2_500_000_000
# The library behind matrix products has threads of its own.
_BLAS = 1
# Cosines that differ by less count as equal.
_SAME = 1e-5


@dataclass(frozen=True, slots=True)
class GraphReport:
    """How a graph was built, and how good it is.

    Attributes
    ----------
    builder : str
        The result of `builder_of`.
    degree : int
        Largest number of neighbors of a row.
    accuracy : tuple of (int, float)
        Efforts, and the mean share of the ten nearest words that a search with this effort finds
        for a sample of the words.
    seconds : float
        Duration of the construction and the measurement.
    """

    builder: str
    degree: int
    accuracy: tuple[tuple[int, float], ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class RowsOfGraph:
    """The matrix to make a graph of.

    Attributes
    ----------
    rows : DenseRows
    norms : ndarray
        float32, shape (rows,).
    codes : Codes or None
        Codes of the directions of the rows, if a search will have them.
    """

    rows: DenseRows
    norms: NDArray[np.float32]
    codes: Codes | None

    def units(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the directions of some rows; zeros for rows that have none."""
        return self.units_of(np.arange(start, stop))

    def units_of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the directions of the rows with these ids."""
        found = np.empty((len(ids), self.rows.dim), np.float32)
        self.rows.take(ids, found)
        with np.errstate(invalid="ignore", over="ignore"):
            found[~np.isfinite(self.norms[ids])] = 0
            return unit(found)


def entry_count(count: int) -> int:
    """Return the number of entries of a graph over this many rows."""
    return min(count, max(_FEWEST, min(count // _ENTRY, _ENTRIES)))


def builder_of(count: int) -> str:
    """Return how a graph over this many rows is built, with the parameters.

    Raises
    ------
    MissingExtraError
        There are more than 10,000 rows, and faiss is not installed.
    """
    if count <= FEW:
        return f"exact neighbors, candidates {_CANDIDATES}"
    return f"faiss {_faiss().__version__} HNSW, M {DEGREE // 2}, efConstruction {_CONSTRUCTION}"


def build_graph(
    matrix: RowsOfGraph, *, threads: int | None, progress: bool
) -> tuple[GraphArrays, GraphReport]:
    """Build a graph over the rows of a matrix, and measure how good it is.

    Each row is reached from the entries.

    Parameters
    ----------
    matrix : RowsOfGraph
    threads : int or None
        Number of threads; None for one per core available to this process.
    progress : bool
        Show progress bars on stderr, if stderr is a terminal.

    Raises
    ------
    MissingExtraError
        There are more than 10,000 rows, and faiss is not installed.
    """
    started = time.perf_counter()
    count = matrix.rows.count
    if count <= FEW:
        neighbors = _from_exact_neighbors(matrix, progress)
        entries = np.linspace(0, max(count - 1, 0), entry_count(count)).astype(np.uint32)
    else:
        neighbors, entries = _by_faiss(matrix, threads, progress)
    connect(neighbors, entries)
    arrays = GraphArrays(
        neighbors,
        entries,
        np.array([(effort, 0) for effort in EFFORTS], np.float32),
        fingerprint(matrix.rows),
    )
    arrays.accuracy[:, 1] = _measure(matrix, arrays, threads, progress)
    return arrays, GraphReport(
        builder=builder_of(count),
        degree=DEGREE,
        accuracy=tuple((int(effort), float(found)) for effort, found in arrays.accuracy),
        seconds=time.perf_counter() - started,
    )


def _faiss() -> Any:
    try:
        import faiss
    except ImportError:
        raise MissingExtraError("faiss-cpu", "index") from None
    return faiss


def _by_faiss(
    matrix: RowsOfGraph, threads: int | None, progress: bool
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the lowest layer of an HNSW graph of faiss, and entries out of its upper layers.

    The rows of the upper layers are linked across clusters more often than others. faiss holds a
    copy of all rows.

    The copy is in float32, or in float16 if that takes too much memory: faiss then takes five times
    as long.
    """
    faiss = _faiss()
    count, dim = matrix.rows.count, matrix.rows.dim
    if 4 * count * dim <= _MOST_FLOATS:
        index = faiss.IndexHNSWFlat(dim, DEGREE // 2)
        # All memory at once: otherwise it is doubled again and again.
        codes = faiss.downcast_index(index.storage).codes
        codes.resize(4 * count * dim)
        codes.resize(0)
    else:
        index = faiss.IndexHNSWSQ(dim, faiss.ScalarQuantizer.QT_fp16, DEGREE // 2)
        index.train(np.zeros((1, dim), np.float32))
    index.hnsw.efConstruction = _CONSTRUCTION
    before = faiss.omp_get_max_threads()
    wanted = available_cores() if threads is None else whole("threads", threads, 1)
    faiss.omp_set_num_threads(wanted)
    try:
        with progress_bar("graph", count, "rows", show=progress) as advance:
            for start in range(0, count, _ADDED):
                stop = min(start + _ADDED, count)
                index.add(matrix.units(start, stop))
                advance(stop - start)
    finally:
        faiss.omp_set_num_threads(before)
    layers = faiss.vector_to_array(index.hnsw.neighbors)
    begins = faiss.vector_to_array(index.hnsw.offsets)[:-1].astype(np.int64)
    heights = faiss.vector_to_array(index.hnsw.levels)
    del index
    # Of rows of the same height any are as good: the words of a file are ordered by frequency.
    order = np.lexsort((np.random.default_rng(0).random(count), -heights))
    entries = np.sort(order[: entry_count(count)]).astype(np.uint32)
    found = np.empty((count, DEGREE), np.uint32)
    for start in range(0, count, _SCANNED):
        stop = min(start + _SCANNED, count)
        block = layers[begins[start:stop, None] + np.arange(DEGREE)]
        own = np.arange(start, stop)[:, None]
        found[start:stop] = np.where(block < 0, own, block)
    return found, entries


def _from_exact_neighbors(matrix: RowsOfGraph, progress: bool) -> NDArray[np.uint32]:
    """Link each row in both directions to some of its nearest rows.

    As in HNSW, there are layers: every eighth row is also linked to its nearest ones among these,
    and so on, which leads from one cluster to another. Here all links are in one graph.
    """
    count = matrix.rows.count
    units = matrix.units(0, count)
    edges = np.empty((0, 2), np.int64)
    step = 1
    while count > step:
        members = np.arange(0, count, step)
        keep = DEGREE // 2 if step == 1 else DEGREE // 8
        # Of two links between the same rows the first is kept: that of the higher layer.
        edges = np.concatenate([members[_choice(units[members], keep, progress)], edges])
        step *= _LAYER
    # Both directions of a link, and its place in the order of preference.
    both = np.concatenate([edges, edges[:, ::-1]])
    _, first = np.unique(both[:, 0] * count + both[:, 1], return_index=True)
    order = first[np.lexsort((first, both[first, 0]))]
    both = both[order]
    counts = np.bincount(both[:, 0], minlength=count)
    places = np.arange(len(both)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = places < DEGREE
    found = np.repeat(np.arange(count, dtype=np.uint32)[:, None], DEGREE, axis=1)
    found[both[kept, 0], places[kept]] = both[kept, 1]
    return found


def _choice(units: NDArray[np.float32], keep: int, progress: bool) -> NDArray[np.int64]:
    """Return pairs of a row and one of its nearest rows that is not hidden by a nearer one.

    This is the choice of neighbors of HNSW: a candidate that is nearer to a chosen neighbor than to
    the row itself is reached through that neighbor.
    """
    count = len(units)
    most = min(_CANDIDATES, count - 1)

    def chosen(start: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        cosines = units[start:stop] @ units.T
        own = np.arange(start, stop)
        cosines[own - start, own] = -np.inf
        near = np.argpartition(-cosines, most - 1, axis=1)[:, :most]
        near = np.take_along_axis(
            near, np.argsort(-np.take_along_axis(cosines, near, axis=1), axis=1), axis=1
        )
        to_row = np.take_along_axis(cosines, near, axis=1)
        candidates = units[near]
        between = candidates @ candidates.transpose(0, 2, 1)
        kept = np.zeros(near.shape, bool)
        for i in range(most):
            hidden = (kept[:, :i] & (between[:, i, :i] > to_row[:, i, None])).any(axis=1)
            kept[:, i] = ~hidden & (kept.sum(axis=1) < keep)
        rows, places = np.nonzero(kept)
        return np.stack([rows + start, near[rows, places]], axis=1), to_row[rows, places]

    blocks = list(chunks_with_bar(chosen, count, _BLAS, _EXACT, "graph", progress))
    pairs = np.concatenate([block[0] for block in blocks]).astype(np.int64)
    cosines = np.concatenate([block[1] for block in blocks])
    return pairs[np.argsort(-cosines, kind="stable")]


def connect(neighbors: NDArray[np.uint32], entries: NDArray[np.uint32]) -> None:
    """Change a graph so that each row is reached from the entries.

    A row that is not reached becomes the neighbor of a row that is: of one of its own neighbors if
    possible, and in an unused place if there is one.
    """
    # Places that must stay, since another row is reached by them.
    fixed: dict[int, set[int]] = {}

    def place(parent: int) -> int | None:
        """Return the place for a new neighbor, if there is one."""
        own = fixed.get(parent, set())
        unused = np.flatnonzero(neighbors[parent] == parent)
        if len(unused):
            return int(unused[0])
        return next((i for i in reversed(range(neighbors.shape[1])) if i not in own), None)

    while True:
        # From the beginning, since a row that lost its place may have led to others.
        reached = np.zeros(len(neighbors), bool)
        _spread(neighbors, reached, entries)
        if reached.all():
            return
        while not reached.all():
            row = int(np.argmin(reached))
            own = neighbors[row]
            parents = map(int, chain(own[reached[own]], np.flatnonzero(reached)))
            parent, at = next(
                (parent, at) for parent in parents if (at := place(parent)) is not None
            )
            fixed.setdefault(parent, set()).add(at)
            neighbors[parent, at] = row
            _spread(neighbors, reached, np.array([row], np.uint32))


def _spread(
    neighbors: NDArray[np.uint32], reached: NDArray[np.bool_], rows: NDArray[np.uint32]
) -> None:
    """Mark these rows and all that they lead to as reached."""
    while len(rows):
        reached[rows] = True
        onward = neighbors[rows].reshape(-1)
        rows = np.unique(onward[~reached[onward]])


def _most(scores: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """Return the k largest numbers of each row, in any order."""
    return scores if scores.shape[1] <= k else np.partition(scores, -k, axis=1)[:, -k:]


def _measure(
    matrix: RowsOfGraph, arrays: GraphArrays, threads: int | None, progress: bool
) -> list[float]:
    """Return the share of the nearest rows that a search with each effort finds, for a sample."""
    count = matrix.rows.count
    source = np.random.default_rng(0)
    sample = np.sort(source.choice(count, min(_SAMPLE, count), replace=False))
    k = min(MEASURED, count - 1)
    if k < 1:
        return [1.0] * len(EFFORTS)
    queries = matrix.units_of(sample)
    best = np.full((len(sample), k), -np.inf, np.float32)

    def scores(start: int, stop: int) -> NDArray[np.float32]:
        found: NDArray[np.float32] = queries @ matrix.units(start, stop).T
        own = (sample >= start) & (sample < stop)
        found[own, sample[own] - start] = -np.inf
        return _most(found, k)

    for block in chunks_with_bar(scores, count, _BLAS, _SCANNED, "accuracy", progress):
        best = _most(np.concatenate([best, block], axis=1), k)
    index = GraphIndex(matrix.rows, matrix.norms, arrays, matrix.codes)
    shares = []
    for effort in EFFORTS:
        found = index.search(queries, sample[:, None].tolist(), k, effort, threads=threads)
        hits = [
            np.count_nonzero(near >= least - _SAME)
            for (_, near), least in zip(found, best.min(axis=1), strict=True)
        ]
        shares.append(float(np.mean(hits)) / k)
    return shares
