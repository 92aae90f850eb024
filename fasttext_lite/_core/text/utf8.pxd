from libc.stdint cimport uint8_t


cdef extern from "Python.h":
    bint is_ascii "PyUnicode_IS_ASCII"(object text)
    int width "PyUnicode_KIND"(object text)     # bytes of a code point
    void* code_points "PyUnicode_DATA"(object text)
    Py_ssize_t point_count "PyUnicode_GET_LENGTH"(object text)

cdef extern from "code_points.h":
    int make_ready "ftl_make_ready"(object text) except -1

cdef Py_ssize_t utf8_size(const void* points, int width, Py_ssize_t size) noexcept nogil
cdef uint8_t* write_utf8(
    const void* points, int width, Py_ssize_t size, uint8_t* out
) noexcept nogil
