"""Options that are true or false: every one takes the same values, and refuses all others."""

from __future__ import annotations

import inspect
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import pytest
from support.builders import SUPERVISED, build

import fasttext_lite as ftl
from fasttext_lite.compat import fasttext, gensim
from fasttext_lite.neighbors import NeighborSearch

if TYPE_CHECKING:
    from pathlib import Path

# Those of the options that many methods share.
OPTIONS = {
    "Unpack[SearchOptions]": ["approximate", "progress"],
    "Unpack[PredictOptions]": ["official_bias", "renormalize"],
}
NO_FLAGS = {
    "an array": np.array([1, 2]),
    "None": None,
    "a str": "yes",
    "2": 2,
    "a float": 1.0,
    "a list": [],
}
# What each is asked of: the open models, and a folder.
CALLS = {
    "load mmap": lambda at, **flag: ftl.load(at.path, **flag),
    "load strict": lambda at, **flag: ftl.load(at.path, **flag),
    "load progress": lambda at, **flag: ftl.load(at.path, **flag),
    "convert neighbors_index": lambda at, **flag: ftl.convert(at.model, at.target, **flag),
    "convert graph": lambda at, **flag: ftl.convert(at.model, at.target, **flag),
    "convert strict": lambda at, **flag: ftl.convert(at.model, at.target, **flag),
    "convert progress": lambda at, **flag: ftl.convert(at.model, at.target, **flag),
    "export qnorm": lambda at, **flag: ftl.export(at.model, at.target, "ftz", **flag),
    "export qout": lambda at, **flag: ftl.export(at.model, at.target, "ftz", **flag),
    "export progress": lambda at, **flag: ftl.export(at.model, at.target, "vec", **flag),
    "analogies lowercase": lambda at, **flag: at.questions(**flag),
    "analogies known_only": lambda at, **flag: at.questions(**flag),
    "analogies as_unknown": lambda at, **flag: at.questions(**flag),
    "analogies progress": lambda at, **flag: at.questions(**flag),
    "word_similarity lowercase": lambda at, **flag: at.pairs(**flag),
    "word_similarity known_only": lambda at, **flag: at.pairs(**flag),
    "map_words progress": lambda at, **flag: at.map(**flag),
    "cluster mutual": lambda at, **flag: at.cluster(**flag),
    "cluster approximate": lambda at, **flag: at.cluster(**flag),
    "cluster progress": lambda at, **flag: at.cluster(**flag),
    "nearest_graph approximate": lambda at, **flag: ftl.nearest_graph(at.model, 2, **flag),
    "nearest_graph progress": lambda at, **flag: ftl.nearest_graph(at.model, 2, **flag),
    "download force": lambda at, **flag: at.download(**flag),
    "download progress": lambda at, **flag: at.download(**flag),
    "push private": lambda at, **flag: at.push(**flag),
    "push dry_run": lambda at, **flag: at.push(**flag),
    "push progress": lambda at, **flag: at.push(**flag),
    "word_similarity as_unknown": lambda at, **flag: at.pairs(**flag),
    "fit_ngrams refit": lambda at, **flag: at.fit(**flag),
    "fit_ngrams skip_broken": lambda at, **flag: at.fit(**flag),
    "fit_ngrams replace": lambda at, **flag: at.fit(at.closed, **flag),
    "fit_ngrams neighbors_index": lambda at, **flag: at.fit(**flag),
    "fit_ngrams graph": lambda at, **flag: at.fit(**flag),
    "fit_ngrams progress": lambda at, **flag: at.fit(**flag),
    "annotate overwrite": lambda at, **flag: at.annotate(**flag),
    "annotate progress": lambda at, **flag: at.annotate(**flag),
    "labels renormalize": lambda at, **flag: ftl.columns.labels(at.classifier, ["one"], **flag),
    "labels official_bias": lambda at, **flag: ftl.columns.labels(at.classifier, ["one"], **flag),
    "labels strip_prefix": lambda at, **flag: ftl.columns.labels(at.classifier, ["one"], **flag),
    "labels dictionary": lambda at, **flag: ftl.columns.labels(at.classifier, ["one"], **flag),
    "Annotator renormalize": lambda at, **flag: ftl.Annotator(at.labelled, **flag),
    "Annotator official_bias": lambda at, **flag: ftl.Annotator(at.labelled, **flag),
    "Annotator strip_prefix": lambda at, **flag: ftl.Annotator(at.labelled, **flag),
    "Annotator dictionary": lambda at, **flag: ftl.Annotator(at.labelled, **flag),
    "compare progress": lambda at, **flag: ftl.evaluate.compare(at.model, at.model, **flag),
    "align normalize": lambda at, **flag: ftl.evaluate.align(
        at.model, at.model, [("one", "one")], **flag
    ),
    "Model.verify full": lambda at, **flag: at.model.verify(**flag),
    "Model.neighbors approximate": lambda at, **flag: at.graph.neighbors("one", **flag),
    "Model.analogies approximate": lambda at, **flag: at.graph.analogies(
        "one", "two", "one", **flag
    ),
    "Model.neighbors progress": lambda at, **flag: at.model.neighbors("one", **flag),
    "Model.analogies progress": lambda at, **flag: at.model.analogies("one", "two", "one", **flag),
    "Model.predict official_bias": lambda at, **flag: [
        at.classifier.predict(texts, **flag) for texts in ("one", ["one"])
    ],
    "Model.predict renormalize": lambda at, **flag: [
        at.classifier.predict(texts, **flag) for texts in ("one", ["one"])
    ],
    "Model.predict_ids renormalize": lambda at, **flag: at.classifier.predict_ids(["one"], **flag),
    "Model.probabilities renormalize": lambda at, **flag: at.classifier.probabilities(
        ["one"], **flag
    ),
    "Classifier.predict renormalize": lambda at, **flag: [
        at.classifier.classifier().predict(texts, **flag) for texts in ("one", ["one"])
    ],
    "Classifier.predict_ids renormalize": lambda at, **flag: at.classifier.classifier().predict_ids(
        ["one"], **flag
    ),
    "Classifier.probabilities renormalize": lambda at, **flag: (
        at.classifier.classifier().probabilities(["one"], **flag)
    ),
    "Model.predict_ids official_bias": lambda at, **flag: at.classifier.predict_ids(
        ["one"], **flag
    ),
    "Model.classifier strip_prefix": lambda at, **flag: at.classifier.classifier(**flag),
    "Classifier.predict official_bias": lambda at, **flag: [
        at.classifier.classifier().predict(texts, **flag) for texts in ("one", ["one"])
    ],
    "Classifier.predict_ids official_bias": lambda at, **flag: (
        at.classifier.classifier().predict_ids(["one"], **flag)
    ),
    "install force": lambda at, **flag: at.install(**flag),
    "_FastText.quantize qnorm": lambda at, **flag: at.quantize(**flag),
    "_FastText.quantize qout": lambda at, **flag: at.quantize(**flag),
    "_FastText.quantize retrain": lambda at, **flag: at.quantize(**flag),
    "_FastText.get_words include_freq": lambda at, **flag: at.face.get_words(**flag),
    "_FastText.get_labels include_freq": lambda at, **flag: at.face.get_labels(**flag),
    "KeyedVectors.get_vector norm": lambda at, **flag: at.copied.get_vector("one", **flag),
    "KeyedVectors.get_mean_vector pre_normalize": lambda at, **flag: at.mean(**flag),
    "KeyedVectors.get_mean_vector post_normalize": lambda at, **flag: at.mean(**flag),
    "KeyedVectors.get_mean_vector ignore_missing": lambda at, **flag: at.mean(**flag),
    "KeyedVectors.rank_by_centrality use_norm": lambda at, **flag: at.copied.rank_by_centrality(
        ["one"], **flag
    ),
    "KeyedVectors.vectors_for_all allow_inference": lambda at, **flag: at.copied.vectors_for_all(
        ["one"], **flag
    ),
    "KeyedVectors.vectors_for_all copy_vecattrs": lambda at, **flag: at.copied.vectors_for_all(
        ["one"], **flag
    ),
    "KeyedVectors.wmdistance norm": lambda at, **flag: at.copied.wmdistance([], [], **flag),
    "KeyedVectors.evaluate_word_pairs case_insensitive": lambda at, **flag: (
        at.copied.evaluate_word_pairs(at.words, **flag)
    ),
    "KeyedVectors.evaluate_word_pairs dummy4unknown": lambda at, **flag: (
        at.copied.evaluate_word_pairs(at.words, **flag)
    ),
    "KeyedVectors.evaluate_word_analogies case_insensitive": lambda at, **flag: (
        at.copied.evaluate_word_analogies(at.quads, **flag)
    ),
    "KeyedVectors.evaluate_word_analogies dummy4unknown": lambda at, **flag: (
        at.copied.evaluate_word_analogies(at.quads, **flag)
    ),
    "KeyedVectors.save_word2vec_format binary": lambda at, **flag: at.save(**flag),
    "KeyedVectors.save_word2vec_format write_header": lambda at, **flag: at.save(**flag),
    "KeyedVectors.save_word2vec_format append": lambda at, **flag: at.save(**flag),
    "KeyedVectors.word_vec norm": lambda at, **flag: at.copied.word_vec("one", **flag),
    "KeyedVectors.add_vectors replace": lambda at, **flag: at.copied.add_vectors(
        "one", at.copied["two"], **flag
    ),
    "KeyedVectors.init_sims replace": lambda at, **flag: at.init_sims(at.copied, **flag),
    "FastText.init_sims replace": lambda at, **flag: at.init_sims(at.trained, **flag),
    "FastTextKeyedVectors.get_vector norm": lambda at, **flag: at.vectors.get_vector("one", **flag),
}
NONE_IS_A_CHOICE = {
    *("export qnorm", "export qout", "cluster approximate", "nearest_graph approximate"),
}
# It takes no part in anything.
IGNORED = {"KeyedVectors.fill_norms force"}


def flags_of(call):
    """Name the parameters of a call that are bool."""
    for name, parameter in inspect.signature(call).parameters.items():
        if parameter.annotation in OPTIONS:
            yield from OPTIONS[parameter.annotation]
        elif str(parameter.annotation).startswith("bool"):
            yield name


def all_flags():
    modules = {
        ftl: [name for name in ftl.__all__ if name not in ("evaluate", "Classifier")],
        ftl.columns: [name for name in ftl.columns.__all__ if name != "Column"],
        ftl.evaluate: ftl.evaluate.__all__,
        fasttext: fasttext.__all__,
        fasttext.util: fasttext.util.__all__,
        gensim: gensim.__all__,
    }
    calls = {
        name: getattr(module, name)
        for module, names in modules.items()
        for name in names
        if inspect.isfunction(getattr(module, name))
    }
    calls["Annotator"] = ftl.Annotator
    classes = (
        *(ftl.Model, ftl.Classifier, ftl.SIF, fasttext.FastText._FastText),
        *(gensim.KeyedVectors, gensim.FastTextKeyedVectors, gensim.FastText),
    )
    for kind in classes:
        for name, call in inspect.getmembers(kind, inspect.isfunction):
            inherited = any(getattr(base, name, None) is call for base in kind.__bases__)
            if not name.startswith("_") and not (inherited and kind is gensim.FastTextKeyedVectors):
                calls[f"{kind.__name__}.{name}"] = call
    return {f"{name} {flag}" for name, call in calls.items() for flag in flags_of(call)}


def test_every_flag_is_listed_here():
    assert all_flags() == CALLS.keys() | IGNORED
    # Checked where the options of all searches are.
    assert list(flags_of(NeighborSearch.search)) == ["approximate", "progress"]


class Place:
    """Models and files to ask."""

    def __init__(self, folder: Path) -> None:
        self.path, self.target = folder / "model.bin", folder / "target"
        self.path.write_bytes(build())
        self.labelled = folder / "classifier.bin"
        self.labelled.write_bytes(build(model=SUPERVISED, labels=[b"__label__a", b"__label__b"]))
        self.words, self.quads = folder / "pairs.txt", folder / "questions.txt"
        self.words.write_text("one\ttwo\t1\ntwo\tone\t2\none\tone\t3\n")
        self.quads.write_text(": section\none two one two\n")
        self.model = ftl.load(self.path)
        ftl.convert(self.path, folder / "graph", graph=True)
        self.graph = ftl.load(folder / "graph")
        ftl.convert(self.path, folder / "closed", subwords="none")
        self.closed = ftl.load(folder / "closed")
        self.classifier = ftl.load(self.labelled)
        self.face = fasttext.load_model(self.labelled)
        self.vectors = gensim.load_facebook_vectors(self.path)
        self.copied = self.vectors.vectors_for_all(["one", "two"])
        self.trained = gensim.load_facebook_model(self.path)

    def init_sims(self, one, **flag):
        # It is refused if it is true.
        with suppress(ftl.UnsupportedError):
            one.init_sims(**flag)

    def quantize(self, **flag):
        # Training is refused, and faiss may be missing.
        with suppress(ftl.UnsupportedError, ftl.MissingExtraError):
            self.face.quantize(input="text", **flag)

    def install(self, **flag):
        with patch.dict(sys.modules):
            fasttext.install(**flag)

    def annotate(self, **flag):
        return ftl.annotate(ftl.Annotator(self.labelled), self.words, self.target, **flag)

    def map(self, **flag):
        # openTSNE may be missing.
        with suppress(ftl.MissingExtraError):
            ftl.map_words(self.model, **flag)

    def cluster(self, **flag):
        return ftl.cluster(self.model, k=2, threshold=0.0, **flag)

    def download(self, **flag):
        # Nothing was downloaded, and no request is made.
        with patch.dict(os.environ, {"HF_HUB_OFFLINE": "1"}), suppress(ftl.MissingFileError):
            ftl.download("hf://organization/repository/model.bin", **flag)

    def push(self, **flag):
        options = {"folder": self.target, "dry_run": True} | flag
        # Only a dry run needs no client.
        with patch.dict(sys.modules, huggingface_hub=None), suppress(ftl.MissingExtraError):
            ftl.push(self.path, "me/model", **options)

    def fit(self, source=None, **flag):
        options = {"buckets": 9, "held_out": 0, "regularization": 1, "replace": True} | flag
        return ftl.fit_ngrams(source or self.model, self.target, **options)

    def questions(self, **flag):
        return ftl.evaluate.analogies(self.model, self.quads, **flag)

    def pairs(self, **flag):
        return ftl.evaluate.word_similarity(self.model, self.words, **flag)

    def mean(self, **flag):
        return self.copied.get_mean_vector(["one"], **flag)

    def save(self, **flag):
        self.copied.save_word2vec_format(self.target, **flag)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")
@pytest.mark.parametrize("value", NO_FLAGS.values(), ids=NO_FLAGS)
@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_flag_is_refused_by_name(name, value, place):
    flag = name.split(" ")[1]
    if value is None and name in NONE_IS_A_CHOICE:
        pytest.skip("None leaves the choice to the function")
    with pytest.raises(ftl.InputTypeError, match=f"^{flag} must be bool, not "):
        CALLS[name](place, **{flag: value})
    assert not place.target.exists()


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")
@pytest.mark.parametrize("value", [True, np.True_, 0, np.int64(0)])
@pytest.mark.parametrize("name", CALLS)
def test_flags_of_numpy_and_numbers_are_taken(name, value, place):
    if name.startswith("KeyedVectors.wmdistance"):
        pytest.importorskip("ot")
    if "word_pairs" in name or name == "align normalize":
        pytest.importorskip("scipy")
    if "export q" in name:
        pytest.importorskip("faiss")
    if name.startswith("annotate"):
        pytest.importorskip("pyarrow")
    CALLS[name](place, **{name.split(" ")[1]: value})
