"""The file that a model was read from: whether it is still the same, and what tells it apart."""

from __future__ import annotations

import os
from dataclasses import dataclass
from mmap import mmap
from typing import TYPE_CHECKING

from fasttext_lite.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Backing", "Fingerprint"]

# Bytes that are compared at the beginning, in the middle and at the end of a file.
_SAMPLE = 1 << 12


@dataclass(frozen=True)
class Fingerprint:
    """What tells the files of two models apart without reading them whole.

    Attributes
    ----------
    size : int
        In bytes.
    checksum : int
        CRC-32 of 4 KB each at the beginning, in the middle and at the end.
    """

    size: int
    checksum: int

    @classmethod
    def of(cls, read: Callable[[int, int], bytes | memoryview], size: int) -> Fingerprint:
        """Take it from ``read(start, stop)``."""
        from zlib import crc32  # costs import time that few need

        checksum = 0
        for start in (0, (size - _SAMPLE) // 2, size - _SAMPLE):
            checksum = crc32(read(max(start, 0), min(max(start, 0) + _SAMPLE, size)), checksum)
        return cls(size, checksum)


class Backing:
    """The file that a model was read from, as it was then.

    Parameters
    ----------
    path : str or None
        Absolute; None where the bytes came from a file object without a name.
    status : os.stat_result or None
        Of the open file; None where there is none.
    fingerprint : callable
        Gives the `Fingerprint` when it is asked for.
    data : memoryview, optional
        All bytes of the file, mapped or in memory, where they were kept.

    Attributes
    ----------
    path, data
        As above.
    map : mmap or None
        The map of the file, which knows the size that the file has now; None where the model
        lies in memory of its own.
    """

    def __init__(
        self,
        path: str | None,
        status: os.stat_result | None,
        fingerprint: Callable[[], Fingerprint],
        data: memoryview | None = None,
    ) -> None:
        self.path = path
        self.data = data
        self.map = data.obj if data is not None and isinstance(data.obj, mmap) else None
        self._status = status
        self._fingerprint = fingerprint

    def fingerprint(self) -> Fingerprint:
        """Return what tells the file apart.

        Raises
        ------
        FileError
            The file was changed under the map.
        """
        self.check()
        return self._fingerprint()

    def check(self) -> None:
        """Make sure that nothing has changed under the map.

        Raises
        ------
        FileError
            The mapped file has another size, so that its pages may be gone and reading them would
            end the process; or it was written to.
        """
        if self.map is None or self._status is None:
            return
        before, size = self._status.st_size, self.map.size()
        if size != before:
            raise FileError(
                f"the file had {before} bytes when it was opened and has {size} now: something is "
                "writing to it; load it again when that is done",
                self.path or "",
            )
        now = self._status_now()
        if now is not None and now.st_mtime_ns != self._status.st_mtime_ns:
            raise FileError(
                "the file was written to since it was opened (its time of modification changed): "
                "load it again when that is done",
                self.path or "",
            )

    def is_current(self) -> bool:
        """Tell whether the path still leads to this file, as it was."""
        now = self._status_now()
        return now is not None and (now.st_size, now.st_mtime_ns) == (
            self._status.st_size,  # type: ignore[union-attr]
            self._status.st_mtime_ns,  # type: ignore[union-attr]
        )

    def _status_now(self) -> os.stat_result | None:
        """Return the status that the file has now; None where its path leads elsewhere."""
        if self.path is None or self._status is None:
            return None
        try:
            now = os.stat(self.path)  # noqa: PTH116 - pathlib costs import time
        except OSError:
            return None
        return now if os.path.samestat(now, self._status) else None
