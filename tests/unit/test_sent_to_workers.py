"""Objects that are sent to workers: they pickle, and to the same bytes before and after use."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import SOFTMAX, SUPERVISED, build

import fasttext_lite as ftl
from fasttext_lite.compat import fasttext, gensim

TEXTS = ["one", "two three", ""]


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    classifier, vectors, texts = (folder / name for name in ("c.bin", "v.bin", "texts.txt"))
    labels = [b"__label__a", b"__label__b", b"__label__c"]
    classifier.write_bytes(
        build(model=SUPERVISED, loss=SOFTMAX, labels=labels, minn=0, maxn=0, word_ngrams=2)
    )
    vectors.write_bytes(build())
    texts.write_text("__label__a one\n__label__b two\n")
    return classifier, vectors, texts


def sent(paths):
    """Return objects by name, and a function that uses all of them."""
    classifier, vectors, texts = paths
    model = ftl.load(classifier)
    stripped = model.classifier(strip_prefix=True)
    official = fasttext.load_model(str(classifier))
    keyed = gensim.load_facebook_vectors(vectors)
    full = gensim.load_facebook_model(vectors, "latin-1")
    small = keyed.vectors_for_all(["one", "zz"])
    sif = ftl.SIF(model)
    objects = {
        "model": model,
        "method": model.predict,
        "ids": model.predict_ids,
        "neighbors": model.neighbors,
        "classifier": model.classifier(),
        "stripped": stripped,
        "its method": stripped.predict,
        "words": model.words,
        "some words": model.words[1:],
        "labels": model.labels,
        "many": model.predict(TEXTS, k=2),
        "one": model.predict("one"),
        "scores": model.test(texts),
        "contributions": model.explain("one"),
        "near": model.neighbors(["one", "two"]),
        "sif": sif,
        "its vectors": sif.vectors,
        "official": official,
        "its predict": official.predict,
        "its vector": official.get_word_vector,
        "meter": official.test_label(str(texts)),
        "keyed": keyed,
        "keys": keyed.index_to_key,
        "similar": keyed.most_similar,
        "full": full,
        "small": small,
    }

    def use():
        model.predict(TEXTS)
        model.neighbors("one")
        model.verify(full=True)
        model.sentence_vectors(TEXTS)
        assert model.counts is not None
        assert list(model.words)
        stripped.predict(TEXTS)
        stripped.explain("one")
        objects["classifier"].predict("one")
        assert list(objects["many"])
        assert len(objects["scores"].label_f1)
        objects["scores"].meter.curve()
        sif.vectors(TEXTS)
        assert official.words
        assert official.labels
        official.get_nearest_neighbors("one")
        official.predict(TEXTS)
        official.get_sentence_vector("one")
        keyed.fill_norms()
        keyed.most_similar("one")
        assert dict(keyed.key_to_index)
        full.wv.fill_norms()
        small.fill_norms()
        small.most_similar("one")

    return objects, use


@pytest.mark.parametrize("library", ["pickle", "dill", "cloudpickle"])
def test_the_bytes_are_equal_before_and_after_use(paths, library):
    library = pytest.importorskip(library)
    objects, use = sent(paths)
    before = {name: library.dumps(value) for name, value in objects.items()}
    use()
    for name, value in objects.items():
        assert library.dumps(value) == before[name], name
        library.loads(before[name])
    again, _ = sent(paths)
    for name in ("model", "classifier", "its method", "official", "keyed", "full", "sif"):
        assert library.dumps(again[name]) == before[name], name


@pytest.mark.parametrize("library", ["dill", "cloudpickle"])
def test_a_function_over_a_classifier_runs_in_another_process(paths, library):
    library = pytest.importorskip(library)
    classifier = ftl.load(paths[0]).classifier(strip_prefix=True)
    official = fasttext.load_model(str(paths[0]))
    keyed = gensim.load_facebook_vectors(paths[1])

    def answer(text):
        return (
            classifier.predict(text).labels,
            official.predict(text)[0],
            keyed[text].tolist(),
        )

    code = (
        f"import sys, pickle, {library.__name__} as library\n"
        "function = library.loads(sys.stdin.buffer.read())\n"
        "sys.stdout.buffer.write(pickle.dumps(function('one')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        input=library.dumps(answer, recurse=True) if library.__name__ == "dill"
        else library.dumps(answer),
        stdout=subprocess.PIPE,
        check=True,
    )  # fmt: skip
    assert pickle.loads(done.stdout) == answer("one")


def test_what_was_sent_answers_the_same(paths):
    objects, _ = sent(paths)
    again = {name: pickle.loads(pickle.dumps(value)) for name, value in objects.items()}
    for name in ("method", "its method", "its predict"):
        assert again[name]("one")[0] == objects[name]("one")[0]
    assert again["words"] == tuple(objects["words"])
    assert [one.labels for one in again["many"]] == [one.labels for one in objects["many"]]
    assert_array_equal(again["its vector"]("one"), objects["its vector"]("one"))
    assert again["similar"]("one") == objects["similar"]("one")
    assert_array_equal(again["small"].vectors, objects["small"].vectors)


def test_a_fitted_sif_keeps_its_directions():
    sif = ftl.SIF(ftl.load("sample"), a=2e-3, components=2).fit(["the war was long", "peace"])
    again = pickle.loads(pickle.dumps(sif))
    assert again.common.shape == (2, 40)
    assert_array_equal(again.vectors(["a war", "bread"]), sif.vectors(["a war", "bread"]))
    assert not np.array_equal(
        again.vectors(["a war"]), ftl.SIF(ftl.load("sample")).vectors(["a war"])
    )
