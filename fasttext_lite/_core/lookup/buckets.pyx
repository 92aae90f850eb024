"""The hash of an n-gram or word n-gram to its row."""

cimport cython
from libc.stdint cimport INT32_MAX, UINT32_MAX, int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, qsort

from fasttext_lite.errors import InputValueError

cdef extern from "arithmetic.h" nogil:
    uint64_t multiply_high "ftl_multiply_high"(uint64_t a, uint64_t b)
    uint32_t count_bits "ftl_count_bits"(uint64_t bits)

cdef enum:
    # At most this many bits of the filter for each bucket that pruning kept.
    FILTER_BITS = 64
    # Up to this many numbers are sorted by insertion.
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


cdef int _shift(int64_t limit, int64_t groups) noexcept nogil:
    """Return the smallest shift that groups the buckets below `limit` into `groups` or fewer."""
    cdef int shift = 0
    while (limit >> shift) > groups:
        shift += 1
    return shift


@cython.final
cdef class PruneIndex:
    """The buckets that a pruned model kept, and their rows.

    A table over the upper bits of the bucket gives a run of sorted buckets, on average about one.
    Binary search in the run keeps the worst case fast.

    Parameters
    ----------
    buckets : int32 buffer, shape (n,)
        Ascending and distinct, each in ``[0, limit)``.
    rows : int32 buffer, shape (n,), or None
        The row of each bucket, counted from the first subword row. None if that is its index in
        `buckets`.
    limit : int
        The number of buckets before pruning.
    starts : uint32 buffer, optional
        The stored table, as returned by `table`; computed if missing. Its entries are checked when
        they are used.

    Raises
    ------
    InputValueError
        The arrays do not fit one another, or the buckets are not ascending or out of range.
    """

    def __cinit__(
        self,
        const int32_t[::1] buckets not None,
        const int32_t[::1] rows,
        int64_t limit,
        const uint32_t[::1] starts=None,
    ):
        cdef Py_ssize_t i, run, runs
        cdef uint32_t* made
        if not 0 <= limit <= INT32_MAX:
            raise InputValueError(f"the number of buckets must be in [0, 2**31), not {limit}")
        self.size = buckets.shape[0]
        self.limit = limit
        self.buckets = buckets
        self.rows = rows
        self.shift = _shift(limit, 2 * self.size)
        runs = <Py_ssize_t>(limit >> self.shift) + 1
        if rows is not None and rows.shape[0] != self.size:
            raise InputValueError(
                f"{self.size} buckets do not fit {rows.shape[0]} rows: give one row for each"
            )
        if starts is not None:
            if starts.shape[0] != runs + 1:
                raise InputValueError(
                    f"the table must have {runs + 1} entries for {self.size} of {limit} buckets, "
                    f"not {starts.shape[0]}"
                )
            self.owner = starts
            self.starts = &starts[0]
            return
        for i in range(self.size):
            if not (buckets[i - 1] if i else -1) < buckets[i] < limit:
                raise InputValueError(
                    f"the buckets must be ascending numbers in [0, {limit}), but bucket {i} is "
                    f"{buckets[i]}"
                )
        made = <uint32_t*>calloc(<size_t>runs + 1, sizeof(uint32_t))
        if made == NULL:
            raise MemoryError
        self.own_starts = made
        self.starts = made
        for i in range(self.size):
            made[(buckets[i] >> self.shift) + 1] += 1
        for run in range(runs):
            made[run + 1] += made[run]

    def __dealloc__(self):
        free(self.own_starts)

    def pairs(self):
        """Return the kept buckets, ascending, and the row of each, as int32 buffers.

        The second is None if the row of each bucket is its index.
        """
        return self.buckets.base, None if self.rows is None else self.rows.base

    @staticmethod
    def table_length(int64_t size, int64_t limit):
        """Return the number of uint32 in the table of `size` kept buckets out of `limit`."""
        return (limit >> _shift(limit, 2 * size)) + 2

    def table(self):
        """Return the table as bytes of uint32."""
        return (<const char*>self.starts)[: 4 * (<Py_ssize_t>(self.limit >> self.shift) + 2)]

    cdef int64_t find(self, uint32_t bucket) noexcept nogil:
        """Return the row of a bucket, or -1 if it was dropped."""
        cdef uint32_t run = bucket >> self.shift
        cdef uint32_t low = self.starts[run]
        cdef uint32_t end = min(self.starts[run + 1], <uint32_t>self.size)
        cdef uint32_t high = end
        cdef uint32_t middle
        while low < high:
            middle = low + ((high - low) >> 1)
            if <uint32_t>self.buckets[middle] < bucket:
                low = middle + 1
            else:
                high = middle
        if low < end and <uint32_t>self.buckets[low] == bucket:
            return self.rows[low] if self.rows is not None else low
        return -1


@cython.final
cdef class Buckets:
    """Finds the row of a hash: the bucket is the hash modulo their number.

    Parameters
    ----------
    count : int
        Number of buckets, 0 for none.
    first_row : int
        The row of the first bucket.
    prune : PruneIndex, optional
        The buckets that were kept, if the model is pruned.

    Raises
    ------
    InputValueError
        The number of buckets is negative or above 2**31 - 1, or is not that of `prune`.
    """

    def __cinit__(self, int64_t count, int64_t first_row, PruneIndex prune=None):
        if not 0 <= count <= INT32_MAX:
            raise InputValueError(f"the number of buckets must be in [0, 2**31), not {count}")
        if prune is not None and prune.limit != count:
            raise InputValueError(
                f"the prune index is for {prune.limit} buckets, the model has {count}"
            )
        self.count = count
        self.first_row = first_row
        self.prune = prune
        # h mod count by two multiplications (Lemire, Kaser and Kurz 2019, "Faster remainder by
        # direct computation"). For one bucket it wraps to 0, and the remainder is correctly 0.
        if count:
            self.reciprocal = <uint64_t>-1 // <uint64_t>count + 1

    def __dealloc__(self):
        free(self.filter)
        free(self.before)

    cdef Buckets with_filter(self):
        """Return the same buckets with a bit filter for the kept ones.

        The filter fits into a cache near the core, and rejects most of the dropped buckets before
        the prune index is read. With one bit per bucket it is exact, and counting its bits gives
        the index of a bucket among the kept ones. Building it reads all kept buckets.
        """
        cdef PruneIndex prune = self.prune
        cdef Buckets made
        cdef size_t blocks, block
        cdef Py_ssize_t i
        cdef uint32_t group
        if prune is None or self.filter != NULL:
            return self
        made = Buckets(self.count, self.first_row, prune)
        made.shift = _shift(self.count, FILTER_BITS * prune.size)
        blocks = <size_t>(self.count >> made.shift) // 64 + 1
        made.filter = <uint64_t*>calloc(blocks, sizeof(uint64_t))
        made.before = <uint32_t*>calloc(blocks, sizeof(uint32_t))
        if made.filter == NULL or made.before == NULL:
            raise MemoryError
        for i in range(prune.size):
            # The buckets of a stored index are not checked when it is opened.
            if 0 <= prune.buckets[i] < self.count:
                group = <uint32_t>prune.buckets[i] >> made.shift
                made.filter[group >> 6] |= <uint64_t>1 << (group & 63)
        for block in range(1, blocks):
            made.before[block] = made.before[block - 1] + count_bits(made.filter[block - 1])
        return made

    cdef int64_t _kept(self, uint32_t bucket) noexcept nogil:
        """Return the row of a bucket that passed the filter, relative to the first subword row.

        -1 if the bucket was dropped.
        """
        cdef uint64_t bits
        cdef uint32_t place
        if self.shift:
            return self.prune.find(bucket)
        bits = self.filter[bucket >> 6] & ((<uint64_t>1 << (bucket & 63)) - 1)
        place = self.before[bucket >> 6] + count_bits(bits)
        return self.prune.rows[place] if self.prune.rows is not None else place

    cdef int64_t row(self, uint64_t h) noexcept nogil:
        """Return the row of a hash, or -1 if pruning dropped it; `count` must not be 0.

        Hashes of n-grams have 32 bits, hashes of word n-grams 64.
        """
        cdef uint64_t divisor = <uint64_t>self.count
        cdef uint32_t bucket
        cdef int64_t moved
        if h <= UINT32_MAX:
            bucket = <uint32_t>multiply_high(self.reciprocal * h, divisor)
        else:
            bucket = <uint32_t>(h % divisor)
        if self.prune is None:
            return self.first_row + bucket
        if self.filter == NULL:
            moved = self.prune.find(bucket)
        else:
            moved = self._kept(bucket) if _bit(self.filter, bucket >> self.shift) else -1
        return self.first_row + moved if moved >= 0 else -1

    cdef size_t rows(self, const uint32_t* hashes, size_t count, int64_t* rows) noexcept nogil:
        """Write the rows of n-gram hashes, without the dropped ones, and return their number."""
        cdef uint64_t divisor = <uint64_t>self.count
        cdef size_t kept = 0
        cdef size_t i
        cdef int64_t row
        if self.prune is None:
            for i in range(count):
                rows[i] = self.first_row + <int64_t>multiply_high(
                    self.reciprocal * hashes[i], divisor
                )
            return count
        for i in range(count):
            row = self.row(hashes[i])
            if row >= 0:
                rows[kept] = row
                kept += 1
        return kept

    cdef size_t place(
        self, const uint32_t* hashes, size_t start, size_t stop, size_t first, size_t sizes,
        int64_t* rows, size_t passed,
    ) noexcept nogil:
        """Write the buckets of the n-grams of one size, for `in_order`.

        The official order is by start, then by size. The position of an n-gram is `first` for start
        0, and `sizes` more for each further start. If the model is not pruned, each bucket is
        written at its position. Otherwise the buckets that pass the filter are appended, with the
        position in the upper bits.
        """
        cdef const uint64_t* filter = self.filter
        cdef int shift = self.shift
        cdef uint64_t reciprocal = self.reciprocal
        cdef uint64_t divisor = <uint64_t>self.count
        cdef size_t at = first + start * sizes
        cdef size_t i
        cdef uint32_t bucket
        if self.prune is None:
            for i in range(start, stop):
                rows[at] = <int64_t>multiply_high(reciprocal * hashes[i], divisor)
                at += sizes
            return 0
        for i in range(start, stop):
            bucket = <uint32_t>multiply_high(reciprocal * hashes[i], divisor)
            rows[passed] = <int64_t>(<uint64_t>at << 32 | bucket)
            at += sizes
            # Without a branch, which would be unpredictable.
            passed += _bit(filter, bucket >> shift)
        return passed

    cdef size_t in_order(self, int64_t* rows, size_t places, size_t passed) noexcept nogil:
        """Convert the output of `place` to rows in official order, and return their number."""
        cdef size_t kept = 0
        cdef size_t i
        cdef int64_t row
        if self.prune is None:
            for i in range(places):
                row = rows[i]
                rows[kept] = self.first_row + row
                kept += row >= 0
            return kept
        _sort(rows, passed)
        for i in range(passed):
            row = self._kept(<uint32_t>rows[i])
            if row >= 0:
                rows[kept] = self.first_row + row
                kept += 1
        return kept
