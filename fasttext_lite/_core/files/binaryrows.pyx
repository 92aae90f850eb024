"""Parser for rows of word2vec binary files: a word, a space, and little-endian float32 numbers."""

from libc.stdint cimport int8_t, int64_t, uint8_t, uint32_t
from libc.string cimport memchr, memcpy

from fasttext_lite._core.files.rowparser cimport TOO_MANY_ROWS, RowParser


cdef enum:
    # A word with spaces is at most this long, and has at most this many spaces.
    LONGEST_WORD = 4096
    MOST_SPACES = 16
    # Bits of the sizes that numbers of vectors usually have: from 2**-40 up to 2**24.
    SMALLEST = (127 - 40) << 23
    BELOW = (127 + 24) << 23


cdef enum:
    BAD_WORD = TOO_MANY_ROWS + 1
    NO_WORD


cdef enum Verdict:
    # What speaks against the end of a word: flags, up to IMPOSSIBLE.
    CLEAR = 0
    ODD_WORD = 1        # the word, or what follows the numbers
    ODD_NUMBERS = 2
    IMPOSSIBLE = 4
    MORE = 8            # the data does not tell


cdef class BinaryRows(RowParser):
    """Parses rows: a word, a space, and `dim` float32 numbers. A line feed may follow each row.

    A word usually ends at the first space. It may also have spaces, so the numbers from there on
    and what follows them are checked: numbers have a usual size, and a word that follows is
    readable, without a NUL or a line feed. If something is odd, the word ends at the first of the
    next spaces after which nothing is odd, or less and no number. Otherwise it ends at the first
    space, unless there can be no word after the numbers.
    """

    cdef int8_t feeds       # whether line feeds follow the rows; -1 until it is known

    def __cinit__(self):
        self.feeds = -1

    cdef Py_ssize_t take_rows(
        self, const uint8_t* data, Py_ssize_t size, bint last
    ) noexcept nogil:
        cdef Py_ssize_t at = 0
        cdef Py_ssize_t start, space, stop
        cdef Py_ssize_t width = 4 * self.dim
        while at < size and not self.done:
            # A line feed is parsed as the start of the next row, or as the end of the file.
            start = at + (data[at] == c"\n")
            if start == size:
                if last:
                    at = size
                break
            if self.rows == self.limit:
                self.fail(TOO_MANY_ROWS, data + start, data + size)
                break
            space = self._word_stop(data, start, size, last)
            if space < 0:
                break
            memcpy(self.next_row(), data + space + 1, <size_t>width)
            self.keep(data + start, data + space)
            at = space + 1 + width
            if self.feeds < 0 and at < size:
                self.feeds = data[at] == c"\n"
        return at

    cdef Py_ssize_t _word_stop(
        self, const uint8_t* data, Py_ssize_t start, Py_ssize_t size, bint last
    ) noexcept nogil:
        """Return the place of the space after a word; -1 after a failure or if data is missing."""
        cdef const uint8_t* space = <const uint8_t*>memchr(
            data + start, c" ", <size_t>(size - start)
        )
        cdef Py_ssize_t first, stop, at, i
        cdef Py_ssize_t better = -1
        cdef Py_ssize_t width = 4 * self.dim
        cdef bint feed
        cdef int verdict, other
        if space == NULL:
            return -1
        first = space - data
        if not _is_word(data + start, first - start):
            self.fail(BAD_WORD, data + start, space)
            return -1
        verdict = self._judge(data, start, first, size, last)
        if verdict == CLEAR:
            return first
        if verdict == MORE:
            return -1
        feed = verdict < IMPOSSIBLE and first + 1 + width < size
        feed = feed and data[first + 1 + width] == c"\n"
        at = first
        stop = min(size, start + LONGEST_WORD)
        for i in range(MOST_SPACES):
            if at + 1 >= stop:
                break
            space = <const uint8_t*>memchr(data + at + 1, c" ", <size_t>(stop - at - 1))
            if space == NULL:
                # The end of the word may be in the data to come, unless it could not be a word.
                if not last and stop == size and _is_word(data + at + 1, stop - at - 1):
                    return -1
                break
            if not _is_word(data + at + 1, space - data - at - 1):
                break
            at = space - data
            other = self._judge(data, start, at, size, last)
            if other == MORE and last:
                break
            if other == MORE:
                return -1
            if not _is_readable(data + start, at - start, True):
                continue
            if not _is_readable(data + start, at - start, False):
                other |= ODD_WORD
            if other == CLEAR:
                return at
            if other == ODD_WORD and verdict >= ODD_NUMBERS and better < 0 and not feed:
                better = at
        if better >= 0:
            return better
        if verdict < IMPOSSIBLE:
            return first
        self.fail(NO_WORD, data + start, data + first)
        return -1

    cdef int _judge(
        self, const uint8_t* data, Py_ssize_t start, Py_ssize_t space, Py_ssize_t size, bint last
    ) noexcept nogil:
        """Return a `Verdict` on the end of a word, by the numbers and by what follows them."""
        cdef Py_ssize_t after = space + 1 + 4 * self.dim
        cdef int verdict = CLEAR
        cdef const uint8_t* stop
        cdef bint feed
        if after > size or (after == size and not last):
            return MORE
        if space == start:
            return IMPOSSIBLE
        if not _are_usual(data + space + 1, self.dim):
            verdict |= ODD_NUMBERS
        if after == size:
            return verdict
        feed = data[after] == c"\n"
        after += feed
        if self.feeds > 0 and not feed:
            verdict |= ODD_WORD
        if after == size:
            return verdict if last else MORE
        stop = <const uint8_t*>memchr(data + after, c" ", <size_t>(size - after))
        if stop == NULL:
            return verdict | ODD_WORD if last else MORE
        if not _is_word(data + after, stop - data - after):
            return IMPOSSIBLE
        if feed and self.feeds > 0:
            return CLEAR
        if not feed and not _is_readable(data + after, stop - data - after, False):
            verdict |= ODD_WORD
        return verdict

    cdef object problem_error(self, bytes text, int64_t offset):
        if self.problem == BAD_WORD:
            reason = f"{text!r} is not a word: it holds a NUL or a line feed"
        elif text:
            reason = (
                f"after the word {text!r} and its numbers there is no other word, but a NUL or a "
                "line feed: it is another word with spaces"
            )
        else:
            reason = "the word is empty"
        return self.error(
            offset, f"{reason}; or the file is damaged, then download or copy it again"
        )

    cdef int check_end(self, const uint8_t* rest, Py_ssize_t left, bint last) except -1:
        if last and left and not self.done:
            # The line feed before a row is not part of it.
            raise self.error(
                self.at + (rest[0] == c"\n"),
                f"the file is truncated: this row does not end within the last "
                f"{left - (rest[0] == c'\n')} bytes; download or copy it again",
            )
        return 0


cdef bint _is_word(const uint8_t* text, Py_ssize_t length) noexcept nogil:
    """Return whether there is no NUL and no line feed in a text."""
    cdef Py_ssize_t i
    for i in range(length):
        if text[i] == 0 or text[i] == c"\n":
            return False
    return True


cdef bint _is_readable(const uint8_t* text, Py_ssize_t length, bint controls) noexcept nogil:
    """Return whether a text is not empty, is UTF-8, and holds `controls` or none."""
    cdef Py_ssize_t i = 0
    cdef Py_ssize_t more
    cdef uint8_t byte
    while i < length:
        byte = text[i]
        if 0x80 <= byte < 0xC2 or byte > 0xF4:
            return False
        if not controls and (byte < 0x20 or byte == 0x7F):
            return False
        more = (byte >= 0xC2) + (byte >= 0xE0) + (byte >= 0xF0)
        i += 1
        while more:
            if i == length or text[i] & 0xC0 != 0x80:
                return False
            i += 1
            more -= 1
    return length > 0


cdef bint _are_usual(const uint8_t* numbers, Py_ssize_t count) noexcept nogil:
    """Return whether all numbers are zero or have a size that is usual in vectors."""
    cdef uint32_t bits
    cdef uint32_t unusual = 0
    cdef Py_ssize_t i
    for i in range(count):
        memcpy(&bits, numbers + 4 * i, 4)
        bits &= 0x7FFFFFFF
        unusual |= (bits != 0) & (bits - <uint32_t>SMALLEST >= <uint32_t>(BELOW - SMALLEST))
    return unusual == 0
