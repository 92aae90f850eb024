from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.lookup.hashed cimport HashedRows
from fasttext_lite._core.lookup.rows cimport Rows
from fasttext_lite._core.lookup.subwords cimport Subwords
from fasttext_lite._core.labels.tokens cimport Status, Token, Tokenizer


cdef enum:
    # Row ids gathered before any row is read, so that rows are fetched ahead across tokens.
    GATHER = 1024


cdef enum Order:
    FAST            # known words as one sum each, n-grams by their length
    OFFICIAL        # as the official program adds them


cdef struct Gather:
    int64_t ids[GATHER]
    int64_t sums[GATHER]
    size_t id_count
    size_t sum_count
    int64_t total       # rows that were gathered, including those within sums
    bint measured       # whether `mass` is kept
    double mass         # an upper bound of the sum of the norms of the rows


cpdef double largest_norm(Rows rows) except? -1


cdef class LineReader:
    cdef readonly Tokenizer tokens
    cdef readonly Subwords subwords
    cdef HashedRows hashed
    cdef readonly Rows rows
    cdef readonly Rows sums
    cdef readonly int32_t word_ngrams
    cdef readonly bint known_ngrams
    cdef const int32_t[::1] weights
    cdef double word_norm
    cdef double row_norm

    cdef int64_t _sum(self, Span line, Order order, float* out, double* mass) noexcept nogil
    cdef Status mean(
        self, Span line, Order order, float* out, double* error, bint* empty
    ) noexcept nogil
    cdef bint _flush(self, Gather* gather, float* out) noexcept nogil
    cdef bint _append(self, Gather* gather, int64_t row, float* out) noexcept nogil
    cdef bint _add_token(
        self, Span line, const Token* token, Order order, Gather* gather, float* out
    ) noexcept nogil
    cdef bint _add_ngrams(
        self, Span word, Order order, Gather* gather, float* out
    ) noexcept nogil
    cdef bint _add_word_ngrams(
        self, const uint32_t* hashes, size_t count, Gather* gather, float* out
    ) noexcept nogil
