"""Files as bytes: opening, mapping, and one primitive for every binary read."""

from __future__ import annotations

import mmap
import os
import stat
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fasttext_lite.errors import FileError, FormatError, InputTypeError, MissingFileError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from typing import TypeAlias

    PathType: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]

__all__ = ["Cursor", "check_dim", "open_file", "open_stream", "path_name"]

# Without a row to tell it by, a model may say that it has so many dimensions.
_LARGEST_UNSEEN_DIM = 4096
_SIZES = {"u1": "B", "i4": "i", "i8": "q", "f8": "d"}


def path_name(path: PathType) -> str:
    """Return the path as text, whatever type it came in.

    Raises
    ------
    InputTypeError
        It is no path.
    FileError
        No file can have this name.
    """
    try:
        name = os.fsdecode(path)
    except TypeError:
        raise InputTypeError(
            f"a path must be str, bytes or os.PathLike, not {type(path).__name__}"
        ) from None
    if "\0" in name:
        raise FileError("a path cannot hold a null character", name)
    return name


def open_file(name: str, *, map_file: bool) -> memoryview:
    """Return the bytes of a file, mapped or read into memory.

    Parameters
    ----------
    name : str
        The path.
    map_file : bool
        Map the file, so that its pages are read when they are needed and shared with every
        process that maps it too; otherwise read it whole.

    Returns
    -------
    memoryview
        Read-only bytes, which keep the map alive.

    Raises
    ------
    MissingFileError, FileError
        The path names no regular file that can be read and mapped.
    FormatError
        The file is empty.
    """
    with open_stream(name) as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise FormatError("magic", 0, "the file is empty", name)
        if map_file:
            return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))
        return memoryview(_read(file.fileno(), size, name)).toreadonly()


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
    except FileError:
        raise
    except ValueError as error:
        if isinstance(error, FormatError):
            raise
        # A path with NUL in it.
        raise FileError(str(error), name) from None
    except OSError as error:
        raise FileError(error.strerror or str(error), name, error.errno or 0) from None


def check_dim(dim: int, size: int, path: str | None = None) -> None:
    """Make sure that a file has room for a row, so that no vector takes more than a few times it.

    A file without rows could otherwise name any number of dimensions.

    Raises
    ------
    FormatError
        There are more dimensions than the file has bytes.
    """
    if dim > max(size, _LARGEST_UNSEEN_DIM):
        raise FormatError(
            "dim",
            0,
            f"dim is {dim}, but a row of it has no room in the {size} bytes there are",
            path,
        )


def _read(descriptor: int, size: int, name: str) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    at = 0
    while at < size:
        with os.fdopen(os.dup(descriptor), "rb", buffering=0) as file:
            count = file.readinto(view[at : at + (1 << 30)])
        if not count:
            raise FileError(f"the file shrank to {at} bytes while it was read", name)
        at += count
    return data


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
