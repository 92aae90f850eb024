"""The official format, ``.bin`` and ``.ftz``.

Little-endian, without padding: a head, the dictionary, the prune index, the input matrix and the
output matrix. The head gives the sizes of all parts except the dictionary, so the matrices of a
dense file are located from its end, and its dictionary is read on the first look-up.

Four layouts are read: versions 12 and 11; the layout of 2016, which has no magic number, no prune
index and no flags before the matrices; and that of floret, whose head has two more fields.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.lookup import dictionary
from fasttext_lite._core.lookup.buckets import PruneIndex
from fasttext_lite._core.lookup.rows import DenseRows, QuantizedRows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite.errors import FormatError
from fasttext_lite.formats.cursor import Cursor, largest_dim
from fasttext_lite.formats.head import SHAPE_SIZE, Head, read_head
from fasttext_lite.parts import Info, Matrix, Parts, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from fasttext_lite.formats.file import ModelFile

__all__ = ["parts_of_stream", "read"]

_SHORTEST_ENTRY = 10
_CENTROIDS = 256


def read(data: memoryview, path: str, file: ModelFile | None = None) -> Parts:
    """Find the parts of a fastText file.

    Parameters
    ----------
    data : memoryview
        The bytes of the file; the parts keep a reference.
    path : str
        Path of the file, for errors.
    file : ModelFile, optional
        The file that `data` belongs to.

    Raises
    ------
    FormatError
        The file is not a fastText model, is truncated, or contradicts itself.
    """
    cursor = Cursor(data, path)
    head = read_head(cursor)
    if head.parameters.dim > largest_dim(len(data)):
        raise cursor.error(
            "dim",
            f"dim is {head.parameters.dim}, more than the bytes of the file",
            head.offset("dim"),
        )
    starts = _dense_from_end(cursor, head)
    if starts is not None:
        return _dense_parts(cursor, head, starts, file)
    return _read_from_front(cursor, head, file)


def _dense_from_end(cursor: Cursor, head: Head) -> tuple[int, int, int] | None:
    """Find the matrices by their sizes from the end of the file, and check them against the head.

    Returns where the dictionary ends and the first number of each matrix; None if the file is not
    dense or is damaged: reading it from the front finds out which.
    """
    if head.pruned:
        return None
    gap = head.flag_size + SHAPE_SIZE
    output = len(cursor.data) - head.matrix_size(head.output_rows)
    input_ = output - gap - head.matrix_size(head.input_rows)
    stop = input_ - gap
    if stop < head.stop + head.size * _SHORTEST_ENTRY:
        return None
    dim = head.parameters.dim
    for start, rows in ((input_, head.input_rows), (output, head.output_rows)):
        at = Cursor(cursor.data, cursor.path, start - gap)
        # The flag of the output matters only if the input is quantised.
        if head.flag_size and at.integer("flag", "u1") > (start == output):
            return None
        if at.unpack("shape", "i8", "i8") != (rows, dim):
            return None
    return stop, input_, output


def _dense_parts(
    cursor: Cursor, head: Head, starts: tuple[int, int, int], file: ModelFile | None
) -> Parts:
    data = cursor.data
    dictionary_stop, input_start, output_start = starts
    return _parts(
        cursor,
        head,
        read_vocabulary=partial(_scan_dense, cursor, head, dictionary_stop),
        prune=None,
        input_=_dense_matrix(data, input_start, head.input_rows, head.parameters.dim),
        output=_dense_matrix(data, output_start, head.output_rows, head.parameters.dim),
        ends=(
            ("dictionary", dictionary_stop),
            ("input matrix", output_start - head.flag_size - SHAPE_SIZE),
            ("output matrix", len(data)),
        ),
        file=file,
    )


def _scan_dense(cursor: Cursor, head: Head, stop: int) -> Vocabulary:
    vocabulary = _scan(cursor, head, stop)
    if vocabulary.end != stop:
        raise FormatError(
            "dictionary",
            vocabulary.end,
            f"the dictionary ends here, but the input matrix begins only at byte {stop}",
            cursor.path,
        )
    return vocabulary


def _scan(cursor: Cursor, head: Head, stop: int) -> Vocabulary:
    try:
        return dictionary.scan(cursor.data, head.stop, stop, head.word_count, head.label_count)
    except FormatError as error:
        raise FormatError(error.field, error.offset, error.reason, cursor.path) from None


def _pruned_but_dense(cursor: Cursor, head: Head) -> FormatError:
    return cursor.error(
        "pruneidx_size",
        "the model is pruned but its input matrix is not quantised: the official program wrote "
        "such files by mistake and does not open them either; download the model again",
        head.offset("pruneidx_size"),
    )


def _read_from_front(cursor: Cursor, head: Head, file: ModelFile | None) -> Parts:
    """Read a pruned or quantised file, or find the error in a dense one."""
    data, path = cursor.data, cursor.path
    vocabulary = _scan(cursor, head, len(data))
    cursor.at = vocabulary.end
    ends = [("dictionary", cursor.at)]
    prune = None
    if head.pruned:
        prune = _read_prune_index(cursor, head)
        ends.append(("prune index", cursor.at))
    if head.pruned and Cursor(data, path, cursor.at).integer("input matrix flag", "u1") == 0:
        raise _pruned_but_dense(cursor, head)
    input_ = _read_matrix(cursor, "input matrix", head, head.input_rows, flag_counts=True)
    ends.append(("input matrix", cursor.at))
    output = _read_matrix(
        cursor, "output matrix", head, head.output_rows, flag_counts=input_.view is None
    )
    ends.append(("output matrix", cursor.at))
    if cursor.at != len(data):
        raise cursor.error(
            "end of file",
            f"{len(data) - cursor.at} bytes follow the output matrix, which must end the file: it "
            "is damaged",
        )
    return _parts(cursor, head, lambda: vocabulary, prune, input_, output, ends, file)


def _read_prune_index(cursor: Cursor, head: Head) -> PruneIndex:
    start = cursor.at
    pairs = np.frombuffer(cursor.take("prune index", 8 * head.prune_size), "<i4").reshape(-1, 2)
    for column, name, limit in (
        (0, "bucket", head.parameters.bucket),
        (1, "row", head.prune_size),
    ):
        wrong = np.flatnonzero((pairs[:, column] < 0) | (pairs[:, column] >= limit))
        if wrong.size:
            raise cursor.error(
                f"prune index pair {wrong[0]}",
                f"{name} {pairs[wrong[0], column]} is outside [0, {limit})",
                start + 8 * int(wrong[0]) + 4 * column,
            )
    # If a bucket has several pairs the last one counts: the first in reversed order.
    buckets, last = np.unique(pairs[::-1, 0], return_index=True)
    rows = np.ascontiguousarray(pairs[::-1, 1][last])
    return PruneIndex(buckets, rows, head.parameters.bucket)


def _read_matrix(cursor: Cursor, name: str, head: Head, rows: int, *, flag_counts: bool) -> Matrix:
    dim = head.parameters.dim
    flag = 0
    if head.flag_size:
        at = cursor.at
        flag = cursor.integer(f"{name} flag", "u1")
        if flag not in (0, 1):
            raise cursor.error(f"{name} flag", f"the flag is {flag}; it must be 0 or 1", at)
    if flag and flag_counts:
        return _read_quantized(cursor, name, rows, dim)
    _check_shape(cursor, name, rows, dim)
    start = cursor.at
    cursor.take(name, head.matrix_size(rows))
    return _dense_matrix(cursor.data, start, rows, dim)


def _check_shape(cursor: Cursor, name: str, rows: int, dim: int) -> None:
    for field, expected in (("rows", rows), ("columns", dim)):
        at = cursor.at
        found = cursor.integer(f"{name} {field}", "i8")
        if found != expected:
            raise cursor.error(
                f"{name} {field}",
                f"the {name} says {found} {field}, but the head of the file says {expected}",
                at,
            )


def _dense_matrix(data: memoryview, start: int, rows: int, dim: int) -> Matrix:
    stop = start + rows * dim * 4
    view: NDArray[np.float32] = np.ndarray((rows, dim), "<f4", data, start)
    return Matrix(DenseRows(data[start:stop], rows, dim), view)


def _read_quantized(cursor: Cursor, name: str, rows: int, dim: int) -> Matrix:
    at = cursor.at
    has_norms = cursor.integer(f"{name} qnorm", "u1")
    if has_norms not in (0, 1):
        raise cursor.error(f"{name} qnorm", f"the flag is {has_norms}; it must be 0 or 1", at)
    _check_shape(cursor, name, rows, dim)
    at = cursor.at
    code_size = cursor.integer(f"{name} codesize", "i4")
    parts = code_size // rows if rows else 0
    if code_size < 0 or code_size != parts * rows or parts > dim or (rows and not parts):
        raise cursor.error(
            f"{name} codesize",
            f"codesize {code_size} does not fit {rows} rows of {dim} numbers",
            at,
        )
    codes = cursor.take(f"{name} codes", code_size)
    centroids, dsub = _read_quantizer(cursor, f"{name} quantiser", dim, parts if rows else None)
    norm_codes = norms = None
    if has_norms:
        norm_codes = cursor.take(f"{name} norm codes", rows)
        norms, _ = _read_quantizer(cursor, f"{name} norm quantiser", 1, 1)
    return Matrix(QuantizedRows(codes, centroids, rows, dim, dsub, norm_codes, norms), None)


def _read_quantizer(
    cursor: Cursor, name: str, dim: int, parts: int | None
) -> tuple[NDArray[np.float32], int]:
    """Read a product quantiser: its centroids, and the number of dimensions per part."""
    at = cursor.at
    found = cursor.unpack(name, "i4", "i4", "i4", "i4")
    dsub = int(found[2])
    if found[0] != dim or dsub < 1:
        raise cursor.error(
            name, f"a quantiser of dim {found[0]} and dsub {dsub} does not fit {dim} columns", at
        )
    expected = -(-dim // dsub)
    if (
        found[1] != expected
        or found[3] != dim - (expected - 1) * dsub
        or parts not in (None, expected)
    ):
        raise cursor.error(
            name,
            f"nsubq {found[1]} and lastdsub {found[3]} do not fit dim {dim}, dsub {dsub} and the "
            "codes",
            at,
        )
    raw = cursor.take(f"{name} centroids", dim * _CENTROIDS * 4)
    # Copied to align them; they are few.
    return np.frombuffer(raw, "<f4").copy(), dsub


def parts_of_stream(
    cursor: Cursor, head: Head, dictionary_stop: int, input_: Matrix, output: Matrix
) -> Parts:
    """Return the parts of a dense model of which `cursor` holds only the beginning.

    Raises
    ------
    FormatError
        The dictionary is damaged.
    """
    if head.pruned:
        raise _pruned_but_dense(cursor, head)
    vocabulary = _scan(cursor, head, dictionary_stop)
    ends = [("dictionary", dictionary_stop)]
    return _parts(cursor, head, lambda: vocabulary, None, input_, output, ends)


def _parts(
    cursor: Cursor,
    head: Head,
    read_vocabulary: Callable[[], Vocabulary],
    prune: PruneIndex | None,
    input_: Matrix,
    output: Matrix,
    ends: Iterable[tuple[str, int]],
    file: ModelFile | None = None,
) -> Parts:
    sections = []
    start = 0
    for name, end in (("head", head.stop), *ends):
        sections.append(Section(name, start, end - start))
        start = end
    parameters = head.parameters
    version = f"version {head.version}" if head.version else "before version 11"
    info = Info(
        path=cursor.path,
        format=f"{'floret' if head.floret else 'fastText'} binary, {version}",
        kind=parameters.model,
        word_count=head.word_count,
        label_count=head.label_count,
        token_count=head.token_count,
        parameters=parameters,
        subword_rows=head.subword_rows,
        pruned=head.pruned,
        quantized_input=input_.view is None,
        quantized_output=output.view is None,
        file_size=len(cursor.data),
        sections=tuple(sections),
        index_size=Vocabulary.index_size(head.size),
    )
    subwords = Subwords(
        parameters.minn,
        parameters.maxn,
        parameters.bucket,
        head.word_count,
        prune,
        parameters.hash_count,
    )
    return Parts(info, read_vocabulary, subwords, input_, output, file=file)
