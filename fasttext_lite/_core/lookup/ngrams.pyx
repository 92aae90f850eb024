"""The n-grams of many words: the distinct n-grams, or the rows that they use."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memcpy

from fasttext_lite._core.text.batch cimport WordBatch
from fasttext_lite._core.text.lock cimport Away, come_back, leave
from fasttext_lite._core.lookup.embed cimport Embedder, unknown_word
from fasttext_lite._core.lookup.subwords cimport (
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

from fasttext_lite.errors import InputValueError

cdef enum Taken:
    ALL
    FULL
    UNKNOWN
    NO_MEMORY


cdef struct Ngram:
    uint64_t start
    uint32_t length
    uint32_t hash
    int64_t row


cdef class NgramSet:
    """Distinct n-grams with their rows, in first-seen order.

    Parameters
    ----------
    subwords : Subwords
    """

    cdef Subwords subwords
    cdef uint8_t* text          # the distinct n-grams, concatenated
    cdef uint64_t text_size
    cdef uint64_t text_capacity
    cdef Ngram* ngrams
    cdef uint64_t size
    cdef uint64_t* slots        # index + 1 into ngrams; 0 marks an empty slot
    cdef uint64_t mask

    def __cinit__(self, Subwords subwords not None):
        self.subwords = subwords

    def __dealloc__(self):
        free(self.text)
        free(self.ngrams)
        free(self.slots)

    def __len__(self):
        return self.size

    def add(self, WordBatch words not None):
        """Add the n-grams of these words, if they have a row."""
        cdef Py_ssize_t i
        cdef bint done = True
        with nogil:
            for i in range(words.size):
                done = self._add_word(words.spans[i].text, words.spans[i].length)
                if not done:
                    break
        if not done:
            raise MemoryError

    def items(self):
        """Return the n-grams as a list of ``(bytes, row)``."""
        cdef uint64_t i
        found = []
        for i in range(self.size):
            text = (<const char*>self.text)[
                self.ngrams[i].start:self.ngrams[i].start + self.ngrams[i].length
            ]
            found.append((text, self.ngrams[i].row))
        return found

    cdef bint _add_word(self, const uint8_t* word, size_t length) noexcept nogil:
        cdef uint8_t buffer[SHORT]
        cdef uint8_t* text = bracket(word, length, buffer, SHORT)
        cdef Walk walk
        cdef int64_t row
        cdef uint32_t h, size
        cdef const uint8_t* ngram
        cdef bint done = True
        if text == NULL:
            return False
        self.subwords.begin(&walk, text, length + 2)
        while done and self.subwords.advance(&walk):
            row = self.subwords.buckets.row(walk.hash)
            if row >= 0:
                ngram = text + walk.start
                size = <uint32_t>(walk.stop - walk.start)
                # Other hashes of the same n-gram may have the same row.
                h = hash_bytes(ngram, size) if self.subwords.hash_count else walk.hash
                done = self._add(ngram, size, h, row)
        if text != buffer:
            free(text)
        return done

    cdef bint _add(self, const uint8_t* text, uint32_t length, uint32_t h, int64_t row) noexcept nogil:
        cdef uint64_t at
        cdef Ngram* ngram
        if 2 * self.size >= self.mask and not self._grow():
            return False
        at = h & self.mask
        while self.slots[at]:
            ngram = &self.ngrams[self.slots[at] - 1]
            if ngram.hash == h and ngram.row == row and ngram.length == length and (
                memcmp(self.text + ngram.start, text, length) == 0
            ):
                return True
            at = (at + 1) & self.mask
        if self.text_size + length > self.text_capacity:
            if not self._grow_text(length):
                return False
        memcpy(self.text + self.text_size, text, length)
        ngram = &self.ngrams[self.size]
        ngram.start = self.text_size
        ngram.length = length
        ngram.hash = h
        ngram.row = row
        self.text_size += length
        self.size += 1
        self.slots[at] = self.size
        return True

    cdef bint _grow(self) noexcept nogil:
        """Double the capacity for n-grams."""
        cdef uint64_t slots = 2 * (self.mask + 1) if self.slots != NULL else 1024
        cdef uint64_t i, at
        cdef uint64_t* table = <uint64_t*>calloc(slots, sizeof(uint64_t))
        cdef Ngram* ngrams = <Ngram*>realloc(self.ngrams, (slots // 2 + 1) * sizeof(Ngram))
        if ngrams != NULL:
            self.ngrams = ngrams
        if table == NULL or ngrams == NULL:
            free(table)
            return False
        free(self.slots)
        self.slots = table
        self.mask = slots - 1
        for i in range(self.size):
            at = ngrams[i].hash & self.mask
            while table[at]:
                at = (at + 1) & self.mask
            table[at] = i + 1
        return True

    cdef bint _grow_text(self, uint32_t length) noexcept nogil:
        cdef uint64_t capacity = 2 * self.text_capacity + length + 4096
        cdef uint8_t* text = <uint8_t*>realloc(self.text, capacity)
        if text == NULL:
            return False
        self.text = text
        self.text_capacity = capacity
        return True


def mark_rows(Subwords subwords not None, WordBatch words not None, uint8_t[::1] marks not None):
    """Mark the rows that the n-grams of words use.

    Parameters
    ----------
    subwords : Subwords
    words : WordBatch
    marks : uint8 buffer, shape (subword rows,)
        Set to 1 for each used row; the first row is that of bucket 0.
    """
    cdef Py_ssize_t i
    cdef bint done = True
    with nogil:
        for i in range(words.size):
            done = done and _mark(subwords, words.spans[i].text, words.spans[i].length, marks)
    if not done:
        raise MemoryError


def mark_entry_rows(
    Subwords subwords not None,
    Vocabulary vocabulary not None,
    const int32_t[::1] ids not None,
    uint8_t[::1] marks not None,
):
    """Mark the rows that the n-grams of entries of a vocabulary use, as `mark_rows` does.

    Raises
    ------
    InputValueError
        The vocabulary has no entry with an id.
    """
    cdef Py_ssize_t i
    cdef size_t length = 0
    cdef const uint8_t* word
    cdef bint done = True
    for i in range(ids.shape[0]):
        vocabulary.check(ids[i])
    with nogil:
        for i in range(ids.shape[0]):
            word = vocabulary.entry(ids[i], &length)
            done = done and _mark(subwords, word, length, marks)
    if not done:
        raise MemoryError


def first_ngrams(
    Subwords subwords not None,
    Vocabulary vocabulary not None,
    const int32_t[::1] ids not None,
    uint8_t[::1] marks not None,
):
    """Name marked rows by the first n-gram of entries of a vocabulary that has each.

    The marks of the named rows are cleared.

    Parameters
    ----------
    subwords : Subwords
    vocabulary : Vocabulary
    ids : int32 buffer
    marks : uint8 buffer, shape (subword rows,)
        1 for each row to name.

    Returns
    -------
    dict of int to bytes
        The n-gram of each row.

    Raises
    ------
    InputValueError
        The vocabulary has no entry with an id.
    """
    cdef Py_ssize_t i
    cdef size_t length = 0
    cdef const uint8_t* word
    cdef uint8_t buffer[SHORT]
    cdef uint8_t* text
    cdef Walk walk
    cdef int64_t row
    named = {}
    for i in range(ids.shape[0]):
        vocabulary.check(ids[i])
    with nogil:
        for i in range(ids.shape[0]):
            word = vocabulary.entry(ids[i], &length)
            text = bracket(word, length, buffer, SHORT)
            if text == NULL:
                with gil:
                    raise MemoryError
            subwords.begin(&walk, text, length + 2)
            while subwords.advance(&walk):
                row = subwords.buckets.row(walk.hash) - subwords.first_row
                if 0 <= row < marks.shape[0] and marks[row]:
                    marks[row] = 0
                    with gil:
                        named[row + subwords.first_row] = (
                            <const char*>text
                        )[walk.start:walk.stop]
            if text != buffer:
                free(text)
    return named


def place_rows(
    Embedder embedder not None,
    WordBatch words not None,
    Py_ssize_t start,
    Py_ssize_t stop,
    int64_t[::1] offsets not None,
    int64_t[::1] rows not None,
):
    """Write the rows whose mean is the vector of each of ``words[start:stop]``.

    Those of word ``i`` are ``rows[offsets[i]:offsets[i + 1]]``, numbered as in a fastText file,
    words first. ``offsets[start]`` says where the first begin; the later ones are written.

    Returns
    -------
    int
        The next word, before `stop` if the rows of that word do not fit.

    Raises
    ------
    UnknownWordError
        The model is closed, and a word is not in the vocabulary.
    InputValueError
        The range or the offsets do not fit the words or the rows.
    """
    cdef int32_t known[WORDS]
    cdef Pieces pieces
    cdef Away away
    cdef Py_ssize_t i = start
    cdef Py_ssize_t first, end
    cdef int64_t shift = embedder.vocabulary.word_count - embedder.subwords.first_row
    cdef int64_t at
    cdef size_t j
    cdef Taken taken = ALL
    if not 0 <= start <= stop <= words.size or offsets.shape[0] != words.size + 1 or (
        not 0 <= offsets[start] <= rows.shape[0]
    ):
        raise InputValueError(
            f"the range [{start}, {stop}), {offsets.shape[0]} offsets and {rows.shape[0]} rows do "
            f"not fit {words.size} words"
        )
    away = leave(True)
    while i < stop and taken == ALL:
        first = i
        end = min(stop, i + <Py_ssize_t>WORDS)
        embedder.vocabulary.find_many(words.spans + i, end - i, known)
        while i < end and taken == ALL:
            at = offsets[i]
            if embedder._has_vector(known[i - first]):
                if at < rows.shape[0]:
                    rows[at] = known[i - first]
                    at += 1
                else:
                    taken = FULL
            elif embedder._lacks(known[i - first]):
                taken = UNKNOWN
            elif embedder.subwords.begin_pieces(
                &pieces, words.spans[i].text, words.spans[i].length,
                embedder._row(known[i - first]),
            ):
                while taken == ALL and embedder.subwords.next_piece(&pieces):
                    if rows.shape[0] - at < <int64_t>pieces.count:
                        taken = FULL
                        break
                    for j in range(pieces.count):
                        rows[at] = pieces.rows[j] + shift
                        at += 1
                end_pieces(&pieces)
            else:
                taken = NO_MEMORY
            if taken == ALL:
                i += 1
                offsets[i] = at
    come_back(away)
    if taken == NO_MEMORY:
        raise MemoryError
    if taken == UNKNOWN:
        raise unknown_word(words.word(i))
    return i


cdef bint _mark(
    Subwords subwords, const uint8_t* word, size_t length, uint8_t[::1] marks
) noexcept nogil:
    cdef Pieces pieces
    cdef int64_t row
    cdef size_t i
    if not subwords.begin_pieces(&pieces, word, length, -1):
        return False
    while subwords.next_piece(&pieces):
        for i in range(pieces.count):
            row = pieces.rows[i] - subwords.first_row
            if 0 <= row < marks.shape[0]:
                marks[row] = 1
    end_pieces(&pieces)
    return True
