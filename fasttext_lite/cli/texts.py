"""The commands ``index-texts`` and ``search``."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fasttext_lite import TextIndex
from fasttext_lite.arguments import decode
from fasttext_lite.cli.output import as_bytes, as_text, json_line, size, write_lines
from fasttext_lite.errors import InputValueError
from fasttext_lite.formats.compact import DTYPES
from fasttext_lite.lines import open_binary
from fasttext_lite.loading import load
from fasttext_lite.weighting import SIF

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from fasttext_lite.content import Hit

__all__ = ["add_commands"]

_COLUMNS = ("id", "label", "text")
_SAMPLE = 1000


def add_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    command: Callable[..., argparse.ArgumentParser],
) -> None:
    """Add the commands; `command` creates one that accepts a model and more arguments."""
    index = command(
        "index-texts",
        _index,
        "make an index of the lines of a file, in which `search` finds the nearest texts",
        "TEXTS",
        "a file with one text per line; - is stdin",
    )
    index.add_argument(
        "-o",
        "--output",
        metavar="INDEX",
        help="the file to write, usually *.safetensors; an existing file is replaced when the new "
        "one is complete",
    )
    index.add_argument(
        "--columns",
        default="text",
        metavar="NAMES",
        help="the columns of a line, between tabs: of id, label and text, as in id,label,text; an "
        "empty label is none (default: %(default)s)",
    )
    index.add_argument(
        "--weighting",
        choices=("mean", "sif"),
        default="mean",
        help="how word vectors make that of a text: their mean, or smooth inverse frequency, whose "
        "common direction is that of the texts (default: %(default)s)",
    )
    index.add_argument(
        "--spelling",
        type=float,
        default=0.7,
        metavar="SHARE",
        help="the share of the spelling in a score, from 0 to 1 (default: %(default)s)",
    )
    index.add_argument(
        "--no-lowercase", action="store_true", help="give texts to the model as they are written"
    )
    index.add_argument(
        "--dtype",
        choices=tuple(DTYPES),
        default="float16",
        help="number format of the vectors (default: %(default)s)",
    )
    index.add_argument(
        "--graph",
        choices=("auto", "yes", "no"),
        default="auto",
        help="make a graph for approximate searches; auto: of more than 10,000 texts, if faiss is "
        "installed (default: %(default)s)",
    )
    index.add_argument(
        "--threads", type=int, metavar="N", help="number of threads (default: one per core)"
    )
    search = commands.add_parser(
        "search",
        help="list the texts of an index nearest to each query",
        description="List the texts of an index nearest to each query.",
        usage="fasttext-lite search [options] INDEX [QUERY ...]",
    )
    search.add_argument(
        "arguments",
        nargs="*",
        metavar="INDEX [QUERY ...]",
        help="an index, as index-texts makes it, then queries; without queries, or with -, each "
        "line of stdin is a query; on a terminal there is a prompt, which Ctrl-D ends",
    )
    search.add_argument(
        "--model",
        dest="other_model",
        metavar="MODEL",
        help="the model of the index, if it is not where it was when the index was made",
    )
    search.add_argument("--json", action="store_true", help="write JSON, one object per query")
    search.add_argument(
        "-k", type=int, default=10, help="number of texts to list (default: %(default)s)"
    )
    search.add_argument(
        "--accuracy",
        type=float,
        metavar="SHARE",
        help="find about this share of the nearest texts",
    )
    search.add_argument("--exact", action="store_true", help="search all texts, without the graph")
    search.add_argument(
        "--min-score", type=float, metavar="COSINE", help="leave out texts with a lower score"
    )
    search.set_defaults(run=_search, model=None)


def _index(options: argparse.Namespace) -> None:
    if len(options.arguments) != 1 or options.output is None:
        raise InputValueError("index-texts needs a model, a file of texts, and -o INDEX")
    started = time.perf_counter()
    columns = _read_columns(options.arguments[0], options.columns.split(","))
    model = load(options.model, progress=True)
    weighting: str | SIF = "mean"
    if options.weighting == "sif":
        texts = columns["text"]
        if not options.no_lowercase:
            texts = [decode(text).lower() for text in texts]
        weighting = SIF(model).fit(texts, options.threads, errors="replace")
    index = TextIndex.build(
        model,
        columns["text"],
        ids=columns.get("id"),
        labels=columns.get("label"),
        weighting=weighting,
        spelling=options.spelling,
        lowercase=not options.no_lowercase,
        dtype=options.dtype,
        graph="auto" if options.graph == "auto" else options.graph == "yes",
        threads=options.threads,
        progress=True,
    )
    index.save(options.output, threads=options.threads, progress=True)
    seconds = time.perf_counter() - started
    info, found = index.info, index.recall(sample=_SAMPLE, threads=options.threads)
    if options.json:
        report = asdict(info) | {"seconds": seconds, "recall": found and asdict(found)}
        sys.stdout.buffer.write(json_line(report))
        return
    lines = [
        ("index", f"{info.path} ({size(info.size)})"),
        ("texts", f"{info.count:,}, {info.labels:,} labels"),
        ("vectors", f"{info.dim} dimensions, {info.dtype}"),
        ("time", f"{seconds:.1f} s"),
        ("search", "exact, without a graph"),
    ]
    if found is not None:
        times = (
            f"{found.seconds * 1e3:.3f} ms each; exact search: {found.exact_seconds * 1e3:.3f} ms"
        )
        shares = f"{found.recall:.1%} of the {found.k} nearest texts of {found.queries:,} texts"
        lines[-1] = ("search", f"finds {shares} in {times}")
    print("\n".join(f"{name + ':':10}{value}" for name, value in lines))


def _read_columns(path: str, names: list[str]) -> dict[str, list[Any]]:
    """Read the lines of a file, divided by tabs into columns."""
    if len(set(names)) < len(names) or not {"text"} <= set(names) <= set(_COLUMNS):
        raise InputValueError(
            f"--columns must name text and, if need be, id and label, each once: not "
            f"{','.join(names)}"
        )
    columns: dict[str, list[Any]] = {name: [] for name in names}
    with contextlib.ExitStack() as stack:
        source = sys.stdin.buffer if path == "-" else stack.enter_context(open_binary(path))
        for number, line in enumerate(source, 1):
            # A text at the end of a line may hold tabs.
            parts = line.rstrip(b"\r\n").split(b"\t", len(names) - 1)
            if len(parts) != len(names):
                raise InputValueError(
                    f"{path}: line {number} has {len(parts)} columns between tabs, not {len(names)}"
                )
            for name, part in zip(names, parts, strict=True):
                if name == "text":
                    columns[name].append(part)
                else:
                    columns[name].append(decode(part) or None if name == "label" else decode(part))
    return columns


def _search(options: argparse.Namespace) -> None:
    model = None if options.other_model is None else load(options.other_model, progress=True)
    with TextIndex.open(options.model, model) as index:

        def answer(query: str | bytes) -> list[Hit]:
            return index.search(
                query,
                options.k,
                accuracy=options.accuracy,
                approximate=False if options.exact else None,
                min_score=options.min_score,
            )

        asked = options.arguments if options.arguments != ["-"] else []
        if not asked and sys.stdin.isatty() and sys.stdout.isatty():
            _converse(answer, as_json=options.json)
            return
        queries = asked or (line.rstrip(b"\r\n") for line in sys.stdin.buffer)
        shown = _pretty if sys.stdout.isatty() else _rows
        write_lines(
            (
                line
                for query in queries
                for line in ([_object(query, answer(query))] if options.json else
                             shown(query, answer(query)))
            ),
            sys.stdout.buffer,
        )  # fmt: skip


def _converse(answer: Callable[[str | bytes], list[Hit]], *, as_json: bool) -> None:
    """Answer queries at a prompt, until Ctrl-D."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - gives the prompt a history
    while True:
        try:
            query = input("> ")
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            # As in a shell, it drops the line.
            print()
            continue
        lines = [_object(query, answer(query))] if as_json else _pretty(None, answer(query))
        write_lines(lines, sys.stdout.buffer)


def _object(query: str | bytes, hits: list[Hit]) -> bytes:
    return json_line({"query": as_text(query), "hits": [hit._asdict() for hit in hits]})


def _rows(query: str | bytes, hits: list[Hit]) -> Iterator[bytes]:
    """Yield lines of query, rank, score, id, label and text, between tabs."""
    for rank, hit in enumerate(hits, 1):
        fields = (query, str(rank), f"{hit.score:.6f}", str(hit.id), hit.label or "", hit.text)
        yield b"\t".join(b" ".join(as_bytes(field).split()) for field in fields) + b"\n"


def _pretty(query: str | bytes | None, hits: list[Hit]) -> Iterator[bytes]:
    """Yield lines for people."""
    if query is not None:
        yield as_bytes(query) + b"\n"
    for hit in hits:
        label = f"  [{hit.label}]" if hit.label is not None else ""
        # What a text holds must not control the terminal.
        text = "".join(c if c.isprintable() else " " for c in f"{hit.text}{label}")
        yield f"  {hit.score:.3f}  {text}\n".encode("utf-8", "replace")
    if not hits:
        yield b"  nothing found\n"
