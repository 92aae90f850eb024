"""Exact nearest-word search; cheap bounds (codes or float32 products) skip most words."""

from libc.math cimport NAN, sqrt
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from fasttext_lite._core.kernels.cpu cimport (
    FTL_CODE_STEP,
    FTL_SCAN_ROWS,
    exact_dots,
    row_kernels,
    scan_kernels,
)
from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.text.lock cimport Away, busy, come_back, leave
from fasttext_lite._core.search.codes cimport ROUNDING, Codes, encode_row, is_safe
from fasttext_lite._core.lookup.embed cimport Embedder
from fasttext_lite._core.search.nearest cimport Nearest
from fasttext_lite._core.search.queries cimport Queries
from fasttext_lite._core.lookup.rows cimport DenseRows

from fasttext_lite.errors import InputValueError

cdef enum:
    # Rows scored at a time, so that codes and scores of all queries stay in the cache.
    BLOCK = 64
    # Capacity of the queue of rows to score exactly, per query.
    PENDING = 4096
    # Queued rows are prefetched this many ahead.
    AHEAD = 4
    # From this many queries on, encoding rows that have no codes pays off.
    WORTH_CODING = 6


cdef struct Pending:
    float upper
    int32_t id


cdef class Search:
    """The state of a search on one thread.

    A score is the dot product of a query and the vector of a word, divided by their norms, all in
    float64; it is 0 if the vector is zero. A row whose approximate score plus its error is below
    the k-th best score is skipped. A row whose approximate score beats the k-th best is scored
    exactly at once; one that merely might is queued until the threshold has risen.

    Parameters
    ----------
    embedder : Embedder
        Computes the vectors of words.
    queries : Queries
    k : int
        Number of words to find for each query.
    norms : float32 buffer, shape (words,), optional
        The norms of the word vectors, if `embedder` stores these vectors.

    Raises
    ------
    InputValueError
        The dimensions or the norms do not fit.
    """

    cdef Embedder embedder
    cdef Queries queries
    cdef DenseRows rows
    cdef const float[::1] norms
    cdef float error
    cdef readonly Nearest nearest
    cdef Pending* pending
    cdef Py_ssize_t* pending_counts
    cdef float* vector
    cdef float* block
    cdef uint8_t* codes
    cdef int32_t* dots
    cdef bint out_of_memory

    def __cinit__(
        self,
        Embedder embedder not None,
        Queries queries not None,
        Py_ssize_t k,
        const float[::1] norms=None,
    ):
        cdef size_t count = <size_t>queries.count
        if queries.dim != embedder.rows.dim:
            raise InputValueError(
                f"queries of {queries.dim} dimensions do not fit words of {embedder.rows.dim}"
            )
        if norms is not None:
            self.rows = embedder.vectors
            if self.rows is None or norms.shape[0] != self.rows.count:
                raise InputValueError("the norms do not fit the vectors")
        self.embedder = embedder
        self.queries = queries
        self.norms = norms
        # Error bound of a cosine computed in float32 with at least four partial sums.
        self.error = <float>((<double>queries.dim / 4 + 16) / (1 << 23) + ROUNDING)
        self.nearest = Nearest(queries.count, k)
        self.pending = <Pending*>malloc((count * PENDING + 1) * sizeof(Pending))
        self.pending_counts = <Py_ssize_t*>calloc(count + 1, sizeof(Py_ssize_t))
        self.vector = <float*>malloc(<size_t>queries.dim * sizeof(float))
        self.block = <float*>malloc(BLOCK * <size_t>queries.units.shape[1] * sizeof(float))
        # Bytes past the columns of a row are never written and stay zero.
        self.codes = <uint8_t*>calloc(BLOCK, <size_t>(queries.width + FTL_CODE_STEP))
        self.dots = <int32_t*>malloc((count * BLOCK + 1) * sizeof(int32_t))
        if (
            self.pending == NULL or self.pending_counts == NULL or self.vector == NULL
            or self.block == NULL or self.codes == NULL or self.dots == NULL
        ):
            raise MemoryError

    def __dealloc__(self):
        free(self.pending)
        free(self.pending_counts)
        free(self.vector)
        free(self.block)
        free(self.codes)
        free(self.dots)

    cdef bint load(self, int32_t i) noexcept nogil:
        """Write the vector of a word to `vector`; False if memory runs out."""
        cdef Span word
        cdef bint unknown = False
        if self.embedder._has_vector(i):
            self.embedder.vectors.copy(i, self.vector)
            return True
        word.text = self.embedder.vocabulary.entry(i, &word.length)
        if self.embedder.embed(&word, 1, self.vector, &unknown) == 1:
            return True
        self.out_of_memory = True
        return False

    cdef void score(self, Py_ssize_t query, int32_t i, const float* vector) noexcept nogil:
        """Score a word exactly."""
        cdef double[2] sums
        cdef double score = 0
        sums[0] = 0
        sums[1] = 0
        exact_dots(
            &self.queries.vectors[query, 0], vector, <size_t>self.queries.dim, sums
        )
        if sums[1] != 0:
            score = sums[0] / (self.queries.divisors[query] * sqrt(sums[1]))
        self.nearest.add(query, score, i)

    cdef float threshold(self, Py_ssize_t query) noexcept nogil:
        """Return the cosine below which a word is not kept."""
        return <float>(self.nearest.least(query) * self.queries.cosine_factors[query] - ROUNDING)

    cdef void offer(
        self, Py_ssize_t query, int32_t i, float score, float upper, const float* vector
    ) noexcept nogil:
        """Score a word that may be among the best, or queue it.

        `vector` is NULL if it is not read yet.
        """
        cdef Py_ssize_t at
        if self.queries.bans(query, i):
            return
        if score < self.threshold(query):
            at = self.pending_counts[query]
            if at == PENDING:
                self.score_pending(query, self.pending + query * PENDING, at)
                at = 0
            self.pending[query * PENDING + at].upper = upper
            self.pending[query * PENDING + at].id = i
            self.pending_counts[query] = at + 1
            return
        if vector != NULL:
            self.score(query, i, vector)
        elif self.load(i):
            self.score(query, i, self.vector)

    cdef bint below_threshold(self, Py_ssize_t query, int32_t i) noexcept nogil:
        """Return whether a float32 product rules out a word; False if the word has no row."""
        cdef float product
        if self.rows is None:
            return False
        product = row_kernels.dot[self.rows.element](
            self.rows.base + i * self.rows.bytes, <size_t>self.queries.dim,
            &self.queries.units[query, 0]
        )
        return self.cosine(i, product) + self.error < self.threshold(query)

    cdef void score_pending(
        self, Py_ssize_t query, const Pending* pending, Py_ssize_t count
    ) noexcept nogil:
        """Score the queued words that may still be among the best."""
        cdef Py_ssize_t i
        for i in range(count):
            if self.rows is not None and i + AHEAD < count:
                self.rows.fetch(pending[i + AHEAD].id)
            if (
                not (pending[i].upper < self.threshold(query))
                and not self.below_threshold(query, pending[i].id)
                and self.load(pending[i].id)
            ):
                self.score(query, pending[i].id, self.vector)

    cdef void offer_coded(
        self, const int32_t* dots, Py_ssize_t count, Py_ssize_t first, const float* scales,
        const float* errors, const float* block, Py_ssize_t query
    ) noexcept nogil:
        """Offer the rows from `first` on, given the dot products of their codes with a query."""
        cdef float scores[BLOCK]
        cdef float uppers[BLOCK]
        cdef float threshold = self.threshold(query)
        cdef const float* vector
        cdef Py_ssize_t i
        if not scan_kernels.scores(
            dots, <size_t>count, scales, errors, &self.queries.coded[query], threshold, scores,
            uppers
        ):
            return
        for i in range(count):
            if not (uppers[i] < threshold):
                vector = block
                if block != NULL:
                    vector += i * self.queries.dim
                self.offer(query, <int32_t>(first + i), scores[i], uppers[i], vector)
                threshold = self.threshold(query)

    cdef void scan_coded(
        self, Queries queries, Codes codes, Py_ssize_t start, Py_ssize_t stop
    ) noexcept nogil:
        """Search by stored codes."""
        cdef Py_ssize_t at, count, padded, stride, query
        cdef const uint8_t* rows
        at = start
        while at < stop:
            count = min(stop - at, <Py_ssize_t>BLOCK)
            padded = (count + FTL_SCAN_ROWS - 1) // FTL_SCAN_ROWS * FTL_SCAN_ROWS
            rows = &codes.data[0] + at * codes.width
            stride = codes.width
            if (at + padded - 1) * stride + queries.width > codes.data.shape[0]:
                # Copied, since the kernels would read past the end of the file.
                memset(self.codes, 0, BLOCK * <size_t>(queries.width + FTL_CODE_STEP))
                memcpy(self.codes, rows, <size_t>(count * stride))
                rows = self.codes
            (scan_kernels.packed_dots if codes.packed else scan_kernels.dots)(
                rows, <size_t>stride, <size_t>padded, <size_t>queries.width,
                &queries.codes[0, 0], <size_t>queries.count, self.dots
            )
            for query in range(queries.count):
                self.offer_coded(
                    self.dots + query * padded, count, at, &codes.scales[at], &codes.errors[at],
                    NULL, query
                )
            at += BLOCK

    cdef void scan_coding(
        self, Queries queries, DenseRows rows, Py_ssize_t start, Py_ssize_t stop
    ) noexcept nogil:
        """Search by codes computed for each block of rows, which pays off for many queries."""
        cdef float scales[BLOCK]
        cdef float errors[BLOCK]
        cdef Py_ssize_t at, count, padded, i, query
        at = start
        while at < stop:
            count = min(stop - at, <Py_ssize_t>BLOCK)
            padded = (count + FTL_SCAN_ROWS - 1) // FTL_SCAN_ROWS * FTL_SCAN_ROWS
            for i in range(count):
                rows.copy(at + i, self.block + i * queries.dim)
                encode_row(
                    self.block + i * queries.dim, <size_t>queries.dim, self.norms[at + i], 128,
                    self.codes + i * queries.width, NULL, &scales[i], &errors[i]
                )
            scan_kernels.dots(
                self.codes, <size_t>queries.width, <size_t>padded, <size_t>queries.width,
                &queries.codes[0, 0], <size_t>queries.count, self.dots
            )
            for query in range(queries.count):
                self.offer_coded(
                    self.dots + query * padded, count, at, scales, errors, self.block, query
                )
            at += BLOCK

    cdef void scan_products(
        self, Queries queries, DenseRows rows, Py_ssize_t start, Py_ssize_t stop
    ) noexcept nogil:
        """Search by float32 products of the rows."""
        cdef float products[BLOCK]
        cdef size_t columns = <size_t>queries.units.shape[1]
        cdef size_t size = <size_t>(rows.bytes // queries.dim)
        cdef const uint8_t* base
        cdef float score, upper, threshold
        cdef Py_ssize_t at, count, padded, i, query
        at = start
        while at < stop:
            count = min(stop - at, <Py_ssize_t>BLOCK)
            padded = (count + FTL_SCAN_ROWS - 1) // FTL_SCAN_ROWS * FTL_SCAN_ROWS
            base = rows.base + at * rows.bytes
            if (at + padded - 1) * rows.bytes + <Py_ssize_t>(columns * size) > rows.data.shape[0]:
                # Copied, since the kernels would read past the end of the file.
                memset(self.block, 0, BLOCK * columns * sizeof(float))
                memcpy(self.block, base, <size_t>(count * rows.bytes))
                base = <const uint8_t*>self.block
            for query in range(queries.count):
                scan_kernels.products[rows.element](
                    base, <size_t>rows.bytes, <size_t>padded, columns, &queries.units[query, 0],
                    products
                )
                threshold = self.threshold(query)
                for i in range(count):
                    score = self.cosine(at + i, products[i])
                    upper = score + self.error
                    if not (upper < threshold):
                        self.offer(query, <int32_t>(at + i), score, upper, NULL)
                        threshold = self.threshold(query)
            at += BLOCK

    cdef float cosine(self, Py_ssize_t i, float product) noexcept nogil:
        """Return the cosine of a row and a query by their dot product; NaN if it is unreliable."""
        cdef float norm = self.norms[i]
        if norm == 0:
            return 0
        if not is_safe(norm):
            # The product may have overflowed or underflowed.
            return NAN
        if self.rows.scales != NULL:
            product *= self.rows.scales[i]
        return product / norm

    def scan_codes(self, Codes codes not None, Py_ssize_t start, Py_ssize_t stop):
        """Search the words from `start` to `stop` by their codes."""
        cdef Queries queries = self.queries
        cdef Away away
        if codes.dim != self.queries.dim or codes.packed != self.queries.packed:
            raise InputValueError("the codes differ from the queries in dimensions or packing")
        self._check(start, stop, codes.count)
        if start < stop and self.queries.count:
            away = leave(True)
            self.scan_coded(queries, codes, start, stop)
            come_back(away)
        self._check_memory()

    def scan_rows(self, Py_ssize_t start, Py_ssize_t stop):
        """Search the words from `start` to `stop` by the rows of `embedder`."""
        cdef Queries queries = self.queries
        cdef DenseRows rows = self.rows
        cdef Away away
        if self.rows is None or self.queries.packed:
            raise InputValueError("a search by rows needs norms and queries that are not packed")
        self._check(start, stop, self.rows.count)
        away = leave(True)
        if self.queries.count < WORTH_CODING:
            self.scan_products(queries, rows, start, stop)
        else:
            self.scan_coding(queries, rows, start, stop)
        come_back(away)
        self._check_memory()

    def scan_ids(self, const int32_t[::1] ids not None, Py_ssize_t start, Py_ssize_t stop):
        """Score the words ``ids[start:stop]`` exactly; ids must be distinct."""
        cdef Py_ssize_t i, query
        cdef Away away
        if not 0 <= start <= stop <= ids.shape[0]:
            raise InputValueError(f"the range [{start}, {stop}) is outside {ids.shape[0]} ids")
        for i in range(start, stop):
            if not 0 <= ids[i] < self.embedder.vocabulary.word_count:
                raise InputValueError(f"there is no word with id {ids[i]}")
        away = leave(True)
        for i in range(start, stop):
            if not self.load(ids[i]):
                break
            for query in range(self.queries.count):
                if not self.queries.bans(query, ids[i]):
                    self.score(query, ids[i], self.vector)
        come_back(away)
        self._check_memory()

    def finish(self, others not None):
        """Merge other searches of the same queries, and score all queued words."""
        cdef Search one
        cdef Py_ssize_t query
        cdef Away away
        for one in others:
            self.nearest.merge(one.nearest)
        for one in [*others, self]:
            away = leave(not busy())
            for query in range(self.queries.count):
                self.score_pending(
                    query, one.pending + query * PENDING, one.pending_counts[query]
                )
                one.pending_counts[query] = 0
            come_back(away)
        self._check_memory()

    def _check(self, start, stop, count):
        if not 0 <= start <= stop <= count <= self.embedder.vocabulary.word_count:
            raise InputValueError(
                f"the range [{start}, {stop}) is outside {count} words, or these are too many"
            )

    def _check_memory(self):
        if self.out_of_memory:
            raise MemoryError
