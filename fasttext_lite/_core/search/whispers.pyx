"""Chinese Whispers: nodes of a weighted graph take the class that most of their neighbors have.

The neighbors of node i and the weights of its edges are at ``starts[i]`` to ``starts[i + 1]``. Each
function works on a range of nodes, so that its caller can handle signals in between.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t

from fasttext_lite.errors import InputValueError


cdef inline bint is_edge(
    int32_t i, Py_ssize_t node, Py_ssize_t count, float weight, float least
) noexcept nogil:
    return 0 <= i < count and i != node and weight > least


cdef inline bint lists(const int32_t[:, ::1] ids, int32_t node, int32_t wanted) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(ids.shape[1]):
        if ids[node, j] == wanted:
            return True
    return False


cdef inline bint is_near(
    const float[:, ::1] weights, int32_t node, float weight, bint mutual
) noexcept nogil:
    """Return whether a node that does not list a neighbor might: it is as near as the last one.

    Of more equal neighbors than a list holds, such as many copies of one vector, only some are in
    it. The weights of a list fall.
    """
    return not mutual or weight >= weights[node, weights.shape[1] - 1]


def count_edges(
    const int32_t[:, ::1] ids not None,
    const float[:, ::1] weights not None,
    float least,
    bint mutual,
    Py_ssize_t start,
    Py_ssize_t stop,
    int64_t[::1] degrees not None,
):
    """Add the edges of some rows of a list of neighbors to the degrees of the nodes.

    Parameters
    ----------
    ids : ndarray
        int32, shape (n, k): the neighbors of each node; what is no other node is left out.
    weights : ndarray
        float32, shape (n, k), falling.
    least : float
        An edge has a weight above this one.
    mutual : bool
        Whether two nodes have an edge if each is a neighbor of the other, or if one is.
    start, stop : int
    degrees : ndarray
        int64, shape (n,).
    """
    cdef Py_ssize_t node, j
    cdef int32_t i
    _check_lists(ids, weights, start, stop, degrees.shape[0])
    with nogil:
        for node in range(start, stop):
            for j in range(ids.shape[1]):
                i = ids[node, j]
                if is_edge(i, node, ids.shape[0], weights[node, j], least):
                    if lists(ids, i, <int32_t>node):
                        degrees[node] += 1
                    elif is_near(weights, i, weights[node, j], mutual):
                        degrees[node] += 1
                        degrees[i] += 1


def fill_edges(
    const int32_t[:, ::1] ids not None,
    const float[:, ::1] weights not None,
    float least,
    bint mutual,
    Py_ssize_t start,
    Py_ssize_t stop,
    int64_t[::1] ends not None,
    int32_t[::1] neighbors not None,
    float[::1] edge_weights not None,
):
    """Write the edges that `count_edges` counts, each from both of its nodes, less `least`.

    Parameters
    ----------
    ends : ndarray
        int64, shape (n,): where the edges of each node go on; advanced.
    neighbors, edge_weights : ndarray
        int32 and float32, shape (edges,).
    """
    cdef Py_ssize_t node, j
    cdef int64_t size = min(neighbors.shape[0], edge_weights.shape[0])
    cdef int32_t i
    cdef bint back
    cdef bint full = False
    _check_lists(ids, weights, start, stop, ends.shape[0])
    with nogil:
        for node in range(start, stop):
            for j in range(ids.shape[1]):
                i = ids[node, j]
                if not is_edge(i, node, ids.shape[0], weights[node, j], least):
                    continue
                back = lists(ids, i, <int32_t>node)
                if not back and not is_near(weights, i, weights[node, j], mutual):
                    continue
                if not (0 <= ends[node] < size and 0 <= ends[i] < size):
                    full = True
                    break
                neighbors[ends[node]] = i
                edge_weights[ends[node]] = weights[node, j] - least
                ends[node] += 1
                if not back:
                    neighbors[ends[i]] = <int32_t>node
                    edge_weights[ends[i]] = weights[node, j] - least
                    ends[i] += 1
    if full:
        raise InputValueError("the edges do not fit the degrees of the nodes")


def whisper(
    const int64_t[::1] starts not None,
    const int32_t[::1] neighbors not None,
    const float[::1] weights not None,
    const int32_t[::1] order not None,
    int32_t[::1] classes not None,
    uint8_t[::1] waiting not None,
    double[::1] votes not None,
):
    """Let some nodes take the class with the largest sum of weights among their neighbors.

    A node stays in its class if no other has a larger sum. So a node none of whose neighbors has
    changed since its last turn stays: it is skipped. Of other classes with the same sum the node
    takes that of the neighbor that is listed first.

    Parameters
    ----------
    starts, neighbors, weights : ndarray
        int64 of shape (n + 1,), int32 and float32: the graph; each edge from both of its nodes.
    order : ndarray
        int32: the nodes, in the order of their turns.
    classes : ndarray
        int32, shape (n,), in the range of nodes; changed.
    waiting : ndarray
        uint8, shape (n,): 1 for nodes that are not to be skipped; changed.
    votes : ndarray
        float64, shape (n,), all 0 before and after.

    Returns
    -------
    int
        The number of nodes that changed.
    """
    cdef Py_ssize_t turn
    cdef Py_ssize_t count = classes.shape[0]
    cdef int64_t edge, first, last
    cdef int64_t size = min(neighbors.shape[0], weights.shape[0])
    cdef int64_t changes = 0
    cdef int32_t node, best
    cdef double most
    if starts.shape[0] != count + 1 or waiting.shape[0] != count or votes.shape[0] != count:
        raise InputValueError("the arrays do not fit the number of nodes")
    with nogil:
        for turn in range(order.shape[0]):
            node = order[turn]
            if not 0 <= node < count or not waiting[node]:
                continue
            waiting[node] = 0
            first, last = max(starts[node], 0), min(starts[node + 1], size)
            for edge in range(first, last):
                votes[classes[neighbors[edge]]] += weights[edge]
            best = classes[node]
            most = votes[best]
            for edge in range(first, last):
                if votes[classes[neighbors[edge]]] > most:
                    best = classes[neighbors[edge]]
                    most = votes[best]
            for edge in range(first, last):
                votes[classes[neighbors[edge]]] = 0
            if best != classes[node]:
                classes[node] = best
                changes += 1
                for edge in range(first, last):
                    waiting[neighbors[edge]] = 1
    return changes


cdef _check_lists(ids, weights, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t count):
    if ids.shape != weights.shape or ids.shape[0] != count or not 0 <= start <= stop <= count:
        raise InputValueError("the neighbors, weights and range do not fit the number of nodes")
