"""The output layer: the mean of the rows of a line to its most probable labels."""

from libc.math cimport INFINITY, exp, expf, fabs, isnan, log, sqrt
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc

from fasttext_lite._core.lookup.rows cimport DenseRows, Rows

from fasttext_lite.errors import InputValueError

cdef enum:
    # The official program computes the sigmoid of ns and one-vs-all models by a table.
    SIGMOIDS = 512
    LARGEST = 8

# Half the distance of float32 numbers near 1.
cdef double UNIT = 2.0 ** -24

cdef float SIGMOID[SIGMOIDS + 1]
cdef int _i
for _i in range(SIGMOIDS + 1):
    SIGMOID[_i] = <float>(
        1.0 / (1.0 + <double>expf(-(<float>(_i * 2 * LARGEST) / SIGMOIDS - LARGEST)))
    )


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


cdef double _largest_norm(Rows rows) except? -1:
    """Return the largest L2 norm of a row; NaN if a row holds NaN."""
    cdef double largest = 0
    cdef double one
    cdef Py_ssize_t i, j
    cdef float* row = <float*>malloc(<size_t>rows.dim * sizeof(float) + 1)
    if row == NULL:
        raise MemoryError
    with nogil:
        for i in range(rows.count):
            rows.copy(i, row)
            one = 0
            for j in range(rows.dim):
                one += <double>row[j] * <double>row[j]
            if not one <= largest:
                largest = one
                if isnan(one):
                    break
        free(row)
    return sqrt(largest)


cdef class Loss:
    """An output layer.

    Labels and their order are those of the official program. Scores are first computed in a fast
    way, by dot products that are summed in another order, with a bound on the error of each score.
    If the bounds leave the result open, `best` returns IN_DOUBT; called again with official
    precision, it computes all scores in the order of the official program.

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
        self.scratch_size = (label_count + output.dim) * sizeof(float)
        self.dense = isinstance(output, DenseRows)
        self.few = 8
        self.flat = True
        self.largest_norm = _largest_norm(output)

    cdef Precision fast_precision(self, const float* hidden) noexcept nogil:
        """Return the precision of the scores that `best` computes in the fast way.

        A dot product of n float32 numbers, summed in any order, is within g(n) |row| |hidden| of
        the exact value, where g(n) = n u / (1 - n u) and u = 2**-24 (Higham 2002, "Accuracy and
        Stability of Numerical Algorithms", 3.1); with a scale within g(n + 1). Two such products
        differ by at most twice this bound.
        """
        cdef Precision found
        cdef double total = 0
        cdef double share = <double>(self.output.dim + 1) * UNIT
        cdef Py_ssize_t j
        for j in range(self.output.dim):
            total += <double>hidden[j] * <double>hidden[j]
        found.official = False
        found.error = 2.001 * share / (1 - share) * self.largest_norm * sqrt(total) + 1e-30
        return found

    cdef float raw_score(
        self, int64_t row, const float* hidden, bint official, float* buffer
    ) noexcept nogil:
        """Return the dot product of a row and the hidden vector; `buffer` has room for the row."""
        cdef float score = 0
        cdef Py_ssize_t j
        if not (official and self.dense):
            # For quantised rows the official program sums in the order of `dot`.
            return self.output.dot(row, hidden)
        self.output.copy(row, buffer)
        for j in range(self.output.dim):
            score += buffer[j] * hidden[j]
        return score

    cdef Py_ssize_t _probabilities(
        self, const float* hidden, const Precision* precision, float* out, double* error
    ) noexcept nogil:
        """Write the probability of each label, and a bound on the error of its logarithm.

        Returns 0, or one of the negative values that `best` returns.
        """
        return 0

    cdef Py_ssize_t best(
        self,
        const float* hidden,
        Precision precision,
        Py_ssize_t k,
        float threshold,
        LabelScore* heap,
        void* scratch,
    ) noexcept nogil:
        """Write the `k` most probable labels, best first, into `heap`, which has room for k + 1.

        Returns their number; NO_NUMBER if a probability is NaN; or IN_DOUBT, unless the precision
        is official, if errors leave open the labels or their order.
        """
        cdef float* probabilities = <float*>scratch
        cdef Py_ssize_t found = 0
        cdef double error = 0
        cdef LabelScore item
        cdef int32_t label
        # A label below this certainly has a smaller logarithm than the smallest one in the heap.
        cdef float least = threshold
        cdef float p
        cdef bint certain = True
        cdef Py_ssize_t failed
        if not precision.official and not precision.error < 0.01:
            return IN_DOUBT
        failed = self._probabilities(hidden, &precision, probabilities, &error)
        if failed:
            return failed
        # The common divisor of a softmax does not affect the order within one text.
        item.error = <float>(2 * (error + 64 * UNIT)) if error else 0
        for label in range(self.label_count):
            p = probabilities[label]
            if p < least:
                continue
            item.probability = p
            item.score = biased_log(p)
            item.label = label
            if found == k and item.score < heap[0].score - 2 * item.error:
                continue
            certain = keep_best(heap, &found, k, item) and certain
            if found == k:
                least = max(
                    threshold,
                    heap[0].probability
                    - (<float>4e-6 + 4 * item.error) * (heap[0].probability + <float>1e-5)
                )
        certain = sort_best(heap, found) and certain
        if error:
            error += 2 * (self.label_count + 64) * UNIT
            if threshold > 0:
                for label in range(self.label_count):
                    if fabs(probabilities[label] - threshold) <= 2 * error * threshold:
                        certain = False
            if not certain or error > 0.1:
                return IN_DOUBT
        return found

    cdef bint path_score(
        self, const float* hidden, int32_t label, LabelScore* item, void* scratch
    ) noexcept nogil:
        """Write what `best` finds for one label with official precision; False if that is NaN.

        Only for losses that are not flat.
        """
        return False

    cdef double log_chance(
        self, const float* hidden, int32_t label, bint tail, void* scratch
    ) noexcept nogil:
        """Return the logarithm of a probability, up to a term that all labels share.

        `tail` asks for a logarithm that is finite where the official probability is 0.
        """
        return self.raw_score(label, hidden, True, <float*>scratch + self.label_count)

    cdef bint renormalize(
        self,
        const float* hidden,
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
                chances[i] = self.log_chance(hidden, items[i].label, tail, scratch)
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


cdef class Softmax(Loss):
    """Probabilities that sum to 1."""

    cdef Py_ssize_t _probabilities(
        self, const float* hidden, const Precision* precision, float* out, double* error
    ) noexcept nogil:
        cdef bint official = precision.official
        cdef int32_t i
        cdef float largest = 0
        cdef float total = 0
        for i in range(self.label_count):
            out[i] = self.raw_score(i, hidden, official, out + self.label_count)
            if isnan(out[i]):
                return NO_NUMBER if official else IN_DOUBT
            if i == 0 or out[i] > largest:
                largest = out[i]
        for i in range(self.label_count):
            if official:
                out[i] = <float>exp(<double>(out[i] - largest))
            else:
                out[i] = expf(out[i] - largest)
            total += out[i]
        for i in range(self.label_count):
            out[i] /= total
        # Both the score and the largest score may have this error.
        error[0] = 0 if official else 2 * precision.error + 1e-30
        return 0


cdef inline int _step(float x) noexcept nogil:
    """Return the table index of the sigmoid of x; -1 or SIGMOIDS + 1 outside the table."""
    if x < -LARGEST:
        return -1
    if x > LARGEST:
        return SIGMOIDS + 1
    return <int>((x + LARGEST) * SIGMOIDS / LARGEST / 2)


cdef class Sigmoid(Loss):
    """Independent probabilities of the labels: negative sampling and one-vs-all."""

    cdef Py_ssize_t _probabilities(
        self, const float* hidden, const Precision* precision, float* out, double* error
    ) noexcept nogil:
        cdef int32_t i
        cdef int step
        cdef float x
        error[0] = 0
        for i in range(self.label_count):
            x = self.raw_score(i, hidden, precision.official, out + self.label_count)
            if isnan(x):
                return NO_NUMBER if precision.official else IN_DOUBT
            if precision.official:
                step = _step(x)
            else:
                # The table is not interpolated: the result is certain if all scores within the
                # error have the same entry.
                step = _step(<float>(x - precision.error))
                if step != _step(<float>(x + precision.error)):
                    return IN_DOUBT
            out[i] = 0 if step < 0 else (1 if step > SIGMOIDS else SIGMOID[step])
        return 0

    cdef double log_chance(
        self, const float* hidden, int32_t label, bint tail, void* scratch
    ) noexcept nogil:
        cdef float x = self.raw_score(label, hidden, True, <float*>scratch + self.label_count)
        cdef int step
        if tail or isnan(x):
            # The sigmoid of a very negative x is exp(x).
            return x
        step = _step(x)
        return -INFINITY if step < 0 else (0 if step > SIGMOIDS else log(SIGMOID[step]))
