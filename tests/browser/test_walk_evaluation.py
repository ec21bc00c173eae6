"""A walk through Evaluation, and one through Models: how good it is, and where it went wrong."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect


def test_the_bundled_set_is_scored_and_a_record_that_lost_points_is_seen_on_paper(visitor):
    visitor.register()
    visitor.turn_to("Evaluation")
    visitor.choose("Model", "beats_fast")
    visitor.rest()
    visitor.press("Evaluate")
    visitor.see("QRS score", patience_ms=120_000)
    visitor.see(re.compile(r"^0\.\d{3} to 0\.\d{3}"))
    visitor.see("Records that lost points")
    assert visitor.table()
    visitor.pick_row()
    visitor.see(re.compile(r"^(Missed|Invented)$"))
    paper = visitor.page.get_by_role("application", name=re.compile("beats marked"))
    expect(paper).to_be_visible()


def test_a_model_tells_what_it_is_for_how_good_it_is_and_where_it_calls(visitor):
    visitor.register()
    visitor.turn_to("Models")
    visitor.see("can be asked")
    visitor.see("Use")
    for tab, text in (("Metrics", re.compile(r"\d+ of \d+ figures")), ("Operating points", "PPV is also given where")):
        visitor.page.get_by_role("tab", name=tab).click()
        visitor.see(text)
        assert visitor.table()
    visitor.type("Find a label", "bundle branch")
    visitor.until(lambda: all("bundle branch" in row[0] for row in visitor.table()))
    visitor.page.get_by_role("tab", name="Particulars").click()
    visitor.see("SHA-256")
    visitor.type("Search names, descriptions and labels", "no such model")
    visitor.see("No model has no such model in its name")
