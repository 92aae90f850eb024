"""Row matrices behind one small interface: add rows, by id, to a vector."""

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memset

from fasttext_lite._core.kernels.cpu cimport FTL_F16, FTL_F32, FTL_I8, kernels, prefetch

from fasttext_lite.errors import InputValueError

ELEMENTS = {"float32": (FTL_F32, 4), "float16": (FTL_F16, 2), "int8": (FTL_I8, 1)}


cdef class Rows:
    """A matrix whose rows are read one by one.

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
        """Add `count` rows to `out`, in order; `ahead` more ids follow, to be prefetched.

        The caller ensures that the ids are within the matrix.
        """

    cdef void copy(self, int64_t row, float* out) noexcept nogil:
        """Write one row to `out`."""
        memset(out, 0, <size_t>self.dim * sizeof(float))
        self.add(&row, 1, 0, out)

    cdef float dot(self, int64_t row, const float* vector) noexcept nogil:
        """The dot product of a row with a vector of `dim` numbers."""
        return 0

    cdef void fetch(self, int64_t row) noexcept nogil:
        """Prefetch a row, if that helps."""

    def sum(self, const int64_t[::1] ids not None, float[::1] out not None):
        """Add the rows with these ids, in order, to `out` (float32, shape (dim,)).

        Raises
        ------
        InputValueError
            An id is outside the matrix, or `out` has another length.
        """
        cdef Py_ssize_t i
        if out.shape[0] != self.dim:
            raise InputValueError(f"out has {out.shape[0]} numbers, the rows have {self.dim}")
        for i in range(ids.shape[0]):
            if not 0 <= ids[i] < self.count:
                raise InputValueError(f"row {ids[i]} is outside the matrix of {self.count} rows")
        if ids.shape[0] and self.dim:
            with nogil:
                self.add(&ids[0], <size_t>ids.shape[0], 0, &out[0])

    def dots(self, const int64_t[::1] ids not None, const float[::1] vector not None):
        """Return the dot products of the rows with these ids and a vector, as a list.

        Raises
        ------
        InputValueError
            An id is outside the matrix, or the vector has another length.
        """
        cdef Py_ssize_t i
        if vector.shape[0] != self.dim:
            raise InputValueError(f"a vector of {vector.shape[0]} does not fit {self.dim} columns")
        for i in range(ids.shape[0]):
            if not 0 <= ids[i] < self.count:
                raise InputValueError(f"row {ids[i]} is outside the matrix of {self.count} rows")
        return [self.dot(ids[i], &vector[0] if self.dim else NULL) for i in range(ids.shape[0])]

    def take(self, const int64_t[::1] ids not None, float[:, ::1] out not None):
        """Write the rows with these ids to `out` (float32, shape (n, dim)).

        Raises
        ------
        InputValueError
            An id is outside the matrix, or `out` has another shape.
        """
        cdef Py_ssize_t i
        if out.shape[0] != ids.shape[0] or out.shape[1] != self.dim:
            raise InputValueError(
                f"the output of shape {(out.shape[0], out.shape[1])} does not fit "
                f"{ids.shape[0]} ids and rows of {self.dim} numbers"
            )
        for i in range(ids.shape[0]):
            if not 0 <= ids[i] < self.count:
                raise InputValueError(f"row {ids[i]} is outside the matrix of {self.count} rows")
        with nogil:
            for i in range(ids.shape[0]):
                self.copy(ids[i], &out[i, 0])


cdef class DenseRows(Rows):
    """Rows of numbers in the bytes of a file, at any alignment.

    Parameters
    ----------
    data : buffer of bytes
        ``count * dim`` numbers, row-major, little-endian.
    count, dim : int
    dtype : {"float32", "float16", "int8"}
    scales : float32 buffer, length count
        For int8 only: the factor of each row.

    Raises
    ------
    InputValueError
        The dtype is unknown, the shape is impossible, or the buffers do not fit it.
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
        if dtype not in ELEMENTS:
            raise InputValueError(f"dtype must be one of {', '.join(ELEMENTS)}, not {dtype!r}")
        if count < 0 or dim < 0:
            raise InputValueError(f"a matrix cannot have the shape ({count}, {dim})")
        self.element, size = ELEMENTS[dtype]
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

    cdef void add(
        self, const int64_t* ids, size_t count, size_t ahead, float* out
    ) noexcept nogil:
        kernels.add_rows[self.element](
            self.base, self.scales, <size_t>self.dim, ids, count, ahead, out
        )

    cdef void copy(self, int64_t row, float* out) noexcept nogil:
        kernels.copy_row[self.element](
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
        cdef float product = kernels.dot[self.element](
            self.base + row * self.bytes, <size_t>self.dim, vector
        )
        return product if self.scales == NULL else product * self.scales[row]


cdef class QuantizedRows(Rows):
    """Product-quantised rows: each is a sequence of centroids, times a norm.

    Jégou, Douze and Schmid 2011, "Product quantization for nearest neighbor search".

    Parameters
    ----------
    codes : buffer of bytes, length count * ceil(dim / dsub)
        Row-major: the centroid of each part of each row.
    centroids : float32 buffer, length dim * 256
        Those of part ``s`` begin at ``s * 256 * dsub``; the last part may be shorter than `dsub`.
    count, dim, dsub : int
    norm_codes : buffer of bytes, length count, optional
    norms : float32 buffer, length 256, optional
        The norm of a row is ``norms[norm_codes[row]]``, or 1 without norms.

    Raises
    ------
    InputValueError
        The shape is impossible, or the arrays do not fit it.
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
        cdef Py_ssize_t part, at, width
        cdef const uint8_t* codes
        cdef float norm = 1
        for i in range(count):
            codes = &self.codes[ids[i] * self.parts]
            if self.norms is not None:
                norm = self.norms[self.norm_codes[ids[i]]]
            at = 0
            for part in range(self.parts):
                width = min(self.dsub, self.dim - at)
                kernels.add_scaled_f32(
                    &self.centroids[at * 256 + codes[part] * width], <size_t>width, norm, out + at
                )
                at += width

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
