"""The nearest neighbors of each of many words or vectors: exact, or along a graph."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.lookup.embed import Embedder
from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite._core.search.codes import Codes, encode_directions, norms, row_width
from fasttext_lite._core.search.queries import Queries
from fasttext_lite._core.search.scan import Search
from fasttext_lite.arguments import flag, path_name, whole
from fasttext_lite.cosines import unit
from fasttext_lite.errors import InputValueError
from fasttext_lite.graph import ACCURACY, GraphIndex
from fasttext_lite.graph_building import EFFORTS, RowsOfGraph, build_graph
from fasttext_lite.graph_file import GraphFile
from fasttext_lite.items import read_items
from fasttext_lite.model import Model
from fasttext_lite.parallel import chunks_in_order, run_in_chunks
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.items import Items, Names, Source

    Ids = NDArray[np.int32]
    Floats = NDArray[np.float32]

__all__ = ["MatrixSearch", "NearestGraph", "graph_of_items", "nearest_graph"]

# Up to this many rows an exact search takes a few minutes.
_EXACT = 300_000
# Rows whose neighbors are searched together: by one pass over all rows, and along a graph.
_TOGETHER, _WALKED = 64, 1024
# Rows that are hashed at a time.
_HASHED = 1 << 14


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NearestGraph:
    """The nearest neighbors of each of n rows.

    Attributes
    ----------
    ids : ndarray
        int32, shape (n, k): the nearest other rows, best first, ties by number; -1 in the places
        that are left where there are fewer. A row of zeros has no direction: it has no neighbors,
        and is not one.
    cosines : ndarray
        float32, shape (n, k); 0 in the places that are left.
    approximate : bool
        Whether the neighbors were searched along a graph, which misses a few.
    """

    ids: NDArray[np.int32]
    cosines: NDArray[np.float32]
    approximate: bool

    @property
    def k(self) -> int:
        """The number of neighbors of a row, at most."""
        return int(self.ids.shape[1])

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        how = "approximate" if self.approximate else "exact"
        return f"<NearestGraph: the {self.k} nearest of {len(self):,} rows, {how}>"


def nearest_graph(
    source: Source,
    k: int = 20,
    *,
    words: Names = None,
    approximate: bool | None = None,
    threads: int | None = None,
    progress: bool = False,
    resume: PathType | None = None,
) -> NearestGraph:
    """Find the nearest neighbors of each of many words or vectors, by their cosines.

    Parameters
    ----------
    source : Model, path or array_like
        A model, the path of one, or vectors of shape (n, dim).
    k : int
        Number of neighbors, below the number of words or vectors.
    words : int, path, iterable of str or bytes, or None
        Of a model: the first so many words; these words, each once, known or not (a file has one
        per line); or all.
    approximate : bool, optional
        Search along a graph: that of the file if it has one, or one that is built (extra `index`
        for more than 10,000 rows). About 95 % of the neighbors are found, and some cosines below
        the best are among them. By default this is done for more than 300,000 rows, since the work
        of an exact search grows with their square.
    threads : int, optional
        Number of threads; by default one per core available to this process.
    progress : bool
        Show progress bars on stderr if it is a terminal.
    resume : path, optional
        A file that receives the neighbors as they are found. A later call with the same vectors
        and options goes on from there: after an interrupt, or at the end to read them back.

    Returns
    -------
    NearestGraph

    Raises
    ------
    InputTypeError, InputValueError
        An argument has the wrong type or value: there are no words or vectors, `k` is not below
        their number, a vector holds NaN; or `resume` belongs to another search.
    UnknownWordError
        A word is unknown, and the model has no n-grams.
    NotANumberError
        The vector of a word holds NaN.
    FormatError, FileError
        `resume` is a file of another kind, or cannot be written.
    MissingExtraError
        There is no graph, and faiss is not installed; ``approximate=False`` does without.

    Examples
    --------
    >>> import fasttext_lite as ftl
    >>> model = ftl.load("sample")
    >>> graph = ftl.nearest_graph(model, 3, words=["war", "peace", "winter", "summer", "spring"])
    >>> graph.ids[2]
    array([3, 4, 0], dtype=int32)
    """
    items = read_items(source, words)
    return graph_of_items(
        items, k, approximate=approximate, threads=threads, progress=progress, resume=resume
    )


def graph_of_items(
    items: Items,
    k: int,
    *,
    approximate: bool | None,
    threads: int | None,
    progress: bool,
    resume: PathType | None,
) -> NearestGraph:
    """Do the work of `nearest_graph` for items that were read."""
    count = len(items.vectors)
    k, progress = whole("k", k, 1), flag("progress", progress)
    if k >= count:
        raise InputValueError(
            f"k must be below the number of words or vectors, {count}, not {k}: each has "
            f"{count - 1} others"
        )
    walked = count > _EXACT if approximate is None else flag("approximate", approximate)
    ids, cosines = np.full((count, k), -1, np.int32), np.zeros((count, k), np.float32)
    file = None
    if resume is not None:
        file = GraphFile(path_name(resume), ids, cosines, _fingerprint(items.vectors, walked))
    try:
        done = first = file.done if file else 0
        if first < count:
            search: Callable[[int, int], tuple[Ids, Floats]]
            chunk = _WALKED if walked else _TOGETHER
            if walked:
                search = _walk(items, k, threads, progress)
            else:
                search = _scan(items.vectors, k, threads)
            # A walk has threads of its own.
            blocks = chunks_in_order(
                lambda start, stop: search(first + start, first + stop),
                count - first,
                1 if walked else threads,
                chunk,
            )
            with progress_bar("neighbors", count, "rows", show=progress) as advance:
                advance(first)
                for found in blocks:
                    rows = slice(done, done + len(found[0]))
                    ids[rows], cosines[rows] = found
                    done = rows.stop
                    if file:
                        file.add(ids[rows], cosines[rows])
                    advance(len(found[0]))
    finally:
        if file:
            file.close()
    return NearestGraph(ids, cosines, walked)


def _scan(vectors: Floats, k: int, threads: int | None) -> Callable[[int, int], tuple[Ids, Floats]]:
    """Return a function that finds the neighbors of some rows by an exact search."""
    matrix = MatrixSearch(vectors, threads)

    def search(start: int, stop: int) -> tuple[Ids, Floats]:
        return matrix.nearest(np.array(vectors[start:stop]), k, range(start, stop))

    return search


def _walk(
    items: Items, k: int, threads: int | None, progress: bool
) -> Callable[[int, int], tuple[Ids, Floats]]:
    """Return a function that finds the neighbors of some rows along a graph."""
    count = len(items.vectors)
    index, allowed = _stored_index(items), None
    if index is None:
        rows, lengths, codes = _coded(items.vectors, threads)
        matrix = RowsOfGraph(rows, lengths, codes)
        arrays, _ = build_graph(matrix, threads=threads, progress=progress)
        index = GraphIndex(rows, lengths, arrays, codes)
    elif items.model is not None and count < len(items.model):
        allowed = np.arange(len(items.model)) < count
    # The graph is asked even where an exact search would be quicker: the caller chose.
    effort = index.effort(ACCURACY, k, 1 << 31) or EFFORTS[-1]

    def search(start: int, stop: int) -> tuple[Ids, Floats]:
        queries = unit(np.array(items.vectors[start:stop]))
        own = [[i] for i in range(start, stop)]
        found = index.search(queries, own, k, effort, allowed=allowed, threads=threads)
        return _padded(found, k, queries)

    return search


def _stored_index(items: Items) -> GraphIndex | None:
    """Return the graph of the file, if it has one and the items are its first words."""
    model = items.model
    if (
        not isinstance(model, Model)
        or model._parts.graph is None
        or items.ids is None
        or not np.array_equal(items.ids, np.arange(len(items.ids)))
    ):
        return None
    return model._neighbors._graph


class MatrixSearch:
    """Exact search of the rows of a matrix that are nearest to vectors.

    Parameters
    ----------
    vectors : ndarray
        float32, shape (n, dim), finite.
    threads : int or None
        For the preparation.
    """

    def __init__(self, vectors: Floats, threads: int | None) -> None:
        rows, self._norms, self._codes = _coded(vectors, threads)
        count, dim = vectors.shape
        # A vocabulary of empty words: the search counts them, and never reads one.
        nameless = Vocabulary.stored(
            b"",
            np.zeros(count + 1, np.uint64),
            np.zeros(count, np.int64),
            count,
            0,
            np.zeros(Vocabulary.slot_count(count), np.uint32),
        )
        empty = DenseRows(memoryview(b""), 0, dim)
        self._embedder = Embedder(nameless, Subwords(0, 0, 0, 0), empty, rows, True)
        self._zeros = np.flatnonzero(self._norms == 0).astype(np.int32)

    def nearest(
        self, queries: Floats, k: int, own: Sequence[int] | None = None
    ) -> tuple[Ids, Floats]:
        """Return the nearest rows of each query: int32 and float32, shape (n, k), -1 for none.

        Parameters
        ----------
        queries : ndarray
            float32, shape (n, dim), finite.
        k : int
        own : sequence of int, optional
            A row to leave out for each query.
        """
        queries = unit(queries)
        banned = [self._zeros] * len(queries)
        if own is not None:
            banned = [np.append(self._zeros, i) for i in own]
        search = Search(self._embedder, Queries(queries, False, banned), k, self._norms)
        search.scan_codes(self._codes, 0, self._codes.count)
        search.finish([])
        found = [search.nearest.best(i) for i in range(len(queries))]
        return _padded(found, k, queries)


def _padded(
    found: list[tuple[Ids, NDArray[np.float64]]], k: int, queries: Floats
) -> tuple[Ids, Floats]:
    """Return results as arrays; those of queries without a direction are left out."""
    ids, cosines = np.full((len(found), k), -1, np.int32), np.zeros((len(found), k), np.float32)
    for i in np.flatnonzero(queries.any(axis=1)):
        near, scores = found[i]
        ids[i, : len(near)], cosines[i, : len(near)] = near, scores
    return ids, cosines


def _coded(vectors: Floats, threads: int | None) -> tuple[DenseRows, Floats, Codes]:
    """Return the rows of a matrix with their norms and the codes of their directions."""
    count, dim = vectors.shape
    rows = DenseRows(memoryview(vectors).cast("B"), count, dim)  # type: ignore[arg-type]
    lengths = np.empty(count, np.float32)
    codes = np.empty((count, row_width(dim, packed=False)), np.uint8)
    scales, errors = np.empty(count, np.float32), np.empty(count, np.float32)

    def encode(start: int, stop: int) -> None:
        part = slice(start, stop)
        block = np.array(vectors[part])  # aligned
        lengths[part] = norms(block)
        codes[part], scales[part], errors[part] = encode_directions(block, packed=False)

    run_in_chunks(encode, count, threads)
    return rows, lengths, Codes(codes.reshape(-1), scales, errors, dim, packed=False)


def _fingerprint(vectors: Floats, walked: bool) -> bytes:
    found = sha256(b"walked" if walked else b"exact")
    found.update(repr(vectors.shape).encode())
    for start in range(0, len(vectors), _HASHED):
        found.update(np.ascontiguousarray(vectors[start : start + _HASHED]).view(np.uint8).data)
    return found.digest()
