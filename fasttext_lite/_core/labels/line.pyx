"""Lines of text to the mean of their rows: tokens, look-up, n-grams and word n-grams."""

from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memset

import numpy as np

from fasttext_lite._core.text.batch cimport Span, WordBatch, readable, span
from fasttext_lite._core.kernels.cpu cimport scale_f32
from fasttext_lite._core.lookup.rows cimport Rows
from fasttext_lite._core.lookup.subwords cimport LONGEST, Subwords, Walk, bracket
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
    # Bytes of "<word>" that fit into a buffer on the stack.
    SHORT = 256


cdef inline uint64_t signed_hash(uint32_t h) noexcept nogil:
    # The official program stores hashes as int32 and computes with them as uint64, which sets the
    # upper bits of hashes from 2**31 on.
    return <uint64_t><int64_t><int32_t>h


cdef inline uint64_t longer_hash(uint64_t h, uint32_t next) noexcept nogil:
    """Return the hash of a word n-gram that is longer by one token."""
    return h * <uint64_t>116049371 + signed_hash(next)


cdef class LineReader:
    """Converts lines to rows of the input matrix, by the rules of a supervised model.

    Parameters
    ----------
    tokens : Tokenizer
    subwords : Subwords
    rows : Rows
        One row per word, then one per bucket (or per bucket that pruning kept).
    word_ngrams : int
        The largest number of tokens of a word n-gram.
    known_ngrams : bool
        Whether known words also have n-grams.
    known_rows : int32 buffer, optional
        The rows of all known words, in official order, as `take_known` writes them.
    known_starts : int64 buffer, shape (words + 1,), optional
        Where the rows of each word begin in `known_rows`.

    Raises
    ------
    InputValueError
        The parts do not fit one another.
    """

    def __cinit__(
        self,
        Tokenizer tokens not None,
        Subwords subwords not None,
        Rows rows not None,
        int32_t word_ngrams,
        bint known_ngrams,
        const int32_t[::1] known_rows=None,
        const int64_t[::1] known_starts=None,
    ):
        if subwords.first_row != tokens.vocabulary.word_count:
            raise InputValueError("the first subword row must follow the last word")
        if (known_rows is None) != (known_starts is None) or (
            known_rows is not None and not (
                known_starts.shape[0] == tokens.vocabulary.word_count + 1
                and known_starts[tokens.vocabulary.word_count] == known_rows.shape[0]
            )
        ):
            raise InputValueError("the rows of the known words do not fit the vocabulary")
        self.tokens = tokens
        self.subwords = subwords
        self.hashed = subwords.filtered()
        self.rows = rows
        self.word_ngrams = word_ngrams
        self.known_ngrams = known_ngrams
        self.known_rows = known_rows
        self.known_starts = known_starts

    def with_tokens(self, Tokenizer tokens not None):
        """Return the same reader with another label prefix."""
        return LineReader(
            tokens, self.subwords, self.rows, self.word_ngrams, self.known_ngrams,
            self.known_rows, self.known_starts,
        )

    def with_known(self, const int32_t[::1] rows not None, const int64_t[::1] starts not None):
        """Return the same reader with the output of `take_known`: known words are not hashed."""
        return LineReader(
            self.tokens, self.subwords, self.rows, self.word_ngrams, self.known_ngrams, rows,
            starts,
        )

    cdef int64_t _sum(self, Span line, float* out) noexcept nogil:
        """Write the sum of all rows of a line to `out`; return their number, -1 if out of memory.

        The rows of all tokens are first, each followed by its n-grams, then those of the word
        n-grams. This order gives the bits of the official program.
        """
        cdef Gather gather
        cdef Token token
        cdef bint done = True
        cdef size_t count = 0
        cdef uint32_t* hashes = NULL
        if self.word_ngrams > 1 and self.subwords.bucket:
            # The largest number of tokens of a line, including the end token.
            hashes = <uint32_t*>malloc((line.length // 2 + 2) * sizeof(uint32_t))
            if hashes == NULL:
                return -1
        gather.count = 0
        gather.total = 0
        memset(out, 0, <size_t>self.rows.dim * sizeof(float))
        begin(&token)
        while done and self.tokens.next(&line, &token):
            if not token.is_label:
                done = self._add_token(line, &token, &gather, out)
                if hashes != NULL:
                    hashes[count] = token.hash
                    count += 1
        if hashes != NULL:
            self._add_word_ngrams(hashes, count, &gather, out)
            free(hashes)
        self._flush(&gather, out)
        return gather.total if done else -1

    cdef void _flush(self, Gather* gather, float* out) noexcept nogil:
        """Add the gathered rows to the sum."""
        self.rows.add(gather.ids, gather.count, 0, out)
        gather.count = 0

    cdef void _append(self, Gather* gather, int64_t row, float* out) noexcept nogil:
        if gather.count == GATHER:
            self._flush(gather, out)
        gather.ids[gather.count] = row
        gather.count += 1
        gather.total += 1

    cdef bint _add_token(
        self, Span line, const Token* token, Gather* gather, float* out
    ) noexcept nogil:
        """Gather the rows of a token; False if out of memory."""
        cdef Span word
        if token.entry >= 0:
            if self.known_rows is not None:
                self._add_known(token.entry, gather, out)
                return True
            if not self.known_ngrams or self.subwords.has_word_row(token.entry):
                self._append(gather, token.entry, out)
            if not self.known_ngrams:
                return True
        elif token.is_end:
            return True
        word.text = line.text + token.start
        word.length = token.stop - token.start
        return self._add_ngrams(word, gather, out)

    cdef void _add_known(self, int32_t entry, Gather* gather, float* out) noexcept nogil:
        """Gather the rows of a known word."""
        cdef int64_t at = self.known_starts[entry]
        cdef int64_t stop = self.known_starts[entry + 1]
        cdef int64_t piece, i
        cdef const int32_t* rows
        cdef int64_t* ids
        gather.total += stop - at
        while at < stop:
            if gather.count == GATHER:
                self._flush(gather, out)
            piece = min(stop - at, <int64_t>(GATHER - gather.count))
            rows = &self.known_rows[at]
            ids = gather.ids + gather.count
            for i in range(piece):
                ids[i] = rows[i]
            gather.count += <size_t>piece
            at += piece

    cdef bint _add_ngrams(self, Span word, Gather* gather, float* out) noexcept nogil:
        """Gather the rows of the n-grams of a word; False if out of memory."""
        cdef uint8_t buffer[SHORT]
        cdef Walk walk
        cdef size_t length = word.length + 2
        cdef size_t found
        cdef uint8_t* text = bracket(word.text, word.length, buffer, SHORT)
        if text == NULL:
            return False
        if length <= LONGEST and self.hashed.most(length) <= GATHER:
            if gather.count + self.hashed.most(length) > GATHER:
                self._flush(gather, out)
            found = self.hashed.take(text, length, gather.ids + gather.count)
            gather.count += found
            gather.total += <int64_t>found
        else:
            self.subwords.begin(&walk, text, length)
            while True:
                found = self.subwords.take_rows(
                    &walk, gather.ids + gather.count, GATHER - gather.count
                )
                gather.count += found
                gather.total += <int64_t>found
                if gather.count < GATHER:
                    break
                self._flush(gather, out)
        if text != buffer:
            free(text)
        return True

    cdef void _add_word_ngrams(
        self, const uint32_t* hashes, size_t count, Gather* gather, float* out
    ) noexcept nogil:
        """Gather the rows of all word n-grams of a line."""
        cdef size_t i, j
        cdef uint64_t h
        cdef int64_t row
        for i in range(count):
            h = signed_hash(hashes[i])
            for j in range(i + 1, min(i + <size_t>self.word_ngrams, count)):
                h = longer_hash(h, hashes[j])
                row = self.hashed.row(h)
                if row >= 0:
                    self._append(gather, row, out)

    cdef Status mean(self, Span line, float* out, bint* empty) noexcept nogil:
        """Write the mean of all rows of a line, or zeros if there are none."""
        cdef int64_t count
        if memchr(line.text, c"\n", line.length) != NULL:
            return NEWLINE
        count = self._sum(line, out)
        if count < 0:
            return NO_MEMORY
        empty[0] = count == 0
        if count:
            scale_f32(out, <size_t>self.rows.dim, <float>(1.0 / <double>count))
        return DONE

    def vector(self, text):
        """Return the mean of all rows of a line, with the official bits.

        Returns
        -------
        ndarray
            A new array: float32, shape (dim,).

        Raises
        ------
        InputTypeError, InputValueError
            `text` is neither str nor bytes, or holds a newline.
        """
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

    def take_known(self, int32_t[::1] rows not None, int64_t[::1] starts not None):
        """Write the rows of all words, in official order, and the start of those of each word.

        Returns
        -------
        int
            The number of rows, or -1 if they do not fit into `rows`.
        """
        cdef int64_t ids[GATHER]
        cdef Walk walk
        cdef Span word
        cdef uint8_t* text = NULL
        cdef int32_t i
        cdef int32_t words = self.tokens.vocabulary.word_count
        cdef int64_t total = 0
        cdef size_t j
        cdef size_t found = 0
        if starts.shape[0] != words + 1 or self.rows.count > INT32_MAX:
            raise InputValueError("the starts do not fit the words, or the row ids an int32")
        with nogil:
            for i in range(words):
                word.text = self.tokens.vocabulary.entry(i, &word.length)
                text = bracket(word.text, word.length, NULL, 0)
                if text == NULL:
                    break
                starts[i] = total
                self.subwords.begin(&walk, text, word.length + 2)
                ids[0] = i
                found = not self.known_ngrams or self.subwords.has_word_row(i)
                if self.known_ngrams:
                    found += self.subwords.take_rows(&walk, ids + found, GATHER - found)
                while total + <int64_t>found <= rows.shape[0]:
                    for j in range(found):
                        rows[total] = <int32_t>ids[j]
                        total += 1
                    if found < GATHER:
                        break
                    found = self.subwords.take_rows(&walk, ids, GATHER)
                else:
                    total = -1
                free(text)
                if total < 0:
                    break
        if words and text == NULL:
            raise MemoryError
        starts[words] = total
        return total

    def features(self, bytes text not None):
        """Return the rows of a line, in official order, as ``(token, feature, row)``.

        `token` is the word of the text that the row belongs to, `feature` the word itself or its
        n-gram; for a word n-gram both are its words, joined by spaces.
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
            if token.entry >= 0 and (
                not self.known_ngrams or self.subwords.has_word_row(token.entry)
            ):
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
