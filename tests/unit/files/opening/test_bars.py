"""Progress bars while files are read."""

from __future__ import annotations

import io
import sys
from typing import ClassVar

import pytest
import tqdm

import fasttext_lite as ftl
from fasttext_lite.cli import main


class Bar:
    """A stand-in for tqdm that records its arguments."""

    made: ClassVar[list] = []

    def __init__(self, total, desc, **options):
        self.total, self.title, self.options, self.done = total, desc, options, 0
        self.made.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def update(self, count):
        self.done += count


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def bars(monkeypatch):
    monkeypatch.setattr(tqdm, "tqdm", Bar)
    monkeypatch.setattr(Bar, "made", [])
    return Bar.made


def test_reading_shows_a_bar_on_a_terminal(any_path, bars, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    model = ftl.load(any_path, mmap=False, progress=True)
    (bar,) = bars
    assert bar.title == "reading"
    assert bar.total == bar.done == any_path.stat().st_size
    assert bar.options["delay"] == 1
    assert model["one"].any()


def test_no_bar_is_shown_where_none_is_wanted_or_seen(any_path, bars, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    ftl.load(any_path, mmap=False)
    assert bars == []
    for nobody in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stderr", nobody)
        ftl.load(any_path, mmap=False, progress=True)
    assert bars == []


def test_the_command_line_shows_what_it_reads(tmp_path, bars, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    (tmp_path / "words.vec").write_bytes(b"1 2\none 1 2\n")
    assert main(["vectors", str(tmp_path / "words.vec"), "one"]) == 0
    assert [bar.title for bar in bars] == ["reading"]
    assert main(["convert", str(tmp_path / "words.vec"), str(tmp_path / "out")]) == 0
    assert [bar.title for bar in bars][:3] == ["reading", "reading", "words"]
