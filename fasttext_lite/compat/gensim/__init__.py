"""fastText vectors under the names of gensim 4.

>>> from fasttext_lite import SAMPLE
>>> from fasttext_lite.compat.gensim import load_facebook_vectors
>>> vectors = load_facebook_vectors(SAMPLE)
>>> vectors.doesnt_match(["monday", "tuesday", "friday", "ocean"])
'ocean'

``docs/compat-gensim.md`` lists what is missing, and what differs.
"""

from fasttext_lite.compat.gensim.keyed_vectors import FastTextKeyedVectors, KeyedVectors
from fasttext_lite.compat.gensim.loading import (
    FastText,
    load_facebook_model,
    load_facebook_vectors,
    to_gensim,
)

__all__ = [
    "FastText",
    "FastTextKeyedVectors",
    "KeyedVectors",
    "load_facebook_model",
    "load_facebook_vectors",
    "to_gensim",
]
