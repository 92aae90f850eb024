"""Sentence vectors as means of word vectors: normalised ones, or weighted ones."""

import numpy as np

from libc.math cimport sqrtf
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memset

from fasttext_lite._core.text.batch cimport Span, WordBatch, readable, span
from fasttext_lite._core.text.lock cimport Away, come_back, leave
from fasttext_lite._core.kernels.cpu cimport add_scaled_f32, scale_f32
from fasttext_lite._core.lookup.embed cimport Embedder
from fasttext_lite._core.lookup.subwords cimport Pieces, end_pieces
from fasttext_lite._core.labels.tokens cimport DONE, NEWLINE, NO_MEMORY, Status, failure, is_long

from fasttext_lite.errors import InputValueError
from fasttext_lite.texts import text_option

cdef enum:
    # Words whose vectors are computed together.
    WORDS = 32
    # Vectors whose norms are computed together.
    NORMS = 8


cdef inline bint _is_space(uint8_t byte) noexcept nogil:
    # isspace of C. Unlike in a supervised model, NUL is part of a word.
    return byte == c" " or 9 <= byte <= 13


cdef inline bint _next_word(Span text, size_t* at, Span* word) noexcept nogil:
    """Move to the next word of a text; False after the last one."""
    cdef size_t start
    while at[0] < text.length and _is_space(text.text[at[0]]):
        at[0] += 1
    start = at[0]
    while at[0] < text.length and not _is_space(text.text[at[0]]):
        at[0] += 1
    word.text = text.text + start
    word.length = at[0] - start
    return at[0] > start


cdef void _norms(const float* vectors, size_t dim, size_t count, float* out) noexcept nogil:
    """Write the L2 norms of vectors with the official bits: float32 sums, column by column.

    Each addition of a sum waits for the previous one, so several vectors are summed at a time.
    `out` has room for `count` + NORMS numbers.
    """
    cdef const float* rows[NORMS]
    cdef float sums[NORMS]
    cdef size_t start = 0
    cdef size_t j
    cdef int k
    while start < count:
        for k in range(NORMS):
            rows[k] = vectors + min(start + <size_t>k, count - 1) * dim
            sums[k] = 0
        for j in range(dim):
            for k in range(NORMS):
                sums[k] += rows[k][j] * rows[k][j]
        for k in range(NORMS):
            out[start + <size_t>k] = sqrtf(sums[k])
        start += NORMS


cdef class SentenceEmbedder:
    """Computes the vectors of texts, as means of word vectors.

    Without weights the vectors are those of the official program for a model without labels: each
    word vector is divided by its L2 norm, and words without a vector or with a zero vector are left
    out.

    Parameters
    ----------
    embedder : Embedder
    weights : float32 buffer, shape (words,), optional
        Factors of the vectors of known words, in place of the division by norms; vectors of
        unknown words have the factor 1. All words with a vector count.
    """

    cdef readonly Embedder embedder
    cdef const float[::1] weights

    def __cinit__(self, Embedder embedder not None, const float[::1] weights=None):
        if weights is not None and weights.shape[0] != embedder.vocabulary.word_count:
            raise InputValueError("the weights do not fit the words")
        self.embedder = embedder
        self.weights = weights

    cdef float _weight(self, Span word) noexcept nogil:
        cdef int32_t i = self.embedder._id(word)
        return self.weights[i] if 0 <= i < self.embedder.vocabulary.word_count else 1

    cdef Py_ssize_t _add(
        self, const Span* words, const float* vectors, size_t count, float* out
    ) noexcept nogil:
        """Add the vectors of words to `out`, and return the number of words that count."""
        cdef float norms[WORDS + NORMS]
        cdef size_t dim = self.embedder.dim
        cdef Py_ssize_t added = 0
        cdef float scale
        cdef size_t i
        if self.weights is None:
            _norms(vectors, dim, count, norms)
        for i in range(count):
            if self.weights is not None:
                scale = self._weight(words[i])
            elif norms[i] > 0:
                scale = <float>(1.0 / <double>norms[i])
            else:
                continue
            add_scaled_f32(vectors + i * dim, dim, scale, out)
            added += 1
        return added

    cdef Status _mean(
        self, Span text, bint spaces, float* vectors, float* out
    ) noexcept nogil:
        """Write the vector of a text, zeros if it is missing.

        `spaces` allows newlines; `vectors` has room for those of `WORDS` words.
        """
        cdef Span words[WORDS]
        cdef size_t dim = self.embedder.dim
        cdef size_t at = 0
        cdef Py_ssize_t count = 1
        cdef Py_ssize_t done, made
        cdef Py_ssize_t total = 0
        cdef bint unknown
        memset(out, 0, dim * sizeof(float))
        if text.text == NULL:
            return DONE
        if not spaces and memchr(text.text, c"\n", text.length) != NULL:
            return NEWLINE
        while count:
            count = 0
            while count < WORDS and _next_word(text, &at, &words[count]):
                count += 1
            done = 0
            while done < count:
                unknown = False
                made = self.embedder.embed(words + done, count - done, vectors, &unknown)
                total += self._add(words + done, vectors, <size_t>made, out)
                done += made
                # A word without a vector is left out.
                if unknown:
                    done += 1
                elif done < count:
                    return NO_MEMORY
        if total:
            scale_f32(out, dim, <float>(1.0 / <double>total))
        return DONE

    cdef Py_ssize_t _means(
        self, const Span* texts, Py_ssize_t count, bint spaces, float* out, Status* status
    ) noexcept nogil:
        """Write the vectors of texts, and return the number written before a failure."""
        cdef size_t dim = self.embedder.dim
        cdef Py_ssize_t done = 0
        cdef float* vectors = <float*>malloc(WORDS * dim * sizeof(float))
        status[0] = NO_MEMORY if vectors == NULL else DONE
        while status[0] == DONE and done < count:
            status[0] = self._mean(texts[done], spaces, vectors, out + <size_t>done * dim)
            done += status[0] == DONE
        free(vectors)
        return done

    def vector(self, text, newlines="raise", errors="strict"):
        """Return the vector of one text as a new array: float32, shape (dim,)."""
        cdef bint spaces = text_option("newlines", newlines)
        text = readable(text, "text", text_option("errors", errors))
        cdef Span found = span(text)
        cdef Status status
        array = np.empty(self.embedder.rows.dim, np.float32)
        cdef float[::1] out = array
        cdef Away away = leave(is_long(found.length))
        self._means(&found, 1, spaces, &out[0], &status)
        come_back(away)
        if status != DONE:
            raise failure(status, -1)
        return array

    def fill(
        self, WordBatch texts not None, Py_ssize_t start, Py_ssize_t stop, float[:, ::1] out not None
    ):
        """Write the vectors of ``texts[start:stop]`` into the same rows of `out`."""
        cdef Py_ssize_t done
        cdef Status status
        cdef Away away
        if not 0 <= start <= stop <= texts.size or out.shape[0] != texts.size or (
            out.shape[1] != self.embedder.rows.dim
        ):
            raise InputValueError("the range or the output does not fit the texts")
        if start == stop:
            return
        away = leave(True)
        done = self._means(
            texts.spans + start, stop - start, texts.spaces, &out[start, 0], &status
        )
        come_back(away)
        if status != DONE:
            raise failure(status, texts.first + start + done)

    def count(
        self,
        WordBatch texts not None,
        Py_ssize_t start,
        Py_ssize_t stop,
        int64_t[::1] known not None,
        int64_t[::1] features not None,
    ):
        """Count the known words of ``texts[start:stop]``, and their rows and those of n-grams.

        Parameters
        ----------
        texts : WordBatch
        start, stop : int
        known, features : int64 buffer, shape (texts,)
            The numbers of known words, and of rows. A stored vector counts as one row.
        """
        cdef Status status = DONE
        cdef Py_ssize_t i = start
        if not 0 <= start <= stop <= texts.size or known.shape[0] != texts.size or (
            features.shape[0] != texts.size
        ):
            raise InputValueError("the range or the output does not fit the texts")
        with nogil:
            while i < stop:
                status = self._count(texts.spans[i], texts.spaces, &known[i], &features[i])
                if status != DONE:
                    break
                i += 1
        if status != DONE:
            raise failure(status, texts.first + i)

    cdef Status _count(
        self, Span text, bint spaces, int64_t* known, int64_t* features
    ) noexcept nogil:
        cdef Pieces pieces
        cdef Span word
        cdef size_t at = 0
        cdef int32_t i
        known[0] = features[0] = 0
        if text.text == NULL:
            return DONE
        if not spaces and memchr(text.text, c"\n", text.length) != NULL:
            return NEWLINE
        while _next_word(text, &at, &word):
            i = self.embedder._id(word)
            known[0] += 0 <= i < self.embedder.vocabulary.word_count
            if self.embedder._has_vector(i):
                features[0] += 1
            elif not self.embedder._lacks(i):
                if not self.embedder.subwords.begin_pieces(
                    &pieces, word.text, word.length, self.embedder._row(i)
                ):
                    return NO_MEMORY
                while self.embedder.subwords.next_piece(&pieces):
                    features[0] += <int64_t>pieces.count
                end_pieces(&pieces)
        return DONE
