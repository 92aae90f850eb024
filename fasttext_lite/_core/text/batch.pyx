"""Batches of words, as pointers into the objects that hold them."""

from itertools import islice

import numpy as np

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.unicode cimport PyUnicode_Check
from libc.stdint cimport uint8_t, uint32_t

from fasttext_lite._core.text.arrow cimport ArrowText, collect
from fasttext_lite._core.text.utf8 cimport (
    code_points,
    is_ascii,
    make_ready,
    point_count,
    utf8_size,
    width,
    write_utf8,
)
from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.texts import advice, is_missing, mended, text_option

cdef enum:
    # Words between two checks for signals.
    SIGNALS = 1 << 14

cdef const uint8_t* EMPTY = b""


cdef object readable(object word, str noun="word", bint replaces=False):
    """Return an object that holds the UTF-8 of a word: the word itself if it is ASCII or bytes.

    The C API of CPython would cache the UTF-8 in the str as long as this lives, so look-ups would
    double the memory of non-ASCII words.

    Lone surrogates in a str represent bytes that are not UTF-8 ("surrogateescape"), and are
    converted back to these bytes. `replaces` is ``errors="replace"``: halves of surrogate pairs
    become U+FFFD.
    """
    cdef Py_ssize_t needed
    cdef bytes text
    if PyUnicode_Check(word):
        make_ready(word)
        if is_ascii(word):
            return word
        needed = utf8_size(code_points(word), width(word), point_count(word))
        if needed < 0:
            if replaces:
                return mended(word)
            raise InputValueError(_refusal(noun, ord(word[-1 - needed]), -1 - needed))
        text = PyBytes_FromStringAndSize(NULL, needed)
        write_utf8(
            code_points(word), width(word), point_count(word), <uint8_t*>PyBytes_AS_STRING(text)
        )
        return text
    if isinstance(word, bytes):
        return word
    raise InputTypeError(f"a {noun} must be str or bytes, not {type(word).__name__}")


cdef str _refusal(str noun, uint32_t point, Py_ssize_t i):
    return (
        f"the {noun} holds U+{point:04X} at index {i}, which is not a character; the only lone "
        "surrogates allowed are those from errors='surrogateescape', U+DC80 to U+DCFF"
        + (": remove it, or pass errors='replace'" if noun == "text" else "")
    )


cdef Span span(object word):
    """Return the bytes of a `readable` object, which own them."""
    cdef Span found
    if PyUnicode_Check(word):
        found.text = <const uint8_t*>code_points(word)
        found.length = <size_t>point_count(word)
    else:
        found.text = <const uint8_t*>PyBytes_AS_STRING(word)
        found.length = <size_t>PyBytes_GET_SIZE(word)
    return found


cpdef bytes to_bytes(object word, str noun="word", bint replaces=False):
    """Return the bytes of a word or a text, as a model file holds them."""
    word = readable(word, noun, replaces)
    return word.encode() if isinstance(word, str) else word


cdef inline int _look_for_signals(Py_ssize_t i) except -1:
    """Check for signals once in `SIGNALS` calls."""
    if i & (SIGNALS - 1) == 0:
        PyErr_CheckSignals()
    return 0


cdef list _gather(source):
    """Return the items of an iterator, which other threads may change or exhaust meanwhile."""
    cdef list found = []
    cdef Py_ssize_t wanted = 0
    while len(found) == wanted:
        PyErr_CheckSignals()
        wanted += SIGNALS
        found.extend(islice(source, SIGNALS))
    return found


cdef class WordBatch:
    """Words gathered once with the GIL, which many threads can read without it.

    ASCII str, bytes, and arrays that hold UTF-8 are not copied. The UTF-8 of all other words is
    written into one buffer.

    Parameters
    ----------
    words : iterable of str or bytes, or array of strings
        An array may be a NumPy array, or one of any library with the Arrow C data interface (utf8,
        binary, their large forms and views).
    noun : str
        The name of an item in errors.
    missing, newlines, errors : str
        The options of texts, see `TextOptions`. Missing texts have no bytes. Newlines
        are left for the reader, which takes `spaces` into account.
    first : int
        The index of the first item, for errors.

    Raises
    ------
    InputTypeError
        `words` is a single word, is not iterable, or holds an item that is neither str nor bytes;
        the message gives its index.
    InputValueError
        A str cannot be encoded, an array holds nulls or is not one-dimensional, or an option is
        unknown.
    """

    def __cinit__(
        self,
        words,
        str noun="word",
        missing="raise",
        newlines="raise",
        errors="strict",
        Py_ssize_t first=0,
    ):
        self.first = first
        self.skips = text_option("missing", missing)
        self.spaces = text_option("newlines", newlines)
        self.replaces = text_option("errors", errors)
        if isinstance(words, (str, bytes)):
            raise InputTypeError(
                f"expected many {noun}s, got the single {type(words).__name__} {words!a:.60}; "
                "pass it in a list"
            )
        if isinstance(words, np.ndarray):
            if words.ndim != 1:
                raise InputValueError(
                    f"expected a one-dimensional array of {noun}s, not of shape {words.shape}"
                )
            if hasattr(words, "mask"):
                # Masked items become None.
                words = words.tolist()
            elif words.dtype.kind in "US" and words.itemsize:
                self._take_fixed_width(words, noun)
                return
            elif words.dtype.kind not in "USTO" and not self.skips:
                raise InputTypeError(
                    f"expected {noun}s, got an array of {words.dtype}"
                    + ("; if all are missing, pass missing='empty'" if noun == "text" else "")
                )
        elif hasattr(words, "__arrow_c_array__") or hasattr(words, "__arrow_c_stream__"):
            if self._take_arrow(words, noun):
                return
            if getattr(words, "ndim", 1) != 1:
                raise InputTypeError(f"expected {noun}s, got a {type(words).__name__}")
        try:
            source = iter(words)
        except TypeError:
            raise InputTypeError(
                f"expected an iterable of str or bytes, not {type(words).__name__}"
            ) from None
        self._take_list(_gather(source), noun)

    def __dealloc__(self):
        PyMem_Free(self.spans)
        PyMem_Free(self.arena)

    def __len__(self):
        return self.size

    def __iter__(self):
        """Yield the bytes of each word."""
        cdef Py_ssize_t i
        for i in range(self.size):
            yield self.word(i)

    cdef void _reserve(self, Py_ssize_t size) except *:
        self.size = size
        self.spans = <Span*>PyMem_Malloc(max(size, 1) * sizeof(Span))
        if self.spans == NULL:
            raise MemoryError

    cdef uint8_t* _make_arena(self, size_t size) except NULL:
        self.arena = <uint8_t*>PyMem_Malloc(max(size, <size_t>1))
        if self.arena == NULL:
            raise MemoryError
        return self.arena

    cdef str _place(self, str noun, Py_ssize_t i):
        return f"{noun}s[{self.first + i}]: "

    cdef void _take_list(self, list words, str noun) except *:
        cdef Py_ssize_t i
        cdef Py_ssize_t needed
        cdef size_t total = 0
        cdef uint8_t* out
        self.owners = words
        self._reserve(len(words))
        for i in range(self.size):
            _look_for_signals(i)
            word = words[i]
            if PyUnicode_Check(word):
                make_ready(word)
                if not is_ascii(word):
                    needed = utf8_size(code_points(word), width(word), point_count(word))
                    if needed >= 0:
                        self.spans[i].text = NULL
                        self.spans[i].length = <size_t>needed
                        total += self.spans[i].length
                        continue
                    if not self.replaces:
                        needed = -1 - needed
                        raise InputValueError(
                            self._place(noun, i) + _refusal(noun, ord(word[needed]), needed)
                        )
                    word = words[i] = mended(word)
            elif not isinstance(word, bytes):
                gap = is_missing(word)
                if not (gap and self.skips):
                    raise InputTypeError(
                        f"{self._place(noun, i)}a {noun} must be str or bytes, not "
                        f"{type(word).__name__}{': ' + advice(noun) if gap else ''}"
                    )
                self.spans[i].text = NULL
                self.spans[i].length = 0
                continue
            self.spans[i] = span(word)
        if total == 0:
            return
        out = self._make_arena(total)
        for i in range(self.size):
            _look_for_signals(i)
            if self.spans[i].text == NULL and self.spans[i].length:
                word = words[i]
                self.spans[i].text = out
                out = write_utf8(code_points(word), width(word), point_count(word), out)

    cdef void _take_fixed_width(self, object words, str noun) except *:
        """Read the words of a NumPy array of type U or S, which are padded with NUL."""
        cdef Py_ssize_t i, j, found
        cdef size_t total = 0
        cdef uint8_t* out
        cdef const uint32_t[:, ::1] points
        cdef const uint8_t[:, ::1] texts
        cdef Span* one
        cdef list others = []
        wide = words.dtype.kind == "U"
        words = np.ascontiguousarray(words, words.dtype.newbyteorder("="))
        self.owners = words, others
        self._reserve(len(words))
        if not self.size:
            return
        if not wide:
            texts = words.view(np.uint8).reshape(self.size, -1)
            for i in range(self.size):
                _look_for_signals(i)
                one = &self.spans[i]
                one.text = &texts[i, 0]
                one.length = <size_t>texts.shape[1]
                while one.length and one.text[one.length - 1] == 0:
                    one.length -= 1
            return
        points = words.view(np.uint32).reshape(self.size, -1)
        for i in range(self.size):
            _look_for_signals(i)
            one = &self.spans[i]
            one.length = <size_t>points.shape[1]
            while one.length and points[i, one.length - 1] == 0:
                one.length -= 1
            found = utf8_size(&points[i, 0], 4, <Py_ssize_t>one.length)
            one.text = NULL
            if found >= 0:
                total += <size_t>found
                continue
            found = -1 - found
            if not self.replaces:
                raise InputValueError(
                    self._place(noun, i) + _refusal(noun, points[i, found], found)
                )
            # Numbers above those of all characters are no characters either.
            word = mended(
                "".join([
                    chr(points[i, j] if points[i, j] <= 0x10FFFF else 0xFFFD)
                    for j in range(<Py_ssize_t>one.length)
                ])
            )
            others.append(word)
            self.spans[i] = span(word)
        out = self._make_arena(total)
        for i in range(self.size):
            _look_for_signals(i)
            one = &self.spans[i]
            if one.text != NULL:
                continue
            one.text = out
            out = write_utf8(&points[i, 0], 4, <Py_ssize_t>one.length, out)
            one.length = <size_t>(out - one.text)

    cdef bint _take_arrow(self, object words, str noun) except -1:
        """Read the arrays of an object, if it has some."""
        cdef ArrowText chunk
        cdef Py_ssize_t at = 0
        cdef Py_ssize_t i
        self.owners = collect(words, noun, self.skips)
        if self.owners is None:
            return False
        self._reserve(sum([len(chunk) for chunk in self.owners]))
        for chunk in self.owners:
            for i in range(chunk.size):
                _look_for_signals(i)
                if chunk.gaps and chunk.is_missing(i):
                    self.spans[at].text = NULL
                    self.spans[at].length = 0
                else:
                    self.spans[at].text = chunk.item(i, &self.spans[at].length)
                    if self.spans[at].text == NULL:
                        # An empty string, in an array of such.
                        self.spans[at].text = EMPTY
                at += 1
        return True

    cdef bytes word(self, Py_ssize_t i):
        """Return the bytes of a word."""
        return (<const char*>self.spans[i].text)[:self.spans[i].length]

    def present(self):
        """Return which words are not missing (bool, shape (n,)), or None if none is missing."""
        cdef Py_ssize_t i
        cdef uint8_t[::1] marks
        found = None
        for i in range(self.size):
            if self.spans[i].text == NULL:
                if found is None:
                    found = np.ones(self.size, np.bool_)
                    marks = found.view(np.uint8)
                marks[i] = 0
        return found

    def ranges(self, Py_ssize_t count, size_t size):
        """Divide the batch into consecutive ranges of at most `count` words.

        A range ends with the word that brings it to `size` bytes or more.

        Returns
        -------
        list of (int, int)
            The start and stop of each range.
        """
        cdef Py_ssize_t start = 0
        cdef Py_ssize_t i
        cdef size_t total = 0
        found = []
        for i in range(self.size):
            total += self.spans[i].length
            if i + 1 - start == count or total >= size or i + 1 == self.size:
                found.append((start, i + 1))
                start = i + 1
                total = 0
        return found
