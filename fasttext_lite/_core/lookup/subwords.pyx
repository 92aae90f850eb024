"""The n-grams of a word, their hashes, and their rows of the input matrix."""

cimport cython
from libc.stdint cimport INT32_MAX, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from fasttext_lite._core.lookup.buckets cimport Buckets, PruneIndex

from fasttext_lite.errors import InputValueError

cdef extern from "murmur.h" nogil:
    void ftl_murmur(const uint8_t* text, size_t length, uint32_t seed, uint32_t* hashes)

cdef enum:
    # Hashes of n-grams whose rows are looked up together.
    HASHES = 64


cdef uint8_t* bracket(
    const uint8_t* word, size_t length, uint8_t* buffer, size_t capacity
) noexcept nogil:
    """Write "<word>" into the buffer, or into new memory if it does not fit.

    The caller frees the result if it is not the buffer. NULL means out of memory.
    """
    cdef uint8_t* text = buffer
    if length + 2 > capacity:
        text = <uint8_t*>malloc(length + 2)
        if text == NULL:
            return NULL
    text[0] = c"<"
    memcpy(text + 1, word, length)
    text[length + 1] = c">"
    return text


cdef void end_pieces(Pieces* pieces) noexcept nogil:
    """Free what `Subwords.begin_pieces` allocated."""
    if pieces.text != pieces.buffer:
        free(pieces.text)


@cython.final
cdef class Subwords:
    """The n-grams of words, and their rows.

    Parameters
    ----------
    minn, maxn : int
        Shortest and longest n-gram in code points. `minn` 0 is the same as 1, `maxn` 0 means no
        n-grams. The official program compares negative numbers as unsigned: a negative `minn` means
        no n-grams, a negative `maxn` n-grams of any length.
    bucket : int
        Number of hash buckets, 0 for none.
    first_row : int
        The row of bucket 0: the number of words, or 0 if the matrix has no word rows.
    prune : PruneIndex, optional
        The buckets that were kept, if the model is pruned.
    hash_count : int
        0 for fastText: an n-gram has one row, by FNV-1a. 1 to 4 for floret: an n-gram has this many
        rows, by MurmurHash, and the whole "<word>" is the first n-gram.

    Raises
    ------
    InputValueError
        The number of buckets or of hashes is out of range, or the number of buckets is not that of
        `prune`.
    """

    def __cinit__(self, minn, maxn, bucket, first_row, PruneIndex prune=None, hash_count=0):
        if not 0 <= hash_count <= HASH_COUNT:
            raise InputValueError(f"hash_count must be in [0, {HASH_COUNT}], not {hash_count}")
        self.hash_count = hash_count
        self.minn = minn
        self.maxn = 0 if minn < 0 else (maxn if maxn >= 0 else INT32_MAX)
        self.bucket = bucket
        self.first_row = first_row
        self.buckets = Buckets(bucket, first_row, prune)

    @property
    def prune(self):
        """The prune index, or None if the model is not pruned."""
        return self.buckets.prune

    @property
    def has_ngrams(self) -> bool:
        """Whether any n-gram can have a row."""
        prune = self.buckets.prune
        return self.bucket > 0 and (self.maxn > 0 or self.hash_count > 0) and (
            prune is None or prune.size > 0
        )

    cdef Subwords filtered(self):
        """Return the same n-grams with a filter for the prune index, which is built once.

        This pays off for readers of texts, which look up many n-grams.
        """
        cdef Buckets buckets
        cdef Subwords made
        with cython.critical_section(self):
            if self._filtered is None:
                buckets = self.buckets.with_filter()
                if buckets is self.buckets:
                    return self
                made = Subwords(
                    self.minn, self.maxn, self.bucket, self.first_row, buckets.prune,
                    self.hash_count,
                )
                made.buckets = buckets
                self._filtered = made
            return self._filtered

    cdef int64_t row(self, uint64_t h) noexcept nogil:
        """Return the row of a hash, or -1 if pruning dropped it."""
        return self.buckets.row(h)

    cdef bint has_word_row(self, int64_t entry) noexcept nogil:
        """Return whether the word row of an entry is among its rows.

        In a floret model it is for the first entry only, which floret expects to be "</s>".
        """
        return self.hash_count == 0 or entry == 0

    cdef void begin(self, Walk* walk, const uint8_t* text, size_t length) noexcept nogil:
        """Begin a walk over the bytes of "<word>"; it is empty for "</s>" or without n-grams."""
        walk.text = text
        walk.length = length
        walk.start = walk.stop = 0
        walk.size = 0
        walk.hash = hash_basis()
        walk.given = self.hash_count
        walk.whole = AHEAD
        if self.bucket == 0 or (self.maxn <= 0 and self.hash_count == 0) or (
            length == 6 and memcmp(text, b"<</s>>", 6) == 0
        ):
            walk.length = 0
            walk.whole = PASSED

    cdef bint advance(self, Walk* walk) noexcept nogil:
        """Move to the next hash of an n-gram; False at the end.

        The n-grams are ordered by start, then by length. In a floret model each has several hashes,
        and the first is the whole text.
        """
        return self._next_murmur(walk) if self.hash_count else self._next_ngram(walk)

    cdef bint _next_murmur(self, Walk* walk) noexcept nogil:
        if walk.given == self.hash_count:
            if walk.whole == AHEAD:
                walk.whole = CURRENT
                walk.stop = walk.length
            else:
                if walk.whole == CURRENT:
                    walk.whole = PASSED
                    walk.stop = 0
                if not self._next_ngram(walk):
                    return False
            ftl_murmur(
                walk.text + walk.start, walk.stop - walk.start, hash_basis(), walk.hashes
            )
            walk.given = 0
        walk.hash = walk.hashes[walk.given]
        walk.given += 1
        return True

    cdef bint _next_ngram(self, Walk* walk) noexcept nogil:
        cdef const uint8_t* text = walk.text
        cdef size_t length = walk.length
        while walk.start < length:
            while walk.stop < length and walk.size < self.maxn:
                walk.hash = hash_step(walk.hash, text[walk.stop])
                walk.stop += 1
                while walk.stop < length and (text[walk.stop] & 0xC0) == 0x80:
                    walk.hash = hash_step(walk.hash, text[walk.stop])
                    walk.stop += 1
                walk.size += 1
                if walk.size >= self.minn and not (
                    walk.size == 1 and (walk.start == 0 or walk.stop == length)
                ):
                    return True
            walk.start += 1
            while walk.start < length and (text[walk.start] & 0xC0) == 0x80:
                walk.start += 1
            walk.stop = walk.start
            walk.size = 0
            walk.hash = hash_basis()
        return False

    cdef size_t take_rows(self, Walk* walk, int64_t* rows, size_t capacity) noexcept nogil:
        """Write the rows of the next n-grams; return their number, below `capacity` at the end."""
        cdef uint32_t hashes[HASHES]
        cdef size_t count = 0
        cdef size_t gathered = 1
        cdef size_t wanted
        while gathered and count < capacity:
            wanted = min(capacity - count, <size_t>HASHES)
            gathered = 0
            if self.hash_count:
                while gathered < wanted and self._next_murmur(walk):
                    hashes[gathered] = walk.hash
                    gathered += 1
            else:
                while gathered < wanted and self._next_ngram(walk):
                    hashes[gathered] = walk.hash
                    gathered += 1
            count += self.buckets.rows(hashes, gathered, rows + count)
        return count

    cdef bint begin_pieces(
        self, Pieces* pieces, const uint8_t* word, size_t length, int64_t lead
    ) noexcept nogil:
        """Begin a walk over the rows of a word of any length; False if out of memory.

        `lead` is a row to add before the others, or -1. Then call `next_piece` until it returns
        False, and `end_pieces`.
        """
        pieces.text = bracket(word, length, pieces.buffer, SHORT)
        if pieces.text == NULL:
            return False
        pieces.lead = lead >= 0
        pieces.rows[0] = lead
        pieces.ended = False
        self.begin(&pieces.walk, pieces.text, length + 2)
        return True

    cdef bint next_piece(self, Pieces* pieces) noexcept nogil:
        """Gather the next piece, in official order; False if there is none."""
        if pieces.ended:
            return False
        pieces.count = pieces.lead + self.take_rows(
            &pieces.walk, pieces.rows + pieces.lead, GATHER - pieces.lead
        )
        pieces.lead = 0
        pieces.ended = pieces.count < GATHER
        return pieces.count > 0

    cdef size_t most(self, size_t length) noexcept nogil:
        """Return an upper bound on the number of rows of a "<word>" of this many bytes."""
        cdef size_t ngrams = length * min(length, <size_t>self.maxn)
        return self.hash_count * (ngrams + 1) if self.hash_count else ngrams

    cdef size_t take(self, const uint8_t* text, size_t length, int64_t* rows) noexcept nogil:
        """Write the rows of all n-grams of "<word>", in official order, and return their number.

        This is a faster `take_rows` for objects that `filtered` returned: all n-grams of one size
        are hashed together, in long loops without branches. `rows` needs room for `most(length)`.
        """
        cdef uint32_t hashes[LONGEST]
        cdef uint32_t starts[LONGEST + 1]
        cdef size_t minn = <size_t>max(self.minn, 1)
        cdef size_t passed = 0
        cdef size_t size = 0
        cdef size_t i, j, longest, sizes
        cdef uint32_t h
        cdef Walk walk
        if self.hash_count:
            self.begin(&walk, text, length)
            return self.take_rows(&walk, rows, self.most(length))
        if self.bucket == 0 or (length == 6 and memcmp(text, b"<</s>>", 6) == 0):
            return 0
        for i in range(length):
            starts[size] = <uint32_t>i
            size += (text[i] & 0xC0) != 0x80
        starts[size] = <uint32_t>length
        longest = min(size, <size_t>self.maxn)
        if longest < minn:
            return 0
        sizes = longest - minn + 1
        if self.buckets.prune is None:
            memset(rows, 0xFF, size * sizes * sizeof(int64_t))
        for i in range(size):
            hashes[i] = hash_basis()
        for j in range(longest):
            if size == length:
                for i in range(size - j):
                    hashes[i] = hash_step(hashes[i], text[i + j])
            else:
                for i in range(size - j):
                    h = hashes[i]
                    for at in range(starts[i + j], starts[i + j + 1]):
                        h = hash_step(h, text[at])
                    hashes[i] = h
            if j + 1 < minn:
                continue
            if j:
                passed = self.buckets.place(hashes, 0, size - j, j + 1 - minn, sizes, rows, passed)
            elif size > 2:
                # A single character at the start or the end of "<word>" is not an n-gram.
                passed = self.buckets.place(hashes, 1, size - 1, 1 - minn, sizes, rows, passed)
        return self.buckets.in_order(rows, size * sizes, passed)

    def ngrams(self, const uint8_t[::1] word not None):
        """Return the n-grams of a word that have a row, in official order, as ``(bytes, row)``."""
        cdef size_t length = <size_t>word.shape[0]
        cdef bytes text = b"<" + bytes(word) + b">"
        cdef Walk walk
        cdef int64_t row
        found = []
        self.begin(&walk, <const uint8_t*><const char*>text, length + 2)
        while self.advance(&walk):
            row = self.buckets.row(walk.hash)
            if row >= 0:
                found.append((text[walk.start:walk.stop], row))
        return found


def fnv1a(const uint8_t[::1] text not None):
    """Return the 32-bit FNV-1a hash of bytes, read as signed, as in the official program."""
    cdef size_t length = <size_t>text.shape[0]
    return hash_bytes(&text[0] if length else NULL, length)


def murmur(const uint8_t[::1] text not None):
    """Return the four 32-bit numbers of MurmurHash3_x64_128 with the seed of floret."""
    cdef uint32_t hashes[HASH_COUNT]
    cdef size_t length = <size_t>text.shape[0]
    ftl_murmur(&text[0] if length else NULL, length, hash_basis(), hashes)
    return [hashes[i] for i in range(HASH_COUNT)]
