"""The output layer: the mean of the rows of a line to its most probable labels."""

from libc.math cimport INFINITY, exp, isnan, log
from libc.stdint cimport int32_t, int64_t

from fasttext_lite._core.lookup.rows cimport Rows

from fasttext_lite.errors import InputValueError


cdef float biased_log(float x) noexcept nogil:
    return <float>log(<double>x + 1e-5)


# A heap with its smallest score first. It moves items exactly as the C++ standard library of the
# official wheels does, which decides which of equal scores are kept, and in what order.

cdef void _sift_up(LabelScore* heap, Py_ssize_t hole, LabelScore item) noexcept nogil:
    cdef Py_ssize_t parent
    while hole > 0:
        parent = (hole - 1) // 2
        if not heap[parent].score > item.score:
            break
        heap[hole] = heap[parent]
        hole = parent
    heap[hole] = item


cdef void _pop(LabelScore* heap, Py_ssize_t size) noexcept nogil:
    """Move the first item of the heap to its end; the heap is then shorter by one."""
    cdef LabelScore item = heap[size - 1]
    cdef Py_ssize_t last = size - 1
    cdef Py_ssize_t hole = 0
    cdef Py_ssize_t child
    heap[last] = heap[0]
    # The hole is moved down to a leaf, whatever the item is, and the item up from there.
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


cdef bint below(const LabelScore* low, const LabelScore* high) noexcept nogil:
    """Return whether one official score is certainly less than another."""
    return low.score + low.error < high.score - high.error


cdef bint keep_best(
    LabelScore* heap, Py_ssize_t* size, Py_ssize_t k, LabelScore item
) noexcept nogil:
    """Add an item to a heap of at most `k`; False if errors leave open which item is dropped."""
    _sift_up(heap, size[0], item)
    if size[0] < k:
        size[0] += 1
        return True
    _pop(heap, k + 1)
    return below(&heap[k], &heap[0])


cdef bint sort_best(LabelScore* heap, Py_ssize_t size) noexcept nogil:
    """Sort a heap, largest score first; False if errors leave the order open."""
    cdef Py_ssize_t left = size
    cdef Py_ssize_t i
    cdef bint certain = True
    while left > 1:
        _pop(heap, left)
        left -= 1
    for i in range(1, size):
        certain = certain and below(&heap[i], &heap[i - 1])
    return certain


cdef class Loss:
    """An output layer. Labels and their order are those of the official program.

    Parameters
    ----------
    output : Rows
        One row per label.
    label_count : int

    Raises
    ------
    InputValueError
        The numbers of rows and labels differ.
    """

    def __cinit__(self, Rows output not None, int32_t label_count, *args):
        if output.count != label_count:
            raise InputValueError(f"{label_count} labels do not fit {output.count} output rows")
        self.output = output
        self.label_count = label_count

    cdef void score(
        self, const float* hidden, Py_ssize_t count, float* out, void* scratch
    ) noexcept nogil:
        """Write `width` numbers for each of some hidden vectors, which other methods need.

        There are at most `block` hidden vectors, one after another.
        """

    cdef Py_ssize_t best(
        self,
        const float* hidden,
        float* scores,
        Py_ssize_t k,
        float threshold,
        LabelScore* heap,
        void* scratch,
    ) noexcept nogil:
        """Write the `k` most probable labels, best first, into `heap`, which has room for k + 1.

        Returns their number, or NO_NUMBER if a probability is NaN. The scores are overwritten.
        """
        return 0

    cdef bint fill(
        self, const float* hidden, float* scores, float* out, LabelScore* heap, void* scratch
    ) noexcept nogil:
        """Write the probability of each label, as `best` finds it among all; False if NaN.

        The heap has room for all labels and one more.
        """
        return False

    cdef bint some(
        self,
        const float* hidden,
        const float* scores,
        LabelScore* items,
        Py_ssize_t count,
        float* row,
        void* scratch,
    ) noexcept nogil:
        """Write what `best` finds for some labels; False if that is NaN.

        `row` has room for all labels.
        """
        return False

    cdef double log_chance(
        self, const float* hidden, const float* scores, int32_t label, bint tail, void* scratch
    ) noexcept nogil:
        """Return the logarithm of a probability, up to a term that all labels share.

        `tail` asks for a logarithm that is finite where the official probability is 0.
        """
        return 0

    cdef bint renormalize(
        self,
        const float* hidden,
        const float* scores,
        LabelScore* items,
        double* chances,
        Py_ssize_t count,
        void* scratch,
    ) noexcept nogil:
        """Write the probabilities of some labels, given that one of them is right; False if NaN.

        `chances` has room for `count` numbers.
        """
        cdef double largest = -INFINITY
        cdef double total = 0
        cdef Py_ssize_t i
        cdef int tail
        for tail in range(2):
            for i in range(count):
                chances[i] = self.log_chance(hidden, scores, items[i].label, tail, scratch)
                if isnan(chances[i]):
                    return False
                largest = max(largest, chances[i])
            if largest > -INFINITY:
                break
        for i in range(count):
            chances[i] = exp(chances[i] - largest)
            total += chances[i]
        for i in range(count):
            items[i].probability = items[i].score = <float>(chances[i] / total)
        return not isnan(total)

    def direction(self, int32_t label, float[::1] out not None):
        """Write the vector whose dot product with the hidden vector is the raw score of a label."""
        cdef int64_t row = label
        if not 0 <= label < self.label_count or out.shape[0] != self.output.dim:
            raise InputValueError("the label or the output does not fit the output layer")
        out[:] = 0
        self.output.add(&row, 1, 0, &out[0])
