"""Lines of text to the mean of their rows: tokens, look-up, n-grams and word n-grams."""

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memset

import numpy as np

from fasttext_lite._core.text.batch cimport Span, WordBatch, readable, span
from fasttext_lite._core.text.lock cimport Away, come_back, leave
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
    is_long,
)

from fasttext_lite.errors import InputValueError
from fasttext_lite.texts import text_option

cdef enum:
    # Bytes of "<word>" that fit into a buffer on the stack.
    SHORT = 256


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
        The rows of all known words, in official order, as `features.take_known` writes them.
    known_starts : int64 buffer, shape (words + 1,), optional
        Where the rows of each word begin in `known_rows`.
    tables : callable, optional
        Called with this reader after `tables.worth` rows have been read, and again after twice as
        many and so on, until it returns a faster reader of the same lines in place of None.

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
        tables=None,
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
        self.tables = tables
        self.worth = INT64_MAX if tables is None else tables.worth

    cdef LineReader fastest(self):
        """Return the reader to use in a call: this one, or a faster one."""
        if self.rows_read >= self.worth and self.faster is None:
            # Other threads do not wait. A faster reader lives as long as this one does.
            self.worth = INT64_MAX
            made = self.tables(self)
            if made is None:
                self.worth = 2 * self.rows_read
            self.faster = made
        return self if self.faster is None else self.faster

    def with_tokens(self, Tokenizer tokens not None):
        """Return the same reader with another label prefix."""
        return LineReader(
            tokens, self.subwords, self.rows, self.word_ngrams, self.known_ngrams,
            self.known_rows, self.known_starts, self.tables,
        )

    def with_tables(self, Rows rows, known_rows, known_starts):
        """Return the same reader with other tables.

        Parameters
        ----------
        rows : Rows or None
            The same rows, for instance decoded.
        known_rows, known_starts : ndarray or None
            The output of `take_known`: known words are not hashed.
        """
        return LineReader(
            self.tokens, self.subwords, self.rows if rows is None else rows, self.word_ngrams,
            self.known_ngrams, known_rows, known_starts,
        )

    cdef int64_t _sum(self, Span line, float* out) noexcept nogil:
        """Write the sum of all rows of a line to `out`; return their number, -1 if out of memory.

        `out` may be NULL, to count only. The rows of all tokens are first, each followed by its n-grams, then those of the word
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
        if out != NULL:
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
        if out != NULL:
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

    cdef Status mean(self, Span line, bint spaces, float* out, int64_t* count) noexcept nogil:
        """Write the mean of all rows of a line and their number, or zeros if there are none.

        A missing line has none. `spaces` allows newlines, which the tokenizer reads as spaces.
        """
        count[0] = 0
        if line.text == NULL:
            memset(out, 0, <size_t>self.rows.dim * sizeof(float))
            return DONE
        if not spaces and memchr(line.text, c"\n", line.length) != NULL:
            return NEWLINE
        count[0] = self._sum(line, out)
        if count[0] < 0:
            return NO_MEMORY
        if count[0]:
            scale_f32(out, <size_t>self.rows.dim, <float>(1.0 / <double>count[0]))
        return DONE

    def vector(self, text, newlines="raise", errors="strict"):
        """Return the mean of all rows of a line, with the official bits.

        Returns
        -------
        ndarray
            A new array: float32, shape (dim,).

        Raises
        ------
        InputTypeError, InputValueError
            `text` is neither str nor bytes, or holds a newline, or an option is unknown.
        """
        cdef bint spaces = text_option("newlines", newlines)
        text = readable(text, "text", text_option("errors", errors))
        cdef LineReader reader = self.fastest()
        cdef Span line = span(text)
        cdef Status status
        cdef int64_t count
        array = np.empty(self.rows.dim, np.float32)
        cdef float[::1] out = array
        cdef Away away = leave(is_long(line.length))
        status = reader.mean(line, spaces, &out[0], &count)
        come_back(away)
        if status != DONE:
            raise failure(status, -1)
        self.rows_read += count
        return array

    def fill(
        self, WordBatch texts not None, Py_ssize_t start, Py_ssize_t stop, float[:, ::1] out not None
    ):
        """Write the vectors of ``texts[start:stop]`` into the same rows of `out`."""
        cdef LineReader reader = self.fastest()
        cdef Status status = DONE
        cdef Py_ssize_t i = start
        cdef int64_t count
        cdef int64_t total = 0
        cdef Away away
        if not 0 <= start <= stop <= texts.size or out.shape[0] != texts.size or (
            out.shape[1] != self.rows.dim
        ):
            raise InputValueError("the range or the output does not fit the texts")
        away = leave(True)
        while i < stop:
            status = reader.mean(texts.spans[i], texts.spaces, &out[i, 0], &count)
            if status != DONE:
                break
            total += count
            i += 1
        come_back(away)
        if status != DONE:
            raise failure(status, texts.first + i)
        self.rows_read += total

    def count(
        self,
        WordBatch texts not None,
        Py_ssize_t start,
        Py_ssize_t stop,
        int64_t[::1] known not None,
        int64_t[::1] features not None,
    ):
        """Count known tokens and rows of ``texts[start:stop]``, without those of the end token.

        Parameters
        ----------
        texts : WordBatch
        start, stop : int
        known, features : int64 buffer, shape (texts,)
            The numbers of known tokens, and of rows. The rows of word n-grams with the end token
            count.
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
        self, Span line, bint spaces, int64_t* known, int64_t* features
    ) noexcept nogil:
        cdef Token token
        known[0] = features[0] = 0
        if line.text == NULL:
            return DONE
        if not spaces and memchr(line.text, c"\n", line.length) != NULL:
            return NEWLINE
        features[0] = self._sum(line, NULL)
        if features[0] < 0:
            return NO_MEMORY
        begin(&token)
        while self.tokens.next(&line, &token):
            if token.is_label or token.entry < 0:
                continue
            if token.is_end:
                # Its one row: it has no n-grams.
                features[0] -= 1
            else:
                known[0] += 1
        return DONE
