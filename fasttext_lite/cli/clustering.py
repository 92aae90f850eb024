"""The command ``cluster``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.cli.output import json_line
from fasttext_lite.cluster_files import check_cluster_file, write_clusters
from fasttext_lite.clustering import METHODS, WORDS, cluster
from fasttext_lite.errors import InputValueError
from fasttext_lite.loading import load
from fasttext_lite.whispers import WEIGHTINGS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from fasttext_lite.clusters import Clusters

__all__ = ["add_commands"]

# Clusters of fewer words are not listed among the tightest.
_FEW = 5
# The width of the column of members.
_WIDTH = 72


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command; `command` creates one that accepts a model and more arguments."""
    parser = command("cluster", _cluster, "cluster words, without a number of clusters")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write the clusters to this file: *.tsv or *.parquet (a row for each word), or *.json",
    )
    words = parser.add_mutually_exclusive_group()
    words.add_argument(
        "--max-words",
        type=int,
        default=WORDS,
        metavar="N",
        help="cluster the first N words, the most frequent ones (default: %(default)s)",
    )
    words.add_argument(
        "--words", metavar="FILE", help="cluster the words in this file, one per line, known or not"
    )
    parser.add_argument(
        "-k", type=int, default=20, help="number of neighbors of a word (default: %(default)s)"
    )
    parser.add_argument(
        "--threshold",
        type=_threshold,
        default="auto",
        metavar="COSINE",
        help="link neighbors with a larger cosine (default: chosen by the neighbors)",
    )
    parser.add_argument(
        "--weighting",
        choices=WEIGHTINGS,
        default="log",
        help="what divides the weight of a link, so that words with many count less: nothing "
        "(cosine), the logarithm of their number, or the number (default: %(default)s)",
    )
    parser.add_argument("--method", choices=METHODS, default="whispers", help="(%(default)s)")
    parser.add_argument(
        "--one-way",
        action="store_true",
        help="link words also if only one is among the nearest of the other",
    )
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument(
        "--min-samples",
        type=int,
        default=5,
        metavar="N",
        help="dbscan: words that make a core (default: %(default)s)",
    )
    parser.add_argument(
        "--resolution",
        type=float,
        default=1.0,
        metavar="X",
        help="leiden: more finds more clusters (default: %(default)s)",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--approximate",
        action="store_true",
        default=None,
        help="search neighbors along a graph (default: for more than 300,000 words)",
    )
    how.add_argument(
        "--exact", dest="approximate", action="store_false", help="search neighbors exactly"
    )
    parser.add_argument(
        "--resume",
        metavar="FILE",
        help="keep the neighbors in this file as they are found; the same command goes on from it",
    )
    parser.add_argument(
        "--threads", type=int, metavar="N", help="number of threads (default: one per core)"
    )
    parser.add_argument(
        "--top",
        type=int,
        default=10,
        metavar="N",
        help="number of clusters to list (default: %(default)s)",
    )


def _threshold(text: str) -> float | str:
    return text if text == "auto" else float(text)


def _cluster(options: argparse.Namespace) -> None:
    if options.arguments:
        raise InputValueError(
            f"cluster accepts one model: remove {options.arguments[0]!r}; --words FILE names words"
        )
    if options.top < 0:
        raise InputValueError(f"--top must be at least 0, not {options.top}")
    if options.output is not None:
        check_cluster_file(options.output)
    found = cluster(
        load(options.model, progress=True),
        options.max_words if options.words is None else options.words,
        options.k,
        options.threshold,
        options.weighting,
        options.method,
        options.seed,
        mutual=not options.one_way,
        min_samples=options.min_samples,
        resolution=options.resolution,
        approximate=options.approximate,
        threads=options.threads,
        progress=True,
        resume=options.resume,
    )
    if options.output is not None:
        write_clusters(found, options.output)
    if options.json:
        for one in found:
            sys.stdout.buffer.write(json_line(asdict(one)))
        return
    text = "\n".join(_summary(found, options.top))
    sys.stdout.buffer.write(f"{text}\n".encode("utf-8", "surrogateescape"))


def _summary(found: Clusters, top: int) -> list[str]:
    noise = len(found.labels) - int(found.sizes.sum())
    first = (
        f"{len(found.labels):,} words: {len(found):,} clusters, and {noise:,} words in none; "
        f"the largest holds {found.largest_share:.1%} (threshold {found.recipe.threshold:.3f})"
    )
    lines = [first]
    if not top or not len(found):
        return lines
    large = np.flatnonzero(found.sizes >= _FEW)
    tight = large[np.argsort(-found.tightness[large], kind="stable")][:top]
    lines += ["", "The largest:", *_table(found, range(min(top, len(found))))]
    if len(tight):
        lines += ["", f"The tightest of at least {_FEW} words:", *_table(found, tight.tolist())]
    return lines


def _table(found: Clusters, numbers: Iterable[int]) -> list[str]:
    rows = []
    for number in numbers:
        members = ""
        for row in found.rows(number):
            longer = f"{members}, {found.words[row]}" if members else str(found.words[row])
            if len(longer) > _WIDTH:
                break
            members = longer
        rows.append((found.names[number], found.sizes[number], found.tightness[number], members))
    width = max(len("name"), *(len(row[0]) for row in rows))
    return [f"{'name':{width}}  {'size':>6}  cosine  members"] + [
        f"{name:{width}}  {size:6,}  {tightness:6.2f}  {members}"
        for name, size, tightness, members in rows
    ]
