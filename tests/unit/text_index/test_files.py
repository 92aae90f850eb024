"""The file of an index: what opens it, and what is refused."""

from __future__ import annotations

import json
import random
import shutil

import numpy as np
import pytest

import fasttext_lite as ftl
from fasttext_lite.text_index import opened


def taken_apart(data):
    stop = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:stop]), stop


def with_array(path, name, change):
    """The bytes of an index with an array changed in place."""
    data = bytearray(path.read_bytes())
    header, stop = taken_apart(data)
    kind = {"U8": "u1", "U32": "<u4", "I64": "<i8", "U64": "<u8", "F32": "<f4", "F16": "<f2"}
    start, end = (stop + at for at in header[name]["data_offsets"])
    array = np.frombuffer(bytes(data[start:end]), kind[header[name]["dtype"]]).copy()
    change(array)
    data[start:end] = array.tobytes()
    return bytes(data)


def with_description(path, **changes):
    """The bytes of an index with another description; None removes a value."""
    data = path.read_bytes()
    header, stop = taken_apart(data)
    found = json.loads(header["__metadata__"]["texts"]) | changes
    header["__metadata__"]["texts"] = json.dumps(found)
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    return len(text).to_bytes(8, "little") + text + data[stop:]


def test_any_reader_of_compact_files_reads_an_index(saved, titles):
    words = ftl.load(saved)
    assert list(words.words) == titles
    assert list(words.labels) == ["a", "b"]
    assert words.info.kind == "vectors"
    assert len(words.neighbors(titles[3])) == 10


def test_a_model_is_no_index(tmp_path):
    ftl.convert("sample", tmp_path / "model", max_words=10)
    for path in (tmp_path / "model", ftl.SAMPLE):
        with pytest.raises(ftl.FormatError, match="not a text index"):
            ftl.TextIndex.open(path)
    (tmp_path / "empty").touch()
    with pytest.raises(ftl.FormatError):
        ftl.TextIndex.open(tmp_path / "empty")
    with pytest.raises(ftl.MissingFileError):
        ftl.TextIndex.open(tmp_path / "not there")


def test_either_kind_of_file_is_opened(saved, titles, tmp_path):
    assert isinstance(opened(saved), ftl.TextIndex)
    for path in ("sample", ftl.SAMPLE):
        assert isinstance(opened(path), ftl.Model)
    with pytest.raises(ftl.MissingFileError):
        opened(tmp_path / "not there")
    # An index is also a compact file, but is not opened as a model when its own is missing.
    shutil.copy(ftl.SAMPLE, tmp_path / "model.bin")
    ftl.TextIndex.build(ftl.load(tmp_path / "model.bin"), titles).save(tmp_path / "texts")
    (tmp_path / "model.bin").unlink()
    with pytest.raises(ftl.FileError, match="the model of this index"):
        opened(tmp_path / "texts")


def test_the_model_is_opened_by_its_path_and_checked(titles, tmp_path):
    path, index_path = tmp_path / "model.bin", tmp_path / "texts"
    shutil.copy(ftl.SAMPLE, path)
    ftl.TextIndex.build(ftl.load(path), titles).save(index_path)
    index = ftl.TextIndex.open(index_path)
    assert index.info.model == str(path)
    ftl.convert(path, tmp_path / "copy", "float16")
    copy = ftl.TextIndex.open(index_path, ftl.load(tmp_path / "copy"))
    assert copy.search(titles[7], 1)[0].row == 7
    path.unlink()
    with pytest.raises(ftl.FileError, match=r"cannot be opened.*pass the model"):
        ftl.TextIndex.open(index_path)
    ftl.convert("sample", path, max_words=500)
    with pytest.raises(ftl.FileError, match="is another file than the model of this index"):
        ftl.TextIndex.open(index_path)
    with pytest.raises(ftl.InputTypeError, match="model must be a Model"):
        ftl.TextIndex.open(index_path, "sample")


def test_another_model_is_refused(titles, saved):
    model = ftl.load("sample")
    turned = model.mapped(np.roll(np.eye(model.dim), 1, axis=1) * -1)
    with pytest.raises(ftl.InputValueError, match="made with another model"):
        ftl.TextIndex.open(saved, turned)
    narrow = model.mapped(np.eye(model.dim)[:, :7])
    with pytest.raises(ftl.InputValueError, match="made with another model"):
        ftl.TextIndex.open(saved, narrow)


def test_a_mapped_model_has_no_path(titles, tmp_path):
    model = ftl.load("sample")
    turned = model.mapped(np.roll(np.eye(model.dim), 1, axis=1))
    ftl.TextIndex.build(turned, titles).save(tmp_path / "texts")
    with pytest.raises(ftl.FileError, match="does not name the file of its model"):
        ftl.TextIndex.open(tmp_path / "texts")
    assert ftl.TextIndex.open(tmp_path / "texts", turned).search(titles[7], 1)[0].row == 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "version 2 of text indexes is not supported"),
        ({"version": True}, "version True"),
        ({"ids": "uuids"}, "ids is 'uuids'"),
        ({"ids": None}, "ids is None"),
        ({"ids": "numbers"}, "texts.ids"),
        ({"lowercase": 1}, "lowercase must be"),
        ({"spelling": -1}, "spelling is -1"),
        ({"spelling": "a"}, "spelling is 'a'"),
        ({"spelling": float("nan")}, "spelling is nan"),
        ({"weighting": "median"}, "weighting is 'median'"),
        ({"weighting": {"a": 0, "components": 1}}, "a is 0"),
        ({"weighting": {"a": 1, "components": -1}}, "components is -1"),
        ({"weighting": {"a": 1, "components": 1}}, "texts.common"),
        ({"model": {"path": 1, "size": 2, "crc32": 3}}, "model must be null"),
        ({"model": {"path": "x", "size": True, "crc32": 3}}, "model must be null"),
    ],
)
def test_wrong_descriptions_are_format_errors(saved, changes, message):
    saved.write_bytes(with_description(saved, **changes))
    with pytest.raises(ftl.FormatError, match=message):
        ftl.TextIndex.open(saved)


def test_wrong_offsets_and_labels_are_format_errors_on_use(saved, titles):
    whole = saved.read_bytes()

    def set_to(value):
        def change(array):
            array[5:9] = value

        return change

    saved.write_bytes(with_array(saved, "texts.labels", set_to(7)))
    index = ftl.TextIndex.open(saved)
    with pytest.raises(ftl.FormatError, match="has label 7, but there are 2"):
        index.search(titles[6])
    saved.write_bytes(whole)
    saved.write_bytes(with_array(saved, "texts.ids.offsets", set_to(2**63)))
    index = ftl.TextIndex.open(saved)
    with pytest.raises(ftl.FormatError, match="the id of text 6 is not in the file"):
        index.search(titles[6])
    with pytest.raises(ftl.FormatError, match="offsets"):
        index.save(saved.with_name("copy"))
    saved.write_bytes(whole)
    saved.write_bytes(with_array(saved, "vocabulary.offsets", set_to(2**40)))
    index = ftl.TextIndex.open(saved)
    # As in a model, such a text is empty.
    assert index.texts[6] == ""
    with pytest.raises(ftl.FormatError, match="offsets"):
        index.save(saved.with_name("copy"))


@pytest.mark.parametrize("graph", [False, True])
def test_damaged_files_are_refused_or_searched_without_harm(model, titles, tmp_path, graph):
    path = tmp_path / "texts"
    ftl.TextIndex.build(
        model, titles[:60], ids=titles[:60], labels=titles[60:120], graph=graph
    ).save(path)
    data, source = path.read_bytes(), random.Random(5)
    header_end = taken_apart(data)[1]
    opened = 0
    for i in range(150):
        where = source.randrange(header_end if i % 3 == 0 else len(data))
        damaged = bytearray(data)
        if i % 10 == 0:
            damaged = damaged[:where]
        elif i % 10 == 1:
            del damaged[where : where + source.randrange(1, 40)]
        else:
            damaged[where] ^= 1 << source.randrange(8)
        # A file of its own, since a mapped file must not be overwritten.
        target = tmp_path / f"damaged{i}"
        target.write_bytes(damaged)
        try:
            index = ftl.TextIndex.open(target, model)
            with np.errstate(all="ignore"):
                for options in ({}, {"accuracy": 0.8}, {"approximate": False}):
                    for hit in index.search(titles[i % 60], 60, **options):
                        assert 0 <= hit.row < 60
                index.classify(titles[0])
                index.duplicates(0.9)
                index.add([titles[200]], ids=["x"])
                index.save(tmp_path / "again", graph=False)
            opened += 1
        except (ftl.FormatError, ftl.InputValueError):
            pass
        target.unlink(missing_ok=True)
    assert opened > 15
