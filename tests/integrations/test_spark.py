"""Spark in local-cluster mode: two executors, with Python workers of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest
from support import GOLDEN, TESTS
from support.clusters import spark_cluster, spark_environment
from support.text import labelled_texts

import fasttext_lite as ftl

pytest.importorskip("pyspark", reason="pyspark is not installed")
pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pytest.importorskip("pandas", reason="Spark needs pandas for its Arrow functions")

from pyspark.errors import PySparkRuntimeError, PythonException
from pyspark.sql.functions import col

from fasttext_lite.integrations.spark import annotate, annotator_udf

pytestmark = [
    pytest.mark.engines,
    pytest.mark.skipif(sys.platform != "linux", reason="the cluster is tried on Linux"),
    pytest.mark.skipif(not shutil.which("java"), reason="Java is not installed"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
]

MODEL = GOLDEN / "softmax.bin"
TEXTS = [*labelled_texts(90), "", None, "🙂 \u0301"]
SCHEMA = "id int, text string"


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    with spark_cluster(tmp_path_factory.mktemp("spark") / "home") as session:
        yield session


@pytest.fixture
def frame(spark):
    """A frame of many texts in four partitions."""
    rows = [(i, text) for i, text in enumerate(TEXTS)]
    return spark.createDataFrame(rows, SCHEMA).repartition(4, "id")


@pytest.fixture
def path(tmp_path):
    """The path of a model that no worker has opened."""
    return shutil.copy(MODEL, tmp_path / f"{tmp_path.name}.bin")


def collect(frame):
    """The rows in the order of their ids, as columns."""
    return frame.toArrow().sort_by("id").to_pydict()


def bits(numbers):
    return np.array([np.nan if one is None else one for one in numbers], np.float32).tobytes()


def check_labels(labels, probabilities):
    """Compare with one process: the labels are equal, and the probabilities in every bit."""
    expected = ftl.load(MODEL).classifier(strip_prefix=True).predict(TEXTS, missing="empty")
    assert labels == [one.labels[0] if one.labels else None for one in expected]
    numbers = [one.probabilities[0] if one.labels else None for one in expected]
    assert bits(probabilities) == bits(numbers)


def test_labels_are_those_of_one_process(frame):
    done = annotate(frame, MODEL)
    assert done.dtypes == [*frame.dtypes, ("label", "string"), ("probability", "float")]
    found = collect(done)
    assert found["text"] == TEXTS
    check_labels(found["label"], found["probability"])


def test_two_lines_without_the_adapter(frame):
    annotator = ftl.Annotator(MODEL)
    found = collect(
        frame.mapInArrow(annotator.iterate, f"{SCHEMA}, label string, probability float")
    )
    check_labels(found["label"], found["probability"])


def test_two_worker_processes_share_the_work(frame):
    # A nested function is sent itself, and not as a name in a module that workers cannot import.
    def with_pid(batches):
        import os

        import pyarrow

        for batch in batches:
            yield batch.append_column("pid", pyarrow.array([os.getpid()] * len(batch)))

    done = annotate(frame, MODEL)
    found = collect(
        done.mapInArrow(with_pid, f"{SCHEMA}, label string, probability float, pid long")
    )
    check_labels(found["label"], found["probability"])
    assert len(set(found["pid"])) == 2


def test_vectors_counts_and_many_labels(frame):
    found = collect(
        annotate(frame, MODEL, k=2, sentence_vector="v", vector="w", evidence="rows", threads=2)
    )
    model = ftl.load(MODEL)
    present = [text for text in TEXTS if text is not None]
    vectors = iter(model.sentence_vectors(present))
    for text, vector, labels, probabilities, rows in zip(
        *(found[name] for name in ("text", "v", "label", "probability", "rows")), strict=True
    ):
        if text is None:
            assert vector is labels is probabilities is rows is None
            continue
        assert bits(vector) == next(vectors).tobytes()
        expected = model.predict(text, k=2)
        assert labels == [label.removeprefix("__label__") for label in expected.labels]
        assert bits(probabilities) == expected.probabilities.tobytes()
        assert rows == model.evidence([text]).features[0]
    assert bits(found["w"][0]) == model[TEXTS[0]].tobytes()


class TestFunction:
    def test_labels_and_probabilities(self, frame):
        label = annotator_udf(MODEL)
        found = collect(frame.withColumn("found", label("text")).select("id", "found.*"))
        check_labels(found["label"], found["probability"])

    def test_one_column_alone(self, frame):
        vector = annotator_udf(MODEL, label=None, probability=None, sentence_vector="v")
        found = collect(frame.select("id", vector(col("text")).alias("v")))["v"]
        assert bits(found[0]) == ftl.load(MODEL).sentence_vector(TEXTS[0]).tobytes()
        assert found[TEXTS.index(None)] is None

    def test_in_sql(self, spark, frame):
        spark.udf.register("language", annotator_udf(MODEL, probability=None))
        frame.createOrReplaceTempView("texts")
        counts = spark.sql("SELECT language(text) AS language, count(*) FROM texts GROUP BY 1")
        expected = ftl.Annotator(MODEL)({"text": TEXTS})["label"]
        assert dict(counts.collect()) == {one: expected.count(one) for one in expected}


class TestShipped:
    def test_executors_have_a_file_that_is_gone_here(self, frame, path):
        done = annotate(frame, path, ship=True)
        collect(done)
        path.unlink()
        found = collect(done)
        check_labels(found["label"], found["probability"])

    def test_to_a_function_and_from_an_archive(self, frame, path):
        archive = shutil.make_archive(str(path), "zip", path.parent, path.name)
        label = annotator_udf(f"{archive}!/{path.name}", ship=True)
        found = collect(frame.select("id", label("text").alias("x")).select("id", "x.*"))
        check_labels(found["label"], found["probability"])

    def test_another_file_of_the_same_name_is_refused(self, frame, path, tmp_path):
        annotate(frame, path, ship=True)
        (tmp_path / "folder").mkdir()
        other = shutil.copy(GOLDEN / "hs.bin", tmp_path / "folder" / path.name)
        with pytest.raises(PySparkRuntimeError, match="DUPLICATED_ARTIFACT"):
            annotate(frame, other, ship=True)


class TestErrors:
    def test_another_file_than_here(self, frame, path):
        done = annotate(frame, path)
        shutil.copy(GOLDEN / "hs.bin", path)
        with pytest.raises(PythonException, match=f"{path.name}: this is another file on .* than"):
            done.collect()

    def test_no_file_for_the_workers(self, frame, path):
        done = annotate(frame, path)
        path.unlink()
        with pytest.raises(PythonException, match=r"there is no such file on .*ship=True"):
            done.collect()

    def test_no_file_here(self, frame, path):
        path.unlink()
        with pytest.raises(ftl.MissingFileError, match="there is no such file"):
            annotate(frame, path, ship=True)
        with pytest.raises(PythonException, match=r"MissingFileError.*there is no such file on"):
            annotate(frame, path).collect()

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"column": "txt"}, ftl.InputValueError, "no column 'txt' .near ones: 'text'"),
            ({"column": "id"}, ftl.InputTypeError, "column 'id' of type int holds no texts"),
            ({"label": "id"}, ftl.InputValueError, "there is a column 'id' already"),
            ({"dictionary": True}, ftl.InputValueError, "leave out dictionary"),
            ({"path": ftl.SAMPLE}, ftl.ModelKindError, "pass label=None and probability=None"),
            ({"path": __file__}, ftl.FormatError, "not a fastText model"),
        ],
    )
    def test_of_arguments_come_at_once(self, frame, options, error, message):
        with pytest.raises(error, match=message):
            annotate(frame, **{"path": MODEL, **options})

    def test_of_texts_name_the_column(self, spark):
        frame = spark.createDataFrame([(0, "two\nlines")], SCHEMA)
        with pytest.raises(PythonException, match=r"InputValueError.*newline"):
            annotate(frame, MODEL).collect()
        assert annotate(frame, MODEL, newlines="space").collect()[0]["label"]


def test_spark_connect(tmp_path):
    """A process of its own, since there is one kind of session in a process."""
    pytest.importorskip("grpc", reason="Spark Connect needs grpcio")
    pytest.importorskip("grpc_status", reason="Spark Connect needs grpcio-status")
    environment = spark_environment(tmp_path / "home")
    done = subprocess.run(
        [sys.executable, TESTS / "programs" / "spark_connect.py", MODEL],
        check=False,
        capture_output=True,
        env=environment,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr.decode()
