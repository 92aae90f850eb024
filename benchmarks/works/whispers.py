"""Clusters of a graph, and of words: the time, and its growth with the number of edges.

The graphs are lists of ten neighbors for each node, so that there are ten times as many edges as
nodes. Nodes are in groups of a hundred, in a hidden order; 95 % of the edges lead to a node of the
same group, the others to any node, and their weights are uniform between 0.4 and 0.9. No edge is
listed twice. Time is counted from the arrays of a list to the partition. NetworkX with the package
chinese-whispers and dlib run the same algorithm; igraph and NetworKit propagate labels.

The vectors of words are those of `approximate`: 200,000 of 300 columns.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import memory
from benchmarks.libraries import DLIB, IGRAPH, NETWORKIT, NETWORKX, OURS
from benchmarks.timing import seconds
from benchmarks.work import Figure, Outcome, Point, Task, Unit, Work
from benchmarks.works.approximate import draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Lists = tuple[NDArray[np.int32], NDArray[np.float32]]

NEIGHBORS = 10
GROUP = 100
EDGES = (200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000)
QUICK_EDGES = 1_000_000
# What each peer can do in a few minutes.
MOST = {NETWORKX: 200_000, DLIB: 2_000_000, IGRAPH: 20_000_000, NETWORKIT: 20_000_000}
WORDS, QUICK_WORDS = 200_000, 20_000


def _lists(edges: int) -> Lists:
    """Draw the neighbors of each node and the weights, as the docstring of the module says."""
    count = edges // NEIGHBORS
    rng = np.random.default_rng(count)
    hidden = rng.permutation(count).astype(np.int32)
    place = np.arange(count, dtype=np.int32)
    # Steps below half of a group lead to each pair of nodes once.
    steps = 1 + 4 * np.arange(NEIGHBORS) + rng.integers(0, 4, NEIGHBORS)
    ids = np.empty((count, NEIGHBORS), np.int32)
    for i, step in enumerate(steps.tolist()):
        near = place - place % GROUP + (place + step) % GROUP
        far = rng.random(count) < 0.05
        near[far] = rng.integers(0, count, int(far.sum()))
        ids[hidden, i] = hidden[near]
    weights = rng.uniform(0.4, 0.9, (count, NEIGHBORS)).astype(np.float32)
    weights[...] = -np.sort(-weights, axis=1)
    return ids, weights


def _pairs(lists: Lists) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    ids, weights = lists
    nodes = np.repeat(np.arange(len(ids), dtype=np.int32), NEIGHBORS)
    return nodes, ids.reshape(-1), weights.reshape(-1).astype(np.float64)


def _ours(lists: Lists) -> int:
    whispers = import_module("fasttext_lite.whispers")
    near = import_module("fasttext_lite.neighbor_graph").NearestGraph(*lists, False)
    graph = whispers.connect(near, 0.0, mutual=False)
    classes, _ = whispers.run_whispers(graph, whispers.random_orders(len(near), 0))
    return len(np.unique(classes))


def _networkx(lists: Lists) -> int:
    graph = import_module("networkx").Graph()
    graph.add_weighted_edges_from(zip(*(array.tolist() for array in _pairs(lists)), strict=True))
    package = import_module("chinese_whispers")
    package.chinese_whispers(graph, iterations=100, seed=0)
    return len(package.aggregate_clusters(graph))


def _dlib(lists: Lists) -> int:
    edges = list(zip(*(array.tolist() for array in _pairs(lists)), strict=True))
    return len(set(import_module("dlib").chinese_whispers(edges)))


def _igraph(lists: Lists) -> int:
    nodes, ids, weights = _pairs(lists)
    graph = import_module("igraph").Graph(n=len(lists[0]), edges=np.stack([nodes, ids], axis=1))
    return len(graph.community_label_propagation(weights=weights))


def _networkit(lists: Lists) -> int:
    networkit = import_module("networkit")
    nodes, ids, weights = _pairs(lists)
    graph = networkit.GraphFromCoo((weights, (nodes, ids)), n=len(lists[0]), weighted=True)
    found = networkit.community.PLP(graph).run().getPartition()
    return int(found.numberOfSubsets())


def _growth(library: str, partition: Callable[[Lists], int], task: Task) -> Outcome:
    values, notes = {}, []
    for edges in EDGES:
        if edges > MOST.get(library, edges) or (task.quick and edges > QUICK_EDGES):
            break
        lists = _lists(edges)
        start = perf_counter()
        count = partition(lists)
        values[f"edges_{edges}"] = perf_counter() - start
        notes.append(f"{edges:,} edges: {count:,} clusters")
    return Outcome(values, notes=notes[-1:])


def _words(task: Task) -> Outcome:
    ftl: Any = import_module("fasttext_lite")
    whispers = import_module("fasttext_lite.whispers")
    vectors = draw(QUICK_WORDS if task.quick else WORDS).astype(np.float32)
    found: list[Any] = []
    values = {"neighbors": seconds(lambda: found.append(ftl.nearest_graph(vectors, 20)))}
    graph = found[0]
    clusters = ftl.cluster(vectors, graph=graph)
    links = whispers.connect(graph, clusters.recipe.threshold, mutual=True)
    whispers.weigh(links, "log")
    orders = whispers.random_orders(len(graph), 0)
    values["whispers"] = seconds(lambda: whispers.run_whispers(links, orders))
    values["cluster"] = seconds(lambda: ftl.cluster(vectors, graph=graph))
    notes = [f"{clusters!r}"]
    if not task.quick:
        del vectors, graph, links, clusters, found
        _memory(values)
    return Outcome(values, notes=notes)


def _memory(values: dict[str, float]) -> None:
    """Measure the memory of the largest graph and of all that the passes need."""
    whispers = import_module("fasttext_lite.whispers")
    near = import_module("fasttext_lite.neighbor_graph").NearestGraph(*_lists(EDGES[-1]), False)
    graph = whispers.connect(near, 0.0, mutual=False)
    del near
    used = []

    def orders() -> Any:
        for order in whispers.random_orders(len(graph.starts) - 1, 0):
            used.append(memory.memory().get("private", 0.0))
            yield order

    values["passes"] = seconds(lambda: whispers.run_whispers(graph, orders()))
    if max(used):
        values["private"] = max(used)


WORK = Work(
    title=f"Clusters of {WORDS:,} words",
    figures=(
        Figure("neighbors", "`nearest_graph`, 20 neighbors, 300 dimensions", Unit.SECONDS,
               ceiling=300),
        Figure("whispers", "Chinese Whispers over it", Unit.SECONDS, ceiling=2),
        Figure("cluster", "`cluster(vectors, graph=…)`", Unit.SECONDS),
        Figure("passes", f"the passes over {EDGES[-1]:,} edges", Unit.SECONDS, ceiling=15),
        Figure("private", "private memory of the process meanwhile", Unit.BYTES, ceiling=500e6),
    ),
    libraries={OURS: _words},
    needs=(),
    rounds=1,
)  # fmt: skip

GROWTH = Work(
    title="Growth of clustering with the edges",
    figures=tuple(
        Figure(f"edges_{edges}", f"from {edges:,} edges to clusters", Unit.SECONDS,
               ceiling=15 if edges == EDGES[-1] else None,
               point=Point("from the edges to clusters", "edges", edges))
        for edges in EDGES
    ),
    libraries={
        library: partial(_growth, library, partition)
        for library, partition in (
            (OURS, _ours),
            (NETWORKX, _networkx),
            (DLIB, _dlib),
            (IGRAPH, _igraph),
            (NETWORKIT, _networkit),
        )
    },
    needs=(),
    rounds=3,
)  # fmt: skip
