"""The parts of a model, the same for every file format."""

# No `from __future__ import annotations`: a NamedTuple then compiles each annotation at import.
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fasttext_lite.errors import FileError, InputValueError
from fasttext_lite.once import once

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.rows import Rows
    from fasttext_lite._core.lookup.subwords import Subwords
    from fasttext_lite._core.lookup.vocabulary import Vocabulary
    from fasttext_lite._core.search.codes import Codes
    from fasttext_lite.formats.file import ModelFile

__all__ = [
    "ALL_ROWS",
    "GraphArrays",
    "Info",
    "Matrix",
    "Parameters",
    "Parts",
    "Section",
    "Selection",
]


class Parameters(NamedTuple):
    """The training parameters that a fastText file holds, under the names of that file.

    `hash_count` is the number of rows of an n-gram in a model that floret trained in its own mode,
    and 0 in any other model.
    """

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
    hash_count: int = 0


class Section(NamedTuple):
    """A part of a file: its name, its byte offset, and its size in bytes."""

    name: str
    offset: int
    size: int


class Matrix(NamedTuple):
    """A matrix in a file.

    Attributes
    ----------
    rows : Rows
        Reads and sums the rows.
    view : ndarray or None
        A read-only view of the numbers in the file: float32, shape (rows, dim). None if they are
        quantised, float16, int8 or mapped.
    """

    rows: "Rows"
    view: "NDArray[np.float32] | None"


class Info(NamedTuple):
    """The description of a model in its file.

    Attributes
    ----------
    path : str
    format : str
        The format and its version.
    kind : str
        ``"cbow"``, ``"skip-gram"``, ``"supervised"``; ``"sent2vec"`` and ``"sent2vec-cbow"`` for
        the models of sent2vec, which answer like unsupervised ones; or ``"vectors"`` if the file
        does not record how it was trained.
    file_size : int
        In bytes.
    parameters : Parameters
    word_count, label_count, token_count : int
        Number of words and of labels in the vocabulary, and of tokens in the training text.
    subword_rows : int
        Number of rows of the input matrix that belong to n-grams.
    pruned, quantized_input, quantized_output : bool
    sections : tuple of Section
        The parts of the file, in order; empty for a file that cannot be mapped.
    index_size : int
        Bytes of the vocabulary index in memory, which is built on the first look-up. For a file
        that cannot be mapped, bytes of the whole model in memory.
    head_word_count : int or None
        For word vectors without subwords: the number of rows that the head of the file says,
        which may differ from `word_count` if only a part was read, if words occur twice, or after
        ``strict=False``. None if the file has no such head.
    row_count : int or None
        For text and binary files of word vectors: the number of rows that the file has, which was
        counted if the file was read to its end and is otherwise the number in its head. None if
        neither is known.
    """

    path: str
    format: str
    kind: str
    file_size: int
    parameters: Parameters
    word_count: int
    label_count: int = 0
    token_count: int = 0
    subword_rows: int = 0
    pruned: bool = False
    quantized_input: bool = False
    quantized_output: bool = False
    sections: tuple[Section, ...] = ()
    index_size: int = 0
    head_word_count: int | None = None
    row_count: int | None = None


class GraphArrays(NamedTuple):
    """The arrays of a graph over the rows of a matrix; ``docs/compact-file.md`` specifies them.

    Attributes
    ----------
    neighbors : ndarray
        uint32, shape (rows, degree); an unused place holds the number of its own row.
    entries : ndarray
        uint32, shape (n,): where a search begins.
    accuracy : ndarray
        float32, shape (n, 2): efforts, ascending, and the share of the ten nearest rows that a
        search with this effort found.
    fingerprint : ndarray
        uint8, shape (32,): a hash of the rows that the graph was made of.
    """

    neighbors: "NDArray[np.uint32]"
    entries: "NDArray[np.uint32]"
    accuracy: "NDArray[np.float32]"
    fingerprint: "NDArray[np.uint8]"


class Selection(NamedTuple):
    """The rows to read from a file of word vectors without subwords.

    Attributes
    ----------
    max_words : int or None
        Read only this many rows.
    words : tuple of bytes or None
        Keep only the rows of these words, and read on only until all are found.
    strict : bool
        Raise if the head says another number of rows than there are.
    required : bool
        Raise if `max_words` or `words` are given for a file of another kind, where they cannot
        save any reading.
    """

    max_words: int | None = None
    words: tuple[bytes, ...] | None = None
    strict: bool = True
    required: bool = True


ALL_ROWS = Selection()


class Parts:
    """The parts of a model. They pickle as the path and fingerprint of their file.

    Parameters
    ----------
    info : Info
    read_vocabulary : callable
        Returns the `Vocabulary`; called once, when `vocabulary` is first used.
    subwords : Subwords
    input : Matrix
        One row per word, then one per bucket; with `vectors` only the rows of the buckets. See
        `first_row`.
    output : Matrix or None
        The rows of the output layer, if the file has them.
    vectors : Matrix or None
        The vectors of the words, if the file has them instead of word rows.
    closed : bool
        Whether unknown words raise, because the file has no n-grams for them.
    file : ModelFile or None
        The file that the model was read from; None for a stream.
    norms : ndarray or None
        The norms of `vectors` (float32, shape (words,)), if the file has them.
    codes : Codes or None
        Codes of `vectors` for the search of neighbors, if the file has them.
    graph : GraphArrays or None
        A graph over `vectors` for approximate searches, if the file has one.
    origin : tuple of Parts and ndarray, or None
        The parts of the file and the matrix that maps their rows to these, if they are mapped.
    """

    def __init__(
        self,
        info: Info,
        read_vocabulary: "Callable[[], Vocabulary]",
        subwords: "Subwords",
        input: Matrix,  # noqa: A002 - the name of the matrix in the format
        output: Matrix | None,
        vectors: Matrix | None = None,
        closed: bool = False,
        file: "ModelFile | None" = None,
        norms: "NDArray[np.float32] | None" = None,
        codes: "Codes | None" = None,
        graph: "GraphArrays | None" = None,
        origin: "tuple[Parts, NDArray[np.float32]] | None" = None,
    ) -> None:
        self.info = info
        self.read_vocabulary = read_vocabulary
        self.subwords = subwords
        self.input = input
        self.output = output
        self.vectors = vectors
        self.closed = closed
        self.file = file
        self.norms = norms
        self.codes = codes
        self.graph = graph
        self.origin = origin

    def replace(self, **changes: Any) -> "Parts":
        """Return a copy with some parameters changed."""
        given = vars(self) | changes
        given.pop("vocabulary", None)
        return Parts(**given)

    def mapped(self, matrix: "NDArray[np.float32]") -> "Parts":
        """Return the parts of a model whose rows are all multiplied by a matrix.

        The output matrix of a model that is not supervised is left out: only training needs it.

        Parameters
        ----------
        matrix : ndarray
            float32, shape (dim, new dim).

        Raises
        ------
        InputValueError
            These parts are mapped already, and the product of the two maps is too large for
            float32; or `dim` is too large for a map.
        """
        if self.origin is not None:
            parts, first = self.origin
            with np.errstate(over="ignore"):
                both = (first.astype(np.float64) @ matrix).astype(np.float32)
            if not np.isfinite(both).all():
                raise InputValueError("the product of the two maps is too large for float32")
            return parts.mapped(both)
        from fasttext_lite._core.lookup.mapped import MappedRows

        def view(matrix_of: Matrix) -> Matrix:
            return Matrix(MappedRows(matrix_of.rows, matrix), None)

        info = self.info
        return self.replace(
            info=info._replace(
                parameters=info.parameters._replace(dim=matrix.shape[1]),
                quantized_input=False,
                quantized_output=False,
            ),
            read_vocabulary=lambda: self.vocabulary,
            input=view(self.input),
            output=view(self.output) if self.output and info.kind == "supervised" else None,
            vectors=view(self.vectors) if self.vectors else None,
            norms=None,
            codes=None,
            graph=None,
            origin=(self, matrix),
        )

    @once
    def vocabulary(self) -> "Vocabulary":
        """Words and labels, read on first use."""
        return self.read_vocabulary()

    @property
    def first_row(self) -> int:
        """Number of the first row of `input`.

        Users count rows as in a fastText file, words before buckets. If the file holds the vectors
        of the words, `input` has the rows of the buckets only.
        """
        return self.info.word_count - self.subwords.first_row

    def check_unchanged(self) -> None:
        """Check that a mapped file has not changed since it was opened.

        Raises
        ------
        FileError
            The size of the file changed, so reading lost pages would end the process; or the file
            was written to.
        """
        if self.file is not None:
            self.file.check()

    def __reduce__(self) -> "tuple[Callable[..., Parts], tuple[Any, ...]]":
        if self.origin is not None:
            return Parts.mapped, self.origin
        if self.file is None:
            raise FileError("a model that was read from a stream cannot be pickled", self.info.path)
        return self.file.recipe()
