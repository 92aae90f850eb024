"""A gzip'd fastText file as a stream, from which a conversion takes what it needs.

The order of such a file is head, dictionary, input matrix, output matrix. What is taken row by row
in this order needs no space of its own; the vectors of words need rows from all over the input
matrix, so that is unpacked into a workspace first.
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
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite.errors import FileError, FormatError
from fasttext_lite.formats import fasttext
from fasttext_lite.formats.cursor import Cursor, largest_dim
from fasttext_lite.formats.head import LONGEST, SHAPE_SIZE, is_model, read_head
from fasttext_lite.parts import Matrix, Parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fasttext_lite.formats.head import Head

__all__ = ["GzippedModel", "holds_model"]

_GZIP = b"\x1f\x8b"
_BLOCK = 1 << 22
# What deflate makes of a run of one byte; no data shrinks to less.
_MOST_RATIO = 1032
# No word is as long; a stream without NUL bytes would fill the memory.
_LONGEST_WORD = 1 << 20


def holds_model(path: str) -> bool:
    """Tell whether this is a gzip'd file that begins as a fastText model does."""
    try:
        with Path(path).open("rb") as file:
            if file.read(2) != _GZIP:
                return False
        with gzip.open(path) as stream:
            return is_model(stream.read(LONGEST))
    except (OSError, EOFError, zlib.error):
        return False


class GzippedModel:
    """A gzip'd model, read once from its beginning to its end.

    Parameters
    ----------
    path : str

    Attributes
    ----------
    quantized : bool
        The rest is quantised, and small: `read_all` takes it.
    workspace_size : int
        Bytes that the unpacked matrices take.

    Raises
    ------
    FormatError
        The stream is damaged, or is no fastText model.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._stream = gzip.open(path)  # noqa: SIM115 - closed by `close`
        self._begin = bytearray()
        try:
            self._read_begin()
        except BaseException:
            self.close()
            raise

    def _read_begin(self) -> None:
        self._more(LONGEST)
        cursor = Cursor(memoryview(bytes(self._begin)), self.path)
        self.head: Head = read_head(cursor)
        del self._begin[self.head.stop :]
        self._stream.seek(self.head.stop)
        entries, at = 0, self.head.stop
        while True:
            done, at = Vocabulary.skip(self._begin, at, self.head.size - entries)
            entries += done
            if entries == self.head.size:
                break
            if len(self._begin) - at > _LONGEST_WORD:
                raise self._error("dictionary", at, "a word of over a megabyte: it is damaged")
            self._more(_BLOCK)
        stop = at + 8 * max(self.head.prune_size, 0) + self.head.flag_size
        packed = Path(self.path).stat().st_size
        if stop > _MOST_RATIO * packed:
            raise self._error(
                "pruneidx_size",
                self.head.offset("pruneidx_size"),
                f"a prune index of {self.head.prune_size} entries cannot be in {packed} bytes of "
                "gzip: the file is cut or damaged; download or copy it again",
            )
        while len(self._begin) < stop:
            self._more(min(stop - len(self._begin), _BLOCK))
        flag = self._begin[stop - 1] if self.head.flag_size else 0
        if flag not in (0, 1):
            raise self._error("input matrix flag", stop - 1, f"the flag is {flag}, not 0 or 1")
        self.quantized = flag == 1
        dim = self.head.parameters.dim
        if dim > largest_dim(_MOST_RATIO * packed):
            raise self._error(
                "dim", self.head.offset("dim"), f"dim is {dim}, more than the bytes of the file"
            )
        if not self.quantized and stop + self.workspace_size > _MOST_RATIO * packed:
            raise self._error(
                "dictionary sizes",
                self.head.offset("size"),
                f"by its head the file has {self.workspace_size} bytes of matrices, which cannot "
                f"be in {packed} bytes of gzip: it is cut or damaged; download or copy it again",
            )
        # What was read beyond is read again: a seek backwards would unpack from the beginning.
        self._left = bytes(self._begin[stop:])
        del self._begin[stop:]
        self._dictionary_stop = at
        self._at = stop

    def _error(self, field: str, offset: int, reason: str) -> FormatError:
        return FormatError(field, offset, f"{reason} (bytes count after gunzip)", self.path)

    def _read(self, size: int) -> bytes:
        """Unpack up to so many bytes."""
        try:
            return self._stream.read(size)
        except (OSError, EOFError, zlib.error) as problem:
            raise self._error("gzip", 0, f"the gzip stream is cut or damaged: {problem}") from None

    def _more(self, size: int) -> None:
        block = self._read(size)
        if not block:
            raise self._error("dictionary", len(self._begin), "the file is cut in its beginning")
        self._begin += block

    def _exactly(self, field: str, size: int) -> bytearray:
        block, self._left = bytearray(self._left[:size]), self._left[size:]
        # Never more at once than is there: `size` is only what the head says.
        while len(block) < size:
            more = self._read(min(size - len(block), _BLOCK))
            if not more:
                raise self._error(field, self._at, f"the file is cut in its {field}")
            block += more
        self._at += size
        return block

    def read_all(self) -> Parts:
        """Read a quantised model into memory, as if it had not been compressed."""
        head = self.head
        # A code a number at most, and the norms; the output may be dense; then the centroids.
        most = head.matrix_size(head.input_rows // 4 + 1 + head.output_rows)
        most += head.input_rows + head.output_rows + 4 * head.matrix_size(256) + _BLOCK
        rest = self._begin + self._left
        while block := self._read(_BLOCK):
            rest += block
            if len(rest) > most + self._at:
                raise self._error("end of file", len(rest), "the file goes on for too long")
        return fasttext.read(memoryview(rest).toreadonly(), self.path)

    @property
    def workspace_size(self) -> int:
        """Bytes that the unpacked matrices take (without the output of unsupervised models)."""
        size = self.head.matrix_size(self.head.input_rows)
        if self.head.parameters.model == "supervised":
            size += self.head.matrix_size(self.head.output_rows)
        return size

    def parts(self) -> Parts:
        """Return the parts of the model but for the rows, which come by `take`."""
        nothing = Matrix(DenseRows(memoryview(b""), 0, self.head.parameters.dim), None)
        return self._parts(nothing, nothing)

    def _parts(self, input_: Matrix, output: Matrix) -> Parts:
        begin = memoryview(self._begin).toreadonly()
        return fasttext.parts_of_stream(
            Cursor(begin, self.path), self.head, self._dictionary_stop, input_, output
        )

    def begin_matrix(self, name: str, rows: int) -> None:
        """Go on to the first row of the next matrix, and check its shape."""
        if name == "output matrix" and self.head.flag_size:
            self._exactly("output matrix flag", 1)
        at = self._at
        shape = np.frombuffer(self._exactly(f"{name} shape", SHAPE_SIZE), "<i8")
        expected = [rows, self.head.parameters.dim]
        if shape.tolist() != expected:
            raise self._error(name, at, f"the shape is {shape.tolist()}, not {expected}")
        self._row = 0
        self._matrix = name

    def take(self, ids: NDArray[np.int64], out: NDArray[np.float32]) -> None:
        """Read rows with ascending ids of the matrix that was begun; rows between are passed."""
        width = self.head.matrix_size(1)
        most = max(_BLOCK // width, 1)
        start = 0
        while start < len(ids):
            stop = int(np.searchsorted(ids, ids[start] + most))
            wanted = ids[start:stop]
            self.skip_to(int(wanted[0]))
            count = int(wanted[-1]) - self._row + 1
            block = np.frombuffer(self._exactly(self._matrix, count * width), "<f4")
            out[start:stop] = block.reshape(count, -1)[wanted - wanted[0]]
            self._row += count
            start = stop

    def skip_to(self, row: int) -> None:
        """Pass the rows before this one."""
        left = (row - self._row) * self.head.matrix_size(1)
        while left > 0:
            left -= len(self._exactly(self._matrix, min(left, _BLOCK)))
        self._row = row

    @contextmanager
    def unpacked(self, folder: str) -> Iterator[Parts]:
        """Unpack the matrices into a workspace in a folder, which is gone at the end.

        Raises
        ------
        FileError
            There is no space for it.
        """
        free = shutil.disk_usage(folder).free
        if free < self.workspace_size:
            raise FileError(
                f"unpacking this model for the conversion takes {self.workspace_size} bytes there, "
                f"but only {free} are free",
                folder,
                errno.ENOSPC,
            )
        head = self.head
        with tempfile.TemporaryFile(dir=folder, prefix="fasttext-lite-") as file:
            try:
                self.begin_matrix("input matrix", head.input_rows)
                self._copy(file.fileno(), head.matrix_size(head.input_rows))
                output_rows = 0
                if head.parameters.model == "supervised":
                    output_rows = head.output_rows
                    self.begin_matrix("output matrix", output_rows)
                    self._copy(file.fileno(), head.matrix_size(output_rows))
            except OSError as error:
                if isinstance(error, FileError):
                    raise
                reason = f"unpacking failed: {error.strerror}"
                raise FileError(reason, folder, error.errno or errno.EIO) from None
            data = memoryview(b"")
            if self.workspace_size:
                data = memoryview(mmap(file.fileno(), 0, access=ACCESS_READ))
            dim, stop = head.parameters.dim, head.matrix_size(head.input_rows)
            input_ = Matrix(DenseRows(data[:stop], head.input_rows, dim), None)
            output = Matrix(DenseRows(data[stop:], output_rows, dim), None)
            yield self._parts(input_, output)

    def _copy(self, descriptor: int, size: int) -> None:
        while size:
            block = memoryview(self._exactly(self._matrix, min(size, _BLOCK)))
            size -= len(block)
            while block:
                block = block[os.write(descriptor, block) :]

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
