"""The words and labels of a model, in the bytes of its file, and a hash index over them."""

import numpy as np

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcmp, memcpy

from fasttext_lite._core.text.batch cimport Span, readable, span
from fasttext_lite._core.kernels.cpu cimport prefetch
from fasttext_lite._core.lookup.subwords cimport WORDS, hash_bytes
from fasttext_lite.errors import FormatError, InputValueError

cdef enum:
    # Far more than real words need in a table that is at most half full. The limit prevents
    # quadratic time with words that were made to collide.
    MAX_PROBES = 1024
    UNKNOWN = -1
    TOO_FAR = -2

cdef uint32_t EMPTY = 0
# The text of a vocabulary without bytes: the functions of the C library do not accept NULL.
cdef uint8_t NOTHING = 0


cdef uint64_t _capacity(uint64_t size) noexcept nogil:
    """Return the number of slots for this many entries: a power of two, at least half empty."""
    cdef uint64_t capacity = 2
    while capacity < 2 * size:
        capacity *= 2
    return capacity


@cython.final
cdef class Vocabulary:
    """Words, then labels: their bytes and counts, and a hash index over them.

    `dictionary.scan` and `stored` create one. The index is an open-addressing table of uint32. A
    slot is 0 if it is empty. Otherwise its lower bits, as many as the number of entries needs, hold
    the id + 1, and its upper bits those of the hash, which avoids most comparisons with other
    texts. Of entries with the same text the last one counts, as in the official program.

    Attributes
    ----------
    word_count, label_count : int
    end : int
        Byte offset of the end of a scanned dictionary.
    repeats : bool
        Whether an entry occurs twice.
    """

    def __cinit__(self):
        self.stored_counts = None
        self.slots = &EMPTY
        self.repeated = -1

    def __dealloc__(self):
        free(self.own_offsets)
        free(self.own_slots)

    def __len__(self):
        return self.word_count + self.label_count

    cdef void reserve(self, int64_t size) except *:
        """Create an empty index for this many entries."""
        cdef uint64_t capacity = _capacity(<uint64_t>size)
        self.own_slots = table_alloc(capacity * sizeof(uint32_t))
        if self.own_slots == NULL:
            raise MemoryError
        self.take_slots(<const uint32_t*>self.own_slots, capacity, size)

    cdef void take_slots(self, const uint32_t* slots, uint64_t capacity, int64_t size) noexcept:
        self.slots = slots
        self.mask = <uint32_t>(capacity - 1)
        self.id_mask = 0
        while <int64_t>self.id_mask < size:
            self.id_mask = 2 * self.id_mask + 1

    @staticmethod
    def stored(
        const uint8_t[::1] text not None,
        const uint64_t[::1] offsets not None,
        const int64_t[::1] counts not None,
        int64_t word_count,
        int64_t label_count,
        const uint32_t[::1] index=None,
    ):
        """Create a vocabulary from concatenated entries, and optionally a stored index.

        The values in the arrays are checked when they are used: an offset or an id out of range
        gives an empty text or an unknown word.

        Parameters
        ----------
        text : buffer of bytes
            The concatenated entries.
        offsets : uint64 buffer, shape (n + 1,)
            The start of each entry in `text`, and the end of the last one.
        counts : int64 buffer, shape (n,)
            Number of occurrences of each entry in training.
        word_count, label_count : int
            Their sum is n.
        index : uint32 buffer, shape (slots,), optional
            The hash index, as returned by `index`; built if missing.

        Raises
        ------
        InputValueError
            The arrays do not fit one another.
        FormatError
            Too many entries share one hash.
        """
        cdef Vocabulary made = Vocabulary()
        cdef int64_t size = word_count + label_count
        cdef int32_t bad = -1
        if not 0 <= size <= INT32_MAX or counts.shape[0] != size or offsets.shape[0] != size + 1:
            raise InputValueError(
                f"{size} entries do not fit {counts.shape[0]} counts and {offsets.shape[0]} offsets"
            )
        if index is not None and <uint64_t>index.shape[0] != _capacity(<uint64_t>size):
            raise InputValueError(
                f"an index of {index.shape[0]} slots does not fit {size} entries"
            )
        made.text = text
        made.base = &text[0] if text.shape[0] else &NOTHING
        made.text_size = <uint64_t>text.shape[0]
        made.offsets = &offsets[0]
        made.stored_counts = counts
        made.owners = (offsets, index)
        made.word_count = <int32_t>word_count
        made.label_count = <int32_t>label_count
        if index is None:
            made.reserve(size)
            with nogil:
                bad = made.index_entries(<int32_t>size)
        else:
            made.take_slots(&index[0], <uint64_t>index.shape[0], size)
        if bad >= 0:
            raise crowded_entry(bad, offsets[bad])
        return made

    cdef int32_t index_entries(self, int32_t size) noexcept nogil:
        """Index all entries by their offsets; return the first entry without a slot, or -1."""
        cdef const uint8_t* word
        cdef size_t length = 0
        cdef int32_t i
        for i in range(size):
            word = self.entry(i, &length)
            if not self.put(word, length, hash_bytes(word, length), i):
                return i
        return -1

    cdef int32_t put_block(
        self, const uint8_t** words, const size_t* lengths, int32_t count, int32_t start
    ) noexcept nogil:
        """Index at most `WORDS` entries from id `start` on; return how many found a slot."""
        cdef uint32_t hashes[WORDS]
        cdef int32_t i
        for i in range(count):
            hashes[i] = hash_bytes(words[i], lengths[i])
            self.prepare(hashes[i])
        for i in range(count):
            if not self.put(words[i], lengths[i], hashes[i], start + i):
                return i
        return count

    cdef bint put(
        self, const uint8_t* word, size_t length, uint32_t h, int32_t i
    ) noexcept nogil:
        """Index an entry; False if there is no slot for it."""
        cdef uint32_t place = 0
        if self.probe(word, length, h, &place) == TOO_FAR:
            return False
        (<uint32_t*>self.slots)[place] = (h & ~self.id_mask) | (<uint32_t>i + 1)
        return True

    cdef inline int32_t probe(
        self, const uint8_t* word, size_t length, uint32_t h, uint32_t* place
    ) noexcept nogil:
        """Return the id of a word and its slot, `UNKNOWN` and the slot for it, or `TOO_FAR`.

        A slot is read only once, so that the checked id is the one that is used even if the mapped
        file changes.
        """
        cdef uint32_t size = <uint32_t>(self.word_count + self.label_count)
        cdef uint32_t at = h & self.mask
        cdef size_t other_length = 0
        cdef const uint8_t* other
        cdef uint32_t slot
        cdef int probes
        for probes in range(MAX_PROBES):
            slot = self.slots[at]
            if slot == 0:
                place[0] = at
                return UNKNOWN
            if ((slot ^ h) & ~self.id_mask) == 0:
                slot &= self.id_mask
                if 0 < slot <= size:
                    other = self.entry(<int32_t>(slot - 1), &other_length)
                    if other_length == length and memcmp(other, word, length) == 0:
                        place[0] = at
                        return <int32_t>(slot - 1)
            at = (at + 1) & self.mask
        return TOO_FAR

    cdef int32_t find(self, const uint8_t* word, size_t length, uint32_t h) noexcept nogil:
        """Return the id of a word or label with the hash `h`, or -1."""
        cdef uint32_t place
        return max(self.probe(word, length, h, &place), -1)

    cdef void prepare(self, uint32_t h) noexcept nogil:
        """Prefetch the slot of a hash."""
        prefetch(&self.slots[h & self.mask])

    cdef int32_t candidate(self, uint32_t h) noexcept nogil:
        """Return the most likely id of a word with this hash, without comparing texts, or -1."""
        cdef uint32_t slot = self.slots[h & self.mask]
        cdef uint32_t i = (slot & self.id_mask) - 1
        if ((slot ^ h) & ~self.id_mask) or i >= <uint32_t>(self.word_count + self.label_count):
            return -1
        return <int32_t>i

    cdef void find_many(self, const Span* words, Py_ssize_t count, int32_t* ids) noexcept nogil:
        """Write the ids of at most `WORDS` words or labels, -1 for unknown ones.

        Each step of a look-up waits for memory, so each step is done for all words before the next.
        """
        cdef uint32_t hashes[WORDS]
        cdef Py_ssize_t i
        cdef size_t length
        for i in range(count):
            hashes[i] = hash_bytes(words[i].text, words[i].length)
            self.prepare(hashes[i])
        for i in range(count):
            ids[i] = self.candidate(hashes[i])
            if ids[i] >= 0:
                prefetch(&self.offsets[ids[i]])
        for i in range(count):
            if ids[i] >= 0:
                prefetch(self.entry(ids[i], &length))
        for i in range(count):
            ids[i] = self.find(words[i].text, words[i].length, hashes[i])

    cdef int check(self, int32_t i) except -1:
        if not 0 <= i < self.word_count + self.label_count:
            raise InputValueError(
                f"the vocabulary has no entry {i}: it has {self.word_count + self.label_count}"
            )
        return 0

    cdef const uint8_t* entry(self, int32_t i, size_t* length) noexcept nogil:
        """Return the text of an entry."""
        cdef uint64_t start = self.offsets[i]
        cdef uint64_t stop = self.offsets[i + 1]
        if stop > self.text_size or start + self.gap > stop:
            length[0] = 0
            return self.base
        length[0] = stop - self.gap - start
        return self.base + start

    def pack(self, const int32_t[::1] ids not None):
        """Copy entries: concatenated texts, offsets and counts.

        Parameters
        ----------
        ids : int32 buffer, shape (n,)
            Distinct ids.

        Returns
        -------
        text : bytes
        offsets : ndarray of uint64, shape (n + 1,)
        counts : ndarray of int64, shape (n,)

        Raises
        ------
        InputValueError
            The vocabulary has no entry with an id.
        FormatError
            Entries overlap: together they are longer than the whole text.
        """
        cdef Py_ssize_t i
        cdef size_t length = 0
        cdef size_t total = 0
        cdef const uint8_t* word
        offsets = np.zeros(ids.shape[0] + 1, np.uint64)
        counts = np.zeros(ids.shape[0], np.int64)
        cdef uint64_t[::1] ends = offsets
        cdef int64_t[::1] counted = counts
        for i in range(ids.shape[0]):
            self.check(ids[i])
            self.entry(ids[i], &length)
            total += length
            if total > self.text_size:
                raise FormatError(
                    "vocabulary.offsets",
                    0,
                    f"entries of the vocabulary up to number {ids[i]} overlap: the file is damaged; "
                    "convert the original model again",
                )
            ends[i + 1] = total
            counted[i] = self.count(ids[i])
        cdef bytes text = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>total)
        cdef char* out = PyBytes_AS_STRING(text)
        for i in range(ids.shape[0]):
            word = self.entry(ids[i], &length)
            memcpy(out + ends[i], word, length)
        return text, offsets, counts

    @staticmethod
    def index_size(size):
        """Return the size in bytes of the offsets and the index of a scanned dictionary."""
        return (size + 1) * sizeof(uint64_t) + _capacity(size) * sizeof(uint32_t)

    @staticmethod
    def slot_count(size):
        """Return the number of slots of the index over this many entries."""
        return _capacity(size)

    def index(self):
        """Return the hash index as bytes of uint32."""
        return (<const char*>self.slots)[: 4 * (<Py_ssize_t>self.mask + 1)]

    @property
    def repeats(self) -> bool:
        # A repeated entry has replaced the first one in its slot.
        cdef int64_t used = 0
        cdef uint64_t at
        if self.repeated < 0:
            with nogil:
                for at in range(<uint64_t>self.mask + 1):
                    used += self.slots[at] != 0
            self.repeated = used < self.word_count + self.label_count
        return self.repeated > 0

    cdef int64_t count(self, int32_t i) noexcept:
        cdef int64_t found
        if self.stored_counts is not None:
            return self.stored_counts[i]
        memcpy(&found, self.base + self.offsets[i + 1] - TAIL + 1, 8)
        return found

    def counts(self, int32_t start, int32_t stop):
        """Return the counts in training of a range of entries, as an array of int64."""
        cdef int32_t i
        if start < stop:
            self.check(start)
            self.check(stop - 1)
        counts = np.zeros(max(<Py_ssize_t>stop - start, 0), np.int64)
        cdef int64_t[::1] out = counts
        for i in range(start, stop):
            out[i - start] = self.count(i)
        return counts

    def bytes(self, int32_t i):
        """Return the bytes of an entry."""
        cdef size_t length = 0
        self.check(i)
        cdef const uint8_t* text = self.entry(i, &length)
        return (<const char*>text)[:length]

    def id(self, word):
        """Return the id of a word or label (labels follow the words), or -1 if it is unknown."""
        word = readable(word)
        cdef Span found = span(word)
        return self.find(found.text, found.length, hash_bytes(found.text, found.length))

    def has(self, word):
        """Return whether a str or bytes is an entry; False for a str that cannot be encoded."""
        try:
            return self.id(word) >= 0
        except InputValueError:
            return False


cdef object crowded_entry(entry, offset):
    return FormatError(
        f"dictionary entry {entry}",
        offset,
        "too many entries share one hash: this is not a dictionary of words",
    )
