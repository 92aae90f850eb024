"""The command ``annotate``."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from fasttext_lite.annotation import FORMATS, annotate
from fasttext_lite.annotator import Annotator
from fasttext_lite.cli.output import as_bytes, json_line
from fasttext_lite.cli.prediction import add_choice, add_probabilities, labels_among
from fasttext_lite.errors import InputValueError, ModelKindError
from fasttext_lite.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from fasttext_lite.annotation import Annotated

__all__ = ["add_commands"]

_EXAMPLES = """\
examples:
  fasttext-lite annotate lid.176.ftz 'corpus/**/*.parquet' --out annotated
  fasttext-lite annotate lid.176.ftz corpus --out kept \\
      --filter "label in ('en', 'de') and probability > 0.65"
  fasttext-lite annotate lid.176.ftz pages.jsonl.zst --out pages --column raw_content -k 3
  fasttext-lite annotate cc.en.300.bin corpus --out vectors --no-labels --sentence-vector vector
"""


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command; `command` creates one that accepts a model and more arguments."""
    parser = command(
        "annotate",
        _annotate,
        "add labels and vectors to the rows of Parquet files, JSON lines and texts",
        "IN ... --out DIR",
        "files, folders and patterns in quotes; also addresses that fsspec understands",
    )
    parser.epilog = _EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--out",
        required=True,
        metavar="DIR",
        help="the folder for the annotated files, which have the names of their inputs; the same "
        "command continues after an interrupt, and leaves finished files as they are",
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="the format of the inputs (default: by their suffixes)"
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace files in the folder that were made by other options or another program",
    )
    parser.add_argument(
        "--filter",
        metavar="CONDITION",
        help="keep the rows for which this is true: SQL of DuckDB on the columns, with texts in "
        "single quotes",
    )
    parser.add_argument(
        "--column",
        default="text",
        metavar="NAME",
        help="the column or field of texts (default: %(default)s)",
    )
    for option, added in (("label", "the label"), ("probability", "the probability of the label")):
        parser.add_argument(
            f"--{option}",
            default=option,
            metavar="NAME",
            help=f"the column that is added for {added} (default: %(default)s)",
        )
    parser.add_argument("--no-labels", action="store_true", help="add neither of the two")
    for option, added in (
        ("sentence-vector", "the vector of the text"),
        ("vector", "the vector of the text as one word"),
        ("evidence", "the number of rows of the model that speak for the labels"),
        ("known-words", "the number of known words"),
    ):
        parser.add_argument(f"--{option}", metavar="NAME", help=f"add a column with {added}")
    add_choice(parser, "row")
    add_probabilities(parser)
    parser.add_argument(
        "--keep-prefix", action="store_true", help="write labels with the prefix of the model"
    )
    for option, values, usual, meaning in (
        ("missing", ("empty", "raise"), "empty", "missing texts: add nulls, or stop"),
        ("newlines", ("raise", "space"), "raise", "newlines in a text: stop, or read spaces"),
        ("errors", ("strict", "replace"), "strict",
         "halves of surrogate pairs in a text: stop, or read U+FFFD"),
    ):  # fmt: skip
        parser.add_argument(
            f"--{option}", choices=values, default=usual, help=f"{meaning} (default: %(default)s)"
        )
    parser.add_argument("--sha256", metavar="DIGITS", help="check the file of the model")
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="number of threads that annotate (default: one per core)",
    )


def _annotate(options: argparse.Namespace) -> None:
    if not options.arguments:
        raise InputValueError("name files, folders or patterns to annotate")
    among = None
    if options.labels is not None:
        among = labels_among(options.labels, load(options.model).labels)
    names = ("column", "vector", "sentence_vector", "evidence", "known_words")
    same = ("k", "threshold", "renormalize", "official_bias", "missing", "newlines", "errors")
    annotator = Annotator(
        options.model,
        **{name: getattr(options, name) for name in (*names, *same, "sha256")},
        label=None if options.no_labels else options.label,
        probability=None if options.no_labels else options.probability,
        labels=among,
        strip_prefix=not options.keep_prefix,
    )
    try:
        done = annotate(
            annotator,
            options.arguments,
            options.out,
            filter=options.filter,
            format=options.format,
            overwrite=options.overwrite,
            threads=options.threads,
            progress=True,
        )
    except ModelKindError as error:
        raise ModelKindError(f"{error} (--no-labels)") from None
    sys.stdout.buffer.write(
        json_line(asdict(done)) if options.json else as_bytes(_told(done)) + b"\n"
    )


def _told(done: Annotated) -> str:
    files = f"{done.files:,} file{'s' * (done.files != 1)}"
    if done.finished_before:
        files += f" ({done.finished_before:,} finished before)"
    rows = f"{done.rows:,} rows"
    if done.kept != done.rows:
        rows += f", {done.kept:,} kept ({done.kept / done.rows:.1%})"
    rate = done.new_rows / done.seconds
    return f"{done.out}: {files}, {rows}, in {done.seconds:.1f} s ({rate:,.0f} rows/s)"
