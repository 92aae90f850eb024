from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

from fasttext_lite._core.lookup.buckets cimport Buckets

cdef enum:
    # Rows gathered before any is read, so that they can be prefetched.
    GATHER = 1024
    # Words that are looked up together, so that their memory accesses overlap.
    WORDS = 32
    # Bytes of "<word>" that fit into a buffer on the stack.
    SHORT = 256
    # The largest size in bytes of "<word>" that `Subwords.take` accepts.
    LONGEST = 256
    # The most hashes of an n-gram in a floret model.
    HASH_COUNT = 4


cdef enum Whole:
    AHEAD
    CURRENT
    PASSED


cdef inline uint32_t hash_basis() noexcept nogil:
    return <uint32_t>2166136261


cdef inline uint32_t hash_step(uint32_t h, uint8_t byte) noexcept nogil:
    # The official program reads bytes as signed, so bytes above 127 also set the upper 24 bits.
    # Every trained model depends on this.
    return (h ^ <uint32_t><int32_t><int8_t>byte) * <uint32_t>16777619


cdef inline uint32_t hash_bytes(const uint8_t* text, size_t length) noexcept nogil:
    cdef uint32_t h = hash_basis()
    cdef size_t i
    for i in range(length):
        h = hash_step(h, text[i])
    return h


cdef struct Walk:
    # An n-gram walk over the bytes of "<word>"; text[start:stop] is the current n-gram.
    const uint8_t* text
    size_t length
    size_t start
    size_t stop
    int32_t size        # code points in it
    uint32_t hash
    # In a floret model: all hashes of the n-gram, how many of them were given, and the state of the
    # whole "<word>", which comes first.
    uint32_t hashes[HASH_COUNT]
    int32_t given
    Whole whole


cdef struct Pieces:
    # The rows of one word in pieces of at most GATHER: rows[:count] is the current piece.
    Walk walk
    uint8_t buffer[SHORT]
    uint8_t* text
    int64_t rows[GATHER]
    size_t count
    size_t lead         # number of rows already in the next piece
    bint ended


cdef class Subwords:
    cdef readonly int32_t minn
    cdef readonly int32_t maxn
    cdef readonly int64_t bucket
    cdef readonly int64_t first_row
    cdef readonly int32_t hash_count
    cdef readonly Buckets buckets
    cdef Subwords _filtered

    cdef Subwords filtered(self)
    cdef void begin(self, Walk* walk, const uint8_t* text, size_t length) noexcept nogil
    cdef bint has_word_row(self, int64_t entry) noexcept nogil
    cdef bint advance(self, Walk* walk) noexcept nogil
    cdef bint _next_ngram(self, Walk* walk) noexcept nogil
    cdef bint _next_murmur(self, Walk* walk) noexcept nogil
    cdef int64_t row(self, uint64_t h) noexcept nogil
    cdef size_t take_rows(self, Walk* walk, int64_t* rows, size_t capacity) noexcept nogil
    cdef bint begin_pieces(
        self, Pieces* pieces, const uint8_t* word, size_t length, int64_t lead
    ) noexcept nogil
    cdef bint next_piece(self, Pieces* pieces) noexcept nogil
    cdef size_t most(self, size_t length) noexcept nogil
    cdef size_t take(self, const uint8_t* text, size_t length, int64_t* rows) noexcept nogil


cdef uint8_t* bracket(
    const uint8_t* word, size_t length, uint8_t* buffer, size_t capacity
) noexcept nogil

cdef void end_pieces(Pieces* pieces) noexcept nogil
