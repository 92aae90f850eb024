"""Hypothesis strategies for small models and words."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from support import reference
from support.builders import CBOW, SKIPGRAM, SUPERVISED, Quantizer

# Ranges of n-gram lengths, and ranges that are empty.
LENGTHS = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda pair: (pair[0], sum(pair)))
NO_LENGTHS = st.sampled_from([(0, 0), (3, 2), (8, 0)])
# Entries of a dictionary: bytes without NUL, UTF-8 or not, and short, so that words and queries
# often share n-grams or are equal.
TEXTS = st.text("ab<é水🙂\u0301", max_size=8).map(str.encode)
BYTES = st.lists(st.sampled_from(b"a\x80\xbf\xc3\xe6\xf0\xff"), max_size=8).map(bytes)
WORDS = TEXTS | BYTES | st.binary(max_size=12).map(lambda word: word.replace(b"\0", b""))
LABELS = st.sampled_from([b"__label__" + name for name in (b"", b"a", b"b", b"\xff")])
QUERIES = st.lists(
    WORDS | st.binary(max_size=8) | st.text(max_size=30).map(str.encode) | LABELS, max_size=10
)
QUANTIZERS = st.builds(Quantizer, dsub=st.integers(1, 40), qnorm=st.booleans())
BUCKETS = st.sampled_from([0, 1, 7, 64, 997, 1000])
# Mode and number of hashes, or a file of fastText.
FLORET = st.none() | st.tuples(st.integers(1, 2), st.integers(1, 4))
HUGE_BUCKETS = st.sampled_from([2_000_000, 2**31 - 1])


@st.composite
def dense_matrices(draw: st.DrawFn, shape: tuple[int, int]) -> np.ndarray:
    """Draw numbers of very different magnitudes, with zeros of both signs and subnormals."""
    source = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    matrix = source.standard_normal(shape) * 10.0 ** source.integers(-12, 12, shape)
    specials = source.choice([0.0, -0.0, 1e-45, -1e-45, 1e-39], shape)
    share = draw(st.sampled_from([0.0, 0.3, 1.0]))
    return np.where(source.random(shape) < share, specials, matrix).astype(np.float32)


@st.composite
def model_options(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from([CBOW, SKIPGRAM, SUPERVISED]))
    minn, maxn = draw(LENGTHS | NO_LENGTHS)
    return {
        "seed": draw(st.integers(0, 2**32 - 1)),
        "version": draw(st.sampled_from([11, 12])),
        "floret": draw(FLORET),
        "model": kind,
        "dim": draw(st.integers(1, 35)),
        "minn": minn,
        "maxn": maxn,
        "words": draw(st.lists(st.just(b"</s>") | WORDS, min_size=1, max_size=8)),
        "labels": draw(st.lists(LABELS, min_size=1, max_size=4)) if kind == SUPERVISED else [],
    }


def with_buckets(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options; floret has buckets always."""
    return options if options["bucket"] else options | {"floret": None}


@st.composite
def dense_models(draw: st.DrawFn) -> dict[str, Any]:
    options = with_buckets(draw(model_options()) | {"bucket": draw(BUCKETS)})
    # No supervised file of that age is known, so its n-grams are not defined.
    if options["model"] != SUPERVISED and options["floret"] is None and draw(st.booleans()):
        options["magic"] = None
    rows = len(options["words"]) + options["bucket"]
    return options | {"input_matrix": draw(dense_matrices((rows, options["dim"])))}


@st.composite
def quantized_models(draw: st.DrawFn) -> dict[str, Any]:
    options = draw(model_options()) | {
        "bucket": draw(BUCKETS),
        "input_quantizer": draw(QUANTIZERS),
        "output_quantizer": draw(st.none() | QUANTIZERS),
    }
    return with_buckets(options)


@st.composite
def pruned_models(draw: st.DrawFn) -> dict[str, Any]:
    """Draw models in which some buckets have a row, often buckets of known words."""
    options = draw(model_options()) | {"bucket": draw(BUCKETS.filter(bool) | HUGE_BUCKETS)}
    hashes = {
        reference.fnv(ngram) % options["bucket"]
        for word in options["words"]
        for ngram in reference.ngrams(word, 1, 3)
    }
    bucket = st.sampled_from(sorted(hashes)) | st.integers(0, options["bucket"] - 1)
    buckets = draw(st.lists(bucket, unique=True, max_size=20))
    rows = draw(st.permutations(range(len(buckets))))
    return options | {
        "prune": list(zip(buckets, rows, strict=True)),
        "input_quantizer": draw(QUANTIZERS),
    }
