"""The commands for labels and for lines of text."""

from __future__ import annotations

import io
import itertools
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fasttext_lite.cli.output import as_bytes, json_line, table
from fasttext_lite.errors import FileError, InputValueError, MissingExtraError
from fasttext_lite.formats.atomic import AtomicFile
from fasttext_lite.lines import read_blocks
from fasttext_lite.loading import load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from fasttext_lite.evaluate.labels import Meter, Scores

__all__ = ["add_choice", "add_commands", "add_probabilities", "labels_among"]


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands; `command` creates one that accepts a model and more arguments."""
    lines = "a file of texts, one per line; without one, or with -, they are read from stdin"
    predicting = command("predict", _predict, "print the labels of each line", "[FILE]", lines)
    predicting.add_argument(
        "--prob", action="store_true", help="print the probability after each label"
    )
    add_probabilities(predicting)
    add_choice(predicting, "line")
    testing = command(
        "test", _test, "compare predictions with the labels in a file", "FILE", "a labelled file"
    )
    testing.add_argument("--labels", action="store_true", help="also print one line per label")
    testing.add_argument(
        "--plot", metavar="FILE", help="plot the precision-recall curve to .svg, .png or .pdf"
    )
    add_choice(testing, "line")
    command("sentence-vectors", _sentence_vectors, "print the vector of each line", "[FILE]", lines)
    command(
        "evidence",
        _evidence,
        "count the known words of each line, and their rows and those of n-grams",
        "[FILE]",
        lines,
    )
    naming = command(
        "keywords",
        _keywords,
        "list the words and n-grams that speak most for labels",
        "[LABEL ...]",
        "labels; without one, those of the model",
    )
    naming.add_argument(
        "-k", type=int, default=10, help="number of words to list (default: %(default)s)"
    )


def add_probabilities(parser: argparse.ArgumentParser) -> None:
    """Add the options that say among which labels to choose, and which numbers to print."""
    parser.add_argument(
        "--labels",
        action="append",
        metavar="A,B",
        help="choose among these labels only, separated by commas or by repeating the option",
    )
    parser.add_argument(
        "--renormalize",
        action="store_true",
        help="divide each probability by the sum over --labels",
    )
    parser.add_argument(
        "--official-bias",
        action="store_true",
        help="print exp(log(p + 1e-5)) in place of the probability p, as the official program does",
    )


def labels_among(given: list[str] | None, names: Sequence[str]) -> list[str] | None:
    """Return the labels of the option ``--labels``; `names` are those of the model."""
    if given is None:
        return None
    # A label may hold a comma.
    return [label for one in given for label in ([one] if one in names else one.split(","))]


def add_choice(parser: argparse.ArgumentParser, unit: str) -> None:
    """Add the options that say how many labels a unit, such as a line, has at most."""
    parser.add_argument(
        "-k",
        type=int,
        default=1,
        help=f"largest number of labels per {unit}, -1 for all (default: %(default)s)",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.0,
        metavar="P",
        help="leave out labels less probable than P (default: %(default)s)",
    )


def _blocks(options: argparse.Namespace) -> Iterator[list[bytes]]:
    """Yield the lines of a file or of stdin, as many at a time as are available."""
    name = _file(options)
    source = sys.stdin.buffer if name in (None, "-") else name
    return (lines for lines, _ in read_blocks(source))


def _file(options: argparse.Namespace) -> str | None:
    if len(options.arguments) > 1:
        raise InputValueError(f"this command accepts one file: remove {options.arguments[1]!r}")
    return options.arguments[0] if options.arguments else None


def _write(blocks: Iterator[list[bytes]]) -> None:
    """Write and flush each block of lines, for programs that wait for the answers to a block."""
    output = sys.stdout.buffer
    for lines in blocks:
        output.write(b"".join(lines))
        output.flush()


def _predict(options: argparse.Namespace) -> None:
    model = load(options.model, progress=True)
    labels = list(model.labels)
    written = [as_bytes(label) for label in labels]
    among = labels_among(options.labels, model.labels)

    def answers() -> Iterator[list[bytes]]:
        for lines in _blocks(options):
            found = model.predict(
                lines,
                options.k,
                options.threshold,
                labels=among,
                renormalize=options.renormalize,
                official_bias=options.official_bias,
            )
            ids, probabilities = found.label_ids.tolist(), found.probabilities.tolist()
            ends = found.offsets.tolist()
            spans = itertools.pairwise(ends)
            if options.json:
                yield [
                    json_line(
                        {
                            "labels": [labels[i] for i in ids[a:b]],
                            "probabilities": probabilities[a:b],
                        }
                    )
                    for a, b in spans
                ]
            elif options.prob:
                pairs = [
                    b"%s %g" % (written[i], p) for i, p in zip(ids, probabilities, strict=True)
                ]
                yield [b" ".join(pairs[a:b]) + b"\n" for a, b in spans]
            else:
                names = [written[i] for i in ids]
                yield [b" ".join(names[a:b]) + b"\n" for a, b in spans]

    _write(answers())


def _sentence_vectors(options: argparse.Namespace) -> None:
    model = load(options.model, progress=True)
    form = "%.5g " * model.dim

    def answers() -> Iterator[list[bytes]]:
        for lines in _blocks(options):
            rows = model.sentence_vectors(lines)
            if options.json:
                yield [json_line([float(str(number)) for number in row]) for row in rows]
            else:
                yield [(form % tuple(row) + "\n").encode() for row in rows.tolist()]

    _write(answers())


def _evidence(options: argparse.Namespace) -> None:
    model = load(options.model, progress=True)

    def answers() -> Iterator[list[bytes]]:
        for lines in _blocks(options):
            pairs = zip(*(counts.tolist() for counts in model.evidence(lines)), strict=True)
            if options.json:
                yield [json_line({"words": words, "features": rows}) for words, rows in pairs]
            else:
                yield [b"%d %d\n" % pair for pair in pairs]

    _write(answers())


def _keywords(options: argparse.Namespace) -> None:
    model = load(options.model, progress=True)

    def answers() -> Iterator[list[bytes]]:
        for label in options.arguments or model.labels:
            found = model.keywords(label, options.k)
            if options.json:
                yield [json_line({"label": label, "keywords": [one._asdict() for one in found]})]
                continue
            yield [
                as_bytes(label) + b"\n",
                *(b"  %s %.6g\n" % (as_bytes(one.feature), one.score) for one in found),
            ]

    _write(answers())


def _test(options: argparse.Namespace) -> None:
    name = _file(options)
    if name is None:
        raise InputValueError("name a file of labelled lines")
    model = load(options.model, progress=True)
    k = options.k if options.k >= 0 else len(model.labels)
    scores = model.test(name, options.k, options.threshold)
    if options.plot is not None:
        # The curve needs the probabilities of all labels, whatever k is.
        _plot(model.test(name, -1).meter, options.plot)
    if options.json:
        sys.stdout.buffer.write(json_line(_as_json(scores)))
        return
    sys.stdout.buffer.write(
        table(
            [
                ["N", f"{scores.examples}"],
                [f"P@{k}", _digits(scores.precision)],
                [f"R@{k}", _digits(scores.recall)],
                [f"F1@{k}", _digits(scores.f1)],
            ]
        )
    )
    if options.labels:
        columns = (scores.label_precision, scores.label_recall, scores.label_f1)
        rows = [
            [label, *(_digits(float(column[i])) for column in columns)]
            for i, label in enumerate(scores.labels)
        ]
        heading = ["label", "precision", "recall", "F1"]
        sys.stdout.buffer.write(b"\n" + table([heading, *rows]))


def _digits(number: float) -> str:
    # NaN is a division by zero, for which the official program writes --- or -nan.
    return "-" if math.isnan(number) else f"{number:.3f}"


def _number(number: float) -> float | None:
    return None if math.isnan(number) else float(number)


def _as_json(scores: Scores) -> dict[str, object]:
    columns = zip(
        scores.labels, scores.label_precision, scores.label_recall, scores.label_f1, strict=True
    )
    return {
        "examples": scores.examples,
        "k": scores.k,
        "threshold": scores.threshold,
        "precision": _number(scores.precision),
        "recall": _number(scores.recall),
        "f1": _number(scores.f1),
        "labels": {
            label: {"precision": _number(p), "recall": _number(r), "f1": _number(f)}
            for label, p, r, f in columns
        },
    }


def _plot(meter: Meter, target: str) -> None:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "plot") from None
    precision, recall = meter.curve()
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.add_subplot(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axes.plot(recall, precision, drawstyle="steps-post", color="tab:blue")
    axes.grid(color="0.9")
    axes.set_title("Precision and recall over all labels", fontsize="medium")
    drawn = io.BytesIO()
    try:
        figure.savefig(drawn, format=Path(target).suffix[1:] or None)
    except ValueError as error:
        raise FileError(f"cannot plot to this file: {error}", target) from None
    with AtomicFile(target) as file:
        file.write(drawn.getbuffer())
