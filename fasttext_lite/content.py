"""The content of a text index: several collections as one, and the search over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fasttext_lite.arguments import flag, real
from fasttext_lite.collection import NO_LABEL
from fasttext_lite.errors import InputValueError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import NDArray

    from fasttext_lite.collection import Collection
    from fasttext_lite.formats.file import ModelFile

    Id: TypeAlias = str | int

__all__ = ["ACCURACY", "Column", "Content", "Hit", "IndexInfo", "wanted_accuracy"]

# Without an option. Misspelt queries are far from all texts, so that a search finds fewer of their
# nearest ones than of those of a text: 97 % among 100,000 titles.
ACCURACY = 0.995
# With this many queries in a call, a scan of this many texts takes no longer than a walk, for each
# unit of effort.
_MANY, _SCANNED = 64, 640


class Hit(NamedTuple):
    """A text that was found.

    Attributes
    ----------
    id : str or int
    text : str
    score : float
        The cosine of its vector and that of the query.
    label : str or None
    row : int
        Its place in the index, from 0.
    """

    id: str | int
    text: str
    score: float
    label: str | None
    row: int


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """The description of a text index.

    Attributes
    ----------
    path : str or None
        The file; None before the index is saved.
    size : int
        Size of the file in bytes; 0 before the index is saved.
    count, added : int
        Number of texts, and how many of them are not in the file yet.
    dim : int
    dtype : str
        Number format of the vectors.
    labels : int
        Number of distinct labels.
    weighting : str
        How the vectors of words make that of a text.
    spelling : float
        The share of the spelling in a score.
    lowercase : bool
    model : str
        Path of the model.
    accuracy : tuple of (int, float)
        Efforts of the search along the graph, and the mean share of the ten nearest texts that
        each finds for texts of the index; empty if there is no graph.
    """

    path: str | None
    size: int
    count: int
    added: int
    dim: int
    dtype: str
    labels: int
    weighting: str
    spelling: float
    lowercase: bool
    model: str
    accuracy: tuple[tuple[int, float], ...]


class Content(NamedTuple):
    """What an index holds at a time; a change replaces it as a whole.

    Attributes
    ----------
    parts : tuple of Collection
        The first is that of the file; the others were added. Rows are counted one part after the
        other.
    labels : sequence of str
        The distinct labels.
    file : ModelFile or None
        None before the index is saved.
    """

    parts: tuple[Collection, ...]
    labels: Sequence[str]
    file: ModelFile | None

    @property
    def size(self) -> int:
        """Number of texts."""
        return sum(map(len, self.parts))

    def located(self, row: int) -> tuple[Collection, int]:
        """Return the part that holds a row, and the row there."""
        for part in self.parts:
            if row < len(part):
                break
            row -= len(part)
        return part, int(row)

    def text(self, row: int) -> str:
        """Return a text."""
        part, place = self.located(row)
        return part.texts[place]

    def id(self, row: int) -> str | int:
        """Return the id of a text."""
        return self._id(*self.located(row))

    @staticmethod
    def _id(part: Collection, place: int) -> str | int:
        found = part.arrays.ids[place]
        return found if isinstance(found, str) else int(found)

    def label(self, row: int) -> str | None:
        """Return the label of a text, if it has one."""
        return self._label(*self.located(row))

    def _label(self, part: Collection, place: int) -> str | None:
        found = part.label(place, len(self.labels))
        return self.labels[found] if found >= 0 else None

    def hit(self, row: int, score: float) -> Hit:
        """Return a text as the result of a search."""
        part, place = self.located(row)
        return Hit(
            self._id(part, place), part.texts[place], float(score), self._label(part, place),
            int(row),
        )  # fmt: skip

    def labelled_rows(self) -> NDArray[np.int64] | None:
        """Return the rows of texts that have a label; None for all."""
        found = np.concatenate([part.arrays.labels != NO_LABEL for part in self.parts])
        return None if found.all() else np.flatnonzero(found)

    def vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors of rows: float32, shape (n, dim); NaN where there is none."""
        found = np.empty((len(rows), self.parts[0].arrays.numbers.shape[1]), np.float32)
        start = 0
        for part in self.parts:
            here = (rows >= start) & (rows < start + len(part))
            found[here] = part.vectors(rows[here] - start)
            start += len(part)
        return found

    def distinct(self) -> tuple[NDArray[np.int64], tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Return the first row of each stored vector, and pairs of such rows and their copies."""
        numbers = np.concatenate([part.arrays.numbers for part in self.parts])
        wide = np.ascontiguousarray(numbers).view(f"V{numbers.shape[1] * numbers.itemsize}")
        _, first, back = np.unique(wide.reshape(-1), return_index=True, return_inverse=True)
        back = back.reshape(-1)
        directed = np.concatenate([np.isfinite(part.arrays.norms) for part in self.parts])
        copies = np.flatnonzero((first[back] != np.arange(len(back))) & directed)
        return np.sort(first[directed[first]]), (first[back[copies]], copies)

    def nearest(
        self,
        vectors: NDArray[np.float32],
        k: int,
        *,
        accuracy: float | None = None,
        among: NDArray[np.int64] | None = None,
        exclude: Sequence[int] | NDArray[np.int64] = (),
        threads: int | None = None,
    ) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Find the texts nearest to each query in all parts.

        Parameters
        ----------
        vectors : ndarray
            float32, shape (n, dim). Nothing is found for a vector of zeros.
        k : int
            Number of texts per query, at most.
        accuracy : float, optional
            Search along the graph of a part that has one, so that this share of the nearest texts
            is found.
        among : ndarray, optional
            int64, distinct: search only these rows.
        exclude : sequence of int
            Rows to leave out.
        threads : int, optional
            Number of threads; by default one per core available to this process.

        Returns
        -------
        list of (ndarray, ndarray)
            Rows (int64) and cosines (float64), best first, ties by row.
        """
        without: NDArray[np.bool_] = ~np.any(vectors, axis=1)
        if without.any():
            # A search finds nothing for NaN.
            vectors = np.where(without[:, None], np.float32(np.nan), vectors)
        banned = np.asarray(exclude, np.int64)
        found, start = [], 0
        many = len(vectors) >= _MANY
        for part in self.parts:
            stop = start + len(part)
            local = banned[(banned >= start) & (banned < stop)] - start
            ids = None
            if among is not None:
                ids = (among[(among >= start) & (among < stop)] - start).astype(np.int32)
            search = part.search
            wanted = None if part.arrays.graph is None else accuracy
            if wanted is not None and many:
                effort = search.effort(wanted, k, len(part))
                # Many queries share a scan, which is then quicker than as many walks.
                if effort is not None and len(part) <= _SCANNED * effort:
                    wanted = None
            answers = search.nearest(
                vectors,
                [local.tolist()] * len(vectors),
                k,
                ids=ids,
                accuracy=wanted,
                threads=threads,
            )
            found.append([(rows.astype(np.int64) + start, scores) for rows, scores in answers])
            start = stop
        if len(found) == 1:
            return found[0]
        return [_best(several, k) for several in zip(*found, strict=True)]


def _best(
    several: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Join answers to a query."""
    rows, scores = (np.concatenate(part) for part in zip(*several, strict=True))
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]


def wanted_accuracy(accuracy: float | None, approximate: bool | None) -> float | None:
    """Return the accuracy of a search along a graph; None for an exact search."""
    if approximate is not None and not flag("approximate", approximate):
        if accuracy is not None:
            raise InputValueError("accuracy is that of an approximate search: leave one out")
        return None
    if accuracy is None:
        return ACCURACY
    accuracy = real("accuracy", accuracy)
    if not 0 < accuracy <= 1:
        raise InputValueError(f"accuracy must be above 0 and at most 1, not {accuracy}")
    return accuracy


class Column(Sequence[Any]):
    """A value of each text, computed on access.

    Parameters
    ----------
    count : int
        Number of texts.
    value : callable
        Returns the value of a row.
    """

    def __init__(self, count: int, value: Callable[[int], Any]) -> None:
        self._rows = range(count)
        self._value = value

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._value(row) for row in self._rows[index]]
        return self._value(self._rows[index])

    def __repr__(self) -> str:
        return f"<Column of {len(self)}>"
