"""Vectors of texts of known words."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import synthetic, texts
from benchmarks.agreement import close, halves
from benchmarks.libraries import MODEL2VEC, OFFICIAL, OURS, open_model
from benchmarks.timing import typical
from benchmarks.work import Figure, Outcome, Task, Unit, Work
from benchmarks.works.compact import ensure_compact
from benchmarks.works.matrix import ensure_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

# Fewer texts than words keep the run short.
WORDS_FOR_A_TEXT = 50
SHORTER, LONGER = 12, 20


def _texts(task: Task) -> tuple[list[str], list[str]]:
    count = len(task.known) // WORDS_FOR_A_TEXT
    return texts.of_words(task.known, count, SHORTER), texts.of_words(task.known, count, LONGER)


def _each(embed: Callable[[str], object], many: Sequence[str]) -> None:
    for text in many:
        embed(text)


def _stack(embed: Callable[[str], NDArray[np.float32]], many: Sequence[str]) -> Any:
    return np.stack([embed(text) for text in many])


def _ours(task: Task) -> Outcome:
    shorter, longer = _texts(task)
    values: dict[str, float] = {}
    answers: dict[str, NDArray[Any]] = {}
    ensure_matrix(task.model)
    paths = {"raw": task.model, "compact": ensure_compact(task.model, "float16")}
    for name, path in paths.items():
        model = open_model(OURS, path)
        values |= {
            f"{name}_each": typical(
                lambda m=model: _each(m.sentence_vector, shorter), len(shorter), task.passes
            ),
            f"{name}_list": typical(
                lambda m=model: m.sentence_vectors(shorter, threads=1), len(shorter), task.passes
            ),
            f"{name}_longer": typical(
                lambda m=model: m.sentence_vectors(longer, threads=2), len(shorter), task.passes
            ),
        }
        answers[f"{name}_each"] = _stack(model.sentence_vector, shorter)
        answers[f"{name}_list"] = model.sentence_vectors(shorter, threads=2)
    return Outcome(values, answers)


def _official(task: Task) -> Outcome:
    shorter, longer = _texts(task)
    model = open_model(OFFICIAL, task.model)
    embed = model.get_sentence_vector
    values = {
        "raw_each": typical(lambda: _each(embed, shorter), len(shorter), task.passes),
        "longer_each": typical(lambda: _each(embed, longer), len(shorter), task.passes),
    }
    return Outcome(values, {"each": _stack(embed, shorter)})


def _model2vec(task: Task) -> Outcome:
    """Use the same vectors: those of the words, scaled to length 1, and their mean for a text."""
    shorter, longer = _texts(task)
    tokenizers = import_module("tokenizers")
    vocabulary = synthetic.vocabulary(task.words)
    ids = {word: i for i, word in enumerate(vocabulary)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(ids, unk_token=vocabulary[0]))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    vectors = np.load(ensure_matrix(task.model))
    model = import_module("model2vec").StaticModel(vectors, tokenizer, normalize=False)
    values = {"longer_list": typical(lambda: model.encode(longer), len(shorter), task.passes)}
    return Outcome(values, {"list": model.encode(shorter).astype(np.float32)})


def _figures() -> tuple[Figure, ...]:
    files = (("raw", "", 1.5, None), ("compact", "float16 file: ", 20.0, 5e-6))
    figures = []
    for name, file, floor, ceiling in files:
        suffix = ", float16 file" if file else ""
        twelve = f"texts of {SHORTER} known words"
        figures += [
            Figure(
                f"{name}_each",
                f"{file}{twelve}, one call each",
                Unit.SECONDS,
                floor=floor,
                stand_ins=("raw_each",),
                headline=f"vectors of {twelve}, one call each{suffix}",
            ),
            Figure(
                f"{name}_list",
                f"{file}{twelve}, a list, one thread",
                Unit.SECONDS,
                stand_ins=("raw_each",),
            ),
            Figure(
                f"{name}_longer",
                f"{file}texts of {LONGER} known words, a list, two threads",
                Unit.SECONDS,
                ceiling=ceiling,
                stand_ins=("longer_list", "longer_each"),
                headline=f"vectors of texts of {LONGER} known words, 2 threads{suffix}"
                if file
                else None,
            ),
        ]
    return tuple(figures)


WORK = Work(
    title="Sentence vectors",
    figures=_figures(),
    libraries={OURS: _ours, OFFICIAL: _official, MODEL2VEC: _model2vec},
    rule=close,
    rules={"compact_each": halves, "compact_list": halves},
)
