"""Memory of a call is freed with its result."""

from __future__ import annotations

import ctypes
import gc
import sys

import numpy as np
import pytest
from leaks import make_calls

FREE_THREADED = not getattr(sys, "_is_gil_enabled", lambda: True)()
# Without the GIL about two hundred blocks wait to be freed at any time, however many calls.
CALLS = 500 if FREE_THREADED else 25
# Fields of the C library's struct mallinfo2.
COUNTERS = (
    "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks",
    "keepcost",
)  # fmt: skip


class _Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in COUNTERS]


def held():
    """Return the blocks of the interpreter and the bytes of the C library in use."""
    # Twice, since without the GIL the next collection returns the memory that one frees.
    for _ in range(2):
        gc.collect()
    info = ctypes.CDLL(None).mallinfo2
    info.restype = _Mallinfo
    found = info()
    return np.array([sys.getallocatedblocks(), found.uordblks + found.hblkhd])


@pytest.fixture(autouse=True)
def quick_collections():
    """Exclude objects of other tests from garbage collections."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None) if sys.platform == "linux" else None, "mallinfo2"),
    reason="the C library does not count allocations",
)
@pytest.mark.skipif(not hasattr(sys, "getallocatedblocks"), reason="not CPython")
def test_no_public_function_keeps_memory(tmp_path):
    grown = {}
    calls = make_calls(tmp_path)
    if FREE_THREADED:
        # pathlib interns the name of the temporary file, which is never freed there.
        del calls["convert"], calls["export"]
    for name, call in calls.items():
        # Caches may grow for some rounds.
        for _ in range(40):
            before = held()
            for _ in range(CALLS):
                call()
            grown[name] = held() - before
            if (grown[name] < [CALLS, 16 * CALLS]).all():
                del grown[name]
                break
    assert not grown
