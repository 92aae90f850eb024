"""N-grams of a word, their hash, and the rows of the input matrix that they have."""

from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy

from fasttext_lite.errors import InputValueError


cdef uint8_t* bracket(
    const uint8_t* word, size_t length, uint8_t* buffer, size_t capacity
) noexcept nogil:
    """Write "<word>" into the buffer, or into memory of its own where it does not fit.

    The caller frees what is not its buffer; NULL means that there is no memory.
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


cdef class PruneIndex:
    """Which buckets a pruned model kept, and where their rows went.

    A table over the upper bits of the bucket leads to a run of about one sorted bucket, searched
    by halves, so that no choice of buckets makes a look-up slow.

    Parameters
    ----------
    buckets : int32 buffer, shape (n,)
        Ascending, without repeats, each in ``[0, limit)``.
    rows : int32 buffer, shape (n,), or None
        The row of each bucket, counted from the first subword row; None where that is its place
        among the buckets.
    limit : int
        The number of buckets before pruning.
    starts : uint32 buffer, optional
        The table, as `starts` gives it; made if it is missing. What a stored one says is checked
        when it is used.

    Raises
    ------
    InputValueError
        The arrays do not fit one another, or the buckets no table.
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
        self.size = buckets.shape[0]
        self.buckets = buckets
        self.rows = rows
        self.shift = 0
        while (limit >> self.shift) > 2 * self.size:
            self.shift += 1
        runs = <Py_ssize_t>(limit >> self.shift) + 1
        if rows is not None and rows.shape[0] != self.size:
            raise InputValueError("buckets and rows do not fit one another")
        if starts is not None:
            if starts.shape[0] != runs + 1:
                raise InputValueError("the table does not fit the number of buckets")
            self.owner = starts
            self.starts = &starts[0]
            return
        for i in range(self.size):
            if not (buckets[i - 1] if i else -1) < buckets[i] < limit:
                raise InputValueError(f"the buckets are no ascending numbers in [0, {limit})")
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
        """The kept buckets, ascending, and the row of each, as buffers of int32.

        The second is None where a row is the place of its bucket.
        """
        return self.buckets.base, None if self.rows is None else self.rows.base

    @staticmethod
    def table_length(size, limit):
        """How many uint32 the table takes for so many buckets of so many."""
        shift = 0
        while (limit >> shift) > 2 * size:
            shift += 1
        return (limit >> shift) + 2

    def table(self, limit):
        """The table, as bytes of uint32."""
        return (<const char*>self.starts)[: 4 * PruneIndex.table_length(self.size, limit)]

    cdef int64_t find(self, uint32_t bucket) noexcept nogil:
        """The row of a bucket, or -1 where it was dropped."""
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


cdef class Subwords:
    """The subword parameters of a model.

    Parameters
    ----------
    minn, maxn : int
        Shortest and longest n-gram in code points. ``minn`` 0 acts as 1, ``maxn`` 0 means that
        there are no n-grams. Below 0 they are what the official program makes of them, which
        compares without sign: no n-grams with such a ``minn``, of any length with such a ``maxn``.
    bucket : int
        Number of hash buckets, 0 for none.
    first_row : int
        The row of bucket 0, which is the number of words.
    prune : PruneIndex or None
        None where the model is not pruned.
    """

    def __cinit__(self, minn, maxn, bucket, first_row, PruneIndex prune=None):
        self.minn = minn
        self.maxn = 0 if minn < 0 else (maxn if maxn >= 0 else INT32_MAX)
        self.bucket = bucket
        self.first_row = first_row
        self.pruned = prune is not None
        self.prune = prune
        # h mod bucket by two multiplications (Lemire, Kaser and Kurz 2019, "Faster remainder by
        # direct computation"); bucket 1 makes this wrap to 0, which gives 0, as it should.
        self.reciprocal = ((2**64 - 1) // bucket + 1) % 2**64 if bucket else 0

    @property
    def has_ngrams(self) -> bool:
        """Whether any n-gram can have a row."""
        return self.bucket > 0 and self.maxn > 0 and (not self.pruned or self.prune.size > 0)

    cdef int64_t row(self, uint32_t h) noexcept nogil:
        """The row of an n-gram with this hash, or -1 where pruning dropped it."""
        cdef uint64_t low = self.reciprocal * h
        cdef uint64_t divisor = <uint64_t>self.bucket
        cdef uint64_t bucket = (
            (low >> 32) * divisor + ((<uint64_t><uint32_t>low * divisor) >> 32)
        ) >> 32
        cdef int64_t moved
        if self.pruned:
            moved = self.prune.find(<uint32_t>bucket)
            return self.first_row + moved if moved >= 0 else -1
        return self.first_row + <int64_t>bucket

    cdef void begin(self, Walk* walk, const uint8_t* text, size_t length) noexcept nogil:
        """Begin a walk over the bytes of "<word>"; "</s>" and a model without n-grams have none."""
        walk.text = text
        walk.length = length
        walk.start = walk.stop = 0
        walk.size = 0
        walk.hash = hash_basis()
        if self.bucket == 0 or self.maxn <= 0 or (
            length == 6 and memcmp(text, b"<</s>>", 6) == 0
        ):
            walk.length = 0

    cdef bint advance(self, Walk* walk) noexcept nogil:
        """Move to the next n-gram, by start and then from short to long; False at the end."""
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
        """Write the rows of the next n-grams; fewer than `capacity` come at the end alone."""
        cdef size_t count = 0
        cdef int64_t row
        while count < capacity and self.advance(walk):
            row = self.row(walk.hash)
            if row >= 0:
                rows[count] = row
                count += 1
        return count

    def ngrams(self, const uint8_t[::1] word not None):
        """The n-grams of a word that have a row, in official order, as ``(bytes, row)``."""
        cdef size_t length = <size_t>word.shape[0]
        cdef bytes text = b"<" + bytes(word) + b">"
        cdef Walk walk
        cdef int64_t row
        found = []
        self.begin(&walk, <const uint8_t*><const char*>text, length + 2)
        while self.advance(&walk):
            row = self.row(walk.hash)
            if row >= 0:
                found.append((text[walk.start:walk.stop], row))
        return found


def fnv1a(const uint8_t[::1] text not None):
    """The 32-bit FNV-1a hash of some bytes, each read as signed, as the official program does."""
    cdef size_t length = <size_t>text.shape[0]
    return hash_bytes(&text[0] if length else NULL, length)
