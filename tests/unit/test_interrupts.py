"""Ctrl-C ends a long call at once, and leaves nothing behind.

Each call would take minutes; one that goes on for much of that time after the interrupt fails.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support import TESTS
from support.builders import SKIPGRAM, SUPERVISED, build
from support.long_calls import CALLS

import fasttext_lite as ftl

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX")

# Seconds after which a process that goes on is killed: a small part of what each call would take,
# and many times of what its end takes on a busy machine.
LIMIT = 15

# The words of a model are long, so that each has thousands of n-grams.
PADDING = b"x" * 1000


def write_model(path, *, dim, words, bucket, labels=0):
    """Write a model whose matrices are holes, but for the rows of the first words."""
    small = build(
        model=SUPERVISED if labels else SKIPGRAM,
        dim=dim,
        words=words,
        labels=[b"__label__%d" % i for i in range(labels)],
        bucket=bucket,
        input_matrix=np.empty((0, dim), np.float32),
        output_matrix=np.empty((0, dim), np.float32),
    )
    # Those of all labels: where scores are equal, or large, each text is scored twice.
    first = np.random.default_rng(1).random((max(labels, 10), dim), np.float32) / 10
    with path.open("wb") as file:
        # The two matrices, each a flag and a shape now.
        file.write(small[: -2 * 17])
        for height in (len(words) + bucket, labels or len(words)):
            file.write(b"\0" + np.array([height, dim], "<i8").tobytes())
            end = file.tell() + 4 * dim * height
            file.write(first.tobytes())
            file.truncate(end)
            file.seek(end)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    words = [b"word%d%b" % (i, PADDING) for i in range(120_000)]
    write_model(folder / "plain", dim=3000, words=words, bucket=1000)
    write_model(folder / "supervised", dim=200, words=words[:1000], bucket=1000, labels=2000)
    write_model(folder / "huge", dim=1000, words=words[:1000], bucket=50_000_000)
    with (folder / "lines").open("wb") as file:
        file.write(b"__label__3 word1 word2 word3 unknown words\n" * 2_000_000)
    with (folder / "questions").open("wb") as file:
        file.write(b": all\n" + b" ".join(words[:4]) + b"\n")
    rows = gzip.compress((b"word" + b" 1" * 1000 + b"\n") * 1000)
    with (folder / "words.vec.gz").open("wb") as file:
        for _ in range(10_000):
            file.write(rows)
    return folder


@contextlib.contextmanager
def running(command, **options):
    """Run a process, which ends with the test."""
    command = [sys.executable, "-I", *command]
    with subprocess.Popen(command, stderr=subprocess.PIPE, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def interrupt(process):
    """Interrupt a process that has begun its call; what it told then."""
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        pytest.fail("the call went on after the interrupt")


@pytest.mark.parametrize("name", CALLS)
def test_an_interrupt_ends_a_long_call(folder, name):
    before = sorted(folder.iterdir())
    command = [TESTS / "support" / "long_calls.py", name, folder]
    with running(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"begun\n"
        told = interrupt(process)
    assert told == (b"interrupted 1 True\n", b"")
    assert process.returncode == 0
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert", "plain", "out"],
        ["export", "plain", "out.vec"],
        ["test", "supervised", "lines"],
        ["predict", "supervised", "lines"],
        ["sentence-vectors", "plain", "lines"],
        ["info", "words.vec.gz"],
    ],
)
def test_an_interrupt_of_the_command_line_is_exit_code_130(folder, arguments):
    before = sorted(folder.iterdir())
    # It says when it comes to the command, since nothing else shows that it has begun.
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from fasttext_lite import cli\n"
        "import fasttext_lite.exporting, fasttext_lite.conversion, fasttext_lite.classifier\n"
        "sys.stderr.write('begun\\n'); sys.stderr.flush()\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    command = ["-c", code, *arguments]
    with running(command, stdout=subprocess.DEVNULL, cwd=folder) as process:
        assert process.stderr.readline() == b"begun\n"
        _, errors = interrupt(process)
    assert (process.returncode, errors) == (130, b"")
    assert sorted(folder.iterdir()) == before


def test_an_interrupted_build_starts_again_at_the_next_call(monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    model = ftl.load("sample")
    with monkeypatch.context() as patch:
        patch.setattr("fasttext_lite.neighbors.NeighborSearch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.neighbors("king")
    assert model.neighbors("king")[0].word == "queen"
