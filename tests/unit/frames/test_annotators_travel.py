"""Annotators are sent to other processes as a path and options, and say what they do not find."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading

import pytest
from support import GOLDEN

import fasttext_lite as ftl

MODEL = GOLDEN / "softmax.bin"
TEXTS = ["hello world", None, "der Hund ist hier", ""]


def many_options(**changes):
    """Options whose order and types may differ without a difference in meaning."""
    return {
        "labels": ["ru", b"de", "fr", 3],
        "label": "language",
        "threshold": 0.25,
        "newlines": "space",
        "evidence": "rows",
        **changes,
    }


@pytest.mark.parametrize("library", ["pickle", "dill", "cloudpickle"])
def test_equal_options_have_equal_bytes(library):
    library = pytest.importorskip(library)
    first = ftl.Annotator(MODEL, **many_options())
    before = library.dumps(first)
    first({"text": TEXTS})
    first.columns(TEXTS)
    assert library.dumps(first) == before
    others = [
        ftl.Annotator(str(MODEL), **many_options(labels={"fr", "de", 3, "ru"})),
        ftl.Annotator(
            str(MODEL).encode(), "".join(["te", "xt"]), **dict(reversed(many_options().items()))
        ),
        ftl.Annotator(MODEL, **many_options(label="lang" + "uage"[:], k=True + 0)),
        library.loads(before),
        copy.deepcopy(first),
    ]
    others[3]({"text": TEXTS})
    for other in others:
        assert library.dumps(other) == before
    different = many_options(threshold=0.5), many_options(labels=["ru"]), many_options(k=2)
    for options in different:
        assert library.dumps(ftl.Annotator(MODEL, **options)) != before


CODE = """
import pickle, sys, fasttext_lite as ftl
annotate = ftl.Annotator(sys.argv[1], labels={"ru", "de", "fr", "en"}, evidence="rows")
if sys.argv[2] == "used":
    annotate({"text": ["hello"]})
print(pickle.dumps(annotate).hex())
"""


def test_the_bytes_are_equal_in_all_processes(tmp_path):
    found = set()
    for seed, used in (("0", "used"), ("1", "new"), ("31", "new")):
        command = [sys.executable, "-c", CODE, str(MODEL), used]
        # Elsewhere, since the current folder may hold the sources of this package.
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1
    here = ftl.Annotator(MODEL, labels=("en", "fr", "de", "ru"), evidence="rows")
    assert bytes.fromhex(found.pop().decode()) == pickle.dumps(here)


def test_a_changed_file_has_other_bytes(tmp_path):
    # So that a cache of results is not taken for those of another model.
    path = tmp_path / "model.bin"
    path.write_bytes(MODEL.read_bytes())
    before = pickle.dumps(ftl.Annotator(path))
    path.write_bytes((GOLDEN / "hs.bin").read_bytes())
    assert pickle.dumps(ftl.Annotator(path)) != before


def test_a_worker_with_another_file_says_so(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(MODEL.read_bytes())
    sent = pickle.dumps(ftl.Annotator(path))
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(ftl.FileError, match=r"another file on .* than where"):
        pickle.loads(sent)({"text": TEXTS})
    path.unlink()
    with pytest.raises(ftl.MissingFileError, match="on all machines or on a shared disk"):
        pickle.loads(sent)({"text": TEXTS})


def test_a_file_that_only_the_workers_have_is_opened_there(tmp_path):
    path = tmp_path / "model.bin"
    sent = pickle.dumps(ftl.Annotator(path))
    with pytest.raises(ftl.MissingFileError, match="on all machines or on a shared disk"):
        pickle.loads(sent)({"text": TEXTS})
    path.write_bytes(MODEL.read_bytes())
    assert pickle.loads(sent)({"text": TEXTS}) == ftl.Annotator(MODEL)({"text": TEXTS})


def test_the_driver_that_opened_a_file_notices_its_replacement(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(MODEL.read_bytes())
    annotate = ftl.Annotator(path)
    assert annotate.model.labels
    sent = pickle.dumps(annotate)
    path.unlink()
    path.write_bytes((GOLDEN / "hs.bin").read_bytes())
    assert pickle.dumps(annotate) == sent
    with pytest.raises(ftl.FileError, match="another file"):
        pickle.loads(sent)({"text": TEXTS})


def test_what_is_sent_to_one_process_shares_a_model(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(MODEL.read_bytes())
    sent = pickle.dumps(ftl.Annotator(path))
    first, second = pickle.loads(sent), pickle.loads(pickle.dumps(ftl.Annotator(path, k=2)))
    assert first.model is second.model
    assert ftl.Annotator(path).model is not first.model


def test_a_relative_path_is_that_of_its_maker(tmp_path, monkeypatch):
    (tmp_path / "model.bin").write_bytes(MODEL.read_bytes())
    monkeypatch.chdir(tmp_path)
    annotate = ftl.Annotator("model.bin")
    sent = pickle.dumps(annotate)
    monkeypatch.chdir(tmp_path.parent)
    assert annotate({"text": TEXTS}) == pickle.loads(sent)({"text": TEXTS})
    assert annotate.path == str(tmp_path / "model.bin")
    assert pickle.loads(pickle.dumps(ftl.Annotator("sample"))).path == "sample"


class Named(ftl.Annotator):
    """Keeps its own name."""


def test_a_subclass_stays_one():
    found = pickle.loads(pickle.dumps(Named(MODEL, k=2)))
    assert type(found) is Named
    assert found({"text": TEXTS}) == ftl.Annotator(MODEL, k=2)({"text": TEXTS})


def test_another_process_has_the_same_answers():
    from multiprocessing import get_context

    annotate = ftl.Annotator(MODEL, sentence_vector=None, evidence="rows")
    with get_context("spawn").Pool(2) as pool:
        found = pool.map(annotate, [{"text": TEXTS}, {"text": TEXTS[::-1]}])
    assert found == [annotate({"text": TEXTS}), annotate({"text": TEXTS[::-1]})]


def test_many_threads_use_one_annotator():
    annotate = ftl.Annotator(MODEL, evidence="rows", threads=2)
    expected = annotate({"text": TEXTS * 50})
    fresh, found = ftl.Annotator(MODEL, evidence="rows"), []
    ready = threading.Barrier(8)

    def work():
        ready.wait()
        found.extend(fresh({"text": TEXTS * 50}) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 40


def test_a_dropped_annotator_frees_its_model():
    import weakref

    annotate = ftl.Annotator(MODEL, sentence_vector="s", evidence="rows", dictionary=True)
    annotate({"text": TEXTS})
    parts = weakref.ref(annotate.model._parts)
    gc.disable()
    try:
        del annotate
        assert parts() is None
    finally:
        gc.enable()
