"""`test` of classifiers: which lines count, and the metrics of right and wrong predictions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import OVA, SUPERVISED, build

import fasttext_lite as ftl
from fasttext_lite.evaluate.labels import Meter, Tally, read_labelled

NAN = float("nan")


@pytest.fixture
def model(tmp_path):
    """Return a model that predicts for each word the label of the same position."""
    path = tmp_path / "model.bin"
    path.write_bytes(
        build(
            model=SUPERVISED,
            loss=OVA,
            dim=3,
            words=[b"one", b"two", b"three"],
            labels=[b"__label__a", b"__label__b", b"__label__c"],
            bucket=0,
            maxn=0,
            input_matrix=np.diag([3, 3, 3]).astype("f4"),
            output_matrix=np.eye(3, dtype="f4"),
        )
    )
    return ftl.load(path)


@pytest.fixture
def tested(model, tmp_path):
    """Return a function that tests the model on bytes."""

    def run(text, *arguments):
        path = tmp_path / "examples.txt"
        path.write_bytes(text)
        return model.test(path, *arguments)

    return run


def meter(*entries, gold):
    ids, scores, true = zip(*entries, strict=True)
    return Meter(
        np.array(ids, np.int32), np.array(scores, np.float32), np.array(true, bool), np.array(gold)
    )


def test_right_and_wrong_predictions_are_counted(tested):
    scores = tested(b"__label__a one\n__label__b one\n__label__b two\n__label__b two one\n")
    assert scores.examples == 4
    # The two labels of the last line have equal scores; one of them is predicted.
    assert scores.precision == scores.recall == scores.f1 == pytest.approx(0.625, abs=0.13)
    assert_array_equal(scores.meter.gold, [1, 3, 0])
    assert scores.label_recall[0] == 1
    assert np.isnan(scores.label_recall[2])
    assert list(scores.labels) == ["__label__a", "__label__b", "__label__c"]


def test_scores_are_shown_without_their_arrays(tested):
    shown = repr(tested(b"__label__a one\n__label__b two\n"))
    assert "examples=2" in shown
    assert "array" not in shown


@pytest.mark.parametrize(
    "line",
    [b"", b"  ", b"one", b"__label__a", b"__label__unheard one", b"__label__a unheard"],
)
def test_lines_without_a_known_label_or_feature_do_not_count(tested, line):
    scores = tested(b"__label__a one\n" + line + b"\n__label__b two\n")
    assert scores.examples == 2
    assert scores.precision == scores.recall == 1


def test_unknown_labels_are_no_part_of_the_truth(tested):
    assert tested(b"__label__a __label__unheard one\n").recall == 1


def test_a_label_that_a_line_has_twice_counts_twice(tested):
    scores = tested(b"__label__a __label__a one\n")
    assert scores.precision == 1
    assert scores.recall == 0.5


def test_labels_may_stand_anywhere(tested):
    assert tested(b"one __label__a\n\t__label__b\0two\r\n").precision == 1


def test_more_labels_raise_recall_and_lower_precision(tested):
    scores = tested(b"__label__a __label__b one two\n", 2)
    assert (scores.precision, scores.recall, scores.k) == (1, 1, 2)
    scores = tested(b"__label__a one\n", -1)
    assert (scores.precision, scores.recall) == (1 / 3, 1)
    assert scores.f1 == pytest.approx(0.5)


def test_a_threshold_that_leaves_nothing_leaves_the_line(tested):
    scores = tested(b"__label__a one\n__label__b unheard\n", 1, 0.99)
    assert scores.examples == 1
    assert np.isnan(scores.precision)
    assert scores.recall == 0
    assert np.isnan(scores.f1)


def test_a_file_without_examples_has_no_scores(tested):
    scores = tested(b"")
    assert scores.examples == 0
    assert np.isnan([scores.precision, scores.recall, scores.f1]).all()
    assert np.isnan(scores.label_f1).all()


def test_the_block_size_changes_nothing(tested, monkeypatch):
    text = b"__label__a one\n__label__b three\n\n__label__c two three\n" * 50
    whole = tested(text, -1)
    monkeypatch.setattr("fasttext_lite.evaluate.labels._BLOCK", 7)
    parts = tested(text, -1)
    assert parts.examples == whole.examples == 150
    for ours, theirs in zip(parts.meter.curve(), whole.meter.curve(), strict=True):
        assert_array_equal(ours, theirs)


def test_a_missing_file_is_named(model, tmp_path):
    with pytest.raises(ftl.MissingFileError, match=r"nothing\.txt"):
        model.test(tmp_path / "nothing.txt")
    with pytest.raises(ftl.FileError):
        model.test(tmp_path)


def test_an_unsupervised_model_cannot_be_tested(tmp_path):
    with pytest.raises(ftl.ModelKindError):
        ftl.load("sample").test(tmp_path)


def test_another_prefix_makes_other_labels(model, tmp_path):
    path = tmp_path / "examples.txt"
    # With the usual prefix, #x is an unknown word without effect.
    path.write_bytes(b"#x one __label__a\n__label__b #x\n")
    assert model.classifier("#").test(path).examples == model.test(path).examples == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", []),
        (b"a\n", [([b"a"], True)]),
        (b"a\r\n\nb\n", [([b"a\r", b"", b"b"], True)]),
        (b"a\nb", [([b"a"], True), ([b"b"], False)]),
        (b"a </s> b\n", [([b"a ", b" b"], True)]),
        (b"</s>\n", [([b"", b""], True)]),
        (b"a</s> </s>b\n", [([b"a</s> </s>b"], True)]),
        (b"</s>\t</s>\0c", [([b"", b"\t"], True), ([b"\0c"], False)]),
    ],
)
def test_newlines_and_end_tokens_end_lines(tmp_path, text, expected):
    path = tmp_path / "lines.txt"
    path.write_bytes(text)
    assert list(read_labelled(str(path), 1 << 20)) == expected


def test_a_line_is_longer_than_a_block(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes(b"a\n" + b"b" * 100 + b"\nc\nd")
    blocks = list(read_labelled(str(path), 3))
    assert [line for lines, ended in blocks if ended for line in lines] == [b"a", b"b" * 100, b"c"]
    assert blocks[-1] == ([b"d"], False)


def test_a_curve_has_a_point_for_each_score_down_to_full_recall():
    measured = meter(
        (0, 0.9, True), (0, 0.8, False), (0, 0.8, True), (0, 0.5, False), (0, -1, True), gold=[3]
    )  # fmt: skip
    precision, recall = measured.curve(0)
    assert_array_equal(precision, [1, 2 / 3, 0.5, 1])
    assert_array_equal(recall, [1 / 3, 2 / 3, 2 / 3, 0])
    assert measured.precision_at_recall(0.5) == 2 / 3
    assert measured.precision_at_recall(0.7) == 0
    assert measured.recall_at_precision(0.6) == 2 / 3
    assert measured.recall_at_precision(1.1) == 0


def test_a_curve_ends_where_all_is_found():
    measured = meter((0, 0.9, True), (0, 0.5, False), gold=[1])
    precision, recall = measured.curve()
    assert_array_equal(precision, [1, 1])
    assert_array_equal(recall, [1, 0])


def test_a_label_that_no_text_has_has_no_recall():
    measured = meter((0, 0.9, False), (1, 0.8, True), gold=[0, 1])
    precision, recall = measured.curve(0)
    assert_array_equal(precision, [0, 1])
    assert_array_equal(recall, [NAN, 0])
    assert measured.recall_at_precision(0, 0) == 0
    assert_array_equal(measured.precision(), [0, 1])
    assert_array_equal(measured.recall(), [NAN, 1])
    assert_array_equal(measured.f1(), [0, 1])


def test_nothing_predicted_has_no_curve():
    measured = meter((0, -1, True), gold=[1, 0])
    for label in (None, 0, 1):
        assert [len(part) for part in measured.curve(label)] == [0, 0]
        assert measured.precision_at_recall(0, label) == 0
    assert np.isnan(measured.precision()).all()


def test_scores_come_in_ascending_order_with_what_was_missed_first():
    measured = meter((1, 0.5, True), (0, 0.5, False), (1, 0.2, False), (0, -1, True), gold=[1, 1])
    scores, true = measured.score_vs_true()
    assert_array_equal(scores, np.array([-1, 0.2, 0.5, 0.5], "f4"))
    assert_array_equal(true, [True, False, False, True])
    scores, true = measured.score_vs_true(1)
    assert_array_equal(scores, np.array([0.2, 0.5], "f4"))
    assert_array_equal(true, [False, True])


def test_scores_above_one_count_as_one():
    tally = Tally(2)
    ids, numbers = np.array([[1, 0]], np.int32), np.array([[1.00001, 0.1]], np.float32)
    tally.add(ids, numbers, np.array([1]), np.array([1], np.int32))
    assert tally.meter().score_vs_true(1)[0] == [1]
    assert tally.examples == 1
