"""gensim's own tests of reading, with the classes of the gensim layer in place of gensim's.

Each test of ``gensim/test/test_fasttext.py`` and ``gensim/test/test_keyedvectors.py`` runs, or has
a reason in LEFT_OUT. fastText files are loaded by `fasttext_lite.compat.gensim`. word2vec files are
read by gensim, and their numbers passed to our `KeyedVectors`.
"""

from __future__ import annotations

import unittest
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import numpy as np
import pytest

from fasttext_lite.compat import gensim as face

if TYPE_CHECKING:
    from collections.abc import Iterator

gensim_fasttext = pytest.importorskip("gensim.models.fasttext")
gensim_keyedvectors = pytest.importorskip("gensim.models.keyedvectors")
suites = [
    pytest.importorskip("gensim.test.test_fasttext"),
    pytest.importorskip("gensim.test.test_keyedvectors"),
]

TRAINS = "trains, or goes on training"
NATIVE = "about the pickle format of gensim"
WRITES = "changes vectors or adds some"
INSIDE = "about a function inside gensim"
WORD2VEC = "about gensim's reader of word2vec files"
PROGRAM = "runs the official command"

LEFT_OUT = {
    "TestFastTextModel": {
        TRAINS: """
            test_training test_fast_text_train_parameters test_training_fromfile
            test_cbow_neg_training test_cbow_neg_training_fromfile test_sg_neg_training
            test_sg_neg_training_fromfile test_online_learning test_online_learning_fromfile
            test_online_learning_after_save test_online_learning_through_ft_format_saves
            test_online_learning_after_save_fromfile test_sg_hs_online test_sg_neg_online
            test_cbow_hs_online test_cbow_neg_online test_get_vocab_word_vecs test_bucket_ngrams
            test_estimate_memory test_negative_ns_exp test_persistence_word2vec_format
        """,
        NATIVE: "test_persistence test_persistence_fromfile",
    },
    "NativeTrainingContinuationTest": {
        TRAINS: """
            test_sanity test_continuation_native test_continuation_gensim test_save_load_gensim
            test_save_load_native
        """,
    },
    "HashCompatibilityTest": {NATIVE: "test_compatibility_true"},
    "FTHashFunctionsTest": {INSIDE: "test_cython"},
    "NgramsTest": {INSIDE: "test_text_cy test_text_cy_wide_unicode test_bytes_cy test_fb"},
    "UnicodeVocabTest": {INSIDE: "test_ascii test_bad_unicode"},
    "ZeroBucketTest": {TRAINS: "test_in_vocab test_out_of_vocab test_cbow_neg"},
    "TestFromfile": {INSIDE: "test_decompressed test_compressed"},
    "UnpackTest": {INSIDE: "test_sanity test_tricky test_identity"},
    "SaveGensimByteIdentityTest": {TRAINS: "test_skipgram test_cbow"},
    "SaveFacebookByteIdentityTest": {PROGRAM: "test_skipgram test_cbow"},
    "SaveFacebookFormatReadingTest": {PROGRAM: "test_skipgram test_cbow"},
    "FastTextKeyedVectorsTest": {WRITES: "test_add_vector test_add_vectors"},
    "TestKeyedVectors": {
        WRITES: "test_add_single test_add_multiple test_add_type test_set_item",
        WORD2VEC: """
            test_load_model_and_vocab_file_strict test_load_model_and_vocab_file_replace
            test_load_model_and_vocab_file_ignore test_save_reload test_no_header
        """,
    },
    "Gensim320Test": {NATIVE: "test"},
    "LoadWord2VecFormatTest": {
        WORD2VEC: """
            test_load_word2vec_format_basic test_load_word2vec_format_limit
            test_load_word2vec_format_space_stripping
        """,
    },
}
# Test functions outside of classes; all of them train.
FUNCTIONS = {
    "test_cbow_hs_training",
    "test_cbow_hs_training_fromfile",
    "test_sg_hs_training",
    "test_sg_hs_training_fromfile",
}
FLOAT32 = 1e-6


def test_cases() -> Iterator[tuple[type[unittest.TestCase], str]]:
    for suite in suites:
        for found in vars(suite).values():
            if isinstance(found, type) and found.__module__ == suite.__name__:
                for method in unittest.TestLoader().getTestCaseNames(found):
                    yield found, method


test_cases.__test__ = False


def left_out() -> set[tuple[str, str]]:
    return {
        (case, method)
        for case, reasons in LEFT_OUT.items()
        for methods in reasons.values()
        for method in methods.split()
    }


CASES = [
    pytest.param(case, method, id=f"{case.__name__}-{method}")
    for case, method in test_cases()
    if (case.__name__, method) not in left_out()
]


def load_word2vec_format(path: str, *, binary: bool) -> face.KeyedVectors:
    """Replace the method of gensim's KeyedVectors with which its tests load a file."""
    read = gensim_keyedvectors.KeyedVectors.load_word2vec_format(path, binary=binary)
    return face.KeyedVectors._of(read.index_to_key, read.vectors, read.expandos["count"])


@pytest.mark.parametrize(("case", "method"), CASES)
def test_gensim_says_so(
    case: type[unittest.TestCase], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {
        load.__name__: Mock(side_effect=load)
        for load in (face.load_facebook_model, face.load_facebook_vectors, load_word2vec_format)
    }
    for name in ("load_facebook_model", "load_facebook_vectors"):
        monkeypatch.setattr(gensim_fasttext, name, ours[name])
    fasttext_suite, vectors_suite = suites
    monkeypatch.setattr(vectors_suite, "KeyedVectors", SimpleNamespace(**ours))
    # gensim divides by the number of rows; the official program and this package multiply by its
    # inverse, which rounds differently.
    monkeypatch.setattr(fasttext_suite, "MAX_WORDVEC_COMPONENT_DIFFERENCE", FLOAT32)
    # A check of the attributes of a model includes the locks of training.
    for name in ("vectors_vocab_lockf", "vectors_ngrams_lockf"):
        monkeypatch.setattr(face.FastTextKeyedVectors, name, np.ones(1), raising=False)
    result = unittest.TestResult()
    case(method).run(result)
    if result.skipped:
        pytest.skip(result.skipped[0][1])
    problems: list[Any] = [*result.errors, *result.failures]
    assert not problems, problems[0][1]
    assert any(load.called for load in ours.values()), "this test does not come to our face"


def test_what_is_left_out_exists() -> None:
    every = {(case.__name__, method) for case, method in test_cases()}
    assert left_out() <= every
    functions = {
        name
        for suite in suites
        for name, found in vars(suite).items()
        if name.startswith("test_") and getattr(found, "__module__", "") == suite.__name__
    }
    assert functions == FUNCTIONS
