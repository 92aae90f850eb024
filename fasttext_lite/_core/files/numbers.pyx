"""Decimal numbers: reading of the nearest float32, and writing of float32."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.math cimport INFINITY, fabs, floor, isinf, nextafterf
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from fasttext_lite.errors import InputValueError

cdef extern from "Python.h":
    double PyOS_string_to_double(const char* text, char** end, void* overflow) except? -1.0

cdef enum:
    # The bits of a double that a float32 lacks, and their value halfway between two float32.
    LOST = 0x1FFFFFFF
    MIDDLE = 0x10000000
    LARGEST_POWER = 64
    # Powers of ten up to this one are exact as double.
    EXACT_POWER = 22
    # Reading: decimal digits that fit in a uint64, and the distance from MIDDLE, in units of the
    # last bit, beyond which the double rounds like the exact number. Dropped digits, the power of
    # ten and the product each cause an error below one unit.
    READ_DIGITS = 19
    MARGIN = 8
    # Writing: the number of digits that distinguish every float32, and the number of digits that
    # every float32 preserves (FLT_DIG).
    MOST_DIGITS = 9
    SAFE_DIGITS = 6
    # "-0.000123456789" or "-1.23456789e-45", and the space after it.
    LONGEST = 17

# Numbers from this one on are infinite as float32.
cdef double TOP = float.fromhex("0x1.ffffffp127")
# The distance from a tie beyond which rounding a scaled number is certain: it is below 2**30 and
# the result of one double operation on exact numbers, so its error is at most 2**-23.
cdef double CERTAIN = 1e-6
# Powers of ten from -LARGEST_POWER on.
cdef double[2 * LARGEST_POWER + 1] POWERS
for _i in range(2 * LARGEST_POWER + 1):
    POWERS[_i] = float(f"1e{_i - LARGEST_POWER}")


cdef inline double _power(int exponent) noexcept nogil:
    """``10**exponent``"""
    return POWERS[exponent + LARGEST_POWER]


cdef const uint8_t* _number(const uint8_t* at, const uint8_t* stop, float* out) noexcept nogil:
    """Read a number up to a space or the end; NULL if it needs `_nearest`."""
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
            if count < READ_DIGITS:
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
    number = <double>digits * _power(exponent)
    # Outside this range a float32 may be subnormal, zero or infinite.
    if not 2e-38 < number < 3e38:
        return NULL
    memcpy(&bits, &number, 8)
    if <uint32_t>(bits & LOST) - <uint32_t>(MIDDLE - MARGIN) <= 2 * MARGIN:
        return NULL
    out[0] = <float>(-number if negative else number)
    return at


cdef float _nearest(bytes text) except? -1.0:
    """Return the float32 nearest to a number of any length, ties to even."""
    cdef double near
    cdef double middle
    cdef float found, other
    if b"\0" in text:
        raise ValueError
    near = PyOS_string_to_double(text, NULL, NULL)
    found = <float>near
    if <double>found == near or near != near:
        return found
    # Rounding twice, through a double, is wrong only if the double is halfway between two float32.
    other = nextafterf(found, INFINITY if near > found else -INFINITY)
    middle = (TOP if near > 0 else -TOP) if isinf(found) else (<double>found + other) / 2
    if near == middle:
        from decimal import Decimal

        exact = Decimal(text.decode())
        if (exact > Decimal(near)) == (other > found) and exact != Decimal(near):
            found = other
    return found


cdef bint _read_slowly(const uint8_t* text, Py_ssize_t length, float* out) noexcept nogil:
    """Read a number as Python does; False if it is not a number."""
    with gil:
        try:
            out[0] = _nearest((<const char*>text)[:length])
        except ValueError:
            return False
        return True


cdef bint read_number(const uint8_t** at, const uint8_t* stop, float* out) noexcept nogil:
    """Read a number and move past it, to a space or the end; False if it is not a number."""
    cdef const uint8_t* start = at[0]
    cdef const uint8_t* behind = _number(start, stop, out)
    if behind != NULL:
        at[0] = behind
        return True
    behind = start
    while behind < stop and not is_space(behind[0]):
        behind += 1
    at[0] = behind
    return _read_slowly(start, behind - start, out)


cdef inline double _scale(double number, int power) noexcept nogil:
    """``number * 10**power``, rounded once."""
    return number * _power(power) if power >= 0 else number / _power(-power)


cdef inline int _exponent(double number) noexcept nogil:
    """Return the decimal exponent of a number between 1e-13 and 1e22."""
    cdef int exponent = 0
    if number >= 1:
        while exponent < EXACT_POWER and number >= _power(exponent + 1):
            exponent += 1
        return exponent
    exponent = -1
    while number * _power(-exponent) < 1:
        exponent -= 1
    return exponent


cdef inline bint _reads_back(uint32_t integer, int power, float number) noexcept nogil:
    """Return whether `number` is certainly the float32 nearest to ``integer * 10**power``."""
    cdef double value = _scale(<double>integer, power)
    cdef uint64_t bits
    memcpy(&bits, &value, sizeof(bits))
    # A double halfway between two float32 may have been rounded from either side.
    return <float>value == number and (bits & LOST) != MIDDLE


cdef uint32_t _shortest(double size, int* exponent, int* digits) noexcept nogil:
    """Return the digits of the shortest decimal that reads back the same; 0 if none is found."""
    cdef int length, power
    cdef uint32_t integer
    for length in range(SAFE_DIGITS, MOST_DIGITS + 1):
        power = length - 1 - exponent[0]
        if power > EXACT_POWER:
            return 0
        integer = <uint32_t>(_scale(size, power) + 0.5)
        if _reads_back(integer, -power, <float>size):
            digits[0] = length
            if integer >= <uint32_t>_power(length):
                integer //= 10
                exponent[0] += 1
            return integer
    return 0


cdef uint32_t _rounded(double size, int* exponent, int digits) noexcept nogil:
    """Return the number rounded to this many digits; 0 if the rounding is not certain."""
    cdef int power = digits - 1 - exponent[0]
    cdef double scaled, whole
    cdef uint32_t integer
    if not -EXACT_POWER <= power <= EXACT_POWER:
        return 0
    scaled = _scale(size, power)
    whole = floor(scaled)
    if fabs(scaled - whole - 0.5) < CERTAIN:
        return 0
    integer = <uint32_t>whole + (scaled - whole > 0.5)
    if integer >= <uint32_t>_power(digits):
        integer //= 10
        exponent[0] += 1
    return integer


cdef char* _write(uint32_t integer, int digits, int exponent, int most, char* out) noexcept nogil:
    """Write digits as C's %g does, without trailing zeros; return the end."""
    cdef char text[MOST_DIGITS]
    cdef int i, size
    for i in range(digits - 1, -1, -1):
        text[i] = <char>(c"0" + integer % 10)
        integer //= 10
    while digits > 1 and text[digits - 1] == c"0":
        digits -= 1
    if -4 <= exponent < most:
        if exponent < 0:
            out[0] = c"0"
            out[1] = c"."
            out += 2
            for i in range(-1 - exponent):
                out[0] = c"0"
                out += 1
            exponent = digits - 1
        for i in range(max(digits, exponent + 1)):
            if i == exponent + 1:
                out[0] = c"."
                out += 1
            out[0] = text[i] if i < digits else <char>c"0"
            out += 1
        return out
    out[0] = text[0]
    out += 1
    if digits > 1:
        out[0] = c"."
        memcpy(out + 1, text + 1, <size_t>digits - 1)
        out += digits
    out[0] = c"e"
    out[1] = c"-" if exponent < 0 else c"+"
    size = -exponent if exponent < 0 else exponent
    out[2] = <char>(c"0" + size // 10)
    out[3] = <char>(c"0" + size % 10)
    return out + 4


cdef Py_ssize_t _write_slowly(float number, int digits, char* out) except -1 with gil:
    """Write a number near a tie, a very small or large one, or NaN; return its length."""
    cdef bytes text
    if digits:
        text = b"%.*g" % (digits, number)
    else:
        for digits in range(1, MOST_DIGITS + 1):
            text = b"%.*g" % (digits, number)
            if <float><double>float(text) == number:
                break
    memcpy(out, <const char*>text, <size_t>len(text))
    return len(text)


cdef char* _write_number(float number, int digits, char* out) except NULL nogil:
    """Write a number and return the end; 0 digits means the shortest that reads back the same."""
    cdef double size = fabs(<double>number)
    cdef int exponent, length
    cdef uint32_t integer = 0
    if number == 0:
        # 1 / -0 is negative infinity: preserve the sign of zero.
        if 1 / <double>number < 0:
            out[0] = c"-"
            out += 1
        out[0] = c"0"
        return out + 1
    if 1e-13 <= size < 1e22:
        exponent = _exponent(size)
        length = digits
        if digits:
            integer = _rounded(size, &exponent, digits)
        else:
            integer = _shortest(size, &exponent, &length)
    if integer == 0:
        return out + _write_slowly(number, digits, out)
    if number < 0:
        out[0] = c"-"
        out += 1
    return _write(integer, length, exponent, digits if digits else MOST_DIGITS, out)


def text_lines(
    const uint8_t[::1] text not None,
    const uint64_t[::1] offsets not None,
    const float[:, ::1] rows not None,
    int digits,
):
    """Write lines as the official program does: a word and its numbers, each followed by a space.

    Parameters
    ----------
    text : buffer of bytes
        The concatenated words.
    offsets : uint64 buffer, shape (n + 1,)
        The start of each word in `text`, and the end of the last one.
    rows : float32 buffer, shape (n, dim)
    digits : int
        Significant digits, 1 to 9, rounded correctly; 0 for the fewest that read back as the same
        float32.

    Returns
    -------
    bytes

    Raises
    ------
    InputValueError
        The arrays do not fit one another, or `digits` is out of range.
    """
    cdef Py_ssize_t count = rows.shape[0]
    cdef Py_ssize_t dim = rows.shape[1]
    cdef Py_ssize_t i, column
    cdef uint64_t length
    cdef char* out
    if not 0 <= digits <= MOST_DIGITS:
        raise InputValueError(f"digits must be between 0 and {MOST_DIGITS}, not {digits}")
    if offsets.shape[0] != count + 1 or offsets[count] > <uint64_t>text.shape[0]:
        raise InputValueError("texts, offsets and rows do not fit one another")
    for i in range(count):
        if offsets[i] > offsets[i + 1]:
            raise InputValueError("the offsets do not ascend")
    cdef char* begin = <char*>malloc(
        <size_t>(offsets[count] - offsets[0]) + <size_t>count * (<size_t>dim * LONGEST + 2) + 1
    )
    if begin == NULL:
        raise MemoryError
    try:
        with nogil:
            out = begin
            for i in range(count):
                length = offsets[i + 1] - offsets[i]
                if length:
                    memcpy(out, &text[offsets[i]], length)
                out += length
                out[0] = c" "
                out += 1
                for column in range(dim):
                    out = _write_number(rows[i, column], digits, out)
                    out[0] = c" "
                    out += 1
                out[0] = c"\n"
                out += 1
        return PyBytes_FromStringAndSize(begin, out - begin)
    finally:
        free(begin)
