"""Which files are annotated, where the outputs go, and when they are made again."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest
from support import GOLDEN

import fasttext_lite as ftl

pytest.importorskip("pyarrow.parquet")

MODEL = GOLDEN / "softmax.bin"


@pytest.fixture
def corpus(tmp_path):
    """Write files of one line each, whose text is their name."""
    names = ["a.txt", "b.jsonl", "de/a.txt", "de/x/c.txt", "en/a.txt", "[1].txt"]
    names += ["README", ".hidden.txt", "_log.txt", ".git/d.txt", "_temporary/e.txt"]
    for name in names:
        path = tmp_path / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n" if name[-1] != "l" else json.dumps({"text": name}) + "\n")
    return tmp_path / "corpus"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def annotate(inputs, out, *, options=None, **more):
    return ftl.annotate(ftl.Annotator(MODEL, **options or {}), inputs, out, **more)


def outputs(folder):
    found = (path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if path.parts[0] != ".fasttext-lite")


def state(folder):
    """Return the content and time of all files of a folder."""
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


# Inputs


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ([""], ["[1].txt", "a.txt", "b.jsonl", "de/a.txt", "de/x/c.txt", "en/a.txt"]),
        (["*.txt"], ["[1].txt", "_log.txt", "a.txt"]),
        (["*/a.txt"], ["de/a.txt", "en/a.txt"]),
        (["d*/**/*.txt"], ["de/a.txt", "de/x/c.txt"]),
        (["de"], ["a.txt", "x/c.txt"]),
        (["de/x", "b.jsonl"], ["b.jsonl", "c.txt"]),
        (["[1].txt"], ["[1].txt"]),
        (["_log.txt", "_log.txt"], ["_log.txt"]),
        (["[ab].*"], ["a.txt", "b.jsonl"]),
        # A pattern may match folders, such as those of Spark.
        (["d*"], ["de/a.txt", "de/x/c.txt"]),
        (["de/**"], ["a.txt", "x/c.txt"]),
    ],
)
def test_outputs_keep_the_folders_below_a_folder_or_pattern(corpus, out, inputs, expected):
    done = annotate([f"{corpus}/{one}" for one in inputs], out)
    assert outputs(out) == expected
    assert done.files == len(expected)
    for name in expected:
        assert name.rpartition("/")[2] in (out / name).read_text()


def test_a_format_is_that_of_all_inputs(corpus, out):
    annotate(corpus, out, format="text")
    assert "README" in outputs(out)
    assert (out / "b.jsonl").read_text().endswith('\t{"text": "b.jsonl"}\n')


def test_paths_are_relative_to_the_working_directory(corpus, out, monkeypatch):
    monkeypatch.chdir(corpus)
    annotate("de", Path("..") / "out")
    assert outputs(out) == ["a.txt", "x/c.txt"]
    monkeypatch.chdir(corpus.parent)
    assert annotate("corpus/de", "out").finished_before == 2


def test_two_inputs_with_the_same_output_are_refused(corpus, out):
    with pytest.raises(ftl.InputValueError, match=r"both be written to a.txt: pass their common"):
        annotate([corpus / "de" / "a.txt", corpus / "en" / "a.txt"], out)
    assert not out.exists()


def test_an_input_is_not_replaced(corpus):
    before = state(corpus)
    for name in (corpus, corpus / "." / "x" / ".."):
        with pytest.raises(ftl.FileError, match="would replace this input"):
            annotate(corpus / "a.txt", name)
    if os.name == "posix":
        (corpus.parent / "link").symlink_to(corpus)
        with pytest.raises(ftl.FileError, match="would replace this input"):
            annotate(corpus / "a.txt", corpus.parent / "link")
    assert state(corpus) == before


def test_outputs_within_an_input_folder_are_no_inputs(corpus):
    annotate(corpus / "de", corpus / "de" / "out")
    done = annotate(corpus / "de", corpus / "de" / "out")
    assert (done.files, done.finished_before) == (2, 2)
    annotate(f"{corpus}/de/**/*.txt", corpus / "de" / "other")
    assert outputs(corpus / "de" / "other") == ["a.txt", "out/a.txt", "out/x/c.txt", "x/c.txt"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("none.txt", "there is no such file"),
        ("*.parquet", "no file matches this pattern"),
        ("none", "there is no such file"),
    ],
)
def test_inputs_that_are_not_there_are_told(corpus, out, name, told):
    with pytest.raises(ftl.MissingFileError, match=told):
        annotate([corpus / "a.txt", corpus / name], out)
    assert not out.exists()


def test_a_folder_without_files_of_a_known_suffix_is_told(corpus, out, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ftl.MissingFileError, match="no file of a known suffix"):
        annotate(tmp_path / "empty", out)
    with pytest.raises(ftl.InputValueError, match="name files, folders or patterns"):
        annotate([], out)


def test_an_unknown_suffix_needs_a_format(corpus, out):
    with pytest.raises(ftl.FileError, match=r"names no format: .*parquet, jsonl, text"):
        annotate(corpus / "README", out)
    annotate(corpus / "README", out, format="text")
    assert outputs(out) == ["README"]


def test_addresses_of_fsspec_are_read_and_written(corpus):
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    files.put(str(corpus), "/annotate-corpus", recursive=True)
    try:
        expected = ["a.txt", "b.jsonl", "de/a.txt", "de/x/c.txt", "en/a.txt"]
        sources = ["memory://annotate-corpus/[ab].*", "memory://annotate-corpus/*/**/*.txt"]
        for inputs in (sources[0], "memory://annotate-corpus"):
            annotate(inputs, "memory://annotate-out/x", overwrite=True)
        found = [one.removeprefix("/annotate-out/x/") for one in files.find("/annotate-out")]
        seen = [one for one in found if not one.startswith(".fasttext-lite")]
        assert sorted(seen) == sorted([*expected, "[1].txt"])
        assert not [one for one in found if one.endswith(".part")]
        assert annotate("memory://annotate-corpus", "memory://annotate-out/x").finished_before == 6
        files.pipe("/annotate-corpus/a.txt", b"new\n")
        done = annotate("memory://annotate-corpus", "memory://annotate-out/x")
        assert done.finished_before == 5
        assert files.cat("/annotate-out/x/a.txt").endswith(b"\tnew\n")
        with pytest.raises(ftl.FileError, match="would replace this input"):
            annotate("memory://annotate-corpus", "memory://annotate-corpus")
        with pytest.raises(ftl.MissingFileError, match="there is no such file"):
            annotate("memory://annotate-corpus/none.txt", "memory://annotate-out/x")
        with pytest.raises(ftl.InputValueError, match="none://x"):
            annotate("none://x/a.txt", "memory://annotate-out/x")
    finally:
        files.rm("/annotate-corpus", recursive=True)
        files.rm("/annotate-out", recursive=True)


def test_an_address_of_this_machine_is_its_path(corpus, out):
    annotate((corpus / "de").as_uri(), out.as_uri())
    assert outputs(out) == ["a.txt", "x/c.txt"]


# Finished files


def test_finished_files_are_left_as_they_are(corpus, out):
    annotate(corpus / "de", out)
    before = state(out)
    done = annotate(corpus / "de", out, threads=1)
    assert (done.files, done.finished_before, done.rows, done.kept, done.new_rows) == (
        2,
        2,
        2,
        2,
        0,
    )
    assert state(out) == before
    done = annotate([corpus / "de", corpus / "en" / ".." / "b.jsonl"], out)
    assert (done.files, done.finished_before, done.new_rows) == (3, 2, 1)


def test_what_a_killed_run_of_another_file_writes_is_left(corpus, out):
    unfinished = out / ".fasttext-lite" / "unfinished"
    unfinished.mkdir(parents=True)
    names = ["a.txt.0123abcd.part", "a.txt.gz.0123abcd.part", "b.txt.0123abcd.part"]
    for name in names:
        (unfinished / name).touch()
    annotate(corpus / "a.txt", out)
    assert sorted(path.name for path in unfinished.iterdir()) == names[1:]


def test_a_file_is_made_again_where_the_input_or_the_output_changed(corpus, out):
    annotate(corpus / "de", out)
    expected = state(out)[out / "a.txt"][0]
    (out / "a.txt").write_bytes(expected[:-1])
    assert annotate(corpus / "de", out).finished_before == 1
    assert (out / "a.txt").read_bytes() == expected
    (out / "a.txt").unlink()
    assert annotate(corpus / "de", out).finished_before == 1
    assert (out / "a.txt").read_bytes() == expected
    (corpus / "de" / "a.txt").write_text("another text\n")
    assert annotate(corpus / "de", out).finished_before == 1
    assert (out / "a.txt").read_text().endswith("\tanother text\n")


@pytest.mark.parametrize(
    ("options", "more", "told"),
    [
        ({"k": 2}, {}, "k is 2 and was 1"),
        ({"threshold": 0.5}, {}, "threshold is 0.5 and was 0.0"),
        ({"label": "l", "vector": "v"}, {}, 'label is "l" and was "label"; vector is "v" and was'),
        ({}, {"filter": "true"}, 'filter is "true" and was null'),
        ({}, {"format": "text"}, 'format is "text" and was null'),
    ],
)
def test_other_options_are_told_and_not_mixed(corpus, out, options, more, told):
    if "filter" in more:
        pytest.importorskip("duckdb")
    annotate(corpus / "de", out)
    before = state(out)
    for inputs in (corpus / "de", corpus / "b.jsonl"):
        with pytest.raises(ftl.InputValueError, match=f"of other settings .{told}"):
            annotate(inputs, out, options=options, **more)
    assert state(out) == before
    done = annotate(corpus / "de", out, options=options, **more, overwrite=True)
    assert (done.finished_before, done.new_rows) == (0, 2)
    assert annotate(corpus / "de", out, options=options, **more).finished_before == 2


def test_another_model_is_told_and_not_mixed(corpus, out, tmp_path):
    annotate(corpus / "de", out)
    copy = tmp_path / "copy.bin"
    copy.write_bytes(MODEL.read_bytes())
    assert ftl.annotate(ftl.Annotator(copy), corpus / "de", out).finished_before == 2
    copy.write_bytes(copy.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(ftl.InputValueError, match=r"other settings .model is"):
        ftl.annotate(ftl.Annotator(copy), corpus / "de", out)


def test_files_of_other_programs_are_not_replaced(corpus, out):
    out.mkdir()
    (out / "a.txt").write_text("precious")
    with pytest.raises(ftl.FileError, match="was not made by annotate"):
        annotate(corpus / "de", out)
    assert outputs(out) == ["a.txt"]
    assert (out / "a.txt").read_text() == "precious"
    annotate(corpus / "de", out, overwrite=True)
    assert (out / "a.txt").read_text().endswith("\tde/a.txt\n")


def test_the_output_of_another_input_is_not_replaced(corpus, out):
    annotate(corpus / "de", out)
    before = state(out)
    with pytest.raises(ftl.FileError, match=r"made from another input, .*de.a.txt: name another"):
        annotate(corpus / "en", out)
    assert state(out) == before
    moved = corpus.parent / "moved"
    corpus.rename(moved)
    assert annotate(moved / "de", out).finished_before == 2


def test_a_damaged_record_is_told(corpus, out):
    annotate(corpus / "a.txt", out)
    record = out / ".fasttext-lite" / "files" / "a.txt.json"
    record.write_bytes(record.read_bytes()[:30])
    with pytest.raises(ftl.FileError, match="record of annotate is damaged: remove it"):
        annotate(corpus / "a.txt", out)


def test_an_input_that_changes_meanwhile_is_told(corpus, out, monkeypatch):
    path = corpus / "a.txt"
    columns = ftl.Annotator.columns

    def changing(self, texts):
        if len(texts):
            path.write_text("a.txt\nmore\n")
        return columns(self, texts)

    with monkeypatch.context() as patch:
        patch.setattr(ftl.Annotator, "columns", changing)
        with pytest.raises(ftl.FileError, match="changed while it was read"):
            annotate(path, out)
    assert annotate(path, out).finished_before == 0
    assert len((out / "a.txt").read_text().splitlines()) == 2


def test_the_bar_counts_the_rows_that_are_left(corpus, out, monkeypatch):
    bars = []

    @contextlib.contextmanager
    def bar(title, total, unit, *, show):
        counted = []
        yield counted.append
        bars.append((total, unit, show, sum(counted)))

    monkeypatch.setattr("fasttext_lite.annotation.progress_bar", bar)
    pa = pytest.importorskip("pyarrow")
    for name, count in (("a", 3000), ("b", 10_000)):
        table = pa.table({"text": ["text"] * count})
        pa.parquet.write_table(table, corpus / f"{name}.parquet", row_group_size=2500)
        annotate(f"{corpus}/*.parquet", out, progress=True)
    annotate(f"{corpus}/*.*", out)
    assert bars == [
        (3000, " rows", True, 3000),
        (10_000, " rows", True, 10_000),
        # Lines are counted as they are read.
        (None, " rows", False, 4),
    ]
