from libc.stdint cimport int64_t, uint8_t, uint64_t

from fasttext_lite._core.lookup.vocabulary cimport Vocabulary


cdef class RowParser:
    cdef readonly Py_ssize_t dim
    cdef readonly int64_t limit
    cdef readonly int64_t rows
    cdef readonly int64_t count
    cdef readonly int64_t at
    cdef readonly bint done
    cdef readonly bytearray words
    cdef readonly bytearray offsets
    cdef readonly bytearray numbers
    cdef readonly str said
    cdef int64_t most
    cdef Vocabulary wanted
    cdef bytearray found        # one byte for each wanted word
    cdef int64_t missing        # wanted words that were not found yet
    cdef uint64_t words_size
    cdef uint8_t* _words
    cdef uint64_t* _offsets
    cdef float* _numbers
    cdef uint8_t* _found

    cdef int reserve(self, int64_t words, int64_t rows, int64_t numbers) except -1
    cdef float* next_row(self) noexcept nogil
    cdef void keep(self, const uint8_t* word, const uint8_t* stop) noexcept nogil
    cdef object error(self, int64_t offset, str reason)
    cdef object too_many_rows(self, int64_t offset)
