"""Functions of DuckDB have the answers for single texts."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support import GOLDEN
from support.text import SENTENCES

import fasttext_lite as ftl

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")
from fasttext_lite.integrations.duckdb import register  # noqa: E402

MODEL = GOLDEN / "softmax.bin"
TEXTS = [None, *(lines[0] for lines in SENTENCES.values()), "", None]


@pytest.fixture(scope="module")
def model():
    return ftl.load(MODEL)


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t (n INT, text VARCHAR)")
        con.executemany("INSERT INTO t VALUES (?, ?)", [list(row) for row in enumerate(TEXTS)])
        yield con


def test_functions_have_the_answers_for_single_texts(model, con):
    register(con, MODEL, label="language", vector="word", sentence_vector="embed")
    register(con, MODEL, label="languages", k=3, strip_prefix=False, threshold=0.0588)
    found = con.sql(
        "SELECT text, language(text), language(text).label, languages(text), word(text), "
        "embed(text), array_cosine_similarity(embed(text), embed(text)) FROM t ORDER BY n"
    ).fetchall()
    stripped = model.classifier(strip_prefix=True)
    for text, label, name, labels, word, sentence, cosine in found:
        if text is None:
            assert label is name is labels is word is sentence is cosine is None
            continue
        ((best,), probability) = stripped.predict(text)
        assert label == {"label": best, "probability": probability[0]}
        assert name == best
        assert [tuple(one.values()) for one in labels] == list(
            zip(*model.predict(text, 3, 0.0588), strict=True)
        )
        assert list(word) == model[text].tolist()
        assert list(sentence) == model.sentence_vector(text).tolist()
        assert cosine == pytest.approx(1)


def test_the_types(model, con):
    register(con, MODEL, vector="word", sentence_vector="embed")
    register(con, MODEL, label="every_label", k=-1)
    query = "SELECT typeof(label('')), typeof(every_label('')), typeof(word('')), typeof(embed(''))"
    label, some, word, embed = con.sql(query).fetchall()[0]
    assert label.replace('"', "") == "STRUCT(label VARCHAR, probability FLOAT)"
    assert some == f"{label}[]"
    assert word == embed == f"FLOAT[{model.dim}]"


def test_many_texts_on_several_threads(model, con):
    con.execute("SET threads = 4")
    con.execute(
        "CREATE TABLE many AS "
        "SELECT CASE WHEN i % 7 = 3 THEN NULL ELSE text || ' ' || i END AS text "
        "FROM t, range(20000) r(i)"
    )
    register(con, MODEL, label="language")
    found = dict(con.sql("SELECT language(text).label l, count(*) FROM many GROUP BY l").fetchall())
    texts = [text for (text,) in con.sql("SELECT text FROM many").fetchall()]
    expected: dict[str | None, int] = {}
    for answer in model.classifier(strip_prefix=True).predict(texts, missing="empty"):
        label = answer.labels[0] if answer.labels else None
        expected[label] = expected.get(label, 0) + 1
    assert found == expected


def test_options_of_texts(con):
    register(con, MODEL, label="strict", sentence_vector="embed_strict")
    for function in ("strict", "embed_strict"):
        with pytest.raises(duckdb.Error, match="newlines='space'"):
            con.sql(f"SELECT {function}('a' || chr(10) || 'b')").fetchall()
    register(con, MODEL, label="lenient", sentence_vector="embed", newlines="space")
    query = (
        "SELECT lenient('a' || chr(10) || 'b') = lenient('a b'), embed('a' || chr(10)) = embed('a')"
    )
    assert con.sql(query).fetchall() == [(True, True)]


def test_wrong_arguments_register_nothing(con, tmp_path):
    for options, match in (
        ({"label": None}, "no function is named"),
        ({"label": "f", "vector": "f"}, "two functions have the same name"),
        ({"label": 3}, "must be str"),
        ({"k": 0}, "k must be at least 1"),
        ({"threshold": "a"}, "threshold must be"),
        ({"labels": ["xy"]}, "'xy' is not a label"),
        ({"vector": "f", "threads": 0}, "threads must be"),
        ({"sentence_vector": "f", "errors": "drop"}, "errors must be"),
        ({"path": "sample"}, "no labels to predict"),
        ({"path": tmp_path / "none.bin"}, "there is no such file"),
    ):
        with pytest.raises(ftl.FastTextLiteError, match=match):
            register(con, **{"path": MODEL, **options})
        with pytest.raises(duckdb.CatalogException):
            con.sql("SELECT label('a')").fetchall()
    register(con, MODEL)
    with pytest.raises(duckdb.Error, match="already"):
        register(con, MODEL)


def test_without_pyarrow_the_extra_is_named():
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import fasttext_lite as ftl\n"
        "try: import fasttext_lite.integrations.duckdb\n"
        "except ftl.MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    assert b"fasttext-lite[duckdb]" in done.stdout
