"""Which kernels this process runs: the best that its CPU can, or what a variable names."""

import os

from fasttext_lite.errors import InputValueError

VARIABLE = "FASTTEXT_LITE_KERNELS"


def features():
    """What this CPU has, and the system lets it use, of what kernels are chosen by."""
    cdef int i
    return [feature_names[i].decode() for i in range(FTL_FEATURES) if cpu_features() >> i & 1]


def runnable():
    """The kernels that this CPU can run, best first."""
    cdef const Kernels* found[FTL_MOST_KERNELS]
    cdef size_t i
    return [found[i].name.decode() for i in range(runnable_kernels(found))]


def chosen():
    """The kernels that this process runs."""
    return kernels.name.decode()


cdef const Kernels* _choose() except NULL:
    cdef const Kernels* found[FTL_MOST_KERNELS]
    names = runnable()
    wanted = os.environ.get(VARIABLE) or names[0]
    if wanted not in names:
        raise InputValueError(
            f"{VARIABLE} is {wanted!r}; this CPU can run {', '.join(names)}"
        )
    runnable_kernels(found)
    return found[<size_t>names.index(wanted)]


kernels = _choose()
