"""Hierarchical softmax: labels in the leaves of a Huffman tree."""

from libc.math cimport exp, expf, fabs, isnan, log1p, sqrt
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc

from fasttext_lite._core.labels.losses cimport (
    IN_DOUBT,
    NO_NUMBER,
    LabelScore,
    Loss,
    biased_log,
    keep_best,
    sort_best,
)
from fasttext_lite._core.lookup.rows cimport DenseRows, Rows

from fasttext_lite.errors import InputValueError

# Half the distance of float32 numbers near 1.
cdef double UNIT = 2.0 ** -24
# log(1 + 1e-5): the largest increase of a score at a fork.
cdef double GAIN = 1.0001e-5

cdef Precision OFFICIAL
OFFICIAL.official = True
OFFICIAL.error = 0


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


cdef class HierarchicalSoftmax(Loss):
    """A binary tree with a label in each leaf and a logistic regression in each fork.

    The scores of the best label are first computed in a fast way, by dot products that are summed
    in another order, with a bound on the error of each score. If the bounds leave the result open,
    all is computed again in the order of the official program.

    Parameters
    ----------
    output : Rows
        One row per fork, in the order of their creation, and one unused row.
    label_count : int
    counts : int64 buffer, shape (label_count,)
        Number of occurrences of each label in training. The tree is the Huffman tree over them;
        the order of the labels decides ties.

    Raises
    ------
    InputValueError
        A count is negative, or the counts are too large.
    """

    def __cinit__(self, Rows output not None, int32_t label_count, const int64_t[::1] counts not None):
        cdef int64_t total = 0
        cdef int32_t i
        cdef int32_t depth = 0
        if counts.shape[0] != label_count:
            raise InputValueError("there must be one count for each label")
        for i in range(label_count):
            # The official program cannot build a tree from larger counts either.
            if not 0 <= counts[i] < 10**15 - total:
                raise InputValueError(
                    f"label {i} has the count {counts[i]}, from which no tree can be built: the "
                    "file is damaged"
                )
            total += counts[i]
        self.nodes = <Node*>malloc(2 * <size_t>label_count * sizeof(Node) + 1)
        self.parents = <int32_t*>malloc(2 * <size_t>label_count * sizeof(int32_t) + 1)
        cdef int64_t* sums = <int64_t*>malloc(2 * <size_t>label_count * sizeof(int64_t) + 1)
        if self.nodes == NULL or self.parents == NULL or sums == NULL:
            free(sums)
            raise MemoryError
        if label_count:
            with nogil:
                depth = self._build(&counts[0], sums)
        free(sums)
        self.depth = depth
        self.dense = isinstance(output, DenseRows)
        self.largest_norm = _largest_norm(output)
        self.block = 1
        self.scratch_size = (depth + 2) * sizeof(Branch) + output.dim * sizeof(float)

    def __dealloc__(self):
        free(self.nodes)
        free(self.parents)

    cdef int32_t _build(self, const int64_t* counts, int64_t* sums) noexcept nogil:
        """Build the tree and return its depth."""
        cdef int32_t leaves = self.label_count
        cdef int32_t size = 2 * leaves - 1
        cdef int32_t leaf = leaves - 1
        cdef int32_t fork = leaves
        cdef int32_t depth = 0
        cdef int32_t i, side, at, levels
        cdef int32_t pair[2]
        for i in range(leaves):
            sums[i] = counts[i]
            self.nodes[i].left = self.nodes[i].right = -1
        for i in range(leaves, size):
            for side in range(2):
                # Forks are in order of ascending sums; labels are used from last to first.
                if leaf >= 0 and (fork == i or sums[leaf] < sums[fork]):
                    pair[side] = leaf
                    leaf -= 1
                else:
                    pair[side] = fork
                    fork += 1
            self.nodes[i].left = pair[0]
            self.nodes[i].right = pair[1]
            sums[i] = sums[pair[0]] + sums[pair[1]]
            self.parents[pair[0]] = self.parents[pair[1]] = i
        self.parents[size - 1] = -1
        self.nodes[size - 1].depth = 0
        for i in range(size - 1, leaves - 1, -1):
            for side in range(2):
                at = self.nodes[i].right if side else self.nodes[i].left
                self.nodes[at].depth = self.nodes[i].depth + 1
                depth = max(depth, self.nodes[at].depth)
        return depth

    cdef Precision _fast_precision(self, const float* hidden) noexcept nogil:
        """Return the precision of the scores that are computed in the fast way.

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

    cdef float _raw_score(
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

    cdef bint _split(
        self, const float* hidden, const Precision* precision, float* buffer, Branch* branch,
        Branch* right,
    ) noexcept nogil:
        """Split a branch at a fork into its left and right branch; False if its score is NaN.

        p = 1 / (1 + exp(-x)) is computed within 4 u p, u = 2**-24, so log(p + 1e-5) has an error of
        a few u; 1 - p is within 4 u, and log(1 - p + 1e-5) within 4 u / (1 - p + 1e-5). This is
        true of the fast and of the official score. Rounding the sum of the logarithms, each of
        which is below 12, adds at most 24 u at each level of the tree.
        """
        cdef Node* node = &self.nodes[branch.node]
        cdef float x = self._raw_score(
            branch.node - self.label_count, hidden, precision.official, buffer
        )
        cdef float error = branch.error
        cdef float p
        if isnan(x):
            return False
        # Without the cast the sum would be float64.
        p = <float>(1.0 / <double>(<float>1 + expf(-x)))
        if not precision.official:
            error += <float>(precision.error + (160 + 24 * self.depth) * UNIT)
        right.node = node.right
        right.score = branch.score + biased_log(p)
        right.probability = branch.probability * p
        right.error = error
        branch.node = node.left
        branch.score += biased_log(<float>(1.0 - p))
        branch.probability *= 1.0 - p
        branch.error = error
        if not precision.official and p > <float>0.9:
            branch.error += <float>((800 if p < <float>0.99 else 1e6) * UNIT)
        return True

    cdef Py_ssize_t best(
        self,
        const float* hidden,
        float* scores,
        Py_ssize_t k,
        float threshold,
        LabelScore* heap,
        void* scratch,
    ) noexcept nogil:
        """Override `Loss.best`. Two labels or more are often too close for the fast way."""
        cdef Py_ssize_t found = IN_DOUBT
        if k == 1:
            found = self._search(
                hidden, self._fast_precision(hidden), k, threshold, heap, scratch
            )
        if found == IN_DOUBT:
            found = self._search(hidden, OFFICIAL, k, threshold, heap, scratch)
        return found

    cdef Py_ssize_t _search(
        self,
        const float* hidden,
        Precision precision,
        Py_ssize_t k,
        float threshold,
        LabelScore* heap,
        void* scratch,
    ) noexcept nogil:
        """Return what `best` does, or IN_DOUBT if errors leave open the labels or their order.

        The fast search visits the likelier branch first, not the left one. The official program
        prunes a branch whose score is below that of the k-th best label so far, although the score
        may still grow by `GAIN` at each fork. A label that beats all others by more than that is
        found in any order; otherwise the order decides.
        """
        cdef Branch* stack = <Branch*>scratch
        cdef float* buffer = <float*>(stack + self.depth + 2)
        cdef float least = biased_log(threshold)
        cdef Py_ssize_t found = 0
        cdef Py_ssize_t waiting = 0
        cdef bint certain = True
        cdef Branch branch, other
        cdef LabelScore item
        if self.label_count == 0:
            return 0
        if not precision.official and not precision.error < 0.01:
            return IN_DOUBT
        branch.node = 2 * self.label_count - 2
        branch.score = 0
        branch.error = 0 if precision.official else <float>(self.depth * GAIN)
        branch.probability = 1
        while True:
            if not (
                branch.score + branch.error < least
                or (
                    found == k
                    and branch.score + branch.error < heap[0].score - heap[0].error
                )
            ):
                if branch.node < self.label_count:
                    item.score = branch.score
                    item.probability = <float>branch.probability
                    item.error = branch.error
                    item.label = branch.node
                    certain = keep_best(heap, &found, k, item) and certain
                    if branch.score - branch.error <= least:
                        certain = False
                else:
                    if not self._split(hidden, &precision, buffer, &branch, &stack[waiting]):
                        return NO_NUMBER if precision.official else IN_DOUBT
                    if not precision.official and stack[waiting].score > branch.score:
                        other = branch
                        branch = stack[waiting]
                        stack[waiting] = other
                    waiting += 1
                    continue
            if waiting == 0:
                break
            waiting -= 1
            branch = stack[waiting]
        certain = sort_best(heap, found) and certain
        return found if certain or precision.official else IN_DOUBT

    cdef bint fill(
        self, const float* hidden, float* scores, float* out, LabelScore* heap, void* scratch
    ) noexcept nogil:
        """Override `Loss.fill`."""
        cdef Py_ssize_t i
        cdef Py_ssize_t found = self.best(
            hidden, scores, self.label_count, -1, heap, scratch
        )
        for i in range(found):
            out[heap[i].label] = heap[i].probability
        return found == self.label_count

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
        cdef Py_ssize_t i
        for i in range(count):
            if not self._walk(hidden, &items[i], scratch):
                return False
        return True

    cdef bint _walk(self, const float* hidden, LabelScore* item, void* scratch) noexcept nogil:
        """Compute the score of a label, from the root to its leaf; False if that is NaN."""
        cdef int32_t* nodes = <int32_t*>scratch
        cdef float* buffer = <float*>(<Branch*>scratch + self.depth + 2)
        cdef int32_t node = item.label
        cdef int32_t depth = self.nodes[node].depth
        cdef int32_t at = depth
        cdef Branch branch, right
        while at > 0:
            at -= 1
            nodes[at] = node
            node = self.parents[node]
        branch.node = node
        branch.score = branch.error = 0
        branch.probability = 1
        for at in range(depth):
            if not self._split(hidden, &OFFICIAL, buffer, &branch, &right):
                return False
            if right.node == nodes[at]:
                branch = right
        item.score = branch.score
        item.probability = <float>branch.probability
        return True

    cdef double log_chance(
        self, const float* hidden, const float* scores, int32_t label, bint tail, void* scratch
    ) noexcept nogil:
        """Override `Loss.log_chance`: sum the logarithms of the sigmoids on the path."""
        cdef float* buffer = <float*>(<Branch*>scratch + self.depth + 2)
        cdef int32_t node = label
        cdef int32_t parent
        cdef double total = 0
        cdef double x
        while self.parents[node] >= 0:
            parent = self.parents[node]
            x = self._raw_score(parent - self.label_count, hidden, True, buffer)
            if self.nodes[parent].right != node:
                x = -x
            total += min(x, 0.0) - log1p(exp(-fabs(x)))
            node = parent
        return total

    def direction(self, int32_t label, float[::1] out not None):
        """Write the sum of the rows on the path to a label, negated where the path turns left.

        Its dot product with the hidden vector is the sum of the log-odds of the branches on the
        path.
        """
        cdef int64_t row
        cdef int32_t node, parent
        cdef Py_ssize_t j
        if not 0 <= label < self.label_count or out.shape[0] != self.output.dim:
            raise InputValueError("the label or the output does not fit the output layer")
        out[:] = 0
        for right in (False, True):
            node = label
            while self.parents[node] >= 0:
                parent = self.parents[node]
                if (self.nodes[parent].right == node) == right:
                    row = parent - self.label_count
                    self.output.add(&row, 1, 0, &out[0])
                node = parent
            if not right:
                for j in range(self.output.dim):
                    out[j] = -out[j]
