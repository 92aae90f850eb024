"""Approximate searches along a graph: exact with enough effort, and never wrong about a score."""

from __future__ import annotations

import json
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import SUPERVISED, build

import fasttext_lite as ftl
from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.search.codes import Codes, encode_directions
from fasttext_lite._core.search.graph import Graph
from fasttext_lite._core.search.nearest import Nearest
from fasttext_lite._core.search.walk import GraphSearch
from fasttext_lite.cli import main
from fasttext_lite.graph import GraphIndex, fingerprint
from fasttext_lite.graph_building import EFFORTS, RowsOfGraph, build_graph, connect
from fasttext_lite.parts import GraphArrays

ALL = 2**31 - 1


def stored(rows, dtype, coded):
    """Return rows of a number format as a matrix, their norms, their codes and their values."""
    scales = None
    numbers = rows.astype(np.float32)
    if dtype == "float16":
        numbers = np.clip(numbers, -60000, 60000).astype(np.float16)
    elif dtype == "int8":
        scales = (np.abs(numbers).max(axis=1, initial=0) / 127).astype(np.float32)
        numbers = np.rint(numbers / np.where(scales > 0, scales, 1)[:, None]).clip(-127, 127)
        numbers = numbers.astype(np.int8)
    data = numbers.reshape(-1).view(np.uint8).data
    matrix = DenseRows(data, *rows.shape, dtype, scales)
    values = np.empty(rows.shape, np.float32)
    matrix.take(np.arange(len(rows)), values)
    lengths = np.linalg.norm(values.astype(np.float64), axis=1).astype(np.float32)
    codes = None
    if coded:
        found, factors, errors = encode_directions(values, packed=coded == "packed")
        packed = coded == "packed"
        codes = Codes(found.reshape(-1), factors, errors, rows.shape[1], packed=packed)
    return matrix, lengths, codes, values


def exact(values, query, left_out=(), allowed=None):
    """Rank rows by their cosines in float64, ties by row."""
    values, query = values.astype(np.float64), query.astype(np.float64)
    lengths = np.linalg.norm(values, axis=1)
    length = np.linalg.norm(query)
    scores = values @ query / np.where(lengths > 0, lengths * (length if length >= 1e-8 else 1), 1)
    order = np.lexsort((np.arange(len(values)), -scores))
    kept = [i for i in order if i not in left_out and (allowed is None or allowed[i])]
    return kept, scores


def ring(source, count, degree):
    """Return a graph in which each row leads to the next one, and otherwise to any."""
    neighbors = source.integers(0, count, (count, degree)).astype(np.uint32)
    neighbors[:, source.integers(degree)] = (np.arange(count) + 1) % count
    return neighbors


def index_of(matrix, lengths, codes, neighbors, entries=(0,), accuracy=((1, 1.0),)):
    arrays = GraphArrays(
        neighbors,
        np.array(entries, np.uint32),
        np.array(accuracy, np.float32).reshape(-1, 2),
        fingerprint(matrix),
    )
    return GraphIndex(matrix, lengths, arrays, codes)


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 150),
    dim=st.integers(1, 70),
    degree=st.integers(1, 80),
    dtype=st.sampled_from(["float32", "float16", "int8"]),
    coded=st.sampled_from([None, "packed", "bytes"]),
    k=st.integers(1, 20),
)
def test_with_full_effort_a_connected_graph_is_searched_exactly(
    seed, count, dim, degree, dtype, coded, k
):
    source = np.random.default_rng(seed)
    rows = source.standard_normal((count, dim)) * 10.0 ** source.integers(-3, 3, (count, 1))
    if seed % 2:
        rows = source.integers(-1, 2, (count, dim)).astype(float)
    rows[source.integers(count)] = 0
    matrix, lengths, codes, values = stored(rows, dtype, coded)
    index = index_of(matrix, lengths, codes, ring(source, count, degree))
    queries = values[source.integers(0, count, 3)] * np.float32(1.25)
    left_out = [source.integers(0, count, source.integers(0, 4)).tolist() for _ in queries]
    allowed = source.random(count) < 0.7 if seed % 3 == 0 else None
    found = index.search(queries, left_out, k, count, allowed=allowed, threads=1)
    for query, out, (ids, scores) in zip(queries, left_out, found, strict=True):
        kept, truth = exact(values, query, out, allowed)
        assert len(ids) == min(k, len(kept))
        assert len(set(ids.tolist())) == len(ids)
        assert set(ids.tolist()) <= set(kept)
        assert scores == pytest.approx(truth[ids], abs=1e-12)
        assert scores == pytest.approx(truth[kept[: len(ids)]], abs=1e-12)


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 60),
    degree=st.integers(1, 9),
    effort=st.integers(1, 70),
    coded=st.sampled_from([None, "packed"]),
)
def test_any_graph_of_rows_that_exist_gives_rows_with_their_scores(
    seed, count, degree, effort, coded
):
    source = np.random.default_rng(seed)
    matrix, lengths, codes, values = stored(source.standard_normal((count, 6)), "float16", coded)
    neighbors = source.integers(0, count, (count, degree)).astype(np.uint32)
    if seed % 2:
        neighbors[:] = np.arange(count)[:, None]
    entries = source.integers(0, count, source.integers(0, 4))
    index = index_of(matrix, lengths, codes, neighbors, entries)
    query = source.standard_normal((1, 6)).astype(np.float32)
    ids, scores = index.search(query, [[]], 5, effort)[0]
    assert len(ids) <= 5
    if len(entries):
        assert len(ids)
    _, truth = exact(values, query[0])
    assert scores == pytest.approx(truth[ids], abs=1e-12)
    assert np.all(np.diff(scores) <= 0)


@pytest.mark.parametrize("coded", [None, "packed"])
def test_rows_without_a_direction_lead_on_and_are_no_results(coded):
    rows = np.ones((6, 4))
    rows[1], rows[2], rows[3], rows[4] = np.nan, np.inf, 1e30, 1e-35
    matrix, lengths, codes, _ = stored(rows, "float32", coded)
    neighbors = ((np.arange(6) + 1) % 6).astype(np.uint32)[:, None]
    index = index_of(matrix, lengths, codes, neighbors)
    ids, scores = index.search(np.ones((1, 4), np.float32), [[]], 6, 6)[0]
    assert sorted(ids.tolist()) == [0, 3, 4, 5]
    assert scores == pytest.approx(1)


def test_more_rows_than_are_remembered_are_marked_and_unmarked():
    count = 40_000
    rows = np.random.default_rng(0).standard_normal((count, 2))
    matrix, lengths, codes, values = stored(rows, "float32", None)
    neighbors = np.stack([(np.arange(count) + i) % count for i in (1, 7919)], axis=1)
    index = index_of(matrix, lengths, codes, neighbors.astype(np.uint32))
    for query in values[:3]:
        ids, _ = index.search(query[None], [[]], 3, count)[0]
        assert ids.tolist() == exact(values, query)[0][:3]


@pytest.fixture(scope="module")
def clustered():
    source = np.random.default_rng(5)
    centers = source.standard_normal((60, 24))
    return centers[source.integers(0, 60, 6000)] + 0.5 * source.standard_normal((6000, 24))


@pytest.mark.parametrize("coded", [None, "packed"])
def test_a_graph_of_exact_neighbors_finds_most_of_them(clustered, coded):
    matrix, lengths, codes, values = stored(clustered, "float16", coded)
    arrays, report = build_graph(RowsOfGraph(matrix, lengths, codes), threads=2, progress=False)
    assert report.builder.startswith("exact neighbors")
    assert [effort for effort, _ in report.accuracy] == list(EFFORTS)
    shares = [found for _, found in report.accuracy]
    assert shares[-1] > 0.99
    assert shares[0] < shares[-1]
    index = GraphIndex(matrix, lengths, arrays, codes)
    effort = index.effort(0.95, 10, 6000)
    found = index.search(values[:100], [[i] for i in range(100)], 10, effort)
    hits = [
        len(set(ids.tolist()) & set(exact(values, values[i], [i])[0][:10]))
        for i, (ids, _) in enumerate(found)
    ]
    assert np.mean(hits) > 9


@pytest.mark.parametrize("floats", [0, 10**9])
def test_a_graph_of_faiss_finds_most_neighbors(clustered, monkeypatch, floats):
    pytest.importorskip("faiss", reason="faiss builds this graph")
    monkeypatch.setattr("fasttext_lite.graph_building.FEW", 100)
    monkeypatch.setattr("fasttext_lite.graph_building._MOST_FLOATS", floats)
    matrix, lengths, _, _ = stored(clustered, "int8", None)
    arrays, report = build_graph(RowsOfGraph(matrix, lengths, None), threads=1, progress=False)
    assert report.builder.startswith("faiss")
    assert dict(report.accuracy)[160] > 0.97
    index = GraphIndex(matrix, lengths, arrays)
    assert len(index.search(np.ones((1, 24), np.float32), [[]], 6000, 6000)[0][0]) == 6000


def test_without_faiss_many_rows_name_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr("fasttext_lite.graph_building.FEW", 100)
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ftl.MissingExtraError, match=r"fasttext-lite\[index\]"):
        ftl.convert("sample", tmp_path / "file", graph=True)
    assert not list(tmp_path.iterdir())


@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(2, 6), st.integers(1, 3))
def test_every_row_is_reached_once_a_graph_is_connected(seed, count, degree, entries):
    source = np.random.default_rng(seed)
    neighbors = np.where(
        source.random((count, degree)) < 0.5,
        source.integers(0, count, (count, degree)),
        np.arange(count)[:, None],
    ).astype(np.uint32)
    first = source.integers(0, count, entries).astype(np.uint32)
    connect(neighbors, first)
    seen = set(first.tolist())
    left = list(seen)
    while left:
        for i in neighbors[left.pop()].tolist():
            if i not in seen:
                seen.add(i)
                left.append(i)
    assert len(seen) == count


# The compact file and the model


@pytest.fixture(scope="module", params=["float32", "float16", "int8"])
def model(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "file.safetensors"
    report = ftl.convert("sample", path, request.param, graph=True)
    assert report.graph is not None
    assert dict(report.graph.accuracy)[640] > 0.99
    return ftl.load(path)


def test_an_approximate_search_finds_most_words_with_exact_scores(model):
    words = list(model.words[10:4000:40])
    exact_answers = model.neighbors(words)
    for options, least in (({"approximate": True}, 0.92), ({"accuracy": 0.99}, 0.97)):
        answers = model.neighbors(words, **options)
        hits = 0
        for own, found, truth in zip(words, answers, exact_answers, strict=True):
            scores = dict(truth)
            assert own not in [near.word for near in found]
            assert [near.score for near in found] == sorted((n.score for n in found), reverse=True)
            hits += sum(near.word in scores for near in found)
            assert all(near.score == scores.get(near.word, near.score) for near in found)
        assert hits / (10 * len(words)) > least
    assert model.neighbors(words[0], accuracy=1) == exact_answers[0]
    assert model.neighbors(words[0], approximate=False) == exact_answers[0]
    assert model.neighbors(words, accuracy=0.9, threads=1) == model.neighbors(
        words, accuracy=0.9, threads=3
    )


def test_filters_hold(model):
    among = list(model.words[100:5000])
    found = model.neighbors("king", 20, among=among, accuracy=0.8)
    assert len(found) == 20
    assert {near.word for near in found} <= set(among)
    few = model.neighbors("king", 20, among=among[:30], approximate=True)
    assert few == model.neighbors("king", 20, among=among[:30])
    first = model.neighbors("king", 20, max_words=5000, accuracy=0.8)
    assert all(model.word_id(near.word) < 5000 for near in first)
    left_out = [near.word for near in model.neighbors("king", 3)]
    without = model.neighbors("king", 5, exclude=left_out, accuracy=0.9)
    assert not {near.word for near in without} & set(left_out)
    assert all(near.score > 0.6 for near in model.neighbors("king", accuracy=0.9, min_score=0.6))
    assert len(model.analogies("king", "man", "woman", approximate=True)) == 10


def test_wrong_options_are_refused(model):
    for wrong in (0, -0.5, 1.5, float("nan")):
        with pytest.raises(ftl.InputValueError, match="accuracy"):
            model.neighbors("king", accuracy=wrong)
    with pytest.raises(ftl.InputTypeError, match="accuracy"):
        model.neighbors("king", accuracy="high")
    with pytest.raises(ftl.InputTypeError, match="approximate must be bool"):
        model.neighbors("king", approximate="yes")


def test_a_query_without_numbers_has_no_answer(model):
    queries = np.full((3, model.dim), np.nan, np.float32)
    queries[1] = model["king"]
    found = model.neighbors(queries, 3, approximate=True)
    assert [len(one) for one in found] == [0, 3, 0]


def test_a_model_without_a_graph_says_how_to_make_one(tmp_path, model):
    for one in (ftl.load("sample"), model.mapped(np.eye(model.dim, dtype=np.float32))):
        for options in ({"approximate": True}, {"accuracy": 0.9}):
            with pytest.raises(ftl.ModelKindError, match="fasttext-lite index SOURCE TARGET"):
                one.neighbors("king", **options)
        with pytest.raises(ftl.ModelKindError, match="graph=True"):
            ftl.evaluate.graph_recall(one)
    path = tmp_path / "labels.bin"
    path.write_bytes(build(model=SUPERVISED, labels=[b"__label__a"]))
    with pytest.raises(ftl.InputValueError, match="graph do not apply to a supervised"):
        ftl.convert(path, tmp_path / "target", graph=True)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 12])
def test_graphs_of_few_words(tmp_path, count):
    lines = [f"w{i} {i} {i * i} 1" for i in range(max(count, 1))]
    (tmp_path / "few.vec").write_text(f"{len(lines)} 3\n" + "\n".join(lines) + "\n")
    options = {} if count else {"subwords": "only"}
    source = tmp_path / "few.vec" if count else "sample"
    ftl.convert(source, tmp_path / "file", graph=True, **options)
    model = ftl.load(tmp_path / "file")
    assert len(model) == count
    assert model.neighbors(np.ones(model.dim), approximate=True) == model.neighbors(
        np.ones(model.dim)
    )
    if count:
        found = model._neighbors._graph.search(np.ones((1, 3), np.float32), [[]], 20, ALL)
        assert len(found[0][0]) == count
    recall = ftl.evaluate.graph_recall(model, sample=5)
    assert recall is None if count < 2 else recall.recall == 1


def test_recall_is_measured(model):
    found = ftl.evaluate.graph_recall(model, sample=200, accuracy=0.9)
    assert (found.queries, found.k, found.accuracy) == (200, 10, 0.9)
    assert 0.85 < found.recall <= 1
    assert 0 <= found.worst <= found.recall
    assert found.seconds > 0 < found.exact_seconds
    with pytest.raises(ftl.InputValueError, match="sample"):
        ftl.evaluate.graph_recall(model, sample=0)


def test_many_threads_share_a_graph(model):
    words = list(model.words[:400])
    expected = model.neighbors(words, 5, accuracy=0.9, threads=1)
    wrong = []

    def ask(part):
        own = range(part, len(words), 4)
        wrong.extend(
            words[i] for i in own if model.neighbors(words[i], 5, accuracy=0.9) != expected[i]
        )

    threads = [threading.Thread(target=ask, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_core_refuses_what_does_not_fit():
    matrix, lengths, codes, _ = stored(np.ones((3, 4)), "float32", "packed")
    neighbors, entries = np.zeros((3, 2), np.uint32), np.zeros(1, np.uint32)
    other = stored(np.ones((3, 5)), "float32", "packed")[2]
    for wrong in (
        (matrix, lengths[:2], neighbors, entries, codes),
        (matrix, lengths, neighbors[:2], entries, codes),
        (matrix, lengths, neighbors[:, :0], entries, codes),
        (matrix, lengths, neighbors, entries + 3, codes),
        (matrix, lengths, neighbors, entries, other),
    ):
        with pytest.raises(ftl.InputValueError):
            Graph(*wrong)
    search = GraphSearch(Graph(matrix, lengths, neighbors, entries, codes))
    query, none, starts = np.ones((1, 4), np.float32), np.zeros(1, np.int32), np.zeros(2, np.int64)
    right = (query, 0, 1, Nearest(1, 2), 3, none, starts, None)
    assert search.search(*right) == -1
    for at, value in (
        (0, np.ones((1, 5), np.float32)),
        (1, -1),
        (2, 2),
        (3, Nearest(2, 2)),
        (4, 0),
        (6, np.array([0, 2])),
        (6, np.array([1, 0])),
        (6, np.array([-1, 0])),
        (6, np.zeros(3, np.int64)),
        (7, np.zeros(0, np.uint8)),
    ):
        with pytest.raises(ftl.InputValueError):
            search.search(*right[:at], value, *right[at + 1 :])


# The command line


def test_index_and_recall(tmp_path, capfdbinary):
    target = tmp_path / "indexed.safetensors"
    assert main(["index", "sample", str(target), "--dtype", "float16"]) == 0
    out = capfdbinary.readouterr().out.decode()
    assert "exact neighbors" in out
    assert "of the 10 nearest words" in out
    assert main(["recall", str(target), "--sample", "50"]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["0.8", "0.9", "0.95", "0.98", "0.99"]
    assert main(["recall", str(target), "--sample", "50", "--accuracy", "0.9", "--json"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["accuracy"] == 0.9
    again = tmp_path / "again.safetensors"
    assert main(["index", str(target), str(again), "--json"]) == 0
    report = json.loads(capfdbinary.readouterr().out)
    assert report["dtype"] == "float16"
    assert report["graph"]["accuracy"][0][0] == EFFORTS[0]
    assert main(["neighbors", str(again), "king", "-k", "2", "--accuracy", "0.9"]) == 0
    approximate = capfdbinary.readouterr().out
    assert main(["neighbors", str(again), "king", "-k", "2", "--approximate"]) == 0
    assert approximate == capfdbinary.readouterr().out
    assert b"queen" in approximate


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index", "sample"], b"index needs a model and a file to write"),
        (["recall", "sample", "more"], b"recall accepts one model"),
        (["recall", "sample"], b"fasttext-lite index"),
        (["neighbors", "sample", "king", "--approximate"], b"fasttext-lite index"),
    ],
)
def test_wrong_uses_of_the_commands(arguments, message, capfdbinary):
    assert main(arguments) == 2
    assert message in capfdbinary.readouterr().err
