"""Files that the gensim layer reads, writes and scores, compared with gensim."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.builders import build
from support.gensim_pairs import (
    SAMPLE,
    STRANGE,
    Pair,
    answer,
    assert_same,
    first,
    open_both,
)

import fasttext_lite as ftl
from fasttext_lite.compat import gensim as face

if TYPE_CHECKING:
    from collections.abc import Callable

gensim_fasttext = pytest.importorskip("gensim.models.fasttext")
gensim_keyedvectors = pytest.importorskip("gensim.models.keyedvectors")
gensim_test = pytest.importorskip("gensim.test.utils")


@pytest.fixture(scope="module")
def sample() -> Pair:
    return open_both(SAMPLE)


@pytest.mark.parametrize("options", [{}, {"restrict_vocab": 500}, {"case_insensitive": False}])
@pytest.mark.parametrize("dummy", [True, False])
def test_word_pairs_are_scored_as_by_gensim(
    sample: Pair, options: dict[str, Any], dummy: bool
) -> None:
    path = gensim_test.datapath("wordsim353.tsv")
    theirs, ours = (
        kv.evaluate_word_pairs(path, dummy4unknown=dummy, **options)
        for kv in (sample.theirs, sample.ours)
    )
    for a, b in zip(ours[:2], theirs[:2], strict=True):
        assert_allclose(tuple(a), tuple(b), rtol=1e-4)
    assert ours[2] == pytest.approx(theirs[2], rel=1e-12)


@pytest.mark.parametrize("options", [{}, {"restrict_vocab": 500}, {"case_insensitive": False}])
@pytest.mark.parametrize("dummy", [True, False])
def test_analogies_are_scored_as_by_gensim(
    sample: Pair, tmp_path: Path, options: dict[str, Any], dummy: bool
) -> None:
    lines = Path(gensim_test.datapath("questions-words.txt")).read_text().splitlines()
    part = [line for i, line in enumerate(lines) if line.startswith(": ") or i % 20 == 0]
    # The words of the model are lower case.
    path = tmp_path / "analogies.txt"
    path.write_text("\n".join([*part, "one two three", *map(str.lower, part)]) + "\n")
    theirs, ours = (
        kv.evaluate_word_analogies(str(path), dummy4unknown=dummy, **options)
        for kv in (sample.theirs, sample.ours)
    )
    assert ours == theirs
    assert len(ours[1][-1]["correct"]) > 0


def test_files_without_sense_are_refused(sample: Pair, tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    calls: list[tuple[str, Callable[[Any, list[str]], Any]]] = [
        ("", lambda kv, _: kv.evaluate_word_analogies(str(path))),
        ("a b c d\n", lambda kv, _: kv.evaluate_word_analogies(str(path))),
        ("", lambda kv, _: kv.evaluate_word_pairs(str(path))),
        ("one\ttwo\n", lambda kv, _: kv.evaluate_word_pairs(str(path))),
    ]
    for text, call in calls:
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        ours, theirs = (answer(call, kv, []) for kv in (sample.ours, sample.theirs))
        # This package raises a plain ValueError in place of a UnicodeDecodeError.
        kind = ValueError if isinstance(theirs, ValueError) else type(theirs)
        assert isinstance(theirs, Exception)
        assert isinstance(ours, kind)
        assert isinstance(ours, ftl.FastTextLiteError)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("options", [{}, {"prefix": "*"}, {"total_vec": 7}, {"sort_attr": "x"}])
def test_the_word2vec_file_is_that_of_gensim(
    sample: Pair, tmp_path: Path, binary: bool, options: dict[str, Any]
) -> None:
    files = tmp_path / "theirs", tmp_path / "ours"
    for path, kv in zip(files, (sample.theirs, sample.ours), strict=True):
        kv.save_word2vec_format(str(path), binary=binary, **options)
    if "total_vec" in options:
        heads = [path.read_bytes().split(b"\n")[0] for path in files]
        assert heads[0] == heads[1]
        return
    theirs, ours = (
        gensim_keyedvectors.KeyedVectors.load_word2vec_format(str(path), binary=binary)
        for path in files
    )
    assert ours.index_to_key == theirs.index_to_key
    assert_same(ours.vectors, theirs.vectors)
    own = [key.removeprefix(options.get("prefix", "")) for key in ours.index_to_key]
    assert_array_equal(ours.vectors, sample.ours[own])


def test_the_word2vec_file_is_appended_to_and_has_its_vocabulary_beside_it(
    sample: Pair, tmp_path: Path
) -> None:
    vocabularies = []
    for kv, name in ((sample.theirs, "theirs"), (sample.ours, "ours")):
        path, vocabulary = tmp_path / name, tmp_path / f"{name}.vocab"
        kv.save_word2vec_format(str(path), fvocab=str(vocabulary), write_header=False)
        kv.save_word2vec_format(str(path), append=True, write_header=False)
        lines = path.read_bytes().splitlines()
        assert len(lines) == 2 * len(kv)
        assert lines[: len(kv)] == lines[len(kv) :]
        vocabularies.append(vocabulary.read_bytes())
    assert vocabularies[0] == vocabularies[1]
    with pytest.raises(ftl.InputValueError, match="colour"):
        sample.ours.save_word2vec_format(tmp_path / "x", fvocab=tmp_path / "y", sort_attr="colour")


PARAMETERS = (
    *("vector_size", "window", "epochs", "negative", "hs", "sg", "min_count", "sample"),
    "corpus_total_words",
)


def test_the_model_has_the_parameters_that_gensim_reads(trained: Callable[..., Path]) -> None:
    for options in ({"model": "skipgram", "loss": "hs"}, {"model": "cbow", "ws": 3, "neg": 4}):
        path = trained(**options, dim=10, bucket=300)
        theirs = gensim_fasttext.load_facebook_model(str(path))
        ours = face.load_facebook_model(path)
        for name in PARAMETERS:
            assert getattr(ours, name) == getattr(theirs, name), name
        assert str(ours.wv) == str(theirs.wv)
        layer = "syn1" if theirs.hs else "syn1neg"
        assert_array_equal(getattr(ours, layer), getattr(theirs, layer))
        assert pickle.loads(pickle.dumps(ours)).wv.index_to_key == theirs.wv.index_to_key
        with pytest.raises(ftl.UnsupportedError, match="read-only"):
            ours.train([])
        assert not hasattr(ours, "colour")


WORDS = [
    b"</s>",
    "größe".encode(),
    b"gr\xf6\xdfe",
    b"a\\xe9",
    b"\xe9t\xe9",
    "é\u0301".encode(),
    b"x",
]


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "latin-1", "cp1250"])
def test_words_in_any_encoding_have_the_keys_and_vectors_of_gensim(
    encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "words.bin"
    path.write_bytes(build(words=WORDS, minn=2, maxn=4, bucket=50, dim=6))
    theirs, ours, words = open_both(path, encoding)
    assert list(ours.index_to_key) == words
    assert dict(ours.key_to_index) == theirs.key_to_index
    assert all(word in ours.index_to_key for word in words)
    keys = [*words, *(word.decode("latin-1") for word in WORDS), "Größe", "été"]
    assert_same(ours[keys], theirs[keys])
    assert_same(ours.vectors, theirs.vectors)
    assert_same(ours[keys], theirs[keys])
    again = pickle.loads(pickle.dumps(ours))
    assert_array_equal(again[keys], ours[keys])


def test_a_label_is_refused_as_by_gensim(trained: Callable[..., Path]) -> None:
    path = trained(model="supervised", text="topic", dim=10)
    for load in (face.load_facebook_vectors, face.load_facebook_model):
        with pytest.raises(NotImplementedError, match="upervised fastText models are not supp"):
            load(path)


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(LookupError, match="unknown encoding: klingon"):
        face.load_facebook_vectors(SAMPLE, encoding="klingon")


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_a_compact_file_answers_but_for_the_rows_it_lost(
    dtype: str, sample: Pair, tmp_path: Path
) -> None:
    path = tmp_path / "sample.safetensors"
    ftl.convert(SAMPLE, path, dtype=dtype)
    ours = face.load_facebook_vectors(path)
    tolerance = 1e-6 if dtype == "float32" else 5e-2
    words = [word for word in first(sample.words, 500) if word != "</s>"]
    keys = [*words, *STRANGE]
    assert_allclose(ours[keys], sample.theirs[keys], rtol=0, atol=tolerance)
    assert ours.most_similar("germany", topn=1)[0][0] == "austria"
    for name in ("vectors_vocab", "vectors_ngrams"):
        with pytest.raises(ftl.FastTextLiteError, match="not word rows"):
            getattr(ours, name)
    if dtype == "float32":
        assert np.shares_memory(ours.vectors, ours._model.word_matrix)


def test_a_file_of_vectors_alone_knows_its_words_alone(sample: Pair, tmp_path: Path) -> None:
    path = tmp_path / "closed.safetensors"
    ftl.convert(SAMPLE, path, subwords="none")
    ours = face.load_facebook_vectors(path)
    assert "war" in ours
    assert "unheardofness" not in ours
    assert_allclose(ours[["war", "peace"]], sample.theirs[["war", "peace"]], rtol=1e-5)
    for ask in (ours.get_vector, ours.most_similar, lambda word: ours[[word]]):
        with pytest.raises(KeyError):
            ask("unheardofness")
