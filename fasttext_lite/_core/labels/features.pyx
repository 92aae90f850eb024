"""The rows of a line by name, and those of all known words."""

from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free

from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.lookup.subwords cimport Walk, bracket
from fasttext_lite._core.labels.line cimport GATHER, LineReader, longer_hash, signed_hash
from fasttext_lite._core.labels.tokens cimport Token, begin

from fasttext_lite.errors import InputValueError


def take_known(
    LineReader reader not None, int32_t[::1] rows not None, int64_t[::1] starts not None
):
    """Write the rows of all words, in official order, and the start of those of each word.

    Returns
    -------
    int
        The number of rows, or -1 if they do not fit into `rows`.
    """
    cdef int64_t ids[GATHER]
    cdef Walk walk
    cdef Span word
    cdef uint8_t* text = NULL
    cdef int32_t i
    cdef int32_t words = reader.tokens.vocabulary.word_count
    cdef int64_t total = 0
    cdef size_t j
    cdef size_t found = 0
    if starts.shape[0] != words + 1 or reader.rows.count > INT32_MAX:
        raise InputValueError("the starts do not fit the words, or the row ids an int32")
    with nogil:
        for i in range(words):
            word.text = reader.tokens.vocabulary.entry(i, &word.length)
            text = bracket(word.text, word.length, NULL, 0)
            if text == NULL:
                break
            starts[i] = total
            reader.subwords.begin(&walk, text, word.length + 2)
            ids[0] = i
            found = not reader.known_ngrams or reader.subwords.has_word_row(i)
            if reader.known_ngrams:
                found += reader.subwords.take_rows(&walk, ids + found, GATHER - found)
            while total + <int64_t>found <= rows.shape[0]:
                for j in range(found):
                    rows[total] = <int32_t>ids[j]
                    total += 1
                if found < GATHER:
                    break
                found = reader.subwords.take_rows(&walk, ids, GATHER)
            else:
                total = -1
            free(text)
            if total < 0:
                break
    if words and text == NULL:
        raise MemoryError
    starts[words] = total
    return total


def list_features(LineReader reader not None, bytes text not None):
    """Return the rows of a line, in official order, as ``(token, feature, row)``.

    `token` is the word of the text that the row belongs to, `feature` the word itself or its
    n-gram; for a word n-gram both are its words, joined by spaces.
    """
    cdef Span line
    cdef Token token
    cdef uint64_t h
    cdef int64_t row
    cdef Py_ssize_t i, j
    line.text = text
    line.length = <size_t>len(text)
    found = []
    words = []
    hashes = []
    begin(&token)
    while reader.tokens.next(&line, &token):
        if token.is_label:
            continue
        word = (<const char*>line.text)[token.start:token.stop]
        words.append(word)
        hashes.append(token.hash)
        if token.entry >= 0 and (
            not reader.known_ngrams or reader.subwords.has_word_row(token.entry)
        ):
            found.append((word, word, token.entry))
        if token.entry < 0 or reader.known_ngrams:
            found.extend((word, ngram, row) for ngram, row in reader.subwords.ngrams(word))
    if reader.subwords.bucket:
        for i in range(len(words)):
            h = signed_hash(hashes[i])
            for j in range(i + 1, min(i + reader.word_ngrams, <Py_ssize_t>len(words))):
                h = longer_hash(h, hashes[j])
                row = reader.hashed.row(h)
                if row >= 0:
                    phrase = b" ".join(words[i:j + 1])
                    found.append((phrase, phrase, row))
    return found
