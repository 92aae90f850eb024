"""Predictions, sentence vectors and explanations: their results and their arguments."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import GOLDEN
from support.builders import HS, OVA, SOFTMAX, SUPERVISED, Quantizer, build

import fasttext_lite as ftl

TEXTS = ["one two", "", "three one four", "__label__a two", "two", "nothing of that", "</s> one"]


@pytest.fixture
def make(tmp_path):
    """Return a function that opens a supervised model of the builder."""

    def build_and_load(**options):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.bin"
        labels = [b"__label__a", b"__label__b", b"__label__c"]
        options = {"model": SUPERVISED, "loss": SOFTMAX, "labels": labels, **options}
        path.write_bytes(build(**options))
        return ftl.load(path)

    return build_and_load


@pytest.fixture
def model(make):
    return make(dim=6, word_ngrams=2, minn=2, maxn=3)


@pytest.fixture
def simple(make):
    """Return a model with obvious answers: each word and each label is one column."""
    return make(
        dim=3,
        words=[b"one", b"two", b"three"],
        bucket=0,
        maxn=0,
        input_matrix=np.diag([3, 6, 9]).astype("f4"),
        output_matrix=np.eye(3, dtype="f4"),
        loss=OVA,
    )


def test_one_text_gives_labels_and_probabilities(simple):
    answer = simple.predict("one two", k=2)
    assert answer.labels == ("__label__b", "__label__a")
    assert answer.probabilities.dtype == np.float32
    assert answer.probabilities == pytest.approx(
        [1 / (1 + np.exp(-3)), 1 / (1 + np.exp(-1.5))], abs=2e-5
    )
    labels, probabilities = answer
    assert (labels, probabilities) is not answer
    assert simple.predict("two").labels == ("__label__b",)


def test_many_texts_give_the_answers_of_each(model):
    many = model.predict(TEXTS, k=2)
    assert len(many) == len(TEXTS)
    for text, found in zip(TEXTS, many, strict=True):
        alone = model.predict(text, k=2)
        assert found.labels == alone.labels
        assert_array_equal(found.probabilities, alone.probabilities)
    assert many.offsets.tolist() == [2 * i for i in range(len(TEXTS) + 1)]
    assert many.label_ids.dtype == np.int32
    assert [model.labels[i] for i in many.label_ids[:2]] == list(many[0].labels)


def test_many_answers_are_a_sequence(make):
    model = make(bucket=0, maxn=0, words=[b"one", b"two"])
    many = model.predict(["one two", "three", "two", "four", "one"], k=2)
    assert np.diff(many.offsets).tolist() == [2, 0, 2, 0, 2]
    assert [found.labels for found in many[1:4]] == [found.labels for found in list(many)[1:4]]
    assert [found.labels for found in many[::-2]] == [found.labels for found in list(many)[::-2]]
    assert many[-1].labels == many[4].labels
    assert len(many[3:1]) == 0
    assert repr(many) == "<Predictions for 5 texts: 6 labels>"
    with pytest.raises(IndexError):
        many[5]


def test_any_iterable_of_str_and_bytes_will_do(model):
    expected = model.predict(TEXTS).label_ids
    assert_array_equal(model.predict(iter(TEXTS)).label_ids, expected)
    assert_array_equal(model.predict(text.encode() for text in TEXTS).label_ids, expected)
    assert len(model.predict([])) == 0
    assert model.predict_ids([], k=3)[0].shape == (0, 3)
    assert model.sentence_vectors([]).shape == (0, model.dim)


def test_threads_change_nothing(model):
    texts = [f"{a} {b}" for a in TEXTS for b in TEXTS] * 60
    expected = model.predict(texts, k=-1, threads=1)
    vectors = model.sentence_vectors(texts, threads=1)
    for threads in (2, 5):
        found = model.predict(texts, k=-1, threads=threads)
        assert_array_equal(found.offsets, expected.offsets)
        assert_array_equal(found.label_ids, expected.label_ids)
        assert_array_equal(found.probabilities, expected.probabilities)
        assert_array_equal(model.sentence_vectors(texts, threads=threads), vectors)


def test_dense_arrays_hold_the_same_answers(make):
    model = make(bucket=0, maxn=0, words=[b"one", b"two"])
    texts = ["one", "three", "two one"]
    labels, probabilities = model.predict_ids(texts, k=5)
    assert labels.shape == probabilities.shape == (3, 3)
    assert (labels.dtype, probabilities.dtype) == (np.int32, np.float32)
    assert labels[1].tolist() == [-1] * 3
    assert probabilities[1].tolist() == [0] * 3
    assert sorted(labels[0]) == [0, 1, 2]
    for i, found in enumerate(model.predict(texts, k=5)):
        count = len(found.labels)
        assert [model.labels[j] for j in labels[i, :count]] == list(found.labels)
        assert_array_equal(probabilities[i, :count], found.probabilities)
    assert model.predict_ids(texts, k=-1)[0].shape == (3, 3)


@pytest.mark.parametrize("k", [1, 2, 3, -1, 50, np.int64(2)])
def test_k_bounds_the_number_of_labels(model, k):
    found = model.predict("one two", k=k, threshold=-1)
    assert len(found.labels) == (min(k, 3) if k > 0 else 3)
    assert list(found.probabilities) == sorted(found.probabilities, reverse=True)


def test_the_threshold_leaves_out_what_is_less_probable(simple):
    assert simple.predict("three", k=-1, threshold=0.9).labels == ("__label__c",)
    assert simple.predict("three", k=-1, threshold=1.1).labels == ()
    assert simple.predict("three", k=-1, threshold=1.1).probabilities.shape == (0,)
    assert len(simple.predict("three", k=-1, threshold=0.4).labels) == 3


@pytest.mark.parametrize("loss", [SOFTMAX, HS])
def test_probabilities_without_the_bias_sum_up_to_one(make, loss):
    model = make(loss=loss)
    plain = model.predict("one two", k=-1, threshold=-1)
    biased = model.predict("one two", k=-1, threshold=-1, official_bias=True)
    assert plain.labels == biased.labels
    assert plain.probabilities.sum() == pytest.approx(1, abs=1e-6)
    assert (biased.probabilities > plain.probabilities).all()
    assert_allclose(biased.probabilities, plain.probabilities, atol=3e-5)


def test_what_marks_a_label_in_a_text_can_be_set(make):
    model = make(words=[b"one"], minn=1, maxn=2)
    with_label = model.sentence_vector("one #b")
    classifier = model.classifier(label_prefix="#")
    assert classifier.predict("one #b", k=-1).probabilities.tolist() == (
        model.predict("one", k=-1).probabilities.tolist()
    )
    assert model.predict("one #b", k=-1).probabilities.tolist() != (
        model.predict("one", k=-1).probabilities.tolist()
    )
    assert with_label.tolist() != model.sentence_vector("one").tolist()


def test_the_prefix_can_be_stripped_from_answers(make):
    model = make(labels=[b"__label__a", b"b", b"__label__"], words=[b"one"])
    plain = model.predict("one", k=3, threshold=-1)
    stripped = model.classifier(strip_prefix=True)
    names = {"__label__a": "a", "b": "b", "__label__": ""}
    assert stripped.predict("one", k=3, threshold=-1).labels == tuple(
        names[label] for label in plain.labels
    )
    assert stripped.predict(["one"], k=3, threshold=-1)[0].labels == tuple(
        names[label] for label in plain.labels
    )
    assert stripped.explain("one", "a") == model.explain("one", "__label__a")
    assert stripped.explain("one", "b") == model.explain("one", "b")


def test_labels_that_are_no_utf8_come_out_as_surrogates(make):
    model = make(labels=[b"__label__\xff"], words=[b"one"])
    assert model.predict("one").labels == ("__label__\udcff",)


@pytest.mark.parametrize("loss", [SOFTMAX, OVA, HS])
@pytest.mark.parametrize("quantizer", [None, Quantizer(2, qnorm=True)])
def test_an_explanation_sums_up_to_the_score(make, loss, quantizer):
    model = make(loss=loss, dim=5, word_ngrams=3, minn=2, maxn=3, input_quantizer=quantizer)
    text = "one else __label__x two"
    hidden = model.sentence_vector(text)
    for place, label in enumerate(model.labels):
        score = sum(one.score for one in model.explain(text, label))
        if loss == HS:
            plain = model.predict(text, -1, -1.0)
            chance = dict(zip(plain.labels, plain.probabilities.tolist(), strict=True))
            assert np.isfinite(score)
            # With three labels the path of the first has one turn, which gives its score.
            if place == 0:
                assert 1 / (1 + np.exp(-score)) == pytest.approx(chance[label], abs=1e-5)
        else:
            assert score == pytest.approx(float(model.output_matrix[place] @ hidden), abs=1e-5)


def test_an_explanation_names_what_speaks_for_a_label(make):
    model = make(word_ngrams=2, minn=3, maxn=3, words=[b"</s>", b"one", b"two"])
    found = model.explain("one two six", "__label__b")
    assert [(one.token, one.feature) for one in found] == [
        ("one", "one"),
        ("one", "<on"),
        ("one", "one"),
        ("one", "ne>"),
        ("two", "two"),
        ("two", "<tw"),
        ("two", "two"),
        ("two", "wo>"),
        ("six", "<si"),
        ("six", "six"),
        ("six", "ix>"),
        ("</s>", "</s>"),
        ("one two", "one two"),
        ("two six", "two six"),
        ("six </s>", "six </s>"),
    ]
    best = model.predict("one two six").labels[0]
    assert model.explain("one two six") == model.explain("one two six", best)
    assert found[0].score != found[1].score


def test_a_text_without_known_features_has_no_answer_and_no_explanation(make):
    model = make(words=[b"one"], bucket=0, maxn=0)
    for text in ("", "two", "__label__a", " \t"):
        assert model.predict(text).labels == ()
        assert model.predict(text).probabilities.dtype == np.float32
        assert model.explain(text) == []
        assert not model.sentence_vector(text).any()


def test_sentence_vectors_are_the_mean_of_unit_word_vectors():
    sample = ftl.load("sample")
    words = ["war", "and", "zzyzx", "peace"]
    units = [sample[word] / np.linalg.norm(sample[word]) for word in words]
    assert_allclose(
        sample.sentence_vector(" war\tand \vzzyzx\fpeace\r"), np.mean(units, axis=0), atol=1e-6
    )
    many = sample.sentence_vectors(["war and peace", "", b"war"] * 700)
    assert_allclose(many[2], sample["war"] / np.linalg.norm(sample["war"]), atol=1e-6)
    assert not many[1].any()
    long = " ".join(sample.words[:1000])
    vectors = sample[sample.words[:1000]]
    expected = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).mean(axis=0)
    assert_allclose(sample.sentence_vector(long), expected, atol=1e-6)


def test_long_words_and_long_word_ngrams_are_read_in_pieces(make):
    model = make(minn=1, maxn=6, bucket=500, dim=3, word_ngrams=30, words=[b"one"])
    word = "".join(chr(97 + i * i % 26) for i in range(3000))
    for text in (word, " ".join(word), f"one {word} {word[:255]} {word[:254]} {word[:300]}"):
        features = model.explain(text, "__label__a")
        total = sum(one.score for one in features)
        score = float(model.output_matrix[0] @ model.sentence_vector(text))
        assert total == pytest.approx(score, abs=1e-4)


def test_word_sums_and_decoded_rows_answer_as_the_plain_tables_do(make, monkeypatch):
    options = {
        "dim": 7,
        "minn": 1,
        "maxn": 3,
        "prune": [(8, 2), (0, 0), (5, 3), (3, 1)],
        "input_quantizer": Quantizer(3, qnorm=True),
    }
    fast = make(**options)
    # The tables are made when they pay.
    fast.predict(TEXTS * 20)
    fast = fast.predict(TEXTS, k=-1)
    monkeypatch.setattr("fasttext_lite.layers._TABLE_SIZE", 0)
    plain = make(**options).predict(TEXTS, k=-1)
    assert_array_equal(fast.label_ids, plain.label_ids)
    assert_allclose(fast.probabilities, plain.probabilities, rtol=1e-5)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 0), ("float16", 1e-3), ("int8", 0.02)]
)
@pytest.mark.parametrize("loss", [SOFTMAX, OVA, HS])
def test_a_compact_file_answers_as_the_model_it_was_made_from(
    make, tmp_path, loss, dtype, tolerance
):
    model = make(loss=loss, dim=21, word_ngrams=2, minn=2, maxn=3)
    ftl.convert(model.info.path, tmp_path / "compact.safetensors", dtype=dtype)
    compact = ftl.load(tmp_path / "compact.safetensors")
    for text in TEXTS:
        expected = dict(zip(*model.predict(text, -1, -1.0), strict=True))
        found = dict(zip(*compact.predict(text, -1, -1.0), strict=True))
        assert found == pytest.approx(expected, abs=tolerance + 1e-7)
        assert_allclose(
            compact.sentence_vector(text), model.sentence_vector(text), atol=tolerance + 1e-7
        )


def test_sentences_of_a_compact_file_are_made_from_its_word_vectors(tmp_path):
    sample = ftl.load("sample")
    ftl.convert(sample.info.path, tmp_path / "compact.safetensors")
    compact = ftl.load(tmp_path / "compact.safetensors")
    texts = ["war and peace", "zzyzx of the musicianship", "", " ".join(sample.words[:100])]
    assert_allclose(compact.sentence_vectors(texts), sample.sentence_vectors(texts), atol=1e-6)


def test_a_sentence_leaves_out_words_that_a_closed_model_does_not_know(tmp_path):
    path = ftl.load("sample").info.path
    ftl.convert(path, tmp_path / "closed.safetensors", subwords="none")
    closed = ftl.load(tmp_path / "closed.safetensors")
    unknown = " ".join(f"zzyzx{i}" for i in range(40))
    assert_array_equal(
        closed.sentence_vector(f"zzyzx war {unknown} peace zzyzx"),
        closed.sentence_vector("war peace"),
    )
    assert not closed.sentence_vector(unknown).any()


@pytest.mark.parametrize(
    ("ask", "error", "match"),
    [
        (lambda m: m.predict("a\nb"), ftl.InputValueError, "must not hold a newline"),
        (lambda m: m.predict(["a", "a\n"]), ftl.InputValueError, r"texts\[1\]: .* newline"),
        (lambda m: m.predict_ids(["a\n"]), ftl.InputValueError, r"texts\[0\]"),
        (lambda m: m.sentence_vector("\n"), ftl.InputValueError, "newline"),
        (lambda m: m.sentence_vectors(["\n"]), ftl.InputValueError, r"texts\[0\]"),
        (lambda m: m.explain("a\nb"), ftl.InputValueError, "newline"),
        (lambda m: m.predict("a", k=0), ftl.InputValueError, "k must be at least 1"),
        (lambda m: m.predict("a", k=-2), ftl.InputValueError, "or -1 for all"),
        (lambda m: m.predict(["a"], k=0), ftl.InputValueError, "k must be at least 1"),
        (lambda m: m.predict("a", k=1.5), ftl.InputTypeError, "k must be int"),
        (lambda m: m.predict("a", k=True), ftl.InputTypeError, "k must be int"),
        (lambda m: m.predict("a", threshold="b"), ftl.InputTypeError, "threshold must be a number"),
        (lambda m: m.predict(["a"], threshold=None), ftl.InputTypeError, "threshold must be"),
        (lambda m: m.predict(3), ftl.InputTypeError, "iterable of str or bytes"),
        (lambda m: m.predict(["a", 3]), ftl.InputTypeError, r"texts\[1\]: a text must be"),
        (lambda m: m.predict("\ud800"), ftl.InputValueError, "the text .* lone surrogate"),
        (lambda m: m.predict(["a"], threads=0), ftl.InputValueError, "threads"),
        (lambda m: m.predict_ids("a"), ftl.InputTypeError, "pass it in a list"),
        (lambda m: m.sentence_vectors("a"), ftl.InputTypeError, "pass it in a list"),
        (lambda m: m.sentence_vector(3), ftl.InputTypeError, "a text must be str or bytes"),
        (lambda m: m.explain("one", "one"), ftl.InputValueError, "is not a label of this model"),
        (lambda m: m.explain("one", "zzz"), ftl.InputValueError, "is not a label of this model"),
    ],
)
def test_a_wrong_question_is_answered_clearly(model, ask, error, match):
    with pytest.raises(error, match=match):
        ask(model)


def test_only_supervised_models_have_predictions():
    sample = ftl.load("sample")
    for ask in (sample.predict, sample.explain, lambda text: sample.predict_ids([text])):
        with pytest.raises(ftl.ModelKindError, match="supervised for prediction"):
            ask("war")
    with pytest.raises(ftl.ModelKindError):
        sample.classifier()
    with pytest.raises(ftl.InputValueError, match="newline"):
        sample.sentence_vector("war\npeace")


@pytest.mark.parametrize("loss", [SOFTMAX, OVA, HS])
def test_a_model_with_nan_has_no_answer(make, loss):
    broken = np.zeros((13, 4), "f4")
    broken[1] = np.nan
    model = make(loss=loss, words=[b"one", b"bad", b"three"], input_matrix=broken, maxn=0)
    assert len(model.predict("one", -1, -1.0).labels) == 3
    with pytest.raises(ftl.NotANumberError, match=r"^encountered NaN"):
        model.predict("one bad")
    with pytest.raises(RuntimeError, match=r"texts\[1\]: encountered NaN"):
        model.predict(["one", "bad", "one"])


@pytest.mark.parametrize("counts", [[10**15, 1, 1], [5, -1, 1], [2**61, 2**61, 2**61]])
def test_label_counts_that_make_no_tree_are_refused(make, counts):
    with pytest.raises(ftl.InputValueError, match="no tree can be built"):
        make(loss=HS, label_counts=counts).predict("one")


@pytest.mark.parametrize("loss", [SOFTMAX, OVA, HS])
def test_a_model_without_labels_has_empty_answers(make, loss):
    model = make(loss=loss, labels=[])
    assert model.predict("one", k=-1).labels == ()
    assert model.predict_ids(["one"], k=2)[0].shape == (1, 0)
    assert model.explain("one") == []


def test_a_tree_as_deep_as_it_gets_is_searched_without_recursion(make):
    count = 3000
    model = make(
        loss=HS, labels=[b"__label__%d" % i for i in range(count)], label_counts=[0] * count, dim=2
    )
    found = model.predict("one", k=-1, threshold=-1)
    assert len(found.labels) == count
    assert found.probabilities.sum(dtype=float) == pytest.approx(1, abs=1e-4)
    assert model.predict("one", threshold=-1).labels == model.predict("one", 3, -1).labels[:1]


@pytest.mark.parametrize("file", ["hs.bin", "softmax.bin", "pruned.ftz"])
def test_the_first_answers_of_many_threads_are_equal(file):
    model = ftl.load(GOLDEN / file)
    text = "the old train was late"
    barrier = threading.Barrier(8)
    found = []

    def ask():
        barrier.wait()
        found.append(model.predict(text, k=3))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(one.labels, one.probabilities.tobytes()) for one in found}) == 1


def test_a_model_that_has_answered_still_pickles(make):
    model = make()
    expected = model.predict("one two", k=2)
    again = pickle.loads(pickle.dumps(model)).predict("one two", k=2)
    assert again.labels == expected.labels
    assert pickle.loads(pickle.dumps(expected)).labels == expected.labels
