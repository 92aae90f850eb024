"""Calls when no thread can be started, as under a limit on processes."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import fasttext_lite as ftl
from fasttext_lite.parallel import chunks_in_order, run_in_chunks


@pytest.fixture(params=[0, 1], ids=["no thread starts", "one thread starts"])
def few_threads(request, monkeypatch):
    start = threading.Thread.start
    left = [request.param]

    def limited(self):
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        start(self)

    monkeypatch.setattr(threading.Thread, "start", limited)


def test_batches_are_computed_by_the_calling_thread(few_threads):
    model = ftl.load("sample")
    words = list(model.words) * 3
    assert_array_equal(model.vectors(words, threads=4)[:100], model[words[:100]])
    assert [near.word for near in model.neighbors("king", k=2, threads=4)] == ["queen", "son"]


def test_each_range_is_computed_once(few_threads):
    done = np.zeros(1000, int)

    def work(start, stop):
        done[start:stop] += 1

    run_in_chunks(work, len(done), 4, chunk=7)
    assert (done == 1).all()


def test_results_come_once_and_in_order(few_threads):
    done = np.zeros(1000, int)

    def work(start, stop):
        done[start:stop] += 1
        return start, stop

    found = list(chunks_in_order(work, len(done), 4, chunk=7))
    assert found == [(start, min(start + 7, 1000)) for start in range(0, 1000, 7)]
    assert (done == 1).all()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_errors_are_raised(few_threads, error):
    def work(start, stop):
        if start == 500:
            raise error("at 500")
        return start

    with pytest.raises(error, match="at 500"):
        run_in_chunks(work, 1000, 4, chunk=10)
    with pytest.raises(error, match="at 500"):
        list(chunks_in_order(work, 1000, 4, chunk=10))


def test_a_call_at_the_exit_of_the_interpreter_is_answered():
    code = (
        "import atexit, fasttext_lite as ftl\n"
        "model = ftl.load('sample')\n"
        "words = list(model.words)\n"
        "atexit.register(lambda: print(model.vectors(words, threads=4).shape[0] == len(words)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, check=True, text=True
    )
    assert done.stdout == "True\n"
    assert done.stderr == ""
