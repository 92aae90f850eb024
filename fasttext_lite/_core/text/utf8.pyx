"""Encoding of code points in UTF-8, from the memory of CPython or NumPy.

Lone surrogates from U+DC80 to U+DCFF are written as the bytes that they represent
("surrogateescape", PEP 383).
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t


cdef inline uint32_t _point(const void* points, int width, Py_ssize_t i) noexcept nogil:
    if width == 1:
        return (<const uint8_t*>points)[i]
    if width == 2:
        return (<const uint16_t*>points)[i]
    return (<const uint32_t*>points)[i]


cdef Py_ssize_t utf8_size(const void* points, int width, Py_ssize_t size) noexcept nogil:
    """Return the size of code points in UTF-8, or ``-1 - i`` if the one at i cannot be encoded."""
    cdef Py_ssize_t found = size
    cdef Py_ssize_t i
    cdef uint32_t point
    for i in range(size):
        point = _point(points, width, i)
        if point < 0x80 or 0xDC80 <= point <= 0xDCFF:
            continue
        if 0xD800 <= point <= 0xDFFF or point > 0x10FFFF:
            return -1 - i
        found += 1 + (point >= 0x800) + (point >= 0x10000)
    return found


cdef uint8_t* write_utf8(
    const void* points, int width, Py_ssize_t size, uint8_t* out
) noexcept nogil:
    """Write code points that `utf8_size` accepts, and return the end of their bytes."""
    cdef Py_ssize_t i
    cdef uint32_t point
    for i in range(size):
        point = _point(points, width, i)
        if point < 0x80 or 0xDC80 <= point <= 0xDCFF:
            out[0] = <uint8_t>point
            out += 1
            continue
        if point < 0x800:
            out[0] = <uint8_t>(0xC0 | (point >> 6))
            out += 1
        else:
            if point < 0x10000:
                out[0] = <uint8_t>(0xE0 | (point >> 12))
                out += 1
            else:
                out[0] = <uint8_t>(0xF0 | (point >> 18))
                out[1] = <uint8_t>(0x80 | ((point >> 12) & 0x3F))
                out += 2
            out[0] = <uint8_t>(0x80 | ((point >> 6) & 0x3F))
            out += 1
        out[0] = <uint8_t>(0x80 | (point & 0x3F))
        out += 1
    return out
