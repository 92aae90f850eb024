"""Batches of every form get the columns of `Annotator`, in the same form."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support import GOLDEN
from support.builders import SUPERVISED, build
from support.text import SENTENCES

import fasttext_lite as ftl

MODEL = GOLDEN / "softmax.bin"
LINES = [lines[0] for lines in SENTENCES.values()]
TEXTS = [*LINES, None, "", "two\tparts", None]
OPTIONS = {
    "defaults": {},
    "other names": {"label": "Sprache", "probability": "p(Sprache)"},
    "labels alone": {"probability": None},
    "probabilities alone": {"label": None},
    "everything": {
        "vector": "v", "sentence_vector": "s", "evidence": "rows", "known_words": "words"
    },
    "no labels": {"label": None, "probability": None, "sentence_vector": "s", "evidence": "e"},
    "dictionary": {"dictionary": True},
    "three": {"k": 3},
    "three in a dictionary": {"k": 3, "dictionary": True},
    "all": {"k": -1},
    "with the prefix": {"strip_prefix": False},
    "threshold": {"threshold": 0.05883},
    "three and a threshold": {"k": 3, "threshold": 0.05883},
    "never": {"threshold": 1.0},
    "among": {"labels": ["de", "__label__ru", 3], "renormalize": True, "k": 2},
    "official": {"official_bias": True},
    "threads": {"threads": 3, "vector": "v"},
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return ftl.load(MODEL)


@pytest.fixture(params=OPTIONS)
def options(request):
    return OPTIONS[request.param]


def expected(model, options, texts=TEXTS):
    """The added columns as lists, None for nulls, from single calls of the model."""
    chosen = {"k": 1, "threshold": 0.0, "strip_prefix": True, **options}
    classifier = model.classifier(strip_prefix=chosen["strip_prefix"])
    predict = {
        name: chosen[name]
        for name in ("k", "threshold", "labels", "renormalize", "official_bias")
        if name in chosen
    }
    names = {"label": "label", "probability": "probability", **options}
    found = {name: [] for name in ("label", "probability", "vector", "sentence_vector", "evidence",
                                   "known_words")}  # fmt: skip
    for text in texts:
        if text is None:
            for column in found.values():
                column.append(None)
            continue
        labels, probabilities = classifier.predict(text, **predict)
        one = chosen["k"] == 1
        found["label"].append((labels[0] if labels else None) if one else list(labels))
        probabilities = probabilities.tolist()
        found["probability"].append((probabilities or [None])[0] if one else probabilities)
        found["vector"].append(model[text].tolist())
        found["sentence_vector"].append(model.sentence_vector(text).tolist())
        known = model.evidence([text])
        found["evidence"].append(int(known.features[0]))
        found["known_words"].append(int(known.words[0]))
    return {names[one]: column for one, column in found.items() if names.get(one) is not None}


def plain(value):
    """An item as Python objects, whatever form it had."""
    if isinstance(value, (np.ndarray, list)):
        return [plain(one) for one in value]
    if value is None or value != value:
        return None
    return value.item() if isinstance(value, np.generic) else value


def test_dict_of_lists(model, options):
    batch = {"n": list(range(len(TEXTS))), "text": TEXTS}
    found = ftl.Annotator(MODEL, **options)(batch)
    assert list(batch) == ["n", "text"]
    assert found.pop("n") is batch["n"]
    assert found.pop("text") is TEXTS
    assert all(isinstance(column, list) for column in found.values())
    assert {name: plain(column) for name, column in found.items()} == expected(model, options)


@pytest.mark.parametrize("dtype", [object, "StringDType"])
def test_dict_of_arrays(model, options, dtype):
    if dtype == "StringDType":
        if not hasattr(getattr(np, "dtypes", None), "StringDType"):
            pytest.skip("this NumPy has no such type")
        dtype = np.dtypes.StringDType(na_object=None)
    found = ftl.Annotator(MODEL, **options)({"text": np.array(TEXTS, dtype)})
    del found["text"]
    wanted = expected(model, options)
    assert list(found) == list(wanted)
    for name, column in found.items():
        assert isinstance(column, np.ndarray)
        if name in ("rows", "words", "e"):
            assert column.dtype == np.int64
            assert column.tolist() == [one or 0 for one in wanted[name]]
        elif name in ("v", "s"):
            assert column.dtype == np.float32
            lists = [one or [np.nan] * model.dim for one in wanted[name]]
            assert_array_equal(column, lists)
        else:
            assert plain(column) == wanted[name]
            if options.get("k", 1) == 1:
                assert column.dtype == (np.float32 if name.startswith("p") else object)


@pytest.mark.parametrize("kind", ["record_batch", "table"])
def test_pyarrow(model, options, kind):
    pyarrow = pytest.importorskip("pyarrow")
    batch = pyarrow.table({"text": TEXTS, "n": range(len(TEXTS))})
    batch = batch.replace_schema_metadata({"made by": "a test"})
    if kind == "record_batch":
        batch = batch.to_batches()[0]
    annotate = ftl.Annotator(MODEL, **options)
    found = annotate(batch)
    assert type(found) is type(batch)
    found.validate(full=True)
    assert found.schema.equals(annotate.schema(batch.schema), check_metadata=True)
    assert found.select(batch.schema.names).equals(batch)
    wanted = expected(model, options)
    assert annotate.schema().names == annotate.names == list(wanted)
    for name, column in wanted.items():
        assert found.column(name).to_pylist() == column
    assert annotate(batch.slice(0, 0)).schema == found.schema


def test_a_reader_is_read_while_its_answer_is_read(options):
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"text": TEXTS, "n": range(len(TEXTS))})
    taken = []

    def batches():
        for batch in table.to_batches(max_chunksize=3):
            taken.append(len(batch))
            yield batch

    annotate = ftl.Annotator(MODEL, **options)
    found = annotate(pyarrow.RecordBatchReader.from_batches(table.schema, batches()))
    assert isinstance(found, pyarrow.RecordBatchReader)
    assert found.schema == annotate.schema(table.schema)
    found.read_next_batch()
    assert len(taken) < len(TEXTS) / 3
    rest = found.read_all()
    assert sum(taken) == len(TEXTS)
    if not options.get("dictionary"):  # Those of batches differ.
        assert rest.equals(annotate(table).slice(3))


def test_duckdb(model):
    duckdb = pytest.importorskip("duckdb")
    pyarrow, pandas = pytest.importorskip("pyarrow"), pytest.importorskip("pandas")
    annotate, wanted = ftl.Annotator(MODEL), expected(model, {})
    connection = duckdb.connect()
    relation = connection.from_arrow(pyarrow.table({"text": TEXTS}))
    assert isinstance(relation.df(), pandas.DataFrame)
    mapped = relation.map(annotate).fetchall()
    assert [row[1:] for row in mapped] == list(
        zip(wanted["label"], wanted["probability"], strict=True)
    )
    with pytest.raises(ftl.InputTypeError, match=r"DuckDBPyRelation; call relation.map"):
        annotate(relation)


def test_pandas(model, options):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": TEXTS, "n": 1}, index=range(9, 9 + len(TEXTS)))
    before = frame.copy()
    annotate = ftl.Annotator(MODEL, **options)
    found = annotate(frame)
    pandas.testing.assert_frame_equal(frame, before)
    pandas.testing.assert_frame_equal(found[["text", "n"]], before)
    wanted = expected(model, options)
    assert list(found) == ["text", "n", *wanted]
    for name, column in wanted.items():
        items = [None if one is pandas.NA else one for one in found[name]]
        assert plain(items) == column
    if options.get("dictionary") and options.get("k", 1) == 1:
        assert found["label"].dtype == "category"
    # The types are those of any other batch, as Dask requires.
    assert annotate(frame[:0]).dtypes.equals(found.dtypes)
    assert annotate(frame[-1:]).dtypes.equals(found.dtypes)


def test_polars(model, options):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"text": TEXTS, "n": range(len(TEXTS))})
    annotate = ftl.Annotator(MODEL, **options)
    found = annotate(frame)
    assert found.select("text", "n").equals(frame)
    wanted = expected(model, options)
    assert found.columns == ["text", "n", *wanted]
    for name, column in wanted.items():
        assert found[name].to_list() == column
    assert annotate(frame[:0]).schema == found.schema
    lazy = frame.lazy().map_batches(annotate, schema=found.schema)
    assert lazy.collect().equals(found)


def test_columns_and_iterate(model, options):
    annotate = ftl.Annotator(MODEL, **options)
    columns = annotate.columns(TEXTS)
    assert {name: len(column) for name, column in columns.items()} == dict.fromkeys(
        annotate.names, len(TEXTS)
    )
    batches = annotate.iterate({"text": texts} for texts in (TEXTS[:3], [], TEXTS[3:]))
    assert iter(batches) is batches
    joined = {name: [] for name in annotate.names}
    for batch in batches:
        for name, column in joined.items():
            column += batch[name]
    assert {name: plain(column) for name, column in joined.items()} == expected(model, options)


def test_another_column(model):
    found = ftl.Annotator(MODEL, "page")({"page": TEXTS})
    assert found["label"] == expected(model, {})["label"]


def test_newlines_surrogates_and_missing_texts_as_elsewhere(model):
    annotate = ftl.Annotator(MODEL, newlines="space", errors="replace", sentence_vector="s")
    found = annotate({"text": ["a\nb", "\ud800x"]})
    assert found["label"] == ftl.Annotator(MODEL)({"text": ["a b", "\ufffdx"]})["label"]
    assert_array_equal(found["s"][0], model.sentence_vector("a b"))
    with pytest.raises(ftl.InputValueError, match=r"texts\[1\].*newlines='space'"):
        ftl.Annotator(MODEL)({"text": ["a", "a\nb"]})
    with pytest.raises(ftl.InputTypeError, match=r"column 'text' of type list: texts\[1\]"):
        ftl.Annotator(MODEL, missing="raise")({"text": ["a", None]})


def batches(values, name="text"):
    """A column in all forms."""
    yield {name: values}
    yield {name: np.array(values)}
    for library, make in (
        ("pandas", lambda pandas: pandas.DataFrame({name: values})),
        ("polars", lambda polars: polars.DataFrame({name: values})),
        ("pyarrow", lambda pyarrow: pyarrow.table({name: values})),
        ("pyarrow", lambda pyarrow: pyarrow.record_batch({name: values})),
    ):
        try:
            imported = __import__(library)
        except ImportError:
            continue
        yield make(imported)


def test_a_column_that_does_not_exist_is_named_with_its_neighbours():
    for batch in batches(["a"], "Texts"):
        with pytest.raises(ftl.InputValueError, match=r"no column 'text' \(near ones: 'Texts'\)"):
            ftl.Annotator(MODEL)(batch)
        with pytest.raises(ftl.InputValueError, match=r"no column 'xyz' \(there are: 'Texts'\)"):
            ftl.Annotator(MODEL, "xyz")(batch)
    with pytest.raises(ftl.InputValueError, match=r"no column 'text' \(it has none\)"):
        ftl.Annotator(MODEL)({})
    pyarrow = pytest.importorskip("pyarrow")
    with pytest.raises(ftl.InputValueError, match=r"the schema has no column 'text' \(near"):
        ftl.Annotator(MODEL).schema(pyarrow.schema({"test": pyarrow.string()}))


def test_a_column_of_numbers_is_named_with_its_type():
    types = r"list|int64|Int64"
    for batch in batches([1, 2]):
        with pytest.raises(ftl.InputTypeError, match=f"column 'text' of type ({types}): "):
            ftl.Annotator(MODEL)(batch)


def test_columns_that_are_there_are_not_replaced():
    for batch in batches(["a"], "text"):
        again = ftl.Annotator(MODEL)(batch)
        with pytest.raises(
            ftl.InputValueError, match=r"there is a column 'label' already.*label=…"
        ):
            ftl.Annotator(MODEL)(again)
        with pytest.raises(ftl.InputValueError, match="'probability' already"):
            ftl.Annotator(MODEL, label="other")(again)
        ftl.Annotator(MODEL, label="other", probability=None)(again)
    pyarrow = pytest.importorskip("pyarrow")
    schema = pyarrow.schema({"text": pyarrow.string(), "label": pyarrow.string()})
    with pytest.raises(ftl.InputValueError, match="'label' already"):
        ftl.Annotator(MODEL).schema(schema)


def test_two_columns_of_texts_are_one_too_many():
    pyarrow = pytest.importorskip("pyarrow")
    twice = pyarrow.table([pyarrow.array(["a"]), pyarrow.array(["b"])], ["text", "text"])
    with pytest.raises(ftl.InputValueError, match="2 columns 'text'"):
        ftl.Annotator(MODEL)(twice)
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ftl.InputValueError, match="2 columns 'text'"):
        ftl.Annotator(MODEL)(pandas.DataFrame([["a", "b"]], columns=["text", "text"]))


@pytest.mark.parametrize("batch", [None, "text", ["a", "b"], [{"text": "a"}], np.array(["a"])])
def test_other_forms_are_refused(batch):
    with pytest.raises(ftl.InputTypeError, match="a batch must be a dict"):
        ftl.Annotator(MODEL)(batch)


def test_series_and_lazy_frames_are_refused():
    polars = pytest.importorskip("polars")
    for batch in (polars.Series(["a"]), polars.LazyFrame({"text": ["a"]})):
        with pytest.raises(ftl.InputTypeError, match=r"Polars, not (Series|LazyFrame)"):
            ftl.Annotator(MODEL)(batch)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"label": None, "probability": None}, "nothing is added"),
        ({"label": "a", "probability": "a"}, "two added columns have the name 'a'"),
        ({"vector": "label"}, "two added columns have the name 'label'"),
        ({"label": "text"}, r"there is a column 'text' already.*label=…"),
        ({"label": 3}, "label must be str, not int"),
        ({"column": None}, "column must be str, not NoneType"),
        ({"k": 0}, "k must be at least 1"),
        ({"k": -2}, "k must be at least -1"),
        ({"k": 1.5}, "k must be int"),
        ({"threshold": "0"}, "threshold must be a number"),
        ({"labels": "de"}, "expected many labels"),
        ({"labels": []}, "labels is empty"),
        ({"labels": [1.5]}, r"labels\[0\] must be str, bytes or int"),
        ({"labels": [-1]}, r"labels\[0\] must be at least 0"),
        ({"labels": 3}, "labels must be an iterable"),
        ({"renormalize": True, "official_bias": True}, "exclude each other"),
        ({"strip_prefix": "yes"}, "strip_prefix must be bool"),
        ({"dictionary": None}, "dictionary must be bool"),
        ({"missing": "drop"}, "missing must be 'raise' or 'empty'"),
        ({"newlines": None}, "newlines must be str"),
        ({"errors": "ignore"}, "errors must be"),
        ({"sha256": 3}, "sha256 must be str"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"path": 3}, "a path must be"),
    ],
)
def test_wrong_options_are_refused_at_once(options, match):
    with pytest.raises((ftl.InputTypeError, ftl.InputValueError), match=match):
        ftl.Annotator(**{"path": "not there", **options})


def test_an_unknown_option_is_refused_at_once():
    with pytest.raises(TypeError, match="output"):
        ftl.Annotator(MODEL, output="x")


def test_the_path_is_looked_at_when_the_model_is_needed(tmp_path):
    annotate = ftl.Annotator(tmp_path / "model.bin")
    with pytest.raises(ftl.MissingFileError, match="there is no such file"):
        annotate.model  # noqa: B018
    with pytest.raises(ftl.MissingFileError, match="there is no such file"):
        annotate({"text": ["a"]})
    (tmp_path / "model.bin").write_bytes(MODEL.read_bytes())
    assert annotate({"text": ["a"]})["label"] == [annotate.model._stripped.predict("a").labels[0]]
    with pytest.raises(ftl.FormatError, match="SHA-256"):
        ftl.Annotator(tmp_path / "model.bin", sha256="0" * 64)({"text": ["a"]})


def test_an_unknown_label_is_named_when_the_model_is_read():
    with pytest.raises(ftl.InputValueError, match="'nowhere' is not a label of this model"):
        ftl.Annotator(MODEL, labels=["nowhere"])({"text": ["a"]})


def test_models_without_labels_say_what_to_leave_out(tmp_path):
    annotate = ftl.Annotator("sample", sentence_vector="s")
    with pytest.raises(ftl.ModelKindError, match="pass label=None and probability=None"):
        annotate({"text": ["a"]})
    path = tmp_path / "empty.bin"
    path.write_bytes(build(model=SUPERVISED, labels=[]))
    found = ftl.Annotator(path, dictionary=True)({"text": ["one", None]})
    assert found == {"text": ["one", None], "label": [None] * 2, "probability": [None] * 2}


def test_it_shows_what_it_does():
    assert repr(ftl.Annotator("sample", evidence="e")) == (
        "<Annotator of 'text' by 'sample': label='label', probability='probability', evidence='e'>"
    )


WITHOUT = """
import sys
for name in ("pyarrow", "polars"):
    sys.modules[name] = None
import pandas as pd
import fasttext_lite as ftl
annotate = ftl.Annotator(sys.argv[1], sentence_vector="s", evidence="e")
texts = ["hello world", None, "der Hund"]
for dtype in (None, object, "string", "category"):
    frame = annotate(pd.DataFrame({"text": pd.Series(texts, dtype=dtype)}))
    lists = annotate({"text": texts})
    assert frame["label"].isna().tolist() == [False, True, False]
    for name in annotate.names:
        for one, other in zip(frame[name].dropna(), filter(lambda x: x is not None, lists[name])):
            assert (one == other).all() if name == "s" else one == other
try:
    annotate.schema()
except ftl.MissingExtraError as error:
    print(error)
"""


def test_pandas_without_pyarrow():
    pytest.importorskip("pandas")
    command = [sys.executable, "-I", "-c", WITHOUT, str(MODEL)]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert b"fasttext-lite[arrow]" in done.stdout
