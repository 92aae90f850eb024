"""The command ``map``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fasttext_lite.cli.output import json_line
from fasttext_lite.errors import FileError, InputValueError
from fasttext_lite.maps import SUFFIXES, check_map_target, map_words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["add_commands"]

_ESCAPED = {"t": "\t", "n": "\n", "r": "\r"}


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command; `command` creates one that accepts a model and more arguments."""
    added = command("map", _map, "draw a map on which similar words are close to each other")
    added.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        action="append",
        help="the file to write, whose name ends with one of "
        f"{', '.join(SUFFIXES)}; several files show the same map (default: map.html)",
    )
    added.add_argument(
        "--words",
        metavar="N|FILE",
        help="how many of the most frequent words to lay out, or a file with a word in each line "
        "(default: 50000)",
    )
    added.add_argument(
        "--placed",
        metavar="N|all",
        default="0",
        help="put so many further words between their neighbors on the finished map (default: 0)",
    )
    added.add_argument(
        "--labels", action="store_true", help="map the labels of a classifier instead of its words"
    )
    clusters = added.add_mutually_exclusive_group()
    clusters.add_argument(
        "--clusters",
        metavar="FILE",
        help="the clusters in this file of lines with tabs, as `fasttext-lite cluster -o FILE.tsv` "
        "writes it (default: find clusters)",
    )
    clusters.add_argument(
        "--no-clusters", action="store_true", help="neither color nor name clusters"
    )
    added.add_argument("-k", type=int, help="number of neighbors of each word (default: 15)")
    added.add_argument(
        "--seed", type=int, default=0, help="seed of the layout and the clusters (default: 0)"
    )
    added.add_argument("--title", help="title of the page or picture")
    added.add_argument(
        "--threads", type=int, metavar="N", help="number of threads (default: one per core)"
    )


def _map(options: argparse.Namespace) -> None:
    if options.arguments:
        raise InputValueError(f"map accepts one model: remove {options.arguments[0]!r}")
    if options.labels and (options.words is not None or options.placed != "0"):
        raise InputValueError("--labels maps all labels: remove --words and --placed")
    targets = options.output or ["map.html"]
    for target in targets:
        # Before minutes of work.
        check_map_target(target)
    clusters: dict[str, str] | bool | None = False if options.no_clusters else None
    if options.clusters is not None:
        clusters = _read_clusters(options.clusters)
    more = {} if options.words is None else {"words": _number(options.words)}
    found = map_words(
        options.model,
        **more,
        of="labels" if options.labels else "words",
        clusters=clusters,
        k=options.k,
        placed=_number(options.placed),
        seed=options.seed,
        threads=options.threads,
        progress=True,
    )
    for target in targets:
        found.write(target, title=options.title)
    if options.json:
        about = {"files": targets, found.kind: len(found), "clusters": len(found.names)}
        sys.stdout.buffer.write(json_line(about))
        return
    counted = f"{len(found):,} {found.kind}, {len(found.names):,} clusters"
    print(f"{counted}: {', '.join(targets)}")


def _number(text: str) -> int | str:
    """Return a whole number; anything else, such as the name of a file, as it is."""
    return int(text) if text.isdecimal() else text


def _read_clusters(path: str) -> dict[str, str]:
    """Return the name of the cluster of each word."""
    try:
        lines = Path(path).read_bytes().decode("utf-8", "surrogateescape").split("\n")
    except OSError as error:
        raise FileError.from_os(error, path) from None
    columns = lines[0].split("\t")
    if not {"word", "name"} <= set(columns):
        raise InputValueError(
            f"{path}: the first line names no columns 'word' and 'name' with a tab between them, "
            "as in the files of `fasttext-lite cluster -o FILE.tsv`"
        )
    word, name = columns.index("word"), columns.index("name")
    found = {}
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) == len(columns):
            found[_unescaped(cells[word])] = _unescaped(cells[name])
        elif line:
            raise InputValueError(
                f"{path}, line {number}: {len(cells)} columns instead of {len(columns)}"
            )
    return found


def _unescaped(cell: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPED.get(found[1], found[1]), cell)
