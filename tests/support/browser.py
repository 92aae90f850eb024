"""Pages in a real Chromium without a window: the one that is installed, driven by Playwright.

Tests that need it have the marker `browser` and use the fixture `open_page`, which the tests'
conftest has.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# A page is local and small; a busy machine is no fault.
MILLISECONDS = 20_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium that is on the PATH; skip the test if there is none, or no Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=path)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_of(
    browser: Browser,
    address: str,
    *,
    color_scheme: str = "light",
    width: int = 1000,
    height: int = 800,
    expected: Callable[[str], bool] = lambda _: False,
) -> Iterator[Page]:
    """Open an address in a profile of its own; at the end, check that the page had no errors.

    ``page.screenshot(path=…)`` takes a picture of it. `color_scheme` is ``light`` or ``dark``.
    Errors are uncaught exceptions, and errors and warnings on the console, with the address of the
    resource; `expected` says of each whether the test provokes it.
    """
    context = browser.new_context(
        color_scheme=color_scheme,
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    context.set_default_timeout(MILLISECONDS)
    found: list[str] = []
    try:
        page = context.new_page()
        page.on("pageerror", lambda error: found.append(f"uncaught: {error}"))
        page.on(
            "console",
            lambda message: (
                found.append(f"{message.type}: {message.text} ({message.location.get('url')})")
                if message.type in ("error", "warning")
                else None
            ),
        )
        page.goto(address)
        yield page
    finally:
        context.close()
    errors = [error for error in found if not expected(error)]
    assert not errors, errors


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of a module."""
    with chromium() as started:
        yield started


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page, with the arguments of `page_of`."""
    with ExitStack() as pages:
        yield lambda address, **options: pages.enter_context(page_of(browser, address, **options))
