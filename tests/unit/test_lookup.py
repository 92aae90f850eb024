"""The parts of a look-up: vocabulary, buckets, n-grams, and their errors."""

import sys
from array import array

import numpy as np
import pytest

import fasttext_lite as ftl
from fasttext_lite._core.lookup import dictionary
from fasttext_lite._core.lookup.buckets import Buckets, PruneIndex
from fasttext_lite._core.lookup.embed import Lookup
from fasttext_lite._core.lookup.ngrams import mark_entry_rows
from fasttext_lite._core.lookup.rows import DenseRows, QuantizedRows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite._core.text.batch import WordBatch


def stored(words, index=None):
    ends = np.cumsum([0, *map(len, words)]).astype(np.uint64)
    counts = np.ones(len(words), np.int64)
    return Vocabulary.stored(b"".join(words), ends, counts, len(words), 0, index)


def scanned(words):
    text = b"".join(word + b"\0" + bytes(8) + b"\0" for word in words)
    return dictionary.scan(memoryview(text), 0, len(text), len(words), 0)


@pytest.mark.parametrize("make", [stored, scanned])
def test_a_vocabulary_knows_whether_a_word_occurs_twice(make):
    assert not make([b"one", b"two", b"three"]).repeats
    twice = make([b"one", b"two", b"one"])
    assert twice.repeats
    assert twice.id("one") == 2


def test_a_stored_index_tells_whether_a_word_occurs_twice():
    for words, repeats in (([b"one", b"two"], False), ([b"one", b"one"], True)):
        index = np.frombuffer(stored(words).index(), np.uint32)
        assert stored(words, index).repeats is repeats
    assert not stored([]).repeats


def test_what_cannot_be_encoded_is_not_in_the_vocabulary():
    vocabulary = stored([b"one", b"\xff"])
    assert vocabulary.has("one")
    assert vocabulary.has(b"one")
    assert vocabulary.has("\udcff")
    assert not vocabulary.has("two")
    assert not vocabulary.has("\ud800")
    with pytest.raises(ftl.InputValueError, match="U\\+D800"):
        vocabulary.id("\ud800")
    with pytest.raises(ftl.InputTypeError, match="must be str or bytes, not int"):
        vocabulary.has(3)


@pytest.mark.parametrize("i", [-1, 3, 2**31 - 1])
def test_entries_outside_the_vocabulary_are_refused(i):
    vocabulary = stored([b"one", b"two", b"three"])
    ids = np.array([0, i], np.int32)
    with pytest.raises(ftl.InputValueError, match=f"no entry {i}: it has 3"):
        vocabulary.bytes(i)
    with pytest.raises(ftl.InputValueError, match="no entry"):
        vocabulary.counts(min(i, 2), i + 1 if i < 2**31 - 1 else i)
    with pytest.raises(ftl.InputValueError, match=f"no entry {i}"):
        vocabulary.pack(ids)
    with pytest.raises(ftl.InputValueError, match=f"no entry {i}"):
        mark_entry_rows(Subwords(1, 2, 10, 3), vocabulary, ids, bytearray(10))


def test_a_prune_index_stores_the_table_that_it_was_made_with():
    kept = np.array([3, 70, 71, 900], np.int32)
    index = PruneIndex(kept, None, 1000)
    table = np.frombuffer(index.table(), np.uint32)
    assert len(table) == PruneIndex.table_length(4, 1000)
    again = PruneIndex(kept, None, 1000, table)
    assert again.table() == index.table()


@pytest.mark.parametrize("count", [-1, 2**31])
def test_numbers_of_buckets_out_of_range_are_refused(count):
    with pytest.raises(ftl.InputValueError, match="the number of buckets must be in"):
        Subwords(3, 6, count, 0)
    with pytest.raises(ftl.InputValueError, match="the number of buckets must be in"):
        PruneIndex(array("i"), None, count)


def test_parts_of_another_size_are_refused():
    index = PruneIndex(np.array([3], np.int32), None, 10)
    with pytest.raises(ftl.InputValueError, match="for 10 buckets, the model has 11"):
        Buckets(11, 0, index)
    with pytest.raises(ftl.InputValueError, match="bucket 1 is 10"):
        PruneIndex(np.array([3, 10], np.int32), None, 10)
    with pytest.raises(ftl.InputValueError, match="4 entries for 1 of 10 buckets, not 3"):
        PruneIndex(np.array([3], np.int32), None, 10, np.zeros(3, np.uint32))
    with pytest.raises(ftl.InputValueError, match="2 entries do not fit 1 counts"):
        Vocabulary.stored(b"", np.zeros(3, np.uint64), np.zeros(1, np.int64), 2, 0)


def test_rows_of_impossible_shapes_are_refused():
    with pytest.raises(ftl.InputValueError, match="float64"):
        DenseRows(memoryview(b""), 0, 3, "float64")
    with pytest.raises(ftl.InputValueError, match="parts of 0 columns"):
        QuantizedRows(memoryview(b""), np.zeros(768, np.float32), 0, 3, 0)


def test_a_look_up_reads_its_embedder_once_and_only_for_a_word():
    embedder = ftl.load("sample")._embedder

    class Plain(Lookup):
        asked = 0

        @property
        def _embedder(self):
            self.asked += 1
            return embedder

        def vectors(self, words):
            return list(words)

    plain = Plain()
    assert plain[["a", "b"]] == ["a", "b"]
    assert plain.asked == 0
    assert np.array_equal(plain["government"], embedder.vector("government"))
    assert np.array_equal(plain[b"government"], plain["government"])
    assert plain.asked == 1
    array = plain["government"]
    assert array.flags.owndata
    assert array.flags.writeable
    assert array.dtype == np.float32
    assert sys.getrefcount(array) <= 2


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("closed")
    (folder / "model.vec").write_text("2 2\none 1 2\nzwei 3 4\n", encoding="utf-8")
    return ftl.load(folder / "model.vec")


@pytest.mark.parametrize("word", ["größe", "größe".encode()])
def test_an_unknown_word_is_named_as_text(closed, word):
    for ask in (
        lambda: closed[word],
        lambda: closed[[word]],
        lambda: closed.vectors(["one", word]),
        lambda: closed.vectors(np.array([word], object)),
        lambda: closed.vectors([word], out=np.empty((1, 2), np.float32)),
    ):
        with pytest.raises(ftl.UnknownWordError) as caught:
            ask()
        assert "'größe' is not in the vocabulary" in caught.value.args[0]


def test_an_unknown_word_that_is_no_utf8_is_named(closed):
    for word in (b"\xff", "\udcff"):
        with pytest.raises(ftl.UnknownWordError, match=r"'\\udcff' is not in the vocabulary"):
            closed[word]


@pytest.mark.parametrize(
    "words",
    [
        3, 3.5, None, np.int64(3), np.float32(2), np.bool_(True), object(), np.datetime64("2020"),
        [np.int64(3)], [None], [3.5], [bytearray(b"a")], [["a"]], bytearray(b"a"), memoryview(b"a"),
        np.str_("word"), np.bytes_(b"word"), np.array(["a"])[0], np.array("a"), np.array([["a"]]),
        np.arange(3), np.zeros(2, "i4,U3"), np.array([3], object), {"a": 1}.items(), ["\ud800"],
        np.array(["\ud800"]),
    ],
)  # fmt: skip
def test_what_is_no_batch_of_words_is_refused_by_an_error_of_this_package(words):
    with pytest.raises((ftl.InputTypeError, ftl.InputValueError)):
        WordBatch(words)


def test_strings_of_numpy_are_words():
    batch = WordBatch([np.str_("größe"), np.bytes_(b"word")])
    assert len(batch) == 2
