"""The commands ``neighbors`` and ``analogies``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fasttext_lite.cli.output import as_bytes, as_text, json_line, word_groups, write_lines
from fasttext_lite.errors import InputValueError
from fasttext_lite.loading import load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from fasttext_lite.neighbors import Neighbor

__all__ = ["add_commands"]


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands; `command` creates one that accepts a model and more arguments."""
    neighbors = command(
        "neighbors", _neighbors, "list the known words nearest to each word", "[WORD ...]"
    )
    analogies = command(
        "analogies",
        _analogies,
        "list the known words nearest to A - B + C",
        "[A B C ...]",
        "three words, or several triples; without words, or with -, they are read from stdin, "
        "one triple per line",
    )
    for added in (neighbors, analogies):
        added.add_argument(
            "-k", type=int, default=10, help="number of words to list (default: %(default)s)"
        )
        added.add_argument(
            "--max-words",
            type=int,
            metavar="N",
            help="search only the first N words, the most frequent ones",
        )
        added.add_argument(
            "--min-score",
            type=float,
            metavar="COSINE",
            help="leave out words with a lower cosine",
        )
        added.add_argument(
            "--approximate",
            action="store_true",
            help="search along the graph of the file, which finds about 95 %% of the nearest words",
        )
        added.add_argument(
            "--accuracy",
            type=float,
            metavar="SHARE",
            help="search along the graph so that about this share of the nearest words is found",
        )


def _neighbors(options: argparse.Namespace) -> None:
    model = load(options.model, progress=True)

    def lines() -> Iterator[bytes]:
        for group in word_groups(options):
            answers = model.neighbors(
                group,
                options.k,
                max_words=options.max_words,
                min_score=options.min_score,
                approximate=options.approximate,
                accuracy=options.accuracy,
                progress=True,
            )
            for word, found in zip(group, answers, strict=True):
                known = word in model
                if options.json:
                    yield json_line(
                        {"word": as_text(word), "known": known, "neighbors": _objects(found)}
                    )
                    continue
                yield b"%s (%s)\n" % (as_bytes(word), b"known" if known else b"unknown")
                yield from _near_lines(found)

    write_lines(lines(), sys.stdout.buffer)


def _analogies(options: argparse.Namespace) -> None:
    model = load(options.model, progress=True)

    def lines() -> Iterator[bytes]:
        for group in word_groups(options):
            if len(group) % 3:
                raise InputValueError(f"an analogy needs three words, not {len(group)}")
            triples = list(zip(group[::3], group[1::3], group[2::3], strict=True))
            answers = model.analogies(
                triples,
                k=options.k,
                max_words=options.max_words,
                min_score=options.min_score,
                approximate=options.approximate,
                accuracy=options.accuracy,
                progress=True,
            )
            for triple, found in zip(triples, answers, strict=True):
                if options.json:
                    a, b, c = map(as_text, triple)
                    yield json_line({"a": a, "b": b, "c": c, "neighbors": _objects(found)})
                    continue
                yield b"%s - %s + %s\n" % tuple(map(as_bytes, triple))
                yield from _near_lines(found)

    write_lines(lines(), sys.stdout.buffer)


def _objects(found: Sequence[Neighbor]) -> list[dict[str, str | float]]:
    return [{"word": near.word, "score": near.score} for near in found]


def _near_lines(found: Sequence[Neighbor]) -> Iterator[bytes]:
    for near in found:
        yield b"  %s %.6g\n" % (as_bytes(near.word), near.score)
