"""Hierarchical softmax: labels in the leaves of a Huffman tree."""

from libc.math cimport expf, isnan
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc

from fasttext_lite._core.labels.losses cimport NO_NUMBER, Loss, Scored, biased_log, keep_best, sort_best
from fasttext_lite._core.lookup.rows cimport Rows

from fasttext_lite.errors import InputValueError


cdef class HierarchicalSoftmax(Loss):
    """A binary tree with a label in each leaf, and a logistic regression in each fork.

    Parameters
    ----------
    output : Rows
        One row a fork, in the order in which they are made; one row more than that.
    label_count : int
    counts : int64 buffer, shape (label_count,)
        How often each label occurred in training: the tree is the Huffman tree over them, and
        their order decides between equal ones.

    Raises
    ------
    InputValueError
        No text can have such counts.
    """

    def __cinit__(self, Rows output not None, int32_t label_count, const int64_t[::1] counts not None):
        cdef int64_t total = 0
        cdef int32_t i
        cdef int32_t depth = 0
        if counts.shape[0] != label_count:
            raise InputValueError("there must be one count for each label")
        for i in range(label_count):
            # Beyond this the official program makes no tree either.
            if not 0 <= counts[i] < 10**15 - total:
                raise InputValueError(
                    f"label {i} has the count {counts[i]}: no tree can be made of such counts; "
                    "the file is damaged"
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
        self.scratch_size = (depth + 2) * sizeof(Branch)

    def __dealloc__(self):
        free(self.nodes)
        free(self.parents)

    cdef int32_t _build(self, const int64_t* counts, int64_t* sums) noexcept nogil:
        """Make the tree and return its depth."""
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
            self.nodes[i].place = 0
        for i in range(leaves, size):
            for side in range(2):
                # Forks come in the order of their sums, labels from the last on.
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
        # From here on `sums` holds how many leaves are under a node.
        for i in range(size):
            sums[i] = 1 if i < leaves else (
                sums[self.nodes[i].left] + sums[self.nodes[i].right]
            )
        self.nodes[size - 1].place = self.nodes[size - 1].depth = 0
        for i in range(size - 1, leaves - 1, -1):
            for side in range(2):
                at = self.nodes[i].right if side else self.nodes[i].left
                self.nodes[at].depth = self.nodes[i].depth + 1
                self.nodes[at].place = self.nodes[i].place
                depth = max(depth, self.nodes[at].depth)
            self.nodes[at].place += <int32_t>sums[self.nodes[i].left]
        return depth

    cdef bint _split(
        self, const float* hidden, const Branch* branch, Branch* left, Branch* right
    ) noexcept nogil:
        """Go from a fork to the two branches under it; False where its score is not a number."""
        cdef Node* node = &self.nodes[branch.node]
        cdef float x = self.output.dot(branch.node - self.label_count, hidden)
        cdef float p
        if isnan(x):
            return False
        p = <float>(1.0 / <double>(1 + expf(-x)))
        # In this order, since the left branch may be written over the one that it comes from.
        right.node = node.right
        right.score = branch.score + biased_log(p)
        right.probability = branch.probability * p
        left.node = node.left
        left.score = branch.score + biased_log(<float>(1.0 - p))
        left.probability = branch.probability * (1.0 - p)
        return True

    cdef Py_ssize_t best(
        self,
        const float* hidden,
        Py_ssize_t k,
        float threshold,
        bint ordered,
        Scored* heap,
        void* scratch,
    ) noexcept nogil:
        cdef Branch* stack = <Branch*>scratch
        cdef float least = biased_log(threshold)
        cdef Py_ssize_t found = 0
        cdef Py_ssize_t waiting = 0
        cdef Branch branch
        cdef Scored item
        if self.label_count == 0:
            return 0
        branch.node = 2 * self.label_count - 2
        branch.score = 0
        branch.probability = 1
        if k == 1:
            return self._first(hidden, least, branch, heap, stack)
        while True:
            if not (branch.score < least or (found == k and branch.score < heap[0].score)):
                if branch.node < self.label_count:
                    item.score = branch.score
                    item.probability = <float>branch.probability
                    item.label = branch.node
                    found = keep_best(heap, found, k, item)
                else:
                    if not self._split(hidden, &branch, &branch, &stack[waiting]):
                        return NO_NUMBER
                    waiting += 1
                    continue
            if waiting == 0:
                break
            waiting -= 1
            branch = stack[waiting]
        sort_best(heap, found)
        return found

    cdef Py_ssize_t _first(
        self, const float* hidden, float least, Branch branch, Scored* heap, Branch* stack
    ) noexcept nogil:
        """The most probable label alone, the more probable branch of each fork first.

        Of equal ones it is the last that a search from left to right would meet, as there the
        later one takes the place of the earlier.
        """
        cdef Py_ssize_t waiting = 0
        cdef int32_t place = -1
        cdef Branch other
        heap.score = least
        while True:
            if not branch.score < heap.score:
                if branch.node < self.label_count:
                    if branch.score > heap.score or self.nodes[branch.node].place > place:
                        place = self.nodes[branch.node].place
                        heap.score = branch.score
                        heap.probability = <float>branch.probability
                        heap.label = branch.node
                else:
                    if not self._split(hidden, &branch, &branch, &stack[waiting]):
                        return NO_NUMBER
                    if stack[waiting].score > branch.score:
                        other = branch
                        branch = stack[waiting]
                        stack[waiting] = other
                    waiting += 1
                    continue
            if waiting == 0:
                break
            waiting -= 1
            branch = stack[waiting]
        return place >= 0

    def direction(self, int32_t label, float[::1] out not None):
        """Write the sum of the rows on the way to a label, those where it turns left negated.

        Its dot product with the hidden vector is the sum of the log-odds of all those turns.
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
