"""The searches of a text index: the nearest texts, labels by vote, near duplicates, the recall."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, overload

import numpy as np

from fasttext_lite.arguments import flag, real, whole
from fasttext_lite.content import ACCURACY, Column, Content, Hit, IndexInfo, wanted_accuracy
from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.model import Model
from fasttext_lite.progress import progress_bar
from fasttext_lite.queries import query_vectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from fasttext_lite.content import Id
    from fasttext_lite.evaluate.recall import Recall
    from fasttext_lite.text_embedding import TextEmbedding

    Query: TypeAlias = str | bytes | NDArray[Any]

    class SearchOptions(TypedDict, total=False):
        """The options of a search; see `TextIndex.search`."""

        accuracy: float | None
        approximate: bool | None
        among: Iterable[Id] | None
        exclude: Iterable[Id] | None
        min_score: float | None
        threads: int | None


__all__ = ["TextSearch", "Vote"]

# Neighbors of a text that are looked at for near duplicates: at first, and at most.
_FIRST, _MOST = 16, 1024
# Texts whose neighbors are searched together.
_TOGETHER = 1024
# Cosines that differ by less count as equal.
_ROUNDING = 1e-7


class Vote(NamedTuple):
    """The label that the nearest texts of a query have.

    Attributes
    ----------
    label : str or None
        None if no labelled text is near.
    share : float
        Its share of the votes: the sum of the cosines of the texts with this label, divided by that
        of all labels.
    """

    label: str | None
    share: float


class TextSearch:
    """The texts of an index, and the searches over them.

    Parameters
    ----------
    embedding : TextEmbedding
    state : Content
    """

    def __init__(self, embedding: TextEmbedding, state: Content) -> None:
        self._embedding = embedding
        self._state: Content | None = state
        self._known: dict[Id, int] = {}
        self._lock = threading.RLock()

    # What an index holds.

    @property
    def _now(self) -> Content:
        state = self._state
        if state is None:
            raise InputValueError("the text index is closed")
        return state

    def _checked(self) -> Content:
        """Return what the index holds, if its file has not changed."""
        state = self._now
        if state.file is not None:
            state.file.check()
        return state

    def __len__(self) -> int:
        return self._now.size

    def __repr__(self) -> str:
        if self._state is None:
            return "<TextIndex: closed>"
        info = self.info
        where = "in memory" if info.path is None else repr(info.path)
        return f"<TextIndex {where}: {info.count} texts, dim {info.dim}>"

    @property
    def info(self) -> IndexInfo:
        """The path, sizes and options of the index."""
        state, embedding = self._now, self._embedding
        main, *added = state.parts
        graph = main.arrays.graph
        return IndexInfo(
            path=None if state.file is None else state.file.name,
            size=0 if state.file is None else state.file.size,
            count=len(self),
            added=len(self) if state.file is None else sum(map(len, added)),
            dim=main.arrays.numbers.shape[1],
            dtype=main.arrays.dtype,
            labels=len(state.labels),
            weighting=embedding.weighting if isinstance(embedding.weighting, str) else "SIF",
            spelling=embedding.spelling,
            lowercase=embedding.lowercase,
            model=embedding.model.info.path,
            accuracy=()
            if graph is None
            else tuple((int(effort), float(found)) for effort, found in graph.accuracy),
        )

    @property
    def model(self) -> Model:
        """The model that computes the vectors of queries."""
        return self._embedding.model

    @property
    def texts(self) -> Sequence[str]:
        """The texts, in the order of their rows."""
        now = self._now
        return Column(now.size, now.text)

    @property
    def ids(self) -> Sequence[Id]:
        """The ids, in the order of the rows."""
        now = self._now
        return Column(now.size, now.id)

    @property
    def labels(self) -> Sequence[str | None]:
        """The label of each text, None if it has none."""
        now = self._now
        return Column(now.size, now.label)

    def vectors(self, count: int | None = None) -> NDArray[np.float32]:
        """Return the vectors of the first texts, as they are stored.

        Parameters
        ----------
        count : int, optional
            Number of texts; by default all.

        Returns
        -------
        ndarray
            float32, shape (n, dim): NaN for a text without a vector.

        Raises
        ------
        InputTypeError, InputValueError
            `count` is not a whole number, or is negative.
        FileError
            The mapped file has changed.
        """
        now = self._checked()
        wanted = now.size if count is None else whole("count", count, 0)
        return now.vectors(np.arange(min(wanted, now.size)))

    # Searches.

    @overload
    def search(  # type: ignore[overload-overlap]
        self, query: str | bytes, k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[Hit]: ...
    @overload
    def search(
        self, query: Sequence[Query], k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[list[Hit]]: ...
    @overload
    def search(
        self, query: Any, k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[Hit] | list[list[Hit]]: ...
    def search(
        self, query: Any, k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[Hit] | list[list[Hit]]:
        """Return the texts nearest to a query, best first.

        Parameters
        ----------
        query : str, bytes, array, or iterable
            A text, or a vector of the model, shape (dim,), which has no spelling. For many queries:
            an iterable of those, or an array of shape (n, dim).
        k : int
            Number of texts per query, at most.
        accuracy : float, optional
            Find about this share of the nearest texts; by default 0.995. 1 asks for all of them.
        approximate : bool, optional
            False searches all texts. By default the search is along the graph, if there is one.
        among : iterable of str or int, optional
            Ids: search only these texts.
        exclude : iterable of str or int, optional
            Ids: leave these texts out.
        min_score : float, optional
            Leave out texts with a lower cosine.
        threads : int, optional
            Number of threads; by default one per core available to this process.

        Returns
        -------
        list of Hit, or list of list of Hit
            For many queries one list each. Texts without a vector are never found, and nothing is
            found for a query without one.

        Raises
        ------
        InputTypeError, InputValueError
            An argument has the wrong type or value, or `among` holds an unknown id.
        FileError, FormatError
            The mapped file has changed, or is damaged.
        """
        single, found, state = self._found(query, k, **options)
        answers = [
            [state.hit(row, score) for row, score in zip(rows.tolist(), near.tolist(), strict=True)]
            for rows, near in found
        ]
        return answers[0] if single else answers

    def classify(
        self, query: Any, k: int = 20, **options: Unpack[SearchOptions]
    ) -> Vote | list[Vote]:
        """Return the label that the nearest labelled texts have, by a weighted vote.

        Each of the `k` nearest texts with a label votes with its cosine; those with a negative
        cosine do not vote. Of labels with the same sum, that of the nearer text wins.

        Parameters
        ----------
        query
            As for `search`.
        k : int
            Number of texts that vote, at most.
        accuracy, approximate, among, exclude, min_score, threads
            As for `search`.

        Returns
        -------
        Vote, or list of Vote
            For many queries one each.

        Raises
        ------
        InputTypeError, InputValueError, FileError, FormatError
            As for `search`; or no text has a label.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> texts, labels = ["rye bread", "white bread", "a war"], ["food", "food", "history"]
        >>> index = ftl.TextIndex.build(ftl.load("sample"), texts, labels=labels)
        >>> index.classify("fresh bread", k=3).label
        'food'
        """
        if not self._now.labels:
            raise InputValueError("the texts of this index have no labels")
        single, found, state = self._found(query, k, labelled=True, **options)
        votes = [_vote(state, *one) for one in found]
        return votes[0] if single else votes

    def duplicates(
        self,
        threshold: float = 0.95,
        *,
        approximate: bool | None = None,
        accuracy: float | None = None,
        threads: int | None = None,
        progress: bool = False,
    ) -> list[list[Hit]]:
        """Return groups of near duplicates, from the bottom up: linked pairs, then their groups.

        Texts whose cosine is at least `threshold` are linked, and all that are linked, directly or
        through others, are a group (single linkage). So the first and the last text of a chain may
        be less similar. Links are looked for among the 1024 nearest texts of each, which a search
        along the graph finds in part if the index has one.

        Parameters
        ----------
        threshold : float
            A cosine above 0.
        approximate, accuracy, threads
            As for `search`.
        progress : bool
            Show a progress bar on stderr, if stderr is a terminal.

        Returns
        -------
        list of list of Hit
            Groups of at least two texts, each in the order of their rows, by their first rows. The
            score of a text is its largest cosine with another text of the group.

        Raises
        ------
        InputTypeError, InputValueError, FileError, FormatError
            As for `search`.
        """
        threshold = real("threshold", threshold)
        if not 0 < threshold <= 1:
            raise InputValueError(f"threshold must be above 0 and at most 1, not {threshold}")
        state, wanted = self._checked(), wanted_accuracy(accuracy, approximate)
        first, same = state.distinct()
        parents = np.arange(state.size)
        best = np.full(state.size, -np.inf)
        for row, other in zip(*same, strict=True):
            best[[row, other]] = 1
            _unite(parents, row, other)
        pending, k = first, _FIRST
        among = None if len(first) == state.size else first
        show = flag("progress", progress)
        with progress_bar("neighbors", len(first), "texts", show=show) as advance:
            while len(pending):
                left = []
                for start in range(0, len(pending), _TOGETHER):
                    rows = pending[start : start + _TOGETHER]
                    near = state.nearest(
                        state.vectors(rows), k + 1, accuracy=wanted, among=among, threads=threads
                    )
                    for row, (others, scores) in zip(rows.tolist(), near, strict=True):
                        linked = scores >= threshold - _ROUNDING
                        for other, score in zip(others[linked], scores[linked], strict=True):
                            if other != row:
                                best[row] = max(best[row], score)
                                best[other] = max(best[other], score)
                                _unite(parents, row, int(other))
                        if len(linked) > k and linked.all() and k < _MOST:
                            left.append(row)
                    if k == _FIRST:
                        advance(len(rows))
                pending, k = np.array(left, np.int64), 4 * k
        roots = np.array([_root(parents, row) for row in range(state.size)], np.int64)
        groups: dict[int, list[Hit]] = {}
        for row in np.flatnonzero(best > -np.inf).tolist():
            groups.setdefault(int(roots[row]), []).append(state.hit(row, min(best[row], 1.0)))
        return list(groups.values())

    def recall(
        self,
        sample: int = 1000,
        k: int = 10,
        *,
        accuracy: float = ACCURACY,
        seed: int = 0,
        threads: int | None = None,
    ) -> Recall | None:
        """Compare searches along the graph with exact ones, for texts of the index.

        Parameters
        ----------
        sample, k, accuracy, seed, threads
            As for `evaluate.graph_recall`.

        Returns
        -------
        Recall or None
            None if there are fewer than two texts in the file or no graph: all searches are exact.
        """
        from fasttext_lite.evaluate.recall import graph_recall  # few programs measure it

        part = self._checked().parts[0]
        if part.arrays.graph is None:
            return None
        return graph_recall(
            Model(part.parts), sample=sample, k=k, accuracy=accuracy, seed=seed, threads=threads
        )

    def _found(
        self,
        query: Any,
        k: int,
        *,
        labelled: bool = False,
        accuracy: float | None = None,
        approximate: bool | None = None,
        among: Iterable[Id] | None = None,
        exclude: Iterable[Id] | None = None,
        min_score: float | None = None,
        threads: int | None = None,
    ) -> tuple[bool, list[tuple[NDArray[np.int64], NDArray[np.float64]]], Content]:
        """Return whether there is one query, rows and cosines for each, and what was searched."""
        state = self._checked()
        k = whole("k", k, 1)
        least = -np.inf if min_score is None else real("min_score", min_score)
        if isinstance(query, (str, bytes)):
            single, vectors = True, self._embedding.vector(query)
        else:
            single, vectors = self._query_vectors(query)
        rows = state.labelled_rows() if labelled else None
        if among is not None:
            chosen = self._rows(state, "among", among, strict=True)
            rows = chosen if rows is None else np.intersect1d(chosen, rows)
        found = state.nearest(
            vectors,
            k,
            accuracy=wanted_accuracy(accuracy, approximate),
            among=rows,
            exclude=() if exclude is None else self._rows(state, "exclude", exclude, strict=False),
            threads=threads,
        )
        if min_score is not None:
            found = [(rows[scores >= least], scores[scores >= least]) for rows, scores in found]
        return single, found, state

    def _query_vectors(self, query: Any) -> tuple[bool, NDArray[np.float32]]:
        """Return whether there is one query, and the vectors: those of a model are padded."""
        embedding = self._embedding
        own, dim = embedding.model.dim, embedding.dim
        shape = np.shape(query) if isinstance(query, np.ndarray) else ()
        if dim == own or shape[-1:] == (dim,):
            return query_vectors(query, dim, embedding.vectors)[:2]
        single, vectors, words = query_vectors(query, own, self._model_part)
        found = embedding.padded(vectors)
        texts = [i for i, word in enumerate(words) if word]
        if texts:
            found[texts] = embedding.vectors([words[i][0] for i in texts])
        return single, found

    def _model_part(self, texts: Sequence[Any]) -> NDArray[np.float32]:
        return np.zeros((len(texts), self.model.dim), np.float32)

    def _rows(
        self, state: Content, name: str, ids: Iterable[Id], *, strict: bool
    ) -> NDArray[np.int64]:
        """Return the rows of ids, ascending."""
        if isinstance(ids, (str, bytes)) or not hasattr(ids, "__iter__"):
            raise InputTypeError(f"{name} must be an iterable of ids, not {type(ids).__name__}")
        places, found = self._places(state), []
        for one in ids:
            row = places.get(_plain(one))
            if row is not None and row < state.size:
                found.append(row)
            elif strict:
                raise InputValueError(f"{name}: no text has the id {one!r:.60}")
        return np.unique(np.array(found, np.int64))

    def _places(self, state: Content) -> dict[Id, int]:
        """Return the row of each id, at least of those in `state`."""
        with self._lock:
            for row in range(len(self._known), state.size):
                self._known[state.id(row)] = row
            return self._known


def _vote(state: Content, rows: NDArray[np.int64], scores: NDArray[np.float64]) -> Vote:
    sums: dict[str | None, float] = {}
    for row, score in zip(rows.tolist(), scores.tolist(), strict=True):
        if score > 0:
            label = state.label(row)
            sums[label] = sums.get(label, 0.0) + score
    if not sums:
        return Vote(None, 0.0)
    label = max(sums, key=lambda name: sums[name])
    return Vote(label, sums[label] / sum(sums.values()))


def _root(parents: NDArray[np.int64], row: int) -> int:
    """Return the representative of the group of a row; paths are halved on the way."""
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = int(parents[row])
    return row


def _unite(parents: NDArray[np.int64], a: int, b: int) -> None:
    a, b = _root(parents, a), _root(parents, b)
    parents[max(a, b)] = min(a, b)


def _plain(one: Any) -> Any:
    """Return an id as str or int."""
    return one if isinstance(one, str) or not hasattr(one, "__index__") else int(one)
