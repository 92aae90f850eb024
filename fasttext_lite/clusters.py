"""Clusters of words or vectors: who is in which, how tight they are, and who joins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite._core.text.batch import to_bytes
from fasttext_lite.arguments import whole
from fasttext_lite.cluster_files import write_clusters
from fasttext_lite.cosines import unit
from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.neighbor_graph import MatrixSearch
from fasttext_lite.once import once
from fasttext_lite.parallel import chunks_in_order
from fasttext_lite.queries import query_vectors
from fasttext_lite.whispers import hub_factors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.items import Items
    from fasttext_lite.neighbor_graph import NearestGraph

__all__ = ["Cluster", "Clusters", "Recipe"]

# Rows of a block.
_BLOCK = 8192
# The name of a cluster is the most frequent of so many of its most central words.
_CENTRAL = 10
# New words that are searched together.
_TOGETHER = 64
# Words that a repr shows.
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Recipe:
    """How clusters were made.

    Attributes
    ----------
    method, weighting : str
    threshold : float
        Edges have a cosine above this one.
    mutual : bool
        Whether both ends of an edge are among the nearest of the other.
    seed : int
    passes : int
        Passes of Chinese Whispers over all nodes; 0 for other methods.
    """

    method: str
    weighting: str
    threshold: float
    mutual: bool
    seed: int
    passes: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster.

    Attributes
    ----------
    number : int
        Clusters are numbered by falling size.
    name : str
        The most frequent of the ten most central members; of an array, the medoid.
    size : int
    tightness : float
        Mean cosine of two members.
    members : list
        Words, or numbers of rows, by falling centrality. The first one is the medoid.
    """

    number: int
    name: str
    size: int
    tightness: float
    members: list[Any]


class Clusters:
    """Clusters of words or vectors, numbered by falling size; `fasttext_lite.cluster` makes them.

    ``len(clusters)`` is their number, ``clusters[i]`` is one of them, and iteration yields all.

    Parameters
    ----------
    items : Items
    graph : NearestGraph
    degrees : ndarray
        int32, shape (n,): the number of edges of each node.
    classes : ndarray
        int32, shape (n,): equal numbers for members of one cluster, negative ones for noise.
    recipe : Recipe

    Attributes
    ----------
    labels : ndarray
        int32, shape (n,), read-only: the cluster of each word, or -1 for noise, that is for words
        in no cluster.
    words : sequence of str, or range
        The words, or the numbers of the rows of an array without names.
    sizes : ndarray
        int32, shape (clusters,), falling.
    centrality : ndarray
        float32, shape (n,): the cosine of each vector and the mean direction of its cluster; NaN
        for noise.
    tightness : ndarray
        float32, shape (clusters,): the mean cosine of two members.
    graph : NearestGraph
        The nearest neighbors that the clusters come from.
    recipe : Recipe
        The method and its parameters, with the threshold that was used.
    """

    def __init__(
        self,
        items: Items,
        graph: NearestGraph,
        degrees: NDArray[np.int32],
        classes: NDArray[np.int32],
        recipe: Recipe,
    ) -> None:
        self.graph = graph
        self.recipe = recipe
        self.words = items.names
        self._items = items
        self._degrees = degrees
        self.labels, self.sizes = _numbered(classes)
        self.centrality, self.tightness = _centrality(items.vectors, self.labels, self.sizes)
        # Rows by cluster, noise first, and by falling centrality.
        self._order = np.lexsort((-self.centrality, self.labels)).astype(np.int32)
        self._starts = np.cumsum([len(self.labels) - self.sizes.sum(), *self.sizes])
        for array in (self.labels, self.sizes, self.centrality, self.tightness):
            array.flags.writeable = False

    def __getstate__(self) -> dict[str, Any]:
        # Without what is computed on first use.
        return {
            name: value
            for name, value in vars(self).items()
            if not isinstance(getattr(type(self), name, None), once)
        }

    def __len__(self) -> int:
        return len(self.sizes)

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, number: int) -> Cluster:
        number = self._number(number)
        return Cluster(
            number,
            self.names[number],
            int(self.sizes[number]),
            float(self.tightness[number]),
            self.members(number),
        )

    def __iter__(self) -> Iterator[Cluster]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        shown = ", ".join(islice(self.names, _SHOWN))
        return (
            f"<Clusters: {len(self):,} of {len(self.labels):,} words or vectors, "
            f"{len(self.labels) - int(self.sizes.sum()):,} of them noise; the largest "
            f"({self.largest_share:.1%}) are {shown or 'none'}>"
        )

    @property
    def largest_share(self) -> float:
        """The share of all words that the largest cluster holds."""
        return float(self.sizes[0]) / len(self.labels) if len(self) else 0.0

    @property
    def medoids(self) -> list[Any]:
        """The member of each cluster with the largest sum of cosines to the others."""
        return [self.words[int(i)] for i in self._order[self._starts[:-1]]]

    @once
    def names(self) -> list[str]:
        """A name for each cluster; see `Cluster`."""
        ids, found = self._items.ids, []
        for start, size in zip(self._starts, self.sizes, strict=False):
            rows = self._order[start : start + min(size, _CENTRAL)]
            row = rows[0]
            if ids is not None:
                known = rows[ids[rows] >= 0]
                row = known[np.argmin(ids[known])] if len(known) else row
            found.append(str(self.words[int(row)]))
        return found

    @property
    def noise(self) -> list[Any]:
        """The words, or numbers of rows, that are in no cluster."""
        return [self.words[int(i)] for i in self.rows(-1)]

    def rows(self, number: int) -> NDArray[np.int32]:
        """Return the rows of a cluster by falling centrality, int32; -1 means noise."""
        if whole("number", number) == -1:
            return self._order[: self._starts[0]]
        start = self._starts[self._number(number)]
        return self._order[start : start + self.sizes[number]]

    def members(self, number: int) -> list[Any]:
        """Return the words of a cluster, or the numbers of its rows, by falling centrality."""
        self._number(number)
        return [self.words[int(i)] for i in self.rows(number)]

    def of(self, word: str | bytes | int) -> int:
        """Return the cluster of a word, or -1 if it is noise.

        Parameters
        ----------
        word : str, bytes or int
            A word, or the number of a row.

        Raises
        ------
        InputTypeError
            It is neither.
        InputValueError
            It was not clustered; `assign` lets new words join.
        """
        row = self._row(word)
        if row < 0:
            raise InputValueError(f"{word!r} was not clustered: assign([{word!r}]) lets it join")
        return int(self.labels[row])

    def assign(self, words: Any, *, threads: int | None = None) -> Any:
        """Return the clusters that words or vectors would join.

        A word that was clustered stays where it is. Any other looks at its nearest neighbors among
        the clustered ones, as many as the graph has, and joins the cluster with the largest sum of
        weights among those above the threshold. Words that the model does not know have vectors by
        their n-grams.

        Parameters
        ----------
        words : str, bytes, array, or iterable
            Words, if there is a model, or vectors, one or many, as for `Model.neighbors`.
        threads : int, optional
            Number of threads; by default one per core available to this process.

        Returns
        -------
        ndarray or int
            int32, shape (n,): -1 where no neighbor is near enough. An int for one word or vector.

        Raises
        ------
        InputTypeError, InputValueError
            These are no words or vectors, or the vectors have another number of dimensions.
        UnknownWordError
            A word is unknown, and the model has no n-grams.
        """
        single, vectors, given = query_vectors(
            words, self._items.vectors.shape[1], self._vectors_of
        )
        if not np.isfinite(vectors).all():
            raise InputValueError("the vectors to assign hold NaN or infinity")
        found = np.full(len(vectors), -1, np.int32)
        rows = np.array([self._row(*word) if word else -1 for word in given], np.int64)
        found[rows >= 0] = self.labels[rows[rows >= 0]]
        new = np.flatnonzero(rows < 0)
        blocks = chunks_in_order(
            lambda start, stop: self._joined(vectors[new[start:stop]]), len(new), threads, _TOGETHER
        )
        if len(new):
            found[new] = np.concatenate(list(blocks))
        return int(found[0]) if single else found

    def write(self, path: PathType) -> None:
        """Write the clusters to a file, whose suffix says the format.

        ``.tsv`` and ``.parquet`` (extra `arrow`) have a row for each word, by cluster and falling
        centrality, noise last: the word or, as ``row``, its number, its ``cluster``, -1 for noise,
        the ``name`` of the cluster, and its ``centrality``. In TSV a tab, newline or backslash in a
        word is written as in C. ``.json`` is an object with a list of clusters, each with its
        members. The file is replaced when the new one is complete.

        Raises
        ------
        InputValueError
            The suffix is another one.
        MissingExtraError
            pyarrow is not installed.
        FileError
            The file cannot be written.
        """
        write_clusters(self, path)

    def _vectors_of(self, words: list[str | bytes]) -> NDArray[np.float32]:
        if self._items.model is None:
            raise InputTypeError("these are clusters of an array: assign vectors, not words")
        return self._items.model.vectors(words)

    def _joined(self, vectors: NDArray[np.float32]) -> NDArray[np.int32]:
        """Return the clusters with most votes of the nearest rows."""
        ids, cosines = self._search.nearest(vectors, self.graph.k)
        labels = np.where(ids >= 0, self.labels[ids], -1)
        factors = hub_factors(self._degrees[ids], self.recipe.weighting)
        votes = np.where(labels >= 0, (cosines - self.recipe.threshold) * factors, 0)
        same = labels[:, :, None] == labels[:, None, :]
        sums = (same * votes.clip(0)[:, None, :]).sum(axis=2)
        best = sums.argmax(axis=1)[:, None]
        most = np.take_along_axis(sums, best, axis=1) > 0
        joined: NDArray[np.int32] = np.where(most, np.take_along_axis(labels, best, axis=1), -1)
        return joined[:, 0]

    @once
    def _search(self) -> MatrixSearch:
        return MatrixSearch(self._items.vectors, None)

    @once
    def _places(self) -> dict[bytes, int]:
        return {to_bytes(str(name)): i for i, name in enumerate(self.words)}

    def _row(self, word: str | bytes | int) -> int:
        """Return the row of a word, or -1."""
        if isinstance(word, (str, bytes)):
            if isinstance(self.words, range):
                return -1
            return self._places.get(to_bytes(word), -1)
        row = whole("word", word)
        if not 0 <= row < len(self.labels):
            raise InputValueError(f"there is no row {row}: there are {len(self.labels)}")
        return row

    def _number(self, number: int) -> int:
        number = whole("number", number)
        if not 0 <= number < len(self):
            # An IndexError would end iteration by index; this is an error of the package.
            raise InputValueError(f"there is no cluster {number}: there are {len(self)}")
        return number


def _numbered(classes: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return clusters numbered by falling size, ties by their first member, and their sizes."""
    labels = np.full(len(classes), -1, np.int32)
    named = np.flatnonzero(classes >= 0)
    _, first, place, counts = np.unique(
        classes[named], return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -counts))
    order = order[: np.count_nonzero(counts > 1)]
    numbers = np.full(len(counts), -1, np.int32)
    numbers[order] = np.arange(len(order))
    labels[named] = numbers[place.reshape(-1)]
    return labels, counts[order].astype(np.int32)


def _centrality(
    vectors: NDArray[np.float32], labels: NDArray[np.int32], sizes: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the cosines of members and the mean direction of their cluster, and of two members.

    The member with the largest cosine to the mean direction is the one with the largest sum of
    cosines to all.
    """
    sums = np.zeros((len(sizes), vectors.shape[1]), np.float64)
    for start in range(0, len(labels), _BLOCK):
        block = labels[start : start + _BLOCK]
        rows = np.flatnonzero(block >= 0)
        rows = rows[np.argsort(block[rows], kind="stable")]
        if len(rows):
            units = unit(np.array(vectors[start : start + _BLOCK]))[rows]
            numbers, first = np.unique(block[rows], return_index=True)
            sums[numbers] += np.add.reduceat(units, first, axis=0, dtype=np.float64)
    squares = (sums**2).sum(axis=1)
    tightness = (squares - sizes) / (sizes * (sizes - 1.0))
    directions = (sums / np.sqrt(np.maximum(squares, 1e-30))[:, None]).astype(np.float32)
    centrality = np.full(len(labels), np.nan, np.float32)
    for start in range(0, len(labels), _BLOCK):
        rows = start + np.flatnonzero(labels[start : start + _BLOCK] >= 0)
        if len(rows):
            found = np.einsum("ij,ij->i", unit(vectors[rows]), directions[labels[rows]])
            centrality[rows] = found
    return centrality, tightness.astype(np.float32)
