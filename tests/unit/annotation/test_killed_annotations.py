"""A killed or interrupted annotation leaves complete files, and the next one completes it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from support import GOLDEN, TESTS

import fasttext_lite as ftl

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="needs the processes and signals of POSIX"
)

MODEL = GOLDEN / "softmax.bin"


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    (folder / "x").mkdir(parents=True)
    texts = [f"text {i} {i * 7919}" for i in range(6000)]
    for name in ("a.parquet", "x/a.parquet"):
        pq.write_table(pa.table({"text": texts}), folder / name, row_group_size=100)
    for name in ("b.jsonl.gz", "x/c.txt"):
        lines = texts if "txt" in name else [json.dumps({"text": text}) for text in texts]
        with pa.output_stream(str(folder / name), compression="detect") as file:
            file.write("".join(f"{line}\n" for line in lines).encode())
    return folder


@pytest.mark.parametrize("how", ["random", "steps"])
def test_a_kill_at_any_moment_leaves_complete_files_and_the_next_call_completes(
    tmp_path, corpus, how
):
    if how == "steps":
        corpus /= "x"
    ftl.annotate(ftl.Annotator(MODEL), corpus, tmp_path / "expected")
    command = [TESTS / "support" / "killed_annotations.py", how]
    done = subprocess.run(
        [sys.executable, "-I", *command, corpus, tmp_path / "expected", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Before and after each of the files, their two markers, and the settings gets its name.
    kills = 50 if how == "random" else 2 * (3 * 2 + 1)
    assert re.match(rf"killed {kills} times", done.stdout)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_an_interrupt_leaves_complete_files_and_exit_code_130(tmp_path, corpus, threads):
    out = tmp_path / "out"
    # Each piece takes its time, and it says when it comes to the second file.
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import fasttext_lite as ftl\n"
        "from fasttext_lite import cli\n"
        "import fasttext_lite.annotation.lines, fasttext_lite.annotation.tables\n"
        "columns = ftl.Annotator.columns\n"
        "def slow(self, texts):\n"
        "    if len(texts):\n"
        "        sys.stderr.write('begun\\n'); sys.stderr.flush()\n"
        "        time.sleep(0.3)\n"
        "    return columns(self, texts)\n"
        "ftl.Annotator.columns = slow\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    long = tmp_path / "long.txt"
    long.write_text("text\n" * 300_000)
    inputs = [corpus / "a.parquet", long]
    command = ["annotate", "-m", MODEL, *inputs, "--out", out, "--threads", threads]
    with subprocess.Popen(
        [sys.executable, "-I", "-c", code, *map(str, command)], stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stderr.readline() == b"begun\n"
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            errors = process.communicate(timeout=30)[1]
        finally:
            process.kill()
    assert (process.returncode, errors.replace(b"begun\n", b"")) == (130, b"")
    files = [path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()]
    assert [name for name in files if not name.endswith(".json")] == ["a.parquet"]
    assert ftl.annotate(ftl.Annotator(MODEL), inputs, out).finished_before == 1
