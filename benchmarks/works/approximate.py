"""Approximate search of the ten nearest words: the time per query at equal recall.

The vectors of trained models are clustered, and graphs are good or bad at clusters. So this work
makes vectors of its own, 300 columns as float16, for as many words as the model has (with --quick
for a fifth of them): each is the sum of its subtopic (one for 40 words, of very different sizes;
itself the sum of a topic, one for 4000 words, and normal noise) and of normal noise of about the
same length. Column j is then multiplied by j^-0.4, since the variance of trained vectors falls in
that way, and the rows have lengths of a log-normal distribution. The nearest words of a word have a
cosine of 0.6 to 0.7, others of 0.

Queries are words. Each library searches with growing efforts on one thread; the least effort that
finds 95 % or 99 % of the ten nearest words gives the time. The first run builds the indexes, beside
the model, which takes each library minutes for each million words.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import memory
from benchmarks.files import check_space, read_through, replacing
from benchmarks.libraries import FAISS, HNSWLIB, OURS, USEARCH, VOYAGER
from benchmarks.timing import seconds, typical
from benchmarks.work import Figure, Outcome, Task, Unit, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    # Returns the ids of the nearest rows of each query: shape (n, NEAREST + 1), with the query.
    Search = Callable[[NDArray[np.float32]], NDArray[Any]]

NEAREST = 10
DIM = 300
QUERIES = 500
RECALLS = {"95": 0.95, "99": 0.99}
EFFORTS = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 900, 1280)
# The parameters of all HNSW graphs.
NEIGHBORS, CONSTRUCTION = 16, 160
BLOCK = 50_000
SEED = 20160715


def draw(count: int) -> NDArray[np.float16]:
    """Draw the vectors of this many words, as the docstring of the module says."""
    rng = np.random.default_rng(SEED)
    topics, subtopics = max(count // 4000, 8), max(count // 40, 50)
    topic = rng.standard_normal((topics, DIM), np.float32)
    subtopic = 0.8 * topic[rng.integers(0, topics, subtopics)]
    subtopic += 0.9 * rng.standard_normal((subtopics, DIM), np.float32)
    sizes = np.arange(1, subtopics + 1) ** -0.5
    falling = (np.arange(1, DIM + 1) ** -0.4).astype(np.float32)
    rows = np.empty((count, DIM), np.float16)
    for start in range(0, count, BLOCK):
        many = min(BLOCK, count - start)
        chosen = subtopic[rng.choice(subtopics, many, p=sizes / sizes.sum())]
        block = chosen * rng.uniform(0.5, 1.1, (many, 1)).astype(np.float32)
        block += 0.9 * rng.standard_normal((many, DIM), np.float32)
        block *= falling * rng.lognormal(-2.3, 0.3, (many, 1)).astype(np.float32)
        rows[start : start + many] = block
    return rows


@dataclass(frozen=True)
class _Data:
    """The vectors, the queries and the least cosine of the ten nearest words of each."""

    path: Path
    rows: NDArray[np.float16]
    ids: NDArray[np.int64]
    least: NDArray[np.float32]

    def units(self, start: int, stop: int) -> NDArray[np.float32]:
        block = self.rows[start:stop].astype(np.float32)
        return block / np.linalg.norm(block, axis=1, keepdims=True)

    def queries(self) -> NDArray[np.float32]:
        return np.concatenate([self.units(int(i), int(i) + 1) for i in self.ids])

    def recall(self, found: NDArray[Any]) -> float:
        """Return the share of the nearest words in the answers; the query itself is left out."""
        hits = 0
        for own, query, ids, least in zip(self.ids, self.queries(), found, self.least, strict=True):
            near = [int(i) for i in ids if i != own][:NEAREST]
            block = np.concatenate([self.units(i, i + 1) for i in near])
            hits += int(np.count_nonzero(block @ query >= least - 1e-5))
        return hits / (NEAREST * len(self.ids))


def _data(task: Task) -> _Data:
    """Find the vectors beside the model, or write them."""
    count = task.words // 5 if task.quick else task.words
    path = Path(task.model).with_name(f"clustered-{count}.npy")
    if not path.exists():
        check_space(path, 2 * DIM * count)
        with replacing(path) as unfinished, unfinished.open("wb") as file:
            np.save(file, draw(count))
    read_through(path)
    rows = np.load(path, mmap_mode="r")
    ids = np.random.default_rng(1).choice(count, min(QUERIES, count), replace=False)
    data = _Data(path, rows, ids, np.empty(0, np.float32))
    truth = path.with_suffix(".truth.npy")
    if not truth.exists():
        queries = data.queries()
        best = np.full((len(ids), NEAREST + 1), -2, np.float32)
        for start in range(0, count, BLOCK):
            scores = queries @ data.units(start, start + BLOCK).T
            both = np.concatenate([best, scores], axis=1)
            best = np.partition(both, -NEAREST - 1, axis=1)[:, -NEAREST - 1 :]
        with replacing(truth) as unfinished, unfinished.open("wb") as file:
            np.save(file, best.min(axis=1))
    return _Data(path, rows, ids, np.load(truth))


def _built(path: Path, build: Callable[[Path], None]) -> dict[str, float]:
    """Build an index unless it exists; return the time and memory that this took, now or before."""
    record = path.with_name(f"{path.name}.json")
    if not path.exists() or not record.exists():
        before = memory.memory()
        with replacing(path) as unfinished, memory.Peak() as peak:
            values: dict[str, float] = {"build": seconds(partial(build, unfinished))}
        if "private" in before:
            values["build_private"] = peak.most - before["private"]
        record.write_text(json.dumps(values))
    read_through(path)
    recorded: dict[str, float] = json.loads(record.read_text())
    return recorded


def _plain(data: _Data) -> Path:
    """Find the vectors as words of a compact file, or write it."""
    ftl = import_module("fasttext_lite")
    path = data.path.with_suffix(".plain.safetensors")
    if not path.exists():
        vectors = path.with_suffix(".vectors")
        with vectors.open("wb") as file:
            file.write(b"%d %d\n" % data.rows.shape)
            for i, row in enumerate(data.rows):
                file.write(b"w%d " % i + row.astype("<f4").tobytes())
        try:
            ftl.convert(vectors, path, "float16")
        finally:
            vectors.unlink()
    return path


def _measure(
    data: _Data,
    with_effort: Callable[[int], Search],
    passes: int,
    threaded: Callable[[int], Search] | None = None,
) -> Outcome:
    """Find the efforts for the recalls, and time single queries with them."""
    values, notes = {}, []
    queries = data.queries()
    one = [queries[i : i + 1] for i in range(len(queries))]
    wanted = dict(RECALLS)
    for effort in EFFORTS:
        search = with_effort(effort)
        recall = data.recall(search(queries))
        for name in [name for name, least in wanted.items() if recall >= least]:
            del wanted[name]
            values[f"one_{name}"] = typical(partial(_each, search, one), len(one), passes)
            notes.append(f"effort {effort}: recall {recall:.3f}")
            if threaded is not None:
                values[f"threads_{name}"] = _two_threads(threaded(effort), one)
                alone = seconds(partial(_each, search, one)) / len(one)
                values[f"speed_{name}"] = values[f"threads_{name}"] / alone
        if not wanted:
            break
    return Outcome(values, notes=notes)


def _each(search: Search, one: list[NDArray[np.float32]]) -> None:
    for query in one:
        search(query)


def _two_threads(search: Search, one: list[NDArray[np.float32]]) -> float:
    """Return the seconds per query of two threads of Python that ask single queries."""
    threads = [threading.Thread(target=_each, args=(search, one[part::2])) for part in range(2)]
    start = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (perf_counter() - start) / len(one)


def _ours(task: Task) -> Outcome:
    data = _data(task)
    ftl = import_module("fasttext_lite")

    plain = _plain(data)
    path = data.path.with_suffix(".safetensors")
    built = _built(path, lambda target: ftl.convert(plain, target, "float16", graph=True))
    queries = data.queries()
    before = memory.memory()
    begin = perf_counter()
    model = ftl.load(path)
    opened = perf_counter()
    model.neighbors(queries[0], NEAREST + 1, approximate=True)
    values = built | {"open": opened - begin, "first": perf_counter() - opened}
    index = model._neighbors._graph

    def with_effort(effort: int) -> Search:
        def search(asked: NDArray[np.float32]) -> NDArray[Any]:
            found = index.search(asked, [()] * len(asked), NEAREST + 1, effort, threads=1)
            return np.array([ids for ids, _ in found])

        return search

    outcome = _measure(data, with_effort, task.passes, with_effort)
    for name, recall in RECALLS.items():
        ask = partial(model.neighbors, k=NEAREST, accuracy=recall, threads=1)
        values[f"words_{name}"] = typical(partial(_each, ask, list(queries)), QUERIES, task.passes)
    after = memory.memory()
    if "private" in after:
        values["private"] = after["private"] - before["private"]
    return Outcome(values | outcome.values, notes=outcome.notes)


def _faiss(task: Task) -> Outcome:
    data = _data(task)
    faiss = import_module("faiss")

    def build(target: Path) -> None:
        # In float16 the vectors take half of the memory, but the search five times as long.
        index = faiss.IndexHNSWFlat(DIM, NEIGHBORS)
        index.hnsw.efConstruction = CONSTRUCTION
        for start in range(0, len(data.rows), BLOCK):
            index.add(data.units(start, start + BLOCK))
        faiss.write_index(index, str(target))

    path = data.path.with_suffix(".faiss")
    built = _built(path, build)
    before = memory.memory()
    begin = perf_counter()
    index = faiss.read_index(str(path))
    values = built | {"open": perf_counter() - begin}
    faiss.omp_set_num_threads(1)

    def with_effort(effort: int) -> Search:
        index.hnsw.efSearch = effort
        return lambda asked: index.search(asked, NEAREST + 1)[1]

    outcome = _measure(data, with_effort, task.passes)
    after = memory.memory()
    if "private" in after:
        values["private"] = after["private"] - before["private"]
    flat = faiss.IndexScalarQuantizer(
        DIM, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    for start in range(0, len(data.rows), BLOCK):
        block = data.units(start, start + BLOCK)
        flat.train(block)
        flat.add(block)
    query = data.queries()[:5]
    exact = seconds(lambda: [flat.search(query[i : i + 1], NEAREST) for i in range(5)]) / 5
    return Outcome(values | outcome.values, notes=[*outcome.notes, f"flat: {exact * 1e3:.1f} ms"])


def _hnswlib(task: Task) -> Outcome:
    data = _data(task)
    hnswlib = import_module("hnswlib")
    index = hnswlib.Index("ip", DIM)

    def build(target: Path) -> None:
        made = hnswlib.Index("ip", DIM)
        made.init_index(len(data.rows), M=NEIGHBORS, ef_construction=CONSTRUCTION)
        for start in range(0, len(data.rows), BLOCK):
            made.add_items(data.units(start, start + BLOCK))
        made.save_index(str(target))

    path = data.path.with_suffix(".hnswlib")
    built = _built(path, build)
    begin = perf_counter()
    index.load_index(str(path))
    values = built | {"open": perf_counter() - begin}
    index.set_num_threads(1)

    def with_effort(effort: int) -> Search:
        index.set_ef(max(effort, NEAREST + 1))
        return lambda asked: index.knn_query(asked, NEAREST + 1)[0]

    outcome = _measure(data, with_effort, task.passes)
    return Outcome(values | outcome.values, notes=outcome.notes)


def _voyager(task: Task) -> Outcome:
    data = _data(task)
    voyager = import_module("voyager")

    def build(target: Path) -> None:
        made = voyager.Index(voyager.Space.InnerProduct, DIM, NEIGHBORS, CONSTRUCTION)
        for start in range(0, len(data.rows), BLOCK):
            made.add_items(data.units(start, start + BLOCK))
        made.save(str(target))

    path = data.path.with_suffix(".voyager")
    built = _built(path, build)
    begin = perf_counter()
    index = voyager.Index.load(str(path))
    values = built | {"open": perf_counter() - begin}

    def with_effort(effort: int) -> Search:
        def search(asked: NDArray[np.float32]) -> NDArray[Any]:
            ids: NDArray[Any] = index.query(
                asked, NEAREST + 1, num_threads=1, query_ef=max(effort, NEAREST + 1)
            )[0]
            return ids

        return search

    outcome = _measure(data, with_effort, task.passes)
    return Outcome(values | outcome.values, notes=outcome.notes)


def _usearch(task: Task) -> Outcome:
    data = _data(task)
    usearch = import_module("usearch.index")

    def build(target: Path) -> None:
        made = usearch.Index(
            ndim=DIM, metric="cos", dtype="f16", connectivity=NEIGHBORS,
            expansion_add=CONSTRUCTION,
        )  # fmt: skip
        for start in range(0, len(data.rows), BLOCK):
            block = data.rows[start : start + BLOCK]
            made.add(np.arange(start, start + len(block)), np.ascontiguousarray(block))
        made.save(str(target))

    path = data.path.with_suffix(".usearch")
    built = _built(path, build)
    begin = perf_counter()
    index = usearch.Index.restore(str(path), view=True)
    values = built | {"open": perf_counter() - begin}

    def with_effort(effort: int) -> Search:
        index.expansion_search = effort

        def search(asked: NDArray[np.float32]) -> NDArray[Any]:
            found = index.search(asked.astype(np.float16), NEAREST + 1, threads=1)
            return np.atleast_2d(found.keys)

        return search

    outcome = _measure(data, with_effort, task.passes)
    return Outcome(values | outcome.values, notes=outcome.notes)


WORK = Work(
    title=f"The {NEAREST} nearest words, approximately",
    figures=(
        Figure("one_95", "one query, 95 % found", Unit.SECONDS, ceiling=0.0005,
               headline=f"95 % of the {NEAREST} nearest words, one thread"),
        Figure("one_99", "one query, 99 % found", Unit.SECONDS, ceiling=0.0015),
        Figure("words_95", "`neighbors(…, accuracy=0.95)`", Unit.SECONDS),
        Figure("words_99", "`neighbors(…, accuracy=0.99)`", Unit.SECONDS),
        Figure("threads_95", "two threads of Python, 95 %: each query", Unit.SECONDS),
        Figure("threads_99", "two threads of Python, 99 %: each query", Unit.SECONDS),
        Figure("speed_95", "over that of one thread, 95 %", Unit.TIMES, ceiling=1 / 1.8),
        Figure("speed_99", "over that of one thread, 99 %", Unit.TIMES, ceiling=1 / 1.8),
        Figure("open", "open the file", Unit.SECONDS, ceiling=0.005),
        Figure("first", "the first query", Unit.SECONDS, ceiling=0.02),
        Figure("private", "private memory that the index adds", Unit.BYTES, ceiling=60e6),
        Figure("build", "build the index", Unit.SECONDS, ceiling=1500),
        Figure("build_private", "private memory that this takes", Unit.BYTES, ceiling=4e9),
    ),
    libraries={
        OURS: _ours,
        FAISS: _faiss,
        HNSWLIB: _hnswlib,
        VOYAGER: _voyager,
        USEARCH: _usearch,
    },
    rounds=1,
)  # fmt: skip
