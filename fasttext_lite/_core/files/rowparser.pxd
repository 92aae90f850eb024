from libc.stdint cimport int64_t, uint8_t, uint64_t

from fasttext_lite._core.lookup.vocabulary cimport Vocabulary


cdef enum:
    # The problems of rows that every subclass has; those of its own have greater numbers.
    NO_PROBLEM
    TOO_MANY_ROWS


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
    # The first problem, and the bytes of the data where it occurs.
    cdef int problem
    cdef const uint8_t* wrong
    cdef const uint8_t* wrong_stop

    # What a subclass defines.
    cdef Py_ssize_t take_rows(
        self, const uint8_t* data, Py_ssize_t size, bint last
    ) noexcept nogil
    cdef object problem_error(self, bytes text, int64_t offset)
    cdef int check_end(self, const uint8_t* rest, Py_ssize_t left, bint last) except -1

    # What it calls.
    cdef float* next_row(self) noexcept nogil
    cdef void keep(self, const uint8_t* word, const uint8_t* stop) noexcept nogil
    cdef bint fail(self, int problem, const uint8_t* start, const uint8_t* stop) noexcept nogil
    cdef object error(self, int64_t offset, str reason)

    cdef int _reserve(self, int64_t words, int64_t rows, int64_t numbers) except -1
    cdef object _first_error(self, const uint8_t* data)
