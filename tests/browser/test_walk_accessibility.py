"""Every page as assistive technology finds it: axe-core's rules, in light and dark."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests.browser.uploads import case_files, picture
from tests.browser.visitor import Visitor

SLIGHT = {
    "heading-order": "Streamlit's subheader is an h3, and stands right beneath the title.",
    "presentation-role-conflict": "Streamlit names the frame of its uploader, which has no role.",
    "empty-table-header": "A table of facts has no head, and Markdown knows no table without.",
}
"""What is neither serious nor critical, and is Streamlit's own: rule, and why it stands."""
TRANSITIONS_MS = 600
"""Until colours have changed to those of another theme."""


class Examiner:
    """Collects what axe-core finds, page by page."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self.found: dict[tuple[str, str], list[str]] = {}

    def examine(self, place: str) -> None:
        """Examine what is shown: by all rules in light, by those of colours in dark."""
        self._visitor.rest()
        page = self._visitor.page
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE_SCRIPT)
        self._run(f"{place}, light", {})
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(TRANSITIONS_MS)
        self._run(f"{place}, dark", {"runOnly": ["color-contrast"]})
        page.emulate_media(color_scheme="light")
        page.wait_for_timeout(TRANSITIONS_MS)

    def _run(self, place: str, options: dict[str, Any]) -> None:
        answer = self._visitor.page.evaluate("options => axe.run(document, options)", options)
        for rule in answer["violations"]:
            for node in rule["nodes"]:
                where = self.found.setdefault((rule["impact"], rule["id"]), [])
                where.append(f"{place}: {node['html'][:200]} {node['failureSummary']}")


def test_no_page_has_a_serious_violation_in_light_or_dark(visitor, pair):
    examiner = Examiner(visitor)
    page = visitor.page
    visitor.visit()
    visitor.see_title("Einthoven")
    examiner.examine("Sign in")
    visitor.register()
    with pair.client(visitor.name) as elsewhere:
        for case in ("left_bundle_branch_block", "poor_quality"):
            kept = elsewhere.recordings.upload(case_files(case, "npz"), subject_id="P-0042")
            elsewhere.analyses.create(kept.id)
        elsewhere.jobs.create_batch(case_files("inferior_infarction", "npz") | {"scan.csv": picture()})
    examiner.examine("Analyse")
    page.get_by_role("link", name="Acute inferior infarction").click()
    visitor.see("Measurements")
    examiner.examine("Demo case")
    visitor.turn_to("History")
    visitor.see("of 3")
    examiner.examine("History")
    page.get_by_role("link", name="left_bundle_branch_block.npz").click()
    visitor.see("Measurements")
    expect(page.get_by_role("application", name=re.compile("beats marked"))).to_be_visible()
    examiner.examine("Recording")
    visitor.turn_to("History")
    for name in ("left_bundle_branch_block", "poor_quality"):
        page.get_by_role("checkbox", name=f"Choose {name}.npz to compare").check(force=True)
        visitor.rest()
    visitor.press("Compare")
    visitor.see_title("Two recordings")
    visitor.see("What changed")
    examiner.examine("Two recordings")
    visitor.turn_to("Batch")
    page.get_by_role("button", name="Open").first.click()
    visitor.see("Results")
    examiner.examine("Batch")
    visitor.turn_to("Evaluation")
    visitor.choose("Model", "beats_fast")
    visitor.rest()
    visitor.press("Evaluate")
    visitor.see("Records that lost points", patience_ms=120_000)
    visitor.pick_row()
    examiner.examine("Evaluation")
    visitor.turn_to("Models")
    examiner.examine("Models")
    visitor.turn_to("Settings")
    examiner.examine("Settings")

    bad = {rule: where for (impact, rule), where in examiner.found.items() if impact in ("serious", "critical")}
    assert bad == {}
    assert {rule for _, rule in examiner.found} <= set(SLIGHT)
