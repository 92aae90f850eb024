from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.lookup.rows cimport Rows
from fasttext_lite._core.lookup.subwords cimport Subwords
from fasttext_lite._core.labels.tokens cimport Status, Token, Tokenizer


cdef enum:
    # Row ids gathered before any row is read, so that rows are fetched ahead across tokens.
    GATHER = 1024


cdef struct Gather:
    int64_t ids[GATHER]
    int64_t sums[GATHER]
    size_t id_count
    size_t sum_count
    int64_t total       # rows that were gathered, those within sums included


cdef struct WordNgrams:
    # The hashes of the word n-grams that the next token makes longer, one for each begin.
    uint64_t few[8]
    uint64_t* hashes
    size_t most
    size_t count
    size_t oldest


cdef inline uint64_t signed_hash(uint32_t h) noexcept nogil:
    # The official program keeps hashes as int32 and computes with them as uint64: the upper bits
    # of a hash above 2**31 are set.
    return <uint64_t><int64_t><int32_t>h


cdef class LineReader:
    cdef readonly Tokenizer tokens
    cdef readonly Subwords subwords
    cdef Subwords hashed
    cdef readonly Rows rows
    cdef readonly Rows sums
    cdef readonly int32_t word_ngrams
    cdef readonly bint known_ngrams
    cdef const int32_t[::1] weights

    cdef int64_t sum(self, const uint8_t* text, size_t length, float* out) noexcept nogil
    cdef Status mean(self, Span text, float* out, bint* empty) noexcept nogil
    cdef void _flush(self, Gather* gather, float* out) noexcept nogil
    cdef bint _add_ngrams(
        self, const uint8_t* text, const Token* token, Gather* gather, float* out
    ) noexcept nogil
    cdef void _add_word_ngrams(
        self, WordNgrams* ngrams, uint32_t h, Gather* gather, float* out
    ) noexcept nogil
