"""Words to vectors: look-up, n-grams, and the mean of the rows."""

cimport cython
cimport numpy as cnp
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.string cimport memset

from fasttext_lite._core.text.batch cimport Span, WordBatch, readable, span, to_bytes
from fasttext_lite._core.text.lock cimport Away, busy, come_back, leave
from fasttext_lite._core.kernels.cpu cimport scale_f32
from fasttext_lite._core.lookup.rows cimport Rows
from fasttext_lite._core.lookup.subwords cimport (
    GATHER,
    SHORT,
    WORDS,
    Pieces,
    Subwords,
    Walk,
    bracket,
    end_pieces,
    hash_bytes,
)
from fasttext_lite._core.lookup.vocabulary cimport Vocabulary

from fasttext_lite.errors import InputValueError, UnknownWordError

# Single calls create arrays through the C API of NumPy: `np.empty` and a memoryview would take a
# third of such a call. With an incompatible NumPy this raises ImportError.
cnp.import_array()


@cython.final
cdef class Embedder:
    """Computes the vectors of words.

    The vector of a known word is stored in `vectors`, or is the mean of its word row and the rows
    of its n-grams. The vector of an unknown word is the mean of the rows of its n-grams.

    Parameters
    ----------
    vocabulary : Vocabulary
    subwords : Subwords
    rows : Rows
        One row per word, then one per bucket (or per bucket that pruning kept). With `vectors` the
        rows of the words may be missing. Rows before the first subword row that belong to no word
        are not used.
    vectors : Rows, optional
        The vectors of the words.
    closed : bool
        Whether unknown words raise, because there are no n-grams to compute their vectors from.

    Raises
    ------
    InputValueError
        The parts do not fit one another.
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
            if subwords.first_row < vocabulary.word_count:
                raise InputValueError("the first subword row must follow the last word")
        elif subwords.first_row not in (0, vocabulary.word_count) or vectors.dim != rows.dim or (
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
        """Return the word row of an entry, or -1.

        A label has the row of the bucket at its id, as in the official program, if the matrix
        has that many rows.
        """
        cdef int64_t row = i
        if not self.subwords.has_word_row(i):
            return -1
        if i >= 0 and self.vectors is not None and self.subwords.first_row == 0:
            row -= self.vocabulary.word_count
        return row if 0 <= row < self.rows.count else -1

    cdef bint _lacks(self, int32_t i) noexcept nogil:
        """Return whether the model is closed and this is not the id of a word."""
        return self.closed and not 0 <= i < self.vocabulary.word_count

    cdef bint _embed_word(self, Span word, int32_t i, float* out) noexcept nogil:
        """Write the vector of one word of any length with id `i`; False if out of memory."""
        cdef Pieces pieces
        cdef size_t total = 0
        if self._has_vector(i):
            self.vectors.copy(i, out)
            return True
        if not self.subwords.begin_pieces(&pieces, word.text, word.length, self._row(i)):
            return False
        memset(out, 0, self.dim * sizeof(float))
        while self.subwords.next_piece(&pieces):
            self.rows.add(pieces.rows, pieces.count, 0, out)
            total += pieces.count
        end_pieces(&pieces)
        if total:
            scale_f32(out, self.dim, <float>(1.0 / <double>total))
        return True

    cdef Py_ssize_t embed(
        self, const Span* words, Py_ssize_t count, float* out, bint* unknown
    ) noexcept nogil:
        """Write the vectors of many words, and return the number of written vectors.

        The number is less than `count` if memory runs out, or, with `unknown` set, if the next word
        has no vector.
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
            # Gather the rows of several words first, so that the sums can prefetch rows ahead.
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
                        # It may have more rows: it begins the next block, or is embedded alone.
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
                if not self._embed_word(words[done], known[0], out + <size_t>done * self.dim):
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
        """Return the vector of one word as a new float32 array, shape (dim,).

        Raises
        ------
        UnknownWordError
            The model is closed, and the word is not in the vocabulary.
        """
        word = readable(word)
        cdef Span text = span(word)
        cdef uint32_t h = hash_bytes(text.text, text.length)
        cdef int32_t i
        cdef bint done = True
        cdef float* out
        cdef Away away
        cdef cnp.npy_intp size = self.rows.dim
        # Prefetch the slot while the array is allocated, and the vector while texts are compared.
        self.vocabulary.prepare(h)
        array = cnp.PyArray_EMPTY(1, &size, cnp.NPY_FLOAT32, 0)
        out = <float*>cnp.PyArray_DATA(array)
        i = self.vocabulary.candidate(h)
        if self._has_vector(i):
            self.vectors.fetch(i)
        i = self.vocabulary.find(text.text, text.length, h)
        if self._has_vector(i):
            self.vectors.copy(i, out)
            return array
        if self._lacks(i):
            raise unknown_word(word)
        # The rows of a word take less time than handing over the lock.
        away = leave(text.length >= SHORT and not busy())
        done = self._embed_word(text, i, out)
        come_back(away)
        if not done:
            raise MemoryError
        return array

    cdef Py_ssize_t _fill(
        self, const Span* words, Py_ssize_t start, Py_ssize_t stop, float* out, bint* unknown
    ) noexcept nogil:
        """Do the work of `fill`, and return the end of the words that are done."""
        cdef Py_ssize_t done, end
        while start < stop:
            end = start
            while end < stop and words[end].text != NULL:
                end += 1
            done = 0
            if end > start:
                done = self.embed(
                    words + start, end - start, out + <size_t>start * self.dim, unknown
                )
            start += done
            if start < end:
                break
            if end < stop:
                memset(out + <size_t>end * self.dim, 0, self.dim * sizeof(float))
                start += 1
        return start

    def fill(
        self, WordBatch words not None, Py_ssize_t start, Py_ssize_t stop, float[:, ::1] out not None
    ):
        """Write the vectors of ``words[start:stop]`` into the same rows of `out`.

        That of a missing word is zero.

        Raises
        ------
        UnknownWordError
            The model is closed, and a word is not in the vocabulary.
        InputValueError
            The range or the shape of `out` does not fit the words.
        """
        cdef Away away
        cdef bint unknown = False
        if not 0 <= start <= stop <= words.size or out.shape[0] != words.size or (
            out.shape[1] != self.rows.dim
        ):
            raise InputValueError(
                f"the range [{start}, {stop}) or the output of shape {(out.shape[0], out.shape[1])} "
                f"does not fit {words.size} words of {self.rows.dim} dimensions"
            )
        if start == stop:
            return
        away = leave(True)
        start = self._fill(words.spans, start, stop, &out[0, 0], &unknown)
        come_back(away)
        if unknown:
            raise unknown_word(words.word(start))
        if start < stop:
            raise MemoryError

    def fill_entries(self, const int32_t[::1] ids not None, float[:, ::1] out not None):
        """Write the vectors of the words or labels with these ids into the rows of `out`.

        Raises
        ------
        UnknownWordError
            The model is closed, and an id is that of a label.
        InputValueError
            The vocabulary has no entry with an id, or the shape of `out` does not fit.
        """
        cdef Span words[WORDS]
        cdef Py_ssize_t count = ids.shape[0]
        cdef Py_ssize_t at = 0
        cdef Py_ssize_t i, block, done
        cdef bint unknown = False
        if out.shape[0] != count or out.shape[1] != self.rows.dim:
            raise InputValueError(
                f"the output of shape {(out.shape[0], out.shape[1])} does not fit {count} ids and "
                f"{self.rows.dim} dimensions"
            )
        for i in range(count):
            self.vocabulary.check(ids[i])
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

    def word_row(self, word):
        """Return the id of a word or label that has a word row or a stored vector, or -1."""
        word = readable(word)
        cdef int32_t i = self._id(span(word))
        return i if self._has_vector(i) or self._row(i) >= 0 else -1

    def knows(self, word):
        """Return whether a word has a vector, a word row or an n-gram with a row."""
        cdef Walk walk
        cdef int64_t row
        text = to_bytes(word)
        cdef Span found = span(text)
        cdef int32_t i = self._id(found)
        if self._lacks(i):
            return False
        if 0 <= i < self.vocabulary.word_count or self._row(i) >= 0:
            return True
        text = b"<" + text + b">"
        found = span(text)
        self.subwords.begin(&walk, found.text, found.length)
        return self.subwords.take_rows(&walk, &row, 1) > 0


cdef class Lookup:
    """Base class that implements ``model[word]`` without a Python frame.

    A subclass defines the attribute `_embedder`, an `Embedder`, and the method `vectors` for many
    words. `_embedder` may be computed lazily; it is read once, for the first single word.
    """

    cdef Embedder embedder

    def __getitem__(self, word):
        """Return the vector of a word, shape (dim,), or of many, shape (n, dim)."""
        if isinstance(word, (str, bytes)):
            if self.embedder is None:
                self.embedder = self._embedder
            return self.embedder.vector(word)
        return self.vectors(word)


cdef object unknown_word(word):
    text = word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else word
    hint = f"; for a phrase use model.sentence_vector({text!r})" if len(text.split()) > 1 else ""
    return UnknownWordError(
        f"{text!r} is not in the vocabulary, and this model has no n-grams to compute its vector "
        f"from{hint}"
    )
