"""The texts nearest to a query, against brute force over the vectors of the model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fasttext_lite as ftl
from fasttext_lite.spelling import BUCKETS, DIM, letters, reader, signs


def brute_force(vectors, query, k):
    vectors, query = vectors.astype(np.float64), query.astype(np.float64)
    norms = np.linalg.norm(vectors, axis=1)
    scores = np.full(len(vectors), -np.inf)
    np.divide(vectors @ query, norms * np.linalg.norm(query), out=scores, where=norms > 0)
    order = np.lexsort((np.arange(len(scores)), -scores))[:k]
    return order[scores[order] > -np.inf], scores


def with_spelling(model, texts, share):
    """The vectors of an index, by their definition."""

    def unit(rows):
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)

    meant = model.sentence_vectors([text.lower() for text in texts]).astype(np.float64)
    spelt = np.zeros((len(texts), DIM))
    table = signs()
    for row, text in zip(spelt, texts, strict=True):
        for word in letters(text).split():
            bracketed = f"<{word}>"
            for i in range(len(bracketed)):
                for n in (1, 2, 3):
                    ngram = bracketed[i : i + n]
                    if len(ngram) == n and ngram not in ("<", ">"):
                        row += table[fnv1a(ngram.encode()) % BUCKETS]
    return np.hstack([np.sqrt(1 - share) * unit(meant), np.sqrt(share) * unit(spelt)])


def fnv1a(data):
    found = 2166136261
    for byte in data:
        found = ((found ^ (byte if byte < 128 else byte + 0xFFFFFF00)) * 16777619) % 2**32
    return found


def test_without_spelling_the_score_is_the_cosine_of_the_vectors_of_the_model(model, titles):
    index = ftl.TextIndex.build(model, titles, spelling=0, lowercase=False, dtype="float32")
    vectors = model.sentence_vectors(titles)
    for query in ["the grey cat", "bread and shelves", "a letter every winter"]:
        rows, scores = brute_force(vectors, model.sentence_vector(query), 10)
        hits = index.search(query)
        assert [hit.row for hit in hits] == rows.tolist()
        assert np.allclose([hit.score for hit in hits], scores[rows], atol=1e-6)
        assert all(hit.text == titles[hit.row] and hit.id == hit.row for hit in hits)


def test_the_vectors_are_those_of_the_official_package(titles):
    fasttext = pytest.importorskip("fasttext")
    official = fasttext.load_model(str(ftl.SAMPLE))
    index = ftl.TextIndex.build(
        ftl.load("sample"), titles, spelling=0, lowercase=False, dtype="float32"
    )
    vectors = np.array([official.get_sentence_vector(title) for title in titles])
    for query in titles[:20]:
        _, scores = brute_force(vectors, official.get_sentence_vector(query), 10)
        for hit in index.search(query):
            assert hit.score == pytest.approx(scores[hit.row], abs=1e-6)


def test_with_spelling_the_score_is_the_weighted_mean_of_both_cosines(model, titles):
    index = ftl.TextIndex.build(model, titles, dtype="float32")
    vectors = with_spelling(model, [*titles, "the gery cat slepes"], 0.7)
    rows, scores = brute_force(vectors[:-1], vectors[-1], 10)
    hits = index.search("The gery cat slepes")
    assert [hit.row for hit in hits] == rows.tolist()
    assert np.allclose([hit.score for hit in hits], scores[rows], atol=1e-5)


def test_letters_are_what_is_compared():
    assert letters("Godfather,\nThe_2!") == "godfather the 2 "
    assert letters("CAF\xc9 \udcff") == "caf\xe9 "
    assert not reader().vector(" ").any()


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_other_number_formats_find_nearly_the_same(model, titles, dtype):
    exact = ftl.TextIndex.build(model, titles, dtype="float32")
    other = ftl.TextIndex.build(model, titles, dtype=dtype)
    for query in titles[:30]:
        assert other.search(query, k=1)[0].row == exact.search(query, k=1)[0].row
        assert other.search(query, k=1)[0].score == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("options", [{}, {"spelling": 0}, {"dtype": "int8"}, {"graph": True}])
def test_texts_without_a_vector_are_never_found(model, options):
    texts = ["", "one two", None, "  \n\t ", "three", float("nan"), "x" * 100_000, "a\nb"]
    index = ftl.TextIndex.build(model, texts, **options)
    assert len(index) == len(texts)
    for query in ["one", "three", "y" * 1000, *texts[1::3]]:
        hits = index.search(query, k=100) if query else []
        assert {hit.row for hit in hits} <= {1, 4, 6, 7}
    assert index.search("") == index.search(" \n") == index.search(b"") == []
    assert index.search(["", "one"])[0] == []
    assert list(index.texts)[:4] == ["", "one two", "", "  \n\t "]


def test_an_empty_index_finds_nothing(model, tmp_path):
    index = ftl.TextIndex.build(model, [])
    assert index.search("one") == []
    assert index.search(["one"]) == [[]]
    assert index.search([]) == []
    index.save(tmp_path / "empty")
    index.add(["one"])
    assert [hit.text for hit in index.search("one")] == ["one"]


def test_among_and_exclude_are_ids(model, titles):
    ids = [f"t{i}" for i in range(len(titles))]
    index = ftl.TextIndex.build(model, titles, ids=ids)
    everything = index.search(titles[5], k=len(titles))
    some = {f"t{i}" for i in range(0, 100, 7)}
    assert index.search(titles[5], 100, among=some) == [h for h in everything if h.id in some]
    assert (
        index.search(titles[5], 10, exclude=["t5", "not there"])
        == [hit for hit in everything if hit.id != "t5"][:10]
    )
    assert index.search(titles[5], among=[]) == []
    with pytest.raises(ftl.InputValueError, match="among: no text has the id 'x'"):
        index.search("one", among=["x"])
    with pytest.raises(ftl.InputTypeError, match="iterable of ids, not str"):
        index.search("one", among="t5")


def test_a_query_may_be_a_vector(model, titles):
    index = ftl.TextIndex.build(model, titles, spelling=0)
    vector = model.sentence_vector(titles[3].lower())
    assert index.search(vector) == index.search(titles[3])
    assert index.search(np.stack([vector, vector])) == [index.search(titles[3])] * 2
    spelt = ftl.TextIndex.build(model, titles)
    assert [hit.row for hit in spelt.search(vector)] == [hit.row for hit in index.search(vector)]
    both = spelt.search([titles[3], vector])
    assert both == [spelt.search(titles[3]), spelt.search(vector)]
    with pytest.raises(ftl.InputValueError, match="shape"):
        spelt.search(np.zeros(7, np.float32))


def test_sif_weights_are_kept_in_the_file(model, titles, tmp_path):
    sif = ftl.SIF(model).fit(titles)
    index = ftl.TextIndex.build(
        model, titles, weighting=sif, spelling=0, lowercase=False, dtype="float32"
    )
    rows, scores = brute_force(sif.vectors(titles), sif.vectors(["the grey cat"])[0], 10)
    before = index.search("the grey cat")
    assert [hit.row for hit in before] == rows.tolist()
    assert np.allclose([hit.score for hit in before], scores[rows], atol=1e-6)
    index.save(tmp_path / "sif")
    assert ftl.TextIndex.open(tmp_path / "sif").search("the grey cat") == before
    assert index.info.weighting == "SIF"
    with pytest.raises(ftl.InputValueError, match="another model"):
        ftl.TextIndex.build(ftl.load("sample"), titles, weighting=sif)


def test_the_graph_finds_most_of_the_nearest_texts(model, titles):
    index = ftl.TextIndex.build(model, titles, graph=True)
    assert index.info.accuracy
    found = index.recall(sample=100)
    assert found.queries == 100
    assert found.recall > 0.9
    assert ftl.TextIndex.build(model, titles).recall() is None
    exact = index.search(titles, k=1, approximate=False)
    assert sum(a == b for a, b in zip(index.search(titles, k=1), exact, strict=True)) > 380
    with pytest.raises(ftl.InputValueError, match="accuracy must be"):
        index.search("one", accuracy=2)
    with pytest.raises(ftl.InputValueError, match="leave one out"):
        index.search("one", accuracy=0.9, approximate=False)


def test_misspelt_texts_are_found(model, titles):
    """One edit in each word: the second letter is dropped, or doubled."""
    index = ftl.TextIndex.build(model, titles)
    for edit in (lambda word: word[:1] + word[2:], lambda word: word[:2] + word[1:]):
        misspelt = [" ".join(map(edit, title.split())) for title in titles]
        found = index.search(misspelt)
        hits = sum(row in [hit.row for hit in one] for row, one in enumerate(found))
        assert hits >= 0.9 * len(titles)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=12), st.text(max_size=20), st.integers(1, 15))
def test_any_texts_are_searched_as_by_brute_force(texts, query, k):
    model = ftl.load("sample")
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    query = query.encode("utf-8", "replace").decode()
    index = ftl.TextIndex.build(model, texts, spelling=0.5, dtype="float32")
    vectors, asked = index._embedding.vectors(texts), index._embedding.vectors([query])[0]
    hits = index.search(query, k)
    assert list(index.texts) == texts
    if not asked.any():
        assert hits == []
        return
    rows, scores = brute_force(vectors, asked, k)
    assert len(hits) == len(rows)
    assert np.allclose([hit.score for hit in hits], scores[rows], atol=1e-5)
    assert len({hit.row for hit in hits}) == len(hits)


def test_columns_of_other_libraries_are_texts(model):
    pa = pytest.importorskip("pyarrow")
    texts = pa.chunked_array([["one", None], ["two"]])
    labels = pa.array(["a", None, "b"])
    index = ftl.TextIndex.build(model, texts, ids=pa.array([7, 8, 9]), labels=labels)
    assert list(index.texts) == ["one", "", "two"]
    assert list(index.ids) == [7, 8, 9]
    assert list(index.labels) == ["a", None, "b"]
    index = ftl.TextIndex.build(model, np.array(["one", "two"]), ids=np.array(["x", "y"]))
    assert index.search("two", 1)[0].id == "y"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"texts": "one"}, ftl.InputTypeError, "texts must be an iterable"),
        ({"texts": ["a", 5]}, ftl.InputTypeError, r"texts\[1\]: a text must be str or bytes"),
        ({"ids": [1]}, ftl.InputValueError, "2 texts, but 1 ids"),
        ({"ids": [1, 1]}, ftl.InputValueError, r"ids\[1\]: 1 is the id of another"),
        ({"ids": [1, "a"]}, ftl.InputTypeError, r"ids\[1\] must be int"),
        ({"ids": ["a", 1]}, ftl.InputTypeError, r"ids\[1\] must be str"),
        ({"ids": "ab"}, ftl.InputTypeError, "ids must be an iterable"),
        ({"ids": [2**63, 1]}, ftl.InputValueError, r"ids\[0\] must be at most"),
        ({"labels": ["a"]}, ftl.InputValueError, "2 texts, but 1 labels"),
        ({"labels": [1, 2]}, ftl.InputTypeError, r"labels\[0\] must be str or None"),
        ({"weighting": "median"}, ftl.InputValueError, "weighting must be"),
        ({"weighting": 1}, ftl.InputTypeError, "weighting must be"),
        ({"spelling": 2}, ftl.InputValueError, "spelling must be at most 1"),
        ({"dtype": "float64"}, ftl.InputValueError, "dtype must be one of"),
        ({"graph": "maybe"}, ftl.InputTypeError, "graph must be bool"),
        ({"lowercase": "no"}, ftl.InputTypeError, "lowercase must be bool"),
        ({"model": "sample"}, ftl.InputTypeError, "model must be a Model"),
    ],
)
def test_wrong_arguments_are_told(model, arguments, error, message):
    with pytest.raises(error, match=message):
        ftl.TextIndex.build(**({"model": model, "texts": ["a", "b"]} | arguments))
