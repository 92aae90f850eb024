"""The best words of each query, from scores in any order."""

import numpy as np

from libc.math cimport INFINITY
from libc.stdint cimport int32_t
from libc.stdlib cimport calloc, free, malloc

from fasttext_lite.errors import InputValueError


cdef inline bint worse(WordScore a, WordScore b) noexcept nogil:
    return a.score < b.score or (a.score == b.score and a.id > b.id)


cdef class Nearest:
    """The `k` best ids of each query, ordered by score, ties by id.

    Parameters
    ----------
    queries, k : int
        Number of queries, and of ids to keep for each.
    """

    def __cinit__(self, Py_ssize_t queries, Py_ssize_t k):
        if queries < 0 or k < 1:
            raise InputValueError(
                f"queries must be at least 0 and k at least 1, not {queries} and {k}"
            )
        self.queries = queries
        self.k = k
        self.sizes = <Py_ssize_t*>calloc(<size_t>queries + 1, sizeof(Py_ssize_t))
        # One heap for each query; its first item is the worst one.
        self.heaps = <WordScore*>malloc((<size_t>queries * <size_t>k + 1) * sizeof(WordScore))
        if self.sizes == NULL or self.heaps == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.sizes)
        free(self.heaps)

    cdef double least(self, Py_ssize_t query) noexcept nogil:
        """Return the score below which nothing is kept."""
        return self.heaps[query * self.k].score if self.sizes[query] == self.k else -INFINITY

    cdef void add(self, Py_ssize_t query, double score, int32_t i) noexcept nogil:
        """Add a score if it is among the best; NaN is ignored."""
        cdef WordScore* heap = self.heaps + query * self.k
        cdef Py_ssize_t size = self.sizes[query]
        cdef Py_ssize_t at, child
        cdef WordScore new
        new.score = score
        new.id = i
        if score != score:
            return
        if size < self.k:
            at = size
            self.sizes[query] = size + 1
            while at and worse(new, heap[(at - 1) // 2]):
                heap[at] = heap[(at - 1) // 2]
                at = (at - 1) // 2
            heap[at] = new
            return
        if not worse(heap[0], new):
            return
        at = 0
        while True:
            child = 2 * at + 1
            if child >= size:
                break
            if child + 1 < size and worse(heap[child + 1], heap[child]):
                child += 1
            if not worse(heap[child], new):
                break
            heap[at] = heap[child]
            at = child
        heap[at] = new

    def merge(self, Nearest other not None):
        """Add the ids and scores of another object for the same queries."""
        cdef Py_ssize_t query, i
        cdef WordScore one
        if other.queries != self.queries:
            raise InputValueError(
                f"cannot merge the results of {other.queries} queries with those of {self.queries}"
            )
        for query in range(self.queries):
            for i in range(other.sizes[query]):
                one = other.heaps[query * other.k + i]
                self.add(query, one.score, one.id)

    def best(self, Py_ssize_t query):
        """Return the result of one query, best first.

        Returns
        -------
        tuple of ndarray
            Ids (int32) and scores (float64).
        """
        cdef Py_ssize_t i
        if not 0 <= query < self.queries:
            raise InputValueError(f"there is no query {query}")
        size = self.sizes[query]
        ids, scores = np.empty(size, np.int32), np.empty(size, np.float64)
        cdef int32_t[::1] id_view = ids
        cdef double[::1] score_view = scores
        for i in range(id_view.shape[0]):
            id_view[i] = self.heaps[query * self.k + i].id
            score_view[i] = self.heaps[query * self.k + i].score
        order = np.lexsort((ids, -scores))
        return ids[order], scores[order]
