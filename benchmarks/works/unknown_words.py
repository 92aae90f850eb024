"""Vectors of words outside the vocabulary: 38 rows each on average."""

from __future__ import annotations

from operator import attrgetter

from benchmarks.works import lookups

WORK = lookups.work(
    "unknown",
    attrgetter("unknown"),
    floors=(1.5, 1.5, 4.0),
    ceilings={
        "two_threads": 3.5e-6,
        "compact_one_by_one": 3e-6,
        "compact_two_threads": 1.4e-6,
    },
)
