"""The gensim layer by itself: names of files, files that are written, keys, what is kept."""

from __future__ import annotations

import gc
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import build

import fasttext_lite as ftl
from fasttext_lite.compat import gensim
from fasttext_lite.compat.gensim import word2vec

KEYS = ["</s>", "one", "\\xff", "three"]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(build(words=[b"</s>", b"one", b"\xff", b"three"]))
    return path


@pytest.fixture
def vectors(path):
    return gensim.load_facebook_vectors(path)


@pytest.mark.parametrize("open_file", [gensim.load_facebook_model, gensim.load_facebook_vectors])
def test_the_word_sample_is_a_path_like_any_other(open_file, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ftl.MissingFileError):
        open_file("sample")
    path.rename("sample")
    assert len(getattr(open_file("sample"), "wv", open_file("sample"))) == len(KEYS)


def failing(monkeypatch, after):
    """Let the lines of a word2vec file fail after some blocks of one key."""
    lines, calls = word2vec._lines, []

    def fail(*arguments):
        calls.append(arguments)
        if len(calls) > after:
            raise KeyboardInterrupt
        return lines(*arguments)

    monkeypatch.setattr(word2vec, "_BLOCK", 1)
    monkeypatch.setattr(word2vec, "_lines", fail)


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("binary", [False, True])
def test_the_old_files_stay_whole_until_the_new_ones_are(
    vectors, tmp_path, monkeypatch, append, binary
):
    target, vocabulary = tmp_path / "vectors", tmp_path / "vocabulary"
    target.write_bytes(b"old")
    vocabulary.write_bytes(b"older")
    before = sorted(tmp_path.iterdir())
    failing(monkeypatch, after=2)
    with pytest.raises(KeyboardInterrupt):
        vectors.save_word2vec_format(target, vocabulary, append=append, binary=binary)
    assert (target.read_bytes(), vocabulary.read_bytes()) == (b"old", b"older")
    assert sorted(tmp_path.iterdir()) == before


def test_the_files_keep_their_links_and_modes_and_what_is_appended_to(vectors, tmp_path):
    target, link, vocabulary = (tmp_path / name for name in ("target", "link", "vocabulary"))
    target.write_bytes(b"old\n")
    target.chmod(0o640)
    link.symlink_to(target)
    vectors.save_word2vec_format(link, vocabulary, append=True, write_header=False)
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    old, *lines = target.read_text().splitlines()
    assert old == "old"
    assert [line.split(" ")[0] for line in lines] == KEYS
    assert [line.split(" ")[0] for line in vocabulary.read_text().splitlines()] == KEYS
    vectors.save_word2vec_format(target, vocabulary)
    assert target.read_text().startswith(f"4 {vectors.vector_size}\n</s> ")


def test_a_target_that_cannot_be_written_is_refused(vectors, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for target in (folder, tmp_path / "missing" / "target"):
        with pytest.raises(ftl.FileError, match=target.name):
            vectors.save_word2vec_format(target)


def test_keys_are_a_sequence(vectors):
    keys = vectors.index_to_key
    assert list(keys) == list(keys[:]) == list(reversed(keys))[::-1] == KEYS
    assert keys == KEYS
    assert keys[1:3] == KEYS[1:3]
    assert keys[-2] == "\\xff"
    assert [keys.index(key) for key in KEYS] == [0, 1, 2, 3]
    assert "\\xff" in keys
    assert "\\xff" not in keys[:2]
    assert repr(keys[1:3]) == r"<Keys: 2 of ['one', '\\xff']>"
    for other in (b"one", 3, None, [], "\udcff", "two"):
        assert other not in keys
    assert pickle.loads(pickle.dumps(keys)) == tuple(KEYS)


def test_a_model_pickles_with_its_encoding(path):
    model = pickle.loads(pickle.dumps(gensim.load_facebook_model(path, "latin-1")))
    assert model.wv.index_to_key[2] == "ÿ"
    assert pickle.loads(pickle.dumps(model.wv)).index_to_key[2] == "ÿ"


def test_vectors_have_unit_length_or_are_zeros(vectors):
    for key in ("one", "unknown"):
        assert_array_equal(
            vectors.get_vector(key, norm=True), vectors[key] / np.linalg.norm(vectors[key])
        )
    zeros = gensim.KeyedVectors._of(["zero"], np.zeros((1, 3), np.float32), np.ones(1, np.int64))
    assert_array_equal(zeros.get_vector("zero", norm=True), np.zeros(3))
    assert_array_equal(zeros.get_normed_vectors(), np.zeros((1, 3)))


def test_a_dropped_model_is_unmapped(path):
    gc.collect()
    gc.disable()
    try:
        for _ in range(2):
            model = gensim.load_facebook_model(path)
            assert model.wv.most_similar("one", topn=1)
            assert sys.platform != "linux" or str(path) in Path("/proc/self/maps").read_text()
            assert len(model.wv.vectors) == len(KEYS)
            assert model.wv.index_to_key[1:] == KEYS[1:]
            del model
        maps = Path("/proc/self/maps")
        assert not maps.exists() or str(path) not in maps.read_text()
    finally:
        gc.enable()
