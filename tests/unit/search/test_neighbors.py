"""Neighbours equal the result of a search over all vectors in float64."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import TESTS
from support.builders import SUPERVISED, build

import fasttext_lite as ftl
from fasttext_lite._core.kernels import cpu
from fasttext_lite._core.search import codes
from fasttext_lite._core.search.nearest import Nearest

PROGRAM = TESTS / "programs" / "search_rows.py"
FILES = ["raw", "float32", "float32 index", "float16", "float16 index", "int8", "int8 index"]


def ranking(model, query, left_out=(), among=None):
    """Rank all words by cosine in float64, with correctly rounded sums and ties by id."""
    query = [float(number) for number in np.asarray(query, np.float32)]
    length = math.sqrt(math.fsum(number * number for number in query))
    found = []
    for i, vector in enumerate(model.word_vectors().tolist()):
        if i in left_out or (among is not None and i not in among):
            continue
        norm = math.sqrt(math.fsum(number * number for number in vector))
        dot = math.fsum(a * b for a, b in zip(query, vector, strict=True))
        score = dot / ((1 if length < 1e-8 else length) * norm) if norm else 0.0
        if not math.isnan(score):
            found.append((i, score))
    return sorted(found, key=lambda one: (-one[1], one[0]))


def assert_nearest(model, found, expected, k):
    """Assert the same words in the same order, except for scores within rounding of float64."""
    assert len(found) == min(k, len(expected))
    scores = dict(expected)
    ids = [model.words.index(near.word) for near in found]
    assert len(set(ids)) == len(ids)
    for place, (i, near) in enumerate(zip(ids, found, strict=True)):
        assert near.score == pytest.approx(scores[i], abs=1e-12)
        assert near.score == pytest.approx(expected[place][1], abs=1e-12)


def write_vectors(folder, rows):
    path = folder / "rows.vec"
    lines = [f"{len(rows)} {len(rows[0])}"]
    lines += [f"w{i} " + " ".join(map(repr, map(float, row))) for i, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the sample model and its conversions."""
    folder = tmp_path_factory.mktemp("neighbors")
    found = {"raw": ftl.load("sample")}
    for name in FILES[1:]:
        dtype, *index = name.split()
        path = folder / f"{name}.safetensors"
        ftl.convert("sample", path, dtype, neighbors_index=bool(index))
        found[name] = ftl.load(path)
    return found


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("count", [1, 5, 70])
def test_each_kind_of_file_answers_as_a_search_in_float64(files, name, count):
    model = files[name]
    words = [model.words[i] for i in range(3, 3 + 60 * count, 60)]
    vectors = model.word_vectors().astype(np.float64)
    norms = np.linalg.norm(vectors, axis=1)
    answers = model.neighbors(words, k=12, threads=2)
    for word, found in zip(words, answers, strict=True):
        own = model.word_id(word)
        scores = vectors @ vectors[own] / np.where(norms > 0, norms * norms[own], 1)
        scores[own] = -2
        order = np.lexsort((np.arange(len(scores)), -scores))[:12]
        assert [near.word for near in found] == [model.words[i] for i in order]
        assert [near.score for near in found] == pytest.approx(scores[order], abs=1e-12)
    assert answers[0] == model.neighbors(words[0], k=12, threads=1)


def test_the_sample_has_sensible_neighbours(files):
    model = files["raw"]
    assert "queen" in [near.word for near in model.neighbors("king")]
    assert "austria" in [near.word for near in model.neighbors("germany")]
    assert "musicianship" not in model
    assert model.neighbors("musicianship", k=1)[0].word == "musician"


def test_a_query_is_a_word_or_a_vector_alone_or_among_others(files):
    model = files["raw"]
    for query in ("war", "musicianship"):
        found = model.neighbors(query)
        vector = model[query].astype(np.float64)
        assert [near.word for near in model.neighbors([query, vector])[0]] == [
            near.word for near in found
        ]
    assert model.neighbors(vector)[0].word == "musician"
    assert len(model.neighbors("war", k=10**6)) == len(model) - 1
    assert model.neighbors([]) == []


@st.composite
def matrices(draw):
    """Draw rows with repeats, multiples, zeros and numbers of very different magnitudes."""
    count, dim = draw(st.integers(1, 30)), draw(st.integers(1, 40))
    source = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = source.standard_normal((count, dim))
    rows *= 10.0 ** source.integers(-3, 3, (count, 1))
    if draw(st.booleans()):
        rows = source.integers(-2, 3, (count, dim)).astype(float)
    for _ in range(draw(st.integers(0, 4))):
        rows[source.integers(count)] = rows[source.integers(count)] * source.choice([0, 1, 2, -1])
    if draw(st.booleans()):
        rows[source.integers(count)] *= 10.0 ** source.choice([-44, -35, 32])
    return rows.astype(np.float32)


@settings(max_examples=60)
@given(
    matrices(), st.sampled_from(FILES), st.integers(1, 40), st.sampled_from([1, 7]), st.randoms()
)
@example(np.zeros((3, 2), np.float32), "float16 index", 5, 1, None)
@example(np.ones((30, 3), np.float32), "int8 index", 4, 7, None)
def test_any_matrix_is_searched_exactly(tmp_path_factory, rows, name, k, count, random):
    folder = tmp_path_factory.mktemp("matrix")
    model = ftl.load(write_vectors(folder, rows))
    if name != "raw":
        dtype, *index = name.split()
        if dtype == "float16":
            rows = np.clip(rows, -60000, 60000)
            model = ftl.load(write_vectors(folder, rows))
        ftl.convert(model.info.path, folder / "file", dtype, neighbors_index=bool(index))
        model = ftl.load(folder / "file")
    chosen = [(random.random() if random else 0) for _ in range(count)]
    queries = [rows[int(place * len(rows))] * np.float32(1.5) for place in chosen]
    for query, found in zip(queries, model.neighbors(queries, k), strict=True):
        assert_nearest(model, found, ranking(model, query), k)


def test_equal_scores_come_by_id(tmp_path):
    rows = np.tile(np.float32([1, 2, 3]), (500, 1))
    rows[100:] *= 2
    rows[7] = [3, 2, 1]
    for index in (False, True):
        ftl.convert(write_vectors(tmp_path, rows), tmp_path / "file", neighbors_index=index)
        model = ftl.load(tmp_path / "file")
        for queries in ([rows[0]], [rows[0]] * 9):
            for found in model.neighbors(queries, k=10):
                assert [near.word for near in found] == [f"w{i}" for i in range(11) if i != 7]


@pytest.mark.parametrize("index", [False, True])
def test_what_is_no_number_is_never_an_answer(tmp_path, index):
    rows = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    rows[3, 1], rows[5, 0], rows[6] = np.nan, np.inf, 0
    path = tmp_path / "source.bin"
    words = [f"w{i}".encode() for i in range(50)]
    path.write_bytes(build(words=words, dim=4, bucket=0, maxn=0, input_matrix=rows))
    ftl.convert(path, tmp_path / "file", neighbors_index=index)
    with np.errstate(invalid="ignore"):
        for model in (ftl.load(path), ftl.load(tmp_path / "file")):
            for count in (1, 8):
                for found in model.neighbors([rows[0]] * count, k=100):
                    names = {near.word for near in found}
                    assert len(found) == len(names) == 48
                    assert not {"w3", "w5"} & names
                    assert dict(found)["w6"] == 0
            assert model.neighbors(["w3", rows[5], "w1"], k=2)[:2] == [[], []]


def test_a_query_that_is_almost_zeros_is_not_divided(files):
    model = files["float32 index"]
    query = np.full(model.dim, 1e-10, np.float32)
    (best, *_), (large, *_) = model.neighbors(query), model.neighbors(query * np.float32(1e10))
    assert best.word == large.word
    norm = np.linalg.norm(query.astype(np.float64))
    assert best.score == pytest.approx(large.score * norm, rel=1e-6)
    zeros = model.neighbors(np.zeros(model.dim), k=3)
    assert [near.word for near in zeros] == list(model.words[:3])


@pytest.mark.parametrize("name", FILES)
def test_searches_can_be_narrowed(files, name):
    model = files[name]
    query = model["king"]
    first = model.neighbors(query, k=5, max_words=400)
    everything = ranking(model, query)
    assert_nearest(model, first, [one for one in everything if one[0] < 400], 5)
    some = [5, "queen", b"war", 5, 17]
    ids = {5, 17, model.word_id("queen"), model.word_id("war")}
    found = model.neighbors([query, "queen"], k=9, among=some)
    assert_nearest(model, found[0], [one for one in everything if one[0] in ids], 9)
    assert [near.word for near in found[0]][:1] == ["queen"]
    assert "queen" not in {near.word for near in found[1]}
    best = [model.words[i] for i, _ in everything[:4]]
    left = model.neighbors(query, k=3, exclude=[best[0], everything[2][0], "unheardof"])
    assert [near.word for near in left][:2] == [best[1], best[3]]
    assert model.neighbors(query, among=[]) == []
    assert len(model.neighbors(query, k=10**6)) == len(model)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"k": 0}, ftl.InputValueError, "k must be at least 1"),
        ({"k": True}, ftl.InputTypeError, "k must be int"),
        ({"k": 1.5}, ftl.InputTypeError, "k must be int"),
        ({"max_words": 0}, ftl.InputValueError, "max_words must be at least 1"),
        ({"max_words": 2.5}, ftl.InputTypeError, "max_words must be int"),
        ({"among": ["unheardof"]}, ftl.InputValueError, "among: 'unheardof' is not in the"),
        ({"among": [10**9]}, ftl.InputValueError, "among: no word has the id"),
        ({"among": "king"}, ftl.InputTypeError, "among must be an iterable of words"),
        ({"among": [None]}, ftl.InputTypeError, "among must hold str, bytes or int"),
        ({"among": [1], "max_words": 2}, ftl.InputValueError, "not both"),
        ({"exclude": "king"}, ftl.InputTypeError, "exclude must be an iterable of words"),
        ({"exclude": [-1]}, ftl.InputValueError, "exclude: no word has the id"),
        ({"threads": 0}, ftl.InputValueError, "threads must be at least 1"),
    ],
)
def test_bad_options_are_named(files, options, error, message):
    with pytest.raises(error, match=message):
        files["float16"].neighbors("king", **options)


def test_a_search_of_the_first_words_prepares_for_one_of_all():
    model = ftl.load("sample")
    for first in (50, None, 50, 500):
        found = model.neighbors("king", k=5, max_words=first)
        assert found == ftl.load("sample").neighbors("king", k=5, max_words=first)


def test_a_model_without_words_has_no_neighbors(tmp_path):
    ftl.convert("sample", tmp_path / "file", subwords="only", neighbors_index=True)
    model = ftl.load(tmp_path / "file")
    assert model.neighbors("king") == []
    assert model.neighbors(["king"] * 3, max_words=5) == [[], [], []]


def test_analogies_follow_the_official_rule(files):
    model = files["raw"]
    a, b, c = (model[word] / np.linalg.norm(model[word]) for word in ("paris", "berlin", "germany"))
    found = model.analogies("paris", "berlin", "germany", k=4)
    asked = {model.word_id(word) for word in ("paris", "berlin", "germany")}
    expected = ranking(model, a - b + c, left_out=asked)[:4]
    assert [near.word for near in found] == [model.words[i] for i, _ in expected]
    assert [near.score for near in found] == pytest.approx(
        [score for _, score in expected], abs=1e-6
    )
    triples = [("paris", "berlin", "germany"), ("king", "kings", "unheardofness")]
    assert model.analogies(iter(triples), k=4)[0] == found
    assert model.analogies(triples, k=4)[1] == model.analogies(*triples[1], k=4)
    assert model.analogies([]) == []


def test_similarity_is_the_cosine(files, tmp_path):
    model = files["raw"]
    a, b = model["war"], model["peace"]
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert model.similarity("war", "peace") == pytest.approx(cosine, abs=1e-6)
    (tmp_path / "zeros").write_bytes(build(bucket=0, maxn=0))
    assert ftl.load(tmp_path / "zeros").similarity("one", "unknown") == 0


def test_similarities_of_many_pairs_are_those_of_each(files):
    model = files["float16"]
    pairs = [("war", "peace"), ("king", "unheardofness"), ("war", "war")]
    found = model.similarity(pairs)
    assert (found.dtype, found.shape) == (np.float64, (3,))
    assert found.tolist() == [model.similarity(*pair) for pair in pairs]
    near = model.neighbors("war", among=["peace"])
    assert near[0].score == pytest.approx(found[0], abs=1e-12)
    assert model.similarity([]).shape == (0,)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda m: m.similarity([("war",)]), ftl.InputValueError),
        (lambda m: m.similarity(["ab"]), ftl.InputValueError),
        (lambda m: m.similarity("war"), ftl.InputTypeError),
        (lambda m: m.analogies("a", "b"), ftl.InputTypeError),
        (lambda m: m.analogies([("a", "b")]), ftl.InputValueError),
        (lambda m: m.analogies([("a", "b", 3)]), ftl.InputTypeError),
        (lambda m: m.analogies(5), ftl.InputTypeError),
    ],
)
def test_what_is_no_pair_or_triple_is_refused(files, call, error):
    with pytest.raises(error):
        call(files["float16"])


def test_a_supervised_model_has_no_index_to_store(tmp_path):
    (tmp_path / "source.bin").write_bytes(build(model=SUPERVISED, labels=[b"__label__a"]))
    with pytest.raises(ftl.InputValueError, match="supervised"):
        ftl.convert(tmp_path / "source.bin", tmp_path / "file", neighbors_index=True)
    model = ftl.load(tmp_path / "source.bin")
    assert_nearest(model, model.neighbors(model["one"], 3), ranking(model, model["one"]), 3)


@pytest.mark.parametrize("packed", [False, True])
def test_errors_of_codes_are_bounds(packed):
    for dim in (*range(1, 40), 300, 1030):
        source = np.random.default_rng(dim)
        rows = source.standard_normal((20, dim)).astype(np.float32)
        rows[0], rows[1], rows[2, 0], rows[3] = 0, 1, 50, rows[3] * np.float32(1e-33)
        rows[4, 0] = np.nan
        found, scales, errors = codes.encode_directions(rows, packed)
        columns = np.concatenate([found & 15, found >> 4], axis=1)[:, :dim] if packed else found
        assert columns.max() <= (15 if packed else 127)
        with np.errstate(invalid="ignore"):
            units = rows / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
        units[0] = 0
        taken = scales[:, None] * (columns - (7.5 if packed else 63.5))
        missed = np.linalg.norm(units - taken, axis=1)
        sure = np.arange(20) != 4
        assert (missed <= errors)[sure].all()
        assert errors[3] == errors[4] == np.inf
        assert (errors[5:] <= missed[5:] * 1.6 + 1e-5).all()


@pytest.mark.parametrize("kernels", cpu.runnable())
def test_every_kind_of_kernel_finds_the_same(kernels):
    environment = os.environ | {cpu.VARIABLE: kernels}
    done = subprocess.run(
        [sys.executable, "-I", PROGRAM], capture_output=True, env=environment, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == kernels


def test_the_best_of_other_queries_are_not_mixed():
    one = Nearest(1, 3)
    one.merge(Nearest(1, 2))
    assert [len(part) for part in one.best(0)] == [0, 0]
    with pytest.raises(ftl.InputValueError, match="cannot merge the results of"):
        one.merge(Nearest(2, 3))


def overwrite(path, name, change):
    """Change an array of a compact file in place."""
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    begin, end = json.loads(data[8 : 8 + length])[name]["data_offsets"]
    place = slice(8 + length + begin, 8 + length + end)
    data[place] = change(np.frombuffer(bytes(data[place]), np.uint8).copy())
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["neighbors.codes", "neighbors.scales", "neighbors.errors"])
def test_an_index_that_lies_costs_only_exactness(tmp_path, name):
    source = np.random.default_rng(0)
    for _ in range(5):
        ftl.convert("sample", tmp_path / "file", "float16", neighbors_index=True)
        overwrite(
            tmp_path / "file", name, lambda old: source.integers(0, 256, len(old), np.uint8).data
        )
        model = ftl.load(tmp_path / "file")
        found = model.neighbors(["king", "war", model["peace"]], k=5)
        for word, near in zip(["king", "war", "peace"], found, strict=True):
            for one in near:
                assert one.score == pytest.approx(model.similarity(word, one.word), abs=1e-9)


@pytest.mark.parametrize("missing", ["neighbors.codes", "neighbors.scales", "neighbors.errors"])
def test_half_an_index_is_refused(tmp_path, missing):
    path = tmp_path / "file"
    ftl.convert("sample", path, "float16", neighbors_index=True)
    data = path.read_bytes()
    # Under another name it is an unknown array.
    path.write_bytes(data.replace(missing.encode(), missing.replace("neigh", "weigh").encode(), 1))
    with pytest.raises(ftl.FormatError, match=missing):
        ftl.load(path)


def test_a_query_that_is_no_word_and_no_vector_is_named():
    model = ftl.load("sample")
    with pytest.raises(ftl.InputTypeError, match="not int"):
        model.neighbors(3)
    with pytest.raises(ftl.InputTypeError, match="query 0 must be a word or a vector"):
        model.neighbors([None])
    with pytest.raises(ftl.InputValueError, match="shape"):
        model.neighbors(np.zeros(3))
