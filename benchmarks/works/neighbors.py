"""Exact search of the ten nearest words."""

from __future__ import annotations

import inspect
import threading
from functools import partial
from importlib import import_module
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import memory
from benchmarks.agreement import NEIGHBOR, neighbors
from benchmarks.libraries import (
    FAISS,
    FASTTEXT_NEW,
    GENSIM,
    NUMKONG,
    NUMPY,
    OFFICIAL,
    OURS,
    USEARCH,
    open_model,
)
from benchmarks.timing import seconds, typical
from benchmarks.work import Figure, Outcome, Task, Unit, Work
from benchmarks.works.compact import ensure_compact
from benchmarks.works.matrix import ensure_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    # Returns the ids and scores of the nearest words of each query, best first.
    Search = Callable[[NDArray[np.float32]], tuple[NDArray[Any], NDArray[Any]]]

NEAREST = 10
SINGLE = 10
MANY = 64
# The array of the codes in a file with the index.
NEIGHBORS_CODES = "neighbors.codes"


def _each(call: Callable[[str], object], words: Sequence[str]) -> float:
    """Return the median seconds of queries, each run once, after one to warm up."""
    call(words[-1])
    return median(seconds(partial(call, word)) for word in words[:SINGLE])


def _plain_read(path: str, model: Any, name: str) -> Callable[[], None]:
    """Return a function that adds up the bytes of an array of a file on two threads."""
    place = next(part for part in model.info.sections if part.name == name)
    numbers = np.memmap(path, np.uint64, "r", place.offset, (place.size // 8,))
    halves = np.array_split(numbers, 2)

    def read() -> None:
        # NumPy adds without the lock of the interpreter.
        threads = [threading.Thread(target=np.add.reduce, args=(half,)) for half in halves]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return read


def _beside_read(
    call: Callable[[str], object], words: Sequence[str], read: Callable[[], None]
) -> tuple[float, float]:
    """Return the median seconds of queries, and of reads between them, after one to warm up."""
    call(words[-1])
    read()
    both = [(seconds(partial(call, word)), seconds(read)) for word in words[:SINGLE]]
    return median(query for query, _ in both), median(reading for _, reading in both)


def _array(found: Sequence[Sequence[tuple[int, float]]]) -> NDArray[Any]:
    return np.array([list(map(tuple, answer)) for answer in found], NEIGHBOR)


def _first(call: Callable[[], object]) -> dict[str, float]:
    """Return the seconds and the private memory of the first query."""
    values = {"first": seconds(call)}
    after = memory.memory()
    if "private" in after:
        values["first_private"] = after["private"]
    return values


def _ours(task: Task) -> Outcome:
    ensure_matrix(task.model)
    paths = {"plain": ensure_compact(task.model, "float16")}
    notes = []
    convert = import_module("fasttext_lite").convert
    if "neighbors_index" in inspect.signature(convert).parameters:
        paths["index"] = ensure_compact(task.model, "float16", neighbors_index=True)
    else:
        notes.append("this version has no index of neighbours")
    model = open_model(OURS, task.model)
    words = task.known[:MANY]

    def answer(model: Any, queries: Sequence[str]) -> NDArray[Any]:
        found = model.neighbors(list(queries), NEAREST)
        return _array([[(model.word_id(word), score) for word, score in own] for own in found])

    values = _first(lambda: model.neighbors(words[-1], NEAREST))
    answers = {"raw": answer(model, words[:SINGLE])}
    del model
    for name, path in paths.items():
        model = open_model(OURS, path)
        rows = "words" if name == "plain" else NEIGHBORS_CODES
        read = _plain_read(path, model, rows)
        values[f"{name}_one"], reading = _beside_read(
            lambda word, m=model: m.neighbors(word, NEAREST), words, read
        )
        values[f"{name}_share"] = values[f"{name}_one"] / reading
        values[f"{name}_many"] = typical(
            lambda m=model: m.neighbors(words, NEAREST), MANY, task.passes
        )
        answers[name] = answer(model, words[:SINGLE])
    return Outcome(values, answers, notes)


def _official_face(library: str, task: Task) -> Outcome:
    model = open_model(library, task.model)
    words = task.known[:MANY]
    ask = partial(model.get_nearest_neighbors, k=NEAREST)
    values = _first(lambda: ask(words[-1]))
    values["one"] = _each(ask, words)
    found = [
        [(model.get_word_id(word), score) for score, word in ask(query)] for query in words[:SINGLE]
    ]
    return Outcome(values, {"one": _array(found)})


def _gensim(task: Task) -> Outcome:
    model = open_model(GENSIM, task.model)
    words = task.known[:MANY]
    ask = partial(model.most_similar, topn=NEAREST)
    values = _first(lambda: ask(words[-1]))
    values["one"] = _each(ask, words)
    found = [
        [(model.key_to_index[word], score) for word, score in ask(query)]
        for query in words[:SINGLE]
    ]
    return Outcome(values, {"one": _array(found)})


def _of_matrix(prepare: Callable[[NDArray[np.float32]], Search], task: Task) -> Outcome:
    """Measure a library that searches a matrix, and remove the query word from its answers."""
    vectors = np.load(ensure_matrix(task.model))
    queries = vectors[task.ids[:MANY]]
    search = prepare(vectors)
    one = [queries[i : i + 1] for i in range(SINGLE)]
    search(queries[-1:])
    values = {
        "one": median(seconds(partial(search, query)) for query in one),
        "many": typical(lambda: search(queries), MANY, task.passes),
    }
    ids, scores = search(queries[:SINGLE])
    found = [
        [
            (int(i), float(score))
            for i, score in zip(ids[n], scores[n], strict=True)
            if i != task.ids[n]
        ][:NEAREST]
        for n in range(SINGLE)
    ]
    return Outcome(values, {"one": _array(found)})


def _faiss(vectors: NDArray[np.float32]) -> Search:
    index = import_module("faiss").IndexFlatIP(vectors.shape[1])
    index.add(vectors)

    def search(queries: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        scores, ids = index.search(queries, NEAREST + 1)
        return ids, scores

    return search


def _usearch(vectors: NDArray[np.float32]) -> Search:
    usearch = import_module("usearch.index")
    halves = vectors.astype(np.float16)

    def search(queries: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        found = usearch.search(
            halves, queries.astype(np.float16), NEAREST + 1, usearch.MetricKind.Cos, exact=True
        )
        return np.atleast_2d(found.keys), 1 - np.atleast_2d(found.distances)

    return search


def _best(scores: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the ids and scores of the best of each row."""
    ids = np.argpartition(scores, -NEAREST - 1, axis=1)[:, -NEAREST - 1 :]
    best = np.take_along_axis(scores, ids, axis=1)
    order = np.argsort(-best, axis=1)
    return np.take_along_axis(ids, order, axis=1), np.take_along_axis(best, order, axis=1)


def _numkong(vectors: NDArray[np.float32]) -> Search:
    """Compute dot products of float16 rows and packed queries; numkong uses one thread."""
    numkong = import_module("numkong")
    halves = vectors.astype(np.float16)

    def search(queries: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        packed = numkong.dots_pack(queries.astype(np.float16), "float16")
        scores = np.asarray(numkong.dots_packed(halves, packed))
        return _best(np.ascontiguousarray(scores.T))

    return search


def _numpy(vectors: NDArray[np.float32]) -> Search:
    def search(queries: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        return _best(queries @ vectors.T)

    return search


def _figures() -> tuple[Figure, ...]:
    rows = (
        ("plain_one", "float16 file: one query", 0.030, ("one",)),
        ("index_one", "float16 file with the index: one query", 0.012, ("one",)),
        ("plain_many", f"float16 file: {MANY} queries in one call, each", 0.005, ("many", "one")),
        (
            "index_many",
            f"float16 file with the index: {MANY} queries in one call, each",
            0.005,
            ("many", "one"),
        ),
    )
    searching = (
        Figure(
            key,
            title,
            Unit.SECONDS,
            ceiling=ceiling,
            stand_ins=stand_ins,
            headline=f"{NEAREST} nearest words, {title}" if key != "index_many" else None,
        )
        for key, title, ceiling, stand_ins in rows
    )
    return (
        *searching,
        Figure(
            "plain_share",
            "float16 file: one query, over a plain read of its rows by two threads",
            Unit.TIMES,
            ceiling=1.25,
            compared=False,
        ),
        Figure(
            "index_share",
            "float16 file with the index: one query, over a plain read of its codes",
            Unit.TIMES,
            compared=False,
        ),
        Figure(
            "first",
            "official file: the first query",
            Unit.SECONDS,
            ceiling=8,
            headline=f"{NEAREST} nearest words, the first time on the official file",
        ),
        Figure(
            "first_private",
            "official file: private memory of the process after it",
            Unit.BYTES,
            ceiling=1.3e9,
            headline="private memory of the process after that",
        ),
    )


WORK = Work(
    title=f"The {NEAREST} nearest words",
    figures=_figures(),
    libraries={
        OURS: _ours,
        OFFICIAL: partial(_official_face, OFFICIAL),
        FASTTEXT_NEW: partial(_official_face, FASTTEXT_NEW),
        GENSIM: _gensim,
        FAISS: partial(_of_matrix, _faiss),
        USEARCH: partial(_of_matrix, _usearch),
        NUMKONG: partial(_of_matrix, _numkong),
        NUMPY: partial(_of_matrix, _numpy),
    },
    rule=neighbors,
    rounds=3,
)
