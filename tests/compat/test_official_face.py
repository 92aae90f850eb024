"""Each method of the fasttext layer compared with that of the official Python class."""

from __future__ import annotations

import inspect
import itertools
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.builders import SUPERVISED, build
from support.official_pairs import MODELS, UNKNOWN, Pair, assert_same, lines, make_pairs
from support.text import language_lines

import fasttext_lite as ftl
from fasttext_lite.compat import fasttext as face
from fasttext_lite.compat.fasttext.FastText import _FastText, _Meter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

official = pytest.importorskip("fasttext")


@pytest.fixture(scope="module")
def open_pair(trained: Callable[..., Path]) -> Callable[[str], Pair]:
    return make_pairs(trained)


@pytest.fixture(params=MODELS)
def pair(request: pytest.FixtureRequest, open_pair: Callable[[str], Pair]) -> Pair:
    return open_pair(request.param)


def assert_same_ranking(actual: list[tuple[float, str]], desired: list[tuple[float, str]]) -> None:
    """Assert that scores are equal, and words too except for those of equal scores.

    The last one may tie with a word that is not listed.
    """
    assert_allclose([score for score, _ in actual], [score for score, _ in desired], atol=1e-5)
    for (score, word), (_, other) in zip(actual, desired, strict=True):
        assert type(score) is float
        ties = sum(abs(score - s) < 1e-5 for s, _ in desired)
        assert word == other or ties > 1 or score - desired[-1][0] < 1e-5


def test_every_public_name_is_there() -> None:
    theirs = {name for name in dir(official.FastText._FastText) if not name.startswith("_")}
    assert theirs <= set(dir(_FastText))
    for name in ("__getitem__", "__contains__"):
        assert hasattr(_FastText, name)
    assert {name for name in dir(official.FastText._Meter) if not name.startswith("_")} <= set(
        dir(_Meter)
    )
    modules = {"FastText", "util", "tests"}
    names = {n for n in dir(official) if n[0] != "_"} - modules - set(face.__all__)
    training = {n for n in names if "train" in n or n in ("cbow", "skipgram", "supervised")}
    assert names - training <= {
        "absolute_import", "division", "print_function", "unicode_literals",
    }  # fmt: skip
    for name in training:
        with pytest.raises(ftl.UnsupportedError):
            getattr(face, name)
    for name in ("test", "find_nearest_neighbor", "reduce_model", "download_model"):
        assert callable(getattr(face.util, name))


def test_arguments_have_the_same_names_order_and_defaults() -> None:
    def arguments(function: Any) -> list[tuple[str, Any]]:
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]

    from fasttext import util

    pairs = [
        *((official.FastText._FastText, _FastText, name) for name in dir(_FastText)),
        *((official.FastText._Meter, _Meter, name) for name in dir(_Meter)),
        *((util, face.util, name) for name in dir(face.util)),
        (official, face, "load_model"),
        (official, face, "tokenize"),
    ]
    compared = 0
    for theirs, ours, name in pairs:
        made = inspect.isfunction(getattr(theirs, name, None)) and name[0] != "_"
        if made and name != "quantize":
            assert arguments(getattr(ours, name)) == arguments(getattr(theirs, name)), name
            compared += 1
    assert compared > 25


def test_constants_are_equal() -> None:
    assert (face.EOS, face.BOW, face.EOW) == (official.EOS, official.BOW, official.EOW)
    for name in ("model_name", "loss_name"):
        theirs = getattr(official.FastText, name).__members__
        ours = getattr(face.FastText, name).__members__
        assert {key: int(value) for key, value in theirs.items()} == dict(ours)


def test_opening_prints_nothing(
    trained: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    path = trained(**MODELS["cbow"])
    capfd.readouterr()
    official.load_model(str(path))
    face.load_model(str(path))
    assert capfd.readouterr() == ("", "")


def test_words_labels_and_counts_are_equal(pair: Pair) -> None:
    for name in ("get_words", "get_labels"):
        for arguments in ((), (True,), (False, "replace")):
            assert_same(
                getattr(pair.ours, name)(*arguments), getattr(pair.official, name)(*arguments)
            )
    assert_same(pair.ours.words, pair.official.words)
    assert_same(pair.ours.labels, pair.official.labels)
    assert pair.ours.words is pair.ours.words


def test_sizes_and_kinds_are_equal(pair: Pair) -> None:
    assert_same(pair.ours.get_dimension(), pair.official.get_dimension())
    assert_same(pair.ours.is_quantized(), pair.official.is_quantized())
    arguments = pair.official.f.getArgs()
    names = [
        "dim",
        "ws",
        "epoch",
        "minCount",
        "neg",
        "wordNgrams",
        "bucket",
        "minn",
        "maxn",
        "lrUpdateRate",
        "t",
    ]
    for name in names:
        assert_same(getattr(pair.ours, name), getattr(arguments, name))
    assert int(pair.ours.loss) == int(arguments.loss)


def test_vectors_and_ids_are_equal(pair: Pair) -> None:
    for word in [*pair.official.words, *pair.official.labels, *UNKNOWN, "", "</s>"]:
        if word in pair.official.words or not word.startswith("__label__"):
            vectors = [m.get_word_vector(word) for m in (pair.ours, pair.official)]
            assert vectors[0].dtype == vectors[1].dtype
            assert_allclose(vectors[0], vectors[1], rtol=1e-6, atol=1e-6)
            assert_array_equal(pair.ours[word], vectors[0])
        assert_same(pair.ours.get_word_id(word), pair.official.get_word_id(word))
        assert_same(word in pair.ours, word in pair.official)
        if pair.official.get_word_id(word) < 0:
            assert pair.ours.get_label_id(word) == pair.official.get_label_id(word) == -1
    if pair.official.labels != pair.official.words:
        for label in pair.official.labels:
            assert_same(pair.ours.get_label_id(label), pair.official.get_label_id(label))


def test_subwords_are_equal(open_pair: Callable[[str], Pair]) -> None:
    for name in ("cbow", "softmax", "hs", "quantized"):
        pair = open_pair(name)
        for word in [*pair.official.words, *UNKNOWN[:100]]:
            texts, rows = pair.official.get_subwords(word)
            if len(rows):
                assert_same(pair.ours.get_subwords(word), (texts, rows))
            for text in texts if pair.official.f.getArgs().bucket else ():
                assert_same(pair.ours.get_subword_id(text), pair.official.get_subword_id(text))


def test_a_pruned_model_names_as_many_subwords_as_rows(open_pair: Callable[[str], Pair]) -> None:
    pair = open_pair("pruned")
    shorter = 0
    for word in pair.official.words:
        texts, rows = pair.ours.get_subwords(word)
        theirs, their_rows = pair.official.get_subwords(word)
        assert len(texts) == len(rows)
        assert_array_equal(rows, their_rows)
        shorter += len(texts) < len(theirs)
    assert shorter


def test_rows_and_matrices_are_equal(pair: Pair) -> None:
    for row in (0, 1, len(pair.official.words) - 1, np.int64(2)):
        ours = pair.ours.get_input_vector(row)
        theirs = pair.official.get_input_vector(row)
        assert ours.dtype == theirs.dtype
        assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
    for name in ("get_input_matrix", "get_output_matrix"):
        if pair.official.is_quantized():
            for model in pair:
                with pytest.raises(ValueError, match="quanti"):
                    getattr(model, name)()
        else:
            matrix = getattr(pair.ours, name)()
            assert_same(matrix, getattr(pair.official, name)())
            assert matrix.flags.writeable
            assert matrix.flags.aligned


def test_sentence_vectors_are_equal(pair: Pair) -> None:
    for line in lines():
        ours = pair.ours.get_sentence_vector(line)
        theirs = pair.official.get_sentence_vector(line)
        assert ours.dtype == theirs.dtype
        assert_allclose(ours, theirs, atol=1e-6)


def test_neighbors_and_analogies_are_equal(open_pair: Callable[[str], Pair]) -> None:
    for name in ("cbow", "skipgram", "softmax"):
        pair = open_pair(name)
        words = [*pair.official.words[:5], "unheard"]
        for word, k in itertools.product(words, (1, 10)):
            assert_same_ranking(
                pair.ours.get_nearest_neighbors(word, k),
                pair.official.get_nearest_neighbors(word, k),
            )
        for three in itertools.permutations(words[:4], 3):
            assert_same_ranking(
                pair.ours.get_analogies(*three), pair.official.get_analogies(*three)
            )
        all_words = pair.ours.get_nearest_neighbors(words[1], -1)
        assert len(all_words) == len(pair.official.words) - 1
        assert_same_ranking(all_words, pair.official.get_nearest_neighbors(words[1], -1))


def test_lines_are_split_alike(pair: Pair) -> None:
    labels = pair.official.labels
    some = [*lines(), f"a {labels[-1]} b", "__label__unheard a __label__ b", "a </s> b c"]
    for line in some:
        assert_same(pair.ours.get_line(line), pair.official.get_line(line))
    assert_same(pair.ours.get_line(some), pair.official.get_line(some))
    assert_same(pair.ours.get_line([]), pair.official.get_line([]))


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "a", "a\n", "a b\nc\n\n", "a\0b\xa0c\u2003d\v\fe\r"]
)
def test_tokens_are_equal(text: str) -> None:
    assert_same(face.tokenize(text), official.tokenize(text))
    assert_same(face.tokenize(text.encode()), official.tokenize(text.encode()))


SAME_ERRORS = {
    "no such file": lambda package, _: package.load_model("/no/such/file"),
    "no path": lambda package, _: package.load_model(""),
    "a folder": lambda package, _: package.load_model("/"),
    "no model": lambda package, _: package.load_model(__file__),
    "path of a wrong type": lambda package, _: package.load_model(5),
    "word of a wrong type": lambda _, model: model.get_word_vector(5),
    "item of a wrong type": lambda _, model: model[5],
    "list as item": lambda _, model: model[["a"]],
    "iteration": lambda _, model: list(model),
    "length": lambda _, model: len(model),
    "word id of a wrong type": lambda _, model: model.get_word_id(5),
    "label id of a wrong type": lambda _, model: model.get_label_id(5),
    "row of a wrong type": lambda _, model: model.get_input_vector(1.0),
    "subwords of a wrong type": lambda _, model: model.get_subwords(None),
    "neighbors of a wrong type": lambda _, model: model.get_nearest_neighbors(5),
    "k of a wrong type": lambda _, model: model.get_nearest_neighbors("a", 2.0),
    "analogies of a wrong type": lambda _, model: model.get_analogies("a", "b", 5),
    "newline in a text": lambda _, model: model.predict("a\n"),
    "newline in one text of many": lambda _, model: model.predict(["a", "b\n"]),
    "newline in a sentence": lambda _, model: model.get_sentence_vector("a\n"),
    "newline in a line": lambda _, model: model.get_line("a\n"),
    "newline in one line of many": lambda _, model: model.get_line(["a", "b\n"]),
    "no labels asked for": lambda _, model: model.predict("a", k=0),
    "fewer labels than none": lambda _, model: model.predict("a", k=-2),
    "labels of a wrong type": lambda _, model: model.predict("a", k=1.5),
    "threshold of a wrong type": lambda _, model: model.predict("a", threshold="x"),
    "no test file": lambda _, model: model.test("/no/such/file"),
    "no test file for labels": lambda _, model: model.test_label("/no/such/file"),
    "no test file for a meter": lambda _, model: model.get_meter("/no/such/file"),
    "nowhere to save to": lambda _, model: model.save_model("/no/such/folder/model.bin"),
    "tokens of a wrong type": lambda package, _: package.tokenize(5),
}


@pytest.mark.parametrize("ask", SAME_ERRORS.values(), ids=SAME_ERRORS)
def test_errors_are_of_the_official_type(
    ask: Callable[[Any, Any], Any], open_pair: Callable[[str], Pair]
) -> None:
    pair = open_pair("softmax")
    with pytest.raises((TypeError, ValueError)) as theirs:
        ask(official, pair.official)
    with pytest.raises(theirs.type):
        ask(face, pair.ours)


def test_the_official_package_opens_what_is_saved(pair: Pair, tmp_path: Path) -> None:
    path = tmp_path / "saved.bin"
    pair.ours.save_model(str(path))
    again = official.load_model(str(path))
    assert again.words == pair.official.words
    for word in again.words[:20]:
        assert_array_equal(again.get_word_vector(word), pair.official.get_word_vector(word))
    assert [file.name for file in tmp_path.iterdir()] == ["saved.bin"]


def test_bytes_that_are_no_text_go_as_the_official_way(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    words, labels = [b"</s>", b"caf\xe9", b"one"], [b"__label__\xff", b"__label__b"]
    path.write_bytes(build(words=words, labels=labels, model=SUPERVISED, minn=1, maxn=2))
    ours, theirs = face.load_model(path), official.load_model(str(path))
    questions = [
        lambda model, *how: model.get_words(False, *how),
        lambda model, *how: model.get_labels(False, *how),
        lambda model, *how: model.get_subwords(b"caf\xe9", *how)[0],
        lambda model, *how: [word for _, word in model.get_nearest_neighbors("one", 10, *how)],
        lambda model, *how: model.predict(["one"], 2, 0.0, *how)[0],
    ]
    for question in questions:
        for model in (ours, theirs):
            with pytest.raises(UnicodeDecodeError):
                question(model)
        for how in ("replace", "ignore", "backslashreplace", "surrogateescape"):
            assert_same(question(ours, how), question(theirs, how))


def test_utilities_agree(open_pair: Callable[[str], Pair]) -> None:
    from fasttext import util

    predictions = [["a", "b"], ["c"], []]
    labels = [["a"], ["c", "d"], ["e"]]
    for k in (1, 2):
        assert_same(face.util.test(predictions, labels, k), util.test(predictions, labels, k))
    random = np.random.default_rng(3)
    vectors, query = random.standard_normal((50, 8)), random.standard_normal(8)
    banned: set[int] = set()
    for _ in range(10):
        nearest = face.util.find_nearest_neighbor(query, vectors, banned)
        assert nearest == util.find_nearest_neighbor(query, vectors, banned)
        banned.add(int(nearest))
    ours, theirs = np.empty(50), np.empty(50)
    assert face.util.find_nearest_neighbor(
        query, vectors, banned, ours
    ) == util.find_nearest_neighbor(query, vectors, banned, theirs)
    assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["cbow", "softmax"])
def test_a_reduced_model_keeps_as_much_as_the_official_one(
    name: str, trained: Callable[..., Path]
) -> None:
    from fasttext import util

    path = trained(**MODELS[name])
    whole, theirs = official.load_model(str(path)), official.load_model(str(path))
    dim = whole.get_dimension() // 2
    ours = face.load_model(path)
    assert face.util.reduce_model(ours, dim) is ours
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        util.reduce_model(theirs, dim)
    assert ours.get_dimension() == ours.dim == theirs.get_dimension() == dim
    assert ours.words == whole.words

    def cosines(model: Any) -> np.ndarray:
        vectors = np.array([model.get_word_vector(word) for word in whole.words])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors @ vectors.T

    def loss(model: Any) -> float:
        return float(np.abs(cosines(model) - cosines(whole)).mean())

    assert loss(ours) < 1.2 * loss(theirs) + 0.01
    if name == "softmax":
        texts = language_lines(100, seed=11)
        expected = whole.predict(texts)[0]
        kept = [a == b for a, b in zip(ours.predict(texts)[0], expected, strict=True)]
        theirs_kept = [a == b for a, b in zip(theirs.predict(texts)[0], expected, strict=True)]
        assert sum(kept) >= sum(theirs_kept) - 10
