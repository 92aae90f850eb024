"""Results and classifiers in pickles, copies and process pools."""

from __future__ import annotations

import copy
import dataclasses
import gc
import multiprocessing
import pickle
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import fasttext_lite as ftl

GOLDEN = next(p / "golden" for p in Path(__file__).parents if (p / "golden").is_dir())
TEXTS = ["the old train was late", "war and peace", "", "zzyzx qqq", "bread"]
METHODS = ["spawn"] + (["fork"] if sys.platform == "linux" else [])


@pytest.fixture(scope="module")
def model():
    return ftl.load(GOLDEN / "softmax.bin")


@pytest.fixture
def scores(model, tmp_path):
    path = tmp_path / "examples.txt"
    path.write_text("".join(f"{label} {text}\n" for label in model.labels for text in TEXTS))
    return model.test(path, k=2)


def through(value):
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("way", [through, copy.copy, copy.deepcopy])
def test_predictions(model, way):
    found = model.predict(TEXTS, k=2)
    again = way(found)
    assert [one.labels for one in again] == [one.labels for one in found]
    for name in ("offsets", "label_ids", "probabilities"):
        assert_array_equal(getattr(again, name), getattr(found, name))
        assert getattr(again, name).dtype == getattr(found, name).dtype
    assert [one.labels for one in way(again[1:3])] == [one.labels for one in found[1:3]]
    assert len(way(model.predict([]))) == 0


@pytest.mark.parametrize("way", [through, copy.deepcopy])
def test_scores(scores, way):
    again = way(scores)
    assert (again.examples, again.k, again.labels) == (scores.examples, 2, scores.labels)
    assert_array_equal(again.label_f1, scores.label_f1)
    assert_array_equal(again.meter.curve()[0], scores.meter.curve()[0])
    fields = dataclasses.asdict(scores)
    assert fields["labels"] == scores.labels
    assert fields["precision"] == scores.precision
    assert dataclasses.replace(scores, k=3).k == 3


@pytest.mark.parametrize("way", [through, copy.copy, copy.deepcopy])
def test_the_results_of_one_query(model, way):
    near = model.neighbors(["the", "war"], k=3)
    assert way(near) == near
    assert isinstance(way(near)[0][0], ftl.Neighbor)
    explained = model.explain(TEXTS[0])
    assert way(explained) == explained
    one = model.predict(TEXTS[0])
    assert way(one).labels == one.labels
    assert isinstance(way(one), ftl.Prediction)


def test_results_hold_neither_the_model_nor_its_path(model, scores):
    for result in (model.predict(TEXTS, k=2), scores, model.neighbors("the")):
        written = pickle.dumps(result)
        assert b"softmax.bin" not in written
        assert b"fasttext_lite.model" not in written
        assert b"fasttext_lite.loading" not in written


def test_pickled_predictions_hold_only_the_names_of_their_labels(model):
    found = model.predict(TEXTS[:1])
    names = [label.encode() for label in model.labels if label not in found[0].labels]
    assert names
    assert not any(name in pickle.dumps(found) for name in names)


@pytest.mark.parametrize("options", [(), ("__", True), (b"\xff", False), ("__label__", True)])
def test_a_classifier_is_its_model_and_its_options(model, options):
    classifier = model.classifier(*options)
    for again in (through(classifier), copy.copy(classifier), copy.deepcopy(classifier)):
        for text in [*TEXTS, "__x y"]:
            assert again.predict(text, -1).labels == classifier.predict(text, -1).labels
            assert_array_equal(
                again.predict(text, -1).probabilities, classifier.predict(text, -1).probabilities
            )


def test_a_classifier_of_a_dropped_model_still_pickles():
    classifier = ftl.load(GOLDEN / "softmax.bin").classifier()
    assert through(classifier).predict("war").labels == classifier.predict("war").labels


@pytest.mark.parametrize("method", METHODS)
def test_methods_of_a_model_run_in_a_pool(model, method):
    chunks = [TEXTS[:2], TEXTS[2:]]
    classifier = model.classifier("__", True)
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.map(model.predict, chunks)
        assert [one.labels for many in found for one in many] == [
            one.labels for one in model.predict(TEXTS)
        ]
        stripped = pool.map(classifier.predict, chunks)
        assert [one.labels for many in stripped for one in many] == [
            one.labels for one in classifier.predict(TEXTS)
        ]
        assert pool.map(model.neighbors, ["war", "the"]) == model.neighbors(["war", "the"])
        assert_array_equal(np.concatenate(pool.map(model.vectors, chunks)), model.vectors(TEXTS))


def test_a_model_that_did_everything_is_freed_without_the_collector(tmp_path):
    path = tmp_path / "examples.txt"
    path.write_text("__label__a war\n")
    gc.disable()
    try:
        model = ftl.load(GOLDEN / "softmax.bin")
        model.predict("war")
        found = model.predict(TEXTS)
        scores = model.test(path)
        model.neighbors("war", 3, max_words=5)
        model.neighbors("war", 3)
        model.sentence_vector("war")
        model.classifier("__").explain("war")
        last = weakref.ref(model)
        del model
        assert last() is None
    finally:
        gc.enable()
    assert found[0].labels
    assert scores.labels
