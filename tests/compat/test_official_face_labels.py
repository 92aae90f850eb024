"""Predictions and tests of the fasttext layer compared with those of the official Python class."""

from __future__ import annotations

import itertools
import random
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.builders import SUPERVISED, build
from support.official_pairs import MODELS, Pair, assert_same, lines, make_pairs
from support.text import language_lines

from fasttext_lite.compat import fasttext as face
from fasttext_lite.evaluate.labels import Meter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

official = pytest.importorskip("fasttext")
CLASSIFIERS = [name for name in MODELS if name not in ("cbow", "skipgram")]
# Scores closer than this may be in another order.
TIE = 2e-6


@pytest.fixture(scope="module")
def open_pair(trained: Callable[..., Path]) -> Callable[[str], Pair]:
    return make_pairs(trained)


@pytest.fixture(params=CLASSIFIERS)
def classifiers(request: pytest.FixtureRequest, open_pair: Callable[[str], Pair]) -> Pair:
    return open_pair(request.param)


def test_predictions_of_many_are_equal(classifiers: Pair) -> None:
    for k, threshold in itertools.product((1, 3, -1), (0.0, 0.05, 0.9)):
        labels, probabilities = classifiers.ours.predict(lines(), k, threshold)
        expected, numbers = classifiers.official.predict(lines(), k, threshold)
        assert type(labels) is list
        assert type(probabilities) is list
        compared = zip(labels, expected, probabilities, numbers, strict=True)
        for ours, theirs, our_numbers, their_numbers in compared:
            assert type(ours) is list
            assert our_numbers.dtype == their_numbers.dtype == np.float32
            near = np.abs(their_numbers - threshold).min(initial=1) < TIE
            if not near:
                assert_allclose(our_numbers, their_numbers, atol=1e-5)
            tied = np.diff(their_numbers, prepend=2, append=-1) > -TIE
            unique = ~(tied[:-1] | tied[1:])
            if len(unique) and not near and k != -1:
                # The last of k may tie with one that is not listed.
                unique[-1] = False
                assert_array_equal(np.array(ours)[unique], np.array(theirs)[unique])


def test_a_prediction_of_one_has_the_official_types(classifiers: Pair) -> None:
    for line, k in itertools.product(lines()[:40], (1, 3)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pairs = classifiers.official.f.predict(line + "\n", k, 0.0, "strict")
        labels, probabilities = classifiers.ours.predict(line, k)
        assert type(labels) is tuple
        assert probabilities.dtype == np.float64
        assert_allclose(probabilities, [number for number, _ in pairs], atol=1e-5)
        (many,), (numbers,) = classifiers.ours.predict([line], k)
        assert labels == tuple(many)
        assert_array_equal(probabilities, numbers)


def test_a_prediction_without_known_features_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(
        build(words=[b"one"], labels=[b"__label__a"], model=SUPERVISED, bucket=0, maxn=0)
    )
    ours, theirs = face.load_model(path), official.load_model(str(path))
    assert_same(ours.predict("unheard"), ((), np.array([])))
    assert_same(ours.predict(["unheard"]), theirs.predict(["unheard"]))
    assert_same(ours.predict([]), theirs.predict([]))


def examples() -> list[str]:
    """Return labelled lines of every kind that `test` has to handle."""
    source = random.Random(1)
    made = []
    for line in language_lines(300, seed=3):
        label, text = line.split(" ", 1)
        made.append(
            source.choice(
                [
                    line,
                    line,
                    line,
                    f"{text} __label__de __label__de",
                    f"__label__unheard {line}",
                    text,
                    line.replace(" ", " </s> ", 2),
                    label,
                    line.replace(" ", "\t\0 \r", 1),
                    "__label__unheard qqq",
                    "",
                    f"{line}\r",
                ]
            )
        )
    return made


FILES = {
    "closed": "\n".join(examples()) + "\n",
    "open": "\n".join(examples()[:57]),
    "open after an end token": "__label__de a </s> __label__de der Bäcker",
    "label alone": "__label__de",
    "empty": "",
}


@pytest.fixture(params=FILES)
def labelled(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "test.txt"
    path.write_text(FILES[request.param], encoding="utf-8", newline="")
    return path


def test_tests_give_equal_numbers(open_pair: Callable[[str], Pair], labelled: Path) -> None:
    for name in ("softmax", "ova", "pruned"):
        pair = open_pair(name)
        for k, threshold in itertools.product((1, 2, -1), (0.0, 0.1, 0.99)):
            theirs = pair.official.test(str(labelled), k, threshold)
            ours = pair.ours.test(str(labelled), k, threshold)
            assert [type(number) for number in ours] == [type(number) for number in theirs]
            assert_array_equal(ours, theirs)
            by_label = pair.ours.test_label(str(labelled), k, threshold)
            expected = pair.official.test_label(str(labelled), k, threshold)
            assert by_label.keys() == expected.keys()
            for label, scores in expected.items():
                assert list(by_label[label]) == list(scores)
                assert_array_equal(list(by_label[label].values()), list(scores.values()))


def test_meters_agree(open_pair: Callable[[str], Pair], labelled: Path) -> None:
    for name in ("softmax", "hs", "ova"):
        pair = open_pair(name)
        ours = pair.ours.get_meter(str(labelled))
        theirs = pair.official.f.getMeter(str(labelled), -1)
        for i, label in enumerate(pair.official.labels[:8]):
            scores, true = ours.score_vs_true(label)
            expected = np.array(theirs.scoreVsTrue(i)).reshape(-1, 2)
            assert scores.dtype == true.dtype == np.float64
            assert_allclose(scores, expected[:, 0], atol=2e-5)
            assert true.sum() == expected[:, 1].sum()
        precision, recall = ours.precision_recall_curve()
        assert precision.dtype == recall.dtype == np.float64
        for point in (0.0, 0.1, 0.5, 0.9, 1.0):
            assert ours.precision_at_recall(point) == pytest.approx(
                theirs.precisionAtRecall(point), abs=0.01
            )
            assert ours.recall_at_precision(point) == pytest.approx(
                theirs.recallAtPrecision(point), abs=0.01
            )


def test_curves_over_the_official_scores_are_equal(
    open_pair: Callable[[str], Pair], labelled: Path
) -> None:
    pair = open_pair("ova")
    theirs = pair.official.f.getMeter(str(labelled), -1)
    pairs = [theirs.scoreVsTrue(i) for i in range(len(pair.official.labels))]
    ids = np.repeat(np.arange(len(pairs), dtype=np.int32), [len(one) for one in pairs])
    scores, true = np.array([entry for one in pairs for entry in one]).reshape(-1, 2).T
    gold = pair.ours.lite_model.test(labelled).meter.gold
    ours = Meter(ids, scores.astype(np.float32), true > 0, gold)
    for i in range(-1, len(pairs)):
        label = None if i < 0 else i
        curve = theirs.precisionRecallCurve() if i < 0 else theirs.precisionRecallCurveLabel(i)
        expected = np.array(curve).reshape(-1, 2)
        assert_array_equal(np.stack(ours.curve(label), axis=1), expected)
        for point in (0.0, 0.3, 1.0):
            at_recall, at_precision = (
                (theirs.precisionAtRecall(point), theirs.recallAtPrecision(point))
                if i < 0
                else (
                    theirs.precisionAtRecallLabel(i, point),
                    theirs.recallAtPrecisionLabel(i, point),
                )
            )
            assert ours.precision_at_recall(point, label) == at_recall
            assert ours.recall_at_precision(point, label) == at_precision


def test_unsupervised_models_predict_nothing(open_pair: Callable[[str], Pair]) -> None:
    pair = open_pair("cbow")
    for model in pair:
        with pytest.raises(ValueError, match="supervised"):
            model.predict(["a"])
        with pytest.raises(ValueError, match="supervised"):
            model.predict("a")
