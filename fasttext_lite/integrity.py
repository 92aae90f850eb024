"""Whether the file under a model is still the same, and whether its numbers are numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.errors import FormatError
from fasttext_lite.parallel import run_in_chunks

if TYPE_CHECKING:
    from fasttext_lite.parts import Matrix, Parts

__all__ = ["check_numbers", "check_unchanged"]

# Bytes of float32 rows that a thread works on at a time.
_CHUNK = 1 << 19


def check_unchanged(parts: Parts) -> None:
    """Make sure that a mapped file is still as it was when it was opened.

    Raises
    ------
    FileError
        It has another size, so its pages may be gone and reading them would end the process; or
        another time of modification.
    """
    if parts.backing is not None:
        parts.backing.check()


def check_numbers(parts: Parts, threads: int | None) -> None:
    """Read the dictionary, and every row of every matrix once.

    Raises
    ------
    FileError
        The file changes meanwhile.
    FormatError
        The dictionary is damaged, or a row holds a number that is not finite.
    """
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
        check_unchanged(parts)
        numbers = np.empty((stop - start, rows.dim), np.float32)
        rows.take(np.arange(start, stop), numbers)
        finite = np.isfinite(numbers).all(axis=1)
        if not finite.all():
            raise FormatError(
                f"{name}, row {start + int(finite.argmin())}",
                offset,
                "a number of this row is infinite, or none at all (NaN); the section begins at "
                "this byte",
                parts.info.path,
            )

    run_in_chunks(check, rows.count, threads, max(_CHUNK // (4 * rows.dim), 1))
