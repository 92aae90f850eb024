from libc.stdint cimport int64_t, uint8_t


# https://arrow.apache.org/docs/format/CDataInterface.html#structure-definitions
cdef struct ArrowSchema:
    const char* format
    const char* name
    const char* metadata
    int64_t flags
    int64_t n_children
    ArrowSchema** children
    ArrowSchema* dictionary
    void (*release)(ArrowSchema*) noexcept nogil
    void* private_data

cdef struct ArrowArray:
    int64_t length
    int64_t null_count
    int64_t offset
    int64_t n_buffers
    int64_t n_children
    const void** buffers
    ArrowArray** children
    ArrowArray* dictionary
    void (*release)(ArrowArray*) noexcept nogil
    void* private_data

cdef struct ArrowArrayStream:
    int (*get_schema)(ArrowArrayStream*, ArrowSchema* out) noexcept
    int (*get_next)(ArrowArrayStream*, ArrowArray* out) noexcept
    const char* (*get_last_error)(ArrowArrayStream*) noexcept
    void (*release)(ArrowArrayStream*) noexcept
    void* private_data


cdef enum Layout:
    OFFSETS_32
    OFFSETS_64
    VIEWS
    # The following hold missing items only.
    NOTHING
    FLOATS_32
    FLOATS_64
    ANYTHING


cdef class ArrowText:
    cdef readonly Py_ssize_t size
    cdef ArrowArray array
    cdef const ArrowArray* values   # the array itself, or its dictionary
    cdef char index                 # format of the indices into a dictionary, 0 without one
    cdef Layout layout              # of the values
    cdef bytes format
    cdef bint gaps              # whether an item is missing

    cdef void check(self, Py_ssize_t before, str noun, bint skips) except *
    cdef int64_t _place(self, Py_ssize_t i) noexcept nogil
    cdef bint is_missing(self, Py_ssize_t i) noexcept nogil
    cdef const uint8_t* item(self, Py_ssize_t i, size_t* length) noexcept nogil

cdef list collect(object words, str noun, bint skips)
