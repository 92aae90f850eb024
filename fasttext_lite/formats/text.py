"""Word vectors without subwords: ``.vec`` and word2vec files, compressed or not.

The first line holds the number of rows and of dimensions. Each row is a word, a space, and its
numbers: in decimal, up to the end of the line, or as little-endian float32, with or without a
following line feed. The first line may be missing before decimal rows (GloVe). The layout is
detected from the content, not from the name of the file. Of a word that occurs twice the first row
counts, as in gensim; the others are dropped.

Sources: ``word2vec.c`` (Mikolov and others, 2013) writes both forms, fastText's ``saveVectors``
the decimal one with a space at the end of each line.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.files.binaryrows import BinaryRows
from fasttext_lite._core.files.rowparser import first_entries
from fasttext_lite._core.files.textrows import TextRows
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite.errors import FormatError, FormatWarning
from fasttext_lite.formats.cursor import largest_dim
from fasttext_lite.formats.text_layout import (
    BEGIN_SIZE,
    LARGEST_COUNT,
    LONGEST_ROW,
    Layout,
    detect,
)
from fasttext_lite.formats.word_vectors import word_vectors
from fasttext_lite.parts import ALL_ROWS
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fasttext_lite._core.files.rowparser import RowParser
    from fasttext_lite.formats.file import ModelFile
    from fasttext_lite.formats.stream import StreamBuffer
    from fasttext_lite.parts import Parts, Selection

__all__ = ["read"]


def read(file: ModelFile, *, progress: bool = False, selection: Selection = ALL_ROWS) -> Parts:
    """Read a file of word vectors into memory.

    Parameters
    ----------
    file : ModelFile
        An open file.
    progress : bool
        Show a progress bar if reading takes over a second and stderr is a terminal.
    selection : Selection
        The rows to read and to keep.

    Returns
    -------
    Parts
        Words and their vectors, without subwords. The counts are 0, as such files hold none.

    Raises
    ------
    FileError
        The file cannot be read.
    FormatError
        The file is truncated or damaged.

    Warns
    -----
    FormatWarning
        The selection is not strict, and the head says another number of rows than there are.
    """
    with progress_bar("reading", file.bar_size, "B", show=progress) as advance:
        try:
            layout, parser = _read_rows(
                file.buffer(), file.content_size, selection, file.steps(advance)
            )
        except FormatError as error:
            raise FormatError(error.field, error.offset, error.reason, file.name) from None
    if not (parser.done or layout.count in (None, parser.rows)):
        warnings.warn(
            f"{file.name}: the head says {layout.count} rows, but there are {parser.rows}",
            FormatWarning,
            stacklevel=2,
        )
    return _parts(file, layout, parser)


def _read_rows(
    source: StreamBuffer, size: int | None, selection: Selection, step: Callable[[], None]
) -> tuple[Layout, RowParser]:
    """Read rows of data of this size, if known, and call `step` after each block."""
    source.fill(BEGIN_SIZE)
    layout = detect(source.peek(BEGIN_SIZE))
    count, most = layout.count, selection.max_words
    expected = 0
    if count is not None:
        needed = count if most is None else min(count, most)
        fits = size is None or layout.least_size(needed) <= size
        if selection.strict and not fits:
            raise _too_few_rows(
                "number of rows",
                layout.head,
                f"the head says {count} rows of {layout.dim} numbers, which take at least "
                f"{layout.least_size(needed)} bytes, but the file has {size}",
            )
        # Memory is allocated in advance only for what the data has room for.
        if fits and size is not None and selection.words is None:
            expected = needed
    source.drop(layout.start)
    parser = (BinaryRows if layout.binary else TextRows)(
        layout.dim,
        limit=LARGEST_COUNT if count is None or not selection.strict else count,
        start=layout.start,
        said="most rows have" if count is None else "the head says",
        expected=expected,
        most=-1 if most is None else most,
        wanted=None if selection.words is None else _wanted(selection.words),
    )
    while not parser.done:
        source.fill()
        source.drop(parser.take(source.view, source.ended))
        step()
        if source.ended:
            break
        if source.length > LONGEST_ROW:
            raise FormatError(
                f"row {parser.rows + 1}",
                parser.at,
                f"the row does not end within {LONGEST_ROW} bytes: the file is damaged",
            )
    parser.finish()
    if layout.dim > largest_dim(parser.at):
        raise FormatError("dim", 0, f"dim is {layout.dim}, more than the bytes of the file")
    if selection.strict and not parser.done and count is not None and parser.rows < count:
        raise _too_few_rows(
            f"row {parser.rows + 1}",
            parser.at,
            f"the head says {count} rows, but there are {parser.rows}",
        )
    return layout, parser


def _too_few_rows(field: str, offset: int, reason: str) -> FormatError:
    return FormatError(
        field,
        offset,
        f"{reason}: if the file is truncated or damaged, download or copy it again; if its head is "
        "wrong, open it with strict=False (on the command line --no-strict)",
    )


def _wanted(words: tuple[bytes, ...]) -> Vocabulary:
    distinct = list(dict.fromkeys(words))
    offsets = np.zeros(len(distinct) + 1, np.uint64)
    np.cumsum([len(word) for word in distinct], out=offsets[1:])
    counts = np.zeros(len(distinct), np.int64)
    return Vocabulary.stored(b"".join(distinct), offsets, counts, len(distinct), 0)


def _vocabulary(parser: RowParser) -> Vocabulary:
    """Return the words of all rows."""
    count = parser.count
    offsets: NDArray[np.uint64] = np.ndarray(count + 1, np.uint64, parser.offsets)
    counts = np.zeros(count, np.int64)
    return Vocabulary.stored(memoryview(parser.words), offsets, counts, count, 0)


def _parts(file: ModelFile, layout: Layout, parser: RowParser) -> Parts:
    # The rows of a file that was not read to its end are not known but from its head.
    row_count = layout.count if parser.done else parser.rows
    vocabulary = _vocabulary(parser)
    if vocabulary.repeats:
        first = first_entries(vocabulary)
        # The arrays of the parser cannot shrink while a vocabulary refers to them.
        del vocabulary
        parser.select(first)
        vocabulary = _vocabulary(parser)
    count, dim = parser.count, layout.dim
    numbers = memoryview(parser.numbers).toreadonly()
    view: NDArray[np.float32] = np.ndarray((count, dim), np.float32, numbers)
    return word_vectors(
        file,
        layout.name,
        vocabulary,
        view,
        word_bytes=len(parser.words),
        head_word_count=layout.count,
        row_count=row_count,
    )
