"""The rows of a line in the order of the official program, on which the last bit of a sum depends."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.kernels.cpu cimport scale_f32
from fasttext_lite._core.labels.line cimport GATHER, LineReader, signed_hash
from fasttext_lite._core.lookup.subwords cimport Walk, bracket
from fasttext_lite._core.labels.tokens cimport END, Token


cdef struct Ids:
    int64_t ids[GATHER]
    size_t count
    int64_t total


cdef void _flush(LineReader reader, Ids* found, float* out) noexcept nogil:
    reader.rows.add(found.ids, found.count, 0, out)
    found.total += <int64_t>found.count
    found.count = 0


cdef inline void _append(LineReader reader, Ids* found, int64_t row, float* out) noexcept nogil:
    if found.count == GATHER:
        _flush(reader, found, out)
    found.ids[found.count] = row
    found.count += 1


cdef bint _add_token(
    LineReader reader, const uint8_t* text, const Token* token, Ids* found, float* out
) noexcept nogil:
    """Add the rows of a token; False where there is no memory."""
    cdef Walk walk
    cdef uint8_t* word
    if token.entry >= 0:
        _append(reader, found, token.entry, out)
        if not reader.known_ngrams:
            return True
    elif token.is_end:
        return True
    word = bracket(text + token.start, token.stop - token.start, NULL, 0)
    if word == NULL:
        return False
    reader.subwords.begin(&walk, word, token.stop - token.start + 2)
    while True:
        found.count += reader.subwords.take_rows(
            &walk, found.ids + found.count, GATHER - found.count
        )
        if found.count < GATHER:
            break
        _flush(reader, found, out)
    free(word)
    return True


cdef bint mean_in_order(LineReader reader, Span line, float* out) noexcept nogil:
    """Write what `LineReader.mean` does, with the official bits; False where there is no memory.

    It takes several times as long.
    """
    cdef const uint8_t* text = line.text
    cdef size_t length = line.length
    cdef Ids found
    cdef Token token
    cdef size_t count = 0
    cdef size_t i, j
    cdef uint64_t h
    cdef int64_t row
    cdef bint done = True
    # A line has no more tokens than this, the end among them.
    cdef uint32_t* hashes = <uint32_t*>malloc((length // 2 + 2) * sizeof(uint32_t))
    if hashes == NULL:
        return False
    found.count = 0
    found.total = 0
    memset(out, 0, <size_t>reader.rows.dim * sizeof(float))
    token.stop = 0
    token.is_end = False
    while done and not token.is_end:
        if not reader.tokens.next(text, length, &token):
            if not reader.tokens.ends:
                break
            text = END
            length = 4
            token.stop = 0
            reader.tokens.next(text, length, &token)
        if not token.is_label:
            hashes[count] = token.hash
            count += 1
            done = _add_token(reader, text, &token, &found, out)
    if done and reader.subwords.bucket:
        for i in range(count):
            h = signed_hash(hashes[i])
            for j in range(i + 1, min(i + <size_t>max(reader.word_ngrams, 1), count)):
                h = h * <uint64_t>116049371 + signed_hash(hashes[j])
                row = reader.hashed.row(h)
                if row >= 0:
                    _append(reader, &found, row, out)
    free(hashes)
    _flush(reader, &found, out)
    if found.total:
        scale_f32(out, <size_t>reader.rows.dim, <float>(1.0 / <double>found.total))
    return done


def features(LineReader reader not None, bytes line not None):
    """The rows of a line, in official order, as ``(token, feature, row)``.

    `token` is the word of the text that the row comes from, `feature` the word itself or its
    n-gram; for a word n-gram both are the words of it, joined by a space.
    """
    cdef const uint8_t* text = line
    cdef size_t length = <size_t>len(line)
    cdef Token token
    cdef uint64_t h
    cdef int64_t row
    cdef Py_ssize_t i, j
    found = []
    words = []
    hashes = []
    token.stop = 0
    token.is_end = False
    while not token.is_end:
        if not reader.tokens.next(text, length, &token):
            line = b"</s>"
            text = line
            length = 4
            token.stop = 0
            reader.tokens.next(text, length, &token)
        if token.is_label:
            continue
        word = line[token.start:token.stop]
        words.append(word)
        hashes.append(signed_hash(token.hash))
        if token.entry >= 0:
            found.append((word, word, token.entry))
        if token.entry < 0 or reader.known_ngrams:
            found.extend((word, ngram, row) for ngram, row in reader.subwords.ngrams(word))
    if reader.subwords.bucket:
        for i in range(len(words)):
            h = hashes[i]
            for j in range(i + 1, min(i + reader.word_ngrams, <Py_ssize_t>len(words))):
                h = h * <uint64_t>116049371 + <uint64_t>hashes[j]
                row = reader.hashed.row(h)
                if row >= 0:
                    phrase = b" ".join(words[i:j + 1])
                    found.append((phrase, phrase, row))
    return found
