"""Losses whose score of a label is one dot product: softmax, and independent sigmoids."""

from libc.math cimport INFINITY, expf, isnan, log
from libc.stdint cimport int32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from fasttext_lite._core.kernels.cpu cimport FTL_PANEL, row_kernels
from fasttext_lite._core.labels.losses cimport (
    BLOCK,
    NO_NUMBER,
    LabelScore,
    Loss,
    biased_log,
    keep_best,
    sort_best,
)
from fasttext_lite._core.lookup.rows cimport Rows

cdef enum:
    # The official program computes the sigmoid of ns and one-vs-all models by a table.
    SIGMOIDS = 512
    LARGEST = 8
    # The largest size in bytes of the scores of a block.
    SCORES = 1 << 22
    # The largest size in bytes of the panels that are kept.
    PANELS = 1 << 23

cdef float SIGMOID[SIGMOIDS + 1]
cdef int _i
for _i in range(SIGMOIDS + 1):
    SIGMOID[_i] = <float>(
        1.0 / (1.0 + <double>expf(-(<float>(_i * 2 * LARGEST) / SIGMOIDS - LARGEST)))
    )


cdef class FlatLoss(Loss):
    """An output layer with one row for each label.

    Scores are the dot products of the official program, summed in its order: a register holds the
    sums of several labels, which are added to column by column. For this the rows are packed into
    panels (see kernels.h): once if the panels are small, else for each block of texts.
    """

    def __cinit__(self, Rows output not None, int32_t label_count, *args):
        cdef Py_ssize_t panels = (<Py_ssize_t>label_count + FTL_PANEL - 1) // FTL_PANEL
        cdef Py_ssize_t size = panels * FTL_PANEL * output.dim * <Py_ssize_t>sizeof(float)
        cdef Py_ssize_t row_size = output.dim * <Py_ssize_t>sizeof(float)
        cdef Py_ssize_t i
        cdef bint scaled = False
        cdef float* row
        self.width = panels * FTL_PANEL
        self.block = max(1, min(<Py_ssize_t>BLOCK, SCORES // (4 * self.width + 1)))
        self.scratch_size = 0 if size <= PANELS else (FTL_PANEL + 1) * row_size
        self.factors = <float*>calloc(<size_t>self.width + 1, sizeof(float))
        row = <float*>malloc(<size_t>row_size + 1)
        if self.factors == NULL or row == NULL:
            free(row)
            raise MemoryError
        with nogil:
            for i in range(label_count):
                self.factors[i] = output.unscaled(i, row)
                scaled = scaled or self.factors[i] != 1
        if not scaled:
            free(self.factors)
            self.factors = NULL
        if size <= PANELS:
            self.panels = <float*>malloc(<size_t>size + 1)
            if self.panels == NULL:
                free(row)
                raise MemoryError
            with nogil:
                for i in range(panels):
                    self._pack(
                        i * FTL_PANEL, self.panels + i * FTL_PANEL * output.dim, row
                    )
        free(row)

    def __dealloc__(self):
        free(self.panels)
        free(self.factors)

    cdef void _pack(self, Py_ssize_t start, float* panel, float* row) noexcept nogil:
        """Write the panel of the labels from `start` on; `row` has room for one row."""
        cdef Py_ssize_t dim = self.output.dim
        cdef Py_ssize_t i, j
        for i in range(FTL_PANEL):
            if start + i < self.label_count:
                self.output.unscaled(start + i, row)
            for j in range(dim):
                panel[j * FTL_PANEL + i] = row[j] if start + i < self.label_count else 0

    cdef void score(
        self, const float* hidden, Py_ssize_t count, float* out, void* scratch
    ) noexcept nogil:
        """Override `Loss.score`: write the raw score of each label."""
        cdef Py_ssize_t dim = self.output.dim
        cdef Py_ssize_t i, j
        cdef float* panel = <float*>scratch
        for i in range(self.width // FTL_PANEL):
            if self.panels != NULL:
                panel = self.panels + i * FTL_PANEL * dim
            else:
                self._pack(i * FTL_PANEL, panel, panel + FTL_PANEL * dim)
            row_kernels.panel_dots(
                panel, <size_t>dim, hidden, <size_t>count, out + i * FTL_PANEL, <size_t>self.width
            )
        if self.factors != NULL:
            for i in range(count):
                for j in range(self.label_count):
                    out[i * self.width + j] *= self.factors[j]

    cdef bint probabilities(self, float* scores, float* total) noexcept nogil:
        """Replace raw scores by probabilities times `total`, which is written; False if NaN."""
        return False

    cdef Py_ssize_t best(
        self,
        const float* hidden,
        float* scores,
        Py_ssize_t k,
        float threshold,
        LabelScore* heap,
        void* scratch,
    ) noexcept nogil:
        """Override `Loss.best`."""
        cdef Py_ssize_t found = 0
        cdef LabelScore item
        cdef int32_t label
        # A label below this certainly has a smaller logarithm than the smallest one in the heap.
        cdef float least = threshold
        cdef float total
        # Divided by the total, a smaller number is less than `least`.
        cdef double skipped
        cdef float p
        if not self.probabilities(scores, &total):
            return NO_NUMBER
        skipped = (1 - 1e-6) * <double>least * <double>total
        item.error = 0
        for label in range(self.label_count):
            if scores[label] < skipped:
                continue
            p = scores[label] / total
            if p < least:
                continue
            item.probability = p
            item.score = biased_log(p)
            item.label = label
            if found == k and item.score < heap[0].score:
                continue
            keep_best(heap, &found, k, item)
            if found == k:
                least = max(
                    threshold,
                    heap[0].probability - <float>4e-6 * (heap[0].probability + <float>1e-5)
                )
                skipped = (1 - 1e-6) * <double>least * <double>total
        sort_best(heap, found)
        return found

    cdef bint fill(
        self, const float* hidden, float* scores, float* out, LabelScore* heap, void* scratch
    ) noexcept nogil:
        """Override `Loss.fill`."""
        cdef float total
        cdef int32_t i
        memcpy(out, scores, <size_t>self.label_count * sizeof(float))
        if not self.probabilities(out, &total):
            return False
        for i in range(self.label_count):
            out[i] /= total
        return True

    cdef bint some(
        self,
        const float* hidden,
        const float* scores,
        LabelScore* items,
        Py_ssize_t count,
        float* row,
        void* scratch,
    ) noexcept nogil:
        """Override `Loss.some`."""
        cdef float total
        cdef Py_ssize_t i
        memcpy(row, scores, <size_t>self.label_count * sizeof(float))
        if not self.probabilities(row, &total):
            return False
        for i in range(count):
            items[i].probability = row[items[i].label] / total
            items[i].score = biased_log(items[i].probability)
            if isnan(items[i].score):
                return False
        return True

    cdef double log_chance(
        self, const float* hidden, const float* scores, int32_t label, bint tail, void* scratch
    ) noexcept nogil:
        """Override `Loss.log_chance`."""
        return scores[label]


cdef class Softmax(FlatLoss):
    """Probabilities that sum to 1."""

    cdef bint probabilities(self, float* scores, float* total) noexcept nogil:
        """Override `FlatLoss.probabilities`."""
        cdef float largest = -INFINITY
        cdef int32_t i
        for i in range(self.label_count):
            if isnan(scores[i]):
                return False
            largest = max(largest, scores[i])
        total[0] = row_kernels.exponentials(scores, <size_t>self.label_count, largest)
        return True


cdef inline int _step(float x) noexcept nogil:
    """Return the table index of the sigmoid of x; -1 or SIGMOIDS + 1 outside the table."""
    if x < -LARGEST:
        return -1
    if x > LARGEST:
        return SIGMOIDS + 1
    return <int>((x + LARGEST) * SIGMOIDS / LARGEST / 2)


cdef class Sigmoid(FlatLoss):
    """Independent probabilities of the labels: negative sampling and one-vs-all."""

    cdef bint probabilities(self, float* scores, float* total) noexcept nogil:
        """Override `FlatLoss.probabilities`."""
        cdef int32_t i
        cdef int step
        total[0] = 1
        for i in range(self.label_count):
            if isnan(scores[i]):
                return False
            step = _step(scores[i])
            scores[i] = 0 if step < 0 else (1 if step > SIGMOIDS else SIGMOID[step])
        return True

    cdef double log_chance(
        self, const float* hidden, const float* scores, int32_t label, bint tail, void* scratch
    ) noexcept nogil:
        """Override `FlatLoss.log_chance`."""
        cdef float x = scores[label]
        cdef int step
        if tail or isnan(x):
            # The sigmoid of a very negative x is exp(x).
            return x
        step = _step(x)
        return -INFINITY if step < 0 else (0 if step > SIGMOIDS else log(SIGMOID[step]))
