"""Vectors of many words, one by one and in one call, with each library.

The words are looked up in the official file, whose rows are summed for every word, and in the
float16 compact file converted from it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.agreement import bits, halves
from benchmarks.libraries import FASTTEXT_NEW, GENSIM, OFFICIAL, OURS, open_model
from benchmarks.timing import seconds, typical
from benchmarks.work import Figure, Outcome, Task, Unit, Work
from benchmarks.works.compact import ensure_compact

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# Number of words that are looked up one by one, and compared.
SOME = 20_000


def _index_each(model: Any, words: list[str]) -> None:
    for word in words:
        model[word]


def _index_again(model: Any, word: str, times: int) -> None:
    for _ in range(times):
        model[word]


def _get_each(model: Any, words: list[str]) -> None:
    get = model.get_word_vector
    for word in words:
        get(word)


def _stack(vectors: Any) -> NDArray[np.float32]:
    return np.stack(list(vectors))


def _ours(words_of: Callable[[Task], list[str]], task: Task) -> Outcome:
    words, passes = words_of(task), task.passes
    some = words[:SOME]
    model = open_model(OURS, task.model)
    values = {
        "first_pass": seconds(lambda: _index_each(model, some)) / len(some),
        "one_by_one": typical(lambda: _index_each(model, some), len(some), passes),
        "one_thread": typical(lambda: model.vectors(words, threads=1), len(words), passes),
        "two_threads": typical(lambda: model.vectors(words, threads=2), len(words), passes),
    }
    answers = {
        "one_by_one": _stack(model[word] for word in some),
        "one_thread": model.vectors(some, threads=1),
        "two_threads": model.vectors(some, threads=2),
    }
    compact = open_model(OURS, ensure_compact(task.model, "float16"))
    values |= {
        "compact_one_by_one": typical(lambda: _index_each(compact, some), len(some), passes),
        "compact_again": typical(lambda: _index_again(compact, some[0], SOME), SOME, passes),
        "compact_one_thread": typical(
            lambda: compact.vectors(words, threads=1), len(words), passes
        ),
        "compact_two_threads": typical(
            lambda: compact.vectors(words, threads=2), len(words), passes
        ),
    }
    answers["compact_one_by_one"] = _stack(compact[word] for word in some)
    answers["compact_two_threads"] = compact.vectors(some, threads=2)
    return Outcome(values, answers)


def _official_face(library: str, words_of: Callable[[Task], list[str]], task: Task) -> Outcome:
    words = words_of(task)[:SOME]
    model = open_model(library, task.model)
    values = {
        "first_pass": seconds(lambda: _get_each(model, words)) / len(words),
        "one_by_one": typical(lambda: _get_each(model, words), len(words), task.passes),
    }
    return Outcome(values, {"one_by_one": _stack(map(model.get_word_vector, words))})


def _gensim(words_of: Callable[[Task], list[str]], task: Task) -> Outcome:
    words = words_of(task)
    some = words[:SOME]
    model = open_model(GENSIM, task.model)
    values = {
        "first_pass": seconds(lambda: _index_each(model, some)) / len(some),
        "one_by_one": typical(lambda: _index_each(model, some), len(some), task.passes),
        "one_thread": typical(lambda: model[words], len(words), task.passes),
    }
    answers = {"one_by_one": _stack(model[word] for word in some), "one_thread": model[some]}
    return Outcome(values, answers)


def work(
    kind: str,
    words_of: Callable[[Task], list[str]],
    *,
    floors: tuple[float, float, float],
    ceilings: dict[str, float],
) -> Work:
    """Describe a work that looks up words of one kind.

    Parameters
    ----------
    kind : str
        ``"known"`` or ``"unknown"``.
    words_of : callable
        Returns the words of a task.
    floors : tuple of float
        Smallest ratios to the official loop, with the official file: one by one, in one call,
        and with two threads.
    ceilings : dict of str to float
        Largest times by the keys of figures, in seconds per word.
    """
    single = ("one_by_one",)
    batch = ("one_thread", "one_by_one")
    rows = (
        ("first_pass", "one by one, the first time", None, (), None),
        ("one_by_one", "one by one", floors[0], (), f"{kind} word, one by one"),
        ("one_thread", "in one call, one thread", floors[1], single, None),
        (
            "two_threads",
            "in one call, two threads",
            floors[2],
            batch,
            f"{kind} words in one call, 2 threads",
        ),
        (
            "compact_one_by_one",
            "float16 file: one by one",
            None,
            single,
            f"{kind} word, one by one, float16 file",
        ),
        ("compact_again", "float16 file: a word asked again", None, single, None),
        ("compact_one_thread", "float16 file: in one call, one thread", None, batch, None),
        (
            "compact_two_threads",
            "float16 file: in one call, two threads",
            None,
            batch,
            f"{kind} words in one call, 2 threads, float16 file",
        ),
    )
    return Work(
        title=f"{kind.capitalize()} words, for each",
        figures=tuple(
            Figure(
                key,
                title,
                Unit.SECONDS,
                ceiling=ceilings.get(key),
                floor=floor,
                stand_ins=stand_ins,
                headline=headline,
            )
            for key, title, floor, stand_ins, headline in rows
        ),
        libraries={
            OURS: partial(_ours, words_of),
            OFFICIAL: partial(_official_face, OFFICIAL, words_of),
            FASTTEXT_NEW: partial(_official_face, FASTTEXT_NEW, words_of),
            GENSIM: partial(_gensim, words_of),
        },
        rule=bits,
        rules={"compact_one_by_one": halves, "compact_two_threads": halves},
    )
