"""Vectors as text: decimal numbers, rounded correctly or as short as reads back the same."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.math cimport fabs, floor
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from fasttext_lite.errors import InputValueError

cdef enum:
    # That many digits tell every float32 from its neighbours, and FLT_DIG of them are kept by one.
    MOST_DIGITS = 9
    SAFE_DIGITS = 6
    # "-0.000123456789" or "-1.23456789e-45", and the space behind it.
    LONGEST = 17
    # Powers of ten up to this one are exact as double.
    EXACT_POWER = 22
    # The bits that a double has and a float32 has not, and what they are halfway between two.
    TAIL = 0x1FFFFFFF
    MIDDLE = 0x10000000

# How far from a tie a scaled number must be for its rounding to be certain: it is below 2**30 and
# comes of one double operation on exact numbers, so it is right within 2**-23.
cdef double CERTAIN = 1e-6

cdef double[EXACT_POWER + 1] POWERS
POWERS[:] = [float(10**power) for power in range(EXACT_POWER + 1)]


cdef inline double _scale(double number, int power) noexcept nogil:
    """``number * 10**power``, rounded once."""
    return number * POWERS[power] if power >= 0 else number / POWERS[-power]


cdef inline int _exponent(double number) noexcept nogil:
    """The decimal exponent of a number between 1e-13 and 1e22."""
    cdef int exponent = 0
    if number >= 1:
        while exponent < EXACT_POWER and number >= POWERS[exponent + 1]:
            exponent += 1
        return exponent
    exponent = -1
    while number * POWERS[-exponent] < 1:
        exponent -= 1
    return exponent


cdef inline bint _reads_back(uint32_t integer, int power, float number) noexcept nogil:
    """Whether ``integer * 10**power`` is certainly nearer to `number` than to another float32."""
    cdef double value = _scale(<double>integer, power)
    cdef uint64_t bits
    memcpy(&bits, &value, sizeof(bits))
    # In the middle between two float32 the double may have been rounded from either side of it.
    return <float>value == number and (bits & TAIL) != MIDDLE


cdef uint32_t _shortest(double size, int* exponent, int* digits) noexcept nogil:
    """The digits of the shortest decimal that reads back as the same; 0 where it is not found."""
    cdef int length, power
    cdef uint32_t integer
    for length in range(SAFE_DIGITS, MOST_DIGITS + 1):
        power = length - 1 - exponent[0]
        if power > EXACT_POWER:
            return 0
        integer = <uint32_t>(_scale(size, power) + 0.5)
        if _reads_back(integer, -power, <float>size):
            digits[0] = length
            if integer >= <uint32_t>POWERS[length]:
                integer //= 10
                exponent[0] += 1
            return integer
    return 0


cdef uint32_t _rounded(double size, int* exponent, int digits) noexcept nogil:
    """The number rounded to so many digits; 0 where that is not certain."""
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
    if integer >= <uint32_t>POWERS[digits]:
        integer //= 10
        exponent[0] += 1
    return integer


cdef char* _write(uint32_t integer, int digits, int exponent, int most, char* out) noexcept nogil:
    """Write digits as C's %g does, without the zeros at their end; what follows them."""
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
    """Write a number that the fast way leaves: near a tie, very small or large, or none at all."""
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
    """Write a number; what follows it. 0 digits make it as short as reads back the same."""
    cdef double size = fabs(<double>number)
    cdef int exponent, length
    cdef uint32_t integer = 0
    if number == 0:
        # 1 / -0 is negative: the sign of zero is kept.
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
    """Lines as the official program writes them: a word, its numbers, a space behind each.

    Parameters
    ----------
    text : buffer of bytes
        The words, end to end.
    offsets : uint64 buffer, shape (n + 1,)
        Where each word begins in `text`, and where the last one ends.
    rows : float32 buffer, shape (n, dim)
    digits : int
        Significant digits, 1 to 9, rounded correctly; 0 for as few as read back as the same
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
