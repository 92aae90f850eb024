"""Conversion of rows to the number format of a compact file, and the loss of precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.cosines import cosines, squares
from fasttext_lite.errors import InputValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Cast", "cast"]

_INT8_MOST = 127


@dataclass(frozen=True, slots=True)
class Cast:
    """Rows as a compact file stores them.

    Attributes
    ----------
    numbers : ndarray
        float32, float16 or int8, shape (n, dim).
    scales : ndarray or None
        float32, shape (n,): factors of int8 rows.
    norms : ndarray or None
        float32, shape (n,): norms of the stored rows, if measured.
    cosines : ndarray or None
        float32, shape (n,): cosines between the stored rows and the exact ones, if measured.
    """

    numbers: NDArray[Any]
    scales: NDArray[np.float32] | None
    norms: NDArray[np.float32] | None
    cosines: NDArray[np.float32] | None


def cast(rows: NDArray[np.float32], dtype: str, *, measured: bool) -> Cast:
    """Convert rows to another number format.

    Parameters
    ----------
    rows : ndarray
        float32, shape (n, dim).
    dtype : {"float32", "float16", "int8"}
    measured : bool
        Also compute norms and cosines.

    Raises
    ------
    InputValueError
        A number is too large for float16, or is infinite or NaN with int8.
    """
    scales = None
    numbers: NDArray[Any] = rows
    if dtype == "float16":
        numbers = _to_float16(rows)
    elif dtype == "int8":
        numbers, scales = _to_int8(rows)
    if not measured:
        return Cast(numbers, scales, None, None)
    stored = rows
    if numbers is not rows:
        stored = numbers.astype(np.float32) if scales is None else numbers * scales[:, None]
    squared = squares(stored)
    found = np.ones(len(rows), np.float32)
    if stored is not rows:
        found = cosines(stored, rows, squared).astype(np.float32)
        # float16 stores infinite numbers and NaN without loss.
        found[np.isnan(found)] = 1
    with np.errstate(over="ignore"):
        lengths = np.sqrt(squared).astype(np.float32)
    return Cast(numbers, scales, lengths, found)


def _to_float16(rows: NDArray[np.float32]) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):
        numbers = rows.astype(np.float16)
    if not np.isfinite(numbers).all():
        lost = np.abs(rows[np.isfinite(rows) & ~np.isfinite(numbers)])
        if lost.size:
            raise InputValueError(
                f"the number {lost.max():g} is too large for float16 (largest: 65504): convert to "
                "float32 or int8"
            )
    return numbers


def _to_int8(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    largest = np.abs(rows).max(axis=1, initial=0)
    if not np.isfinite(largest).all():
        raise InputValueError(
            "a row holds an infinite number or NaN, which int8 cannot represent: convert to "
            "float32 or float16"
        )
    scales = (largest / _INT8_MOST).astype(np.float32)
    divisor = np.where(scales > 0, scales, np.float32(1))[:, None]
    # A subnormal scale has so few bits that quotients above 127 occur.
    numbers = np.rint(rows / divisor).clip(-_INT8_MOST, _INT8_MOST).astype(np.int8)
    return numbers, scales
