"""Sentence vectors and predictions compared with the official package."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.builders import HS, NS, OVA, SOFTMAX, SUPERVISED, Quantizer, build
from support.text import CURIOSITIES, language_lines, plain_lines, topic_lines, unknown_words

import fasttext_lite as ftl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest.importorskip("fasttext")

LOSSES = {"softmax": SOFTMAX, "hs": HS, "ns": NS, "ova": OVA}


def supervised(loss: str, text: str, ngrams: tuple[int, int], **options: Any) -> Any:
    name = "-".join([loss, text, *(f"{key}={value}" for key, value in options.items())])
    minn, maxn = ngrams
    options = {"loss": loss, "text": text, "minn": minn, "maxn": maxn, **options}
    return pytest.param({"model": "supervised", "epoch": 5, "lr": 0.3, **options}, id=name)


MODELS = [
    supervised("softmax", "language", (0, 0), dim=10),
    supervised("softmax", "topic", (2, 4), dim=16, wordNgrams=2, bucket=4001),
    supervised("softmax", "language", (0, 0), dim=20, wordNgrams=3, bucket=1),
    supervised("hs", "language", (1, 3), dim=10, bucket=1000),
    supervised("hs", "topic", (0, 0), dim=12, wordNgrams=2, bucket=3000),
    supervised("hs", "topic", (3, 6), dim=30, wordNgrams=3, bucket=5000),
    supervised("ns", "language", (2, 3), dim=10, bucket=2048),
    supervised("ns", "topic", (0, 0), dim=18, wordNgrams=2, bucket=77),
    supervised("ns", "language", (3, 6), dim=10, wordNgrams=3, bucket=5000),
    supervised("ova", "topic", (0, 3), dim=14, bucket=999),
    supervised("ova", "language", (0, 0), dim=10, wordNgrams=2, bucket=2000),
    supervised("ova", "language", (5, 5), dim=20, wordNgrams=3, bucket=3001),
    supervised("softmax", "topic", (2, 4), bucket=3000, dim=10, quantize={"qnorm": True}),
    supervised("hs", "topic", (2, 4), bucket=3000, dim=10, quantize={"dsub": 3, "qout": True}),
    supervised("ns", "topic", (2, 4), bucket=3000, dim=10, wordNgrams=2, quantize={"cutoff": 500}),
    supervised(
        "ova",
        "topic",
        (2, 4),
        bucket=3000,
        dim=10,
        wordNgrams=3,
        quantize={"cutoff": 700, "qnorm": True, "qout": True},
    ),
    supervised(
        "hs",
        "topic",
        (0, 0),
        bucket=5000,
        dim=10,
        wordNgrams=2,
        quantize={"cutoff": 400, "qnorm": True},
    ),
    supervised("softmax", "language", (2, 4), bucket=100_000, dim=10, quantize={"cutoff": 300}),
    # Barely trained: all labels score nearly the same, and the last bit of a sum decides.
    *(
        supervised(loss, "topic", (2, 4), epoch=1, lr=0.01, bucket=3000, dim=16, wordNgrams=2)
        for loss in LOSSES
    ),
    supervised("hs", "topic", (0, 0), epoch=1, lr=0.001, bucket=3000, dim=64, wordNgrams=3),
]
UNSUPERVISED = [
    {"model": "cbow", "minn": 2, "maxn": 4, "bucket": 3000, "dim": 20},
    {"model": "skipgram", "minn": 0, "maxn": 0, "dim": 30},
]


def texts() -> list[bytes]:
    """Return lines of the training text, some of them shuffled and damaged, and edge cases."""
    source = random.Random(7)
    lines = [line.encode() for line in [*plain_lines(40), *language_lines(30), *topic_lines(60)]]
    words = [word.replace(b"\n", b"?") for word in unknown_words(600)]
    found = list(lines)
    for _ in range(250):
        pieces = source.choice(lines).split() + source.choices(words, k=source.randint(0, 6))
        source.shuffle(pieces)
        separator = source.choice([b" ", b"  ", b"\t", b"\r", b"\v ", b"\f", b"\0", b" \0\0 "])
        found.append(separator.join(pieces))
    for line in lines[:20]:
        found += [b" " + line + b" \t", line + b" </s> " + lines[3], b"</s> " + line, line[:-1]]
    found += [word.replace(b"\n", b" ") for word in CURIOSITIES]
    found += [b" ".join(words[:50]), b"   \t\0\v", b"__label__", b"__label__de", b"__label", b"\0"]
    found += [b"\xff" * 300, b"a" * 5000, "🙂 👍🏽 🎉".encode() * 40]
    return found


TEXTS = texts()


class Pair:
    """One file, opened by the official package and by this one."""

    def __init__(self, path: Path) -> None:
        import fasttext

        self.official = fasttext.load_model(str(path))
        self.ours = ftl.load(path)

    def official_predictions(
        self, texts: list[bytes], k: int, threshold: float
    ) -> list[tuple[list[str], np.ndarray]]:
        lines = [text + b"\n" for text in texts]
        labels, numbers = self.official.f.multilinePredict(lines, k, threshold, "strict")
        return list(zip(labels, numbers, strict=True))

    def official_vector(self, text: bytes) -> np.ndarray:
        from fasttext_pybind import Vector

        vector = Vector(self.official.get_dimension())
        self.official.f.getSentenceVector(vector, text + b"\n")
        return np.array(vector)


@pytest.fixture
def open_both(trained: Callable[..., Path]) -> Callable[[dict[str, Any]], Pair]:
    return lambda options: Pair(trained(**options))


@pytest.fixture
def build_both(tmp_path: Path) -> Callable[..., Pair]:
    def build_and_open(**options: Any) -> Pair:
        path = tmp_path / "model.bin"
        path.write_bytes(build(model=SUPERVISED, **options))
        return Pair(path)

    return build_and_open


def bits(numbers: Any) -> Any:
    return np.asarray(numbers, np.float32).view(np.uint32).tolist()


def assert_same(ours: Any, labels: list[str], numbers: np.ndarray) -> None:
    """Assert that labels and their order are equal, and probabilities up to the last bits."""
    assert list(ours.labels) == list(labels)
    assert_allclose(ours.probabilities, numbers, rtol=0, atol=1e-5)


@pytest.mark.parametrize("options", MODELS)
def test_predictions_are_those_of_the_official_program(
    open_both: Callable[[dict[str, Any]], Pair], options: dict[str, Any]
) -> None:
    pair = open_both(options)
    for k, threshold in ((1, 0.0), (3, 0.0), (2, 0.3), (8, 1e-3), (9, 1e-3), (1000, -1.0)):
        expected = pair.official_predictions(TEXTS, k, threshold)
        many = pair.ours.predict(TEXTS, k, threshold, official_bias=True)
        for text, batched, (labels, numbers) in zip(TEXTS, many, expected, strict=True):
            assert_same(batched, labels, numbers)
            if options["loss"] != "hs":
                assert bits(batched.probabilities) == bits(numbers)
            alone = pair.ours.predict(text, k, threshold, official_bias=True)
            assert alone.labels == batched.labels
            assert alone.probabilities.tolist() == batched.probabilities.tolist()


@pytest.mark.parametrize("options", MODELS)
def test_all_labels_have_the_official_bits(
    open_both: Callable[[dict[str, Any]], Pair], options: dict[str, Any]
) -> None:
    pair = open_both(options)
    expected = pair.official_predictions(TEXTS, -1, -1.0)
    for ours, (labels, numbers) in zip(
        pair.ours.predict(TEXTS, -1, -1.0, official_bias=True), expected, strict=True
    ):
        assert list(ours.labels) == list(labels)
        assert bits(ours.probabilities) == bits(numbers)


@pytest.mark.parametrize(
    "options", [*MODELS, *(pytest.param(one, id=one["model"]) for one in UNSUPERVISED)]
)
def test_sentence_vectors_have_the_official_bits(
    open_both: Callable[[dict[str, Any]], Pair], options: dict[str, Any]
) -> None:
    pair = open_both(options)
    expected = np.array([pair.official_vector(text) for text in TEXTS])
    vectors = pair.ours.sentence_vectors(TEXTS)
    assert bits(vectors) == bits(expected)
    alone = np.array([pair.ours.sentence_vector(text) for text in TEXTS])
    assert bits(alone) == bits(expected)


@pytest.mark.parametrize("options", [MODELS[1].values[0], MODELS[14].values[0], UNSUPERVISED[0]])
def test_a_line_of_a_megabyte_is_one_text(
    open_both: Callable[[dict[str, Any]], Pair], options: dict[str, Any]
) -> None:
    pair = open_both(options)
    text = b" ".join(text for text in TEXTS if b"</s>" not in text)
    text *= 1_000_000 // len(text) + 1
    assert bits(pair.ours.sentence_vector(text)) == bits(pair.official_vector(text))
    if options["model"] == "supervised":
        ((labels, _),) = pair.official_predictions([text], 1, 0.0)
        assert list(pair.ours.predict(text).labels) == labels


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 7, 8, 20])
def test_equally_probable_labels_come_in_the_official_order(
    build_both: Callable[..., Pair], loss: str, k: int
) -> None:
    source = np.random.default_rng(k)
    labels = [b"__label__%d" % i for i in range(16)]
    # Few different rows, so that many labels share their score; equal counts make an even tree.
    output = source.integers(-1, 2, (16, 4)).astype(np.float32)
    output[:, 1:] = 0
    pair = build_both(
        loss=LOSSES[loss],
        labels=labels,
        label_counts=[1] * 16,
        output_matrix=np.zeros_like(output) if loss == "hs" else output,
        minn=2,
        maxn=3,
    )
    texts = [b"one two", b"three", b"else", b"</s>"]
    for text, (names, numbers) in zip(
        texts, pair.official_predictions(texts, k, -1.0), strict=True
    ):
        found = pair.ours.predict(text, k, -1.0, official_bias=True)
        assert list(found.labels) == names
        assert_allclose(found.probabilities, numbers, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    "counts", [[1], [5, 5], [9, 3, 3, 1], [0, 0, 0], [1000, *range(40, 0, -1)]]
)
def test_any_label_counts_make_the_official_tree(
    build_both: Callable[..., Pair], counts: list[int]
) -> None:
    labels = [b"__label__%d" % i for i in range(len(counts))]
    pair = build_both(loss=HS, labels=labels, label_counts=counts, dim=6)
    texts = [b"one two three", b"else one", b""]
    for text, (names, numbers) in zip(
        texts, pair.official_predictions(texts, -1, -1.0), strict=True
    ):
        found = pair.ours.predict(text, -1, -1.0, official_bias=True)
        assert list(found.labels) == names
        assert_allclose(found.probabilities, numbers, rtol=1e-5, atol=1e-6)


BUILT = [
    {"version": 11, "minn": 2, "maxn": 4},
    {"words": [b"one", b"two"], "minn": 1, "maxn": 2},
    {"words": [b"one", b"</s>", b"one"], "word_ngrams": 12, "bucket": 50, "minn": 0, "maxn": 0},
    {"minn": 3, "maxn": -1, "bucket": 100},
    {"minn": -1, "maxn": 3, "bucket": 100},
    {"prune": [], "input_quantizer": Quantizer(), "minn": 1, "maxn": 3},
    {
        "prune": [(8, 2), (0, 0), (5, 3), (3, 1)],
        "bucket": 9,
        "word_ngrams": 3,
        "minn": 1,
        "maxn": 3,
        "input_quantizer": Quantizer(3, qnorm=True),
        "output_quantizer": Quantizer(2, qnorm=True),
    },
    {
        "prune": [(1_999_999, 0), (77, 1)],
        "bucket": 2_000_000,
        "minn": 1,
        "maxn": 3,
        "input_quantizer": Quantizer(),
    },
]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("options", BUILT)
def test_odd_files_are_read_as_the_official_program_does(
    build_both: Callable[..., Pair], options: dict[str, Any], loss: str
) -> None:
    pair = build_both(loss=LOSSES[loss], labels=[b"__label__a", b"__label__b", b"c"], **options)
    source = random.Random(3)
    pieces = [b"one", b"two", b"three", b"ones", b"__label__a", b"__label__z", b"c", b"d", b"</s>"]
    texts = [b" ".join(source.choices(pieces, k=source.randint(0, 20))) for _ in range(100)]
    for text, (labels, numbers) in zip(
        texts, pair.official_predictions(texts, -1, -1.0), strict=True
    ):
        assert_same(pair.ours.predict(text, -1, -1.0, official_bias=True), labels, numbers)
        assert bits(pair.ours.sentence_vector(text)) == bits(pair.official_vector(text))
        ((labels, _),) = pair.official_predictions([text], 1, -1.0)
        assert list(pair.ours.predict(text, 1, -1.0).labels) == list(labels)


def test_an_impossible_k_and_a_newline_are_refused_by_both(
    open_both: Callable[[dict[str, Any]], Pair],
) -> None:
    pair = open_both(MODELS[0].values[0])
    for predict in (pair.official.predict, pair.ours.predict):
        with pytest.raises(ValueError, match=r"one line|newline"):
            predict(["one\ntwo"])
        with pytest.raises(ValueError, match="k "):
            predict(["one"], k=0)
