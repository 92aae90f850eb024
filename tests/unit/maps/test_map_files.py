"""What a map is written to: pages, pictures and tables."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.drawn_maps import ODD, drawn_map

import fasttext_lite as ftl


class Page(HTMLParser):
    """The elements of a page, and the texts in them."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [""], [], {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.open.append(dict(attrs).get("id", tag))
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        self.open.append("")

    def handle_data(self, data):
        self.texts[self.open[-1]] = self.texts.get(self.open[-1], "") + data


def written(drawn, path, **options):
    drawn.write(path, **options)
    return path.read_bytes()


def data_of(path, drawn, **options):
    return json.loads(Page(written(drawn, path, **options).decode()).texts["data"])


def numbers(packed):
    return np.frombuffer(base64.b64decode(packed["data"]), f"<u{packed['bits'] // 8}")


def test_a_page_holds_the_map(tmp_path):
    drawn = drawn_map(300)
    found = data_of(tmp_path / "map.html", drawn, title="a title")
    assert found["title"] == "a title"
    assert found["words"] == drawn.words
    assert found["counts"] == drawn.counts.tolist()
    places = numbers(found["places"]).reshape(-1, 2) / 65535
    extent = np.ptp(drawn.xy, axis=0)
    expected = (drawn.xy - drawn.xy.min(axis=0)) / extent.max()
    assert_allclose(places[:, 0], expected[:, 0], atol=1e-5)
    assert_allclose(found["extent"][1] - places[:, 1], expected[:, 1], atol=2e-5)
    labels = numbers(found["labels"]).astype(int)
    assert_array_equal(np.where(labels == len(drawn.names), -1, labels), drawn.labels)
    assert_array_equal(numbers(found["neighbors"]).reshape(-1, found["k"]), drawn.neighbors)
    assert_allclose(numbers(found["cosines"]) / 255, drawn.cosines.ravel(), atol=0.002)
    for number, one in enumerate(found["clusters"]):
        assert one["name"] == drawn.names[number]
        assert one["size"] == np.count_nonzero(drawn.labels == number)
        assert drawn.labels[one["anchor"]] == number


@pytest.mark.parametrize(("count", "bits"), [(256, 8), (257, 16), (65536, 16), (65537, 32)])
def test_indices_take_as_few_bytes_as_they_can(tmp_path, count, bits):
    drawn = drawn_map(count, k=2)
    found = data_of(tmp_path / "map.html", drawn)
    assert found["neighbors"]["bits"] == bits
    assert_array_equal(numbers(found["neighbors"]).reshape(-1, 2), drawn.neighbors)


def test_a_page_needs_nothing_else_and_allows_only_its_own_script(tmp_path):
    text = written(drawn_map(), tmp_path / "map.html").decode()
    page = Page(text)
    assert len(text) - len(page.texts["data"]) < 100_000
    policy = next(attrs["content"] for _, attrs in page.tags if "http-equiv" in attrs)
    assert policy.startswith("default-src 'none';")
    for element in ("script", "style"):
        digest = hashlib.sha256(page.texts[element].encode()).digest()
        assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy
    for _, attrs in page.tags:
        assert "src" not in attrs
        assert attrs.get("href", "data:,") == "data:,"
        assert not [name for name in attrs if name.startswith("on")]
    assert not re.search(r"https?://", page.texts["script"] + page.texts["style"])


def test_odd_words_are_data(tmp_path):
    plain = written(drawn_map(words=["one"] * len(ODD)), tmp_path / "plain.html").decode()
    text = written(drawn_map(words=ODD), tmp_path / "map.html", title=ODD[0]).decode()
    assert text.count("<") == plain.count("<")
    assert [tag for tag, _ in Page(text).tags] == [tag for tag, _ in Page(plain).tags]
    found = json.loads(Page(text).texts["data"])
    shown = {"caf\udce9": "caf�", "a\x00b": "a�b"}
    assert found["words"] == [shown.get(word, word) for word in ODD]


def test_one_word_and_equal_places_are_drawn(tmp_path):
    one = drawn_map(words=["alone"])
    same = drawn_map(5)
    same.xy[:] = 3
    for drawn in (one, same):
        found = data_of(tmp_path / "map.html", drawn)
        assert (numbers(found["places"]) == 0).all()
        for suffix in (".png", ".svg"):
            pytest.importorskip("matplotlib")
            assert written(drawn, tmp_path / f"map{suffix}")


class TestPictures:
    @pytest.fixture(autouse=True)
    def matplotlib(self):
        return pytest.importorskip("matplotlib")

    @pytest.mark.parametrize(
        ("suffix", "head"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
    )
    def test_a_picture_is_the_same_each_time(self, tmp_path, suffix, head):
        found = written(drawn_map(), tmp_path / f"one{suffix}", title="a title")
        assert found.startswith(head)
        assert found == written(drawn_map(), tmp_path / f"two{suffix}", title="a title")

    @pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
    def test_words_of_all_scripts_are_drawn_without_warnings(self, tmp_path, suffix):
        assert written(drawn_map(words=ODD), tmp_path / f"map{suffix}", title="日本 $x$")

    def test_a_vector_graphic_is_xml_with_names_in_it(self, tmp_path):
        text = written(drawn_map(words=ODD), tmp_path / "map.svg").decode()
        root = ElementTree.fromstring(text)  # noqa: S314 - our own
        names = [one for one in root.iter() if one.get("id", "").startswith("text_")]
        assert len(names) > 3

    def test_the_settings_of_the_program_stay(self, tmp_path, matplotlib):
        before = dict(matplotlib.rcParams)
        written(drawn_map(), tmp_path / "map.png")
        assert dict(matplotlib.rcParams) == before


class TestTables:
    def test_parquet_is_as_embedding_atlas_reads_it(self, tmp_path):
        parquet = pytest.importorskip("pyarrow.parquet")
        drawn = drawn_map(50)
        drawn.neighbors[7, 4:] = -1
        drawn.write(tmp_path / "map.parquet")
        table = parquet.read_table(tmp_path / "map.parquet")
        rows = table.to_pylist()
        assert [row["word"] for row in rows] == drawn.words
        assert_array_equal(np.array([[row["x"], row["y"]] for row in rows], "f4"), drawn.xy)
        assert [row["count"] for row in rows] == drawn.counts.tolist()
        assert [row["cluster_id"] for row in rows] == drawn.labels.tolist()
        for i, row in enumerate(rows):
            label = drawn.labels[i]
            assert row["cluster"] == (None if label < 0 else drawn.names[label])
            ids = drawn.neighbors[i][drawn.neighbors[i] >= 0]
            assert row["neighbors"]["ids"] == ids.tolist()
            distances = row["neighbors"]["distances"]
            assert_allclose(distances, 1 - drawn.cosines[i][: len(ids)], atol=1e-6)
        assert len(rows[7]["neighbors"]["ids"]) == 4

    def test_lines_with_tabs_have_one_line_for_each_word(self, tmp_path):
        text = written(drawn_map(words=ODD), tmp_path / "map.tsv").decode()
        head, *lines = text.removesuffix("\n").split("\n")
        assert head.split("\t") == ["word", "x", "y", "cluster_id", "cluster", "count"]
        assert len(lines) == len(ODD)
        assert {line.count("\t") for line in lines} == {5}

    def test_unknown_counts_are_left_out(self, tmp_path):
        parquet = pytest.importorskip("pyarrow.parquet")
        drawn = drawn_map(5)
        object.__setattr__(drawn, "counts", None)
        drawn.write(tmp_path / "map.parquet")
        assert "count" not in parquet.read_table(tmp_path / "map.parquet").column_names
        assert data_of(tmp_path / "map.html", drawn)["counts"] is None
        assert written(drawn, tmp_path / "map.tsv").splitlines()[1].endswith(b"\t")


class TestTargets:
    def test_another_suffix_is_refused(self, tmp_path):
        for name in ("map", "map.gif", ".html"):
            with pytest.raises(ftl.InputValueError, match=r"must end with one of \.html, \.png"):
                drawn_map(3).write(tmp_path / name)
        assert not list(tmp_path.iterdir())

    def test_a_missing_folder_is_named(self, tmp_path):
        with pytest.raises(ftl.FileError, match="the folder of this file does not exist"):
            drawn_map(3).write(tmp_path / "none" / "map.html")

    def test_no_path_and_no_title(self, tmp_path):
        with pytest.raises(ftl.InputTypeError, match="a path must be"):
            drawn_map(3).write(3)
        with pytest.raises(ftl.InputTypeError, match="title must be str, not int"):
            drawn_map(3).write(tmp_path / "map.html", title=3)

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")  # noqa: PTH110
    def test_a_full_disk_is_an_error(self, tmp_path):
        (tmp_path / "map.html").symlink_to("/dev/full")
        with pytest.raises(ftl.FileError, match="No space left"):
            drawn_map(3).write(tmp_path / "map.html")

    def test_a_file_stays_if_the_new_one_fails(self, tmp_path, monkeypatch):
        path = tmp_path / "map.html"
        path.write_text("old")
        monkeypatch.setattr("fasttext_lite.maps.pages.page", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            drawn_map(3).write(path)
        assert path.read_text() == "old"
        assert [one.name for one in tmp_path.iterdir()] == ["map.html"]

    @pytest.mark.parametrize(
        ("suffix", "library", "extra"),
        [(".png", "matplotlib", "map"), (".parquet", "pyarrow", "arrow")],
    )
    def test_a_missing_library_is_named(self, tmp_path, monkeypatch, suffix, library, extra):
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(ftl.MissingExtraError, match=rf"{library}.*fasttext-lite\[{extra}\]"):
            drawn_map(3).write(tmp_path / f"map{suffix}")
