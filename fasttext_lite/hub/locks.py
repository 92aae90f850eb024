"""Locks of files between processes, the same as those of the library filelock."""

from __future__ import annotations

import errno
import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fasttext_lite.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["locked"]

_PAUSE = 0.05

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            # A file system without locks: two downloads may then do the same work, but each
            # replaces the file when it is complete.
            return error.errno in (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)
        return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock while the block runs; it is given back when the process ends, however it does.

    Raises
    ------
    FileError
        The file of the lock cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise FileError.from_os(error, str(path)) from None
    try:
        while not _try_lock(descriptor):
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)
