"""The pages of tests: what is wrong with a page is seen."""

from __future__ import annotations

import pytest
from support.browser import page_of

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><title>a page</title><link rel="icon" href="data:,">
<style>:root { color-scheme: light dark; background: Canvas }</style>"""


@pytest.fixture
def address(tmp_path):
    (tmp_path / "page.html").write_text(PAGE)
    return (tmp_path / "page.html").as_uri()


def test_a_page_is_opened_in_both_colour_schemes(open_page, address, tmp_path):
    for scheme, dark in (("light", False), ("dark", True)):
        page = open_page(address, color_scheme=scheme)
        assert page.title() == "a page"
        assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is dark
        page.screenshot(path=tmp_path / f"{scheme}.png")
    light, dark = ((tmp_path / f"{scheme}.png").read_bytes() for scheme in ("light", "dark"))
    assert light != dark


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("setTimeout(() => { throw Error('thrown') })", "thrown"),
        ("console.error('written')", "written"),
        ("console.warn('a warning')", "a warning"),
        ("fetch('http://127.0.0.1:9').catch(() => 0)", "http://127.0.0.1:9"),
    ],
)
def test_what_a_page_complains_of_fails_its_test(browser, address, code, said):
    def run(**options):
        with page_of(browser, address, **options) as page:
            page.evaluate(f"() => {{ {code} }}")
            page.wait_for_timeout(200)

    with pytest.raises(AssertionError, match=said):
        run()
    run(expected=lambda error: said in error)
