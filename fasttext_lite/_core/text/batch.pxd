from libc.stdint cimport uint8_t


cdef struct Span:
    const uint8_t* text
    size_t length


cdef class WordBatch:
    cdef readonly Py_ssize_t size
    cdef readonly Py_ssize_t first      # the index of the first item, for errors
    cdef readonly bint spaces           # whether a newline is a space
    cdef bint skips                     # whether missing items are allowed
    cdef bint replaces                  # whether halves of surrogate pairs become U+FFFD
    cdef Span* spans            # the text of a missing item is NULL
    cdef object owners          # the objects that the spans point into, unless into
    cdef uint8_t* arena         # the UTF-8 of words in other encodings

    cdef void _reserve(self, Py_ssize_t size) except *
    cdef uint8_t* _make_arena(self, size_t size) except NULL
    cdef str _place(self, str noun, Py_ssize_t i)
    cdef void _take_list(self, list words, str noun) except *
    cdef bint _take_arrow(self, object words, str noun) except -1
    cdef void _take_fixed_width(self, object words, str noun) except *
    cdef bytes word(self, Py_ssize_t i)

cpdef bytes to_bytes(object word, str noun=*, bint replaces=*)
cdef object readable(object word, str noun=*, bint replaces=*)
cdef Span span(object word)
