"""The command ``fasttext-lite``."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING

from fasttext_lite import __version__
from fasttext_lite.cli import (
    annotation,
    clustering,
    conversion,
    downloads,
    evaluation,
    fitting,
    indexing,
    maps,
    nearest,
    prediction,
    serving,
    texts,
)
from fasttext_lite.cli.output import (
    add_no_strict,
    as_bytes,
    as_text,
    json_line,
    size,
    word_groups,
    write_lines,
)
from fasttext_lite.cpu import cpu_features
from fasttext_lite.errors import FastTextLiteError, InputValueError
from fasttext_lite.formats import sha256
from fasttext_lite.formats.atomic import AtomicFile, check_target
from fasttext_lite.formats.npy import npy_header
from fasttext_lite.loading import load, model_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    import numpy as np
    from numpy.typing import NDArray

    from fasttext_lite.model import Model
    from fasttext_lite.parts import Info

__all__ = ["main"]

# Significant digits that the official program writes.
_DIGITS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default the arguments of the process.

    Returns
    -------
    int
        Exit status: 0; 2 after an error, which is printed as one line on stderr; 130 after an
        interrupt.
    """
    try:
        parser = _parser()
        options, more = parser.parse_known_args(arguments)
        # argparse does not parse words after an option; only those that look like options are
        # errors.
        if any(word.startswith("-") and word != "-" for word in more):
            parser.error(f"unrecognized arguments: {' '.join(more)}")
        options.arguments += more
        run: Callable[[argparse.Namespace], None] = options.run
        if options.model is None and not getattr(options, "cpu", False):
            if not options.arguments:
                raise InputValueError("name a model file, or -m sample for the built-in one")
            options.model, *options.arguments = options.arguments
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            run(options)
        sys.stdout.flush()
    except FastTextLiteError as error:
        print(f"fasttext-lite: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        # Leave nothing to flush into a closed pipe or a full disk.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            # The program that reads the output, such as head, has closed it.
            return 0
        print(f"fasttext-lite: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning as one line, without the place in the code."""
    del category, filename, lineno, line
    print(f"fasttext-lite: {message}", file=file or sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fasttext-lite",
        description="Query, convert, export and evaluate fastText models, and annotate files.",
    )
    parser.add_argument("--version", action="version", version=f"fasttext-lite {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        name: str,
        run: Callable[[argparse.Namespace], None],
        summary: str,
        words: str = "",
        meaning: str = "words; without words, or with -, words are read from stdin",
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            usage=f"fasttext-lite {name} [options] (MODEL | -m MODEL){words and ' ' + words}",
        )
        added.add_argument(
            "arguments",
            nargs="*",
            metavar="MODEL" + (words and f" {words}"),
            help="a model file" + (words and f", then {meaning}"),
        )
        added.add_argument(
            "-m",
            "--model",
            help="the model, instead of the first argument; 'sample' is the built-in model",
        )
        added.add_argument("--json", action="store_true", help="write JSON, one object per line")
        added.set_defaults(run=run)
        return added

    info = command("info", _info, "describe a model file, reading only its head")
    info.add_argument(
        "--cpu", action="store_true", help="list the kernels that this CPU can run, without a model"
    )
    add_no_strict(info)
    info.add_argument(
        "--hash",
        action="store_true",
        help="also print the SHA-256 of the file, as `load(path, sha256=…)` checks it",
    )
    vectors = command("vectors", _vectors, "print the vectors of words, known or not", "[WORD ...]")
    vectors.add_argument(
        "--format",
        choices=("text", "npy"),
        default="text",
        help="text: one line per word with its numbers, as in the official program (default); "
        "npy: one NumPy array of shape (words, dim)",
    )
    vectors.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write to this file instead of stdout; an existing file is replaced when the new one "
        "is complete",
    )
    ngrams = command(
        "ngrams", _ngrams, "list the distinct n-grams of words and their rows", "[WORD ...]"
    )
    ngrams.add_argument(
        "--vectors",
        action="store_true",
        help="print the vector of each n-gram instead of its row number, as print-ngrams of the "
        "official program does",
    )
    nearest.add_commands(command)
    clustering.add_commands(command)
    conversion.add_commands(commands, command)
    indexing.add_commands(command)
    downloads.add_commands(command)
    texts.add_commands(commands, command)
    fitting.add_commands(command)
    prediction.add_commands(command)
    annotation.add_commands(command)
    maps.add_commands(command)
    evaluation.add_commands(command)
    serving.add_commands(command)
    return parser


def _numbers(vector: NDArray[np.float32]) -> list[float]:
    """Return numbers whose shortest decimal form reads back as the same float32."""
    return [float(str(number)) for number in vector]


def _text_line(word: bytes, vector: NDArray[np.float32]) -> bytes:
    numbers = f"%.{_DIGITS}g " * len(vector) % tuple(vector.tolist())
    return b"%s %s\n" % (word, numbers.encode())


def _info(options: argparse.Namespace) -> None:
    if options.cpu:
        _info_of_cpu(options)
        return
    if options.arguments:
        raise InputValueError(f"info accepts one model: remove {options.arguments[0]!r}")
    info = load(options.model, progress=True, strict=not options.no_strict).info
    found = sha256(model_source(options.model), progress=True) if options.hash else None
    if options.json:
        nested: dict[str, object] = {
            "parameters": info.parameters._asdict(),
            "sections": [section._asdict() for section in info.sections],
            "memory": _memory(info),
        }
        if found:
            nested["sha256"] = found
        sys.stdout.buffer.write(json_line(info._asdict() | nested))
        return
    print(_describe(info))
    if found:
        print(f"sha256:       {found}")


def _info_of_cpu(options: argparse.Namespace) -> None:
    if options.model is not None or options.arguments or options.hash:
        raise InputValueError("info --cpu accepts neither a model nor --hash: remove it")
    found = cpu_features()
    if options.json:
        sys.stdout.buffer.write(json_line(asdict(found)))
        return
    kernels = [f"{name} (in use)" if name == found.chosen else name for name in found.kernels]
    print(f"features:     {' '.join(found.features) or 'none that the kernels use'}")
    print(f"kernels:      {', '.join(kernels)}")
    print(f"others:       set {found.variable}={found.kernels[-1]} in the environment")


def _memory(info: Info) -> dict[str, int]:
    mapped = info.file_size if info.sections else 0
    return {
        "mapped_private": info.index_size,
        "mapped_shared_at_most": mapped,
        "read_private": info.index_size + mapped,
    }


def _describe(info: Info) -> str:
    parameters = info.parameters
    ngrams = "none"
    if parameters.bucket and (parameters.maxn > 0 or parameters.hash_count):
        ngrams = f"{max(parameters.minn, 1)} to {parameters.maxn} characters"
        if parameters.hash_count:
            parts = f"whole words and {ngrams}" if parameters.maxn > 0 else "whole words"
            ngrams = f"{parts}, each with {parameters.hash_count} rows (floret)"
        ngrams += f", {parameters.bucket:,} buckets"
        if info.pruned:
            ngrams += f", pruned to {info.subword_rows:,} rows"
    quantized = [
        name
        for name, flag in (("input", info.quantized_input), ("output", info.quantized_output))
        if flag
    ]
    memory = _memory(info)
    lines = [
        ("file", f"{info.path} ({size(info.file_size)})"),
        ("format", info.format),
        ("kind", info.kind if info.kind == "vectors" else f"{info.kind}, loss {parameters.loss}"),
        ("dim", f"{parameters.dim}"),
        ("words", f"{info.word_count:,}"),
    ]
    if info.head_word_count not in (None, info.word_count):
        lines[-1] = ("words", f"{info.word_count:,} (the head says {info.head_word_count:,})")
    if info.kind != "vectors":
        lines[-1] = ("words", f"{info.word_count:,} from {info.token_count:,} tokens")
        lines += [
            ("labels", f"{info.label_count:,}"),
            ("n-grams", ngrams),
            ("word n-grams", f"up to {parameters.word_ngrams} words"),
            ("quantised", " and ".join(quantized) or "no"),
            (
                "training",
                (
                    f"epoch {parameters.epoch}, window {parameters.ws}, negatives "
                    f"{parameters.neg}, min count {parameters.min_count}, t {parameters.t:g}"
                ),
            ),
        ]
    elif ngrams != "none":
        lines.append(("n-grams", ngrams))
    if not info.sections:
        lines.append(("memory", f"{size(memory['read_private'])}: this file cannot be mapped"))
    else:
        lines += [
            (
                "sections",
                "; ".join(f"{s.name} at {s.offset:,}, {size(s.size)}" for s in info.sections),
            ),
            (
                "memory",
                (
                    f"mapped: {size(memory['mapped_private'])} private after the first look-up, "
                    "and pages of the file that all processes share; "
                    f"mmap=False: {size(memory['read_private'])}"
                ),
            ),
        ]
    return "\n".join(f"{name + ':':14}{value}" for name, value in lines)


def _vectors(options: argparse.Namespace) -> None:
    if options.json and options.format == "npy":
        raise InputValueError("--json and --format npy cannot be combined: choose one")
    to_stdout = options.output in (None, "-")
    if options.format == "npy" and to_stdout and sys.stdout.isatty():
        raise InputValueError("npy is binary: redirect stdout, or name a file with --output")
    model = load(options.model, progress=True)
    lines = _array(model, options) if options.format == "npy" else _lines(model, options)
    if to_stdout:
        write_lines(lines, sys.stdout.buffer)
        return
    check_target(model.info.path, options.output)
    with AtomicFile(options.output) as output:
        for line in lines:
            output.write(line)


def _array(model: Model, options: argparse.Namespace) -> Iterator[bytes | memoryview]:
    words = [word for group in word_groups(options) for word in group]
    vectors = model.vectors(words)
    yield npy_header(*vectors.shape)
    yield vectors.data


def _lines(model: Model, options: argparse.Namespace) -> Iterator[bytes]:
    for group in word_groups(options):
        for word, vector in zip(group, model.vectors(group), strict=True):
            if options.json:
                yield json_line({"word": as_text(word), "vector": _numbers(vector)})
            else:
                yield _text_line(as_bytes(word), vector)


def _ngrams(options: argparse.Namespace) -> None:
    model = load(options.model, progress=True)
    words = [word for group in word_groups(options) for word in group]

    def lines() -> Iterator[bytes]:
        for ngram, row in model.ngrams(words):
            if options.vectors:
                vector = model.row(row)
                if options.json:
                    yield json_line({"ngram": ngram, "row": row, "vector": _numbers(vector)})
                else:
                    yield _text_line(as_bytes(ngram), vector)
            elif options.json:
                yield json_line({"ngram": ngram, "row": row})
            else:
                yield b"%s %d\n" % (as_bytes(ngram), row)

    write_lines(lines(), sys.stdout.buffer)
