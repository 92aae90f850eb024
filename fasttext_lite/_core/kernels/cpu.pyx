"""The level of kernels of this process: the best that its CPU can run, or one set by name."""

import os

from fasttext_lite.errors import InputValueError

VARIABLE = "FASTTEXT_LITE_KERNELS"


def features():
    """Return the CPU features that levels may require and that CPU and operating system support."""
    cdef int i
    return [feature_names[i].decode() for i in range(FTL_FEATURES) if cpu_features() >> i & 1]


def runnable():
    """Return the levels that this CPU can run, best first."""
    cdef const Level* found[FTL_MOST_LEVELS]
    cdef size_t i
    return [found[i].name.decode() for i in range(runnable_levels(found))]


def chosen():
    """Return the name of the level that this process runs."""
    return level.name.decode()


cdef const Level* _choose() except NULL:
    cdef const Level* found[FTL_MOST_LEVELS]
    names = runnable()
    wanted = os.environ.get(VARIABLE) or names[0]
    if wanted not in names:
        raise InputValueError(
            f"{VARIABLE} is {wanted!r}, but this CPU can run only {', '.join(names)}: set one of "
            "these, or none"
        )
    runnable_levels(found)
    return found[<size_t>names.index(wanted)]


cdef const Level* level = _choose()
row_kernels = level.rows
scan_kernels = level.scan
