"""The commands that choose among labels, count evidence, and list keywords."""

from __future__ import annotations

import json

import pytest
from support import GOLDEN

import fasttext_lite as ftl
from fasttext_lite.cli import main

MODEL = str(GOLDEN / "softmax.bin")
LINES = ["the old train was late", "", "war and peace"]


@pytest.fixture
def model():
    return ftl.load(MODEL)


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(LINES) + "\n")
    return str(path)


def test_predict_chooses_among_labels(model, texts, capfdbinary):
    labels = list(model.labels)[:2]
    arguments = ["predict", MODEL, texts, "-k", "-1", "--json"]
    for given in ([f"--labels={','.join(labels)}"], [f"--labels={one}" for one in labels]):
        for options in ({}, {"renormalize": True}, {"official_bias": True}):
            flags = [f"--{name.replace('_', '-')}" for name in options]
            assert main([*arguments, *given, *flags]) == 0
            told = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
            for one, found in zip(
                told, model.predict(LINES, -1, labels=labels, **options), strict=True
            ):
                assert tuple(one["labels"]) == found.labels
                assert one["probabilities"] == pytest.approx(found.probabilities.tolist())


def test_predict_names_an_unknown_label(texts, capfdbinary):
    assert main(["predict", MODEL, texts, "--labels", "nonsense"]) == 2
    assert b"'nonsense' is not a label" in capfdbinary.readouterr().err


def test_evidence_of_lines(model, texts, capfdbinary):
    expected = list(zip(*(counts.tolist() for counts in model.evidence(LINES)), strict=True))
    assert main(["evidence", MODEL, texts]) == 0
    written = capfdbinary.readouterr().out.decode().splitlines()
    assert written == [f"{words} {features}" for words, features in expected]
    assert main(["evidence", MODEL, texts, "--json"]) == 0
    told = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [(one["words"], one["features"]) for one in told] == expected


def test_keywords_of_labels(model, capfdbinary):
    label = model.labels[1]
    assert main(["keywords", MODEL, label, "-k", "3"]) == 0
    found = model.keywords(label, 3)
    assert capfdbinary.readouterr().out.decode().splitlines() == [
        label,
        *(f"  {one.feature} {one.score:.6g}" for one in found),
    ]
    assert main(["keywords", "-m", MODEL, "--json"]) == 0
    told = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [one["label"] for one in told] == list(model.labels)
    assert told[1]["keywords"][:3] == [one._asdict() for one in found]
