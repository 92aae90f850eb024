"""What a file format hands over to a model: plain parts, however the bytes were laid out."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fasttext_lite.errors import FileError
from fasttext_lite.once import once

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.rows import Rows
    from fasttext_lite._core.lookup.subwords import Subwords
    from fasttext_lite._core.lookup.vocabulary import Vocabulary
    from fasttext_lite._core.search.codes import Codes
    from fasttext_lite.formats.file import ModelFile

__all__ = ["Info", "Matrix", "Once", "Parameters", "Parts", "Section"]

T = TypeVar("T")


class Once(Generic[T]):
    """A value that is made when it is first asked for, once, whichever thread comes first.

    A process that is forked while a thread makes the value makes its own.
    """

    __slots__ = ("_locks", "_make", "_value")

    _value: T

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        # One for each process: the thread that held it at a fork is not there to release it.
        self._locks: dict[int, threading.Lock] = {}

    def get(self) -> T:
        """Return the value; after the first call this takes no lock."""
        try:
            return self._value
        except AttributeError:
            pass
        with self._locks.setdefault(os.getpid(), threading.Lock()):
            if not self.made:
                self._value = self._make()
        return self._value

    @property
    def made(self) -> bool:
        """Whether the value is there already."""
        return hasattr(self, "_value")


@dataclass(frozen=True)
class Parameters:
    """The training parameters that a fastText file holds, under the names of that file."""

    dim: int
    ws: int
    epoch: int
    min_count: int
    neg: int
    word_ngrams: int
    loss: str
    model: str
    bucket: int
    minn: int
    maxn: int
    lr_update_rate: int
    t: float


@dataclass(frozen=True)
class Section:
    """A part of a file: its name, the byte at which it begins, and its size in bytes."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True)
class Matrix:
    """A matrix in a file.

    Attributes
    ----------
    rows : Rows
        What sums its rows.
    view : ndarray or None
        A read-only view of the numbers, float32 of shape (rows, dim), where they stand in the
        file as such; None where they are quantised, float16 or int8.
    """

    rows: Rows
    view: NDArray[np.float32] | None


@dataclass(frozen=True)
class Info:
    """What a file says of its model.

    Attributes
    ----------
    path : str
    format : str
        The format and its version.
    kind : str
        ``"cbow"``, ``"skip-gram"``, ``"supervised"``, or ``"vectors"`` where nothing is known of
        a training.
    word_count, label_count, token_count : int
        Words and labels of the vocabulary, and tokens of the training text.
    parameters : Parameters
    subword_rows : int
        Rows of the input matrix that belong to n-grams.
    pruned, quantized_input, quantized_output : bool
    file_size : int
        In bytes.
    sections : tuple of Section
        The parts of the file in their order; none where it cannot be mapped.
    index_size : int
        Bytes that the index over the vocabulary takes in memory; it is built at the first look-up.
        Of a file that cannot be mapped: all that it takes.
    """

    path: str
    format: str
    kind: str
    word_count: int
    label_count: int
    token_count: int
    parameters: Parameters
    subword_rows: int
    pruned: bool
    quantized_input: bool
    quantized_output: bool
    file_size: int
    sections: tuple[Section, ...]
    index_size: int


@dataclass(frozen=True)
class Parts:
    """All that a model is made of.

    Attributes
    ----------
    info : Info
    read_vocabulary : callable
        Returns the `Vocabulary`; called once, when `vocabulary` is first used.
    vocabulary : Vocabulary
        Read lazily, since reading the dictionary of a large file takes a while.
    subwords : Subwords
    input : Matrix
        One row a word, then one a bucket; with `vectors` those of the buckets alone.
    output : Matrix or None
        The rows of the output layer, where the file has them.
    vectors : Matrix or None
        The vectors of the words, where the file has them already.
    closed : bool
        Unknown words have no vector.
    file : ModelFile or None
        The file that the model was read from; None for a stream.
    norms : ndarray or None
        The norms of `vectors` (float32, shape (words,)), where the file has them.
    codes : Codes or None
        Codes of `vectors` for the search of neighbours, where the file has them.
    """

    info: Info
    read_vocabulary: Callable[[], Vocabulary]
    subwords: Subwords
    input: Matrix
    output: Matrix | None
    vectors: Matrix | None = None
    closed: bool = False
    file: ModelFile | None = None
    norms: NDArray[np.float32] | None = None
    codes: Codes | None = None

    @once
    def vocabulary(self) -> Vocabulary:
        """Read the words and labels, on first use."""
        return self.read_vocabulary()

    @property
    def first_row(self) -> int:
        """Number of the first row of `input`.

        Users count rows as in a fastText file, words before buckets. Where the file holds the
        vectors of the words, `input` has the rows of the buckets only.
        """
        return self.info.word_count - self.subwords.first_row

    def check_unchanged(self) -> None:
        """Make sure that a mapped file is as it was when it was opened.

        Raises
        ------
        FileError
            The file has another size, so its pages may be gone and reading them would end the
            process; or it was written to.
        """
        if self.file is not None:
            self.file.check()

    def __reduce__(self) -> tuple[Callable[..., Parts], tuple[Any, ...]]:
        if self.file is None:
            raise FileError("this model was read from a stream: it cannot pickle", self.info.path)
        return self.file.recipe()
