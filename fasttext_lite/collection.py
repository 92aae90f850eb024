"""Texts with their ids, labels and vectors: the parts of a text index, in a file or in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from fasttext_lite._core.lookup.embed import Embedder
from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite._core.search.codes import Codes, encode_directions
from fasttext_lite.arguments import decode
from fasttext_lite.casting import cast
from fasttext_lite.errors import FormatError
from fasttext_lite.formats.word_vectors import parameters_of_vectors
from fasttext_lite.neighbors import GRAPH, NeighborSearch
from fasttext_lite.once import once
from fasttext_lite.parts import Info, Matrix, Parts, Section
from fasttext_lite.words import Words

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    from fasttext_lite.parts import GraphArrays

    # Codes, scales and errors of directions.
    Coded: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]
    Ids: TypeAlias = NDArray[np.int64] | "TextIds" | range

__all__ = [
    "NO_LABEL",
    "Collection",
    "TextArrays",
    "TextIds",
    "encoded",
    "joined_ids",
    "stored_rows",
]

# The number of the label of a text that has none.
NO_LABEL = 2**32 - 1
# Rows that are encoded at a time.
_CODED = 1 << 14


class TextIds(Sequence[str]):
    """Ids that are texts, decoded on access.

    Parameters
    ----------
    text : ndarray
        uint8: the ids, end to end.
    offsets : ndarray
        uint64, shape (n + 1,): where they begin and end. They are checked on access.
    path : str
        Of the file, for errors.
    """

    def __init__(self, text: NDArray[np.uint8], offsets: NDArray[np.uint64], path: str) -> None:
        self.text = text
        self.offsets = offsets
        self._path = path

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        i = range(len(self))[index]
        start, stop = int(self.offsets[i]), int(self.offsets[i + 1])
        if not start <= stop <= len(self.text):
            raise FormatError(
                "texts.ids.offsets", 0, f"the id of text {i} is not in the file", self._path
            )
        return decode(self.text[start:stop].tobytes())


@dataclass(frozen=True, slots=True)
class TextArrays:
    """The arrays of texts and their vectors.

    Attributes
    ----------
    text : ndarray
        uint8: the texts, end to end.
    offsets : ndarray
        uint64, shape (n + 1,): text i is ``text[offsets[i]:offsets[i + 1]]``.
    numbers : ndarray
        float32, float16 or int8, shape (n, dim): the vectors; NaN for a text without a vector.
    scales : ndarray or None
        float32, shape (n,): factors of int8 rows.
    norms : ndarray
        float32, shape (n,).
    labels : ndarray
        uint32, shape (n,): the number of the label of each text, or `NO_LABEL`.
    ids : ndarray, TextIds or range
        The id of each text; a range if it is the number of its row.
    codes : tuple of ndarray, or None
        Codes, scales and errors of the directions.
    graph : GraphArrays or None
    builder : str
        How the graph was made.
    """

    text: NDArray[np.uint8]
    offsets: NDArray[np.uint64]
    numbers: NDArray[Any]
    scales: NDArray[np.float32] | None
    norms: NDArray[np.float32]
    labels: NDArray[np.uint32]
    ids: Ids
    codes: Coded | None = None
    graph: GraphArrays | None = None
    builder: str = ""

    @property
    def dtype(self) -> str:
        """Number format of the vectors."""
        return self.numbers.dtype.name

    def check_offsets(self) -> None:
        """Check where texts and ids begin and end, before they are copied.

        Raises
        ------
        FormatError
            They are not in order, or outside of the file.
        """
        for name, one in (("vocabulary", self), ("texts.ids", self.ids)):
            if isinstance(one, range | np.ndarray):
                continue
            ends = one.offsets
            if ends[0] != 0 or ends[-1] > len(one.text) or (ends[1:] < ends[:-1]).any():
                raise FormatError(
                    f"{name}.offsets", 0, "the offsets are damaged: build the index again"
                )

    def rows(self) -> DenseRows:
        """Return the vectors as a matrix."""
        count, dim = self.numbers.shape
        data = self.numbers.reshape(-1).view(np.uint8).data if count else memoryview(b"")
        return DenseRows(data, count, dim, self.dtype, self.scales)

    def coded(self) -> Codes | None:
        """Return the codes of the vectors, if there are some."""
        if self.codes is None:
            return None
        codes, scales, errors = self.codes
        return Codes(codes.reshape(-1), scales, errors, self.numbers.shape[1], packed=True)

    def joined(self, other: TextArrays) -> TextArrays:
        """Return these texts and others, in memory, without codes and graph."""
        text, offsets = _joined(self, other)
        scales = None
        if self.scales is not None and other.scales is not None:
            scales = np.concatenate([self.scales, other.scales])
        return TextArrays(
            text,
            offsets,
            np.concatenate([self.numbers, other.numbers]),
            scales,
            np.concatenate([self.norms, other.norms]),
            np.concatenate([self.labels, other.labels]),
            joined_ids([self.ids, other.ids]),
        )


def joined_ids(several: Sequence[Ids]) -> Ids:
    """Return the ids of several parts, which are of the same kind."""
    first, *others = several
    if isinstance(first, range):
        return range(first.start, first.start + sum(map(len, several)))
    for other in others:
        if isinstance(first, TextIds):
            assert isinstance(other, TextIds)  # noqa: S101 - all are of one kind
            first = TextIds(*_joined(first, other), "")
    if isinstance(first, TextIds):
        return first
    return np.concatenate(several)


def _joined(
    a: TextArrays | TextIds, b: TextArrays | TextIds
) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Return the texts of two buffers in one, and their offsets."""
    end = a.offsets[-1]
    return (
        np.concatenate([a.text[: int(end)], b.text]),
        np.concatenate([a.offsets, b.offsets[1:] + end]),
    )


def stored_rows(
    vectors: NDArray[np.float32], dtype: str
) -> tuple[NDArray[Any], NDArray[np.float32] | None, NDArray[np.float32]]:
    """Return vectors as an index stores them: numbers, scales and norms.

    A text without a direction is found by no search: its row is NaN, or has the scale NaN.

    Raises
    ------
    InputValueError
        A number is too large for float16.
    """
    with np.errstate(invalid="ignore"):
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    nowhere = ~(np.isfinite(lengths) & (lengths > 0))
    vectors = np.where(nowhere[:, None], np.float32(0), vectors)
    found = cast(vectors, dtype, measured=True)
    numbers, scales, norms = found.numbers, found.scales, found.norms
    assert norms is not None  # noqa: S101 - it is measured
    nowhere |= norms == 0
    if scales is not None:
        scales[nowhere] = np.nan
    else:
        numbers[nowhere] = np.nan
    norms[nowhere] = np.nan
    return numbers, scales, norms


def encoded(arrays: TextArrays) -> Coded:
    """Return codes, scales and errors of the directions of vectors."""
    blocks = []
    for start in range(0, max(len(arrays.numbers), 1), _CODED):
        rows = arrays.numbers[start : start + _CODED].astype(np.float32)
        if arrays.scales is not None:
            rows *= arrays.scales[start : start + _CODED, None]
        blocks.append(encode_directions(rows, packed=True))
    codes, scales, errors = (np.concatenate(part) for part in zip(*blocks, strict=True))
    return codes, scales, errors


class Collection:
    """A part of a text index: texts with ids, labels and vectors, which do not change.

    Parameters
    ----------
    arrays : TextArrays
    parts : Parts, optional
        The vectors and the texts as parts of a model, if they are in a file.
    """

    def __init__(self, arrays: TextArrays, parts: Parts | None = None) -> None:
        self.arrays = arrays
        self._given = parts

    def __len__(self) -> int:
        return len(self.arrays.numbers)

    @once
    def parts(self) -> Parts:
        """The vectors and the texts as parts of a model, whose words are the texts."""
        if self._given is not None:
            return self._given
        arrays = self.arrays
        count, dim = arrays.numbers.shape
        # Texts are not looked up here, so the index over them is empty.
        vocabulary = Vocabulary.stored(
            arrays.text.data,
            arrays.offsets,
            np.zeros(count, np.int64),
            count,
            0,
            np.zeros(Vocabulary.slot_count(count), np.uint32),
        )
        info = Info(
            path="",
            format="texts in memory",
            kind="vectors",
            file_size=0,
            parameters=parameters_of_vectors(dim),
            word_count=count,
            sections=(Section(GRAPH, 0, 0),),
        )
        return Parts(
            info,
            lambda: vocabulary,
            Subwords(0, 0, 0, 0),
            Matrix(DenseRows(memoryview(b""), 0, dim), None),
            None,
            Matrix(arrays.rows(), None),
            closed=True,
            norms=arrays.norms,
            codes=arrays.coded(),
            graph=arrays.graph,
        )

    @once
    def texts(self) -> Words:
        """The texts, decoded on access."""
        parts = self.parts
        return Words(lambda: parts.vocabulary, range(len(self)))

    @once
    def search(self) -> NeighborSearch:
        """The search over the vectors."""
        parts = self.parts
        vectors = parts.vectors
        assert vectors is not None  # noqa: S101 - a collection has vectors
        embedder = Embedder(
            parts.vocabulary, parts.subwords, parts.input.rows, vectors.rows, parts.closed
        )
        return NeighborSearch(embedder, parts)

    def label(self, row: int, count: int) -> int:
        """Return the number of the label of a text, -1 if it has none.

        Parameters
        ----------
        row : int
        count : int
            Number of labels.

        Raises
        ------
        FormatError
            There is no such label.
        """
        found = int(self.arrays.labels[row]) if len(self.arrays.labels) else NO_LABEL
        if found == NO_LABEL:
            return -1
        if found >= count:
            raise FormatError(
                "texts.labels",
                0,
                f"text {row} has label {found}, but there are {count}",
                self.parts.info.path or None,
            )
        return found

    def vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors of some texts: float32, shape (n, dim); NaN where there is none."""
        found = self.arrays.numbers[rows].astype(np.float32)
        if self.arrays.scales is not None:
            found *= self.arrays.scales[rows, None]
        return found
