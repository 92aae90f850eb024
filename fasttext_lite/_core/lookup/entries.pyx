"""The words and labels of a model, left in the bytes of its file."""

from array import array

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcpy

from fasttext_lite.errors import FormatError, InputValueError


cdef class Entries:
    """Words, then labels: their bytes and how often each occurred.

    Attributes
    ----------
    word_count, label_count : int
    """

    def __cinit__(self):
        self.stored_counts = None

    def __dealloc__(self):
        free(self.own_offsets)

    def __len__(self):
        return self.word_count + self.label_count

    @staticmethod
    def skip(const uint8_t[::1] text not None, Py_ssize_t at, int64_t count):
        """Pass the entries of a dictionary that begin at `at`, at most `count` of them.

        Returns
        -------
        int, int
            How many are whole in the text, and where the next one begins.
        """
        cdef Py_ssize_t size = text.shape[0]
        cdef const uint8_t* nul
        cdef int64_t done = 0
        while done < count and at < size:
            nul = <const uint8_t*>memchr(&text[at], 0, <size_t>(size - at))
            if nul == NULL or nul - &text[0] + TAIL > size:
                break
            at = nul - &text[0] + TAIL
            done += 1
        return done, at

    cdef const uint8_t* entry(self, int32_t i, size_t* length) noexcept nogil:
        """The text of an entry."""
        cdef uint64_t start = self.offsets[i]
        cdef uint64_t stop = self.offsets[i + 1]
        if stop > self.text_size or start + self.gap > stop:
            length[0] = 0
            return self.base
        length[0] = stop - self.gap - start
        return self.base + start

    def pack(self, const int32_t[::1] ids not None):
        """Copy entries: their texts end to end, their offsets there, and their counts.

        Parameters
        ----------
        ids : int32 buffer
            Within the vocabulary, each but once.

        Returns
        -------
        text : bytes
        offsets : array of uint64, one more than there are ids
        counts : array of int64

        Raises
        ------
        InputValueError
            There is no such entry.
        FormatError
            Entries overlap: together they would be longer than what they stand in.
        """
        cdef Py_ssize_t i
        cdef size_t length = 0
        cdef size_t total = 0
        cdef const uint8_t* word
        offsets = array("Q", bytes(8 * (ids.shape[0] + 1)))
        counts = array("q", bytes(8 * ids.shape[0]))
        cdef uint64_t[::1] ends = offsets
        cdef int64_t[::1] counted = counts
        for i in range(ids.shape[0]):
            if not 0 <= ids[i] < self.word_count + self.label_count:
                raise InputValueError(f"there is no entry {ids[i]}")
            self.entry(ids[i], &length)
            total += length
            if total > self.text_size:
                raise FormatError(
                    "vocabulary.offsets",
                    0,
                    f"the entries of the vocabulary overlap up to number {ids[i]}: the file is "
                    "damaged; convert the original again",
                )
            ends[i + 1] = total
            counted[i] = self.count(ids[i])
        cdef bytes text = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>total)
        cdef char* out = PyBytes_AS_STRING(text)
        for i in range(ids.shape[0]):
            word = self.entry(ids[i], &length)
            memcpy(out + ends[i], word, length)
        return text, offsets, counts

    cdef int64_t count(self, int32_t i) noexcept:
        cdef int64_t found
        if self.stored_counts is not None:
            return self.stored_counts[i]
        memcpy(&found, self.base + self.offsets[i + 1] - TAIL + 1, 8)
        return found

    def bytes(self, int32_t i):
        """The bytes of entry `i`; the caller has checked that there is one."""
        cdef size_t length = 0
        cdef const uint8_t* text = self.entry(i, &length)
        return (<const char*>text)[:length]

    def counts(self, int32_t start, int32_t stop):
        """How often each entry of a range occurred in training, as an ``array`` of int64."""
        counts = array("q", bytes(8 * max(stop - start, 0)))
        cdef int64_t[::1] out = counts
        cdef int32_t i
        for i in range(start, stop):
            out[i - start] = self.count(i)
        return counts
