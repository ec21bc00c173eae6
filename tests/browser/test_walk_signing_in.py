"""Walks through the door: register, sign in, an API token, out again; an address that somebody comes by."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from tests.service import PASSWORD


def test_somebody_registers_and_is_where_the_address_leads_and_comes_back_with_the_password(visitor):
    name = visitor.register("/history")
    visitor.see_title("History")
    visitor.see("No recordings yet.")
    visitor.press("Sign out")
    visitor.see_title("Einthoven")
    visitor.miss("No recordings yet.")

    visitor.sign_in(name, "not the password at all")
    visitor.see("No account has this name and password.")
    expect(visitor.button("Sign out")).to_have_count(0)
    visitor.sign_in(name)
    visitor.see_title("History")


def test_a_short_password_is_refused_with_what_is_expected(visitor):
    visitor.visit()
    visitor.page.get_by_role("tab", name="Register").click()
    visitor.type("Name or email", "short@example.org")
    visitor.type("Password", "short")
    visitor.press("Register and sign in")
    visitor.see("10 characters")


def test_an_api_token_opens_the_door_until_it_is_deleted(visitor, pair):
    visitor.register()
    with pair.client(visitor.name) as elsewhere:
        made = elsewhere.accounts.create_token("a tablet", ["read", "write"])
        visitor.press("Sign out")
        visitor.page.get_by_role("tab", name="API token").click()
        visitor.type("Personal API token", "eta_this-is-none-of-ours")
        visitor.press("Use it")
        visitor.see("token")
        visitor.type("Personal API token", made.token)
        visitor.press("Use it")
        visitor.see_title("Analyse an ECG")
        elsewhere.accounts.delete_token(made.id)
    visitor.page.get_by_role("navigation").get_by_role("link", name="History").click()
    visitor.see("Please sign in again")


def test_the_form_is_filled_in_with_the_keyboard_alone(visitor, pair):
    visitor.register()
    visitor.press("Sign out")
    visitor.see_title("Einthoven")
    page = visitor.page
    page.get_by_role("tab", name="Sign in").focus()
    page.keyboard.press("Tab")
    reached = []
    for text in (visitor.name, PASSWORD):
        while page.evaluate("document.activeElement.tagName") != "INPUT":
            page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    assert reached == ["Name or email", "Password"]
    while page.evaluate("document.activeElement.innerText") != "Sign in":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    visitor.see_title("Analyse an ECG")
