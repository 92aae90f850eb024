"""The page of ``fasttext-lite serve``, in a real browser."""

from __future__ import annotations

import re
import time

import pytest
from support import GOLDEN
from support.servers import serving

import fasttext_lite as ftl

pytestmark = pytest.mark.browser

TEXTS = ["The Godfather", "The Good, the Bad and the Ugly", "War and Peace", "<b>Bold</b> & more"]


@pytest.fixture(scope="module")
def words():
    pytest.importorskip("uvicorn")
    with serving("sample") as started:
        yield f"{started.address}/"


@pytest.fixture(scope="module")
def labels():
    pytest.importorskip("uvicorn")
    with serving(GOLDEN / "softmax.bin") as started:
        yield f"{started.address}/"


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    pytest.importorskip("uvicorn")
    path = tmp_path_factory.mktemp("index") / "films.safetensors"
    ftl.TextIndex.build(
        ftl.load("sample"), TEXTS, ids=[7, 8, 9, 10], labels=["crime", "western", None, None]
    ).save(path)
    with serving(path) as started:
        yield f"{started.address}/"


def names(page, selector="li"):
    """What the list shows."""
    return [text.split("\n")[0] for text in page.locator(selector).all_inner_texts()]


def wait_for(page, selector, text):
    """Wait until an element holds a text; the page allows no functions that are sent to it."""
    page.locator(selector, has_text=text).first.wait_for()


def ask(page, text):
    """Enter a text at once, and wait for the answer to it."""
    page.get_by_role("searchbox").fill(text)
    wait_for(page, "#status", " ms")


def test_texts_are_ranked_as_one_types(open_page, texts):
    page = open_page(texts)
    assert page.title() == "films.safetensors · fasttext-lite"
    assert "4 texts" in page.locator("#about").inner_text()
    assert page.get_by_label("Search the texts").evaluate("one => one === document.activeElement")
    page.get_by_role("searchbox").press_sequentially("teh godfahter")
    wait_for(page, "li:first-child", "The Godfather")
    assert names(page)[0] == "The Godfather"
    first = page.locator("li").first.inner_text().split("\n")
    assert first[1] == "crime · 7"
    assert re.fullmatch(r"0\.\d{3}", first[2])
    assert page.locator("#status").inner_text().startswith("4 of 4 texts")


def test_texts_are_no_html(open_page, texts):
    page = open_page(texts)
    ask(page, "<b>Bold</b> & more")
    assert names(page)[0] == "<b>Bold</b> & more"
    assert page.locator("li b").count() == 0


def test_words_lead_to_others(open_page, words):
    page = open_page(words)
    ask(page, "king")
    assert names(page)[0] == "queen"
    assert "a known word" in page.locator("#status").inner_text()
    page.get_by_role("button", name="queen").click()
    wait_for(page, "li:first-child", "king")
    assert page.get_by_role("searchbox").input_value() == "queen"
    assert page.url.endswith("#queen")
    page.reload()
    page.wait_for_selector("li")
    assert names(page)[0] == "king"


def test_unknown_words_and_texts_are_found_too(open_page, words):
    page = open_page(words)
    ask(page, "kingliest")
    assert "an unknown word" in page.locator("#status").inner_text()
    assert len(names(page)) == 10
    page.get_by_role("searchbox").fill("the king and the queen")
    wait_for(page, "#status", "a text")
    assert len(names(page)) == 10


def test_labels_are_beside_words(open_page, labels):
    page = open_page(labels)
    text = "wir haben den Winter"
    ask(page, text)
    expected = ftl.load(GOLDEN / "softmax.bin").predict(text, k=10).labels
    shown = names(page, "section:has(h2:text('Labels')) li")
    assert shown == [label.removeprefix("__label__") for label in expected]
    assert len(names(page, "section:has(h2:text('Words')) li")) == 10


def test_an_answer_that_comes_late_is_dropped(open_page, words):
    page = open_page(words)
    waiting = []
    page.route("**/neighbors?word=war*", lambda route: waiting.append(route))
    # The server keeps answering requests that the page has given up.
    page.evaluate("AbortController.prototype.abort = () => 0")
    page.get_by_role("searchbox").fill("war")
    end = time.monotonic() + 20
    while not waiting and time.monotonic() < end:
        page.wait_for_timeout(20)
    page.get_by_role("searchbox").fill("king")
    page.wait_for_selector("li")
    assert names(page)[0] == "queen"
    with page.expect_response("**/neighbors?word=war*") as late:
        waiting[0].continue_()
    assert late.value.json()["word"] == "war"
    page.wait_for_timeout(200)
    assert names(page)[0] == "queen"


def test_many_keys_in_a_row_show_the_last_answer(open_page, texts):
    page = open_page(texts)
    field = page.get_by_role("searchbox")
    for _ in range(3):
        for query in ("the godfather", "war and peace", "good and bad"):
            field.press_sequentially(query)
            field.press("Control+a")
    field.press_sequentially("war and peace")
    wait_for(page, "li:first-child", "War and Peace")
    page.wait_for_timeout(300)
    assert names(page)[0] == "War and Peace"


def test_errors_are_shown(open_page, words):
    page = open_page(words, expected=lambda error: "neighbors" in error)
    page.route(
        "**/neighbors?word=bad*",
        lambda route: route.fulfill(status=422, json={"error": "a reason", "status": 422}),
    )
    page.route("**/neighbors?word=gone*", lambda route: route.abort())
    alert = page.get_by_role("alert")
    page.get_by_role("searchbox").fill("bad")
    alert.wait_for()
    assert alert.inner_text() == "a reason"
    page.get_by_role("searchbox").fill("gone")
    wait_for(page, "#error", "not answer")
    assert names(page) == []
    page.get_by_role("searchbox").fill("king")
    page.wait_for_selector("li")
    assert not alert.is_visible()


def test_the_keyboard_is_enough(open_page, words):
    page = open_page(words)
    ask(page, "king")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = names(page)[1]
    assert page.evaluate("document.activeElement.textContent") == second
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/#{second}")
    page.keyboard.press("Escape")
    assert page.get_by_role("searchbox").input_value() == ""
    assert names(page) == []
    page.get_by_role("searchbox").blur()
    page.keyboard.press("/")
    assert page.get_by_role("searchbox").evaluate("one => one === document.activeElement")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_reader(open_page, texts, scheme):
    page = open_page(texts, color_scheme=scheme, width=340, height=600)
    ask(page, "war")
    red = page.evaluate("getComputedStyle(document.body).backgroundColor").split("(")[1]
    assert (int(red.split(",")[0]) < 128) is (scheme == "dark")
    # Nothing is wider than a narrow screen.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_page_asks_nobody_else(open_page, words):
    page = open_page(words)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    ask(page, "king")
    assert asked
    assert all(address.startswith(words) for address in asked)
