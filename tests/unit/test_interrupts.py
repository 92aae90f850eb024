"""Ctrl-C ends a long call at once, and leaves nothing behind.

Without the interrupt each call would take far longer than a test may. The tests check that it ends,
and how, but not how fast, which depends on the machine.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support.builders import SUPERVISED, build

import fasttext_lite as ftl

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX")

DIM, WORDS = 100, 100_000

# Reports when it begins, how it ends, and that the model and its threads are as before.
SCRIPT = """
import sys, threading, time
import fasttext_lite as ftl
# Imported first: CPython ends a process that gets a signal during exec, as of a dataclass.
from fasttext_lite import conversion, evaluate, exporting

path, folder = sys.argv[1:3]
model = ftl.load(path)
words = list(model.words[:1000])
expected = model[words[5]]
{prepare}
print("begun", flush=True)
try:
    {call}
except KeyboardInterrupt:
    # One that was just being started ends by itself.
    end = time.monotonic() + 10
    while threading.active_count() > 1 and time.monotonic() < end:
        time.sleep(0.01)
    print("interrupted", threading.active_count(), (model[words[5]] == expected).all(), flush=True)
else:
    print("ended by itself", flush=True)
"""


def write_model(path, *, supervised):
    """Write a model so large that every call over all of it is long; its matrices are sparse."""
    labels = [b"__label__%d" % i for i in range(200)] if supervised else []
    rows = WORDS + 1000
    small = build(
        model=SUPERVISED if supervised else 2,
        dim=DIM,
        words=[b"word%d" % i for i in range(WORDS)],
        labels=labels,
        bucket=1000,
        input_matrix=np.empty((0, DIM), np.float32),
        output_matrix=np.empty((0, DIM), np.float32),
    )
    # Cut off the two empty matrices, each a flag and a shape.
    head, output = small[: -2 * 17], len(labels) or WORDS
    with path.open("wb") as file:
        file.write(head)
        for height in (rows, output):
            file.write(b"\0" + np.array([height, DIM], "<i8").tobytes())
            file.truncate(file.seek(4 * DIM * height, os.SEEK_CUR))
            file.seek(0, os.SEEK_END)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    for kind in ("plain", "supervised"):
        write_model(folder / kind, supervised=kind == "supervised")
    with (folder / "lines").open("wb") as file:
        file.write(b"__label__3 word1 word2 word3 unknown words\n" * 200_000)
    with (folder / "questions").open("wb") as file:
        file.write(b": all\n" + b"word1 word2 word3 word4\n" * 20_000)
    with (folder / "words.vec").open("wb") as file:
        file.write(b"25000 100\n")
        file.writelines(b"word%d" % i + b" 0.12345" * 100 + b"\n" for i in range(25_000))
    return folder


@contextlib.contextmanager
def running(code, *arguments, **options):
    """Run code in a process that handles interrupts, and kill it at the end.

    The handler is set explicitly, since processes that a shell runs in the background, and their
    children, ignore interrupts.
    """
    heard = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    command = [sys.executable, "-I", "-c", heard + code, *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def interrupt(process, after):
    """Interrupt a process that has begun its call, and return its output."""
    assert process.stdout.readline() == b"begun\n"
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    told, errors = process.communicate(timeout=60)
    return told.decode(), errors.decode()


LONG = 'many = [f"{word}ish" for word in words] * 5_000'
TEXTS = 'texts = [" ".join(words[i : i + 300]) for i in range(700)] * 300'
CALLS = {
    "gathering words": (
        "plain",
        "",
        "model.vectors(word for copy in iter(words.copy, 0) for word in copy)",
    ),
    "vectors": ("plain", LONG, "model.vectors(many)"),
    "vectors on one thread": ("plain", LONG, "model.vectors(many, threads=1)"),
    "vectors on many threads": ("plain", LONG, "model.vectors(many, threads=16)"),
    "sentence_vectors": ("plain", TEXTS, "model.sentence_vectors(texts)"),
    "predict": ("supervised", TEXTS, "model.predict(texts, 5)"),
    "predict_ids": ("supervised", TEXTS, "model.predict_ids(texts, 5, threads=1)"),
    "sentence_vectors, supervised": ("supervised", TEXTS, "model.sentence_vectors(texts)"),
    "test": ("supervised", "", "[model.test(folder + '/lines') for _ in range(1000)]"),
    "neighbors": ("plain", "", "[model.neighbors(list(model.words)) for _ in range(100)]"),
    "convert": ("plain", "", "[ftl.convert(path, folder + '/out') for _ in range(1000)]"),
    "convert to fewer dimensions": (
        "plain",
        "",
        "[ftl.convert(path, folder + '/out', 'int8', dim=100) for _ in range(1000)]",
    ),
    "export": ("plain", "", "[ftl.export(path, folder + '/out.vec') for _ in range(1000)]"),
    "compare": ("plain", "", "[evaluate.compare(model, model) for _ in range(1000)]"),
    "analogies": (
        "plain",
        "",
        "[evaluate.analogies(model, folder + '/questions') for _ in range(1000)]",
    ),
    "verify": ("plain", "", "[model.verify(full=True) for _ in range(1000)]"),
    "load": ("plain", "", "[ftl.load(folder + '/words.vec') for _ in range(1000)]"),
    "load without mapping": ("plain", "", "[ftl.load(path, mmap=False) for _ in range(1000)]"),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_interrupt_ends_a_long_call(paths, name):
    model, prepare, call = CALLS[name]
    before = sorted(paths.iterdir())
    code = SCRIPT.format(prepare=prepare, call=call)
    with running(code, paths / model, paths, stdout=subprocess.PIPE) as process:
        told, errors = interrupt(process, 0.3)
    assert (told, errors) == ("interrupted 1 True\n", "")
    assert process.returncode == 0
    for whole in ("out", "out.vec"):
        (paths / whole).unlink(missing_ok=True)
    assert sorted(paths.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert", "plain", "out"],
        ["export", "plain", "out.bin"],
        ["test", "supervised", "lines"],
        ["predict", "supervised", "lines"],
        ["sentence-vectors", "plain", "lines"],
        ["info", "words.vec"],
    ],
)
def test_an_interrupt_of_the_command_line_is_exit_code_130(paths, arguments):
    before = sorted(paths.iterdir())
    # The process prints a line before the command, since nothing else shows that it has begun.
    code = (
        "import sys\n"
        "from fasttext_lite import cli\n"
        "import fasttext_lite.exporting, fasttext_lite.conversion, fasttext_lite.classifier\n"
        "sys.stderr.write('begun\\n'); sys.stderr.flush()\n"
        "for _ in range(1000):\n"
        "    if code := cli.main(sys.argv[1:]):\n"
        "        sys.exit(code)\n"
    )
    with running(code, *arguments, stdout=subprocess.DEVNULL, cwd=paths) as process:
        assert process.stderr.readline() == b"begun\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, b"")
    for whole in ("out", "out.bin"):
        (paths / whole).unlink(missing_ok=True)
    assert sorted(paths.iterdir()) == before


def test_an_interrupted_build_starts_again_at_the_next_call(monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    model = ftl.load("sample")
    with monkeypatch.context() as patch:
        patch.setattr("fasttext_lite.neighbors.NeighborSearch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.neighbors("king")
    assert model.neighbors("king")[0].word == "queen"
