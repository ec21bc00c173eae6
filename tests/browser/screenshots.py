"""Pictures of every page for the README, of demo cases alone: ``python -m tests.browser.screenshots``.

The API and the dashboard are started for it, and stopped. Each page is taken in light and dark, and at the widths
of a laptop and of a tablet, and lies in ``docs/images`` as WebP.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.conftest import FLAGS, chromium_path
from tests.browser.pair import Pair, running_pair
from tests.browser.uploads import case_files, picture
from tests.browser.visitor import Visitor

FOLDER = Path(__file__).parents[2] / "docs" / "images"
WIDTHS = {1440: 1000, 820: 1180}
"""Width to height in pixels: a laptop, a tablet held upright."""
TALL = 1500
"""Height where the tracing must not be cut off."""
LOOKS = ("light", "dark")
QUALITY = 82
SETTLE_MS = 1200


def main() -> None:
    """Take the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as state, running_pair(Path(state)) as pair, _browser() as browser:
        name = _prepare(browser, pair)
        for look in LOOKS:
            for width, height in WIDTHS.items():
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=look, reduced_motion="reduce"
                )
                visitor = Visitor(context.new_page(), pair.dashboard.url)

                def take(page: str, *, ending: str = f"{look}-{width}", visitor: Visitor = visitor) -> None:
                    visitor.rest()
                    visitor.page.mouse.move(1, 1)
                    visitor.page.wait_for_timeout(SETTLE_MS)
                    _save(visitor.page.screenshot(), FOLDER / f"{page}-{ending}.webp")

                _walk(visitor, name, take)
                context.close()


def _prepare(browser: Browser, pair: Pair) -> str:
    """Make an account with some demo cases in it; return its name."""
    context = browser.new_context()
    name = Visitor(context.new_page(), pair.dashboard.url).register()
    context.close()
    with pair.client(name) as client:
        for case, subject, title in (
            ("pre_excitation", "P-0042", "Before ablation"),
            ("normal", "P-0042", "After ablation"),
            ("atrial_fibrillation", "P-0007", "Palpitations"),
            ("left_bundle_branch_block", "P-0113", "Left bundle branch block"),
            ("inferior_infarction", "P-0118", "Chest pain since six in the morning"),
        ):
            who = {"age": 33, "sex": "female"} if subject == "P-0042" else {}
            kept = client.recordings.upload(case_files(case), subject_id=subject, **who)
            client.analyses.create(kept.id)
            client.recordings.change(kept.id, if_match=kept.etag, name=title)
        cases = ("ischaemia", "long_qt", "paced", "second_degree_block", "anterior_infarction", "swapped_arms")
        files = {name: data for case in cases for name, data in case_files(case, "edf").items()}
        job = client.jobs.create_batch(files | {"scan.csv": picture()})
        while client.jobs.get(job.id).status in ("queued", "running"):
            pass
        client.accounts.create_token("nightly import", ["read", "write"], 90)
    return name


def _walk(visitor: Visitor, name: str, take: Callable[[str], None]) -> None:
    """Go through the pages as somebody would, and take each."""
    page = visitor.page
    visitor.visit()
    visitor.see_title("Einthoven")
    take("sign-in")
    visitor.sign_in(name)
    visitor.see_title("Analyse an ECG")
    visitor.see("Normal ECG")
    take("analyse")

    _turn(visitor, "history")
    visitor.see("of 11")
    take("history")
    page.get_by_role("link", name="Chest pain since six").click()
    visitor.see("Measurements")
    expect(page.get_by_role("application", name=re.compile("beats marked"))).to_be_visible()
    size = page.viewport_size
    assert size
    page.set_viewport_size({"width": size["width"], "height": TALL})
    page.get_by_role("heading", level=1).scroll_into_view_if_needed()
    take("recording")
    page.get_by_role("heading", name="What the models say").scroll_into_view_if_needed()
    take("recording-findings")
    page.get_by_text("Show what an answer rests on").click()
    visitor.rest()
    page.wait_for_timeout(SETTLE_MS)
    visitor.rest()
    take("explanation")
    page.set_viewport_size(size)

    _turn(visitor, "history")
    for title in ("Before ablation", "After ablation"):
        page.get_by_role("checkbox", name=f"Choose {title} to compare").check(force=True)
        visitor.rest()
    visitor.press("Compare")
    expect(page.get_by_role("application", name=re.compile("beats marked"))).to_have_count(2)
    take("compare")

    _turn(visitor, "batch")
    page.get_by_role("main").get_by_role("button", name="Open").first.click()
    visitor.see("Results")
    take("batch")
    _turn(visitor, "evaluation")
    visitor.press("Evaluate")
    visitor.see("Records that lost points", patience_ms=120_000)
    take("evaluation")
    page.get_by_text("As measured", exact=True).click()
    visitor.see(re.compile("Curves|ROC"))
    take("evaluation-measured")
    _turn(visitor, "models")
    visitor.see("can be asked")
    take("models")
    _turn(visitor, "settings")
    visitor.see("nightly import")
    take("settings")


def _turn(visitor: Visitor, screen: str) -> None:
    """Turn to a page by the sidebar, which is folded away where there is little room."""
    page = visitor.page
    link = page.get_by_role("navigation").get_by_role("link", name=screen.capitalize(), exact=True)
    opener = page.get_by_role("button", name="Expand sidebar")
    if opener.is_visible():
        opener.click()
    link.click()
    visitor.see_title(screen.capitalize())


def _save(png: bytes, path: Path) -> None:
    Image.open(io.BytesIO(png)).convert("RGB").save(path, quality=QUALITY, method=6)
    sys.stdout.write(f"{path.name}\n")


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield browser
        browser.close()


if __name__ == "__main__":
    main()
