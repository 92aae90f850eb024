"""From the vectors of words back to rows of their own."""

from libc.math cimport INFINITY, fabsf, nextafterf
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from fasttext_lite._core.kernels.cpu cimport scale_f32
from fasttext_lite._core.lookup.rows cimport Rows
from fasttext_lite._core.lookup.subwords cimport Subwords, Walk, bracket
from fasttext_lite._core.lookup.vocabulary cimport Vocabulary

from fasttext_lite.errors import InputValueError

cdef enum:
    # Row ids of n-grams taken at a time.
    GATHER = 1024
    # Bytes of "<word>" that need no memory of their own.
    SHORT = 256
    # The first trial is off by the n-grams, the second by the rounding of their sum; those that
    # follow hunt the last bit.
    TRIALS = 12
    COARSE = 4


cdef class OwnRows:
    """Chooses the own row of a word so that the mean of it and its n-grams is a given vector.

    A file without accumulated vectors has them so: whoever reads it sums the rows of a word in
    float32, its own first, and divides by their number.

    Parameters
    ----------
    vocabulary : Vocabulary
    counted : Subwords
        The n-grams that the reader of the file will count; those without a row in `kept` have
        zeros there.
    kept : Subwords
        Those that have a row.
    rows : Rows
        What the rows of `kept` belong to.
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
        """Put the own rows in the place of the vectors of the words with these ids.

        Parameters
        ----------
        ids : int32 buffer, shape (n,)
        vectors : float32 buffer, shape (n, dim)

        Raises
        ------
        InputValueError
            The shapes do not fit, or there is no such word.
        """
        cdef Py_ssize_t i
        cdef size_t dim = <size_t>self.rows.dim
        cdef bint done = True
        if vectors.shape[0] != ids.shape[0] or vectors.shape[1] != self.rows.dim:
            raise InputValueError("the vectors do not fit the ids and the rows")
        for i in range(ids.shape[0]):
            if not 0 <= ids[i] < self.vocabulary.word_count:
                raise InputValueError(f"there is no word {ids[i]}")
        cdef float* scratch = <float*>malloc(4 * dim * sizeof(float))
        if scratch == NULL:
            raise MemoryError
        with nogil:
            for i in range(ids.shape[0]):
                done = self.solve_one(ids[i], &vectors[i, 0], scratch, dim)
                if not done:
                    break
        free(scratch)
        if not done:
            raise MemoryError

    cdef bint solve_one(
        self, int32_t i, float* vector, float* scratch, size_t dim
    ) noexcept nogil:
        """Solve for one word; False where there is no memory."""
        cdef uint8_t buffer[SHORT]
        cdef float* target = scratch
        cdef float* mean = scratch + dim
        cdef float* own = scratch + 2 * dim
        cdef float* least = scratch + 3 * dim
        cdef size_t length = 0
        cdef const uint8_t* word = self.vocabulary.entry(i, &length)
        cdef uint8_t* text = bracket(word, length, buffer, SHORT)
        cdef size_t count, column, trial
        cdef float factor, error, nearer
        cdef bint exact
        if text == NULL:
            return False
        count = 1 + self.count_rows(text, length + 2)
        factor = <float>(1.0 / <double>count)
        memcpy(target, vector, dim * sizeof(float))
        for column in range(dim):
            own[column] = <float>(<double>target[column] * <double>count)
            vector[column] = own[column]
        for trial in range(TRIALS):
            memcpy(mean, own, dim * sizeof(float))
            self.add_rows(text, length + 2, mean)
            scale_f32(mean, dim, factor)
            exact = True
            for column in range(dim):
                error = target[column] - mean[column]
                if trial == 0 or fabsf(error) < least[column]:
                    least[column] = fabsf(error)
                    vector[column] = own[column]
                if error != 0:
                    exact = False
                    nearer = <float>(own[column] + <double>error * <double>count)
                    if nearer == own[column] or trial >= COARSE:
                        # The mean never falls where the row rises, so a step this way is nearer.
                        nearer = nextafterf(own[column], INFINITY if error > 0 else -INFINITY)
                    own[column] = nearer
            if exact:
                break
        if text != buffer:
            free(text)
        return True

    cdef size_t count_rows(self, const uint8_t* text, size_t length) noexcept nogil:
        """The number of n-grams that the reader counts."""
        cdef int64_t ids[GATHER]
        cdef Walk walk
        cdef size_t total = 0
        cdef size_t gathered = GATHER
        self.counted.begin(&walk, text, length)
        while gathered == GATHER:
            gathered = self.counted.take_rows(&walk, ids, GATHER)
            total += gathered
        return total

    cdef void add_rows(self, const uint8_t* text, size_t length, float* out) noexcept nogil:
        """Add the rows of the n-grams as the reader does."""
        cdef int64_t ids[GATHER]
        cdef Walk walk
        cdef size_t gathered = GATHER
        self.kept.begin(&walk, text, length)
        while gathered == GATHER:
            gathered = self.kept.take_rows(&walk, ids, GATHER)
            self.rows.add(ids, gathered, 0, out)
