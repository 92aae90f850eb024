"""A line of text to the mean of its rows: tokens, look-up, n-grams and word n-grams."""

from libc.math cimport INFINITY, isnan, sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memset

import numpy as np

from fasttext_lite._core.text.batch cimport Span, WordBatch, readable, span
from fasttext_lite._core.kernels.cpu cimport kernels
from fasttext_lite._core.lookup.hashed cimport LONGEST, HashedRows
from fasttext_lite._core.lookup.rows cimport Rows
from fasttext_lite._core.lookup.subwords cimport Subwords, Walk, bracket
from fasttext_lite._core.labels.tokens cimport (
    DONE,
    NEWLINE,
    NO_MEMORY,
    Status,
    Token,
    Tokenizer,
    begin,
    failure,
)

from fasttext_lite.errors import InputValueError

cdef enum:
    # Bytes of "<word>" that need no allocation.
    SHORT = 256

# Half the distance of float32 numbers near 1.
cdef double UNIT = 2.0 ** -24


cdef inline uint64_t signed_hash(uint32_t h) noexcept nogil:
    # The official program keeps hashes as int32 and computes with them as uint64: the upper bits
    # of a hash above 2**31 are set.
    return <uint64_t><int64_t><int32_t>h


cdef inline uint64_t longer_hash(uint64_t h, uint32_t next) noexcept nogil:
    """The hash of a word n-gram that is longer by a token."""
    return h * <uint64_t>116049371 + signed_hash(next)


cdef double norm(Rows rows, int64_t row, float* buffer) noexcept nogil:
    """The L2 norm of a row, in float64; `buffer` has room for the row."""
    cdef double total = 0
    cdef Py_ssize_t j
    rows.copy(row, buffer)
    for j in range(rows.dim):
        total += <double>buffer[j] * <double>buffer[j]
    return sqrt(total)


cpdef double largest_norm(Rows rows) except? -1:
    """The largest L2 norm of a row; NaN where a row holds one."""
    cdef double largest = 0
    cdef double one
    cdef int64_t i
    cdef float* buffer
    with nogil:
        buffer = <float*>malloc(<size_t>rows.dim * sizeof(float) + 1)
        if buffer != NULL:
            for i in range(rows.count):
                one = norm(rows, i, buffer)
                if not one <= largest:
                    largest = one
                    if isnan(one):
                        break
            free(buffer)
    if buffer == NULL:
        raise MemoryError
    return largest


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
        For each word the sum of its word row and those of its n-grams, read instead of them where
        the order of a sum does not matter.
    weights : int32 buffer, optional
        How many rows each of those sums has.
    word_norm : float
        The mean of the L2 norms of the rows of a word is at most this.
    row_norm : float
        No row at all has a larger L2 norm; infinity where that is not known.
    hashed : HashedRows, optional
        The one of another reader over the same subwords.
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
        double word_norm=np.inf,
        double row_norm=np.inf,
        HashedRows hashed=None,
    ):
        if subwords.first_row != tokens.vocabulary.word_count:
            raise InputValueError("the first subword row must follow the last word")
        if sums is not None and not (
            sums.count == weights.shape[0] == tokens.vocabulary.word_count and sums.dim == rows.dim
        ):
            raise InputValueError("the sums do not fit the words")
        self.tokens = tokens
        self.subwords = subwords
        self.hashed = HashedRows(subwords) if hashed is None else hashed
        self.rows = rows
        self.word_ngrams = word_ngrams
        self.known_ngrams = known_ngrams
        self.sums = sums
        self.weights = weights
        self.word_norm = word_norm
        self.row_norm = row_norm

    def with_tokens(self, Tokenizer tokens not None):
        """The same reader with another label prefix."""
        return LineReader(
            tokens, self.subwords, self.rows, self.word_ngrams, self.known_ngrams, self.sums,
            self.weights, self.word_norm, self.row_norm, self.hashed,
        )

    def with_sums(
        self, Rows sums not None, const int32_t[::1] weights not None, double word_norm,
        double row_norm=np.inf,
    ):
        """The same reader with the sums that `add_sums` made."""
        return LineReader(
            self.tokens, self.subwords, self.rows, self.word_ngrams, self.known_ngrams, sums,
            weights, word_norm, row_norm, self.hashed,
        )

    cdef int64_t _sum(self, Span line, Order order, float* out, double* mass) noexcept nogil:
        """Write the sum of all rows of a line into `out`; their number, or -1 without memory.

        The rows of all tokens come first, each with its n-grams, then those of the word n-grams.
        """
        cdef Gather gather
        cdef Token token
        cdef bint done = True
        cdef size_t count = 0
        cdef uint32_t* hashes = NULL
        if self.word_ngrams > 1 and self.subwords.bucket:
            # A line has no more tokens than this, the end token included.
            hashes = <uint32_t*>malloc((line.length // 2 + 2) * sizeof(uint32_t))
            if hashes == NULL:
                return -1
        gather.id_count = gather.sum_count = 0
        gather.total = 0
        gather.measured = order == FAST
        gather.mass = 0
        memset(out, 0, <size_t>self.rows.dim * sizeof(float))
        begin(&token)
        while done and self.tokens.next(&line, &token):
            if not token.is_label:
                done = self._add_token(line, &token, order, &gather, out)
                if hashes != NULL:
                    hashes[count] = token.hash
                    count += 1
        if done and hashes != NULL:
            done = self._add_word_ngrams(hashes, count, &gather, out)
        free(hashes)
        done = self._flush(&gather, out) and done
        mass[0] = gather.mass
        return gather.total if done else -1

    cdef bint _flush(self, Gather* gather, float* out) noexcept nogil:
        """Add the rows that were gathered; False where there is no memory."""
        cdef float* buffer
        cdef size_t i
        if gather.sum_count:
            self.sums.add(gather.sums, gather.sum_count, 0, out)
        if gather.id_count:
            self.rows.add(gather.ids, gather.id_count, 0, out)
            if gather.measured:
                if self.row_norm < INFINITY:
                    gather.mass += <double>gather.id_count * self.row_norm
                else:
                    buffer = <float*>malloc(<size_t>self.rows.dim * sizeof(float))
                    if buffer == NULL:
                        return False
                    for i in range(gather.id_count):
                        gather.mass += norm(self.rows, gather.ids[i], buffer)
                    free(buffer)
        gather.id_count = gather.sum_count = 0
        return True

    cdef bint _append(self, Gather* gather, int64_t row, float* out) noexcept nogil:
        if gather.id_count == GATHER and not self._flush(gather, out):
            return False
        gather.ids[gather.id_count] = row
        gather.id_count += 1
        gather.total += 1
        return True

    cdef bint _add_token(
        self, Span line, const Token* token, Order order, Gather* gather, float* out
    ) noexcept nogil:
        """Gather the rows of a token; False where there is no memory."""
        cdef Span word
        if token.entry >= 0:
            if order == FAST and self.sums is not None:
                if gather.sum_count == GATHER and not self._flush(gather, out):
                    return False
                gather.sums[gather.sum_count] = token.entry
                gather.sum_count += 1
                gather.total += self.weights[token.entry]
                gather.mass += self.weights[token.entry] * self.word_norm
                return True
            if not self._append(gather, token.entry, out):
                return False
            if not self.known_ngrams:
                return True
        elif token.is_end:
            return True
        word.text = line.text + token.start
        word.length = token.stop - token.start
        return self._add_ngrams(word, order, gather, out)

    cdef bint _add_ngrams(
        self, Span word, Order order, Gather* gather, float* out
    ) noexcept nogil:
        """Gather the rows of the n-grams of a word; False where there is no memory."""
        cdef uint8_t buffer[SHORT]
        cdef Walk walk
        cdef size_t length = word.length + 2
        cdef size_t found
        cdef bint done = True
        cdef uint8_t* text = bracket(word.text, word.length, buffer, SHORT)
        if text == NULL:
            return False
        if order == FAST and length <= LONGEST and self.hashed.most(length) <= GATHER:
            if gather.id_count + self.hashed.most(length) > GATHER:
                done = self._flush(gather, out)
            if done:
                found = self.hashed.take(text, length, gather.ids + gather.id_count)
                gather.id_count += found
                gather.total += <int64_t>found
        else:
            self.subwords.begin(&walk, text, length)
            while done:
                found = self.subwords.take_rows(
                    &walk, gather.ids + gather.id_count, GATHER - gather.id_count
                )
                gather.id_count += found
                gather.total += <int64_t>found
                if gather.id_count < GATHER:
                    break
                done = self._flush(gather, out)
        if text != buffer:
            free(text)
        return done

    cdef bint _add_word_ngrams(
        self, const uint32_t* hashes, size_t count, Gather* gather, float* out
    ) noexcept nogil:
        """Gather the rows of all word n-grams of a line; False where there is no memory."""
        cdef size_t i, j
        cdef uint64_t h
        cdef int64_t row
        for i in range(count):
            h = signed_hash(hashes[i])
            for j in range(i + 1, min(i + <size_t>self.word_ngrams, count)):
                h = longer_hash(h, hashes[j])
                row = self.hashed.row(h)
                if row >= 0 and not self._append(gather, row, out):
                    return False
        return True

    cdef Status mean(
        self, Span line, Order order, float* out, double* error, bint* empty
    ) noexcept nogil:
        """Write the mean of all rows of a line, zeros where there are none.

        In the OFFICIAL order, and wherever there are no sums, the bits are those of the official
        program, and `error` is 0. Else it bounds the L2 distance of `out` from them. Whatever the
        order, a float32 sum of n rows is within g(n) of the sum of their norms ("mass") from the
        exact one, where g(n) = n u / (1 - n u), u = 2**-24 (Higham 2002, "Accuracy and Stability
        of Numerical Algorithms", 4.2). Both sums are multiplied by the same 1/n and rounded, so

            error <= 2 g(n + 2) mass / n.
        """
        cdef double mass = 0
        cdef double share
        cdef int64_t count
        if memchr(line.text, c"\n", line.length) != NULL:
            return NEWLINE
        if self.sums is None:
            order = OFFICIAL
        count = self._sum(line, order, out, &mass)
        if count < 0:
            return NO_MEMORY
        empty[0] = count == 0
        error[0] = 0
        if count:
            kernels.scale_f32(out, <size_t>self.rows.dim, <float>(1.0 / <double>count))
            if order == FAST:
                share = <double>(count + 2) * UNIT
                # A bound of a sum of more rows than this says nothing.
                error[0] = (
                    2.001 * share / (1 - share) * mass / <double>count if share < 0.5 else INFINITY
                )
        return DONE

    def vector(self, text):
        """The mean of all rows of a line, with the official bits.

        Returns
        -------
        ndarray
            A new float32 array of shape (dim,).

        Raises
        ------
        InputTypeError, InputValueError
            The text is no text, or holds a newline.
        """
        text = readable(text, "text")
        cdef Span line = span(text)
        cdef Status status
        cdef double error
        cdef bint empty
        array = np.empty(self.rows.dim, np.float32)
        cdef float[::1] out = array
        with nogil:
            status = self.mean(line, OFFICIAL, &out[0], &error, &empty)
        if status != DONE:
            raise failure(status, -1)
        return array

    def fill(
        self, WordBatch texts not None, Py_ssize_t start, Py_ssize_t stop, float[:, ::1] out not None
    ):
        """Write the vectors of ``texts[start:stop]`` into the same rows of `out`."""
        cdef Status status = DONE
        cdef Py_ssize_t i = start
        cdef double error
        cdef bint empty
        if not 0 <= start <= stop <= texts.size or out.shape[0] != texts.size or (
            out.shape[1] != self.rows.dim
        ):
            raise InputValueError("the range or the output does not fit the texts")
        with nogil:
            while i < stop:
                status = self.mean(texts.spans[i], OFFICIAL, &out[i, 0], &error, &empty)
                if status != DONE:
                    break
                i += 1
        if status != DONE:
            raise failure(status, i)

    def add_sums(self, float[:, ::1] sums not None, int32_t[::1] weights not None):
        """Write the sum of the rows of each word and their number.

        Returns
        -------
        float
            The `word_norm` of these sums: the largest mean of the norms of the rows of a word.
        """
        cdef Gather gather
        cdef Span word
        cdef int32_t i
        cdef double largest = 0
        cdef bint done = True
        if not (
            sums.shape[0] == weights.shape[0] == self.tokens.vocabulary.word_count
            and sums.shape[1] == self.rows.dim
        ):
            raise InputValueError("the sums do not fit the words")
        with nogil:
            for i in range(self.tokens.vocabulary.word_count):
                memset(&sums[i, 0], 0, <size_t>self.rows.dim * sizeof(float))
                word.text = self.tokens.vocabulary.entry(i, &word.length)
                gather.ids[0] = i
                gather.id_count = 1
                gather.sum_count = 0
                gather.total = 1
                gather.measured = True
                gather.mass = 0
                if self.known_ngrams:
                    done = self._add_ngrams(word, OFFICIAL, &gather, &sums[i, 0])
                done = self._flush(&gather, &sums[i, 0]) and done
                if not done:
                    break
                weights[i] = <int32_t>gather.total
                # No bound holds where a row holds NaN.
                if isnan(gather.mass):
                    largest = INFINITY
                else:
                    largest = max(largest, gather.mass / <double>gather.total)
        if not done:
            raise MemoryError
        return largest

    def features(self, bytes text not None):
        """The rows of a line, in official order, as ``(token, feature, row)``.

        `token` is the word of the text that the row comes from, `feature` the word itself or its
        n-gram; for a word n-gram both are its words, joined by a space.
        """
        cdef Span line
        cdef Token token
        cdef uint64_t h
        cdef int64_t row
        cdef Py_ssize_t i, j
        line.text = text
        line.length = <size_t>len(text)
        found = []
        words = []
        hashes = []
        begin(&token)
        while self.tokens.next(&line, &token):
            if token.is_label:
                continue
            word = (<const char*>line.text)[token.start:token.stop]
            words.append(word)
            hashes.append(token.hash)
            if token.entry >= 0:
                found.append((word, word, token.entry))
            if token.entry < 0 or self.known_ngrams:
                found.extend((word, ngram, row) for ngram, row in self.subwords.ngrams(word))
        if self.subwords.bucket:
            for i in range(len(words)):
                h = signed_hash(hashes[i])
                for j in range(i + 1, min(i + self.word_ngrams, <Py_ssize_t>len(words))):
                    h = longer_hash(h, hashes[j])
                    row = self.hashed.row(h)
                    if row >= 0:
                        phrase = b" ".join(words[i:j + 1])
                        found.append((phrase, phrase, row))
        return found
