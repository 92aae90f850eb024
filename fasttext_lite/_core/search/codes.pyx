"""Rows of small numbers that stand for vectors of length 1, each with a bound on its error.

By Cauchy and Schwarz the dot product of a vector of length 1 and what the codes miss of another is
at most the length of what they miss.
"""

import numpy as np

from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int8_t, int32_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from fasttext_lite._core.kernels cimport cpu

from fasttext_lite.errors import InputValueError

cdef enum:
    PACKED_LEVELS = 16
    BYTE_LEVELS = 128
    TRIALS = 5

# How far the codes of a row are apart, in multiples of the root of the mean square of its numbers:
# the first is the best for numbers that are distributed normally, the others, tried until one is no
# better, for longer tails.
cdef float* PACKED_STEPS = [0.3352, 0.42, 0.55, 0.75, 1.1]
cdef float* BYTE_STEPS = [0.06, 0.08, 0.11, 0.16, 0.25]

# Rows whose length is beyond these are not coded: their squares leave float32.
cdef double SHORTEST = 1e-30
cdef double LONGEST = 1e30
ROUNDING = 4e-6
# Products of codes are summed in int32.
MOST_COLUMNS = 60_000


cdef const ScanKernels* _choose() except NULL:
    """The kernels of the level that `cpu` chose, or the next below that this CPU has."""
    cdef const ScanKernels* found[FTL_MOST_SCAN_KERNELS]
    cdef size_t i
    cdef size_t count = runnable_scan_kernels(found)
    cdef bytes wanted = cpu.kernels.name
    for i in range(count):
        if <bytes>found[i].name == wanted:
            return found[i]
    # Some CPUs have AVX-512 but not all of it that is used here.
    return found[0] if wanted.startswith(b"avx512") else found[count - 1]


kernels = _choose()


cdef double length(const float* vector, size_t dim) noexcept nogil:
    """The Euclidean norm, in float64."""
    cdef double[2] sums
    sums[0] = 0
    sums[1] = 0
    kernels.exact_dots(vector, vector, dim, sums)
    return sqrt(sums[1])


def norms(const float[:, ::1] rows not None):
    """The Euclidean norms of rows, computed in float64: float32, shape (n,)."""
    cdef Py_ssize_t i
    found = np.empty(rows.shape[0], np.float32)
    cdef float[::1] out = found
    with nogil:
        for i in range(rows.shape[0]):
            out[i] = <float>length(&rows[i, 0], <size_t>rows.shape[1])
    return found


cdef void encode_row(
    const float* row, size_t dim, double norm, int levels, uint8_t* codes, uint8_t* trial,
    float* scale, float* error
) noexcept nogil:
    """Find codes, one a byte, for a row divided by `norm`; with `trial` the best of some trials."""
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
    if not SHORTEST < norm < LONGEST:
        memset(codes, 0, dim)
        error[0] = INFINITY
        return
    inverse = <float>(1 / norm)
    for i in range(TRIALS):
        # Without trials one is taken that cuts off little.
        step = steps[1 if trial == NULL else i] / <float>sqrt(<double>dim)
        missed = kernels.encode(row, dim, inverse, step, levels, codes if i == 0 else trial)
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
        Row-major. Packed ones hold column j in the lower four bits of byte j and column width + j
        in the upper ones, others a column a byte.
    scales, errors : float32 buffers, length count
        A row is about ``scale * (code - (levels - 1) / 2)``, and the length of what that misses is
        at most its error. What they say is believed: a search by wrong ones finds wrong words.
    dim : int
    packed : bool
        Of 16 levels, two columns a byte, or of 128.
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
    """How many bytes the codes of a row take.

    Raises
    ------
    InputValueError
        There are too many dimensions.
    """
    if not 1 <= dim <= MOST_COLUMNS:
        raise InputValueError(
            f"vectors of {dim} dimensions cannot be coded: {MOST_COLUMNS} at most"
        )
    return (dim + 1) // 2 if packed else dim


def encode(const float[:, ::1] rows not None, bint packed):
    """Code the directions of rows.

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
                &rows[i, 0], <size_t>dim, length(&rows[i, 0], <size_t>dim), levels, plain,
                plain + dim + 1, &scales[i], &errors[i]
            )
            if packed:
                for j in range(half):
                    codes[i, j] = plain[j] | <uint8_t>(plain[half + j] << 4)
            else:
                memcpy(&codes[i, 0], plain, <size_t>dim)
    free(plain)
    return found, found_scales, found_errors


def runnable():
    """The kernels that this CPU can run, best first."""
    cdef const ScanKernels* found[FTL_MOST_SCAN_KERNELS]
    cdef size_t i
    return [found[i].name.decode() for i in range(runnable_scan_kernels(found))]


def chosen():
    """The kernels that this process runs."""
    return kernels.name.decode()


def dots(
    const uint8_t[:, ::1] rows not None, const int8_t[:, ::1] queries not None, bint packed
):
    """The dot products of rows of codes with queries laid out as they are: int32, shape (m, n).

    Rows are a multiple of four, and have a multiple of 64 bytes; queries have as many numbers, or
    twice that if the rows are packed.
    """
    cdef Py_ssize_t width = rows.shape[1]
    if rows.shape[0] % FTL_CODE_ROWS or width % FTL_CODE_STEP or (
        queries.shape[1] != (2 * width if packed else width)
    ):
        raise InputValueError("the rows or the queries have another shape")
    found = np.empty((queries.shape[0], rows.shape[0]), np.int32)
    cdef int32_t[:, ::1] out = found
    if found.size and width:
        (kernels.packed_dots if packed else kernels.dots)(
            &rows[0, 0], <size_t>width, <size_t>rows.shape[0], <size_t>width, &queries[0, 0],
            <size_t>queries.shape[0], &out[0, 0]
        )
    return found
