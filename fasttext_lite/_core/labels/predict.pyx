"""Lines to labels: the mean of the rows, the output layer, and the prediction."""

import numpy as np

from cpython.float cimport PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from cpython.object cimport PyObject, PyTypeObject
from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.math cimport expf
from libc.stdint cimport int32_t, uint8_t

from fasttext_lite._core.text.batch cimport Span, WordBatch, readable, span
from fasttext_lite._core.labels.line cimport LineReader
from fasttext_lite._core.labels.losses cimport IN_DOUBT, LabelScore, Loss, Precision
from fasttext_lite._core.labels.tokens cimport DONE, NO_MEMORY, NOT_A_NUMBER, Status, failure

from fasttext_lite.arguments import flag, real, whole
from fasttext_lite.errors import InputTypeError, InputValueError

cdef enum:
    # Work memory of a prediction, in bytes, that fits on the stack.
    SMALL = 4096
    # Up to this length predicting takes less time than handing the GIL to another thread.
    SHORT = 256

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

    def max_labels(self, k):
        """Return the largest number of labels of a prediction with this `k`."""
        return self._max_labels(k)

    cdef Py_ssize_t _max_labels(self, object k) except -1:
        cdef Py_ssize_t count = _whole(k)
        return self.loss.label_count if count < 0 else min(count, <Py_ssize_t>self.loss.label_count)

    cdef str _name(self, Py_ssize_t label):
        name = self.reader.tokens.vocabulary.bytes(self.reader.tokens.vocabulary.word_count + label)
        name = name[self.name_start:] if name.startswith(self.reader.tokens.label_prefix) else name
        return name.decode("utf-8", "surrogateescape")

    cdef Py_ssize_t _work_size(self, Py_ssize_t k) noexcept nogil:
        """Return the size of the work memory of `_best`: heap, hidden vector, scratch memory."""
        return (
            (k + 1) * sizeof(LabelScore)
            + self.reader.rows.dim * sizeof(float)
            + self.loss.scratch_size
            + 16
        )

    cdef Status _best(
        self, Span text, Py_ssize_t k, float threshold, bint biased, void* work, Py_ssize_t* found,
        bint* empty,
    ) noexcept nogil:
        """Write the best labels of a text to the start of `work`, with or without the bias."""
        cdef LabelScore* heap = <LabelScore*>work
        cdef float* hidden = <float*>(heap + k + 1)
        cdef size_t scratch = <size_t>(hidden + self.reader.rows.dim)
        cdef Py_ssize_t i
        cdef Precision official
        cdef Status status = self.reader.mean(text, hidden, empty)
        found[0] = 0
        if status != DONE or empty[0]:
            return status
        scratch = (scratch + 7) & ~<size_t>7
        found[0] = IN_DOUBT
        if k <= self.loss.few:
            found[0] = self.loss.best(
                hidden, self.loss.fast_precision(hidden), k, threshold, heap, <void*>scratch
            )
        if found[0] == IN_DOUBT:
            official.official = True
            official.error = 0
            found[0] = self.loss.best(hidden, official, k, threshold, heap, <void*>scratch)
        if found[0] < 0:
            return NOT_A_NUMBER
        if biased:
            for i in range(found[0]):
                heap[i].probability = expf(heap[i].score)
        return DONE

    def predict(self, text, k=1, threshold=0.0, official_bias=True):
        """The best labels of one text."""
        cdef uint8_t small[SMALL]
        cdef void* work = small
        cdef Py_ssize_t most = self._max_labels(k)
        cdef Py_ssize_t size = self._work_size(most)
        cdef Py_ssize_t found = 0
        cdef float least = _real(threshold)
        cdef bint biased = official_bias is True or flag("official_bias", official_bias)
        cdef bint empty = True
        cdef Status status
        cdef Span line
        text = readable(text, "text")
        line = span(text)
        if size > SMALL:
            work = PyMem_RawMalloc(<size_t>size)
            if work == NULL:
                raise MemoryError
        try:
            if line.length <= SHORT and size <= SMALL:
                status = self._best(line, most, least, biased, work, &found, &empty)
            else:
                with nogil:
                    status = self._best(line, most, least, biased, work, &found, &empty)
            if status != DONE:
                raise failure(status, -1)
            return self._answer(<LabelScore*>work, found)
        finally:
            if work != small:
                PyMem_RawFree(work)

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
        int32_t[:, ::1] labels not None,
        float[:, ::1] probabilities not None,
        uint8_t[::1] known=None,
    ):
        """Write the best labels of the texts from `start` on, one text per row of the arrays.

        Rows with fewer than `k` labels are padded with label -1 and probability 0. `known` is set
        to 1 for texts with a known feature, and to 0 for others, which have no labels at any
        threshold.
        """
        cdef Py_ssize_t count = labels.shape[0]
        cdef Py_ssize_t columns = labels.shape[1]
        cdef float least = _real(threshold)
        cdef Py_ssize_t i = 0
        cdef Py_ssize_t found = 0
        cdef Py_ssize_t j
        cdef bint empty = True
        cdef bint masked = known is not None
        cdef Status status = DONE
        cdef LabelScore* best
        if not 0 <= start <= start + count <= texts.size or k > columns or (
            probabilities.shape[0] != count
            or probabilities.shape[1] != columns
            or (masked and known.shape[0] != count)
        ):
            raise InputValueError("the range or the output does not fit the texts")
        with nogil:
            best = <LabelScore*>PyMem_RawMalloc(<size_t>self._work_size(k))
            if best == NULL:
                status = NO_MEMORY
            while status == DONE and i < count:
                status = self._best(texts.spans[start + i], k, least, official_bias, best, &found, &empty)
                for j in range(columns):
                    labels[i, j] = best[j].label if j < found else -1
                    probabilities[i, j] = best[j].probability if j < found else 0
                if masked:
                    known[i] = not empty
                i += 1
            PyMem_RawFree(best)
        if status != DONE:
            raise failure(status, start + i - 1)
