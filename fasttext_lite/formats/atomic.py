"""Files that replace their target only when they are complete."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from typing import TYPE_CHECKING

from fasttext_lite.errors import FileError

if TYPE_CHECKING:
    from mmap import mmap
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO

    from typing_extensions import Self

__all__ = ["AtomicFile", "check_free", "check_target", "folder_of", "is_replaceable"]

# Names of open files of the process. They may lead to a regular file, but the caller has it open
# and expects the bytes there.
_DESCRIPTORS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/")
_ZEROS = 1 << 16


def is_replaceable(path: str) -> bool:
    """Return whether a new file can replace the target.

    This is true of regular files and unused names. Devices, named pipes and names of open files
    such as ``/dev/stdout`` are written to directly.

    Raises
    ------
    FileError
        The target cannot be reached, for instance because of a loop of symbolic links.
    """
    if os.name == "posix" and os.path.abspath(path).startswith(_DESCRIPTORS):  # noqa: PTH100
        return False
    status = _status(path)
    return status is None or stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)


def check_target(source: str, target: str) -> None:
    """Check that a file can be written to the target, and that the target is not the source.

    Raises
    ------
    FileError
        The target is a folder, write-protected or the source, or its folder does not exist.
    """
    from pathlib import Path  # costs import time that only writing needs

    if _checked(target) is None:
        if not _resolved(target).parent.is_dir():
            raise FileError("the folder of this file does not exist", target, errno.ENOENT)
        return
    # The source may be a member of an archive, or a file object without a path.
    for path in (source, source.rpartition("!/")[0]):
        if path and Path(path).exists() and Path(target).samefile(path):
            raise FileError("the target is the source; name another file", target)


def check_free(target: str, size: int) -> None:
    """Check that a file of this many bytes can be written beside the target.

    Raises
    ------
    FileError
        The file system has less space.
    """
    import shutil  # costs import time that only writing needs

    if not is_replaceable(target):
        return
    free = shutil.disk_usage(_resolved(target).parent).free
    if free < size:
        raise FileError(
            f"the file needs {size} bytes, but only {free} are free there", target, errno.ENOSPC
        )


def folder_of(target: str) -> str:
    """Return a folder for temporary data of about the size of the target.

    This is the folder of the target, or the folder for temporary files if the target is a stream.
    """
    if is_replaceable(target):
        return str(_resolved(target).parent)
    from tempfile import gettempdir  # costs import time that few need

    return gettempdir()


class AtomicFile:
    """A file for writing that replaces its target when the ``with`` block ends without an error.

    Until then the target is not changed. If the block fails, the new file is removed. A symbolic
    link is followed: the link stays, and the file that it leads to is replaced. The new file has
    the mode of the file that it replaces. A target that cannot be replaced, such as a device or a
    named pipe, is written to directly.

    Parameters
    ----------
    path : str
        The target.
    size : int
        Least number of bytes that will be written. This much space must be free.
    append : bool
        Begin with a copy of the file that is replaced.
    folder : str, optional
        Where the new file is until then, on the same file system; by default the folder of the
        target.

    Attributes
    ----------
    written : int
        Number of bytes that were written.

    Raises
    ------
    FileError
        The target is write-protected, or its folder is missing, read-only or full.
    """

    def __init__(
        self, path: str, size: int = 0, *, append: bool = False, folder: str | None = None
    ) -> None:
        self._name = path
        self._folder = folder
        self._size = size
        self._append = append
        self._lock = threading.Lock()
        self._file: BinaryIO
        self.written = 0

    def __enter__(self) -> Self:
        try:
            self._replaces = is_replaceable(self._name)
            if self._replaces:
                self._open_beside()
            else:
                self._file = open(self._name, "ab" if self._append else "wb")  # noqa: PTH123
        except OSError as error:
            raise self._error(error) from None
        return self

    def _open_beside(self) -> None:
        status = _checked(self._name)
        self._path = _resolved(self._name)
        check_free(self._name, self._size)
        folder = self._path.parent if self._folder is None else _resolved(self._folder)
        self._beside = folder / f"{self._path.name}.{os.urandom(4).hex()}.part"
        self._file = self._beside.open("xb+")
        if status is not None:
            try:
                self._beside.chmod(stat.S_IMODE(status.st_mode))
                if self._append:
                    import shutil  # costs import time that only writing needs

                    with self._path.open("rb") as old:
                        shutil.copyfileobj(old, self._file)
            except BaseException:
                self._give_up()
                raise

    def write(self, view: bytes | memoryview) -> None:
        """Write some bytes."""
        try:
            # An empty array is not exported as contiguous bytes.
            with self._lock:
                self.written += self._file.write(view if len(view) else b"")
        except OSError as error:
            raise self._error(error) from None

    def write_zeros(self, count: int) -> None:
        """Write zeros; they take no space if the file system supports holes."""
        if not self._replaces:
            for start in range(0, count, _ZEROS):
                self.write(bytes(min(_ZEROS, count - start)))
            return
        try:
            self._file.truncate(self._file.seek(count, os.SEEK_CUR))
            self.written += count
        except OSError as error:
            raise self._error(error) from None

    def read(self, offset: int, size: int) -> bytes:
        """Read bytes that were written, from any thread.

        Raises
        ------
        FileError
            The target is written to directly and cannot be read back.
        """
        self._check_readable()
        try:
            with self._lock:
                end = self._file.tell()
                self._file.seek(offset)
                data = self._file.read(size)
                self._file.seek(end)
        except OSError as error:
            raise self._error(error) from None
        return data

    def view(self, size: int) -> mmap:
        """Map the first bytes that were written.

        Raises
        ------
        FileError
            As for `read`.
        """
        from mmap import ACCESS_READ, mmap

        self._check_readable()
        try:
            with self._lock:
                self._file.flush()
                return mmap(self._file.fileno(), size, access=ACCESS_READ)
        except OSError as error:
            raise self._error(error) from None

    def _check_readable(self) -> None:
        if not self._replaces:
            raise FileError(
                "this is not a regular file, so the vectors cannot be read back for the "
                "neighbors index or the graph; name another target",
                self._name,
            )

    def complete(self) -> None:
        """Flush the file to the disk and close it, without replacing the target yet.

        A writer of several files completes all of them before it replaces the first target.
        """
        try:
            if not self._file.closed:
                self._file.flush()
                if self._replaces:
                    os.fsync(self._file.fileno())
                self._file.close()
        except OSError as error:
            raise self._error(error) from None

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
            self.complete()
            if self._replaces:
                self._beside.replace(self._path)
                _sync_folder(self._path.parent)
        except OSError as error:
            self._give_up()
            raise self._error(error) from None
        except BaseException:
            self._give_up()
            raise

    def _give_up(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        if self._replaces:
            self._beside.unlink(missing_ok=True)

    def _error(self, error: OSError) -> FileError:
        if isinstance(error, FileError):
            return error
        return FileError(
            f"cannot be written: {error.strerror or error}", self._name, error.errno or errno.EIO
        )


def _status(path: str) -> os.stat_result | None:
    """Return the status of the file that a path leads to; None if it does not exist."""
    try:
        return os.stat(path)  # noqa: PTH116 - pathlib costs import time
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        reason = f"cannot be written: {error.strerror or error}"
        raise FileError(reason, path, error.errno or errno.EIO) from None


def _resolved(path: str) -> Path:
    """Resolve symbolic links in a path, whether the file exists or not."""
    from pathlib import Path  # costs import time that only writing needs

    return Path(os.path.realpath(path))


def _checked(path: str) -> os.stat_result | None:
    """Return the status of a target; raise for folders and files that are not writable."""
    status = _status(path)
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise FileError("this is a folder; name a file in it", path, errno.EISDIR)
    # Renaming would replace a write-protected file without asking.
    if status is not None and not os.access(path, os.W_OK):
        raise FileError("cannot be written: the file is write-protected", path, errno.EACCES)
    return status


def _sync_folder(folder: Path) -> None:
    """Flush the new name to the disk, if the system supports that for a folder."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
