"""Exported files, opened by the official package and by gensim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.builders import SUPERVISED, Quantizer, build
from support.text import SENTENCES, language_lines, unknown_words

import fasttext_lite as ftl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

fasttext = pytest.importorskip("fasttext")

# SWIG, which wraps faiss, raises this warning on some Pythons.
quantizing = pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")

KNOWN = {word.encode() for lines in SENTENCES.values() for line in lines for word in line.split()}
UNKNOWN = [word for word in unknown_words(1000) if word not in KNOWN]
SKIPGRAM = {"model": "skipgram", "minn": 3, "maxn": 6, "bucket": 5000, "dim": 20, "epoch": 20}
CBOW = {"model": "cbow", "minn": 1, "maxn": 3, "bucket": 997, "dim": 11, "loss": "hs"}
WORDS_ONLY = {"model": "skipgram", "minn": 0, "maxn": 0, "dim": 10}
UNSUPERVISED = {"skipgram": SKIPGRAM, "cbow": CBOW, "words-only": WORDS_ONLY}
# Ten divides the sizes of their matrices: the official trainer leaves a remainder uninitialised.
LANGUAGES = {"model": "supervised", "text": "language", "dim": 20, "epoch": 20, "lr": 0.5}
CLASSIFIERS = {
    "words": LANGUAGES,
    "ngrams": LANGUAGES | {"minn": 2, "maxn": 4, "bucket": 3000},
    "word-ngrams": LANGUAGES | {"wordNgrams": 2, "bucket": 3000, "loss": "hs"},
    "ova": LANGUAGES | {"minn": 3, "maxn": 3, "bucket": 500, "loss": "ova"},
}
TEXTS = [line.split(" ", 1)[1] for line in language_lines(300, seed=7)]
PROBES = ["lighthousekeepers", "Straßenbahn", "кошки", "ştanbul", "éclairage"]


def official_vectors(model: Any, words: list[bytes]) -> np.ndarray:
    return np.array([model.get_word_vector(word) for word in words], np.float32)


def words_of(model: ftl.Model) -> list[bytes]:
    return [word.encode(errors="surrogateescape") for word in model.words]


def farthest(actual: np.ndarray, desired: np.ndarray) -> float:
    """Return the largest difference, relative to the length of the desired vector."""
    lengths = np.linalg.norm(desired, axis=1)
    return float((np.abs(actual - desired).max(axis=1)[lengths > 0] / lengths[lengths > 0]).max())


def assert_same_neighbors(official: Any, ours: ftl.Model, queries: list[str]) -> None:
    for query in queries:
        theirs = official.get_nearest_neighbors(query, k=10)
        found = ours.neighbors(query, k=10)
        assert_allclose([near.score for near in found], [score for score, _ in theirs], atol=1e-5)
        # Words of equal scores may differ in order, and the last ones may be replaced by others.
        clear = [score > theirs[-1][0] + 1e-5 for score, _ in theirs]
        assert {word for (_, word), is_clear in zip(theirs, clear, strict=True) if is_clear} <= {
            near.word for near in found
        }


def assert_same_predictions(actual: Any, desired: Any, atol: float = 1e-5) -> None:
    labels, probabilities = actual.predict(TEXTS, k=3)
    expected_labels, expected = desired.predict(TEXTS, k=3)
    assert_allclose(np.array(probabilities), np.array(expected), atol=atol)
    same = np.array([a[0] == b[0] for a, b in zip(labels, expected_labels, strict=True)])
    assert same[gaps(desired) > 2 * atol].all()


def gaps(classifier: Any) -> np.ndarray:
    """Return the lead of the first label of each text over the second."""
    probabilities = np.array(classifier.predict(TEXTS, k=2)[1])
    return probabilities[:, 0] - probabilities[:, 1]


def decided_classifier(trained: Callable[..., Path], options: dict[str, Any]) -> Path:
    """Return the path of a classifier whose training succeeded, which not every one does."""
    for attempt in range(20):
        path = trained(**options | {"lr": options["lr"] + attempt / 100})
        if (gaps(fasttext.load_model(str(path))) > 0.1).mean() > 0.3:
            return path
    raise RuntimeError("no training succeeded")


@pytest.fixture
def compact(trained: Callable[..., Path], tmp_path: Path) -> Callable[..., ftl.Model]:
    """Return a function that converts a trained model and opens the compact file."""

    def convert(options: dict[str, Any], dtype: str = "float32", **keep: Any) -> ftl.Model:
        ftl.convert(trained(**options), tmp_path / "model.safetensors", dtype, **keep)
        return ftl.load(tmp_path / "model.safetensors")

    return convert


def exported(model: ftl.Model | Path, target: Path, **options: Any) -> Any:
    ftl.export(model, target, **options)
    return fasttext.load_model(str(target))


@pytest.mark.parametrize("options", [*UNSUPERVISED.values(), *CLASSIFIERS.values()])
def test_a_dense_official_file_comes_out_as_it_was(
    options: dict[str, Any], trained: Callable[..., Path], tmp_path: Path
) -> None:
    source, target = trained(**options), tmp_path / "copy.bin"
    ftl.export(source, target)
    assert target.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("name", UNSUPERVISED)
@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_a_compact_file_goes_back_to_the_official_package(
    name: str, dtype: str, compact: Callable[..., ftl.Model], tmp_path: Path
) -> None:
    ours = compact(UNSUPERVISED[name], dtype)
    official = exported(ours, tmp_path / "model.bin")
    words = words_of(ours)
    assert official.get_words(on_unicode_error="surrogateescape") == list(ours.words)
    assert farthest(official_vectors(official, words), ours[words]) < 1e-6
    if dtype == "float32":
        assert_array_equal(official_vectors(official, UNKNOWN), ours[UNKNOWN])
    else:
        assert_allclose(official_vectors(official, UNKNOWN), ours[UNKNOWN], atol=1e-6)
    assert_same_neighbors(official, ours, [*ours.words[1:40:4], *PROBES])


def test_most_vectors_come_back_bit_for_bit(
    compact: Callable[..., ftl.Model], tmp_path: Path
) -> None:
    ours = compact(SKIPGRAM)
    words = words_of(ours)
    back = official_vectors(exported(ours, tmp_path / "model.bin"), words)
    assert (back == ours[words]).mean() > 0.95


@pytest.mark.parametrize(
    "keep",
    [
        {"subwords": "used"},
        {"subwords": "used", "max_words": 50, "extra_words": PROBES},
        {"subwords": "used", "min_count": 3, "dim": 7},
    ],
    ids=["used", "fewer-words", "fewer-dimensions"],
)
def test_dropped_buckets_change_no_known_word_and_no_direction(
    keep: dict[str, Any], compact: Callable[..., ftl.Model], tmp_path: Path
) -> None:
    ours = compact(SKIPGRAM, **keep)
    official = exported(ours, tmp_path / "model.bin")
    words = words_of(ours)
    assert farthest(official_vectors(official, words), ours[words]) < 1e-6
    theirs = official_vectors(official, UNKNOWN)
    lengths = np.linalg.norm(theirs, axis=1), np.linalg.norm(ours[UNKNOWN], axis=1)
    assert_array_equal(lengths[0] > 0, lengths[1] > 0)
    there = lengths[0] > 0
    assert there.sum() > 50
    assert (lengths[0] <= lengths[1] * (1 + 1e-5)).all()
    cosines = (theirs * ours[UNKNOWN]).sum(axis=1)[there] / (lengths[0] * lengths[1])[there]
    assert cosines.min() > 1 - 1e-5
    assert_same_neighbors(official, ours, [*ours.words[1:40:4], *PROBES])


def test_a_model_without_ngrams_gives_unknown_words_zeros(
    compact: Callable[..., ftl.Model], tmp_path: Path
) -> None:
    ours = compact(SKIPGRAM, "float16", subwords="none")
    official = exported(ours, tmp_path / "model.bin")
    words = words_of(ours)
    assert_array_equal(official_vectors(official, words), ours[words])
    assert not official.get_word_vector("lighthousekeepers").any()
    assert_same_neighbors(official, ours, list(ours.words[1:40:4]))


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_classifier_goes_back_and_predicts_the_same(
    name: str,
    dtype: str,
    trained: Callable[..., Path],
    compact: Callable[..., ftl.Model],
    tmp_path: Path,
) -> None:
    ours = compact(CLASSIFIERS[name], dtype)
    official = exported(ours, tmp_path / "model.bin")
    assert official.labels == list(ours.labels)
    words = words_of(ours)
    assert_allclose(official_vectors(official, words), ours[words], rtol=1e-6, atol=1e-7)
    source = fasttext.load_model(str(trained(**CLASSIFIERS[name])))
    assert_same_predictions(official, source, 1e-5 if dtype == "float32" else 0.02)


@pytest.mark.parametrize("name", ["words", "ngrams"])
def test_a_quantised_classifier_comes_out_decoded(
    name: str, trained: Callable[..., Path], tmp_path: Path
) -> None:
    options = CLASSIFIERS[name] | {"quantize": {"qnorm": True, "dsub": 3}}
    source = trained(**options)
    official = exported(source, tmp_path / "model.bin")
    assert not official.is_quantized()
    assert_same_predictions(official, fasttext.load_model(str(source)))


def test_a_classifier_pruned_of_all_ngrams_comes_out_dense(tmp_path: Path) -> None:
    path = tmp_path / "model.ftz"
    labels = [b"__label__a", b"__label__b"]
    path.write_bytes(
        build(
            model=SUPERVISED,
            labels=labels,
            prune=[],
            word_ngrams=2,
            input_quantizer=Quantizer(),
        )
    )
    official = exported(path, tmp_path / "model.bin")
    source = fasttext.load_model(str(path))
    for text in ("one two", "three one unknown"):
        labels, probabilities = official.predict([text], k=2)
        expected_labels, expected = source.predict([text], k=2)
        assert labels == expected_labels
        assert_allclose(probabilities, expected, atol=1e-6)


def test_a_repeated_word_keeps_the_vector_of_its_last_entry(tmp_path: Path) -> None:
    path, compacted = tmp_path / "model.bin", tmp_path / "model.safetensors"
    path.write_bytes(build(words=[b"one", b"two", b"one"], minn=1, maxn=2))
    ftl.convert(path, compacted)
    ours = ftl.load(compacted)
    official = exported(ours, tmp_path / "back.bin")
    assert_allclose(official.get_word_vector("one"), ours["one"], rtol=1e-6, atol=1e-7)


def test_the_sum_of_very_long_words_is_undone_too(tmp_path: Path) -> None:
    path, compacted = tmp_path / "model.bin", tmp_path / "model.safetensors"
    path.write_bytes(build(words=[b"</s>", b"x" * 3000, b"abc" * 700, b"y"], minn=1, maxn=3))
    ftl.convert(path, compacted)
    ours = ftl.load(compacted)
    words = words_of(ours)
    back = official_vectors(exported(ours, tmp_path / "back.bin"), words)
    # The sum of thousands of rows has as many roundings.
    assert_allclose(back, ours[words], atol=1e-6)


def test_files_older_than_the_magic_number_open_in_the_official_package(tmp_path: Path) -> None:
    gensim_test = pytest.importorskip("gensim.test.utils")
    source = gensim_test.datapath("lee_fasttext.bin")
    with pytest.raises(ValueError, match="wrong file format"):
        fasttext.load_model(source)
    ours = ftl.load(source)
    official = exported(ours, tmp_path / "model.bin")
    words = [*words_of(ours), *UNKNOWN]
    assert_array_equal(official_vectors(official, words), ours[words])


@quantizing
@pytest.mark.parametrize(("dsub", "qnorm"), [(1, True), (2, False), (2, True), (3, False)])
def test_a_quantised_file_means_the_same_to_the_official_package(
    qnorm: bool, dsub: int, trained: Callable[..., Path], tmp_path: Path
) -> None:
    pytest.importorskip("faiss")
    dense = ftl.load(trained(**SKIPGRAM))
    target = tmp_path / "model.ftz"
    official = exported(dense, target, qnorm=qnorm, dsub=dsub)
    ours = ftl.load(target)
    assert official.is_quantized()
    assert ours.info.quantized_input
    words = words_of(dense)
    every = [*words, *UNKNOWN]
    assert_allclose(official_vectors(official, every), ours[every], rtol=1e-6, atol=1e-6)
    exact, coded = dense[words], ours[words]
    cosines = (exact * coded).sum(axis=1)
    cosines /= np.linalg.norm(exact, axis=1) * np.linalg.norm(coded, axis=1)
    assert cosines.mean() > 0.95
    assert_same_neighbors(official, ours, [*dense.words[1:40:8], *PROBES[:2]])


@quantizing
@pytest.mark.parametrize("keep", [{}, {"subwords": "used"}, {"subwords": "none"}])
def test_a_compact_file_is_quantised_too(
    keep: dict[str, Any], compact: Callable[..., ftl.Model], tmp_path: Path
) -> None:
    pytest.importorskip("faiss")
    source = compact(SKIPGRAM, **keep)
    target = tmp_path / "model.ftz"
    official = exported(source, target, dsub=1)
    ours = ftl.load(target)
    words = words_of(source)
    assert_allclose(official_vectors(official, words), ours[words], rtol=1e-6, atol=1e-6)
    assert farthest(ours[words], source[words]) < 0.2
    if keep == {"subwords": "used"}:
        assert ours.info.pruned
        assert_array_equal((ours[UNKNOWN] != 0).any(axis=1), (source[UNKNOWN] != 0).any(axis=1))
        # Exported again as a dense file, word rows have to compensate for the dropped buckets.
        dense = exported(target, tmp_path / "back.bin")
        assert farthest(official_vectors(dense, words), ours[words]) < 1e-6


@quantizing
@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("more", [{}, {"qout": True, "qnorm": False}, {"cutoff": 500, "dsub": 1}])
def test_a_quantised_classifier_agrees_on_most_texts(
    name: str, more: dict[str, Any], trained: Callable[..., Path], tmp_path: Path
) -> None:
    pytest.importorskip("faiss")
    source, target = decided_classifier(trained, CLASSIFIERS[name]), tmp_path / "model.ftz"
    official = exported(source, target, **more)
    ours, dense = ftl.load(target), fasttext.load_model(str(source))
    assert ours.info.quantized_output == more.get("qout", False)
    words = words_of(ours)
    assert_allclose(official_vectors(official, words), ours[words], rtol=1e-6, atol=1e-6)
    if "cutoff" in more and ours.info.pruned:
        assert len(ours) + ours.info.subword_rows == 500
        assert "</s>" in ours
    if "cutoff" in more:
        # The cutoff changes more than the codes do.
        dense.quantize(cutoff=more["cutoff"], qnorm=True, dsub=1)
    found, expected = official.predict(TEXTS)[0], dense.predict(TEXTS)[0]
    same = np.array([a == b for a, b in zip(found, expected, strict=True)])
    assert same[gaps(dense) > 0.1].mean() > 0.9


@quantizing
def test_cutoff_keeps_the_rows_that_the_official_program_keeps(
    trained: Callable[..., Path], tmp_path: Path
) -> None:
    pytest.importorskip("faiss")
    source = trained(**CLASSIFIERS["ngrams"])
    ours = exported(source, tmp_path / "model.ftz", cutoff=400)
    theirs = fasttext.load_model(str(source))
    theirs.quantize(cutoff=400)
    assert ours.words == theirs.words
    assert ours.labels == theirs.labels
    for word in PROBES:
        assert len(ours.get_subwords(word)[1]) == len(theirs.get_subwords(word)[1])


def test_text_is_what_the_official_program_prints(
    trained: Callable[..., Path], tmp_path: Path
) -> None:
    source, target = trained(**CBOW), tmp_path / "model.vec"
    ftl.export(source, target)
    official = fasttext.load_model(str(source))
    words = official.get_words(on_unicode_error="surrogateescape")
    lines = [f"{len(words)} {official.get_dimension()}\n"]
    for word in words:
        numbers = official.get_word_vector(word.encode(errors="surrogateescape"))
        lines.append(f"{word} " + "".join(f"{number:.5g} " for number in numbers) + "\n")
    assert target.read_bytes() == "".join(lines).encode(errors="surrogateescape")


def test_word_vectors_without_a_model_become_one(tmp_path: Path) -> None:
    ftl.export("sample", tmp_path / "vectors.vec", precision="exact")
    ours = ftl.load(tmp_path / "vectors.vec")
    official = exported(ours, tmp_path / "model.bin")
    words = words_of(ours)
    assert_array_equal(official_vectors(official, words), ours[words])
    assert_array_equal(ours[words], ftl.load("sample")[words])
    assert_same_neighbors(official, ours, list(ours.words[1:40:8]))
    pytest.importorskip("gensim")
    gensim = TestGensim.load(tmp_path / "model.bin")
    assert_array_equal(gensim[list(ours.words)], ours[words])


class TestGensim:
    """Dense files, text and word2vec, opened by gensim."""

    @pytest.fixture(autouse=True)
    def _gensim(self) -> None:
        pytest.importorskip("gensim")

    @staticmethod
    def load(path: Path) -> Any:
        from gensim.models.fasttext import load_facebook_model

        # The whole model, output matrix and end of the file included.
        return load_facebook_model(str(path)).wv

    @pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
    @pytest.mark.parametrize("name", ["skipgram", "cbow"])
    def test_opens_a_dense_file(
        self, name: str, dtype: str, compact: Callable[..., ftl.Model], tmp_path: Path
    ) -> None:
        ours = compact(UNSUPERVISED[name], dtype)
        ftl.export(ours, tmp_path / "model.bin")
        gensim = self.load(tmp_path / "model.bin")
        assert gensim.index_to_key == list(ours.words)
        # gensim gives n-grams to "</s>".
        words = [word for word in ours.words if word != "</s>"]
        assert farthest(gensim[words], ours[words]) < 1e-6
        unknown = [word for word in sum(SENTENCES.values(), ()) if word not in ours]
        theirs = np.array([gensim.get_vector(word) for word in unknown])
        assert_allclose(theirs, ours[unknown], rtol=1e-5, atol=1e-6)
        for word in words[:40:8]:
            found = dict(gensim.most_similar(word, topn=11))
            nearest = [near for near in ours.neighbors(word, k=6) if near.word != "</s>"]
            for near in nearest[:5]:
                assert found[near.word] == pytest.approx(near.score, abs=1e-5)

    def test_opens_a_reduced_file(self, compact: Callable[..., ftl.Model], tmp_path: Path) -> None:
        ours = compact(SKIPGRAM, "float16", subwords="used", max_words=60, dim=9)
        ftl.export(ours, tmp_path / "model.bin")
        gensim = self.load(tmp_path / "model.bin")
        words = [word for word in ours.words if word != "</s>"]
        assert farthest(gensim[words], ours[words]) < 1e-6

    def test_opens_a_file_without_ngrams(
        self, compact: Callable[..., ftl.Model], tmp_path: Path
    ) -> None:
        ours = compact(SKIPGRAM, subwords="none")
        ftl.export(ours, tmp_path / "model.bin")
        gensim = self.load(tmp_path / "model.bin")
        assert_allclose(gensim[list(ours.words)], ours[list(ours.words)], rtol=1e-6)
        with pytest.raises(KeyError):
            gensim.get_vector("lighthousekeepers")

    def test_reads_exact_text_and_word2vec_bit_for_bit(
        self, trained: Callable[..., Path], tmp_path: Path
    ) -> None:
        from gensim.models import KeyedVectors

        ours = ftl.load(trained(**SKIPGRAM))
        words = list(ours.words)
        ftl.export(ours, tmp_path / "model.vec", precision="exact")
        ftl.export(ours, tmp_path / "model.w2v.bin", "word2vec")
        text = KeyedVectors.load_word2vec_format(str(tmp_path / "model.vec"))
        binary = KeyedVectors.load_word2vec_format(str(tmp_path / "model.w2v.bin"), binary=True)
        for theirs in (text, binary):
            assert theirs.index_to_key == words
            assert_array_equal(theirs.vectors, ours[words])
