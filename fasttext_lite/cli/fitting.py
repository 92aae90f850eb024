"""The command ``fit-ngrams``."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

from fasttext_lite.arguments import path_name
from fasttext_lite.cli.output import add_no_strict, as_bytes, json_line, size, table, target_path
from fasttext_lite.errors import InputValueError
from fasttext_lite.formats.atomic import check_target, is_replaceable
from fasttext_lite.formats.compact import DTYPES
from fasttext_lite.loading import load
from fasttext_lite.ngram_fitting import fit_ngrams
from fasttext_lite.ngram_fitting.report import UNBOUNDED
from fasttext_lite.ngram_fitting.words import WEIGHTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fasttext_lite.ngram_fitting import Band, NgramFit

__all__ = ["add_commands"]

T = TypeVar("T")


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command; `command` creates one that accepts a model and more arguments."""
    fitting = command(
        "fit-ngrams",
        _fit,
        "fit character n-grams to word vectors that have none, and write both as one compact file",
        "TARGET",
        "the file to write, usually *.safetensors",
    )
    fitting.add_argument(
        "--minn", type=int, default=3, metavar="N",
        help="length of the shortest n-gram in characters (default: %(default)s)",
    )  # fmt: skip
    fitting.add_argument(
        "--maxn", type=int, default=6, metavar="N",
        help="length of the longest n-gram (default: %(default)s)",
    )  # fmt: skip
    fitting.add_argument(
        "--buckets", type=int, default=2_000_000, metavar="N",
        help="number of hash buckets (default: %(default)s)",
    )  # fmt: skip
    fitting.add_argument(
        "--ngrams", metavar="N", help="keep rows for the N n-grams only that occur in most words; "
        "used: for those that occur in any (default: a row for each bucket)",
    )  # fmt: skip
    fitting.add_argument(
        "--weighting", choices=WEIGHTINGS, default="count", help="weight of a word: its count, "
        "log(1 + count), or 1 (default: %(default)s)",
    )  # fmt: skip
    fitting.add_argument(
        "--regularization", default="auto", metavar="NUMBER",
        help="the ridge, or auto: the best one for the held-out words (default: %(default)s)",
    )  # fmt: skip
    fitting.add_argument(
        "--held-out", type=float, default=0.01, metavar="SHARE",
        help="share of the words by which the fit is measured (default: %(default)s)",
    )  # fmt: skip
    fitting.add_argument(
        "--held-out-words", metavar="FILE", help="hold out the words in a file, one per line"
    )
    fitting.add_argument(
        "--refit", action=argparse.BooleanOptionalAction, default=True,
        help="fit the n-grams to the held-out words, too, after the measurement (default: yes)",
    )  # fmt: skip
    fitting.add_argument(
        "--skip-frequent", type=int, default=0, metavar="N",
        help="do not fit the n-grams to the first N words",
    )  # fmt: skip
    fitting.add_argument(
        "--skip-broken", action="store_true", help="do not fit the n-grams to words with digits or "
        "marks of addresses, without letters, or with more than 40 characters",
    )  # fmt: skip
    fitting.add_argument(
        "--replace", action="store_true", help="fit new n-grams for a model that has some"
    )
    fitting.add_argument(
        "--dtype", choices=tuple(DTYPES), default="float32",
        help="number format of the matrices (default: %(default)s)",
    )  # fmt: skip
    fitting.add_argument(
        "--tolerance", type=float, default=0.005, metavar="SHARE",
        help="end when the residual is this small (default: %(default)s)",
    )  # fmt: skip
    fitting.add_argument(
        "--max-iterations", type=int, default=50, metavar="N",
        help="largest number of iterations (default: %(default)s)",
    )  # fmt: skip
    fitting.add_argument(
        "--seed", type=int, default=0,
        help="seed of the draw of held-out words (default: %(default)s)",
    )  # fmt: skip
    fitting.add_argument(
        "--neighbors-index", action="store_true", help="also store codes that make neighbors faster"
    )
    fitting.add_argument(
        "--graph", action="store_true", help="also store a graph for approximate searches"
    )
    fitting.add_argument(
        "--on-interrupt", metavar="FILE",
        help="write what was reached to this file if the fit is interrupted",
    )  # fmt: skip
    fitting.add_argument(
        "--plot", metavar="FILE",
        help="plot the held-out cosines by rank, to .svg, .png or .pdf",
    )  # fmt: skip
    fitting.add_argument(
        "--threads", type=int, metavar="N", help="number of threads (default: one per core)"
    )
    add_no_strict(fitting)


def _fit(options: argparse.Namespace) -> None:
    if len(options.arguments) != 1:
        raise InputValueError("fit-ngrams needs word vectors and a file to write")
    target = target_path(options.arguments[0])
    if options.plot is not None:
        check_target(target, path_name(options.plot))
    try:
        report = fit_ngrams(
            load(options.model, progress=True, strict=not options.no_strict),
            target,
            options.minn,
            options.maxn,
            options.buckets,
            ngrams=options.ngrams and _number("ngrams", options.ngrams, int, "used"),
            weighting=options.weighting,
            regularization=_number("regularization", options.regularization, float, "auto"),
            held_out=options.held_out_words or options.held_out,
            refit=options.refit,
            skip_frequent=options.skip_frequent,
            skip_broken=options.skip_broken,
            replace=options.replace,
            dtype=options.dtype,
            neighbors_index=options.neighbors_index,
            graph=options.graph,
            tolerance=options.tolerance,
            max_iterations=options.max_iterations,
            seed=options.seed,
            on_interrupt=options.on_interrupt,
            threads=options.threads,
            progress=True,
        )
    except KeyboardInterrupt:
        if options.on_interrupt is not None:
            print(
                f"fasttext-lite: interrupted; what was reached is in {options.on_interrupt}",
                file=sys.stderr,
            )
        raise
    if options.plot is not None:
        report.plot(options.plot)
    if options.json:
        values = asdict(report)
        del values["ranks"], values["cosines"]
        text = json_line(values)
    else:
        text = _describe(report)
    (sys.stdout if is_replaceable(target) else sys.stderr).buffer.write(text)


def _number(name: str, text: str, kind: Callable[[str], T], word: str) -> T | str:
    """Parse an option that is a number or a certain word."""
    if text == word:
        return text
    try:
        return kind(text)
    except ValueError:
        raise InputValueError(f"--{name} must be a number or {word}, not {text!r}") from None


def _describe(report: NgramFit) -> bytes:
    rows = f"{report.rows:,}"
    if report.used_rows < report.rows:
        rows += f", of which {report.used_rows:,} are used"
    weights = {
        "counts": "by the counts in the file",
        "ranks": "by the ranks of the words, since the file has no counts",
        "none": "the same for all words",
    }
    lines = [
        ("source", report.source),
        ("target", f"{report.target} ({size(report.size)})"),
        (
            "words",
            (
                f"{report.word_count:,}, of which {report.fitted_words:,} were fitted "
                f"({report.left_out:,} left out, {report.without_ngrams:,} without n-grams)"
            ),
        ),
        ("n-grams", f"{report.minn} to {report.maxn} characters, {report.buckets:,} buckets"),
        ("rows", f"{rows}, dim {report.dim}, {report.dtype}"),
        ("weights", f"{report.weighting}, {weights[report.frequencies]}"),
        ("ridge", f"{report.regularization:.3g}"),
        ("time", f"{report.seconds:.1f} s, {report.iterations:.1f} iterations"),
    ]
    if report.held_out_loss is not None:
        lines.append(("loss", f"{report.held_out_loss:.4f} of the squares of held-out vectors"))
    text = as_bytes("".join(f"{name + ':':14}{value}\n" for name, value in lines))
    if not report.held_out_words:
        return text
    numbers = report.held_out_cosine, report.held_out_percentile_1
    cosines = [
        ["cosines of held-out words", "words", "mean", "1st percentile"],
        ["all", f"{report.held_out_words:,}", *(f"{x:.4f}" for x in numbers)],
        *_bands("characters", report.by_length),
        *_bands("rank", report.by_rank),
    ]
    return text + b"\n" + table(cosines)


def _bands(name: str, bands: Iterable[Band]) -> Iterator[list[str]]:
    for band in bands:
        last = f" to {band.last:,}" if band.last < UNBOUNDED else " and more"
        numbers = [f"{band.mean:.4f}", f"{band.percentile_1:.4f}"]
        yield [f"  {name} {band.first:,}{last}", f"{band.words:,}", *numbers]
