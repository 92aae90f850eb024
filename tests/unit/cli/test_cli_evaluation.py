"""The commands that evaluate and compare, run as a user runs them."""

from __future__ import annotations

import io
import json
import sys

import pytest
from support.builders import SOFTMAX, SUPERVISED, build

import fasttext_lite as ftl
from fasttext_lite.cli import main

PAIRS = b"king queen 9\nkingish queen 8\nking war 2\n"
QUESTIONS = b": plurals\nwar wars nation nations\n: other\nking queenx man woman\n"


@pytest.fixture
def files(tmp_path):
    pairs, questions = tmp_path / "pairs.txt", tmp_path / "questions.txt"
    pairs.write_bytes(PAIRS)
    questions.write_bytes(QUESTIONS)
    return str(pairs), str(questions)


def test_evaluate_prints_a_table(files, capfdbinary):
    assert main(["evaluate", "sample", *files]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    model = ftl.load("sample")
    pairs = ftl.evaluate.word_similarity(model, files[0])
    total = ftl.evaluate.analogies(model, files[1]).total
    assert lines[0].split() == ["score", "correct", "of", "unknown", "left", "out"]
    assert lines[1].split() == ["pairs.txt,", "Spearman", f"{pairs.rho:.4f}", "3", "1", "0"]
    assert lines[2].split()[:4] == [
        "questions.txt,", "accuracy", f"{total.accuracy:.4f}", str(total.correct),
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[3:]] == ["plurals", "other"]


def test_evaluate_as_json_takes_options(files, capfdbinary):
    assert main(["evaluate", "-m", "sample", *files, "--json", "--known-only"]) == 0
    pairs, questions = map(json.loads, capfdbinary.readouterr().out.splitlines())
    assert (pairs["unknown"], pairs["left_out"]) == (1, 1)
    assert (questions["total"]["unknown"], questions["total"]["left_out"]) == (1, 1)
    assert main(["evaluate", "sample", files[1], "--json", "--max-words", "2"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["total"]["accuracy"] is None


def test_evaluate_as_if_all_words_were_unknown(files, capfdbinary):
    assert main(["evaluate", "sample", *files, "--json", "--as-unknown"]) == 0
    pairs, questions = map(json.loads, capfdbinary.readouterr().out.splitlines())
    model = ftl.load("sample")
    assert pairs["rho"] == ftl.evaluate.word_similarity(model, files[0], as_unknown=True).rho
    asked = ftl.evaluate.analogies(model, files[1], as_unknown=True).total
    assert questions["total"]["correct"] == asked.correct


def test_evaluate_can_look_up_in_lower_case(tmp_path, capfdbinary):
    path = tmp_path / "pairs.txt"
    path.write_bytes(PAIRS.replace(b"king", b"KING"))
    for options, unknown in (([], 3), (["--lowercase"], 1)):
        assert main(["evaluate", "sample", str(path), "--json", *options]) == 0
        assert json.loads(capfdbinary.readouterr().out)["unknown"] == unknown


def test_compare_prints_three_tables(tmp_path, capfdbinary):
    small = tmp_path / "small.safetensors"
    ftl.convert(ftl.load("sample").info.path, small, "int8")
    assert main(["compare", "sample", str(small), "--sample", "20", "-k", "5"]) == 0
    shown = capfdbinary.readouterr().out.decode()
    sides, cosines, shares = (table.splitlines() for table in shown.split("\n\n"))
    assert sides[0].split() == ["sample.bin", "small.safetensors"]
    assert [line.split()[0] for line in sides[1:]] == ["size", "words", "dim", "words/s"]
    assert cosines[1].startswith("known to both")
    assert cosines[2].split()[:4] == ["unknown", "to", "both", "20"]
    assert shares[0].startswith("words that both know")
    assert shares[1].startswith("same among the 5 nearest of 20")


def test_compare_as_json(capfdbinary):
    assert main(["compare", "sample", "sample", "--sample", "5", "--seed", "3", "--json"]) == 0
    told = json.loads(capfdbinary.readouterr().out)
    assert told["known"]["mean"] == 1
    assert told["unknown"]["words"] == 5
    assert told["labels"] is None
    assert told["a"]["words_per_second"] > 0


def test_compare_reads_words_and_text_from_files_or_stdin(tmp_path, capfdbinary, monkeypatch):
    model = tmp_path / "model.bin"
    model.write_bytes(build(model=SUPERVISED, loss=SOFTMAX, labels=[b"__label__a", b"__label__b"]))
    text, words = tmp_path / "text.txt", tmp_path / "words.txt"
    text.write_bytes(b"one two\n\nthree caf\xe9\r\n")
    words.write_bytes(b"one\ntwo\ncaf\xe9\n")
    models = [str(model), str(model)]
    assert main(["compare", *models, "--text", str(text), "--words", str(words), "--json"]) == 0
    told = json.loads(capfdbinary.readouterr().out)
    assert told["labels"] == {"texts": 2, "share": 1}
    assert told["known"]["words"] == 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.read_bytes())))
    assert main(["compare", *models, "--text", "-"]) == 0
    assert "same label for 2 texts" in capfdbinary.readouterr().out.decode()


def test_a_worst_word_that_is_no_utf8_is_printed_as_its_bytes(tmp_path, capfdbinary):
    model = tmp_path / "vectors.vec"
    model.write_bytes(b"1 2\ncaf\xe9 1 2\n")
    assert main(["compare", str(model), str(model)]) == 0
    assert b"(caf\xe9)" in capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "sample"], "compare needs two models"),
        (["compare", "sample", "sample", "sample"], "compare needs two models"),
        (["compare", "sample", "none.bin"], "there is no such file"),
        (["compare", "sample", "sample", "--words", "none.txt"], "there is no such file"),
        (["compare", "sample", "sample", "-k", "0"], "k must be at least 1"),
        (["evaluate", "sample"], "name a file of word pairs or of analogies"),
        (["evaluate", "sample", "none.txt"], "there is no such file"),
        (["evaluate", "sample", "."], "this is a folder"),
    ],
)
def test_errors_are_one_line_and_exit_code_2(arguments, message, capfd):
    assert main(arguments) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert message in told.err
