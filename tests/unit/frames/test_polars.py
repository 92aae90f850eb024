"""Expressions of Polars: eager, lazy and streamed, with the answers for single texts."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from support import GOLDEN
from support.text import SENTENCES

import fasttext_lite as ftl

polars = pytest.importorskip("polars")
import fasttext_lite.integrations.polars  # noqa: E402

MODEL = GOLDEN / "softmax.bin"
TEXTS = [None, *(lines[0] for lines in SENTENCES.values()), "", None]


@pytest.fixture(scope="module")
def model():
    return ftl.load(MODEL)


@pytest.fixture
def text():
    return polars.col("text").fasttext


def labels_of(model, text, k, threshold=0.0):
    found = model.classifier(strip_prefix=True).predict(text, k, threshold)
    return [{"label": label, "probability": number} for label, number in zip(*found, strict=True)]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_expressions_have_the_answers_for_single_texts(model, text, engine):
    frame = polars.LazyFrame({"text": TEXTS})
    query = frame.select(
        label=text.label(MODEL),
        best=text.label(MODEL, 0.05883),
        labels=text.labels(MODEL, 3),
        every=text.labels(MODEL, -1, 0.0588, labels=["de", "ru", "fr"]),
        category=text.label(MODEL, dictionary=True),
        prefixed=text.label(MODEL, strip_prefix=False),
        vector=text.vector(MODEL),
        sentence=text.sentence_vector(MODEL),
    )
    found = query.collect(engine=engine)
    assert found.schema == query.collect_schema()
    label = polars.Struct({"label": polars.String, "probability": polars.Float32})
    category = polars.Struct({"label": polars.Categorical, "probability": polars.Float32})
    vector = polars.Array(polars.Float32, model.dim)
    assert dict(found.schema) == {
        "label": label,
        "best": label,
        "labels": polars.List(label),
        "every": polars.List(label),
        "category": category,
        "prefixed": label,
        "vector": vector,
        "sentence": vector,
    }
    for one, row in zip(TEXTS, found.iter_rows(named=True), strict=True):
        if one is None:
            assert set(row.values()) == {None}
            continue
        assert row["label"] == row["category"] == labels_of(model, one, 1)[0]
        assert row["best"] == (labels_of(model, one, 1, 0.05883) or [None])[0]
        assert row["labels"] == labels_of(model, one, 3)
        chosen = [each["label"] for each in row["every"]]
        assert chosen == [
            each["label"]
            for each in labels_of(model, one, -1, 0.0588)
            if each["label"] in ("de", "ru", "fr")
        ]
        assert row["prefixed"]["label"] == model.predict(one).labels[0]
        assert row["vector"] == model[one].tolist()
        assert row["sentence"] == model.sentence_vector(one).tolist()


def test_many_morsels_are_streamed(model, text):
    texts = [f"{one} {i}" if i % 7 else None for i in range(300) for one in TEXTS[1:-1]]
    frame = polars.LazyFrame({"text": texts, "n": range(len(texts))})
    query = frame.with_columns(text.label(MODEL).struct.unnest()).filter(
        polars.col("label").is_in(["de", "ru"])
    )
    found = query.collect(engine="streaming").sort("n")
    answers = model.classifier(strip_prefix=True).predict(texts, missing="empty")
    expected = [
        i for i, answer in enumerate(answers) if answer.labels and answer.labels[0] in ("de", "ru")
    ]
    assert found["n"].to_list() == expected
    assert found["label"].to_list() == [answers[i].labels[0] for i in expected]


def test_filters_of_other_columns_come_first(text):
    frame = polars.LazyFrame({"text": ["a"] * 5, "n": range(5)})
    plan = frame.with_columns(label=text.label(MODEL)).filter(polars.col("n") == 3).explain()
    assert plan.index("python_udf") < plan.index('"n"')


def test_other_types_of_strings_and_names(model):
    series = polars.Series("text", TEXTS)
    for kind in (polars.Binary, polars.Categorical, polars.Enum(sorted({*TEXTS} - {None}))):
        frame = series.cast(kind).to_frame()
        found = frame.select(polars.col("text").fasttext.label(MODEL))
        assert found.columns == ["text"]
        assert found["text"].null_count() == 2
    assert series.to_frame().select(polars.col("^te.*$").fasttext.label(MODEL)).width == 1
    assert polars.DataFrame({"text": [None, None]}).select(
        polars.col("text").fasttext.label(MODEL)
    ).to_series().to_list() == [None, None]


def test_groups(text):
    frame = polars.DataFrame({"text": TEXTS, "n": [i % 2 for i in range(len(TEXTS))]})
    alone = frame.select("n", label=text.label(MODEL).struct.field("label"))
    grouped = frame.group_by("n").agg(label=text.label(MODEL).struct.field("label"))
    for n, labels in grouped.iter_rows():
        assert labels == alone.filter(n=n)["label"].to_list()


def test_a_plan_travels_as_the_path_of_the_model(text):
    pytest.importorskip("cloudpickle", reason="Polars writes functions by it")
    query = polars.LazyFrame({"text": TEXTS}).select(text.label(MODEL), v=text.vector(MODEL))
    plan = query.serialize()
    assert len(plan) < 20_000 < MODEL.stat().st_size
    code = (
        "import io, sys, polars as pl\n"
        "query = pl.LazyFrame.deserialize(io.BytesIO(sys.stdin.buffer.read()))\n"
        "sys.stdout.write(query.collect().write_json())\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], input=plan, capture_output=True)
    assert done.stdout.decode() == query.collect().write_json(), done.stderr
    assert polars.LazyFrame.deserialize(io.BytesIO(plan)).collect().equals(query.collect())


def test_errors_come_with_the_expression(text, tmp_path):
    with pytest.raises(ftl.MissingFileError):
        text.label(tmp_path / "none.bin")
    with pytest.raises(ftl.ModelKindError, match="no labels"):
        text.label("sample")
    with pytest.raises(ftl.InputValueError, match="k must be at least 1"):
        text.labels(MODEL, 0)
    with pytest.raises(ftl.InputTypeError, match="threshold must be a number"):
        text.label(MODEL, "0.5")
    with pytest.raises(ftl.InputValueError, match="'xy' is not a label"):
        text.label(MODEL, labels=["xy"])
    with pytest.raises(TypeError, match="output"):
        text.label(MODEL, output="x")
    with pytest.raises(ftl.InputValueError, match="threads must be"):
        text.vector(MODEL, threads=0)
    with pytest.raises(ftl.InputValueError, match="newlines must be"):
        text.sentence_vector(MODEL, newlines="drop")
    with pytest.raises(ftl.FormatError, match="SHA-256"):
        text.sentence_vector(MODEL, sha256="0" * 64)


def test_errors_of_texts_come_with_the_query(text):
    with pytest.raises(Exception, match="not of format 'l'"):
        polars.DataFrame({"text": [1, 2]}).select(text.label(MODEL))
    newline = polars.DataFrame({"text": ["a\nb"]})
    with pytest.raises(Exception, match="newlines='space'"):
        newline.select(text.label(MODEL))
    assert newline.select(text.label(MODEL, newlines="space")).height == 1


def test_without_polars_the_extra_is_named():
    code = (
        "import sys; sys.modules['polars'] = None\n"
        "import fasttext_lite as ftl\n"
        "try: import fasttext_lite.integrations.polars\n"
        "except ftl.MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    assert b"fasttext-lite[polars]" in done.stdout
