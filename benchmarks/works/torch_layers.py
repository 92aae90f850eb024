"""Layers of PyTorch over a model: forward, steps, two processes on one weight, loader workers.

The rows are those of the dense classifier: 2.1 million of 100 numbers at the full size. The peer is
PyTorch's own `EmbeddingBag` with as many rows in memory. Bags have twenty random rows.

The training is a logistic regression with a fixed head. Each of 50,000 rows has a hidden score, and
the class of a bag is the sign of their sum. All processes together see each bag once.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.libraries import OURS, TORCH
from benchmarks.memory import memory
from benchmarks.synthetic import CLASSIFIERS, SEED, Shape
from benchmarks.timing import seconds
from benchmarks.work import Figure, Outcome, Task, Unit, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    # Makes a layer, from whether gradients are sparse and whether processes share the weight.
    Make = Callable[[bool, bool], Any]

ROWS_PER_BAG = 20
# Bags of a step that is timed, and how many steps of each kind are.
STEP_BAGS = 32
SPARSE_STEPS, DENSE_STEPS = 30, 3
FORWARD_BAGS, FORWARDS = 2_000, 30

# Where the shared weight is: in memory, as that of PyTorch is, if the platform has such a folder.
SHARED = "/dev/shm" if Path("/dev/shm").is_dir() else True  # noqa: S108 - an anonymous file
TRAINED_ROWS = 50_000
BAGS, QUICK_BAGS = 500_000, 20_000
HELD_OUT = 10_000
BATCH = 256
RATE = 0.1

WORKERS = 4
WORDS_PER_BATCH = 500


def _shape(task: Task) -> Shape:
    return next(shape for name, shape in CLASSIFIERS.items() if f"-{name}-" in task.classifier)


def _bags(rows: Any) -> tuple[Any, Any]:
    """Return rows of shape (bags, rows) as the arguments of a layer."""
    import torch

    offsets = torch.arange(0, rows.size + 1, rows.shape[1])
    return torch.from_numpy(np.ascontiguousarray(rows).ravel()), offsets


def _forward(layer: Any, count: int) -> float:
    """Return the median time of the vector of a bag."""
    import torch

    bags = _bags(np.random.default_rng(SEED).integers(0, count, (FORWARD_BAGS, ROWS_PER_BAG)))
    with torch.no_grad():
        layer(*bags)
        return median(seconds(partial(layer, *bags)) for _ in range(FORWARDS)) / FORWARD_BAGS


def _steps(make: Callable[[], Any], count: int, number: int) -> tuple[float, float]:
    """Return the median time of a step, and the private memory of the layer after the first."""
    import torch

    bags = _bags(np.random.default_rng(SEED).integers(0, count, (STEP_BAGS, ROWS_PER_BAG)))
    # Pages of a file that was just written are private, but not what the layer takes.
    before = memory().get("anonymous", 0.0)
    layer = make()
    optimizer = torch.optim.SGD(layer.parameters(), lr=RATE)

    def step() -> None:
        optimizer.zero_grad()
        layer(*bags).square().sum().backward()
        optimizer.step()

    step()
    added = memory().get("anonymous", 0.0) - before
    return median(seconds(step) for _ in range(number)), added


class _Training:
    """The bags, and how a layer is trained on them."""

    def __init__(self, shape: Shape, bags: int) -> None:
        import torch

        rng = np.random.default_rng(SEED)
        trained = rng.permutation(shape.input_rows)[:TRAINED_ROWS]
        chosen = rng.integers(0, len(trained), (bags + HELD_OUT, ROWS_PER_BAG))
        scores = rng.standard_normal(len(trained))
        self._rows = trained[chosen]
        self._classes = torch.from_numpy((scores[chosen].sum(axis=1) > 0).astype(np.float32))
        self._head = torch.from_numpy(rng.choice([-1, 1], shape.dim).astype(np.float32))
        self._count = bags

    def _loss(self, layer: Any, start: int, stop: int, reduction: str) -> Any:
        from torch.nn import functional

        logits = layer(*_bags(self._rows[start:stop])) @ self._head
        classes = self._classes[start:stop]
        return functional.binary_cross_entropy_with_logits(logits, classes, reduction=reduction)

    def held_out(self, layer: Any) -> float:
        """Return the mean loss of bags that are not trained on."""
        import torch

        with torch.no_grad():
            return float(self._loss(layer, self._count, self._count + HELD_OUT, "mean"))

    def _train(self, layer: Any, part: int, parts: int, ready: Any) -> None:
        import torch

        optimizer = torch.optim.SGD(layer.parameters(), lr=RATE)
        ready.wait()
        for start in range(part * BATCH, self._count, parts * BATCH):
            optimizer.zero_grad()
            self._loss(layer, start, min(start + BATCH, self._count), "sum").backward()
            optimizer.step()

    def run(self, layer: Any, parts: int) -> tuple[float, float]:
        """Train in this many processes; return the time for a bag, elapsed and of processors."""
        # A process that is not forked cannot import this module.
        context = multiprocessing.get_context("fork")
        ready = context.Barrier(parts + 1)
        processes = [
            context.Process(target=self._train, args=(layer, part, parts, ready))
            for part in range(parts)
        ]
        for process in processes:
            process.start()
        ready.wait()
        start, used = perf_counter(), _used_by_children()
        for process in processes:
            process.join()
        taken, used = perf_counter() - start, _used_by_children() - used
        if any(process.exitcode for process in processes):
            raise RuntimeError("a process that trains has failed")
        return taken / self._count, used / self._count


def _used_by_children() -> float:
    """Return the processor time of the processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


class _Embed:
    """A `collate_fn` that says what private memory its worker has after each batch.

    Parameters
    ----------
    layer : FastTextEmbedding, bytes or None
        As the worker inherits it, or its pickle, or nothing.
    """

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def __call__(self, words: list[str]) -> tuple[int, float]:
        import torch

        if isinstance(self._layer, bytes):
            self._layer = pickle.loads(self._layer)  # noqa: S301 - our own
        with torch.no_grad():
            vectors = self._layer(words) if self._layer else torch.zeros(len(words), 300)
        private = memory().get("private", 0.0)
        del vectors
        return os.getpid(), private


def _in_workers(layer: Any, words: list[str]) -> list[float]:
    """Return the private memory of each worker after its last batch."""
    from torch.utils.data import DataLoader

    loader: Any = DataLoader(
        words,
        batch_size=WORDS_PER_BATCH,
        num_workers=WORKERS,
        collate_fn=_Embed(layer),
        multiprocessing_context="fork",
    )
    return list(dict(iter(loader)).values())


def _workers(task: Task) -> dict[str, float]:
    """Return what a frozen layer adds to the private memory of a worker of a `DataLoader`."""
    from fasttext_lite.integrations.torch import FastTextEmbedding

    words = [word for pair in zip(task.known, task.unknown, strict=False) for word in pair]
    without = min(_in_workers(None, words))
    layer = FastTextEmbedding(task.model)
    return {
        "worker_forked": max(_in_workers(layer, words)) - without,
        "worker_opened": max(_in_workers(pickle.dumps(layer), words)) - without,
    }


def _measure(task: Task, make: Make, frozen: Callable[[], Any] | None) -> Outcome:
    """Measure what both libraries do."""
    import torch

    # Forked processes would wait for other threads.
    torch.set_num_threads(1)
    shape = _shape(task)
    rows = shape.input_rows
    # What PyTorch imports and allocates at the first step is not memory of the layer.
    _steps(lambda: torch.nn.EmbeddingBag(ROWS_PER_BAG, 1, include_last_offset=True), 1, 1)
    values = {}
    values["sparse"], values["sparse_private"] = _steps(
        partial(make, True, False), rows, SPARSE_STEPS
    )
    values["dense"], values["dense_private"] = _steps(
        partial(make, False, False), rows, DENSE_STEPS
    )
    values["forward"] = _forward(make(True, False), rows)
    if frozen is not None:
        values["forward_frozen"] = _forward(frozen(), rows)
    training = _Training(shape, QUICK_BAGS if task.quick else BAGS)
    losses, used = [], []
    for parts, name in enumerate(("one", "two"), 1):
        layer = make(True, True)
        untrained = training.held_out(layer)
        values[name], processors = training.run(layer, parts)
        used.append(processors)
        losses.append(training.held_out(layer))
    for name, one, other in (
        ("step_share", values["sparse"], values["dense"]),
        ("private_share", values["sparse_private"], values["dense_private"]),
        ("two_share", values["two"], values["one"]),
        ("loss_share", losses[1], losses[0]),
    ):
        if other > 0:
            values[name] = one / other
    note = (
        f"a dense step takes {values['dense'] / values['sparse']:.0f} × the time of a sparse one, "
        f"and {values['dense_private'] / max(values['sparse_private'], 1):.0f} × the memory; two "
        f"processes train {values['one'] / values['two']:.2f} × as fast as one, with "
        f"{used[1] / used[0]:.2f} × the processor time; loss "
        f"{untrained:.3f} before, {losses[0]:.3f} after one process, {losses[1]:.3f} after two"
    )
    return Outcome(values, notes=[note])


def _ours(task: Task) -> Outcome:
    from fasttext_lite.integrations.torch import FastTextEmbedding

    def make(sparse: bool, shared: bool) -> Any:
        where = SHARED if shared else False
        return FastTextEmbedding(task.classifier, freeze=False, sparse=sparse, shared=where)

    outcome = _measure(task, make, partial(FastTextEmbedding, task.classifier))
    outcome.values.update(_workers(task))
    return outcome


def _torch(task: Task) -> Outcome:
    import torch

    shape = _shape(task)

    def make(sparse: bool, shared: bool) -> Any:
        layer = torch.nn.EmbeddingBag.from_pretrained(
            torch.empty(shape.input_rows, shape.dim).uniform_(-0.1, 0.1),
            freeze=False,
            mode="mean",
            sparse=sparse,
            include_last_offset=True,
        )
        return layer.share_memory() if shared else layer

    return _measure(task, make, None)


WORK = Work(
    title="Layers of PyTorch",
    figures=(
        Figure("forward", "a bag of 20 rows, forward, trained layer", Unit.SECONDS),
        Figure(
            "forward_frozen",
            "a bag of 20 rows, forward, frozen layer over the file",
            Unit.SECONDS,
            stand_ins=("forward",),
        ),
        Figure("sparse", "a step with sparse gradients", Unit.SECONDS),
        Figure("dense", "a step with dense gradients", Unit.SECONDS),
        Figure(
            "step_share",
            "sparse step, share of the dense one's time",
            Unit.TIMES,
            ceiling=1 / 20,
            compared=False,
        ),
        Figure("sparse_private", "private memory of the layer, sparse step", Unit.BYTES),
        Figure("dense_private", "private memory of the layer, dense step", Unit.BYTES),
        Figure(
            "private_share",
            "sparse step, share of the dense one's memory",
            Unit.TIMES,
            ceiling=1 / 50,
            compared=False,
        ),
        Figure("one", "training, a bag, one process", Unit.SECONDS),
        Figure("two", "training, a bag, two processes on one weight", Unit.SECONDS),
        Figure(
            "two_share",
            "two processes, share of the time of one",
            Unit.TIMES,
            ceiling=1 / 1.7,
            compared=False,
        ),
        Figure(
            "loss_share",
            "two processes, held-out loss by that of one",
            Unit.TIMES,
            ceiling=1.02,
            compared=False,
        ),
        Figure(
            "worker_forked",
            "what a frozen layer adds to a loader's worker that inherits it",
            Unit.BYTES,
            ceiling=60e6,
        ),
        Figure(
            "worker_opened",
            "what a frozen layer adds to a loader's worker that opens it",
            Unit.BYTES,
            ceiling=60e6,
        ),
    ),
    libraries={OURS: _ours, TORCH: _torch},
    needs=("model", "classifier"),
    rounds=3,
)
