"""The sequences of words and labels."""

from __future__ import annotations

import pickle

import pytest
from support.builders import SUPERVISED, build

import fasttext_lite as ftl


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(build(model=SUPERVISED, labels=[b"__label__a", b"__label__\xe9"]))
    return file


def test_sizes_are_known_without_the_dictionary(path):
    model = ftl.load(path)
    for names, count in ((model.words, 4), (model.labels, 2), (model.words[1:], 3)):
        assert len(names) == count
    assert bool(model.labels)
    assert "labels" in repr(model)
    assert "vocabulary" not in vars(model._parts)
    assert model.labels[0] == "__label__a"
    assert "vocabulary" in vars(model._parts)


def test_words_pickle_as_plain_names(path):
    model = ftl.load(path)
    labels = pickle.dumps(model.labels)
    path.unlink()
    assert pickle.loads(labels) == ("__label__a", "__label__\udce9")
    assert model.words[1:3] == pickle.loads(pickle.dumps(model.words[1:3])) == ("one", "two")


@pytest.mark.parametrize("name", ["\ud800", "none", "", 3, None, b"none", 1.5, ("one",)])
def test_what_is_not_in_a_sequence_is_not_in_it(path, name):
    model = ftl.load(path)
    for names in (model.words, model.labels):
        assert name not in names
        assert names.count(name) == 0
        with pytest.raises(ValueError, match="not in the vocabulary"):
            names.index(name)


def test_words_are_a_sequence(path):
    words = ftl.load(path).words
    plain = ["</s>", "one", "two", "three"]
    assert words == plain
    assert list(reversed(words)) == plain[::-1]
    for start, stop in ((0, None), (1, 3), (-3, -1), (2, 100)):
        for word in plain:
            expected = (
                plain[start:stop].index(word) + slice(start, stop).indices(4)[0]
                if (word in plain[start:stop])
                else None
            )
            if expected is None:
                with pytest.raises(ValueError, match="not in"):
                    words.index(word, start, stop)
            else:
                assert words.index(word, start, stop) == expected
    assert words.count("one") == words.count(b"one") == 1
    assert words[::-1].index("three") == 0
    assert b"one" in words
    with pytest.raises(IndexError):
        words[4]


def test_words_in_one_buffer(path):
    words = ftl.load(path).words
    text, offsets = words[1:].packed()
    assert text == b"onetwothree"
    assert offsets.dtype == "uint64"
    assert offsets.tolist() == [0, 3, 6, 11]
