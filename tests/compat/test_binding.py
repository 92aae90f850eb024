"""The object behind a model, ``model.f``, beside the compiled class of the official package."""

from __future__ import annotations

import enum
import inspect
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support.builders import CBOW, SUPERVISED, Quantizer, build

import fasttext_lite as ftl
from fasttext_lite.compat import fasttext as compat
from fasttext_lite.compat.fasttext.binding import Binding, Vector

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

official = pytest.importorskip("fasttext")
pybind = pytest.importorskip("fasttext_pybind")

WORDS = [b"</s>", b"one", b"two", b"drei", "fünf".encode()]
LABELS = [b"__label__a", "__label__ü".encode(), b"__label__c"]
COMMON: dict[str, Any] = {"words": WORDS, "minn": 2, "maxn": 3, "bucket": 50}
CLASSIFIER = COMMON | {"labels": LABELS, "model": SUPERVISED}
FILES: dict[str, dict[str, Any]] = {
    "softmax": CLASSIFIER,
    "word n-grams": CLASSIFIER | {"word_ngrams": 3},
    "hs": CLASSIFIER | {"loss": 1},
    "ova": CLASSIFIER | {"loss": 4},
    "quantised": CLASSIFIER | {"input_quantizer": Quantizer(2, qnorm=True)},
    "quantised output": CLASSIFIER
    | {"input_quantizer": Quantizer(2), "output_quantizer": Quantizer(2)},
    "cbow": COMMON | {"model": CBOW},
    "skip-gram": COMMON | {"model": 2, "loss": 2},
}
CLASSIFIERS = [name for name in FILES if name not in ("cbow", "skip-gram")]
LINES = [
    "one\n",
    "one",
    "",
    "\n",
    " ",
    "  one two \n",
    "one\ntwo\n",
    "one </s> two\n",
    "two unheard fünf",
    "two unheard fünf\n",
    "__label__a one __label__c\n",
    "one\0two\tdrei\r\n",
]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Any, Binding]]:
    folder = tmp_path_factory.mktemp("models")
    pairs: dict[str, tuple[Any, Binding]] = {}

    def open_once(name: str) -> tuple[Any, Binding]:
        if name not in pairs:
            path = folder / f"{len(pairs)}.bin"
            path.write_bytes(build(**FILES[name]))
            pairs[name] = official.load_model(str(path)).f, compat.load_model(path).f
        return pairs[name]

    return open_once


def assert_same_predictions(ours: list[Any], theirs: list[Any]) -> None:
    assert [label for _, label in ours] == [label for _, label in theirs]
    assert_allclose([p for p, _ in ours], [p for p, _ in theirs], atol=1e-5)
    assert all(type(p) is float for p, _ in ours)


def test_every_name_of_the_compiled_classes_is_there() -> None:
    def names(kind: Any) -> set[str]:
        return {name for name in dir(kind) if name[0] != "_"}

    assert names(pybind.fasttext) <= names(Binding)
    from fasttext_lite.compat.fasttext.meter import BindingMeter

    assert names(pybind.Meter) <= names(BindingMeter)
    positional = [
        parameter.kind
        for name in names(pybind.fasttext)
        for parameter in list(inspect.signature(getattr(Binding, name)).parameters.values())[1:]
    ]
    assert set(positional) == {inspect.Parameter.POSITIONAL_ONLY}


@pytest.mark.parametrize("name", FILES)
def test_the_arguments_are_those_after_loading(
    name: str, pair: Callable[[str], tuple[Any, Binding]]
) -> None:
    theirs, ours = (f.getArgs() for f in pair(name))
    fields = [field for field in dir(theirs) if field[0] != "_" and field != "setManual"]
    assert len(fields) > 30
    for field in fields:
        expected, actual = getattr(theirs, field), getattr(ours, field)
        if field in ("loss", "model"):
            assert isinstance(actual, enum.Enum)
            assert (actual.name, int(actual)) == (expected.name, int(expected))
            assert str(expected) == f"{type(actual).__name__}.{actual.name}"
            assert actual == getattr(getattr(compat.FastText, f"{field}_name"), expected.name)
        else:
            assert (actual, type(actual)) == (expected, type(expected)), field
    ours.dim = 7
    assert pair(name)[1].getArgs().dim == 4


def test_word_vectors_have_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "some.vec"
    path.write_text("1 2\na 1 2\n")
    arguments = compat.load_model(path).f.getArgs()
    assert (arguments.dim, arguments.loss, arguments.model) == (2, None, None)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_predictions_are_equal_with_and_without_an_end_of_line(
    name: str, pair: Callable[[str], tuple[Any, Binding]]
) -> None:
    theirs, ours = pair(name)
    for line, k, threshold in itertools.product(LINES, (1, 2, -1), (0.0, 0.3)):
        asked = (line, k, threshold, "strict")
        assert_same_predictions(ours.predict(*asked), theirs.predict(*asked))
    for k in (1, 3):
        asked = (LINES, k, 0.0, "strict")
        labels, probabilities = ours.multilinePredict(*asked)
        expected, numbers = theirs.multilinePredict(*asked)
        assert labels == expected
        for one, other in zip(probabilities, numbers, strict=True):
            assert one.dtype == np.float32
            assert_allclose(one, other, atol=1e-5)
    assert ours.multilinePredict([], 1, 0.0, "strict") == ([], [])


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(["one", "two", "fünf", " ", " ", "\n", "\0", "</s>", "x", "__label__a"])
    ).map("".join)
    | st.text()
)
def test_any_text_is_read_as_the_compiled_class_reads_it(
    pair: Callable[[str], tuple[Any, Binding]], text: str
) -> None:
    theirs, ours = pair("word n-grams")
    text = text.encode(errors="replace").decode()
    asked = (text, -1, 0.0, "strict")
    assert_same_predictions(ours.predict(*asked), theirs.predict(*asked))
    assert ours.getLine(text, "strict") == theirs.getLine(text, "strict")
    for f, vector in ((theirs, pybind.Vector(4)), (ours, found := Vector(4))):
        f.getSentenceVector(vector, text)
        expected = np.array(vector)
        if f is theirs:
            desired = expected
    assert_allclose(found, desired, atol=1e-6)


@pytest.mark.parametrize("name", FILES)
def test_words_ids_rows_and_vectors_are_equal(
    name: str, pair: Callable[[str], tuple[Any, Binding]]
) -> None:
    theirs, ours = pair(name)
    for question in ("getVocab", "getLabels"):
        assert getattr(ours, question)("strict") == getattr(theirs, question)("strict")
    assert ours.isQuant() is theirs.isQuant()
    into, expected = Vector(4), pybind.Vector(4)
    for word in ["one", "</s>", "unheard", "fünf", "", "__label__a"]:
        assert ours.getWordId(word) == theirs.getWordId(word)
        assert ours.getSubwords(word, "strict") == theirs.getSubwords(word, "strict")
        assert ours.getSubwordId(word) == theirs.getSubwordId(word)
        if not word.startswith("__label__"):
            ours.getWordVector(into, word)
            theirs.getWordVector(expected, word)
            assert_allclose(np.array(into), np.array(expected), atol=1e-6)
        assert ours.getLine(word, "strict") == theirs.getLine(word, "strict")
    if name in CLASSIFIERS:
        assert ours.getLabelId("__label__c") == theirs.getLabelId("__label__c") == 2
    ours.getInputVector(into, 2)
    theirs.getInputVector(expected, 2)
    assert_allclose(np.array(into), np.array(expected), atol=1e-6)
    for line in LINES:
        ours.getSentenceVector(into, line)
        theirs.getSentenceVector(expected, line)
        assert_allclose(np.array(into), np.array(expected), atol=1e-6)
    assert ours.multilineGetLine(LINES, "strict") == theirs.multilineGetLine(LINES, "strict")
    for text in LINES:
        assert ours.tokenize(text) == theirs.tokenize(text)
    for question, words in (("getNN", ["one"]), ("getAnalogies", ["one", "two", "drei"])):
        actual = getattr(ours, question)(*words, 3, "strict")
        desired = getattr(theirs, question)(*words, 3, "strict")
        assert [word for _, word in actual] == [word for _, word in desired]
        assert_allclose([s for s, _ in actual], [s for s, _ in desired], atol=1e-5)


@pytest.mark.parametrize("name", FILES)
def test_matrices_are_given_where_they_are_dense(
    name: str, pair: Callable[[str], tuple[Any, Binding]]
) -> None:
    theirs, ours = pair(name)
    for question in ("getInputMatrix", "getOutputMatrix"):
        if name == "quantised output" or (name == "quantised" and "Input" in question):
            with pytest.raises(RuntimeError):
                getattr(theirs, question)()
            with pytest.raises(RuntimeError, match="codes, not numbers") as found:
                getattr(ours, question)()
            assert isinstance(found.value, ftl.FastTextLiteError)
        else:
            expected = np.array(getattr(theirs, question)())
            assert_array_equal(getattr(ours, question)(), expected)


def test_a_file_of_examples_is_tested(
    pair: Callable[[str], tuple[Any, Binding]], tmp_path: Path
) -> None:
    theirs, ours = pair("softmax")
    path = tmp_path / "examples.txt"
    path.write_text("__label__a one\n__label__c two fünf\n__label__ü drei __label__a\n")
    assert ours.test(str(path), 1, 0.0) == theirs.test(str(path), 1, 0.0)
    expected = theirs.testLabel(str(path), 2, 0.0)
    actual = ours.testLabel(str(path), 2, 0.0)
    assert actual.keys() == expected.keys()
    for label, scores in expected.items():
        assert_array_equal(list(actual[label].values()), list(scores.values()))
    meters = theirs.getMeter(str(path), -1), ours.getMeter(str(path), -1)
    for question, *arguments in (
        ("scoreVsTrue", 0),
        ("precisionRecallCurve",),
        ("precisionRecallCurveLabel", 1),
        ("precisionAtRecall", 0.5),
        ("precisionAtRecallLabel", 0, 0.5),
        ("recallAtPrecision", 0.5),
        ("recallAtPrecisionLabel", 2, 0.1),
    ):
        answers = [getattr(meter, question)(*arguments) for meter in meters]
        assert_allclose(np.array(answers[1]), np.array(answers[0]), atol=2e-5)


ERRORS: dict[str, Callable[[Any, Any], Any]] = {
    "too few arguments": lambda f, vector: f.predict("one\n"),
    "arguments by name": lambda f, vector: f.predict(text="one\n", k=1),
    "no text": lambda f, vector: f.predict(5, 1, 0.0, "strict"),
    "no labels asked for": lambda f, vector: f.predict("one\n", 0, 0.0, "strict"),
    "fewer than none": lambda f, vector: f.predict("one\n", -2, 0.0, "strict"),
    "half a label": lambda f, vector: f.predict("one\n", 1.5, 0.0, "strict"),
    "one line for many": lambda f, vector: f.multilinePredict("one\n", 1, 0.0, "strict"),
    "no word": lambda f, vector: f.getWordVector(vector, 5),
    "no vector": lambda f, vector: f.getWordVector("text", "one"),
    "float64": lambda f, vector: f.getWordVector(np.zeros(4), "one"),
    "no vocabulary option": lambda f, vector: f.getVocab(),
    "no test file": lambda f, vector: f.test("/no/such/file", 1, 0.0),
    "no file for a meter": lambda f, vector: f.getMeter("/no/such/file", 1),
    "no model": lambda f, vector: f.loadModel("/no/such/file"),
    "nowhere to save to": lambda f, vector: f.saveModel("/no/such/folder/model.bin"),
    "no attribute": lambda f, vector: f.getArgs().nothing,
}


@pytest.mark.parametrize("ask", ERRORS.values(), ids=ERRORS)
def test_errors_are_of_the_official_type(
    ask: Callable[[Any, Any], Any], pair: Callable[[str], tuple[Any, Binding]]
) -> None:
    theirs, ours = pair("softmax")
    with pytest.raises((TypeError, ValueError, AttributeError)) as expected:
        ask(theirs, pybind.Vector(4))
    with pytest.raises(expected.type):
        ask(ours, Vector(4))


def test_a_vector_of_another_shape_is_refused(
    pair: Callable[[str], tuple[Any, Binding]],
) -> None:
    ours = pair("softmax")[1]
    with pytest.raises(ftl.InputValueError, match=r"shape \(3,\), not \(4,\)"):
        ours.getWordVector(Vector(3), "one")
    fixed = np.zeros(4, np.float32)
    fixed.flags.writeable = False
    with pytest.raises(ftl.InputTypeError, match="writeable"):
        ours.getWordVector(fixed, "one")


def test_unsupervised_models_predict_nothing(
    pair: Callable[[str], tuple[Any, Binding]],
) -> None:
    for f, line in itertools.product(pair("cbow"), ("one", "one\n")):
        with pytest.raises(ValueError, match="supervised"):
            f.predict(line, 1, 0.0, "strict")
        with pytest.raises(ValueError, match="supervised"):
            f.multilinePredict([line], 1, 0.0, "strict")


def test_labels_that_are_not_text_are_decoded_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(build(**CLASSIFIER | {"labels": [b"__label__\xff"], "words": [b"caf\xe9"]}))
    theirs, ours = official.load_model(str(path)).f, compat.load_model(path).f
    for f in (theirs, ours):
        with pytest.raises(UnicodeDecodeError):
            f.predict("one\n", 1, 0.0, "strict")
        with pytest.raises(UnicodeDecodeError):
            f.getVocab("strict")
    for how in ("replace", "ignore", "backslashreplace"):
        assert ours.predict("a\n", 1, 0.0, how)[0][1] == theirs.predict("a\n", 1, 0.0, how)[0][1]
        assert ours.getVocab(how) == theirs.getVocab(how)
        assert ours.getLabels(how) == theirs.getLabels(how)


def test_another_model_is_loaded_and_saved(tmp_path: Path) -> None:
    first, second, saved = (tmp_path / name for name in ("1.bin", "2.bin", "3.bin"))
    first.write_bytes(build(**CLASSIFIER))
    second.write_bytes(build(**CLASSIFIER | {"dim": 6}))
    model = compat.load_model(first)
    model.f.loadModel(str(second))
    assert model.get_dimension() == len(model["one"]) == 6
    model.f.saveModel(str(saved))
    assert official.load_model(str(saved)).get_dimension() == 6
    with pytest.raises(ftl.UnsupportedError, match="official package"):
        model.f.setMatrices(np.eye(2), np.eye(2))
