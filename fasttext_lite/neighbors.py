"""Search for the words nearest to vectors: exact, or approximate if the file has a graph."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np

from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.search.codes import Codes, encode_directions, norms, row_width
from fasttext_lite._core.search.queries import Queries
from fasttext_lite._core.search.scan import Search
from fasttext_lite._core.text.batch import to_bytes
from fasttext_lite.arguments import decode, flag, real, whole
from fasttext_lite.errors import InputValueError, ModelKindError
from fasttext_lite.graph import ACCURACY, GraphIndex
from fasttext_lite.once import once
from fasttext_lite.parallel import chunks_with_bar, run_in_chunks
from fasttext_lite.queries import word_ids
from fasttext_lite.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.embed import Embedder
    from fasttext_lite.parts import Parts

__all__ = ["Neighbor", "NeighborSearch", "SearchOptions"]

# The array that an error of the graph names.
GRAPH = "neighbors.graph"
# Queries that share a pass over the words, and the scores that they may keep together.
_TOGETHER = 64
_KEPT = 1 << 22
# Smallest and largest number of words in a chunk, and the number of chunks between these bounds.
_SHORTEST, _LONGEST, _CHUNKS = 4096, 65536, 32
# Words whose vectors are computed at a time.
_CODED = 512
# From this many words on, a message explains why the first search takes long.
_MANY = 100_000
# From this many queries on, 4-bit codes let too many candidates through to pay off.
_MANY_QUERIES = 6

# Held while codes are computed. A forked process gets a new one: the thread that holds this one
# does not exist there.
_lock = threading.Lock()


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class SearchOptions(TypedDict, total=False):
    """The options that all searches share; see `Model.neighbors`."""

    max_words: int | None
    among: Iterable[str | bytes | int] | None
    exclude: Iterable[str | bytes | int]
    min_score: float | None
    approximate: bool
    accuracy: float | None
    threads: int | None
    progress: bool


class Neighbor(NamedTuple):
    """A word and its score.

    Attributes
    ----------
    word : str
    score : float
        The cosine of its vector and the query.
    """

    word: str
    score: float


class _Coded(NamedTuple):
    """Codes of the first words: uint8, shape (n, width), and float32, shape (n,), twice."""

    codes: NDArray[np.uint8]
    scales: NDArray[np.float32]
    errors: NDArray[np.float32]


class NeighborSearch:
    """Exact search over the vectors of all words of a model.

    Candidates are found by the codes in the file; without codes by its rows, if these are the
    vectors of the words; otherwise by codes that the first search computes. The score of a
    candidate is computed from its vector.

    Parameters
    ----------
    embedder : Embedder
        Computes the vectors.
    parts : Parts
        Norms and codes, if the file has them.
    """

    def __init__(self, embedder: Embedder, parts: Parts) -> None:
        self._embedder = embedder
        # Mapped vectors are not in the file: a scan would compute all of them in each search.
        self._holds_vectors = isinstance(embedder.vectors, DenseRows)
        self._words = Words(lambda: embedder.vocabulary, range(embedder.vocabulary.word_count))
        self._path = parts.info.path
        self._stored = parts.codes
        self._stored_norms = parts.norms
        self._stored_graph = parts.graph
        self._sections = parts.info.sections
        self._coded = _Coded(
            np.empty((0, 0), np.uint8), np.empty(0, np.float32), np.empty(0, np.float32)
        )

    def search(
        self,
        queries: NDArray[np.float32],
        given: Sequence[Sequence[str | bytes]],
        k: int,
        *,
        max_words: int | None = None,
        among: Iterable[str | bytes | int] | None = None,
        exclude: Iterable[str | bytes | int] = (),
        min_score: float | None = None,
        approximate: bool = False,
        accuracy: float | None = None,
        threads: int | None = None,
        progress: bool = False,
    ) -> list[list[Neighbor]]:
        """Check the options of a search, and return the nearest words of each query.

        Parameters
        ----------
        queries : ndarray
            float32, shape (n, dim).
        given : sequence of sequence of str or bytes, length n
            The words to leave out of each result.
        k, max_words, among, exclude, min_score, approximate, accuracy, threads, progress
            As for `Model.neighbors`.

        Returns
        -------
        list of list of Neighbor

        Raises
        ------
        InputTypeError, InputValueError, ModelKindError, FormatError
            As for `Model.neighbors`.
        """
        if flag("approximate", approximate) and accuracy is None:
            accuracy = ACCURACY
        if accuracy is not None:
            accuracy = self.check_accuracy(accuracy)
        k, progress = whole("k", k, 1), flag("progress", progress)
        least = -np.inf if min_score is None else real("min_score", min_score)
        count = len(self._words)
        ids = None
        if max_words is not None:
            max_words = whole("max_words", max_words, 1)
        if among is not None:
            if max_words is not None:
                raise InputValueError("give among or max_words, not both")
            ids = np.unique(word_ids("among", among, self._word_id, count, skip_unknown=False))
        everywhere = word_ids("exclude", exclude, self._word_id, count, skip_unknown=True).tolist()
        excluded = [
            [*everywhere, *(i for i in map(self._word_id, words) if i >= 0)] for words in given
        ]
        texts = [{decode(to_bytes(word)) for word in words} for words in given]
        while True:
            found = self.nearest(
                queries,
                excluded,
                k,
                stop=max_words,
                ids=ids,
                accuracy=accuracy,
                threads=threads,
                progress=progress,
            )
            answers = [
                [
                    Neighbor(self._words[i], float(score))
                    for i, score in zip(*one, strict=True)
                    if score >= least
                ]
                for one in found
            ]
            # A file may hold a word twice. `_word_id` returns the last id; the other ones are
            # excluded in another search.
            if not self._embedder.vocabulary.repeats:
                return answers
            repeats = False
            for left_out, words, one, answer in zip(excluded, texts, found, answers, strict=True):
                # The answer is shorter where `min_score` cuts it.
                again = [
                    int(i) for i, near in zip(one[0], answer, strict=False) if near.word in words
                ]
                left_out += again
                repeats = repeats or bool(again)
            if not repeats:
                return answers

    def _word_id(self, word: str | bytes) -> int:
        i = self._embedder.vocabulary.id(word)
        return i if i < len(self._words) else -1

    def nearest(
        self,
        queries: NDArray[np.float32],
        excluded: Sequence[Sequence[int]],
        k: int,
        *,
        start: int = 0,
        stop: int | None = None,
        ids: NDArray[np.int32] | None = None,
        accuracy: float | None = None,
        threads: int | None = None,
        progress: bool = False,
    ) -> list[tuple[NDArray[np.int32], NDArray[np.float64]]]:
        """Find the nearest words of each query.

        Parameters
        ----------
        queries : ndarray
            float32, shape (n, dim).
        excluded : sequence of sequence of int, length n
            Ids of the words to leave out of each result.
        k : int
            Number of words per query, at most.
        start, stop : int, optional
            Search the words with ids in ``range(start, stop)``; all by default.
        ids : ndarray, optional
            Search the words with these ids instead: int32, distinct.
        accuracy : float, optional
            Search along the graph, so that this share of the nearest words is found, unless an
            exact search is the better choice.
        threads : int, optional
            Number of threads; by default one per core available to this process.
        progress : bool
            Show a progress bar while the first search computes codes, if stderr is a terminal.

        Returns
        -------
        list of (ndarray, ndarray)
            Ids (int32) and cosines (float64), best first, ties by id. A query whose norm is below
            1e-8 is not divided by it, as in the official program. The score of a word with a zero
            vector is 0. Words whose score is NaN are left out; a query with an infinite number or
            NaN has an empty result.
        """
        empty = np.empty(0, np.int32), np.empty(0, np.float64)
        answers = [empty] * len(queries)
        asked = np.flatnonzero(np.isfinite(queries).all(axis=1))
        count = len(self._words) if ids is None else len(ids)
        stop = count if stop is None else min(stop, count)
        count = stop - start
        k = min(k, count)
        if k <= 0 or not len(asked):
            return answers
        if accuracy is not None:
            effort = self._graph.effort(accuracy, k, count)
            if effort is not None:
                every = len(asked) == len(queries)
                found = self._graph.search(
                    queries if every else queries[asked],
                    excluded if every else [excluded[int(i)] for i in asked],
                    k,
                    effort,
                    allowed=self._chosen(len(self._words), start, stop, ids),
                    threads=threads,
                )
                if every:
                    return found
                for i, answer in zip(asked, found, strict=True):
                    answers[i] = answer
                return answers
        packed, scan = self._strategy(stop, len(asked), ids, progress=progress)
        lengths = None
        if ids is None and self._holds_vectors:
            lengths = self._norms
        chunk = min(max(count // _CHUNKS, _SHORTEST), _LONGEST)
        together = min(max(_KEPT // k, 1), _TOGETHER)
        for first in range(0, len(asked), together):
            group = asked[first : first + together]
            prepared = Queries(queries[group], packed, [excluded[i] for i in group])
            # Searches that no thread is using; there is at most one search per thread.
            idle: list[Search] = []

            def work(
                begin: int, end: int, prepared: Queries = prepared, idle: list[Search] = idle
            ) -> None:
                try:
                    search = idle.pop()
                except IndexError:
                    search = Search(self._embedder, prepared, k, lengths)
                scan(search, start + begin, start + end)
                idle.append(search)

            run_in_chunks(work, count, threads, chunk)
            search, *others = idle
            search.finish(others)
            for place, i in enumerate(group):
                answers[i] = search.nearest.best(place)
        return answers

    def effort(self, accuracy: float, k: int, count: int) -> int | None:
        """Return the effort of an approximate search among `count` words: see `GraphIndex`."""
        return self._graph.effort(accuracy, k, count)

    def check_accuracy(self, accuracy: float) -> float:
        """Check the accuracy of an approximate search, and that there is a graph.

        Raises
        ------
        InputTypeError, InputValueError, ModelKindError, FormatError
            As for `Model.neighbors`.
        """
        accuracy = real("accuracy", accuracy)
        if not 0 < accuracy <= 1:
            raise InputValueError(f"accuracy must be above 0 and at most 1, not {accuracy}")
        # Without a graph there is no approximate search, even where an exact one would be chosen.
        self._graph  # noqa: B018
        return accuracy

    @once
    def _graph(self) -> GraphIndex:
        """The graph of the file, with its searches."""
        arrays, rows = self._stored_graph, self._embedder.vectors
        if arrays is None or not isinstance(rows, DenseRows) or self._stored_norms is None:
            raise ModelKindError(
                f"{self._path}: this model has no graph for approximate searches; make a file that "
                "has one with `fasttext-lite index SOURCE TARGET` or convert(…, graph=True), or an "
                "index of texts with `fasttext-lite index-texts --graph yes`"
            )
        offset = next(part.offset for part in self._sections if part.name == GRAPH)
        place = GRAPH, offset, self._path
        return GraphIndex(rows, self._stored_norms, arrays, self._stored, place)

    @staticmethod
    def _chosen(
        count: int, start: int, stop: int, ids: NDArray[np.int32] | None
    ) -> NDArray[np.bool_] | None:
        """Return which words a search may find; None for all."""
        if ids is None and start == 0 and stop == count:
            return None
        chosen = np.zeros(count, bool)
        chosen[slice(start, stop) if ids is None else ids[start:stop]] = True
        return chosen

    def _strategy(
        self, count: int, asked: int, ids: NDArray[np.int32] | None, *, progress: bool
    ) -> tuple[bool, Callable[[Search, int, int], None]]:
        """Return whether the codes are packed, and a function that scans a range of words."""
        if ids is not None:
            return False, lambda search, start, stop: search.scan_ids(ids, start, stop)
        many = asked >= _MANY_QUERIES
        if self._holds_vectors and (self._stored is None or many):
            return False, lambda search, start, stop: search.scan_rows(start, stop)
        codes = self._stored or self._computed_codes(count, progress=progress)
        return codes.packed, lambda search, start, stop: search.scan_codes(codes, start, stop)

    def _vectors(self, start: int, stop: int) -> NDArray[np.float32]:
        vectors = np.empty((stop - start, self._embedder.rows.dim), np.float32)
        self._embedder.fill_entries(np.arange(start, stop, dtype=np.int32), vectors)
        return vectors

    @once
    def _norms(self) -> NDArray[np.float32]:
        """Norms of all vectors, from the file or computed."""
        if self._stored_norms is not None:
            return self._stored_norms
        found = np.empty(len(self._words), np.float32)

        def fill(start: int, stop: int) -> None:
            found[start:stop] = norms(self._vectors(start, stop))

        run_in_chunks(fill, len(found), None)
        return found

    def _computed_codes(self, count: int, *, progress: bool) -> Codes:
        """Return codes of at least the first `count` words; compute those that are missing."""
        if len(self._coded.codes) < count:
            with _lock:
                if len(self._coded.codes) < count:
                    self._coded = self._extended(self._coded, count, progress=progress)
        codes, scales, errors = self._coded
        return Codes(codes.reshape(-1), scales, errors, self._embedder.rows.dim, packed=False)

    def _extended(self, known: _Coded, count: int, *, progress: bool) -> _Coded:
        """Return the codes of the first `count` words; `known` holds the first of them."""
        done = len(known.codes)
        if progress and count - done > _MANY:
            print(
                f"{self._path}: computing the vectors of {count - done:,} words, once per process; "
                "convert the model with `fasttext-lite convert --neighbors-index` to store them",
                file=sys.stderr,
            )
        found = _Coded(
            np.empty((count, row_width(self._embedder.rows.dim, packed=False)), np.uint8),
            np.empty(count, np.float32),
            np.empty(count, np.float32),
        )
        if done:
            found.codes[:done] = known.codes
            found.scales[:done] = known.scales
            found.errors[:done] = known.errors

        def fill(start: int, stop: int) -> None:
            rows = slice(done + start, done + stop)
            found.codes[rows], found.scales[rows], found.errors[rows] = encode_directions(
                self._vectors(rows.start, rows.stop), packed=False
            )

        for _ in chunks_with_bar(fill, count - done, None, _CODED, "vectors", progress):
            pass
        return found
