"""The command ``map``: what is wrong is said before the work begins."""

from __future__ import annotations

import sys

import pytest

from fasttext_lite.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sample", "word"], "map accepts one model: remove 'word'"),
        (["sample", "-o", "map.gif"], "must end with one of .html, .png"),
        (["sample", "-o", "none/map.html"], "the folder of this file does not exist"),
        (["sample", "--labels", "--words", "5"], "remove --words and --placed"),
        (["sample", "--clusters", "none.tsv"], "none.tsv: there is no such file"),
        (["sample", "--labels", "--placed", "5"], "remove --words and --placed"),
    ],
)
def test_wrong_arguments(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["map", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_missing_library_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    assert main(["map", "sample"]) == 2
    assert "pip install 'fasttext-lite[map]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "names no columns"),
        (b"\x89PNG\r\n", "names no columns"),
        (b"word\tname\none\ta\ntwo\n", "line 3: 1 columns instead of 2"),
    ],
)
def test_files_without_clusters(content, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clusters.tsv").write_bytes(content)
    assert main(["map", "sample", "--clusters", "clusters.tsv"]) == 2
    assert said in capsys.readouterr().err
