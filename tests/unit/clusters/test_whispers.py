"""Chinese Whispers: the partitions of a plain version and of the package of that name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fasttext_lite._core.search.whispers import count_edges, fill_edges, whisper
from fasttext_lite.errors import InputValueError
from fasttext_lite.neighbor_graph import NearestGraph
from fasttext_lite.whispers import PASSES, connect, random_orders, run_whispers, weigh


def nearest(rng, count, k, *, levels=None):
    """Neighbors of random nodes; with few levels many weights are equal."""
    ids = np.stack([rng.permutation(np.delete(np.arange(count), i))[:k] for i in range(count)])
    pairs = rng.uniform(0.1, 1, (count, count))
    if levels:
        pairs = np.ceil(pairs * levels) / levels
    pairs = np.maximum(pairs, pairs.T).astype(np.float32)
    cosines = np.take_along_axis(pairs, ids, axis=1)
    order = np.argsort(-cosines, axis=1)
    ids, cosines = (np.take_along_axis(array, order, axis=1) for array in (ids, cosines))
    return NearestGraph(ids.astype(np.int32), np.ascontiguousarray(cosines), False)


def edges_of(graph):
    """The edges of a graph as a dict of pairs, each of them twice."""
    rows = np.repeat(np.arange(len(graph.starts) - 1), np.diff(graph.starts))
    pairs = list(zip(rows.tolist(), graph.neighbors.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    return dict(zip(pairs, graph.weights.tolist(), strict=True))


def plain_whispers(graph, orders):
    """Visit each node in each pass, with dictionaries."""
    count = len(graph.starts) - 1
    classes = list(range(count))
    for order in orders:
        before = list(classes)
        for node in order.tolist():
            votes = {}
            for edge in range(graph.starts[node], graph.starts[node + 1]):
                name = classes[graph.neighbors[edge]]
                votes[name] = votes.get(name, 0.0) + float(graph.weights[edge])
            best = max(votes.values(), default=0.0)
            if votes.get(classes[node], 0.0) < best:
                classes[node] = next(name for name, vote in votes.items() if vote == best)
        if classes == before:
            return classes
    raise AssertionError


def partition(classes):
    groups = {}
    for node, name in enumerate(classes):
        groups.setdefault(name, set()).add(node)
    return {frozenset(group) for group in groups.values()}


@settings(max_examples=50)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 60),
    st.booleans(),
    st.sampled_from([None, 3]),
    st.floats(0, 0.7),
)
def test_edges(seed, count, mutual, levels, threshold):
    rng = np.random.default_rng(seed)
    near = nearest(rng, count, min(6, count - 1), levels=levels)
    threshold = float(np.float32(threshold))
    listed = {
        (i, int(j)): float(cosine)
        for i in range(count)
        for j, cosine in zip(near.ids[i], near.cosines[i], strict=True)
        if cosine > threshold
    }
    wanted = {}
    for (i, j), cosine in listed.items():
        if not mutual or (j, i) in listed or cosine >= near.cosines[j, -1]:
            wanted[i, j] = wanted[j, i] = float(np.float32(cosine) - np.float32(threshold))
    assert edges_of(connect(near, threshold, mutual=mutual)) == wanted


@settings(max_examples=50)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 80),
    st.sampled_from([None, 3]),
    st.sampled_from(["cosine", "log", "linear"]),
)
def test_classes_are_those_of_a_plain_version(seed, count, levels, weighting):
    rng = np.random.default_rng(seed)
    graph = connect(nearest(rng, count, min(8, count - 1), levels=levels), 0.1, mutual=False)
    weigh(graph, weighting)
    orders = [rng.permutation(count).astype(np.int32) for _ in range(PASSES)]
    classes, passes = run_whispers(graph, orders)
    assert classes.tolist() == plain_whispers(graph, orders)
    assert passes < PASSES


@pytest.mark.parametrize("weighting", ["cosine", "log", "linear"])
def test_partitions_are_those_of_the_public_package(monkeypatch, weighting):
    networkx = pytest.importorskip("networkx")
    public = pytest.importorskip("chinese_whispers.chinese_whispers")
    rng = np.random.default_rng(1)
    count = 2000
    graph = connect(nearest(rng, count, 5), 0.05, mutual=False)
    theirs = networkx.Graph()
    theirs.add_nodes_from(range(count))
    for (i, j), weight in edges_of(graph).items():
        theirs.add_edge(i, j, weight=weight)
    orders = random_orders(count, 3)
    taken = [next(orders).copy() for _ in range(40)]

    class Source:
        """Gives the package our order of visits in each pass."""

        def __init__(self):
            self.left = iter(taken)

        def shuffle(self, nodes):
            nodes[:] = next(self.left).tolist()

        def choice(self, options):
            return options[0]

    monkeypatch.setattr(public, "create_py_random_state", lambda seed: Source())
    name = "top" if weighting == "cosine" else weighting
    public.chinese_whispers(theirs, weighting=name, iterations=len(taken))
    weigh(graph, weighting)
    classes, passes = run_whispers(graph, taken)
    assert 3 < passes < len(taken)
    found = partition(classes.tolist())
    assert len(found) > 20
    assert found == {frozenset(group) for group in public.aggregate_clusters(theirs).values()}


def test_orders_depend_on_the_seed_only():
    first, again, other = (next(random_orders(100, seed)).tolist() for seed in (5, 5, 6))
    assert first == again != other
    assert sorted(first) == list(range(100))
    # The stream of this generator is fixed in all versions of NumPy.
    assert next(random_orders(10, 0)).tolist() == [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]


class TestArraysThatDoNotFit:
    def test_lists(self):
        ids, weights = np.zeros((3, 2), np.int32), np.ones((3, 2), np.float32)
        degrees = np.zeros(3, np.int64)
        for start, stop in ((-1, 2), (0, 4), (2, 1)):
            with pytest.raises(InputValueError):
                count_edges(ids, weights, 0, False, start, stop, degrees)
        with pytest.raises(InputValueError):
            count_edges(ids, weights[:, :1].copy(), 0, False, 0, 3, degrees)
        with pytest.raises(InputValueError):
            count_edges(ids, weights, 0, False, 0, 3, degrees[:2])

    def test_ids_that_are_no_nodes_are_left_out(self):
        ids = np.array([[1, 7], [-3, 2], [2, 0]], np.int32)
        near = NearestGraph(ids, np.ones((3, 2), np.float32), False)
        edges = edges_of(connect(near, 0, mutual=False))
        assert set(edges) == {(0, 1), (1, 0), (1, 2), (2, 1), (2, 0), (0, 2)}

    def test_edges_that_do_not_fit_are_not_written(self):
        ids, weights = np.array([[1], [0]], np.int32), np.ones((2, 1), np.float32)
        for ends in ([0, 5], [0, -1]):
            with pytest.raises(InputValueError, match="do not fit"):
                fill_edges(
                    ids,
                    weights,
                    0,
                    False,
                    0,
                    2,
                    np.array(ends),
                    np.empty(2, np.int32),
                    np.empty(2, np.float32),
                )

    def test_nodes(self):
        graph = connect(nearest(np.random.default_rng(0), 5, 2), 0, mutual=False)
        order = np.arange(5, dtype=np.int32)
        with pytest.raises(InputValueError):
            whisper(*graph, order, order[:4].copy(), np.ones(5, np.uint8), np.zeros(5))
