"""The single call, ``model[word]``, without a Python frame."""

from fasttext_lite._core.lookup.embed cimport Embedder


cdef class Lookup:
    """Gives the vector of a word, or of many.

    A subclass has `_embedder`, which gives an `Embedder` when it is first asked for, and `vectors`,
    which takes many words.
    """

    cdef Embedder embedder

    def __getitem__(self, word):
        """Return the vector of a word, shape (dim,), or of many, shape (n, dim)."""
        if isinstance(word, (str, bytes)):
            if self.embedder is None:
                self.embedder = self._embedder
            return self.embedder.vector(word)
        return self.vectors(word)
