"""Sentence vectors of models without labels: the mean of the word vectors, each of length one."""

import numpy as np

from libc.math cimport sqrtf
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memset

from fasttext_lite._core.text.batch cimport Span, WordBatch, readable, span
from fasttext_lite._core.kernels.cpu cimport FTL_F32, add_scaled_f32, row_kernels, scale_f32
from fasttext_lite._core.lookup.embed cimport Embedder
from fasttext_lite._core.labels.tokens cimport DONE, NEWLINE, NO_MEMORY, Status, failure

from fasttext_lite.errors import InputValueError

cdef enum:
    # Words whose vectors are made together.
    WORDS = 32


cdef inline bint _is_space(uint8_t byte) noexcept nogil:
    # isspace of C; other than in a supervised model NUL is a part of a word.
    return byte == c" " or 9 <= byte <= 13


cdef class SentenceEmbedder:
    """Turns texts into vectors by the rules of a model without labels.

    Parameters
    ----------
    embedder : Embedder
    """

    cdef readonly Embedder embedder

    def __cinit__(self, Embedder embedder not None):
        self.embedder = embedder

    cdef Status _mean(self, Span text, float* vectors, float* out) noexcept nogil:
        """Write the vector of a text; `vectors` has room for those of `WORDS` words."""
        cdef Span words[WORDS]
        cdef size_t dim = self.embedder.dim
        cdef size_t at = 0
        cdef size_t start
        cdef Py_ssize_t count = 1
        cdef Py_ssize_t done, made, i
        cdef Py_ssize_t total = 0
        cdef bint unknown
        cdef float* vector
        cdef float norm
        memset(out, 0, dim * sizeof(float))
        if memchr(text.text, c"\n", text.length) != NULL:
            return NEWLINE
        while count:
            count = 0
            while count < WORDS:
                while at < text.length and _is_space(text.text[at]):
                    at += 1
                start = at
                while at < text.length and not _is_space(text.text[at]):
                    at += 1
                if at == start:
                    break
                words[count].text = text.text + start
                words[count].length = at - start
                count += 1
            done = 0
            while done < count:
                unknown = False
                made = self.embedder.embed(words + done, count - done, vectors, &unknown)
                for i in range(made):
                    vector = vectors + <size_t>i * dim
                    norm = sqrtf(row_kernels.dot[FTL_F32](<const uint8_t*>vector, dim, vector))
                    if norm > 0:
                        add_scaled_f32(vector, dim, <float>(1.0 / <double>norm), out)
                        total += 1
                done += made
                # A word without a vector is left out, as one without n-grams is.
                if unknown:
                    done += 1
                elif done < count:
                    return NO_MEMORY
        if total:
            scale_f32(out, dim, <float>(1.0 / <double>total))
        return DONE

    cdef Py_ssize_t _means(
        self, const Span* texts, Py_ssize_t count, float* out, Status* status
    ) noexcept nogil:
        """Write the vectors of many texts; the number that was done before one failed."""
        cdef size_t dim = self.embedder.dim
        cdef Py_ssize_t done = 0
        cdef float* vectors = <float*>malloc(WORDS * dim * sizeof(float))
        status[0] = NO_MEMORY if vectors == NULL else DONE
        while status[0] == DONE and done < count:
            status[0] = self._mean(texts[done], vectors, out + <size_t>done * dim)
            done += status[0] == DONE
        free(vectors)
        return done

    def vector(self, text):
        """The vector of one text: a fresh float32 array of shape (dim,)."""
        text = readable(text, "text")
        cdef Span found = span(text)
        cdef Status status
        array = np.empty(self.embedder.rows.dim, np.float32)
        cdef float[::1] out = array
        with nogil:
            self._means(&found, 1, &out[0], &status)
        if status != DONE:
            raise failure(status, -1)
        return array

    def fill(
        self, WordBatch texts not None, Py_ssize_t start, Py_ssize_t stop, float[:, ::1] out not None
    ):
        """Write the vectors of ``texts[start:stop]`` into the same rows of `out`."""
        cdef Py_ssize_t done
        cdef Status status
        if not 0 <= start <= stop <= texts.size or out.shape[0] != texts.size or (
            out.shape[1] != self.embedder.rows.dim
        ):
            raise InputValueError("the range or the output does not fit the texts")
        if start == stop:
            return
        with nogil:
            done = self._means(texts.spans + start, stop - start, &out[start, 0], &status)
        if status != DONE:
            raise failure(status, start + done)
