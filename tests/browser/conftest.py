"""A real Chromium for tests of what only a browser can show."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.pair import Pair, running_pair

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.visitor import Visitor

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str | None:
    """Return where this machine's own Chromium lies; without one, Playwright looks for that which it installed."""
    return os.environ.get("EINTHOVEN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        except sync_api.Error as error:
            advice = "install chromium, or run `playwright install chromium`"
            pytest.skip(f"no Chromium can be started ({advice}): {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages in contexts of their own; what a page logs as an error fails the test."""
    contexts = []
    errors: list[str] = []

    def opened(**settings: Any) -> Page:
        context = chromium.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def pair(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The API and the dashboard that all walks share; not started where there is no browser."""
    with running_pair(tmp_path_factory.mktemp("pair")) as pair:
        yield pair


@pytest.fixture
def visitor(pair: Pair, visit: Callable[[Pair], Visitor]) -> Visitor:
    """Somebody at a browser, who has not come to the dashboard yet."""
    return visit(pair)


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visitor]]:
    """Have somebody sit down at a browser of their own; an error in a page's own code fails the test."""
    from tests.browser.visitor import Visitor

    contexts = []
    errors: list[str] = []

    def sit(pair: Pair, **settings: Any) -> Visitor:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return Visitor(page, pair.dashboard.url)

    yield sit
    for context in contexts:
        context.close()
    assert errors == []
