"""Memory of the current process, as the operating system counts it."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.work import Figure, Unit

if TYPE_CHECKING:
    from typing_extensions import Self

_SUMMARY = Path("/proc/self/smaps_rollup")
_FIELDS = {
    "Private_Dirty": "private",
    "Private_Clean": "private_clean",
    "Anonymous": "anonymous",
    "Rss": "resident",
}


def memory() -> dict[str, float]:
    """Return the bytes in use now, or the peak on systems that report no more.

    Returns
    -------
    dict of str to float
        On Linux ``private`` (pages written by this process, which can't be shared or dropped),
        ``private_clean`` (pages of files, droppable and used by no other process), ``anonymous``
        (pages that belong to no file, or are copies of such that were written to) and ``resident``
        (all pages in memory). On other Unix systems ``peak``, the largest resident
        size so far. Empty elsewhere.
    """
    if _SUMMARY.exists():
        lines = (line.partition(":") for line in _SUMMARY.read_text().splitlines()[1:])
        kilobytes = {name: value.split()[0] for name, _, value in lines}
        return {key: int(kilobytes[name]) * 1024.0 for name, key in _FIELDS.items()}
    if sys.platform == "win32":
        return {}
    from resource import RUSAGE_SELF, getrusage

    unit = 1 if sys.platform == "darwin" else 1024
    return {"peak": float(getrusage(RUSAGE_SELF).ru_maxrss * unit)}


class Peak:
    """Sample the maximum of the private memory of this process within a block.

    Attributes
    ----------
    most : float
        In bytes; 0 where the operating system does not report it.
    """

    def __init__(self) -> None:
        self.most = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self) -> None:
        while not self._done.wait(0.05):
            self.most = max(self.most, memory().get("private", 0.0))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


FIGURES = (
    Figure("private", "private memory of the process", Unit.BYTES, ceiling=80e6),
    Figure(
        "private_clean", "clean pages of files, in no other process", Unit.BYTES, compared=False
    ),
    Figure("resident", "resident memory, all told", Unit.BYTES),
    Figure("peak", "peak resident memory", Unit.BYTES),
)
