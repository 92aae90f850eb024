"""Texts that are added, and files that are written again."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import fasttext_lite as ftl
from fasttext_lite.formats import atomic


def answers(index, queries):
    return [[(hit.text, round(hit.score, 6)) for hit in one] for one in index.search(queries)]


def test_a_saved_index_gives_the_same_answers(model, titles, tmp_path):
    index = ftl.TextIndex.build(model, titles, ids=range(5, 405), labels=titles[::-1])
    before = index.search(titles[:20])
    index.save(tmp_path / "texts.safetensors")
    assert index.search(titles[:20]) == before
    with ftl.TextIndex.open(tmp_path / "texts.safetensors") as again:
        assert again.search(titles[:20]) == before
        assert list(again.ids) == list(range(5, 405))
        assert list(again.labels) == titles[::-1]
        assert list(again.texts) == titles
        assert again.info.count == len(again) == 400
    with pytest.raises(ftl.InputValueError, match="closed"):
        again.search("one")
    assert "closed" in repr(again)


def test_added_texts_are_found_at_once_and_after_saving(model, titles, tmp_path):
    index = ftl.TextIndex.build(model, titles[:200])
    index.save(tmp_path / "texts")
    for title in titles[200:230]:
        index.add([title])
    index.add(titles[230:], labels=["new"] * 170)
    whole = ftl.TextIndex.build(model, titles, labels=[None] * 230 + ["new"] * 170)
    assert index.search(titles[::9], 7) == whole.search(titles[::9], 7)
    assert index.info.added == 200
    assert index.duplicates(0.5) == whole.duplicates(0.5)
    index.save()
    assert index.info.added == 0
    assert index.search(titles[::9], 7) == whole.search(titles[::9], 7)
    again = ftl.TextIndex.open(tmp_path / "texts")
    assert again.search(titles[::9], 7) == whole.search(titles[::9], 7)
    assert list(again.labels) == list(whole.labels)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_a_graph_is_made_again_for_added_texts(model, titles, tmp_path, dtype):
    index = ftl.TextIndex.build(model, titles[:300], graph=True, dtype=dtype)
    index.save(tmp_path / "texts")
    assert index.info.accuracy
    kept = index.info.accuracy
    index.save()
    assert index.info.accuracy == kept
    index.add(titles[300:])
    index.save(graph=True)
    assert index.recall(sample=50).recall > 0.9
    assert index.search(titles[350], 1)[0].row == 350


def test_ids_stay_distinct(model, titles, tmp_path):
    index = ftl.TextIndex.build(model, titles[:3], ids=["a", "b", "c"])
    with pytest.raises(ftl.InputValueError, match="this index has ids"):
        index.add(["one"])
    with pytest.raises(ftl.InputValueError, match=r"ids\[1\]: 'b' is the id of another"):
        index.add(["one", "two"], ids=["d", "b"])
    assert len(index) == 3
    index.add(["one", "two"], ids=["d", "e"])
    with pytest.raises(ftl.InputValueError, match="is the id of another"):
        index.add(["three"], ids=["e"])
    index.save(tmp_path / "texts")
    again = ftl.TextIndex.open(tmp_path / "texts")
    with pytest.raises(ftl.InputValueError, match="is the id of another"):
        again.add(["three"], ids=["e"])
    numbered = ftl.TextIndex.build(model, titles[:3])
    with pytest.raises(ftl.InputValueError, match="numbers of its rows"):
        numbered.add(["one"], ids=[3])
    numbered.add(["one"])
    assert numbered.search("one", 1, among=[3])[0].id == 3


def test_a_pickle_is_the_path(model, saved, titles):
    index = ftl.TextIndex.open(saved)
    again = pickle.loads(pickle.dumps(index))
    assert again.search(titles[0]) == index.search(titles[0])
    index.add(["one"], ids=["x"])
    with pytest.raises(ftl.FileError, match="save it"):
        pickle.dumps(index)
    with pytest.raises(ftl.FileError, match="save it"):
        pickle.dumps(ftl.TextIndex.build(model, titles))


def test_one_thread_adds_while_others_search(model, titles):
    index = ftl.TextIndex.build(model, titles[:100])
    stop, errors = threading.Event(), []

    def ask():
        while not stop.is_set():
            size = len(index)
            hits = index.search(titles[50], k=500)
            if not (size <= len(hits) <= len(index) and hits[0].row == 50):
                errors.append(hits)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for title in titles[100:300]:
        index.add([title])
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert list(index.texts) == titles[:300]


def test_many_threads_add(model, titles):
    index = ftl.TextIndex.build(model, [], ids=[])
    threads = [
        threading.Thread(
            target=lambda part=part: [index.add([titles[i]], ids=[i]) for i in range(part, 100, 4)]
        )
        for part in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(index.ids) == list(range(100))
    assert all(index.texts[row] == titles[one] for row, one in enumerate(index.ids))


def test_a_failed_save_leaves_everything(saved, titles, monkeypatch):
    index = ftl.TextIndex.open(saved)
    before = saved.read_bytes()
    index.add(["a new text"], ids=["new"])
    expected = index.search(titles[:5])

    def full(self, view):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(atomic.AtomicFile, "write", full)
        with pytest.raises(OSError, match="No space"):
            index.save()
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]
    assert index.search(titles[:5]) == expected
    index.save()
    assert ftl.TextIndex.open(saved).search("a new text", 1)[0].id == "new"


def test_changes_of_another_program_are_not_overwritten(saved):
    one, other = ftl.TextIndex.open(saved), ftl.TextIndex.open(saved)
    one.add(["first"], ids=["first"])
    one.save()
    other.add(["second"], ids=["second"])
    # It still answers from the file that it has mapped.
    assert other.search("second", 1)[0].id == "second"
    with pytest.raises(ftl.FileError, match="changed or replaced since the index was opened"):
        other.save()
    assert ftl.TextIndex.open(saved).search("first", 1)[0].id == "first"
    other.save(saved.with_name("elsewhere"))
    assert len(ftl.TextIndex.open(saved.with_name("elsewhere"))) == 401


def test_an_index_without_a_path_needs_one(model):
    with pytest.raises(ftl.InputValueError, match="give the path"):
        ftl.TextIndex.build(model, ["one"]).save()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_save_leaves_the_old_file(saved):
    code = (
        "import sys, fasttext_lite as ftl\n"
        "index = ftl.TextIndex.open(sys.argv[1])\n"
        "index.add(['new'] * 50000, ids=[f'n{i}' for i in range(50000)])\n"
        "print('saving', flush=True)\n"
        "while True: index.save(graph=False)\n"
    )
    before = saved.stat().st_size
    for pause in (0.0, 0.02, 0.1):
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", code, str(saved)], stdout=subprocess.PIPE
        )
        assert child.stdout.readline() == b"saving\n"
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        index = ftl.TextIndex.open(saved)
        assert len(index) in (400, 50400)
        assert index.search("new", 1)
        if len(index) > 400:
            break
    assert saved.stat().st_size >= before


def test_vectors_are_those_of_all_texts(model, titles):
    index = ftl.TextIndex.build(model, [*titles[:3], ""], spelling=0)
    index.add(titles[3:5])
    found = index.vectors()
    assert found.shape == (6, model.dim)
    assert np.isnan(found[3]).all()
    kept = [0, 1, 2, 4, 5]
    expected = model.sentence_vectors([title.lower() for title in titles[:5]])
    np.testing.assert_allclose(found[kept], expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(index.vectors(2), found[:2])
    assert len(index.vectors(0)) == 0
    with pytest.raises(ftl.InputValueError, match="count"):
        index.vectors(-1)
