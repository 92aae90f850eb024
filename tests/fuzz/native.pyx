# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Fuzz targets for the compiled core, which are too fast to be called through Python.

Each target is a capsule around a C function of one input. It compares the result of the core with
a slower computation of the same, and aborts the process if the two differ.
"""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport isnan
from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport abort, free, malloc
from libc.string cimport memcmp, memcpy

from fasttext_lite._core.files.numbers cimport is_space, read_number
from fasttext_lite._core.labels.line cimport LineReader
from fasttext_lite._core.lookup.buckets cimport PruneIndex
from fasttext_lite._core.lookup.subwords cimport LONGEST, Subwords, Walk, bracket
from fasttext_lite._core.text.batch cimport Span

from array import array

from support.builders import SUPERVISED, Quantizer, build

from fasttext_lite._core.files.binaryrows import BinaryRows
from fasttext_lite._core.files.textrows import TextRows
from fasttext_lite._core.labels.features import list_features
from fasttext_lite.layers import Tables, make_reader
from fasttext_lite.errors import FormatError
from fasttext_lite.formats import fasttext

cdef extern from "stdlib.h" nogil:
    float strtof(const char* text, char** end)


cdef void expect(bint truth, const char* what) noexcept:
    if not truth:
        print("==fuzz== this does not hold:", what.decode())
        abort()


# Decimal numbers of a row, against the C library.


cdef void fuzz_numbers(const uint8_t* data, size_t size) noexcept:
    cdef const uint8_t* stop = data + size
    cdef const uint8_t* at = data
    cdef const uint8_t* behind
    cdef char* end = NULL
    cdef float found = 0
    cdef float expected
    cdef size_t length
    cdef char* text
    while at < stop:
        if is_space(at[0]):
            at += 1
            continue
        behind = at
        if not read_number(&behind, stop, &found):
            expect(at < behind <= stop, b"an invalid number ends within the data")
            at = behind
            continue
        expect(at < behind <= stop, b"a number ends within the data")
        expect(behind == stop or is_space(behind[0]), b"a number ends at a space")
        length = behind - at
        text = <char*>malloc(length + 1)
        memcpy(text, at, length)
        text[length] = 0
        expected = strtof(text, &end)
        expect(end == text + length, b"the C library reads the same number")
        expect(
            (isnan(expected) and isnan(found)) or memcmp(&expected, &found, 4) == 0,
            b"a number is the float32 nearest to its decimals",
        )
        free(text)
        at = behind


# Rows of word vectors, whole and in pieces.


cdef object _rows(const uint8_t* data, size_t size, size_t cut, int dim, bint binary):
    """Parse the data in two pieces, and return the result or the arguments of the error."""
    cdef const uint8_t[::1] whole
    cdef bytes copy = (<const char*>data)[:size]
    parser = (BinaryRows if binary else TextRows)(dim, 50, 0, "said")
    take = parser.take
    if size == 0:
        return None
    whole = copy
    try:
        used = take(whole[:cut], False)
        expect(0 <= used <= <Py_ssize_t>cut, b"the parser reads no more than the first piece")
        used += take(whole[used:], True)
        parser.finish()
    except FormatError as error:
        return error.args
    return used, parser.count, bytes(parser.words), bytes(parser.offsets), bytes(parser.numbers)


cdef void fuzz_text_rows(const uint8_t* data, size_t size) noexcept:
    if size < 3:
        return
    cdef int dim = 1 + data[0] % 5
    cdef size_t cut = (data[1] * size) // 256
    whole = _rows(data + 2, size - 2, 0, dim, data[0] & 128)
    pieces = _rows(data + 2, size - 2, min(cut, size - 2), dim, data[0] & 128)
    expect(whole == pieces, b"rows read in two pieces equal those read in one")


# N-grams, in one pass and one by one.


def _shapes():
    buckets = array("i", range(3, 900, 7))
    rows = array("i", range(len(buckets) - 1, -1, -1))
    few = array("i", [0, 5, 2**31 - 2])
    for minn, maxn in ((3, 6), (0, 1), (1, 4), (2, -1), (6, 3), (3, 2**31 - 1)):
        yield Subwords(minn, maxn, 1000, 4)
        yield Subwords(minn, maxn, 1000, 4, None, 3)
        yield Subwords(minn, maxn, 1, 4)
        yield Subwords(minn, maxn, 2**31 - 1, 0)
        yield Subwords(minn, maxn, 1000, 4, PruneIndex(buckets, rows, 1000))
        yield Subwords(minn, maxn, 1000, 4, PruneIndex(buckets, rows, 1000), 4)
        yield Subwords(minn, maxn, 2**31 - 1, 4, PruneIndex(few, None, 2**31 - 1))


cdef list SHAPES = list(_shapes())
cdef list FILTERED = [(<Subwords>shape).filtered() for shape in SHAPES]


cdef void fuzz_subwords(const uint8_t* data, size_t size) noexcept:
    cdef uint8_t buffer[16]
    cdef Subwords shape
    cdef Subwords filtered
    cdef Walk walk
    cdef size_t room, found, again, i
    cdef uint8_t* word
    cdef int64_t* slow
    cdef int64_t* fast
    if size == 0:
        return
    shape = SHAPES[data[0] % len(SHAPES)]
    filtered = FILTERED[data[0] % len(SHAPES)]
    word = bracket(data + 1, size - 1, buffer, 16)
    size += 1
    if size <= LONGEST:
        room = filtered.most(size)
        slow = <int64_t*>malloc(room * sizeof(int64_t) + 8)
        fast = <int64_t*>malloc(room * sizeof(int64_t) + 8)
        shape.begin(&walk, word, size)
        found = shape.take_rows(&walk, slow, room + 1)
        expect(found <= room, b"no word has more n-grams than `most` says")
        again = filtered.take(word, size, fast)
        expect(found == again, b"both walks find the same number of n-grams")
        expect(
            memcmp(slow, fast, found * sizeof(int64_t)) == 0,
            b"both walks find the same rows in the same order",
        )
        for i in range(found):
            expect(slow[i] >= shape.first_row, b"no n-gram has a word row")
        free(slow)
        free(fast)
    if word != buffer:
        free(word)


# Lines: tokens, look-up, n-grams and word n-grams.


def _readers():
    words = [b"</s>", b"one", b"two", b"three", "élan".encode(), b"\xff\xfe", b"x" * 300]
    options = {"model": SUPERVISED, "words": words, "labels": [b"__label__a", b"__label__b"]}
    dense = options | {"bucket": 100, "dim": 3}
    quantised = dense | {"input_quantizer": Quantizer(dsub=2, qnorm=True)}
    pruned = quantised | {"prune": [(i, i // 7) for i in range(0, 99, 7)]}
    for more in (
        dense | {"word_ngrams": 1, "minn": 0, "maxn": 0},
        dense | {"word_ngrams": 2, "minn": 2, "maxn": 5},
        quantised | {"word_ngrams": 12, "minn": 1, "maxn": 3},
        pruned | {"word_ngrams": 3, "minn": 3, "maxn": 6},
        dense | {"word_ngrams": -1, "minn": 3, "maxn": 20, "bucket": 1},
    ):
        reader = make_reader(fasttext.read(memoryview(build(**more)), "memory"))
        yield reader
        faster = Tables(reader.rows, len(words), more["maxn"] > 0)(reader)
        if faster is not None:
            yield faster


cdef list READERS = list(_readers())


cdef void fuzz_line(const uint8_t* data, size_t size) noexcept:
    cdef float out[3]
    cdef LineReader reader
    cdef int64_t total
    cdef uint8_t* line
    cdef Span whole
    if size == 0:
        return
    reader = READERS[(data[0] & 31) % len(READERS)]
    # The line is in memory of exactly its size, without the byte that chose the reader.
    line = <uint8_t*>malloc(size - 1)
    memcpy(line, data + 1, size - 1)
    whole.text = line
    whole.length = size - 1
    total = reader._sum(whole, out)
    # The listing makes objects, so it takes part for short lines alone.
    if data[0] & 32 and size < 48:
        expect(
            total == len(list_features(reader, (<const char*>line)[:size - 1])),
            b"a line has as many rows as features",
        )
        reader.tokens.split((<const char*>line)[:size - 1], "surrogateescape")
    free(line)


numbers = PyCapsule_New(<void*>fuzz_numbers, NULL, NULL)
text_rows = PyCapsule_New(<void*>fuzz_text_rows, NULL, NULL)
subwords = PyCapsule_New(<void*>fuzz_subwords, NULL, NULL)
line = PyCapsule_New(<void*>fuzz_line, NULL, NULL)
