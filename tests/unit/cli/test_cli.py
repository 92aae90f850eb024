"""The command line, run as a user runs it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import build

import fasttext_lite as ftl
from fasttext_lite.cli import main


def run(*arguments, stdin=b""):
    return subprocess.run(
        [sys.executable, "-I", "-m", "fasttext_lite", *arguments],
        input=stdin,
        capture_output=True,
        check=False,
    )


@pytest.fixture
def model_path(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(build())
    return str(path)


def test_info_tells_what_the_head_says(model_path, capsys):
    assert main(["info", model_path]) == 0
    shown = capsys.readouterr().out
    for part in ("skip-gram", "version 12", "3 to 6 characters, 10 buckets", "words:", "mapped:"):
        assert part in shown


def test_info_as_json(capfdbinary):
    assert main(["info", "-m", "sample", "--json"]) == 0
    told = json.loads(capfdbinary.readouterr().out)
    assert told["kind"] == "skip-gram"
    assert told["parameters"]["minn"] == 3
    assert told["memory"]["read_private"] > told["file_size"]


def test_info_of_word_vectors_tells_what_they_are(tmp_path, capsys):
    path = tmp_path / "vectors.vec"
    path.write_text("2 3\none 1 2 3\ntwo 4 5 6\n")
    assert main(["info", str(path)]) == 0
    shown = capsys.readouterr().out
    for part in (
        "word2vec text",
        "kind:         vectors\n",
        "words:        2\n",
        "cannot be mapped",
    ):
        assert part in shown
    for part in ("loss", "training", "sections"):
        assert part not in shown


def test_vectors_are_in_the_official_text_format(model_path, capfdbinary):
    assert main(["vectors", model_path, "one", "unknown"]) == 0
    lines = capfdbinary.readouterr().out.split(b"\n")
    vectors = ftl.load(model_path)[["one", "unknown"]]
    assert lines == [
        b"one " + "".join(f"{number:.5g} " for number in vectors[0]).encode(),
        b"unknown " + "".join(f"{number:.5g} " for number in vectors[1]).encode(),
        b"",
    ]


@pytest.mark.parametrize("dash", [[], ["-"]])
def test_words_come_from_stdin(model_path, dash):
    done = run("vectors", "-m", model_path, *dash, stdin=b"one two\n\n caf\xe9\nthree")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        b"one",
        b"two",
        b"caf\xe9",
        b"three",
    ]


def test_vectors_as_an_array(model_path, tmp_path):
    done = run("vectors", model_path, "--format", "npy", stdin=b"one\ntwo\n")
    expected = ftl.load(model_path)[["one", "two"]]
    assert_array_equal(np.load(io.BytesIO(done.stdout)), expected)
    out = tmp_path / "vectors.npy"
    assert run("vectors", model_path, "one", "two", "--format=npy", "-o", str(out)).returncode == 0
    assert_array_equal(np.load(out), expected)


def test_json_numbers_read_back_exactly(model_path):
    done = run("vectors", model_path, "one", "--json")
    told = json.loads(done.stdout)
    assert told["word"] == "one"
    assert_array_equal(np.array(told["vector"], np.float32), ftl.load(model_path)["one"])


def test_ngrams_are_listed_with_rows_or_vectors(capfdbinary):
    sample = ftl.load("sample")
    assert main(["ngrams", "sample", "war", "wars"]) == 0
    expected = [f"{ngram} {row}".encode() for ngram, row in sample.ngrams(["war", "wars"])]
    assert capfdbinary.readouterr().out.splitlines() == expected
    assert main(["ngrams", "sample", "--vectors", "war"]) == 0
    first = capfdbinary.readouterr().out.splitlines()[0].split()
    ngram, row = sample.ngrams(["war"])[0]
    assert first[0].decode() == ngram
    assert np.array(first[1:], np.float32) == pytest.approx(sample.row(row), rel=1e-4)
    assert main(["ngrams", "sample", "--vectors", "--json", "war"]) == 0
    told = json.loads(capfdbinary.readouterr().out.splitlines()[0])
    assert_array_equal(np.array(told["vector"], np.float32), sample.row(row))
    assert main(["ngrams", "sample", "--json", "war"]) == 0
    assert json.loads(capfdbinary.readouterr().out.splitlines()[0]) == {"ngram": ngram, "row": row}


def test_neighbours_say_whether_the_word_is_known(capfdbinary):
    assert main(["neighbors", "-m", "sample", "king", "musicianship", "-k", "3"]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines[0] == "king (known)"
    assert lines[1].split()[0] == "queen"
    assert lines[4] == "musicianship (unknown)"
    assert main(["neighbors", "-m", "sample", "king", "-k", "1", "--json"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["neighbors"][0]["word"] == "queen"


def test_analogies_are_read_from_the_command_line_or_line_by_line(capfdbinary):
    model = ftl.load("sample")
    best = model.analogies("paris", "berlin", "germany", k=2)
    assert main(["analogies", "-m", "sample", "paris", "berlin", "germany", "-k", "2"]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines == [
        "paris - berlin + germany",
        *(f"  {near.word} {near.score:.6g}" for near in best),
    ]
    done = run("analogies", "sample", "--json", "-k", "1", stdin=b"paris berlin germany\n" * 2)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    near = {"word": best[0].word, "score": best[0].score}
    assert found == [{"a": "paris", "b": "berlin", "c": "germany", "neighbors": [near]}] * 2
    (near,) = model.neighbors("king", k=1, max_words=300)
    assert main(["neighbors", "sample", "king", "-k1", "--max-words", "300"]) == 0
    assert capfdbinary.readouterr().out.decode().split()[2] == near.word


def test_convert_stores_an_index_of_neighbours_where_asked(tmp_path):
    for options in ([], ["--neighbors-index"]):
        assert main(["convert", "sample", str(tmp_path / "file"), *options]) == 0
        names = [section.name for section in ftl.load(tmp_path / "file").info.sections]
        assert ("neighbors.codes" in names) == bool(options)


def test_convert_reports_what_it_did(tmp_path, capfdbinary):
    target = tmp_path / "sample.safetensors"
    options = ["--dtype=int8", "--max-words", "500", "--dim", "20", "--subwords", "used"]
    assert main(["convert", "sample", *options, str(target)]) == 0
    told = capfdbinary.readouterr()
    assert told.err == b""
    lines = dict(line.split(":", 1) for line in told.out.decode().splitlines())
    model, original = ftl.load(target), ftl.load("sample")
    assert f"{target} (" in lines["target"]
    assert f"{target.stat().st_size / original.info.file_size:.1%} of the source" in lines["target"]
    assert "4.0 MB" in lines["source"]
    assert lines["time"].split()[1] == "s"
    assert "500 of 7,081 words" in lines["kept"]
    assert f"{model.info.subword_rows:,} of 10,000 n-gram rows, dim 20, int8" in lines["kept"]
    assert lines["variance"].endswith("% kept")
    worst = lines["loss"].rsplit("(", 1)[1].rstrip(")")
    assert worst in model
    assert (len(model), model.dim) == (500, 20)


def test_convert_passes_every_option_on(tmp_path, model_path, capfdbinary):
    (tmp_path / "words.txt").write_text("one\ntwo\n", encoding="utf-8")
    (tmp_path / "more.txt").write_text("four\n", encoding="utf-8")
    arguments = [
        *("convert", model_path, "--dtype", "float16", "--max-words", "3", "--min-count", "2"),
        *("--words", str(tmp_path / "words.txt"), "--subwords", "used"),
        *("--extra-words", str(tmp_path / "more.txt"), "--dim", "3", "--threads", "1"),
        *(str(tmp_path / "target"), "--json"),
    ]
    assert main(arguments) == 0
    told = json.loads(capfdbinary.readouterr().out)
    expected = ftl.convert(
        model_path,
        tmp_path / "expected",
        "float16",
        max_words=3,
        min_count=2,
        words=["one", "two"],
        subwords="used",
        extra_words=["four"],
        dim=3,
    )
    assert (tmp_path / "target").read_bytes() == (tmp_path / "expected").read_bytes()
    assert told["word_count"] == 2
    assert told["ratio"] == told["size"] / told["source_size"]
    assert told["loss"]["worst_word"] == expected.loss.worst_word
    assert told["variance"] == expected.variance


def test_convert_writes_words_that_are_no_utf_8(tmp_path):
    (tmp_path / "model.bin").write_bytes(build(words=[b"caf\xe9"]))
    done = run("convert", str(tmp_path / "model.bin"), str(tmp_path / "target"))
    assert done.returncode == 0
    assert done.stdout.endswith(b"(caf\xe9)\n")


def test_an_interrupted_conversion_leaves_the_old_file(tmp_path, model_path, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "target").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", interrupt)
    assert main(["convert", model_path, str(folder / "target")]) == 130
    assert [path.read_bytes() for path in folder.iterdir()] == [b"old"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info"], "name a model file"),
        (["info", "none.bin"], "there is no such file"),
        (["info", "sample", "other"], "one model"),
        (["vectors", "."], "this is a folder"),
        (["vectors", "sample", "a", "--format", "npy", "--json"], "cannot be combined"),
        (["vectors", "sample", "a", "-o", "none/of/that"], "none/of/that"),
        (["neighbors", "sample", "a", "-k", "0"], "k must be at least 1"),
        (["analogies", "sample", "a", "b"], "an analogy needs three words, not 2"),
        (["convert", "none.bin", "target"], "there is no such file"),
        (["convert", "sample", "target", "more"], "one source and one target: remove 'more'"),
        (["convert", "sample", "."], "this is a folder"),
        (["convert", "sample", "none/of/that"], "the folder of this file does not exist"),
        (["convert", "sample", "target", "--max-words", "0"], "max_words must be at least 1"),
        (["convert", "sample", "target", "--dim", "41"], "dim must be between 1 and 40, not 41"),
        (["convert", "sample", "target", "--words", "none.txt"], "none.txt: there is no such file"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1
    assert message in lines[0]


def test_a_reader_that_goes_away_is_no_error(model_path):
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "fasttext_lite", "vectors", model_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(b"one two three\n" * 20000)
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def test_version_and_help():
    assert run("--version").stdout.split()[1].decode() == ftl.__version__
    for arguments in (["--help"], ["vectors", "--help"]):
        assert b"fasttext-lite" in run(*arguments).stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["info", "sample"], ["vectors", "sample", "x"]])
def test_a_full_disk_is_told_in_one_line(arguments):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "fasttext_lite", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == b"fasttext-lite: No space left on device\n"
