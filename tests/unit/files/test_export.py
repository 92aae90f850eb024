"""Exported files, byte by byte, and refusals; ``compat/test_export.py`` opens such files."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import reference
from support.builders import HS, SUPERVISED, Quantizer, build

import fasttext_lite as ftl
from fasttext_lite._core.files.numbers import text_lines
from fasttext_lite.cli import main

quantizing = pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")

LABELS = [b"__label__a", b"__label__b"]
PRUNED = {
    "model": SUPERVISED,
    "labels": LABELS,
    "prune": [(3, 0), (1, 2), (7, 1)],
    "input_quantizer": Quantizer(dsub=2, qnorm=True),
}


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a tiny model and returns its path."""

    def write_model(**options):
        path = tmp_path / "model.bin"
        path.write_bytes(build(**options))
        return path

    return write_model


def numbers_as_text(numbers, digits):
    """Return the numbers of one line, as the exporter writes them."""
    row = np.asarray(numbers, np.float32).reshape(1, -1)
    line = text_lines(b"w", np.array([0, 1], np.uint64), row, digits)
    assert line.startswith(b"w ")
    assert line.endswith(b" \n")
    return line[2:-2].split(b" ")


def many_numbers():
    """Return numbers of all magnitudes, near powers of ten, between decimals, and NaN."""
    random = np.random.default_rng(0)
    powers = (10.0 ** np.arange(-37, 38)).astype(np.float32)
    return np.concatenate(
        [
            random.standard_normal(3000).astype(np.float32),
            random.integers(0, 2**32, 3000, dtype=np.uint32).view(np.float32),
            (random.integers(-(10**4), 10**4, 1000) / 1024).astype(np.float32),
            (2.0 ** np.arange(-149, 128)).astype(np.float32),
            powers,
            np.nextafter(powers, np.float32(0)),
            np.nextafter(powers, np.float32(np.inf)),
            np.array([0, -0.0, 99999.5, 0.0099995, 123456, np.inf, -np.inf, np.nan], np.float32),
        ]
    )


@pytest.mark.parametrize("digits", range(1, 10))
def test_numbers_are_rounded_as_c_does(digits):
    numbers = many_numbers()
    expected = [b"%.*g" % (digits, number) for number in numbers.tolist()]
    assert numbers_as_text(numbers, digits) == expected


def test_exact_numbers_read_back_as_the_same_bits_in_few_digits():
    numbers = many_numbers()
    texts = numbers_as_text(numbers, 0)
    back = np.array([float(text) for text in texts]).astype(np.float32)
    same = (back.view(np.uint32) == numbers.view(np.uint32)) | np.isnan(numbers)
    assert same.all()
    plain = np.random.default_rng(1).standard_normal(2000).astype(np.float32)
    shortest = [
        np.format_float_positional(number, unique=True, trim="-").encode() for number in plain
    ]
    common = [number for number, text in zip(plain, shortest, strict=True) if abs(number) > 1e-4]
    expected = [text for number, text in zip(plain, shortest, strict=True) if abs(number) > 1e-4]
    assert numbers_as_text(common, 0) == expected
    assert numbers_as_text([0.5, 1, -2, 0.1, 100000, 1e-7], 0) == [
        b"0.5", b"1", b"-2", b"0.1", b"100000", b"1e-07",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        (None, b"2 3\na 0.125 0.33333 -1 \nbc 1e-05 0 123.46 \n"),
        ("exact", b"2 3\na 0.125 0.33333334 -1 \nbc 1e-05 0 123.456 \n"),
        (2, b"2 3\na 0.12 0.33 -1 \nbc 1e-05 0 1.2e+02 \n"),
    ],
)
@pytest.mark.parametrize("suffix", [".vec", ".txt"])
def test_text_has_the_layout_of_the_official_program(write, tmp_path, precision, expected, suffix):
    rows = np.array([[0.125, 1 / 3, -1], [1e-5, 0, 123.456]], np.float32)
    path = write(words=[b"a", b"bc"], dim=3, bucket=0, maxn=0, input_matrix=rows)
    ftl.export(path, tmp_path / f"out{suffix}", precision=precision)
    assert (tmp_path / f"out{suffix}").read_bytes() == expected


def test_word2vec_has_float32_numbers_after_each_word(write, tmp_path):
    rows = np.array([[0.125, -1], [3, 4]], np.float32)
    path = write(words=[b"a", b"b\xff"], dim=2, bucket=0, maxn=0, input_matrix=rows)
    done = ftl.export(path, tmp_path / "out", "word2vec")
    expected = b"2 2\na " + rows[0].tobytes() + b"\nb\xff " + rows[1].tobytes() + b"\n"
    assert (tmp_path / "out").read_bytes() == expected
    assert (done.format, done.word_count, done.dim, done.size) == ("word2vec", 2, 2, len(expected))


def test_npy_has_the_words_beside_it(write, tmp_path):
    path = write(words=[b"a", b"b c", b"\xff", b""])
    ftl.export(path, tmp_path / "out.npy")
    array = np.load(tmp_path / "out.npy")
    assert array.dtype == np.float32
    assert_array_equal(array, ftl.load(path)[[b"a", b"b c", b"\xff", b""]])
    assert (tmp_path / "out.vocab.txt").read_bytes() == b"a\nb c\n\xff\n\n"


def test_many_words_come_in_their_order(write, tmp_path):
    words = [b"%d" % i for i in range(70_000)]
    path = write(words=words, dim=1, bucket=0, maxn=0)
    model = ftl.load(path)
    for name in ("out.vec", "out.npy", "out.bin"):
        ftl.export(model, tmp_path / name)
    lines = (tmp_path / "out.vec").read_bytes().splitlines()
    assert [line.split(b" ")[0] for line in lines[1:]] == words
    assert (tmp_path / "out.vocab.txt").read_bytes().split() == words
    assert (tmp_path / "out.bin").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"model": SUPERVISED, "loss": HS, "labels": LABELS, "word_ngrams": 2},
        {"words": [b"\xff\xfe", b"\x80", b"", b"</s>", b"x y"], "minn": 1, "maxn": 4},
        {"bucket": 0, "maxn": 0, "minn": 0},
        {"t": 0.5, "ntokens": 2**40, "lr_update_rate": -1, "minn": 5, "maxn": 2},
    ],
)
def test_a_dense_file_of_version_12_is_copied_to_the_byte(write, tmp_path, options):
    path = write(**options)
    ftl.export(path, tmp_path / "out.bin")
    assert (tmp_path / "out.bin").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("options", [{"version": 11}, {"magic": None}])
def test_older_files_become_version_12(write, tmp_path, options):
    path = write(**options)
    ftl.export(path, tmp_path / "out.bin")
    assert (tmp_path / "out.bin").read_bytes() == build()


def test_a_supervised_file_of_version_11_loses_the_ngrams_that_it_never_had(write, tmp_path):
    path = write(version=11, model=SUPERVISED, labels=LABELS)
    ftl.export(path, tmp_path / "out.bin")
    assert (tmp_path / "out.bin").read_bytes() == build(model=SUPERVISED, labels=LABELS, maxn=0)


def test_an_ngram_range_without_buckets_is_left_out(write, tmp_path):
    # The official program would divide by zero.
    path = write(bucket=0)
    ftl.export(path, tmp_path / "out.bin")
    assert (tmp_path / "out.bin").read_bytes() == build(bucket=0, minn=0, maxn=0)


def test_the_reference_reads_a_dense_file_from_a_compact_one(write, tmp_path):
    path = write(words=[b"</s>", b"one", b"two", "drei größer".encode()], minn=1, bucket=50)
    ftl.convert(path, tmp_path / "compact.safetensors")
    compact = ftl.load(tmp_path / "compact.safetensors")
    ftl.export(compact, tmp_path / "out.bin")
    back = reference.parse(tmp_path / "out.bin")
    assert not back.output_matrix.any()
    assert back.output_matrix.shape == (4, compact.dim)
    for word in (*back.words, b"unknown"):
        assert_allclose(back.vector(word), compact[word], rtol=1e-6, atol=1e-7)


def test_dropped_buckets_are_rows_of_zeros(write, tmp_path):
    path = write(bucket=1000)
    ftl.convert(path, tmp_path / "compact.safetensors", subwords="used")
    compact = ftl.load(tmp_path / "compact.safetensors")
    ftl.export(compact, tmp_path / "out.bin")
    back = reference.parse(tmp_path / "out.bin")
    source = reference.parse(path)
    kept = {row - 4 for word in source.words for _, row in source.ngram_rows(word)}
    assert set(np.flatnonzero(back.input_matrix[4:].any(axis=1))) == kept
    for word in back.words:
        assert_allclose(back.vector(word), compact[word], rtol=1e-6, atol=1e-7)


def test_word_vectors_without_a_model_are_told_as_skip_gram(tmp_path):
    (tmp_path / "vectors.vec").write_text("2 2\na 1 2\nb 3 4\n")
    ftl.export(tmp_path / "vectors.vec", tmp_path / "out.bin")
    back = reference.parse(tmp_path / "out.bin")
    assert (back.args["model"], back.args["loss"], back.args["bucket"]) == (2, 2, 0)
    assert back.counts == [1, 1]
    assert_array_equal(back.input_matrix, [[1, 2], [3, 4]])


def test_a_quantised_file_is_copied_unless_an_option_is_given(write, tmp_path):
    path = write(**PRUNED)
    ftl.export(path, tmp_path / "out.ftz")
    assert (tmp_path / "out.ftz").read_bytes() == path.read_bytes()


@quantizing
def test_few_rows_lose_nothing(write, tmp_path):
    pytest.importorskip("faiss")
    path = write(model=SUPERVISED, labels=LABELS, bucket=200, dim=5)
    source = reference.parse(path)
    for options in ({"qnorm": False}, {"qnorm": False, "dsub": 5, "qout": True}, {"dsub": 3}):
        ftl.export(path, tmp_path / "out.ftz", **options)
        back = reference.parse(tmp_path / "out.ftz")
        assert_allclose(back.input_matrix, source.input_matrix, rtol=1e-6, atol=1e-7)
        assert_allclose(back.output_matrix, source.output_matrix, rtol=1e-6, atol=1e-7)
        assert back.output_quantized == options.get("qout", False)
        assert (back.words, back.labels, back.prune) == (source.words, source.labels, None)


@quantizing
def test_quantised_anew_a_pruned_file_keeps_its_prune_index(write, tmp_path):
    pytest.importorskip("faiss")
    path = write(**PRUNED)
    ftl.export(path, tmp_path / "out.ftz", qnorm=False)
    source, back = reference.parse(path), reference.parse(tmp_path / "out.ftz")
    assert back.prune == {1: 0, 3: 1, 7: 2}
    for word in (*source.words, b"unknown", b"other"):
        assert_allclose(back.vector(word), source.vector(word), rtol=1e-5, atol=1e-6)


@quantizing
def test_cutoff_keeps_the_longest_rows_and_the_end_of_the_line(write, tmp_path):
    pytest.importorskip("faiss")
    lengths = np.array([0.1, 5, 1, 7, 2, 0, 9, 0, 8, 0], np.float32)
    rows = np.outer(lengths, [1, 0, 0, 0]).astype(np.float32)
    path = write(model=SUPERVISED, labels=LABELS, bucket=6, input_matrix=rows)
    ftl.export(path, tmp_path / "out.ftz", cutoff=5)
    back = reference.parse(tmp_path / "out.ftz")
    assert back.words == [b"</s>", b"one", b"three"]
    assert back.labels == LABELS
    assert back.prune == {2: 0, 4: 1}
    assert_allclose(back.input_matrix[:, 0], [0.1, 5, 7, 9, 8], rtol=1e-6)
    assert_array_equal(back.output_matrix, reference.parse(path).output_matrix)


@quantizing
def test_numbers_that_are_not_finite_have_no_codes(write, tmp_path):
    pytest.importorskip("faiss")
    rows = np.ones((14, 4), np.float32)
    rows[3, 2] = np.nan
    with pytest.raises(ftl.InputValueError, match="infinite numbers or NaN"):
        ftl.export(write(input_matrix=rows), tmp_path / "out.ftz")
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin"]


def test_quantising_without_faiss_names_the_extra(write, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ImportError, match=r"pip install 'fasttext-lite\[quantize\]'") as caught:
        ftl.export(write(), tmp_path / "out.ftz")
    assert isinstance(caught.value, ftl.MissingExtraError)
    assert caught.value.name == "faiss-cpu"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_pruned_classifier_is_refused_as_a_dense_file(write, tmp_path):
    with pytest.raises(ftl.InputValueError, match=r"change its predictions; export it as \.ftz"):
        ftl.export(write(**PRUNED), tmp_path / "out.bin")


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("out", {}, "the suffix does not name a format"),
        ("out.gz", {}, "the suffix does not name a format"),
        ("out.safetensors", {}, "convert"),
        ("out.w2v.bin", {}, 'set format="word2vec" or format="bin"'),
        ("out.bin", {"format": "text"}, "format must be one of bin, ftz, vec, word2vec, npy"),
        ("out.vec", {"precision": 0}, "at least 1"),
        ("out.vec", {"precision": 10}, "at most 9"),
        ("out.vec", {"precision": "much"}, "'much'"),
        ("out.bin", {"precision": 5}, "precision is an option of the format vec, not of bin"),
        ("out.vec", {"dsub": 2}, "dsub is an option of the format ftz, not of vec"),
        ("out.npy", {"qnorm": False}, "qnorm is an option of the format ftz, not of npy"),
        ("out.ftz", {"dsub": 0}, "dsub must be between 1 and 4"),
        ("out.ftz", {"dsub": 5}, "dsub must be between 1 and 4"),
        ("out.ftz", {"cutoff": 3}, "cutoff is for supervised models"),
        ("out.ftz", {"cutoff": 0}, "cutoff must be at least 1"),
        ("out.vec", {"threads": 0}, "threads must be at least 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(write, tmp_path, name, options, match):
    with pytest.raises(ftl.InputValueError, match=match):
        ftl.export(write(), tmp_path / name, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin"]


@pytest.mark.parametrize(
    "options", [{"precision": 2.5}, {"precision": True}, {"dsub": "2"}, {"cutoff": 1.5}]
)
def test_options_of_another_type_are_refused(write, tmp_path, options):
    suffix = "vec" if "precision" in options else "ftz"
    with pytest.raises(ftl.InputTypeError, match=next(iter(options))):
        ftl.export(write(), tmp_path / f"out.{suffix}", **options)


@pytest.mark.parametrize("kind", ["vec", "word2vec"])
@pytest.mark.parametrize("word", [b"two words", b"line\n", b"tab\t", b""])
def test_a_word_that_would_break_the_format_is_named(write, tmp_path, kind, word):
    path = write(words=[b"</s>", b"one", word, b"x y"])
    with pytest.raises(ftl.InputValueError, match="cannot be stored in the format") as caught:
        ftl.export(path, tmp_path / "out", kind)
    assert repr(word.decode()) in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_line_break_would_break_the_list_of_words(write, tmp_path):
    path = write(words=[b"one", b"x y", b"a\rb"])
    with pytest.raises(ftl.InputValueError, match=r"'a\\rb' cannot be stored"):
        ftl.export(path, tmp_path / "out.npy")


def test_more_codes_than_the_format_counts_are_refused(write, tmp_path, monkeypatch):
    monkeypatch.setattr("fasttext_lite.formats.fasttext_writer._MOST_CODES", 14 * 2 - 1)
    with pytest.raises(ftl.InputValueError, match=r"14 rows of 2 codes .* use a larger dsub"):
        ftl.export(write(), tmp_path / "out.ftz")


@pytest.mark.parametrize("kind", ["bin", "ftz", "vec", "word2vec", "npy"])
def test_a_model_without_words_is_refused(write, tmp_path, kind):
    ftl.convert(write(), tmp_path / "only.safetensors", subwords="only")
    with pytest.raises(ftl.InputValueError, match="this model has no words"):
        ftl.export(tmp_path / "only.safetensors", tmp_path / "out", kind)


def test_the_source_is_never_the_target(write, tmp_path):
    path = write()
    before = path.read_bytes()
    link = tmp_path / "link.bin"
    link.hardlink_to(path)
    for target in (path, link):
        with pytest.raises(ftl.FileError, match="the target is the source"):
            ftl.export(path, target)
    assert path.read_bytes() == before


def test_the_list_of_words_is_never_the_source(tmp_path):
    path = tmp_path / "out.vocab.txt"
    path.write_bytes(build())
    with pytest.raises(ftl.FileError, match="the target is the source"):
        ftl.export(path, tmp_path / "out.npy")


def test_a_folder_that_is_missing_or_a_target_that_is_one_is_told(write, tmp_path):
    with pytest.raises(ftl.FileError, match="the folder of this file does not exist"):
        ftl.export(write(), tmp_path / "none" / "out.bin")
    with pytest.raises(ftl.FileError, match="this is a folder"):
        ftl.export(write(), tmp_path, "bin")


def test_a_missing_source_is_told(tmp_path):
    with pytest.raises(ftl.MissingFileError):
        ftl.export(tmp_path / "none.bin", tmp_path / "out.vec")


def test_too_little_space_is_told_before_anything_is_written(write, tmp_path, monkeypatch):
    usage = __import__("shutil").disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=100))
    old = tmp_path / "out.bin"
    old.write_bytes(b"old")
    with pytest.raises(ftl.FileError, match="only 100 are free"):
        ftl.export(write(), old)
    assert old.read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on files")
@pytest.mark.parametrize("name", ["out.bin", "out.vec", "out.npy"])
def test_a_disk_that_fills_leaves_the_old_file(write, tmp_path, name):
    source, old = write(words=[b"w%d" % i for i in range(3000)]), tmp_path / name
    old.write_bytes(b"old")
    code = (
        "import resource, sys\n"
        "import fasttext_lite as ftl\n"
        "limits = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, limits[1]))\n"
        "try:\n"
        "    ftl.export(*sys.argv[1:])\n"
        "except ftl.FileError as error:\n"
        "    print(error)\n"
        # Coverage tools write files when the process ends.
        "resource.setrlimit(resource.RLIMIT_FSIZE, limits)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", code, source, old], capture_output=True, check=True
    )
    assert b"cannot be written" in done.stdout
    assert old.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.bin", name]


def test_a_source_that_shrinks_meanwhile_is_told(write, tmp_path):
    if sys.platform == "win32":
        pytest.skip("a mapped file cannot shrink there")
    path = write(words=[b"w%d" % i for i in range(3000)])
    model = ftl.load(path)
    assert model["w1"].any()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    for name in ("out.vec", "out.bin"):
        with pytest.raises(ftl.FileError, match="another program is writing to it"):
            ftl.export(model, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin"]


def test_numbers_beyond_a_field_are_refused(write, tmp_path):
    model = ftl.load(write())
    parameters = model.info.parameters._replace(ws=2**31)
    info = model.info._replace(parameters=parameters)
    broken = ftl.Model(model._parts.replace(info=info))
    with pytest.raises(ftl.InputValueError, match="too large for a fastText file"):
        ftl.export(broken, tmp_path / "out.bin")


def test_the_command_exports(write, tmp_path, capsys):
    path, target = str(write()), str(tmp_path / "out.vec")
    assert main(["export", path, target, "--precision", "exact"]) == 0
    assert f"{target}: 4 words, dim 4, format vec" in capsys.readouterr().out
    first = Path(target).read_bytes()
    assert main(["export", path, target, "--precision", "3", "--json"]) == 0
    assert '"format": "vec"' in capsys.readouterr().out
    assert len(Path(target).read_bytes()) < len(first)
    assert main(["export", "-m", path, str(tmp_path / "out"), "--format", "word2vec"]) == 0
    assert (tmp_path / "out").stat().st_size > 64


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ([], "needs a model and a file to write"),
        (["a.vec", "b.vec"], "needs a model and a file to write"),
        (["out.xyz"], "suffix"),
        (["out.vec", "--precision", "high"], "precision"),
        (["out.bin", "--dsub", "2"], "dsub is an option of"),
    ],
)
def test_the_command_tells_errors_in_one_line(
    write, capsys, monkeypatch, tmp_path, arguments, match
):
    path = str(write())
    monkeypatch.chdir(tmp_path)
    assert main(["export", path, *arguments]) == 2
    error = capsys.readouterr().err
    assert match in error
    assert error.count("\n") == 1
