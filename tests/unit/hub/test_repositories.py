"""Files of a hub, by its own client and by the standard library, from a stand-in of its server."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest
from support import GOLDEN
from support.ranges import Answer, Files, served

import fasttext_lite as ftl
from fasttext_lite.hub import transport

MODEL = (GOLDEN / "skipgram.bin").read_bytes()
HASH = hashlib.sha256(MODEL).hexdigest()
SMALL = b"dim: 12\n"
COMMIT, OLD = "a" * 40, "b" * 40


def hub_routes(address, store):
    """The answers of a hub with a repository: a large file on another server, and a small one."""
    routes = {}
    for revision in ("main", COMMIT, "v1", OLD):
        commit = OLD if revision in ("v1", OLD) else COMMIT
        tag = hashlib.sha256(MODEL).hexdigest()
        routes[f"/org/repo/resolve/{revision}/model.bin"] = Answer(
            302,
            {
                "X-Repo-Commit": commit,
                "X-Linked-ETag": f'"{tag}"',
                "X-Linked-Size": str(len(MODEL)),
                "Location": f"{store}/blob",
            },
            b"",
        )
        routes[f"/org/repo/resolve/{revision}/sub/config.yaml"] = Answer(
            200, {"X-Repo-Commit": commit, "ETag": '"0123456789"'}, SMALL
        )
        routes[f"/org/repo/resolve/{revision}/modell.bin"] = Answer(
            404, {"X-Error-Code": "EntryNotFound"}, b""
        )
    routes["/org/gated/resolve/main/model.bin"] = Answer(403, {"X-Error-Code": "GatedRepo"}, b"")
    routes["/org/rep/resolve/main/model.bin"] = Answer(401, {"X-Error-Code": "RepoNotFound"}, b"")
    routes["/org/repo/resolve/none/model.bin"] = Answer(
        404, {"X-Error-Code": "RevisionNotFound"}, b""
    )
    names = [{"rfilename": "model.bin"}, {"rfilename": "README.md"}]
    routes["/api/models/org/repo/revision/main"] = Answer(
        200, {}, json.dumps({"siblings": names}).encode()
    )
    routes["/api/models?author=org&limit=500"] = Answer(
        200, {}, json.dumps([{"id": "org/repo"}, {"id": "org/gated"}]).encode()
    )
    return routes


@pytest.fixture
def store():
    with served(Files({"/blob": MODEL})) as files:
        yield files


@pytest.fixture(params=["client", "requests"])
def hub(request, monkeypatch, tmp_path, store):
    """The stand-in, asked by the hub's own client or by the standard library."""
    for name in list(os.environ):
        if name.startswith(("HF_", "HUGGING")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with served(Files({})) as files:
        files.routes = hub_routes(files.address, store.address)
        monkeypatch.setenv("HF_ENDPOINT", files.address)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
        monkeypatch.setenv("HF_TOKEN", "hf_" + HASH)
        monkeypatch.setattr(transport, "PAUSES", (0.01, 0.01))
        if request.param == "requests":
            monkeypatch.setitem(sys.modules, "huggingface_hub", None)
        else:
            use_client(monkeypatch, files.address, tmp_path / "hub")
        yield files


def use_client(monkeypatch, address, home):
    """Let the client, which reads its environment when it is imported, use this server."""
    pytest.importorskip("huggingface_hub")
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        address + "/{repo_id}/resolve/{revision}/{filename}",
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)


def test_a_large_file_is_downloaded_once(hub, store):
    for address in ("hf://org/repo/model.bin", f"hf://org/repo/model.bin@{COMMIT}"):
        found = ftl.load(address)["unheardof"]
        assert found.tobytes() == ftl.load(GOLDEN / "skipgram.bin")["unheardof"].tobytes()
    assert len(store.requests) == 1
    path = Path(ftl.download("hf://org/repo/model.bin"))
    assert path.read_bytes() == MODEL
    assert path.parts[-4:] == ("models--org--repo", "snapshots", COMMIT, "model.bin")


def test_the_cache_is_that_of_the_client(hub, store, monkeypatch, tmp_path):
    path = Path(ftl.download("hf://org/repo/model.bin"))
    monkeypatch.undo()
    module = pytest.importorskip("huggingface_hub")
    found = module.try_to_load_from_cache(
        "org/repo", "model.bin", cache_dir=tmp_path / "hub" / "hub"
    )
    assert found == str(path)


def test_a_small_file_and_another_revision(hub):
    path = Path(ftl.download("hf://org/repo/sub/config.yaml@v1"))
    assert path.read_bytes() == SMALL
    assert path.parts[-3:] == (OLD, "sub", "config.yaml")


def test_the_token_stays_at_the_hub(hub, store):
    ftl.download("hf://org/repo/model.bin")
    tokens = [{name.lower(): text for name, text in one.items()} for one in hub.headers]
    assert any(one.get("authorization") == f"Bearer hf_{HASH}" for one in tokens)
    assert not any("authorization" in map(str.lower, headers) for headers in store.headers)


def test_a_hash_in_the_address_is_checked(hub):
    ftl.download(f"hf://org/repo/model.bin#sha256={HASH}")
    with pytest.raises(ftl.FormatError, match=HASH):
        ftl.download(f"hf://org/repo/model.bin#sha256={'0' * 64}")


@pytest.mark.parametrize(
    ("address", "kind", "message"),
    [
        ("hf://org/repo/modell.bin", ftl.MissingFileError, "no file modell.bin; it has model.bin"),
        ("hf://org/rep/model.bin", ftl.MissingFileError, "near names are org/repo"),
        ("hf://org/repo/model.bin@none", ftl.MissingFileError, "revision none"),
        ("hf://org/gated/model.bin", ftl.FileError, "HF_TOKEN"),
    ],
)
def test_what_is_not_there_is_told(hub, address, kind, message):
    with pytest.raises(kind, match=message) as caught:
        ftl.load(address)
    assert "hf_" not in str(caught.value)


def test_a_cached_file_is_found_offline(hub, monkeypatch):
    ftl.download("hf://org/repo/model.bin")
    count = len(hub.requests)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    ftl.load("hf://org/repo/model.bin")
    with pytest.raises(ftl.MissingFileError, match="HF_HUB_OFFLINE"):
        ftl.load("hf://org/repo/sub/config.yaml")
    assert len(hub.requests) == count


def test_a_wrong_content_is_not_kept(hub, store, monkeypatch, tmp_path):
    store.content["/blob"] = MODEL[:-1] + b"x"
    with pytest.raises(ftl.FormatError, match="SHA-256"):
        ftl.load("hf://org/repo/model.bin")
    with pytest.raises(ftl.FormatError, match="SHA-256"):
        ftl.load(f"hf://org/repo/model.bin#sha256={HASH}")
    kept = [path for path in (tmp_path / "hub").rglob("*") if path.is_file()]
    assert not [path for path in kept if path.read_bytes() == store.content["/blob"]]


def test_a_model_of_the_hub_is_converted_while_it_comes(hub, store, tmp_path, monkeypatch):
    monkeypatch.setenv("FASTTEXT_LITE_CACHE", str(tmp_path / "cache"))
    found = ftl.download("hf://org/repo/model.bin", convert="float16")
    ftl.convert(GOLDEN / "skipgram.bin", tmp_path / "expected", "float16")
    assert Path(found).read_bytes() == (tmp_path / "expected").read_bytes()
    assert not (tmp_path / "hub" / "hub" / "models--org--repo" / "blobs").exists()


def test_a_wrong_pin_leaves_nothing(hub, tmp_path):
    with pytest.raises(ftl.FormatError, match="SHA-256"):
        ftl.download(f"hf://org/repo/model.bin#sha256={'0' * 64}")
    files = [path for path in (tmp_path / "hub").rglob("*") if path.is_file()]
    assert not [path for path in files if path.read_bytes() == MODEL]


def test_no_network_is_told_as_such(hub, monkeypatch, store):
    hub.change = lambda number, answer: setattr(answer, "status", 503)
    with pytest.raises(ftl.FileError) as caught:
        ftl.load("hf://org/repo/model.bin")
    assert not isinstance(caught.value, ftl.MissingFileError)


@pytest.mark.parametrize("revision", ["../../../evil", "/evil", "a/../b", "a\\b", "c:evil", "."])
def test_a_revision_stays_in_the_cache(revision):
    with pytest.raises(ftl.InputValueError, match="hf://ORG/REPO/FILE"):
        ftl.load(f"hf://org/repo/model.bin@{revision}")
