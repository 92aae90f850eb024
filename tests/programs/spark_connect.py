"""Annotate through Spark Connect, with the file at its path and shipped: `spark_connect MODEL`."""

import sys

from pyspark.sql import SparkSession

import fasttext_lite as ftl
from fasttext_lite.integrations.spark import annotate, annotator_udf

MODEL = sys.argv[1]
TEXTS = ["wo ist der Bahnhof", "где вокзал", None]

session = SparkSession.builder.remote("local[2]").getOrCreate()
assert "connect" in type(session).__module__
frame = session.createDataFrame([(i, text) for i, text in enumerate(TEXTS)], "id int, text string")
expected = ftl.Annotator(MODEL)({"text": TEXTS})
for ship in (False, True):
    found = annotate(frame, MODEL, ship=ship, sentence_vector="v").toArrow().sort_by("id")
    assert found["label"].to_pylist() == expected["label"]
    assert found["probability"].to_pylist() == expected["probability"]
    label = annotator_udf(MODEL, ship=ship, probability=None)
    found = frame.select("id", label("text").alias("label")).toArrow().sort_by("id")
    assert found["label"].to_pylist() == expected["label"]
session.stop()
