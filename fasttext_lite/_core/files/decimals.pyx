"""Decimal numbers to the float32 nearest to them."""

from libc.math cimport INFINITY, isinf, nextafterf
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef extern from "Python.h":
    double PyOS_string_to_double(const char* text, char** end, void* overflow) except? -1.0

cdef enum:
    # As many decimal digits fit a uint64.
    DIGITS = 19
    LARGEST_POWER = 64
    # The bits of a double that a float32 has no room for, and how near to the middle of them, in
    # units of the last, the double must not be for its rounding to be that of the exact number.
    # Digits that were cut, the power of ten and the product are each wrong by less than one.
    LOST = 0x1FFFFFFF
    MIDDLE = 0x10000000
    MARGIN = 8

# float32 takes all from here on as infinite.
cdef double TOP = float.fromhex("0x1.ffffffp127")
# Powers of ten from -LARGEST_POWER on.
cdef double[2 * LARGEST_POWER + 1] POWERS
for _i in range(2 * LARGEST_POWER + 1):
    POWERS[_i] = float(f"1e{_i - LARGEST_POWER}")


cdef const uint8_t* _number(const uint8_t* at, const uint8_t* stop, float* out) noexcept nogil:
    """Read a number up to a space or the end; NULL where it takes `_nearest` to tell."""
    cdef bint negative = at[0] == c"-"
    cdef bint pointed = False
    cdef bint less
    cdef uint64_t digits = 0
    cdef int count = 0
    cdef int read = 0
    cdef int exponent = 0
    cdef int power = 0
    cdef uint64_t bits
    cdef double number
    if negative or at[0] == c"+":
        at += 1
    while at < stop:
        if c"0" <= at[0] <= c"9":
            read = 1
            if count < DIGITS:
                digits = digits * 10 + (at[0] - c"0")
                count += digits != 0
                exponent -= pointed
            else:
                exponent += not pointed
        elif at[0] == c"." and not pointed:
            pointed = True
        else:
            break
        at += 1
    if not read:
        return NULL
    if at < stop and (at[0] == c"e" or at[0] == c"E"):
        at += 1
        less = at < stop and at[0] == c"-"
        if less or (at < stop and at[0] == c"+"):
            at += 1
        read = 0
        while at < stop and c"0" <= at[0] <= c"9":
            read = 1
            power = min(power * 10 + (at[0] - c"0"), 10000)
            at += 1
        if not read:
            return NULL
        exponent += -power if less else power
    if at < stop and not is_space(at[0]):
        return NULL
    if digits == 0:
        out[0] = -0.0 if negative else 0.0
        return at
    if not -LARGEST_POWER <= exponent <= LARGEST_POWER:
        return NULL
    number = <double>digits * POWERS[exponent + LARGEST_POWER]
    # Outside of these a float32 has fewer digits, or none.
    if not 2e-38 < number < 3e38:
        return NULL
    memcpy(&bits, &number, 8)
    if <uint32_t>(bits & LOST) - <uint32_t>(MIDDLE - MARGIN) <= 2 * MARGIN:
        return NULL
    out[0] = <float>(-number if negative else number)
    return at


cdef float _nearest(bytes text) except? -1.0:
    """The float32 nearest to a number of any length, of two that are as near the even one."""
    cdef double near
    cdef double middle
    cdef float found, other
    if b"\0" in text:
        raise ValueError
    near = PyOS_string_to_double(text, NULL, NULL)
    found = <float>near
    if <double>found == near or near != near:
        return found
    # Rounded twice, through a double: wrong only where that is just between two of float32.
    other = nextafterf(found, INFINITY if near > found else -INFINITY)
    middle = (TOP if near > 0 else -TOP) if isinf(found) else (<double>found + other) / 2
    if near == middle:
        from decimal import Decimal

        exact = Decimal(text.decode())
        if (exact > Decimal(near)) == (other > found) and exact != Decimal(near):
            found = other
    return found


cdef bint _tell(const uint8_t* text, Py_ssize_t length, float* out) noexcept nogil:
    with gil:
        try:
            out[0] = _nearest((<const char*>text)[:length])
        except ValueError:
            return False
        return True


cdef bint read_number(const uint8_t** at, const uint8_t* stop, float* out) noexcept nogil:
    """Read a number and move behind it, to a space or the end; False where it is none."""
    cdef const uint8_t* start = at[0]
    cdef const uint8_t* behind = _number(start, stop, out)
    if behind != NULL:
        at[0] = behind
        return True
    behind = start
    while behind < stop and not is_space(behind[0]):
        behind += 1
    at[0] = behind
    return _tell(start, behind - start, out)
