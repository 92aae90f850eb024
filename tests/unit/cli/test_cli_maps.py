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
