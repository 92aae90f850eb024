"""Compact files that are read by ranges give the answers of the local file, by few requests."""

from __future__ import annotations

import random
import threading

import numpy as np
import pytest
from support import GOLDEN
from support.builders import build
from support.compact_kinds import DTYPES, KINDS, LABELS, UNKNOWN
from support.ranges import Answer, Files, served

import fasttext_lite as ftl
from fasttext_lite.hub import transport

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
WORDS = [b"one", b"two", b"</s>", b"", b"x", b"\xff\xfe", *LABELS]
WORDS += [word for word in UNKNOWN if len(word) < 60][:20]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(transport, "PAUSES", (0.01, 0.01))


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "sample.safetensors"
    ftl.convert("sample", path, "float16", graph=True)
    return path


@pytest.fixture
def server(sample):
    with served(Files({"/m": sample.read_bytes()})) as files:
        yield files


def answer(model, word):
    try:
        return np.asarray(model[word]).tobytes()
    except ftl.UnknownWordError:
        return None


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_of_every_kind_are_equal(kind, tmp_path):
    (tmp_path / "source.bin").write_bytes(build(**KINDS[kind]))
    for dtype in DTYPES:
        ftl.convert(tmp_path / "source.bin", tmp_path / "m", dtype)
        local = ftl.load(tmp_path / "m")
        with served(Files({"/m": (tmp_path / "m").read_bytes()})) as files:
            remote = ftl.open_remote(f"{files.address}/m")
            assert [answer(remote, word) for word in WORDS] == [answer(local, w) for w in WORDS]
            assert remote.words(0, len(remote)) == list(local.words)
            assert [word in remote for word in WORDS] == [word in local for word in WORDS]
        assert (len(remote), remote.dim) == (len(local), local.dim)
        assert remote.info.parameters == local.info.parameters


@pytest.mark.parametrize("several", [True, False])
def test_words_are_read_by_few_requests(server, sample, several):
    server.several = several
    local = ftl.load(sample)
    remote = ftl.open_remote(f"{server.address}/m")
    assert remote["government"].tobytes() == local["government"].tobytes()
    assert remote.requests <= 5
    assert remote.fetched <= 200_000
    words = [*random.Random(1).sample(list(local.words), 1000), "unheardof", "doomscrolling"]
    assert remote.vectors(words).tobytes() == local.vectors(words).tobytes()
    assert remote.requests <= 40
    before = remote.requests
    assert remote.vectors(words).tobytes() == local.vectors(words).tobytes()
    assert remote.requests == before == len(server.requests)
    if several:
        assert sum(size for *_, size in server.requests) < 1.1 * remote.fetched + 10_000


def test_unknown_words_of_a_small_part_of_the_file(server, sample):
    remote = ftl.open_remote(f"{server.address}/m")
    assert remote["zzxxyy"].tobytes() == ftl.load(sample)["zzxxyy"].tobytes()
    assert remote.fetched < sample.stat().st_size / 4


def test_neighbors_are_found_along_the_graph(server, sample):
    local = ftl.load(sample)
    remote = ftl.open_remote(f"{server.address}/m")
    found = wanted = 0
    for word in [*random.Random(2).sample(list(local.words), 20), "unheardofword"]:
        exact = dict(local.neighbors(word, k=10))
        near = remote.neighbors(word, k=10, effort=100)
        assert all(
            exact.get(one.word, one.score) == pytest.approx(one.score, abs=1e-6) for one in near
        )
        assert [one.score for one in near] == sorted((one.score for one in near), reverse=True)
        assert word not in dict(near)
        found += len(set(dict(near)) & set(exact))
        wanted += len(exact)
    assert found >= 0.95 * wanted
    vector = local["river"]
    assert remote.neighbors(vector, k=1)[0].word == "river"


def test_neighbors_need_a_graph(tmp_path):
    ftl.convert(GOLDEN / "skipgram.bin", tmp_path / "m", "float32")
    with served(Files({"/m": (tmp_path / "m").read_bytes()})) as files:
        remote = ftl.open_remote(f"{files.address}/m")
        with pytest.raises(ftl.ModelKindError, match="graph"):
            remote.neighbors("one")


def test_threads_ask_at_the_same_time(server, sample):
    remote = ftl.open_remote(f"{server.address}/m")
    local = ftl.load(sample)
    words = list(local.words)[::50]
    found = {}

    def ask(part):
        for word in words[part::4]:
            found[word] = remote[word].tobytes()

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {word: local[word].tobytes() for word in words}


def test_file_systems_of_fsspec(sample):
    system = pytest.importorskip("fsspec").filesystem("memory")
    system.pipe("/folder/m", sample.read_bytes())
    remote = ftl.open_remote("/folder/m", filesystem=system)
    assert remote["river"].tobytes() == ftl.load(sample)["river"].tobytes()
    with pytest.raises(ftl.FileError):
        ftl.open_remote("/folder/none", filesystem=system)


def test_object_stores(sample):
    class Store:
        def head(self, path):
            return {"size": sample.stat().st_size, "e_tag": "1", "last_modified": None}

        def get_ranges(self, path, *, starts, ends):
            data = sample.read_bytes()
            return [data[a:b] for a, b in zip(starts, ends, strict=True)]

    remote = ftl.open_remote("m", store=Store())
    assert remote["river"].tobytes() == ftl.load(sample)["river"].tobytes()


def test_a_file_that_changes_is_an_error(server):
    remote = ftl.open_remote(f"{server.address}/m")
    server.content["/m"] = server.content["/m"][:-1] + b"x"
    with pytest.raises(ftl.FileError, match="changed"):
        remote["river"]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda answer: setattr(answer, "status", 500), "500"),
        (lambda answer: setattr(answer, "cut", 10), "breaks off"),
        (lambda answer: setattr(answer, "status", 200), "changed|bytes from"),
        (
            lambda answer: answer.headers.update({"Content-Range": "bytes 0-1/2"}),
            "changed|bytes from",
        ),
    ],
)
def test_a_server_that_fails_is_an_error(server, fault, message):
    remote = ftl.open_remote(f"{server.address}/m")
    server.change = lambda number, answer: fault(answer)
    with pytest.raises(ftl.FileError, match=message):
        remote.vectors(["river", "unheardof"])
    server.change = None
    assert remote["river"].shape == (40,)


def test_what_cannot_be_opened(server):
    server.ranges = False
    with pytest.raises(ftl.FileError, match="no ranges"):
        ftl.open_remote(f"{server.address}/m")
    server.ranges = True
    with pytest.raises(ftl.MissingFileError):
        ftl.open_remote(f"{server.address}/none")
    server.content["/m"] = b"<html>" * 100
    with pytest.raises(ftl.FormatError):
        ftl.open_remote(f"{server.address}/m")
    with pytest.raises(ftl.InputTypeError):
        ftl.open_remote("model.safetensors")
    with pytest.raises(ftl.InputTypeError):
        ftl.open_remote(3)


def test_wrong_questions(server):
    remote = ftl.open_remote(f"{server.address}/m")
    with pytest.raises(ftl.InputTypeError):
        remote.vectors("river")
    with pytest.raises(ftl.InputTypeError):
        remote.vectors([3])
    with pytest.raises(ftl.InputTypeError):
        remote.neighbors([1.0, 2.0])
    with pytest.raises(ftl.InputValueError):
        remote.neighbors("river", k=0)
    with pytest.raises(ftl.InputValueError):
        remote.words(0, len(remote) + 1)
    assert remote.vectors([]).shape == (0, 40)
    assert 3 not in remote


@pytest.mark.parametrize("seed", range(40))
def test_damaged_files_are_errors_or_answer(sample, seed):
    source = random.Random(seed)
    data = bytearray(sample.read_bytes())
    for _ in range(20):
        data[source.randrange(1 << 16 if seed % 2 else len(data))] = source.randrange(256)
    with served(Files({"/m": bytes(data)})) as files:
        try:
            remote = ftl.open_remote(f"{files.address}/m")
            remote.vectors(["river", "unheardof", "war"])
            remote.neighbors("river")
        except (ftl.FormatError, ftl.ModelKindError):
            pass


def test_the_hub_answers_too(server, monkeypatch, sample):
    commit = "d" * 40
    headers = {"X-Repo-Commit": commit, "ETag": '"1"', "Location": "/m"}
    for revision in ("main", commit):
        server.routes[f"/org/repo/resolve/{revision}/m"] = Answer(302, headers, b"")
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    remote = ftl.open_remote("hf://org/repo/m")
    assert remote["river"].tobytes() == ftl.load(sample)["river"].tobytes()


@pytest.mark.parametrize(
    "place", ["bytes 300-0/{size}", "bytes {size}-{size}/{size}", "bytes 9999999-99999999/{size}"]
)
def test_parts_that_lie_about_their_place(server, place):
    remote = ftl.open_remote(f"{server.address}/m")
    size = len(server.content["/m"])

    def change(number, answer):
        answer.headers["Content-Type"] = "multipart/byteranges; boundary=next"
        head = place.format(size=size)
        answer.body = f"--next\r\nContent-Range: {head}\r\n\r\nabc\r\n--next--".encode()

    server.change = change
    with pytest.raises(ftl.FileError):
        remote.vectors(["river", "unheardof", "war"])


def test_an_empty_object_and_a_pin(sample):
    system = pytest.importorskip("fsspec").filesystem("memory")
    system.pipe("/folder/empty", b"")
    with pytest.raises(ftl.FormatError, match="0 bytes"):
        ftl.open_remote("/folder/empty", filesystem=system)
    with pytest.raises(ftl.InputValueError, match="SHA-256"):
        ftl.open_remote(f"https://localhost/m#sha256={'0' * 64}")


def test_a_store_that_fails(sample):
    class Store:
        def head(self, path):
            raise RuntimeError("no such bucket")

    with pytest.raises(ftl.FileError, match="no such bucket"):
        ftl.open_remote("m", store=Store())
