"""Parser for rows of word vectors in a stream: a word and its numbers, as text or float32."""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_Resize
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memchr, memcpy

from fasttext_lite._core.files.numbers cimport is_space, read_number

from fasttext_lite.errors import FormatError

# The largest number of bytes of a word or a number in a message.
cdef Py_ssize_t SHOWN = 40


cdef enum Problem:
    NONE
    BLANK_LINE
    EMPTY_WORD
    NO_NUMBER
    TOO_FEW
    TOO_MANY
    TOO_MANY_ROWS


cdef class RowParser:
    """Parses rows piece by piece, and concatenates their words and numbers.

    Memory grows with the bytes that were parsed, whatever the head of a file says.

    Parameters
    ----------
    dim : int
        The number of columns of a row.
    limit : int
        The largest number of rows.
    start : int
        The byte offset of the first row in the file, for errors.
    said : str
        A clause that names the source of `dim` and `limit`, such as "the head says", for errors.
    expected : int
        The number of rows to allocate memory for at the start.

    Attributes
    ----------
    dim, limit, count : int
        `count` is the number of rows so far.
    at : int
        The byte offset in the file of the end of the last parsed row.
    words : bytearray
        The words of the rows. This and the next two have their final size after `finish`.
    offsets : bytearray
        ``count + 1`` uint64: the start of each word in `words`, and the end of the last one.
    numbers : bytearray
        ``count * dim`` float32, row by row.
    """

    cdef readonly Py_ssize_t dim
    cdef readonly int64_t limit
    cdef readonly int64_t count
    cdef readonly int64_t at
    cdef readonly bytearray words
    cdef readonly bytearray offsets
    cdef readonly bytearray numbers
    cdef readonly str said
    cdef int64_t blank
    cdef uint64_t words_size
    cdef uint8_t* _words
    cdef uint64_t* _offsets
    cdef float* _numbers
    # The first problem, and the bytes of the data where it occurs.
    cdef Problem problem
    cdef Py_ssize_t found
    cdef const uint8_t* wrong
    cdef const uint8_t* wrong_stop

    def __init__(self, Py_ssize_t dim, int64_t limit, int64_t start, str said, int64_t expected=0):
        self.dim = dim
        self.limit = limit
        self.at = start
        self.said = said
        self.blank = -1
        self.words = bytearray()
        self.offsets = bytearray(8)
        self.numbers = bytearray()
        self._reserve(0, expected, expected * dim)

    cdef int _reserve(self, int64_t words, int64_t rows, int64_t numbers) except -1:
        """Allocate memory for more bytes of words, rows and numbers."""
        self._words = <uint8_t*>_grown(self.words, self.words_size + <uint64_t>words)
        self._offsets = <uint64_t*>_grown(self.offsets, 8 * <uint64_t>(self.count + rows + 1))
        self._numbers = <float*>_grown(
            self.numbers, 4 * (<uint64_t>(self.count * self.dim) + <uint64_t>numbers)
        )
        return 0

    def take_text(self, const uint8_t[::1] data not None, bint last):
        """Parse the complete lines in `data`.

        Parameters
        ----------
        data : buffer of bytes
        last : bool
            Whether `data` ends with the file.

        Returns
        -------
        int
            The number of parsed bytes. Pass the remaining bytes again, followed by more data.

        Raises
        ------
        FormatError
            A line is not a row.
        """
        cdef Py_ssize_t size = data.shape[0]
        cdef Py_ssize_t used = 0
        if size:
            # The shortest number takes two bytes with its space, the shortest row four.
            self._reserve(size, size // 4 + 1, size // 2 + 1)
            with nogil:
                used = self._take_lines(&data[0], size, last)
            self._check(&data[0])
        self.at += used
        return used

    def take_binary(self, const uint8_t[::1] data not None, bint last):
        """Parse the complete rows in `data`: a word, a space, and float32 numbers.

        A line feed may follow each row. Parameters, result and errors are those of `take_text`.
        """
        cdef Py_ssize_t size = data.shape[0]
        cdef Py_ssize_t used = 0
        if size:
            self._reserve(size, size // 6 + 1, size // 4 + 1)
            with nogil:
                used = self._take_records(&data[0], size, last)
            self._check(&data[0])
        if last and used < size:
            used += data[used] == c"\n"
            raise FormatError(
                f"row {self.count + 1}",
                self.at + used,
                f"the file is truncated: this row does not end within the last {size - used} "
                "bytes; download or copy it again",
            )
        self.at += used
        return used

    def finish(self):
        """Shrink the arrays to their final sizes."""
        _fit(self.words, self.words_size)
        _fit(self.offsets, 8 * <uint64_t>(self.count + 1))
        _fit(self.numbers, 4 * <uint64_t>(self.count * self.dim))

    cdef Py_ssize_t _take_lines(
        self, const uint8_t* data, Py_ssize_t size, bint last
    ) noexcept nogil:
        cdef Py_ssize_t at = 0
        cdef Py_ssize_t stop
        cdef const uint8_t* newline
        while at < size:
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
        cdef const uint8_t* word = at
        cdef const uint8_t* behind
        cdef float* numbers = self._numbers + self.count * self.dim
        cdef Py_ssize_t count = 0
        while stop > at and (is_space((stop - 1)[0]) or (stop - 1)[0] == c"\r"):
            stop -= 1
        if at == stop:
            # An empty line is allowed only after the last row, which is not known yet.
            if self.blank < 0:
                self.blank = self.at + start
            return True
        if self.blank >= 0:
            return self._fail(BLANK_LINE, at, stop)
        if self.count == self.limit:
            return self._fail(TOO_MANY_ROWS, at, stop)
        while at < stop and not is_space(at[0]):
            at += 1
        if at == word:
            return self._fail(EMPTY_WORD, at, stop)
        self._add_word(word, at)
        while True:
            while at < stop and is_space(at[0]):
                at += 1
            if at == stop:
                break
            if count == self.dim:
                return self._fail(TOO_MANY, word, at)
            behind = at
            if not read_number(&behind, stop, numbers + count):
                return self._fail(NO_NUMBER, at, behind)
            at = behind
            count += 1
        if count < self.dim:
            self.found = count
            return self._fail(TOO_FEW, word, stop)
        self.count += 1
        return True

    cdef Py_ssize_t _take_records(
        self, const uint8_t* data, Py_ssize_t size, bint last
    ) noexcept nogil:
        cdef Py_ssize_t at = 0
        cdef Py_ssize_t start
        cdef Py_ssize_t width = 4 * self.dim
        cdef const uint8_t* space
        while at < size:
            # A line feed is parsed as the start of the next row, or as the end of the file.
            start = at + (data[at] == c"\n")
            if start == size:
                if last:
                    at = size
                break
            if self.count == self.limit:
                self._fail(TOO_MANY_ROWS, data + start, data + size)
                break
            space = <const uint8_t*>memchr(data + start, c" ", <size_t>(size - start))
            if space == NULL or size - (space + 1 - data) < width:
                break
            if space == data + start:
                self._fail(EMPTY_WORD, space, space)
                break
            self._add_word(data + start, space)
            memcpy(self._numbers + self.count * self.dim, space + 1, <size_t>width)
            self.count += 1
            at = space + 1 - data + width
        return at

    cdef void _add_word(self, const uint8_t* start, const uint8_t* stop) noexcept nogil:
        memcpy(self._words + self.words_size, start, <size_t>(stop - start))
        self.words_size += <uint64_t>(stop - start)
        self._offsets[self.count + 1] = self.words_size

    cdef bint _fail(
        self, Problem problem, const uint8_t* start, const uint8_t* stop
    ) noexcept nogil:
        self.problem = problem
        self.wrong = start
        self.wrong_stop = stop
        return False

    cdef int _check(self, const uint8_t* data) except -1:
        """Raise an error for the first problem, if any."""
        if self.problem == NONE:
            return 0
        text = (<const char*>self.wrong)[: min(self.wrong_stop - self.wrong, SHOWN)]
        word = text.split(b" ")[0].split(b"\t")[0]
        offset = self.at + (self.wrong - data)
        if self.problem == BLANK_LINE:
            offset = self.blank
            reason = "there is an empty line between rows: remove it"
        elif self.problem == EMPTY_WORD:
            reason = "the word is empty: the row begins with a space"
        elif self.problem == NO_NUMBER:
            reason = f"{text!r} is not a number (words must not contain spaces)"
        elif self.problem == TOO_FEW:
            reason = f"the row of {word!r} has {self.found} numbers, but {self.said} {self.dim}"
        elif self.problem == TOO_MANY:
            reason = f"the row of {word!r} has more numbers than the {self.dim} that {self.said}"
        else:
            reason = f"there are more rows than the {self.limit} that {self.said}"
        raise FormatError(f"row {self.count + 1}", offset, reason)


cdef void* _grown(bytearray array, uint64_t size) except NULL:
    """Grow an array to at least a size, by a quarter or more, and return its bytes."""
    cdef uint64_t before = <uint64_t>len(array)
    if size > before:
        PyByteArray_Resize(array, <Py_ssize_t>max(size, before + before // 4))
    return PyByteArray_AS_STRING(array)


cdef int _fit(bytearray array, uint64_t size) except -1:
    PyByteArray_Resize(array, <Py_ssize_t>size)
    return 0
