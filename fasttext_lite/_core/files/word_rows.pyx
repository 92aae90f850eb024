"""Word rows computed from word vectors, for export."""

from libc.math cimport INFINITY, fabsf, nextafterf
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from fasttext_lite._core.kernels.cpu cimport scale_f32
from fasttext_lite._core.lookup.rows cimport Rows
from fasttext_lite._core.lookup.subwords cimport Pieces, Subwords, end_pieces
from fasttext_lite._core.lookup.vocabulary cimport Vocabulary

from fasttext_lite.errors import InputValueError

cdef enum:
    # The first trial is off by the sum of the n-grams, the second by the rounding of this sum, and
    # the others correct the last bits.
    TRIALS = 12
    COARSE = 4


cdef class WordRows:
    """Computes word rows whose mean with the rows of the n-grams is a given vector.

    The reader of the exported file sums the rows of a word in float32, the word row first, and
    divides by their number. This mean is monotonic in the word row, so each trial adds the
    remaining error, and the last trials step by one ULP.

    Parameters
    ----------
    vocabulary : Vocabulary
    counted : Subwords
        The n-grams that the reader of the file will count. Those without a row in `kept` are zero
        in the file.
    kept : Subwords
        The n-grams that have a row.
    rows : Rows
        The matrix with the rows of `kept`.
    """

    cdef Vocabulary vocabulary
    cdef Subwords counted
    cdef Subwords kept
    cdef Rows rows

    def __cinit__(
        self,
        Vocabulary vocabulary not None,
        Subwords counted not None,
        Subwords kept not None,
        Rows rows not None,
    ):
        self.vocabulary = vocabulary
        self.counted = counted
        self.kept = kept
        self.rows = rows

    def solve(self, const int32_t[::1] ids not None, float[:, ::1] vectors not None):
        """Replace the vectors of the words with these ids by their word rows.

        Parameters
        ----------
        ids : int32 buffer, shape (n,)
        vectors : float32 buffer, shape (n, dim)

        Returns
        -------
        equal : int
            Number of words whose mean is the vector, bit for bit.
        near : int
            Number of other words of which no number is off by more than one ULP.
        numbers : int
            Number of numbers that are equal, bit for bit.
        worst : float
            The largest difference of a number, relative to the largest number of its vector.

        Raises
        ------
        InputValueError
            The shapes do not fit, or the vocabulary has no word with an id.
        """
        cdef Py_ssize_t i
        cdef size_t dim = <size_t>self.rows.dim
        cdef bint done = True
        cdef Py_ssize_t near[3]
        cdef double worst = 0
        near[0] = near[1] = near[2] = 0
        if vectors.shape[0] != ids.shape[0] or vectors.shape[1] != self.rows.dim:
            raise InputValueError(
                f"vectors of shape {(vectors.shape[0], vectors.shape[1])} do not fit "
                f"{ids.shape[0]} ids and rows of {self.rows.dim} dimensions"
            )
        for i in range(ids.shape[0]):
            if not 0 <= ids[i] < self.vocabulary.word_count:
                raise InputValueError(
                    f"the vocabulary has no word {ids[i]}: it has {self.vocabulary.word_count}"
                )
        cdef float* scratch = <float*>malloc(4 * dim * sizeof(float))
        if scratch == NULL:
            raise MemoryError
        with nogil:
            for i in range(ids.shape[0]):
                done = self.solve_one(ids[i], &vectors[i, 0], scratch, dim)
                if not done:
                    break
                _compare(scratch, scratch + 3 * dim, dim, near, &worst)
        free(scratch)
        if not done:
            raise MemoryError
        return near[0], near[1], near[2], worst

    cdef bint solve_one(
        self, int32_t i, float* vector, float* scratch, size_t dim
    ) noexcept nogil:
        """Solve for one word; False if out of memory.

        The scratch holds the vector at its begin, and the error of each number from 3 `dim` on.
        """
        cdef float* target = scratch
        cdef float* mean = scratch + dim
        cdef float* row = scratch + 2 * dim
        cdef float* least = scratch + 3 * dim
        cdef size_t length = 0
        cdef const uint8_t* word = self.vocabulary.entry(i, &length)
        cdef Pieces pieces
        cdef size_t count = 1
        cdef size_t column, trial
        cdef float factor, error, nearer
        cdef bint exact
        if not self.counted.begin_pieces(&pieces, word, length, -1):
            return False
        while self.counted.next_piece(&pieces):
            count += pieces.count
        end_pieces(&pieces)
        factor = <float>(1.0 / <double>count)
        memcpy(target, vector, dim * sizeof(float))
        for column in range(dim):
            row[column] = <float>(<double>target[column] * <double>count)
            vector[column] = row[column]
        for trial in range(<size_t>TRIALS):
            memcpy(mean, row, dim * sizeof(float))
            if not self.kept.begin_pieces(&pieces, word, length, -1):
                return False
            while self.kept.next_piece(&pieces):
                self.rows.add(pieces.rows, pieces.count, 0, mean)
            end_pieces(&pieces)
            scale_f32(mean, dim, factor)
            exact = True
            for column in range(dim):
                error = target[column] - mean[column]
                if trial == 0 or fabsf(error) < least[column]:
                    least[column] = fabsf(error)
                    vector[column] = row[column]
                if error != 0:
                    exact = False
                    nearer = <float>(row[column] + <double>error * <double>count)
                    if nearer == row[column] or trial >= COARSE:
                        nearer = nextafterf(row[column], INFINITY if error > 0 else -INFINITY)
                    row[column] = nearer
            if exact:
                break
        return True


cdef void _compare(
    const float* target, const float* errors, size_t dim, Py_ssize_t* near, double* worst
) noexcept nogil:
    """Count a word by its errors, and keep the largest one relative to its vector."""
    cdef size_t column
    cdef float error = 0
    cdef float size = 0
    cdef bint close = True
    for column in range(dim):
        error = max(error, errors[column])
        size = max(size, fabsf(target[column]))
        near[2] += errors[column] == 0
        close = close and errors[column] <= (
            nextafterf(fabsf(target[column]), INFINITY) - fabsf(target[column])
        )
    if error == 0:
        near[0] += 1
    elif close:
        near[1] += 1
    if error > 0:
        worst[0] = max(worst[0], <double>error / <double>size if size > 0 else <double>INFINITY)
