"""The demonstration of the reader in JavaScript, in a browser, over a server with ranges."""

from __future__ import annotations

import pytest
from support import GOLDEN, REPOSITORY
from support.ranges import Files, served

import fasttext_lite as ftl

pytestmark = pytest.mark.browser

FOLDER = REPOSITORY / "js"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The page, the reader, a classifier, and vectors that are larger than what a word needs."""
    if not FOLDER.exists():
        pytest.skip("needs the sources of the page")
    folder = tmp_path_factory.mktemp("models")
    ftl.convert(GOLDEN / "softmax.bin", folder / "lid", "float32")
    ftl.convert("sample", folder / "vectors", "float16")
    files = {
        "/demo/index.html": (FOLDER / "demo" / "index.html").read_bytes(),
        "/fasttext-lite.js": (FOLDER / "fasttext-lite.js").read_bytes(),
        "/demo/lid.safetensors": (folder / "lid").read_bytes(),
        "/demo/vectors.safetensors": (folder / "vectors").read_bytes(),
        "/favicon.ico": b"",
    }
    with served(Files(files)) as server:
        yield server


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_answers_are_those_of_this_package(site, open_page, color_scheme, tmp_path):
    text, word = "one two three", "governmentally"
    page = open_page(f"{site.address}/demo/index.html", color_scheme=color_scheme)
    page.fill("#text", text)
    page.fill("#word", word)
    expected = ftl.load("sample").neighbors(word, max_words=5000)
    page.get_by_text(expected[0].word, exact=True).wait_for()
    assert "fetched" in page.inner_text("#vectors-status")
    rows = page.locator("#neighbors li").all_inner_texts()
    assert [row.split("\n")[0] for row in rows] == [one.word for one in expected]
    best = ftl.load(GOLDEN / "softmax.bin").predict(text)
    page.wait_for_function(
        "label => document.querySelector('#predictions li')?.textContent.includes(label)",
        arg=best.labels[0].removeprefix("__label__"),
    )
    picture = page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert len(picture) > 10_000


def test_a_word_is_answered_by_ranges(site, open_page):
    page = open_page(f"{site.address}/demo/index.html")
    page.wait_for_selector("#neighbors li >> nth=9")
    page.fill("#first", "0")
    site.requests.clear()
    page.fill("#word", "unheardofword")
    page.wait_for_function("!document.querySelector('#neighbors li')")
    sizes = [size for path, _, size in site.requests if "vectors" in path]
    assert sum(sizes) < len(site.content["/demo/vectors.safetensors"]) / 2


def test_a_model_that_is_not_there_is_told(site, open_page):
    page = open_page(
        f"{site.address}/demo/index.html?labels=nothing.safetensors",
        expected=lambda error: "404" in error,
    )
    page.wait_for_selector("#labels-status.error")
    assert "answered 404" in page.inner_text("#labels-status")
    page.wait_for_selector("#neighbors li >> nth=9")
    page.fill("#labels", "vectors.safetensors")
    page.press("#labels", "Enter")
    page.wait_for_function(
        "document.querySelector('#labels-status').textContent.includes('no labels')"
    )


def test_a_file_from_the_disk_is_read(site, open_page, tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(site.content["/demo/vectors.safetensors"])
    page = open_page(f"{site.address}/demo/index.html?word=river")
    page.set_input_files("#vectors-file", tmp_path / "mine.safetensors")
    page.wait_for_function("document.querySelector('#vectors-status').textContent.includes('disk')")
    first = ftl.load("sample").neighbors("river", max_words=5000)[0].word
    assert first in page.locator("#neighbors li").first.inner_text()
