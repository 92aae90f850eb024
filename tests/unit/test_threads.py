"""One model, used by many threads at once."""

from __future__ import annotations

import gc
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import numpy as np
import pytest
import stress
from numpy.testing import assert_array_equal

import fasttext_lite as ftl
from fasttext_lite import parallel
from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.parallel import chunks_in_order, run_in_chunks, run_over


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return stress.write_models(tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("kind", range(4), ids=["raw", "compact", "quantised", "text"])
def test_many_threads_get_the_answers_of_one(models, kind):
    count, wrong = stress.hammer(models[kind], threads=8, rounds=range(400))
    assert wrong == []
    assert count == 400


def at_once(count, work):
    """Call ``work(i)`` in ``count`` threads that begin together; return the results in order."""
    begin, found = threading.Barrier(count), [None] * count

    def run(i):
        begin.wait()
        found[i] = work(i)

    threads = [threading.Thread(target=run, args=[i]) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


# Chunks


@pytest.fixture(autouse=True)
def _no_thread_is_busy(monkeypatch):
    """Chunks are not taken together, whatever other tests have done."""
    monkeypatch.setattr(parallel, "contended", lambda: False)


def test_chunks_cover_everything_once():
    for count, chunk, threads in ((0, 3, 2), (1, 3, 2), (10, 3, 1), (10, 3, 4), (1000, 7, 16)):
        seen = np.zeros(count, int)

        def work(start, stop, seen=seen):
            assert stop - start <= chunk  # noqa: B023 - called within the loop
            seen[start:stop] += 1

        run_in_chunks(work, count, threads, chunk)
        assert_array_equal(seen, np.ones(count, int))


@pytest.mark.parametrize("lengths", [[], [1] * 10, [0] * 9, [100, 1, 1, 100, 1], [3, 3, 3, 3, 3]])
def test_ranges_of_a_batch_are_short_in_words_and_in_bytes(lengths):
    ranges = WordBatch(["x" * length for length in lengths]).ranges(4, 6)
    assert [i for start, stop in ranges for i in range(start, stop)] == list(range(len(lengths)))
    for start, stop in ranges:
        assert 0 < stop - start <= 4
        assert sum(lengths[start : stop - 1]) < 6


def test_the_first_error_is_raised_and_ends_the_call():
    done = []

    def work(start, stop):
        done.append(start)
        if start >= 30:
            raise ValueError(start)

    for threads in (1, 2, 8):
        done.clear()
        with pytest.raises(ValueError, match=r"^30$"):
            run_in_chunks(work, 10**5, threads, 10)
        assert len(done) < 100
        with pytest.raises(ValueError, match=r"^30$"):
            list(chunks_in_order(work, 10**5, threads, 10))
    with pytest.raises(ValueError, match=r"^32$"):
        run_over(work, WordBatch(["word"] * 1000), 3, 16, 10**6)


def test_no_thread_is_left(models):
    before = threading.active_count()
    model = ftl.load(models[0])
    model.vectors(["musicianship"] * 5000, threads=4)
    results = chunks_in_order(lambda start, stop: start, 100, 4, 1)
    assert next(results) == 0
    assert threading.active_count() > before
    del results
    gc.collect()
    assert threading.active_count() == before


# Free-threaded interpreters


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this interpreter has a global lock"
)
def test_no_module_brings_the_global_lock_back():
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    assert not sys._is_gil_enabled(), name\n"
    )
    core = Path(ftl.__file__).parent / "_core"
    names = sorted(
        f"fasttext_lite._core.{stub.parent.name}.{stub.stem}" for stub in core.rglob("*.pyi")
    )
    assert names
    # The interpreter warns about a module that is not declared safe without the GIL.
    subprocess.run([sys.executable, "-I", "-W", "error", "-c", code, *names], check=True)
