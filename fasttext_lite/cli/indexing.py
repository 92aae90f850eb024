"""The commands ``index`` and ``recall``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite.cli.conversion import write_conversion
from fasttext_lite.cli.output import json_line, table, target_path
from fasttext_lite.conversion import convert
from fasttext_lite.errors import InputValueError
from fasttext_lite.evaluate import graph_recall
from fasttext_lite.formats.compact import DTYPES
from fasttext_lite.loading import load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["add_commands"]


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands; `command` creates one that accepts a model and more arguments."""
    index = command(
        "index",
        _index,
        "write a model as one compact file with a graph for approximate searches",
        "TARGET",
        "the file to write, usually *.safetensors",
    )
    index.add_argument(
        "--dtype",
        choices=tuple(DTYPES),
        help="number format of the matrices (default: that of the vectors in the source; float32 "
        "if it holds none)",
    )
    recall = command(
        "recall", _recall, "measure how many of the nearest words approximate searches find"
    )
    recall.add_argument(
        "--sample",
        type=int,
        default=1000,
        metavar="N",
        help="number of words to search the neighbors of (default: %(default)s)",
    )
    recall.add_argument(
        "-k", type=int, default=10, help="number of neighbors (default: %(default)s)"
    )
    recall.add_argument(
        "--accuracy",
        type=float,
        metavar="SHARE",
        help="the share to aim at (default: 0.8, 0.9, 0.95, 0.98 and 0.99)",
    )
    recall.add_argument(
        "--seed", type=int, default=0, help="seed of the random sample (default: %(default)s)"
    )
    for added in (index, recall):
        added.add_argument(
            "--threads", type=int, metavar="N", help="number of threads (default: one per core)"
        )


def _index(options: argparse.Namespace) -> None:
    if len(options.arguments) != 1:
        raise InputValueError("index needs a model and a file to write")
    model = load(options.model, progress=True)
    rows = model._parts.vectors.rows if model._parts.vectors else None
    own = rows.dtype if isinstance(rows, DenseRows) else "float32"
    report = convert(
        model,
        target_path(options.arguments[0]),
        options.dtype or own,
        graph=True,
        threads=options.threads,
        progress=True,
    )
    write_conversion(report, as_json=options.json)


def _recall(options: argparse.Namespace) -> None:
    if options.arguments:
        raise InputValueError(f"recall accepts one model: remove {options.arguments[0]!r}")
    model = load(options.model, progress=True)
    wanted = [0.8, 0.9, 0.95, 0.98, 0.99] if options.accuracy is None else [options.accuracy]
    rows = [["accuracy", "recall", "worst query", "ms a query", "exact search, ms"]]
    for accuracy in wanted:
        found = graph_recall(
            model,
            sample=options.sample,
            k=options.k,
            accuracy=accuracy,
            seed=options.seed,
            threads=options.threads,
        )
        if found is None:
            raise InputValueError(f"{model.info.path}: recall needs a model of at least two words")
        if options.json:
            sys.stdout.buffer.write(json_line(asdict(found)))
            continue
        shares = [f"{found.accuracy:g}", f"{found.recall:.4f}", f"{found.worst:.2f}"]
        rows.append([*shares, f"{found.seconds * 1e3:.3f}", f"{found.exact_seconds * 1e3:.3f}"])
    if not options.json:
        sys.stdout.buffer.write(table(rows))
