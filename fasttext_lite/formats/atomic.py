"""Files that are written beside their target and put in its place when they are whole."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from typing import TYPE_CHECKING

from fasttext_lite.errors import FileError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import BinaryIO

    from typing_extensions import Self

__all__ = ["AtomicFile", "check_target"]


def check_target(source: str, target: str) -> None:
    """Make sure that a file can stand at the target, and that the target is not the source.

    Raises
    ------
    FileError
        The target is a folder or the source, or there is no folder to write it to.
    """
    from pathlib import Path  # costs import time that only writing needs

    path = Path(target)
    if path.is_dir():
        raise FileError("this is a folder; name a file in it", target, errno.EISDIR)
    if not path.parent.is_dir():
        raise FileError("there is no such folder to write to", target, errno.ENOENT)
    if path.exists() and Path(source).exists() and path.samefile(source):
        raise FileError("the target is the source; name another file", target)


class AtomicFile:
    """A file for writing that replaces its target when the ``with`` block ends well.

    Until then the target is left alone, and what was written goes away if the block fails.

    Parameters
    ----------
    path : str
        The target.
    size : int
        How many bytes will be written at least: so much must be free.

    Raises
    ------
    FileError
        The folder is missing, not writable or full.
    """

    def __init__(self, path: str, size: int = 0) -> None:
        from pathlib import Path  # as above

        self._path = Path(path)
        self._size = size
        self._lock = threading.Lock()
        self._file: BinaryIO

    def __enter__(self) -> Self:
        import shutil  # costs import time that only writing needs

        folder = self._path.parent
        try:
            free = shutil.disk_usage(folder).free
            if free < self._size:
                raise FileError(
                    f"the file takes {self._size} bytes, but only {free} are free there",
                    str(self._path),
                    errno.ENOSPC,
                )
            self._beside = folder / f"{self._path.name}.{os.urandom(4).hex()}.part"
            self._file = self._beside.open("xb+")
        except OSError as error:
            raise self._error(error) from None
        return self

    def write(self, view: bytes | memoryview) -> None:
        """Write some bytes."""
        try:
            # An array without a single number is no run of bytes to the buffer protocol.
            with self._lock:
                self._file.write(view if len(view) else b"")
        except OSError as error:
            raise self._error(error) from None

    def write_zeros(self, count: int) -> None:
        """Write so many zeros; where the file system has holes they take no space."""
        try:
            self._file.truncate(self._file.seek(count, os.SEEK_CUR))
        except OSError as error:
            raise self._error(error) from None

    def read(self, offset: int, size: int) -> bytes:
        """Read bytes that were written, from any thread."""
        try:
            with self._lock:
                end = self._file.tell()
                self._file.seek(offset)
                data = self._file.read(size)
                self._file.seek(end)
        except OSError as error:
            raise self._error(error) from None
        return data

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._give_up()
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._beside.replace(self._path)
        except OSError as error:
            self._give_up()
            raise self._error(error) from None
        except BaseException:
            self._give_up()
            raise

    def _give_up(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self._beside.unlink(missing_ok=True)

    def _error(self, error: OSError) -> FileError:
        if isinstance(error, FileError):
            return error
        return FileError(
            f"cannot be written: {error.strerror or error}",
            str(self._path),
            error.errno or errno.EIO,
        )
