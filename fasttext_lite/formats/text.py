"""Word vectors without subwords: ``.vec`` and word2vec files, compressed or not.

The first line holds the number of rows and of dimensions. Each row is a word, a space, and its
numbers: in decimal, up to the end of the line, or as little-endian float32, with or without a
following line feed. The first line may be missing before decimal rows (GloVe). The layout is
detected from the content, not from the name of the file.

Sources: ``word2vec.c`` (Mikolov and others, 2013) writes both forms, fastText's ``saveVectors``
the decimal one with a space at the end of each line.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.files.textrows import RowParser
from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite.errors import FormatError
from fasttext_lite.formats.cursor import largest_dim
from fasttext_lite.parts import Info, Matrix, Parameters, Parts
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fasttext_lite.formats.file import ModelFile
    from fasttext_lite.formats.stream import StreamBuffer

__all__ = ["BEGIN_SIZE", "read", "recognize"]

# Number of first bytes by which a file is recognized: enough for a row of thousands of numbers.
BEGIN_SIZE = 1 << 16
# A longer row is an error.
_LONGEST_ROW = 1 << 26
_LARGEST_COUNT = 2**31 - 1

_HEAD = re.compile(rb"[ \t]*(\d{1,18})[ \t]+(\d{1,18})[ \t\r]*(?:\n|$)")
# Digits match in one way only, since two ways would take quadratic time on long runs of digits.
_NUMBER = re.compile(rb"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf|nan)", re.I)
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class _Layout:
    """The layout of the rows of a file.

    `count` is None without a first line; `start` is the byte offset of the first row.
    """

    binary: bool
    count: int | None
    dim: int
    start: int

    @property
    def name(self) -> str:
        if self.count is None:
            return "word vectors as text, without a head"
        return "word2vec binary" if self.binary else "word2vec text"

    @property
    def least_size(self) -> int:
        """Smallest size of such a file in bytes: the last row may lack its line feed."""
        row = 4 * self.dim + 2 if self.binary else 2 * self.dim + 2
        return self.start + max((self.count or 0) * row - 1, 0)


def recognize(begin: bytes) -> bool:
    """Return whether a file that begins like this holds word vectors.

    Parameters
    ----------
    begin : bytes
        The first `BEGIN_SIZE` bytes, or all bytes of a shorter file.
    """
    content = begin.removeprefix(codecs.BOM_UTF8)
    return _HEAD.match(content) is not None or _numbers_behind_word(content) > 1


def _numbers_behind_word(content: bytes) -> int:
    """Count the numbers in the first line; 0 unless it holds one word and only numbers after it."""
    line, newline, _ = content.partition(b"\n")
    if not newline and len(content) >= BEGIN_SIZE:
        return 0
    _, *numbers = re.split(rb"[ \t]+", line.rstrip())
    return len(numbers) if all(map(_NUMBER.fullmatch, numbers)) else 0


def read(file: ModelFile, *, progress: bool = False) -> Parts:
    """Read a file of word vectors into memory.

    Parameters
    ----------
    file : ModelFile
        An open file.
    progress : bool
        Show a progress bar if reading takes over a second and stderr is a terminal.

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
    """
    with progress_bar("reading", file.bar_size, "B", show=progress) as advance:
        try:
            layout, parser = _read_rows(file.buffer(), file.content_size, file.steps(advance))
        except FormatError as error:
            raise FormatError(error.field, error.offset, error.reason, file.name) from None
    return _parts(file, layout, parser)


def _read_rows(
    source: StreamBuffer, size: int | None, step: Callable[[], None]
) -> tuple[_Layout, RowParser]:
    """Read all rows of data of this size, if known, and call `step` after each block."""
    source.fill(BEGIN_SIZE)
    layout = _layout(source.peek(BEGIN_SIZE), size)
    source.drop(layout.start)
    parser = RowParser(
        layout.dim,
        limit=_LARGEST_COUNT if layout.count is None else layout.count,
        start=layout.start,
        said="the first line has" if layout.count is None else "the head says",
        # The count in the head is checked only if the size of the data is known.
        expected=0 if size is None else layout.count or 0,
    )
    take = parser.take_binary if layout.binary else parser.take_text
    while True:
        source.fill()
        source.drop(take(source.view, source.ended))
        step()
        if source.ended:
            break
        if source.length > _LONGEST_ROW:
            raise FormatError(
                f"row {parser.count + 1}",
                parser.at,
                f"the row does not end within {_LONGEST_ROW} bytes: the file is damaged",
            )
    parser.finish()
    if layout.dim > largest_dim(parser.at):
        raise FormatError("dim", 0, f"dim is {layout.dim}, more than the bytes of the file")
    if layout.count is not None and parser.count < layout.count:
        raise FormatError(
            f"row {parser.count + 1}",
            parser.at,
            f"the file is truncated: the head says {layout.count} rows, but there are "
            f"{parser.count}; download or copy it again",
        )
    return layout, parser


def _layout(begin: bytes, size: int | None) -> _Layout:
    """Detect the layout of the rows from the first bytes of the data."""
    content = begin.removeprefix(codecs.BOM_UTF8)
    at = len(begin) - len(content)
    head = _HEAD.match(content)
    if head is None:
        return _Layout(False, None, _numbers_behind_word(content), at)
    count, dim = map(int, head.groups())
    if dim == 0 or 4 * dim > _LONGEST_ROW:
        raise FormatError("dim", at, f"the head says {dim} dimensions, which is out of range")
    if count > _LARGEST_COUNT:
        raise FormatError(
            "number of rows", at, f"the head says {count} rows, more than {_LARGEST_COUNT}"
        )
    layout = _Layout(_is_binary(content[head.end() :], dim), count, dim, at + head.end())
    if size is not None and layout.least_size > size:
        raise FormatError(
            "number of rows",
            at,
            f"the head says {count} rows of {dim} numbers, which take at least "
            f"{layout.least_size} bytes, but the file has {size}: it is truncated or damaged; "
            "download or copy it again",
        )
    return layout


def _is_binary(rows: bytes, dim: int) -> bool:
    """Return whether the numbers of the first row are float32 rather than decimal.

    The row is text if it has `dim` decimal numbers, or if the bytes where float32 numbers would be
    are valid text.
    """
    if _numbers_behind_word(rows) == dim:
        return False
    _, space, numbers = rows.removeprefix(b"\n").partition(b" ")
    numbers = numbers[: 4 * dim]
    if not space:
        return False
    if _CONTROL.search(numbers):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(numbers)
    except UnicodeDecodeError:
        return True
    return False


def _parts(file: ModelFile, layout: _Layout, parser: RowParser) -> Parts:
    count, dim = parser.count, layout.dim
    numbers = memoryview(parser.numbers).toreadonly()
    view: NDArray[np.float32] = np.ndarray((count, dim), np.float32, numbers)
    counts = np.zeros(count, np.int64)
    offsets: NDArray[np.uint64] = np.ndarray(count + 1, np.uint64, parser.offsets)
    vocabulary = Vocabulary.stored(memoryview(parser.words), offsets, counts, count, 0)
    nothing = Matrix(DenseRows(memoryview(b""), 0, dim), None)
    info = Info(
        path=file.name,
        format=layout.name,
        kind="vectors",
        word_count=count,
        parameters=Parameters(
            dim=dim, ws=0, epoch=0, min_count=0, neg=0, word_ngrams=1, loss="none", model="vectors",
            bucket=0, minn=0, maxn=0, lr_update_rate=0, t=0.0,
        ),
        file_size=file.size,
        index_size=Vocabulary.index_size(count) + len(parser.words) + view.nbytes,
    )  # fmt: skip
    return Parts(
        info,
        lambda: vocabulary,
        Subwords(0, 0, 0, 0),
        input=nothing,
        output=None,
        vectors=Matrix(DenseRows(numbers, count, dim), view),
        closed=True,
        file=file,
    )
