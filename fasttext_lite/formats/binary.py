"""Files as bytes: opening, mapping, and one primitive for every binary read."""

from __future__ import annotations

import io
import mmap
import os
import stat
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.arguments import is_path, path_name
from fasttext_lite.backing import Backing, Fingerprint
from fasttext_lite.errors import (
    FastTextLiteError,
    FileError,
    FormatError,
    InputTypeError,
    MissingFileError,
)
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from fasttext_lite.arguments import PathType


__all__ = [
    "Cursor",
    "ModelFile",
    "largest_dim",
    "open_file",
    "open_model",
    "open_stream",
]

# Bytes that are read at a time, between which an interrupt is answered.
_BLOCK = 1 << 24
_SIZES = {"u1": "B", "i4": "i", "i8": "q", "f8": "d"}


def open_file(
    file: ModelFile, *, map_file: bool, progress: bool = False
) -> tuple[memoryview, Backing]:
    """Return the bytes of a file, mapped or read into memory, and what is known of it.

    Parameters
    ----------
    file : ModelFile
        At its beginning.
    map_file : bool
        Map the file, so that its pages are read when they are needed and shared with every
        process that maps it too; otherwise, or where it cannot be mapped, read it whole.
    progress : bool
        Show a bar for what takes over a second, if stderr is a terminal.

    Returns
    -------
    memoryview
        Read-only bytes, which keep the map alive.
    Backing

    Raises
    ------
    FileError
        Reading or mapping it fails.
    FormatError
        The file is empty.
    """
    if file.size == 0:
        raise FormatError("magic", 0, "the file is empty", file.name)
    if map_file and file.descriptor is not None:
        data = memoryview(mmap.mmap(file.descriptor, file.size, access=mmap.ACCESS_READ))
    else:
        data = _read(file, progress=progress)

    def read(start: int, stop: int) -> memoryview:
        return data[start:stop]

    return data, file.backing(lambda: Fingerprint.of(read, len(data)), data)


class ModelFile:
    """An open file with the bytes of a model, whether a path led to it or a file object.

    Parameters
    ----------
    stream : file object
        Seekable, opened to read bytes; the model goes from its position to its end.

    Attributes
    ----------
    stream : file object
    name : str
        For errors and for the user.
    path : str or None
        The absolute path, where there is one.
    size : int
        In bytes, from the position on.
    descriptor : int or None
        What can be mapped: that of a regular file at its beginning.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self._start = stream.tell()
        # The number of a file that unpacks another, as those of gzip, is of the packed one.
        raw = getattr(stream, "raw", stream)
        self.path: str | None = None
        self.descriptor: int | None = None
        self._status: os.stat_result | None = None
        end = 0
        if isinstance(raw, io.FileIO):
            status = os.fstat(raw.fileno())
            end = status.st_size
            if self._start == 0:
                self.descriptor, self._status = raw.fileno(), status
                if not isinstance(raw.name, int):
                    self.path = _absolute(os.fsdecode(raw.name))
        else:
            end = stream.seek(0, os.SEEK_END)
            self.rewind()
        self.size = max(end - self._start, 0)
        self.name = self.path or f"<{type(stream).__name__}>"

    def rewind(self) -> None:
        """Go back to the beginning of the model."""
        self.stream.seek(self._start)

    def begin(self, size: int) -> bytes:
        """Return the first bytes, and go back to the beginning."""
        block = b""
        size = min(size, self.size)
        while len(block) < size and (more := self.stream.read(size - len(block))):
            block += more
        self.rewind()
        return block

    def backing(
        self, fingerprint: Callable[[], Fingerprint], data: memoryview | None = None
    ) -> Backing:
        """Return what is known of the file, for later."""
        return Backing(self.path, self._status, fingerprint, data)

    def fingerprint(self) -> Fingerprint:
        """Read what tells the file apart, and go back to the beginning."""

        def read(start: int, stop: int) -> bytes:
            self.stream.seek(self._start + start)
            return self.stream.read(stop - start)

        try:
            return Fingerprint.of(read, self.size)
        finally:
            self.rewind()


def _absolute(name: str) -> str:
    return os.path.join(os.getcwd(), name)  # noqa: PTH109, PTH118 - pathlib costs import time


@contextmanager
def open_model(source: PathType | BinaryIO) -> Iterator[ModelFile]:
    """Open a path, or take a file object as it is; what cannot be sought in is read to its end.

    Raises
    ------
    InputTypeError
        It is neither a path nor a file object that gives bytes.
    MissingFileError, FileError
        The path names no regular file that can be read, or reading fails.
    """
    if is_path(source):
        with open_stream(path_name(source)) as file:
            yield ModelFile(file)
        return
    name = f"<{type(source).__name__}>"
    try:
        if not isinstance(source.read(0), bytes):
            raise InputTypeError(f"{name} gives text, not bytes: open the file with mode 'rb'")
        # A `SpooledTemporaryFile` has neither method before Python 3.11.
        whole = hasattr(source, "readinto") and hasattr(source, "seekable") and source.seekable()
        yield ModelFile(source if whole else io.BytesIO(source.read()))
    except FastTextLiteError:
        raise
    except OSError as error:
        raise FileError(error.strerror or str(error), name, error.errno or 0) from None
    except ValueError as error:
        # It is closed.
        raise FileError(str(error), name) from None


@contextmanager
def open_stream(name: str) -> Iterator[io.FileIO]:
    """Open a regular file to read it, and name the file where reading it fails.

    Parameters
    ----------
    name : str
        The path.

    Raises
    ------
    MissingFileError, FileError
        The path names no regular file that can be read, or reading it fails.
    """
    try:
        # Asked before it is opened, since opening a pipe would wait for a writer.
        mode = os.stat(name).st_mode  # noqa: PTH116 - pathlib costs import time
        if stat.S_ISDIR(mode):
            raise FileError("this is a folder, not a model file", name)
        if not stat.S_ISREG(mode):
            raise FileError("this is no regular file, so it cannot be mapped", name)
        with open(name, "rb", buffering=0) as file:  # noqa: PTH123
            yield file
    except FileNotFoundError as error:
        raise MissingFileError("there is no such file", name, error.errno or 0) from None
    except FastTextLiteError:
        raise
    except OSError as error:
        raise FileError(error.strerror or str(error), name, error.errno or 0) from None


def _read(file: ModelFile, *, progress: bool) -> memoryview:
    # Not zeroed first, unlike a bytearray.
    data = np.empty(file.size, np.uint8).data
    at = 0
    with progress_bar("reading", file.size, "B", show=progress) as advance:
        while at < file.size:
            count = file.stream.readinto(data[at : at + _BLOCK])  # type: ignore[attr-defined]
            if not count:
                raise FileError(f"the file shrank to {at} bytes while it was read", file.name)
            at += count
            advance(count)
    return data.toreadonly()


def largest_dim(size: int) -> int:
    """Return how many dimensions a file of so many bytes may have.

    A row has a byte for each at least. A file without rows could say anything, and every vector
    would be larger than the file.
    """
    return max(size, 1 << 16)


class Cursor:
    """Reads the fields of a file one after another, and says which one is not there.

    Parameters
    ----------
    data : memoryview
        The bytes of the file.
    path : str
        Named in errors.
    at : int
        The byte to begin at.
    """

    __slots__ = ("at", "data", "path")

    def __init__(self, data: memoryview, path: str, at: int = 0) -> None:
        self.data = data
        self.path = path
        self.at = at

    def error(self, field: str, reason: str, at: int | None = None) -> FormatError:
        """Make an error about a field, by default the one that begins here."""
        return FormatError(field, self.at if at is None else at, reason, self.path)

    def take(self, field: str, size: int) -> memoryview:
        """Return the next `size` bytes and move on."""
        left = len(self.data) - self.at
        if size > left:
            raise self.error(
                field,
                f"the file is cut: {field} takes {size} bytes, {max(left, 0)} are left; "
                "download or copy it again",
            )
        self.at += size
        return self.data[self.at - size : self.at]

    def integer(self, field: str, kind: str) -> int:
        """Read one little-endian number: u1, i4 or i8."""
        (value,) = self.unpack(field, kind)
        return int(value)

    def unpack(self, field: str, *kinds: str) -> tuple[int | float, ...]:
        """Read several little-endian numbers: u1, i4, i8 or f8."""
        layout = struct.Struct("<" + "".join(_SIZES[kind] for kind in kinds))
        return layout.unpack(self.take(field, layout.size))
