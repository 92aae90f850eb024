"""`map_partitions` of Dask with an annotator, on all schedulers and on a cluster."""

from __future__ import annotations

import pytest
from support import GOLDEN
from support.text import labelled_texts

import fasttext_lite as ftl

pytest.importorskip("dask.dataframe", reason="Dask is not installed")

import pandas
from dask import dataframe

pytestmark = pytest.mark.engines

MODEL = GOLDEN / "softmax.bin"
TEXTS = [*labelled_texts(60), None, "", "水 🙂", None]


def partitions(texts=TEXTS):
    frame = pandas.DataFrame({"text": texts, "n": range(len(texts))})
    return dataframe.from_pandas(frame, npartitions=5)


def check(found, annotate, meta):
    """Compare a result with a call for the whole column, and with the types announced."""
    wanted = annotate(pandas.DataFrame({"text": TEXTS, "n": range(len(TEXTS))}))
    assert found["n"].tolist() == wanted["n"].tolist()
    for name in annotate.names:
        assert found[name].dtype == meta[name].dtype
        for one, other in zip(found[name], wanted[name], strict=True):
            if isinstance(other, (str, float)):
                assert one == other or (one != one and other != other)
            elif other is None:
                assert one is None
            else:
                assert list(one) == list(other)


OPTIONS = [
    {},
    {"dictionary": True, "threshold": 0.0588},
    {"k": 2, "sentence_vector": "vector"},
]


@pytest.mark.parametrize(
    ("scheduler", "options"),
    [("sync", {}), *(("threads", options) for options in OPTIONS), ("processes", OPTIONS[-1])],
)
def test_every_scheduler_has_the_same_columns(scheduler, options):
    annotate = ftl.Annotator(MODEL, **options)
    texts = partitions()
    meta = annotate(texts._meta)
    found = texts.map_partitions(annotate, meta=meta).compute(scheduler=scheduler)
    check(found, annotate, meta)
    # Dask finds the types by itself, too.
    assert texts.map_partitions(annotate).dtypes.to_dict() == meta.dtypes.to_dict()


def test_a_cluster_of_two_processes():
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    texts = partitions()
    annotate = ftl.Annotator(MODEL)
    meta = annotate(texts._meta)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(host="127.0.0.1", **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert len(client.scheduler_info()["workers"]) == 2
        found = texts.map_partitions(annotate, meta=meta).compute()
        check(found, annotate, meta)
        missing = texts.map_partitions(ftl.Annotator(MODEL, "txt"), meta=meta)
        with pytest.raises(ftl.InputValueError, match=r"no column 'txt' \(near ones: 'text'\)"):
            missing.compute()


def test_partitions_without_rows():
    annotate = ftl.Annotator(MODEL)
    texts = partitions()
    meta = annotate(texts._meta)
    found = texts[texts["n"] < 5].map_partitions(annotate, meta=meta).compute(scheduler="sync")
    assert len(found) == 5
    assert found.dtypes.to_dict() == meta.dtypes.to_dict()


def test_wrong_input_is_named_before_any_partition_is_read(tmp_path):
    texts = partitions()
    with pytest.raises(ftl.InputValueError, match="no column 'txt'"):
        ftl.Annotator(MODEL, "txt")(texts._meta)
    with pytest.raises(ftl.InputTypeError, match="column 'n' of type int64"):
        ftl.Annotator(MODEL, "n")(texts._meta_nonempty)
    with pytest.raises(ftl.MissingFileError, match="no such file"):
        ftl.Annotator(tmp_path / "none.bin")(texts._meta)


def test_workers_that_find_another_file_than_the_driver_say_so(tmp_path):
    path, new = tmp_path / "model.bin", tmp_path / "new"
    path.write_bytes(MODEL.read_bytes())
    annotate = ftl.Annotator(path)
    texts = partitions()
    found = texts.map_partitions(annotate, meta=annotate(texts._meta))
    new.write_bytes((GOLDEN / "hs.bin").read_bytes())
    new.replace(path)
    with pytest.raises(ftl.FileError, match=r"this is another file on .* than where"):
        found.compute(scheduler="processes")
