"""Open a model, and get its first vector."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import memory
from benchmarks.agreement import bits
from benchmarks.libraries import FASTTEXT_NEW, GENSIM, LIBRARIES, OFFICIAL, OURS, open_model
from benchmarks.work import Figure, Outcome, Task, Unit, Work

Lookup = Callable[[Any, str], NDArray[np.float32]]


def _index(model: Any, word: str) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = model[word]
    return vector


def _get_word_vector(model: Any, word: str) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = model.get_word_vector(word)
    return vector


def _open(library: str, lookup: Lookup, task: Task) -> Outcome:
    import_module(LIBRARIES[library].module)
    word = task.known[0]
    before = memory.memory()
    start = perf_counter()
    model = open_model(library, task.model)
    opened = perf_counter()
    vector = lookup(model, word)
    answered = perf_counter()
    after = memory.memory()
    values = {"open": opened - start, "open_and_first": answered - start, **after}
    if "private" in after:
        values["private_added"] = after["private"] - before["private"]
    return Outcome(values, {"first": vector})


WORK = Work(
    title="Opening a model",
    figures=(
        Figure("open", "open", Unit.SECONDS, ceiling=0.002, floor=20.0, headline="open"),
        Figure(
            "open_and_first",
            "open and get the vector of one known word",
            Unit.SECONDS,
            ceiling=0.15,
            floor=20.0,
            headline="open and first vector",
        ),
        Figure(
            "private_added",
            "private memory that this adds to the process",
            Unit.BYTES,
            ceiling=60e6,
            headline="private memory that this adds",
        ),
        *memory.FIGURES,
    ),
    libraries={
        OURS: partial(_open, OURS, _index),
        OFFICIAL: partial(_open, OFFICIAL, _get_word_vector),
        FASTTEXT_NEW: partial(_open, FASTTEXT_NEW, _get_word_vector),
        GENSIM: partial(_open, GENSIM, _index),
    },
    rule=bits,
)
