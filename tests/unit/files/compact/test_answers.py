"""A compact file gives the same answers as its source."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import GOLDEN, REPOSITORY
from support.compact_kinds import DTYPES, KINDS, UNKNOWN, bits, cosines
from support.plain_reader import PlainReader, fnv

import fasttext_lite as ftl

SHORT = [word for word in UNKNOWN if len(word) < 40][:300]


def entries(kind):
    """Return words and labels whose vectors do not depend on the order of pruned rows."""
    options = KINDS[kind]
    words = options.get("words", [b"</s>", b"one", b"two", b"three"])
    return [*words, *([] if "prune" in options else options.get("labels", []))]


def overlap_of_nearest(a, b, count=300):
    """Return the share of the ten nearest words that two models have in common."""
    words = list(a.words[:: max(len(a) // count, 1)])
    pairs = zip(a.neighbors(words), b.neighbors(words), strict=True)
    shared = [len({near.word for near in x} & {near.word for near in y}) / len(x) for x, y in pairs]
    return np.mean(shared)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_answers_bit_for_bit(source, convert, kind):
    path = source(kind)
    original = ftl.load(path)
    _, model = convert(path)
    words = [*entries(kind), *UNKNOWN]
    if original.info.parameters.maxn < 0:
        # The number of n-grams grows with the square of the length, so long words are left out.
        words = [*entries(kind), *SHORT]
    assert_array_equal(bits(model[words]), bits(original[words]))
    for word in words[:100]:
        assert_array_equal(bits(model[word]), bits(original[word]))
        assert model.word_id(word) == original.word_id(word)
        assert (model.get(word) is None) == (original.get(word) is None)
        assert (word in model) == (word in original)
        if not original.info.pruned:
            assert model.subwords(word) == original.subwords(word)
    assert list(model.words) == list(original.words)
    assert list(model.labels) == list(original.labels)
    assert_array_equal(model.counts, original.counts)
    assert_array_equal(model.label_counts, original.label_counts)
    assert model.info.kind == original.info.kind
    assert model.info.parameters == original.info.parameters
    assert model.info.token_count == original.info.token_count


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_reader_gives_the_same_vectors(source, convert, kind, dtype):
    _, model = convert(source(kind), dtype)
    plain = PlainReader(model.info.path)
    words = [*entries(kind), *KINDS[kind].get("labels", []), *SHORT]
    expected = np.array([plain.vector(word) for word in words])
    if dtype == "float32":
        assert_array_equal(bits(model[words]), bits(expected))
    assert_allclose(model[words], expected, rtol=1e-6, atol=1e-9)
    assert [plain.find(word) for word in words[:50]] == [
        None if i < 0 else i
        for i in (
            model.words.index(word)
            if word in model
            else len(model) + model.labels.index(word)
            if word in model.labels
            else -1
            for word in words[:50]
        )
    ]
    assert [word.decode(errors="surrogateescape") for word in plain.words()] == list(model.words)


@pytest.mark.parametrize("options", [{"subwords": "used"}, {"subwords": "none"}, {"max_words": 3}])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_plain_reader_reads_what_keeps_a_part_only(convert, dtype, options):
    _, model = convert(GOLDEN / "skipgram.bin", dtype, **options)
    plain = PlainReader(model.info.path)
    for word in [*plain.words(), *SHORT[:150]]:
        vector = plain.vector(word)
        if vector is None:
            with pytest.raises(ftl.UnknownWordError):
                model[word]
        else:
            assert_allclose(model[word], vector, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    "name", ["cbow.bin", "hs.bin", "odd_dsub.ftz", "pruned.ftz", "softmax.bin"]
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_plain_reader_reads_official_models(convert, name, dtype):
    _, model = convert(GOLDEN / name, dtype)
    plain = PlainReader(model.info.path)
    words = [*plain.words(), *SHORT]
    expected = np.array([plain.vector(word) for word in words])
    assert_allclose(model[words], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_plain_reader_reads_vectors_without_subwords(convert, tmp_path, dtype):
    (tmp_path / "words.vec").write_bytes(b"3 2\none 1 2\ncaf\xe9 -0.25 0.5\ntwo 3e-5 4\n")
    _, model = convert(tmp_path / "words.vec", dtype)
    plain = PlainReader(model.info.path)
    assert plain.model["model"] == "vectors"
    assert plain.words() == [b"one", b"caf\xe9", b"two"]
    for word in plain.words():
        assert_allclose(plain.vector(word), model[word], rtol=1e-6)
    assert_allclose(plain.vector(b"caf\xe9"), [-0.25, 0.5], rtol=1e-2)
    assert plain.vector(b"three") is None
    assert model.get(b"three") is None


def test_the_sample_as_float32_is_equal_bit_for_bit(convert):
    original = ftl.load("sample")
    report, model = convert("sample")
    words = [*original.words, *UNKNOWN]
    assert_array_equal(bits(model[words]), bits(original[words]))
    assert model.neighbors("king") == original.neighbors("king")
    assert report.loss.worst == 1


@pytest.mark.parametrize(
    ("dtype", "least_cosine", "least_overlap"), [("float16", 0.99999, 0.98), ("int8", 0.999, 0.95)]
)
def test_the_sample_loses_little(convert, dtype, least_cosine, least_overlap):
    original = ftl.load("sample")
    report, model = convert("sample", dtype)
    words = [*original.words, *UNKNOWN]
    found = cosines(model[words], original[words])
    assert found.min() >= least_cosine
    known = cosines(model[list(original.words)], original[list(original.words)])
    assert report.loss.worst == pytest.approx(known.min(), abs=1e-6)
    assert report.loss.mean == pytest.approx(known.mean(), abs=1e-6)
    assert report.loss.percentile_1 == pytest.approx(np.percentile(known, 1), abs=1e-6)
    assert known[model.word_id(report.loss.worst_word)] == pytest.approx(known.min(), abs=1e-6)
    assert overlap_of_nearest(original, model) >= least_overlap


@pytest.mark.parametrize(
    "options",
    [
        {"model": "skipgram", "dim": 20, "bucket": 2000, "epoch": 20, "minn": 2, "maxn": 4},
        {"model": "cbow", "dim": 30, "bucket": 1000, "epoch": 20},
        {"model": "supervised", "text": "language", "dim": 20, "bucket": 1000, "epoch": 20}
        | {"minn": 2, "maxn": 4},
    ],
    ids=lambda options: options["model"],
)
def test_official_models_lose_little(trained, convert, options):
    path = trained(**options)
    original = ftl.load(path)
    words = [*original.words, *UNKNOWN]
    for dtype, least_cosine, least_overlap in (
        ("float32", 1 - 1e-12, 1),
        ("float16", 0.99999, 0.95),
        ("int8", 0.999, 0.95),
    ):
        report, model = convert(path, dtype)
        assert cosines(model[words], original[words]).min() >= least_cosine
        assert report.loss.worst >= least_cosine
        assert overlap_of_nearest(original, model) >= least_overlap
        if dtype == "float32":
            assert_array_equal(bits(model[words]), bits(original[words]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["skip-gram", "supervised, pruned", "no words", "many words"])
def test_the_public_library_sees_the_same_arrays(source, convert, kind, dtype):
    safetensors = pytest.importorskip("safetensors")
    _, model = convert(source(kind), dtype)
    plain = PlainReader(model.info.path)
    with safetensors.safe_open(model.info.path, framework="numpy") as file:
        assert sorted(file.keys()) == sorted(plain.arrays)
        assert file.metadata()["format"] == "fasttext-lite"
        for name, array in plain.arrays.items():
            seen = file.get_tensor(name)
            assert seen.dtype == array.dtype
            assert_array_equal(seen, array)
    aligned = [place % 64 for name, place in plain.places.items() if not name.startswith("filler")]
    assert not any(aligned)


def test_the_file_opens_mapped_or_read_and_pickles(convert):
    _, model = convert("sample", "float16")
    read = ftl.load(model.info.path, mmap=False)
    words = [*model.words[:1000], *UNKNOWN]
    assert_array_equal(bits(read[words]), bits(model[words]))
    assert_array_equal(bits(model.vectors(words, threads=3)), bits(model[words]))
    assert_array_equal(pickle.loads(pickle.dumps(model))["king"], model["king"])
    assert "float16" in model.info.format
    assert model.info.index_size == 0


def test_opening_builds_no_index(convert, monkeypatch):
    _, model = convert("sample")
    assert model.info.index_size == 0
    data = Path(model.info.path)
    bad = bytearray(data.read_bytes())
    place = PlainReader(data).places["vocabulary.index"]
    size = PlainReader(data).arrays["vocabulary.index"].nbytes
    bad[place : place + size] = bytes(size)
    data.with_name("no_index").write_bytes(bad)
    assert "king" not in ftl.load(data.with_name("no_index"))


def test_a_model_of_123_dimensions_is_no_compact_file(source):
    # Byte 8 of the file is "{".
    assert ftl.load(source(dim=123)).dim == 123
    assert ftl.load(source(magic=None, epoch=123)).info.parameters.epoch == 123


# Reports, and conversions of compact files


def test_the_report_tells_what_was_done(source, convert):
    path = source("many words", dim=8)
    report, model = convert(path, "float16", max_words=20, subwords="used", dim=5)
    assert report.source == str(path)
    assert report.source_size == path.stat().st_size
    assert report.size == Path(report.target).stat().st_size == model.info.file_size
    assert (report.dtype, report.dim, report.word_count) == ("float16", 5, 20)
    assert report.source_word_count == len(KINDS["many words"]["words"])
    assert report.subword_rows == model.info.subword_rows
    assert report.source_subword_rows == 500
    assert 0 < report.seconds < 60
    assert 0 < report.variance < 1
    assert report.loss.worst <= report.loss.percentile_1 <= report.loss.mean <= 1
    assert report.loss.worst_word in model


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_converted_file_converts_again(source, convert, kind, dtype):
    path = source(kind)
    report, model = convert(path)
    once = Path(report.target)
    again, _ = convert(once)
    assert Path(again.target).read_bytes() == once.read_bytes()
    direct, _ = convert(path, dtype)
    through, _ = convert(once, dtype)
    assert Path(through.target).read_bytes() == Path(direct.target).read_bytes()
    back, lossy = convert(Path(direct.target))
    words = [*entries(kind), *SHORT]
    assert_allclose(lossy[words], ftl.load(direct.target)[words], rtol=1e-6, atol=1e-9)
    assert back.word_count == len(model)


@pytest.mark.parametrize(
    "options",
    [
        {"subwords": "used", "max_words": 30},
        {"subwords": "none"},
        {"subwords": "only"},
        {"dim": 9},
    ],
)
def test_what_was_left_out_stays_out_when_it_is_converted_again(convert, options):
    report, model = convert("sample", **options)
    again, once_more = convert(report.target)
    assert Path(again.target).read_bytes() == Path(report.target).read_bytes()
    assert (again.word_count, again.subword_rows) == (report.word_count, report.subword_rows)
    fewer, _ = convert(report.target, "int8", max_words=None)
    assert fewer.size < report.size
    assert once_more.info.sections == model.info.sections


def test_the_used_subwords_can_be_chosen_in_two_steps(convert):
    first, _ = convert("sample", max_words=200, subwords="used")
    second, _ = convert(first.target, max_words=20, subwords="used")
    direct, _ = convert("sample", max_words=20, subwords="used")
    assert Path(second.target).read_bytes() == Path(direct.target).read_bytes()


def test_the_bytes_do_not_depend_on_the_threads(convert):
    targets = [convert("sample", "int8", threads=threads)[0].target for threads in (1, 2, 5)]
    assert len({Path(target).read_bytes() for target in targets}) == 1


# The layout in bytes


def test_the_golden_file_is_written_byte_for_byte(tmp_path):
    target = tmp_path / "skipgram.safetensors"
    ftl.convert(GOLDEN / "skipgram.bin", target, "int8", subwords="used")
    assert target.read_bytes() == (GOLDEN / "skipgram.safetensors").read_bytes()


def test_the_golden_file_is_read(tmp_path):
    original = ftl.load(GOLDEN / "skipgram.bin")
    model = ftl.load(GOLDEN / "skipgram.safetensors")
    assert list(model.words) == list(original.words)
    words = list(model.words)
    assert cosines(model[words], original[words]).min() > 0.999
    assert cosines(model[UNKNOWN], original[UNKNOWN]).size > 1000


@pytest.fixture(scope="module")
def document():
    return (REPOSITORY / "docs" / "compact-file.md").read_text(encoding="utf-8")


def test_the_example_of_the_specification_is_true_byte_for_byte(source, convert, document):
    rows = np.array([(1, 2), (3, 4), (0.5, 0.25), (1, -1), (2, 0)], np.float32)
    path = source(
        words=[b"a", b"bc"],
        counts=[7, 3],
        dim=2,
        bucket=3,
        minn=2,
        maxn=2,
        input_matrix=rows,
        output_matrix=np.zeros((2, 2), np.float32),
    )
    _, model = convert(path, "float16")
    data = Path(model.info.path).read_bytes()

    example = document.partition("## Example")[2]
    said = re.search(
        r"as float16: (\d+) bytes. N = (\d+) \(`([0-9a-f ]+)`\);.* byte (\d+)", example
    )
    size, length, length_bytes, start = said.groups()
    assert len(data) == int(size)
    assert data[:8] == bytes.fromhex(length_bytes) == int(length).to_bytes(8, "little")
    assert int(start) == 8 + int(length)
    places = {name: place for place, name in re.findall(r"\| (\d+) \| `([a-z0-9.]+)` ", example)}
    plain = PlainReader(model.info.path)
    assert {name: int(place) for name, place in places.items()}.items() <= plain.places.items()
    compared = 0
    for place, shown in re.findall(r"\| (\d{4}) \|[^|]*\|([^|]*)\|", example):
        expected = b""
        for times, digits, more in re.findall(r"(?:(\d+) × )?`([0-9a-f ]+)(…)?`", shown):
            part = bytes.fromhex(digits) * int(times or 1)
            expected += part.ljust(8, b"\0") if more else part
        assert data[int(place) :][: len(expected)] == expected, place
        compared += len(expected)
    assert compared > 140
    assert_array_equal(model["ab"], np.array([1.5, 0.083333336], np.float32))
    assert [fnv(text) % 3 for text in (b"<a", b"ab", b"b>")] == [2, 0, 2]
