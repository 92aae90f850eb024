"""Approximate search of the rows nearest to a query, along the edges of a graph.

The search is that of Malkov and Yashunin 2016, "Efficient and robust approximate nearest neighbor
search using Hierarchical Navigable Small World graphs", on one layer: it keeps the best rows that it
has seen, and looks at the neighbors of the best one whose neighbors it has not looked at.
"""

from libc.math cimport INFINITY, fabs, rint, sqrt
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset

from fasttext_lite._core.kernels.cpu cimport (
    FTL_CODE_STEP,
    FTL_SCAN_ROWS,
    CodeQuery,
    exact_dots,
    prefetch,
    row_kernels,
    scan_kernels,
)
from fasttext_lite._core.lookup.rows cimport DenseRows
from fasttext_lite._core.search.codes cimport ROUNDING, Codes, is_safe, norm_of
from fasttext_lite._core.search.graph cimport Graph
from fasttext_lite._core.search.heaps cimport Seen, rise, sink
from fasttext_lite._core.search.nearest cimport Nearest

from fasttext_lite.errors import InputValueError

cdef enum:
    # Rows that are scored together.
    BATCH = 64
    # Rows are prefetched this many ahead.
    AHEAD = 6
    # Marks that are remembered, so that they can be removed one by one.
    REMEMBERED = 1 << 14
    LINE = 64


cdef class GraphSearch:
    """The memory of a search on one thread, which can be used for many queries.

    Parameters
    ----------
    graph : Graph
    """

    cdef readonly Graph graph
    cdef DenseRows rows
    cdef Codes codes
    cdef Py_ssize_t code_width
    # The rows that were seen, one bit each, and the first of their ids.
    cdef uint8_t* marks
    cdef uint32_t* marked
    cdef Py_ssize_t marked_count
    # Rows whose neighbors were not looked at, best first; and the best rows, worst first.
    cdef Seen* open
    cdef Py_ssize_t open_count
    cdef Seen* best
    cdef Py_ssize_t best_count
    cdef Py_ssize_t effort
    cdef float* unit
    cdef float* vector
    cdef int8_t* query_codes
    cdef uint8_t* block
    cdef CodeQuery coded
    cdef const float* query
    cdef double divisor
    cdef double length
    cdef float error
    # Rows that may be in the result.
    cdef const uint8_t* allowed
    cdef const int32_t* banned
    cdef Py_ssize_t banned_count

    def __cinit__(self, Graph graph not None):
        cdef size_t dim = <size_t>graph.dim
        cdef size_t count = <size_t>graph.count
        self.graph = graph
        self.rows = graph.rows
        self.codes = graph.codes
        self.marks = <uint8_t*>calloc(count // 8 + 1, 1)
        self.marked = <uint32_t*>malloc(REMEMBERED * sizeof(uint32_t))
        # Each row is added once. Memory that is not written takes no space.
        self.open = <Seen*>malloc((count + 1) * sizeof(Seen))
        self.unit = <float*>malloc(dim * sizeof(float))
        self.vector = <float*>malloc(dim * sizeof(float))
        # Error bound of a cosine computed in float32 with at least four partial sums.
        self.error = <float>((<double>dim / 4 + 16) / (1 << 23) + ROUNDING)
        if self.codes is not None:
            self.code_width = (
                (self.codes.width + FTL_CODE_STEP - 1) // FTL_CODE_STEP * FTL_CODE_STEP
            )
        # Bytes past the columns of a row are never written and stay zero.
        self.block = <uint8_t*>calloc(BATCH, <size_t>self.code_width + 1)
        self.query_codes = <int8_t*>calloc(2, <size_t>self.code_width + 1)
        if (
            self.marks == NULL or self.marked == NULL or self.open == NULL or self.unit == NULL
            or self.vector == NULL or self.block == NULL or self.query_codes == NULL
        ):
            raise MemoryError

    def __dealloc__(self):
        free(self.marks)
        free(self.marked)
        free(self.open)
        free(self.best)
        free(self.unit)
        free(self.vector)
        free(self.block)
        free(self.query_codes)

    def search(
        self,
        const float[:, ::1] queries not None,
        Py_ssize_t start,
        Py_ssize_t stop,
        Nearest nearest not None,
        Py_ssize_t effort,
        const int32_t[::1] banned not None,
        const int64_t[::1] starts not None,
        const uint8_t[::1] allowed=None,
    ):
        """Search the nearest rows of the queries from `start` to `stop`.

        Parameters
        ----------
        queries : ndarray
            float32, shape (n, dim), all finite.
        start, stop : int
        nearest : Nearest
            Receives the rows and their float64 cosines; threads may share it for different
            queries.
        effort : int
            The number of best rows to keep; more of them find more of the nearest ones.
        banned : ndarray
            int32: the rows to leave out of the result of query i are
            ``banned[starts[i]:starts[i + 1]]``, ascending.
        starts : ndarray
            int64, shape (n + 1,).
        allowed : uint8 buffer, optional
            One bit for each row, lowest first: whether it may be in the results.

        Returns
        -------
        int
            A row of the graph with a neighbor that does not exist, where the search stopped; or
            -1.

        Raises
        ------
        InputValueError
            The arguments do not fit one another or the graph.
        """
        cdef Seen* more
        cdef Py_ssize_t query
        cdef Py_ssize_t wrong = -1
        cdef Py_ssize_t count = queries.shape[0]
        if queries.shape[1] != self.graph.dim:
            raise InputValueError(
                f"queries of {queries.shape[1]} dimensions do not fit rows of {self.graph.dim}"
            )
        if not 0 <= start <= stop <= count or nearest.queries != count or effort < 1:
            raise InputValueError("the range, the results or the effort do not fit the queries")
        if starts.shape[0] != count + 1 or starts[0] < 0 or starts[count] > banned.shape[0]:
            raise InputValueError("the starts do not fit the queries or the banned rows")
        for query in range(count):
            if starts[query] > starts[query + 1]:
                raise InputValueError("the starts of the banned rows do not ascend")
        if allowed is not None and allowed.shape[0] < (self.graph.count + 7) // 8:
            raise InputValueError("there must be one bit for each row")
        effort = min(effort, self.graph.count)
        if effort < 1:
            return -1
        if effort > self.effort:
            more = <Seen*>realloc(self.best, <size_t>effort * sizeof(Seen))
            if more == NULL:
                raise MemoryError
            self.best = more
        self.effort = effort
        self.allowed = &allowed[0] if allowed is not None else NULL
        with nogil:
            for query in range(start, stop):
                self.banned = &banned[0] + starts[query]
                self.banned_count = <Py_ssize_t>(starts[query + 1] - starts[query])
                self.prepare(&queries[query, 0])
                wrong = self.walk()
                self.unmark()
                if wrong >= 0:
                    break
                self.finish(nearest, query)
        return wrong

    cdef void prepare(self, const float* query) noexcept nogil:
        """Compute the direction of a query, and its codes."""
        cdef Py_ssize_t j
        cdef Py_ssize_t dim = self.graph.dim
        cdef Py_ssize_t half
        cdef double most = 0
        cdef double scale
        cdef int8_t code
        cdef int32_t total = 0
        self.query = query
        self.length = norm_of(query, <size_t>dim)
        # The official program does not divide by a norm below 1e-8.
        self.divisor = 1 if self.length < 1e-8 else self.length
        if self.length == 0:
            self.length = 1
        for j in range(dim):
            self.unit[j] = <float>(query[j] / self.length)
            most = max(most, fabs(self.unit[j]))
        if self.codes is None:
            return
        half = self.codes.width
        scale = most / 127 if most > 0 else 1
        for j in range(dim):
            code = <int8_t>rint(self.unit[j] / scale)
            total += code
            if j < half:
                self.query_codes[j] = code
            else:
                self.query_codes[self.code_width + j - half] = code
        self.coded.scale = <float>scale
        self.coded.offset = total * (self.codes.levels - 1)
        self.coded.length = 1
        self.coded.slack = 0

    cdef Py_ssize_t walk(self) noexcept nogil:
        """Collect the best rows; return a row with a wrong neighbor, or -1."""
        cdef uint32_t[BATCH] batch
        cdef Py_ssize_t count = 0
        cdef Py_ssize_t j
        cdef size_t i, current
        cdef const uint32_t* row
        self.open_count = 0
        self.best_count = 0
        for j in range(self.graph.entries.shape[0]):
            if self.mark(self.graph.entries[j]):
                batch[count] = self.graph.entries[j]
                count += 1
                if count == BATCH:
                    self.score_batch(batch, count)
                    count = 0
        self.score_batch(batch, count)
        while self.open_count:
            if self.best_count == self.effort and self.open[0].score < self.best[0].score:
                break
            current = self.open[0].id
            self.open_count -= 1
            sink(self.open, self.open_count, 1, self.open[self.open_count])
            row = &self.graph.neighbors[<Py_ssize_t>current, 0]
            count = 0
            for j in range(self.graph.degree):
                i = row[j]
                if i >= <size_t>self.graph.count:
                    return <Py_ssize_t>current
                if self.mark(<uint32_t>i):
                    batch[count] = <uint32_t>i
                    count += 1
                    if count == BATCH:
                        self.score_batch(batch, count)
                        count = 0
            self.score_batch(batch, count)
        return -1

    cdef bint mark(self, uint32_t i) noexcept nogil:
        """Mark a row as seen; return whether it was not."""
        cdef uint8_t bit = <uint8_t>(1 << (i & 7))
        if self.marks[i >> 3] & bit:
            return False
        self.marks[i >> 3] |= bit
        if self.marked_count < REMEMBERED:
            self.marked[self.marked_count] = i
        self.marked_count += 1
        return True

    cdef void unmark(self) noexcept nogil:
        """Remove all marks."""
        cdef Py_ssize_t j
        if self.marked_count > REMEMBERED:
            memset(self.marks, 0, <size_t>self.graph.count // 8 + 1)
        else:
            for j in range(self.marked_count):
                self.marks[self.marked[j] >> 3] = 0
        self.marked_count = 0

    cdef void fetch(self, uint32_t i) noexcept nogil:
        """Prefetch what the score of a row needs."""
        cdef const uint8_t* begin
        cdef Py_ssize_t j
        if self.codes is None:
            self.rows.fetch(i)
            prefetch(&self.graph.norms[i])
            return
        begin = &self.codes.data[0] + i * self.codes.width
        for j in range(self.codes.width // LINE):
            prefetch(begin + j * LINE)
        prefetch(begin + self.codes.width - 1)
        prefetch(&self.codes.scales[i])
        prefetch(&self.codes.errors[i])

    cdef void score_batch(self, const uint32_t* ids, Py_ssize_t count) noexcept nogil:
        """Score rows approximately, and keep the best."""
        cdef int32_t[BATCH] dots
        cdef Py_ssize_t j, padded
        cdef float score
        for j in range(min(count, <Py_ssize_t>AHEAD)):
            self.fetch(ids[j])
        if self.codes is not None and count:
            for j in range(count):
                if j + AHEAD < count:
                    self.fetch(ids[j + AHEAD])
                memcpy(
                    self.block + j * self.code_width, &self.codes.data[0] + ids[j] * self.codes.width,
                    <size_t>self.codes.width
                )
            padded = (count + FTL_SCAN_ROWS - 1) // FTL_SCAN_ROWS * FTL_SCAN_ROWS
            (scan_kernels.packed_dots if self.codes.packed else scan_kernels.dots)(
                self.block, <size_t>self.code_width, <size_t>padded, <size_t>self.code_width,
                self.query_codes, 1, dots
            )
        for j in range(count):
            if self.codes is None:
                if j + AHEAD < count:
                    self.fetch(ids[j + AHEAD])
                score = self.cosine(ids[j])
            elif self.codes.errors[ids[j]] > 2:
                # The row has no codes, since its norm is too large or too small.
                score = <float>self.exact(ids[j])
            else:
                score = self.codes.scales[ids[j]] * self.coded.scale * (
                    <float>dots[j] - <float>0.5 * <float>self.coded.offset
                )
            self.keep(ids[j], score)

    cdef void keep(self, uint32_t i, float score) noexcept nogil:
        """Keep a row if it is among the best."""
        cdef Seen new
        new.id = i
        # A row without a direction leads to other rows, but is no result.
        new.score = score if score == score else -INFINITY
        if self.best_count == self.effort and new.score < self.best[0].score:
            return
        prefetch(&self.graph.neighbors[<Py_ssize_t>i, 0])
        rise(self.open, self.open_count, 1, new)
        self.open_count += 1
        if score != score or self.is_banned(i):
            return
        if self.best_count < self.effort:
            rise(self.best, self.best_count, -1, new)
            self.best_count += 1
        else:
            sink(self.best, self.best_count, -1, new)

    cdef bint is_banned(self, uint32_t i) noexcept nogil:
        """Return whether a row may not be in the result."""
        cdef Py_ssize_t low = 0
        cdef Py_ssize_t high = self.banned_count
        cdef Py_ssize_t middle
        if self.allowed != NULL and not self.allowed[i >> 3] >> (i & 7) & 1:
            return True
        while low < high:
            middle = (low + high) // 2
            if self.banned[middle] < <int32_t>i:
                low = middle + 1
            else:
                high = middle
        return low < self.banned_count and self.banned[low] == <int32_t>i

    cdef float cosine(self, uint32_t i) noexcept nogil:
        """Return the cosine of a row and the query in float32."""
        cdef float norm = self.graph.norms[i]
        if norm == 0:
            return 0
        if not is_safe(norm):
            return <float>self.exact(i)
        return self.rows.dot(i, self.unit) / norm

    cdef double exact(self, uint32_t i) noexcept nogil:
        """Return the score of a row as the exact search computes it."""
        cdef double[2] sums
        sums[0] = 0
        sums[1] = 0
        self.rows.copy(i, self.vector)
        exact_dots(self.query, self.vector, <size_t>self.graph.dim, sums)
        return sums[0] / (self.divisor * sqrt(sums[1])) if sums[1] != 0 else 0

    cdef void finish(self, Nearest nearest, Py_ssize_t query) noexcept nogil:
        """Score the best rows exactly."""
        cdef Py_ssize_t j
        cdef float score
        # Most rows are ruled out by their cosines in float32, which cost a tenth of exact ones. The
        # last ones of the heap are the better ones.
        for j in range(self.best_count - 1, -1, -1):
            score = self.best[j].score
            if self.codes is not None:
                if j >= AHEAD:
                    self.rows.fetch(self.best[j - AHEAD].id)
                    prefetch(&self.graph.norms[self.best[j - AHEAD].id])
                score = self.cosine(self.best[j].id)
            if score + self.error < nearest.least(query) * self.divisor / self.length:
                continue
            nearest.add(query, self.exact(self.best[j].id), <int32_t>self.best[j].id)
