"""Lazily computed attributes."""

from __future__ import annotations

import gc
import os
import threading
import weakref

import pytest

from fasttext_lite.once import _locks, once


class Lazy:
    def __init__(self, compute):
        self.compute = compute

    @once
    def value(self):
        """Return what the function returns."""
        return self.compute()


def test_concurrent_threads_compute_a_value_once():
    for _ in range(30):
        computed = []
        barrier = threading.Barrier(16)

        def compute(computed=computed):
            computed.append({})
            for i in range(100):
                computed[-1][i] = threading.get_ident()
            return computed[-1]

        lazy = Lazy(compute)
        seen = []

        def read(lazy=lazy, barrier=barrier, seen=seen):
            barrier.wait()
            seen.append((lazy.value, len(lazy.value)))

        threads = [threading.Thread(target=read) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(computed) == 1
        assert len(seen) == 16
        assert all(value is computed[0] and size == 100 for value, size in seen)
        assert not _locks


def test_a_failed_computation_is_repeated():
    answers = iter([MemoryError(), 3])

    def compute():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    lazy = Lazy(compute)
    with pytest.raises(MemoryError):
        _ = lazy.value
    assert "value" not in vars(lazy)
    assert lazy.value == lazy.value == 3
    assert not _locks


def test_an_object_with_a_value_is_freed_without_the_cyclic_collector():
    class Value:
        pass

    gc.disable()
    try:
        lazy = Lazy(Value)
        freed = weakref.ref(lazy.value)
        del lazy
        assert freed() is None
    finally:
        gc.enable()


def test_one_value_may_be_computed_while_that_of_another_object_is():
    inner = Lazy(lambda: 1)
    assert Lazy(lambda: inner.value + 1).value == 2


def test_the_class_shows_the_documentation():
    assert Lazy.value.__doc__ == "Return what the function returns."


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_does_not_wait_for_a_thread_that_the_child_lacks():
    computing, done = threading.Event(), threading.Event()

    def compute():
        computing.set()
        done.wait()
        return os.getpid()

    lazy = Lazy(compute)
    other = threading.Thread(target=lambda: lazy.value)
    other.start()
    computing.wait()
    child = os.fork()
    if not child:
        done.set()  # the parent would end here otherwise
        os._exit(lazy.value != os.getpid())
    _, status = os.waitpid(child, 0)
    done.set()
    other.join()
    assert status == 0
    assert lazy.value == os.getpid()
