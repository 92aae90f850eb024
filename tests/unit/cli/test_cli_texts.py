"""The commands index-texts and search."""

from __future__ import annotations

import io
import json
import os
import select
import signal
import subprocess
import sys

import pytest

import fasttext_lite as ftl
from fasttext_lite.cli import main


@pytest.fixture
def run(capsys, monkeypatch):
    def run_it(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_it


@pytest.fixture
def index(run, tmp_path):
    (tmp_path / "texts").write_bytes(
        b"t1\tfood\tthe price of bread\nt2\t\ta war at sea\r\nt3\thistory\tpeace at\tlast\n"
    )
    target = tmp_path / "index"
    code, out, err = run(
        "index-texts", "sample", tmp_path / "texts", "-o", target, "--columns", "id,label,text"
    )
    assert (code, err) == (0, "")
    assert "3, 2 labels" in out
    return target


def test_each_query_has_a_ranking_between_tabs(run, index):
    code, out, _ = run("search", index, "-k", "2", stdin=b"wars at sae\n\nthe bread\n")
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert [row[:2] for row in rows] == [
        ["wars at sae", "1"], ["wars at sae", "2"], ["the bread", "1"], ["the bread", "2"],
    ]  # fmt: skip
    assert rows[0][3:] == ["t2", "", "a war at sea"]
    assert rows[2][3:] == ["t1", "food", "the price of bread"]
    assert run("search", index, "-k", "2", "wars at sae", "the bread")[1] == "".join(
        line + "\n" for line in out.splitlines()
    )


def test_json_has_all_of_a_hit(run, index):
    _, out, _ = run("search", index, "--json", "peace at last", "-k", "1", "--exact")
    found = json.loads(out)
    assert found["query"] == "peace at last"
    assert found["hits"][0].keys() == {"id", "text", "score", "label", "row"}
    assert found["hits"][0]["text"] == "peace at\tlast"
    assert json.loads(run("search", index, "--json", "x", "--min-score", "2")[1])["hits"] == []


def test_an_index_is_made_from_lines_of_stdin(run, tmp_path):
    for options in ([], ["--weighting", "sif", "--spelling", "0"], ["--no-lowercase"]):
        code, out, _ = run(
            "index-texts", "-m", "sample", "-", "-o", tmp_path / "index", "--json", *options,
            "--dtype", "int8", "--graph", "yes", "--threads", "1",
            stdin=b"one text\nanother text\nlast\n",
        )  # fmt: skip
        assert code == 0
        report = json.loads(out)
        assert (report["count"], report["dtype"]) == (3, "int8")
        assert report["recall"]["recall"] == 1
        assert run("search", tmp_path / "index", "last", "-k1")[1].endswith("\tlast\n")


def test_recall_takes_an_index(run, tmp_path):
    texts = "".join(f"text number {i}\n" for i in range(50)).encode()
    run("index-texts", "sample", "-", "-o", tmp_path / "index", "--graph", "yes", stdin=texts)
    code, out, _ = run("recall", tmp_path / "index", "--accuracy", "0.9", "--json")
    assert code == 0
    assert json.loads(out)["recall"] > 0.8


def test_the_model_may_be_elsewhere(run, tmp_path):
    ftl.convert("sample", tmp_path / "model")
    run("index-texts", tmp_path / "model", "-", "-o", tmp_path / "index", stdin=b"one\ntwo\n")
    (tmp_path / "model").rename(tmp_path / "moved")
    code, _, err = run("search", tmp_path / "index", "one")
    assert code == 2
    assert "cannot be opened" in err
    assert len(err.splitlines()) == 1
    code, out, _ = run(
        "search", tmp_path / "index", "--model", tmp_path / "moved", "one", "-k", "1"
    )
    assert code == 0
    assert out.endswith("\tone\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index-texts", "sample"], "needs a model, a file of texts, and -o INDEX"),
        (["index-texts", "sample", "-"], "needs a model, a file of texts, and -o INDEX"),
        (["index-texts", "sample", "not there", "-o", "x"], "there is no such file"),
        (["index-texts", "sample", "-", "-o", "x", "--columns", "id"], "must name text"),
        (["index-texts", "sample", "-", "-o", "x", "--columns", "text,text"], "must name text"),
        (
            ["index-texts", "sample", "-", "-o", "x", "--columns", "id,text"],
            "line 1 has 1 columns between tabs, not 2",
        ),
        (["search"], "name a model file"),
        (["search", "sample", "one"], "there is no such file"),
        (["search", ftl.SAMPLE, "one"], "not a text index"),
    ],
)
def test_errors_are_one_line(run, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments, stdin=b"one\n")
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pty")
def test_a_terminal_has_a_prompt(index, request):
    import pty

    main_end, other = pty.openpty()
    command = [sys.executable, "-I", "-m", "fasttext_lite", "search", str(index), "-k", "1"]
    child = subprocess.Popen(command, stdin=other, stdout=other, stderr=other, close_fds=True)
    request.addfinalizer(lambda: (child.kill(), child.wait(), os.close(main_end)))
    os.close(other)
    seen = b""

    def wait_for(text):
        nonlocal seen
        while text not in seen:
            assert select.select([main_end], [], [], 20)[0], seen
            seen += os.read(main_end, 1000)
        seen = seen[seen.index(text) + len(text) :]

    wait_for(b"> ")
    os.write(main_end, b"wars at sae\n")
    wait_for(b"a war at sea")
    wait_for(b"> ")
    for _ in range(20):
        child.send_signal(signal.SIGINT)
        # A signal between the prompt and the wait for a key is handled at the next one.
        if select.select([main_end], [], [], 1)[0]:
            break
    wait_for(b"> ")
    os.write(main_end, b"peace\n")
    wait_for(b"peace at last  [history]")
    wait_for(b"> ")
    os.write(main_end, b"\x04")
    assert child.wait(20) == 0
