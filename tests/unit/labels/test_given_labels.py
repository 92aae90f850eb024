"""Predictions among given labels, matrices of probabilities, evidence and keywords."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import GOLDEN
from support.builders import HS, NS, OVA, SKIPGRAM, SOFTMAX, SUPERVISED, Quantizer, build
from support.reference import END_OF_SENTENCE

import fasttext_lite as ftl

TEXTS = ["one two", "", "three one four", "__label__a two", "two", "nothing of that", "</s> one"]
END = END_OF_SENTENCE.decode()
LOSSES = [SOFTMAX, HS, NS, OVA]


@pytest.fixture
def make(tmp_path):
    """Return a function that opens a supervised model of the builder."""

    def build_and_load(count=12, **options):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.bin"
        labels = [b"__label__%d" % i for i in range(count)]
        options = {"model": SUPERVISED, "labels": labels, "dim": 5, "word_ngrams": 2, **options}
        path.write_bytes(build(**options))
        return ftl.load(path)

    return build_and_load


def filtered(prediction, labels):
    """Return the labels and probabilities of a prediction among some labels."""
    pairs = [pair for pair in zip(*prediction, strict=True) if pair[0] in labels]
    return tuple(label for label, _ in pairs), [p for _, p in pairs]


@pytest.mark.parametrize("quantizer", [None, Quantizer(2, qnorm=True)])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_given_labels_keep_their_probabilities_and_order(make, loss, count, quantizer):
    model = make(count, loss=loss, input_quantizer=quantizer, output_quantizer=quantizer)
    for chosen in (model.labels[::3], model.labels[:1], list(model.labels)[::-1]):
        labels = list(chosen)
        many = model.predict(TEXTS, k=-1, labels=labels)
        ids, probabilities = model.predict_ids(TEXTS, k=2, labels=labels)
        for i, text in enumerate(TEXTS):
            expected = filtered(model.predict(text, k=-1, threshold=-1), labels)
            found = model.predict(text, k=-1, labels=labels)
            assert (found.labels, found.probabilities.tolist()) == expected
            assert (many[i].labels, many[i].probabilities.tolist()) == expected
            best = model.predict(text, k=2, labels=labels)
            assert best.labels == expected[0][:2]
            assert tuple(model.labels[j] for j in ids[i]) == best.labels
            assert_array_equal(probabilities[i], best.probabilities)


@pytest.mark.parametrize("loss", [NS, OVA, SOFTMAX, HS])
def test_ties_among_given_labels_have_the_official_order(make, loss):
    # Equal rows: all labels are as probable as some others.
    output = np.repeat(np.random.default_rng(1).standard_normal((10, 5)), 3, axis=0)
    model = make(30, loss=loss, output_matrix=(output * 8).astype("f4"))
    labels = list(model.labels)[1::2]
    for text in TEXTS:
        for k in (1, 3, -1):
            expected = filtered(model.predict(text, k=-1, threshold=-1), labels)[0]
            wanted = expected[: k if k > 0 else None]
            assert model.predict(text, k=k, labels=labels).labels == wanted
            shares = model.predict(text, k=k, labels=labels, renormalize=True)
            assert list(shares.probabilities) == sorted(shares.probabilities, reverse=True)
            if loss in (NS, OVA):
                # Others tell labels apart whose official scores are equal: log(p + 1e-5).
                assert shares.labels == wanted
        every = model.predict(text, k=-1, threshold=-1)
        assert model.predict(text, k=-1, labels=model.labels).labels == every.labels


@pytest.mark.parametrize("loss", LOSSES)
def test_renormalised_probabilities_are_shares(make, loss):
    model = make(20, loss=loss)
    labels = ["__label__3", b"__label__11", 7, np.int64(0)]
    raw = model.probabilities(TEXTS, labels).astype(np.float64)
    shares = model.probabilities(TEXTS, labels, renormalize=True)
    assert_allclose(shares, raw / raw.sum(axis=1, keepdims=True), rtol=1e-5)
    assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    for text, row in zip(TEXTS, shares, strict=True):
        names = [model.labels[i] for i in (3, 11, 7, 0)]
        found = model.predict(text, k=-1, labels=labels, renormalize=True)
        assert sorted(found.probabilities.tolist(), reverse=True) == found.probabilities.tolist()
        by_name = dict(zip(names, row.tolist(), strict=True))
        assert dict(zip(found.labels, found.probabilities.tolist(), strict=True)) == by_name
        above = model.predict(text, k=-1, labels=labels, renormalize=True, threshold=0.3)
        assert above.labels == tuple(label for label in found.labels if by_name[label] >= 0.3)
    every = model.probabilities(TEXTS, renormalize=True)
    assert_allclose(every.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_labels_too_improbable_for_a_float_still_have_shares(make, loss):
    output = np.zeros((4, 5), "f4")
    output[:, 0] = [0, 300, -400, -402] if loss == SOFTMAX else [0, 0, -400, -402]
    if loss == HS:
        # The fork of the root turns away from the two labels below the other fork.
        output[:, 0] = [1, -1, 500, 0]
    words = np.zeros((14, 5), "f4")
    words[:, 0] = 1
    model = make(4, loss=loss, output_matrix=output, input_matrix=words)
    raw = model.probabilities(["one"])[0]
    pairs = [(a, b) for a in range(4) for b in range(a) if raw[a] == raw[b] == 0]
    assert pairs or loss == HS
    for pair in pairs:
        shares = model.probabilities(["one"], pair, renormalize=True)[0]
        assert shares.sum() == pytest.approx(1)
        assert np.ptp(shares) > 0.5


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("count", [1, 3, 8, 9, 50])
def test_a_matrix_has_the_bits_of_predictions(make, loss, count):
    model = make(count, loss=loss, word_ngrams=3)
    matrix = model.probabilities(TEXTS)
    assert (matrix.dtype, matrix.shape) == (np.float32, (len(TEXTS), count))
    ids, probabilities = model.predict_ids(TEXTS, k=-1, threshold=-1)
    expected = np.zeros_like(matrix)
    np.put_along_axis(expected, ids.astype(np.int64), probabilities, axis=1)
    assert_array_equal(matrix, expected)
    for i, text in enumerate(TEXTS):
        alone = model.predict(text, k=-1)
        places = [model.labels.index(label) for label in alone.labels]
        assert_array_equal(matrix[i, places], alone.probabilities)
    out = np.full(matrix.shape, 7, np.float32)
    assert model.probabilities(TEXTS, out=out) is out
    assert_array_equal(out, matrix)
    columns = [0, count - 1, 0]
    assert_array_equal(model.probabilities(TEXTS, columns), matrix[:, columns])
    out = np.empty((len(TEXTS), 3), np.float32)
    assert_array_equal(model.probabilities(TEXTS, columns, out=out), matrix[:, columns])


def test_a_matrix_is_the_same_on_threads_and_in_blocks(make):
    model = make(30, loss=HS)
    texts = [f"{a} {b}" for a in TEXTS for b in TEXTS] * 60
    expected = model.probabilities(texts, threads=1)
    for threads in (2, 5):
        assert_array_equal(model.probabilities(texts, threads=threads), expected)
    assert model.probabilities([]).shape == (0, 30)


def test_a_text_without_features_has_no_labels_and_a_row_of_zeros(make):
    model = make(3, words=[b"one"], bucket=0, maxn=0, loss=SOFTMAX)
    labels = model.labels[:2]
    assert not model.probabilities(["zzz"], labels).any()
    assert not model.probabilities(["zzz"], labels, renormalize=True).any()
    assert model.predict("zzz", labels=labels).labels == ()
    assert model.predict_ids(["zzz"], labels=labels)[0].tolist() == [[-1]]


@pytest.mark.parametrize("loss", LOSSES)
def test_probabilities_are_at_most_1_unless_the_bias_is_asked_for(make, loss):
    model = make(5, loss=loss, output_matrix=np.full((5, 5), 50, "f4"))
    for text in TEXTS:
        plain = model.predict(text, k=-1, threshold=-1)
        biased = model.predict(text, k=-1, threshold=-1, official_bias=True)
        assert plain.labels == biased.labels
        assert (plain.probabilities <= 1).all()
        assert (biased.probabilities > plain.probabilities).any()
        among = model.predict(text, k=-1, labels=model.labels, official_bias=True)
        assert_array_equal(among.probabilities, biased.probabilities)


def test_a_label_is_given_by_name_or_id_and_counts_once(make):
    model = make(4)
    stripped = model.classifier(strip_prefix=True)
    expected = model.predict("one", k=-1, labels=[1, 3])
    for labels in (
        ["__label__1", "__label__3"],
        (b"__label__3", b"__label__1"),
        {"__label__1", "__label__3"},
        np.array([3, 1]),
        np.array(["__label__3", "__label__1"]),
        ["__label__1", 3, 1, b"__label__3"],
        iter([1, 3]),
    ):
        found = model.predict("one", k=-1, labels=labels)
        assert found.labels == expected.labels
        assert_array_equal(found.probabilities, expected.probabilities)
    found = stripped.predict("one", k=-1, labels=["1", "__label__3"])
    assert found.labels == tuple(label.removeprefix("__label__") for label in expected.labels)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (["__label__l"], ftl.InputValueError, "'__label__l' is not a label"),
        (["__label__11x"], ftl.InputValueError, r"near ones: '__label__11'"),
        (["11"], ftl.InputValueError, r"near ones: '__label__11'"),
        ([b"10"], ftl.InputValueError, r"near ones: '__label__10'"),
        (["one"], ftl.InputValueError, "'one' is not a label"),
        (["x" * 10**6], ftl.InputValueError, "is not a label"),
        ("__label__1", ftl.InputTypeError, "pass it in a list"),
        (b"__label__1", ftl.InputTypeError, "pass it in a list"),
        ([], ftl.InputValueError, "labels is empty"),
        (3, ftl.InputTypeError, "iterable of str, bytes or int, not int"),
        ([12], ftl.InputValueError, r"labels\[0\] must be at most 11"),
        ([0, -1], ftl.InputValueError, r"labels\[1\] must be at least 0"),
        ([0, None], ftl.InputTypeError, r"labels\[1\] must be str, bytes or int, not NoneType"),
        ([1.0], ftl.InputTypeError, r"labels\[0\]"),
        ([True], ftl.InputTypeError, r"labels\[0\]"),
        (["\ud800"], ftl.InputValueError, "the label holds"),
    ],
)
def test_wrong_labels_are_refused(make, labels, error, message):
    model = make()
    calls = (
        lambda: model.predict("one", labels=labels),
        lambda: model.predict(["one"], labels=labels),
        lambda: model.predict_ids(["one"], labels=labels),
        lambda: model.probabilities(["one"], labels),
    )
    for call in calls:
        with pytest.raises(error, match=message) as raised:
            call()
        assert len(str(raised.value)) < 500


def test_wrong_options_are_refused(make):
    model = make(3)
    for texts in ("one", ["one"]):
        with pytest.raises(ftl.InputValueError, match="exclude each other"):
            model.predict(texts, labels=[0], renormalize=True, official_bias=True)
    for out in (np.empty((1, 2), np.float32), np.empty((1, 3)), [[0, 0, 0]]):
        with pytest.raises(ftl.FastTextLiteError, match="out must be"):
            model.probabilities(["one"], out=out)
    with pytest.raises(ftl.InputTypeError, match="pass it in a list"):
        model.probabilities("one")


@pytest.mark.parametrize("loss", LOSSES)
def test_nan_among_given_labels_is_an_error(make, loss):
    output = np.full((12, 5), np.nan, "f4")
    model = make(loss=loss, output_matrix=output)
    for options in ({}, {"renormalize": True}):
        with pytest.raises(ftl.NotANumberError, match=r"^texts\[1\]"):
            model.probabilities([None, "one"], missing="empty", **options)
        with pytest.raises(ftl.NotANumberError):
            model.predict("one", labels=[0, 1], **options)


@pytest.mark.parametrize("file", ["hs.bin", "softmax.bin", "pruned.ftz", "odd_dsub.ftz"])
def test_models_of_the_official_program_answer_alike(file):
    model = ftl.load(GOLDEN / file)
    texts = ["the old train was late", "war and peace", "", "zzyzx qqq"]
    matrix = model.probabilities(texts)
    ids, probabilities = model.predict_ids(texts, k=-1, threshold=-1)
    assert_array_equal(np.take_along_axis(matrix, ids.astype(int), axis=1), probabilities)
    labels = list(model.labels)[::2]
    for text in texts:
        expected = filtered(model.predict(text, k=-1, threshold=-1), labels)
        found = model.predict(text, k=-1, labels=labels)
        assert (found.labels, found.probabilities.tolist()) == expected


@pytest.mark.parametrize("options", [{}, {"minn": 0, "maxn": 0}, {"bucket": 0}, {"word_ngrams": 3}])
def test_evidence_counts_what_an_explanation_lists(make, options):
    model = make(loss=SOFTMAX, **options)
    texts = [*TEXTS, "one one __label__zz __label__1 qq", "</s>", " \t ", "two " * 3000]
    found = model.evidence(texts)
    assert (found.words.dtype, found.features.dtype) == (np.int64, np.int64)
    for text, words, features in zip(texts, *found, strict=True):
        rows = [one for one in model.explain(text) if one.token != END]
        assert features == len(rows)
        tokens = text.partition("</s>")[0].split()
        assert words == sum(token in model for token in tokens)
    assert found.features[1] == 0


def test_evidence_of_word_vectors(tmp_path):
    sample = ftl.load("sample")
    texts = ["war and peace", "zzyzx", "", "war\x0bzzyzx"]
    words, features = sample.evidence(texts)
    assert words.tolist() == [3, 0, 0, 1]
    for text, count in zip(texts, features, strict=True):
        assert count == sum(len(sample.subwords(word)) for word in text.split())
    ftl.convert(sample.info.path, tmp_path / "closed.safetensors", subwords="none")
    closed = ftl.load(tmp_path / "closed.safetensors")
    assert [found.tolist() for found in closed.evidence(texts)] == [[3, 0, 0, 1], [3, 0, 0, 1]]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("quantizer", [None, Quantizer(2, qnorm=True)])
def test_keywords_have_the_scores_of_explanations(make, loss, quantizer):
    model = make(6, loss=loss, minn=2, maxn=4, bucket=50, input_quantizer=quantizer)
    words = [word for word in model.words if word != "</s>"]
    for label in ("__label__2", b"__label__5", 0):
        name = model.labels[label] if isinstance(label, int) else label
        expected = {}
        for one in model.explain(" ".join(words), name):
            if " " not in one.feature and one.token != END:
                expected.setdefault(one.row, one.score / one.weight)
        found = model.keywords(label, k=1000)
        assert [one.row for one in found] == sorted(expected, key=lambda row: (-expected[row], row))
        for one in found:
            assert one.score == pytest.approx(expected[one.row], rel=1e-5, abs=1e-6)
            assert one.is_word == (one.row < len(model))
            if one.is_word:
                assert one.feature == model.words[one.row]
            else:
                assert (one.feature, one.row) in model.ngrams(words)
        assert model.keywords(label, k=3) == found[:3]


def test_a_keyword_is_what_a_label_was_trained_on():
    model = ftl.load(GOLDEN / "softmax.bin")
    for label in model.labels:
        best = model.keywords(label, k=1)[0]
        assert model.predict(best.feature, labels=[label]).labels == (label,)


def test_wrong_keywords_are_refused(make):
    model = make(3)
    with pytest.raises(ftl.InputValueError, match="near ones"):
        model.keywords("__label__1x")
    with pytest.raises(ftl.InputValueError, match="k must be at least 1"):
        model.keywords(0, k=0)
    with pytest.raises(ftl.InputTypeError):
        model.keywords(None)
    model = make(3, model=SKIPGRAM, labels=[])
    for call in (lambda: model.keywords("a"), lambda: model.probabilities(["a"])):
        with pytest.raises(ftl.ModelKindError):
            call()


def test_an_explanation_has_rows_and_weights(make):
    model = make(3, loss=SOFTMAX, word_ngrams=2, minn=3, maxn=3)
    found = model.explain("one two", "__label__1")
    assert {one.token for one in found if " " in one.token} == {"one two", "two </s>"}
    direction = model.output_matrix[1]
    mean = np.zeros(model.dim)
    for one in found:
        assert one.weight == 1 / len(found)
        row = model.row(one.row)
        mean += one.weight * row
        assert one.score == pytest.approx(one.weight * float(row @ direction), abs=1e-6)
    assert_allclose(mean, model.sentence_vector("one two"), atol=1e-6)
