"""A graph whose nodes are the rows of a matrix."""

from libc.stdint cimport uint32_t

from fasttext_lite._core.lookup.rows cimport DenseRows
from fasttext_lite._core.search.codes cimport Codes

from fasttext_lite.errors import InputValueError


cdef class Graph:
    """A graph whose nodes are the rows of a matrix.

    Parameters
    ----------
    rows : DenseRows
    norms : float32 buffer, length count
        The norms of the rows.
    neighbors : uint32 buffer, shape (count, degree)
        The neighbors of each row. An unused place holds the number of the row itself. The ids are
        checked when they are used.
    entries : uint32 buffer, shape (n,)
        The rows where a search begins.
    codes : Codes, optional
        Codes of the directions of the rows, by which a search is quicker.

    Raises
    ------
    InputValueError
        The shapes do not fit one another, or an entry is not a row.
    """

    def __cinit__(
        self,
        DenseRows rows not None,
        const float[::1] norms not None,
        const uint32_t[:, ::1] neighbors not None,
        const uint32_t[::1] entries not None,
        Codes codes=None,
    ):
        cdef Py_ssize_t i
        self.count = <Py_ssize_t>rows.count
        self.dim = rows.dim
        self.degree = neighbors.shape[1]
        if self.count > 0x7fffffff or self.dim < 1 or self.degree < 1:
            raise InputValueError("a graph needs columns, neighbors, and fewer than 2^31 rows")
        if neighbors.shape[0] != self.count or norms.shape[0] != self.count:
            raise InputValueError(
                f"a graph of {neighbors.shape[0]} rows and {norms.shape[0]} norms do not fit "
                f"a matrix of {self.count} rows"
            )
        if codes is not None and (codes.count != self.count or codes.dim != self.dim):
            raise InputValueError("the codes do not fit the matrix of the graph")
        for i in range(entries.shape[0]):
            if entries[i] >= <size_t>self.count:
                raise InputValueError(
                    f"the graph begins at row {entries[i]}, but there are {self.count}"
                )
        self.rows = rows
        self.norms = norms
        self.neighbors = neighbors
        self.entries = entries
        self.codes = codes
