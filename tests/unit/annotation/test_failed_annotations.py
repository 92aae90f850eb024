"""What cannot be annotated is told in one error; complete files stay, and no others."""

from __future__ import annotations

import errno
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import GOLDEN

import fasttext_lite as ftl
from fasttext_lite.cli import main

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

MODEL = GOLDEN / "softmax.bin"
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def out(tmp_path):
    """Yield the path of an output folder, in which at the end is nothing unfinished."""
    yield tmp_path / "out"
    left = {path.suffix for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert ".part" not in left


def annotate(inputs, out, **more):
    return ftl.annotate(ftl.Annotator(MODEL), inputs, out, **more)


def outputs(folder):
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if path.parts[0] != ".fasttext-lite")


# Columns


def test_a_column_that_does_not_exist_is_told_with_near_ones(tmp_path, out):
    pq.write_table(pa.table({"Text": ["a"], "id": [1]}), tmp_path / "a.parquet")
    (tmp_path / "b.jsonl").write_text('{"txt": "a", "id": 1}\n{"id": 2}\n')
    with pytest.raises(ftl.InputValueError, match=r"a.parquet: .*no column 'text'.*'Text'"):
        annotate(tmp_path / "a.parquet", out)
    assert not out.exists()
    with pytest.raises(ftl.InputValueError, match=r"b.jsonl: no line .*field 'text'.*'txt'"):
        annotate(tmp_path / "b.jsonl", out)
    assert outputs(out) == []


def test_a_column_of_numbers_is_told_with_its_type(tmp_path, out):
    for name, column in (("a", ["a"]), ("b", pa.nulls(2, pa.int64()))):
        pq.write_table(pa.table({"text": column}), tmp_path / f"{name}.parquet")
    with pytest.raises(ftl.InputTypeError, match=r"b.parquet: column 'text' of type int64 holds"):
        annotate([tmp_path / "a.parquet", tmp_path / "b.parquet"], out)
    assert not out.exists()
    (tmp_path / "b.txt").write_text("a\n")
    # Settings count once a file is complete.
    assert ftl.annotate(ftl.Annotator(MODEL, k=2), tmp_path / "b.txt", out).rows == 1


@pytest.mark.parametrize("text", [b"1", b"1.5", b"true", b'["a"]', b'{"a": "b"}'])
def test_a_field_that_is_no_text_is_told_with_its_line(tmp_path, out, text):
    line = b'{"text": "before"}\n\n'
    (tmp_path / "a.jsonl").write_bytes(line * 100 + b'{"text": %b}\n' % text + line)
    with pytest.raises(ftl.FormatError, match="'text' must hold a text, not") as caught:
        annotate(tmp_path / "a.jsonl", out)
    assert (caught.value.field, caught.value.offset) == ("line 201", 100 * len(line))


def test_a_column_of_the_name_of_an_added_one_is_told(tmp_path, out):
    pq.write_table(pa.table({"text": ["a"], "label": ["b"]}), tmp_path / "a.parquet")
    (tmp_path / "b.jsonl").write_text(
        '{"text": "say \\"label\\""}\n{"x": {"label": 1}}\n{"label": 1}\n'
    )
    with pytest.raises(ftl.InputValueError, match=r"a.parquet: there is a column 'label'"):
        annotate(tmp_path / "a.parquet", out)
    with pytest.raises(ftl.InputValueError, match=r"b.jsonl: there is a field 'label'"):
        annotate(tmp_path / "b.jsonl", out)
    annotator = ftl.Annotator(MODEL, label="language")
    assert ftl.annotate(annotator, tmp_path, out).rows == 4


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl"])
def test_a_newline_in_a_text_is_told_with_its_place_and_the_option(tmp_path, out, name):
    texts = ["a"] * 20_000 + ["b\nc"]
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": x}) + "\n" for x in texts))
    told = rf"{name}, (rows|lines) from 1\d,\d\d\d on: .*newlines="
    with pytest.raises(ftl.InputValueError, match=told):
        annotate(tmp_path / name, out)
    assert outputs(out) == []


# Files


@pytest.mark.parametrize(
    "data", [b"", b"no Parquet", b"PAR1" + bytes(100) + b"PAR1", b'{"text": "a"}\n' * 100]
)
def test_a_file_that_is_no_parquet_is_told_before_the_work_begins(tmp_path, out, data):
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(data)
    with pytest.raises(ftl.FileError, match=r"b.parquet: cannot be read as Parquet: "):
        annotate(tmp_path, out)
    assert not out.exists()


def test_damage_within_a_parquet_file_is_told(tmp_path, out):
    pq.write_table(pa.table({"text": ["one"] * 5}), tmp_path / "a.parquet")
    texts = [f"text {i * 7919}" for i in range(20_000)]
    path = tmp_path / "b.parquet"
    pq.write_table(pa.table({"text": texts}), path, row_group_size=5000, use_dictionary=False)
    data = bytearray(path.read_bytes())
    place = pq.ParquetFile(path).metadata.row_group(2).column(0).data_page_offset
    data[place : place + 200] = b"\xff" * 200
    path.write_bytes(data)
    with pytest.raises(ftl.FileError, match=r"b.parquet: cannot be read as Parquet"):
        annotate(tmp_path, out)
    # The other one is complete.
    assert outputs(out) == ["a.parquet"]
    assert annotate(tmp_path / "a.parquet", out).finished_before == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"text": "a"', "this is not JSON: Expecting ',' delimiter"),
        (b'{"text": "a"}}', "this is not JSON: Extra data"),
        (b'{"text": "a"} {"text": "b"}', "this is not JSON: Extra data"),
        (b'{"text": "a" "b": 1}', "this is not JSON: Expecting ',' delimiter"),
        (b"text", "this is not JSON: Expecting value"),
        (b'["text"]', "this is an array; each line must be a JSON object"),
        (b'"text"', "this is 'text'; each line must be a JSON object"),
        (b'{"text":\n"a"}', "this is not JSON"),
        (b'{"text": "a\x01"}', "this is not JSON: Invalid control character"),
        (b"[" * 100_000, "this is not JSON"),
    ],
)
@pytest.mark.parametrize("codec", [None, "gzip"])
def test_a_broken_line_of_json_is_told(tmp_path, out, line, told, codec):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    before = b'{"text": "before"}\n'
    data = before * 30_000 + line + b"\n" + before
    name = "b.jsonl" if codec is None else "b.jsonl.gz"
    (tmp_path / name).write_bytes(data if codec is None else gzip.compress(data))
    with pytest.raises(ftl.FormatError, match=told) as caught:
        annotate(tmp_path, out)
    assert str(tmp_path / name) in str(caught.value)
    assert (caught.value.field, caught.value.offset) == ("line 30,001", len(before) * 30_000)
    assert outputs(out) == ["a.jsonl"]


@pytest.mark.parametrize("name", ["a.txt.gz", "a.jsonl.gz", "a.txt.zst", "a.txt.bz2"])
@pytest.mark.parametrize("damage", ["truncated", "other"])
def test_damaged_compression_is_told(tmp_path, out, name, damage):
    codec = {"gz": "gzip", "zst": "zstd", "bz2": "bz2"}[name.rpartition(".")[2]]
    with pa.output_stream(str(tmp_path / name), compression=codec) as file:
        file.write(b"".join(b'{"text": "%d"}\n' % (i * 7919) for i in range(100_000)))
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[:-1000] if damage == "truncated" else b"text\n" * 10)
    with pytest.raises(ftl.FileError, match=rf"{name}: .*cannot be read: "):
        annotate(tmp_path / name, out)
    assert outputs(out) == []


def test_a_packed_parquet_file_is_refused(tmp_path, out):
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(ftl.FileError, match="compresses its own columns: unpack this one"):
        annotate(tmp_path / "a.parquet.gz", out)


# Models and options


def test_a_model_without_labels_is_told(tmp_path, out):
    (tmp_path / "a.txt").write_text("a\n")
    with pytest.raises(ftl.ModelKindError, match="pass label=None and probability=None"):
        ftl.annotate(ftl.Annotator("sample"), tmp_path / "a.txt", out)
    assert not out.exists()
    annotator = ftl.Annotator("sample", label=None, probability=None, vector="v")
    assert ftl.annotate(annotator, tmp_path / "a.txt", out).rows == 1


def test_a_model_that_is_missing_is_told(tmp_path, out):
    (tmp_path / "a.txt").write_text("a\n")
    with pytest.raises(ftl.MissingFileError, match=r"none.bin: there is no such file"):
        ftl.annotate(ftl.Annotator(tmp_path / "none.bin"), tmp_path / "a.txt", out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("error", "more"),
    [
        (ftl.InputValueError, {"format": "csv"}),
        (ftl.InputValueError, {"threads": 0}),
        (ftl.InputTypeError, {"threads": 1.5}),
        (ftl.InputTypeError, {"overwrite": "yes"}),
        (ftl.InputTypeError, {"progress": None}),
        (ftl.InputTypeError, {"filter": 1}),
    ],
)
def test_wrong_options_are_refused(tmp_path, out, error, more):
    (tmp_path / "a.txt").write_text("a\n")
    with pytest.raises(error, match=next(iter(more))):
        annotate(tmp_path / "a.txt", out, **more)
    assert not out.exists()
    with pytest.raises(ftl.InputTypeError, match="annotator must be Annotator"):
        ftl.annotate(MODEL, tmp_path / "a.txt", out)


@pytest.mark.parametrize("extra", ["pyarrow", "duckdb", "fsspec"])
def test_a_missing_extra_is_named(tmp_path, out, monkeypatch, extra):
    (tmp_path / "a.txt").write_text("a\n")
    for name in (extra, f"{extra}.core"):
        monkeypatch.setitem(sys.modules, name, None)
    inputs = tmp_path / "a.txt" if extra != "fsspec" else "s3://bucket/a.txt"
    with pytest.raises(ftl.MissingExtraError, match=rf"needs {extra}.*fasttext-lite\[annotate\]"):
        annotate(inputs, out, filter="true" if extra == "duckdb" else None)


# Outputs


def test_the_output_folder_is_no_file(tmp_path, out):
    (tmp_path / "a.txt").write_text("a\n")
    with pytest.raises(ftl.FileError, match="this is a file; name a folder"):
        annotate(tmp_path / "a.txt", tmp_path / "a.txt")
    with pytest.raises(ftl.FileError, match=r"cannot be written|Not a directory"):
        annotate(tmp_path / "a.txt", tmp_path / "a.txt" / "out")
    assert (tmp_path / "a.txt").read_text() == "a\n"


@pytest.mark.skipif(IS_ROOT or os.name != "posix", reason="root can write everywhere")
def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "a.txt").write_text("a\n")
    (tmp_path / "shut").mkdir(mode=0o500)
    with pytest.raises(ftl.FileError, match="cannot be written: Permission denied"):
        annotate(tmp_path / "a.txt", tmp_path / "shut" / "out")


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on files")
@pytest.mark.parametrize("name", ["b.parquet", "b.jsonl", "b.txt", "b.txt.gz", "b.txt.zst"])
def test_a_full_disk_is_told_and_loses_nothing(tmp_path, out, name):
    texts = [f"text {i * 7919}" for i in range(60_000)]
    (tmp_path / "a.txt").write_text("small\n")
    if name == "b.parquet":
        pq.write_table(pa.table({"text": texts}), tmp_path / name, row_group_size=9000)
    else:
        lines = texts if "txt" in name else [json.dumps({"text": text}) for text in texts]
        with pa.output_stream(str(tmp_path / name), compression="detect") as file:
            file.write("".join(f"{line}\n" for line in lines).encode())
    code = (
        "import resource, sys\n"
        "from fasttext_lite.cli import main\n"
        "limits = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, limits[1]))\n"
        "status = main(sys.argv[1:])\n"
        # Coverage tools write files when the process ends.
        "resource.setrlimit(resource.RLIMIT_FSIZE, limits)\n"
        "sys.exit(status)\n"
    )
    inputs = [str(tmp_path / "a.txt"), str(tmp_path / name)]
    arguments = ["annotate", "-m", str(MODEL), *inputs, "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", code, *arguments], capture_output=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert f"{out / name}: cannot be written: File too large".encode() in done.stderr
    assert outputs(out) == ["a.txt"]
    assert annotate(inputs, out).finished_before == 1
    assert outputs(out) == ["a.txt", name]


@pytest.mark.skipif(not (IS_ROOT and sys.platform == "linux"), reason="mounting needs root")
def test_a_small_disk_fills(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    tools = [shutil.which(name) for name in ("mount", "umount")]
    mount = [tools[0], "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if not all(tools) or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no right to mount")
    try:
        (tmp_path / "a.txt").write_text("small\n")
        (tmp_path / "b.txt").write_text("".join(f"text {i}\n" for i in range(50_000)))
        with pytest.raises(ftl.FileError, match=r"b.txt: cannot be written: No space") as caught:
            annotate([tmp_path / "a.txt", tmp_path / "b.txt"], disk / "out")
        assert caught.value.errno == errno.ENOSPC
        assert outputs(disk / "out") == ["a.txt"]
        assert not list(disk.rglob("*.part"))
    finally:
        subprocess.run([tools[1], str(disk)], check=True)


# The command


def run(capsys, *arguments):
    status = main(["annotate", *map(str, arguments)])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def test_the_command_annotates(tmp_path, out, capsys):
    pytest.importorskip("duckdb")
    texts = ["the king", "der Hund", None]
    pq.write_table(pa.table({"words": texts}), tmp_path / "a.parquet")
    options = ("--column", "words", "--label", "l", "--evidence", "e", "--keep-prefix")
    command = (tmp_path / "*.parquet", "--out", out, "-m", MODEL, *options)
    status, told, errors = run(capsys, *command, "--filter", "probability >= 0")
    assert (status, errors) == (0, "")
    assert told.startswith(f"{out}: 1 file, 3 rows, 2 kept (66.7%), in ")
    expected = ftl.Annotator(MODEL, "words", label="l", evidence="e", strip_prefix=False)
    assert pq.read_table(out / "a.parquet").to_pydict() == expected({"words": texts[:2]})
    status, told, _ = run(capsys, *command, "--filter", "probability >= 0", "--json")
    assert json.loads(told)["finished_before"] == 1
    status, _, errors = run(capsys, *command, "--filter", "probability >= 0", "-k", 2)
    assert (status, "k is 2 and was 1" in errors, errors.count("\n")) == (2, True, 1)


def test_the_command_passes_its_options_on(tmp_path, out, capsys):
    (tmp_path / "a.jsonl").write_text('{"text": "a\\nb \\ud83d"}\n{"text": null}\n')
    labels = sorted(ftl.load(MODEL).labels)[:2]
    options = {"k": 2, "threshold": 0.001, "newlines": "space", "errors": "replace"}
    names = {"vector": "v", "sentence_vector": "s", "known_words": "n", "probability": "p"}
    command = [MODEL, tmp_path / "a.jsonl", "--out", out, "--labels", ",".join(labels)]
    command += ["--renormalize", "-k", 2]
    for name, value in {**options, **names}.items():
        if name != "k":
            command += [f"--{name.replace('_', '-')}", value]
    assert run(capsys, *command)[0] == 0
    expected = tmp_path / "expected"
    annotator = ftl.Annotator(MODEL, labels=labels, renormalize=True, **options, **names)
    ftl.annotate(annotator, tmp_path / "a.jsonl", expected)
    assert (out / "a.jsonl").read_bytes() == (expected / "a.jsonl").read_bytes()
    status, _, errors = run(capsys, *command, "--missing", "raise", "--overwrite")
    assert (status, "a missing text" in errors or "missing" in errors) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-m", "sample", "--out", "out"], "name files, folders or patterns"),
        (["-m", str(MODEL), "none.parquet", "--out", "out"], "none.parquet: there is no such"),
        (["none.bin", "a.txt", "--out", "out"], "none.bin: there is no such file"),
        (["-m", "sample", "a.txt", "--out", "out"], "no labels to predict.*--no-labels"),
        (["-m", "sample", "a.txt", "--out", "out", "-k", "0"], "k must be at least 1"),
    ],
)
def test_an_error_of_the_command_is_one_line(tmp_path, capsys, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("a\n")
    status, shown, errors = run(capsys, *arguments)
    assert (status, shown, errors.count("\n")) == (2, "", 1)
    assert pytest.raises(Exception, match=told).matches(ValueError(errors))
