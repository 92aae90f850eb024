from libc.stdint cimport uint8_t


cdef inline bint is_space(uint8_t byte) noexcept nogil:
    """Return whether a byte separates the numbers of a row."""
    return byte == c" " or byte == c"\t"

cdef bint read_number(const uint8_t** at, const uint8_t* stop, float* out) noexcept nogil
