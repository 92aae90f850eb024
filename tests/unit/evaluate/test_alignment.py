"""Alignment of two models: the map, the pairs that are used, and what is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.builders import build

import fasttext_lite as ftl
from fasttext_lite.evaluate import align

linalg = pytest.importorskip("scipy.linalg")


@pytest.fixture(scope="module")
def sample():
    return ftl.load("sample")


@pytest.fixture(scope="module")
def turned(sample):
    return sample.mapped(np.linalg.qr(np.random.default_rng(5).standard_normal((40, 40)))[0])


@pytest.fixture(scope="module")
def noisy(sample, tmp_path_factory):
    """The first words, rotated and with noise, under other names."""
    random = np.random.default_rng(6)
    rotation = np.linalg.qr(random.standard_normal((40, 40)))[0]
    vectors = sample.word_vectors()[:600] @ rotation
    vectors += 0.3 * random.standard_normal(vectors.shape)
    path = tmp_path_factory.mktemp("noisy") / "noisy.vec"
    rows = [
        f"x_{word} {' '.join(map(str, row))}"
        for word, row in zip(sample.words, vectors.astype(np.float32).tolist(), strict=False)
    ]
    path.write_text(f"600 40\n{chr(10).join(rows)}\n", encoding="utf-8")
    return ftl.load(path)


def pairs_of(sample, count=600):
    return [(word, f"x_{word}") for word in sample.words[:count]]


def test_a_rotation_is_found(sample, turned):
    found = align(sample, turned, [(word, word) for word in sample.words[:200]])
    assert found.dtype == np.float64
    assert_allclose(found @ found.T, np.eye(40), atol=1e-12)
    mapped = sample.mapped(found)
    words = ["king", "governmentish", "unheardof"]
    assert_allclose(mapped[words], turned[words], atol=1e-5)
    assert mapped.neighbors(turned["king"], k=2)[0].word == "king"


def test_the_map_is_that_of_scipy_and_of_numpy_by_hand(sample, noisy):
    words = sample.words[:600]
    x = sample[words].astype(np.float64)
    y = noisy[[f"x_{word}" for word in words]].astype(np.float64)
    found = align(sample, noisy, pairs_of(sample))
    assert_allclose(found, linalg.orthogonal_procrustes(x, y)[0], atol=1e-12)
    left, _, right = np.linalg.svd(x.T @ y)
    assert_allclose(found, left @ right, atol=1e-10)
    # No other orthogonal matrix is nearer, small turns of this one included.
    least = np.linalg.norm(x @ found - y)
    random = np.random.default_rng(7)
    for size in (1e-3, 1e-2, 0.1, 1):
        skew = size * random.standard_normal((40, 40))
        other = found @ linalg.expm(skew - skew.T)
        assert np.linalg.norm(x @ other - y) > least


def test_normalized_vectors_maximise_the_cosines(sample, noisy):
    words = sample.words[:600]
    x, y = sample[words].astype(np.float64), noisy[[f"x_{word}" for word in words]]
    units = [vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (x, y)]
    left, _, right = np.linalg.svd(units[0].T @ units[1])
    found = align(sample, noisy, pairs_of(sample), normalize=True)
    assert_allclose(found, left @ right, atol=1e-7)
    plain = align(sample, noisy, pairs_of(sample))
    cosines = [np.sum(units[0] @ one * units[1]) for one in (found, plain)]
    assert cosines[0] > cosines[1]


def test_a_published_implementation_finds_the_same(sample, noisy):
    procrustes = pytest.importorskip("procrustes")
    words = sample.words[:600]
    x = sample[words].astype(np.float64)
    y = noisy[[f"x_{word}" for word in words]].astype(np.float64)
    assert_allclose(
        align(sample, noisy, pairs_of(sample)), procrustes.orthogonal(x, y).t, atol=1e-9
    )


@pytest.mark.parametrize("line", ["{}\t{}", "{} {}", "  {}   {} ", "{}\t{}\r", "{}\t\t{}"])
def test_pairs_of_a_file(sample, noisy, tmp_path, line):
    path = tmp_path / "en-x.txt"
    lines = [line.format(*pair) for pair in pairs_of(sample)]
    path.write_bytes("\n".join([*lines, "", line.format("nowhere", "x_the")]).encode())
    for given in (path, str(path), bytes(path)):
        assert_allclose(align(sample, noisy, given), align(sample, noisy, pairs_of(sample)))


def test_a_word_of_a_file_with_tabs_may_hold_spaces(tmp_path):
    paths = []
    for name, words in (("a", [b"new york", b"b", b"c", b"d"]), ("b", [b"x", b"y\xc2\xa0z"])):
        paths.append(tmp_path / f"{name}.bin")
        paths[-1].write_bytes(build(words=words))
    (tmp_path / "tabs.tsv").write_bytes("new york\tx\nb\ty\u00a0z\n".encode())
    (tmp_path / "spaces.txt").write_bytes("b y\u00a0z\n".encode())
    a, b = map(ftl.load, paths)
    expected = align(a, b, [("new york", "x"), ("b", "y\u00a0z")])
    assert_allclose(align(a, b, tmp_path / "tabs.tsv"), expected)
    assert_allclose(align(a, b, tmp_path / "spaces.txt"), align(a, b, [("b", "y\u00a0z")]))


def test_pairs_of_any_kind(sample, noisy):
    expected = align(sample, noisy, pairs_of(sample))
    for pairs in (
        iter(pairs_of(sample)),
        [list(pair) for pair in pairs_of(sample)],
        np.array(pairs_of(sample)),
        dict(pairs_of(sample)).items(),
        [tuple(word.encode() for word in pair) for pair in pairs_of(sample)],
        [*pairs_of(sample), ("the", "unheardof"), ("unheardof", "x_the")],
    ):
        assert_allclose(align(sample, noisy, pairs), expected)
    assert_allclose(align(sample.info.path, noisy.info.path, pairs_of(sample)), expected)


def test_zero_vectors_have_no_weight_and_vectors_that_are_not_finite_are_left_out(tmp_path):
    path = tmp_path / "x.vec"
    path.write_text("4 2\na 1 2\nb 0 0\nc nan 1\nd 3 -1\n")
    model = ftl.load(path)
    turned = model.mapped([[0, 1], [-1, 0]])
    for normalize in (False, True):
        found = align(model, turned, [(word, word) for word in "abcd"], normalize=normalize)
        assert_allclose(found, [[0, 1], [-1, 0]], atol=1e-7)
    with pytest.raises(ftl.InputValueError, match="none of the 1 pairs"):
        align(model, model, [("c", "c")])


WRONG = {
    "a number": (3, ftl.InputTypeError, "not int"),
    "None": (None, ftl.InputTypeError, "not NoneType"),
    "words": (["one", "two"], ftl.InputTypeError, r"pairs\[0\] is not a pair of words: 'one'"),
    "a dict": ({"one": "two"}, ftl.InputTypeError, r"pairs\[0\]"),
    "three": ([("a", "b"), ("a", "b", "c")], ftl.InputTypeError, r"pairs\[1\]"),
    "numbers": ([("a", 1)], ftl.InputTypeError, r"pairs\[0\]"),
    "an array of numbers": (np.eye(2), ftl.InputTypeError, r"pairs\[0\]"),
    "no pairs": ([], ftl.InputValueError, "there are no pairs"),
    "unknown words": (
        [("the", "zzzz")],
        ftl.InputValueError,
        r"none of the 1 pairs.* the first pair is \('the', 'zzzz'\)",
    ),
    "no file": ("nowhere.txt", ftl.MissingFileError, "no such file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_pairs_are_refused(sample, name):
    pairs, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        align(sample, sample, pairs)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b\none\n", "line 2|has 1 "),
        ("a b c\n", "a pair has two words, but this line has 3"),
        ("", "no pairs"),
    ],
)
def test_wrong_files_are_refused(sample, tmp_path, text, message):
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    with pytest.raises(ftl.FastTextLiteError, match=message):
        align(sample, sample, path)


def test_other_dimensions_are_refused(sample):
    with pytest.raises(ftl.InputValueError, match=r"40 and 3 dimensions.*convert\(dim="):
        align(sample, sample.mapped(np.ones((40, 3))), [("the", "the")])


def test_without_scipy_the_extra_is_named(sample, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    with pytest.raises(ftl.MissingExtraError, match=r"fasttext-lite\[evaluate\]"):
        align(sample, sample, [("the", "the")])
