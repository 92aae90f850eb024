"""Files of word vectors, compared with gensim."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import fasttext_lite as ftl

if TYPE_CHECKING:
    from pathlib import Path

keyedvectors = pytest.importorskip("gensim.models.keyedvectors")
gensim_test = pytest.importorskip("gensim.test.utils")

# gensim does not close a file without a head.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture(scope="module")
def theirs() -> Any:
    """Return vectors of the sample model as gensim's KeyedVectors."""
    sample = ftl.load("sample")
    words = list(sample.words[:2000])
    vectors = keyedvectors.KeyedVectors(sample.dim)
    vectors.add_vectors(words, sample[words])
    return vectors


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz"])
def test_what_gensim_saves_opens_with_the_same_numbers(
    tmp_path: Path, theirs: Any, binary: bool, suffix: str
) -> None:
    path = tmp_path / f"vectors{suffix}"
    theirs.save_word2vec_format(str(path), binary=binary)
    ours = ftl.load(path)
    assert list(ours.words) == theirs.index_to_key
    assert_array_equal(ours[ours.words], theirs.vectors)


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_the_same_from_files_as_other_programs_write_them(
    tmp_path: Path, theirs: Any, binary: bool
) -> None:
    path = tmp_path / "vectors"
    rows = [b"%d %d\n" % theirs.vectors.shape]
    for word, vector in zip(theirs.index_to_key, theirs.vectors, strict=True):
        # word2vec.c ends binary rows with a line feed; fastText also ends text rows with a space.
        numbers = "".join(f"{number:.5g} " for number in vector).encode()
        rows.append(word.encode() + b" " + (vector.tobytes() if binary else numbers) + b"\n")
    path.write_bytes(b"".join(rows))
    read = keyedvectors.KeyedVectors.load_word2vec_format(str(path), binary=binary)
    ours = ftl.load(path)
    assert list(ours.words) == read.index_to_key
    assert_array_equal(ours[ours.words], read.vectors)


def test_rows_without_a_head_are_read_as_by_gensim(tmp_path: Path, theirs: Any) -> None:
    path = tmp_path / "glove.txt.gz"
    theirs.save_word2vec_format(str(path), write_header=False)
    with gzip.open(path) as file:
        assert len(file.readline().split()) == theirs.vector_size + 1
    read = keyedvectors.KeyedVectors.load_word2vec_format(str(path), no_header=True)
    ours = ftl.load(path)
    assert list(ours.words) == read.index_to_key
    assert_array_equal(ours[ours.words], read.vectors)


@pytest.mark.parametrize(
    ("name", "binary"),
    [
        ("euclidean_vectors.bin", True),
        ("w2v_keyedvectors_load_test.modeldata", False),
        ("test_glove.txt", None),
        ("word2vec_pre_kv_c", False),
    ],
)
def test_the_files_of_gensims_own_tests_open(name: str, binary: bool | None) -> None:
    path = gensim_test.datapath(name)
    read = keyedvectors.KeyedVectors.load_word2vec_format(
        path,
        binary=bool(binary),
        no_header=binary is None,
        unicode_errors="surrogateescape",
    )
    ours = ftl.load(path)
    assert list(ours.words) == read.index_to_key
    assert_array_equal(ours[ours.words].view(np.uint32), read.vectors.view(np.uint32))
