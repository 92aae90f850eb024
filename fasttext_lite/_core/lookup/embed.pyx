"""Words to vectors: look-up, n-grams, and the mean of the rows."""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memset

from fasttext_lite._core.lookup.arrays cimport empty, numbers
from fasttext_lite._core.text.batch cimport Span, WordBatch, encode, readable, span
from fasttext_lite._core.kernels.cpu cimport scale_f32
from fasttext_lite._core.lookup.rows cimport Rows
from fasttext_lite._core.lookup.subwords cimport Subwords, Walk, bracket, hash_bytes
from fasttext_lite._core.lookup.vocabulary cimport Vocabulary

from fasttext_lite.errors import InputValueError, UnknownWordError

cdef enum:
    # Row ids gathered before any row is read, so that rows are fetched ahead across words.
    GATHER = 1024
    # Words whose ids are gathered together.
    WORDS = 32
    # Bytes of "<word>" that need no memory of their own.
    SHORT = 256


@cython.final
cdef class Embedder:
    """Gives any word its vector.

    That of a known word is the mean of its own row and those of its n-grams, or stands in
    `vectors` already; that of an unknown word is the mean of its n-grams.

    Parameters
    ----------
    vocabulary : Vocabulary
    subwords : Subwords
    rows : Rows
        One row a word, then one a bucket (or one a bucket that pruning kept); with `vectors` those
        of the buckets alone.
    vectors : Rows, optional
        The vectors of the words.
    closed : bool
        Unknown words have no vector: there are no n-grams to make one from.
    """

    def __cinit__(
        self,
        Vocabulary vocabulary not None,
        Subwords subwords not None,
        Rows rows not None,
        Rows vectors=None,
        bint closed=False,
    ):
        if vectors is None:
            if subwords.first_row != vocabulary.word_count:
                raise InputValueError("the first subword row must follow the last word")
        elif subwords.first_row or vectors.dim != rows.dim or (
            vectors.count != vocabulary.word_count
        ):
            raise InputValueError("the vectors of the words do not fit the vocabulary or the rows")
        self.vocabulary = vocabulary
        self.subwords = subwords
        self.rows = rows
        self.vectors = vectors
        self.closed = closed
        self.dim = <size_t>rows.dim

    cdef int32_t _id(self, Span word) noexcept nogil:
        return self.vocabulary.find(word.text, word.length, hash_bytes(word.text, word.length))

    cdef bint _has_vector(self, int32_t i) noexcept nogil:
        return self.vectors is not None and 0 <= i < self.vocabulary.word_count

    cdef int64_t _row(self, int32_t i) noexcept nogil:
        """The row that an entry has by itself, or -1.

        A label has the row of the bucket at its id, as in the official program, where the matrix
        reaches that far.
        """
        cdef int64_t row = i
        if i >= 0 and self.vectors is not None:
            row -= self.vocabulary.word_count
        return row if 0 <= row < self.rows.count else -1

    cdef bint _lacks(self, int32_t i) noexcept nogil:
        """Whether the model has no vector for what has this id, which is no word's."""
        return self.closed and not 0 <= i < self.vocabulary.word_count

    cdef bint _embed_long(self, Span word, int32_t i, float* out) noexcept nogil:
        """One word of any length, whose id is `i`; False where there is no memory."""
        cdef uint8_t buffer[SHORT]
        cdef int64_t ids[GATHER]
        cdef Walk walk
        cdef size_t gathered = 0
        cdef size_t total = 0
        cdef uint8_t* text
        if self._has_vector(i):
            self.vectors.copy(i, out)
            return True
        text = bracket(word.text, word.length, buffer, SHORT)
        if text == NULL:
            return False
        memset(out, 0, self.dim * sizeof(float))
        ids[0] = self._row(i)
        if ids[0] >= 0:
            gathered = 1
        self.subwords.begin(&walk, text, word.length + 2)
        while True:
            gathered += self.subwords.take_rows(&walk, ids + gathered, GATHER - gathered)
            self.rows.add(ids, gathered, 0, out)
            total += gathered
            if gathered < GATHER:
                break
            gathered = 0
        if text != buffer:
            free(text)
        if total:
            scale_f32(out, self.dim, <float>(1.0 / <double>total))
        return True

    cdef Py_ssize_t embed(
        self, const Span* words, Py_ssize_t count, float* out, bint* unknown
    ) noexcept nogil:
        """Many words; the number that was done.

        Less than `count` where memory ran out or, with `unknown` set, the next has no vector.
        """
        cdef uint8_t buffer[SHORT]
        cdef int64_t ids[GATHER]
        cdef size_t ends[WORDS]
        cdef int32_t known[WORDS]
        cdef Walk walk
        cdef Py_ssize_t done = 0
        cdef Py_ssize_t most, block, i
        cdef size_t gathered, begun, found
        cdef Span word
        cdef float* vector
        while done < count:
            # First the ids of some words, whose rows are fetched meanwhile or by the sums ahead.
            most = min(count - done, <Py_ssize_t>WORDS)
            self.vocabulary.find_many(words + done, most, known)
            block = 0
            gathered = 0
            while block < most:
                word = words[done + block]
                if self._lacks(known[block]):
                    break
                if self._has_vector(known[block]):
                    self.vectors.fetch(known[block])
                elif word.length + 2 <= SHORT:
                    begun = gathered
                    ids[gathered] = self._row(known[block])
                    if ids[gathered] >= 0:
                        gathered += 1
                    bracket(word.text, word.length, buffer, SHORT)
                    self.subwords.begin(&walk, buffer, word.length + 2)
                    gathered += self.subwords.take_rows(&walk, ids + gathered, GATHER - gathered)
                    if gathered == GATHER:
                        # It may have more: it begins the next block, or is long.
                        gathered = begun
                        break
                else:
                    break
                ends[block] = gathered
                block += 1
            if block == 0:
                if self._lacks(known[0]):
                    unknown[0] = True
                    return done
                if not self._embed_long(words[done], known[0], out + <size_t>done * self.dim):
                    return done
                done += 1
                continue
            begun = 0
            for i in range(block):
                vector = out + <size_t>(done + i) * self.dim
                if self._has_vector(known[i]):
                    self.vectors.copy(known[i], vector)
                    continue
                memset(vector, 0, self.dim * sizeof(float))
                found = ends[i] - begun
                self.rows.add(ids + begun, found, gathered - ends[i], vector)
                if found:
                    scale_f32(vector, self.dim, <float>(1.0 / <double>found))
                begun = ends[i]
            done += block
        return done

    cpdef object vector(self, word):
        """The vector of one word: a fresh float32 array of shape (dim,).

        Raises
        ------
        UnknownWordError
            The model is closed and does not know the word.
        """
        word = readable(word)
        cdef Span text = span(word)
        cdef uint32_t h = hash_bytes(text.text, text.length)
        cdef int32_t i
        cdef bint done = True
        cdef float* out
        # What the look-up reads first comes while the array is made.
        self.vocabulary.fetch(h)
        array = empty(self.rows.dim)
        out = numbers(array)
        i = self.vocabulary.guess(h)
        if self._has_vector(i):
            self.vectors.fetch(i)
        i = self.vocabulary.find(text.text, text.length, h)
        if self._has_vector(i):
            self.vectors.copy(i, out)
            return array
        if self._lacks(i):
            raise unknown_word(word)
        with nogil:
            done = self._embed_long(text, i, out)
        if not done:
            raise MemoryError
        return array

    def fill(
        self, WordBatch words not None, Py_ssize_t start, Py_ssize_t stop, float[:, ::1] out not None
    ):
        """Write the vectors of ``words[start:stop]`` into the same rows of `out`.

        Raises
        ------
        UnknownWordError
            The model is closed and does not know one of them.
        """
        cdef Py_ssize_t done
        cdef bint unknown = False
        if not 0 <= start <= stop <= words.size or out.shape[0] != words.size or (
            out.shape[1] != self.rows.dim
        ):
            raise InputValueError("the range or the output does not fit the words")
        if start == stop:
            return
        with nogil:
            done = self.embed(words.spans + start, stop - start, &out[start, 0], &unknown)
        if unknown:
            raise unknown_word(words.word(start + done))
        if done < stop - start:
            raise MemoryError

    def fill_entries(self, const int32_t[::1] ids not None, float[:, ::1] out not None):
        """Write the vectors of words or labels by their ids into the rows of `out`.

        Raises
        ------
        UnknownWordError
            The model is closed, and one of them is a label.
        """
        cdef Span words[WORDS]
        cdef Py_ssize_t count = ids.shape[0]
        cdef Py_ssize_t at = 0
        cdef Py_ssize_t i, block, done
        cdef bint unknown = False
        if out.shape[0] != count or out.shape[1] != self.rows.dim:
            raise InputValueError("the output does not fit the ids")
        for i in range(count):
            if not 0 <= ids[i] < self.vocabulary.word_count + self.vocabulary.label_count:
                raise InputValueError(f"there is no entry {ids[i]}")
        with nogil:
            while at < count:
                if self._has_vector(ids[at]):
                    self.vectors.copy(ids[at], &out[at, 0])
                    at += 1
                    continue
                block = min(count - at, <Py_ssize_t>WORDS)
                for i in range(block):
                    words[i].text = self.vocabulary.entry(ids[at + i], &words[i].length)
                done = self.embed(words, block, &out[at, 0], &unknown)
                at += done
                if done < block:
                    break
        if unknown:
            raise unknown_word(self.vocabulary.bytes(ids[at]))
        if at < count:
            raise MemoryError

    def own_row(self, word):
        """The row that a word or label has by itself, or had in the source of this file; or -1."""
        word = readable(word)
        cdef int32_t i = self._id(span(word))
        return i if self._has_vector(i) or self._row(i) >= 0 else -1

    def knows(self, word):
        """Whether anything is known of a word: a vector, a row of its own or of an n-gram."""
        cdef Walk walk
        cdef int64_t row
        text = encode(word)
        cdef Span found = span(text)
        cdef int32_t i = self._id(found)
        if self._lacks(i):
            return False
        if self._has_vector(i) or self._row(i) >= 0:
            return True
        text = b"<" + text + b">"
        found = span(text)
        self.subwords.begin(&walk, found.text, found.length)
        return self.subwords.take_rows(&walk, &row, 1) > 0


def unknown_word(word):
    return UnknownWordError(
        f"{word!r} is not in the vocabulary, and this model has no n-grams to make its vector from"
    )
