"""Walks through Settings: tokens, password, and what administrators look after."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from dashboard.client import SignedOut, connect
from tests.browser.pair import new_name
from tests.service import PASSWORD

OTHER = "the cat sat on the other mat"


def test_a_token_is_made_shown_once_works_and_is_revoked_and_the_password_is_changed(visitor, pair):
    visitor.register()
    visitor.turn_to("Settings")
    visitor.type("What it is for", "nightly import")
    visitor.press("Make a token")
    visitor.see("Copy it now: it is shown only here.")
    token = visitor.page.get_by_test_id("stCode").inner_text().strip()
    visitor.press("I have copied it")
    visitor.miss("Copy it now")
    with connect(pair.api.url, token=token) as script:
        assert script.accounts.me().name == visitor.name
        visitor.press("Delete")
        visitor.press("Delete it")
        visitor.see("You have none yet.")
        with pytest.raises(SignedOut):
            script.accounts.me()

    visitor.page.get_by_text("Account", exact=True).click()
    visitor.type("Password now", PASSWORD)
    visitor.type("New password", OTHER)
    visitor.type("New password, again", "something else altogether")
    visitor.press("Change the password")
    visitor.see("The two new passwords differ.")
    visitor.type("New password, again", OTHER)
    visitor.press("Change the password")
    visitor.see("The password is changed.")
    visitor.press("Sign out")
    visitor.see_title("Einthoven")
    visitor.sign_in(visitor.name, OTHER)
    visitor.see_title("Settings")


def test_an_administrator_looks_after_accounts_jobs_and_health(visitor, pair):
    made = new_name("bob")
    visitor.visit("/settings")
    visitor.sign_in(pair.add_administrator())
    visitor.see_title("Settings")
    page = visitor.page
    page.get_by_text("Users", exact=True).click()
    visitor.press("New account")
    visitor.type("Name or email", made)
    visitor.type("First password", PASSWORD)
    visitor.press("Make the account")
    visitor.see("is made.")
    # What the form of a new account lies in covers the rows until it is closed.
    page.keyboard.press("Escape")
    visitor.type("Search", made)
    expect(visitor.button("Change")).to_have_count(1)
    visitor.see("never signed in")
    visitor.press("Change")
    page.get_by_role("button", name="Deactivate").click()
    visitor.see("Deactivated")

    page.get_by_text("All jobs", exact=True).click()
    expect(page.get_by_role("heading", name="All jobs")).to_be_visible()
    page.get_by_text("Health", exact=True).click()
    visitor.see("The service can do its work.")
    visitor.see("Store of uploads")
