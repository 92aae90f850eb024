"""Labels of texts, with few labels or thousands, and with a dense classifier."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import texts
from benchmarks.agreement import PREDICTION, predictions
from benchmarks.libraries import (
    FASTTEXT_NEW,
    FASTTEXT_PREDICT,
    FASTTEXT_TURBO,
    OFFICIAL,
    OURS,
    open_model,
)
from benchmarks.timing import typical
from benchmarks.work import Figure, Outcome, Task, Unit, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

SHORT_TEXTS = 10_000
DOCUMENTS = 1_000
DOCUMENT_BYTES = 2_000
WEB_TEXTS = 3_000
WEB_TEXT_WORDS = 100
WIDE_TEXTS = 1_000


@dataclass(frozen=True)
class _Subject:
    """A model, and named sets of texts for it."""

    model: str
    texts: Mapping[str, list[str]]


def _languages(task: Task) -> _Subject:
    return _Subject(
        task.lid,
        {
            "short": texts.multilingual(SHORT_TEXTS, 50, 100),
            "document": texts.multilingual(DOCUMENTS, DOCUMENT_BYTES, DOCUMENT_BYTES),
        },
    )


def _web(task: Task) -> _Subject:
    """Return texts in which every fifth word is unknown."""
    words = task.classifier_words + [f"{word}zq" for word in task.classifier_words[::4]]
    return _Subject(task.classifier, {"text": texts.of_words(words, WEB_TEXTS, WEB_TEXT_WORDS)})


def _wide(task: Task) -> _Subject:
    """Return texts half of whose words are known, as are the labels of 2,102 languages."""
    return _Subject(task.wide, {"wide": texts.multilingual(WIDE_TEXTS, 100, 1000)})


def _each(predict: Callable[[str], object], many: Iterable[str]) -> None:
    for text in many:
        predict(text)


def _array(found: Iterable[tuple[str, float]]) -> NDArray[Any]:
    return np.array(list(found), PREDICTION)


def _first_of_each(
    labels: Iterable[Sequence[str]], probabilities: Iterable[Sequence[float]]
) -> list[tuple[str, float]]:
    return [(a[0], b[0]) for a, b in zip(labels, probabilities, strict=True)]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _measure(
    task: Task, subject: _Subject, calls: Mapping[str, Callable[[list[str]], object]]
) -> dict[str, float]:
    return {
        f"{name}_{way}": typical(partial(call, many), len(many), task.passes)
        for name, many in subject.texts.items()
        for way, call in calls.items()
    }


def _all(subject: _Subject) -> list[str]:
    return [text for many in subject.texts.values() for text in many]


def _ours(subject_of: Callable[[Task], _Subject], task: Task) -> Outcome:
    subject = subject_of(task)
    model = open_model(OURS, subject.model)
    values = _measure(
        task,
        subject,
        {
            "each": partial(_each, model.predict),
            "one_thread": partial(model.predict, threads=1),
            "two_threads": partial(model.predict, threads=2),
        },
    )
    everything = _all(subject)
    # With the bias that the official program adds; without it the probabilities are at most 1.
    official = partial(model.predict, official_bias=True)
    answers = {
        "each": _array((p.labels[0], p.probabilities[0]) for p in map(official, everything)),
        "list": _array((p.labels[0], p.probabilities[0]) for p in official(everything, threads=2)),
    }
    return Outcome(values, answers)


def _official_face(library: str, subject_of: Callable[[Task], _Subject], task: Task) -> Outcome:
    subject = subject_of(task)
    model = open_model(library, subject.model)
    ways: dict[str, Callable[[list[str]], object]] = {}
    answers, notes = {}, []
    # One text fails in the official package with NumPy 2, and a list fails in fasttext-predict.
    try:
        found = map(model.predict, _all(subject))
        answers["each"] = _array((labels[0], probabilities[0]) for labels, probabilities in found)
        ways["each"] = partial(_each, model.predict)
    except ValueError as error:
        notes.append(f"predict of one text fails: {_first_line(error)}")
    try:
        answers["list"] = _array(_first_of_each(*model.predict(_all(subject))))
        ways["one_thread"] = model.predict
    except ValueError as error:
        notes.append(f"predict of a list fails: {_first_line(error)}")
    return Outcome(_measure(task, subject, ways), answers, notes)


def _fasttext_new(subject_of: Callable[[Task], _Subject], task: Task) -> Outcome:
    subject = subject_of(task)
    model = open_model(FASTTEXT_NEW, subject.model)
    values = _measure(
        task,
        subject,
        {
            "each": partial(_each, model.predict),
            "one_thread": partial(model.predict_batch, threads=1),
            "two_threads": partial(model.predict_batch, threads=2),
        },
    )
    answers = _array(_first_of_each(*model.predict_batch(_all(subject))))
    return Outcome(values, {"list": answers})


def _figures(
    name: str,
    title: str,
    headlines: tuple[str, ...],
    *,
    ceilings: tuple[float | None, ...] = (None, None, None),
    floors: tuple[float | None, ...] = (None, None, None),
) -> tuple[Figure, ...]:
    ways = (
        ("each", "one call each", ()),
        ("one_thread", "a list of them, one thread", (f"{name}_each",)),
        ("two_threads", "a list of them, two threads", (f"{name}_one_thread", f"{name}_each")),
    )
    return tuple(
        Figure(
            f"{name}_{way}",
            f"{title}, {words}",
            Unit.SECONDS,
            ceiling=ceiling,
            floor=floor,
            stand_ins=stand_ins,
            headline=f"labels of {title}, {words}" if way in headlines else None,
        )
        for (way, words, stand_ins), ceiling, floor in zip(ways, ceilings, floors, strict=True)
    )


def _libraries(
    subject_of: Callable[[Task], _Subject],
) -> dict[str, Callable[[Task], Outcome]]:
    return {
        OURS: partial(_ours, subject_of),
        OFFICIAL: partial(_official_face, OFFICIAL, subject_of),
        FASTTEXT_PREDICT: partial(_official_face, FASTTEXT_PREDICT, subject_of),
        FASTTEXT_NEW: partial(_fasttext_new, subject_of),
        FASTTEXT_TURBO: partial(_official_face, FASTTEXT_TURBO, subject_of),
    }


WORK = Work(
    title="Predicting languages",
    figures=(
        *_figures(
            "short",
            "texts of 50 to 100 bytes",
            ("each", "two_threads"),
            ceilings=(1.8e-6, 1.0e-6, 0.55e-6),
        ),
        *_figures(
            "document",
            "documents of 2 KB",
            ("each", "two_threads"),
            ceilings=(35e-6, 33e-6, 17e-6),
        ),
    ),
    libraries=_libraries(_languages),
    rule=predictions,
    needs=("lid",),
)

DENSE = Work(
    title="Predicting with a dense classifier",
    figures=_figures(
        "text",
        f"texts of {WEB_TEXT_WORDS} words, dense classifier",
        ("each",),
        floors=(2.0, 2.0, None),
    ),
    libraries=_libraries(_web),
    rule=predictions,
    needs=("classifier",),
)

# Two threads are to take at most 1 / 1.8 of the time of one.
WIDE = Work(
    title="Predicting one of 2,102 languages",
    figures=_figures(
        "wide",
        "texts of 100 to 1,000 bytes, 2,102 labels",
        ("one_thread", "two_threads"),
        floors=(None, 6.0, 6.0 * 1.8),
    ),
    libraries=_libraries(_wide),
    rule=predictions,
    needs=("wide",),
)
