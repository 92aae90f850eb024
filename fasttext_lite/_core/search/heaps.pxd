"""Heaps of scored rows, with the largest or the smallest score first."""

from libc.stdint cimport uint32_t


cdef struct Seen:
    float score
    uint32_t id


cdef inline void rise(Seen* heap, Py_ssize_t at, int sign, Seen new) noexcept nogil:
    """Add an item after the last of a heap, whose first item has the largest sign * score."""
    cdef Py_ssize_t parent
    while at:
        parent = (at - 1) // 2
        if sign * heap[parent].score >= sign * new.score:
            break
        heap[at] = heap[parent]
        at = parent
    heap[at] = new


cdef inline void sink(Seen* heap, Py_ssize_t count, int sign, Seen new) noexcept nogil:
    """Replace the first item of a heap of `count` items."""
    cdef Py_ssize_t at = 0
    cdef Py_ssize_t child
    while True:
        child = 2 * at + 1
        if child >= count:
            break
        if child + 1 < count and sign * heap[child + 1].score > sign * heap[child].score:
            child += 1
        if sign * heap[child].score <= sign * new.score:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = new
