"""The commands that write a model as another file."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from fasttext_lite.cli.output import json_line, size
from fasttext_lite.conversion import SUBWORDS, convert
from fasttext_lite.errors import InputValueError
from fasttext_lite.exports import FORMATS, export
from fasttext_lite.formats.compact import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from fasttext_lite.conversion import Report

__all__ = ["add_commands"]


def add_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    command: Callable[..., argparse.ArgumentParser],
) -> None:
    """Add the commands; `command` makes one with a model and more arguments."""
    _add_convert(
        commands.add_parser(
            "convert",
            help="write a model as one compact file, smaller and faster to open",
            description="Write a model as one compact file: the vectors of its words, summed once, "
            "and the rows of its n-grams. It takes the place of the target when it is whole.",
        )
    )
    _add_export_options(
        command(
            "export",
            _export,
            "write a model as a file that other programs open",
            "DST",
            "the file to write",
        )
    )


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", metavar="SOURCE", help="a model of any format; 'sample' is built in"
    )
    parser.add_argument("target", metavar="TARGET", help="by custom *.safetensors")
    parser.add_argument(
        "--dtype",
        choices=tuple(DTYPES),
        default="float32",
        help="float32 answers bit for bit like the source, float16 takes half of the space, int8 "
        "a quarter (default: %(default)s)",
    )
    parser.add_argument(
        "--max-words", type=int, metavar="N", help="keep the N first words, the most frequent ones"
    )
    parser.add_argument(
        "--min-count", type=int, metavar="N", help="keep words that occurred N times or more"
    )
    parser.add_argument("--words", metavar="FILE", help="keep the words of a file, one a line")
    parser.add_argument(
        "--subwords",
        choices=SUBWORDS,
        default="all",
        help="which n-grams to keep: all, those that the kept words use, none (unknown words are "
        "errors then), or only these and no words (default: %(default)s)",
    )
    parser.add_argument(
        "--extra-words",
        metavar="FILE",
        help="with --subwords used: words, one a line, whose n-grams to keep too",
    )
    parser.add_argument(
        "--dim", type=int, metavar="N", help="fewer dimensions, by principal component analysis"
    )
    parser.add_argument(
        "--neighbors-index",
        action="store_true",
        help="store codes too that make neighbors and analogies faster: half a byte a number",
    )
    parser.add_argument(
        "--threads", type=int, metavar="N", help="by default the cores that may be used"
    )
    parser.add_argument("--json", action="store_true", help="write the report as JSON")
    parser.set_defaults(run=_convert, arguments=[])


def _add_export_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="bin, ftz: the official dense and quantised file; vec: text; word2vec: binary; npy: a "
        "NumPy array and a list of words (default: by the suffix of DST)",
    )
    parser.add_argument(
        "--precision",
        metavar="DIGITS",
        help="vec: significant digits, 1 to 9 (default: 5), or exact",
    )
    parser.add_argument("--dsub", type=int, help="ftz: numbers that share a code (default: 2)")
    parser.add_argument(
        "--qnorm",
        action=argparse.BooleanOptionalAction,
        help="ftz: code the norms of the rows apart (default: yes)",
    )
    parser.add_argument(
        "--qout", action="store_const", const=True, help="ftz: quantise the output matrix too"
    )
    parser.add_argument(
        "--cutoff",
        type=int,
        metavar="ROWS",
        help="ftz, of supervised models: keep so many rows, those of the greatest norms",
    )
    parser.add_argument("--threads", type=int, help="how many (default: the cores of this process)")


def _convert(options: argparse.Namespace) -> None:
    if options.arguments:
        raise InputValueError(
            f"convert takes one source and one target, not also {options.arguments[0]!r}"
        )
    report = convert(
        options.model,
        options.target,
        options.dtype,
        max_words=options.max_words,
        min_count=options.min_count,
        words=options.words,
        subwords=options.subwords,
        extra_words=options.extra_words,
        dim=options.dim,
        neighbors_index=options.neighbors_index,
        threads=options.threads,
        progress=True,
    )
    if options.json:
        ratio = report.target_size / report.source_size
        sys.stdout.buffer.write(json_line(asdict(report) | {"ratio": ratio}))
    else:
        told = _describe_conversion(report).encode("utf-8", "surrogateescape")
        sys.stdout.buffer.write(told + b"\n")


def _describe_conversion(report: Report) -> str:
    lines = [
        ("source", f"{report.source} ({size(report.source_size)})"),
        (
            "target",
            (
                f"{report.target} ({size(report.target_size)}, "
                f"{report.target_size / report.source_size:.1%} of the source)"
            ),
        ),
        ("time", f"{report.seconds:.1f} s"),
        (
            "kept",
            (
                f"{report.words:,} of {report.source_words:,} words, "
                f"{report.subword_rows:,} of {report.source_subword_rows:,} n-gram rows, "
                f"dim {report.dim}, {report.dtype}"
            ),
        ),
    ]
    if report.variance is not None:
        lines.append(("variance", f"{report.variance:.1%} left"))
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
    return "\n".join(f"{name + ':':14}{value}" for name, value in lines)


def _export(options: argparse.Namespace) -> None:
    if len(options.arguments) != 1:
        raise InputValueError("export takes a model and the file to write")
    precision = options.precision
    if precision is not None and precision.isdecimal():
        precision = int(precision)
    done = export(
        options.model,
        options.arguments[0],
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
        sys.stdout.buffer.write(json_line(asdict(done)))
    else:
        print(
            f"{done.target}: {done.words:,} words, dim {done.dim}, format {done.format}, "
            f"{size(done.size)}, in {done.seconds:.1f} s"
        )
