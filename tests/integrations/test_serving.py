"""Requests to a model, and the answers to them."""

from __future__ import annotations

import json
from urllib.parse import quote

import numpy as np
import pytest
from support import GOLDEN

import fasttext_lite as ftl

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from starlette.applications import Starlette
from starlette.routing import Mount
from support.asgi import Client

from fasttext_lite.integrations.serving import Limits, application

LONE = "byte \udcff"


@pytest.fixture(scope="module")
def model():
    return ftl.load("sample")


@pytest.fixture(scope="module")
def words(model):
    return Client(application(model))


@pytest.fixture(scope="module")
def classifier():
    return ftl.load(GOLDEN / "softmax.bin")


@pytest.fixture(scope="module")
def labels(classifier):
    return Client(application(classifier))


@pytest.fixture(scope="module")
def index(model):
    texts = ["the price of bread", "a war at sea", "peace at last", "the king and the queen"]
    labels = ["food", "war", "peace", None]
    return ftl.TextIndex.build(model, texts, ids=["a", "b", "c", "d"], labels=labels)


@pytest.fixture(scope="module")
def texts(index):
    return Client(application(index))


@pytest.fixture(scope="module")
def guarded(model):
    return Client(application(model, hosts=["LOCALHOST", "::1"]))


def as_float32(numbers):
    return np.array(numbers, np.float32)


class TestVectors:
    def test_of_a_word_have_all_bits(self, words, model):
        for word, known in (("king", True), ("kingliest", False)):
            found = words.get("/vectors", word=word).json()
            assert (found["word"], found["known"]) == (word, known)
            assert (as_float32(found["vector"]) == model[word]).all()

    def test_are_as_short_as_they_can_be(self, words, model):
        text = words.get("/vectors?word=king").body.decode()
        assert f"[{', '.join(str(number) for number in model['king'])}]" in text

    def test_of_a_text(self, words, model):
        found = words.get("/vectors", text="a king\nand").json()
        assert (as_float32(found["vector"]) == model.sentence_vector("a king and")).all()

    def test_of_many_come_in_their_order(self, words, model):
        asked = ["king", "queen", "", "naïve", LONE]
        found = words.post("/vectors", {"words": asked}).json()["results"]
        assert [one["word"] for one in found] == asked
        assert (as_float32([one["vector"] for one in found]) == model[asked]).all()

    def test_that_are_no_numbers_are_null(self, tmp_path):
        path = tmp_path / "odd.vec"
        path.write_text("1 3\nodd nan inf 0.5\n")
        client = Client(application(path))
        assert client.get("/vectors?word=odd").json()["vector"] == [None, None, 0.5]

    def test_of_unknown_words_are_refused_without_ngrams(self, tmp_path):
        path = tmp_path / "few.vec"
        path.write_text("1 2\nword 1 2\n")
        client = Client(application(path))
        refused = client.get("/vectors?word=other")
        assert refused.status == 422
        assert "other" in refused.json()["error"]


class TestNeighbors:
    def test_are_those_of_the_model(self, words, model):
        found = words.get("/neighbors", word="king", k=3).json()
        expected = model.neighbors("king", k=3)
        assert [near["word"] for near in found["neighbors"]] == [near.word for near in expected]
        for near, exact in zip(found["neighbors"], expected, strict=True):
            assert np.float32(near["score"]) == np.float32(exact.score)

    def test_of_a_text(self, words, model):
        vector = model.sentence_vector("the king")
        found = words.get("/neighbors", text="the king", k=4).json()
        expected = [near.word for near in model.neighbors(vector, k=4)]
        assert [near["word"] for near in found["neighbors"]] == expected

    def test_of_many(self, words):
        found = words.post("/neighbors", {"words": ["king", "warlike"], "k": 2}).json()
        assert [(one["known"], len(one["neighbors"])) for one in found["results"]] == [
            (word in ftl.load("sample"), 2) for word in ("king", "warlike")
        ]

    def test_with_a_least_score(self, words):
        found = words.get("/neighbors?word=king&min_score=0.79").json()["neighbors"]
        assert found
        assert all(near["score"] >= 0.79 for near in found)

    def test_along_a_graph(self, tmp_path, model, words):
        path = tmp_path / "graph.safetensors"
        ftl.convert(model, path, max_words=300, graph=True)
        client = Client(application(path))
        assert client.get("/info").json()["graph"] is True
        near = client.get("/neighbors?word=king&accuracy=0.99&k=3")
        assert near.status == 200
        missing = words.get("/neighbors?word=king&accuracy=0.99")
        assert (missing.status, missing.json()["status"]) == (422, 422)
        assert "graph" in missing.json()["error"]


class TestPredictions:
    def test_are_those_of_the_model(self, labels, classifier):
        text = "wir haben den Winter"
        found = labels.get("/predict", text=text, k=3).json()
        expected = classifier.predict(text, k=3)
        assert found["labels"] == list(expected.labels)
        assert (as_float32(found["probabilities"]) == expected.probabilities).all()

    def test_of_many_texts_above_a_threshold(self, labels, classifier):
        texts = ["the", "a line\nand another", ""]
        threshold = 0.0588
        body = {"texts": texts, "k": 50, "threshold": threshold}
        found = labels.post("/predict", body).json()["results"]
        expected = classifier.predict(texts, 50, threshold, newlines="space")
        assert [one["labels"] for one in found] == [list(one.labels) for one in expected]
        assert any(len(one["labels"]) < len(classifier.labels) for one in found)

    def test_of_a_model_without_labels_are_refused(self, words):
        for refused in (words.get("/predict?text=a"), words.post("/predict", b"?")):
            assert refused.status == 404
            assert "supervised" in refused.json()["error"]


class TestSearch:
    def test_finds_the_texts_of_the_index(self, texts, index):
        found = texts.get("/search", query="wars at sea", k=2).json()
        assert found["query"] == "wars at sea"
        expected = index.search("wars at sea", k=2)
        assert [hit["text"] for hit in found["hits"]] == [hit.text for hit in expected]
        assert found["hits"][0] == {
            "id": "b",
            "text": "a war at sea",
            "score": float(str(np.float32(expected[0].score))),
            "label": "war",
        }

    def test_of_many_queries(self, texts, index):
        queries = ["bread", "peace\nat last", "", "naïve"]
        found = texts.post("/search", {"queries": queries, "k": 1}).json()["results"]
        assert [one["query"] for one in found] == queries
        assert [[hit["text"] for hit in one["hits"]] for one in found] == [
            [hit.text for hit in index.search(query.replace("\n", " "), k=1)] for query in queries
        ]

    def test_with_a_least_score(self, texts):
        assert texts.get("/search", query="bread", min_score=1).json()["hits"] == []
        assert texts.get("/search", query="bread", accuracy=1).status == 200

    def test_is_wrong_without_a_query(self, texts):
        assert texts.get("/search").json()["field"] == "query"
        assert texts.post("/search", {"queries": "a"}).json()["field"] == "queries"

    def test_an_index_answers_as_its_model_too(self, texts, words):
        for address in ("/vectors?word=king", "/neighbors?word=king&k=2"):
            assert texts.get(address).json() == words.get(address).json()
        about = texts.get("/info").json()
        assert about["endpoints"] == ["/search", "/vectors", "/neighbors"]
        assert (about["target"], about["texts"], about["labels"]) == ("index", 4, 3)
        assert texts.get("/predict?text=a").status == 404

    def test_a_path_is_opened_as_what_it_is(self, index, tmp_path):
        index.save(tmp_path / "texts.safetensors")
        about = Client(application(tmp_path / "texts.safetensors")).get("/info").json()
        assert (about["target"], about["name"]) == ("index", "texts.safetensors")
        ftl.convert("sample", tmp_path / "model.safetensors", max_words=50)
        about = Client(application(tmp_path / "model.safetensors")).get("/info").json()
        assert (about["target"], about["words"]) == ("model", 50)

    def test_a_damaged_index_is_no_model(self, index, tmp_path):
        path = tmp_path / "damaged.safetensors"
        index.save(tmp_path / "texts.safetensors")
        whole = (tmp_path / "texts.safetensors").read_bytes()
        path.write_bytes(whole.replace(b"lowercase", b"lowerCase"))
        with pytest.raises(ftl.FormatError, match="lowercase"):
            application(path)


def test_a_model_has_no_texts_to_search(words):
    refused = words.get("/search?query=a")
    assert refused.status == 404
    assert "index of texts" in refused.json()["error"]


def test_what_there_is(words, labels):
    assert words.get("/health").json() == {"status": "ok"}
    about = words.get("/info").json()
    assert about["name"] == "sample.bin"
    assert (about["words"], about["dim"]) == (7081, 40)
    assert about["endpoints"] == ["/vectors", "/neighbors"]
    assert about["limits"] == vars(Limits())
    assert about["version"] == ftl.__version__
    assert "/predict" in labels.get("/info").json()["endpoints"]
    assert "/" not in about["name"]


def test_other_sites_read_nothing(words):
    for path in ("/", "/vectors?word=king", "/nowhere"):
        headers = words.get(path, ("origin", "https://example.com")).headers
        assert "access-control-allow-origin" not in headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_the_page_may_only_do_what_it_does(words):
    policy = words.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; connect-src 'self'")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_an_application_is_mounted_in_another():
    outer = Starlette(routes=[Mount("/words", application("sample"))])
    client = Client(outer)
    assert client.get("/words/vectors?word=king").status == 200
    assert client.get("/words/").headers["content-type"].startswith("text/html")
    assert client.get("/words/nowhere").json()["status"] == 404


class TestHosts:
    @pytest.mark.parametrize("host", ["localhost", "localhost:8000", "LocalHost:1", "[::1]:80"])
    def test_known_names_are_answered(self, guarded, host):
        assert guarded.get("/health", ("host", host)).status == 200

    @pytest.mark.parametrize(
        "host",
        ["example.com", "localhost.example.com", "", "localhost:80:80", "[::1", "x@localhost"],
    )
    def test_other_names_are_refused(self, guarded, host):
        refused = guarded.get("/health", ("host", host))
        assert refused.status == 403
        assert "Host" in refused.json()["error"]

    def test_one_name_is_enough(self, guarded):
        twice = ("host", "localhost")
        assert guarded.get("/health", twice, twice).status == 403


# Query strings of GET, and what is said about them.
WRONG_QUERIES = [
    ("/vectors", "", 422, "word", "word or text is missing"),
    ("/vectors", "word=a&text=b", 422, "text", "not both"),
    ("/vectors", "word=a&word=b", 400, "word", "given twice"),
    ("/vectors", "word=a&k=3", 422, "k", "no parameter k here"),
    ("/vectors", "words=a", 422, "word", "missing"),
    ("/vectors", "word=%ff", 400, None, "not UTF-8"),
    ("/vectors", "&".join(f"a{i}=1" for i in range(200)), 400, None, "100 parameters"),
    ("/vectors", "word=" + "a" * 10_001, 422, "word", "10,000 characters"),
    ("/neighbors", "word=a&k=0", 422, "k", "at least 1"),
    ("/neighbors", "word=a&k=1001", 422, "k", "at most 1000"),
    ("/neighbors", "word=a&k=", 422, "k", "a whole number"),
    ("/neighbors", "word=a&k=1.5", 422, "k", "a whole number"),
    ("/neighbors", "word=a&k=1e3", 422, "k", "a whole number"),
    ("/neighbors", "word=a&k=+1", 422, "k", "a whole number"),
    ("/neighbors", "word=a&k=%D9%A1", 422, "k", "a whole number"),
    ("/neighbors", "word=a&k=" + "9" * 5000, 422, "k", "a whole number"),
    ("/neighbors", "word=a&min_score=nan", 422, "min_score", "a number"),
    ("/neighbors", "word=a&min_score=2", 422, "min_score", "at most 1"),
    ("/neighbors", "word=a&accuracy=-1", 422, "accuracy", "at least 0"),
]


@pytest.mark.parametrize(("path", "query", "status", "field", "message"), WRONG_QUERIES)
def test_wrong_parameters_are_named(words, path, query, status, field, message):
    refused = words.get(f"{path}?{query}")
    assert refused.status == status
    found = refused.json()
    assert message in found["error"]
    assert found["status"] == status
    assert found.get("field") == field


WRONG_BODIES = [
    (b"", 400, None, "not JSON"),
    (b"{", 400, None, "not JSON"),
    (b'{"words": ["a"]} x', 400, None, "Extra data at character 17"),
    (b'{"words": ["\xff"]}', 400, None, "not UTF-8 at byte 12"),
    (b'\xef\xbb\xbf{"words": []}', 400, None, "BOM"),
    ('{"words": []}'.encode("utf-16"), 400, None, "not UTF-8"),
    (b"[" * 200_000, 400, None, "nested too deeply"),
    (b'{"words": ' * 100_000, 400, None, "nested too deeply"),
    (b'{"words": [], "k": ' + b"1" * 10_000 + b"}", 400, None, "thousands of digits"),
    (b'{"words": [], "k": NaN}', 400, None, "NaN is no number"),
    (b'{"words": [], "words": []}', 400, "words", "given twice"),
    (b"[]", 400, None, "must be a JSON object, not an array"),
    (b"null", 400, None, "not null"),
    (b"{}", 422, "words", "words or texts is missing"),
    (b'{"words": [], "texts": []}', 422, "texts", "not both"),
    (b'{"words": "a"}', 422, "words", "an array of strings, not a string"),
    (b'{"words": {}}', 422, "words", "not an object"),
    (b'{"words": ["a", 1]}', 422, "words[1]", "words[1] must be a string, not a number"),
    (b'{"words": ["a", null]}', 422, "words[1]", "not null"),
    (b'{"words": ["a", ["b"]]}', 422, "words[1]", "not an array"),
    (b'{"words": ["a"], "k": "3"}', 422, "k", "a whole number, not a string"),
    (b'{"words": ["a"], "k": 3.0}', 422, "k", "a whole number, not a number"),
    (b'{"words": ["a"], "k": true}', 422, "k", "not a Boolean"),
    (b'{"words": ["a"], "k": null}', 422, "k", "not null"),
    (b'{"words": ["a"], "k": 1e400}', 422, "k", "a whole number"),
    (b'{"words": ["a"], "min_score": "x"}', 422, "min_score", "a number, not a string"),
    (b'{"words": ["a"], "min_score": 1e400}', 422, "min_score", "at most 1"),
    (b'{"words": ["a"], "other": 1}', 422, "other", "no parameter other"),
    (json.dumps({"words": ["a"] * 1001}).encode(), 422, "words", "1,000 items at most"),
    (json.dumps({"words": ["a" * 10_001]}).encode(), 422, "words[0]", "10,000 characters"),
    (json.dumps({"words": ["a"] * 1000, "k": 1000}).encode(), 422, "k", "20,000 results"),
    (json.dumps({"texts": ["\ud800"]}).encode(), 422, None, "surrogate"),
]


@pytest.mark.parametrize(("body", "status", "field", "message"), WRONG_BODIES)
def test_wrong_bodies_are_explained(words, body, status, field, message):
    refused = words.post("/neighbors", body)
    found = refused.json()
    assert refused.status == status, found
    assert message in found["error"]
    assert found.get("field") == field


def test_bodies_have_a_limit(model):
    client = Client(application(model, limits=Limits(body=100)))
    assert client.post("/vectors", b'{"words": ["a"]}').status == 200
    refused = client.post("/vectors", b" " * 101)
    assert refused.status == 413
    assert "100 bytes" in refused.json()["error"]


def test_compressed_bodies_are_refused(words):
    refused = words.post("/vectors", b"{}", ("content-encoding", "gzip"))
    assert refused.status == 415


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "NONSENSE"])
@pytest.mark.parametrize("path", ["/", "/info", "/vectors", "/search", "/predict"])
def test_wrong_methods_are_told_the_right_ones(words, method, path):
    refused = words.request(method, path)
    assert refused.status == 405
    allowed = set(refused.headers["allow"].split(", "))
    assert allowed - {"POST"} == {"GET", "HEAD"}
    assert refused.json()["status"] == 405


def test_a_head_is_that_of_the_answer(words):
    assert words.request("HEAD", "/info").headers["content-length"] == str(
        len(words.get("/info").body)
    )


@pytest.mark.parametrize("path", ["/nowhere", "/vectors/", "/%2e%2e/etc", "/" + quote("straße")])
def test_there_is_nothing_else(words, path):
    missing = words.get(path)
    assert missing.status == 404
    assert "/info" in missing.json()["error"]


def test_a_file_that_has_changed_is_an_error_of_the_server(tmp_path, model):
    path = tmp_path / "model.safetensors"
    ftl.convert(model, path)
    opened = ftl.load(path)
    with path.open("ab") as file:
        file.write(b"more")
    client = Client(application(opened))
    failed = client.get("/neighbors?word=king")
    assert failed.status == 500
    assert "another program is writing" in failed.json()["error"]
    assert str(tmp_path) not in failed.body.decode()


def test_an_unexpected_error_tells_nothing(model, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(type(model), "vectors", fail)
    client = Client(application(model), raises=False)
    failed = client.get("/vectors?word=king")
    assert failed.status == 500
    assert failed.json() == {"error": "this is an error in the server", "status": 500}


@pytest.mark.parametrize("change", [{"k": 0}, {"body": -1}, {"texts": 1.5}])
def test_limits_are_checked(change):
    with pytest.raises((ftl.InputValueError, ftl.InputTypeError), match=next(iter(change))):
        Limits(**change)


def test_other_targets_are_refused(tmp_path):
    with pytest.raises(ftl.MissingFileError):
        application(tmp_path / "nothing")
    with pytest.raises(ftl.InputTypeError):
        application(3)
