"""The tokens of a line, looked up in the vocabulary."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.string cimport memcmp

import numpy as np

from fasttext_lite._core.text.batch cimport Span, WordBatch
from fasttext_lite._core.text.lock cimport busy
from fasttext_lite._core.lookup.subwords cimport hash_basis, hash_bytes, hash_step
from fasttext_lite._core.lookup.vocabulary cimport Vocabulary

from fasttext_lite.errors import InputValueError, NotANumberError

cdef enum:
    # Up to this length a text takes less time than handing the lock to another thread, and up to
    # this one less than some milliseconds.
    SHORT = 256
    MEDIUM = 1 << 15

cdef uint32_t END_HASH = hash_bytes(END, 4)


cdef inline bint _separates(uint8_t byte) noexcept nogil:
    return byte <= 32 and (
        byte == c" " or 9 <= byte <= 13 or byte == 0
    )


cdef bint is_long(size_t length) noexcept nogil:
    """Return whether to give up the interpreter's lock for one text of this length."""
    return length > MEDIUM or (length > SHORT and not busy())


cdef object failure(Status status, Py_ssize_t i):
    """Return the exception for a text that failed; `i` is its index, or -1 for a single text."""
    where = f"texts[{i}]: " if i >= 0 else ""
    if status == NO_MEMORY:
        return MemoryError()
    if status == NEWLINE:
        return InputValueError(
            f"{where}a text is one line and must not hold a newline: split it, replace '\\n', or "
            "pass newlines='space'"
        )
    return NotANumberError(
        f"{where}encountered NaN: the model holds NaN, so this text has no prediction"
    )


cdef class Tokenizer:
    """Splits lines as the official program does for a supervised model, and looks up their tokens.

    Parameters
    ----------
    vocabulary : Vocabulary
    label_prefix : bytes
        An unknown token that begins with it is a label.
    ends : bool
        Whether to add the end token to a line that does not hold it.
    """

    def __cinit__(
        self, Vocabulary vocabulary not None, bytes label_prefix not None, bint ends=True
    ):
        self.vocabulary = vocabulary
        self.ends = ends
        self.label_prefix = label_prefix
        self.prefix = label_prefix
        self.prefix_length = <size_t>len(label_prefix)

    cdef bint next(self, Span* line, Token* token) noexcept nogil:
        """Move to the next token of a line; False after the last one.

        A walk begins with a `Token` that `begin` has cleared. The last token is the end token. If
        it is not in the bytes of the line, `line` is set to bytes that hold it.
        """
        cdef size_t at = token.stop
        cdef uint32_t h = hash_basis()
        cdef size_t size
        if token.is_end:
            return False
        while at < line.length and _separates(line.text[at]):
            at += 1
        if at == line.length:
            if not self.ends:
                return False
            line.text = END
            line.length = 4
            at = 0
        token.start = at
        while at < line.length and not _separates(line.text[at]):
            h = hash_step(h, line.text[at])
            at += 1
        size = at - token.start
        token.stop = at
        token.hash = h
        token.entry = self.vocabulary.find(line.text + token.start, size, h)
        token.is_end = (
            h == END_HASH and size == 4 and memcmp(line.text + token.start, END, 4) == 0
        )
        if token.entry >= 0:
            token.is_label = token.entry >= self.vocabulary.word_count
        else:
            token.is_label = size >= self.prefix_length and (
                memcmp(line.text + token.start, self.prefix, self.prefix_length) == 0
            )
        return True

    cdef int64_t take_labels(self, Span line, int32_t* ids) noexcept nogil:
        """Count the known labels of a line, and write their ids unless `ids` is NULL."""
        cdef Token token
        cdef int64_t count = 0
        begin(&token)
        while self.next(&line, &token):
            if token.is_label and token.entry >= 0 and not token.is_end:
                if ids != NULL:
                    ids[count] = token.entry - self.vocabulary.word_count
                count += 1
        return count

    def labels(self, WordBatch lines not None):
        """Return the number of known labels of each line (int64), and all their ids (int32)."""
        counts = np.empty(lines.size, np.int64)
        cdef int64_t[::1] found = counts
        cdef int32_t[::1] out
        cdef int64_t at = 0
        cdef Py_ssize_t i
        with nogil:
            for i in range(lines.size):
                found[i] = self.take_labels(lines.spans[i], NULL)
        ids = np.empty(counts.sum(), np.int32)
        out = ids
        with nogil:
            for i in range(lines.size):
                if found[i]:
                    at += self.take_labels(lines.spans[i], &out[at])
        return counts, ids

    def split(self, bytes text not None, str errors not None):
        """Return the words of a line, up to the end token, and its known labels: lists of str."""
        cdef Span line
        cdef Token token
        cdef list words = []
        cdef list labels = []
        cdef list kind
        line.text = text
        line.length = <size_t>len(text)
        begin(&token)
        while self.next(&line, &token):
            if not token.is_label or token.entry >= 0:
                kind = labels if token.is_label else words
                kind.append(
                    (<const char*>line.text)[token.start:token.stop].decode("utf-8", errors)
                )
        return words, labels
