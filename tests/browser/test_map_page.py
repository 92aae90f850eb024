"""The page of a map, in a real browser."""

from __future__ import annotations

import pytest
from support.drawn_maps import ODD, drawn_map

pytestmark = pytest.mark.browser


@pytest.fixture
def open_map(open_page, tmp_path):
    """Return a function that writes a map, and opens its page until it is drawn."""

    def open_written(drawn, more="", **options):
        drawn.write(tmp_path / "map.html", title="a <title>")
        page = open_page((tmp_path / "map.html").as_uri() + more, **options)
        page.wait_for_selector("#map[data-drawn]")
        return page

    return open_written


def view(page):
    return page.evaluate("wordMap.view")


def where(page, word):
    return page.evaluate("word => wordMap.where(word)", word)


def selected(page):
    return page.evaluate("wordMap.selected")


def center(page):
    """The middle of what the panel leaves of the map."""
    right = page.locator("#panel").bounding_box()["x"]
    return [right / 2, page.viewport_size["height"] / 2]


def test_a_search_flies_to_its_word(open_map):
    page = open_map(drawn_map())
    assert page.title() == "a <title>"
    before = view(page)
    page.fill("#query", "WORD12")
    options = page.locator("#found li").all_inner_texts()
    assert options[:2] == ["word12", "word120"]
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#query", "aria-activedescendant") == "found-1"
    page.keyboard.press("Enter")
    assert selected(page) == "word120"
    assert view(page)["zoom"] > before["zoom"]
    assert where(page, "word120") == pytest.approx(center(page), abs=1)
    assert page.locator("#panel h1").inner_text() == "word120"
    assert page.locator("#panel li").count() == 6
    assert page.locator("#panel li bdi").first.inner_text() == "word121"
    assert "word121" in page.locator("#status").inner_text()
    assert page.url.endswith("#word120")
    # From neighbor to neighbor, and back to all.
    page.locator("#panel li button").first.click()
    assert selected(page) == "word121"
    page.keyboard.press("Escape")
    assert selected(page) is None
    assert "#" not in page.url


def test_what_is_not_there_is_said(open_map):
    page = open_map(drawn_map())
    page.fill("#query", "nowhere")
    assert page.locator("#found li").all_inner_texts() == ["Not on this map"]
    page.keyboard.press("Enter")
    assert selected(page) is None
    page.keyboard.press("Escape")
    assert page.locator("#found").is_hidden()


def test_the_address_names_a_word(open_map):
    assert selected(open_map(drawn_map(), "#word7")) == "word7"
    assert selected(open_map(drawn_map(), "#%ff")) is None


def test_a_mouse_drags_zooms_and_selects(open_map):
    page = open_map(drawn_map())
    x, y = where(page, "word3")
    page.mouse.move(x, y)
    page.wait_for_function("document.getElementById('map').classList.contains('over')")
    page.mouse.wheel(0, -300)
    page.wait_for_function("wordMap.view.zoom > 1.5")
    # What is under the mouse stays there.
    assert where(page, "word3") == pytest.approx([x, y], abs=3)
    page.mouse.down()
    page.mouse.move(x + 30, y + 40, steps=4)
    page.mouse.up()
    assert where(page, "word3") == pytest.approx([x + 30, y + 40], abs=3)
    assert selected(page) is None
    page.mouse.click(x + 30, y + 40)
    assert selected(page) is not None
    page.click("#all")
    assert view(page)["zoom"] == pytest.approx(1)


def touch(page, name, *fingers):
    """Send an event of fingers, each a number and a place."""
    page.evaluate(
        """([name, fingers]) => {
          for (const [pointerId, clientX, clientY] of fingers)
            document.getElementById("map").dispatchEvent(new PointerEvent(name,
              { pointerId, clientX, clientY, pointerType: "touch", bubbles: true, button: 0 }));
        }""",
        [name, fingers],
    )


def test_fingers_drag_pinch_and_select(open_map):
    page = open_map(drawn_map())
    # A finger of a test is none that the browser can capture.
    page.evaluate("document.getElementById('map').setPointerCapture = () => {}")
    x, y = where(page, "word3")
    touch(page, "pointerdown", (1, x - 50, y))
    touch(page, "pointerdown", (2, x + 50, y))
    touch(page, "pointermove", (1, x - 100, y))
    touch(page, "pointermove", (2, x + 100, y))
    assert view(page)["zoom"] == pytest.approx(2, rel=0.05)
    assert where(page, "word3") == pytest.approx([x, y], abs=5)
    touch(page, "pointerup", (1, x - 100, y), (2, x + 100, y))
    assert selected(page) is None
    x, y = where(page, "word3")
    touch(page, "pointerdown", (3, x, y))
    touch(page, "pointermove", (3, x + 40, y + 20))
    touch(page, "pointerup", (3, x + 40, y + 20))
    assert where(page, "word3") == pytest.approx([x + 40, y + 20], abs=1)
    assert selected(page) is None
    touch(page, "pointerdown", (4, x + 40, y + 20))
    touch(page, "pointerup", (4, x + 40, y + 20))
    assert selected(page) is not None


def test_hovering_shows_the_neighbors(open_map, tmp_path):
    drawn = drawn_map()
    page = open_map(drawn)
    before = brightness(page, tmp_path / "before.png")
    x, y = where(page, "word50")
    page.mouse.move(x, y)
    page.wait_for_function("document.getElementById('map').classList.contains('over')")
    page.wait_for_function("wordMap.names[0].startsWith('word')")
    near = set(page.evaluate("wordMap.names.slice(0, 7)"))
    assert near & {drawn.words[i] for i in drawn.neighbors[50]}
    assert (brightness(page, tmp_path / "after.png") != before).any()
    page.mouse.move(5, 790)
    page.wait_for_function("!document.getElementById('map').classList.contains('over')")


def test_the_keyboard_is_enough(open_map):
    page = open_map(drawn_map())
    page.focus("#map")
    start = view(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    moved = view(page)
    assert moved["x"] > start["x"]
    assert moved["y"] > start["y"]
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert view(page)["zoom"] > 1.5
    page.keyboard.press("-")
    page.keyboard.press("Enter")
    assert selected(page)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "query"
    page.keyboard.type("word5")
    page.keyboard.press("Enter")
    assert selected(page) == "word5"
    assert page.evaluate("document.activeElement.id") == "map"
    page.keyboard.press("0")
    assert view(page)["zoom"] == pytest.approx(1)
    page.keyboard.press("Escape")
    assert selected(page) is None
    # Everything that can be clicked has a name.
    for button in page.locator("button, input").all():
        assert button.get_attribute("aria-label") or button.inner_text()


def test_a_cluster_is_shown_alone(open_map):
    drawn = drawn_map()
    page = open_map(drawn)
    button = page.locator("#panel li button").first
    assert button.locator("bdi").inner_text() == drawn.names[0]
    button.click()
    assert page.locator("#panel h1").inner_text() == drawn.names[0]
    assert view(page)["zoom"] > 1
    members = {drawn.words[i] for i in drawn.members()[0]}
    assert set(page.locator("#panel li bdi").all_inner_texts()) <= members
    assert set(page.evaluate("wordMap.names")) <= {*members, drawn.names[0]}
    page.locator("#panel .close").click()
    assert page.locator("#panel li").count() == len(drawn.names)


def test_names_appear_by_zoom_and_do_not_overlap(open_map):
    page = open_map(drawn_map(3000))
    few = page.evaluate("wordMap.names")
    assert 0 < len(few) < 300
    for _ in range(6):
        page.keyboard.press("+")
    page.wait_for_function("wordMap.names.length")
    boxes = page.evaluate("wordMap.boxes")
    assert len(boxes) > 3
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:i]:
            apart = left >= other[2] or other[0] >= right or top >= other[3] or other[1] >= bottom
            assert apart, (boxes[i], other)


def brightness(page, path):
    """The brightness of each pixel of a page, from 0 to 1."""
    image = pytest.importorskip("matplotlib.image")
    page.screenshot(path=path)
    return image.imread(path)[..., :3].mean(axis=2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_points_and_names_differ_from_the_ground(open_map, scheme, tmp_path):
    page = open_map(drawn_map(500), color_scheme=scheme)
    pixels = brightness(page, tmp_path / "page.png")
    ground = pixels[-1, 0]
    assert (ground > 0.9) if scheme == "light" else (ground < 0.15)
    assert 0.01 < (abs(pixels - ground) > 0.3).mean() < 0.5


def is_of_the_driver(message):
    """Whether a warning tells that the machine has no graphics processor."""
    return "GL Driver Message" in message


@pytest.mark.parametrize("count", [300, 6000])
def test_all_ways_of_drawing_show_the_same(open_map, count, tmp_path):
    drawn = drawn_map(count)
    page = open_map(drawn, "?webgl", expected=is_of_the_driver)
    if page.evaluate("wordMap.drawing") != "webgl":
        pytest.skip("this browser has no WebGL")
    shaded = brightness(page, tmp_path / "webgl.png")
    page = open_map(drawn, "?plain")
    plain = brightness(page, tmp_path / "plain.png")
    points = abs(plain - plain[-1, 0]) > 0.15
    assert points.mean() > 0.01
    # Edges of points are smooth in one of them only.
    assert (abs(plain - shaded) > 0.25).mean() < 0.3 * points.mean()


@pytest.mark.parametrize("width", [320, 480])
def test_a_narrow_window_has_room_for_all(open_map, width):
    page = open_map(drawn_map(), width=width, height=640)
    panel, search = (page.locator(name).bounding_box() for name in ("#panel", "#query"))
    assert panel["y"] > search["y"] + search["height"]
    assert panel["x"] >= 0
    assert panel["x"] + panel["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.fill("#query", "word9")
    page.keyboard.press("Enter")
    x, y = where(page, "word9")
    assert 0 < x < width
    assert y < page.locator("#panel").bounding_box()["y"]


def test_odd_words_are_texts(open_map):
    drawn = drawn_map(words=ODD)
    page = open_map(drawn)
    assert page.evaluate("document.images.length") == 0
    for i in (0, 1, 7, 8, 12):
        page.fill("#query", ODD[i])
        page.keyboard.press("Enter")
        assert selected(page) == ODD[i]
        assert page.locator("#panel h1").inner_text() == ODD[i]
    assert page.evaluate("document.images.length") == 0


def test_one_word_without_clusters_is_a_map(open_map):
    page = open_map(drawn_map(words=["alone"]))
    page.keyboard.press("Enter")
    assert where(page, "alone") == pytest.approx(center(page), abs=1)
