"""The works, by their names on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.works import (
    approximate,
    beside,
    command,
    compact,
    engines,
    fitting,
    growth,
    importing,
    known_words,
    neighbors,
    opening,
    predicting,
    ranges,
    sentences,
    serving,
    text_search,
    torch_layers,
    unknown_words,
    whispers,
    workers,
)

if TYPE_CHECKING:
    from benchmarks.work import Work

WORKS: dict[str, Work] = {
    "opening": opening.WORK,
    "known-words": known_words.WORK,
    "unknown-words": unknown_words.WORK,
    "sentences": sentences.WORK,
    "neighbors": neighbors.WORK,
    "approximate-neighbors": approximate.WORK,
    "text-search": text_search.WORK,
    "predicting": predicting.WORK,
    "predicting-dense": predicting.DENSE,
    "predicting-wide": predicting.WIDE,
    "predict-command": command.WORK,
    "converting": compact.CONVERTING,
    "compact-opening": compact.OPENING,
    "compact-sharing": compact.SHARING,
    "importing": importing.WORK,
    "beside-python": beside.WORK,
    "growth-threads": growth.THREADS_WORK,
    "growth-vocabulary": growth.VOCABULARY_WORK,
    "growth-unknown": growth.SHARE_WORK,
    "clusters": whispers.WORK,
    "growth-clusters": whispers.GROWTH,
    "fitting": fitting.WORK,
    "growth-fitting": fitting.GROWTH,
    "engines": engines.WORK,
    "engine-workers": workers.WORK,
    "serving": serving.WORK,
    "ranges": ranges.WORK,
    "torch": torch_layers.WORK,
}

# The works of --quick, which have floors under the ratio to the official package.
QUICK = (
    "opening",
    "known-words",
    "unknown-words",
    "sentences",
    "predicting-dense",
    "predicting-wide",
)
