from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.lookup.rows cimport Rows
from fasttext_lite._core.lookup.subwords cimport Subwords
from fasttext_lite._core.labels.tokens cimport Status, Token, Tokenizer


cdef enum:
    # Row ids gathered before any row is read, so that rows are prefetched across tokens.
    GATHER = 1024


cdef struct Gather:
    int64_t ids[GATHER]
    size_t count
    int64_t total       # number of rows added so far, plus those in `ids`


cdef inline uint64_t signed_hash(uint32_t h) noexcept nogil:
    # The official program stores hashes as int32 and computes with them as uint64, which sets the
    # upper bits of hashes from 2**31 on.
    return <uint64_t><int64_t><int32_t>h


cdef inline uint64_t longer_hash(uint64_t h, uint32_t next) noexcept nogil:
    """Return the hash of a word n-gram that is longer by one token."""
    return h * <uint64_t>116049371 + signed_hash(next)


cdef class LineReader:
    cdef readonly Tokenizer tokens
    cdef readonly Subwords subwords
    cdef Subwords hashed
    cdef readonly Rows rows
    cdef readonly int32_t word_ngrams
    cdef readonly bint known_ngrams
    cdef const int32_t[::1] known_rows
    cdef const int64_t[::1] known_starts
    cdef object tables
    cdef LineReader faster
    cdef int64_t rows_read      # by calls so far
    cdef int64_t worth          # the number of rows after which faster tables pay

    cdef LineReader fastest(self)
    cdef int64_t _sum(self, Span line, float* out) noexcept nogil
    cdef Status mean(self, Span line, bint spaces, float* out, int64_t* count) noexcept nogil
    cdef Status _count(
        self, Span line, bint spaces, int64_t* known, int64_t* features
    ) noexcept nogil
    cdef void _flush(self, Gather* gather, float* out) noexcept nogil
    cdef void _append(self, Gather* gather, int64_t row, float* out) noexcept nogil
    cdef bint _add_token(
        self, Span line, const Token* token, Gather* gather, float* out
    ) noexcept nogil
    cdef void _add_known(self, int32_t entry, Gather* gather, float* out) noexcept nogil
    cdef bint _add_ngrams(self, Span word, Gather* gather, float* out) noexcept nogil
    cdef void _add_word_ngrams(
        self, const uint32_t* hashes, size_t count, Gather* gather, float* out
    ) noexcept nogil
