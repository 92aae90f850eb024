"""A hash index over the words and labels of a model."""

cimport cython
from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcmp

from fasttext_lite._core.text.batch cimport Span, readable, span
from fasttext_lite._core.kernels.cpu cimport prefetch
from fasttext_lite._core.lookup.entries cimport TAIL, Entries
from fasttext_lite._core.lookup.subwords cimport hash_bytes
from fasttext_lite.errors import FormatError, InputValueError

cdef extern from "memory.h" nogil:
    void* table_alloc "ftl_table_alloc"(size_t size)

cdef enum:
    # Far beyond what the words of any language need in a table that is at most half full; words
    # made to collide would otherwise take quadratic time.
    MAX_PROBES = 1024
    # Entries read before any is put into the index, so that their slots are fetched meanwhile.
    BLOCK = 32

cdef uint32_t EMPTY = 0
# What a text of no bytes points to, since NULL is not for the functions of the C library.
cdef uint8_t NOTHING = 0


cdef uint64_t _capacity(uint64_t size) noexcept nogil:
    """Slots for so many entries: a power of two, at least half of them empty."""
    cdef uint64_t capacity = 2
    while capacity < 2 * size:
        capacity *= 2
    return capacity


@cython.final
cdef class Vocabulary(Entries):
    """Words and labels, and a hash index over them; made by `scan` or `stored`.

    The index is an open-addressing table of uint32. A slot is 0 if it is empty; else its lower
    bits, as many as the number of entries takes, are the id + 1, and the bits above are those of
    the hash, so that few texts are compared in vain. Of entries with the same text the last wins,
    as in the official program. Words come first, labels follow.

    Attributes
    ----------
    end : int
        Where the dictionary ended that was scanned.
    """

    def __cinit__(self):
        self.slots = &EMPTY

    def __dealloc__(self):
        free(self.own_slots)

    cdef void reserve(self, int64_t size) except *:
        """Make an empty index for so many entries."""
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
    def scan(
        const uint8_t[::1] text not None,
        Py_ssize_t start,
        Py_ssize_t stop,
        int64_t word_count,
        int64_t label_count,
    ):
        """Read the dictionary of a fastText file.

        One pass finds where each entry begins and indexes it. Nothing per word is copied: 8 bytes
        an entry for its offset and 8 to 16 for the index are all that it takes.

        Parameters
        ----------
        text : buffer of bytes
            The whole file.
        start : int
            Where the first entry begins.
        stop : int
            No entry reaches beyond.
        word_count, label_count : int

        Raises
        ------
        FormatError
            An entry is not within the dictionary, is of the wrong type, or collides with too many.
        """
        cdef Vocabulary made = Vocabulary()
        cdef int64_t size = word_count + label_count
        cdef uint64_t* offsets
        cdef int32_t bad
        cdef bint crowded = False
        if size > INT32_MAX or size * TAIL > stop - start:
            raise FormatError(
                "size", start, f"the head says {size} entries, more than the dictionary has room for"
            )
        made.text = text
        made.base = &text[0]
        made.text_size = <uint64_t>stop
        made.gap = TAIL
        made.word_count = <int32_t>word_count
        made.label_count = <int32_t>label_count
        made.reserve(size)
        offsets = <uint64_t*>table_alloc((<size_t>size + 1) * sizeof(uint64_t))
        made.own_offsets = offsets
        if offsets == NULL:
            raise MemoryError
        made.offsets = offsets
        offsets[0] = <uint64_t>start
        with nogil:
            bad = made.scan_entries(offsets, <uint64_t>stop, <int32_t>size, &crowded)
        if crowded:
            raise _crowded(bad, offsets[bad])
        if bad >= 0:
            raise FormatError(
                f"dictionary entry {bad}",
                offsets[bad],
                f"the dictionary is cut or damaged: entry {bad} of {size} does not end within it, "
                f"or is not a {'word' if bad < word_count else 'label'} as its place says",
            )
        made.end = <Py_ssize_t>offsets[size]
        return made

    @staticmethod
    def stored(
        const uint8_t[::1] text not None,
        const uint64_t[::1] offsets not None,
        const int64_t[::1] counts not None,
        int64_t word_count,
        int64_t label_count,
        const uint32_t[::1] index=None,
    ):
        """Take entries that stand end to end, and their index where it is stored too.

        What these arrays say is checked when it is used: an offset or an id that leads outside
        them gives an empty text or an unknown word.

        Parameters
        ----------
        text : buffer of bytes
        offsets : uint64 buffer, shape (n + 1,)
            Where each entry begins in `text`, and where the last one ends.
        counts : int64 buffer, shape (n,)
        word_count, label_count : int
            Their sum is n.
        index : uint32 buffer, shape (slots,), optional
            As `index` gives it; built if it is missing.

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
        if size > INT32_MAX or counts.shape[0] != size or offsets.shape[0] != size + 1:
            raise InputValueError("texts, offsets and counts do not fit the number of entries")
        if index is not None and <uint64_t>index.shape[0] != _capacity(<uint64_t>size):
            raise InputValueError("the index does not fit the number of entries")
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
            raise _crowded(bad, offsets[bad])
        return made

    cdef int32_t scan_entries(
        self, uint64_t* offsets, uint64_t stop, int32_t size, bint* crowded
    ) noexcept nogil:
        """Find where each entry begins and index it; the first bad entry, or -1."""
        cdef const uint8_t* words[BLOCK]
        cdef size_t lengths[BLOCK]
        cdef uint32_t hashes[BLOCK]
        cdef const uint8_t* nul
        cdef uint64_t at = offsets[0]
        cdef int32_t start = 0
        cdef int32_t i, count
        while start < size:
            count = min(size - start, <int32_t>BLOCK)
            for i in range(count):
                words[i] = self.base + at
                nul = <const uint8_t*>memchr(words[i], 0, stop - at)
                if nul == NULL or <uint64_t>(nul - self.base) + TAIL > stop:
                    return start + i
                lengths[i] = <size_t>(nul - words[i])
                at = <uint64_t>(nul - self.base) + TAIL
                if self.base[at - 1] != (start + i >= self.word_count):
                    return start + i
                offsets[start + i + 1] = at
            for i in range(count):
                hashes[i] = hash_bytes(words[i], lengths[i])
                prefetch(&self.slots[hashes[i] & self.mask])
            for i in range(count):
                if not self.put(words[i], lengths[i], hashes[i], start + i):
                    crowded[0] = True
                    return start + i
            start += count
        return -1

    cdef int32_t index_entries(self, int32_t size) noexcept nogil:
        """Index entries whose offsets are known; the first that finds no place, or -1."""
        cdef const uint8_t* word
        cdef size_t length = 0
        cdef int32_t i
        for i in range(size):
            word = self.entry(i, &length)
            if not self.put(word, length, hash_bytes(word, length), i):
                return i
        return -1

    cdef bint put(
        self, const uint8_t* word, size_t length, uint32_t h, int32_t i
    ) noexcept nogil:
        """Index an entry; False where there is no place for it."""
        cdef uint32_t* slot = <uint32_t*>self.slot(word, length, h)
        if slot == NULL:
            return False
        slot[0] = (h & ~self.id_mask) | (<uint32_t>i + 1)
        return True

    cdef const uint32_t* slot(self, const uint8_t* word, size_t length, uint32_t h) noexcept nogil:
        """The slot that a word has, or the empty one that it would get; NULL if too far away."""
        cdef uint32_t size = <uint32_t>(self.word_count + self.label_count)
        cdef uint32_t at = h & self.mask
        cdef size_t other_length = 0
        cdef const uint8_t* other
        cdef uint32_t entry
        cdef int probe
        for probe in range(MAX_PROBES):
            entry = self.slots[at]
            if entry == 0:
                return &self.slots[at]
            if ((entry ^ h) & ~self.id_mask) == 0:
                entry &= self.id_mask
                if 0 < entry <= size:
                    other = self.entry(<int32_t>(entry - 1), &other_length)
                    if other_length == length and memcmp(other, word, length) == 0:
                        return &self.slots[at]
            at = (at + 1) & self.mask
        return NULL

    cdef int32_t find(self, const uint8_t* word, size_t length, uint32_t h) noexcept nogil:
        """The id of a word or label whose hash is `h`, or -1."""
        cdef const uint32_t* slot = self.slot(word, length, h)
        return <int32_t>(slot[0] & self.id_mask) - 1 if slot != NULL and slot[0] else -1

    cdef void fetch(self, uint32_t h) noexcept nogil:
        """Begin to read what a look-up of this hash reads first."""
        prefetch(&self.slots[h & self.mask])

    cdef int32_t guess(self, uint32_t h) noexcept nogil:
        """The id that a word with this hash most likely has, without a look at any text; or -1."""
        cdef uint32_t entry = self.slots[h & self.mask]
        cdef uint32_t i = (entry & self.id_mask) - 1
        if ((entry ^ h) & ~self.id_mask) or i >= <uint32_t>(self.word_count + self.label_count):
            return -1
        return <int32_t>i

    cdef void find_many(self, const Span* words, Py_ssize_t count, int32_t* ids) noexcept nogil:
        """The ids of many words or labels, or -1.

        Each step of a look-up waits for the memory, so that many words take it together.
        """
        cdef uint32_t hashes[BLOCK]
        cdef Py_ssize_t done = 0
        cdef Py_ssize_t block, i
        cdef size_t length
        while done < count:
            block = min(count - done, <Py_ssize_t>BLOCK)
            for i in range(block):
                hashes[i] = hash_bytes(words[i].text, words[i].length)
                self.fetch(hashes[i])
            for i in range(block):
                ids[i] = self.guess(hashes[i])
                if ids[i] >= 0:
                    prefetch(&self.offsets[ids[i]])
            for i in range(block):
                if ids[i] >= 0:
                    prefetch(self.entry(ids[i], &length))
            for i in range(block):
                ids[i] = self.find(words[i].text, words[i].length, hashes[i])
            words += block
            ids += block
            done += block

    @staticmethod
    def index_size(size):
        """How many bytes the index over so many entries takes when a dictionary is scanned."""
        return (size + 1) * sizeof(uint64_t) + _capacity(size) * sizeof(uint32_t)

    @staticmethod
    def slot_count(size):
        """How many slots the index over so many entries has."""
        return _capacity(size)

    def index(self):
        """The hash index, as bytes of uint32."""
        return (<const char*>self.slots)[: 4 * (<Py_ssize_t>self.mask + 1)]

    def id(self, word):
        """The id of a word or label (labels follow the words), or -1 where it is unknown."""
        word = readable(word)
        cdef Span found = span(word)
        return self.find(found.text, found.length, hash_bytes(found.text, found.length))

def _crowded(entry, offset):
    return FormatError(
        f"dictionary entry {entry}",
        offset,
        "too many entries share one hash: this is no dictionary of words",
    )
