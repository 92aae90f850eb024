"""The recall of approximate searches: how many of the nearest words they find, and in what time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.arguments import whole
from fasttext_lite.graph import ACCURACY

if TYPE_CHECKING:
    from fasttext_lite.model import Model

__all__ = ["Recall", "graph_recall"]


@dataclass(frozen=True, slots=True)
class Recall:
    """How an approximate search compares with the exact one.

    Attributes
    ----------
    queries : int
        Number of words whose neighbors were searched.
    k : int
        Number of neighbors of each.
    accuracy : float
        The accuracy that was asked for.
    recall : float
        Mean share of the exact neighbors that the approximate search finds. A word with the score
        of the last exact neighbor counts, too.
    worst : float
        The least share of a query.
    seconds, exact_seconds : float
        Time per query of each search, with all queries in one call.
    """

    queries: int
    k: int
    accuracy: float
    recall: float
    worst: float
    seconds: float
    exact_seconds: float


def graph_recall(
    model: Model,
    *,
    sample: int = 1000,
    k: int = 10,
    accuracy: float = ACCURACY,
    seed: int = 0,
    threads: int | None = None,
) -> Recall | None:
    """Compare approximate searches along the graph of a model with exact ones.

    Parameters
    ----------
    model : Model
        Its file has a graph.
    sample : int
        Number of words whose neighbors are searched, drawn at random; at most all words.
    k : int
        Number of neighbors.
    accuracy : float
        As for `Model.neighbors`.
    seed : int
        Seed of the random sample.
    threads : int, optional
        Number of threads; by default one per core available to this process.

    Returns
    -------
    Recall or None
        None if the model has fewer than two words.

    Raises
    ------
    ModelKindError, FormatError
        The model has no graph, or a damaged one.
    InputTypeError, InputValueError
        An option has the wrong type or is out of range.

    Examples
    --------
    >>> import fasttext_lite as ftl, pathlib, tempfile
    >>> target = pathlib.Path(tempfile.mkdtemp(), "sample.safetensors")
    >>> report = ftl.convert("sample", target, max_words=500, graph=True)
    >>> ftl.evaluate.graph_recall(ftl.load(target), sample=50).recall > 0.9
    True
    """
    sample, k, seed = whole("sample", sample, 1), whole("k", k, 1), whole("seed", seed, 0)
    search = model._neighbors
    accuracy = search.check_accuracy(accuracy)
    count = len(model)
    if count < 2:
        return None
    ids = np.random.default_rng(seed).choice(count, min(sample, count), replace=False)
    queries = np.empty((len(ids), model.dim), np.float32)
    model._embedder.fill_entries(ids.astype(np.int32), queries)
    own = ids[:, None].tolist()
    # The first query of a process reads the pages of the file.
    search.nearest(queries[:1], own[:1], k, accuracy=accuracy, threads=threads)
    begin = time.perf_counter()
    found = search.nearest(queries, own, k, accuracy=accuracy, threads=threads)
    middle = time.perf_counter()
    exact = search.nearest(queries, own, k, threads=threads)
    end = time.perf_counter()
    shares = [
        np.count_nonzero(near >= truth[-1]) / len(truth)
        for (_, near), (_, truth) in zip(found, exact, strict=True)
        if len(truth)
    ]
    return Recall(
        queries=len(ids),
        k=k,
        accuracy=accuracy,
        recall=float(np.mean(shares)) if shares else 1.0,
        worst=min(shares, default=1.0),
        seconds=(middle - begin) / len(ids),
        exact_seconds=(end - middle) / len(ids),
    )
