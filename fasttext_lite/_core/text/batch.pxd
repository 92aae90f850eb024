from libc.stdint cimport uint8_t


cdef struct Span:
    const uint8_t* text
    size_t length


cdef class WordBatch:
    cdef readonly Py_ssize_t size
    cdef Span* spans
    cdef object owners          # the objects that the spans point into, unless into
    cdef uint8_t* arena         # the UTF-8 of words in other encodings

    cdef void _reserve(self, Py_ssize_t size) except *
    cdef uint8_t* _make_arena(self, size_t size) except NULL
    cdef void _take_list(self, list words, str noun) except *
    cdef bint _take_arrow(self, object words, str noun) except -1
    cdef void _take_fixed_width(self, object words, str noun) except *
    cdef bytes word(self, Py_ssize_t i)

cpdef bytes to_bytes(object word)
cdef object readable(object word, str noun=*)
cdef Span span(object word)
