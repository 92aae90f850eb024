"""The rows of a stream of word vectors as they are parsed: their words and numbers."""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_Resize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memmove

from fasttext_lite._core.lookup.subwords cimport hash_bytes
from fasttext_lite._core.lookup.vocabulary cimport Vocabulary

from fasttext_lite.errors import FormatError

# The largest number of bytes of a word or a number in a message.
cdef Py_ssize_t SHOWN = 40


cdef class RowParser:
    """Parses rows piece by piece, and concatenates the words and numbers of those to keep.

    Memory grows with the rows that are kept, whatever the head of a file says. The subclasses
    `TextRows` and `BinaryRows` know how a row is written.

    Parameters
    ----------
    dim : int
        The number of columns of a row.
    limit : int
        The largest number of rows: one more is an error.
    start : int
        The byte offset of the first row in the file, for errors.
    said : str
        A clause that names the source of `dim` and `limit`, such as "the head says", for errors.
    expected : int
        The number of rows to allocate memory for at the start.
    most : int
        The number of rows to parse; -1 for all.
    wanted : Vocabulary, optional
        Keep only the rows of these words, which are distinct, and of each word the first one.

    Attributes
    ----------
    dim, limit, said
        As above.
    rows, count : int
        The numbers of rows that were parsed and that were kept.
    at : int
        The byte offset in the file of the end of the last parsed row.
    done : bool
        Whether `most` rows were parsed, or all wanted words were found: the rest is not read.
    words : bytearray
        The words of the rows. This and the next two have their final size after `finish`.
    offsets : bytearray
        ``count + 1`` uint64: the start of each word in `words`, and the end of the last one.
    numbers : bytearray
        ``count * dim`` float32, row by row.
    """

    def __init__(
        self,
        Py_ssize_t dim,
        int64_t limit,
        int64_t start,
        str said,
        int64_t expected=0,
        int64_t most=-1,
        Vocabulary wanted=None,
    ):
        self.dim = dim
        self.limit = limit
        self.at = start
        self.said = said
        self.most = most
        self.wanted = wanted
        self.found = bytearray(0 if wanted is None else len(wanted))
        self._found = <uint8_t*>PyByteArray_AS_STRING(self.found)
        self.missing = len(self.found)
        self.done = most == 0 or (wanted is not None and self.missing == 0)
        self.words = bytearray()
        self.offsets = bytearray(8)
        self.numbers = bytearray()
        self._reserve(0, expected, expected * dim)

    def take(self, const uint8_t[::1] data not None, bint last):
        """Parse the complete rows in `data`.

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
            The data is not a row, or the file ends within one.
        """
        cdef Py_ssize_t size = data.shape[0]
        cdef Py_ssize_t used = 0
        cdef const uint8_t* start = &data[0] if size else NULL
        if size:
            # The shortest number takes two bytes with its space, the shortest row four.
            self._reserve(size, size // 4 + 1, size // 2 + 1)
            with nogil:
                used = self.take_rows(start, size, last)
            if self.problem != NO_PROBLEM:
                raise self._first_error(start)
        self.at += used
        self.check_end(start + used, size - used, last)
        return used

    cdef Py_ssize_t take_rows(
        self, const uint8_t* data, Py_ssize_t size, bint last
    ) noexcept nogil:
        """Parse the complete rows, and return how many bytes they take."""
        return 0

    cdef object problem_error(self, bytes text, int64_t offset):
        """Return the error for `problem`, which occurs at a text."""

    cdef int check_end(self, const uint8_t* rest, Py_ssize_t left, bint last) except -1:
        """Raise an error if the bytes that are left, or all rows so far, are wrong."""
        return 0

    cdef int _reserve(self, int64_t words, int64_t rows, int64_t numbers) except -1:
        """Allocate memory for more bytes of words, rows and numbers."""
        self._words = <uint8_t*>_grown(self.words, self.words_size + <uint64_t>words)
        self._offsets = <uint64_t*>_grown(self.offsets, 8 * <uint64_t>(self.count + rows + 1))
        self._numbers = <float*>_grown(
            self.numbers, 4 * (<uint64_t>(self.count * self.dim) + <uint64_t>numbers)
        )
        return 0

    cdef float* next_row(self) noexcept nogil:
        """Return where the numbers of the next row are written, before `keep`."""
        return self._numbers + self.count * self.dim

    cdef void keep(self, const uint8_t* word, const uint8_t* stop) noexcept nogil:
        """Add the word of the row whose numbers are in `next_row`, if it is wanted."""
        cdef size_t length = <size_t>(stop - word)
        cdef int32_t place
        self.rows += 1
        if self.rows == self.most:
            self.done = True
        if self.wanted is not None:
            place = self.wanted.find(word, length, hash_bytes(word, length))
            if place < 0 or self._found[place]:
                return
            self._found[place] = True
            self.missing -= 1
            if self.missing == 0:
                self.done = True
        memcpy(self._words + self.words_size, word, length)
        self.words_size += length
        self._offsets[self.count + 1] = self.words_size
        self.count += 1

    def finish(self):
        """Shrink the arrays to their final sizes."""
        _fit(self.words, self.words_size)
        _fit(self.offsets, 8 * <uint64_t>(self.count + 1))
        _fit(self.numbers, 4 * <uint64_t>(self.count * self.dim))

    def select(self, const uint8_t[::1] chosen not None):
        """Keep only some of the rows, after `finish`.

        Parameters
        ----------
        chosen : uint8 buffer, shape (count,)
            Nonzero for the rows to keep.
        """
        cdef Py_ssize_t width = 4 * self.dim
        cdef uint8_t* words = <uint8_t*>PyByteArray_AS_STRING(self.words)
        cdef uint64_t* offsets = <uint64_t*>PyByteArray_AS_STRING(self.offsets)
        cdef char* numbers = PyByteArray_AS_STRING(self.numbers)
        cdef int64_t i
        cdef int64_t kept = 0
        cdef uint64_t start, length
        cdef uint64_t stop = 0
        if chosen.shape[0] != self.count:
            raise ValueError(f"{chosen.shape[0]} flags for {self.count} rows")
        self.words_size = 0
        for i in range(self.count):
            start, stop = stop, offsets[i + 1]
            if chosen[i]:
                length = stop - start
                memmove(words + self.words_size, words + start, length)
                memmove(numbers + kept * width, numbers + i * width, <size_t>width)
                self.words_size += length
                kept += 1
                offsets[kept] = self.words_size
        self.count = kept
        self.finish()

    cdef bint fail(
        self, int problem, const uint8_t* start, const uint8_t* stop
    ) noexcept nogil:
        """Note the first problem and where it occurs; return False."""
        self.problem = problem
        self.wrong = start
        self.wrong_stop = stop
        return False

    cdef object error(self, int64_t offset, str reason):
        """Return an error about the next row."""
        return FormatError(f"row {self.rows + 1}", offset, reason)

    cdef object _first_error(self, const uint8_t* data):
        cdef bytes text = (<const char*>self.wrong)[: min(self.wrong_stop - self.wrong, SHOWN)]
        cdef int64_t offset = self.at + (self.wrong - data)
        if self.problem != TOO_MANY_ROWS:
            return self.problem_error(text, offset)
        return self.error(
            offset,
            f"there are more rows than the {self.limit} that {self.said}: open the file with "
            "strict=False (on the command line --no-strict) to read all of them, or with "
            f"max_words={self.limit} to read no more",
        )


def first_entries(Vocabulary vocabulary not None):
    """Return for each entry of a vocabulary 1 if no entry before it has its text, else 0.

    Returns
    -------
    bytearray
        One byte for each entry.
    """
    cdef int32_t size = <int32_t>len(vocabulary)
    cdef bytearray flags = bytearray(size)
    cdef bytearray seen = bytearray(size)
    cdef uint8_t* first = <uint8_t*>PyByteArray_AS_STRING(flags)
    cdef uint8_t* named = <uint8_t*>PyByteArray_AS_STRING(seen)
    cdef const uint8_t* text
    cdef size_t length = 0
    cdef int32_t i, last
    with nogil:
        for i in range(size):
            text = vocabulary.entry(i, &length)
            # Of entries with the same text this is always the last one.
            last = vocabulary.find(text, length, hash_bytes(text, length))
            if last >= 0 and not named[last]:
                named[last] = True
                first[i] = True
    return flags


cdef void* _grown(bytearray array, uint64_t size) except NULL:
    """Grow an array to at least a size, by a quarter or more, and return its bytes."""
    cdef uint64_t before = <uint64_t>len(array)
    if size > before:
        PyByteArray_Resize(array, <Py_ssize_t>max(size, before + before // 4))
    return PyByteArray_AS_STRING(array)


cdef int _fit(bytearray array, uint64_t size) except -1:
    PyByteArray_Resize(array, <Py_ssize_t>size)
    return 0
