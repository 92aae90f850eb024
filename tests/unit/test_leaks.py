"""What a call takes is given back when its answer is gone."""

from __future__ import annotations

import ctypes
import gc
import sys

import numpy as np
import pytest
from leaks import make_calls

FREE_THREADED = not getattr(sys, "_is_gil_enabled", lambda: True)()
# Without the GIL some two hundred blocks at a time wait to be given back, however many calls.
CALLS = 500 if FREE_THREADED else 25
# Of the C library's struct mallinfo2.
COUNTERS = (
    "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks",
    "keepcost",
)  # fmt: skip


class _Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in COUNTERS]


def held():
    """Blocks of the interpreter, and bytes of the C library, that are in use."""
    # Twice, since without the GIL what one collection frees is given back by the next.
    for _ in range(2):
        gc.collect()
    info = ctypes.CDLL(None).mallinfo2
    info.restype = _Mallinfo
    found = info()
    return np.array([sys.getallocatedblocks(), found.uordblks + found.hblkhd])


@pytest.fixture(autouse=True)
def quick_collections():
    """What other tests hold is not looked at each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None) if sys.platform == "linux" else None, "mallinfo2"),
    reason="the C library does not count what it gave out",
)
@pytest.mark.skipif(not hasattr(sys, "getallocatedblocks"), reason="not CPython")
def test_no_public_function_keeps_memory(tmp_path):
    grown = {}
    calls = make_calls(tmp_path)
    if FREE_THREADED:
        # The name of the file beside the target: pathlib interns it, and it is never freed there.
        del calls["convert"], calls["export"]
    for name, call in calls.items():
        # What is kept once, such as caches, may grow for some rounds.
        for _ in range(40):
            before = held()
            for _ in range(CALLS):
                call()
            grown[name] = held() - before
            if (grown[name] < [CALLS, 16 * CALLS]).all():
                del grown[name]
                break
    assert not grown
