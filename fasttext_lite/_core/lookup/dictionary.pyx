"""The dictionary of a fastText file: offsets of its entries."""

from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memchr

from fasttext_lite._core.lookup.subwords cimport WORDS
from fasttext_lite._core.lookup.vocabulary cimport (
    TAIL,
    Vocabulary,
    crowded_entry,
    table_alloc,
)
from fasttext_lite.errors import FormatError


def skip(const uint8_t[::1] text not None, Py_ssize_t at, int64_t count):
    """Skip at most `count` entries of a dictionary, from byte `at` on.

    Returns
    -------
    int, int
        The number of complete entries in `text`, at most `count`, and the start of the next one.
    """
    cdef Py_ssize_t size = text.shape[0]
    cdef const uint8_t* nul
    cdef int64_t done = 0
    while done < count and at < size:
        nul = <const uint8_t*>memchr(&text[at], 0, <size_t>(size - at))
        if nul == NULL or nul - &text[0] + TAIL > size:
            break
        at = nul - &text[0] + TAIL
        done += 1
    return done, at


def scan(
    const uint8_t[::1] text not None,
    Py_ssize_t start,
    Py_ssize_t stop,
    int64_t word_count,
    int64_t label_count,
):
    """Read the dictionary of a fastText file.

    One pass finds the start of each entry and indexes it. No text is copied: an entry takes 8 bytes
    for its offset and 8 to 16 bytes for the index.

    Parameters
    ----------
    text : buffer of bytes
        The whole file.
    start : int
        The byte offset of the first entry.
    stop : int
        The byte offset that no entry may exceed.
    word_count, label_count : int

    Raises
    ------
    FormatError
        An entry does not end within the dictionary, has the wrong type, or collides with too many
        others.
    """
    cdef Vocabulary made = Vocabulary()
    cdef int64_t size = word_count + label_count
    cdef uint64_t* offsets
    cdef int32_t bad
    cdef bint crowded = False
    if not 0 <= size <= INT32_MAX or size * TAIL > stop - start:
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
        bad = _scan_entries(made, offsets, <uint64_t>stop, <int32_t>size, &crowded)
    if crowded:
        raise crowded_entry(bad, offsets[bad])
    if bad >= 0:
        raise FormatError(
            f"dictionary entry {bad}",
            offsets[bad],
            f"the dictionary is truncated or damaged: entry {bad} of {size} does not end within "
            f"it, or is not a {'word' if bad < word_count else 'label'}, as its position requires",
        )
    made.end = <Py_ssize_t>offsets[size]
    return made


cdef int32_t _scan_entries(
    Vocabulary made, uint64_t* offsets, uint64_t stop, int32_t size, bint* crowded
) noexcept nogil:
    """Find the start of each entry and index it; return the first bad entry, or -1."""
    cdef const uint8_t* words[WORDS]
    cdef size_t lengths[WORDS]
    cdef const uint8_t* nul
    cdef uint64_t at = offsets[0]
    cdef int32_t start = 0
    cdef int32_t i, count
    while start < size:
        count = min(size - start, <int32_t>WORDS)
        for i in range(count):
            words[i] = made.base + at
            nul = <const uint8_t*>memchr(words[i], 0, stop - at)
            if nul == NULL or <uint64_t>(nul - made.base) + TAIL > stop:
                return start + i
            lengths[i] = <size_t>(nul - words[i])
            at = <uint64_t>(nul - made.base) + TAIL
            if made.base[at - 1] != (start + i >= made.word_count):
                return start + i
            offsets[start + i + 1] = at
        i = made.put_block(words, lengths, count, start)
        if i < count:
            crowded[0] = True
            return start + i
        start += count
    return -1
