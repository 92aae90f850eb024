"""Work in chunks, on several threads, for functions that release the GIL.

A signal is answered by the main thread between two of its bytecodes. So chunks are short, the
calling thread works on them like the others, and where it waits it wakes up now and then: Windows
interrupts no wait. Whatever ends a call, its other threads stop at their next chunk.
"""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, TypeVar

from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from fasttext_lite._core.text.batch import WordBatch

__all__ = ["chunks_in_order", "chunks_with_bar", "run_in_chunks", "run_over"]

T = TypeVar("T")

# Long enough that taking a chunk does not count, short enough that an interrupt is answered within
# a second even where each row has to come from a disk first.
_CHUNK = 512
_CHUNK_BYTES = 1 << 13
# Seconds.
_PATIENCE = 0.1


def available_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_in_chunks(
    work: Callable[[int, int], None], count: int, threads: int | None, chunk: int = _CHUNK
) -> None:
    """Call ``work(start, stop)`` for consecutive ranges that make up ``range(count)``.

    Parameters
    ----------
    work : callable
        Releases the GIL; what it raises is raised here, of several errors that of the first range.
    count : int
    threads : int or None
        None takes the cores of this process; a single chunk never starts a thread.
    chunk : int
        Length of a range.

    Raises
    ------
    InputTypeError, InputValueError
        `threads` is no positive whole number.
    """
    starts = range(0, count, chunk)
    _run(work, [(start, min(start + chunk, count)) for start in starts], threads)


def run_over(
    work: Callable[[int, int], None],
    batch: WordBatch,
    threads: int | None,
    chunk: int = _CHUNK,
    size: int = _CHUNK_BYTES,
) -> None:
    """Call ``work(start, stop)`` for ranges of words or texts, fewer at a time where they are long.

    Parameters
    ----------
    batch : WordBatch
    size : int
        Bytes of a range, about; the others, and errors, are those of `run_in_chunks`.
    """
    _run(work, batch.ranges(chunk, size), threads)


def _run(
    work: Callable[[int, int], None], ranges: Sequence[tuple[int, int]], threads: int | None
) -> None:
    workers = _workers(threads, len(ranges))
    if workers <= 1:
        for start, stop in ranges:
            work(start, stop)
        return
    from concurrent.futures import ThreadPoolExecutor  # costs import time that few need

    left = deque(ranges)
    errors: dict[int, Exception] = {}

    def take_turns() -> None:
        while True:
            try:
                start, stop = left.popleft()
            except IndexError:
                return
            try:
                work(start, stop)
            except Exception as error:
                errors[start] = error
                left.clear()

    pool = ThreadPoolExecutor(workers - 1, thread_name_prefix="fasttext-lite")
    try:
        for _ in range(workers - 1):
            pool.submit(take_turns)
        take_turns()
    finally:
        left.clear()
        pool.shutdown()
    if errors:
        raise errors.pop(min(errors))


def chunks_in_order(
    work: Callable[[int, int], T], count: int, threads: int | None, chunk: int
) -> Iterator[T]:
    """Yield what ``work(start, stop)`` gives for consecutive ranges, in their order.

    Only a few chunks are ahead of the one that is yielded, so that their results take little
    memory. Parameters and errors are those of `run_in_chunks`.
    """
    starts = range(0, count, chunk)
    workers = _workers(threads, len(starts))
    if workers <= 1:
        for start in starts:
            yield work(start, min(start + chunk, count))
        return
    from concurrent.futures import ThreadPoolExecutor  # costs import time that few need

    pool = ThreadPoolExecutor(workers, thread_name_prefix="fasttext-lite")
    ahead: deque[Future[T]] = deque()
    try:
        for start in starts:
            ahead.append(pool.submit(work, start, min(start + chunk, count)))
            if len(ahead) > 2 * workers:
                yield _result(ahead.popleft())
        while ahead:
            yield _result(ahead.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def chunks_with_bar(
    work: Callable[[int, int], T],
    count: int,
    threads: int | None,
    chunk: int,
    title: str,
    show: bool,
) -> Iterator[T]:
    """Yield as `chunks_in_order` does, and show a bar on a terminal once it takes over a second.

    Parameters
    ----------
    title : str
        Stands before the bar.
    show : bool
        False shows none; the others are those of `chunks_in_order`.
    """
    with progress_bar(title, count, "rows", show=show) as advance:
        for i, result in enumerate(chunks_in_order(work, count, threads, chunk)):
            yield result
            advance(min(chunk, count - i * chunk))


def _result(future: Future[T]) -> T:
    from concurrent.futures import wait

    while not future.done():
        wait((future,), _PATIENCE)
    return future.result()


def _workers(threads: int | None, chunks: int) -> int:
    if threads is not None:
        if not isinstance(threads, int):
            raise InputTypeError(f"threads must be int or None, not {type(threads).__name__}")
        if threads < 1:
            raise InputValueError(f"threads must be at least 1, not {threads}")
    return min(threads or available_cores(), chunks)
