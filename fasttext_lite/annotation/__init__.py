"""Files of rows, annotated by a model: Parquet, JSON lines and text."""

from __future__ import annotations

import os
import posixpath
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from fasttext_lite.annotation.places import check_targets, find_sources, open_folder
from fasttext_lite.annotation.records import Records
from fasttext_lite.annotator import Annotator
from fasttext_lite.arguments import flag, whole
from fasttext_lite.errors import FileError, InputTypeError, InputValueError, MissingExtraError
from fasttext_lite.parallel import map_in_order
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    import pyarrow as pa

    from fasttext_lite.annotation.filters import Filter
    from fasttext_lite.annotation.pieces import Piece, Rows
    from fasttext_lite.annotation.places import Source, Writable
    from fasttext_lite.arguments import PathType

    Opener: TypeAlias = Callable[[Source], AbstractContextManager[tuple[Rows, str | None]]]

__all__ = ["FORMATS", "Annotated", "annotate"]

FORMATS = ("parquet", "jsonl", "text")

_SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".txt": "text",
    ".text": "text",
}
_CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4", ".br": "brotli"}


@dataclass(frozen=True)
class Annotated:
    """A report on annotated files.

    Attributes
    ----------
    out : str
        The output folder.
    files : int
        Number of files, also of those that were finished before.
    finished_before : int
        Number of files that an earlier call had finished, which were left as they are.
    rows, kept : int
        Number of rows in all files, and of those in the outputs; they differ only with a filter.
    new_rows : int
        Number of rows that this call has annotated.
    seconds : float
        Duration.
    """

    out: str
    files: int
    finished_before: int
    rows: int
    kept: int
    new_rows: int
    seconds: float


class _Kind(NamedTuple):
    """The format of a file, and how its bytes are compressed."""

    format: str
    codec: str | None


def annotate(
    annotator: Annotator,
    inputs: PathType | Iterable[PathType],
    out: PathType,
    *,
    filter: str | None = None,  # noqa: A002 - the word that a caller expects
    format: str | None = None,  # noqa: A002 - as in `export`
    overwrite: bool = False,
    threads: int | None = None,
    progress: bool = False,
) -> Annotated:
    """Add labels and vectors to the rows of files.

    Each input has an output of the same name, format, compression and order of rows in the folder
    `out`; Parquet files keep their row groups and the metadata of their schema. An output appears
    under its name when it is complete. A call that was killed, interrupted or failed is continued
    by the same call: files that were finished before are left as they are.

    Parameters
    ----------
    annotator : Annotator
        The model, the column of texts, and what to add. The lines of text files have no columns,
        so there the name of the column counts only for `filter`.
    inputs : path or iterable of path
        Parquet files, files of one JSON object a line (``.jsonl``, ``.ndjson``, ``.json``), and
        files of one text a line (``.txt``); the last two also compressed (``.gz``, ``.bz2``,
        ``.zst``, ``.lz4``, ``.br``). Folders with such files in them or below, and patterns (``*``,
        ``**``) are listed. Addresses such as ``s3://bucket/folder`` are understood where fsspec has
        the file system. Outputs keep the folders below a folder, or below the fixed part of a
        pattern.
    out : path
        The output folder, which is made if it does not exist; also an address. Its folder
        ``.fasttext-lite`` holds records of the finished files.
    filter : str, optional
        A condition in the SQL of DuckDB on the columns of a row: only rows for which it is true are
        written, as for ``"label in ('en', 'de') and probability > 0.65"``. It may name the columns
        of a Parquet file. Of other files it may name the column of texts, the added columns, and
        ``json``, the line of a JSON file.
    format : {"parquet", "jsonl", "text"}, optional
        The format of all inputs; by default that of the suffix of each.
    overwrite : bool
        Replace outputs with other settings, and files of the same name that were not made here.
    threads : int or None
        Number of threads that annotate; None for one per core.
    progress : bool
        Show a progress bar on stderr if the work takes over a second and stderr is a terminal.

    Returns
    -------
    Annotated

    Raises
    ------
    MissingExtraError
        pyarrow is not installed; or DuckDB for `filter`, or fsspec for an address.
    InputTypeError, InputValueError
        An argument has the wrong type or value, a file has no column of texts or one of the name of
        an added column, the column holds no texts, two inputs have the same output, or the output
        folder holds files of another model or other options.
    FileError, FormatError
        The model or an input cannot be read, or an output cannot be written. Complete files stay.

    Examples
    --------
    >>> import fasttext_lite as ftl
    >>> annotator = ftl.Annotator("sample", label=None, probability=None, evidence="known")
    >>> ftl.annotate(annotator, "corpus/*.parquet", "annotated")  # doctest: +SKIP
    """
    begin = time.perf_counter()
    if not isinstance(annotator, Annotator):
        raise InputTypeError(f"annotator must be Annotator, not {type(annotator).__name__}")
    if format is not None and format not in FORMATS:
        raise InputValueError(f"format must be one of {', '.join(FORMATS)}, not {format!r:.60}")
    overwrite, progress = flag("overwrite", overwrite), flag("progress", progress)
    if threads is not None:
        threads = whole("threads", threads, 1)
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise MissingExtraError("pyarrow", "annotate") from None
    keep = None
    if filter is not None:
        from fasttext_lite.annotation.filters import Filter

        keep = Filter(filter)
    # A model that does not do is told before anything else.
    annotator.columns([])
    folder = open_folder(out)
    sources = find_sources(
        [inputs] if isinstance(inputs, (str, bytes, os.PathLike)) else inputs,
        lambda name: _kind(name, format) is not None,
        folder,
    )
    check_targets(sources, folder)
    open_rows = partial(_opened, format=format, annotator=annotator, keep=keep)
    settings = {**annotator.identity(), "filter": filter, "format": format}
    records = Records(folder, settings, overwrite=overwrite)
    finished = [records.finished(source) for source in sources]
    left = [source for source, found in zip(sources, finished, strict=True) if found is None]
    earlier = [found for found in finished if found is not None]
    now = []
    with progress_bar("annotate", _row_count(left, open_rows), " rows", show=progress) as advance:
        for source in left:
            identity = records.begin(source)
            with folder.writing(source.relative) as file:
                found = _write(source, open_rows, file, threads, advance)
            records.finish(source, identity, found)
            now.append(found)
    return Annotated(
        out=folder.name,
        files=len(sources),
        finished_before=len(earlier),
        rows=sum(found["rows"] for found in earlier + now),
        kept=sum(found["kept"] for found in earlier + now),
        new_rows=sum(found["rows"] for found in now),
        seconds=time.perf_counter() - begin,
    )


def _kind(name: str, given: str | None) -> _Kind | None:
    """Return the format and codec of a file by its name; None if the name does not tell."""
    stem, suffix = posixpath.splitext(name.lower())
    codec = _CODECS.get(suffix)
    if codec is not None:
        suffix = posixpath.splitext(stem)[1]
    kind = given or _SUFFIXES.get(suffix)
    return None if kind is None else _Kind(kind, codec)


@contextmanager
def _opened(
    source: Source,
    *,
    format: str | None,  # noqa: A002 - as in `annotate`
    annotator: Annotator,
    keep: Filter | None,
) -> Iterator[tuple[Rows, str | None]]:
    """Open an input; yield its rows and the codec of its bytes."""
    kind = _kind(source.name, format)
    if kind is None:
        raise FileError(
            f"its suffix names no format: pass format, one of {', '.join(FORMATS)}", source.name
        )
    with source.open() as file:
        if kind.format == "parquet":
            from fasttext_lite.annotation.tables import ParquetRows

            if kind.codec is not None:
                raise FileError(
                    "a Parquet file compresses its own columns: unpack this one", source.name
                )
            yield ParquetRows(file, source.name, annotator, keep), None
            return
        import pyarrow as pa

        from fasttext_lite.annotation.lines import JsonLines, TextLines

        stream = file if kind.codec is None else pa.CompressedInputStream(file, kind.codec)
        kinds = {"jsonl": JsonLines, "text": TextLines}
        yield kinds[kind.format](stream, source.name, annotator, keep), kind.codec


def _row_count(sources: list[Source], open_rows: Opener) -> int | None:
    """Check the heads of the inputs on this machine, and count their rows if these tell them."""
    total: int | None = 0
    for source in sources:
        count = None
        if source.files is None:
            with open_rows(source) as (rows, _):
                count = rows.count
        total = None if total is None or count is None else total + count
    return total


def _write(
    source: Source,
    open_rows: Opener,
    file: Writable,
    threads: int | None,
    advance: Callable[[int], object],
) -> dict[str, int]:
    """Annotate one input, and count its rows."""
    counts = {"rows": 0, "kept": 0}

    def data(pieces: Iterable[Piece]) -> Iterator[Any]:
        for piece in pieces:
            counts["rows"] += piece.rows
            counts["kept"] += piece.kept
            advance(piece.rows)
            yield piece.data

    with (
        open_rows(source) as (rows, codec),
        _sink(file, codec) as sink,
        # Closed at once when writing fails, since threads work for it.
        closing(map_in_order(rows.annotated, rows.pieces(), threads)) as pieces,
    ):
        rows.write(data(pieces), sink)
    return counts


@contextmanager
def _sink(file: Writable, codec: str | None) -> Iterator[pa.NativeFile]:
    """Yield a stream of Arrow into a file, which stays open."""
    import pyarrow as pa

    with pa.PythonFile(_Unclosed(file), mode="w") as sink:
        if codec is None:
            yield sink
            return
        with pa.CompressedOutputStream(sink, codec) as packed:
            yield packed


class _Unclosed:
    """What Arrow needs to write to a file: the owner of the file closes it."""

    closed = False

    def __init__(self, file: Writable) -> None:
        self._file = file

    def write(self, data: bytes) -> None:
        self._file.write(data)

    def flush(self) -> None:
        """Do nothing: a complete file is flushed."""

    def close(self) -> None:
        """Do nothing."""
