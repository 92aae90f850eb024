"""Downloads from servers that cut, lie, fail and lead elsewhere, on the loopback device."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
from support import GOLDEN
from support.ranges import Answer, Files, served

import fasttext_lite as ftl
from fasttext_lite.hub import cache, transport

MODEL = (GOLDEN / "skipgram.bin").read_bytes()
HASH = hashlib.sha256(MODEL).hexdigest()


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """Caches of this test, no pauses, and no tokens of the user."""
    for name in list(os.environ):
        if name.startswith(("HF_", "HUGGING")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FASTTEXT_LITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setattr(transport, "PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setattr(transport, "TIMEOUT", 5.0)


@pytest.fixture
def server():
    with served(Files({"/m.bin": MODEL})) as files:
        yield files


def kept():
    """The files of the cache, without locks and records."""
    names = {path.name for path in cache.web_folder().rglob("*") if path.is_file()}
    return names - {".lock", ".conversion.lock", ".seen.json"}


def same_answers(model):
    own = ftl.load(GOLDEN / "skipgram.bin")
    words = [*list(own.words)[:5], "unheardof"]
    assert model.vectors(words).tobytes() == own.vectors(words).tobytes()


def test_an_address_opens_like_a_path_and_is_downloaded_once(server):
    for _ in range(2):
        same_answers(ftl.load(f"{server.address}/m.bin"))
    assert len(server.requests) == 1
    path = ftl.download(f"{server.address}/m.bin")
    assert Path(path).read_bytes() == MODEL
    assert len(server.requests) == 1
    assert kept() == {"m.bin"}


def test_a_query_is_part_of_the_address_and_of_no_message(server):
    server.routes["/get?key=secret&n=1"] = Answer(200, {}, MODEL)
    ftl.download(f"{server.address}/get?key=secret&n=1")
    with pytest.raises(ftl.MissingFileError) as caught:
        ftl.download(f"{server.address}/none?key=secret")
    assert "secret" not in str(caught.value)
    records = [path.read_text() for path in cache.web_folder().rglob(".seen.json")]
    assert not any("secret" in record for record in records)


@pytest.mark.parametrize("at", [0, 1, 1000, len(MODEL) // 2, len(MODEL) - 1])
def test_a_download_that_was_cut_goes_on(server, at):
    def change(number, answer):
        if number == 0:
            answer.cut = at

    server.change = change
    assert Path(ftl.download(f"{server.address}/m.bin")).read_bytes() == MODEL
    assert [asked for _, asked, _ in server.requests[1:]] == [f"bytes={at}-" if at else None]


def test_what_is_left_of_a_download_is_taken_up_by_the_next_call(server, monkeypatch):
    def cut(number, answer):
        answer.cut = min(3000, len(answer.body))
        answer.status = 200 if number == 0 else 503

    server.change = cut
    with pytest.raises(ftl.FileError, match="503"):
        ftl.download(f"{server.address}/m.bin")
    assert kept() == {".new.incomplete", ".new.incomplete.json"}
    server.change = None
    assert Path(ftl.download(f"{server.address}/m.bin")).read_bytes() == MODEL
    assert server.requests[-1][1:] == ("bytes=3000-", len(MODEL) - 3000)


def test_a_file_that_changes_between_two_parts_is_read_again(server):
    def change(number, answer):
        if number == 0:
            answer.cut = 5000
            server.content["/m.bin"] = other

    other = (GOLDEN / "cbow.bin").read_bytes()
    server.change = change
    assert Path(ftl.download(f"{server.address}/m.bin")).read_bytes() == other


def test_a_server_without_ranges_begins_again(server):
    def change(number, answer):
        if number == 0:
            answer.cut = 5000

    server.ranges, server.change = False, change
    assert Path(ftl.download(f"{server.address}/m.bin")).read_bytes() == MODEL


@pytest.mark.parametrize("status", [429, 500, 503])
def test_failures_that_pass_are_tried_again(server, status):
    def change(number, answer):
        if number < 2:
            answer.status = status
            answer.headers["Retry-After"] = "0"

    server.change = change
    same_answers(ftl.load(f"{server.address}/m.bin"))
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (404, ftl.MissingFileError, "there is no"),
        (403, ftl.FileError, "does not permit"),
        (418, ftl.FileError, "answered 418"),
    ],
)
def test_failures_that_stay_are_errors(server, status, kind, message):
    server.routes["/m.bin"] = Answer(status, {}, b"")
    with pytest.raises(kind, match=message):
        ftl.load(f"{server.address}/m.bin")
    assert len(server.requests) == 1


def test_a_host_that_is_not_there():
    with served(Files({})) as files:
        pass
    with pytest.raises(ftl.FileError, match="cannot be reached"):
        ftl.load(f"{files.address}/m.bin")
    with pytest.raises(ftl.FileError, match="cannot be reached"):
        ftl.load("http://nowhere.invalid/m.bin")


def test_the_hash_of_an_address_is_checked(server):
    wrong = "0" * 64
    with pytest.raises(ftl.FormatError, match=f"{HASH}, not {wrong}"):
        ftl.load(f"{server.address}/m.bin#sha256={wrong}")
    assert kept() == set()
    same_answers(ftl.load(f"{server.address}/m.bin#sha256={HASH.upper()}"))
    with pytest.raises(ftl.FormatError, match="was downloaded with"):
        ftl.load(f"{server.address}/m.bin#sha256={wrong}")


def test_another_content_than_the_first_is_an_error(server):
    path = Path(ftl.download(f"{server.address}/m.bin"))
    server.content["/m.bin"] = (GOLDEN / "cbow.bin").read_bytes()
    with pytest.raises(ftl.FormatError, match="has changed"):
        ftl.download(f"{server.address}/m.bin", force=True)
    assert path.read_bytes() == MODEL
    (path.parent / ".seen.json").unlink()
    assert Path(ftl.download(f"{server.address}/m.bin", force=True)).read_bytes() != MODEL


@pytest.mark.parametrize("announced", ["10", "0", "-5", "many", str(len(MODEL) + 1), None])
def test_a_server_that_lies_about_the_length_leaves_no_model(server, announced):
    def change(number, answer):
        answer.headers["Content-Length"] = announced
        if announced is None:
            answer.headers["Transfer-Encoding"] = "chunked"
            answer.body = b"1\r\nx\r\n" * 1000

    server.change = change
    with pytest.raises((ftl.FileError, ftl.FormatError)):
        ftl.load(f"{server.address}/m.bin")
    assert sum(path.stat().st_size for path in cache.web_folder().rglob("*.incomplete")) <= len(
        MODEL
    )


def test_a_file_that_the_disk_cannot_hold_is_refused_at_once(server):
    def change(number, answer):
        answer.headers["Content-Length"] = str(10**17)
        answer.cut = 100

    server.change = change
    with pytest.raises(ftl.FileError, match="are free"):
        ftl.load(f"{server.address}/m.bin")
    assert kept() == set()


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/m.bin", "data:,x", "javascript:1"]
)
def test_a_redirect_to_something_else_is_not_followed(server, target):
    server.routes["/moved.bin"] = Answer(302, {"Location": target}, b"")
    with pytest.raises(ftl.FileError):
        ftl.load(f"{server.address}/moved.bin")
    assert kept() == set()


def test_redirects_are_followed_but_not_for_ever(server):
    server.routes["/a.bin"] = Answer(302, {"Location": "/b.bin"}, b"")
    server.routes["/b.bin"] = Answer(307, {"Location": f"{server.address}/m.bin"}, b"")
    server.routes["/circle.bin"] = Answer(302, {"Location": "/circle.bin"}, b"")
    same_answers(ftl.load(f"{server.address}/a.bin"))
    with pytest.raises(ftl.FileError):
        ftl.load(f"{server.address}/circle.bin")


def test_a_token_goes_to_its_own_host_only(server):
    with served(Files({"/m.bin": MODEL})) as other:
        server.routes["/here.bin"] = Answer(302, {"Location": "/there.bin"}, b"")
        server.routes["/there.bin"] = Answer(302, {"Location": f"{other.address}/m.bin"}, b"")
        with transport.request(f"{server.address}/here.bin", token=HASH) as reply:
            assert reply.read(1 << 20) == MODEL
    assert [one.get("Authorization") for one in server.headers] == [f"Bearer {HASH}"] * 2
    assert "Authorization" not in other.headers[0]


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_an_encoding_that_nobody_asked_for_is_an_error(server, encoding):
    server.routes["/m.bin"] = Answer(200, {"Content-Encoding": encoding}, MODEL)
    with pytest.raises(ftl.FileError, match="encoding"):
        ftl.load(f"{server.address}/m.bin")


def test_processes_that_start_together_download_once(server):
    server.delay = 0.3
    code = f"import fasttext_lite as f; print(len(f.load({server.address + '/m.bin'!r}).words))"
    started = [
        subprocess.Popen([sys.executable, "-I", "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    counts = {process.communicate(timeout=120)[0] for process in started}
    assert counts == {f"{len(ftl.load(GOLDEN / 'skipgram.bin').words)}\n"}
    assert len(server.requests) == 1


def test_no_request_is_made_offline(server, monkeypatch):
    same_answers(ftl.load(f"{server.address}/m.bin"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    same_answers(ftl.load(f"{server.address}/m.bin"))
    for address in (f"{server.address}/n.bin", "lid.176", "hf://org/repo/model.bin"):
        with pytest.raises(ftl.MissingFileError, match="HF_HUB_OFFLINE"):
            ftl.load(address)
    assert len(server.requests) == 1


def test_names_of_the_official_site(server, monkeypatch, tmp_path):
    monkeypatch.setenv("FASTTEXT_LITE_SITE", server.address)
    with zipfile.ZipFile(tmp_path / "wiki.zip", "w") as archive:
        archive.writestr("wiki.xx.vec", "1 1\na 1\n")
        archive.writestr("wiki.xx.bin", MODEL)
    server.content = {
        "/vectors-crawl/cc.de.300.bin.gz": gzip.compress(MODEL),
        "/vectors-wiki/wiki.xx.zip": (tmp_path / "wiki.zip").read_bytes(),
        "/supervised-models/lid.176.bin": (GOLDEN / "softmax.bin").read_bytes(),
    }
    for _ in range(2):
        same_answers(ftl.load("cc.de.300"))
        same_answers(ftl.load("wiki.xx"))
        assert ftl.load("lid.176").info.kind == "supervised"
    assert len(server.requests) == 3
    assert kept() == {"cc.de.300.bin", "wiki.xx.bin", "lid.176.bin"}


def test_a_damaged_archive_is_an_error_and_can_be_downloaded_again(server, monkeypatch):
    monkeypatch.setenv("FASTTEXT_LITE_SITE", server.address)
    server.content = {"/vectors-crawl/cc.de.300.bin.gz": gzip.compress(MODEL)[:-100]}
    with pytest.raises(ftl.FormatError, match="damaged"):
        ftl.load("cc.de.300")
    assert kept() == set()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("cc.dee.300", "cc.de.300"),
        ("hf://org/model.bin", "hf://ORG/REPO/FILE"),
        ("hf://org/repo/../x", "hf://ORG/REPO/FILE"),
        ("hf://", "hf://ORG/REPO/FILE"),
        ("https:///x", "no host"),
        ("https://host/x#md5=1", "sha256="),
    ],
)
def test_wrong_addresses(address, message):
    with pytest.raises(ftl.InputValueError, match=message):
        ftl.load(address)


def test_wrong_arguments_of_download(server):
    with pytest.raises(ftl.InputTypeError):
        ftl.download(3)
    with pytest.raises(ftl.InputValueError, match="no address"):
        ftl.download("nothing")
    with pytest.raises(ftl.InputValueError, match="float64"):
        ftl.download(f"{server.address}/m.bin", convert="float64")
    with pytest.raises(ftl.InputValueError, match="target"):
        ftl.download(f"{server.address}/m.bin", target="x")
    assert server.requests == []


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("source", ["skipgram.bin", "softmax.bin", "pruned.ftz"])
def test_a_model_is_converted_while_it_comes(server, tmp_path, source, packed):
    data = (GOLDEN / source).read_bytes()
    path = "/source.bin.gz" if packed else f"/{source}"
    server.content[path] = gzip.compress(data) if packed else data

    def change(number, answer):
        if number == 0:
            answer.cut = len(answer.body) // 3

    server.change = change
    target = tmp_path / "model.safetensors"
    assert ftl.download(server.address + path, convert="float16", target=target) == str(target)
    ftl.convert(GOLDEN / source, tmp_path / "expected", "float16")
    assert target.read_bytes() == (tmp_path / "expected").read_bytes()
    assert kept() == set()
    found = ftl.download(server.address + path, convert="int8")
    count = len(server.requests)
    assert ftl.download(server.address + path, convert="int8") == found
    assert len(server.requests) == count
    assert ftl.load(found).info.word_count == ftl.load(GOLDEN / source).info.word_count


def test_a_wrong_hash_of_a_converted_model_leaves_nothing(server, tmp_path):
    target = tmp_path / "model.safetensors"
    target.write_bytes(b"before")
    with pytest.raises(ftl.FormatError, match="SHA-256"):
        ftl.download(f"{server.address}/m.bin#sha256={'1' * 64}", convert="float32", target=target)
    assert target.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [target.name]


def test_other_kinds_are_downloaded_and_converted(server, tmp_path):
    server.content["/v.vec"] = b"2 2\na 1 2\nb 3 4\n"
    found = ftl.download(f"{server.address}/v.vec", convert="float32")
    assert list(ftl.load(found).words) == ["a", "b"]


def test_a_repaired_archive_is_taken(server, monkeypatch):
    monkeypatch.setenv("FASTTEXT_LITE_SITE", server.address)
    packed = gzip.compress(MODEL)
    server.content = {"/vectors-crawl/cc.de.300.bin.gz": packed[:-100]}
    with pytest.raises(ftl.FormatError, match="damaged"):
        ftl.load("cc.de.300")
    next(cache.web_folder().rglob(".seen.json")).unlink()
    server.content = {"/vectors-crawl/cc.de.300.bin.gz": packed}
    same_answers(ftl.load("cc.de.300"))


def test_an_archive_does_not_fill_the_disk(server, monkeypatch):
    monkeypatch.setenv("FASTTEXT_LITE_SITE", server.address)
    server.content = {"/vectors-crawl/cc.de.300.bin.gz": gzip.compress(bytes(50_000_000))}
    with pytest.raises(ftl.FormatError, match="more content"):
        ftl.load("cc.de.300")
    assert kept() == set()


@pytest.mark.parametrize("convert", [None, "int8"])
def test_a_pin_holds_whatever_is_in_the_cache(server, convert):
    ftl.download(f"{server.address}/m.bin", convert=convert)
    with pytest.raises(ftl.FormatError, match="SHA-256"):
        ftl.download(f"{server.address}/m.bin#sha256={'0' * 64}", convert=convert)
    ftl.download(f"{server.address}/m.bin#sha256={HASH}", convert=convert)
    for path in cache.web_folder().rglob(".seen.json"):
        path.unlink()
    with pytest.raises(ftl.FormatError, match="SHA-256"):
        ftl.download(f"{server.address}/m.bin#sha256={'0' * 64}", convert=convert)


def test_conversions_obey_the_environment_and_the_record(server, monkeypatch):
    ftl.download(f"{server.address}/m.bin", convert="int8")
    server.content["/m.bin"] = (GOLDEN / "cbow.bin").read_bytes()
    with pytest.raises(ftl.FormatError, match="has changed"):
        ftl.download(f"{server.address}/m.bin", convert="int8", force=True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ftl.MissingFileError, match="HF_HUB_OFFLINE"):
        ftl.download(f"{server.address}/other.bin", convert="int8")


def test_conversions_to_one_target_at_the_same_time(server, tmp_path):
    target = tmp_path / "model"
    for i in range(6):
        server.content[f"/{i}.bin"] = MODEL
    failed = []

    def work(i):
        try:
            ftl.download(f"{server.address}/{i}.bin", convert="float16", target=target)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["model"]


@pytest.mark.parametrize("name", ["modèle.bin", "a b.bin", "x" * 300 + ".bin", "lock", "seen.json"])
def test_names_of_any_kind(server, name):
    server.content[f"/{quote(name)}"] = MODEL
    same_answers(ftl.load(f"{server.address}/{name}"))


@pytest.mark.parametrize("target", ["https://[x/", "http://a..b/m.bin", "http://%zz/"])
def test_redirects_to_nowhere(server, target):
    server.routes["/m.bin"] = Answer(302, {"Location": target}, b"")
    with pytest.raises(ftl.FileError):
        ftl.load(f"{server.address}/m.bin")


@pytest.mark.parametrize("address", ["https://[x/m.bin", "http://a..b/m.bin", "http:///m.bin"])
def test_addresses_of_nowhere(address):
    with pytest.raises((ftl.InputValueError, ftl.FileError)):
        ftl.load(address)


def test_a_file_without_a_tag_is_not_put_together_from_two(server):
    other = MODEL[:-1] + b"x"

    def change(number, answer):
        answer.headers["ETag"] = None
        if number == 0:
            answer.cut = 5000
            server.content["/m.bin"] = other

    server.change = change
    assert Path(ftl.download(f"{server.address}/m.bin")).read_bytes() == other


def test_no_secret_is_written_or_told(server):
    def change(number, answer):
        answer.cut = 3000
        answer.status = 200 if number == 0 else 503

    server.change = change
    with pytest.raises(ftl.FileError) as caught:
        ftl.download(f"{server.address}/m.bin?key=secret 1")
    assert "secret" not in str(caught.value)
    texts = [path.read_bytes() for path in cache.web_folder().rglob("*") if path.is_file()]
    assert texts
    assert not any(b"secret" in text for text in texts)


def test_word_vectors_in_binary_are_converted_too(server, tmp_path):
    ftl.export("sample", tmp_path / "v.bin", "word2vec")
    server.content["/v.bin"] = (tmp_path / "v.bin").read_bytes()
    found = ftl.download(f"{server.address}/v.bin", convert="float32")
    assert list(ftl.load(found).words) == list(ftl.load("sample").words)
