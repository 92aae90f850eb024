"""Growth of the time with threads, with the vocabulary and with the share of unknown words."""

from __future__ import annotations

import os
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmarks import texts
from benchmarks.libraries import LIBRARIES, OFFICIAL, OURS, open_model
from benchmarks.synthetic import SIZES
from benchmarks.timing import seconds, typical
from benchmarks.work import Figure, Outcome, Point, Task, Unit, Work
from benchmarks.works.compact import ensure_compact

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SOME = 5_000
TEXT_WORDS = 12
NEAREST = 10
PERCENTAGES = (0, 25, 50, 75, 100)
CORES = os.cpu_count() or 1
THREADS = sorted({1 << power for power in range(CORES.bit_length())} | {CORES})
VOCABULARIES = [shape.words for shape in SIZES.values()]


def _figures(lines: dict[str, str], axis: str, points: Iterable[int]) -> tuple[Figure, ...]:
    """Return the points of some lines; the key of a figure is the key of its line and its x."""
    return tuple(
        Figure(f"{key}_{x}", f"{line} ({axis}: {x:,})", Unit.SECONDS, point=Point(line, axis, x))
        for key, line in lines.items()
        for x in points
    )


def _files(model: str) -> tuple[tuple[str, str], ...]:
    return ("raw", model), ("compact", ensure_compact(model, "float16"))


def _index_each(model: Any, words: Sequence[str]) -> None:
    for word in words:
        model[word]


def _get_each(model: Any, words: Sequence[str]) -> None:
    for word in words:
        model.get_word_vector(word)


def _threads(task: Task) -> Outcome:
    values = {}
    sentences = texts.of_words(task.known, SOME, TEXT_WORDS)
    for name, path in _files(task.model):
        model = open_model(OURS, path)
        for kind, call, items in (
            ("known", model.vectors, task.known),
            ("unknown", model.vectors, task.unknown),
            ("texts", model.sentence_vectors, sentences),
        ):
            for threads in THREADS:
                values[f"{name}_{kind}_{threads}"] = typical(
                    partial(call, items, threads=threads), len(items), task.passes
                )
    for threads in THREADS:
        # `model` is the compact one, which was opened last.
        values[f"neighbors_{threads}"] = typical(
            partial(model.neighbors, task.known[0], NEAREST, threads=threads), 1, task.passes
        )
    return Outcome(values)


def _vocabulary(task: Task) -> Outcome:
    import_module(LIBRARIES[OURS].module)
    values = {}
    for smaller in task.growing:
        size = smaller.words
        known, unknown = smaller.known[:SOME], smaller.unknown[:SOME]
        for name, path in _files(smaller.model):
            values[f"{name}_open_{size}"] = seconds(
                lambda path=path, word=known[0]: open_model(OURS, path)[word]
            )
            model = open_model(OURS, path)
            for kind, words in (("known", known), ("unknown", unknown)):
                each = partial(_index_each, model, words)
                values[f"{name}_{kind}_{size}"] = typical(each, len(words), task.passes)
        values[f"neighbors_{size}"] = typical(
            partial(model.neighbors, known[0], NEAREST), 1, task.passes
        )
    return Outcome(values)


def _open_official(path: str, word: str, opened: list[Any]) -> None:
    opened.append(open_model(OFFICIAL, path))
    opened[0].get_word_vector(word)


def _official_vocabulary(task: Task) -> Outcome:
    import_module(LIBRARIES[OFFICIAL].module)
    values = {}
    for smaller in task.growing:
        opened: list[Any] = []  # emptied before the next model, so that only one is in memory
        values[f"raw_open_{smaller.words}"] = seconds(
            partial(_open_official, smaller.model, smaller.known[0], opened)
        )
        for kind, words in (("known", smaller.known[:SOME]), ("unknown", smaller.unknown[:SOME])):
            each = partial(_get_each, opened[0], words)
            values[f"raw_{kind}_{smaller.words}"] = typical(each, len(words), task.passes)
        del each
        opened.clear()
    return Outcome(values)


def _mixtures(task: Task) -> list[tuple[int, list[str]]]:
    """Return a list of words for each percentage of unknown ones, evenly mixed."""
    count = min(len(task.known), len(task.unknown))
    return [
        (
            percentage,
            [
                (task.unknown if i % 100 * 37 % 100 < percentage else task.known)[i]
                for i in range(count)
            ],
        )
        for percentage in PERCENTAGES
    ]


def _shares(task: Task) -> Outcome:
    values = {}
    for name, path in _files(task.model):
        model = open_model(OURS, path)
        for percentage, words in _mixtures(task):
            values[f"{name}_{percentage}"] = typical(
                partial(model.vectors, words, threads=1), len(words), task.passes
            )
    return Outcome(values)


def _official_shares(task: Task) -> Outcome:
    model = open_model(OFFICIAL, task.model)
    values = {}
    for percentage, words in _mixtures(task):
        some = words[: 4 * SOME]
        values[f"raw_{percentage}"] = typical(
            partial(_get_each, model, some), len(some), task.passes
        )
    return Outcome(values)


OFFICIAL_FILE, COMPACT_FILE = "official file", "float16 file"

THREADS_WORK = Work(
    title="Growth with threads",
    figures=_figures(
        {
            **{
                f"{name}_{kind}": f"{what}, {file}"
                for name, file in (("raw", OFFICIAL_FILE), ("compact", COMPACT_FILE))
                for kind, what in (
                    ("known", "a known word"),
                    ("unknown", "an unknown word"),
                    ("texts", f"a text of {TEXT_WORDS} words"),
                )
            },
            "neighbors": f"{NEAREST} nearest words, {COMPACT_FILE}",
        },
        "threads",
        THREADS,
    ),
    libraries={OURS: _threads},
    rounds=3,
)

VOCABULARY_WORK = Work(
    title="Growth with the vocabulary",
    figures=_figures(
        {
            **{
                f"{name}_{kind}": f"{what}, {file}"
                for name, file in (("raw", OFFICIAL_FILE), ("compact", COMPACT_FILE))
                for kind, what in (
                    ("open", "opening and the first vector"),
                    ("known", "a known word"),
                    ("unknown", "an unknown word"),
                )
            },
            "neighbors": f"{NEAREST} nearest words, {COMPACT_FILE}",
        },
        "words in the vocabulary",
        VOCABULARIES,
    ),
    libraries={OURS: _vocabulary, OFFICIAL: _official_vocabulary},
    needs=("growing",),
    rounds=3,
)

SHARE_WORK = Work(
    title="Growth with the share of unknown words",
    figures=_figures(
        {
            "raw": f"a word, one thread, {OFFICIAL_FILE}",
            "compact": f"a word, one thread, {COMPACT_FILE}",
        },
        "percent of the words unknown",
        PERCENTAGES,
    ),
    libraries={OURS: _shares, OFFICIAL: _official_shares},
    rounds=3,
)
