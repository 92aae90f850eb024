"""Calls beside a thread that is busy with Python code."""

from __future__ import annotations

import threading
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks import texts
from benchmarks.libraries import OFFICIAL, OURS, open_model
from benchmarks.work import Figure, Outcome, Task, Unit, Work

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds for which a call is repeated: hundreds of turns of the two threads.
LONG_ENOUGH = 1.0

WORDS = (100, 1_000, 10_000)
TEXTS = (10, 100, 1_000)


def _each(call: Callable[[str], object], many: list[str]) -> None:
    for one in many:
        call(one)


def _mean(call: Callable[[], object]) -> float:
    """Return the mean seconds of a call: a median would leave out the turns of the other thread."""
    call()
    begun = perf_counter()
    count, passed = 0, 0.0
    while passed < LONG_ENOUGH:
        call()
        count += 1
        passed = perf_counter() - begun
    return passed / count


def _measure(calls: dict[str, Callable[[], object]]) -> Outcome:
    values = {f"{name}_alone": _mean(call) for name, call in calls.items()}
    stop = False

    def spin() -> None:
        while not stop:
            pass

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        values |= {f"{name}_beside": _mean(call) for name, call in calls.items()}
    finally:
        stop = True
        thread.join()
    return Outcome(values)


def _texts() -> list[str]:
    return texts.multilingual(max(TEXTS), 100, 1000)


def _ours(task: Task) -> Outcome:
    model, wide = open_model(OURS, task.model), open_model(OURS, task.wide)
    unknown, many = task.unknown, _texts()
    calls: dict[str, Callable[[], object]] = {
        "words": partial(_each, model.__getitem__, unknown[:1000]),
        "labels": partial(_each, wide.predict, many[:100]),
        "neighbors": partial(model.neighbors, task.known[0], threads=1),
    }
    for count in WORDS:
        calls[f"words_{count}"] = partial(model.vectors, unknown[:count], threads=1)
    for count in TEXTS:
        calls[f"texts_{count}"] = partial(wide.predict, many[:count], threads=1)
    return _measure(calls)


def _official(task: Task) -> Outcome:
    model, wide = open_model(OFFICIAL, task.model), open_model(OFFICIAL, task.wide)
    unknown, many = task.unknown, _texts()
    calls: dict[str, Callable[[], Any]] = {
        "words": partial(_each, model.get_word_vector, unknown[:1000]),
    }
    for count in TEXTS:
        calls[f"texts_{count}"] = partial(wide.predict, many[:count])
    return _measure(calls)


def _figures() -> tuple[Figure, ...]:
    titles = {
        "words": "1,000 unknown words, one by one",
        **{f"words_{count}": f"{count:,} unknown words in one call" for count in WORDS},
        "labels": "100 texts, 2,102 labels, one by one",
        **{f"texts_{count}": f"a list of {count:,} texts, 2,102 labels" for count in TEXTS},
        "neighbors": "10 nearest words of one",
    }
    return tuple(
        Figure(f"{name}_{how}", f"{title}, {words}", Unit.SECONDS)
        for name, title in titles.items()
        for how, words in (("alone", "alone"), ("beside", "beside a busy thread"))
    )


WORK = Work(
    title="Beside a thread that is busy with Python code",
    figures=_figures(),
    libraries={OURS: _ours, OFFICIAL: _official},
    needs=("model", "wide"),
)
