"""A compact file gives the same answers as its source."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import GOLDEN, REPOSITORY, reference
from support.builders import CBOW, OVA, SUPERVISED, Quantizer, build
from support.plain_reader import PlainReader, fnv
from support.text import plain_lines, unknown_words

import fasttext_lite as ftl

DTYPES = {"float32": ("F32", np.float32), "float16": ("F16", np.float16), "int8": ("I8", np.int8)}
LABELS = [b"__label__a", b"__label__b"]
PRUNE = [(3, 0), (1, 2), (7, 1)]
KINDS = {
    "skip-gram": {},
    "cbow": {"model": CBOW, "minn": 1, "maxn": 3, "dim": 37},
    "quantised": {"input_quantizer": Quantizer(dsub=3, qnorm=True)},
    "pruned": {"input_quantizer": Quantizer(), "prune": PRUNE},
    "pruned to nothing": {"input_quantizer": Quantizer(), "prune": []},
    "with labels": {"labels": LABELS},
    "supervised": {"model": SUPERVISED, "labels": LABELS, "loss": OVA, "word_ngrams": 2},
    "supervised, quantised": {
        "model": SUPERVISED,
        "labels": LABELS,
        "input_quantizer": Quantizer(dsub=3, qnorm=True),
        "output_quantizer": Quantizer(qnorm=True),
    },
    "supervised, pruned": {
        "model": SUPERVISED,
        "labels": LABELS,
        "input_quantizer": Quantizer(),
        "prune": PRUNE,
    },
    "supervised, version 11": {"model": SUPERVISED, "labels": LABELS, "version": 11},
    "version 11": {"version": 11},
    "before the magic": {"magic": None},
    "no buckets": {"bucket": 0, "maxn": 0},
    "no n-grams": {"minn": -1},
    "n-grams of any length": {"maxn": -1},
    "no words": {"words": []},
    "words twice": {"words": [b"one", b"two", b"one", b"three", b"two", b"two"]},
    "supervised, words twice": {
        "model": SUPERVISED,
        "words": [b"one", b"</s>", b"one", b"__label__a"],
        "labels": [*LABELS, *LABELS],
    },
    "no UTF-8": {"words": [b"\xff\xfe", b"a\x80", b"\x80", b"\xe4\xb8", b"caf\xe9"], "minn": 1},
    "many words": {
        "words": sorted({word.encode() for line in plain_lines() for word in line.split()}),
        "bucket": 500,
    },
}
UNKNOWN = unknown_words()
SHORT = [word for word in UNKNOWN if len(word) < 40][:300]


@pytest.fixture
def source(tmp_path):
    """Return a function that builds a file and returns its path."""

    def write(kind="skip-gram", **options):
        path = tmp_path / f"{len(list(tmp_path.glob('*.bin')))}.bin"
        path.write_bytes(build(**(KINDS[kind] | options)))
        return path

    return write


@pytest.fixture
def convert(tmp_path):
    """Return a function that converts a model, and returns the report and the new model."""

    def convert_and_load(path, *arguments, **options):
        number = len(list(tmp_path.glob("*.safetensors")))
        target = tmp_path / f"{number}.safetensors"
        report = ftl.convert(path, target, *arguments, **options)
        assert report.target == str(target)
        assert not list(tmp_path.glob("*.part"))
        return report, ftl.load(target)

    return convert_and_load


def entries(kind):
    """Return words and labels whose vectors do not depend on the order of pruned rows."""
    options = KINDS[kind]
    words = options.get("words", [b"</s>", b"one", b"two", b"three"])
    return [*words, *([] if "prune" in options else options.get("labels", []))]


def bits(vectors):
    return np.ascontiguousarray(vectors).view(np.uint32)


def cosines(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.sum(a * b, axis=1)[norms > 0] / norms[norms > 0]


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


# Choice of words, n-grams and dimensions


def test_max_words_keeps_the_first(convert):
    original = ftl.load("sample")
    report, model = convert("sample", max_words=500)
    assert list(model.words) == list(original.words[:500])
    assert_array_equal(model.counts, original.counts[:500])
    kept = [*model.words, *(word for word in UNKNOWN if word not in original)]
    assert_array_equal(bits(model[kept]), bits(original[kept]))
    assert (report.word_count, report.source_word_count) == (500, len(original))
    dropped = original.words[600]
    assert dropped not in model
    rows = [row for _, row in original.subwords(dropped)[1:]]
    assert_allclose(model[dropped], original.input_matrix[rows].mean(axis=0), rtol=1e-5)


def test_max_words_beyond_the_vocabulary_keeps_all(source, convert):
    report, model = convert(source(), max_words=1000)
    assert report.word_count == len(model) == 4


def test_min_count_keeps_the_frequent(convert):
    original = ftl.load("sample")
    least = int(original.counts[700])
    _, model = convert("sample", min_count=least)
    frequent = np.flatnonzero(original.counts >= least)
    assert list(model.words) == [original.words[i] for i in frequent]
    assert model.counts.min() == least
    assert_array_equal(bits(model[list(model.words)]), bits(original[list(model.words)]))


def test_the_words_of_a_list_are_kept_in_the_order_of_the_source(convert, tmp_path):
    original = ftl.load("sample")
    listed = ["king", "queen", b"the", "king"]
    expected = sorted({"king", "queen", "the"}, key=original.word_id)
    path = tmp_path / "words.txt"
    path.write_bytes(b"king\r\nqueen\n\nthe\nking")
    for words in (listed, tuple(listed), iter(listed), path, str(path), bytes(path)):
        _, model = convert("sample", words=words)
        assert list(model.words) == expected
        assert_array_equal(bits(model[expected]), bits(original[expected]))


def test_words_that_are_no_utf_8_come_from_a_list_or_a_file(source, convert, tmp_path):
    path = source("no UTF-8")
    (tmp_path / "words.txt").write_bytes(b"caf\xe9\n\xff\xfe\n")
    for words in ([b"caf\xe9", "\udcff\udcfe"], tmp_path / "words.txt"):
        _, model = convert(path, words=words)
        assert list(model.words) == ["\udcff\udcfe", "caf\udce9"]


def test_choices_add_up(convert):
    original = ftl.load("sample")
    chosen = [original.words[i] for i in (3, 5, 900, 2000)]
    _, model = convert("sample", words=chosen, max_words=1500, min_count=int(original.counts[5]))
    assert list(model.words) == chosen[:2]


def test_used_subwords_are_those_of_the_kept_words(convert):
    original = ftl.load("sample")
    report, model = convert("sample", max_words=50, subwords="used")
    used = sorted({row for _, row in original.ngrams(model.words)})
    kept = PlainReader(model.info.path).arrays["subwords.buckets"]
    assert_array_equal(kept, np.array(used) - len(original))
    assert report.subword_rows == len(used) < report.source_subword_rows == 10000
    words = list(model.words)
    assert_array_equal(bits(model[words]), bits(original[words]))
    slow = reference.parse(original.info.path)
    for word in [word for word in UNKNOWN[:300] if word not in original]:
        rows = [row for _, row in slow.ngram_rows(word) if row in used]
        total = np.zeros(original.dim, np.float32)
        for row in rows:
            total += slow.input_matrix[row]
        expected = total * np.float32(1 / len(rows)) if rows else total
        assert_array_equal(bits(model[word]), bits(expected))


def test_the_subwords_of_extra_words_are_kept_too(convert, tmp_path):
    original = ftl.load("sample")
    extra = ["musicianship", "zyzzyva", "日本語"]
    path = tmp_path / "extra.txt"
    path.write_text("\n".join(extra), encoding="utf-8")
    for words in (extra, path):
        _, model = convert("sample", max_words=50, subwords="used", extra_words=words)
        assert_array_equal(bits(model[extra]), bits(original[extra]))
        assert not any(word in model for word in extra)


def test_the_used_subwords_of_a_pruned_model(convert):
    path = GOLDEN / "pruned.ftz"
    original = ftl.load(path)
    _, model = convert(path, max_words=100, subwords="used")
    words = list(model.words)
    assert_array_equal(bits(model[words]), bits(original[words]))
    assert 0 < model.info.subword_rows < original.info.subword_rows


def test_without_subwords_unknown_words_are_errors(convert):
    original = ftl.load("sample")
    report, model = convert("sample", subwords="none")
    words = list(original.words)
    assert_array_equal(bits(model[words]), bits(original[words]))
    assert report.subword_rows == 0
    for ask in (lambda: model["zzyzx"], lambda: model[["king", "zzyzx"]]):
        with pytest.raises(ftl.UnknownWordError, match="'zzyzx' is not in the vocabulary"):
            ask()
    with pytest.raises(KeyError):
        model.neighbors("zzyzx")
    assert model.get("zzyzx") is None
    assert model.subwords("zzyzx") == []
    assert model.neighbors("king") == original.neighbors("king")


def test_without_subwords_a_label_is_no_word(source, convert):
    _, model = convert(source("with labels"), subwords="none")
    assert list(model.labels) == [label.decode() for label in LABELS]
    for ask in (lambda: model[LABELS[0]], lambda: model[["one", LABELS[0]]]):
        with pytest.raises(ftl.UnknownWordError):
            ask()
    assert model.get(LABELS[0]) is None
    assert PlainReader(model.info.path).vector(LABELS[0]) is None


def test_subwords_alone_give_vectors_to_unknown_words(convert):
    original = ftl.load("sample")
    report, model = convert("sample", "float32", subwords="only")
    unknown = [word for word in UNKNOWN if word not in original]
    assert_array_equal(bits(model[unknown]), bits(original[unknown]))
    assert len(model) == report.word_count == 0
    assert report.loss is None
    assert list(model.words) == []
    assert model.neighbors("king") == []
    rows = [row for _, row in original.subwords("king")[1:]]
    assert_allclose(model["king"], original.input_matrix[rows].mean(axis=0), rtol=1e-5)
    assert report.size < 4 * 40 * 10000 + 4096


@pytest.mark.parametrize("dim", [1, 7, 39])
def test_fewer_dimensions_are_a_projection(convert, dim):
    original = ftl.load("sample")
    report, model = convert("sample", dim=dim)
    words, unknown = list(original.words), UNKNOWN[:500]
    assert model.dim == report.dim == dim
    assert model[words].shape == (len(words), dim)
    exact = original[words].astype(np.float64)
    centred = exact - exact.mean(axis=0)
    basis = np.linalg.svd(centred, full_matrices=False)[2][:dim].T
    variances = centred.var(axis=0).sum(), (centred @ basis).var(axis=0).sum()
    assert report.variance == pytest.approx(variances[1] / variances[0], rel=1e-4)
    # The directions are equal up to their sign.
    signs = np.sign(np.sum((exact @ basis) * model[words], axis=0))
    for some in (words, unknown):
        expected = original[some] @ basis * signs
        assert np.abs(model[some] - expected).max() < 1e-3 * np.abs(expected).max()


def test_as_many_dimensions_as_there_are_leave_everything_as_it_is(source, convert):
    path = source()
    report, model = convert(path, dim=4)
    assert report.variance is None
    assert_array_equal(bits(model[UNKNOWN]), bits(ftl.load(path)[UNKNOWN]))


def test_fewer_dimensions_of_a_supervised_model_keep_the_scores(convert):
    path = GOLDEN / "softmax.bin"
    original = ftl.load(path)
    report, model = convert(path, dim=7)
    assert 0.5 < report.variance < 1
    assert (model.dim, model.output_matrix.shape) == (7, (len(original.labels), 7))
    # Both sides of the product are projected alike, so lengths can only shrink.
    before, after = original.output_matrix, model.output_matrix
    assert (np.linalg.norm(after, axis=1) <= np.linalg.norm(before, axis=1) * 1.0001).all()


# Number formats


def test_int8_has_a_scale_for_each_row(convert):
    original = ftl.load("sample")
    _, model = convert("sample", "int8")
    arrays = PlainReader(model.info.path).arrays
    exact = {"words": original[list(original.words)], "subwords": original.input_matrix[7081:]}
    for name, rows in exact.items():
        scales = arrays[f"{name}.scales"]
        assert_array_equal(scales, np.abs(rows).max(axis=1) / np.float32(127))
        assert np.abs(arrays[name]).max() == 127
        error = np.abs(arrays[name] * scales[:, None] - rows)
        assert (error <= scales[:, None] * 0.5001).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_norms_are_those_of_the_stored_rows(convert, dtype):
    _, model = convert("sample", dtype)
    norms = PlainReader(model.info.path).arrays["words.norms"]
    stored = model[list(model.words)].astype(np.float64)
    assert_allclose(norms, np.linalg.norm(stored, axis=1), rtol=1e-6)


def test_rows_of_zeros_and_tiny_numbers_survive_int8(source, convert):
    tiny = np.float32(1.4e-45)
    rows = np.zeros((14, 4), np.float32)
    rows[1] = (tiny * 190, -tiny, 0, 0)
    rows[2] = (1e-30, -1e-30, 5e-31, 0)
    rows[3] = (3e38, -3e38, 1.0, 0)
    report, model = convert(source(input_matrix=rows, bucket=10, maxn=0), "int8")
    assert not model["</s>"].any()
    assert_allclose(model["one"][0], rows[1, 0], rtol=0.5)
    assert_allclose(model["two"], rows[2], atol=1e-32)
    assert_allclose(model["three"], rows[3], rtol=1e-6, atol=3e36)
    assert report.loss.worst > 0.99


def test_a_number_beyond_float16_is_refused(source, convert):
    rows = np.ones((14, 4), np.float32)
    rows[13, 2] = -70000
    path = source(input_matrix=rows)
    with pytest.raises(ftl.InputValueError, match="70000 is too large for float16"):
        convert(path, "float16")
    _, model = convert(path, "int8")
    assert model.row(13)[2] == -70000
    rows[13, 1] = np.nan
    with pytest.raises(ftl.InputValueError, match="70000 is too large for float16"):
        convert(source(input_matrix=rows), "float16")


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_so_or_is_refused(source, convert, number):
    rows = np.ones((14, 4), np.float32)
    rows[1, 2] = number
    path = source(input_matrix=rows, maxn=0)
    for dtype in ("float32", "float16"):
        report, model = convert(path, dtype)
        assert_array_equal(model["one"], rows[1])
        assert report.loss.worst == 1
    with pytest.raises(ftl.InputValueError, match="convert to float32 or float16"):
        convert(path, "int8")


# Supervised models


def test_a_supervised_model_keeps_its_matrices(convert):
    for name in ("softmax.bin", "hs.bin"):
        original = ftl.load(GOLDEN / name)
        _, model = convert(GOLDEN / name)
        assert_array_equal(bits(model.input_matrix), bits(original.input_matrix))
        assert_array_equal(bits(model.output_matrix), bits(original.output_matrix))
        assert model.info.parameters.loss == original.info.parameters.loss


@pytest.mark.parametrize("name", ["odd_dsub.ftz", "pruned.ftz"])
def test_a_quantised_supervised_model_is_decoded(convert, name):
    slow = reference.parse(GOLDEN / name)
    _, model = convert(GOLDEN / name)
    order = range(len(slow.input_matrix) - len(slow.words))
    if slow.prune is not None:
        order = [slow.prune[bucket] for bucket in sorted(slow.prune)]
    expected = slow.input_matrix[[*range(len(slow.words)), *(len(slow.words) + i for i in order)]]
    assert_allclose(model.input_matrix, expected, rtol=1e-6)
    assert_allclose(model.output_matrix, slow.output_matrix, rtol=1e-6)


def test_a_supervised_model_keeps_the_end_of_the_line(convert):
    path = GOLDEN / "hs.bin"
    original = ftl.load(path)
    chosen = [word for word in original.words if word != "</s>"][5:8]
    _, model = convert(path, words=chosen, subwords="used")
    assert set(model.words) == {"</s>", *chosen}
    assert list(model.labels) == list(original.labels)
    assert_array_equal(bits(model[[*chosen, "</s>"]]), bits(original[[*chosen, "</s>"]]))
    assert_array_equal(bits(model.output_matrix), bits(original.output_matrix))


def test_the_matrices_that_a_file_lacks_are_told(convert):
    _, model = convert("sample")
    with pytest.raises(ftl.FastTextLiteError, match="not word rows"):
        model.input_matrix  # noqa: B018
    with pytest.raises(ftl.FastTextLiteError, match="no output matrix"):
        model.output_matrix  # noqa: B018
    with pytest.raises(ftl.InputValueError, match=r"not (word|their) rows"):
        model.row(3)
    original = ftl.load("sample")
    assert_array_equal(model.row(7081 + 5), original.row(7081 + 5))
    _, half = convert(GOLDEN / "hs.bin", "float16")
    with pytest.raises(ftl.FastTextLiteError, match="it has no float32 numbers"):
        half.input_matrix  # noqa: B018


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
