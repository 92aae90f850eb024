"""For any small supervised model and any line, results equal the reference classifier."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from support import reference, reference_predict
from support.builders import CBOW, HS, NS, OVA, SKIPGRAM, SOFTMAX, SUPERVISED, Quantizer, build
from support.strategies import FLORET, with_buckets

import fasttext_lite as ftl

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKENS = [
    b"one",
    b"two",
    b"a",
    "é水".encode(),
    b"\xff",
    b"</s>",
    b"__label__b",
    b"__label__z",
    b"c",
]
LINES = st.lists(
    st.sampled_from([*TOKENS, b" ", b"\t", b"\0", b"\r", b"\x0b", b"\xc3", b"x" * 60]), max_size=40
).map(b"".join) | st.lists(st.sampled_from(TOKENS), max_size=20).map(b" ".join)
NGRAMS = st.sampled_from([(0, 0), (1, 2), (2, 4), (3, 6), (0, 1), (4, 3)])
# The step of the sigmoid table: the last bit of a score may select the next entry.
STEP = 1 / 32 / 4


@st.composite
def models(draw: st.DrawFn, kinds: tuple[int, ...]) -> dict[str, Any]:
    minn, maxn = draw(NGRAMS)
    labels = [b"__label__b", b"c", b"__label__", b"__label__d", b"e"][: draw(st.integers(1, 5))]
    options = {
        "seed": draw(st.integers(0, 2**32 - 1)),
        "version": draw(st.sampled_from([11, 12])),
        "floret": draw(FLORET),
        "model": draw(st.sampled_from(kinds)),
        "loss": draw(st.sampled_from([HS, NS, SOFTMAX, OVA])),
        "dim": draw(st.integers(1, 40)),
        "word_ngrams": draw(st.sampled_from([1, 2, 3, 12])),
        "bucket": draw(st.sampled_from([0, 1, 7, 997])),
        "minn": minn,
        "maxn": maxn,
        "words": draw(st.lists(st.sampled_from(TOKENS[:6]), min_size=1, max_size=6)),
        "labels": labels,
        "label_counts": draw(
            st.lists(st.integers(0, 9), min_size=len(labels), max_size=len(labels))
        ),
    }
    if draw(st.booleans()):
        options["input_quantizer"] = draw(st.builds(Quantizer, st.integers(1, 9), st.booleans()))
        options["output_quantizer"] = draw(
            st.none() | st.builds(Quantizer, st.integers(1, 9), st.booleans())
        )
        if options["bucket"] and draw(st.booleans()):
            options["bucket"] = draw(st.sampled_from([options["bucket"], 2_000_000]))
            buckets = draw(
                st.lists(st.integers(0, options["bucket"] - 1), unique=True, max_size=30)
            )
            options["prune"] = [(bucket, row) for row, bucket in enumerate(buckets)]
    return with_buckets(options)


def both_of(options: dict[str, Any]) -> Iterator[tuple[ftl.Model, reference.ReferenceModel]]:
    with TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        path = Path(directory, "model.bin")
        path.write_bytes(build(**options))
        yield ftl.load(path, mmap=False), reference.parse(path)


@given(
    options=models((SUPERVISED, CBOW, SKIPGRAM)),
    lines=st.lists(LINES, min_size=1, max_size=6),
)
def test_sentence_vectors_are_equal(options: dict[str, Any], lines: list[bytes]) -> None:
    for ours, slow in both_of(options):
        expected = np.array([reference_predict.sentence_vector(slow, line) for line in lines])
        assert_allclose(ours.sentence_vectors(lines), expected, rtol=1e-5, atol=2e-6)


UNORDERED_WITHOUT_BIAS = {
    "seed": 1254,
    "version": 11,
    "model": SUPERVISED,
    "loss": HS,
    "dim": 36,
    "bucket": 997,
    "minn": 0,
    "maxn": 0,
    "words": [b"one", b"</s>"],
    "labels": [b"__label__b", b"c", b"__label__", b"__label__d"],
    "label_counts": [0, 1, 0, 0],
}


@example(options=UNORDERED_WITHOUT_BIAS, lines=[b""])
@given(options=models((SUPERVISED,)), lines=st.lists(LINES, min_size=1, max_size=6))
def test_every_label_has_its_probability(options: dict[str, Any], lines: list[bytes]) -> None:
    stepped = options["loss"] in (NS, OVA)
    for ours, slow in both_of(options):
        for line in lines:
            expected = reference_predict.probabilities(slow, line)
            event("an answer" if expected else "no answer")
            for bias, column in ((True, 0), (False, 1)):
                found = ours.predict(line, -1, -1.0, official_bias=bias)
                # The order is that of the biased ones, from which others differ by the bias.
                assert (np.diff(found.probabilities) <= (0 if bias else 1e-5)).all()
                by_label = dict(zip(found.labels, found.probabilities, strict=True))
                assert len(by_label) == len(found.labels) == len(expected)
                for label, one in zip(ours.labels, expected, strict=bool(expected)):
                    limit = 1e-5 + STEP * stepped
                    assert abs(by_label[label] - one[column]) <= limit


@given(
    options=models((SUPERVISED,)),
    line=LINES,
    k=st.integers(1, 7),
    threshold=st.sampled_from([0.0, 0.1, 0.3]),
)
def test_a_part_of_the_labels_is_the_best_part(
    options: dict[str, Any], line: bytes, k: int, threshold: float
) -> None:
    for ours, _ in both_of(options):
        every = ours.predict(line, -1, -1.0).probabilities
        best = ours.predict(line, k, threshold)
        # In hierarchical softmax the threshold applies to the sum with the bias of each turn.
        sure = every[every > threshold + 1e-4]
        assert len(best.labels) >= min(k, len(sure))
        assert (best.probabilities >= threshold - 1e-4).all()
        assert_allclose(best.probabilities, every[: len(best.labels)], atol=1e-4)


@given(options=models((SUPERVISED,)), line=LINES)
def test_an_explanation_has_the_rows_of_the_line(options: dict[str, Any], line: bytes) -> None:
    for ours, slow in both_of(options):
        rows = reference_predict.line_rows(slow, line)
        label = ours.labels[0]
        found = ours.explain(line, label)
        assert len(found) == len(rows)
        if options["loss"] != HS and rows:
            row = slow.output_matrix[slow.labels.index(slow.labels[0])].astype(float)
            expected = slow.input_matrix[rows].astype(float) @ row / len(rows)
            scores = sorted(one.score for one in found)
            assert_allclose(scores, sorted(expected), rtol=1e-4, atol=1e-5)


@given(options=models((SUPERVISED,)), lines=st.lists(LINES, min_size=1, max_size=4))
def test_a_matrix_holds_the_probability_of_every_label(
    options: dict[str, Any], lines: list[bytes]
) -> None:
    stepped = options["loss"] in (NS, OVA)
    for ours, slow in both_of(options):
        matrix = ours.probabilities(lines)
        for row, line in zip(matrix, lines, strict=True):
            expected = reference_predict.probabilities(slow, line)
            plain = [p for _, p in expected] or [0.0] * len(ours.labels)
            assert_allclose(row, plain, rtol=0, atol=1e-5 + STEP * stepped)


@given(options=models((SUPERVISED,)), line=LINES, data=st.data())
def test_given_labels_have_their_share_of_the_probability(
    options: dict[str, Any], line: bytes, data: st.DataObject
) -> None:
    for ours, slow in both_of(options):
        # Labels that occur twice have one name.
        places = st.integers(0, len(ours.labels) - 1)
        chosen = data.draw(st.lists(places, min_size=1, max_size=5, unique=True))
        found = ours.predict(line, -1, labels=chosen)
        every = ours.predict(line, -1, -1.0)
        kept = [label for label in every.labels if ours.label_id(label) in chosen]
        assert list(found.labels) == kept
        shares = ours.probabilities([line], chosen, renormalize=True)[0]
        expected = reference_predict.probabilities(slow, line)
        plain = np.array([expected[i][1] for i in chosen]) if expected else np.zeros(len(chosen))
        if options["loss"] in (HS, SOFTMAX) and plain.sum() > 1e-4:
            assert_allclose(shares, plain / plain.sum(), rtol=0, atol=1e-4)
        else:
            assert shares.sum() == (0 if not expected else pytest.approx(1))


@given(
    options=models((SUPERVISED, CBOW, SKIPGRAM)),
    lines=st.lists(LINES, min_size=1, max_size=4),
)
def test_evidence_counts_the_rows_of_a_line(options: dict[str, Any], lines: list[bytes]) -> None:
    for ours, slow in both_of(options):
        words, features = ours.evidence(lines)
        for known, rows, line in zip(words, features, lines, strict=True):
            if options["model"] != SUPERVISED:
                tokens = reference_predict.split(line, reference_predict.SPACES)
                assert rows == sum(len(ours.subwords(token)) for token in tokens)
                assert known == sum(token in ours for token in tokens)
                continue
            end = slow.word_id(reference.END_OF_SENTENCE)
            expected = reference_predict.line_rows(slow, line)
            assert rows == len(expected) - (end >= 0)
