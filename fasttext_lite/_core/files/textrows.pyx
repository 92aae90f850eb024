"""Parser for rows of word vectors as text: a word and its decimal numbers."""

import re

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memchr

from fasttext_lite._core.files.numbers cimport is_space, read_number
from fasttext_lite._core.files.rowparser cimport TOO_MANY_ROWS, RowParser

# From this many rows on, words that all end with a number are taken for a wrong `dim`.
cdef int64_t MANY = 16

_PLACE = re.compile(rb"\d+:\S")
_COMMA = re.compile(rb"[+-]?\d*,\d+(?:e[+-]?\d+)?", re.I)


cdef enum:
    BLANK_LINE = TOO_MANY_ROWS + 1
    EMPTY_WORD
    NO_NUMBER
    TOO_FEW
    TOO_MANY


cdef class TextRows(RowParser):
    """Parses lines: a word, and `dim` numbers after spaces or tabs.

    A word usually ends at the first space or tab. If the numbers after it are not `dim`, the last
    `dim` numbers of the line are the row, and all before them is the word, without the spaces and
    tabs at its end. A word of nothing but spaces and tabs is kept, without the separator after it.
    """

    cdef int64_t blank
    cdef int64_t longer             # rows with more numbers than `dim`
    cdef Py_ssize_t numbers_read    # of a row with too few

    def __cinit__(self):
        self.blank = -1

    cdef Py_ssize_t take_rows(
        self, const uint8_t* data, Py_ssize_t size, bint last
    ) noexcept nogil:
        cdef Py_ssize_t at = 0
        cdef Py_ssize_t stop
        cdef const uint8_t* newline
        while at < size and not self.done:
            newline = <const uint8_t*>memchr(data + at, c"\n", <size_t>(size - at))
            if newline == NULL and not last:
                break
            stop = newline - data if newline != NULL else size
            if not self._take_line(data + at, data + stop, at):
                break
            at = min(stop + 1, size)
        return at

    cdef bint _take_line(
        self, const uint8_t* at, const uint8_t* stop, Py_ssize_t start
    ) noexcept nogil:
        """Parse one line without its end; False if it is not a row."""
        cdef const uint8_t* line = at
        cdef const uint8_t* word_stop
        cdef const uint8_t* behind
        cdef float* numbers = self.next_row()
        cdef Py_ssize_t count = 0
        while stop > at and (is_space((stop - 1)[0]) or (stop - 1)[0] == c"\r"):
            stop -= 1
        if at == stop:
            # An empty line is allowed only after the last row, which is not known yet.
            if self.blank < 0:
                self.blank = self.at + start
            return True
        if self.blank >= 0:
            return self.fail(BLANK_LINE, at, stop)
        if self.rows == self.limit:
            return self.fail(TOO_MANY_ROWS, at, stop)
        while at < stop and not is_space(at[0]):
            at += 1
        word_stop = at
        if word_stop == line:
            return self._take_odd_line(EMPTY_WORD, line, stop, at, stop)
        while True:
            while at < stop and is_space(at[0]):
                at += 1
            if at == stop:
                break
            if count == self.dim:
                return self._take_odd_line(TOO_MANY, line, stop, at, stop)
            behind = at
            if not read_number(&behind, stop, numbers + count):
                return self._take_odd_line(NO_NUMBER, line, stop, at, behind)
            at = behind
            count += 1
        if count < self.dim:
            self.numbers_read = count
            return self.fail(TOO_FEW, line, stop)
        self.keep(line, word_stop)
        return True

    cdef bint _take_odd_line(
        self,
        int problem,
        const uint8_t* line,
        const uint8_t* stop,
        const uint8_t* wrong,
        const uint8_t* wrong_stop,
    ) noexcept nogil:
        """Parse a line from its end; fail with the problem of the usual way if it is not a row."""
        cdef float* numbers = self.next_row()
        cdef const uint8_t* at = stop
        cdef const uint8_t* end
        cdef const uint8_t* behind
        cdef Py_ssize_t column
        for column in range(self.dim - 1, -1, -1):
            while at > line and is_space((at - 1)[0]):
                at -= 1
            end = at
            while at > line and not is_space((at - 1)[0]):
                at -= 1
            behind = at
            if at == line or not read_number(&behind, end, numbers + column):
                if problem == TOO_MANY:
                    return self.fail(NO_NUMBER, at, end)
                return self.fail(problem, wrong, wrong_stop)
        # All before the last separator is the word, if it has anything but separators.
        end = at
        while at > line and is_space((at - 1)[0]):
            at -= 1
        if at == line:
            at = end - 1
        if at == line:
            return self.fail(EMPTY_WORD, line, line)
        self.longer += problem == TOO_MANY
        self.keep(line, at)
        return True

    cdef object problem_error(self, bytes text, int64_t offset):
        if self.problem == BLANK_LINE:
            return self.error(self.blank, "there is an empty line between rows: remove it")
        if self.problem == EMPTY_WORD:
            reason = "the word is empty: the row begins with a space"
        elif self.problem == NO_NUMBER:
            reason = f"{text!r} is not a number{_meaning(text)}"
        else:
            word = re.split(rb"[ \t]", text)[0]
            reason = f"the row of {word!r} has {self.numbers_read} numbers, but {self.said} {self.dim}"
        return self.error(offset, reason)

    cdef int check_end(self, const uint8_t* rest, Py_ssize_t left, bint last) except -1:
        if self.longer == self.rows and self.rows >= MANY and (last or self.done):
            raise self.error(
                self.at,
                f"each of the {self.rows} rows has more numbers than the {self.dim} that "
                f"{self.said}: correct the head",
            )
        return 0


def _meaning(text):
    """Return what a column that is not a number seems to be, for messages."""
    if _PLACE.match(text):
        return (
            ": it is place:number, as in files of sparse vectors, which are not supported: write "
            "all numbers of each vector"
        )
    if _COMMA.fullmatch(text):
        return ": numbers must have a decimal point, not a comma"
    return ""
