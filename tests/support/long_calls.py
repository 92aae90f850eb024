"""Calls that take minutes: a script, since the process that makes one is interrupted.

    python long_calls.py CALL FOLDER

prints when the call begins, how it ended, and whether the model and its threads are as before.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np

import fasttext_lite as ftl

# Before the call: CPython ends a process by a signal that came amid an exec, as of a dataclass.
from fasttext_lite import conversion, evaluate, exporting  # noqa: F401

__all__ = ["CALLS"]

# Each is long, and yet one of many that are handed out to the threads.
LONG_WORDS = [b"x" * 100_000] * 100_000
LONG_TEXTS = [b"word1 word2 unknown " * 1000] * 100_000


def endless(words):
    while True:
        yield from words


# For each the model that it asks, and the call with that model and the folder.
CALLS = {
    "gathering words": ("plain", lambda model, _: model.vectors(endless(["one", "two"]))),
    "vectors": ("plain", lambda model, _: model.vectors(LONG_WORDS)),
    "vectors on many threads": ("plain", lambda model, _: model.vectors(LONG_WORDS, threads=16)),
    "word_vectors": ("plain", lambda model, _: model.word_vectors()),
    "sentence_vectors": ("plain", lambda model, _: model.sentence_vectors(LONG_TEXTS)),
    "neighbors, the first search": ("plain", lambda model, _: model.neighbors("one")),
    "neighbors of many words": (
        "sample",
        lambda model, _: model.neighbors(["king"] * 1_000_000),
    ),
    "nearest_graph": (
        "sample",
        lambda *_: ftl.nearest_graph(
            np.random.default_rng(0).random((500_000, 40)), approximate=False
        ),
    ),
    "convert": ("plain", lambda model, folder: ftl.convert(model, folder / "out")),
    "convert to fewer dimensions": (
        "plain",
        lambda model, folder: ftl.convert(model, folder / "out", "int8", dim=100),
    ),
    "export": ("plain", lambda model, folder: ftl.export(model, folder / "out.vec")),
    "compare": ("plain", lambda model, _: evaluate.compare(model, model)),
    "analogies": ("plain", lambda model, folder: evaluate.analogies(model, folder / "questions")),
    "predict": ("supervised", lambda model, _: model.predict(LONG_TEXTS, 5)),
    "predict_ids": ("supervised", lambda model, _: model.predict_ids(LONG_TEXTS, 5, threads=1)),
    "sentence_vectors, supervised": (
        "supervised",
        lambda model, _: model.sentence_vectors(LONG_TEXTS),
    ),
    "test": ("supervised", lambda model, folder: model.test(folder / "lines")),
    "verify": ("huge", lambda model, _: model.verify(full=True)),
    "load": ("sample", lambda _, folder: ftl.load(folder / "words.vec.gz")),
}


def main(name, folder):
    # A shell lets what it starts in the background ignore interrupts, and so its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(os, "sched_setaffinity"):
        # Many cores would make short work of it.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    source, call = CALLS[name]
    model = ftl.load(source if source == "sample" else folder / source)
    word = model.words[1]
    expected = model[word]
    if source == "sample":
        model.neighbors(word)
    print("begun", flush=True)
    try:
        call(model, folder)
    except KeyboardInterrupt:
        # A thread that was just being started ends by itself.
        end = time.monotonic() + 10
        while threading.active_count() > 1 and time.monotonic() < end:
            time.sleep(0.01)
        print("interrupted", threading.active_count(), (model[word] == expected).all(), flush=True)
    else:
        print("ended by itself", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
