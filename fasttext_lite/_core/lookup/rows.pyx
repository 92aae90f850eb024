"""Matrices with a common interface to add, copy or multiply rows by their ids."""

import numpy as np

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memset

from fasttext_lite._core.kernels.cpu cimport (
    FTL_F16,
    FTL_F32,
    FTL_I8,
    add_quantized,
    prefetch,
    row_kernels,
)

from fasttext_lite.errors import InputTypeError, InputValueError

# In the order of the numbers of the types.
_ELEMENTS = {"float32": (FTL_F32, 4), "float16": (FTL_F16, 2), "int8": (FTL_I8, 1)}


cdef class Rows:
    """A matrix whose rows are read by their ids.

    Attributes
    ----------
    count : int
        Number of rows.
    dim : int
        Number of columns.
    """

    cdef void add(
        self, const int64_t* ids, size_t count, size_t ahead, float* out
    ) noexcept nogil:
        """Add `count` rows to `out`, in order; the next `ahead` ids may be prefetched.

        The caller must check the ids.
        """

    cdef void copy(self, int64_t row, float* out) noexcept nogil:
        """Write one row to `out`."""
        memset(out, 0, <size_t>self.dim * sizeof(float))
        self.add(&row, 1, 0, out)

    cdef float unscaled(self, int64_t row, float* out) noexcept nogil:
        """Write one row to `out`, and return a factor by which dot products with it are multiplied.

        The factor is not 1 where the official program multiplies the sum, and not its terms.
        """
        self.copy(row, out)
        return 1

    cdef float dot(self, int64_t row, const float* vector) noexcept nogil:
        """Return the dot product of a row with a vector of `dim` numbers."""
        return 0

    cdef void fetch(self, int64_t row) noexcept nogil:
        """Prefetch a row, if that helps."""

    def sum(self, ids not None, float[::1] out not None):
        """Add the rows with these ids, in order, to `out`.

        Parameters
        ----------
        ids : array of int, shape (n,)
        out : ndarray
            float32, shape (dim,).

        Raises
        ------
        InputTypeError
            The ids are not integers.
        InputValueError
            An id is outside the matrix, or `out` has another length.
        """
        cdef const int64_t[::1] rows = self._checked(ids)
        if out.shape[0] != self.dim:
            raise InputValueError(f"out has {out.shape[0]} numbers, the rows have {self.dim}")
        if rows.shape[0] and self.dim:
            with nogil:
                self.add(&rows[0], <size_t>rows.shape[0], 0, &out[0])

    def dots(self, ids not None, const float[::1] vector not None):
        """Compute the dot products of the rows with these ids with a vector.

        Parameters
        ----------
        ids : array of int, shape (n,)
        vector : ndarray
            float32, shape (dim,).

        Returns
        -------
        ndarray
            float32, shape (n,).

        Raises
        ------
        InputTypeError
            The ids are not integers.
        InputValueError
            An id is outside the matrix, or the vector has another length.
        """
        cdef const int64_t[::1] rows = self._checked(ids)
        cdef Py_ssize_t i
        if vector.shape[0] != self.dim:
            raise InputValueError(f"a vector of {vector.shape[0]} does not fit {self.dim} columns")
        products = np.empty(rows.shape[0], np.float32)
        cdef float[::1] out = products
        with nogil:
            for i in range(rows.shape[0]):
                out[i] = self.dot(rows[i], &vector[0] if self.dim else NULL)
        return products

    def take(self, ids not None, float[:, ::1] out not None):
        """Write the rows with these ids to `out`.

        Parameters
        ----------
        ids : array of int, shape (n,)
        out : ndarray
            float32, shape (n, dim).

        Raises
        ------
        InputTypeError
            The ids are not integers.
        InputValueError
            An id is outside the matrix, or `out` has another shape.
        """
        cdef const int64_t[::1] rows = self._checked(ids)
        cdef Py_ssize_t i
        if out.shape[0] != rows.shape[0] or out.shape[1] != self.dim:
            raise InputValueError(
                f"the output of shape {(out.shape[0], out.shape[1])} does not fit "
                f"{rows.shape[0]} ids and rows of {self.dim} numbers"
            )
        with nogil:
            for i in range(rows.shape[0]):
                self.copy(rows[i], &out[i, 0])

    def _checked(self, ids):
        """Convert ids to int64, whatever the default integer of the platform is, and check them."""
        found = np.asarray(ids)
        if found.size and found.dtype.kind not in "iu":
            raise InputTypeError(f"ids of rows must be integers, not {found.dtype}")
        if found.ndim != 1:
            raise InputValueError(f"ids of rows must have one dimension, not {found.ndim}")
        # An unsigned id beyond int64 becomes negative.
        found = np.ascontiguousarray(found, np.int64)
        cdef const int64_t[::1] rows = found
        cdef Py_ssize_t i
        for i in range(rows.shape[0]):
            if not 0 <= rows[i] < self.count:
                raise InputValueError(f"row {rows[i]} is outside the matrix of {self.count} rows")
        return found


cdef class DenseRows(Rows):
    """Rows of numbers in the bytes of a file, at any alignment.

    Parameters
    ----------
    data : buffer of bytes
        ``count * dim`` numbers, row-major, little-endian.
    count, dim : int
    dtype : {"float32", "float16", "int8"}
    scales : float32 buffer, length count
        The factor of each row, for int8 only.

    Raises
    ------
    InputValueError
        The dtype is unknown, the shape is invalid, or the buffers do not fit it.
    """

    def __cinit__(
        self,
        const uint8_t[::1] data not None,
        int64_t count,
        Py_ssize_t dim,
        dtype="float32",
        const float[::1] scales=None,
    ):
        cdef int size
        if dtype not in _ELEMENTS:
            raise InputValueError(f"dtype must be one of {', '.join(_ELEMENTS)}, not {dtype!r}")
        if count < 0 or dim < 0:
            raise InputValueError(f"a matrix cannot have the shape ({count}, {dim})")
        self.element, size = _ELEMENTS[dtype]
        if data.shape[0] != count * dim * size:
            raise InputValueError(
                f"{count} rows of {dim} {dtype} take {count * dim * size} bytes, "
                f"not {data.shape[0]}"
            )
        if (scales is None) != (dtype != "int8") or (
            scales is not None and scales.shape[0] != count
        ):
            raise InputValueError(f"{count} rows of {dtype} do not fit the scales")
        self.count = count
        self.dim = dim
        self.bytes = dim * size
        self.data = data
        self.scale = scales
        self.base = &data[0] if data.shape[0] else NULL
        self.scales = &scales[0] if scales is not None and count else NULL

    @property
    def dtype(self):
        """The number format of the rows."""
        return list(_ELEMENTS)[self.element]

    cdef void add(
        self, const int64_t* ids, size_t count, size_t ahead, float* out
    ) noexcept nogil:
        row_kernels.add_rows[self.element](
            self.base, self.scales, <size_t>self.dim, ids, count, ahead, out
        )

    cdef void copy(self, int64_t row, float* out) noexcept nogil:
        row_kernels.copy_row[self.element](
            self.base + row * self.bytes,
            1 if self.scales == NULL else self.scales[row],
            <size_t>self.dim,
            out,
        )

    cdef void fetch(self, int64_t row) noexcept nogil:
        cdef const uint8_t* begin = self.base + row * self.bytes
        prefetch(begin)
        prefetch(begin + self.bytes - 1)

    cdef float dot(self, int64_t row, const float* vector) noexcept nogil:
        cdef float product = row_kernels.dot[self.element](
            self.base + row * self.bytes, <size_t>self.dim, vector
        )
        return product if self.scales == NULL else product * self.scales[row]


cdef class QuantizedRows(Rows):
    """Product-quantised rows: each row is a sequence of centroids, times a norm.

    Jégou, Douze and Schmid 2011, "Product quantization for nearest neighbor search".

    Parameters
    ----------
    codes : buffer of bytes, length count * ceil(dim / dsub)
        The centroid of each part of each row, row-major.
    centroids : float32 buffer, length dim * 256
        The centroids of part ``s`` begin at ``s * 256 * dsub``; the last part may be shorter.
    count, dim : int
    dsub : int
        Number of columns of a part.
    norm_codes : buffer of bytes, length count, optional
    norms : float32 buffer, length 256, optional
        The norm of a row is ``norms[norm_codes[row]]``, or 1 without norms.

    Raises
    ------
    InputValueError
        The shape is invalid, or the arrays do not fit it.
    """

    def __cinit__(
        self,
        const uint8_t[::1] codes not None,
        const float[::1] centroids not None,
        int64_t count,
        Py_ssize_t dim,
        Py_ssize_t dsub,
        const uint8_t[::1] norm_codes=None,
        const float[::1] norms=None,
    ):
        if count < 0 or dim < 0 or dsub < 1:
            raise InputValueError(
                f"a matrix cannot have the shape ({count}, {dim}) and parts of {dsub} columns: "
                "a part must have at least one"
            )
        self.parts = (dim + dsub - 1) // dsub
        if codes.shape[0] != count * self.parts or centroids.shape[0] != dim * 256:
            raise InputValueError("the codes or the centroids do not fit the shape of the matrix")
        if (norm_codes is None) != (norms is None) or (
            norms is not None and (norm_codes.shape[0] != count or norms.shape[0] != 256)
        ):
            raise InputValueError("the norms do not fit the shape of the matrix")
        self.count = count
        self.dim = dim
        self.dsub = dsub
        self.codes = codes
        self.centroids = centroids
        self.norm_codes = norm_codes
        self.norms = norms

    cdef void add(
        self, const int64_t* ids, size_t count, size_t ahead, float* out
    ) noexcept nogil:
        cdef size_t i
        cdef float norm = 1
        for i in range(count):
            if self.norms is not None:
                norm = self.norms[self.norm_codes[ids[i]]]
            add_quantized(
                &self.codes[ids[i] * self.parts], &self.centroids[0], <size_t>self.dim,
                <size_t>self.dsub, norm, out
            )

    cdef float unscaled(self, int64_t row, float* out) noexcept nogil:
        memset(out, 0, <size_t>self.dim * sizeof(float))
        add_quantized(
            &self.codes[row * self.parts], &self.centroids[0], <size_t>self.dim,
            <size_t>self.dsub, 1, out
        )
        return 1 if self.norms is None else self.norms[self.norm_codes[row]]

    cdef float dot(self, int64_t row, const float* vector) noexcept nogil:
        cdef const uint8_t* codes = &self.codes[row * self.parts]
        cdef const float* centroid
        cdef Py_ssize_t part, width, j
        cdef Py_ssize_t at = 0
        cdef float total = 0
        for part in range(self.parts):
            width = min(self.dsub, self.dim - at)
            centroid = &self.centroids[at * 256 + codes[part] * width]
            for j in range(width):
                total += vector[at + j] * centroid[j]
            at += width
        return total if self.norms is None else total * self.norms[self.norm_codes[row]]
