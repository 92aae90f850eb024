"""Any small model, converted with any options, equals its source and the plain reader."""

from __future__ import annotations

import contextlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support import reference
from support.builders import SUPERVISED, build
from support.plain_reader import PlainReader
from support.strategies import QUERIES, dense_models, pruned_models, quantized_models

import fasttext_lite as ftl

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = dense_models() | quantized_models() | pruned_models()
DTYPES = st.sampled_from(["float32", "float16", "int8"])


@contextlib.contextmanager
def folder_of(options: dict[str, Any]) -> Iterator[Path]:
    """Yield a folder with the file of these options, named ``source``."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        Path(directory, "source").write_bytes(build(**options))
        yield Path(directory)


def bits(vectors: Any) -> np.ndarray:
    return np.ascontiguousarray(vectors).view(np.uint32)


def words_to_ask(options: dict[str, Any], queries: list[bytes]) -> list[bytes]:
    """Return words and queries, and labels if pruning has not moved their rows."""
    labels = [] if "prune" in options else options["labels"]
    words = [*options["words"], *labels, *queries]
    return [word for word in words if word in labels or word not in options["labels"]]


@given(options=MODELS, queries=QUERIES)
def test_float32_answers_bit_for_bit(options: dict[str, Any], queries: list[bytes]) -> None:
    with folder_of(options) as folder:
        ftl.convert(folder / "source", folder / "target")
        source, model = ftl.load(folder / "source"), ftl.load(folder / "target")
        words = words_to_ask(options, queries)
        assert_array_equal(bits(model[words]), bits(source[words]))
        for word in words:
            assert_array_equal(bits(model[word]), bits(source[word]))
            assert (model.get(word) is None) == (source.get(word) is None)
            assert model.word_id(word) == source.word_id(word)
        assert list(model.words) == list(source.words)
        assert list(model.labels) == list(source.labels)
        assert model.counts.tolist() == source.counts.tolist()


@given(options=MODELS, queries=QUERIES, dtype=DTYPES)
def test_a_plain_reader_gives_the_same_vectors(
    options: dict[str, Any], queries: list[bytes], dtype: str
) -> None:
    if "input_matrix" in options:
        # The range of float16.
        options["input_matrix"] = options["input_matrix"].clip(-6e4, 6e4)
    with folder_of(options) as folder:
        ftl.convert(folder / "source", folder / "target", dtype)
        model, plain = ftl.load(folder / "target"), PlainReader(folder / "target")
        words = [*options["words"], *options["labels"], *queries]
        expected = np.array([plain.vector(word) for word in words])
        if dtype == "float32":
            assert_array_equal(bits(model[words]), bits(expected))
        matrix = "input" if options["model"] == SUPERVISED else "subwords"
        rows = [plain.row(matrix, i) for i in range(len(plain.arrays[matrix]))]
        largest = np.abs([*rows, np.zeros(model.dim)]).max()
        assert_allclose(model[words], expected, rtol=1e-6, atol=1e-6 * largest)
        assert plain.words() == options["words"]


@given(options=MODELS, dtype=DTYPES)
def test_a_converted_file_converts_to_the_same_bytes(options: dict[str, Any], dtype: str) -> None:
    if "input_matrix" in options:
        options["input_matrix"] = options["input_matrix"].clip(-6e4, 6e4)
    with folder_of(options) as folder:
        for source, target, form in (
            ("source", "exact", "float32"),
            ("exact", "again", "float32"),
            ("source", "direct", dtype),
            ("exact", "through", dtype),
        ):
            ftl.convert(folder / source, folder / target, form)
        assert (folder / "again").read_bytes() == (folder / "exact").read_bytes()
        assert (folder / "through").read_bytes() == (folder / "direct").read_bytes()


@given(data=st.data(), options=MODELS, queries=QUERIES, extra=QUERIES)
def test_a_part_of_a_model_answers_from_what_it_kept(
    data: st.DataObject, options: dict[str, Any], queries: list[bytes], extra: list[bytes]
) -> None:
    with folder_of(options) as folder:
        slow = reference.parse(folder / "source")
        known = sorted({word for word in options["words"] if slow.word_id(word) >= 0})
        assume(known)
        kept = data.draw(st.lists(st.sampled_from(known), min_size=1, unique=True))
        subwords = data.draw(st.sampled_from(["all", "used", "none"]))
        assume(subwords != "none" or options["model"] != SUPERVISED)
        ftl.convert(
            folder / "source",
            folder / "target",
            words=kept,
            subwords=subwords,
            extra_words=extra if subwords == "used" else None,
        )
        model = ftl.load(folder / "target")
        if options["model"] == SUPERVISED and slow.word_id(b"</s>") >= 0:
            kept.append(b"</s>")
        if options["model"] == SUPERVISED and model.info.parameters.hash_count:
            # Of all words only the first has a row in the model, if it does not come again.
            assume(len(set(options["words"])) == len(options["words"]))
            kept.append(options["words"][0])
        assert {word.encode(errors="surrogateescape") for word in model.words} == set(kept)
        used = {row for word in [*kept, *extra] for _, row in slow.ngram_rows(word)}
        for word in [*options["words"], *queries, *extra]:
            if word in options["labels"]:
                continue
            if word in kept:
                expected = slow.vector(word)
            elif subwords == "none":
                with pytest.raises(ftl.UnknownWordError):
                    model[word]
                continue
            else:
                rows = [row for _, row in slow.ngram_rows(word)]
                rows = [row for row in rows if row in used or subwords == "all"]
                expected = np.zeros(model.dim, np.float32)
                for row in rows:
                    expected += slow.input_matrix[row]
                if rows:
                    expected *= np.float32(1 / len(rows))
            if slow.input_quantized:
                assert_allclose(model[word], expected, rtol=1e-6, atol=1e-6)
            else:
                assert_array_equal(bits(model[word]), bits(expected))


@given(
    options=MODELS,
    queries=QUERIES,
    dtype=st.sampled_from(["float32", "int8"]),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=8),
    mmap=st.booleans(),
)
def test_changed_bytes_are_refused_or_harmless(
    options: dict[str, Any],
    queries: list[bytes],
    dtype: str,
    changes: list[tuple[float, int]],
    mmap: bool,
) -> None:
    with folder_of(options) as folder:
        target = folder / "target"
        ftl.convert(folder / "source", target, dtype, subwords="used")
        data = bytearray(target.read_bytes())
        for place, change in changes:
            data[int(place * (len(data) - 1))] ^= change
        changed = folder / "changed"
        changed.write_bytes(data)
        with contextlib.suppress(ftl.FormatError), np.errstate(all="ignore"):
            model = ftl.load(changed, mmap=mmap)
            words = [*options["words"], *queries, *model.words, *model.labels]
            assert model[words].shape == (len(words), model.dim)
            for word in words:
                model.subwords(word)
                model.get(word)
            if len(model):
                model.neighbors(np.ones(model.dim, np.float32), k=3)
            with contextlib.suppress(ftl.InputValueError):
                ftl.convert(changed, folder / "again", dtype)
