"""The search for the best labels of a hidden vector: among all labels, or among some."""

from libc.stdint cimport int32_t
from libc.stdlib cimport bsearch, qsort

from fasttext_lite._core.labels.losses cimport NO_NUMBER, LabelScore, Loss


cdef int _by_score(const void* a, const void* b) noexcept nogil:
    # The field `error`, which bounds nothing here, decides ties.
    cdef float x = (<const LabelScore*>a).score
    cdef float y = (<const LabelScore*>b).score
    if x != y:
        return 1 if y > x else -1
    x = (<const LabelScore*>a).error
    y = (<const LabelScore*>b).error
    return (x > y) - (x < y)


cdef int _by_label(const void* a, const void* b) noexcept nogil:
    cdef int32_t x = (<const LabelScore*>a).label
    cdef int32_t y = (<const LabelScore*>b).label
    return (x > y) - (x < y)


cdef Py_ssize_t work_size(Loss loss, const Request* ask, Py_ssize_t block) noexcept nogil:
    """Return the size of the work memory for a block of texts, see `divide`."""
    cdef Py_ssize_t size = (
        block * (loss.output.dim + loss.width) * sizeof(float) + loss.scratch_size + 16
    )
    if ask.labels == NULL:
        return size + (ask.k + 1) * sizeof(LabelScore)
    return size + ask.count * (sizeof(LabelScore) + sizeof(double)) + loss.label_count * (
        sizeof(LabelScore) + sizeof(float)
    ) + sizeof(LabelScore)


cdef Work divide(Loss loss, const Request* ask, Py_ssize_t block, void* memory) noexcept nogil:
    """Divide the work memory."""
    cdef Work work
    cdef size_t at = <size_t>memory
    work.heap = <LabelScore*>at
    at += <size_t>((loss.label_count if ask.labels != NULL else ask.k) + 1) * sizeof(LabelScore)
    work.items = <LabelScore*>at
    if ask.labels != NULL:
        at += <size_t>ask.count * sizeof(LabelScore)
    at = (at + 7) & ~<size_t>7
    work.chances = <double*>at
    if ask.labels != NULL:
        at += <size_t>ask.count * sizeof(double)
    work.scratch = <void*>at
    at += <size_t>loss.scratch_size
    work.hidden = <float*>((at + 3) & ~<size_t>3)
    work.scores = work.hidden + block * loss.output.dim
    work.row = work.scores + block * loss.width
    return work


cdef bint fill_row(Loss loss, const Work* work, float* out) noexcept nogil:
    """Write the probability of each label, as `search` finds it among all; False if NaN."""
    return loss.fill(work.hidden, work.scores, out, work.heap, work.scratch)


cdef bint score(Loss loss, const Work* work, const Request* ask) noexcept nogil:
    """Write an item for each of the labels asked for; False if a probability is NaN."""
    cdef Py_ssize_t i
    for i in range(ask.count):
        work.items[i].label = ask.labels[i]
        work.items[i].error = 0
    if ask.renormalize:
        return loss.renormalize(
            work.hidden, work.scores, work.items, work.chances, ask.count, work.scratch
        )
    return loss.some(
        work.hidden, work.scores, work.items, ask.count, work.row, work.scratch
    )


cdef Py_ssize_t search(Loss loss, const Work* work, const Request* ask) noexcept nogil:
    """Write the best labels to the heap, best first; return their number, or NO_NUMBER."""
    if ask.labels == NULL:
        return loss.best(
            work.hidden, work.scores, ask.k, ask.threshold, work.heap, work.scratch
        )
    return _search_among(loss, work, ask)


cdef Py_ssize_t _search_among(Loss loss, const Work* work, const Request* ask) noexcept nogil:
    cdef Py_ssize_t found = 0
    cdef Py_ssize_t i
    cdef bint ties = False
    if not score(loss, work, ask):
        return NO_NUMBER
    qsort(work.items, <size_t>ask.count, sizeof(LabelScore), _by_score)
    for i in range(1, min(ask.count, ask.k + 1)):
        ties = ties or work.items[i].score == work.items[i - 1].score
    if ties and not _order_ties(loss, work, ask.count):
        return NO_NUMBER
    for i in range(ask.count):
        if found < ask.k and not work.items[i].probability < ask.threshold:
            work.heap[found] = work.items[i]
            found += 1
    return found


cdef bint _order_ties(Loss loss, const Work* work, Py_ssize_t count) noexcept nogil:
    """Bring items of equal score into the order of a search among all labels; False if NaN."""
    cdef Py_ssize_t every = loss.best(
        work.hidden, work.scores, loss.label_count, -1, work.heap, work.scratch
    )
    cdef Py_ssize_t i
    cdef LabelScore* item
    if every < 0:
        return False
    qsort(work.items, <size_t>count, sizeof(LabelScore), _by_label)
    for i in range(every):
        item = <LabelScore*>bsearch(
            &work.heap[i], work.items, <size_t>count, sizeof(LabelScore), _by_label
        )
        if item != NULL:
            item.error = <float>i
    qsort(work.items, <size_t>count, sizeof(LabelScore), _by_score)
    return True
