"""Calls beside a thread that is busy with Python code: chunks, the lock, and the same answers."""

from __future__ import annotations

import sysconfig
import threading
from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import SOFTMAX, SUPERVISED, build

import fasttext_lite as ftl
from fasttext_lite import parallel
from fasttext_lite._core.text import lock

RANGES = [(start, start + 8) for start in range(0, 4000, 8)]


class Clock:
    """Time that passes only in `work`, and a record of the calls."""

    def __init__(self, seconds_each):
        self.each, self.now, self.kept, self.holding = seconds_each, 0.0, 0.0, False
        self.calls = []

    def work(self, start, stop):
        self.calls.append((start, stop, self.holding))
        self.now += self.each * (stop - start)
        if self.holding:
            self.kept += self.each * (stop - start)

    def hold(self, more):
        self.holding = more
        self.kept = 0.0


@pytest.fixture
def clock(monkeypatch):
    """Return a function that makes the clock of a process with a busy thread."""

    def make(seconds_each):
        clock = Clock(seconds_each)
        monkeypatch.setattr(parallel, "contended", lambda: True)
        monkeypatch.setattr(parallel, "hold", clock.hold)
        monkeypatch.setattr(parallel, "held_time", lambda: clock.kept)
        monkeypatch.setattr(parallel, "perf_counter", lambda: clock.now)
        return clock

    return make


def covered(clock):
    assert [i for start, stop, _ in sorted(clock.calls) for i in range(start, stop)] == list(
        range(4000)
    )


def test_short_work_keeps_the_lock(clock):
    clock = clock(1e-6)
    parallel._run(clock.work, RANGES, 2)
    covered(clock)
    assert all(held for _, _, held in clock.calls)


@pytest.mark.parametrize("threads", [1, 4])
def test_long_work_gives_the_lock_up_for_long(clock, threads):
    # 4 seconds, in chunks of 8 milliseconds.
    clock = clock(1e-3)
    parallel._run(clock.work, RANGES, threads)
    covered(clock)
    free = [stop - start for start, stop, held in clock.calls if not held]
    assert sum(free) > 3900
    assert len(free) <= 4000 * clock.each / parallel._WORTH + threads + 1
    assert max(free) * clock.each <= 2 * parallel._WORTH


def test_chunks_at_a_time_are_few_enough_to_be_interrupted(clock, monkeypatch):
    # Work that seems to take long at first, and hardly any time after that.
    clock = clock(1e-9)
    monkeypatch.setattr(parallel, "held_time", lambda: float(len(clock.calls)))
    parallel._run(clock.work, RANGES, 1)
    covered(clock)
    assert max(stop - start for start, stop, _ in clock.calls) == 8 * parallel._MOST


def test_work_that_does_not_use_the_lock_is_done_in_chunks(clock, monkeypatch):
    clock = clock(1e-3)
    monkeypatch.setattr(parallel, "held_time", lambda: 0.0)
    parallel._run(clock.work, RANGES, 1)
    covered(clock)
    assert max(stop - start for start, stop, _ in clock.calls) * clock.each <= 0.1


@pytest.mark.parametrize("limit", [0, 500])
def test_an_error_ends_the_call_and_the_hold(clock, limit):
    clock = clock(1e-3)

    def work(start, stop):
        clock.work(start, stop)
        if start <= limit < stop:
            raise ValueError(start)

    with pytest.raises(ValueError, match=r"\d"):
        parallel._run(work, RANGES, 1)
    assert not clock.holding
    assert max(stop for _, stop, _ in clock.calls) < 1000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("busy") / "model.bin"
    words = [b"</s>", *(b"word%d" % i for i in range(2000))]
    labels = [b"__label__%d" % i for i in range(300)]
    path.write_bytes(
        build(model=SUPERVISED, loss=SOFTMAX, words=words, labels=labels, dim=32, bucket=1000)
    )
    return ftl.load(path)


def answers(model):
    words = [f"word{i}x" for i in range(3000)]
    texts = [" ".join(words[i : i + 40]) for i in range(0, 2960, 3)]
    found = model.neighbors(words[:5], k=4)
    return [
        model.vectors(words),
        model.sentence_vectors(texts),
        *model.predict_ids(texts, k=3),
        model.probabilities(texts[:50]),
        model[words[0]],
        model.predict("x" * 5000).probabilities,
        model.sentence_vector("x" * 5000),
        np.array([[score for _, score in one] for one in found]),
    ]


def test_answers_are_the_same(model, monkeypatch):
    expected = answers(model)
    monkeypatch.setattr(parallel, "contended", lambda: True)
    for one, other in zip(answers(model), expected, strict=True):
        assert_array_equal(one, other)


@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="this interpreter has no lock"
)
def test_a_busy_thread_is_noticed_and_forgotten(model):
    words = ["word"] * 600
    expected = model.vectors(words)
    stop = threading.Event()
    seen = Counter()

    def spin():
        while not stop.is_set():
            pass

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        while not lock.contended():
            assert_array_equal(model.vectors(words), expected)
            seen["calls"] += 1
            assert seen["calls"] < 10_000
        assert_array_equal(model.vectors(words), expected)
    finally:
        stop.set()
        thread.join()
    while lock.contended():
        stop.wait(0.01)
    # The next call gives the lock up again.
    assert_array_equal(model.vectors(words, threads=1), expected)
