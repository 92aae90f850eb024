"""Comparison with the official package on every kind of model that it can train."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import reference
from support.builders import HS, SUPERVISED, Quantizer, build
from support.text import unknown_words

import fasttext_lite as ftl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

fasttext = pytest.importorskip("fasttext")

UNKNOWN = unknown_words()
# Subwords are compared on fewer words than vectors.
TAKEN_APART = UNKNOWN[:500]

LABELS = [b"__label__a", b"__label__b"]


class Case(NamedTuple):
    """A file, and whether the official trainer or the builders create it."""

    name: str
    maker: str
    options: dict[str, Any]


def train(model: str, loss: str, minn: int, maxn: int, **options: Any) -> Case:
    name = f"{model}-{loss}-{minn}-{maxn}"
    return Case(
        name, "trained", {**options, "model": model, "loss": loss, "minn": minn, "maxn": maxn}
    )


def train_and_quantize(name: str, *, options: dict[str, Any], **quantize: Any) -> Case:
    defaults = {"text": "topic", "minn": 2, "maxn": 4, "bucket": 3000, "dim": 10}
    model = {"model": "supervised", "loss": "softmax", **defaults, **options}
    return Case(f"quantized-{name}", "trained", {**model, "quantize": quantize})


def write(name: str, **options: Any) -> Case:
    return Case(f"built-{name}", "built", options)


# Every model, loss, n-gram range and number of word n-grams, with buckets from one to many and
# dimensions below and above the width of vector registers.
TRAINED = [
    train("cbow", "ns", 3, 6, bucket=5000, dim=12),
    train("cbow", "hs", 1, 3, bucket=997, dim=16),
    train("cbow", "softmax", 0, 0, dim=20),
    train("cbow", "ova", 5, 5, bucket=100, dim=20),
    train("skipgram", "ns", 2, 2, bucket=1, dim=10),
    train("skipgram", "hs", 0, 4, bucket=2000, dim=17),
    train("skipgram", "softmax", 1, 3, bucket=2048, dim=13),
    train("skipgram", "ova", 6, 3, bucket=300, dim=9),
    train("supervised", "softmax", 0, 0, dim=10, text="language"),
    train("supervised", "hs", 2, 2, bucket=4999, dim=8, wordNgrams=2, text="topic"),
    train("supervised", "ns", 3, 6, bucket=3001, dim=11, wordNgrams=3, text="language"),
    train("supervised", "ova", 1, 3, bucket=1000, dim=14, text="language"),
    train("supervised", "ns", 0, 0, bucket=500, dim=18, wordNgrams=2, text="language"),
    train("supervised", "softmax", 5, 5, bucket=5000, dim=19, text="topic"),
]
QUANTIZED = [
    train_and_quantize("plain", options={}),
    train_and_quantize("norms", options={"loss": "hs"}, qnorm=True),
    train_and_quantize("odd-dsub", options={"loss": "ns", "wordNgrams": 2}, dsub=3),
    train_and_quantize("one-code", options={"loss": "ova"}, dsub=16, qnorm=True),
    train_and_quantize("output", options={"dim": 11}, qout=True),
    train_and_quantize("cutoff", options={"wordNgrams": 3}, cutoff=500),
    train_and_quantize(
        "retrained",
        options={"minn": 3, "maxn": 6},
        cutoff=700,
        retrain=True,
        epoch=1,
        dsub=4,
        qnorm=True,
    ),
    train_and_quantize(
        "everything",
        options={"loss": "hs", "dim": 13},
        cutoff=1000,
        qnorm=True,
        qout=True,
        dsub=5,
    ),
    train_and_quantize(
        "words-only", options={"text": "language", "minn": 0, "maxn": 0}, cutoff=300, qnorm=True
    ),
]
# Files that the official program rarely or never writes, but reads.
BUILT = [
    write("repeated-words", words=[b"one", b"two", b"one", b"two", b"one"], minn=1, maxn=2),
    write(
        "byte-words",
        words=[b"\xff\xfe", b"\x80", b"a\xcc", b"", b"</s>", b"x y"],
        minn=1,
        maxn=4,
    ),
    write("version-11", version=11),
    write("version-11-supervised", version=11, model=SUPERVISED, labels=[b"__label__a"]),
    write("output-flag-alone", flags=(b"\0", b"\1")),
    write("labels", model=SUPERVISED, loss=HS, labels=LABELS, minn=2, maxn=3),
    write("all-dropped", model=SUPERVISED, labels=LABELS, prune=[], input_quantizer=Quantizer()),
    write(
        "pruned",
        model=SUPERVISED,
        labels=LABELS,
        minn=1,
        maxn=3,
        bucket=9,
        dim=7,
        prune=[(8, 2), (0, 0), (5, 3), (3, 1)],
        input_quantizer=Quantizer(3, qnorm=True),
        output_quantizer=Quantizer(2, qnorm=True),
    ),
]
CASES = [*TRAINED, *QUANTIZED, *BUILT]


class Trio:
    """One file, opened by the official package, by this one and by the reference."""

    def __init__(self, path: Path) -> None:
        self.official = fasttext.load_model(str(path))
        self.ours = ftl.load(path)
        self.reference = reference.parse(path)
        self.quantized = self.official.is_quantized()

    @cached_property
    def words(self) -> tuple[list[str], np.ndarray]:
        return self.official.get_words(include_freq=True, on_unicode_error="surrogateescape")

    @cached_property
    def labels(self) -> tuple[list[str], np.ndarray]:
        pair = self.official.f.getLabels("surrogateescape")
        return pair[0], np.array(pair[1], np.int64)

    @property
    def labels_with_a_row(self) -> list[bytes]:
        rows = len(self.reference.input_matrix) - len(self.words[0])
        return [label.encode() for label in self.labels[0][: max(rows, 0)]]

    def official_vectors(self, words: list[bytes]) -> np.ndarray:
        vectors = np.array([self.official.get_word_vector(word) for word in words], np.float32)
        return vectors.reshape(len(words), self.ours.dim)

    def assert_equal(self, actual: np.ndarray, desired: np.ndarray) -> None:
        """Compare vectors, bit for bit if the matrix is dense."""
        assert actual.dtype == desired.dtype == np.float32
        if self.quantized:
            assert_allclose(actual, desired, rtol=1e-6, atol=1e-6)
        else:
            assert_array_equal(actual.view(np.uint32), desired.view(np.uint32))


@pytest.fixture(scope="module")
def open_trio(
    trained: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Trio]:
    """Open every file once, in any order of the tests."""
    trios: dict[str, Trio] = {}

    def open_once(maker: str, options: dict[str, Any]) -> Trio:
        key = repr((maker, options))
        if key not in trios:
            if maker == "trained":
                path = trained(**options)
            else:
                path = tmp_path_factory.mktemp("built") / "model.bin"
                path.write_bytes(build(**options))
            trios[key] = Trio(path)
        return trios[key]

    return open_once


@pytest.fixture
def trio(request: pytest.FixtureRequest, open_trio: Callable[..., Trio]) -> Trio:
    return open_trio(*request.param)


def each_of(cases: Iterable[Case]) -> pytest.MarkDecorator:
    params = [pytest.param((case.maker, case.options), id=case.name) for case in cases]
    return pytest.mark.parametrize("trio", params, indirect=True)


each_model = each_of(CASES)
each_dense_model = each_of(
    case for case in CASES if not case.options.keys() & {"quantize", "input_quantizer"}
)


@each_model
def test_words_and_their_counts_are_equal(trio: Trio) -> None:
    words, counts = trio.words
    assert list(trio.ours.words) == words
    assert_array_equal(trio.ours.counts, counts)
    assert len(trio.ours) == len(words)


@each_model
def test_labels_and_their_counts_are_equal(trio: Trio) -> None:
    labels, counts = trio.labels
    assert list(trio.ours.labels) == labels
    assert_array_equal(trio.ours.label_counts, counts)


@each_model
def test_word_ids_are_equal(trio: Trio) -> None:
    words = [word.encode(errors="surrogateescape") for word in trio.words[0]] + UNKNOWN
    official = [trio.official.get_word_id(word) for word in words]
    assert [trio.ours.word_id(word) for word in words] == official
    assert [trio.reference.word_id(word) for word in words] == official
    assert [word in trio.ours for word in words] == [row >= 0 for row in official]


@each_model
def test_subwords_are_equal(trio: Trio) -> None:
    known = [word.encode(errors="surrogateescape") for word in trio.words[0]]
    for word in known + trio.labels_with_a_row + TAKEN_APART:
        texts, rows = trio.official.get_subwords(word, on_unicode_error="surrogateescape")
        ours = trio.ours.subwords(word)
        assert [row for _, row in ours] == rows.tolist()
        assert trio.reference.rows_of(word) == rows.tolist()
        assert [text.encode(errors="surrogateescape") for text, _ in ours] == [
            text for text, _ in trio.reference.subwords(word)
        ]
        # The official program also lists the n-grams that pruning dropped.
        if trio.reference.prune is None:
            assert [text for text, _ in ours] == texts


@each_model
def test_vectors_of_words_and_labels_are_equal(trio: Trio) -> None:
    known = [word.encode(errors="surrogateescape") for word in trio.words[0]]
    words = known + trio.labels_with_a_row
    official = trio.official_vectors(words)
    trio.assert_equal(trio.ours[words], official)
    trio.assert_equal(np.array([trio.ours[word] for word in words]), official)
    trio.assert_equal(np.array([trio.reference.vector(word) for word in words]), official)


@each_model
def test_vectors_of_unknown_words_are_equal(trio: Trio) -> None:
    official = trio.official_vectors(UNKNOWN)
    trio.assert_equal(trio.ours[UNKNOWN], official)
    some = slice(0, None, 10)
    trio.assert_equal(np.array([trio.ours[word] for word in UNKNOWN[some]]), official[some])
    trio.assert_equal(
        np.array([trio.reference.vector(word) for word in UNKNOWN[some]]), official[some]
    )


@each_model
def test_text_and_its_bytes_have_the_same_vector(trio: Trio) -> None:
    texts = [word.decode(errors="surrogateescape") for word in TAKEN_APART]
    assert_array_equal(trio.ours[texts], trio.ours[TAKEN_APART])


@each_dense_model
def test_dense_matrices_are_equal(trio: Trio) -> None:
    trio.assert_equal(trio.ours.input_matrix, trio.official.get_input_matrix())
    trio.assert_equal(trio.ours.output_matrix, trio.official.get_output_matrix())


def test_the_trained_models_cover_every_choice() -> None:
    models = [case.options for case in TRAINED]
    assert {(model["model"], model["loss"]) for model in models} == set(
        itertools.product(["cbow", "skipgram", "supervised"], ["hs", "ns", "softmax", "ova"])
    )
    lengths = {(model["minn"], model["maxn"]) for model in models}
    assert lengths >= {(0, 0), (1, 3), (2, 2), (3, 6), (5, 5)}
    assert {model.get("wordNgrams", 1) for model in models} == {1, 2, 3}


@pytest.mark.parametrize("case", QUANTIZED, ids=[case.name for case in QUANTIZED])
def test_the_quantized_models_are_what_they_stand_for(
    case: Case, open_trio: Callable[..., Trio]
) -> None:
    parsed = open_trio(case.maker, case.options).reference
    asked = case.options["quantize"]
    assert parsed.input_quantized
    assert parsed.output_quantized == asked.get("qout", False)
    assert (parsed.prune is not None) == ("cutoff" in asked)
    if parsed.prune is not None:
        assert bool(parsed.prune) == (case.options["maxn"] > 0)
        assert 0 < len(parsed.words) < len(parsed.input_matrix) + (not parsed.prune)
