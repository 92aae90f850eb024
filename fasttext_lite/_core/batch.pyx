"""The words of a call, as pointers into the objects that hold them."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.unicode cimport PyUnicode_Check
from libc.stdint cimport uint8_t

from fasttext_lite.errors import InputTypeError, InputValueError

cdef enum:
    # Words that are gathered before a signal is looked for.
    SIGNALS = 1 << 14

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL


cdef object readable(object word, str noun="word"):
    """An object that holds the UTF-8 of a word: the word itself wherever CPython can lend it.

    Bytes that are no UTF-8 come in a str as lone surrogates ("surrogateescape") and leave it as
    the bytes that they were.
    """
    cdef Py_ssize_t size
    if PyUnicode_Check(word):
        try:
            PyUnicode_AsUTF8AndSize(word, &size)
        except UnicodeEncodeError:
            try:
                return word.encode("utf-8", "surrogateescape")
            except UnicodeEncodeError as error:
                raise InputValueError(
                    f"the {noun} {word!a:.60} holds a lone surrogate at index {error.start}; "
                    "only those made by errors='surrogateescape' stand for bytes"
                ) from None
        return word
    if isinstance(word, bytes):
        return word
    raise InputTypeError(f"a {noun} must be str or bytes, not {type(word).__name__}")


cdef Span span(object word):
    """Where the bytes of a `readable` object are; they live as long as it does."""
    cdef Span found
    cdef Py_ssize_t size = 0
    if PyUnicode_Check(word):
        found.text = <const uint8_t*>PyUnicode_AsUTF8AndSize(word, &size)
        found.length = <size_t>size
    else:
        found.text = <const uint8_t*>PyBytes_AS_STRING(word)
        found.length = <size_t>PyBytes_GET_SIZE(word)
    return found


cpdef bytes encode(object word):
    """The bytes of a word, as they stand in a model file."""
    word = readable(word)
    return word.encode() if isinstance(word, str) else word


cdef class WordBatch:
    """Words gathered once under the GIL, to be read by many threads without it.

    Parameters
    ----------
    words : iterable of str or bytes
    noun : str
        What errors call each of them.

    Raises
    ------
    InputTypeError
        `words` is a single word, is not iterable, or holds something else than words; the
        message names the place.
    InputValueError
        A str cannot be encoded.
    """

    def __cinit__(self, words, str noun="word"):
        cdef Py_ssize_t i
        if isinstance(words, (str, bytes)):
            raise InputTypeError(
                f"expected many {noun}s, got the single {type(words).__name__} {words!a:.60}; "
                "put it into a list"
            )
        try:
            self.owners = list(words)
        except TypeError:
            raise InputTypeError(
                f"expected an iterable of str or bytes, not {type(words).__name__}"
            ) from None
        self.size = len(self.owners)
        self.spans = <Span*>PyMem_Malloc(max(self.size, 1) * sizeof(Span))
        if self.spans == NULL:
            raise MemoryError
        for i in range(self.size):
            if i & (SIGNALS - 1) == 0:
                PyErr_CheckSignals()
            try:
                self.owners[i] = readable(self.owners[i], noun)
            except (InputTypeError, InputValueError) as error:
                raise type(error)(f"{noun}s[{i}]: {error}") from None
            self.spans[i] = span(self.owners[i])

    def __dealloc__(self):
        PyMem_Free(self.spans)

    def __len__(self):
        return self.size

    def ranges(self, Py_ssize_t count, size_t size):
        """Cut it into consecutive ranges of at most `count` words.

        A range ends with the word by which it reaches `size` bytes.

        Returns
        -------
        list of (int, int)
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
