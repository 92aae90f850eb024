"""Estimators of scikit-learn: its own checks, and what its users do with texts."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from support import GOLDEN
from support.text import labelled_texts

import fasttext_lite as ftl

pytestmark = pytest.mark.frameworks

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")
pd = pytest.importorskip("pandas", reason="pandas is not installed")
pl = pytest.importorskip("polars", reason="Polars is not installed")

from sklearn.base import clone  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import log_loss, roc_auc_score  # noqa: E402
from sklearn.model_selection import (  # noqa: E402
    FixedThresholdClassifier,
    GridSearchCV,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline  # noqa: E402
from sklearn.utils import get_tags  # noqa: E402
from sklearn.utils.estimator_checks import (  # noqa: E402
    estimator_checks_generator,
    parametrize_with_checks,
)

from fasttext_lite.integrations.sklearn import (  # noqa: E402
    FastTextClassifier,
    FastTextVectorizer,
)

SUPERVISED = GOLDEN / "softmax.bin"
MODEL = ftl.load("sample")
TEXTS = ["the king and the queen", "an army of the king", "bread and butter", "a warlike people"]
TOPICS = [0, 1, 0, 1]
LABELLED = labelled_texts(60)


class Numbers:
    """Reads an array of numbers as texts, one per row, since the checks have nothing else."""

    def fit(self, X, y=None):
        return super().fit(as_texts(X), None)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        tags.input_tags.string = False
        return tags


def as_texts(samples):
    words = MODEL.words
    numbers = np.asarray(samples, float)
    if numbers.ndim != 2:
        raise ValueError("Expected 2D array, got 1D array instead. Reshape your data.")
    ids = np.abs(np.nan_to_num(numbers) * 100).astype(int) % len(words)
    return [" ".join(words[i] for i in row) for row in ids.tolist()]


class NumberVectorizer(Numbers, FastTextVectorizer):
    def fit_transform(self, X, y=None):
        return self.fit(X).transform(X)

    def transform(self, X):
        return super().transform(as_texts(X))


class NumberClassifier(Numbers, FastTextClassifier):
    def predict(self, X):
        # Numbers, which the checks compare.
        return np.searchsorted(self.classes_, super().predict(as_texts(X)))

    def predict_proba(self, X):
        return super().predict_proba(as_texts(X))


NOT_VALIDATED = "texts are not validated as an array of numbers"
NOT_LEARNED = "the labels are those of the file, and y is only compared with them"
NUMBERS = dict.fromkeys(
    [
        "check_complex_data",
        "check_estimator_sparse_array",
        "check_estimator_sparse_matrix",
        "check_estimator_sparse_tag",
        "check_estimators_empty_data_messages",
        "check_estimators_nan_inf",
        "check_n_features_in",
        "check_n_features_in_after_fitting",
    ],
    NOT_VALIDATED,
)
LEARNING = dict.fromkeys(
    [
        "check_classifiers_classes",
        "check_classifiers_one_label",
        "check_classifiers_regression_target",
        "check_classifiers_train",
        "check_supervised_y_2d",
        "check_supervised_y_no_nan",
    ],
    NOT_LEARNED,
)
SIF = {"check_transformer_general": NOT_VALIDATED}


def expected_failures(estimator):
    if isinstance(estimator, FastTextClassifier):
        return NUMBERS | LEARNING
    return NUMBERS | (SIF if estimator.weighting == "sif" else {})


@parametrize_with_checks(
    [
        NumberVectorizer("sample", threads=1),
        NumberVectorizer("sample", weighting="sif", dtype="float64"),
        NumberClassifier(str(SUPERVISED)),
    ],
    expected_failed_checks=expected_failures,
)
def test_checks_of_scikit_learn(estimator, check):
    with warnings.catch_warnings():
        # Its own, and those of frames without names.
        warnings.simplefilter("ignore")
        check(estimator)


def test_the_checks_that_the_tags_leave():
    for estimator in (FastTextVectorizer("sample"), FastTextClassifier(SUPERVISED)):
        tags = get_tags(estimator)
        assert tags.input_tags.string
        assert tags.input_tags.one_d_array
        assert not tags.input_tags.two_d_array
        assert not tags.requires_fit
        with pytest.warns(Warning, match="Can't test estimator"):
            checks = list(estimator_checks_generator(estimator))
        for one, check in checks:
            check(one)
    assert get_tags(FastTextVectorizer("sample", weighting="sif")).requires_fit


@pytest.fixture
def path(tmp_path):
    ftl.convert("sample", tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


class TestVectorizer:
    @pytest.mark.parametrize(
        "column",
        [
            TEXTS,
            tuple(TEXTS),
            np.array(TEXTS),
            np.array(TEXTS, object),
            pd.Series(TEXTS, dtype=object),
            pd.Series(TEXTS, dtype="string"),
            pd.Series(TEXTS, dtype="category"),
            pl.Series(TEXTS),
            [text.encode() for text in TEXTS],
        ],
        ids=lambda column: f"{type(column).__name__} {getattr(column, 'dtype', '')}",
    )
    def test_columns_of_every_library(self, column):
        found = FastTextVectorizer("sample").fit_transform(column)
        assert np.array_equal(found, MODEL.sentence_vectors(TEXTS))
        assert found.dtype == np.float32

    def test_it_works_before_it_is_fitted(self):
        found = FastTextVectorizer("sample").transform(iter(TEXTS))
        assert np.array_equal(found, MODEL.sentence_vectors(TEXTS))

    def test_sif_removes_what_the_texts_of_fit_share(self):
        vectorizer = FastTextVectorizer("sample", weighting="sif", a=1e-4, components=2)
        assert vectorizer.fit(TEXTS) is vectorizer
        expected = ftl.SIF(MODEL, 1e-4, 2).fit(TEXTS)
        assert np.array_equal(vectorizer.transform(TEXTS), expected.vectors(TEXTS))
        assert np.array_equal(vectorizer.common_, expected.common)
        again = pickle.loads(pickle.dumps(vectorizer))
        assert np.array_equal(again.transform(["king"]), expected.vectors(["king"]))
        with pytest.raises(NotFittedError, match="call fit first"):
            clone(vectorizer).transform(TEXTS)
        generated = clone(vectorizer).fit_transform(iter(TEXTS))
        assert np.array_equal(generated, expected.vectors(TEXTS))

    def test_an_object_of_sif_is_used_as_it_is(self):
        sif = ftl.SIF(MODEL).fit(TEXTS)
        before = sif.common.copy()
        vectorizer = clone(FastTextVectorizer("sample", weighting=sif))
        for one in (vectorizer, vectorizer.fit(["another text"]), clone(vectorizer)):
            assert np.array_equal(one.transform(["king"]), sif.vectors(["king"]))
        assert np.array_equal(sif.common, before)
        with pytest.raises(ftl.InputValueError, match="other dimensions"):
            vectorizer.set_params(model=SUPERVISED).transform(["king"])

    def test_words_and_lists_of_words(self):
        vectorizer = FastTextVectorizer("sample", input="words")
        words = ["king", "kinglike", "queen"]
        assert np.array_equal(vectorizer.fit_transform(words), MODEL.vectors(words))
        lists = [["the", "king"], ("a", b"queen"), np.array(["war"]), []]
        expected = MODEL.sentence_vectors(["the king", "a queen", "war", ""])
        assert np.array_equal(vectorizer.transform(lists), expected)
        expected = ftl.SIF(MODEL).fit(["the king", "a queen"])
        sif = clone(vectorizer).set_params(weighting="sif").fit(lists[:2])
        assert np.array_equal(sif.transform(lists[:1]), expected.vectors(["the king"]))
        for wrong, message in (
            ([["a"], "b"], "sample 1 must be a list of words"),
            ([["a"], [None]], "sample 1 holds NoneType"),
            ([["a"], 3], "sample 1 must be a list of words, as others are, not int"),
        ):
            with pytest.raises(ftl.InputTypeError, match=message):
                vectorizer.transform(wrong)
        with pytest.raises(ftl.InputTypeError, match="each sample must be a list of words"):
            sif.fit(words)

    @pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, np.nan])
    @pytest.mark.parametrize("options", [{}, {"weighting": "sif"}, {"input": "words"}])
    def test_missing_texts_raise_or_are_zero(self, missing, options):
        column = pd.Series(["king", missing], dtype=object)
        vectorizer = FastTextVectorizer("sample", **options)
        if options.get("weighting") == "sif":
            vectorizer.fit(TEXTS)
        with pytest.raises((ftl.InputTypeError, ftl.InputValueError), match=r"\[1\]"):
            vectorizer.transform(column)
        vectorizer.set_params(missing="empty")
        found = vectorizer.transform(column)
        assert np.array_equal(found[:1], vectorizer.transform(["king"]))
        assert not found[1].any()
        assert get_tags(vectorizer).input_tags.allow_nan

    def test_newlines_are_spaces_unless_they_shall_raise(self):
        vectorizer = FastTextVectorizer("sample")
        assert np.array_equal(vectorizer.transform(["a\nking"]), MODEL.sentence_vectors(["a king"]))
        with pytest.raises(ftl.InputValueError, match="newline"):
            vectorizer.set_params(newlines="raise").transform(["a\nking"])

    @pytest.mark.parametrize("dtype", ["float16", np.float32, np.dtype("float64")])
    def test_the_dtype_is_as_asked(self, dtype):
        found = FastTextVectorizer("sample", dtype=dtype).fit_transform(TEXTS)
        assert found.dtype == np.dtype(dtype)
        assert np.array_equal(found, MODEL.sentence_vectors(TEXTS).astype(dtype))

    def test_data_frames_come_out(self):
        vectorizer = FastTextVectorizer("sample").set_output(transform="pandas")
        found = vectorizer.fit_transform(pd.Series(TEXTS, index=list("abcd")))
        assert list(found.index) == list("abcd")
        assert list(found.columns) == list(vectorizer.get_feature_names_out())
        assert found.columns[39] == "fasttextvectorizer39"
        polars = clone(vectorizer).set_output(transform="polars").fit_transform(TEXTS)
        assert isinstance(polars, pl.DataFrame)
        assert np.array_equal(polars.to_numpy(), found.to_numpy())

    def test_column_transformer(self):
        frame = pd.DataFrame({"text": TEXTS, "number": range(4)})
        steps = [("vector", FastTextVectorizer("sample"), "text")]
        found = ColumnTransformer(steps, remainder="passthrough").fit_transform(frame)
        assert found.shape == (4, 41)
        steps = [("vector", FastTextVectorizer("sample"), ["text"])]
        with pytest.raises(ftl.InputValueError, match="in place of the list"):
            ColumnTransformer(steps).fit(frame)

    def test_a_search_with_processes(self, path):
        pipeline = Pipeline([("v", FastTextVectorizer(path)), ("c", LogisticRegression())])
        options = {"v__weighting": ["mean", "sif"], "v__a": [1e-3, 1e-4]}
        search = GridSearchCV(pipeline, options, n_jobs=2, cv=2).fit(TEXTS * 6, TOPICS * 6)
        assert search.best_score_ == 1
        assert search.predict(["the people of the army"]) in (0, 1)

    def test_clones_and_pickles_hold_the_path(self, path, monkeypatch):
        monkeypatch.chdir(path.parent)
        vectorizer = FastTextVectorizer(path.name).fit(TEXTS)
        pickled = pickle.dumps(vectorizer)
        assert len(pickled) < 1000
        assert clone(vectorizer).model == path.name
        monkeypatch.chdir(path.parent.parent)
        expected = MODEL.sentence_vectors(TEXTS)
        assert np.array_equal(pickle.loads(pickled).transform(TEXTS), expected)
        opened = FastTextVectorizer(MODEL, weighting="sif").fit(TEXTS)
        assert clone(opened).model is MODEL
        assert len(pickle.dumps(opened)) < 2000

    def test_a_file_that_is_gone_or_another_one(self, path):
        pickled = pickle.dumps(FastTextVectorizer(path).fit(TEXTS))
        ftl.convert("sample", path, max_words=10)
        with pytest.raises(ftl.FileError, match="another file"):
            pickle.loads(pickled).transform(TEXTS)
        path.unlink()
        vectorizer = pickle.loads(pickled)
        with pytest.raises(ftl.MissingFileError, match="no such file"):
            vectorizer.transform(TEXTS)
        assert "FastTextVectorizer" in vectorizer._repr_html_()
        with pytest.raises(ftl.MissingFileError, match=r"no such file$"):
            FastTextVectorizer(path).fit(TEXTS)

    @pytest.mark.parametrize(
        ("samples", "error"),
        [
            (pd.DataFrame({"text": TEXTS}), ftl.InputValueError),
            (pl.DataFrame({"text": TEXTS}), ftl.InputValueError),
            (np.array([TEXTS, TEXTS]), ftl.InputValueError),
            (np.zeros((2, 3)), ftl.InputValueError),
            (np.array("text"), ftl.InputValueError),
            ({"text": TEXTS}, ftl.InputValueError),
            ("a text", ftl.InputTypeError),
            (b"a text", ftl.InputTypeError),
            ([["a", "b"]], ftl.InputTypeError),
            ([1.5], ftl.InputTypeError),
            (np.array([1, 2]), ftl.InputTypeError),
            (None, ftl.InputTypeError),
            (3, ftl.InputTypeError),
        ],
    )
    def test_what_is_no_column_of_texts_is_refused(self, samples, error):
        with pytest.raises(error):
            FastTextVectorizer("sample").fit_transform(samples)

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"weighting": "idf"}, ftl.InputValueError, "'mean' or 'sif', not 'idf'"),
            ({"weighting": 3}, ftl.InputTypeError, "weighting must be str"),
            ({"input": "file"}, ftl.InputValueError, "'text' or 'words'"),
            ({"dtype": "int8"}, ftl.InputValueError, "dtype must be one of"),
            ({"dtype": None}, ftl.InputValueError, "dtype must be one of"),
            ({"dtype": "no type"}, ftl.InputValueError, "dtype must be one of"),
            ({"missing": "drop"}, ftl.InputValueError, "missing must be"),
            ({"newlines": 3}, ftl.InputTypeError, "newlines must be str"),
            ({"threads": 0}, ftl.InputValueError, "threads"),
            ({"weighting": "sif", "a": -1}, ftl.InputValueError, "a must be above 0"),
            ({"weighting": "sif", "components": "1"}, ftl.InputTypeError, "components"),
            ({"model": 3}, ftl.InputTypeError, "path"),
            ({"model": np.zeros(3)}, ftl.InputTypeError, "path"),
            ({"model": None}, ftl.InputTypeError, "path"),
            ({"model": "missing.bin"}, ftl.MissingFileError, "no such file"),
        ],
    )
    def test_wrong_options_are_named(self, options, error, message):
        vectorizer = FastTextVectorizer("sample").set_params(**options)
        with pytest.raises(error, match=message):
            vectorizer.fit_transform(TEXTS)


class TestClassifier:
    CLASSIFIER = FastTextClassifier(SUPERVISED)
    OWN = ftl.load(SUPERVISED)

    def test_labels_are_those_of_the_model(self):
        found = self.CLASSIFIER.predict(LABELLED)
        assert list(found) == [
            one.labels[0][len("__label__") :] for one in self.OWN.predict(LABELLED)
        ]
        assert list(self.CLASSIFIER.classes_) == sorted(
            label.removeprefix("__label__") for label in self.OWN.labels
        )
        prefixed = FastTextClassifier(SUPERVISED, strip_prefix=False)
        assert list(prefixed.predict(LABELLED)) == ["__label__" + label for label in found]
        assert self.CLASSIFIER.fit(LABELLED, found) is self.CLASSIFIER
        assert self.CLASSIFIER.score(LABELLED, found) == 1

    def test_probabilities_are_those_of_the_model(self):
        classes = self.CLASSIFIER.classes_
        found = self.CLASSIFIER.predict_proba(pl.Series(LABELLED))
        ids = [self.OWN.label_id("__label__" + label) for label in classes]
        assert np.array_equal(found, self.OWN.probabilities(LABELLED, ids, renormalize=True))
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
        assert np.array_equal(classes[found.argmax(axis=1)], self.CLASSIFIER.predict(LABELLED))
        plain = FastTextClassifier(SUPERVISED, renormalize=False).predict_proba(LABELLED)
        assert np.array_equal(plain, self.OWN.probabilities(LABELLED, ids))

    def test_metrics_and_searches(self):
        truth = self.CLASSIFIER.predict(LABELLED)
        found = self.CLASSIFIER.predict_proba(LABELLED)
        assert log_loss(truth, found, labels=self.CLASSIFIER.classes_) > 0
        present = np.unique(truth)
        two = FastTextClassifier(SUPERVISED, labels=[*present[:2]])
        some = [i for i, label in enumerate(truth) if label in present[:2]]
        texts, labels = [LABELLED[i] for i in some], truth[some]
        assert roc_auc_score(labels, two.predict_proba(texts)[:, 1]) == 1
        assert cross_val_score(two, texts, labels, cv=2).tolist() == [1, 1]
        fixed = FixedThresholdClassifier(two, threshold=0, pos_label=present[0])
        assert set(fixed.fit(texts, labels).predict(texts)) == {present[0]}
        search = GridSearchCV(two, {"threshold": [0.0, 2.0]}, cv=2, n_jobs=2).fit(texts, labels)
        assert search.best_params_ == {"threshold": 0.0}

    def test_below_the_threshold_is_another_answer(self):
        best = self.CLASSIFIER.predict_proba(LABELLED).max(axis=1)
        middle = float(np.median(best))
        chosen = FastTextClassifier(SUPERVISED, threshold=middle, otherwise="unsure")
        assert np.array_equal(chosen.predict(LABELLED) != "unsure", best >= np.float32(middle))
        assert list(FastTextClassifier(SUPERVISED, threshold=2).predict(LABELLED[:1])) == [""]

    def test_a_text_without_anything_known(self):
        classifier = FastTextClassifier(SUPERVISED, missing="empty", otherwise="unknown")
        assert list(classifier.predict([None])) == ["unknown"]
        found = classifier.predict_proba([None])
        np.testing.assert_allclose(found, 1 / len(classifier.classes_))
        plain = clone(classifier).set_params(renormalize=False)
        assert not plain.predict_proba([None]).any()
        with pytest.raises(ftl.InputTypeError, match=r"texts\[0\]"):
            self.CLASSIFIER.predict([None])

    def test_the_labels_to_choose_among(self):
        labels = self.CLASSIFIER.classes_[[3, 1, 3]]
        chosen = FastTextClassifier(SUPERVISED, labels=labels)
        assert list(chosen.classes_) == list(self.CLASSIFIER.classes_[[1, 3]])
        assert set(chosen.predict(LABELLED)) <= set(labels)
        assert chosen.predict_proba(LABELLED).shape == (60, 2)

    def test_the_html_shows_the_model(self):
        html = clone(self.CLASSIFIER).fit(LABELLED)._repr_html_()
        for part in ("softmax.bin", "kind_", "n_words_", "dim_", "classes_"):
            assert part in html
        assert "pipeline" in make_pipeline(clone(self.CLASSIFIER))._repr_html_().lower()

    def test_a_pickle_is_a_path(self, tmp_path):
        (tmp_path / "model.bin").write_bytes(SUPERVISED.read_bytes())
        classifier = FastTextClassifier(tmp_path / "model.bin").fit(LABELLED)
        pickled = pickle.dumps(classifier)
        assert len(pickled) < 1000
        again = pickle.loads(pickled)
        assert np.array_equal(again.predict(LABELLED), self.CLASSIFIER.predict(LABELLED))
        (tmp_path / "model.bin").unlink()
        gone = pickle.loads(pickled)
        with pytest.raises(ftl.MissingFileError, match="no such file"):
            gone.predict(LABELLED)
        assert not hasattr(gone, "classes_")
        assert "FastTextClassifier" in gone._repr_html_()

    @pytest.mark.parametrize(
        ("options", "y", "error", "message"),
        [
            ({"model": "sample"}, None, ftl.ModelKindError, "supervised"),
            ({"labels": ["xy"]}, None, ftl.InputValueError, "not a label"),
            ({"labels": []}, None, ftl.InputValueError, "at least one|empty"),
            ({"threshold": "high"}, None, ftl.InputTypeError, "threshold"),
            ({"threshold": float("nan")}, None, ftl.InputValueError, "threshold"),
            ({"otherwise": None}, None, ftl.InputTypeError, "otherwise"),
            ({"renormalize": 2}, None, ftl.InputTypeError, "renormalize"),
            ({"strip_prefix": "no"}, None, ftl.InputTypeError, "strip_prefix"),
            ({}, ["en"], ftl.InputValueError, "60 samples, but y has 1"),
            ({}, [1] * 60, ftl.InputValueError, "none of the labels in y, such as 1"),
        ],
    )
    def test_wrong_options_are_named(self, options, y, error, message):
        classifier = FastTextClassifier(SUPERVISED).set_params(**options)
        with pytest.raises(error, match=message):
            classifier.fit(LABELLED, y)
        with pytest.raises(ftl.InputValueError, match="one column"):
            FastTextClassifier(SUPERVISED).predict(pd.DataFrame({"text": LABELLED}))
