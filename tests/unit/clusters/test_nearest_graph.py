"""Nearest neighbors of all rows: those of a plain product of matrices, and resumed from a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import fasttext_lite as ftl
from fasttext_lite.neighbor_graph import MatrixSearch


def plain_cosines(vectors):
    """The cosines of all pairs; -2 for a row and itself, and for rows without a direction."""
    wide = np.asarray(vectors, np.float64)
    lengths = np.linalg.norm(wide, axis=1)
    units = wide / np.where(lengths > 0, lengths, 1)[:, None]
    found = units @ units.T
    np.fill_diagonal(found, -2)
    found[lengths == 0], found[:, lengths == 0] = -2, -2
    return found


def check(graph, vectors):
    wanted = plain_cosines(vectors)
    best = np.sort(wanted, axis=1)[:, ::-1][:, : graph.k]
    missing = graph.ids < 0
    assert graph.ids.dtype == np.int32
    assert graph.cosines.dtype == np.float32
    assert (missing == (best < -1.5)).all()
    assert (graph.cosines[missing] == 0).all()
    found = np.take_along_axis(wanted, np.where(missing, 0, graph.ids), axis=1)
    assert np.abs(np.where(missing, 0, found - best)).max(initial=0) < 1e-6
    assert np.abs(np.where(missing, 0, graph.cosines - best)).max(initial=0) < 1e-6


@settings(max_examples=60)
@given(st.data())
def test_neighbors_are_those_of_a_plain_search(data):
    count = data.draw(st.integers(2, 150))
    dim = data.draw(st.integers(1, 9))
    numbers = st.floats(-1e10, 1e10, width=32) | st.sampled_from([0.0, 1.0, -1.0])
    vectors = data.draw(arrays(np.float32, (count, dim), elements=numbers, fill=st.just(0)))
    k = data.draw(st.integers(1, min(count - 1, 30)))
    check(ftl.nearest_graph(vectors, k, threads=data.draw(st.integers(1, 3))), vectors)


@pytest.mark.parametrize("words", [None, 500, ["war", "peace", "warpeace", "winter", "war"]])
def test_words_of_a_model(words):
    model = ftl.load("sample")
    graph = ftl.nearest_graph(model, 3, words=words)
    names = list(model.words[:words]) if not isinstance(words, list) else words[:4]
    check(graph, model.vectors(names))
    assert len(graph) == len(names)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_words_of_a_compact_file_of_any_dtype(tmp_path, dtype):
    path = tmp_path / "model.safetensors"
    ftl.convert("sample", path, dtype, max_words=300)
    check(ftl.nearest_graph(path, 5, words=200), ftl.load(path).word_vectors()[:200])


def test_walks_find_most_neighbors():
    exact = ftl.nearest_graph("sample", 10)
    walked = ftl.nearest_graph("sample", 10, approximate=True)
    assert walked.approximate
    assert not exact.approximate
    shared = [len(set(a) & set(b)) for a, b in zip(exact.ids, walked.ids, strict=True)]
    assert np.mean(shared) > 9.3
    assert (walked.cosines[:, 0] <= exact.cosines[:, 0]).all()


def test_many_rows_are_searched_along_a_graph(monkeypatch):
    monkeypatch.setattr("fasttext_lite.neighbor_graph._EXACT", 200)
    assert not ftl.nearest_graph("sample", 3, words=200).approximate
    assert ftl.nearest_graph("sample", 3, words=201).approximate
    assert not ftl.nearest_graph("sample", 3, words=201, approximate=False).approximate


def test_the_graph_of_a_file_is_used(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    ftl.convert("sample", path, graph=True, max_words=2000)
    built = []
    monkeypatch.setattr("fasttext_lite.neighbor_graph.build_graph", built.append)
    exact = ftl.nearest_graph(path, 10)
    for words in (None, 1500):
        walked = ftl.nearest_graph(path, 10, words=words, approximate=True)
        assert walked.ids.max() < len(walked)
        wanted = exact if words is None else ftl.nearest_graph(path, 10, words=words)
        assert np.mean(walked.ids[:, 0] == wanted.ids[:, 0]) > 0.9
    assert not built


class TestResume:
    def test_a_search_goes_on_where_it_was(self, tmp_path, monkeypatch):
        path = tmp_path / "graph"
        whole = ftl.nearest_graph("sample", 5, words=1000, resume=path)
        data = path.read_bytes()
        searched = []
        search = MatrixSearch.nearest

        def counted(self, queries, k, own=None):
            searched.extend(own)
            return search(self, queries, k, own)

        monkeypatch.setattr("fasttext_lite.neighbor_graph.MatrixSearch.nearest", counted)
        # Whole, cut in a block, in the head of a block, in the head of the file, and damaged.
        damaged = data[:-5] + bytes([data[-5] ^ 1]) + data[-4:]
        for left in (data, data[: len(data) // 2], data[:85], data[:80], b"", damaged):
            path.write_bytes(left)
            searched.clear()
            again = ftl.nearest_graph("sample", 5, words=1000, resume=path)
            assert (again.ids == whole.ids).all()
            assert (again.cosines == whole.cosines).all()
            assert path.read_bytes() == data
            # Each block has 64 rows of 5 neighbors.
            assert len(searched) == 1000 - min(
                max(len(left) - 80, 0) // (8 + 64 * 40) * 64, 1000
            ) or (left == data and not searched)

    @pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX")
    def test_a_killed_search_goes_on(self, tmp_path):
        code = (
            "import sys, numpy as np, fasttext_lite as ftl\n"
            "rows = np.random.default_rng(0).standard_normal((20_000, 24))\n"
            "ftl.nearest_graph(rows, 5, resume=sys.argv[1], threads=1)\n"
        )
        path = tmp_path / "graph"
        with subprocess.Popen([sys.executable, "-I", "-c", code, str(path)]) as process:
            while not path.exists() or path.stat().st_size < 10_000:
                assert process.poll() is None
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        assert path.stat().st_size < 20_000 * 40
        rows = np.random.default_rng(0).standard_normal((20_000, 24))
        begun = path.read_bytes()
        found = ftl.nearest_graph(rows, 5, resume=path)
        blocks = (len(begun) - 80) // (8 + 64 * 40)
        assert path.read_bytes()[: 80 + blocks * 2568] == begun[: 80 + blocks * 2568]
        other = ftl.nearest_graph(rows, 5)
        assert (found.ids == other.ids).all()
        assert (found.cosines == other.cosines).all()

    def test_files_of_others_are_not_touched(self, tmp_path):
        path = tmp_path / "graph"
        ftl.nearest_graph("sample", 5, words=100, resume=path)
        data = path.read_bytes()
        for words, k, approximate in ((101, 5, None), (100, 6, None), (100, 5, True)):
            with pytest.raises(ftl.InputValueError, match="other vectors"):
                ftl.nearest_graph("sample", k, words=words, approximate=approximate, resume=path)
        assert path.read_bytes() == data
        path.write_bytes(b"a letter to a friend")
        with pytest.raises(ftl.FormatError, match="not a file of a search"):
            ftl.nearest_graph("sample", 5, words=100, resume=path)
        assert path.read_bytes() == b"a letter to a friend"

    @pytest.mark.parametrize("name", ["no/graph", "."])
    def test_a_file_that_cannot_be_written_is_known_at_once(self, tmp_path, name):
        with pytest.raises(ftl.FileError, match="folder"):
            ftl.nearest_graph("sample", 5, words=100, resume=tmp_path / name)


class TestWrongArguments:
    @pytest.mark.parametrize("k", [0, -1, 100, 1000])
    def test_k(self, k):
        with pytest.raises(ftl.InputValueError, match="k must be"):
            ftl.nearest_graph("sample", k, words=100)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_numbers_that_are_not_finite_are_named_by_their_row(self, bad):
        vectors = np.ones((9000, 2))
        vectors[8500, 1] = bad
        with pytest.raises(ftl.InputValueError, match="row 8500"):
            ftl.nearest_graph(vectors, 1)

    def test_words_with_vectors_that_are_not_finite_are_named(self, tmp_path):
        (tmp_path / "bad.vec").write_text("3 2\na 1 2\nb nan 1\nc 2 1\n")
        with pytest.raises(ftl.NotANumberError, match="'b'"):
            ftl.nearest_graph(tmp_path / "bad.vec", 1)

    def test_unknown_words_of_a_model_without_ngrams_are_named(self, tmp_path):
        (tmp_path / "a.vec").write_text("2 2\na 1 2\nb 1 1\n")
        with pytest.raises(ftl.UnknownWordError, match=r"2 of the 3 words.*'x', 'y'"):
            ftl.nearest_graph(tmp_path / "a.vec", 1, words=["x", "a", "y"])

    @pytest.mark.parametrize(
        ("source", "words", "error"),
        [
            (np.empty((0, 3)), None, ftl.InputValueError),
            (np.ones(3), None, ftl.InputValueError),
            (np.ones((3, 0)), None, ftl.InputValueError),
            (np.ones((3, 2, 2)), None, ftl.InputValueError),
            (np.ones((3, 2)), ["a"], ftl.InputValueError),
            (np.ones((3, 2)), 2, ftl.InputTypeError),
            ([["a", "b"]], None, ftl.InputTypeError),
            (np.ones((3, 2), complex), None, ftl.InputTypeError),
            (np.full((3, 2), 1e39), None, ftl.InputValueError),
            ([[1, 2], [3]], None, ftl.InputTypeError),
            (None, None, ftl.InputTypeError),
            ("sample", [], ftl.InputValueError),
            ("sample", [1, 2], ftl.InputTypeError),
            ("sample", 0, ftl.InputValueError),
            ("sample", 1.5, ftl.InputTypeError),
            ("sample", "no such file", ftl.MissingFileError),
            ("no such model", None, ftl.MissingFileError),
        ],
    )
    def test_sources_and_words(self, source, words, error):
        with pytest.raises(error):
            ftl.nearest_graph(source, 1, words=words)
