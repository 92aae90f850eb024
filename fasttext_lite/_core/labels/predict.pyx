"""Lines to labels: the mean of the rows, the output layer, and the prediction."""

import numpy as np

from cpython.float cimport PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from cpython.object cimport PyObject, PyTypeObject
from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.math cimport expf
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memset

from fasttext_lite._core.text.batch cimport Span, WordBatch, readable, span
from fasttext_lite._core.text.lock cimport Away, busy, come_back, leave
from fasttext_lite._core.labels.line cimport LineReader
from fasttext_lite._core.labels.choice cimport (
    Request,
    Work,
    divide,
    fill_row,
    score,
    search,
    work_size,
)
from fasttext_lite._core.labels.losses cimport LabelScore, Loss
from fasttext_lite._core.labels.tokens cimport DONE, NO_MEMORY, NOT_A_NUMBER, Status, failure, is_long

from fasttext_lite.arguments import flag, real, whole
from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.texts import text_option

cdef enum:
    # Work memory of a prediction, in bytes, that fits on the stack.
    SMALL = 4096

cdef int32_t NO_LABEL = -1
cdef str RAISE = "raise"
cdef str STRICT = "strict"
cdef object _empty = np.empty
cdef object _float32 = np.dtype(np.float32)


cdef Py_ssize_t _whole(object k) except? -2:
    if not PyLong_CheckExact(k):
        k = whole("k", k)
    if k < 1 and k != -1:
        raise InputValueError(f"k must be at least 1, or -1 for all labels, not {k}")
    return min(k, 2**31)


cdef float _real(object threshold) except? -2:
    cdef double number
    if PyFloat_CheckExact(threshold):
        number = threshold
        if number == number:
            return <float>number
    return <float>real("threshold", threshold)


cdef class Predictor:
    """Predicts the most probable labels of lines.

    Parameters
    ----------
    reader : LineReader
    loss : Loss
    answer_type : type
        A named tuple of (labels, probabilities).
    name_start : int
        Number of bytes to remove from the start of a label with the label prefix.

    Raises
    ------
    InputTypeError, InputValueError
        `answer_type` is not a tuple type, or the output layer does not fit.
    """

    def __cinit__(
        self,
        LineReader reader not None,
        Loss loss not None,
        answer_type not None,
        Py_ssize_t name_start,
    ):
        if reader.rows.dim != loss.output.dim or (
            reader.tokens.vocabulary.label_count != loss.label_count
        ):
            raise InputValueError("the output layer does not fit the rows or the labels")
        if not issubclass(answer_type, tuple):
            raise InputTypeError("answer_type must be a tuple type")
        self.reader = reader
        self.loss = loss
        self.answer_type = answer_type
        self.name_start = name_start
        self.names = tuple([self._name(label) for label in range(loss.label_count)])

    def max_labels(self, k, labels=None):
        """Return the largest number of labels of a prediction, among some labels or all."""
        return self._max_labels(k, self.loss.label_count if labels is None else len(labels))

    cdef Py_ssize_t _max_labels(self, object k, Py_ssize_t labels) except -1:
        cdef Py_ssize_t count = _whole(k)
        return labels if count < 0 else min(count, labels)

    cdef str _name(self, Py_ssize_t label):
        name = self.reader.tokens.vocabulary.bytes(self.reader.tokens.vocabulary.word_count + label)
        name = name[self.name_start:] if name.startswith(self.reader.tokens.label_prefix) else name
        return name.decode("utf-8", "surrogateescape")

    cdef Request _request(self, const int32_t[::1] labels, bint renormalize) except *:
        """Return a request with only these fields set."""
        cdef Request ask
        cdef Py_ssize_t i
        memset(&ask, 0, sizeof(Request))
        ask.renormalize = renormalize
        if labels is not None:
            ask.count = labels.shape[0]
            ask.labels = &labels[0] if ask.count else &NO_LABEL
            for i in range(ask.count):
                if not 0 <= labels[i] < self.loss.label_count:
                    raise InputValueError(f"{labels[i]} is not the id of a label")
        return ask

    cdef Status _read(
        self,
        LineReader reader,
        const Span* texts,
        Py_ssize_t* count,
        const Request* ask,
        const Work* work,
        int64_t* rows,
    ) noexcept nogil:
        """Write the hidden vectors of texts, their scores, and the numbers of their rows.

        `count` becomes the number of texts before one that fails.
        """
        cdef Status status = DONE
        cdef Py_ssize_t i = 0
        cdef bint known = False
        while i < count[0]:
            status = reader.mean(
                texts[i], ask.spaces, work.hidden + i * self.loss.output.dim, &rows[i]
            )
            if status != DONE:
                break
            known = known or rows[i] > 0
            i += 1
        count[0] = i
        if known:
            self.loss.score(work.hidden, i, work.scores, work.scratch)
        return status

    cdef Status _begin(self, const Request* ask, Block* block) noexcept nogil:
        """Prepare the work memory of a block, which the caller frees; none is a failure."""
        block.memory = PyMem_RawMalloc(<size_t>work_size(self.loss, ask, self.loss.block))
        block.count = block.at = 0
        block.status = NO_MEMORY if block.memory == NULL else DONE
        if block.memory != NULL:
            block.first = divide(self.loss, ask, self.loss.block, block.memory)
        return block.status

    cdef Status _next(
        self,
        LineReader reader,
        const Span* texts,
        Py_ssize_t count,
        const Request* ask,
        Block* block,
    ) noexcept nogil:
        """Move to the first of some texts, after the previous one, or to the first of all."""
        if block.at == block.count:
            if block.status != DONE:
                return block.status
            block.at = 0
            block.count = min(count, self.loss.block)
            block.status = self._read(
                reader, texts, &block.count, ask, &block.first, block.every
            )
            if block.count == 0:
                return block.status
        block.work = block.first
        block.work.hidden += block.at * self.loss.output.dim
        block.work.scores += block.at * self.loss.width
        block.rows = block.every[block.at]
        block.at += 1
        return DONE

    cdef Py_ssize_t _best(self, const Request* ask, const Work* work, int64_t rows) noexcept nogil:
        """Write the best labels of a text to the heap; return their number, or NO_NUMBER."""
        cdef Py_ssize_t found = 0
        cdef Py_ssize_t i
        if rows:
            found = search(self.loss, work, ask)
        if ask.biased:
            for i in range(found):
                work.heap[i].probability = expf(work.heap[i].score)
        return found

    cdef Status _predict(
        self, LineReader reader, Span text, const Request* ask, void* memory, Py_ssize_t* found,
        int64_t* rows,
    ) noexcept nogil:
        """Write the best labels of a text to the start of `memory`, and the number of its rows."""
        cdef Work work = divide(self.loss, ask, 1, memory)
        cdef Py_ssize_t count = 1
        cdef Status status = self._read(reader, &text, &count, ask, &work, rows)
        if status == DONE:
            found[0] = self._best(ask, &work, rows[0])
            if found[0] < 0:
                return NOT_A_NUMBER
        return status

    def predict(
        self,
        text,
        k=1,
        threshold=0.0,
        official_bias=False,
        const int32_t[::1] labels=None,
        bint renormalize=False,
        newlines="raise",
        errors="strict",
    ):
        """The best labels of one text."""
        cdef uint8_t small[SMALL]
        cdef void* memory = small
        cdef Request ask
        cdef bint replaces = False
        cdef LineReader reader = self.reader.fastest()
        cdef Py_ssize_t size
        cdef Py_ssize_t found = 0
        cdef int64_t rows = 0
        cdef Status status
        cdef Span line
        cdef Away away
        if labels is None:
            memset(&ask, 0, sizeof(Request))
            ask.k = self._max_labels(k, self.loss.label_count)
        else:
            ask = self._request(labels, renormalize)
            ask.k = self._max_labels(k, ask.count)
        ask.threshold = _real(threshold)
        ask.biased = official_bias is not False and flag("official_bias", official_bias)
        if newlines is not RAISE or errors is not STRICT:
            ask.spaces = text_option("newlines", newlines)
            replaces = text_option("errors", errors)
        size = work_size(self.loss, &ask, 1)
        text = readable(text, "text", replaces)
        line = span(text)
        if size > SMALL:
            memory = PyMem_RawMalloc(<size_t>size)
            if memory == NULL:
                raise MemoryError
        try:
            # Many labels take as long as a long text.
            away = leave(is_long(line.length) or (size > SMALL and not busy()))
            status = self._predict(reader, line, &ask, memory, &found, &rows)
            come_back(away)
            if status != DONE:
                raise failure(status, -1)
            self.reader.rows_read += rows
            return self._answer(<LabelScore*>memory, found)
        finally:
            if memory != small:
                PyMem_RawFree(memory)

    cdef object _answer(self, const LabelScore* best, Py_ssize_t found):
        """Return a named tuple, with a fast path for one label."""
        cdef Py_buffer buffer
        cdef Py_ssize_t i
        cdef object probabilities = _empty((found,), _float32)
        if found == 1:
            labels = (self.names[best.label],)
            probabilities[0] = best.probability
        else:
            labels = tuple([self.names[best[i].label] for i in range(found)])
            PyObject_GetBuffer(probabilities, &buffer, PyBUF_WRITABLE)
            for i in range(found):
                (<float*>buffer.buf)[i] = best[i].probability
            PyBuffer_Release(&buffer)
        pair = ((labels, probabilities),)
        return (<PyTypeObject*>tuple).tp_new(self.answer_type, <PyObject*>pair, NULL)

    def fill(
        self,
        WordBatch texts not None,
        Py_ssize_t start,
        Py_ssize_t k,
        threshold,
        bint official_bias,
        int32_t[:, ::1] label_ids not None,
        float[:, ::1] probabilities not None,
        const int32_t[::1] labels=None,
        bint renormalize=False,
        uint8_t[::1] known=None,
    ):
        """Write the best labels of the texts from `start` on, one text per row of the arrays.

        Rows with fewer than `k` labels are padded with label -1 and probability 0. `labels` are the
        ids among which to choose. `known` is set to 1 for texts with a known feature, and to 0 for
        others, which have no labels at any threshold.
        """
        cdef LineReader reader = self.reader.fastest()
        cdef Request ask = self._request(labels, renormalize)
        cdef Py_ssize_t count = label_ids.shape[0]
        cdef Py_ssize_t columns = label_ids.shape[1]
        cdef Py_ssize_t i = 0, found = 0, j
        cdef int64_t total = 0
        cdef bint masked = known is not None
        cdef Status status
        cdef Block block
        cdef Away away
        ask.k = k
        ask.threshold = _real(threshold)
        ask.biased = official_bias
        ask.spaces = texts.spaces
        if not 0 <= start <= start + count <= texts.size or k > columns or (
            probabilities.shape[0] != count
            or probabilities.shape[1] != columns
            or (masked and known.shape[0] != count)
        ):
            raise InputValueError("the range or the output does not fit the texts")
        away = leave(True)
        status = self._begin(&ask, &block)
        while status == DONE and i < count:
            status = self._next(reader, texts.spans + start + i, count - i, &ask, &block)
            if status == DONE:
                found = self._best(&ask, &block.work, block.rows)
                if found < 0:
                    status = NOT_A_NUMBER
                for j in range(columns):
                    label_ids[i, j] = block.work.heap[j].label if j < found else -1
                    probabilities[i, j] = block.work.heap[j].probability if j < found else 0
                if masked:
                    known[i] = block.rows > 0
                total += block.rows
            i += 1
        PyMem_RawFree(block.memory)
        come_back(away)
        if status != DONE:
            raise failure(status, texts.first + start + i - 1)
        self.reader.rows_read += total

    def fill_matrix(
        self,
        WordBatch texts not None,
        Py_ssize_t start,
        float[:, ::1] out not None,
        const int32_t[::1] labels=None,
        bint renormalize=False,
    ):
        """Write the probabilities of the texts from `start` on, one text per row of `out`.

        The columns are `labels`, or all labels. Rows of texts without a known feature are 0.
        """
        cdef LineReader reader = self.reader.fastest()
        cdef Request ask = self._request(labels, renormalize)
        cdef Py_ssize_t columns = out.shape[1]
        cdef Py_ssize_t i = 0
        cdef Py_ssize_t j
        cdef int64_t total = 0
        cdef bint done
        cdef Status status
        cdef Block block
        cdef Loss loss = self.loss
        cdef Away away
        ask.k = self.loss.label_count
        ask.spaces = texts.spaces
        if not 0 <= start <= start + out.shape[0] <= texts.size or columns != (
            ask.k if labels is None else ask.count
        ):
            raise InputValueError("the range or the output does not fit the texts")
        if columns == 0:
            return
        away = leave(True)
        status = self._begin(&ask, &block)
        while status == DONE and i < out.shape[0]:
            status = self._next(
                reader, texts.spans + start + i, out.shape[0] - i, &ask, &block
            )
            if status == DONE and block.rows == 0:
                memset(&out[i, 0], 0, <size_t>columns * sizeof(float))
            elif status == DONE:
                if ask.labels == NULL:
                    done = fill_row(loss, &block.work, &out[i, 0])
                else:
                    done = score(loss, &block.work, &ask)
                    for j in range(columns):
                        out[i, j] = block.work.items[j].probability
                if not done:
                    status = NOT_A_NUMBER
                total += block.rows
            i += 1
        PyMem_RawFree(block.memory)
        come_back(away)
        if status != DONE:
            raise failure(status, texts.first + start + i - 1)
        self.reader.rows_read += total
