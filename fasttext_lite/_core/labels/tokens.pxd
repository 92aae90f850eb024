from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.lookup.vocabulary cimport Vocabulary

# The token that ends every line in the official program.
cdef extern from *:
    """
    #define FTL_END ((const uint8_t *)"</s>")
    """
    const uint8_t* END "FTL_END"


cdef enum Status:
    DONE
    NEWLINE
    NO_MEMORY
    NOT_A_NUMBER


cdef bint is_long(size_t length) noexcept nogil
cdef object failure(Status status, Py_ssize_t i)


cdef struct Token:
    size_t start
    size_t stop
    uint32_t hash
    int32_t entry       # its id in the vocabulary, or -1
    bint is_end         # it is </s>
    bint is_label


cdef inline void begin(Token* token) noexcept nogil:
    token.stop = 0
    token.is_end = False


cdef class Tokenizer:
    cdef readonly Vocabulary vocabulary
    cdef readonly bytes label_prefix
    cdef readonly bint ends
    cdef const uint8_t* prefix
    cdef size_t prefix_length

    cdef bint next(self, Span* line, Token* token) noexcept nogil
    cdef int64_t take_labels(self, Span line, int32_t* ids) noexcept nogil
