"""Walks through trouble: a sign-in that ends in the middle of work, and a service that goes away and comes back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from tests.browser.pair import Pair, running_pair
from tests.browser.uploads import case_files


def sign_out_elsewhere(pair, name):
    with pair.client(name) as elsewhere:
        elsewhere.accounts.sign_out(everywhere=True)


@pytest.mark.parametrize("end", [sign_out_elsewhere, Pair.let_sign_ins_expire], ids=["signed out", "expired"])
def test_work_outlives_a_sign_in_that_ends(visitor, pair, end):
    visitor.register()
    visitor.drop(case_files("left_bundle_branch_block"))
    end(pair, visitor.name)
    visitor.press("Analyse")
    visitor.see("Please sign in again")
    visitor.see("Your work is kept.")
    visitor.sign_in(visitor.name)
    visitor.see("Still here from before: left_bundle_branch_block.hea, left_bundle_branch_block.dat")
    visitor.press("Analyse")
    expect(visitor.page).to_have_url(re.compile("/recording"))
    visitor.see("Complete left bundle branch block")


def test_a_service_that_goes_away_is_said_in_words_and_is_found_again(chromium, visit, tmp_path: Path):
    with running_pair(tmp_path) as pair:
        visitor = visit(pair)
        visitor.register("/history")
        visitor.see("No recordings yet.")
        pair.api.stop()
        visitor.page.get_by_role("navigation").get_by_role("link", name="Models").click()
        visitor.see(f"The analysis service does not answer at {pair.api.url}")
        visitor.see("Start it with")
        visitor.press("Try again")
        visitor.see("The analysis service does not answer")
        pair.api.start()
        pair.api.wait()
        visitor.press("Try again")
        visitor.see("can be asked")
        visitor.miss("The analysis service does not answer")
        visitor.turn_to("History")
        visitor.see("No recordings yet.")
