"""Vectors of words that the model never saw: 38 rows each on average."""

from __future__ import annotations

from operator import attrgetter

from benchmarks.works import lookups

WORK = lookups.work(
    "Unknown words", attrgetter("unknown"), one_by_one=1.5, one_thread=1.5, two_threads=4.0
)
