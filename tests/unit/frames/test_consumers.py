"""Other libraries take columns over: the values, who keeps the memory, and who gives it back."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support import GOLDEN

import fasttext_lite as ftl
from fasttext_lite._core.text.columns import Array

MODEL = GOLDEN / "softmax.bin"
TEXTS = ["hello world", None, "der Hund ist hier", "", None]
ANSWERS = {
    "vectors": lambda model: ftl.columns.vectors(model, TEXTS),
    "sentence vectors": lambda model: ftl.columns.sentence_vectors(model, TEXTS),
    "label": lambda model: ftl.columns.labels(model, TEXTS),
    "plain label": lambda model: ftl.columns.labels(model, TEXTS, dictionary=False),
    "labels": lambda model: ftl.columns.labels(model, TEXTS, k=3),
    "no labels": lambda model: ftl.columns.labels(model, TEXTS, k=3, threshold=1.0),
    "nothing": lambda model: ftl.columns.labels(model, []),
}


def expected(model, name):
    """The items of a column as Python objects, from single answers of the model."""
    if name == "nothing":
        return []
    if "vectors" in name:
        one = model.__getitem__ if name == "vectors" else model.sentence_vector
        return [text if text is None else one(text).tolist() for text in TEXTS]
    k, threshold = (3 if name.endswith("labels") else 1), float(name == "no labels")
    found = [
        None
        if text is None
        else [
            {"label": label, "probability": number}
            for label, number in zip(*model.predict(text, k, threshold), strict=True)
        ]
        for text in TEXTS
    ]
    return found if k == 3 else [one and one[0] for one in found]


@pytest.fixture(scope="module")
def model():
    model = ftl.load(MODEL)
    # It keeps the names of its labels from now on.
    ftl.columns.labels(model, [])
    return model


@pytest.fixture(params=ANSWERS)
def name(request):
    return request.param


def test_pyarrow(model, name):
    pyarrow = pytest.importorskip("pyarrow")
    column = ANSWERS[name](model)
    array = pyarrow.array(column)
    array.validate(full=True)
    assert array.to_pylist() == expected(model, name)
    assert array.null_count == column.null_count
    assert pyarrow.chunked_array([column, column]).to_pylist() == 2 * array.to_pylist()
    assert pyarrow.table({"it": column}).column("it").to_pylist() == array.to_pylist()
    assert array[1:4].to_pylist() == array.to_pylist()[1:4]
    assert pyarrow.DataType._import_from_c_capsule(column.__arrow_c_schema__()) == array.type


def test_fields_of_structs_are_null_where_the_struct_is(model):
    pyarrow = pytest.importorskip("pyarrow")
    array = pyarrow.array(ftl.columns.labels(model, TEXTS))
    # `field` looks at a child alone.
    assert array.field("label").null_count == array.field("probability").null_count == 2


def test_polars(model, name):
    polars = pytest.importorskip("polars")
    column = ANSWERS[name](model)
    series = polars.Series(column)
    assert series.null_count() == column.null_count
    assert series.to_list() == expected(model, name)
    assert series[1:4].to_list() == series.to_list()[1:4]
    if name == "label":
        assert series.struct.field("label").dtype == polars.Categorical


def test_pandas(model, name):
    pandas = pytest.importorskip("pandas", "3")
    pytest.importorskip("pyarrow")
    series = pandas.Series.from_arrow(ANSWERS[name](model))
    for found, one in zip(series, expected(model, name), strict=True):
        assert found is None if one is None else np.array_equal(found, one)


def test_nanoarrow(model, name):
    nanoarrow = pytest.importorskip("nanoarrow")
    array = nanoarrow.Array(ANSWERS[name](model))
    assert array.to_pylist() == expected(model, name)


def test_duckdb(model):
    duckdb = pytest.importorskip("duckdb")
    pyarrow = pytest.importorskip("pyarrow")
    columns = {name.replace(" ", "_"): answer(model) for name, answer in ANSWERS.items()}
    del columns["nothing"]
    table = pyarrow.table(columns)
    with duckdb.connect() as con:
        found = con.register("it", table).sql("SELECT * FROM it").fetchall()
    for row, one in zip(found, zip(*(expected(model, name) for name in list(ANSWERS)[:-1]),
                                   strict=True), strict=True):  # fmt: skip
        assert list(row[2:]) == list(one[2:])
        for vector, items in zip(row[:2], one[:2], strict=True):
            assert vector is items is None or list(vector) == items


def test_numpy(model):
    vectors = ftl.columns.vectors(model, TEXTS).to_numpy()
    assert vectors.dtype == np.float32
    assert not vectors.flags.writeable
    labels = ftl.columns.labels(model, TEXTS).to_numpy()
    assert labels.dtype.names == ("label", "probability")
    assert labels["label"].tolist() == [one and one["label"] for one in expected(model, "label")]
    assert labels["probability"].dtype == np.float32
    lists = ftl.columns.labels(model, TEXTS, k=3).to_numpy()
    for found, one in zip(lists, expected(model, "labels"), strict=True):
        assert found is one is None or found.tolist() == [tuple(item.values()) for item in one]


@pytest.mark.parametrize(
    ("name", "asked", "found"),
    [
        ("label", {"label": "string", "probability": "float32"}, "string"),
        ("label", {"label": "dictionary", "probability": "float32"}, "dictionary"),
        ("plain label", {"label": "large_string", "probability": "float64"}, "string"),
    ],
)
def test_a_consumer_may_ask_for_plain_strings(model, name, asked, found):
    pyarrow = pytest.importorskip("pyarrow")
    kinds = {
        one: pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
        if kind == "dictionary"
        else getattr(pyarrow, kind)()
        for one, kind in asked.items()
    }
    column = ANSWERS[name](model)
    wanted = pyarrow.struct(kinds)
    array = pyarrow.Array._import_from_c_capsule(
        *column.__arrow_c_array__(wanted.__arrow_c_schema__())
    )
    array.validate(full=True)
    assert str(array.type.field("label").type).startswith(found)
    assert array.type.field("probability").type == pyarrow.float32()
    assert array.to_pylist() == expected(model, name)


def test_a_consumer_may_not_ask_for_other_values(model):
    pyarrow = pytest.importorskip("pyarrow")
    number, text = pyarrow.float32(), pyarrow.string()
    pair = {"label": text, "probability": number}
    for name, wrong in (
        ("label", text),
        ("label", pyarrow.struct({"label": text})),
        ("label", pyarrow.struct({"label": number, "probability": number})),
        ("labels", pyarrow.struct(pair)),
        ("labels", pyarrow.list_(text)),
        ("vectors", pyarrow.list_(number, 3)),
        ("vectors", pyarrow.list_(pyarrow.int8())),
        ("vectors", number),
    ):
        with pytest.raises(ftl.InputValueError, match="is not converted to another type"):
            ANSWERS[name](model).__arrow_c_array__(wrong.__arrow_c_schema__())
    for right in (pyarrow.list_(number), pyarrow.large_list(pyarrow.float64())):
        ANSWERS["vectors"](model).__arrow_c_array__(right.__arrow_c_schema__())
    plain = pyarrow.list_(pyarrow.struct(pair))
    capsules = ANSWERS["labels"](model).__arrow_c_array__(plain.__arrow_c_schema__())
    array = pyarrow.Array._import_from_c_capsule(*capsules)
    assert array.type == plain
    assert array.to_pylist() == expected(model, "labels")
    for wrong in (3, "u", ANSWERS["vectors"](model).__arrow_c_array__()[1]):
        with pytest.raises(ftl.InputTypeError, match="requested_schema must be a capsule"):
            ANSWERS["vectors"](model).__arrow_c_array__(wrong)


def arrays_alive():
    """Count the objects that exported structs and capsules refer to."""
    gc.collect()
    return sum(isinstance(one, Array) for one in gc.get_objects())


def test_a_consumer_outlives_the_column_and_the_model(name):
    pyarrow = pytest.importorskip("pyarrow")
    before = arrays_alive()
    model = ftl.load(MODEL)
    items = expected(model, name)
    column = ANSWERS[name](model)
    array = pyarrow.array(column)
    parts = weakref.ref(model._parts)
    del model, column
    gc.collect()
    assert parts() is None
    # What was freed is used again.
    assert sum(np.full(1000, 7, np.float32).sum() for _ in range(1000)) == 7_000_000
    assert array.to_pylist() == items
    tail = array[2:]
    del array
    gc.collect()
    assert tail.to_pylist() == items[2:]
    del tail
    assert arrays_alive() == before


def test_a_child_outlives_its_parent(model):
    pyarrow = pytest.importorskip("pyarrow")
    array = pyarrow.array(ftl.columns.labels(model, TEXTS, k=3))
    labels = array.values.field("label")
    words = labels.dictionary
    items = [one["label"] for found in expected(model, "labels") if found for one in found]
    del array
    gc.collect()
    assert labels.to_pylist() == items
    del labels
    gc.collect()
    assert set(items) <= set(words.to_pylist())


class Struct(ctypes.Structure):
    """The C struct ArrowArray."""


Struct._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Struct))),
    ("dictionary", ctypes.POINTER(Struct)),
    ("release", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
    ("private_data", ctypes.c_void_p),
]


def struct_of(capsule, name=b"arrow_array"):
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype = ctypes.c_void_p
    pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return Struct.from_address(pointer(capsule, name))


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="capsules are of CPython")
def test_a_consumer_moves_a_child_and_releases_both_without_the_gil(model):
    before = arrays_alive()
    column = ftl.columns.labels(model, TEXTS)
    _, capsule = column.__arrow_c_array__()
    parent = struct_of(capsule)
    del column
    child = parent.children[1].contents
    moved = Struct.from_buffer_copy(child)
    child.release = ctypes.CFUNCTYPE(None, ctypes.c_void_p)()
    parent.release(ctypes.addressof(parent))
    assert not parent.release
    numbers = ctypes.cast(moved.buffers[1], ctypes.POINTER(ctypes.c_float))[: moved.length]
    assert_array_equal(
        np.array(numbers, np.float32)[[0, 2, 3]],
        [model.predict(TEXTS[i]).probabilities[0] for i in (0, 2, 3)],
    )
    # ctypes gives the GIL back for the call, in a thread that Python has not seen.
    thread = threading.Thread(target=lambda: moved.release(ctypes.addressof(moved)))
    thread.start()
    thread.join()
    assert not moved.release
    del capsule
    assert arrays_alive() == before


def test_capsules_that_nobody_consumes_release_what_they_hold(model, name):
    before = arrays_alive()
    column = ANSWERS[name](model)
    capsules = [column.__arrow_c_array__() for _ in range(3)]
    column.__arrow_c_schema__()
    del column
    assert name == "nothing" or arrays_alive() > before
    del capsules
    assert arrays_alive() == before


def test_a_consumer_gets_capsules_of_its_own(model, name):
    pyarrow = pytest.importorskip("pyarrow")
    column = ANSWERS[name](model)
    assert pyarrow.array(column).to_pylist() == pyarrow.array(column).to_pylist()


def test_capsules_that_were_consumed_are_refused(model):
    pyarrow = pytest.importorskip("pyarrow")

    class Used:
        capsules = ftl.columns.labels(model, TEXTS).__arrow_c_array__()

        def __arrow_c_array__(self, requested_schema=None):
            return self.capsules

    pyarrow.array(Used())
    with pytest.raises(pyarrow.ArrowInvalid, match="released"):
        pyarrow.array(Used())


def test_a_column_is_texts_for_another_call(model):
    plain = ftl.Annotator(MODEL, probability=None).columns(TEXTS)["label"]
    encoded = ftl.Annotator(MODEL, probability=None, dictionary=True).columns(TEXTS)["label"]
    names = [one and one["label"].removeprefix("__label__") for one in expected(model, "label")]
    for column in (plain, encoded, names):
        again = ftl.columns.labels(model, column)
        assert again.null_count == 2
        assert again.to_numpy()["label"].tolist() == [
            name and model.predict(name).labels[0] for name in names
        ]


@pytest.mark.parametrize("library", ["pickle", "cloudpickle"])
def test_a_column_travels_as_its_numbers(model, name, library):
    library = pytest.importorskip(library)
    column = ANSWERS[name](model)
    sent = library.dumps(column)
    again = library.loads(sent)
    assert repr(again) == repr(column)
    assert len(sent) < 10_000 < MODEL.stat().st_size
    pyarrow = pytest.importorskip("pyarrow")
    assert pyarrow.array(again).equals(pyarrow.array(column))


def test_the_interpreter_ends_while_others_hold_columns():
    pytest.importorskip("polars")
    code = (
        "import polars, sys, fasttext_lite as ftl\n"
        "model = ftl.load('sample')\n"
        "series = polars.Series(ftl.columns.vectors(model, ['king'] * 100_000))\n"
        "capsule = ftl.columns.vectors(model, ['king']).__arrow_c_array__()\n"
        "sys.modules['kept'] = [series, capsule]\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
