"""`Dataset.map` of Hugging Face with an annotator: caches, formats, streams and processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import GOLDEN
from support.text import labelled_texts

import fasttext_lite as ftl

datasets = pytest.importorskip("datasets", reason="datasets is not installed")

pytestmark = pytest.mark.engines

MODEL = GOLDEN / "softmax.bin"
TEXTS = [*labelled_texts(60), None, "", "水 🙂", None]


@pytest.fixture(autouse=True)
def _settings():
    """No bars; and no workers forked from a process in which other tests have left threads."""
    multiprocess = pytest.importorskip("multiprocess")
    datasets.disable_progress_bars()
    multiprocess.set_start_method("forkserver", force=True)
    yield
    multiprocess.set_start_method(None, force=True)
    datasets.enable_progress_bars()


@pytest.fixture(scope="module")
def expected():
    """The label and the probability of each text."""
    model = ftl.load(MODEL)
    found = [model.predict(text or "") for text in TEXTS]
    return [
        (None, None)
        if text is None
        else (one.labels[0].removeprefix("__label__"), float(one.probabilities[0]))
        for text, one in zip(TEXTS, found, strict=True)
    ]


def pairs(rows):
    """The label and the probability of each row; NaN, which NumPy has for a null, is None."""
    return [(row["label"], None if row["label"] is None else row["probability"]) for row in rows]


@pytest.mark.parametrize("processes", [None, 2])
@pytest.mark.parametrize("form", [None, "arrow", "pandas", "polars", "numpy"])
def test_every_format_has_the_same_labels(form, processes, expected):
    if form in ("pandas", "polars"):
        pytest.importorskip(form)
    texts = datasets.Dataset.from_dict({"text": TEXTS}).with_format(form)
    # datasets decodes a dictionary.
    for dictionary in (False, True) if processes is None else (False,):
        annotate = ftl.Annotator(MODEL, dictionary=dictionary)
        found = texts.map(annotate, batched=True, batch_size=7, num_proc=processes)
        found = found.with_format(None)
        assert found["text"][:] == TEXTS
        assert pairs(found) == expected
        assert found.features["label"].dtype in ("string", "large_string")
        assert found.features["probability"].dtype == ("float64" if form is None else "float32")


@pytest.mark.parametrize("form", [None, "arrow", "polars", "numpy"])
def test_vectors_and_lists_of_labels(form):
    texts = datasets.Dataset.from_dict({"text": ["", "水 🙂", "der alte Bäcker"]})
    annotate = ftl.Annotator(MODEL, k=3, sentence_vector="vector", evidence="known")
    found = texts.with_format(form).map(annotate, batched=True).with_format("numpy")
    model = ftl.load(MODEL)
    predictions = model.classifier(strip_prefix=True).predict(texts["text"][:], 3)
    assert [list(row) for row in found["label"][:]] == [list(one.labels) for one in predictions]
    assert (found["vector"][:] == model.sentence_vectors(texts["text"][:])).all()
    assert found["known"][:].tolist() == model.evidence(texts["text"][:]).features.tolist()


@pytest.mark.parametrize("form", [None, "arrow", "pandas"])
def test_streams(form, expected):
    texts = datasets.Dataset.from_dict({"text": TEXTS}).to_iterable_dataset()
    annotate = ftl.Annotator(MODEL)
    found = texts.with_format(form).map(annotate, batched=True, batch_size=9).with_format(None)
    assert pairs(found) == expected


def test_a_dataset_without_rows():
    texts = datasets.Dataset.from_dict({"text": TEXTS}).select([])
    assert len(texts.map(ftl.Annotator(MODEL), batched=True)) == 0
    stream = datasets.IterableDataset.from_generator(lambda: iter([]))
    assert list(stream.map(ftl.Annotator(MODEL), batched=True)) == []


CACHED = """
import sys
import datasets
import fasttext_lite as ftl
from datasets.fingerprint import Hasher

if __name__ == "__main__":
    folder, model, *labels = sys.argv[1:]
    datasets.disable_progress_bars()
    texts = datasets.load_from_disk(folder)
    annotate = ftl.Annotator(model, labels=set(labels), threshold=0.01)
    before = Hasher.hash(annotate)
    found = texts.map(annotate, batched=True, num_proc=2)
    assert Hasher.hash(annotate) == before
    assert annotate(texts[:2]) and Hasher.hash(annotate) == before
    print(before, *sorted(file["filename"] for file in found.cache_files))
"""


def test_a_second_run_finds_the_cache_of_the_first(tmp_path):
    folder, program = tmp_path / "texts", tmp_path / "program.py"
    datasets.Dataset.from_dict({"text": TEXTS}).save_to_disk(folder)
    program.write_text(CACHED)
    labels = list(ftl.load(MODEL).labels[:4])
    runs = []
    for seed, order in (("1", labels), ("2", labels[::-1]), ("3", labels[:3])):
        done = subprocess.run(
            [sys.executable, program, folder, MODEL, *order],
            check=False,
            capture_output=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "HF_HUB_OFFLINE": "1"},
        )
        assert done.returncode == 0, done.stderr.decode()
        fingerprint, *files = done.stdout.decode().split()
        times = {file: Path(file).stat().st_mtime_ns for file in files}
        assert any("cache-" in file for file in files)
        runs.append((fingerprint, times))
    assert runs[0] == runs[1], "the options are equal"
    assert runs[2][0] != runs[0][0], "there are fewer labels"
    assert not runs[2][1].keys() & runs[0][1].keys()


def test_another_file_under_the_same_path_is_another_function(tmp_path):
    from datasets.fingerprint import Hasher

    hashes = set()
    for name in ("softmax.bin", "hs.bin", "softmax.bin"):
        (tmp_path / "new").write_bytes((GOLDEN / name).read_bytes())
        (tmp_path / "new").replace(tmp_path / "model.bin")
        hashes.add(Hasher.hash(ftl.Annotator(tmp_path / "model.bin")))
    assert len(hashes) == 2


@pytest.mark.parametrize("processes", [None, 2])
def test_wrong_input_is_named(processes, tmp_path):
    texts = datasets.Dataset.from_dict({"Text": TEXTS, "n": list(range(len(TEXTS)))})

    def annotated(*arguments, **options):
        annotate = ftl.Annotator(*arguments, **options)
        return texts.map(annotate, batched=True, num_proc=processes)

    with pytest.raises(ftl.InputValueError, match=r"no column 'text' \(near ones: 'Text'\)"):
        annotated(MODEL)
    with pytest.raises(ftl.InputTypeError, match="column 'n' of type"):
        annotated(MODEL, "n")
    with pytest.raises(ftl.InputTypeError, match=r"column 'Text' is one text: .*batched=True"):
        texts.select([0]).map(ftl.Annotator(MODEL, "Text"), num_proc=processes and 1)
    with pytest.raises(ftl.ModelKindError, match="for vectors alone pass label=None"):
        annotated("sample", "Text")
    with pytest.raises(ftl.MissingFileError, match="no such file"):
        annotated(tmp_path / "none.bin", "Text")
    with pytest.raises(ftl.InputValueError, match="there is a column 'n' already"):
        annotated(MODEL, "Text", label="n")


def test_workers_that_find_another_file_than_the_driver_say_so(tmp_path):
    path, new = tmp_path / "model.bin", tmp_path / "new"
    path.write_bytes(MODEL.read_bytes())
    annotate = ftl.Annotator(path)
    assert annotate.model
    new.write_bytes((GOLDEN / "hs.bin").read_bytes())
    new.replace(path)
    texts = datasets.Dataset.from_dict({"text": TEXTS})
    with pytest.raises(ftl.FileError, match=r"this is another file on .* than where"):
        texts.map(annotate, batched=True, num_proc=2)
