"""Texts as columns hold them: missing ones, line breaks, and halves of surrogate pairs."""

from __future__ import annotations

import decimal

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support import GOLDEN
from support.builders import SUPERVISED, build

import fasttext_lite as ftl

NAN = float("nan")
MISSING = [None, NAN, np.nan, np.float32("nan"), np.datetime64("NaT"), decimal.Decimal("nan")]


@pytest.fixture(scope="module")
def model():
    return ftl.load(GOLDEN / "softmax.bin")


@pytest.fixture(scope="module")
def vectors():
    return ftl.load("sample")


def columns():
    """Yield the same three texts, of which the second is missing, in many types."""
    texts = ["the old train", None, "été à Paris"]
    yield "a list", texts
    yield "NumPy objects", np.array(texts, object)
    yield "a masked array", np.ma.array(["the old train", "x", "été à Paris"], mask=[0, 1, 0])
    if np.__version__ >= "2":
        for gap in (None, NAN):
            kind = np.dtypes.StringDType(na_object=gap)
            yield f"StringDType with {gap}", np.array([texts[0], gap, texts[2]], kind)
    try:
        import pyarrow
    except ImportError:
        return
    for kind in (pyarrow.string(), pyarrow.large_string(), pyarrow.binary()):
        yield f"Arrow {kind}", pyarrow.array(texts, kind)
    yield "a slice", pyarrow.array(["before", *texts, None])[1:4]
    yield "Arrow chunks", pyarrow.chunked_array([texts[:1], texts[1:]])
    if hasattr(pyarrow, "string_view"):
        yield "views", pyarrow.array(texts, pyarrow.string_view())
    try:
        import polars
    except ImportError:
        return
    yield "Polars", polars.Series(texts)
    try:
        import pandas
    except ImportError:
        return
    yield "pandas", pandas.Series(texts)
    yield "pandas objects", pandas.Series(texts, dtype=object)
    yield "pandas NA", pandas.Series(texts, dtype="string")
    yield "pandas Arrow", pandas.Series(texts, dtype=pandas.ArrowDtype(pyarrow.string()))
    yield "a list with NA", [texts[0], pandas.NA, texts[2]]
    yield "a list with NaT", [texts[0], pandas.NaT, texts[2]]


COLUMNS = dict(columns())


def empty_columns():
    """Yield columns of two missing texts, as readers of files make them."""
    yield "floats", np.array([NAN, NAN])
    yield "dates", np.array(["NaT", "NaT"], "datetime64[s]")
    yield "objects", np.array([None, NAN], object)
    for name in ("pyarrow", "polars", "pandas"):
        try:
            library = __import__(name)
        except ImportError:
            return
        if name == "pyarrow":
            yield "Arrow nulls", library.nulls(2)
            yield "Arrow floats", library.array([None, NAN])
            yield "Arrow halves", library.array([None, NAN], library.float32())
            yield "Arrow whole numbers", library.array([None, None], library.int32())
        elif name == "polars":
            yield "Polars nulls", library.Series([None, None])
            yield "Polars floats", library.Series([NAN, None])
        else:
            yield "pandas floats", library.Series([NAN, NAN])
            yield "pandas dates", library.Series([library.NaT, library.NaT])
            yield "pandas nothing", library.Series([None, None], dtype=object)


EMPTY = dict(empty_columns())


@pytest.mark.parametrize("texts", COLUMNS.values(), ids=COLUMNS)
def test_a_missing_text_has_an_empty_answer_and_others_keep_their_rows(model, vectors, texts):
    known = ["the old train", "été à Paris"]
    found = model.predict(texts, k=2, missing="empty")
    assert [len(one.labels) for one in found] == [2, 0, 2]
    for place, alone in zip((0, 2), model.predict(known, k=2), strict=True):
        assert found[place].labels == alone.labels
        assert_array_equal(found[place].probabilities, alone.probabilities)
    ids, probabilities = model.predict_ids(texts, missing="empty")
    assert ids[:, 0].tolist() == [*model.predict_ids(known)[0][:1, 0], -1, found.label_ids[2]]
    assert probabilities[1, 0] == 0
    matrix = model.probabilities(texts, missing="empty")
    assert_array_equal(matrix[[0, 2]], model.probabilities(known))
    assert not matrix[1].any()
    for one in (model, vectors):
        sentences = one.sentence_vectors(texts, missing="empty")
        assert_array_equal(sentences[[0, 2]], one.sentence_vectors(known))
        assert not sentences[1].any()
        evidence = one.evidence(texts, missing="empty")
        assert (evidence.words[1], evidence.features[1]) == (0, 0)
        assert_array_equal(evidence.features[[0, 2]], one.evidence(known).features)
    sif = ftl.SIF(vectors).fit(texts, missing="empty")
    assert_array_equal(sif.vectors(texts, missing="empty")[[0, 2]], sif.vectors(known))
    assert not sif.vectors(texts, missing="empty")[1].any()


@pytest.mark.parametrize("texts", COLUMNS.values(), ids=COLUMNS)
def test_a_missing_text_is_named_with_what_to_do(model, texts):
    for call in (model.predict, model.predict_ids, model.probabilities, model.evidence):
        with pytest.raises(ftl.FastTextLiteError, match=r"texts\[1\].*pass missing='empty'"):
            call(texts)


@pytest.mark.parametrize("texts", EMPTY.values(), ids=EMPTY)
def test_a_column_of_missing_texts_may_have_any_type(model, texts):
    assert model.predict_ids(texts, missing="empty")[0].tolist() == [[-1], [-1]]
    with pytest.raises(ftl.FastTextLiteError, match="missing='empty'"):
        model.predict(texts)


@pytest.mark.parametrize("gap", MISSING, ids=[type(gap).__name__ for gap in MISSING])
def test_what_stands_for_a_missing_text(model, gap):
    assert [len(one.labels) for one in model.predict(["a", gap], missing="empty")] == [1, 0]
    assert model.predict(gap, missing="empty").labels == ()
    assert model.predict(gap, missing="empty").probabilities.dtype == np.float32
    with pytest.raises(ftl.InputTypeError, match=r"texts\[1\]: .* fill them with a text, or pass"):
        model.predict(["a", gap])


@pytest.mark.parametrize("item", [3, 1.5, np.int64(1), [], {}, object(), np.array([NAN]), True])
def test_other_items_are_refused_with_any_option(model, item):
    with pytest.raises(ftl.InputTypeError, match=r"texts\[1\]: a text must be str or bytes, not"):
        model.predict(["a", item], missing="empty")
    with pytest.raises(ftl.InputTypeError):
        model.predict(np.array([1, 2]), missing="empty")


def test_numbers_in_an_arrow_array_are_refused(model):
    pyarrow = pytest.importorskip("pyarrow")
    for numbers in ([None, 1], [NAN, 1.5]):
        with pytest.raises(ftl.InputTypeError, match=r"texts\[1\]: expected an Arrow array of str"):
            model.predict(pyarrow.array(numbers), missing="empty")
    with pytest.raises(ftl.InputTypeError, match="not of format"):
        model.predict(pyarrow.array([[1]]), missing="empty")


def test_an_empty_text_is_not_a_missing_one(model):
    expected = model.predict([""], k=2)
    assert len(expected[0].labels) == 2
    pyarrow = pytest.importorskip("pyarrow")
    for texts in ([""], np.array([""]), pyarrow.array(["", ""]), pyarrow.array([b""])):
        found = model.predict(texts, k=2, missing="empty")
        assert found[0].labels == expected[0].labels


def test_words_have_no_such_options(model):
    with pytest.raises(ftl.InputTypeError, match=r"words\[1\]: .*fill them with a word$"):
        model.vectors(["a", None])
    with pytest.raises(TypeError):
        model.vectors(["a", None], missing="empty")


@pytest.mark.parametrize("text", ["one\ntwo", b"one\ntwo", "\n", "été\n\nici\n", "one \n</s> two"])
def test_newlines_become_spaces(model, vectors, text):
    newline, space = (b"\n", b" ") if isinstance(text, bytes) else ("\n", " ")
    plain = text.replace(newline, space)
    for one in (model, vectors):
        assert_array_equal(one.sentence_vector(text, newlines="space"), one.sentence_vector(plain))
        assert_array_equal(
            one.sentence_vectors([text], newlines="space"), one.sentence_vectors([plain])
        )
        assert one.evidence([text], newlines="space") == one.evidence([plain])
    expected = model.predict(plain, k=2)
    for found in (
        model.predict(text, k=2, newlines="space"),
        model.predict([text], k=2, newlines="space")[0],
        model.predict(np.array([text]), k=2, newlines="space")[0],
    ):
        assert found.labels == expected.labels
        assert_array_equal(found.probabilities, expected.probabilities)
    assert_array_equal(model.probabilities([text], newlines="space"), model.probabilities([plain]))
    assert model.explain(text, newlines="space") == model.explain(plain)
    sif = ftl.SIF(vectors)
    assert_array_equal(sif.vectors([text], newlines="space"), sif.vectors([plain]))


def test_a_newline_is_named_with_what_to_do(model, vectors):
    sif = ftl.SIF(vectors)
    for call in (
        *(model.predict, model.predict_ids, model.probabilities, model.sentence_vectors),
        *(model.evidence, vectors.sentence_vectors, vectors.evidence, sif.fit, sif.vectors),
    ):
        with pytest.raises(ftl.InputValueError, match=r"^texts\[1\]: .*pass newlines='space'"):
            call(["a", "b\nc"])


def test_a_single_text_has_no_place(model, vectors):
    for call in (model.predict, model.explain, model.sentence_vector, vectors.sentence_vector):
        with pytest.raises(ftl.InputValueError, match=r"^a text is one line .* newlines='space'"):
            call("a\nb")
        with pytest.raises(ftl.InputValueError, match=r"^the text holds .* errors='replace'"):
            call("\ud800")
    with pytest.raises(ftl.InputTypeError, match=r"^a text must be str or bytes"):
        model.explain(None)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("cut \ud83d", "cut \ufffd"),
        ("\ude00 cut", "\ufffd cut"),
        ("one \ud83d\udc80 two", "one \ufffd\ufffd two"),
        ("\udbff\udfff\ud800", "\ufffd\ufffd\ufffd"),
        ("été \udc80", "été \udc80"),
        ("日本 \udfff\U0001f600", "日本 \ufffd\U0001f600"),
    ],
)
def test_halves_of_surrogate_pairs_are_replaced(model, vectors, text, plain):
    expected = model.predict(plain, k=2)
    for texts in (text, [text], np.array([text]), np.array([text], object), iter([text])):
        found = model.predict(texts, k=2, errors="replace")
        found = found if texts is text else found[0]
        assert found.labels == expected.labels
        assert_array_equal(found.probabilities, expected.probabilities)
    assert model.explain(text, errors="replace") == model.explain(plain)
    for one in (model, vectors):
        expected = one.sentence_vector(plain)
        assert_array_equal(one.sentence_vector(text, errors="replace"), expected)
        many = one.sentence_vectors(["a", text, "é", text], errors="replace")
        assert_array_equal(many, one.sentence_vectors(["a", plain, "é", plain]))


def test_numbers_that_are_no_characters_are_replaced(model):
    texts = np.array([[0x61, 0x7FFFFFFF]], "<u4").view("<U2").reshape(1)
    with pytest.raises(ftl.InputValueError, match=r"texts\[0\].*errors='replace'"):
        model.predict(texts)
    assert model.predict(texts, errors="replace")[0].labels == model.predict("a\ufffd").labels


def test_a_half_is_named_with_its_text(model):
    for texts in (["a", "b\ud83d"], np.array(["a", "b\ud83d"])):
        with pytest.raises(
            ftl.InputValueError, match=r"^texts\[1\]: the text holds U\+D83D at index 1.*'replace'"
        ):
            model.predict(texts)


def test_fit_counts_the_texts_of_an_iterator(vectors, monkeypatch):
    monkeypatch.setattr("fasttext_lite.weighting._TEXTS", 4)
    sif = ftl.SIF(vectors)
    for bad in (None, "a\nb", "\ud800", 3):
        with pytest.raises(ftl.FastTextLiteError, match=r"^texts\[6\]"):
            sif.fit(iter(["war"] * 6 + [bad]))
        with pytest.raises(ftl.FastTextLiteError, match=r"^texts\[1\]"):
            sif.vectors(["war", bad])


@pytest.mark.parametrize("name", ["missing", "newlines", "errors"])
def test_other_values_are_refused(model, vectors, name):
    single = (model.predict, model.explain, model.sentence_vector)
    many = (model.predict, model.predict_ids, model.probabilities, model.evidence)
    more = (vectors.sentence_vectors, ftl.SIF(vectors).fit, ftl.SIF(vectors).vectors)
    for texts, calls in (("a", single), (["a"], many + more)):
        for call in calls:
            if name == "missing" and call in single[1:]:
                continue
            with pytest.raises(ftl.InputValueError, match=f"^{name} must be '.*' or '.*', not 'x'"):
                call(texts, **{name: "x"})
            with pytest.raises(ftl.InputTypeError, match=f"^{name} must be str, not NoneType"):
                call(texts, **{name: None})


def test_missing_texts_change_no_other_answer_on_threads(model):
    texts = ["the old train", None, "a\nb", "x\ud800", ""] * 2000
    plain = ["the old train", "", "a b", "x\ufffd", ""] * 2000
    options = {"missing": "empty", "newlines": "space", "errors": "replace"}
    expected = model.probabilities(plain, threads=1)
    expected[1::5] = 0
    for threads in (1, 3):
        assert_array_equal(model.probabilities(texts, threads=threads, **options), expected)


def test_only_texts_that_need_it_are_copied(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(build(model=SUPERVISED, labels=[b"__label__a", b"__label__b"]))
    model = ftl.load(path)
    texts = ["x" * 1_000_000 + "\n"] * 50
    import tracemalloc

    tracemalloc.start()
    try:
        model.evidence(texts, newlines="space", missing="empty", errors="replace", threads=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
