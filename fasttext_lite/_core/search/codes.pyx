"""Codes: rows of small numbers that represent vectors of length 1, with a bound on the error.

The error of a row is the length of the difference between the vector and its codes. By the
Cauchy-Schwarz inequality, the codes change a dot product with a vector of length 1 by at most this
error.
"""

import numpy as np

from libc.math cimport INFINITY, sqrt
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from fasttext_lite._core.kernels.cpu cimport exact_dots, scan_kernels
from fasttext_lite._core.text.lock cimport Away, come_back, leave

from fasttext_lite.errors import InputValueError

cdef enum:
    PACKED_LEVELS = 16
    BYTE_LEVELS = 128
    TRIALS = 5
    # So many norms take longer than handing over the lock.
    MANY = 256

# Distances between neighbouring codes, in multiples of the root mean square of the numbers of a
# row. The first is best for a normal distribution; the others, for longer tails, are tried until
# the error no longer decreases.
cdef float* PACKED_STEPS = [0.3352, 0.42, 0.55, 0.75, 1.1]
cdef float* BYTE_STEPS = [0.06, 0.08, 0.11, 0.16, 0.25]

ROUNDING = 4e-6
# Products of codes are summed in int32.
MOST_COLUMNS = 60_000


cdef double norm_of(const float* vector, size_t dim) noexcept nogil:
    """Return the Euclidean norm, computed in float64."""
    cdef double[2] sums
    sums[0] = 0
    sums[1] = 0
    exact_dots(vector, vector, dim, sums)
    return sqrt(sums[1])


def norms(const float[:, ::1] rows not None):
    """Compute the Euclidean norms of rows in float64.

    Parameters
    ----------
    rows : ndarray
        float32, shape (n, dim).

    Returns
    -------
    ndarray
        float64, shape (n,).
    """
    cdef Py_ssize_t i
    found = np.empty(rows.shape[0], np.float64)
    cdef double[::1] out = found
    # A few rows take less time than handing over the lock.
    cdef Away away = leave(rows.shape[0] > MANY)
    for i in range(rows.shape[0]):
        out[i] = norm_of(&rows[i, 0], <size_t>rows.shape[1])
    come_back(away)
    return found


cdef void encode_row(
    const float* row, size_t dim, double norm, int levels, uint8_t* codes, uint8_t* trial,
    float* scale, float* error
) noexcept nogil:
    """Compute the codes, one per byte, of a row divided by `norm`.

    If the buffer `trial` is not NULL, several distances between codes are tried.
    """
    cdef const float* steps = PACKED_STEPS if levels == PACKED_LEVELS else BYTE_STEPS
    cdef float inverse, step, missed
    cdef double least = INFINITY
    cdef int i
    scale[0] = 0
    error[0] = 0
    if norm == 0:
        # Its cosine is 0 by definition.
        memset(codes, 0, dim)
        return
    if not is_safe(norm):
        memset(codes, 0, dim)
        error[0] = INFINITY
        return
    inverse = <float>(1 / norm)
    for i in range(TRIALS):
        # Without trials use the second distance, which clips few numbers.
        step = steps[1 if trial == NULL else i] / <float>sqrt(<double>dim)
        missed = scan_kernels.encode(row, dim, inverse, step, levels, codes if i == 0 else trial)
        if i and not missed < least:
            break
        if i:
            memcpy(codes, trial, dim)
        least = missed
        scale[0] = step
        if trial == NULL:
            break
    error[0] = <float>(sqrt(least) * (1 + <double>dim / (1 << 22)) + ROUNDING)
    if error[0] != error[0]:
        error[0] = INFINITY


cdef class Codes:
    """Codes of the directions of many vectors.

    Parameters
    ----------
    codes : uint8 buffer, length count * width
        Row-major. Packed codes hold column j in the lower four bits of byte j and column width + j
        in the upper bits; others hold one column per byte.
    scales, errors : float32 buffers, length count
        A row is about ``scale * (code - (levels - 1) / 2)``, and the length of the difference is at
        most its error. The values are not checked: with wrong ones a search finds wrong words.
    dim : int
    packed : bool
        Whether the codes have 16 levels, two columns per byte, or else 128 levels.

    Raises
    ------
    InputValueError
        The shapes do not fit one another, or there are too many dimensions.
    """

    def __cinit__(
        self,
        const uint8_t[::1] codes not None,
        const float[::1] scales not None,
        const float[::1] errors not None,
        Py_ssize_t dim,
        bint packed,
    ):
        self.count = scales.shape[0]
        self.dim = dim
        self.packed = packed
        self.levels = PACKED_LEVELS if packed else BYTE_LEVELS
        self.width = row_width(dim, packed)
        if codes.shape[0] != self.count * self.width or errors.shape[0] != self.count:
            raise InputValueError("the codes do not fit their scales, errors or the dimensions")
        self.data = codes
        self.scales = scales
        self.errors = errors


def row_width(Py_ssize_t dim, bint packed):
    """Return the size of the codes of a row in bytes.

    Raises
    ------
    InputValueError
        There are too many dimensions.
    """
    if not 1 <= dim <= MOST_COLUMNS:
        raise InputValueError(
            f"vectors of {dim} dimensions cannot be coded: the largest number is {MOST_COLUMNS}"
        )
    return (dim + 1) // 2 if packed else dim


def encode_directions(const float[:, ::1] rows not None, bint packed):
    """Encode the directions of rows.

    Parameters
    ----------
    rows : ndarray
        float32, shape (n, dim).
    packed : bool

    Returns
    -------
    tuple of ndarray
        The codes, uint8 of shape (n, width), the scales and the errors, float32 of shape (n,).
    """
    cdef Py_ssize_t dim = rows.shape[1]
    cdef Py_ssize_t half = row_width(dim, packed)
    cdef Py_ssize_t i, j
    cdef int levels = PACKED_LEVELS if packed else BYTE_LEVELS
    found = np.empty((rows.shape[0], half), np.uint8)
    found_scales, found_errors = np.empty((2, rows.shape[0]), np.float32)
    cdef uint8_t[:, ::1] codes = found
    cdef float[::1] scales = found_scales
    cdef float[::1] errors = found_errors
    cdef uint8_t* plain = <uint8_t*>malloc(3 * <size_t>dim + 1)
    if plain == NULL:
        raise MemoryError
    with nogil:
        for i in range(rows.shape[0]):
            plain[dim] = 0
            encode_row(
                &rows[i, 0], <size_t>dim, norm_of(&rows[i, 0], <size_t>dim), levels, plain,
                plain + dim + 1, &scales[i], &errors[i]
            )
            if packed:
                for j in range(half):
                    codes[i, j] = plain[j] | <uint8_t>(plain[half + j] << 4)
            else:
                memcpy(&codes[i, 0], plain, <size_t>dim)
    free(plain)
    return found, found_scales, found_errors
