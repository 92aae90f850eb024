"""Ray Data with actors in processes of their own."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from support import GOLDEN
from support.clusters import ray_cluster
from support.text import labelled_texts

import fasttext_lite as ftl

pytest.importorskip("ray", reason="Ray is not installed")
pytest.importorskip("pyarrow", reason="pyarrow is not installed")

pytestmark = [
    pytest.mark.engines,
    pytest.mark.skipif(sys.platform != "linux", reason="the cluster is tried on Linux"),
    # Ray's own.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

MODEL = GOLDEN / "softmax.bin"
TEXTS = [*labelled_texts(90), "", None, "🙂 \u0301"]


@pytest.fixture(scope="module")
def ray():
    with ray_cluster():
        import ray

        yield ray


@pytest.fixture(scope="module")
def two(ray):
    return ray.data.ActorPoolStrategy(size=2)


@pytest.fixture
def dataset(ray):
    """A dataset of many texts in eight blocks."""
    import pyarrow

    table = pyarrow.table({"id": range(len(TEXTS)), "text": TEXTS})
    return ray.data.from_arrow([table.slice(start, 12) for start in range(0, len(TEXTS), 12)])


@pytest.fixture
def annotate(ray):
    from fasttext_lite.integrations.ray import annotate

    return annotate


@pytest.fixture
def path(tmp_path):
    return shutil.copy(MODEL, tmp_path / f"{tmp_path.name}.bin")


def collect(dataset):
    """The rows in the order of their ids, as columns."""
    rows = sorted(dataset.take_all(), key=lambda row: row["id"])
    assert [row["text"] for row in rows] == TEXTS
    return {name: [row[name] for row in rows] for name in rows[0]}


def bits(numbers):
    return np.array([np.nan if one is None else one for one in numbers], np.float32).tobytes()


def check_labels(found):
    """Compare with one process: the labels are equal, and the probabilities in every bit."""
    expected = ftl.load(MODEL).classifier(strip_prefix=True).predict(TEXTS, missing="empty")
    assert found["label"] == [one.labels[0] if one.labels else None for one in expected]
    numbers = [one.probabilities[0] if one.labels else None for one in expected]
    assert bits(found["probability"]) == bits(numbers)


def test_labels_are_those_of_one_process(annotate, dataset, two):
    check_labels(collect(annotate(dataset, MODEL, compute=two)))


def test_two_lines_without_the_adapter(dataset, two):
    done = dataset.map_batches(
        ftl.Annotator,
        fn_constructor_kwargs={"path": str(MODEL)},
        batch_format="pyarrow",
        compute=two,
    )
    check_labels(collect(done))


def test_an_annotator_in_tasks(dataset):
    check_labels(collect(dataset.map_batches(ftl.Annotator(MODEL), batch_format="pyarrow")))


def test_two_actors_share_the_work(annotate, dataset, two):
    class Slowly(ftl.Annotator):
        """Has time for the other actor to start, and says who worked."""

        def __call__(self, batch):
            import time

            import pyarrow

            time.sleep(0.5)
            return (
                super()
                .__call__(batch)
                .append_column("pid", pyarrow.array([os.getpid()] * len(batch)))
            )

    done = dataset.map_batches(
        Slowly, fn_constructor_args=(str(MODEL),), batch_format="pyarrow", compute=two
    )
    found = collect(done)
    check_labels(found)
    assert len(set(found["pid"])) == 2
    assert os.getpid() not in found["pid"]


def test_vectors_counts_and_many_labels(annotate, dataset, two):
    found = collect(annotate(dataset, MODEL, k=2, sentence_vector="v", evidence="n", compute=two))
    model = ftl.load(MODEL)
    for text, vector, labels, probabilities, rows in zip(
        *(found[name] for name in ("text", "v", "label", "probability", "n")), strict=True
    ):
        if text is None:
            assert vector is labels is probabilities is rows is None
            continue
        assert bits(vector) == model.sentence_vector(text).tobytes()
        expected = model.predict(text, k=2)
        assert list(labels) == [label.removeprefix("__label__") for label in expected.labels]
        assert bits(probabilities) == expected.probabilities.tobytes()
        assert rows == model.evidence([text]).features[0]


class TestShipped:
    @pytest.fixture(autouse=True)
    def folder(self, annotate, monkeypatch):
        """What the actors leave in the folder for temporary files, which is cleared."""
        from fasttext_lite.integrations.ray import FOLDER

        found = Path(tempfile.gettempdir(), FOLDER)
        yield found
        shutil.rmtree(found, ignore_errors=True)

    def test_actors_have_a_file_that_is_gone_here(self, annotate, dataset, two, path, folder):
        done = annotate(dataset, path, ship=True, compute=two)
        path.unlink()
        check_labels(collect(done))
        (written,) = folder.rglob("*.bin")
        assert written.read_bytes() == MODEL.read_bytes()
        assert not written.parent.stat().st_mode & 0o77
        before = written.stat()
        check_labels(collect(done))
        after = written.stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    def test_a_copy_with_other_content_is_not_used(self, annotate, dataset, two, path, folder):
        done = annotate(dataset, path, ship=True, compute=two)
        collect(done)
        (written,) = folder.rglob("*.bin")
        data = bytearray(written.read_bytes())
        data[len(data) // 3] ^= 1
        written.write_bytes(data)
        with pytest.raises(Exception, match=r"FormatError.*SHA-256"):
            collect(done)

    def test_a_member_of_an_archive(self, annotate, dataset, two, path):
        archive = shutil.make_archive(str(path), "zip", path.parent, path.name)
        check_labels(collect(annotate(dataset, f"{archive}!/{path.name}", ship=True, compute=two)))


class TestErrors:
    def test_another_file_than_here(self, annotate, dataset, two, path):
        done = annotate(dataset, path, compute=two)
        shutil.copy(GOLDEN / "hs.bin", path)
        with pytest.raises(Exception, match=f"{path.name}: this is another file on .* than"):
            done.take_all()

    def test_no_file_for_the_actors(self, annotate, dataset, two, path):
        done = annotate(dataset, path, compute=two)
        path.unlink()
        with pytest.raises(Exception, match=r"there is no such file on .*ship=True"):
            done.take_all()

    def test_no_file_here(self, annotate, dataset, path):
        path.unlink()
        with pytest.raises(ftl.MissingFileError, match="there is no such file"):
            annotate(dataset, path, ship=True)
        with pytest.raises(Exception, match=r"MissingFileError.*there is no such file on"):
            annotate(dataset, path).take_all()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"column": "txt"}, "InputValueError.*no column 'txt' .near ones: 'text'"),
            ({"column": "id"}, "InputTypeError.*column 'id' of type int64"),
            ({"label": "id"}, "InputValueError.*there is a column 'id' already"),
        ],
    )
    def test_of_the_column_come_from_the_actors(self, annotate, dataset, options, message):
        with pytest.raises(Exception, match=message):
            annotate(dataset, MODEL, **options).take_all()

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"path": ftl.SAMPLE}, ftl.ModelKindError, "pass label=None and probability=None"),
            ({"path": __file__}, ftl.FormatError, "not a fastText model"),
            ({"k": 0}, ftl.InputValueError, "k must be"),
        ],
    )
    def test_of_arguments_come_at_once(self, annotate, dataset, options, error, message):
        with pytest.raises(error, match=message):
            annotate(dataset, **{"path": MODEL, **options})
