"""The commands for lines of text, run as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import GOLDEN

import fasttext_lite as ftl
from fasttext_lite.cli import main

MODEL = str(GOLDEN / "softmax.bin")
HS = str(GOLDEN / "hs.bin")
COMMAND = [sys.executable, "-I", "-m", "fasttext_lite"]


@pytest.fixture(scope="module")
def model():
    return ftl.load(MODEL)


@pytest.fixture
def texts(model, tmp_path):
    """Return a file of lines, some of which have labels, and the lines."""
    words = list(model.words[1:40])
    lines = [" ".join(words[i : i + 5]) for i in range(0, 30, 3)]
    lines += ["", "   ", f"{model.labels[0]} {words[3]}", f"{words[5]}\r"]
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return str(path), lines


def run(*arguments, stdin=b""):
    return subprocess.run([*COMMAND, *arguments], input=stdin, capture_output=True, check=False)


@pytest.mark.parametrize("path", [MODEL, HS])
def test_a_line_out_for_a_line_in(path, texts, capfdbinary):
    name, lines = texts
    model = ftl.load(path)
    assert main(["predict", path, name, "-k", "2", "--prob"]) == 0
    written = capfdbinary.readouterr().out.decode().split("\n")
    expected = [
        " ".join(f"{label} {probability:g}" for label, probability in zip(*found, strict=True))
        for found in model.predict(lines, 2)
    ]
    assert written == [*expected, ""]
    assert main(["predict", path, name]) == 0
    assert capfdbinary.readouterr().out.decode().split("\n") == [
        *(" ".join(found.labels) for found in model.predict(lines)),
        "",
    ]


def test_stdin_and_json(model, texts):
    name, lines = texts
    data = Path(name).read_bytes()
    for given in (data, data[:-1]):
        done = run("predict", "-m", MODEL, "--json", "-k", "-1", "--threshold", "0.1", stdin=given)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        found = model.predict(lines, -1, 0.1)
        assert [tuple(one["labels"]) for one in told] == [one.labels for one in found]
        assert np.concatenate([one["probabilities"] for one in told]) == pytest.approx(
            np.concatenate([one.probabilities for one in found])
        )


def test_each_line_is_answered_before_the_next_is_asked():
    process = subprocess.Popen(
        [*COMMAND, "predict", MODEL, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    for _ in range(3):
        process.stdin.write(b"one line\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"__label__")
    process.communicate()
    assert process.returncode == 0


def test_sentence_vectors_are_in_the_official_text_format(model, texts, capfdbinary):
    name, lines = texts
    for path in (MODEL, "sample"):
        assert main(["sentence-vectors", path, name]) == 0
        rows = ftl.load(path).sentence_vectors(lines)
        assert capfdbinary.readouterr().out.decode().splitlines() == [
            "".join(f"{number:.5g} " for number in row) for row in rows
        ]
    assert main(["sentence-vectors", MODEL, name, "--json"]) == 0
    told = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert np.array(told, np.float32) == pytest.approx(model.sentence_vectors(lines))


@pytest.fixture
def labelled(model, tmp_path):
    words = list(model.words[1:200])
    lines = [f"{model.labels[i % len(model.labels)]} {words[i]} {words[-i]}" for i in range(60)]
    path = tmp_path / "labelled.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_a_test_prints_what_the_model_scores(model, labelled, capfdbinary):
    scores = model.test(labelled, 2)
    assert main(["test", MODEL, labelled, "-k", "2", "--labels"]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines[0].split() == ["N", "60"]
    assert lines[1].split() == ["P@2", f"{scores.precision:.3f}"]
    assert lines[2].split() == ["R@2", f"{scores.recall:.3f}"]
    assert len(lines) == 4 + 2 + len(model.labels)
    assert main(["test", MODEL, labelled, "--json"]) == 0
    told = json.loads(capfdbinary.readouterr().out)
    assert told["precision"] == pytest.approx(model.test(labelled).precision)
    assert list(told["labels"]) == list(model.labels)


def test_the_curve_is_drawn(labelled, tmp_path):
    pytest.importorskip("matplotlib")
    target = tmp_path / "curve.svg"
    assert run("test", MODEL, labelled, "--plot", str(target)).returncode == 0
    assert b"<svg" in target.read_bytes()
    done = run("test", MODEL, labelled, "--plot", str(tmp_path / "curve.nothing"))
    assert done.returncode == 2
    assert b"cannot plot" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", MODEL, "none.txt"], "none.txt: there is no such file"),
        (["predict", MODEL, "a", "b"], "accepts one file: remove 'b'"),
        (["predict", "sample", os.devnull], "supervised"),
        (["predict", MODEL, os.devnull, "-k", "0"], "k must be"),
        (["test", MODEL], "labelled lines"),
        (["test", MODEL, "none.txt"], "none.txt"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(arguments, message):
    done = run(*arguments)
    if arguments[1:] == [MODEL, os.devnull, "-k", "0"]:
        # Without a text the wrong k is not noticed.
        done = run(*arguments[:2], "-", "-k", "0", stdin=b"text\n")
    if arguments[1] == "sample":
        done = run(*arguments[:2], "-", stdin=b"text\n")
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
