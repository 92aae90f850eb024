"""The queries of a search, as vectors and as codes."""

import numpy as np

from libc.stdint cimport int8_t, int32_t, int64_t
from libc.stdlib cimport calloc, free

from fasttext_lite._core.kernels.cpu cimport FTL_CODE_STEP, FTL_PRODUCT_STEP, CodeQuery
from fasttext_lite._core.search.codes cimport ROUNDING

from fasttext_lite._core.search.codes import norms, row_width
from fasttext_lite.errors import InputValueError


cdef class Queries:
    """Queries in all forms that a search needs: vectors, unit vectors and codes.

    A score of query ``i`` times ``cosine_factors[i]`` is a cosine.

    Parameters
    ----------
    vectors : ndarray
        float32, shape (n, dim), all finite.
    packed : bool
        Whether the codes of the rows are packed.
    banned : sequence of arrays of int, length n
        The ids to leave out of the result of each query.
    """

    def __cinit__(self, vectors not None, bint packed, banned not None):
        cdef Py_ssize_t i
        self.vectors = vectors
        self.count = self.vectors.shape[0]
        self.dim = self.vectors.shape[1]
        self.packed = packed
        lengths = norms(self.vectors)
        # The official program does not divide by a norm below 1e-8.
        divisors = np.where(lengths < 1e-8, 1, lengths)
        self.divisors = divisors
        safe = np.where(lengths > 0, lengths, 1)
        self.cosine_factors = divisors / safe
        units = vectors.astype(np.float64) / safe[:, None]
        padded = (self.dim + FTL_PRODUCT_STEP - 1) // FTL_PRODUCT_STEP * FTL_PRODUCT_STEP
        laid = np.zeros((self.count, padded), np.float32)
        laid[:, : self.dim] = units
        self.units = laid
        half = row_width(self.dim, packed)
        self.width = (half + FTL_CODE_STEP - 1) // FTL_CODE_STEP * FTL_CODE_STEP
        scales = (np.abs(units).max(axis=1, initial=0) / 127).astype(np.float32)
        scales[scales == 0] = 1
        codes = np.rint(units / scales[:, None]).clip(-127, 127)
        taken = codes * scales[:, None]
        slacks = np.linalg.norm(units - taken, axis=1) + ROUNDING
        lengths = np.linalg.norm(taken, axis=1) * (1 + 1e-6)
        offsets = codes.sum(axis=1) * (15 if packed else 127)
        laid = np.zeros((self.count, 2 if packed else 1, self.width), np.int8)
        laid[:, 0, :half] = codes[:, :half]
        if packed:
            laid[:, 1, : self.dim - half] = codes[:, half:]
        self.codes = laid.reshape(self.count, -1)
        self.coded = <CodeQuery*>calloc(<size_t>self.count + 1, sizeof(CodeQuery))
        if self.coded == NULL:
            raise MemoryError
        for i in range(self.count):
            self.coded[i].offset = offsets[i]
            self.coded[i].scale = scales[i]
            self.coded[i].length = lengths[i]
            self.coded[i].slack = slacks[i]
        ids = [np.unique(np.asarray(one, np.int32)) for one in banned]
        if len(ids) != self.count:
            raise InputValueError(
                f"banned must hold one array of ids per query: {self.count}, not {len(ids)}"
            )
        self.banned = np.concatenate([*ids, np.empty(0, np.int32)])
        self.starts = np.cumsum([0, *map(len, ids)], dtype=np.int64)

    def __dealloc__(self):
        free(self.coded)

    cdef bint bans(self, Py_ssize_t query, int32_t i) noexcept nogil:
        """Return whether a word is left out of the result of a query."""
        cdef int64_t low = self.starts[query]
        cdef int64_t high = self.starts[query + 1]
        cdef int64_t middle
        while low < high:
            middle = (low + high) // 2
            if self.banned[middle] < i:
                low = middle + 1
            else:
                high = middle
        return low < self.starts[query + 1] and self.banned[low] == i
