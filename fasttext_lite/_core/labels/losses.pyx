"""The output layer: from the mean of a line's rows to its most probable labels."""

from libc.math cimport expf, fabsf, isnan, log, rintf
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc

from fasttext_lite._core.lookup.rows cimport DenseRows, Rows

from fasttext_lite.errors import InputValueError

cdef enum:
    # The sigmoid that ns and one-vs-all models were trained with is a table.
    SIGMOIDS = 512
    LARGEST = 8

# The table is read without interpolation. As near to the begin of a step as this, in steps, the
# order in which a score was summed may decide on which side it is.
cdef float MARGIN = 1.0 / 2048

cdef float SIGMOID[SIGMOIDS + 1]
cdef int _i
for _i in range(SIGMOIDS + 1):
    SIGMOID[_i] = <float>(
        1.0 / (1.0 + <double>expf(-(<float>(_i * 2 * LARGEST) / SIGMOIDS - LARGEST)))
    )


cdef float biased_log(float x) noexcept nogil:
    return <float>log(<double>x + 1e-5)


# A heap with its least score first, in the very order of moves of the C++ standard library that
# the official wheels are built with: it decides which of equal scores stay, and in what order.

cdef void _sift_up(Scored* heap, Py_ssize_t hole, Scored item) noexcept nogil:
    cdef Py_ssize_t parent
    while hole > 0:
        parent = (hole - 1) // 2
        if not heap[parent].score > item.score:
            break
        heap[hole] = heap[parent]
        hole = parent
    heap[hole] = item


cdef void _pop(Scored* heap, Py_ssize_t size) noexcept nogil:
    """Move the first of the heap behind it; the heap has one less then."""
    cdef Scored item = heap[size - 1]
    cdef Py_ssize_t last = size - 1
    cdef Py_ssize_t hole = 0
    cdef Py_ssize_t child
    heap[last] = heap[0]
    # The hole goes down to a leaf whatever the item is, which then comes up from there.
    while 2 * hole + 2 < last:
        child = 2 * hole + 2
        if heap[child].score > heap[child - 1].score:
            child -= 1
        heap[hole] = heap[child]
        hole = child
    if 2 * hole + 2 == last:
        heap[hole] = heap[last - 1]
        hole = last - 1
    _sift_up(heap, hole, item)


cdef Py_ssize_t keep_best(Scored* heap, Py_ssize_t size, Py_ssize_t k, Scored item) noexcept nogil:
    """Put an item into the heap of at most `k`, and return how many are in it."""
    _sift_up(heap, size, item)
    if size < k:
        return size + 1
    _pop(heap, size + 1)
    return size


cdef void sort_best(Scored* heap, Py_ssize_t size) noexcept nogil:
    """Sort a heap, largest score first."""
    while size > 1:
        _pop(heap, size)
        size -= 1


cdef class Loss:
    """An output layer.

    Parameters
    ----------
    output : Rows
        One row a label.
    label_count : int
    """

    def __cinit__(self, Rows output not None, int32_t label_count, *args):
        if output.count != label_count:
            raise InputValueError(f"{label_count} labels need as many rows, not {output.count}")
        self.output = output
        self.label_count = label_count
        self.scratch_size = label_count * sizeof(float)

    cdef Py_ssize_t _probabilities(
        self, const float* hidden, bint ordered, float* out
    ) noexcept nogil:
        """Write the probability of each label; what `best` returns instead of a number, or 0."""
        return 0

    cdef Py_ssize_t best(
        self,
        const float* hidden,
        Py_ssize_t k,
        float threshold,
        bint ordered,
        Scored* heap,
        void* scratch,
    ) noexcept nogil:
        """Write the `k` most probable labels, best first, into `heap`, which has room for k + 1.

        Returns how many there are; NO_NUMBER where a probability is none; ON_A_STEP, unless
        `ordered`, where one depends on the last bits of `hidden`, which must have the official
        ones then.
        """
        cdef float* probabilities = <float*>scratch
        cdef Py_ssize_t found = 0
        cdef Scored item
        cdef int32_t label
        # Below this the logarithm is certainly less than that of the least in the heap.
        cdef float least = threshold
        cdef Py_ssize_t failed = self._probabilities(hidden, ordered, probabilities)
        if failed:
            return failed
        for label in range(self.label_count):
            if probabilities[label] < least:
                continue
            item.probability = probabilities[label]
            item.score = biased_log(item.probability)
            item.label = label
            if found == k and item.score < heap[0].score:
                continue
            found = keep_best(heap, found, k, item)
            if found == k:
                least = max(
                    threshold,
                    heap[0].probability - <float>4e-6 * (heap[0].probability + <float>1e-5)
                )
        sort_best(heap, found)
        return found

    def direction(self, int32_t label, float[::1] out not None):
        """Write the vector whose dot product with the hidden one is the raw score of a label."""
        cdef int64_t row = label
        if not 0 <= label < self.label_count or out.shape[0] != self.output.dim:
            raise InputValueError("the label or the output does not fit the output layer")
        out[:] = 0
        self.output.add(&row, 1, 0, &out[0])


cdef class Softmax(Loss):
    """Probabilities that sum up to 1."""

    cdef Py_ssize_t _probabilities(
        self, const float* hidden, bint ordered, float* out
    ) noexcept nogil:
        cdef int32_t i
        cdef float largest = 0
        cdef float total = 0
        for i in range(self.label_count):
            out[i] = self.output.dot(i, hidden)
            if isnan(out[i]):
                return NO_NUMBER
            if i == 0 or out[i] > largest:
                largest = out[i]
        for i in range(self.label_count):
            out[i] = expf(out[i] - largest)
            total += out[i]
        for i in range(self.label_count):
            out[i] /= total
        return 0


cdef class Sigmoid(Loss):
    """A probability for each label by itself: negative sampling and one-vs-all."""

    def __cinit__(self, Rows output not None, *args):
        self.dense = isinstance(output, DenseRows)
        self.scratch_size += output.dim * sizeof(float)

    cdef float _score(
        self, int32_t label, const float* hidden, bint ordered, float* row
    ) noexcept nogil:
        cdef float score = 0
        cdef Py_ssize_t j
        if not (ordered and self.dense):
            return self.output.dot(label, hidden)
        self.output.copy(label, row)
        for j in range(self.output.dim):
            score += row[j] * hidden[j]
        return score

    cdef Py_ssize_t _probabilities(
        self, const float* hidden, bint ordered, float* out
    ) noexcept nogil:
        cdef int32_t i
        cdef float x, place
        for i in range(self.label_count):
            x = self._score(i, hidden, ordered, out + self.label_count)
            if isnan(x):
                return NO_NUMBER
            place = (x + LARGEST) * SIGMOIDS / LARGEST / 2
            if not ordered and -1 < place < SIGMOIDS + 1 and fabsf(place - rintf(place)) < MARGIN:
                return ON_A_STEP
            if x < -LARGEST:
                out[i] = 0
            elif x > LARGEST:
                out[i] = 1
            else:
                out[i] = SIGMOID[<int>place]
        return 0
