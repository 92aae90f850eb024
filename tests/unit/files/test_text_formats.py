"""Files of word vectors without subwords: each form opens, and damaged files are refused."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import build
from support.decimals import is_nearest, parse_decimals

import fasttext_lite as ftl
from fasttext_lite._core.files.binaryrows import BinaryRows
from fasttext_lite._core.files.textrows import TextRows

WORDS = [b"one", b"</s>", "größe".encode(), "水".encode(), b"caf\xe9", b"12"]
NUMBERS = np.array(
    [[1, -2.5, 0.1], [0, -0.0, 1e-20], [3.4e38, 1e-45, 7], [1, 2, 3], [4, 5, 6], [7, 8, 9]],
    np.float32,
)
BOM = b"\xef\xbb\xbf"
COMPRESSORS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


def text(words=WORDS, numbers=NUMBERS, *, head=True, space=b" ", end=b"\n"):
    """Return a file of word vectors as text."""
    rows = [
        space.join([word, *(repr(float(number)).encode() for number in row)]) + end
        for word, row in zip(words, numbers, strict=True)
    ]
    first = b"%d %d" % numbers.shape + end if head else b""
    return first + b"".join(rows)


def binary(words=WORDS, numbers=NUMBERS, *, end=b"\n"):
    """Return a binary word2vec file."""
    rows = [
        word + b" " + row.astype("<f4").tobytes() + end
        for word, row in zip(words, numbers, strict=True)
    ]
    return b"%d %d\n" % numbers.shape + b"".join(rows)


FORMS = {
    "text": text(),
    "with a space behind each row": text(end=b" \n"),
    "with tabs": text(space=b"\t"),
    "with CRLF": text(end=b"\r\n"),
    "with a BOM": BOM + text(),
    "without a last line feed": text()[:-1],
    "with blank last lines": text() + b"\n\r\n \n",
    "without a head": text(head=False),
    "without a head, with a BOM and CRLF": BOM + text(head=False, end=b"\r\n"),
    "binary": binary(),
    "binary without line feeds": binary(end=b""),
    "binary without a last line feed": binary()[:-1],
}


@pytest.fixture
def load(tmp_path):
    """Return a function that writes bytes to a file and opens it."""

    def write_and_load(data, **options):
        path = tmp_path / "vectors"
        path.write_bytes(data)
        return ftl.load(path, **options)

    return write_and_load


def holds_the_words(model):
    assert [word.encode(errors="surrogateescape") for word in model.words] == WORDS
    assert_array_equal(model[WORDS].view(np.uint32), NUMBERS.view(np.uint32))
    assert (len(model), model.dim, len(model.labels)) == (6, 3, 0)
    return True


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mmap", [True, False])
def test_each_form_gives_the_words_and_their_numbers(load, form, mmap):
    model = load(FORMS[form], mmap=mmap)
    assert holds_the_words(model)
    assert model.info.kind == "vectors"
    assert ("binary" in model.info.format) == ("binary" in form)


@pytest.mark.parametrize("compression", COMPRESSORS)
@pytest.mark.parametrize("form", FORMS)
def test_each_form_may_be_compressed(load, form, compression):
    model = load(COMPRESSORS[compression](FORMS[form]))
    assert holds_the_words(model)
    assert compression in model.info.format


@pytest.mark.parametrize("compression", ["", *COMPRESSORS])
@pytest.mark.parametrize(
    ("form", "name"), [("text", "word2vec text"), ("binary", "word2vec binary")]
)
def test_the_info_says_what_the_file_is(load, form, name, compression):
    data = COMPRESSORS.get(compression, bytes)(FORMS[form])
    info = load(data).info
    assert info.format == f"word2vec {form}" + (compression and f", {compression}")
    assert (info.kind, info.word_count, info.parameters.dim) == ("vectors", 6, 3)
    assert (info.label_count, info.token_count, info.subword_rows) == (0, 0, 0)
    assert (info.pruned, info.quantized_input, info.quantized_output) == (False, False, False)
    assert (info.file_size, info.sections) == (len(data), ())
    # The numbers, the texts, and an index.
    assert info.index_size > NUMBERS.nbytes + len(b"".join(WORDS))
    assert info.path.endswith("vectors")


def test_rows_without_a_head_have_two_numbers_at_the_least(load):
    assert_array_equal(load(b"one 1 2\ntwo 3 4\n")[["one", "two"]], [[1, 2], [3, 4]])
    with pytest.raises(ftl.FormatError):
        load(b"one 1\ntwo 3\n")


def test_a_first_row_without_a_space_is_text(load):
    with pytest.raises(ftl.FormatError, match="numbers") as caught:
        load(b"1 2\nword\n")
    assert caught.value.offset == 4


def test_gzip_of_several_members_is_read_to_its_end(load):
    data = text()
    assert holds_the_words(load(gzip.compress(data[:20]) + gzip.compress(data[20:])))


def test_an_unknown_word_is_a_key_error(load):
    model = load(text())
    for ask in (lambda: model["two"], lambda: model.vectors(["one", "two"])):
        with pytest.raises(ftl.UnknownWordError, match="'two' is not in the vocabulary"):
            ask()
    assert isinstance(ftl.UnknownWordError("x"), KeyError)
    assert model.get("two") is None
    assert "two" not in model
    assert model.ngrams(["two"]) == []
    with pytest.raises(ftl.FastTextLiteError, match="no output matrix"):
        model.output_matrix  # noqa: B018


def test_such_a_model_finds_neighbours_and_pickles(load):
    model = load(b"3 2\nleft -1 0\nright 1 0\nup .1 1\n")
    assert [word for word, _ in model.neighbors("up", k=2)] == ["right", "left"]
    assert_array_equal(pickle.loads(pickle.dumps(model))["left"], [-1, 0])


@pytest.mark.parametrize("data", [b"0 300\n", b"0 300", b"0 300\n\n"])
def test_a_file_may_hold_no_words(load, data):
    model = load(data)
    assert (len(model), model.dim) == (0, 300)
    assert model[[]].shape == (0, 300)


def test_rows_longer_than_a_block_are_read(load):
    numbers = np.random.default_rng(1).standard_normal((3, 400_000)).astype(np.float32)
    for data in (text(WORDS[:3], numbers), binary(WORDS[:3], numbers)):
        assert_array_equal(load(data)[WORDS[:3]], numbers)


def test_text_and_binary_are_told_apart_by_their_bytes(load):
    random = np.random.default_rng(2)
    for dim in (2, 3, 4, 50):
        for _ in range(100):
            numbers = random.standard_normal((1, dim)).astype(np.float32)
            assert_array_equal(load(binary([b"w"], numbers))["w"], numbers[0])
    # A number may hold the bytes of a line feed or of a space.
    numbers = np.frombuffer(b"\n 1\n 45\x80\n \n ", "<f4").reshape(1, 3)
    assert_array_equal(load(binary([b"w"], numbers))["w"], numbers[0])


@pytest.mark.parametrize(
    "decimal",
    [
        "0", "+1", "1.", ".5", "00012.50", "1E5", "1e+5", "1e-05", "-1.5e-10", "1e-46", "1e-45",
        "7e-46", "1.17549435e-38", "1e-37", "3.4028234e38", "3.4028235677973366e38",
        "3.4028235677973362e38", "1e39", "-1e39", "1e-400", "1e400", "16777217", "16777219",
        "16777217.0000000000000000000000000001", "16777216.9999999999999999999999999999",
        "-16777217.0000000000000000000000000001", "0.1000000014901161193847656250000000001",
        "123456789012345678901234567890e-20", "0." + "0" * 60 + "1e60", "1" * 400 + "e-399",
    ],
)  # fmt: skip
def test_a_decimal_becomes_the_nearest_float32(decimal):
    assert is_nearest(parse_decimals(decimal)[0], Fraction(decimal))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("-0", -0.0),
        ("-0e5", -0.0),
        ("0e999999999999999999999", 0.0),
        ("-1e-999999999999", -0.0),
        ("inf", np.inf),
        ("-Infinity", -np.inf),
        ("NaN", np.nan),
        ("1e999999999999", np.inf),
    ],
)
def test_what_has_no_nearest_number_has_its_own_meaning(text, number):
    (found,) = parse_decimals(text)
    assert found.tobytes() == np.float32(number).tobytes()


def refused(load, data, field, offset, match):
    with pytest.raises(ftl.FormatError, match=match) as caught:
        load(data)
    assert (caught.value.field, caught.value.offset) == (field, offset)
    assert caught.value.path in str(caught.value)


@pytest.mark.parametrize(
    ("data", "field", "offset", "match"),
    [
        (b"2 3\none 1 2 3\ntwo 4 5       \n", "row 2", 14, "2 numbers, but the head says 3"),
        (b"2 3\none 1 2 3\ntwo           \n", "row 2", 14, "'two' has 0 numbers"),
        (b"2 3\none 1 2 3\ntwo 4 5 x 6 7\n", "row 2", 22, "'x' is not a number"),
        (b"one 1 2 3\nsix 1 2 3\ntwo 4 5\n", "row 3", 20, "2 numbers, but most rows have 3"),
        (b"one 1 2 3\ntwo 4 5", "row 2", 10, "2 numbers, but most rows have 3"),
        (b"2 3\none 1 2 3\ntwo 4 x 6\n", "row 2", 20, "'x' is not a number"),
        (b"2 3\none 1 2 3\ntwo 4 1e 6\n", "row 2", 20, "'1e' is not a number"),
        (b"2 3\none 1 2 3\ntwo 4 1_0 6\n", "row 2", 20, "'1_0' is not a number"),
        (b"2 3\none 1 2 3\ntwo 4 1\x000 6\n", "row 2", 20, "is not a number"),
        (b"2 3\none 1 2 3\ntwo 4 0x1 6\n", "row 2", 20, "'0x1' is not a number"),
        (b"2 3\none 1 2 3\ntwo words 4 5\n", "row 2", 18, "'words' is not a number"),
        (b"2 3\none 1 2 3\n 4 5 6     \n", "row 2", 14, "the word is empty"),
        (b"2 3\none 1 2 3\n\ntwo 4 5 6\n", "row 2", 14, "an empty line between rows"),
        (b"1 3\none 1 2 3\ntwo 4 5 6\n", "row 2", 14, "more rows than the 1 that the head"),
        (
            b"3 3\none 1 2 3\ntwo 4.00000 5.00000 6\n",
            "row 3",
            36,
            "the head says 3 rows, but there are 2",
        ),
        (b"2 3\none 1 2", "number of rows", 0, "truncated or damaged"),
        (b"2 3", "number of rows", 0, "truncated or damaged"),
        (BOM + b"2 3\n", "number of rows", 3, "truncated or damaged"),
        (b"2 0\none\ntwo\n", "dim", 0, "0 dimensions"),
        (b"2 999999999999\none 1\n", "dim", 0, "999999999999 dimensions"),
        (b"2000000000 1\none 1\n", "number of rows", 0, "at least 8000000012 bytes"),
        (b"999999999999999999 1\none 1\n", "number of rows", 0, "more than 2147483647"),
    ],
)
def test_damaged_text_is_refused_by_field_and_byte(load, data, field, offset, match):
    refused(load, data, field, offset, match)


@pytest.mark.parametrize(
    ("data", "field", "offset", "match"),
    [
        (binary()[:-6], "row 6", len(binary()) - 16, "truncated"),
        (binary() + b"x", "row 7", len(binary()), "more rows than the 6"),
        (binary([b"a", b""], NUMBERS[:2]), "row 2", 19, "the word is empty"),
        (b"9 3\n" + binary()[4:], "number of rows", 0, "truncated or damaged"),
        (b"3 300\n" + b"a " + bytes(4000), "row 2", 1208, "truncated|empty"),
    ],
)
def test_damaged_binary_files_are_refused_by_field_and_byte(load, data, field, offset, match):
    refused(load, data, field, offset, match)


@pytest.mark.parametrize("form", ["text", "binary", "without a head"])
def test_a_file_cut_anywhere_is_refused_or_ends_with_a_whole_row(load, form):
    data = FORMS[form]
    whole = 0
    for cut in range(data.index(b"\n"), len(data)):
        try:
            model = load(data[:cut])
        except ftl.FormatError:
            continue
        # A truncated last number can't be detected, nor missing rows without a head.
        whole += 1
        assert form == "without a head" or len(model) == len(WORDS)
        assert_array_equal(model[WORDS[: len(model) - 1]], NUMBERS[: len(model) - 1])
    assert whole < len(data) / 2


@pytest.mark.parametrize("compression", COMPRESSORS)
def test_compressed_files_that_are_cut_or_damaged_are_refused(load, compression):
    numbers = np.random.default_rng(3).standard_normal((200, 30)).astype(np.float32)
    data = COMPRESSORS[compression](text([b"%d" % i for i in range(200)], numbers))
    middle = len(data) // 2
    flipped = data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]
    for bad in (data[:middle], data[:-4], data[:10], flipped):
        with pytest.raises(ftl.FormatError, match="after decompression"):
            load(bad)


@pytest.mark.parametrize("compression", COMPRESSORS)
def test_only_of_gzip_a_model_converts_as_it_is(load, compression):
    with pytest.raises(ftl.FormatError, match=f"model compressed with {compression}") as caught:
        load(COMPRESSORS[compression](build()))
    assert ("fasttext-lite convert" in str(caught.value)) == (compression == "gzip")


@pytest.mark.parametrize("compression", COMPRESSORS)
def test_other_things_in_compressed_files_are_named(load, compression):
    compress = COMPRESSORS[compression]
    told = f"fastText model compressed with {compression}: decompress it first"
    if compression == "gzip":
        told += ", or convert it directly"
    refused(load, compress(build()), "first line", 0, told)
    refused(load, compress(b"once upon a time\n"), "first line", 0, "does not hold word vectors")
    refused(load, compress(b""), "first line", 0, "does not hold word vectors")


def test_what_the_head_says_takes_no_memory(load):
    claims = b"2000000000 10000000\n" + b"w 1 2 3\n" * 10
    for data in (gzip.compress(claims), claims):
        tracemalloc.start()
        with pytest.raises(ftl.FormatError):
            load(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10_000_000


def test_a_file_takes_little_more_memory_than_its_numbers(load):
    numbers = np.random.default_rng(4).integers(-9, 9, (20_000, 200)).astype(np.float32)
    words = [b"%d" % i for i in range(len(numbers))]
    for data in (binary(words, numbers), gzip.compress(binary(words, numbers), 1)):
        tracemalloc.start()
        model = load(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert model.dim == 200
        assert peak < 1.5 * numbers.nbytes + 8_000_000


def test_rows_come_out_the_same_wherever_a_stream_is_cut():
    for data, binary_rows in ((text()[4:], False), (binary()[4:], True)):
        for size in range(1, 60):
            parser = (BinaryRows if binary_rows else TextRows)(3, 6, 4, "the head says")
            at = end = 0
            while end < len(data):
                end = min(end + size, len(data))
                at += parser.take(memoryview(data[at:end]), end == len(data))
            parser.finish()
            assert (parser.count, parser.at) == (6, 4 + len(data))
            assert parser.words == b"".join(WORDS)
            assert parser.numbers == NUMBERS.tobytes()
            assert_array_equal(
                np.frombuffer(parser.offsets, np.uint64),
                np.cumsum([0, *map(len, WORDS)]),
            )


@pytest.mark.parametrize("form", ["text", "binary", "without a head"])
@pytest.mark.parametrize("compression", ["", *COMPRESSORS])
def test_word_vectors_convert_to_a_compact_file(tmp_path, form, compression):
    source, target = tmp_path / "vectors", tmp_path / "vectors.safetensors"
    source.write_bytes(COMPRESSORS[compression](FORMS[form]) if compression else FORMS[form])
    with np.errstate(over="ignore"):
        ftl.convert(source, target)
    model = ftl.load(target)
    assert holds_the_words(model)
    with pytest.raises(ftl.UnknownWordError):
        model["two"]


def test_a_long_run_of_digits_is_told_from_a_number_at_once(load):
    refused(load, b"one " + b"1" * 60_000 + b"x\n", "magic", 0, "text file")


def test_a_head_without_rows_names_no_huge_dimension(load):
    assert load(b"0 4096\n").dim == 4096
    for pack in (bytes, *COMPRESSORS.values()):
        with pytest.raises(ftl.FormatError, match="dim is 9999999, more than the bytes"):
            load(pack(b"0 9999999\n"))


@pytest.mark.parametrize("data", [b"\n\n/", b"a 1234\n\nb 5678", b"\n\na 1234\n"])
def test_line_feeds_of_binary_rows_are_the_same_wherever_a_stream_is_cut(data):
    found = set()
    for cut in range(len(data) + 1):
        parser = BinaryRows(1, 5, 0, "the head says")
        try:
            used = parser.take(data[:cut], False)
            used += parser.take(data[used:], True)
        except ftl.FormatError as error:
            found.add(error.args)
        else:
            parser.finish()
            found.add((used, bytes(parser.words), bytes(parser.numbers)))
    assert len(found) == 1
