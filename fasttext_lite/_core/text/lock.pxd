from libc.stdint cimport int64_t


cdef extern from "Python.h" nogil:
    ctypedef struct PyThreadState:
        pass


cdef struct Away:
    # A call without the lock: since when, and what is needed to come back; NULL if it kept it.
    PyThreadState* state
    int64_t since


cdef bint busy() noexcept nogil
cdef Away leave(bint worth) noexcept nogil
cdef void come_back(Away away) noexcept nogil
