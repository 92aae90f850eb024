"""The rows of a matrix after a linear map."""

import numpy as np

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memset

from fasttext_lite._core.kernels.cpu cimport FTL_F32, row_kernels
from fasttext_lite._core.lookup.rows cimport Rows

from fasttext_lite.errors import InputValueError

cdef enum:
    # Columns before the map. Their sum is on the stack, of which a thread may have only 128 KiB.
    MOST = 8192


cdef class MappedRows(Rows):
    """The rows of a matrix, each multiplied by another matrix: ``row @ matrix``.

    Several rows are added before the map, which is linear, so their sum is mapped once.

    Parameters
    ----------
    rows : Rows
    matrix : ndarray
        float32, shape (columns of `rows`, new columns).

    Raises
    ------
    InputValueError
        The shape of the matrix does not fit the rows, or the rows have more than 8192 columns.
    """

    cdef Rows rows
    # Transposed: a new column is the dot product of a row of `columns` with a row before the map.
    # The kernels sum dot products in an order that does not depend on the CPU.
    cdef const float[:, ::1] columns

    def __cinit__(self, Rows rows not None, const float[:, :] matrix not None):
        if rows.dim > MOST:
            raise InputValueError(
                f"a model of {rows.dim} dimensions cannot be mapped: at most {MOST} are supported"
            )
        if matrix.shape[0] != rows.dim:
            raise InputValueError(
                f"a map of {matrix.shape[0]} rows does not fit rows of {rows.dim} numbers"
            )
        self.rows = rows
        self.columns = np.ascontiguousarray(np.asarray(matrix).T)
        self.count = rows.count
        self.dim = matrix.shape[1]

    cdef inline float _mapped(self, Py_ssize_t column, const float* row) noexcept nogil:
        """Return one number of a mapped row."""
        return row_kernels.dot[FTL_F32](
            <const uint8_t*>&self.columns[column, 0], <size_t>self.rows.dim, row
        )

    cdef void add(
        self, const int64_t* ids, size_t count, size_t ahead, float* out
    ) noexcept nogil:
        cdef float total[MOST]
        cdef Py_ssize_t j
        if count == 0:
            return
        memset(total, 0, <size_t>self.rows.dim * sizeof(float))
        self.rows.add(ids, count, ahead, total)
        for j in range(self.dim):
            out[j] += self._mapped(j, total)

    cdef void fetch(self, int64_t row) noexcept nogil:
        self.rows.fetch(row)

    cdef float dot(self, int64_t row, const float* vector) noexcept nogil:
        cdef float found[MOST]
        cdef float total = 0
        cdef Py_ssize_t j
        self.rows.copy(row, found)
        for j in range(self.dim):
            total += self._mapped(j, found) * vector[j]
        return total
