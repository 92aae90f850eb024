"""The commands ``evaluate`` and ``compare``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from fasttext_lite.cli.output import json_line, size, table
from fasttext_lite.errors import InputValueError
from fasttext_lite.evaluate import (
    SimilarityResult,
    analogies,
    compare,
    holds_analogies,
    word_similarity,
)
from fasttext_lite.lines import read_blocks
from fasttext_lite.loading import load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from fasttext_lite.evaluate import AnalogyResult, Comparison, Cosines

__all__ = ["add_commands"]


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands; `command` creates one that accepts a model and more arguments."""
    comparing = command(
        "compare",
        _compare,
        "compare the vectors, neighbors and labels of two models",
        "OTHER",
        "the other model",
    )
    comparing.add_argument(
        "--words", metavar="FILE", help="compare the vectors of these words, one per line, "
        "instead of the words that both models know; - is stdin",
    )  # fmt: skip
    comparing.add_argument(
        "--sample", type=int, default=1000, metavar="N", help="number of words whose neighbors to "
        "compare, and number of misspellings to compare (default: %(default)s)",
    )  # fmt: skip
    comparing.add_argument(
        "-k", type=int, default=10, help="number of neighbors (default: %(default)s)"
    )
    comparing.add_argument(
        "--text",
        metavar="FILE",
        help="compare the first label predicted for these lines; - is stdin",
    )
    comparing.add_argument(
        "--seed", type=int, default=0, help="seed of the random sample (default: %(default)s)"
    )
    evaluating = command(
        "evaluate",
        _evaluate,
        "score a model by word similarity and analogies",
        "FILE ...",
        'files of analogies, which begin with a line ": section", or of word pairs with a score',
    )
    evaluating.add_argument(
        "--lowercase", action="store_true", help="look up all words in lower case"
    )
    evaluating.add_argument(
        "--known-only", action="store_true", help="leave out lines with unknown words, instead of "
        "computing their vectors from n-grams",
    )  # fmt: skip
    evaluating.add_argument(
        "--as-unknown", action="store_true", help="compute the vectors of known words from their "
        "n-grams, too, as if they were unknown",
    )  # fmt: skip
    evaluating.add_argument(
        "--max-words", type=int, default=300_000, metavar="N",
        help="search only the first N words for answers to analogies (default: %(default)s)",
    )  # fmt: skip


def _compare(options: argparse.Namespace) -> None:
    if len(options.arguments) != 1:
        raise InputValueError("compare needs two models")
    found = compare(
        options.model,
        options.arguments[0],
        words=None if options.words is None else _lines(options.words),
        sample=options.sample,
        texts=None if options.text is None else _lines(options.text),
        k=options.k,
        seed=options.seed,
        progress=True,
    )
    sys.stdout.buffer.write(json_line(asdict(found)) if options.json else _told(found))


def _told(found: Comparison) -> bytes:
    sides = (found.a, found.b)
    rows = [
        ["", *(Path(side.path).name for side in sides)],
        ["size", *(size(side.file_size) for side in sides)],
        ["words", *(f"{side.words:,}" for side in sides)],
        ["dim", *(f"{side.dim}" for side in sides)],
        ["words/s", *(_rate(side.words_per_second) for side in sides)],
    ]
    cosines = [["cosines", "words", "mean", "1st percentile", "worst", ""]]
    cosines += [_row("known to both", found.known), _row("unknown to both", found.unknown)]
    shares = [["words that both know", f"{found.common_words:,}"]]
    if found.neighbors is not None:
        near = found.neighbors
        shares.append([f"same among the {near.k} nearest of {near.words:,}", f"{near.mean:.4f}"])
    if found.labels is not None:
        shares.append([f"same label for {found.labels.texts:,} texts", f"{found.labels.share:.4f}"])
    return b"\n".join([table(rows), table(cosines), table(shares)])


def _row(name: str, found: Cosines | None) -> list[str]:
    if found is None:
        return [name, "-", "-", "-", "-", ""]
    numbers = found.mean, found.percentile_1, found.worst
    return [name, f"{found.words:,}", *(f"{x:.6f}" for x in numbers), f"({found.worst_word})"]


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:,.0f}"


def _evaluate(options: argparse.Namespace) -> None:
    if not options.arguments:
        raise InputValueError("name a file of word pairs or of analogies")
    model = load(options.model, progress=True)
    results: list[SimilarityResult | AnalogyResult] = [
        analogies(
            model,
            path,
            max_words=options.max_words,
            lowercase=options.lowercase,
            known_only=options.known_only,
            as_unknown=options.as_unknown,
            progress=True,
        )
        if holds_analogies(path)
        else word_similarity(
            model,
            path,
            lowercase=options.lowercase,
            known_only=options.known_only,
            as_unknown=options.as_unknown,
        )
        for path in options.arguments
    ]
    if options.json:
        for result in results:
            sys.stdout.buffer.write(json_line(asdict(result)))
        return
    rows = [["", "score", "correct", "of", "unknown", "left out"]]
    for result in results:
        rows += _scores(result)
    sys.stdout.buffer.write(table(rows))


def _scores(result: SimilarityResult | AnalogyResult) -> Iterator[list[str]]:
    """Yield the lines of the table for one file."""
    name = Path(result.path).name
    if isinstance(result, SimilarityResult):
        numbers = result.pairs, result.unknown, result.left_out
        yield [f"{name}, Spearman", _score(result.rho), "", *(f"{x:,}" for x in numbers)]
        return
    parts = [(f"{name}, accuracy", result.total)]
    parts += [(f"  {section.name}", section) for section in result.sections]
    for title, part in parts:
        numbers = part.asked + part.left_out, part.unknown, part.left_out
        yield [title, _score(part.accuracy), f"{part.correct:,}", *(f"{x:,}" for x in numbers)]


def _score(score: float | None) -> str:
    return "-" if score is None else f"{score:.4f}"


def _lines(path: str) -> Iterator[bytes]:
    """Yield the nonempty lines of a file or of stdin, without their line ends."""
    for lines, _ in read_blocks(sys.stdin.buffer if path == "-" else path):
        yield from (line.rstrip(b"\r") for line in lines if line.strip())
