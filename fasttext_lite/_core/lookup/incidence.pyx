"""The n-grams of many words as a sparse matrix, and the steps of conjugate gradients over it."""

import numpy as np

from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t
from libc.string cimport memset

from fasttext_lite._core.kernels.cpu cimport FTL_F32, row_kernels, scale_f32
from fasttext_lite._core.lookup.subwords cimport GATHER, Pieces, Subwords, end_pieces
from fasttext_lite._core.lookup.vocabulary cimport Vocabulary

from fasttext_lite.errors import InputValueError


cdef class Incidence:
    """A sparse matrix of whole numbers: how often each n-gram row occurs in each word.

    Row i has ones in the columns ``columns[offsets[i]:offsets[i + 1]]``; a column that is there
    twice counts twice. It is made in two passes over the words, `count` and `fill`, each on several
    threads, with `allocate` between them.

    Parameters
    ----------
    count : int
        Number of rows.
    width : int
        Number of columns.
    """

    cdef readonly Py_ssize_t count
    cdef readonly int64_t width
    cdef int64_t[::1] ends
    cdef int32_t[::1] places

    def __cinit__(self, Py_ssize_t count, int64_t width):
        if count < 0 or not 0 <= width <= INT32_MAX:
            raise InputValueError(f"a sparse matrix cannot have the shape ({count}, {width})")
        self.count = count
        self.width = width
        self.ends = np.zeros(count + 1, np.int64)
        self.places = np.empty(0, np.int32)

    @property
    def offsets(self):
        """Where the columns of each row begin, and where those of the last one end: int64."""
        return self.ends.base

    @property
    def columns(self):
        """The columns of all rows, row by row: int32."""
        return self.places.base

    def tally(
        self,
        Subwords subwords not None,
        Vocabulary vocabulary not None,
        const int32_t[::1] ids not None,
        Py_ssize_t start,
        Py_ssize_t stop,
    ):
        """Count the n-grams of the words ``ids[start:stop]`` of a vocabulary."""
        self._walk(subwords, vocabulary, ids, start, stop, False)

    def allocate(self):
        """Make room for the n-grams that were counted."""
        offsets = self.offsets
        np.cumsum(offsets, out=offsets)
        self.places = np.empty(int(offsets[self.count]), np.int32)

    def fill(
        self,
        Subwords subwords not None,
        Vocabulary vocabulary not None,
        const int32_t[::1] ids not None,
        Py_ssize_t start,
        Py_ssize_t stop,
    ):
        """List the n-gram rows of the words ``ids[start:stop]``.

        Raises
        ------
        InputValueError
            A word has other n-grams than were counted: its bytes have changed since.
        """
        self._walk(subwords, vocabulary, ids, start, stop, True)

    def _walk(
        self,
        Subwords subwords,
        Vocabulary vocabulary,
        const int32_t[::1] ids,
        Py_ssize_t start,
        Py_ssize_t stop,
        bint filling,
    ):
        cdef Pieces pieces
        cdef const uint8_t* word
        cdef size_t length = 0
        cdef size_t j
        cdef Py_ssize_t i
        cdef int64_t at, row
        cdef bint done = True
        cdef bint same = True
        self._check(start, stop)
        if ids.shape[0] != self.count:
            raise InputValueError(f"{ids.shape[0]} ids do not fit {self.count} rows")
        for i in range(start, stop):
            vocabulary.check(ids[i])
        with nogil:
            for i in range(start, stop):
                word = vocabulary.entry(ids[i], &length)
                done = subwords.begin_pieces(&pieces, word, length, -1)
                if not done:
                    break
                at = self.ends[i] if filling else 0
                while same and subwords.next_piece(&pieces):
                    if not filling:
                        at += <int64_t>pieces.count
                        continue
                    same = at + <int64_t>pieces.count <= self.ends[i + 1]
                    for j in range(pieces.count if same else 0):
                        row = pieces.rows[j] - subwords.first_row
                        same = same and 0 <= row < self.width
                        self.places[at] = <int32_t>row if same else 0
                        at += 1
                end_pieces(&pieces)
                if not filling:
                    self.ends[i + 1] = at
                elif at != self.ends[i + 1]:
                    same = False
                if not same:
                    break
        if not done:
            raise MemoryError
        if not same:
            raise InputValueError("the words have changed since their n-grams were counted")

    def transposed(self):
        """Return the transposed matrix; the columns of each of its rows ascend."""
        cdef Incidence made = Incidence(self.width, self.count)
        cdef int64_t[::1] ends = made.ends
        cdef Py_ssize_t i
        cdef int64_t at
        made.places = np.empty(self.places.shape[0], np.int32)
        cdef int32_t[::1] places = made.places
        with nogil:
            # ends[c + 1] is first the number of entries of column c, then where the next one goes.
            for at in range(self.places.shape[0]):
                ends[self.places[at] + 1] += 1
            for i in range(self.width):
                ends[i + 1] += ends[i]
            for i in range(self.width, 0, -1):
                ends[i] = ends[i - 1]
            for i in range(self.count):
                for at in range(self.ends[i], self.ends[i + 1]):
                    places[ends[self.places[at] + 1]] = <int32_t>i
                    ends[self.places[at] + 1] += 1
        return made

    def gather(
        self,
        const float[:, ::1] rows not None,
        const float[::1] factors,
        float[:, ::1] out not None,
        Py_ssize_t start,
        Py_ssize_t stop,
    ):
        """Multiply ``self[start:stop]`` by a dense matrix: row i of `out` is the sum of its rows.

        Parameters
        ----------
        rows : float32 buffer, shape (width, k)
        factors : float32 buffer, shape (count,), or None
            Row i of the product is multiplied by the factor i.
        out : float32 buffer, shape (count, k)
        start, stop : int
        """
        cdef int64_t ids[GATHER]
        cdef size_t dim = <size_t>out.shape[1]
        cdef Py_ssize_t i
        cdef size_t j, found, held
        cdef size_t ahead = 0
        cdef size_t used = 0
        cdef int64_t at, end, last
        self._check(start, stop)
        if rows.shape[0] != self.width or out.shape[0] != self.count or (
            rows.shape[1] != out.shape[1]
            or (factors is not None and factors.shape[0] != self.count)
        ):
            raise InputValueError("the dense matrices do not fit the sparse one")
        if start == stop or dim == 0:
            return
        at = self.ends[start]
        last = self.ends[stop]
        with nogil:
            for i in range(start, stop):
                end = self.ends[i + 1]
                memset(&out[i, 0], 0, dim * sizeof(float))
                while at < end:
                    # ids[used:used + ahead] are the columns from `at` on, also of later rows, so
                    # that their rows of the dense matrix can be prefetched.
                    if ahead == 0:
                        ahead = <size_t>min(last - at, <int64_t>GATHER)
                        used = 0
                        for j in range(ahead):
                            ids[j] = self.places[at + <int64_t>j]
                    found = <size_t>min(end - at, <int64_t>ahead)
                    row_kernels.add_rows[FTL_F32](
                        <const uint8_t*>&rows[0, 0], NULL, dim, ids + used, found, ahead - found,
                        &out[i, 0],
                    )
                    at += <int64_t>found
                    used += found
                    ahead -= found
                if factors is not None:
                    scale_f32(&out[i, 0], dim, factors[i])

    cdef int _check(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        if not 0 <= start <= stop <= self.count:
            raise InputValueError(f"rows {start} to {stop} are not among {self.count}")
        return 0


cdef int _check_block(
    const float[:, ::1] a, const float[:, ::1] b, const double[::1] sums, Py_ssize_t start,
    Py_ssize_t stop,
) except -1:
    if a.shape[0] != b.shape[0] or a.shape[1] != b.shape[1] or sums.shape[0] != a.shape[1] or (
        not 0 <= start <= stop <= a.shape[0]
    ):
        raise InputValueError("the blocks of a step do not fit one another")
    return 0


def damp(
    const float[:, ::1] p not None,
    float ridge,
    float[:, ::1] q not None,
    double[::1] sums not None,
    Py_ssize_t start,
    Py_ssize_t stop,
):
    """Add ``ridge * p`` to `q`, and write the dot product of each column of `p` and `q` to `sums`.

    Only rows from `start` to `stop` are read.
    """
    cdef Py_ssize_t i, j
    _check_block(p, q, sums, start, stop)
    with nogil:
        for j in range(p.shape[1]):
            sums[j] = 0
        for i in range(start, stop):
            for j in range(p.shape[1]):
                q[i, j] += ridge * p[i, j]
                sums[j] += <double>p[i, j] * <double>q[i, j]


def advance(
    const float[::1] lengths not None,
    const float[:, ::1] p not None,
    const float[:, ::1] q not None,
    const float[::1] inverse not None,
    float[:, ::1] z not None,
    float[:, ::1] r not None,
    double[::1] sums not None,
    Py_ssize_t start,
    Py_ssize_t stop,
):
    """Go along the direction `p`: add ``lengths * p`` to `z`, subtract ``lengths * q`` from `r`.

    `sums` becomes the sum of ``inverse * r * r`` of each column, where `inverse` is the diagonal of
    the preconditioner. Only rows from `start` to `stop` are read and changed.
    """
    cdef Py_ssize_t i, j
    _check_block(p, q, sums, start, stop)
    _check_block(z, r, sums, start, stop)
    if z.shape[0] != p.shape[0] or inverse.shape[0] != p.shape[0] or (
        lengths.shape[0] != p.shape[1]
    ):
        raise InputValueError("the blocks of a step do not fit one another")
    with nogil:
        for j in range(p.shape[1]):
            sums[j] = 0
        for i in range(start, stop):
            for j in range(p.shape[1]):
                z[i, j] += lengths[j] * p[i, j]
                r[i, j] -= lengths[j] * q[i, j]
                sums[j] += <double>inverse[i] * <double>r[i, j] * <double>r[i, j]


def turn(
    const float[::1] kept not None,
    const float[:, ::1] r not None,
    const float[::1] inverse not None,
    float[:, ::1] p not None,
    Py_ssize_t start,
    Py_ssize_t stop,
):
    """Replace the direction `p` by ``inverse * r + kept * p``."""
    cdef Py_ssize_t i, j
    if r.shape[0] != p.shape[0] or r.shape[1] != p.shape[1] or (
        inverse.shape[0] != p.shape[0] or kept.shape[0] != p.shape[1]
    ) or not 0 <= start <= stop <= p.shape[0]:
        raise InputValueError("the blocks of a step do not fit one another")
    with nogil:
        for i in range(start, stop):
            for j in range(p.shape[1]):
                p[i, j] = inverse[i] * r[i, j] + kept[j] * p[i, j]
