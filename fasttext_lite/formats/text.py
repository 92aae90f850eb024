"""Word vectors without subwords: ``.vec`` and word2vec files, compressed or not.

A first line gives the number of rows and of dimensions; then each row is a word, a space, and its
numbers: in decimal, up to the end of the line, or as little-endian float32 with or without a line
feed behind them. That first line may be missing before decimal rows (GloVe). Which it is shows in
the data; names do not count.

Sources: ``word2vec.c`` (Mikolov and others, 2013) writes both forms, fastText's ``saveVectors``
the decimal one with a space at the end of each line.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.files.textrows import RowParser
from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite.errors import FastTextLiteError, FormatError
from fasttext_lite.formats.binary import largest_dim
from fasttext_lite.formats.head import LONGEST, is_model
from fasttext_lite.parts import Info, Matrix, Parameters, Parts
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    import io
    from collections.abc import Callable
    from typing import BinaryIO

    from numpy.typing import NDArray

    from fasttext_lite.formats.binary import ModelFile

__all__ = ["BEGIN_SIZE", "read", "recognize"]

# Bytes of a file that tell what it is; a first row of thousands of numbers fits.
BEGIN_SIZE = 1 << 16
_BLOCK = 1 << 20
# A row that takes more is none.
_LONGEST_ROW = 1 << 26
_LARGEST_COUNT = 2**31 - 1

_COMPRESSIONS = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"))
_HEAD = re.compile(rb"[ \t]*(\d{1,18})[ \t]+(\d{1,18})[ \t\r]*(?:\n|$)")
# Digits can be taken in one way only: two would make a long row of them take quadratic time.
_NUMBER = re.compile(rb"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf|nan)", re.I)
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class _Layout:
    """How the rows of a file stand.

    `count` is None where no head says it; `start` is the byte at which the first row begins.
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
        """Bytes of a file with such rows at the least: the last one needs no end."""
        row = 4 * self.dim + 2 if self.binary else 2 * self.dim + 2
        return self.start + max((self.count or 0) * row - 1, 0)


def recognize(begin: bytes) -> bool:
    """Tell whether a file that begins so is read here: word vectors, or anything compressed.

    Parameters
    ----------
    begin : bytes
        The first `BEGIN_SIZE` bytes, or the whole file where it is shorter.
    """
    return bool(_compression(begin)) or _is_text(begin)


def _compression(begin: bytes) -> str:
    """Name what a file is compressed with; empty where it is not."""
    return next((name for magic, name in _COMPRESSIONS if begin.startswith(magic)), "")


def _decompressed(
    file: ModelFile, compression: str
) -> tuple[io.BufferedIOBase, tuple[type[Exception], ...]]:
    """Open what is in a compressed file; also the exceptions that say that it is damaged."""
    # Imported here, since few need them and a Python may lack some.
    try:
        if compression == "gzip":
            import gzip
            import zlib

            return gzip.GzipFile(fileobj=file.stream, mode="rb"), (
                EOFError,
                gzip.BadGzipFile,
                zlib.error,
            )
        if compression == "bzip2":
            import bz2

            return bz2.BZ2File(file.stream), (EOFError, OSError)
        import lzma

        return lzma.LZMAFile(file.stream), (EOFError, lzma.LZMAError)
    except ImportError as error:
        raise FastTextLiteError(
            f"{file.name}: this Python cannot read {compression} ({error}): decompress it first"
        ) from None


def _is_text(begin: bytes) -> bool:
    content = begin.removeprefix(codecs.BOM_UTF8)
    return _HEAD.match(content) is not None or _numbers_behind_word(content) > 1


def _numbers_behind_word(content: bytes) -> int:
    """Count the numbers of the first line; 0 where it is not a word and nothing but numbers."""
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
        At its beginning, which `recognize` knows.
    progress : bool
        Show a bar for what takes over a second, if stderr is a terminal.

    Returns
    -------
    Parts
        Words and their vectors; there are no subwords, and counts are 0, since such a file has
        none.

    Raises
    ------
    FileError
        The file cannot be read.
    FormatError
        The file is cut or damaged, or something else is compressed in it. Offsets in a compressed
        file count the bytes that come out of it.
    """
    stream, size = file.stream, file.size
    compression = _compression(file.begin(8))
    fingerprint = file.fingerprint()
    with progress_bar("reading", size, "B", show=progress) as advance:
        try:
            if not compression:
                layout, parser = _read_rows(_Source(stream), size, _steps(stream, advance))
            else:
                unpacked, errors = _decompressed(file, compression)
                source = _Source(unpacked, compression, errors)
                layout, parser = _read_rows(source, None, _steps(stream, advance))
        except FormatError as error:
            error.path = file.name
            if compression:
                error.reason += "; bytes are counted after decompression"
            raise
    parts = _parts(file.name, layout, parser, size, compression)
    return replace(parts, backing=file.backing(lambda: fingerprint))


def _steps(stream: BinaryIO, advance: Callable[[int], object]) -> Callable[[], None]:
    """Return what tells a bar how much further the stream is each time."""
    at = stream.tell()

    def step() -> None:
        nonlocal at
        before, at = at, stream.tell()
        advance(at - before)

    return step


def _read_rows(
    source: _Source, size: int | None, step: Callable[[], None]
) -> tuple[_Layout, RowParser]:
    """Read all rows; `size` is that of the data, where it is known; call `step` now and then."""
    source.fill(BEGIN_SIZE)
    layout = _layout(source.peek(BEGIN_SIZE), size, source.compression)
    source.drop(layout.start)
    parser = RowParser(
        layout.dim,
        limit=_LARGEST_COUNT if layout.count is None else layout.count,
        start=layout.start,
        said="the first line has" if layout.count is None else "the head says",
        # Where the size of the data is not known, the head could say anything.
        expected=0 if size is None else layout.count or 0,
    )
    take = parser.take_binary if layout.binary else parser.take_text
    while True:
        source.fill(_BLOCK)
        source.drop(take(source.view, source.ended))
        step()
        if source.ended:
            break
        if source.length > _LONGEST_ROW:
            raise FormatError(
                f"row {parser.count + 1}",
                parser.at,
                f"the row has not ended after {_LONGEST_ROW} bytes: this is no row",
            )
    parser.finish()
    if layout.dim > largest_dim(parser.at):
        raise FormatError("dim", 0, f"dim is {layout.dim}, more than the bytes of the file")
    if layout.count is not None and parser.count < layout.count:
        raise FormatError(
            f"row {parser.count + 1}",
            parser.at,
            f"the file is cut: the head says {layout.count} rows, it has {parser.count}; download "
            "or copy it again",
        )
    return layout, parser


class _Source:
    """The next bytes of a stream, in one buffer that grows where a row needs it.

    Parameters
    ----------
    stream : file
        Opened to read bytes.
    compression : str
        Named in errors.
    damages : tuple of exception types
        What the stream raises where compressed data is damaged.
    """

    def __init__(
        self,
        stream: BinaryIO | io.BufferedIOBase,
        compression: str = "",
        damages: tuple[type[Exception], ...] = (),
    ) -> None:
        self._stream = stream
        self.compression = compression
        self._damages = damages
        self._buffer = bytearray(_BLOCK)
        self._read = 0
        self.length = 0
        self.ended = False

    @property
    def view(self) -> memoryview:
        """The bytes that were read and not dropped."""
        return memoryview(self._buffer)[: self.length]

    def peek(self, size: int) -> bytes:
        """Copy the first of those bytes."""
        return bytes(self.view[:size])

    def drop(self, count: int) -> None:
        """Forget that many bytes at the front."""
        self.length -= count
        self._buffer[: self.length] = self._buffer[count : count + self.length]

    def fill(self, size: int) -> None:
        """Read on until there are `size` bytes, at least one new one, or the stream ends."""
        size = max(size, self.length + 1)
        if size > len(self._buffer):
            self._buffer.extend(bytes(max(size, 2 * len(self._buffer)) - len(self._buffer)))
        with memoryview(self._buffer) as buffer:
            while self.length < size and not self.ended:
                count = self._readinto(buffer[self.length :])
                self.ended = not count
                self.length += count
                self._read += count

    def _readinto(self, target: memoryview) -> int:
        try:
            return self._stream.readinto(target) or 0  # type: ignore[union-attr]
        except self._damages as error:
            # Those of the system have a number, those of the decompression have none.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise FormatError(
                f"{self.compression} data",
                self._read,
                f"the {self.compression} data is cut or damaged ({error}); download or copy it "
                "again",
            ) from None


def _layout(begin: bytes, size: int | None, compression: str) -> _Layout:
    """Find out how the rows stand, from the first bytes of the data."""
    content = begin.removeprefix(codecs.BOM_UTF8)
    at = len(begin) - len(content)
    head = _HEAD.match(content)
    if head is None:
        dim = _numbers_behind_word(content)
        if dim < 2:
            raise FormatError("first line", at, _other(content, compression))
        return _Layout(False, None, dim, at)
    count, dim = map(int, head.groups())
    if dim == 0 or 4 * dim > _LONGEST_ROW:
        raise FormatError("dim", at, f"the head says {dim} dimensions, which cannot be")
    if count > _LARGEST_COUNT:
        raise FormatError(
            "number of rows", at, f"the head says {count} rows; {_LARGEST_COUNT} is the most"
        )
    layout = _Layout(_is_binary(content[head.end() :], dim), count, dim, at + head.end())
    if size is not None and layout.least_size > size:
        raise FormatError(
            "number of rows",
            at,
            f"the head says {count} rows of {dim} numbers, which take {layout.least_size} bytes "
            f"at the least, but the file has {size}: it is cut or damaged; download or copy it "
            "again",
        )
    return layout


def _is_binary(rows: bytes, dim: int) -> bool:
    """Tell float32 from decimal numbers by the first row.

    It is text where it has as many decimal numbers as it should; else where the bytes that would
    be float32 could be written text.
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


def _other(content: bytes, compression: str) -> str:
    """Say what is compressed in a file, if not word vectors."""
    if is_model(content[:LONGEST]):
        more = ", or convert it as it is (fasttext-lite convert)" if compression == "gzip" else ""
        return f"this is a fastText model compressed with {compression}: decompress it first{more}"
    return f"this is {compression} data, but no word vectors are in it"


def _parts(
    path: str, layout: _Layout, parser: RowParser, file_size: int, compression: str
) -> Parts:
    count, dim = parser.count, layout.dim
    numbers = memoryview(parser.numbers).toreadonly()
    view: NDArray[np.float32] = np.ndarray((count, dim), np.float32, numbers)
    counts = np.zeros(count, np.int64)
    offsets: NDArray[np.uint64] = np.ndarray(count + 1, np.uint64, parser.offsets)
    vocabulary = Vocabulary.stored(memoryview(parser.words), offsets, counts, count, 0)
    nothing = Matrix(DenseRows(memoryview(b""), 0, dim), None)
    info = Info(
        path=path,
        format=layout.name + (compression and f", {compression}"),
        kind="vectors",
        word_count=count,
        label_count=0,
        token_count=0,
        parameters=Parameters(
            dim=dim, ws=0, epoch=0, min_count=0, neg=0, word_ngrams=1, loss="none", model="vectors",
            bucket=0, minn=0, maxn=0, lr_update_rate=0, t=0.0,
        ),
        subword_rows=0,
        pruned=False,
        quantized_input=False,
        quantized_output=False,
        file_size=file_size,
        sections=(),
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
    )
