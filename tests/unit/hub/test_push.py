"""Models as repositories: the folder and its card, and an upload by the hub's client."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support import GOLDEN

import fasttext_lite as ftl


def card_of(folder):
    """The metadata of a card, and its text."""
    _, head, text = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return head, text


def test_a_dry_run_writes_the_folder(tmp_path):
    folder = tmp_path / "new"
    found = ftl.push(
        "sample", "me/english", dtype="float16", source="facebook/fasttext-en-vectors",
        language="en", folder=folder, dry_run=True,
    )  # fmt: skip
    assert found == str(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "model.safetensors"]
    model = ftl.load(folder / "model.safetensors")
    assert model.info.format.endswith("float16")
    head, text = card_of(folder)
    for line in (
        "library_name: fasttext-lite", 'license: "cc-by-sa-3.0"', 'language: "en"',
        'base_model: "facebook/fasttext-en-vectors"',
    ):  # fmt: skip
        assert line in head.splitlines()
    assert "7,081" in text
    assert "mean 1.000000, 1st percentile" in text
    assert 'ftl.load("hf://me/english/model.safetensors")' in text


def test_the_card_is_one_that_the_client_reads(tmp_path):
    cards = pytest.importorskip("huggingface_hub").ModelCard
    folder = tmp_path / "new"
    ftl.push(
        GOLDEN / "softmax.bin", "me/x", source='a "b": [c]\\', licence="mit", folder=folder,
        dry_run=True,
    )  # fmt: skip
    data = cards.load(folder / "README.md").data
    assert data.license == "mit"
    assert data.library_name == "fasttext-lite"
    assert data.pipeline_tag == "text-classification"
    assert data.base_model is None


def test_a_compact_file_is_taken_as_it_is(tmp_path):
    ftl.convert("sample", tmp_path / "m", "int8")
    folder = tmp_path / "new"
    for _ in range(2):
        ftl.push(tmp_path / "m", "me/x", folder=folder, dry_run=True)
        assert (folder / "model.safetensors").read_bytes() == (tmp_path / "m").read_bytes()
    ftl.push(ftl.load(tmp_path / "m"), "me/x", dtype="float32", folder=folder, dry_run=True)
    assert ftl.load(folder / "model.safetensors").info.format.endswith("float32")
    assert ftl.load(tmp_path / "m").info.format.endswith("int8")
    with pytest.raises(ftl.InputValueError, match="itself"):
        ftl.push(folder / "model.safetensors", "me/x", dtype="int8", folder=folder, dry_run=True)


@pytest.mark.parametrize(
    ("arguments", "options", "kind", "message"),
    [
        (("sample", "name"), {}, ftl.InputValueError, "OWNER/NAME"),
        (("sample", "../x/y"), {}, ftl.InputValueError, "OWNER/NAME"),
        (("sample", 3), {}, ftl.InputValueError, "OWNER/NAME"),
        (("sample", "me/x"), {"dtype": "float64"}, ftl.InputValueError, "float64"),
        (("sample", "me/x"), {"source": "a\nb"}, ftl.InputTypeError, "source"),
        (("sample", "me/x"), {"licence": 3}, ftl.InputTypeError, "licence"),
        (("sample", "me/x"), {"dry_run": True}, ftl.InputValueError, "folder"),
        (("none.bin", "me/x"), {"dry_run": True, "folder": "new"}, ftl.MissingFileError, "none"),
    ],
)  # fmt: skip
def test_wrong_arguments(arguments, options, kind, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=message):
        ftl.push(*arguments, **options)


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ftl.InputValueError, match=r"mine\.txt"):
        ftl.push("sample", "me/x", folder=tmp_path, dry_run=True)
    with pytest.raises(ftl.MissingFileError):
        ftl.push("sample", "me/x", folder=tmp_path / "none" / "none", dry_run=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_without_the_client_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ftl.MissingExtraError, match="hub"):
        ftl.push("sample", "me/x")


class Hub(BaseHTTPRequestHandler):
    """The parts of the hub's API that an upload uses."""

    protocol_version = "HTTP/1.1"
    stored: dict[str, bytes]
    uploads: dict[str, bytes]
    tokens: set[str]
    refuses = False

    def answer(self, content, status=200):
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def do_POST(self):
        body, path = self.body(), self.path.partition("?")[0]
        self.tokens.add(self.headers["Authorization"])
        address = f"http://127.0.0.1:{self.server.server_address[1]}"
        if self.refuses:
            self.answer({"error": "no"}, 403)
        elif path == "/api/repos/create":
            self.answer({"url": f"{address}/me/x"})
        elif path == "/api/validate-yaml":
            self.answer({"errors": [], "warnings": []})
        elif path.endswith("/preupload/main"):
            self.answer({"files": [
                {"path": file["path"], "shouldIgnore": False,
                 "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular"}
                for file in json.loads(body)["files"]
            ]})  # fmt: skip
        elif path.endswith("/info/lfs/objects/batch"):
            self.answer({"transfer": "basic", "objects": [
                {**one, "actions": {"upload": {"href": f"{address}/store/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]})  # fmt: skip
        elif path.endswith("/commit/main"):
            for line in map(json.loads, body.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    self.stored[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    self.stored[value["path"]] = self.uploads[value["oid"]]
            self.answer({"commitUrl": f"{address}/me/x/commit/1", "commitOid": "1"})
        else:
            self.answer({"error": path}, 404)

    def do_PUT(self):
        data = self.body()
        assert self.path == f"/store/{hashlib.sha256(data).hexdigest()}"
        self.uploads[self.path.rpartition("/")[2]] = data
        self.answer({})

    def do_GET(self):
        self.answer({"error": "not here"}, 404)

    def log_message(self, *_):
        pass


def upload(tmp_path, **attributes):
    """Upload the sample in a process of its own; return the process and the hub."""
    pytest.importorskip("huggingface_hub")
    hub = type("TestHub", (Hub,), {"stored": {}, "uploads": {}, "tokens": set(), **attributes})
    server = ThreadingHTTPServer(("127.0.0.1", 0), hub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        environment = os.environ | {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_address[1]}",
            "HF_HOME": str(tmp_path / "hub"),
            "HF_TOKEN": "hf_secret",
            "HF_HUB_DISABLE_XET": "1",
        }
        code = "import fasttext_lite as f; print(f.push('sample', 'me/x', dtype='int8'))"
        done = subprocess.run(
            [sys.executable, "-I", "-c", code],
            env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    return done, hub


def test_an_upload_by_the_client(tmp_path):
    done, hub = upload(tmp_path)
    assert done.stdout.strip().endswith("/me/x"), done.stderr
    assert sorted(hub.stored) == ["README.md", "model.safetensors"]
    ftl.convert("sample", tmp_path / "expected", "int8")
    assert hub.stored["model.safetensors"] == Path(tmp_path / "expected").read_bytes()
    assert hub.tokens == {"Bearer hf_secret"}


def test_an_upload_that_is_refused(tmp_path):
    done, _ = upload(tmp_path, refuses=True)
    assert done.returncode == 1
    assert "FileError: me/x: the hub refuses the upload" in done.stderr
    assert "hf_secret" not in done.stderr
