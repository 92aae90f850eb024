"""Vectors of many words, one by one and in one call, with each library."""

from __future__ import annotations

from functools import partial
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.libraries import FASTTEXT_NEW, GENSIM, LIBRARIES, OFFICIAL, OURS
from benchmarks.work import Figure, Outcome, Task, Unit, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def _seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def _rates(
    words: list[str], passes: int, calls: dict[str, Callable[[], object]]
) -> dict[str, float]:
    """Words per second of each call, and of the very first pass over the words."""
    first = _seconds(calls["one_by_one"])
    rates = {
        key: len(words) / median(_seconds(call) for _ in range(passes))
        for key, call in calls.items()
    }
    return {"first_pass": len(words) / first, **rates}


def _index_each(model: Any, words: list[str]) -> None:
    for word in words:
        model[word]


def _get_each(model: Any, words: list[str]) -> None:
    get = model.get_word_vector
    for word in words:
        get(word)


def _stack(vectors: Any) -> NDArray[np.float32]:
    return np.stack(list(vectors))


def _ours(words_of: Callable[[Task], list[str]], task: Task) -> Outcome:
    words = words_of(task)
    model = LIBRARIES[OURS].open(task.model)
    calls: dict[str, Callable[[], object]] = {
        "one_by_one": lambda: _index_each(model, words),
        "one_thread": lambda: model.vectors(words, threads=1),
        "two_threads": lambda: model.vectors(words, threads=2),
    }
    values = _rates(words, task.passes, calls)
    answers = {
        "one_by_one": _stack(model[word] for word in words),
        "one_thread": model.vectors(words, threads=1),
        "two_threads": model.vectors(words, threads=2),
    }
    return Outcome(values, answers)


def _official_face(library: str, words_of: Callable[[Task], list[str]], task: Task) -> Outcome:
    words = words_of(task)
    model = LIBRARIES[library].open(task.model)
    values = _rates(words, task.passes, {"one_by_one": lambda: _get_each(model, words)})
    return Outcome(values, {"one_by_one": _stack(map(model.get_word_vector, words))})


def _gensim(words_of: Callable[[Task], list[str]], task: Task) -> Outcome:
    words = words_of(task)
    model = LIBRARIES[GENSIM].open(task.model)
    calls: dict[str, Callable[[], object]] = {
        "one_by_one": lambda: _index_each(model, words),
        "one_thread": lambda: model[words],
    }
    values = _rates(words, task.passes, calls)
    answers = {"one_by_one": _stack(model[word] for word in words), "one_thread": model[words]}
    return Outcome(values, answers)


def work(
    title: str,
    words_of: Callable[[Task], list[str]],
    *,
    one_by_one: float,
    one_thread: float,
    two_threads: float,
) -> Work:
    """Describe a work that looks up words of one kind.

    Parameters
    ----------
    title : str
        Heading of the rows.
    words_of : callable
        Takes the words from a task.
    one_by_one, one_thread, two_threads : float
        Floors of the three ways to ask, as ratios to the official loop.
    """
    rate = Unit.WORDS_PER_SECOND
    single = "one_by_one"
    return Work(
        title=title,
        figures=(
            Figure("first_pass", "one by one, the first time", rate),
            Figure(single, "one by one", rate, floor=one_by_one),
            Figure(
                "one_thread", "in one call, one thread", rate, floor=one_thread, stand_in=single
            ),
            Figure(
                "two_threads", "in one call, two threads", rate, floor=two_threads, stand_in=single
            ),
        ),
        libraries={
            OURS: partial(_ours, words_of),
            OFFICIAL: partial(_official_face, OFFICIAL, words_of),
            FASTTEXT_NEW: partial(_official_face, FASTTEXT_NEW, words_of),
            GENSIM: partial(_gensim, words_of),
        },
    )
