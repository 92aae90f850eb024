"""Full check of a model: readable dictionary, finite numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.errors import FormatError
from fasttext_lite.parallel import run_in_chunks

if TYPE_CHECKING:
    from fasttext_lite.parts import Matrix, Parts

__all__ = ["check_numbers"]

# Bytes of float32 rows per piece of work.
_CHUNK = 1 << 19


def check_numbers(parts: Parts, threads: int | None) -> None:
    """Read the dictionary, and every row of every matrix in the file once.

    Parameters
    ----------
    parts : Parts
    threads : int or None
        Number of threads; None for one per core available to this process.

    Raises
    ------
    FileError
        A mapped file changes during the check.
    FormatError
        The dictionary is damaged, or a row holds a number that is not finite.
    """
    if parts.origin is not None:
        parts, _ = parts.origin
    _ = parts.vocabulary
    for matrix, names in (
        (parts.input, ("input matrix", "input", "subwords")),
        (parts.vectors, ("words",)),
        (parts.output, ("output matrix", "output")),
    ):
        if matrix is not None:
            _check_matrix(parts, matrix, names, threads)


def _check_matrix(
    parts: Parts, matrix: Matrix, names: tuple[str, ...], threads: int | None
) -> None:
    rows = matrix.rows
    found = [section for section in parts.info.sections if section.name in names]
    name, offset = (found[0].name, found[0].offset) if found else (names[0], 0)

    def check(start: int, stop: int) -> None:
        parts.check_unchanged()
        numbers = np.empty((stop - start, rows.dim), np.float32)
        rows.take(np.arange(start, stop, dtype=np.int64), numbers)
        finite = np.isfinite(numbers).all(axis=1)
        if not finite.all():
            raise FormatError(
                f"{name}, row {start + int(finite.argmin())}",
                offset,
                "a number of this row is infinite or NaN; the section begins at this byte; "
                "download or convert the model again",
                parts.info.path,
            )

    run_in_chunks(check, rows.count, threads, max(_CHUNK // (4 * rows.dim), 1))
