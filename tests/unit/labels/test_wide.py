"""Models with many labels: the same bits in lists and one by one, and those of plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import HS, NS, OVA, SOFTMAX, SUPERVISED, Quantizer, build

import fasttext_lite as ftl

COUNT, DIM = 500, 48
WORDS = [b"</s>", *(b"word%d" % i for i in range(30))]
TEXTS = [" ".join(f"word{i * j % 37}" for j in range(1 + i % 9)) for i in range(70)]
TEXTS[5] = TEXTS[40] = ""


@pytest.fixture
def make(tmp_path):
    """Return a function that opens a supervised model with many labels."""

    def build_and_load(count=COUNT, dim=DIM, **options):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.bin"
        labels = [b"__label__%d" % i for i in range(count)]
        path.write_bytes(
            build(
                model=SUPERVISED,
                **{"words": WORDS, "labels": labels, "dim": dim, "bucket": 99, **options},
            )
        )
        return ftl.load(path)

    return build_and_load


def plain_probabilities(model, text):
    """Return the softmax of one text, summed number by number in float32 as officially."""
    output = np.empty((len(model.labels), model.dim), np.float32)
    model._parts.output.rows.take(np.arange(len(output)), output)
    products = output * model.sentence_vector(text)
    scores = np.cumsum(products, axis=1, dtype=np.float32)[:, -1]
    powers = np.exp((scores - scores.max()).astype(np.float64)).astype(np.float32)
    return powers / np.cumsum(powers, dtype=np.float32)[-1]


@pytest.mark.parametrize("k", [1, 2, 5, 100, -1])
@pytest.mark.parametrize("loss", [SOFTMAX, HS, NS, OVA])
@pytest.mark.parametrize("quantizer", [None, Quantizer(3), Quantizer(7, qnorm=True)])
def test_lists_and_single_texts_have_the_same_bits(make, loss, quantizer, k):
    model = make(loss=loss, input_quantizer=quantizer, output_quantizer=quantizer)
    for options in (
        {},
        {"threshold": 1e-3},
        {"labels": list(model.labels)[::3]},
        {"labels": list(model.labels)[:20], "renormalize": True},
    ):
        for threads in (1, 2):
            many = model.predict(TEXTS, k, threads=threads, **options)
            for text, found in zip(TEXTS, many, strict=True):
                one = model.predict(text, k, **options)
                assert found.labels == one.labels
                assert_array_equal(found.probabilities, one.probabilities)
    for row, text in zip(model.probabilities(TEXTS), TEXTS, strict=True):
        one = model.predict(text, k=-1, threshold=-1)
        found = dict(zip(one.labels, one.probabilities.tolist(), strict=True))
        assert row.tolist() == [found.get(label, 0) for label in model.labels]


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_probabilities_are_those_of_plain_arithmetic(make, tmp_path, dtype):
    make()
    path = tmp_path / f"{dtype}.safetensors"
    ftl.convert(tmp_path / "0.bin", path, dtype=dtype)
    model = ftl.load(path)
    found = model.probabilities(TEXTS)
    for text, row in zip(TEXTS, found, strict=True):
        if text:
            expected = plain_probabilities(model, text)
            assert_array_equal(row, expected)
            best = model.predict(text, 2)
            assert_array_equal(best.probabilities, np.sort(expected)[:-3:-1])


def test_panels_that_are_not_kept_give_the_same_bits(make):
    # 9 MB of rows, of which 4 MB are a model of their own.
    count, dim = 9000, 256
    output = np.random.default_rng(3).standard_normal((count, dim), np.float32)
    every = make(count, dim, loss=OVA, output_matrix=output)
    some = make(count // 2, dim, loss=OVA, output_matrix=output[: count // 2])
    assert_array_equal(
        every.probabilities(TEXTS[:20])[:, : count // 2], some.probabilities(TEXTS[:20])
    )


@pytest.mark.parametrize("count", [1, 15, 16, 17])
def test_any_number_of_labels(make, count):
    model = make(count)
    for text, row in zip(TEXTS, model.probabilities(TEXTS), strict=True):
        if text:
            assert_array_equal(row, plain_probabilities(model, text))


def test_the_first_text_that_fails_is_named(make):
    words = [b"</s>", b"good", b"bad"]
    rows = np.ones((12, DIM), np.float32)
    rows[2] = np.nan
    model = make(words=words, bucket=9, minn=0, maxn=0, input_matrix=rows)
    for bad in (3, 15, 16, 33):
        for newline in (4, 17, 40):
            texts = ["good"] * 50
            texts[bad] = "bad"
            texts[newline] = "good\ngood"
            error = ftl.NotANumberError if bad < newline else ftl.InputValueError
            for call in (model.predict, model.probabilities):
                with pytest.raises(error, match=rf"texts\[{min(bad, newline)}\]"):
                    call(texts, threads=1)


def test_infinite_scores_raise_nothing_or_the_same_in_lists(make):
    output = np.zeros((COUNT, DIM), np.float32)
    output[7] = np.inf
    model = make(output_matrix=output, input_matrix=np.ones((130, DIM), np.float32))
    one = model.predict("word1", 3)
    many = model.predict(["word1", "word2"], 3)
    assert many[0].labels == many[1].labels == one.labels
    assert_array_equal(many[0].probabilities, one.probabilities)
