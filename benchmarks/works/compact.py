"""The compact file: convert to it, open it, and share it among processes."""

from __future__ import annotations

import multiprocessing
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import memory
from benchmarks.files import check_space, read_through
from benchmarks.libraries import OURS
from benchmarks.work import Figure, Outcome, Task, Unit, Work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

DTYPES = ("float32", "float16", "int8")
PROCESSES = 8
WORDS = 100_000


# Bounds on the size relative to the official file: at most two thirds for the matrices, plus the
# vocabulary with its index.
SHARE = {"float32": 0.8, "float16": 0.42, "int8": 0.25}


def compact_path(model: str, kind: str) -> Path:
    """Return the path of a compact file of a model."""
    return Path(model).with_suffix(f".{kind}.safetensors")


def ensure_compact(model: str, dtype: str, **options: Any) -> str:
    """Convert a model to a compact file, unless a newer one than the model exists.

    Parameters
    ----------
    model : str
    dtype : str
    **options
        Other options of `convert`; their names become part of the file name.
    """
    path = compact_path(model, "-".join([dtype, *options]))
    if not path.exists() or path.stat().st_mtime < Path(model).stat().st_mtime:
        check_space(path, Path(model).stat().st_size * (SHARE[dtype] + 0.2 * bool(options)))
        import_module("fasttext_lite").convert(model, path, dtype, **options)
    read_through(path)
    return str(path)


def _convert(task: Task) -> Outcome:
    convert = import_module("fasttext_lite").convert
    values = {}
    for dtype in DTYPES:
        target = compact_path(task.model, dtype)
        check_space(target, Path(task.model).stat().st_size * SHARE[dtype])
        with memory.Peak() as peak:
            start = perf_counter()
            report = convert(task.model, target, dtype)
            values[f"{dtype}_seconds"] = perf_counter() - start
        values[f"{dtype}_private"] = peak.most
        values[f"{dtype}_size"] = float(report.size)
    return Outcome(values)


def _open(task: Task) -> Outcome:
    ftl = import_module("fasttext_lite")
    path = ensure_compact(task.model, "float16")
    values = {}
    for name, word in (("known", task.known[0]), ("unknown", task.unknown[0])):
        before = memory.memory()
        start = perf_counter()
        model = ftl.load(path)
        model[word]
        values[f"open_{name}"] = perf_counter() - start
        after = memory.memory()
        if "private" in after:
            values[f"added_{name}"] = after["private"] - before["private"]
        del model
    return Outcome(values)


def _embed(path: str, seed: int, pipe: Connection) -> None:
    """Open the file, embed random words, and send the private memory without the vectors."""
    letters = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8)
    random = np.random.default_rng(seed)
    words = [random.choice(letters, random.integers(6, 15)).tobytes() for _ in range(WORDS)]
    model = import_module("fasttext_lite").load(path)
    vectors = model.vectors(words, threads=1)
    pipe.send(memory.memory()["private"] - vectors.nbytes)
    pipe.recv()


def _share(task: Task) -> Outcome:
    import_module("fasttext_lite")
    if "private" not in memory.memory():
        return Outcome({})
    path = ensure_compact(task.model, "float16")
    context = multiprocessing.get_context("fork")
    pipes, workers = [], []
    for seed in range(PROCESSES):
        ours, theirs = context.Pipe()
        worker = context.Process(target=_embed, args=(path, seed, theirs))
        worker.start()
        pipes.append(ours)
        workers.append(worker)
    # All processes are alive while they measure, so that shared pages count as shared.
    private = [pipe.recv() for pipe in pipes]
    for pipe in pipes:
        pipe.send(None)
    for worker in workers:
        worker.join()
    return Outcome({"private_sum": float(sum(private))})


def _limits(dtype: str, seconds: float, size: float | None) -> tuple[Figure, ...]:
    return (
        Figure(
            f"{dtype}_seconds",
            f"to {dtype}",
            Unit.SECONDS,
            ceiling=seconds,
            headline=f"convert to {dtype}",
        ),
        Figure(f"{dtype}_private", f"to {dtype}: most private memory", Unit.BYTES, ceiling=300e6),
        Figure(f"{dtype}_size", f"to {dtype}: size of the file", Unit.BYTES, ceiling=size),
    )


CONVERTING = Work(
    title="Converting",
    figures=(
        *_limits("float32", 30, None),
        *_limits("float16", 20, 2.5e9),
        *_limits("int8", 30, 1.3e9),
    ),
    libraries={OURS: _convert},
    # Each conversion takes up to a minute at the full size.
    rounds=2,
)

OPENING = Work(
    title="Opening a compact file",
    figures=tuple(
        figure
        for name in ("known", "unknown")
        for figure in (
            Figure(
                f"open_{name}",
                f"open and get the vector of one {name} word",
                Unit.SECONDS,
                ceiling=0.003,
                headline="the float16 file: open and first vector" if name == "known" else None,
            ),
            Figure(
                f"added_{name}",
                f"private memory that this adds ({name} word)",
                Unit.BYTES,
                ceiling=5e6,
            ),
        )
    ),
    libraries={OURS: _open},
)

SHARING = Work(
    title="Sharing a compact file",
    figures=(
        Figure(
            "private_sum",
            f"{PROCESSES} processes that embed {WORDS:,} words each: private memory of all, "
            "without the vectors",
            Unit.BYTES,
            ceiling=200e6,
            headline=f"{PROCESSES} processes on it, {WORDS:,} words each: private memory of all, "
            "without the vectors",
        ),
    ),
    libraries={OURS: _share},
)
