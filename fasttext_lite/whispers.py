"""Weighted graphs of nearest neighbors, and Chinese Whispers over them.

Chris Biemann, Chinese Whispers: an efficient graph clustering algorithm and its application to
natural language processing problems, TextGraphs 2006.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fasttext_lite._core.search.whispers import count_edges, fill_edges, whisper
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from fasttext_lite.neighbor_graph import NearestGraph

__all__ = [
    "PASSES",
    "WEIGHTINGS",
    "WeightedGraph",
    "connect",
    "hub_factors",
    "random_orders",
    "run_whispers",
    "weigh",
]

WEIGHTINGS = ("cosine", "log", "linear")
# Passes are not cut off in practice: the sum of weights within classes grows with each change.
PASSES = 1000
# Nodes and edges of a block, which takes less than a second.
_NODES, _EDGES = 1 << 17, 1 << 20


class WeightedGraph(NamedTuple):
    """An undirected graph; node i has the edges from ``starts[i]`` to ``starts[i + 1]``.

    Attributes
    ----------
    starts : ndarray
        int64, shape (n + 1,).
    neighbors : ndarray
        int32, shape (edges,): the other node; each edge is listed at both of its nodes.
    weights : ndarray
        float32, shape (edges,).
    """

    starts: NDArray[np.int64]
    neighbors: NDArray[np.int32]
    weights: NDArray[np.float32]


def connect(nearest: NearestGraph, threshold: float, *, mutual: bool) -> WeightedGraph:
    """Return the graph with an edge for each pair of near neighbors.

    Parameters
    ----------
    nearest : NearestGraph
    threshold : float
        An edge has a cosine above this one. Its weight is the difference, so that a neighbor that
        is just near enough hardly counts.
    mutual : bool
        Whether each must be among the nearest of the other, or one of them is enough.
    """
    ids, cosines = np.ascontiguousarray(nearest.ids), np.ascontiguousarray(nearest.cosines)
    count = len(ids)
    starts = np.zeros(count + 1, np.int64)
    for start in range(0, count, _NODES):
        stop = min(start + _NODES, count)
        count_edges(ids, cosines, threshold, mutual, start, stop, starts[1:])
    np.cumsum(starts, out=starts)
    ends = starts[:-1].copy()
    neighbors = np.empty(starts[-1], np.int32)
    weights = np.empty(starts[-1], np.float32)
    for start in range(0, count, _NODES):
        stop = min(start + _NODES, count)
        fill_edges(ids, cosines, threshold, mutual, start, stop, ends, neighbors, weights)
    return WeightedGraph(starts, neighbors, weights)


def hub_factors(degrees: NDArray[np.integer[Any]], weighting: str) -> NDArray[np.float32]:
    """Return what the weight of an edge to a neighbor of this degree is multiplied by."""
    divisors = np.maximum(degrees, 1).astype(np.float32)
    if weighting == "log":
        divisors = np.log2(divisors + 1)
    elif weighting == "cosine":
        divisors[...] = 1
    factors: NDArray[np.float32] = 1 / divisors
    return factors


def weigh(graph: WeightedGraph, weighting: str) -> None:
    """Multiply the weights of edges by the factors of the neighbors, in place."""
    if weighting == "cosine":
        return
    factors = hub_factors(np.diff(graph.starts), weighting)
    for start in range(0, len(graph.weights), _EDGES):
        part = slice(start, start + _EDGES)
        graph.weights[part] *= factors[graph.neighbors[part]]


def random_orders(count: int, seed: int) -> Iterator[NDArray[np.int32]]:
    """Yield orders of nodes without end, the same for a seed in every version of NumPy."""
    # Streams of the newer generators may change.
    source = np.random.RandomState(seed)
    order = np.arange(count, dtype=np.int32)
    while True:
        source.shuffle(order)
        yield order


def run_whispers(
    graph: WeightedGraph, orders: Iterable[NDArray[np.int32]], *, progress: bool = False
) -> tuple[NDArray[np.int32], int]:
    """Run Chinese Whispers until nothing changes.

    Parameters
    ----------
    graph : WeightedGraph
    orders : iterable of ndarray
        int32: the order of the nodes in each pass.
    progress : bool
        Show the changes of each pass on a terminal.

    Returns
    -------
    classes : ndarray
        int32, shape (n,): the class of each node, by the number of a node that it began with.
    passes : int
        Number of passes; in the last one nothing changed, unless it is `PASSES`.
    """
    count = len(graph.starts) - 1
    classes = np.arange(count, dtype=np.int32)
    waiting, votes = np.ones(count, np.uint8), np.zeros(count)
    passes = 0
    with progress_bar("whispers", None, "passes", show=progress) as advance:
        for order in islice(orders, PASSES):
            passes += 1
            changes = 0
            for start in range(0, count, _NODES):
                changes += whisper(*graph, order[start : start + _NODES], classes, waiting, votes)
            advance(1)
            if not changes:
                break
    return classes, passes
