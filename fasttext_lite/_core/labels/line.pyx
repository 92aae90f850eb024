"""A line of text to the sum of its rows: tokens, look-up, n-grams and word n-grams in one pass."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memset

import numpy as np

from fasttext_lite._core.text.batch cimport Span, WordBatch, readable, span
from fasttext_lite._core.kernels.cpu cimport scale_f32
from fasttext_lite._core.lookup.rows cimport Rows
from fasttext_lite._core.lookup.subwords cimport LONGEST, Subwords, Walk, bracket
from fasttext_lite._core.labels.tokens cimport (
    DONE,
    END,
    NEWLINE,
    NO_MEMORY,
    Status,
    Token,
    Tokenizer,
    failure,
)

from fasttext_lite.errors import InputValueError

cdef enum:
    # Bytes of "<word>" that need no memory of their own.
    SHORT = 256

cdef class LineReader:
    """Turns lines into rows of the input matrix, by the rules of a supervised model.

    Parameters
    ----------
    tokens : Tokenizer
    subwords : Subwords
    rows : Rows
        One row a word, then one a bucket (or one a bucket that pruning kept).
    word_ngrams : int
        The longest sequence of tokens that has a row.
    known_ngrams : bool
        Whether known words have n-grams, too.
    sums : Rows, optional
        For each word the sum of its own row and those of its n-grams, to be read instead of them.
    weights : int32 buffer, optional
        How many rows each of those sums has.
    """

    def __cinit__(
        self,
        Tokenizer tokens not None,
        Subwords subwords not None,
        Rows rows not None,
        int32_t word_ngrams,
        bint known_ngrams,
        Rows sums=None,
        const int32_t[::1] weights=None,
    ):
        if subwords.first_row != tokens.vocabulary.word_count:
            raise InputValueError("the first subword row must follow the last word")
        if sums is not None and not (
            sums.count == weights.shape[0] == tokens.vocabulary.word_count and sums.dim == rows.dim
        ):
            raise InputValueError("the sums do not fit the words")
        self.tokens = tokens
        self.subwords = subwords
        self.hashed = subwords.filtered()
        self.rows = rows
        self.word_ngrams = word_ngrams
        self.known_ngrams = known_ngrams
        self.sums = sums
        self.weights = weights

    def with_tokens(self, Tokenizer tokens not None):
        """The same reader with another label prefix."""
        return LineReader(
            tokens, self.subwords, self.rows, self.word_ngrams, self.known_ngrams, self.sums,
            self.weights,
        )

    def with_sums(self, Rows sums not None, const int32_t[::1] weights not None):
        """The same reader with the sums that `add_sums` made."""
        return LineReader(
            self.tokens, self.subwords, self.rows, self.word_ngrams, self.known_ngrams, sums,
            weights,
        )

    cdef int64_t sum(self, const uint8_t* text, size_t length, float* out) noexcept nogil:
        """Write the sum of all rows of a line into `out`; their number, or -1 without memory.

        The official program adds the rows of all tokens first and those of the word n-grams last.
        Here they come as the tokens do, and a known word may come as one sum: the last bits of a
        sum differ, and nothing has to be kept for the length of a text.
        """
        cdef Gather gather
        cdef WordNgrams ngrams
        cdef Token token
        cdef bint done = True
        cdef bint inside
        gather.id_count = gather.sum_count = 0
        gather.total = 0
        ngrams.most = <size_t>max(self.word_ngrams - 1, 0) if self.subwords.bucket else 0
        ngrams.count = ngrams.oldest = 0
        ngrams.hashes = ngrams.few
        if ngrams.most > 8:
            # A line has no more tokens than this, nor n-grams of so many.
            ngrams.most = min(ngrams.most, length // 2 + 2)
            ngrams.hashes = <uint64_t*>malloc(ngrams.most * sizeof(uint64_t))
            if ngrams.hashes == NULL:
                return -1
        memset(out, 0, <size_t>self.rows.dim * sizeof(float))
        token.stop = 0
        while done:
            inside = self.tokens.next(text, length, &token)
            if not inside:
                if not self.tokens.ends:
                    break
                text = END
                length = 4
                token.stop = 0
                self.tokens.next(text, length, &token)
            if not token.is_label:
                if token.entry < 0:
                    if not token.is_end:
                        done = self._add_ngrams(text, &token, &gather, out)
                elif self.sums is not None:
                    if gather.sum_count == GATHER:
                        self._flush(&gather, out)
                    gather.sums[gather.sum_count] = token.entry
                    gather.sum_count += 1
                    gather.total += self.weights[token.entry]
                else:
                    if gather.id_count == GATHER:
                        self._flush(&gather, out)
                    gather.ids[gather.id_count] = token.entry
                    gather.id_count += 1
                    gather.total += 1
                    if self.known_ngrams:
                        done = self._add_ngrams(text, &token, &gather, out)
                if ngrams.most:
                    self._add_word_ngrams(&ngrams, token.hash, &gather, out)
            if token.is_end:
                break
        self._flush(&gather, out)
        if ngrams.hashes != ngrams.few:
            free(ngrams.hashes)
        return gather.total if done else -1

    cdef void _flush(self, Gather* gather, float* out) noexcept nogil:
        """Add the rows that were gathered."""
        if gather.sum_count:
            self.sums.add(gather.sums, gather.sum_count, 0, out)
        if gather.id_count:
            self.rows.add(gather.ids, gather.id_count, 0, out)
        gather.id_count = gather.sum_count = 0

    cdef bint _add_ngrams(
        self, const uint8_t* text, const Token* token, Gather* gather, float* out
    ) noexcept nogil:
        """Gather the rows of the n-grams of a token; False where there is no memory."""
        cdef uint8_t buffer[SHORT]
        cdef Walk walk
        cdef size_t length = token.stop - token.start
        cdef uint8_t* word = bracket(text + token.start, length, buffer, SHORT)
        cdef size_t found
        if word == NULL:
            return False
        length += 2
        if length <= LONGEST and self.hashed.most(length) <= GATHER:
            if gather.id_count + self.hashed.most(length) > GATHER:
                self._flush(gather, out)
            found = self.hashed.take(word, length, gather.ids + gather.id_count)
            gather.id_count += found
            gather.total += <int64_t>found
        else:
            self.subwords.begin(&walk, word, length)
            while True:
                found = self.subwords.take_rows(
                    &walk, gather.ids + gather.id_count, GATHER - gather.id_count
                )
                gather.id_count += found
                gather.total += <int64_t>found
                if gather.id_count < GATHER:
                    break
                self._flush(gather, out)
        if word != buffer:
            free(word)
        return True

    cdef void _add_word_ngrams(
        self, WordNgrams* ngrams, uint32_t h, Gather* gather, float* out
    ) noexcept nogil:
        """Gather the rows of the word n-grams that end with the token of this hash."""
        cdef uint64_t extended
        cdef int64_t row
        cdef size_t i
        for i in range(ngrams.count):
            extended = ngrams.hashes[i] * <uint64_t>116049371 + signed_hash(h)
            ngrams.hashes[i] = extended
            row = self.hashed.row(extended)
            if row >= 0:
                if gather.id_count == GATHER:
                    self._flush(gather, out)
                gather.ids[gather.id_count] = row
                gather.id_count += 1
                gather.total += 1
        if ngrams.count < ngrams.most:
            ngrams.hashes[ngrams.count] = signed_hash(h)
            ngrams.count += 1
        else:
            ngrams.hashes[ngrams.oldest] = signed_hash(h)
            ngrams.oldest += 1
            if ngrams.oldest == ngrams.most:
                ngrams.oldest = 0

    cdef Status mean(self, Span text, float* out, bint* empty) noexcept nogil:
        """Write the mean of all rows of a line, zeros where there are none."""
        cdef int64_t count
        if memchr(text.text, c"\n", text.length) != NULL:
            return NEWLINE
        count = self.sum(text.text, text.length, out)
        if count < 0:
            return NO_MEMORY
        empty[0] = count == 0
        if count:
            scale_f32(out, <size_t>self.rows.dim, <float>(1.0 / <double>count))
        return DONE

    def vector(self, text):
        """The mean of all rows of a line: a fresh float32 array of shape (dim,)."""
        text = readable(text, "text")
        cdef Span line = span(text)
        cdef Status status
        cdef bint empty
        array = np.empty(self.rows.dim, np.float32)
        cdef float[::1] out = array
        with nogil:
            status = self.mean(line, &out[0], &empty)
        if status != DONE:
            raise failure(status, -1)
        return array

    def fill(
        self, WordBatch texts not None, Py_ssize_t start, Py_ssize_t stop, float[:, ::1] out not None
    ):
        """Write the vectors of ``texts[start:stop]`` into the same rows of `out`."""
        cdef Status status = DONE
        cdef Py_ssize_t i = start
        cdef bint empty
        if not 0 <= start <= stop <= texts.size or out.shape[0] != texts.size or (
            out.shape[1] != self.rows.dim
        ):
            raise InputValueError("the range or the output does not fit the texts")
        with nogil:
            while i < stop:
                status = self.mean(texts.spans[i], &out[i, 0], &empty)
                if status != DONE:
                    break
                i += 1
        if status != DONE:
            raise failure(status, i)

    def add_sums(self, float[:, ::1] sums not None, int32_t[::1] weights not None):
        """Write for each word the sum of its rows and their number: `sums` and `weights`."""
        cdef Gather gather
        cdef Token token
        cdef int32_t i
        cdef size_t length = 0
        cdef const uint8_t* word
        cdef bint done = True
        if not (
            sums.shape[0] == weights.shape[0] == self.tokens.vocabulary.word_count
            and sums.shape[1] == self.rows.dim
        ):
            raise InputValueError("the sums do not fit the words")
        token.start = 0
        with nogil:
            for i in range(self.tokens.vocabulary.word_count):
                memset(&sums[i, 0], 0, <size_t>self.rows.dim * sizeof(float))
                word = self.tokens.vocabulary.entry(i, &length)
                token.stop = length
                gather.ids[0] = i
                gather.id_count = 1
                gather.sum_count = 0
                gather.total = 1
                if self.known_ngrams:
                    done = self._add_ngrams(word, &token, &gather, &sums[i, 0])
                    if not done:
                        break
                self._flush(&gather, &sums[i, 0])
                weights[i] = <int32_t>gather.total
        if not done:
            raise MemoryError
