"""Memory of the process that asks, as the operating system counts it."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.work import Figure, Unit

_SUMMARY = Path("/proc/self/smaps_rollup")
_FIELDS = {"Private_Dirty": "private", "Private_Clean": "private_clean", "Rss": "resident"}


def memory() -> dict[str, float]:
    """Return the bytes in use now, or the peak where the system tells no more.

    Returns
    -------
    dict of str to float
        On Linux ``private`` (written by this process: nothing can share or drop it),
        ``private_clean`` (read from a file and droppable, in use by no other process) and
        ``resident`` (all of the process that is in memory). On other Unix systems ``peak``,
        the most that was ever resident. Empty elsewhere.
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


FIGURES = (
    Figure("private", "private memory of the process", Unit.BYTES, ceiling=80e6),
    Figure(
        "private_clean", "clean pages of files, in no other process", Unit.BYTES, compared=False
    ),
    Figure("resident", "resident memory, all told", Unit.BYTES),
    Figure("peak", "peak resident memory", Unit.BYTES),
)
