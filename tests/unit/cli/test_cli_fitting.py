"""The command that fits n-grams, run as a user runs it."""

from __future__ import annotations

import json

import pytest

import fasttext_lite as ftl
from fasttext_lite.cli import main


@pytest.fixture
def words(tmp_path):
    ftl.export("sample", tmp_path / "words.vec")
    return str(tmp_path / "words.vec")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "fitted.safetensors"


def test_a_report_is_printed(words, target, capfdbinary):
    assert main(["fit-ngrams", words, str(target), "--buckets", "5000"]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert [line.split(":")[0] for line in lines[:8]] == [
        *("source", "target", "words", "n-grams", "rows", "weights", "ridge", "time")
    ]
    assert lines[5].endswith("by the ranks of the words, since the file has no counts")
    assert lines[10].split()[:4] == ["cosines", "of", "held-out", "words"]
    assert lines[11].split()[0] == "all"
    assert ftl.load(target)["governmentally"].any()


def test_options_and_json(words, target, tmp_path, capfdbinary):
    (tmp_path / "held.txt").write_text("government\nwar\n")
    options = [
        *("--minn", "2", "--maxn", "4", "--buckets", "3000", "--ngrams", "500"),
        *("--weighting", "uniform", "--regularization", "0.2", "--dtype", "float16"),
        *("--held-out-words", str(tmp_path / "held.txt"), "--no-refit", "--skip-frequent", "3"),
        *("--skip-broken", "--tolerance", "0.1", "--max-iterations", "5", "--seed", "4"),
        *("--threads", "1", "--json"),
    ]
    assert main(["fit-ngrams", words, str(target), *options]) == 0
    report = json.loads(capfdbinary.readouterr().out)
    assert (report["minn"], report["maxn"], report["rows"]) == (2, 4, 500)
    assert (report["regularization"], report["held_out_words"]) == (0.2, 2)
    assert report["iterations"] <= 5
    assert report["left_out"] >= 3
    assert report["by_rank"][0]["first"] == 1
    assert "cosines" not in report
    assert ftl.load(target).info.pruned


def test_ngrams_of_a_model_are_replaced_if_asked(target, capfdbinary):
    assert main(["fit-ngrams", "sample", str(target)]) == 2
    assert b"--replace" in capfdbinary.readouterr().err
    assert main(["fit-ngrams", "sample", str(target), "--replace", "--ngrams", "used"]) == 0


def test_the_plot(words, target, tmp_path):
    pytest.importorskip("matplotlib")
    plot = tmp_path / "plot.svg"
    assert main(["fit-ngrams", words, str(target), "--buckets", "500", "--plot", str(plot)]) == 0
    assert plot.read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ngrams", "many"], b"--ngrams must be a number or used"),
        (["--regularization", "x"], b"--regularization must be a number or auto"),
        (["--minn", "5", "--maxn", "4"], b"minn must not be above maxn"),
        (["--buckets", "0"], b"buckets must be at least 1"),
    ],
)
def test_wrong_options_are_one_line(words, target, options, message, capfdbinary):
    assert main(["fit-ngrams", words, str(target), *options]) == 2
    error = capfdbinary.readouterr().err
    assert message in error
    assert error.count(b"\n") == 1
    assert not target.exists()


def test_two_files_are_needed(words, capfdbinary):
    assert main(["fit-ngrams", words]) == 2
    assert b"needs word vectors and a file to write" in capfdbinary.readouterr().err


def test_an_interrupt_says_where_the_rest_is(words, target, tmp_path, monkeypatch, capfdbinary):
    from fasttext_lite.ngram_fitting import least_squares

    turn, calls = least_squares.turn, []

    def interrupted(*arguments):
        calls.append(0)
        if len(calls) == 4:
            raise KeyboardInterrupt
        turn(*arguments)

    monkeypatch.setattr(least_squares, "turn", interrupted)
    part = tmp_path / "part.safetensors"
    options = ["--buckets", "5000", "--threads", "1", "--on-interrupt", str(part)]
    assert main(["fit-ngrams", words, str(target), *options]) == 130
    assert str(part).encode() in capfdbinary.readouterr().err
    assert ftl.load(part)["governmentally"].any()
    assert not target.exists()
