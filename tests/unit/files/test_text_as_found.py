"""Files of word vectors as they are found: odd words, wrong heads, repeats, parts of files."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import pickle
import struct
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import fasttext_lite as ftl
from fasttext_lite import cli
from fasttext_lite._core.files.binaryrows import BinaryRows
from fasttext_lite._core.files.rowparser import RowParser, first_entries
from fasttext_lite._core.files.textrows import TextRows
from fasttext_lite._core.lookup.vocabulary import Vocabulary

COMPRESSORS = {
    "": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
packed = pytest.mark.parametrize("pack", COMPRESSORS.values(), ids=COMPRESSORS.keys())
# Every space of Unicode but those of ASCII, and what looks like one.
SPACES = (
    "\x85\xa0\u1680\u180e\u2000\u2003\u200b\u2028\u2029\u202f\u205f\u3000\ufeff\x1c\x1d\x1e\x1f"
)


def load(data, **options):
    return ftl.load(io.BytesIO(data), **options)


def rows_of(model):
    return dict(zip(model.words, model.word_vectors().tolist(), strict=True))


def record(word, *numbers, end=b"\n"):
    return word + b" " + struct.pack(f"<{len(numbers)}f", *numbers) + end


# Words with spaces


@packed
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \n", b" \r\n"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_the_last_numbers_are_the_vector_and_the_rest_is_the_word(pack, end, mark):
    lines = [
        b"6 4", b"hello 1 2 3 4", b". . 5 6 7 8", b"new york 1 1 1 1", b"  2 2 2 2",
        b"at 9 1 2 3 4", b"to infinity  1  2 3 4",
    ]  # fmt: skip
    model = load(pack(mark + end.join(lines) + end))
    assert rows_of(model) == {
        "hello": [1, 2, 3, 4], ". .": [5, 6, 7, 8], "new york": [1, 1, 1, 1], " ": [2, 2, 2, 2],
        "at 9": [1, 2, 3, 4], "to infinity": [1, 2, 3, 4],
    }  # fmt: skip


@packed
def test_without_a_head_most_rows_tell_the_number_of_dimensions(pack):
    assert rows_of(load(pack(b". . . 5 6 7 8\nhello 1 2 3 4\n"))) == {
        ". . .": [5, 6, 7, 8],
        "hello": [1, 2, 3, 4],
    }
    model = load(pack(b"at 9 1 2 3\n" + b"".join(b"w%d 1 2 3\n" % i for i in range(20))))
    assert (model.dim, model.words[0], len(model)) == (3, "at 9", 21)
    with pytest.raises(ftl.FormatError, match="row 3"):
        load(pack(b"a 1 2 3\nb 1 2 3\nc 1 2\nd 1 2 3\n"))


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"\t 1 2", "\t"), (b"\t\t1\t2", "\t"), (b"a\t1\t2", "a"), (b"new york\t1\t2", "new york"),
        (b"a\tb\t1\t2", "a\tb"), (b"a  1  2", "a"), (b"a  b 1 2", "a  b"), (b" a 1 2", " a"),
        (b"   1 2", "  "), (b"1 2 3 4", "1 2"), (b"nan inf 1 2", "nan inf"),
        (b"a 1,5 1 2", "a 1,5"), (b"1:2 1 2", "1:2"), (b", , 1 2", ", ,"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("head", [b"3 2\n", b""])
def test_a_word_has_spaces_or_tabs_or_is_one(line, word, head):
    model = load(head + line + b"\nx 5 6\ny 7 8\n")
    assert list(model.words) == [word, "x", "y"]
    assert_array_equal(model[word], np.array(line.split()[-2:], np.float32))


@packed
@pytest.mark.parametrize("head", [b"3 2\n", b""])
@pytest.mark.parametrize("space", SPACES)
def test_the_spaces_of_unicode_are_words_and_parts_of_words(pack, head, space):
    words = [space, f"a{space}b", f"{space}{space}"]
    lines = "".join(f"{word} {i} 2\n" for i, word in enumerate(words))
    model = load(pack(head + lines.encode()))
    assert rows_of(model) == {word: [i, 2] for i, word in enumerate(words)}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xef\xbb\xbf 1 2\nb 3 4\n", ["\ufeff", "b"]),
        (b"\xef\xbb\xbf\t1\t2\nb\t3\t4\n", ["\ufeff", "b"]),
        (b"\xef\xbb\xbf 5 6\nb 3 4\n", ["\ufeff", "b"]),
        (b"\xef\xbb\xbf 5 6 7\nb 3 4 5\n", ["\ufeff", "b"]),
        (b"\xef\xbb\xbfa 1 2\nb 3 4\n", ["a", "b"]),
        (b"\xef\xbb\xbf2 2\na 1 2\nb 3 4\n", ["a", "b"]),
        (b"2 2\n\xef\xbb\xbf 1 2\nb 3 4\n", ["\ufeff", "b"]),
        (b"2 2\n\xef\xbb\xbfa 1 2\nb 3 4\n", ["\ufeffa", "b"]),
        (b"  1 2\nb 3 4\n", [" ", "b"]),
        (b"\t 1 2\nb 3 4\n", ["\t", "b"]),
        (b" 2 3\na 1 2 3\nb 3 4 5\n", ["a", "b"]),
    ],
)
def test_a_byte_order_mark_or_white_space_in_the_first_line_may_be_a_word(data, words):
    assert list(load(data).words) == words


@pytest.mark.parametrize("end", [b"\n", b""])
@packed
def test_words_of_binary_files_may_have_spaces(pack, end):
    rng = np.random.default_rng(1)
    words = [b"new york", b"b", b"a b", b" ", "größe x".encode(), b"x y z", b"in 1999", b"last one"]
    numbers = rng.standard_normal((len(words), 50)).astype(np.float32)
    for order in range(len(words)):
        names = words[order:] + words[:order]
        rows = [record(word, *row, end=end) for word, row in zip(names, numbers, strict=True)]
        data = b"%d 50\n" % len(words) + b"".join(rows)
        model = load(pack(data))
        assert model.info.format.startswith("word2vec binary")
        assert [word.encode() for word in model.words] == names
        assert_array_equal(model.word_vectors(), numbers)


def test_a_short_binary_file_with_a_space_in_a_word_is_right():
    data = b"2 2\n" + record(b"new york", 1, 2) + record(b"b", 3, 4)
    assert rows_of(load(data)) == {"new york": [1, 2], "b": [3, 4]}


def test_a_word_of_a_binary_file_has_no_nul_and_no_line_feed():
    for word in (b"a\0b", b"a\nb"):
        for rows in ([word, b"c"], [b"c", word]):
            data = b"2 2\n" + b"".join(record(row, 1, 2, end=b"") for row in rows)
            with pytest.raises(ftl.FormatError, match="NUL or a line feed"):
                load(data)


@pytest.mark.parametrize("dim", [1, 2, 7])
def test_binary_rows_with_spaces_come_out_the_same_wherever_a_stream_is_cut(dim):
    rng = np.random.default_rng(dim)
    words = [b"new york", b"b", b"a b c", b" ", b"caf\xe9 x", b"d"]
    for end in (b"", b"\n"):
        rows = [record(word, *rng.standard_normal(dim), end=end) for word in words]
        data = b"".join(rows)
        found = set()
        for cut in range(len(data) + 1):
            parser = BinaryRows(dim, 6, 0, "the test says")
            try:
                used = parser.take(data[:cut], False)
                used += parser.take(data[used:], True)
            except ftl.FormatError as error:
                found.add(error.args)
            else:
                parser.finish()
                found.add((used, bytes(parser.words), bytes(parser.numbers)))
        assert len(found) == 1


def test_a_long_word_of_a_binary_file_ends_at_its_first_space():
    word = b"x" * 10_000
    data = b"2 2\n" + record(word, 1e30, 2, end=b"") + record(b"b", 3, 4, end=b"")
    assert list(load(data).words) == [word.decode(), "b"]
    with pytest.raises(ftl.FormatError):
        load(b"2 2\n" + record(word + b" y", 1, 2, end=b"") + record(b"b", 3, 4, end=b""))


def test_a_head_with_too_few_dimensions_does_not_make_words_of_numbers():
    rows = b"".join(b"w%d 1 2 3\n" % i for i in range(20))
    with pytest.raises(ftl.FormatError, match="each of the 20 rows has more numbers than the 2"):
        load(b"20 2\n" + rows)


# What is not a row of numbers is named


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"a 9:0.02 17:0.3\n", "sparse"),
        (b"a 9:0.02 17:0.3\nb 1:1\n", "sparse"),
        (b"1 20\na 9:0.02 17:0.3          \n" + b" " * 40, "sparse"),
        (b"a 1,5 2,5\nb 1 2,25\n", "comma"),
        (b"1 2\na 1,5 2,5\n", "comma"),
        (b"a,1.5,2\nb,3,4\n", "separated by commas"),
        (b"a;1.5;2\nb;3;4\n", "separated by commas"),
    ],
)
@packed
def test_other_ways_to_write_vectors_are_named(data, match, pack):
    with pytest.raises(ftl.FormatError, match=match):
        load(pack(data))


# A head that counts wrongly


TEXT_ROWS = b"a 1 2\nb 3 4\n"
BINARY_ROWS = record(b"a", 1, 2) + record(b"b", 3, 4)


@packed
@pytest.mark.parametrize("rows", [TEXT_ROWS, BINARY_ROWS, BINARY_ROWS[:-1]])
@pytest.mark.parametrize("count", [1, 3, 2000])
def test_a_head_that_counts_wrongly_is_an_error_that_says_how_to_go_on(pack, rows, count):
    data = pack(b"%d 2\n" % count + rows)
    with pytest.raises(ftl.FormatError, match="strict=False"):
        load(data)
    with pytest.warns(ftl.FormatWarning, match=f"says {count} rows, but there are 2"):
        model = load(data, strict=False)
    assert rows_of(model) == {"a": [1, 2], "b": [3, 4]}
    assert (model.info.head_word_count, model.info.word_count) == (count, 2)
    assert model.info.row_count == 2
    cut = load(data, max_words=1)
    assert rows_of(cut) == {"a": [1, 2]}
    assert cut.info.row_count == count


@pytest.mark.parametrize("rows", [TEXT_ROWS, BINARY_ROWS])
def test_a_conversion_reports_the_rows_that_the_file_has(tmp_path, rows):
    path, target = tmp_path / "m.vec", tmp_path / "out"
    path.write_bytes(b"5 2\n" + rows)
    for options in ({}, {"max_words": 3}):
        with pytest.warns(ftl.FormatWarning, match="says 5 rows"):
            report = ftl.convert(path, target, strict=False, **options)
        assert (report.word_count, report.source_word_count) == (2, 2)
    # Nothing is read once all words are found.
    report = ftl.convert(path, target, strict=False, words=["b"])
    assert (report.word_count, report.source_word_count) == (1, 5)


@packed
@pytest.mark.parametrize("rows", [TEXT_ROWS, BINARY_ROWS])
def test_a_right_head_is_not_reported(pack, rows):
    model = load(pack(b"2 2\n" + rows), strict=False)
    assert model.info.head_word_count == 2
    assert load(pack(TEXT_ROWS), strict=False).info.head_word_count is None


@packed
@pytest.mark.parametrize("rows", [b"a 1 2\nb 3\n", b"a 1 2\nb 3", BINARY_ROWS[:-3], b"a 1 2\nb\n"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_row_that_is_cut_is_an_error_in_any_case(pack, rows, count):
    for strict in (True, False):
        with pytest.raises(ftl.FormatError):
            load(pack(b"%d 2\n" % count + rows), strict=strict)


@pytest.mark.filterwarnings("always::fasttext_lite.FormatWarning")
def test_convert_and_the_command_line_have_the_option(tmp_path, capfd):
    source, target = tmp_path / "source.vec", tmp_path / "target.safetensors"
    source.write_bytes(b"3 2\n" + TEXT_ROWS)
    with pytest.warns(ftl.FormatWarning):
        assert ftl.convert(source, target, strict=False).word_count == 2
    assert cli.main(["info", str(source)]) == 2
    assert "--no-strict" in capfd.readouterr().err
    assert cli.main(["info", str(source), "--no-strict"]) == 0
    out, err = capfd.readouterr()
    assert "2 (the head says 3)" in out
    assert err == f"fasttext-lite: {source}: the head says 3 rows, but there are 2\n"
    for command in ("convert", "export"):
        assert cli.main([command, str(source), str(tmp_path / "out.vec"), "--no-strict"]) == 0
        assert "says 3 rows" in capfd.readouterr().err


# A word that occurs twice


@packed
@pytest.mark.parametrize(
    "data",
    [
        b"3 2\na 1 1\nb 2 2\na 3 3\n",
        b"a 1 1\nb 2 2\na 3 3\n",
        b"3 2\n" + record(b"a", 1, 1) + record(b"b", 2, 2) + record(b"a", 3, 3),
    ],
)
def test_the_first_row_of_a_word_counts(pack, data, tmp_path):
    model = load(pack(data))
    assert rows_of(model) == {"a": [1, 1], "b": [2, 2]}
    assert (len(model), list(model.words), model.word_id("a")) == (2, ["a", "b"], 0)
    assert_array_equal(model["a"], [1, 1])
    assert [near.word for near in model.neighbors("b")] == ["a"]
    ftl.convert(model, tmp_path / "out.safetensors")
    ftl.export(model, tmp_path / "out.vec")
    for name in ("out.safetensors", "out.vec"):
        assert rows_of(ftl.load(tmp_path / name)) == rows_of(model)
    assert rows_of(load(pack(data), words=["a"])) == {"a": [1, 1]}
    assert rows_of(load(pack(data), max_words=1)) == {"a": [1, 1]}


def test_the_first_entries_of_a_vocabulary():
    words = [b"a", b"b", b"a", b"", b"b", b"", b"c"]
    offsets = np.cumsum([0, *map(len, words)]).astype(np.uint64)
    vocabulary = Vocabulary.stored(b"".join(words), offsets, np.zeros(7, np.int64), 7, 0)
    assert first_entries(vocabulary) == bytes([1, 1, 0, 1, 0, 0, 1])


def test_chosen_rows_move_together():
    parser = TextRows(2, 9, 0, "the test says")
    parser.take(b"one 1 2\nx 3 4\nthree 5 6\n", True)
    parser.finish()
    parser.select(bytes([1, 0, 1]))
    assert (parser.count, bytes(parser.words)) == (2, b"onethree")
    assert np.frombuffer(parser.offsets, np.uint64).tolist() == [0, 3, 8]
    assert np.frombuffer(parser.numbers, np.float32).tolist() == [1, 2, 5, 6]
    with pytest.raises(ValueError, match="1 flags for 2 rows"):
        parser.select(b"\1")
    assert isinstance(parser, RowParser)


# Parts of files


@packed
@pytest.mark.parametrize("rows", [TEXT_ROWS, BINARY_ROWS])
def test_only_the_rows_that_are_asked_for_are_kept(pack, rows, tmp_path):
    data = pack(b"2 2\n" + rows)
    path = tmp_path / "file"
    path.write_bytes(data)
    words = tmp_path / "words"
    words.write_bytes(b"b\nc\n")
    for options, expected in (
        ({"max_words": 1}, {"a": [1, 2]}),
        ({"max_words": 5}, {"a": [1, 2], "b": [3, 4]}),
        ({"words": ["b", "zz", b"b"]}, {"b": [3, 4]}),
        ({"words": np.array(["b"])}, {"b": [3, 4]}),
        ({"words": words}, {"b": [3, 4]}),
        ({"words": []}, {}),
        ({"words": ["zz"]}, {}),
        ({"words": iter(["b"]), "max_words": 1}, {}),
    ):
        model = ftl.load(path, **options)
        assert rows_of(model) == expected
        assert rows_of(pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(model))))) == expected
    assert ftl.convert(path, tmp_path / "out", max_words=1).word_count == 1
    assert ftl.convert(path, tmp_path / "out", words=["b"]).source_word_count == 2
    with pytest.raises(ftl.InputValueError, match="not in the vocabulary"):
        ftl.convert(path, tmp_path / "out", words=["b", "zz"])


class Counted(io.BytesIO):
    """A stream that counts the bytes it gives."""

    given = 0

    def readinto(self, buffer):
        count = super().readinto(buffer)
        self.given += count
        return count


def test_no_more_is_read_or_kept_than_is_asked_for():
    numbers = np.random.default_rng(0).standard_normal((40_000, 100)).astype(np.float32)
    binary = b"40000 100\n" + b"".join(
        record(b"w%d" % i, *row) for i, row in enumerate(numbers.tolist())
    )
    text = b"40000 100\n" + b"".join(b"w%d" % i + b" 0.12345" * 100 + b"\n" for i in range(40_000))
    for data in (text, binary):
        for options in ({"max_words": 100}, {"words": ["w3", "w100"]}):
            stream = Counted(data)
            tracemalloc.start()
            model = ftl.load(stream, **options)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert len(model) == options.get("max_words", 2)
            assert stream.given < 3_000_000
            assert peak < 12_000_000
        tracemalloc.start()
        assert len(ftl.load(io.BytesIO(data), words=["w7", "w39999"])) == 2
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 12_000_000


@pytest.mark.parametrize("options", [{"max_words": 1}, {"words": ["a"]}])
def test_a_model_is_not_opened_in_part(options, tmp_path):
    ftl.convert("sample", tmp_path / "compact")
    for path in ("sample", tmp_path / "compact"):
        with pytest.raises(ftl.InputValueError, match="convert"):
            ftl.load(path, **options)
    assert len(ftl.load("sample", strict=False)) > 1000


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_words": 0}, ftl.InputValueError),
        ({"max_words": "3"}, ftl.InputTypeError),
        ({"words": 3}, ftl.InputTypeError),
        ({"words": [3]}, ftl.InputTypeError),
        ({"words": "/no such file"}, ftl.MissingFileError),
        ({"strict": "no"}, ftl.InputTypeError),
    ],
)
def test_wrong_options_are_refused(options, error):
    with pytest.raises(error):
        load(b"2 2\n" + TEXT_ROWS, **options)


# Lists of words


def test_evaluation_keeps_the_spaces_of_unicode(tmp_path, capfd):
    vectors, pairs, questions = (tmp_path / name for name in ("v.vec", "pairs.tsv", "q.txt"))
    vectors.write_text("4 2\n\u3000 1 2\nx 3 4\n\xa0y 5 1\nz 0 1\n")
    pairs.write_text("x\t\u3000\t3\nx\tx\t2\n\xa0y\tx\t1\n")
    model = ftl.load(vectors)
    assert ftl.evaluate.word_similarity(model, pairs).unknown == 0
    for separator in (" ", ";"):
        pairs.write_text("x|\u3000|3\nx|x|2\n\xa0y|x|1\n".replace("|", separator))
        assert ftl.evaluate.word_similarity(model, pairs).unknown == 0
    questions.write_text(": name\nx \u3000 \xa0y z\n")
    assert ftl.evaluate.analogies(model, questions).total.unknown == 0
    assert cli.main(["evaluate", str(vectors), str(pairs)]) == 0
