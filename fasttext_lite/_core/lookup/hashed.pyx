"""The rows of hashed features, as fast as a text needs them: all n-grams of a word at once."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, qsort
from libc.string cimport memcmp, memset

from fasttext_lite._core.lookup.subwords cimport PruneIndex, Subwords, hash_basis, hash_step

cdef extern from "arithmetic.h" nogil:
    uint64_t multiply_high "ftl_multiply_high"(uint64_t a, uint64_t b)
    uint32_t count_bits "ftl_count_bits"(uint64_t bits)

cdef enum:
    # At most this many bits of the filter for each bucket that pruning kept.
    FILTER_BITS = 64
    # So many numbers are sorted by insertion.
    FEW = 48


cdef inline size_t _bit(const uint64_t* bits, uint32_t i) noexcept nogil:
    return <size_t>((bits[i >> 6] >> (i & 63)) & 1)


cdef int _order(const void* a, const void* b) noexcept nogil:
    cdef int64_t left = (<const int64_t*>a)[0]
    cdef int64_t right = (<const int64_t*>b)[0]
    return (left > right) - (left < right)


cdef void _sort(int64_t* numbers, size_t count) noexcept nogil:
    cdef size_t i, at
    cdef int64_t one
    if count > FEW:
        qsort(numbers, count, sizeof(int64_t), _order)
        return
    for i in range(1, count):
        one = numbers[i]
        at = i
        while at and numbers[at - 1] > one:
            numbers[at] = numbers[at - 1]
            at -= 1
        numbers[at] = one


cdef class HashedRows:
    """Finds the rows of n-grams and of word n-grams.

    For a pruned model it holds a filter of some bits a kept bucket, small enough for a cache near
    the core, that turns away most of the buckets that were dropped before the prune index is
    asked. Where it has a bit for each bucket it is exact, and counting its bits finds the place of
    one among those that were kept.

    Parameters
    ----------
    subwords : Subwords
    """

    def __cinit__(self, Subwords subwords not None):
        cdef PruneIndex prune = subwords.prune
        cdef int64_t limit = subwords.bucket
        cdef size_t blocks, block
        cdef Py_ssize_t i
        cdef uint32_t group
        self.subwords = subwords
        self.prune = prune
        if prune is None:
            return
        while (limit >> self.shift) > FILTER_BITS * prune.size:
            self.shift += 1
        blocks = <size_t>(limit >> self.shift) // 64 + 1
        self.filter = <uint64_t*>calloc(blocks, sizeof(uint64_t))
        self.before = <uint32_t*>calloc(blocks, sizeof(uint32_t))
        if self.filter == NULL or self.before == NULL:
            raise MemoryError
        for i in range(prune.size):
            # The buckets of a stored index are not checked when it is opened.
            if 0 <= prune.buckets[i] < limit:
                group = <uint32_t>prune.buckets[i] >> self.shift
                self.filter[group >> 6] |= <uint64_t>1 << (group & 63)
        for block in range(1, blocks):
            self.before[block] = self.before[block - 1] + count_bits(self.filter[block - 1])

    def __dealloc__(self):
        free(self.filter)
        free(self.before)

    cdef int64_t _kept(self, uint32_t bucket) noexcept nogil:
        """The row of a bucket that passed the filter, from the first subword row; -1 if dropped."""
        cdef uint64_t bits
        cdef uint32_t place
        if self.shift:
            return self.prune.find(bucket)
        bits = self.filter[bucket >> 6] & ((<uint64_t>1 << (bucket & 63)) - 1)
        place = self.before[bucket >> 6] + count_bits(bits)
        return self.prune.rows[place] if self.prune.rows is not None else place

    cdef int64_t row(self, uint64_t h) noexcept nogil:
        """The row of a word n-gram with this hash, or -1 where pruning dropped it."""
        cdef uint32_t bucket = <uint32_t>(h % <uint64_t>self.subwords.bucket)
        cdef int64_t moved = bucket
        if self.filter != NULL:
            moved = self._kept(bucket) if _bit(self.filter, bucket >> self.shift) else -1
        return self.subwords.first_row + moved if moved >= 0 else -1

    cdef size_t most(self, size_t length) noexcept nogil:
        """At least as many rows as so many bytes of "<word>" have."""
        return length * min(length, <size_t>self.subwords.maxn)

    cdef size_t take(self, const uint8_t* text, size_t length, int64_t* rows) noexcept nogil:
        """Write the rows of all n-grams of "<word>", in official order; their number.

        They are those of `Subwords.take_rows`. All n-grams of one size are hashed together, in
        long loops without branches, and sorted afterwards; `rows` has room for `most(length)`.
        """
        cdef uint32_t hashes[LONGEST]
        cdef uint32_t starts[LONGEST + 1]
        cdef size_t minn = <size_t>max(self.subwords.minn, 1)
        cdef size_t count = 0
        cdef size_t passed = 0
        cdef size_t size = 0
        cdef size_t i, j, longest, sizes
        cdef uint32_t h
        cdef int64_t row
        if self.subwords.bucket == 0 or (length == 6 and memcmp(text, b"<</s>>", 6) == 0):
            return 0
        for i in range(length):
            starts[size] = <uint32_t>i
            size += (text[i] & 0xC0) != 0x80
        starts[size] = <uint32_t>length
        longest = min(size, <size_t>self.subwords.maxn)
        if longest < minn:
            return 0
        sizes = longest - minn + 1
        if self.filter == NULL:
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
                passed = self._emit(hashes, 0, size - j, j + 1 - minn, sizes, rows, passed)
            elif size > 2:
                # A single character that begins or ends the word is none of its n-grams.
                passed = self._emit(hashes, 1, size - 1, 1 - minn, sizes, rows, passed)
        if self.filter == NULL:
            for i in range(size * sizes):
                row = rows[i]
                rows[count] = self.subwords.first_row + row
                count += row >= 0
            return count
        _sort(rows, passed)
        for i in range(passed):
            row = self._kept(<uint32_t>rows[i])
            if row >= 0:
                rows[count] = self.subwords.first_row + row
                count += 1
        return count

    cdef size_t _emit(
        self, const uint32_t* hashes, size_t start, size_t stop, size_t place, size_t sizes,
        int64_t* rows, size_t passed,
    ) noexcept nogil:
        """Write the buckets of the n-grams of one size.

        Their place in the official order is by start, then by size. For a model that is not pruned
        each is written there; else those that pass the filter are written behind those of other
        sizes, with their place in the upper bits.
        """
        cdef const uint64_t* filter = self.filter
        cdef int shift = self.shift
        cdef uint64_t reciprocal = self.subwords.reciprocal
        cdef uint64_t divisor = <uint64_t>self.subwords.bucket
        cdef size_t i
        cdef uint32_t bucket
        place += start * sizes
        if filter == NULL:
            for i in range(start, stop):
                rows[place] = <int64_t>multiply_high(reciprocal * hashes[i], divisor)
                place += sizes
            return 0
        for i in range(start, stop):
            bucket = <uint32_t>multiply_high(reciprocal * hashes[i], divisor)
            rows[passed] = <int64_t>(<uint64_t>place << 32 | bucket)
            place += sizes
            # No branch, which no processor could foresee.
            passed += _bit(filter, bucket >> shift)
        return passed
