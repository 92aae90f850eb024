"""For any model and texts, columns equal arrays that pyarrow builds from single answers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import SUPERVISED, build
from support.strategies import dense_models, pruned_models, quantized_models
from support.text import SENTENCES

import fasttext_lite as ftl

if TYPE_CHECKING:
    from collections.abc import Iterator

pyarrow = pytest.importorskip("pyarrow")

LINES = [line for lines in SENTENCES.values() for line in lines]
TEXTS = st.lists(
    st.none()
    | st.sampled_from(LINES)
    | st.text("ab<é水🙂\u0301 \t", max_size=20)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=40),
    max_size=30,
)
TYPES = ["string", "large_string", "string_view", "binary", "large_binary", "binary_view"]
MODELS = dense_models() | quantized_models() | pruned_models()
OPTIONS = st.fixed_dictionaries(
    {"k": st.sampled_from([1, 2, 5, -1]), "threshold": st.sampled_from([0.0, 0.2, 0.5, 1.0])},
    optional={
        "renormalize": st.booleans(),
        "labels": st.lists(st.integers(0, 3), min_size=1, max_size=3),
    },
)


@st.composite
def columns(draw: st.DrawFn) -> tuple[Any, list[str | None]]:
    """Draw an array with a layout of Arrow, and its texts."""
    texts = draw(TEXTS)
    kind = draw(st.sampled_from([name for name in TYPES if hasattr(pyarrow, name)]))
    array = pyarrow.array(texts, getattr(pyarrow, kind)())
    if kind in ("string", "large_string") and draw(st.booleans()):
        array = array.dictionary_encode()
    start = draw(st.integers(0, len(texts)))
    stop = draw(st.integers(start, len(texts)))
    array, texts = array[start:stop], texts[start:stop]
    if draw(st.booleans()):
        cuts = sorted(draw(st.lists(st.integers(0, len(texts)), max_size=3)))
        ends = [0, *cuts, len(texts)]
        pieces = [array[a:b] for a, b in pairwise(ends)]
        array = pyarrow.chunked_array(pieces, array.type)
    return array, texts


def opened(options: dict[str, Any]) -> Iterator[ftl.Model]:
    with TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        path = Path(directory, "model.bin")
        path.write_bytes(build(**options))
        yield ftl.load(path)


def readable(label: str) -> str:
    return label.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def array_of(column: Any) -> Any:
    array = pyarrow.array(column)
    array.validate(full=True)
    return array


@given(options=MODELS, column=columns(), threads=st.sampled_from([1, 3]))
def test_vectors(options, column, threads):
    array, texts = column
    for model in opened(options):
        kind = pyarrow.list_(pyarrow.float32(), model.dim)
        for make, one in (
            (ftl.columns.vectors, model.__getitem__),
            (ftl.columns.sentence_vectors, model.sentence_vector),
        ):
            rows = [None if text is None else one(text) for text in texts]
            found = array_of(make(model, array, threads=threads))
            assert found.equals(pyarrow.array(rows, kind))


@given(
    options=MODELS.filter(lambda options: options["model"] == SUPERVISED),
    column=columns(),
    choice=OPTIONS,
    strip_prefix=st.booleans(),
    dictionary=st.booleans(),
)
def test_labels(options, column, choice, strip_prefix, dictionary):
    array, texts = column
    for model in opened(options):
        if "labels" in choice:
            choice["labels"] = [i for i in choice["labels"] if i < len(model.labels)] or [0]
        classifier = model.classifier(strip_prefix=strip_prefix)
        answers = [
            None
            if text is None
            else [
                {"label": readable(label), "probability": number}
                for label, number in zip(*classifier.predict(text, **choice), strict=True)
            ]
            for text in texts
        ]
        fields = {"label": pyarrow.string(), "probability": pyarrow.float32()}
        kind = pyarrow.struct(fields)
        if choice["k"] == 1:
            answers = [answer[0] if answer else None for answer in answers]
        else:
            kind = pyarrow.list_(kind)
        column = ftl.columns.labels(
            model, array, strip_prefix=strip_prefix, dictionary=dictionary, **choice
        )
        assert array_of(column).to_pylist() == answers
        # Asked for plain strings, it has the very type.
        capsules = column.__arrow_c_array__(kind.__arrow_c_schema__())
        plain = pyarrow.Array._import_from_c_capsule(*capsules)
        plain.validate(full=True)
        assert plain.equals(pyarrow.array(answers, kind))


@given(
    options=MODELS.filter(lambda options: options["model"] == SUPERVISED),
    column=columns(),
    choice=OPTIONS,
    dictionary=st.booleans(),
)
def test_annotated_batches_are_equal_in_all_forms(options, column, choice, dictionary):
    array, texts = column
    with TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        path = Path(directory, "model.bin")
        path.write_bytes(build(**options))
        choice.pop("labels", None)
        annotate = ftl.Annotator(path, evidence="rows", dictionary=dictionary, **choice)
        model = ftl.load(path)
        in_lists = annotate({"text": texts})
        table = annotate(pyarrow.table({"text": array}))
        table.validate(full=True)
        in_arrays = annotate({"text": np.array(texts, object)})
    for name in annotate.names:
        assert table.column(name).to_pylist() == in_lists[name]
    assert [one or 0 for one in in_lists["rows"]] == in_arrays["rows"].tolist()
    assert [0 if text is None else 1 for text in texts] == [
        0 if one is None else 1 for one in in_lists["rows"]
    ]
    known = model.evidence(texts, missing="empty").features
    assert in_arrays["rows"].tolist() == known.tolist()
