"""Files get the columns of `Annotator`, and are otherwise as they were."""

from __future__ import annotations

import bz2
import datetime
import decimal
import gzip
import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import GOLDEN
from support.text import SENTENCES

import fasttext_lite as ftl

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

MODEL = GOLDEN / "softmax.bin"
LINES = [line for lines in SENTENCES.values() for line in lines]
TEXTS = [*LINES, "", "?", "two  spaces\tand a tab", "𝒶 astral", "e\u0301 \u200b", "\0 null"]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def outputs(folder):
    """Return the paths of the files in an output folder, apart from its records."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if path.parts[0] != ".fasttext-lite")


def expected_answers(texts, k=1, threshold=0.0):
    """Return the labels without prefix and the probabilities of each text, one call for each."""
    classifier = ftl.load(MODEL).classifier(strip_prefix=True)
    return [None if text is None else classifier.predict(text, k, threshold) for text in texts]


def first(answers, name):
    """Return one label or probability a text."""
    chosen = (None if one is None else getattr(one, name) for one in answers)
    return [None if one is None or not len(one) else one[0] for one in chosen]


# Parquet


def test_the_rows_of_a_parquet_file_get_the_answers_for_each_text(tmp_path, out):
    texts = [*TEXTS, None] * 20
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", row_group_size=100)
    done = ftl.annotate(ftl.Annotator(MODEL), tmp_path / "a.parquet", out)
    table = pq.read_table(out / "a.parquet")
    answers = expected_answers(texts)
    assert table.column_names == ["text", "label", "probability"]
    assert table["text"].to_pylist() == texts
    assert table["label"].to_pylist() == first(answers, "labels")
    assert table["probability"].to_pylist() == first(answers, "probabilities")
    assert table.schema.field("probability").type == pa.float32()
    assert (done.files, done.rows, done.kept, done.new_rows) == (1, *[len(texts)] * 3)


def test_the_answers_are_those_of_the_official_package(tmp_path, out, trained):
    fasttext = pytest.importorskip("fasttext")
    path = trained(text="language", model="supervised", dim=8, minn=2, maxn=4, bucket=1000)
    pq.write_table(pa.table({"text": LINES}), tmp_path / "a.parquet")
    options = {"k": 2, "strip_prefix": False, "official_bias": True, "sentence_vector": "v"}
    ftl.annotate(ftl.Annotator(path, **options), tmp_path / "a.parquet", out)
    rows = pq.read_table(out / "a.parquet").to_pylist()
    official = fasttext.load_model(str(path))
    for line, row in zip(LINES, rows, strict=True):
        # Its own predict does not run with NumPy 2.
        pairs = official.f.predict(line + "\n", 2, 0.0, "strict")
        assert row["label"] == [label for _, label in pairs]
        assert row["probability"] == pytest.approx([p for p, _ in pairs], rel=1e-5)
        assert (np.array(row["v"], np.float32) == official.get_sentence_vector(line)).all()


def test_row_groups_types_metadata_and_codec_are_kept(tmp_path, out):
    count = 25
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    field = pa.field("id", pa.int64(), nullable=False, metadata={"unit": "one"})
    columns = {
        field: pa.array(range(count)),
        "nested": [{"a": [1, None], "b": {"c": "x"}}] * (count - 1) + [None],
        "map": pa.array([[("k", 1)], None, *[[]] * (count - 2)], pa.map_(pa.string(), pa.int8())),
        "when": pa.array([moment] * count, pa.timestamp("us", "Europe/Berlin")),
        "price": pa.array([decimal.Decimal("1.20")] * count, pa.decimal256(50, 2)),
        "half": pa.array(np.arange(count, dtype=np.float16)),
        "bytes": pa.array([b"\xff\0"] * count),
        "kind": pa.array(["a", "b", None, "a", "b"] * 5).dictionary_encode(),
        "large": pa.array(TEXTS[:count], pa.large_string()),
        "nothing": pa.nulls(count),
    }
    schema = pa.schema(
        [
            name if isinstance(name, pa.Field) else pa.field(name, pa.array(value).type)
            for name, value in columns.items()
        ],
        metadata={"source": "the test"},
    )
    table = pa.table([pa.array(value) for value in columns.values()], schema=schema)
    with pq.ParquetWriter(tmp_path / "a.parquet", schema, compression="zstd") as writer:
        for start, size in ((0, 7), (7, 1), (8, 12), (20, 5)):
            writer.write_table(table.slice(start, size))
    ftl.annotate(ftl.Annotator(MODEL, "large"), tmp_path / "a.parquet", out)
    found = pq.ParquetFile(out / "a.parquet")
    before = pq.ParquetFile(tmp_path / "a.parquet")
    groups = [found.metadata.row_group(i) for i in range(found.num_row_groups)]
    assert [group.num_rows for group in groups] == [7, 1, 12, 5]
    assert {group.column(i).compression for group in groups for i in range(3)} == {"ZSTD"}
    read = found.read()
    assert read.select(schema.names).equals(before.read(), check_metadata=True)
    assert found.schema_arrow.metadata == before.schema_arrow.metadata
    assert found.schema_arrow.metadata[b"source"] == b"the test"
    assert read.column_names[len(schema) :] == ["label", "probability"]
    pytest.importorskip("duckdb")
    other = out.with_name("other")
    condition = "id % 5 <> 4 and kind is not null and \"when\" > '2000-01-01'"
    ftl.annotate(ftl.Annotator(MODEL, "large"), tmp_path / "a.parquet", other, filter=condition)
    kept = [i for i in range(count) if i % 5 != 4 and columns["kind"][i].as_py() is not None]
    found = pq.read_table(other / "a.parquet")
    assert found.equals(read.take(kept), check_metadata=True)


def test_pandas_reads_its_index_again(tmp_path, out):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"text": TEXTS}, index=pandas.Index([x * 2 for x in range(len(TEXTS))])
    )
    frame.to_parquet(tmp_path / "a.parquet")
    ftl.annotate(ftl.Annotator(MODEL), tmp_path / "a.parquet", out)
    found = pandas.read_parquet(out / "a.parquet")
    pandas.testing.assert_frame_equal(found[["text"]], frame)


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())]
)
def test_texts_may_be_of_any_type_of_strings(tmp_path, out, kind):
    column = pa.array(TEXTS, kind.value_type if pa.types.is_dictionary(kind) else kind)
    if pa.types.is_dictionary(kind):
        column = column.dictionary_encode()
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet")
    ftl.annotate(ftl.Annotator(MODEL), tmp_path / "a.parquet", out)
    found = pq.read_table(out / "a.parquet")
    assert found["label"].to_pylist() == first(expected_answers(TEXTS), "labels")


def test_empty_files_have_empty_outputs(tmp_path, out):
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "a.parquet")
    with pq.ParquetWriter(tmp_path / "b.parquet", pa.schema([("text", pa.string())])):
        pass
    for name in ("c.jsonl", "d.txt", "e.txt.gz"):
        (tmp_path / name).write_bytes(gzip.compress(b"") if name.endswith("gz") else b"")
    done = ftl.annotate(ftl.Annotator(MODEL), tmp_path, out, filter="probability > 0.1")
    assert (done.files, done.rows, done.kept) == (5, 0, 0)
    assert pq.read_table(out / "a.parquet").column_names == ["text", "label", "probability"]
    assert pq.read_schema(out / "b.parquet").names == ["text", "label", "probability"]
    assert (out / "c.jsonl").read_bytes() == (out / "d.txt").read_bytes() == b""
    assert gzip.decompress((out / "e.txt.gz").read_bytes()) == b""


def test_every_column_of_an_annotator_is_added(tmp_path, out):
    pq.write_table(pa.table({"text": [*TEXTS, None]}), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text(
        "".join(json.dumps({"text": text}) + "\n" for text in [*TEXTS, None])
    )
    names = {name: name[:1] for name in ("vector", "sentence_vector", "evidence", "known_words")}
    annotator = ftl.Annotator(MODEL, k=2, threshold=0.2, **names)
    ftl.annotate(annotator, tmp_path, out)
    expected = annotator({"text": [*TEXTS, None]})
    rows = pq.read_table(out / "a.parquet").to_pylist()
    others = [json.loads(line) for line in (out / "a.jsonl").read_text().splitlines()]
    for i, (row, other) in enumerate(zip(rows, others, strict=True)):
        for name in ("label", "e", "k"):
            assert row[name] == other[name] == expected[name][i]
        for name in ("probability", "v", "s"):
            for numbers in (row[name], other[name]):
                # The digits of JSON read back as the same float32.
                if numbers is None or expected[name][i] is None:
                    assert numbers is expected[name][i] is None
                else:
                    found = np.array(numbers, np.float64).astype(np.float32)
                    assert (found == np.array(expected[name][i], np.float32)).all()


# JSON


def test_the_fields_of_json_stay_byte_by_byte(tmp_path, out):
    lines = [
        b'{"text":"%s","n":12345678901234567890123, "x": [1.50, {"b": null}]}' % LINES[0].encode(),
        b'  { "n" : "before", "text" : "\\u0142\\ud83d\\ude00 \\n" }\t',
        b"",
        b"{}",
        b"{ }",
        b'{"other":NaN}\r',
        b'{"text": null}',
        b'{"text": "bytes \xff that are no UTF-8"}',
        b'{"text": "}", "label ": 1}',
        b'{"text": "the last line has no newline"}',
    ]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    annotator = ftl.Annotator(MODEL, newlines="space")
    done = ftl.annotate(annotator, tmp_path / "a.jsonl", out)
    kept = [line.strip() for line in lines if line]
    found = (out / "a.jsonl").read_bytes().splitlines()
    assert done.rows == len(found) == len(kept)
    texts = []
    for line, was in zip(found, kept, strict=True):
        assert line.startswith(was[:-1])
        fields = json.loads(was.decode(errors="surrogateescape"))
        texts.append(fields.get("text"))
        answer = json.loads(line.decode(errors="surrogateescape"))
        assert list(answer)[-2:] == ["label", "probability"]
    answers = annotator({"text": texts})
    rows = [json.loads(line.decode(errors="surrogateescape")) for line in found]
    assert [row["label"] for row in rows] == answers["label"]
    numbers = [row["probability"] and np.float32(row["probability"]) for row in rows]
    assert numbers == answers["probability"]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
FIELDS = st.dictionaries(
    st.text(max_size=3),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=5,
    ),
    max_size=3,
)


@settings(max_examples=30)
@given(rows=st.lists(st.tuples(FIELDS, st.none() | st.text(max_size=20)), max_size=8),
       ascii=st.booleans())  # fmt: skip
def test_any_objects_get_their_fields_and_more(tmp_path_factory, rows, ascii):  # noqa: A002
    folder = tmp_path_factory.mktemp("json")
    objects = [{**fields, "text": text} for fields, text in rows]
    for fields in objects:
        fields.pop("label", None)
        fields.pop("probability", None)
    (folder / "a.jsonl").write_text(
        "".join(json.dumps(one, ensure_ascii=ascii) + "\n" for one in objects), encoding="utf-8"
    )
    annotator = ftl.Annotator(MODEL, newlines="space")
    ftl.annotate(annotator, folder / "a.jsonl", folder / "out")
    found = [json.loads(line) for line in (folder / "out" / "a.jsonl").read_bytes().splitlines()]
    answers = annotator({"text": [one["text"] for one in objects]})
    assert [row["label"] for row in found] == answers["label"]
    for row in found:
        del row["label"], row["probability"]
    assert found == objects


# Text


def test_lines_of_text_follow_what_is_added(tmp_path, out):
    lines = [*LINES, "", "a\tb", "c\r", "\x0b", " "]
    (tmp_path / "a.txt").write_bytes("\n".join(lines).encode() + b"\n\xff\n")
    ftl.annotate(ftl.Annotator(MODEL, evidence="known"), tmp_path / "a.txt", out)
    found = (out / "a.txt").read_bytes().split(b"\n")
    assert found.pop() == b""
    assert [line.split(b"\t", 3)[3] for line in found] == [
        *(line.encode() for line in lines),
        b"\xff",
    ]
    answers = expected_answers(lines)
    cells = [line.decode(errors="replace").split("\t")[:2] for line in found[:-1]]
    assert [label for label, _ in cells] == first(answers, "labels")
    assert [np.float32(p) for _, p in cells] == first(answers, "probabilities")


def test_lists_in_lines_of_text_are_separated_by_spaces(tmp_path, out):
    (tmp_path / "a.txt").write_text("the king\n")
    ftl.annotate(ftl.Annotator(MODEL, k=2, sentence_vector="v"), tmp_path / "a.txt", out)
    labels, probabilities, vector, text = (out / "a.txt").read_text().rstrip("\n").split("\t")
    answer = expected_answers(["the king"], 2)[0]
    assert (labels, text) == (" ".join(answer.labels), "the king")
    assert (np.array(probabilities.split(), np.float32) == answer.probabilities).all()
    expected = ftl.load(MODEL).sentence_vector("the king")
    assert (np.array(vector.split(), np.float32) == expected).all()


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".zst", ".lz4", ".br", ".GZ"])
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_compressed_files_have_outputs_of_the_same_kind(tmp_path, out, name, suffix):
    texts = TEXTS * 100
    texts = [text for text in texts if "\0" not in text]
    lines = texts if name == "a.txt" else [json.dumps({"text": text}) for text in texts]
    data = "".join(line + "\n" for line in lines).encode()
    codec = {"": None, ".gz": "gzip", ".GZ": "gzip", ".zst": "zstd", ".br": "brotli"}
    codec = codec.get(suffix, suffix[1:])
    with pa.output_stream(str(tmp_path / (name + suffix)), compression=codec) as file:
        file.write(data)
    ftl.annotate(ftl.Annotator(MODEL), tmp_path / (name + suffix), out)
    with pa.input_stream(str(out / (name + suffix)), compression=codec) as file:
        found = file.read().decode().splitlines()
    labels = first(expected_answers(texts), "labels")
    if name == "a.txt":
        assert [line.split("\t", 1)[0] for line in found] == labels
    else:
        assert [json.loads(line)["label"] for line in found] == labels


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_compressed_files_may_have_several_parts(tmp_path, out, pack):
    suffix = {gzip.compress: "gz", bz2.compress: "bz2"}[pack]
    (tmp_path / f"a.txt.{suffix}").write_bytes(pack(b"one\ntw") + pack(b"o\n"))
    done = ftl.annotate(ftl.Annotator(MODEL), tmp_path / f"a.txt.{suffix}", out)
    assert done.rows == 2


# Order and threads


@pytest.mark.parametrize("threads", [1, 3, None])
def test_rows_stay_in_order_on_any_number_of_threads(tmp_path, out, threads):
    texts = [f"{random.Random(i).choice(LINES)} {i}" for i in range(30_000)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", row_group_size=20_000)
    (tmp_path / "a.txt").write_text("".join(f"{text}\n" for text in texts))
    ftl.annotate(ftl.Annotator(MODEL), tmp_path, out, threads=threads)
    table = pq.read_table(out / "a.parquet")
    expected = ftl.load(MODEL).classifier(strip_prefix=True).predict(texts)
    assert table["text"].to_pylist() == texts
    assert table["label"].to_pylist() == first(expected, "labels")
    found = (out / "a.txt").read_text().splitlines()
    assert [line.split("\t")[::2] for line in found] == [
        list(pair) for pair in zip(first(expected, "labels"), texts, strict=True)
    ]


# Filters


@pytest.fixture
def duckdb():
    return pytest.importorskip("duckdb")


def test_a_filter_keeps_rows_in_order(tmp_path, out, duckdb):
    texts = [*TEXTS, None] * 10
    table = pa.table({"text": texts, "row": range(len(texts)), "h": np.zeros(len(texts), "f2")})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=50)
    label = first(expected_answers(TEXTS), "labels")[0]
    answers = expected_answers(texts)
    labels, numbers = first(answers, "labels"), first(answers, "probabilities")
    least = np.median([p for name, p in zip(labels, numbers, strict=True) if name == label])
    condition = f"label in ('{label}', 'none') and probability > {least} and \"row\" >= 60"
    done = ftl.annotate(ftl.Annotator(MODEL), tmp_path / "a.parquet", out, filter=condition)
    rows = [i for i in range(60, len(texts)) if labels[i] == label and numbers[i] > least]
    assert 0 < len(rows) < len(texts)
    found = pq.read_table(out / "a.parquet")
    assert found["row"].to_pylist() == rows
    assert found.drop_columns(["label", "probability"]).equals(table.take(rows))
    assert (done.rows, done.kept) == (len(texts), len(rows))
    assert pq.ParquetFile(out / "a.parquet").metadata.num_rows == len(rows)


def test_a_filter_of_lines_names_texts_and_json(tmp_path, out, duckdb):
    objects = [{"text": text, "n": i} for i, text in enumerate(TEXTS)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(one) + "\n" for one in objects))
    condition = "text like 'the %' or (json ->> '$.n')::int = 7"
    ftl.annotate(ftl.Annotator(MODEL), tmp_path / "a.jsonl", out, filter=condition)
    found = [json.loads(line)["n"] for line in (out / "a.jsonl").read_text().splitlines()]
    assert found == [i for i, text in enumerate(TEXTS) if text.startswith("the ") or i == 7]
    (tmp_path / "a.txt").write_bytes(b"the king\n\xff the\nthe queen\n")
    done = ftl.annotate(
        ftl.Annotator(MODEL), tmp_path / "a.txt", tmp_path / "text", filter="text like 'the %'"
    )
    assert (done.rows, done.kept) == (3, 2)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("label in (en, de)", r'"en" not found.*single quotes'),
        ("label in ('en'", "syntax error"),
        ("labels = 'en'", 'Referenced column "labels" not found'),
        ("count(*) > 1", "aggregates"),
        ("label", "BOOL"),
        ("probability > 0; drop table x", "modifiers"),
        ("", "cannot be evaluated"),
        ("(select count(*) from read_csv('/etc/passwd')) > 0", "file system operations"),
    ],
)
def test_what_is_no_condition_is_told_before_anything_is_written(
    tmp_path, out, duckdb, condition, told
):
    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "a.parquet")
    with pytest.raises(ftl.InputValueError, match=told):
        ftl.annotate(ftl.Annotator(MODEL), tmp_path / "a.parquet", out, filter=condition)
    assert not out.exists() or outputs(out) == []
