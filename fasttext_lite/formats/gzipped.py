"""A gzip-compressed fastText file as a stream, for conversions.

The file holds, in this order, head, dictionary, input matrix and output matrix. Rows that are read
in order need no disk space. Word vectors need rows from all over the input matrix, so the matrices
are first unpacked into a temporary file.
"""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import tempfile
import zlib
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from fasttext_lite._core.lookup import dictionary
from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite.errors import FileError, FormatError
from fasttext_lite.formats import fasttext
from fasttext_lite.formats.cursor import Cursor, largest_dim
from fasttext_lite.formats.head import LONGEST, SHAPE_SIZE, is_model, read_head
from fasttext_lite.parts import Matrix, Parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import IO

    from numpy.typing import NDArray
    from typing_extensions import Self

    from fasttext_lite._core.lookup.rows import Rows
    from fasttext_lite.formats.head import Head

__all__ = ["GzippedModel", "StreamedRows", "holds_model"]

_GZIP = b"\x1f\x8b"
_BLOCK = 1 << 22
# The largest compression ratio of deflate, for a run of one byte.
_MOST_RATIO = 1032
# A longer word is an error: a stream without NUL bytes would fill the memory.
_LONGEST_WORD = 1 << 20


def holds_model(path: str) -> bool:
    """Return whether a file is gzip-compressed and its content begins like a fastText model."""
    try:
        with Path(path).open("rb") as file:
            if file.read(2) != _GZIP:
                return False
        with gzip.open(path) as stream:
            return is_model(stream.read(LONGEST))
    except (OSError, EOFError, zlib.error):
        return False


class GzippedModel:
    """A gzip-compressed model, read once from beginning to end, in a ``with`` block.

    Parameters
    ----------
    path : str
    stream : object with ``read(size)`` and ``close()``, optional
        The file itself, compressed or not, if it is not at `path`.
    size : int, optional
        The size of `stream` in bytes.

    Attributes
    ----------
    quantized : bool
        The matrices are quantised and small: `read_all` reads them.
    supervised : bool

    Raises
    ------
    FileError
        The file cannot be opened.
    FormatError
        The stream is damaged, or is not a fastText model.
    """

    def __init__(self, path: str, stream: IO[bytes] | None = None, size: int = 0) -> None:
        self.path = path
        self._most_ratio = _MOST_RATIO
        if stream is None:
            try:
                file = gzip.open(path)  # noqa: SIM115 - closed by `__exit__`
            except OSError as error:
                raise FileError.from_os(error, path) from None
            size = os.fstat(file.fileno()).st_size
            self._stream = cast("IO[bytes]", file)
        elif path.endswith(".gz"):
            self._stream = cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
        else:
            self._stream, self._most_ratio = stream, 1
        self._size = size
        self._begin = bytearray()
        try:
            self._read_begin()
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()

    def _read_begin(self) -> None:
        self._more(LONGEST)
        cursor = Cursor(memoryview(bytes(self._begin)), self.path)
        self.head: Head = read_head(cursor)
        self.supervised = self.head.parameters.model == "supervised"
        entries, at = 0, self.head.stop
        while True:
            done, at = dictionary.skip(self._begin, at, self.head.size - entries)
            entries += done
            if entries == self.head.size:
                break
            if len(self._begin) - at > _LONGEST_WORD:
                raise self._error(
                    "dictionary", at, "a word is longer than a megabyte: the file is damaged"
                )
            self._more(_BLOCK)
        stop = at + 8 * max(self.head.prune_size, 0) + self.head.flag_size
        packed = self._size
        if stop > self._most_ratio * packed:
            raise self._error(
                "pruneidx_size",
                self.head.offset("pruneidx_size"),
                f"a prune index of {self.head.prune_size} entries does not fit in {packed} bytes "
                "of gzip: the file is truncated or damaged; download or copy it again",
            )
        while len(self._begin) < stop:
            self._more(min(stop - len(self._begin), _BLOCK))
        flag = self._begin[stop - 1] if self.head.flag_size else 0
        if flag not in (0, 1):
            raise self._error("input matrix flag", stop - 1, f"the flag is {flag}, not 0 or 1")
        self.quantized = flag == 1
        dim = self.head.parameters.dim
        if dim > largest_dim(self._most_ratio * packed):
            raise self._error(
                "dim", self.head.offset("dim"), f"dim is {dim}, more than the bytes of the file"
            )
        if not self.quantized and stop + self.workspace_size > self._most_ratio * packed:
            raise self._error(
                "dictionary sizes",
                self.head.offset("size"),
                f"the head says {self.workspace_size} bytes of matrices, which do not fit in "
                f"{packed} bytes of gzip: the file is truncated or damaged; download or copy it "
                "again",
            )
        # Kept for the next read, since seeking backwards would unpack from the beginning.
        self._left = bytes(self._begin[stop:])
        del self._begin[stop:]
        self._dictionary_stop = at
        self._at = stop

    def _error(self, field: str, offset: int, reason: str) -> FormatError:
        return FormatError(field, offset, f"{reason} (byte offset after gunzip)", self.path)

    def _read(self, size: int) -> bytes:
        """Unpack up to `size` bytes."""
        try:
            return self._stream.read(size)
        except (OSError, EOFError, zlib.error) as problem:
            raise self._error(
                "gzip", 0, f"the gzip stream is truncated or damaged: {problem}"
            ) from None

    def _more(self, size: int) -> None:
        block = self._read(size)
        if not block:
            raise self._error(
                "dictionary", len(self._begin), "the file is truncated before its matrices"
            )
        self._begin += block

    def _exactly(self, field: str, size: int) -> bytearray:
        block, self._left = bytearray(self._left[:size]), self._left[size:]
        # In small blocks, since `size` comes from the head, which may be damaged.
        while len(block) < size:
            more = self._read(min(size - len(block), _BLOCK))
            if not more:
                raise self._error(field, self._at, f"the file is truncated in its {field}")
            block += more
        self._at += size
        return block

    def read_all(self) -> Parts:
        """Read a quantised model into memory, as from an uncompressed file."""
        head = self.head
        # Upper bound: one code per number, norms, a dense output matrix, and centroids.
        most = head.matrix_size(head.input_rows // 4 + 1 + head.output_rows)
        most += head.input_rows + head.output_rows + 4 * head.matrix_size(256) + _BLOCK
        rest = self._begin + self._left
        while block := self._read(_BLOCK):
            rest += block
            if len(rest) > most + self._at:
                raise self._error(
                    "end of file",
                    len(rest),
                    "the file is longer than its head allows: it is damaged",
                )
        return self._compressed(fasttext.read(memoryview(rest).toreadonly(), self.path))

    @property
    def workspace_size(self) -> int:
        """Size of the unpacked matrices in bytes, without the output of unsupervised models."""
        rows = self.head.output_rows if self.supervised else 0
        return self.head.matrix_size(self.head.input_rows + rows)

    def parts(self) -> Parts:
        """Return the parts of the model with matrices of `StreamedRows`, to be read in order."""
        matrices = self._matrices()
        matrices[0].begin()
        # `StreamedRows` has `take`, the only method of `Rows` that conversions call.
        return self._parts(*(Matrix(cast("Rows", rows), None) for rows in matrices))

    def _matrices(self) -> tuple[StreamedRows, StreamedRows]:
        input_ = StreamedRows(self, "input matrix", self.head.input_rows)
        count = self.head.output_rows if self.supervised else 0
        return input_, StreamedRows(self, "output matrix", count, input_)

    def _parts(self, input_: Matrix, output: Matrix) -> Parts:
        begin = memoryview(self._begin).toreadonly()
        return self._compressed(
            fasttext.parts_of_stream(
                Cursor(begin, self.path), self.head, self._dictionary_stop, input_, output
            )
        )

    def _compressed(self, parts: Parts) -> Parts:
        """Set the file size to that of the compressed file."""
        return parts.replace(info=parts.info._replace(file_size=self._size))

    @contextmanager
    def unpacked(self, folder: str) -> Iterator[Parts]:
        """Unpack the matrices into a temporary file in a folder, which is removed at the end.

        Raises
        ------
        FileError
            The folder has too little free space, or writing fails.
        """
        free = shutil.disk_usage(folder).free
        if free < self.workspace_size:
            raise FileError(
                f"unpacking this model for the conversion needs {self.workspace_size} bytes there, "
                f"but only {free} are free",
                folder,
                errno.ENOSPC,
            )
        matrices = self._matrices()
        with tempfile.TemporaryFile(dir=folder, prefix="fasttext-lite-") as file:
            try:
                for rows in matrices if self.supervised else matrices[:1]:
                    rows.copy(file.fileno())
            except OSError as error:
                if isinstance(error, FileError):
                    raise
                reason = f"unpacking failed: {error.strerror}"
                raise FileError(reason, folder, error.errno or errno.EIO) from None
            data = memoryview(b"")
            if self.workspace_size:
                data = memoryview(mmap(file.fileno(), 0, access=ACCESS_READ))
            stop = self.head.matrix_size(matrices[0].count)
            blocks = zip((data[:stop], data[stop:]), matrices, strict=True)
            yield self._parts(
                *(Matrix(DenseRows(data, rows.count, rows.dim), None) for data, rows in blocks)
            )


class StreamedRows:
    """A matrix of a `GzippedModel`; `take` reads its rows in ascending order.

    Parameters
    ----------
    model : GzippedModel
    name : str
        Name of the matrix, for errors.
    count : int
        Number of rows.
    before : StreamedRows, optional
        The matrix before this one, which is skipped first.
    """

    def __init__(
        self, model: GzippedModel, name: str, count: int, before: StreamedRows | None = None
    ) -> None:
        self.count = count
        self.dim = model.head.parameters.dim
        self._model = model
        self._name = name
        self._before = before
        self._width = model.head.matrix_size(1)
        self._row = -1

    def begin(self) -> None:
        """Go to the first row and check the shape, unless that was done before."""
        if self._row >= 0:
            return
        model = self._model
        if self._before is not None:
            self._before.skip_to(self._before.count)
            if model.head.flag_size:
                model._exactly(f"{self._name} flag", 1)
        at = model._at
        shape = np.frombuffer(model._exactly(f"{self._name} shape", SHAPE_SIZE), "<i8").tolist()
        if shape != [self.count, self.dim]:
            reason = f"the shape is {shape}, not {[self.count, self.dim]}"
            raise model._error(self._name, at, reason)
        self._row = 0

    def take(self, ids: NDArray[np.int64], out: NDArray[np.float32]) -> None:
        """Write the rows with these ids to `out`: float32, shape (n, dim).

        The ids must ascend, also from call to call; the rows between them are skipped.
        """
        most = max(_BLOCK // self._width, 1)
        start = 0
        while start < len(ids):
            stop = int(np.searchsorted(ids, ids[start] + most))
            wanted = ids[start:stop]
            self.skip_to(int(wanted[0]))
            count = int(wanted[-1]) - self._row + 1
            block = np.frombuffer(self._model._exactly(self._name, count * self._width), "<f4")
            out[start:stop] = block.reshape(count, -1)[wanted - wanted[0]]
            self._row += count
            start = stop

    def skip_to(self, row: int) -> None:
        """Skip the rows before this one."""
        self.begin()
        left = (row - self._row) * self._width
        while left > 0:
            left -= len(self._model._exactly(self._name, min(left, _BLOCK)))
        self._row = row

    def copy(self, descriptor: int) -> None:
        """Write all rows to a file."""
        self.begin()
        left = self.count * self._width
        while left:
            block = memoryview(self._model._exactly(self._name, min(left, _BLOCK)))
            left -= len(block)
            while block:
                block = block[os.write(descriptor, block) :]
        self._row = self.count
