"""Character n-grams for word vectors that have none, fitted to the vectors."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.lookup.buckets import PruneIndex
from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite.arguments import decode, flag, path_name, real, whole
from fasttext_lite.conversion import convert
from fasttext_lite.cosines import cosines
from fasttext_lite.errors import InputValueError, ModelKindError
from fasttext_lite.formats.atomic import check_free, check_target
from fasttext_lite.formats.compact import DTYPES
from fasttext_lite.loading import load
from fasttext_lite.model import Model
from fasttext_lite.ngram_fitting.blocks import Fitter, loss
from fasttext_lite.ngram_fitting.least_squares import list_ngrams
from fasttext_lite.ngram_fitting.report import UNBOUNDED, Band, NgramFit, bands
from fasttext_lite.ngram_fitting.words import (
    WEIGHTINGS,
    check_vectors,
    hold_out,
    is_broken,
    parse_held_out,
    weights_of,
)
from fasttext_lite.parts import Matrix
from fasttext_lite.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.parts import Parts

__all__ = ["Band", "NgramFit", "fit_ngrams"]

# The ridge of a fit that is interrupted before one is chosen.
_RIDGE = 0.01
_MOST_BUCKETS = 2**31 - 1
_SIZES = {"float32": 4, "float16": 2, "int8": 1}
# Where the bands of the report begin.
_LENGTHS = (1, 4, 6, 8, 10, 13, UNBOUNDED + 1)
_RANKS = (1, 1_001, 10_001, 100_001, 1_000_001, UNBOUNDED + 1)


def fit_ngrams(
    src: Model | PathType | BinaryIO,
    dst: PathType,
    minn: int = 3,
    maxn: int = 6,
    buckets: int = 2_000_000,
    *,
    ngrams: int | str | None = None,
    weighting: str = "count",
    regularization: float | str = "auto",
    held_out: float | PathType | Iterable[str | bytes] = 0.01,
    refit: bool = True,
    skip_frequent: int = 0,
    skip_broken: bool = False,
    replace: bool = False,
    dtype: str = "float32",
    neighbors_index: bool = False,
    graph: bool = False,
    tolerance: float = 0.005,
    max_iterations: int = 50,
    seed: int = 0,
    on_interrupt: PathType | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> NgramFit:
    """Fit character n-grams to word vectors, and write both as one compact file.

    Known words keep their vectors in the new file, and unknown words get the mean of the rows of
    their n-grams, as in a model that fastText trained. The rows z minimise the objective of Zhao,
    Mudgal and Liang 2018, "Generalizing Word Embeddings using Bag of Subwords", with weights and a
    ridge: the sum over the words of c_w |v_w - mean of z over the n-grams of w|², plus
    `regularization` times the sum of |z|². The weights c_w are scaled to a mean of 1, and the
    vectors v_w so that their numbers have a mean square near 1.
    ``docs/fit-ngrams.md`` says when this helps.

    Parameters
    ----------
    src : Model, path or file object
        Word vectors, or any model that is not supervised.
    dst : path
        The compact file to write, usually named ``*.safetensors``.
    minn, maxn : int
        Length of the shortest and of the longest n-gram, in characters of ``<word>``.
    buckets : int
        Number of hash buckets. N-grams in the same bucket share a row.
    ngrams : int or "used", optional
        By default the file has a row for each bucket, zeros where no word uses it. With a number
        it has rows for the n-grams that occur in most words only, at most this many; with "used"
        for those that occur in any word. Other n-grams are then ignored.
    weighting : {"count", "log", "uniform"}
        c_w: the count of the word, log(1 + count), or 1. Files without counts list words by
        falling frequency: the word of rank r counts as (number of words) / r.
    regularization : float or "auto"
        The ridge. With "auto" the one among the powers of the square root of ten with which the
        held-out words have the greatest mean cosine.
    held_out : float, or path or iterable of str or bytes
        The words by which the fit is measured: a share of all words, which is drawn, or a list; a
        file has one word per line.
    refit : bool
        After the measurement, fit the rows to the held-out words, too.
    skip_frequent : int
        Do not fit the rows to the first `skip_frequent` words of the file.
    skip_broken : bool
        Do not fit the rows to words with digits or marks of addresses and paths, without letters,
        or with more than 40 characters. Skipped words keep their vectors in the file.
    replace : bool
        Fit new n-grams for a model that has some.
    dtype : {"float32", "float16", "int8"}
        Number format of the matrices in the file.
    neighbors_index, graph : bool
        As for `fasttext_lite.convert`.
    tolerance : float
        End the iterations for a block of columns when the residual of the normal equations is this
        small beside that of zeros.
    max_iterations : int
        The largest number of iterations for a block of columns.
    seed : int
        Seed of the draw of held-out words.
    on_interrupt : path, optional
        Where to write what was reached if the fit is interrupted (Ctrl-C); columns that were not
        fitted yet get one iteration first. Then `KeyboardInterrupt` is raised in any case.
    threads : int, optional
        Number of threads; by default one per core available to this process. The rows do not depend
        on it.
    progress : bool
        Show progress bars on stderr, with the held-out loss, if stderr is a terminal.

    Returns
    -------
    NgramFit

    Raises
    ------
    FileError, FormatError
        The source cannot be read, or the target is the source, cannot be written, or needs more
        space than is free.
    InputTypeError, InputValueError
        An option is invalid or does not fit the source, the source has n-grams, or no word has any.
    ModelKindError
        The source is a supervised model.
    NotANumberError
        A vector holds NaN or an infinite number.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = convert("sample", folder / "words.safetensors", subwords="none", max_words=500)
    >>> report = fit_ngrams(
    ...     folder / "words.safetensors", folder / "fitted.safetensors", buckets=10_000
    ... )
    >>> report.rows, report.held_out_words
    (10000, 5)
    >>> load(folder / "fitted.safetensors")["governmental"].shape
    (40,)
    """
    started = time.perf_counter()
    refit, replace = flag("refit", refit), flag("replace", replace)
    skip_broken, progress = flag("skip_broken", skip_broken), flag("progress", progress)
    neighbors_index, graph = flag("neighbors_index", neighbors_index), flag("graph", graph)
    table = _table(minn, maxn, buckets)
    most_rows = _most_rows(ngrams)
    for name, value, known in (("weighting", weighting, WEIGHTINGS), ("dtype", dtype, DTYPES)):
        if not isinstance(value, str) or value not in known:
            raise InputValueError(f"{name} must be one of {', '.join(known)}, not {value!r}")
    ridge = _ridge(regularization)
    chosen = parse_held_out(held_out)
    skip_frequent = whole("skip_frequent", skip_frequent, least=0)
    tolerance = real("tolerance", tolerance, least=0)
    most = whole("max_iterations", max_iterations, least=1)
    seed = whole("seed", seed, least=0)
    target = path_name(dst)
    aside = None if on_interrupt is None else path_name(on_interrupt)
    parts = (src if isinstance(src, Model) else load(src, progress=progress))._parts
    _check_kind(parts, replace=replace)
    for path in (target, aside):
        if path is not None:
            check_target(parts.info.path, path)
    source = _with_vectors(Source(parts, threads, progress=progress))
    ids = np.arange(source.word_count, dtype=np.int32)[skip_frequent:]
    if skip_broken:
        words = map(source.vocabulary.bytes, ids.tolist())
        ids = ids[[not is_broken(decode(word)) for word in words]]
    left_out = source.word_count - len(ids)
    used, ids = _choose_ngrams(source, table, ids, most_rows)
    kept = _with_rows(table, used)
    rows = table.bucket if ngrams is None else len(used)
    check_free(target, (source.word_count + rows) * source.dim * _SIZES[dtype])
    squares = check_vectors(source, ids)
    held = hold_out(source, chosen, ids[squares > 0], seed)
    if ridge is None and not len(held):
        raise InputValueError(
            'regularization="auto" needs held-out words: raise held_out, or give a number'
        )
    weights, frequencies = weights_of(source, weighting)
    fitter = Fitter(
        source,
        kept,
        ids,
        weights[ids] / weights[ids].mean(),
        np.searchsorted(ids, held),
        2.0 ** round(math.log2(math.sqrt(squares.mean() / source.dim) or 1.0)),
        tolerance=tolerance,
        most=most,
        progress=progress,
    )
    fitted = np.zeros((rows, source.dim), np.float32)
    places = used if ngrams is None else slice(None)

    def write(path: str) -> int:
        made = Model(_fitted_parts(source.parts, table if ngrams is None else kept, fitted))
        return convert(
            made,
            path,
            dtype,
            neighbors_index=neighbors_index,
            graph=graph,
            threads=threads,
            progress=progress,
        ).size

    try:
        if ridge is None:
            ridge = fitter.choose_ridge()
        fitter.fit(ridge, fitted, places, refit=refit)
        size = write(target)
    except KeyboardInterrupt:
        if aside is not None:
            fitter.hurry()
            fitter.fit(_RIDGE if ridge is None else ridge, fitted, places, refit=False)
            write(aside)
        raise
    found = cosines(fitter.predicted, fitter.own)
    lengths = [len(decode(source.vocabulary.bytes(i))) for i in held.tolist()]
    ranks = held.astype(np.int64) + 1
    return NgramFit(
        source=parts.info.path,
        target=target,
        size=size,
        dtype=dtype,
        dim=source.dim,
        word_count=source.word_count,
        fitted_words=len(ids) - (0 if refit else len(held)),
        left_out=left_out,
        without_ngrams=source.word_count - left_out - len(ids),
        minn=table.minn,
        maxn=table.maxn,
        buckets=table.bucket,
        rows=rows,
        used_rows=len(used),
        weighting=weighting,
        frequencies=frequencies,
        regularization=ridge,
        iterations=fitter.passes,
        held_out_words=len(held),
        held_out_cosine=float(found.mean()) if len(held) else None,
        held_out_percentile_1=float(np.percentile(found, 1)) if len(held) else None,
        held_out_loss=loss(fitter.predicted, fitter.own) if len(held) else None,
        by_length=bands(np.array(lengths, np.int64), found, _LENGTHS),
        by_rank=bands(ranks, found, _RANKS),
        seconds=time.perf_counter() - started,
        ranks=ranks,
        cosines=found,
    )


def _table(minn: int, maxn: int, buckets: int) -> Subwords:
    minn, maxn = whole("minn", minn, least=1), whole("maxn", maxn, least=1)
    if minn > maxn:
        raise InputValueError(f"minn must not be above maxn, but {minn} > {maxn}")
    return Subwords(minn, maxn, whole("buckets", buckets, 1, _MOST_BUCKETS), 0)


def _most_rows(ngrams: int | str | None) -> int | None:
    """Return the largest number of rows; None for any."""
    if ngrams is None or (isinstance(ngrams, str) and ngrams == "used"):
        return None
    if isinstance(ngrams, str):
        raise InputValueError(f'ngrams must be a number or "used", not {ngrams!r}')
    return whole("ngrams", ngrams, least=1)


def _ridge(regularization: float | str) -> float | None:
    """Return the ridge; None if it has to be chosen."""
    if isinstance(regularization, str):
        if regularization == "auto":
            return None
        raise InputValueError(f'regularization must be a number or "auto", not {regularization!r}')
    ridge = real("regularization", regularization, least=0)
    if not math.isfinite(ridge):
        raise InputValueError("regularization must be finite")
    return ridge


def _check_kind(parts: Parts, *, replace: bool) -> None:
    info = parts.info
    if info.kind == "supervised":
        raise ModelKindError(
            f"{info.path}: this model is supervised: its rows are trained for labels, and its "
            "words have no vectors to fit n-grams to"
        )
    if info.word_count == 0:
        raise InputValueError(f"{info.path}: this model has no words to fit n-grams to")
    if parts.subwords.has_ngrams and not parts.closed and not replace:
        raise InputValueError(
            f"{info.path}: this model has n-grams already; replace=True (--replace) fits new ones "
            "to the vectors of its words instead"
        )


def _with_vectors(source: Source) -> Source:
    """Return a source of the vectors of the words, without n-grams and labels."""
    parts = source.parts
    vectors = parts.vectors
    if vectors is None:
        # They are read for each block of columns, so they are not computed again.
        numbers = np.empty((source.word_count, source.dim), np.float32)
        at = 0
        ids = np.arange(source.word_count, dtype=np.int32)
        for block in source.blocks("vectors", lambda a, b: source.vectors(ids[a:b]), len(ids)):
            numbers[at : at + len(block)] = block
            at += len(block)
        vectors = Matrix(DenseRows(numbers.data.cast("B"), *numbers.shape), numbers)
    parameters = parts.info.parameters._replace(minn=0, maxn=0, bucket=0, hash_count=0)
    return source.replace(
        parts.replace(
            info=parts.info._replace(label_count=0, parameters=parameters, subword_rows=0),
            subwords=Subwords(0, 0, 0, 0),
            input=Matrix(DenseRows(memoryview(b""), 0, source.dim), None),
            output=None,
            vectors=vectors,
            closed=True,
            norms=None,
            codes=None,
            graph=None,
        )
    )


def _choose_ngrams(
    source: Source, table: Subwords, ids: NDArray[np.int32], most: int | None
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the buckets that get rows, ascending, and the ids of the words that have any."""
    ngrams = list_ngrams(table, source.vocabulary, ids, source.threads)
    buckets, counts = np.unique(ngrams.columns, return_counts=True)
    if not len(buckets):
        raise InputValueError(
            f"none of {len(ids)} words has an n-gram of {table.minn} to {table.maxn} characters: "
            "lower minn, or leave out fewer words"
        )
    if most is not None and most < len(buckets):
        buckets = np.sort(buckets[np.argsort(-counts, kind="stable")[:most]])
        kept = _with_rows(table, buckets)
        ngrams = list_ngrams(kept, source.vocabulary, ids, source.threads)
    return buckets, ids[np.diff(ngrams.offsets) > 0]


def _with_rows(table: Subwords, buckets: NDArray[np.int32]) -> Subwords:
    """Return n-grams of which only these buckets have rows."""
    prune = PruneIndex(buckets, None, table.bucket)
    return Subwords(table.minn, table.maxn, table.bucket, 0, prune)


def _fitted_parts(parts: Parts, subwords: Subwords, rows: NDArray[np.float32]) -> Parts:
    """Return the parts of a model with these rows of n-grams."""
    info = parts.info
    parameters = info.parameters._replace(
        minn=subwords.minn, maxn=subwords.maxn, bucket=subwords.bucket
    )
    return parts.replace(
        info=info._replace(parameters=parameters, subword_rows=len(rows)),
        subwords=subwords,
        input=Matrix(DenseRows(rows.data.cast("B"), *rows.shape), rows),
        closed=False,
    )
