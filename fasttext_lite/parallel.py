"""Work in chunks on several threads, for functions that release the GIL.

Threads take chunks from a shared queue, and the calling thread works too. The main thread handles
signals only between bytecodes, so chunks are short, and waits have a timeout: on Windows a signal
does not interrupt a wait. When a call ends early, the other threads stop at their next chunk. If no
thread can be started, the calling thread does all the work.

Where another thread is busy with Python code, it takes 5 ms to get the interpreter's lock back
after each chunk (`_core.text.lock`). Then a call keeps the lock until it knows how long it will
take, or to its end if that is near, and takes several chunks at a time after that.
"""

from __future__ import annotations

import os
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from fasttext_lite._core.text.lock import contended, held_time, hold
from fasttext_lite.arguments import whole
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from concurrent.futures import Future, ThreadPoolExecutor

    from fasttext_lite._core.text.batch import WordBatch

__all__ = ["chunks_in_order", "chunks_with_bar", "map_in_order", "run_in_chunks", "run_over"]

S = TypeVar("S")
T = TypeVar("T")

# Long enough that the overhead per chunk is negligible, short enough that an interrupt is handled
# within a second even if each row is read from a disk.
_CHUNK = 512
_CHUNK_BYTES = 1 << 13
# Timeout of a wait, in seconds.
_PATIENCE = 0.1
# Beside a busy thread, in seconds: how long a call keeps the lock to see how long it will take, the
# rest for which it keeps it as well, the time without it that repays taking it back, and the rest
# that is worth another thread, which takes the lock several times to start.
_TRIAL = 0.001
_BRIEF = 0.006
_WORTH = 0.04
_LONG = 0.1
# And the largest number of chunks at a time.
_MOST = 32


def available_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_in_chunks(
    work: Callable[[int, int], None], count: int, threads: int | None, chunk: int = _CHUNK
) -> None:
    """Call ``work(start, stop)`` for consecutive ranges that cover ``range(count)``.

    Parameters
    ----------
    work : callable
        Should release the GIL. An exception that it raises is raised here; of several exceptions,
        that of the first range.
    count : int
    threads : int or None
        Largest number of threads, including the calling one; None for one per core available to
        this process. A single chunk never starts a thread.
    chunk : int
        Length of a range.

    Raises
    ------
    InputTypeError, InputValueError
        `threads` is not a positive whole number.
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
    """Call ``work(start, stop)`` for ranges of words or texts; long texts make ranges shorter.

    Parameters
    ----------
    batch : WordBatch
    size : int
        Approximate number of bytes per range. Other parameters and errors are as for
        `run_in_chunks`.
    """
    _run(work, batch.ranges(chunk, size), threads)


def _run(
    work: Callable[[int, int], None], ranges: Sequence[tuple[int, int]], threads: int | None
) -> None:
    workers = _workers(threads, len(ranges))
    left = deque(ranges)
    # An estimate of the seconds for a chunk.
    each = 0.0
    if contended() and left:
        each = _work_with_lock(work, left)
        workers = min(workers, len(left)) if each * len(left) > _LONG else 1
    if workers <= 1:
        while left:
            begun = perf_counter()
            start, stop, count = _take(left, each)
            work(start, stop)
            each = (perf_counter() - begun) / count
        return
    errors: dict[int, BaseException] = {}

    def take_turns() -> None:
        own = each
        while True:
            begun = perf_counter()
            try:
                start, stop, count = _take(left, own)
            except IndexError:
                return
            try:
                work(start, stop)
            except BaseException as error:
                errors[start] = error
                left.clear()
                if not isinstance(error, Exception):
                    raise
            own = (perf_counter() - begun) / count

    pool = _pool(workers - 1)
    try:
        for _ in range(workers - 1):
            if not _submit(pool, take_turns):
                break
        take_turns()
    finally:
        left.clear()
        if pool is not None:
            pool.shutdown()
    if errors:
        raise errors.pop(min(errors))


def _work_with_lock(work: Callable[[int, int], None], left: deque[tuple[int, int]]) -> float:
    """Work while holding the lock until the rest takes long; return the seconds for a chunk.

    0 means that they are not known, since the work does not ask for the lock.
    """
    chunk = left[0][1] - left[0][0]
    done, last, begun = 0, 0.0, perf_counter()
    hold(True)
    try:
        # Other threads get their turns between the parts: their time does not count.
        while left and (done == 0 or (held_time() < _TRIAL and perf_counter() - begun < _PATIENCE)):
            start, stop = left.popleft()
            end = min(stop, start + max(chunk // 8, 1))
            if end < stop:
                left.appendleft((end, stop))
            before = held_time()
            work(start, end)
            done += end - start
            # The first part may take longer than others: for example, it reads pages.
            last = (held_time() - before) / (end - start)
        each = min(held_time() / done, last) * chunk
        if left and 0 < each * len(left) < _BRIEF:
            start, stop = left[0][0], left[-1][1]
            left.clear()
            work(start, stop)
    finally:
        hold(False)
    return each


def _take(left: deque[tuple[int, int]], each: float) -> tuple[int, int, int]:
    """Take a chunk, or several that are consecutive where another thread holds the lock.

    Raises IndexError if none is left.
    """
    start, stop = left.popleft()
    count = 1
    if each and contended():
        while count < _MOST and each * count < _WORTH:
            try:
                following = left.popleft()
            except IndexError:
                break
            if following[0] != stop:
                # Another thread took the one between.
                left.appendleft(following)
                break
            stop = following[1]
            count += 1
    return start, stop, count


def chunks_in_order(
    work: Callable[[int, int], T], count: int, threads: int | None, chunk: int
) -> Iterator[T]:
    """Yield the results of ``work(start, stop)`` for consecutive ranges, in order.

    Only a few chunks are computed ahead, so that pending results take little memory. Parameters
    and errors are as for `run_in_chunks`.
    """
    starts = range(0, count, chunk)
    workers = _workers(threads, len(starts))

    def work_from(start: int) -> T:
        return work(start, min(start + chunk, count))

    return map_in_order(work_from, starts, max(workers, 1))


def map_in_order(
    work: Callable[[S], T], items: Iterable[S], threads: int | None = None
) -> Generator[T, None, None]:
    """Yield the results of ``work(item)`` in the order of the items.

    The calling thread iterates over `items`, and only a few of them are ahead of the result that is
    yielded.

    Parameters
    ----------
    work : callable
        Should release the GIL.
    items : iterable
    threads : int or None
        Number of threads, besides the calling one; None for one per core available to this
        process. With 1, the calling thread does all the work.

    Raises
    ------
    InputTypeError, InputValueError
        `threads` is not a positive whole number.
    """
    workers = _workers(threads)
    if workers <= 1:
        yield from map(work, items)
        return
    from concurrent.futures import Future

    pool = _pool(workers)
    ahead: deque[Future[T]] = deque()
    waiting: deque[tuple[Future[T], S]] = deque()

    def take_one() -> None:
        try:
            result, item = waiting.popleft()
        except IndexError:
            return
        try:
            result.set_result(work(item))
        except BaseException as error:
            result.set_exception(error)
            if not isinstance(error, Exception):
                raise

    try:
        for item in items:
            ahead.append(Future())
            waiting.append((ahead[-1], item))
            if not _submit(pool, take_one):
                take_one()
            if len(ahead) > 2 * workers:
                yield _result(ahead.popleft())
        while ahead:
            yield _result(ahead.popleft())
    finally:
        waiting.clear()
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def chunks_with_bar(
    work: Callable[[int, int], T],
    count: int,
    threads: int | None,
    chunk: int,
    title: str,
    show: bool,
) -> Iterator[T]:
    """Yield like `chunks_in_order`, and show a progress bar once the work takes over a second.

    Parameters
    ----------
    title : str
        Printed before the bar.
    show : bool
        False shows no bar. Other parameters are as for `chunks_in_order`.
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


def _workers(threads: int | None, chunks: int | None = None) -> int:
    wanted = available_cores() if threads is None else whole("threads", threads, 1)
    return wanted if chunks is None else min(wanted, chunks)


def _pool(workers: int) -> ThreadPoolExecutor | None:
    try:
        from concurrent.futures import ThreadPoolExecutor  # costs import time that few need
    except RuntimeError:
        # The interpreter is shutting down.
        return None
    return ThreadPoolExecutor(workers, thread_name_prefix="fasttext-lite")


def _submit(pool: ThreadPoolExecutor | None, work: Callable[[], None]) -> bool:
    """Call `work` on a thread of the pool; return False if no thread can be started."""
    if pool is None:
        return False
    try:
        pool.submit(work)
    except RuntimeError:
        # There are too many threads, or the interpreter is shutting down.
        return False
    return True
