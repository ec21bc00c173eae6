"""Walks through History: search, order, filters, two recordings beside one another, one person over time."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from tests.browser.uploads import case_files


@pytest.fixture
def keeper(visitor, pair):
    """Somebody with three recordings, sent elsewhere than in the browser; the last is not analysed."""
    visitor.register("/history")
    with pair.client(visitor.name) as elsewhere:
        for name, case, about in (
            ("Before ablation", "left_bundle_branch_block", {"subject_id": "P-0042", "notes": "breathless"}),
            ("After ablation", "normal", {"subject_id": "P-0042"}),
            ("Somebody else", "poor_quality", {"subject_id": "P-0007"}),
        ):
            kept = elsewhere.recordings.upload(case_files(case, "npz"), **about)
            kept = elsewhere.recordings.change(kept.id, if_match=kept.etag, name=name)
            if name != "Somebody else":
                elsewhere.analyses.create(kept.id)
    visitor.turn_to("Models")
    visitor.turn_to("History")
    return visitor


def names(visitor) -> list[str]:
    """Return the recordings that are listed, in their order."""
    links = visitor.page.get_by_role("main").get_by_role("link", name=re.compile("ablation|else"))
    return [text.split("\n")[-1] for text in links.all_inner_texts()]


def test_recordings_are_sought_ordered_sifted_and_opened(keeper):
    keeper.see("1\N{EN DASH}3 of 3")
    assert names(keeper) == ["Somebody else", "After ablation", "Before ablation"]
    keeper.see("Signal poor")
    keeper.see("Not analysed yet")

    keeper.choose("Order", "Name")
    keeper.until(lambda: names(keeper) == ["After ablation", "Before ablation", "Somebody else"])
    keeper.type("Search", "breathless")
    keeper.see("1\N{EN DASH}1 of 1")
    assert names(keeper) == ["Before ablation"]
    keeper.type("Search", "no such thing")
    keeper.see("Nothing matches.")
    keeper.press("Show all recordings")
    keeper.see("1\N{EN DASH}3 of 3")
    expect(keeper.page.get_by_role("textbox", name="Search")).to_have_value("")

    keeper.press("Filters")
    keeper.choose("Signal quality", "Poor")
    keeper.see("1\N{EN DASH}1 of 1")
    keeper.page.keyboard.press("Escape")
    keeper.press("Filters (1)")
    keeper.choose("Signal quality", "Any")
    keeper.see("1\N{EN DASH}3 of 3")
    keeper.page.keyboard.press("Escape")

    keeper.page.get_by_role("link", name="Before ablation").click()
    keeper.see_title("Before ablation")
    keeper.see("Complete left bundle branch block")


def test_two_recordings_of_one_person_stand_side_by_side_and_over_time(keeper):
    page = keeper.page
    for name in ("Before ablation", "After ablation"):
        # The box itself is a pixel wide; what is pressed is its picture.
        page.get_by_role("checkbox", name=f"Choose {name} to compare").check(force=True)
        keeper.rest()
    keeper.press("Compare")
    keeper.see_title("Two recordings")
    papers = page.get_by_role("application", name=re.compile("beats marked"))
    expect(papers).to_have_count(2)
    row = page.get_by_role("row", name=re.compile("^QRS .*ms"))
    expect(row).to_contain_text(re.compile(r"[+\N{MINUS SIGN}]\d+\sms"))

    page.get_by_role("link", name="All recordings").click()
    page.get_by_role("link", name="P-0042").first.click()
    keeper.see_title("P-0042")
    keeper.choose("Measurement", "QRS")
    keeper.rest()
    told = page.get_by_test_id("stTable")
    expect(told).to_contain_text("Before ablation")
    expect(told).to_contain_text("151")
