"""Annotations that are killed: a script, since it forks.

    python killed_annotations.py (random | steps) CORPUS EXPECTED OUT

annotates CORPUS into OUT in one process after another. Each is killed: at random moments, or just
before and after each file gets its name. After each kill all files of OUT must be as in EXPECTED,
where the same was done without a kill, and those that were finished must not be written again.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import sys
import time
from functools import partial
from pathlib import Path

import pyarrow.json
import pyarrow.parquet  # noqa: F401 - once, for all processes that are forked

import fasttext_lite as ftl
import fasttext_lite.annotation.lines
import fasttext_lite.annotation.tables
from fasttext_lite.annotation.places import RECORDS

KILLS = 50
MODEL = Path(__file__).parent.parent / "golden" / "softmax.bin"


def annotate(corpus, out):
    return ftl.annotate(ftl.Annotator(MODEL), corpus, out, threads=2)


def visible(folder):
    """Return the path of each file that is no record, and its inode."""
    files = (path for path in folder.rglob("*") if path.is_file())
    found = ((path.relative_to(folder), path.stat().st_ino) for path in files)
    return {path: inode for path, inode in found if path.parts[0] != RECORDS}


def run(work):
    """Start a process that does some work; its id."""
    child = os.fork()
    if not child:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def check(out, expected, before):
    """Check that all files are complete, and that none was written twice; return them."""
    after = visible(out)
    for path in after:
        assert (out / path).read_bytes() == (expected / path).read_bytes(), path
    # One may have been complete, but not yet marked.
    again = [path for path in before if after.get(path) != before[path]]
    assert len(again) <= 1, again
    return after


def check_end(corpus, out, expected):
    """Check that one more call completes the output, and nothing else is left but records."""
    before = visible(out)
    done = annotate(corpus, out)
    check(out, expected, before)
    assert visible(out).keys() == visible(expected).keys()
    assert done.finished_before >= len(before) - 1
    assert not list(out.rglob("*.part"))
    assert annotate(corpus, out).new_rows == 0


def killed_at_random(corpus, expected, out):
    begin = time.monotonic()
    child = run(lambda: annotate(corpus, out))
    assert os.waitpid(child, 0)[1] == 0
    # Each call goes on from the last one, and all may take long on a busy machine.
    longest = min((time.monotonic() - begin) / 2, 0.3)
    shutil.rmtree(out)
    generator = random.Random(1)
    kills, ended, seen = 0, 0, {}
    while kills < KILLS:
        child = run(lambda: annotate(corpus, out))
        time.sleep(generator.uniform(0, longest))
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if status == signal.SIGKILL:
            kills += 1
        else:
            assert status == 0
        seen = check(out, expected, seen)
        if (len(seen) == len(visible(expected)) and generator.random() < 0.5) or status == 0:
            check_end(corpus, out, expected)
            shutil.rmtree(out)
            seen = {}
            ended += 1
    check_end(corpus, out, expected)
    print(f"killed {kills} times, completed {ended + 1} times")


def annotate_until(step, corpus, out):
    """Annotate, and be killed before (or, where `step` is odd, after) that half-step's file."""
    replace = Path.replace
    calls = 0

    def replacing(path, target):
        nonlocal calls
        calls += 1
        if calls == step // 2 + 1:
            if step % 2:
                replace(path, target)
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(path, target)

    Path.replace = replacing
    annotate(corpus, out)


def killed_at_steps(corpus, expected, out):
    for step in itertools.count():
        status = os.waitpid(run(partial(annotate_until, step, corpus, out)), 0)[1]
        if status == 0:
            print(f"killed {step} times")
            return
        assert status == signal.SIGKILL
        check(out, expected, {})
        check_end(corpus, out, expected)
        shutil.rmtree(out)


if __name__ == "__main__":
    name, *paths = sys.argv[1:]
    {"random": killed_at_random, "steps": killed_at_steps}[name](*map(Path, paths))
