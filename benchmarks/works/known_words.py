"""Vectors of words of the vocabulary: the word row and the rows of the n-grams."""

from __future__ import annotations

from operator import attrgetter

from benchmarks.works import lookups

WORK = lookups.work(
    "known",
    attrgetter("known"),
    floors=(1.5, 1.5, 3.0),
    ceilings={
        "compact_one_by_one": 0.6e-6,
        "compact_again": 0.3e-6,
        "compact_two_threads": 0.2e-6,
    },
)
