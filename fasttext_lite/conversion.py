"""Conversion of a model to one compact file."""

from __future__ import annotations

import dataclasses
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.lookup.buckets import PruneIndex
from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.search.codes import Codes, encode_directions
from fasttext_lite.arguments import absolute_path, decode, flag, is_path, path_name
from fasttext_lite.casting import cast
from fasttext_lite.cosines import Cosines, CosineSummary
from fasttext_lite.errors import FormatError, InputValueError
from fasttext_lite.formats import open_parts
from fasttext_lite.formats.atomic import check_target, folder_of
from fasttext_lite.formats.compact import DTYPES, NEIGHBORS_INDEX, Contents, GraphPlan, write
from fasttext_lite.formats.gzipped import GzippedModel, holds_model
from fasttext_lite.graph_building import (
    DEGREE,
    EFFORTS,
    RowsOfGraph,
    build_graph,
    builder_of,
    entry_count,
)
from fasttext_lite.kept import SUBWORDS, Kept, choose
from fasttext_lite.lines import read_words
from fasttext_lite.loading import model_source, select_rows
from fasttext_lite.mapping import map_parts
from fasttext_lite.model import Model
from fasttext_lite.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, BinaryIO

    from numpy.typing import ArrayLike, NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.casting import Cast
    from fasttext_lite.formats.compact import Coded
    from fasttext_lite.graph_building import GraphReport
    from fasttext_lite.parts import GraphArrays, Selection

__all__ = ["Report", "convert"]


@dataclass(frozen=True, slots=True)
class Report:
    """Summary of a conversion.

    Attributes
    ----------
    source, target : str
        Paths of the source and of the new file.
    source_size, size : int
        Their sizes in bytes.
    dtype : str
        Number format of the matrices.
    dim : int
    word_count, source_word_count : int
        Number of words in the new file and in the source; for a file of word vectors the number of
        its rows, from its head if the file was not read to its end.
    subword_rows, source_subword_rows : int
        Number of n-gram rows in the new file and in the source.
    seconds : float
        Duration.
    loss : Cosines or None
        Cosines between the stored and the exact word vectors, or word rows for a supervised model.
        None if there are no words.
    variance : float or None
        With fewer dimensions: the share of the variance of the word vectors that is kept.
    graph : GraphReport or None
        With a graph: how it was built, and how many of the nearest words it finds.
    """

    source: str
    target: str
    source_size: int
    size: int
    dtype: str
    dim: int
    word_count: int
    source_word_count: int
    subword_rows: int
    source_subword_rows: int
    seconds: float
    loss: Cosines | None
    variance: float | None
    graph: GraphReport | None


def convert(
    src: Model | PathType | BinaryIO | GzippedModel,
    dst: PathType,
    dtype: str = "float32",
    *,
    max_words: int | None = None,
    min_count: int | None = None,
    words: PathType | Iterable[str | bytes] | None = None,
    subwords: str = "all",
    extra_words: PathType | Iterable[str | bytes] | None = None,
    dim: int | None = None,
    map: ArrayLike | PathType | None = None,  # noqa: A002 - the word that a caller expects
    neighbors_index: bool = False,
    graph: bool = False,
    strict: bool = True,
    threads: int | None = None,
    progress: bool = False,
) -> Report:
    """Write a model as one compact file.

    The file holds the precomputed word vectors and the n-gram rows; `fasttext_lite.load` opens it.
    For a supervised model it holds the rows, labels and output layer instead, which predictions
    need. The file replaces the target when it is complete; a conversion that fails or is
    interrupted leaves the target as it was.

    Parameters
    ----------
    src : Model, path or file object
        A model, or any file that `fasttext_lite.load` opens. A gzip-compressed ``.bin`` file by
        its path is read as a stream; if word vectors, fewer dimensions or mapped rows are computed
        from it, its input matrix is unpacked into the folder of the target during the conversion.
    dst : path
        The target, usually named ``*.safetensors``. ``docs/promises.md`` describes how files are
        replaced.
    dtype : {"float32", "float16", "int8"}
        Number format of the matrices. float32 gives the same results as the source, bit for bit.
        float16 takes half of its space; int8, with one scale per row, a quarter.
    max_words : int, optional
        Keep the first `max_words` words; files list words by falling frequency. No more rows of a
        file of word vectors are read.
    min_count : int, optional
        Keep words that occurred at least `min_count` times in training.
    words : path or iterable of str or bytes, optional
        Keep these words, in the order of the source. A file has one word per line.
    subwords : {"all", "used", "none", "only"}
        Which n-gram rows to keep: all; those that a kept word or one of `extra_words` uses; none
        (unknown words then raise `UnknownWordError`); or all n-gram rows but no words.
    extra_words : path or iterable of str or bytes, optional
        With ``subwords="used"``: additional words whose n-grams are kept.
    dim : int, optional
        Reduce to this number of dimensions by a principal component analysis of the word vectors.
        All other rows are projected in the same way.
    map : array_like or path, optional
        Multiply all rows by this matrix, as `Model.mapped` does: shape (source dim, new dim), or
        a ``.npy`` file with such an array. It is applied before `dim`.
    neighbors_index : bool
        Also store codes of the vectors, half a byte per number, by which a search for neighbors
        skips most words without reading their vectors.
    graph : bool
        Also store a graph of the vectors, 128 bytes per word, for approximate searches
        (``model.neighbors(…, approximate=True)``), and the codes of `neighbors_index`. For more
        than 10,000 words faiss builds it, which takes minutes for a million words.
    strict : bool
        As for `fasttext_lite.load`.
    threads : int, optional
        Number of threads; by default one per core available to this process.
    progress : bool
        Show a progress bar on stderr, if stderr is a terminal.

    Returns
    -------
    Report

    Raises
    ------
    FileError, FormatError
        The source cannot be read, or the target is the source or cannot be written.
    InputTypeError, InputValueError
        An option is invalid, or does not fit this model.
    ModelKindError
        The model is supervised, and the rows of `map` are not orthonormal: see `Model.mapped`.
    MissingExtraError
        `graph` needs faiss, which is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> target = pathlib.Path(tempfile.mkdtemp(), "sample.safetensors")
    >>> report = convert("sample", target, "float16")
    >>> report.loss.worst > 0.9999
    True
    """
    started = time.perf_counter()
    graph = flag("graph", graph)
    neighbors_index = flag("neighbors_index", neighbors_index) or graph
    progress = flag("progress", progress)
    source_path = _path(src)
    target = path_name(dst)
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise InputValueError(f"dtype must be one of {', '.join(DTYPES)}, not {dtype!r}")
    if subwords not in SUBWORDS:
        raise InputValueError(f"subwords must be one of {', '.join(SUBWORDS)}, not {subwords!r}")
    check_target(source_path, target)
    loss = CosineSummary()
    graphs: list[GraphReport] = []
    if words is not None:
        words = read_words(words)
    opened = _opened(
        src,
        target,
        threads,
        progress,
        select_rows(max_words, words, strict=strict, required=False),
        ngrams_only=subwords == "only",
        mapped=dim is not None or map is not None,
    )
    with opened as source:
        info = source.parts.info
        check_target(info.path, target)
        if map is not None:
            source = source.replace(map_parts(source.parts, map))
        kept = choose(
            source,
            max_words=max_words,
            min_count=min_count,
            words=words,
            subwords=subwords,
            extra_words=extra_words,
            dim=dim,
        )
        if kept.projection is not None:
            source = source.replace(source.parts.mapped(kept.projection.basis))
        unknown_words = "error" if source.parts.closed or subwords == "none" else "subwords"
        contents = _contents(source, kept, dtype, unknown_words, neighbors_index, loss)
        if graph:
            plan = plan_graph(contents, graphs, threads, progress=progress)
            contents = dataclasses.replace(contents, graph=plan)
        size = write(target, contents)
    return Report(
        source=info.path,
        target=target,
        source_size=info.file_size,
        size=size,
        dtype=dtype,
        dim=contents.parameters.dim,
        word_count=len(kept.words),
        source_word_count=max(info.row_count or 0, info.word_count),
        subword_rows=len(kept.rows),
        source_subword_rows=info.subword_rows,
        seconds=time.perf_counter() - started,
        loss=loss.result(),
        variance=kept.projection.variance if kept.projection else None,
        graph=graphs[0] if graphs else None,
    )


def _path(src: Model | PathType | BinaryIO | GzippedModel) -> str:
    """Return the path of a source; empty for a file object, which may have none."""
    if isinstance(src, Model):
        return src.info.path
    if isinstance(src, GzippedModel):
        return src.path
    source = model_source(src)
    return absolute_path(source) if is_path(source) else ""


@contextmanager
def _opened(
    src: Model | PathType | BinaryIO | GzippedModel,
    target: str,
    threads: int | None,
    progress: bool,
    selection: Selection,
    *,
    ngrams_only: bool,
    mapped: bool,
) -> Iterator[Source]:
    """Open the source.

    A gzip-compressed model is read as a stream if its rows are needed once, in their order. To
    compute word vectors, fewer dimensions or mapped rows it is unpacked.
    """
    path = _path(src)
    if isinstance(src, Model):
        yield Source(src._parts, threads, progress=progress)
    elif not isinstance(src, GzippedModel) and not (path and holds_model(path)):
        parts = open_parts(model_source(src), progress=progress, selection=selection)
        yield Source(parts, threads, progress=progress)
    else:
        with src if isinstance(src, GzippedModel) else GzippedModel(path) as model:
            if model.quantized:
                yield Source(model.read_all(), threads, progress=progress)
            elif not mapped and (ngrams_only or model.supervised):
                # One thread reads the rows in their order.
                yield Source(model.parts(), 1, progress=progress)
            else:
                if progress:
                    print(
                        f"{path}: unpacking {model.workspace_size / 1e9:.2f} GB into the folder "
                        "of the target during the conversion",
                        file=sys.stderr,
                    )
                with model.unpacked(folder_of(target)) as parts:
                    yield Source(parts, threads, progress=progress)


def _contents(
    source: Source,
    kept: Kept,
    dtype: str,
    unknown_words: str,
    neighbors_index: bool,
    loss: CosineSummary,
) -> Contents:
    """Describe the new file; writing it fills `loss`."""
    info = source.parts.info
    if neighbors_index and source.supervised:
        raise InputValueError(
            "neighbors_index and graph do not apply to a supervised model, whose compact file "
            "holds rows, not word vectors"
        )
    prune = None
    if kept.buckets is not None:
        try:
            prune = PruneIndex(kept.buckets, None, info.parameters.bucket)
        except InputValueError as problem:
            # The buckets of a compact file are not checked when it is opened.
            raise FormatError("subwords.buckets", 0, str(problem), info.path) from None

    def pack() -> tuple[bytes, NDArray[np.uint64], NDArray[np.int64]]:
        labels = np.arange(info.label_count, dtype=np.int32) + np.int32(info.word_count)
        packed = source.packed(np.concatenate([kept.words, labels]))
        return packed.text, packed.offsets, packed.counts

    def blocks(name: str) -> Iterator[Cast]:
        exact, count, measured = _exact(source, kept, name)
        at = 0

        def block(start: int, stop: int) -> Cast:
            return cast(exact(start, stop), dtype, measured=start < measured)

        def word(i: int) -> str:
            return decode(source.vocabulary.bytes(int(kept.words[at + i])))

        for done in source.blocks(name, block, count):
            if done.cosines is not None:
                loss.add(done.cosines[: measured - at], word)
            at += len(done.numbers)
            yield done

    def codes(read: Callable[[int, int], NDArray[Any]]) -> Iterator[Coded]:
        def code(start: int, stop: int) -> Coded:
            # int8 scales do not change directions.
            return encode_directions(read(start, stop).astype(np.float32), packed=True)

        return source.blocks("neighbors", code, len(kept.words))

    return Contents(
        parameters=info.parameters,
        token_count=info.token_count,
        word_count=len(kept.words),
        label_count=info.label_count,
        unknown_words=unknown_words,
        pack=pack,
        prune=prune,
        bucket_rows=len(kept.rows),
        dtype=dtype,
        blocks=blocks,
        codes=codes if neighbors_index else None,
    )


def plan_graph(
    contents: Contents, reports: list[GraphReport], threads: int | None, *, progress: bool
) -> GraphPlan:
    """Plan the graph of a file with codes; building it adds to `reports`."""
    count, dim = contents.word_count, contents.parameters.dim

    def build(view: Callable[[str], NDArray[Any]]) -> GraphArrays:
        data = view("words").reshape(-1).view(np.uint8).data
        scales = view("words.scales") if contents.dtype == "int8" else None
        codes, factors, errors = map(view, NEIGHBORS_INDEX)
        matrix = RowsOfGraph(
            DenseRows(data, count, dim, contents.dtype, scales),
            view("words.norms"),
            Codes(codes.reshape(-1), factors, errors, dim, packed=True),
        )
        arrays, report = build_graph(matrix, threads=threads, progress=progress)
        reports.append(report)
        return arrays

    return GraphPlan(builder_of(count), DEGREE, entry_count(count), len(EFFORTS), build)


def _exact(
    source: Source, kept: Kept, name: str
) -> tuple[Callable[[int, int], NDArray[np.float32]], int, int]:
    """Return a function that reads rows of a matrix, their number, and how many are of words."""
    words = len(kept.words)
    if name == "words":
        return lambda start, stop: source.vectors(kept.words[start:stop]), words, words
    if name == "output":
        count = source.parts.info.label_count
        return (
            lambda start, stop: source.output_rows(np.arange(start, stop, dtype=np.int64)),
            count,
            0,
        )
    ids = kept.rows
    if name == "input":
        ids = np.concatenate([kept.words.astype(np.int64), ids])
    return lambda start, stop: source.rows(ids[start:stop]), len(ids), len(ids) - len(kept.rows)
