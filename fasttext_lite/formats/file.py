"""The file of a model: opens it, maps or reads it, and detects later changes."""

from __future__ import annotations

import io
import mmap
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.arguments import absolute_path, is_path
from fasttext_lite.errors import FastTextLiteError, FileError, FormatError, InputTypeError
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any, BinaryIO

    from typing_extensions import Self

    from fasttext_lite.arguments import PathType

__all__ = ["ModelFile"]

# Bytes per read; signals are handled between two reads.
_BLOCK = 1 << 24
# Bytes at the beginning, in the middle and at the end of a file that its fingerprint covers.
_SAMPLE = 1 << 12


@contextmanager
def _reporting(name: str) -> Iterator[None]:
    """Convert an error of the operating system in the ``with`` block to a `FileError` about `name`.

    Errors of this package are not changed: they name their file.
    """
    try:
        yield
    except FastTextLiteError:
        raise
    except OSError as error:
        raise FileError.from_os(error, name) from None


def _open_regular(path: str) -> io.FileIO:
    """Open a regular file to read bytes, without a buffer.

    Raises
    ------
    MissingFileError, FileError
        The path does not lead to a regular file that can be read.
    """
    with _reporting(path):
        # Checked before opening, which for a pipe would wait for a writer.
        mode = os.stat(path).st_mode  # noqa: PTH116 - pathlib costs import time
        if stat.S_ISDIR(mode):
            raise FileError("this is a folder, not a model file", path)
        if not stat.S_ISREG(mode):
            raise FileError("this is not a regular file, so it cannot be mapped", path)
        return open(path, "rb", buffering=0)  # noqa: PTH123


class ModelFile:
    """The file that a model is read from.

    It is open in its ``with`` block: `begin`, `map_or_read` and `stream` are valid only there.
    Afterwards the object reports whether the file has changed, and how another process can open it.

    Parameters
    ----------
    source : str, bytes, os.PathLike or file object
        A file object must be binary; the model begins at its position and ends at its end. An
        object that cannot seek is read immediately.
    reopen : callable
        ``reopen(path, map_file, fingerprint)`` returns the parts of the model; see `recipe`.

    Attributes
    ----------
    name : str
        The absolute path, or the type of a file object without a path, as in ``<BytesIO>``.
    path : str or None
        The absolute path, if known.
    size : int
        Number of bytes, for a file object from its position on.
    data : memoryview or None
        All bytes, read-only, after `map_or_read`.
    map : mmap or None
        The map behind `data`.
    stream : file object
        Seekable, and at the beginning of the model.

    Raises
    ------
    InputTypeError
        `source` is neither a path nor a binary file object.
    MissingFileError, FileError
        The path does not lead to a regular file that can be read, or reading fails.
    """

    stream: BinaryIO

    def __init__(self, source: PathType | BinaryIO, reopen: Callable[..., Any]) -> None:
        self._reopen = reopen
        self._owned = is_path(source)
        self.path: str | None = None
        if is_path(source):
            self.path = self.name = absolute_path(source)
            self.stream = _open_regular(self.path)
        else:
            self.name = f"<{type(source).__name__}>"
            self.stream = self._seekable(source)
        self.data: memoryview | None = None
        self.map: mmap.mmap | None = None
        self._fingerprint: tuple[int, int] | None = None
        self._status: os.stat_result | None = None
        with _reporting(self.name):
            self._measure()

    def _seekable(self, source: BinaryIO) -> BinaryIO:
        if getattr(source, "closed", False):
            raise FileError("this file object is closed", self.name)
        with _reporting(self.name):
            if not isinstance(source.read(0), bytes):
                raise InputTypeError(
                    f"{self.name} returns text, not bytes: open the file with mode 'rb'"
                )
            # A `SpooledTemporaryFile` has neither method before Python 3.11.
            if hasattr(source, "readinto") and hasattr(source, "seekable") and source.seekable():
                return source
            return io.BytesIO(source.read())

    def _measure(self) -> None:
        """Determine the size and, for a file on disk, its path and status."""
        stream = self.stream
        self._start = stream.tell()
        # `fileno` would not do: for a decompressing stream it returns that of the compressed file.
        raw = getattr(stream, "raw", stream)
        if isinstance(raw, io.FileIO):
            status = os.fstat(raw.fileno())
            end = status.st_size
            if self._start == 0:
                self._status = status
                if self.path is None and not isinstance(raw.name, int):
                    self.path = self.name = absolute_path(raw.name)
        else:
            end = stream.seek(0, os.SEEK_END)
            stream.seek(self._start)
        self.size = max(end - self._start, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._owned:
            self.stream.close()
        del self.stream

    def begin(self, size: int) -> bytes:
        """Return the first `size` bytes, or all bytes of a shorter file."""
        return self._read(0, min(size, self.size))

    def _read(self, start: int, stop: int) -> bytes:
        """Read a range of bytes, and seek back to the beginning."""
        block = b""
        with _reporting(self.name):
            self.stream.seek(self._start + start)
            while start + len(block) < stop:
                more = self.stream.read(stop - start - len(block))
                if not more:
                    break
                block += more
            self.stream.seek(self._start)
        return block

    def map_or_read(self, *, map_file: bool, progress: bool = False) -> memoryview:
        """Return all bytes, read-only.

        Parameters
        ----------
        map_file : bool
            Map the file: its pages are read on access and shared with other processes. If False,
            or if the file cannot be mapped, it is read into memory.
        progress : bool
            Show a progress bar if reading takes over a second and stderr is a terminal.

        Raises
        ------
        FileError
            Reading or mapping fails.
        FormatError
            The file is empty.
        """
        if self.size == 0:
            raise FormatError("magic", 0, "the file is empty", self.name)
        if map_file and self._status is not None:
            self.map = self._mapped()
            self.data = memoryview(self.map)
        else:
            self.data = self._whole(progress=progress)
        return self.data

    def _mapped(self) -> mmap.mmap:
        with _reporting(self.name):
            try:
                return mmap.mmap(self.stream.fileno(), self.size, access=mmap.ACCESS_READ)
            except ValueError as error:
                # The file has shrunk since its size was read.
                raise FileError(f"the file cannot be mapped: {error}", self.name) from None

    def _whole(self, *, progress: bool) -> memoryview:
        # Unlike a bytearray, this is not filled with zeros first.
        data = np.empty(self.size, np.uint8).data
        at = 0
        with progress_bar("reading", self.size, "B", show=progress) as advance:
            while at < self.size:
                with _reporting(self.name):
                    count = self.stream.readinto(data[at : at + _BLOCK])  # type: ignore[attr-defined]
                if not count:
                    raise FileError(f"the file shrank to {at} bytes while it was read", self.name)
                at += count
                advance(count)
        return data.toreadonly()

    def fingerprint(self) -> tuple[int, int]:
        """Return the size and a CRC-32 of 4 KB each at the beginning, the middle and the end.

        They distinguish the files of two models without reading whole files.

        Raises
        ------
        FileError
            The mapped file has changed, or reading fails.
        """
        self.check()
        if self._fingerprint is None:
            from zlib import crc32  # costs import time that few programs need

            checksum = 0
            for start in (0, (self.size - _SAMPLE) // 2, self.size - _SAMPLE):
                start = max(start, 0)
                stop = min(start + _SAMPLE, self.size)
                data = self.data
                block = self._read(start, stop) if data is None else data[start:stop]
                checksum = crc32(block, checksum)
            self._fingerprint = self.size, checksum
        return self._fingerprint

    def check(self) -> None:
        """Check that a mapped file has not changed since it was opened.

        Raises
        ------
        FileError
            The size of the file changed, so reading lost pages would end the process; or the file
            was written to.
        """
        if self.map is None or self._status is None:
            return
        before, size = self._status.st_size, self.map.size()
        if size != before:
            raise FileError(
                f"the file had {before} bytes when it was opened and has {size} now: another "
                "program is writing to it; load it again when that program has finished",
                self.name,
            )
        now = self._status_now()
        if now is not None and now.st_mtime_ns != self._status.st_mtime_ns:
            raise FileError(
                "the file was written to since it was opened (its modification time changed): "
                "load it again when no program writes to it",
                self.name,
            )

    def is_current(self) -> bool:
        """Return whether the path still leads to this file, unchanged."""
        now, then = self._status_now(), self._status
        if now is None or then is None:
            return False
        return (now.st_size, now.st_mtime_ns) == (then.st_size, then.st_mtime_ns)

    def _status_now(self) -> os.stat_result | None:
        """Return the current status of the file; None if the path leads elsewhere."""
        if self.path is None or self._status is None:
            return None
        try:
            now = os.stat(self.path)  # noqa: PTH116 - pathlib costs import time
        except OSError:
            return None
        return now if os.path.samestat(now, self._status) else None

    def recipe(self) -> tuple[Callable[..., Any], tuple[str, bool, tuple[int, int]]]:
        """Return a function and its arguments that read the model again, for pickles.

        Raises
        ------
        FileError
            The file has no path, or the mapped file has changed.
        """
        if self.path is None:
            raise FileError(
                "a model from a file object without a path cannot be pickled: write it to a file "
                "and load that",
                self.name,
            )
        return self._reopen, (self.path, self.map is not None, self.fingerprint())

    def expect(self, fingerprint: tuple[int, int]) -> None:
        """Check that this is the file that another process opened, by its fingerprint there.

        Raises
        ------
        FileError
            This is another file.
        """
        if self.fingerprint() != fingerprint:
            raise FileError(
                "this is not the file that the pickled model was loaded from, which had "
                f"{fingerprint[0]} bytes (this one has {self.size}) or other content: load and "
                "pickle the model again",
                self.name,
            )
