"""Timing within a process."""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def seconds(call: Callable[[], object]) -> float:
    """Time one call."""
    start = perf_counter()
    call()
    return perf_counter() - start


def typical(call: Callable[[], object], items: int, passes: int) -> float:
    """Return the seconds per item: the median of the passes after one to warm up."""
    call()
    return median(seconds(call) for _ in range(passes)) / items
