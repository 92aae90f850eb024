"""The commands ``convert`` and ``export``."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from fasttext_lite.cli.output import add_no_strict, as_bytes, json_line, size, target_path
from fasttext_lite.conversion import convert
from fasttext_lite.errors import InputValueError
from fasttext_lite.exporting import FORMATS, export
from fasttext_lite.formats.atomic import is_replaceable
from fasttext_lite.formats.compact import DTYPES
from fasttext_lite.kept import SUBWORDS
from fasttext_lite.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from fasttext_lite.conversion import Report

__all__ = ["add_commands", "write_conversion"]


def add_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    command: Callable[..., argparse.ArgumentParser],
) -> None:
    """Add the commands; `command` creates one that accepts a model and more arguments."""
    _add_convert(
        commands.add_parser(
            "convert",
            help="write a model as one compact file, smaller and faster to open",
            description="Write a model as one compact file, which holds its precomputed word "
            "vectors and its n-gram rows. The file replaces the target when it is complete.",
        )
    )
    _add_export_options(
        command(
            "export",
            _export,
            "write a model in the file format of another program",
            "DST",
            "the file to write; - is stdout",
        )
    )


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", metavar="SOURCE", help="a model of any format; 'sample' is the built-in model"
    )
    parser.add_argument(
        "target", metavar="TARGET", help="the file to write, usually *.safetensors; - is stdout"
    )
    parser.add_argument(
        "--dtype",
        choices=tuple(DTYPES),
        default="float32",
        help="number format of the matrices: float32 gives the same results as the source, bit for "
        "bit; float16 takes half of its space, int8 a quarter (default: %(default)s)",
    )
    parser.add_argument(
        "--max-words",
        type=int,
        metavar="N",
        help="keep the first N words, the most frequent ones, and read no more word vectors",
    )
    parser.add_argument(
        "--min-count",
        type=int,
        metavar="N",
        help="keep words that occurred at least N times in training",
    )
    parser.add_argument("--words", metavar="FILE", help="keep the words in a file, one per line")
    parser.add_argument(
        "--subwords",
        choices=SUBWORDS,
        default="all",
        help="n-grams to keep: all; used: those of the kept words; none: unknown words are then "
        "errors; only: all n-grams but no words (default: %(default)s)",
    )
    parser.add_argument(
        "--extra-words",
        metavar="FILE",
        help="with --subwords used: additional words whose n-grams are kept, one per line",
    )
    parser.add_argument(
        "--dim", type=int, metavar="N", help="reduce to N dimensions (principal component analysis)"
    )
    parser.add_argument(
        "--map",
        metavar="FILE",
        help="multiply all rows by a matrix of shape (dim, new dim) in a .npy file",
    )
    parser.add_argument(
        "--neighbors-index",
        action="store_true",
        help="also store codes that make neighbors and analogies faster, half a byte per number",
    )
    parser.add_argument(
        "--graph",
        action="store_true",
        help="also store a graph for approximate searches, and the codes of --neighbors-index",
    )
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="number of threads (default: one per core)",
    )
    add_no_strict(parser)
    parser.add_argument("--json", action="store_true", help="write the report as JSON")
    parser.set_defaults(run=_convert, arguments=[])


def _add_export_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="bin, ftz: the official dense and quantised formats; vec: text; word2vec: binary; "
        "npy: a NumPy array and a list of words; model2vec: a folder (default: by the suffix "
        "of DST)",
    )
    parser.add_argument(
        "--precision",
        metavar="DIGITS",
        help="vec: significant digits, 1 to 9 (default: 5), or exact: the fewest that read "
        "back the same",
    )
    parser.add_argument("--dsub", type=int, help="ftz: columns that share a code (default: 2)")
    parser.add_argument(
        "--qnorm",
        action=argparse.BooleanOptionalAction,
        help="ftz: quantise the norms of the rows separately (default: yes)",
    )
    parser.add_argument(
        "--qout", action="store_const", const=True, help="ftz: also quantise the output matrix"
    )
    parser.add_argument(
        "--cutoff",
        type=int,
        metavar="ROWS",
        help="ftz of supervised models: number of rows to keep, those with the greatest norms",
    )
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="number of threads (default: one per core)",
    )
    add_no_strict(parser)


def _convert(options: argparse.Namespace) -> None:
    if options.arguments:
        raise InputValueError(
            f"convert accepts one source and one target: remove {options.arguments[0]!r}"
        )
    report = convert(
        options.model,
        target_path(options.target),
        options.dtype,
        max_words=options.max_words,
        min_count=options.min_count,
        words=options.words,
        subwords=options.subwords,
        extra_words=options.extra_words,
        dim=options.dim,
        map=options.map,
        neighbors_index=options.neighbors_index,
        graph=options.graph,
        strict=not options.no_strict,
        threads=options.threads,
        progress=True,
    )
    write_conversion(report, as_json=options.json)


def write_conversion(report: Report, *, as_json: bool) -> None:
    """Print the report of a conversion."""
    if as_json:
        ratio = report.size / report.source_size
        text = json_line(asdict(report) | {"ratio": ratio})
    else:
        text = as_bytes(_describe_conversion(report)) + b"\n"
    _write_report(report.target, text)


def _write_report(target: str, text: bytes) -> None:
    """Write to stdout, or to stderr if the target is a stream, which may be stdout."""
    (sys.stdout if is_replaceable(target) else sys.stderr).buffer.write(text)


def _describe_conversion(report: Report) -> str:
    lines = [
        ("source", f"{report.source} ({size(report.source_size)})"),
        (
            "target",
            (
                f"{report.target} ({size(report.size)}, "
                f"{report.size / report.source_size:.1%} of the source)"
            ),
        ),
        ("time", f"{report.seconds:.1f} s"),
        (
            "kept",
            (
                f"{report.word_count:,} of {report.source_word_count:,} words, "
                f"{report.subword_rows:,} of {report.source_subword_rows:,} n-gram rows, "
                f"dim {report.dim}, {report.dtype}"
            ),
        ),
    ]
    if report.variance is not None:
        lines.append(("variance", f"{report.variance:.1%} kept"))
    if report.loss is not None:
        loss = report.loss
        lines.append(
            (
                "loss",
                (
                    f"cosine to the exact vectors: mean {loss.mean:.6f}, 1st percentile "
                    f"{loss.percentile_1:.6f}, worst {loss.worst:.6f} ({loss.worst_word})"
                ),
            )
        )
    if report.graph is not None:
        graph = report.graph
        shares = ", ".join(
            f"{found:.1%} with effort {effort}" for effort, found in graph.accuracy[::2]
        )
        lines.append(("graph", f"{graph.builder}, in {graph.seconds:.1f} s"))
        lines.append(("recall", f"of the 10 nearest words: {shares}"))
    return "\n".join(f"{name + ':':14}{value}" for name, value in lines)


def _export(options: argparse.Namespace) -> None:
    if len(options.arguments) != 1:
        raise InputValueError("export needs a model and a file to write")
    precision = options.precision
    if precision is not None and precision.isdecimal():
        precision = int(precision)
    done = export(
        load(options.model, progress=True, strict=not options.no_strict),
        target_path(options.arguments[0]),
        options.format,
        precision=precision,
        dsub=options.dsub,
        qnorm=options.qnorm,
        qout=options.qout,
        cutoff=options.cutoff,
        threads=options.threads,
        progress=True,
    )
    if options.json:
        text = json_line(asdict(done))
    else:
        text = as_bytes(
            f"{done.target}: {done.word_count:,} words, dim {done.dim}, format {done.format}, "
            f"{size(done.size)}, in {done.seconds:.1f} s\n"
        )
        if (found := done.agreement) is not None:
            text += as_bytes(
                f"vectors of known words in the official program: {found.equal_numbers:.1%} of the "
                f"numbers equal; {found.equal:,} words equal, {found.one_ulp:,} within one ulp; "
                f"worst {found.worst:.1e} of the largest number\n"
            )
    _write_report(done.target, text)
