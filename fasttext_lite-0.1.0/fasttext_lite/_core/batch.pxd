from libc.stdint cimport uint8_t


cdef struct Span:
    const uint8_t* text
    size_t length


cdef class WordBatch:
    cdef readonly Py_ssize_t size
    cdef Span* spans
    cdef list owners

cpdef bytes encode(object word)
cdef object readable(object word, str noun=*)
cdef Span span(object word)
