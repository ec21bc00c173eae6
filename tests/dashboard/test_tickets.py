"""Tickets for sign-ins, and staying signed in when a page is loaded again."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.client import Client, Tokens
from dashboard.tickets import Tickets
from tests.service import PASSWORD, add_account

APP = Path(dashboard.__file__).parent / "app.py"


class Clock:
    """Seconds that go by when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_ticket_gives_the_very_tokens_that_it_was_issued_for():
    tickets, tokens = Tickets(), Tokens("access", "refresh")
    assert tickets.find(tickets.issue(tokens)) is tokens


def test_a_ticket_says_nothing_of_its_tokens_and_is_never_given_twice():
    tickets, tokens = Tickets(), Tokens("access", "refresh")
    issued = {tickets.issue(tokens) for _ in range(50)}
    assert len(issued) == 50
    assert min(len(ticket) for ticket in issued) >= 43
    assert not any("access" in ticket or "refresh" in ticket for ticket in issued)


def test_unknown_and_ended_tickets_are_good_for_nothing():
    tickets = Tickets()
    ticket = tickets.issue(Tokens("access"))
    tickets.end(ticket)
    tickets.end(ticket)
    assert tickets.find(ticket) is None
    assert tickets.find("of my own making") is None


def test_a_ticket_lasts_while_it_is_used():
    clock = Clock()
    tickets = Tickets(idle_s=10, clock=clock)
    used, unused = tickets.issue(Tokens("used")), tickets.issue(Tokens("unused"))
    clock.now = 9
    assert tickets.find(used)
    clock.now = 12
    assert tickets.find(used)
    assert tickets.find(unused) is None


def test_the_longest_unused_ticket_makes_room():
    tickets = Tickets(most=2)
    first, second = tickets.issue(Tokens("1")), tickets.issue(Tokens("2"))
    tickets.find(first)
    tickets.issue(Tokens("3"))
    assert tickets.find(first)
    assert tickets.find(second) is None


@pytest.fixture
def browser(nobody, monkeypatch) -> dict[str, str]:
    """The cookie that a browser sends."""
    st.cache_resource.clear()
    cookies: dict[str, str] = {}
    monkeypatch.setattr("dashboard.session.connect", lambda: nobody)
    monkeypatch.setattr("dashboard.session.held_ticket", lambda: cookies.get("ticket"))
    return cookies


def load() -> AppTest:
    """Open the dashboard in a tab, or load it again: nothing of an earlier tab is left but the cookies."""
    return run(AppTest.from_file(APP, default_timeout=120))


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def scripts(page: AppTest) -> list[str]:
    """Return what the browser is told to do."""
    return [item.proto.body for item in page.get("html") if item.proto.body.startswith("<script>")]


def ticket_set(page: AppTest) -> str:
    """Return the ticket that the browser is told to hold."""
    (script,) = scripts(page)
    assert "; Path=/; SameSite=Strict" in script
    assert "Max-Age" not in script
    return script.partition("=")[2].partition("=")[2].partition(";")[0]


def signed_in(page: AppTest, service, name: str) -> AppTest:
    add_account(service, name)
    page.text_input(key="name").input(name)
    page.text_input(key="password").input(PASSWORD)
    page.button[0].click()
    return run(page)


def name_of(page: AppTest, service) -> str:
    return Client(service, page.session_state["tokens"]).accounts.me().name


def sign_out(page: AppTest) -> AppTest:
    next(button for button in page.button if button.label == "Sign out").click()
    return run(page)


def test_a_page_that_is_loaded_again_is_signed_in_by_its_cookie(browser, service, request):
    browser["ticket"] = ticket_set(signed_in(load(), service, request.node.name))
    again = load()
    assert name_of(again, service) == request.node.name
    assert scripts(again) == []


def test_tabs_share_their_tokens_so_that_renewing_in_one_renews_the_other(browser, service, request):
    first = signed_in(load(), service, request.node.name)
    browser["ticket"] = ticket_set(first)
    second = load()
    shared = second.session_state["tokens"]
    assert first.session_state["tokens"] is shared
    shared.access = "run out"
    before = shared.refresh
    assert name_of(second, service) == request.node.name
    assert shared.refresh != before
    assert name_of(run(first), service) == request.node.name


def test_signing_out_signs_every_tab_out_and_takes_the_cookie_away(browser, service, request):
    first = signed_in(load(), service, request.node.name)
    ticket = browser["ticket"] = ticket_set(first)
    second = sign_out(load())
    (script,) = scripts(second)
    assert f'={ticket}")' in script
    assert "Max-Age=0" in script
    assert run(first).text_input(key="name")
    assert load().text_input(key="name")


def test_a_cookie_that_nobody_knows_is_taken_away_and_runs_nothing(browser):
    browser["ticket"] = '"</script><script>alert(1)//'
    page = load()
    assert page.text_input(key="name")
    (script,) = scripts(page)
    assert script.count("<") == 2
    assert '\\"' in script
