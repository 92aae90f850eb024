"""Conversion of a model to one compact file."""

from __future__ import annotations

import os
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite._core.lookup.embed import Embedder
from fasttext_lite._core.lookup.ngrams import mark_entry_rows, mark_rows
from fasttext_lite._core.lookup.subwords import PruneIndex
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite._core.search.codes import encode
from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.arguments import path_name
from fasttext_lite.errors import FileError, FormatError, InputTypeError, InputValueError
from fasttext_lite.formats import open_parts
from fasttext_lite.formats.atomic import check_target
from fasttext_lite.formats.compact import DTYPES, NEIGHBORS_INDEX, describe, describe_codes
from fasttext_lite.formats.gzipped import GzippedModel, holds_model
from fasttext_lite.formats.safetensors import Tensor, Writer
from fasttext_lite.loading import model_path
from fasttext_lite.parallel import chunks_with_bar
from fasttext_lite.reduction import Projection, fit_projection

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.parts import Parts

__all__ = ["Loss", "Report", "convert"]

SUBWORDS = ("all", "used", "none", "only")
# Bytes of float32 rows that a thread works on at a time.
_CHUNK = 1 << 21
_INT8_MOST = 127


@dataclass(frozen=True, slots=True)
class Loss:
    """How far the stored vectors of the words are from the exact ones, as cosines.

    Attributes
    ----------
    mean, percentile_1, worst : float
        The mean, the first percentile and the least.
    worst_word : str
    """

    mean: float
    percentile_1: float
    worst: float
    worst_word: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a conversion did.

    Attributes
    ----------
    source, target : str
        Paths.
    source_size, target_size : int
        In bytes.
    dtype : str
    dim : int
    words, source_words, subword_rows, source_subword_rows : int
        What was kept, and what there was.
    seconds : float
    loss : Loss or None
        None where there are no words.
    variance : float or None
        The share of the variance of the word vectors that fewer dimensions left.
    """

    source: str
    target: str
    source_size: int
    target_size: int
    dtype: str
    dim: int
    words: int
    source_words: int
    subword_rows: int
    source_subword_rows: int
    seconds: float
    loss: Loss | None
    variance: float | None


def convert(
    src: PathType,
    dst: PathType,
    dtype: str = "float32",
    *,
    max_words: int | None = None,
    min_count: int | None = None,
    words: PathType | Iterable[str | bytes] | None = None,
    subwords: str = "all",
    extra_words: PathType | Iterable[str | bytes] | None = None,
    dim: int | None = None,
    neighbors_index: bool = False,
    threads: int | None = None,
    progress: bool = False,
) -> Report:
    """Write a model as one compact file.

    The file holds the vectors of the words, summed once, and the rows of the n-grams, and opens
    with `fasttext_lite.load`. It is written beside the target and replaces it at the end; what
    fails or is interrupted leaves the old file, or none. A supervised model keeps its rows, labels
    and output layer instead, so that it predicts.

    Parameters
    ----------
    src : path
        Any file that `fasttext_lite.load` opens, or a gzip'd ``.bin``. The latter is read as a
        stream; where the vectors of words are asked for, or fewer dimensions, its input matrix is
        unpacked beside the target for as long as the conversion takes.
    dst : path
        The target, by custom ``*.safetensors``.
    dtype : {"float32", "float16", "int8"}
        float32 answers bit for bit like the source; float16 takes half of it, int8, with one scale
        a row, a quarter.
    max_words : int, optional
        Keep the first so many words (files have the most frequent ones first).
    min_count : int, optional
        Keep words that occurred at least so often in training.
    words : path or iterable of str or bytes, optional
        Keep these words, in the order of the source; a file has one a line.
    subwords : {"all", "used", "none", "only"}
        Which n-gram rows to keep: all; those that a kept word or one of `extra_words` uses, with
        an index over them; none (unknown words then raise `UnknownWordError`); or these rows alone
        and no words, for vectors of unknown words.
    extra_words : path or iterable of str or bytes, optional
        With ``subwords="used"``: words whose n-grams to keep too.
    dim : int, optional
        Fewer dimensions: a principal component analysis of the word vectors, and the same
        projection for all other rows.
    neighbors_index : bool
        Store codes of the vectors too, half a byte a number, by which a search of neighbours
        passes over most words without reading their vectors.
    threads : int, optional
        By default the cores that this process may use.
    progress : bool
        Show a bar on stderr, if that is a terminal.

    Returns
    -------
    Report

    Raises
    ------
    FileError, FormatError
        The source cannot be read, the target is the source, or cannot be written.
    InputTypeError, InputValueError
        An option makes no sense for this model.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> target = pathlib.Path(tempfile.mkdtemp(), "sample.safetensors")
    >>> report = convert("sample", target, "float16")
    >>> report.loss.worst > 0.9999
    True
    """
    started = time.perf_counter()
    source, target = model_path(src), path_name(dst)
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise InputValueError(f"dtype must be one of {', '.join(DTYPES)}, not {dtype!r}")
    if subwords not in SUBWORDS:
        raise InputValueError(f"subwords must be one of {', '.join(SUBWORDS)}, not {subwords!r}")
    check_target(source, target)
    keep = _Choice(max_words, min_count, words, subwords, extra_words, dim)
    with _opened(source, target, keep, progress=progress) as (parts, stream):
        job = _Job(parts, source, dtype, 1 if stream else threads, progress, stream)
        job.choose(keep)
        job.write(target, neighbors_index=neighbors_index)
        return job.report(target, time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class _Choice:
    """What to keep, as `convert` takes it."""

    max_words: int | None
    min_count: int | None
    words: PathType | Iterable[str | bytes] | None
    subwords: str
    extra_words: PathType | Iterable[str | bytes] | None
    dim: int | None


@contextmanager
def _opened(
    source: str, target: str, keep: _Choice, *, progress: bool
) -> Iterator[tuple[Parts, GzippedModel | None]]:
    """Open the source; of a gzip'd model give the stream where its rows can be taken in order."""
    if not holds_model(source):
        yield open_parts(source, progress=progress), None
        return
    model = GzippedModel(source)
    try:
        supervised = model.head.parameters.model == "supervised"
        if model.quantized:
            yield model.read_all(), None
        elif keep.dim is None and (supervised or keep.subwords == "only"):
            yield model.parts(), model
        else:
            if progress:
                print(
                    f"{source}: unpacking {model.workspace_size / 1e9:.2f} GB beside the target "
                    "for the time of the conversion",
                    file=sys.stderr,
                )
            with model.unpacked(str(Path(target).parent)) as parts:
                yield parts, None
    finally:
        model.close()


def _read_words(words: PathType | Iterable[str | bytes]) -> list[str | bytes]:
    """Take words from an iterable, or from a file with one a line."""
    if not isinstance(words, (str, bytes, os.PathLike)):
        try:
            return list(words)
        except TypeError:
            raise InputTypeError(
                f"words must be a path or an iterable of str or bytes, not {type(words).__name__}"
            ) from None
    name = path_name(words)
    try:
        lines = Path(name).read_bytes().splitlines()
    except OSError as error:
        reason = f"the list of words cannot be read: {error.strerror or error}"
        raise FileError(reason, name, error.errno or 0) from None
    return [line for line in lines if line]


def _as_text(word: str | bytes) -> str:
    return word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else word


def _whole(name: str, number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
        raise InputTypeError(f"{name} must be int, not {type(number).__name__}")
    return int(number)


class _Job:
    """One conversion: what to keep, found step by step, and then the writing."""

    def __init__(
        self,
        parts: Parts,
        source: str,
        dtype: str,
        threads: int | None,
        progress: bool,
        stream: GzippedModel | None,
    ) -> None:
        self.parts = parts
        self.source = source
        self.dtype = dtype
        self.threads = threads
        self.progress = progress
        self.supervised = parts.info.kind == "supervised"
        self.vocabulary = parts.vocabulary
        vectors = parts.vectors.rows if parts.vectors else None
        self.embedder = Embedder(
            self.vocabulary, parts.subwords, parts.input.rows, vectors, parts.closed
        )
        self.stream = stream
        self.projection: Projection | None = None
        self.cosines: list[NDArray[np.float32]] = []

    def choose(self, keep: _Choice) -> None:
        """Choose words, buckets and dimensions."""
        self._choose_words(keep.max_words, keep.min_count, keep.words, keep.subwords)
        self._choose_buckets(keep.subwords, keep.extra_words)
        self._reduce(keep.dim)

    def _choose_words(
        self,
        max_words: int | None,
        min_count: int | None,
        words: PathType | Iterable[str | bytes] | None,
        subwords: str,
    ) -> None:
        count = self.vocabulary.word_count
        keep = np.ones(count, bool)
        for name, number in (("max_words", max_words), ("min_count", min_count)):
            if number is not None and _whole(name, number) < 1:
                raise InputValueError(f"{name} must be at least 1, not {number}")
        if max_words is not None:
            keep[max_words:] = False
        if min_count is not None:
            keep &= np.frombuffer(self.vocabulary.counts(0, count), np.int64) >= min_count
        if words is not None:
            listed = _read_words(words)
            ids = [self.vocabulary.id(word) for word in listed]
            unknown = [word for word, i in zip(listed, ids, strict=True) if not 0 <= i < count]
            if unknown:
                raise InputValueError(
                    f"{len(unknown)} of the {len(listed)} words to keep are not in the vocabulary, "
                    f"the first is {_as_text(unknown[0])!r}"
                )
            named = np.zeros(count, bool)
            named[ids] = True
            keep &= named
        if subwords == "only":
            if self.supervised:
                raise InputValueError("a supervised model cannot do without its words")
            if max_words is not None or min_count is not None or words is not None:
                raise InputValueError('subwords="only" keeps no words: name none')
            keep[:] = False
        elif not keep.any() and count:
            raise InputValueError("not a single word would be kept")
        end = self.vocabulary.id("</s>")
        if self.supervised and 0 <= end < count:
            # The end of a line takes part in each prediction.
            keep[end] = True
        self.words = np.flatnonzero(keep).astype(np.int32)

    def _choose_buckets(
        self, subwords: str, extra_words: PathType | Iterable[str | bytes] | None
    ) -> None:
        """Choose the buckets to keep: their numbers (None for all) and their rows in the source."""
        table = self.parts.subwords
        if extra_words is not None and subwords != "used":
            raise InputValueError('extra_words goes with subwords="used"')
        if subwords == "none" and self.supervised:
            raise InputValueError("a supervised model cannot do without its n-grams")
        if subwords == "only" and not table.has_ngrams:
            raise InputValueError("this model has no n-grams to keep")
        self.closed = self.parts.closed or subwords == "none"
        buckets: NDArray[np.int32] | None = None
        if table.prune is None:
            rows = np.arange(table.bucket, dtype=np.int64)
        else:
            buckets, moved = table.prune.pairs()
            buckets = np.asarray(buckets)
            rows = np.arange(len(buckets), dtype=np.int64)
            if moved is not None:
                rows = np.asarray(moved).astype(np.int64)
        if subwords == "used":
            if self.supervised and self.parts.info.parameters.word_ngrams > 1:
                raise InputValueError(
                    "the n-grams of words that a text will hold cannot be told ahead, so this "
                    "model keeps all of its buckets"
                )
            marks = np.zeros(self.parts.info.subword_rows, np.uint8)
            for start in range(0, len(self.words), 1 << 16):
                ids = self.words[start : start + (1 << 16)]
                mark_entry_rows(table, self.vocabulary, ids, marks)
            if extra_words is not None:
                mark_rows(table, WordBatch(_read_words(extra_words)), marks)
            if buckets is None:
                rows = np.flatnonzero(marks)
                buckets = rows.astype(np.int32)
            else:
                kept = marks[rows] != 0
                buckets, rows = buckets[kept], rows[kept]
        elif subwords == "none":
            buckets, rows = np.empty(0, np.int32), np.empty(0, np.int64)
        self.buckets = buckets
        self.subword_rows = rows + table.first_row

    def _reduce(self, dim: int | None) -> None:
        full = self.parts.info.parameters.dim
        self.dim = full
        if dim is None:
            return
        dim = _whole("dim", dim)
        if not 1 <= dim <= full:
            raise InputValueError(f"dim must be between 1 and {full}, not {dim}")
        if len(self.words) < 2:
            raise InputValueError("fewer dimensions are found from the vectors of the words")
        if dim < full:
            self.dim = dim
            # Closed at once where it is interrupted, so that its threads end.
            with closing(
                self._blocks("analysis", self._exact_words, len(self.words), full)
            ) as blocks:
                self.projection = fit_projection(blocks, full, dim)

    def _room(self, count: int) -> NDArray[np.float32]:
        """Make room for so many rows of the source, which has to be there still."""
        self.parts.check_unchanged()
        return np.empty((count, self.parts.info.parameters.dim), np.float32)

    def _exact_words(self, start: int, stop: int) -> NDArray[np.float32]:
        out = self._room(stop - start)
        self.embedder.fill_entries(self.words[start:stop], out)
        return out

    def _exact_rows(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        out = self._room(len(ids))
        take = self.stream.take if self.stream else self.parts.input.rows.take
        take(ids, out)
        return out

    def _blocks(
        self, title: str, work: Callable[[int, int], Any], count: int, dim: int
    ) -> Generator[Any, None, None]:
        """Work on all rows in chunks on several threads, with a progress bar."""
        chunk = max(_CHUNK // (4 * dim), 1)
        for result in chunks_with_bar(work, count, self.threads, chunk, title, self.progress):
            self.parts.check_unchanged()
            yield result

    def write(self, target: str, *, neighbors_index: bool) -> None:
        """Write the file."""
        info, table = self.parts.info, self.parts.subwords
        if neighbors_index and self.supervised:
            raise InputValueError(
                "a supervised model keeps its rows, not the vectors of its words: there is nothing "
                "to make an index of neighbours from"
            )
        labels = info.label_count
        ids = np.concatenate(
            [self.words, np.arange(info.word_count, info.word_count + labels, dtype=np.int32)]
        ).astype(np.int32)
        text, offsets, counts = self.vocabulary.pack(ids)
        stored = Vocabulary.stored(
            memoryview(text),
            np.asarray(offsets),
            np.asarray(counts),
            len(self.words),
            labels,
        )
        slots = Vocabulary.slot_count(len(ids))
        tensors = [
            Tensor("vocabulary.text", "U8", (len(text),)),
            Tensor("vocabulary.offsets", "U64", (len(ids) + 1,)),
            Tensor("vocabulary.counts", "I64", (len(ids),)),
            Tensor("vocabulary.index", "U32", (slots,)),
        ]
        prune = None
        if self.buckets is not None:
            try:
                prune = PruneIndex(self.buckets, None, table.bucket)
            except InputValueError as problem:
                # Those of a compact file are not read until here.
                raise FormatError("subwords.buckets", 0, str(problem), self.source) from None
            length = PruneIndex.table_length(len(self.buckets), table.bucket)
            tensors += [
                Tensor("subwords.buckets", "I32", (len(self.buckets),)),
                Tensor("subwords.table", "U32", (length,)),
            ]
        words, rows = len(self.words), len(self.subword_rows)
        matrices = [("words", words), ("subwords", rows)]
        if self.supervised:
            matrices = [("input", words + rows), ("output", labels)]
        for name, height in matrices:
            tensors.append(Tensor(name, DTYPES[self.dtype], (height, self.dim)))
            if self.dtype == "int8":
                tensors.append(Tensor(f"{name}.scales", "F32", (height,)))
            if name == "words":
                tensors.append(Tensor("words.norms", "F32", (height,)))
                if neighbors_index:
                    tensors += [Tensor(*array) for array in describe_codes(height, self.dim)]
        parameters = info.parameters
        metadata = describe(
            parameters, dim=self.dim, words=words, labels=labels, tokens=info.token_count,
            closed=self.closed,
        )  # fmt: skip
        with Writer(target, tensors, metadata) as writer:
            writer.write("vocabulary.text", text)
            writer.write("vocabulary.offsets", np.asarray(offsets))
            writer.write("vocabulary.counts", np.asarray(counts))
            writer.write("vocabulary.index", stored.index())
            del stored, text, offsets, counts
            if prune is not None and self.buckets is not None:
                writer.write("subwords.buckets", self.buckets)
                writer.write("subwords.table", prune.table(table.bucket))
            if self.stream:
                self.stream.begin_matrix("input matrix", info.word_count + table.bucket)
            if self.supervised:
                own = np.concatenate([self.words.astype(np.int64), self.subword_rows])
                self._write_matrix(
                    writer, "input", lambda a, b: self._exact_rows(own[a:b]), words + rows, words
                )
                if self.stream:
                    self.stream.skip_to(info.word_count + table.bucket)
                    self.stream.begin_matrix("output matrix", labels)
                self._write_matrix(writer, "output", self._exact_output, labels)
            else:
                self._write_matrix(writer, "words", self._exact_words, words, words)
                if neighbors_index:
                    self._write_codes(writer, words)
                self._write_matrix(
                    writer,
                    "subwords",
                    lambda a, b: self._exact_rows(self.subword_rows[a:b]),
                    rows,
                )

    def _exact_output(self, start: int, stop: int) -> NDArray[np.float32]:
        output = self.parts.output
        if output is None:
            raise InputValueError("this file holds no output matrix")
        out = self._room(stop - start)
        take = self.stream.take if self.stream else output.rows.take
        take(np.arange(start, stop), out)
        return out

    def _write_matrix(
        self,
        writer: Writer,
        name: str,
        exact: Callable[[int, int], NDArray[np.float32]],
        count: int,
        measured: int = 0,
    ) -> None:
        """Write a matrix, its scales and norms; of the first `measured` rows tell the loss."""

        def cast(start: int, stop: int) -> _Cast:
            block = exact(start, stop)
            if self.projection is not None:
                block = self.projection.apply(block)
            return _cast(block, self.dtype, measured=start < measured)

        norms, scales = [], []
        for done in self._blocks(name, cast, count, self.dim):
            writer.write(name, done.numbers)
            if done.scales is not None:
                scales.append(done.scales)
            if done.norms is not None:
                norms.append(done.norms)
                self.cosines.append(done.cosines)
        if scales:
            writer.write(f"{name}.scales", np.concatenate(scales))
        if name == "words" and norms:
            writer.write("words.norms", np.concatenate(norms))

    def _write_codes(self, writer: Writer, count: int) -> None:
        """Write codes of the vectors as they stand in the new file, which is read again."""

        def code(start: int, stop: int) -> tuple[NDArray[Any], ...]:
            stored = writer.read("words", start, stop).astype(np.float32)
            # The scales of int8 do not change a direction.
            return encode(stored, packed=True)

        more: list[tuple[NDArray[Any], ...]] = []
        for codes, *others in self._blocks("neighbours", code, count, self.dim):
            writer.write(NEIGHBORS_INDEX[0], codes)
            more.append(tuple(others))
        if more:
            for name, arrays in zip(NEIGHBORS_INDEX[1:], zip(*more, strict=True), strict=True):
                writer.write(name, np.concatenate(arrays))

    def report(self, target: str, seconds: float) -> Report:
        """Tell what was done."""
        info = self.parts.info
        loss = None
        if len(self.words):
            cosines = np.concatenate(self.cosines)[: len(self.words)]
            worst = int(np.argmin(cosines))
            word = self.vocabulary.bytes(int(self.words[worst]))
            loss = Loss(
                mean=float(cosines.mean(dtype=np.float64)),
                percentile_1=float(np.percentile(cosines, 1)),
                worst=float(cosines[worst]),
                worst_word=_as_text(word),
            )
        return Report(
            source=self.source,
            target=target,
            source_size=Path(self.source).stat().st_size,
            target_size=Path(target).stat().st_size,
            dtype=self.dtype,
            dim=self.dim,
            words=len(self.words),
            source_words=info.word_count,
            subword_rows=len(self.subword_rows),
            source_subword_rows=info.subword_rows,
            seconds=seconds,
            loss=loss,
            variance=self.projection.variance if self.projection else None,
        )


@dataclass(frozen=True, slots=True)
class _Cast:
    """Rows as they are stored, and of measured ones the norms and what the cast lost."""

    numbers: NDArray[Any]
    scales: NDArray[np.float32] | None
    norms: NDArray[np.float32] | None
    cosines: NDArray[np.float32]


def _cast(block: NDArray[np.float32], dtype: str, *, measured: bool) -> _Cast:
    scales = None
    numbers: NDArray[Any] = block
    stored = block
    if dtype == "float16":
        with np.errstate(over="ignore"):
            numbers = block.astype(np.float16)
        if not np.isfinite(numbers).all():
            lost = np.abs(block[np.isfinite(block) & ~np.isfinite(numbers)])
            if lost.size:
                raise InputValueError(
                    f"a number of {lost.max():g} is beyond float16 (65504): "
                    "convert to float32 or int8"
                )
        if measured:
            stored = numbers.astype(np.float32)
    elif dtype == "int8":
        largest = np.abs(block).max(axis=1, initial=0)
        if not np.isfinite(largest).all():
            raise InputValueError(
                "a row holds an infinite number or none at all (NaN), for which int8 has no place: "
                "convert to float32 or float16"
            )
        scales = (largest / _INT8_MOST).astype(np.float32)
        divisor = np.where(scales > 0, scales, np.float32(1))[:, None]
        # A scale among the subnormal numbers is rounded so much that more than 127 come out.
        numbers = np.rint(block / divisor).clip(-_INT8_MOST, _INT8_MOST).astype(np.int8)
        if measured:
            stored = numbers * scales[:, None]
    if not measured:
        return _Cast(numbers, scales, None, np.empty(0, np.float32))
    cosines = np.ones(len(block), np.float32)
    # What is infinite or no number is kept as it is, and counts as no loss.
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.sqrt(_dots(stored, stored))
        if stored is not block:
            exact = np.sqrt(_dots(block, block))
            product = exact * norms
            known = np.isfinite(product) & (product > 0)
            np.divide(_dots(stored, block), product, out=cosines, where=known)
            cosines[(exact > 0) & (norms == 0)] = 0
        return _Cast(numbers, scales, norms.astype(np.float32), cosines)


def _dots(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """Scalar products of rows: in float64, which holds the square of every float32."""
    dots: NDArray[np.float64] = np.einsum("ij,ij->i", a, b, dtype=np.float64)
    return dots
