from libc.stdint cimport int32_t, int64_t, uint32_t

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


cdef class LineReader:
    cdef readonly Tokenizer tokens
    cdef readonly Subwords subwords
    cdef Subwords hashed
    cdef readonly Rows rows
    cdef readonly int32_t word_ngrams
    cdef readonly bint known_ngrams
    cdef const int32_t[::1] known_rows
    cdef const int64_t[::1] known_starts

    cdef int64_t _sum(self, Span line, float* out) noexcept nogil
    cdef Status mean(self, Span line, float* out, bint* empty) noexcept nogil
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
