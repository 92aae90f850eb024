"""Vectors of words of the vocabulary: their own row and their n-grams."""

from __future__ import annotations

from operator import attrgetter

from benchmarks.works import lookups

WORK = lookups.work(
    "Known words", attrgetter("known"), one_by_one=1.5, one_thread=1.5, two_threads=3.0
)
