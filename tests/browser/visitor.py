"""Somebody at a browser, who reads, presses and types as people do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Download, Locator, Page, expect

from tests.browser.pair import new_name
from tests.service import PASSWORD

PATIENCE_MS = 30_000
SCREENS = {
    "Analyse": "Analyse an ECG",
    "Recording": "Recording",
    "History": "History",
    "Batch": "Batch",
    "Evaluation": "Evaluation",
    "Models": "Models",
    "Settings": "Settings",
}
"""What the sidebar calls each page, and the page itself."""


class Visitor:
    """A page of the dashboard, and what somebody does with it."""

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.home = home
        self.name = ""
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)

    def visit(self, path: str = "/") -> None:
        """Come by an address."""
        self.page.goto(f"{self.home}{path}")

    def register(self, path: str = "/") -> str:
        """Come by an address as somebody new, and make an account; return its name."""
        self.name = new_name()
        self.visit(path)
        self.page.get_by_role("tab", name="Register").click()
        self.type("Name or email", self.name)
        self.type("Password", PASSWORD)
        self.press("Register and sign in")
        expect(self.button("Sign out")).to_be_visible()
        return self.name

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        """Fill in the form."""
        self.name = name
        self.type("Name or email", name)
        self.type("Password", password)
        self.press("Sign in")

    def turn_to(self, screen: str) -> None:
        """Turn to a page by the sidebar."""
        self.page.get_by_role("navigation").get_by_role("link", name=screen, exact=True).click()
        self.see_title(SCREENS[screen])

    def see_title(self, title: str) -> None:
        """Wait for the title of a page, and until the page is whole."""
        expect(self.page.get_by_role("heading", name=title, level=1)).to_be_visible()
        self.rest()

    def rest(self) -> None:
        """Wait until nothing is being worked at."""
        expect(self.page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")

    def see(self, text: str | re.Pattern[str], *, patience_ms: int = PATIENCE_MS) -> None:
        """Wait for a text to be seen."""
        expect(self.page.get_by_text(text).locator("visible=true").first).to_be_visible(timeout=patience_ms)

    def miss(self, text: str | re.Pattern[str]) -> None:
        """Wait until a text is not seen."""
        expect(self.page.get_by_text(text).locator("visible=true")).to_have_count(0)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not is_so():
            assert time.monotonic() < deadline, self.page.get_by_role("main").aria_snapshot()
            self.page.wait_for_timeout(50)

    def button(self, label: str) -> Locator:
        """Return the button that is called so."""
        return self.page.get_by_role("button", name=label, exact=True)

    def press(self, label: str) -> None:
        """Press a button."""
        self.button(label).click()

    def type(self, label: str, text: str) -> None:
        """Type into a field, and leave it."""
        field = self.page.get_by_role("textbox", name=label, exact=True)
        field.fill(text)
        field.blur()

    def choose(self, label: str, option: str) -> None:
        """Choose from a list."""
        self.page.get_by_role("combobox", name=label).click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def drop(self, files: dict[str, bytes], at: int = 0) -> None:
        """Give files to an uploader, and wait until they are named."""
        self.page.locator("input[type=file]").nth(at).set_input_files(
            [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files.items()]
        )
        expect(self.button(f"Remove {next(iter(files))}")).to_be_visible()
        self.rest()

    def analyse(self, files: dict[str, bytes]) -> None:
        """Have files analysed, on the page Analyse; wait for the page of the recording."""
        self.drop(files)
        self.press("Analyse")
        expect(self.page).to_have_url(re.compile("/recording"))
        self.see("Measurements")
        self.rest()

    def download(self, button: Locator) -> tuple[str, bytes]:
        """Press what gives a file; return its name and content."""
        with self.page.expect_download() as found:
            button.click()
        file: Download = found.value
        return file.suggested_filename, Path(file.path()).read_bytes()

    def table(self) -> list[list[str]]:
        """Return the cells of the table that is shown last, as they are read aloud: it is drawn on a canvas."""
        grid = self.page.get_by_test_id("stDataFrame").locator("visible=true").last
        expect(grid.locator("canvas tbody tr").first).to_be_attached()
        rows: list[list[str]] = grid.locator("canvas tbody").evaluate(
            "body => [...body.rows].map(row => [...row.cells].map(cell => cell.textContent).filter(text => text))"
        )
        return rows

    def pick_row(self) -> None:
        """Choose the first row of the table that is shown last, by the box before it."""
        grid = self.page.get_by_test_id("stDataFrame").locator("visible=true").last
        grid.scroll_into_view_if_needed()
        self.rest()
        box = grid.bounding_box()
        assert box
        self.page.mouse.click(box["x"] + 18, box["y"] + 36 + 17)
